"""The one door to models: what a role has to do, and the surrogate that plays both offline."""

"""The evolution loop: what a change of the bank does to seekers, and whether it may be merged."""

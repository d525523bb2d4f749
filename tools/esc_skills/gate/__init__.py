"""The gate: what paired episodes show of a change, as values in and values out; nothing here runs or reads anything."""

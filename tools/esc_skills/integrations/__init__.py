"""Integrations: the bank in somebody's own program, agent or notebook."""

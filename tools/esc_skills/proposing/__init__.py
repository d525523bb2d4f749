"""Proposing: from a weakness to a branch with its evidence, by operators, by an analyst, or by hand."""

"""Simulation: SAGE's state machine, the draws of a plan, episodes, the runner and the scores."""

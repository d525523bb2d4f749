"""Evaluation of single responses: contexts out of held-out dialogues, arms that answer them, measures and a judge."""

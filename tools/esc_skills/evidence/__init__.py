"""Evidence: what a proposal carries, how it is built, and the checks by which a stranger derives its verdict again."""

"""The ledger: what was registered and decided, in an order that nobody can change unseen, and the levels that follow."""

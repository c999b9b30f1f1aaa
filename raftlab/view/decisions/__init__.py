"""How votes are counted and entries committed: the decisions, drawn."""

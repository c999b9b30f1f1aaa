"""The logs and what came of them: a row for each node, a column for each index."""

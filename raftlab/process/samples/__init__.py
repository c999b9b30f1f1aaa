"""Small Rafts that a student can begin from: `raft.py` and `raft.js`, to be run as processes."""

"""Many machines, one virtual clock. Read the files in this order:

settings, actions, network, disk, sessions, key_value, frame, host, invariants, watch, contract,
carrying, engine, verbs, asking, words, framing, tracing, recording, given, clients, cluster.
"""

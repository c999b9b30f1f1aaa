"""Many machines, one virtual clock. Read the files in this order:

settings, actions, network, disk, key_value, frame, host, invariants, engine, words,
framing, tracing, recording, given, cluster.
"""

"""Many machines, one virtual clock. Read the files in this order:

settings, actions, network, disk, key_value, frame, host, invariants, words, framing,
cluster, tracing, recording.
"""

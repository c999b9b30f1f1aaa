"""The protocol: pure, deterministic, without I/O. Read the files in this order:

vocabulary, log, messages, quorum, election, progress, roles, options, rules, output,
core, replication, elections, machine.
"""

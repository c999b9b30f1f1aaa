"""The protocol: pure, deterministic, without I/O. Read the files in this order:

vocabulary, log, messages, quorum, election, progress, roles, options, rules, output,
core, replication, elections, snapshots, transfer, membership, reads, machine.

What the machine does up to `elections` is the paper's Figure 2 with the protections of the
thesis (4.2.3, 6.2, 9.6); from `snapshots` on it is the rest. The files before `core` are
the words for both.
"""

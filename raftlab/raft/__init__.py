"""The protocol: pure, deterministic, without I/O. Read the files in this order:

vocabulary, log, messages, quorum, votes, progress, roles, options, rules, output,
node, figure2/replication, figure2/elections, figure2/__init__,
thesis/protections, flow_control, transfer, membership, snapshots, reads, persistence, machine.

The files before `node` are the words for all of it. `Figure2` is the paper's Figure 2, and a
machine that runs; each file of `thesis/` adds one idea to the machine before it, and each of
those runs as well. `RaftStateMachine` is the last: the one that a cluster has unless told.
"""

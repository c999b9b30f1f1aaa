"""The paper's Figure 2 as a machine that runs: `replication`, `elections`, and both together."""

from raftlab.raft.figure2.elections import Elections


class Figure2(Elections):
    """Figure 2 of the paper and nothing else: it elects, replicates, commits and restarts.

    A machine for a cluster like any other, `Cluster(3, machine=Figure2)`: what is written here
    and in the files before is all that runs. It has no pre-vote, check-quorum or stickiness,
    no snapshots, transfers, changes of members or reads, and no limit on what waits; the fields
    of `Options` that set these mean nothing to it. As the shipped rules say, a new leader
    appends an empty entry (paper: 8).

    `Options.figure_2()` is the same from the other side: it makes the whole `RaftStateMachine`
    do in a run what this one does, as long as nobody asks for more. Use that to go on to the
    later chapters in one cluster, and this to read and to change the least that is Raft.

    Raises: Misuse, for a start that no run of Raft can lead to.
    """

    __slots__ = ()

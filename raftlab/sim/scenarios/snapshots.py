"""Logs that are compacted, and followers that are sent a snapshot. Paper: 7."""

from contextlib import suppress

from raftlab.raft.messages import InstallSnapshot
from raftlab.raft.rules import Rules
from raftlab.sim.cluster import Cluster
from raftlab.sim.fixtures import (
    commit,
    is_a,
    numbers_of,
    settle,
    stage,
    until_sent,
    win_election,
    with_entry,
)
from raftlab.sim.scenarios.mistakes import AppendsNothingItself, KeepsEveryTail
from raftlab.sim.scenarios.registry import BEFORE_AFTER, named_situation
from raftlab.sim.world.violation import Violation


@named_situation(BEFORE_AFTER)
def figure_12(panel: str = "after", *, seed: int = 1) -> Cluster:
    """Five committed entries give way to a snapshot of what they have led to; two remain.

    The log of S1 is that of the figure, terms 1 1 1 2 3 3 3. "before": it is whole. "after":
    a snapshot, with x=0 and y=9, stands for entries 1 to 5.

    Paper: 7, Figure 12.
    """
    cluster = stage(3, seed, rules=AppendsNothingItself)
    for commands in ("x=3 y=1 y=9", "x=2", "x=0"):
        cluster.elect("S2" if cluster.leader == "S1" else "S1")
        for command in commands.split():
            commit(cluster, command)
    cluster.run(60)
    for command in ("y=7", "x=5"):
        cluster.propose(command)
    if panel == "after":
        cluster.compact("S1", 5)
    return cluster


@named_situation()
def figure_13(*, seed: int = 1) -> Cluster:
    """A follower needs entries that its leader no longer has, and is sent a snapshot instead.

    S3 was cut off; S1 has compacted its log up to entry 5. InstallSnapshot is on its way.

    Paper: 7, Figure 13.
    """
    cluster = settle(stage(3, seed), "S1")
    cluster.isolate("S3")
    for command in ("x=1", "x=2", "y=1", "y=2"):
        commit(cluster, command)
    cluster.compact("S1")
    cluster.heal()
    until_sent(cluster, "S1", "S3", is_a(InstallSnapshot))
    return cluster


@named_situation()
def snapshot_meets_conflicting_tail(*, seed: int = 1) -> Cluster:
    """A snapshot comes to a follower whose log says something else, and goes on longer.

    S3 has six entries, of terms 1 and 2; the snapshot that is on its way stands for five
    entries, the last of term 4. The log does not agree with it, and all of it has to go.

    Paper: 7, Figure 13, rule 7.
    """
    return _snapshot_and_tail(seed, Rules)


@named_situation(BEFORE_AFTER, breaks={"after": "Log Terms Rise"})
def snapshot_keeps_conflicting_tail(panel: str = "after", *, seed: int = 1) -> Cluster:
    """A follower that keeps what follows a snapshot, unasked, has a log that cannot be.

    "before": as `snapshot_meets_conflicting_tail`. "after": S3 has kept its entry 6, of
    term 2, behind a snapshot that ends in term 4.

    Paper: 7, Figure 13, rules 6 and 7.
    """
    cluster = _snapshot_and_tail(seed, KeepsEveryTail)
    if panel == "after":
        with suppress(Violation):
            cluster.run(20)
    return cluster


def _snapshot_and_tail(seed: int, rules: type[Rules]) -> Cluster:
    logs = {"S1": (1, 3, 3, 3), "S2": (1, 3, 3, 3), "S3": (1, 2, 2, 2, 2, 2)}
    cluster = stage(3, seed, rules=rules, logs=logs)
    win_election(cluster, "S1")
    cluster.isolate("S3")
    cluster.run(30)
    cluster.compact("S1")
    cluster.heal()
    until_sent(cluster, "S1", "S3", is_a(InstallSnapshot))
    return cluster


@named_situation()
def snapshot_meets_agreeing_tail(*, seed: int = 1) -> Cluster:
    """A snapshot comes late, to a follower that has all of it in its log, and more.

    S1 has a snapshot of entries 1 and 2, and had to send it, because the two messages with
    entries 2 and 3 seemed lost. They were slow: S3 has them now, and has acknowledged entry
    3, when the snapshot is about to come. Entry 3 stays.

    Paper: 7, Figure 13, rule 6.
    """
    cluster = settle(stage(3, seed), "S1")
    cluster.propose("x=1")
    cluster.propose("x=2")
    slow = [numbers_of(cluster, "S1", "S3", with_entry(index))[0] for index in (2, 3)]
    for number in slow:
        cluster.delay(number, 1000)
    cluster.run(20)
    cluster.compact("S1", 2)
    until_sent(cluster, "S1", "S3", is_a(InstallSnapshot))
    for number in slow:
        cluster.deliver(number)
    return cluster

"""A leader that is deposed and does not know it, and its message that comes late. Paper: 5.4.3."""

from collections.abc import Sequence

from raftlab.raft.vocabulary import Millis, NodeId
from raftlab.sim.cluster import Cluster
from raftlab.sim.fixtures import (
    THERE_AND_BACK,
    commit,
    drop_all,
    settle,
    stage,
    until_sent,
    win_election,
    with_entry,
)
from raftlab.sim.scenarios.mistakes import AppendsNothingItself
from raftlab.sim.scenarios.registry import named_situation

FIVE = ("S1", "S2", "S3", "S4", "S5")
JUST_SPOKE: Millis = 51.0  # after its election: S1 says nothing for 50 ms
HELD_UP: Millis = 35.0  # until an acknowledgement and an election are over


@named_situation(("before", "after", "healed"))
def deposed_leader_commits(panel: str = "after", *, seed: int = 1) -> Cluster:
    """A leader that does not know that it is deposed commits an entry, and nothing is harmed.

    "before": S2 leads term 2 by the votes of S4 and S5. S1 still leads term 1; it knows that
    S2 holds its entry 1, and its message with it is on the way to S3, which has heard nothing of
    term 2. "after": S3 has acknowledged it, and S1 has committed entry 1, which S2 holds.
    "healed": S1 follows, and S2 has committed the entry, too, with one of its own.

    Paper: 5.4.3. Ongaro's user study, question 7.
    """
    cluster = depose("S2", ("S4", "S5"), "S3", seed=seed)
    if panel != "before":
        cluster.run(HELD_UP)
    if panel == "healed":
        cluster.heal()
        commit(cluster, "x=2", "S2")
        cluster.run(150)
    return cluster


def depose(
    winner: NodeId,
    voters: Sequence[NodeId],
    late: NodeId,
    holders: Sequence[NodeId] = ("S2",),
    *,
    seed: int,
) -> Cluster:
    """S1 leads term 1 of five and hears only `late`; `winner` leads term 2 by these votes.

    S1 knows that `holders` have its entry 1, and its message with that entry is on the way
    to `late`, where it arrives within 10 ms. Nobody else has heard of the entry.

    Raises: NotNow, if the voters do not elect `winner`.
    """
    cluster = settle(stage(5, seed, rules=AppendsNothingItself), "S1", JUST_SPOKE)
    cluster.propose("x=1")
    for node in FIVE[1:]:
        number = until_sent(cluster, "S1", node, with_entry(1))
        if node == late:
            cluster.delay(number, HELD_UP)
        elif node not in holders:
            cluster.drop(number)
    cluster.run(THERE_AND_BACK)
    for node in FIVE[1:]:
        if node != late:
            cluster.cut("S1", node)
        if node not in (winner, *voters):
            cluster.cut(winner, node)
    win_election(cluster, winner)
    drop_all(cluster, winner, *(node for node in FIVE if node not in (winner, *voters)))
    return cluster

"""What must be on the disk before it is said. Paper: Figure 2, persistent state; 5.1, 5.2."""

from contextlib import suppress

from raftlab.sim.cluster import Cluster
from raftlab.sim.fixtures import commit, drop_all, settle, stage, win_election
from raftlab.sim.scenarios.registry import BEFORE_AFTER, named_situation
from raftlab.sim.world.settings import Disks
from raftlab.sim.world.violation import Violation

CAUGHT_OR_NOT = ("caught", "unwatched")


@named_situation(BEFORE_AFTER, breaks={"after": "Leader Completeness"})
def amnesia(panel: str = "after", *, seed: int = 1) -> Cluster:
    """A server lost its disk and came back under its old name: what it had promised is forgotten.

    S1 and S2 had committed x=1. S2 is back with nothing, S1 is down, and S3 never knew.
    "before": S3 may campaign at any moment. "after": S2 votes for it, and x=1 is lost.

    Paper: 5.2, Figure 2, persistent state.
    """
    cluster = settle(stage(3, seed), "S1")
    cluster.isolate("S3")
    commit(cluster, "x=1")
    cluster.wipe("S2")
    cluster.restart("S2")
    cluster.crash("S1")
    cluster.heal()
    if panel == "after":
        with suppress(Violation):
            win_election(cluster, "S3")
    return cluster


@named_situation(CAUGHT_OR_NOT, breaks={"caught": "Durable Before Said"})
def forgotten_vote(panel: str = "unwatched", *, seed: int = 1) -> Cluster:
    """A disk that does not keep votes: a server crashes, and votes twice in one term.

    "caught": the cluster is watched, and the run stops where S3 says that it votes for S1.
    "unwatched": it goes on. S3 crashed, came back, and voted for S2 in the same term:
    S1 and S2 both lead term 1.

    Paper: 5.2, Figure 2, persistent state.
    """
    disks = Disks(write_ms=0.0, keeps=("term", "log"))
    cluster = stage(3, seed, disks=disks, watched=panel == "caught")
    cluster.timeout("S1")
    drop_all(cluster, "S1", "S2")
    with suppress(Violation):
        cluster.step()
        cluster.crash("S3")
        cluster.restart("S3")
        cluster.timeout("S2")
        drop_all(cluster, "S2", "S1")
        cluster.run(15)
        drop_all(cluster, "S1", "S2", "S3")
        cluster.run(5)
    return cluster


@named_situation(CAUGHT_OR_NOT, breaks={"caught": "Durable Before Said"})
def answer_before_writing(panel: str = "unwatched", *, seed: int = 1) -> Cluster:
    """Servers that answer before they have written lose, in a power cut, what is committed.

    "caught": the cluster is watched, and the run stops at the first word that a crash could
    take back. "unwatched": S1 and S2 called x=1 committed, both crashed while they wrote it,
    and S3 leads a cluster that has never heard of x.

    Paper: Figure 2, persistent state ("updated on stable storage before responding").
    """
    disks = Disks(write_ms=5.0, waits=False)
    cluster = stage(3, seed, disks=disks, watched=panel == "caught")
    with suppress(Violation):
        settle(cluster, "S1")
        cluster.isolate("S3")
        for node in ("S1", "S2"):
            cluster.slow_disk(node, 1000)
        commit(cluster, "x=1")
        for node in ("S1", "S2"):
            cluster.crash(node)
            cluster.slow_disk(node, 5)
            cluster.restart(node)
        cluster.heal()
        win_election(cluster, "S3")
        cluster.run(60)
    return cluster


@named_situation()
def power_cut(*, seed: int = 1) -> Cluster:
    """All servers crash at once in the middle of their writes, and nothing that was said is lost.

    x=1 is committed. x=2 is on the disk of S1 and was being written by the others, who have
    acknowledged nothing of it; on some it got through. All five are down: restart them.

    Paper: 5.1, Figure 2, persistent state.
    """
    cluster = settle(stage(5, seed, disks=Disks(write_ms=4.0, torn=True)), "S1")
    commit(cluster, "x=1")
    cluster.run(60)
    cluster.propose("x=2")
    cluster.run(16)
    for node in cluster.nodes:
        cluster.crash(node)
    return cluster

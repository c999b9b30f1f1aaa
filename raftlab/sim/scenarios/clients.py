"""Clients: what they read, and what happens when they ask twice. Paper: 8. Thesis: 6."""

from contextlib import suppress

from raftlab.raft.options import Options
from raftlab.raft.rules import Rules
from raftlab.sim.cluster import Cluster
from raftlab.sim.fixtures import commit, settle, stage, win_election
from raftlab.sim.scenarios.mistakes import AsksNobody, ReadsTooSoon
from raftlab.sim.scenarios.registry import BEFORE_AFTER, named_situation
from raftlab.sim.world.violation import Violation


@named_situation()
def deposed_leaders_read(*, seed: int = 1) -> Cluster:
    """A leader that does not know that it is deposed is asked for a value, and must not answer.

    S1 has x=1, S2 leads term 2 and has committed x=2. The read at S1 waits for a majority's
    word that S1 still leads, which will never come.

    Paper: 8. Thesis: 6.4.
    """
    cluster = _deposed_leader(seed, Rules)
    cluster.read("x", of="S1")
    return cluster


@named_situation(BEFORE_AFTER, breaks={"after": "Reads Are Current"})
def stale_read(panel: str = "after", *, seed: int = 1) -> Cluster:
    """A leader that asks nobody whether it still leads answers a read with the past.

    "before": S1 has x=1, and does not know that S2 leads and has committed x=2. "after": a
    client asks S1, which answers 1.

    Paper: 8. Thesis: 6.4. Jepsen: etcd and Consul, 2014.
    """
    cluster = _deposed_leader(seed, AsksNobody)
    if panel == "after":
        cluster.run(5)  # whoever wrote x=2 knows that it is done
        with suppress(Violation):
            cluster.read("x", of="S1")
            cluster.run(20)
    return cluster


def _deposed_leader(seed: int, rules: type[Rules]) -> Cluster:
    cluster = settle(stage(3, seed, rules=rules), "S1")
    commit(cluster, "x=1")
    cluster.isolate("S1")
    win_election(cluster, "S2")
    commit(cluster, "x=2")
    return cluster


@named_situation()
def new_leaders_read(*, seed: int = 1) -> Cluster:
    """A new leader is asked for a value before it knows what is committed: the read waits.

    x=1 was committed by S1, which is down. S2 has it, leads, and cannot know that it is
    committed until its own first entry is.

    Thesis: 6.4, step 1. Paper: 8.
    """
    cluster = _new_leader(seed, Rules)
    cluster.read("x", of="S2")
    return cluster


@named_situation(BEFORE_AFTER, breaks={"after": "Reads Are Current"})
def read_too_soon(panel: str = "after", *, seed: int = 1) -> Cluster:
    """A new leader that answers before an entry of its own term is committed forgets x=1.

    "before": S2 leads, has x=1 in its log, and does not know that it is committed.
    "after": a client asked it for x, and it said that there is none.

    Thesis: 6.4, step 1. etcd#7331.
    """
    cluster = _new_leader(seed, ReadsTooSoon)
    if panel == "after":
        with suppress(Violation):
            cluster.read("x", of="S2")
            cluster.run(30)
    return cluster


def _new_leader(seed: int, rules: type[Rules]) -> Cluster:
    cluster = settle(stage(5, seed, rules=rules), "S1")
    cluster.partition("S1 S2 S3", "S4 S5")
    commit(cluster, "x=1")
    cluster.crash("S1")
    cluster.crash("S3")
    cluster.heal()
    win_election(cluster, "S2")
    return cluster


@named_situation()
def follower_read(*, seed: int = 1) -> Cluster:
    """A follower is asked for a value: it asks its leader how far it must have applied the log.

    S1 has committed x=2, S2 knows of x=1 only, and its question to S1 is on its way.

    Thesis: 6.4.
    """
    cluster = settle(stage(3, seed), "S1")
    commit(cluster, "x=1")
    cluster.run(60)
    commit(cluster, "x=2")
    cluster.read("x", of="S2")
    return cluster


@named_situation(BEFORE_AFTER, breaks={"after": "Reads Are Current"})
def lease_under_clock_drift(panel: str = "after", *, seed: int = 1) -> Cluster:
    """A lease trusts clocks: one that runs ten times too slow lets it last long after it ended.

    S1's clock is slow, and its lease allows for a tenth more or less. S1 is cut off, and
    another leads and has committed x=2. "before": S1 still believes in its lease. "after":
    a client asks S1, which answers 1 at once.

    Thesis: 6.4.1.
    """
    options = Options(lease_reads=True, clock_drift_bound=1.1, check_quorum=False)
    cluster = stage(3, seed, options=options)
    cluster.elect("S1")
    commit(cluster, "x=1")
    cluster.run(100)
    cluster.set_clock_rate("S1", 0.1)
    cluster.isolate("S1")
    cluster.run_until(lambda each: each.leader in ("S2", "S3"))
    commit(cluster, "x=2", to=cluster.leader)
    if panel == "after":
        with suppress(Violation):
            cluster.read("x", of="S1")
    return cluster


SESSION = ("without a session", "with a session")


@named_situation(SESSION)
def retry_applied_twice(panel: str = "without a session", *, seed: int = 1) -> Cluster:
    """The answer was lost with the leader, the client asks again, and its command counts twice.

    Once x+=1 is committed, S1 dies, and the client asks S2 the same. "without a session": x is
    2. "with a session": the command carries a number that S2 has seen, and x is 1.

    Paper: 8. Thesis: 6.3.
    """
    cluster = settle(stage(3, seed), "S1")
    command = "x+=1"
    if panel == "with a session":
        commit(cluster, "open c1")
        command = "c1#1 x+=1"
    commit(cluster, command)
    cluster.crash("S1")
    win_election(cluster, "S2")
    commit(cluster, command)
    return cluster.run(60)

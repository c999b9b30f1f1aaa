"""Exhibits: leases that hold too long. Thesis: 6.4.1."""

from msgspec.structs import replace

from raftlab.check.campaign.faults import (
    crash,
    cut,
    isolate,
    partition,
    read,
    set_clock_rate,
    transfer,
)
from raftlab.museum.exhibit import Tuning, exhibited
from raftlab.museum.post_heal_checks import voter_restarts
from raftlab.museum.runs import CALM, FAST, LEASES, commit_and_answer
from raftlab.raft.machine import RaftStateMachine
from raftlab.raft.messages import TimeoutNow
from raftlab.raft.options import Options
from raftlab.raft.rules import Rules
from raftlab.raft.vocabulary import Millis
from raftlab.sim.cluster import Cluster
from raftlab.sim.fixtures import is_a, settle, until_sent
from raftlab.sim.watch.properties import READS_ARE_CURRENT
from raftlab.sim.world.settings import Disks


def read_of_one_cut_off(cluster: Cluster) -> None:
    """S1 led, and is cut off until S2 leads; a client asks S1 for x."""
    settle(cluster, "S1", 200)
    cluster.isolate("S1")
    cluster.run_until(lambda each: each.leader in ("S2", "S3"), 2000)
    commit_and_answer(cluster, "x=2")
    cluster.read("x", of="S1")


@exhibited(
    "endless-lease",
    read_of_one_cut_off,
    breaks=READS_ARE_CURRENT,
    options=LEASES,
    tuning=Tuning(nodes=3, options=LEASES, verbs=(isolate, partition, cut)),
)
class LeasesForEver(Rules):
    """A lease never ends.

    A leader that was confirmed once trusts that for ever. Cut off from the others, it goes on
    answering reads while they have elected somebody else.

    Source: E29: raft-rs 40157d8; thesis 6.4.1.
    """

    def lease_holds(
        self, lease_from: Millis, now: Millis, handed_over: bool, options: Options
    ) -> bool:
        """Who was heard of once has a lease for ever."""
        return not handed_over


def read_while_handing_over(cluster: Cluster) -> None:
    """S1 told S2 to campaign, and was cut off; a client asks S1 for x when S2 has set it."""
    settle(cluster, "S1", 200)
    cluster.transfer("S2")
    number = until_sent(cluster, "S1", "S2", is_a(TimeoutNow))
    cluster.isolate("S1")
    cluster.deliver(number)
    cluster.run_until(lambda each: each.leader == "S2", 100)
    commit_and_answer(cluster, "x=2")
    cluster.read("x", of="S1")


SHORT_WAYS = Tuning(nodes=3, network=FAST)


LONG_LEASES = Options(lease_reads=True, check_quorum=False, election_timeout=(400.0, 420.0))


@exhibited(
    "lease-after-transfer",
    read_while_handing_over,
    breaks=READS_ARE_CURRENT,
    options=LEASES,
    network=FAST,
    tuning=replace(
        SHORT_WAYS, options=LONG_LEASES, verbs=(isolate, isolate, transfer, transfer, read, read)
    ),
)
class LeasesGoOn(Rules):
    """A lease outlives the handing over.

    A leader that has told another one to take over still trusts its lease. Its successor is elected
    at once, and for a while the old leader shows old values.

    Source: H17: openraft#1747; thesis 6.4.1 and 3.10.
    """

    def lease_holds(
        self, lease_from: Millis, now: Millis, handed_over: bool, options: Options
    ) -> bool:
        """A leader that hands over keeps its lease."""
        return super().lease_holds(lease_from, now, False, options)


def until_heard(cluster: Cluster, *nodes: str) -> None:
    """Run until these have just heard their leader, and it them."""
    cluster.run_until(lambda each: all(silence(each, node) < 2 for node in nodes), 500)
    cluster.run(4)


def silence(cluster: Cluster, node: str) -> Millis:
    """How long a node has not heard its leader."""
    machine = cluster.machine(node)
    assert isinstance(machine, RaftStateMachine)
    return cluster.now - machine.last_leader_contact


def lead_by_timeout(cluster: Cluster, node: str) -> None:
    """The node's timer runs out; who leads then if the others let it."""
    cluster.timeout(node)
    cluster.run_until(lambda each: each.leader == node, 50)


def slow_clock(cluster: Cluster) -> None:
    """S1's clock is half as fast as the others'; it is cut off, and they elect S2 in time."""
    cluster.set_clock_rate("S1", 0.5)
    settle(cluster, "S1", 200)
    until_heard(cluster, "S2", "S3")
    cluster.isolate("S1")
    cluster.run(150)
    lead_by_timeout(cluster, "S2")
    commit_and_answer(cluster, "x=2")
    cluster.read("x", of="S1")


@exhibited(
    "clocks-are-true",
    slow_clock,
    breaks=READS_ARE_CURRENT,
    options=replace(LEASES, clock_drift_bound=2.0),
    network=FAST,
    tuning=replace(
        SHORT_WAYS,
        options=replace(LONG_LEASES, clock_drift_bound=4.0),
        verbs=(isolate, isolate, set_clock_rate, set_clock_rate, read, read),
    ),
)
class ClocksAreTrue(Rules):
    """Clocks are taken for true.

    A lease is counted on one clock, and the promise behind it on another. On a server whose clock
    runs slow the lease outlasts the promise, and a read shows the past.

    Source: H17: thesis 6.4.1, clock drift.
    """

    def lease_holds(
        self, lease_from: Millis, now: Millis, handed_over: bool, options: Options
    ) -> bool:
        """A lease lasts as long as others stick to their leader, by whatever clock."""
        return not handed_over and now - lease_from < options.election_timeout[0]


def forgetful_voter(cluster: Cluster) -> None:
    """S3 has not heard S1 for long, S2 has, and restarts; S1 is cut off, and S3 campaigns."""
    settle(cluster, "S1", 200)
    cluster.cut("S1", "S3")
    cluster.run(400)
    until_heard(cluster, "S2")
    cluster.crash("S2")
    cluster.restart("S2")
    cluster.isolate("S1")
    lead_by_timeout(cluster, "S3")
    if cluster.leader == "S3":
        commit_and_answer(cluster, "x=2")
    cluster.read("x", of="S1")


@exhibited(
    "votes-after-restart",
    forgetful_voter,
    breaks=READS_ARE_CURRENT,
    options=LEASES,
    network=FAST,
    tuning=replace(
        CALM,
        options=LEASES,
        network=FAST,
        disks=Disks(),
        verbs=(isolate, partition, cut, crash),
        afterwards=voter_restarts,
    ),
)
class VotesAfterStart(Rules):
    """A restarted node votes at once.

    A server that has just started helps to elect a leader at once. It has forgotten that it had
    promised to wait, so the lease that rests on this promise is worth nothing.

    Source: thesis 6.4.1, a promise that a restart forgets.
    """

    def waits_after_start(self, options: Options) -> bool:
        """A node that has just started listens to any candidate."""
        return False

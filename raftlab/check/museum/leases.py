"""Exhibits: leases that hold too long. Thesis: 6.4.1."""

# ruff: noqa: D102 - the class says what its override gets wrong

from msgspec.structs import replace

from raftlab.check.museum.exhibit import Exhibit
from raftlab.check.museum.staging import (
    CALM,
    FAST,
    LEASES,
    commit,
    lead_and_settle,
    machine_of,
    until_sent,
)
from raftlab.raft.messages import TimeoutNow
from raftlab.raft.options import Options
from raftlab.raft.rules import Rules
from raftlab.raft.vocabulary import Millis
from raftlab.sim.cluster import Cluster
from raftlab.sim.watch.properties import READS_ARE_CURRENT
from raftlab.sim.world.settings import Disks


class LeasesForEver(Rules):
    """Who was heard of once has a lease for ever."""

    def lease_holds(
        self, lease_from: Millis, now: Millis, handed_over: bool, options: Options
    ) -> bool:
        return not handed_over


class LeasesGoOn(Rules):
    """A leader that hands over keeps its lease."""

    def lease_holds(
        self, lease_from: Millis, now: Millis, handed_over: bool, options: Options
    ) -> bool:
        return super().lease_holds(lease_from, now, False, options)


class ClocksAreTrue(Rules):
    """A lease lasts as long as others stick to their leader, by whatever clock."""

    def lease_holds(
        self, lease_from: Millis, now: Millis, handed_over: bool, options: Options
    ) -> bool:
        return not handed_over and now - lease_from < options.election_timeout[0]


class VotesAfterStart(Rules):
    """A node that has just started listens to any candidate."""

    def waits_after_start(self, options: Options) -> bool:
        return False


def read_of_one_cut_off(cluster: Cluster) -> None:
    """S1 led, and is cut off until S2 leads; a client asks S1 for x."""
    lead_and_settle(cluster, "S1")
    cluster.isolate("S1")
    cluster.run_until(lambda each: each.leader in ("S2", "S3"), 2000)
    commit(cluster, "x=2")
    cluster.read("x", of="S1")


def read_while_handing_over(cluster: Cluster) -> None:
    """S1 told S2 to campaign, and was cut off; a client asks S1 for x when S2 has set it."""
    lead_and_settle(cluster, "S1")
    cluster.transfer("S2")
    number = until_sent(cluster, "S1", "S2", lambda message: isinstance(message, TimeoutNow))
    cluster.isolate("S1")
    cluster.deliver(number)
    cluster.run_until(lambda each: each.leader == "S2", 100)
    commit(cluster, "x=2")
    cluster.read("x", of="S1")


def slow_clock(cluster: Cluster) -> None:
    """S1's clock is half as fast as the others'; it is cut off, and they elect S2 in time."""
    cluster.set_clock_rate("S1", 0.5)
    lead_and_settle(cluster, "S1")
    until_heard(cluster, "S2", "S3")
    cluster.isolate("S1")
    cluster.run(150)
    lead_by_timeout(cluster, "S2")
    commit(cluster, "x=2")
    cluster.read("x", of="S1")


def until_heard(cluster: Cluster, *nodes: str) -> None:
    """Run until these have just heard their leader, and it them."""
    cluster.run_until(
        lambda each: all(each.now - machine_of(each, n)._last_leader_contact < 2 for n in nodes),
        500,
    )
    cluster.run(4)


def lead_by_timeout(cluster: Cluster, node: str) -> None:
    """The node's timer runs out; who leads then if the others let it."""
    cluster.timeout(node)
    cluster.run_until(lambda each: each.leader == node, 50)


def forgetful_voter(cluster: Cluster) -> None:
    """S3 has not heard S1 for long, S2 has, and restarts; S1 is cut off, and S3 campaigns."""
    lead_and_settle(cluster, "S1")
    cluster.cut("S1", "S3")
    cluster.run(400)
    until_heard(cluster, "S2")
    cluster.crash("S2")
    cluster.restart("S2")
    cluster.isolate("S1")
    lead_by_timeout(cluster, "S3")
    if cluster.leader == "S3":
        commit(cluster, "x=2")
    cluster.read("x", of="S1")


SHORT_WAYS = {"nodes": 3, "network": FAST}
LONG_LEASES = Options(lease_reads=True, check_quorum=False, election_timeout=(400.0, 420.0))
UNLIKE_CLOCKS = replace(LONG_LEASES, clock_drift_bound=4.0)
FORGETTING = {
    **CALM,
    "options": LEASES,
    "network": FAST,
    "disks": Disks(),
    "verbs": "isolate partition cut crash",
    "afterwards": "voter_restarts",
}

EXHIBITS = (
    Exhibit(
        name="endless-lease",
        title="a lease never ends",
        source="E29: raft-rs 40157d8; thesis 6.4.1",
        wrong={"rules": LeasesForEver()},
        run=read_of_one_cut_off,
        breaks=READS_ARE_CURRENT,
        is_safety=True,
        given={"options": LEASES},
        campaign={"nodes": 3, "options": LEASES, "verbs": "isolate partition cut"},
        story=(
            "A leader that was confirmed once trusts that for ever. Cut off from the others, "
            "it goes on answering reads while they have elected somebody else."
        ),
    ),
    Exhibit(
        name="lease-after-transfer",
        title="a lease outlives the handing over",
        source="H17: openraft#1747; thesis 6.4.1 and 3.10",
        wrong={"rules": LeasesGoOn()},
        run=read_while_handing_over,
        breaks=READS_ARE_CURRENT,
        is_safety=True,
        given={"options": LEASES, "network": FAST},
        campaign={
            **SHORT_WAYS,
            "options": LONG_LEASES,
            "verbs": "isolate isolate transfer transfer read read",
        },
        story=(
            "A leader that has told another one to take over still trusts its lease. Its "
            "successor is elected at once, and for a while the old leader shows old values."
        ),
    ),
    Exhibit(
        name="clocks-are-true",
        title="clocks are taken for true",
        source="H17: thesis 6.4.1, clock drift",
        wrong={"rules": ClocksAreTrue()},
        run=slow_clock,
        breaks=READS_ARE_CURRENT,
        is_safety=True,
        given={"options": replace(LEASES, clock_drift_bound=2.0), "network": FAST},
        campaign={
            **SHORT_WAYS,
            "options": UNLIKE_CLOCKS,
            "verbs": "isolate isolate set_clock_rate set_clock_rate read read",
        },
        story=(
            "A lease is counted on one clock, and the promise behind it on another. On a "
            "server whose clock runs slow the lease outlasts the promise, and a read shows "
            "the past."
        ),
    ),
    Exhibit(
        name="votes-after-restart",
        title="a restarted node votes at once",
        source="thesis 6.4.1, a promise that a restart forgets",
        wrong={"rules": VotesAfterStart()},
        run=forgetful_voter,
        breaks=READS_ARE_CURRENT,
        is_safety=True,
        given={"options": LEASES, "network": FAST},
        campaign=FORGETTING,
        story=(
            "A server that has just started helps to elect a leader at once. It has forgotten"
            " that it had promised to wait, so the lease that rests on this promise is worth "
            "nothing."
        ),
    ),
)

"""Mistakes that let a read show the past, and leases that hold too long. See `mutants.py`."""

from msgspec.structs import replace

from raftlab import Cluster, Network, Options, RaftStateMachine, Role, Rules
from raftlab.raft.messages import AppendEntriesReply, ReadIndex, TimeoutNow
from raftlab.sim.invariants import READS_ARE_CURRENT
from tests.sim.mutants import Mutant, anything, lead, lead_and_settle, until_sent

FAST = Network(latency=(1.0, 2.0))
LEASES = Options(lease_reads=True, check_quorum=False)


# Unsafe: reads


class AsksNobody(Rules):
    """A leader takes its own word for it that it still leads."""

    def still_led_at(self, acked, configuration):
        return max(acked.values())


class ReadsTooSoon(Rules):
    """A new leader answers reads before it knows what is committed."""

    def may_read(self, log, commit_index, term):
        return True


class AnyAnswerWillDo(RaftStateMachine):
    """Any answer of a follower counts for the question that is asked now."""

    __slots__ = ()

    def advance(self, message, now):
        if isinstance(message, AppendEntriesReply) and self.role is Role.LEADER:
            message = replace(message, read_round=self.role_data.reads.round)
        super().advance(message, now)


class ServesAtOnce(Rules):
    """A follower answers as soon as its leader has, with whatever it has applied."""

    def may_serve_read(self, index, commit_index):
        return True


def deposed_but_unaware(cluster: Cluster) -> None:
    """S1 led and is cut off; S2 leads now and has committed x=2."""
    lead_and_settle(cluster, "S1")
    cluster.isolate("S1")
    lead(cluster, "S2")
    commit(cluster, "x=2")


def commit(cluster: Cluster, command: str) -> None:
    """Let the newest leader commit a command."""
    index = cluster.propose(command)
    cluster.run_until(lambda each: each.machine(each.leader).commit_index >= index, 500)


def read_of_the_deposed(cluster: Cluster) -> None:
    """S1 does not know that S2 leads and has committed x=2; a client asks S1 for x."""
    deposed_but_unaware(cluster)
    cluster.read("x", of="S1")
    cluster.run(100)


def read_of_the_newly_elected(cluster: Cluster) -> None:
    """S1 dies when it alone knows that x=1 is committed; S2 leads, and is asked for x at once."""
    lead_and_settle(cluster, "S1")
    cluster.isolate("S3")
    commit(cluster, "x=1")
    cluster.crash("S1")
    cluster.heal()
    lead(cluster, "S2")
    cluster.read("x", of="S2")
    cluster.run(200)


def late_acknowledgement(cluster: Cluster) -> None:
    """What S2 said to S1 before S2 led reaches S1 when a client has asked it for x."""
    lead_and_settle(cluster, "S1")
    late = until_sent(cluster, "S2", "S1", anything)
    cluster.delay(late, 2000)
    cluster.isolate("S1")
    lead(cluster, "S2")
    commit(cluster, "x=2")
    cluster.read("x", of="S1")
    cluster.deliver(late)
    cluster.run(50)


def read_of_a_follower(cluster: Cluster) -> None:
    """S2 has not heard yet that x=1 is committed; a client asks S2 for x."""
    lead_and_settle(cluster, "S1")
    commit(cluster, "x=1")
    cluster.read("x", of="S2")
    cluster.run(200)


# Unsafe: leases


class LeasesForEver(Rules):
    """Who was heard of once has a lease for ever."""

    def lease_holds(self, lease_from, now, handed_over, options):
        return not handed_over


class LeasesGoOn(Rules):
    """A leader that hands over keeps its lease."""

    def lease_holds(self, lease_from, now, handed_over, options):
        return super().lease_holds(lease_from, now, False, options)


class ClocksAreTrue(Rules):
    """A lease lasts as long as others stick to their leader, by whatever clock."""

    def lease_holds(self, lease_from, now, handed_over, options):
        return not handed_over and now - lease_from < options.election_timeout[0]


class VotesAfterStart(Rules):
    """A node that has just started listens to any candidate."""

    def waits_after_start(self, options):
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
        lambda each: all(each.now - each.machine(n).last_leader_contact < 2 for n in nodes), 500
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


UNSAFE_READS = (
    Mutant(
        "a deposed leader answers reads",
        "H14: Jepsen 2014 on etcd and Consul; Xraft-KV#1",
        {"rules": AsksNobody()},
        read_of_the_deposed,
        READS_ARE_CURRENT,
    ),
    Mutant(
        "a new leader answers reads too soon",
        "H15: etcd#7331; thesis 6.4, step 1",
        {"rules": ReadsTooSoon()},
        read_of_the_newly_elected,
        READS_ARE_CURRENT,
    ),
    Mutant(
        "an older answer confirms a read",
        "H16: etcd#20418, open from 2016 to 2026",
        {"machine": AnyAnswerWillDo},
        late_acknowledgement,
        READS_ARE_CURRENT,
    ),
    Mutant(
        "a follower answers before it has caught up",
        "thesis 6.4, step 4",
        {"rules": ServesAtOnce()},
        read_of_a_follower,
        READS_ARE_CURRENT,
        given={"options": LEASES, "network": FAST},
    ),
    Mutant(
        "a lease never ends",
        "E29: raft-rs 40157d8; thesis 6.4.1",
        {"rules": LeasesForEver()},
        read_of_one_cut_off,
        READS_ARE_CURRENT,
        given={"options": LEASES},
    ),
    Mutant(
        "a lease outlives the handing over",
        "H17: openraft#1747; thesis 6.4.1 and 3.10",
        {"rules": LeasesGoOn()},
        read_while_handing_over,
        READS_ARE_CURRENT,
        given={"options": LEASES, "network": FAST},
    ),
    Mutant(
        "clocks are taken for true",
        "H17: thesis 6.4.1, clock drift",
        {"rules": ClocksAreTrue()},
        slow_clock,
        READS_ARE_CURRENT,
        given={"options": replace(LEASES, clock_drift_bound=2.0), "network": FAST},
    ),
    Mutant(
        "a restarted node votes at once",
        "thesis 6.4.1; semantics of leases, node restarts",
        {"rules": VotesAfterStart()},
        forgetful_voter,
        READS_ARE_CURRENT,
        given={"options": LEASES, "network": FAST},
    ),
)


# Stuck


class AsksOnce(RaftStateMachine):
    """A follower's question that was lost is not asked again."""

    __slots__ = ()

    def ask_again(self, leader):
        pass


class KeepsItToItself(RaftStateMachine):
    """A read whose leader is gone is not given up."""

    __slots__ = ()

    def change_role(self, cause, data):
        failed = self._failed_reads.copy()
        super().change_role(cause, data)
        self._failed_reads = failed


class NeverSaysIt(Rules):
    """A leader never takes a majority's answer for enough."""

    def still_led_at(self, acked, configuration):
        return min(acked.values())


def lost_question(cluster: Cluster) -> bool:
    """S2 is asked for x, and its question to S1 is lost."""
    lead_and_settle(cluster, "S1")
    reading = cluster.read("x", of="S2")
    cluster.drop(until_sent(cluster, "S2", "S1", lambda message: isinstance(message, ReadIndex)))
    return cluster.run_until(lambda _: reading.is_done, 1000)


def read_of_one_that_steps_down(cluster: Cluster) -> bool:
    """S1 is asked for x, cut off, and finds out that it no longer leads."""
    lead_and_settle(cluster, "S1")
    cluster.isolate("S1")
    reading = cluster.read("x", of="S1")
    lead(cluster, "S2")
    cluster.heal()
    return cluster.run_until(lambda _: reading.has_failed, 1000)


def one_is_down(cluster: Cluster) -> bool:
    """S1 leads, S3 is down; a client asks S1 for x."""
    lead_and_settle(cluster, "S1")
    cluster.crash("S3")
    reading = cluster.read("x")
    return cluster.run_until(lambda _: reading.is_done, 1000)


STUCK_READS = (
    Mutant(
        "a lost question is not asked again",
        "E29: raft-rs, ReadIndex dropped",
        {"machine": AsksOnce},
        lost_question,
    ),
    Mutant(
        "a read waits for a leader that is gone",
        "E27: hashicorp/raft#498; thesis 6.4",
        {"machine": KeepsItToItself},
        read_of_one_that_steps_down,
    ),
    Mutant(
        "a read waits for everybody",
        "E18: ScyllaDB PR#29226, a barrier that never completes",
        {"rules": NeverSaysIt()},
        one_is_down,
    ),
)

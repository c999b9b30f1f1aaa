"""What must go on although not all is well: a healed cluster with one fault left, or one task.

A cluster whose faults are all mended hides what a mistake does to one that has lost a server,
or a link, or is asked to hand over. Each function leaves one such thing and says what is wrong
then, or None (a `PostHealCheck`). They count on the protections of `Options`, which are on
unless said otherwise.
"""

from contextlib import suppress

from raftlab.check.campaign.after_healing import QUIET_MS, leader_and_term
from raftlab.check.campaign.run_state import RandomRun
from raftlab.raft.messages import InstallSnapshot, ReadIndex
from raftlab.raft.roles import Role
from raftlab.raft.vocabulary import Millis, NodeId, NotNow, Term
from raftlab.sim.cluster import Cluster

PATIENCE_MS: Millis = 3000.0
PAUSE_MS: Millis = 100.0
HEARD_MS: Millis = 6.0  # there and back, on a fast network


def leader_dies(run: RandomRun) -> str | None:
    """The leader crashes; the others can do without it."""
    run.cluster.crash(leader_of(run))
    return None if serves(run) else "no leader after the last one died, in all quiet"


def leader_is_cut_off(run: RandomRun) -> str | None:
    """Nobody hears the leader; it must not go on leading."""
    leader = leader_of(run)
    run.cluster.isolate(leader)
    run.cluster.run(2 * QUIET_MS)
    leads = run.cluster.hosts[leader].machine.role is Role.LEADER
    return f"{leader} leads and nobody answers, in all quiet" if leads else None


def follower_comes_and_goes(run: RandomRun) -> str | None:
    """A follower is cut off for a while, three times; that is no reason for a new leader."""
    cluster, led, follower = run.cluster, leader_and_term(run.cluster), follower_of(run)
    for _ in range(3):
        cluster.isolate(follower)
        cluster.run(QUIET_MS)
        cluster.heal()
        with suppress(NotNow):  # it may lead
            cluster.timeout(follower)
        cluster.run(QUIET_MS)
    return unless_led(cluster, led, "one link came and went, and who leads, in all quiet")


def follower_is_deaf(run: RandomRun) -> str | None:
    """A follower does not hear its leader, and reaches all; that is no reason for a new leader."""
    cluster, led, follower = run.cluster, leader_and_term(run.cluster), follower_of(run)
    cluster.cut(leader_of(run), follower, both_ways=False)
    cluster.run(3 * QUIET_MS)
    return unless_led(cluster, led, "one link is down, and who leads, in all quiet")


def follower_dies(run: RandomRun) -> str | None:
    """A follower crashes; the rest serves reads and writes."""
    run.cluster.crash(follower_of(run))
    if not serves(run):
        return "no new command after a follower died, in all quiet"
    reading = run.cluster.read("last", leader_of(run))
    run.cluster.run(QUIET_MS)
    return None if reading.is_done else f"{reading!r} in all quiet"


def handed_over(run: RandomRun) -> str | None:
    """The leader is told to hand over to each voter in turn, while a client is busy."""
    for _ in range(2):
        leader, to = leader_of(run), follower_of(run)
        if not hands_over(run, to):
            return f"{leader} never handed over to {to}, in all quiet"
    return None


def hands_over(run: RandomRun, to: NodeId) -> bool:
    """Whether `to` leads soon after the leader was told so, under load."""
    cluster = run.cluster
    for number in range(20):
        with suppress(NotNow):
            cluster.propose(f"busy={number}")
    with suppress(NotNow):
        cluster.transfer(to)
    end = cluster.now + cluster.setup.options.transfer_timeout
    while cluster.now < end and cluster.leader != to:
        with suppress(NotNow):
            cluster.propose("busy=1")
        cluster.run(2)
    return cluster.leader == to


def member_is_removed(run: RandomRun) -> str | None:
    """A follower is removed while it is cut off, and comes back; nobody minds."""
    cluster, led, follower = run.cluster, leader_and_term(run.cluster), follower_of(run)
    cluster.isolate(follower)
    with suppress(NotNow):
        cluster.remove(follower)
    cluster.run(QUIET_MS)
    cluster.heal()
    cluster.run(3 * QUIET_MS)
    return unless_led(cluster, led, "a removed server disturbs, in all quiet")


def read_is_given_up(run: RandomRun) -> str | None:
    """A leader is cut off with a read; its client must hear that it is in vain."""
    leader = leader_of(run)
    run.cluster.isolate(leader)
    reading = run.cluster.read("last", leader)
    run.cluster.run(2 * QUIET_MS)
    return None if reading.is_done or reading.has_failed else f"{reading!r} in all quiet"


def question_is_lost(run: RandomRun) -> str | None:
    """A follower is asked for a read, and its question to the leader is lost."""
    cluster, follower = run.cluster, follower_of(run)
    reading = cluster.read("last", follower)
    for flight in cluster.in_flight():
        if isinstance(flight.message, ReadIndex):
            cluster.drop(flight.number)
    cluster.run(QUIET_MS)
    return None if reading.is_done else f"{reading!r} in all quiet"


def snapshot_is_slow(run: RandomRun) -> str | None:
    """A snapshot takes long to reach a follower; that is no reason for a new leader."""
    cluster, led, follower = run.cluster, leader_and_term(run.cluster), follower_of(run)
    cluster.isolate(follower)
    cluster.propose("after=1")
    cluster.run(PAUSE_MS)
    with suppress(NotNow):  # it may have done so by itself
        cluster.compact(leader_of(run))
    cluster.heal()
    cluster.run_until(lambda each: bool(snapshots(each)), QUIET_MS)
    for number in snapshots(cluster):
        cluster.delay(number, QUIET_MS)
    cluster.run(2 * QUIET_MS)
    return unless_led(cluster, led, "a snapshot took long, and who leads, in all quiet")


def snapshots(cluster: Cluster) -> list[int]:
    """The numbers of the snapshots that are on their way."""
    flights = cluster.in_flight()
    return [each.number for each in flights if isinstance(each.message, InstallSnapshot)]


def learner_is_asked(run: RandomRun) -> str | None:
    """The leader is told to hand over to a learner; it must go on taking commands."""
    cluster, newcomer = run.cluster, f"S{len(run.cluster.nodes) + 1}"
    cluster.add_learner(newcomer)
    cluster.run(QUIET_MS)
    with suppress(NotNow):
        cluster.transfer(newcomer)
    cluster.run(PAUSE_MS)
    try:
        cluster.propose("after=1")
    except NotNow as refused:
        return f"{refused} in all quiet"
    return None


def silent_one_is_promoted(run: RandomRun) -> str | None:
    """A learner that has been silent is to become a voter; the leader must go on serving."""
    cluster, newcomer = run.cluster, f"S{len(run.cluster.nodes) + 1}"
    cluster.add_learner(newcomer)
    cluster.run(QUIET_MS)
    cluster.isolate(newcomer)
    cluster.run(QUIET_MS)
    with suppress(NotNow):
        cluster.promote(newcomer)
    return None if serves(run) else "no new command after a promotion, in all quiet"


def leaver_must_lead(run: RandomRun) -> str | None:
    """A leader that was to be removed, and alone knows of it, starts again."""
    cluster, leader = run.cluster, leader_of(run)
    cluster.isolate(leader)
    cluster.remove(leader)
    cluster.run(10)
    cluster.crash(leader)
    cluster.restart(leader)
    cluster.heal()
    return None if serves(run) else "no leader while one is to be removed, in all quiet"


def voter_restarts(run: RandomRun) -> str | None:
    """One follower has not heard its leader for long, the other one starts anew; then a read.

    It is for clusters with leases, on a fast network: the leader's lease still holds.
    """
    cluster, leader, waiting = run.cluster, leader_of(run), follower_of(run)
    other = next(each for each in cluster.configuration.voters if each not in (leader, waiting))
    cluster.cut(leader, waiting)
    cluster.run(QUIET_MS)
    cluster.run_until(lambda each: bool(each.in_flight()), QUIET_MS)
    cluster.run(HEARD_MS)
    cluster.crash(other)
    cluster.restart(other)
    cluster.isolate(leader)
    cluster.timeout(waiting)
    cluster.run(5 * HEARD_MS)
    if cluster.leader == waiting:
        cluster.propose("after=1")
        cluster.run(5 * HEARD_MS)
    cluster.read("last", leader)
    return None


def one_behind_keeps_asking(run: RandomRun) -> str | None:
    """The leader dies, and a follower that cannot win asks and asks; another one must lead."""
    cluster, leader, behind = run.cluster, leader_of(run), follower_of(run)
    cluster.isolate(behind)
    cluster.propose("after=1")
    cluster.run(PAUSE_MS)
    cluster.crash(leader)
    cluster.heal()
    for _ in range(15):
        cluster.timeout(behind)
        if cluster.run_until(lambda each: each.leader not in (None, leader), PAUSE_MS):
            return None
    return "no leader while somebody behind keeps asking, in all quiet"


def unless_led(cluster: Cluster, led: tuple[NodeId, Term] | None, said: str) -> str | None:
    """What is said of a cluster that is not led any more as it was: another leader, or term."""
    return None if leader_and_term(cluster) == led else said


def follower_of(run: RandomRun) -> NodeId:
    """A voter that does not lead."""
    leader, voters = leader_of(run), run.cluster.configuration.voters
    return next(node for node in voters if node != leader)


def leader_of(run: RandomRun) -> NodeId:
    """The leader of a cluster that has settled."""
    leader = run.cluster.leader
    assert leader is not None, "the cluster has settled"
    return leader


def serves(run: RandomRun) -> bool:
    """Whether a new command is committed soon."""
    cluster, end = run.cluster, run.cluster.now + PATIENCE_MS
    while cluster.now < end:
        with suppress(NotNow):
            index = cluster.propose("after=1")
            cluster.run(PAUSE_MS)
            if cluster.commit_index >= index:
                return True
        cluster.run(10)
    return False

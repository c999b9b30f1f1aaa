"""Verbs that know their moment: they begin something, and go on when the time has come.

A message is held up until its receiver has gone on to another term; a leader is deposed, and
leads again. What they do is what any network and any operator may do, so no property may break.
"""

from collections.abc import Callable
from contextlib import suppress
from functools import wraps

from raftlab.check.campaign.faults import (
    Verb,
    Verbs,
    add_learner,
    ask,
    promote,
    propose,
    reconfigure,
    remove,
    stand_for_election_if_possible,
)
from raftlab.check.campaign.run_state import Awaited, Plan, RandomRun, Steps, run_for
from raftlab.check.members import changed_at
from raftlab.raft.messages import AppendEntries, InstallSnapshot, Message
from raftlab.raft.roles import Role
from raftlab.raft.vocabulary import Millis, NodeId, NotNow
from raftlab.sim.world.handlers import ANSWERS
from raftlab.sim.world.network import Flight

MOST_PLANS = 2
SLICE_MS: Millis = 5.0
ELECTION_MS: Millis = 400.0
HELD_MS: Millis = 100_000.0  # longer than any fault: the healing lets it arrive


def planned(steps: Callable[[RandomRun], Steps]) -> Verb:
    """A verb that begins these steps, unless enough has begun already."""

    @wraps(steps)
    def verb(run: RandomRun) -> None:
        plan = Plan(run, steps.__name__, steps(run))
        if len(run.plans) < MOST_PLANS and plan.goes_on():
            run.plans.append(plan)

    return verb


def of_a_leader(voters: int = 2) -> Callable[[Callable[[RandomRun, NodeId], Steps]], Verb]:
    """A verb that begins steps with the leader, as soon as there is one of so many voters."""

    def verb_of(steps: Callable[[RandomRun, NodeId], Steps]) -> Verb:
        @wraps(steps)
        def with_leader(run: RandomRun) -> Steps:
            yield lambda: run.cluster.leader is not None, ELECTION_MS
            leader = run.cluster.leader
            if leader is not None and len(run.cluster.configuration.voters) >= voters:
                yield from steps(run, leader)

        return planned(with_leader)

    return verb_of


def pass_time(run: RandomRun, ms: Millis) -> None:
    """Let time pass, and plans go on when their moment comes.

    Raises: MessageStorm; Violation, when a property is broken; and whatever a machine raises.
    """
    cluster = run.cluster
    end = cluster.now + ms
    while run.plans and cluster.now < end:
        run_for(cluster, min(SLICE_MS, end - cluster.now))
        run.plans = [each for each in run.plans if not each.is_due() or each.goes_on()]
    run_for(cluster, max(end - cluster.now, 0.0))


# What plans are made of


def hold(run: RandomRun, *held: Flight) -> list[int]:
    """Hold messages up for good; returns their numbers."""
    numbers = [each.number for each in held if not each.lost]
    for number in numbers:
        run.cluster.delay(number, HELD_MS)
    return numbers


def release(run: RandomRun, numbers: list[int]) -> None:
    """Let messages that were held up arrive now, where somebody is there to take them."""
    for flight in run.cluster.in_flight():
        if flight.number in numbers and run.cluster.hosts[flight.message.receiver].alive:
            run.cluster.deliver(flight.number)


def in_flight_to(run: RandomRun, to: NodeId, *kinds: type[Message]) -> list[Flight]:
    """The messages of some kinds that are on their way to a node, and have not been held up."""
    soon = run.cluster.now + HELD_MS / 2
    return [
        each
        for each in run.cluster.in_flight()
        if each.message.receiver == to
        and isinstance(each.message, kinds)
        and not each.lost
        and each.arrives_at < soon
    ]


def is_newest_leader(run: RandomRun, node: NodeId) -> bool:
    """Whether a node is up and leads the highest term that anybody leads."""
    return run.cluster.leader == node


def other_voters(run: RandomRun, *but: NodeId) -> list[NodeId]:
    """The voters except some, in random order. Raises: NotNow, if nobody is left."""
    rest = [node for node in run.cluster.configuration.voters if node not in but]
    if not rest:
        raise NotNow("nobody else votes any more")
    return run.rng.sample(rest, len(rest))


def clients_write(run: RandomRun, most: int) -> None:
    """Clients hand commands to whoever leads, if it takes them."""
    for _ in range(run.rng.randint(1, most)):
        with suppress(NotNow):
            propose(run)


def wait_for_time() -> bool:
    """For a plan that waits for time alone."""
    return False


def deposed(run: RandomRun, leader: NodeId, successor: NodeId) -> Awaited:
    """Somebody else stands for election; with leases, no one is made to before the time."""
    stand_for_election_if_possible(run, successor)
    return (lambda: run.cluster.leader not in (None, leader), ELECTION_MS)


# Plans


@planned
def hold_until_later(run: RandomRun) -> Steps:
    """A message waits until its receiver has another term, other members, or leads."""
    flights = [each for each in run.cluster.in_flight() if not each.lost]
    kinds = list(dict.fromkeys(type(each.message) for each in flights))
    if not kinds:
        return
    kind = run.rng.choice(kinds)
    message = run.rng.choice([each for each in flights if type(each.message) is kind])
    host = run.cluster.hosts[message.message.receiver]
    term, members = host.machine.term, changed_at(host)
    moments = {
        "term": lambda: host.machine.term > term,
        "members": lambda: changed_at(host) != members,
        "leads": lambda: host.machine.term > term and host.machine.role is Role.LEADER,
    }
    held = hold(run, message)
    yield moments[run.rng.choice(list(moments))], 4 * ELECTION_MS
    yield wait_for_time, run.rng.choice([0.0, run.rng.uniform(0, 50)])
    release(run, held)


@of_a_leader()
def lead_again(run: RandomRun, leader: NodeId) -> Steps:
    """A leader is asked for a read, deposed, and leads again; then the old answers arrive.

    Before that, somebody else may lead once more, whom it does not hear.
    """
    cluster = run.cluster
    with suppress(NotNow):
        ask(run, f"k{run.proposed}", leader)
    clients_write(run, 2)
    yield lambda: bool(in_flight_to(run, leader, *ANSWERS)), 100.0
    held = hold(run, *in_flight_to(run, leader, *ANSWERS))
    successor, *_ = other_voters(run, leader)
    yield deposed(run, leader, successor)
    yield wait_for_time, run.rng.uniform(0, 100)
    stand_for_election_if_possible(run, leader)
    yield lambda: is_newest_leader(run, leader), ELECTION_MS
    if run.rng.random() < 0.6:
        yield lambda: knows_what_is_committed(run, leader), 100.0
        cluster.isolate(leader)
        yield deposed(run, leader, successor)
        clients_write(run, 2)
        yield wait_for_time, run.rng.uniform(30, 120)
        with suppress(NotNow):
            ask(run, f"k{run.proposed}", leader)
    release(run, held)
    yield wait_for_time, 100.0
    cluster.heal()


def knows_what_is_committed(run: RandomRun, leader: NodeId) -> bool:
    """Whether a leader has committed an entry of its own term, so that it may answer reads."""
    machine = run.cluster.hosts[leader].machine
    return machine.log.term_for_index(machine.commit_index) == machine.term


@of_a_leader(voters=3)
def overwrite_and_lead_again(run: RandomRun, leader: NodeId) -> Steps:
    """A leader and a follower are alone with new entries; the follower's answers wait.

    A second leader overwrites what that follower holds, the first one leads again, and then
    the answers arrive.
    """
    cluster = run.cluster
    follower, successor, *_ = other_voters(run, leader)
    cluster.partition([leader, follower])
    clients_write(run, 3)
    yield lambda: bool(in_flight_to(run, leader, *ANSWERS)), 100.0
    yield wait_for_time, run.rng.uniform(0, 20)
    held = hold(run, *in_flight_to(run, leader, *ANSWERS))
    yield deposed(run, leader, successor)
    cluster.partition([follower, successor])
    host, other = cluster.hosts[follower], cluster.hosts[successor]
    yield lambda: host.machine.log.last_term == other.machine.term, 150.0
    stand_for_election_if_possible(run, leader)
    yield lambda: is_newest_leader(run, leader), ELECTION_MS
    release(run, held)
    yield wait_for_time, 50.0
    cluster.heal()


@of_a_leader()
def cut_off_leader(run: RandomRun, leader: NodeId) -> Steps:
    """A leader is cut off with new entries; the others go on without it and compact their logs.

    Before it hears of them, a client asks it for a read.
    """
    cluster = run.cluster
    successor, *_ = other_voters(run, leader)
    cluster.isolate(leader)
    if run.changes_members and run.rng.random() < 0.6:
        with suppress(NotNow):
            run.rng.choice([add_learner, promote, remove, reconfigure])(run)
    clients_write(run, 4)
    yield wait_for_time, run.rng.uniform(0, 40)
    yield deposed(run, leader, successor)
    clients_write(run, 4)
    yield wait_for_time, run.rng.uniform(50, 200)
    with suppress(NotNow):  # it may have stepped down
        ask(run, f"k{run.proposed}", leader)
    if run.rng.random() < 0.6:
        compact_all(run, leader)
    cluster.heal()


def compact_all(run: RandomRun, *but: NodeId) -> None:
    """Every node compacts all that it has applied."""
    for host in run.living:
        if host.node not in but and not run.lacks(host.node, "compact"):
            with suppress(NotNow):  # it may have done so already
                run.cluster.compact(host.node)


@of_a_leader()
def fall_behind(run: RandomRun, leader: NodeId) -> Steps:
    """A follower misses what the others compact; the snapshot for it comes at a bad moment."""
    cluster = run.cluster
    members = [node for node in cluster.configuration.members if node != leader]
    behind = run.rng.choice(members)
    cluster.isolate(behind)
    clients_write(run, 3)
    yield wait_for_time, run.rng.uniform(50, 150)
    compact_all(run, behind)
    cluster.heal()
    yield lambda: bool(in_flight_to(run, behind, InstallSnapshot)), 2 * ELECTION_MS
    held = hold(run, *in_flight_to(run, behind, InstallSnapshot))
    host = cluster.hosts[behind]
    term = host.machine.term
    news = [propose, promote, remove, reconfigure] if run.changes_members else [propose]
    with suppress(NotNow):
        run.rng.choice(news)(run)
    stand_for_election_if_possible(
        run, run.rng.choice([leader, behind, *other_voters(run, leader)])
    )
    yield lambda: host.machine.term > term, run.rng.uniform(50, ELECTION_MS)
    release(run, held)


@of_a_leader()
def starve(run: RandomRun, leader: NodeId) -> Steps:
    """A new leader is known, its entries are held up, and a follower is asked for a read."""
    cluster = run.cluster
    cluster.isolate(leader)
    clients_write(run, 2)
    successor, *rest = other_voters(run, leader)
    yield deposed(run, leader, successor)
    cluster.heal()
    clients_write(run, 2)
    hungry = run.rng.choice([leader, *rest])
    host, held, asked = cluster.hosts[hungry], list[int](), False
    for _ in range(40):
        entries = [
            each
            for each in in_flight_to(run, hungry, AppendEntries)
            if isinstance(each.message, AppendEntries) and each.message.entries
        ]
        held += hold(run, *entries)
        if not asked and getattr(host.machine, "leader", None) == successor:
            asked = True
            if run.lacks(hungry, "read"):
                return
            ask(run, f"k{run.proposed}", hungry)
        yield wait_for_time, SLICE_MS
    release(run, held)


@of_a_leader()
def half_deaf(run: RandomRun, leader: NodeId) -> Steps:
    """A new leader is heard and hears nothing, or the other way round; reads are asked."""
    cluster = run.cluster
    successor, *rest = other_voters(run, leader)
    yield deposed(run, leader, successor)
    new = cluster.leader or successor
    follower = next(each for each in (successor, leader, *rest) if each != new)
    sender, receiver = run.rng.sample([new, follower], 2)
    cluster.cut(sender, receiver, both_ways=False)
    for node in run.rng.sample([new, follower], 2):
        with suppress(NotNow):  # it may know no leader
            ask(run, f"k{run.proposed}", node)
    clients_write(run, 2)
    yield wait_for_time, run.rng.uniform(50, ELECTION_MS)
    cluster.heal()


PLANS: Verbs = [
    (hold_until_later, 6),
    (lead_again, 4),
    (overwrite_and_lead_again, 3),
    (cut_off_leader, 5),
    (fall_behind, 5),
    (starve, 4),
    (half_deaf, 4),
]
"""The verbs that know their moment, and how often each is chosen."""

"""A naive search over whole clusters, to compare the real one with: no tricks, and slow.

Every state is a copy of a cluster in which one more event has happened. Every message is
delivered, even where that changes nothing; nothing is kept once and looked up; names are
names. States are told apart by all that the nodes hold, what is on its way, and all that the
watch has seen, their times as far as `with_ages` says. What falls is what the watch says.
"""

from collections.abc import Callable, Hashable, Iterator
from typing import Any, NamedTuple

from raftlab import Cluster, Role
from raftlab.check.explore import Scope
from raftlab.raft.vocabulary import REFUSALS
from raftlab.sim.commands.base import with_engine
from raftlab.sim.run.play import copied
from raftlab.sim.world.action import Action
from raftlab.sim.world.actions import (
    Crash,
    Deliver,
    Duplicate,
    Propose,
    Restart,
    Tick,
    Timeout,
    Written,
)

Projection = tuple[tuple[Any, ...], ...]
Used = tuple[int, int, int]
"""How many heartbeats, restarts and duplicates there were."""


class Seen(NamedTuple):
    """What a search has seen: all projections, how many states, and when what fell first."""

    projections: set[Projection]
    states: int
    length: int | None = None
    fell: frozenset[str] = frozenset()


def projection(cluster: Cluster) -> Projection:
    """What a reader sees of each node: role, term, vote, log and commit index."""
    return tuple(
        (m.role, m.term, m.voted_for, tuple(each.term for each in m.log), m.commit_index)
        for m in (cluster.machine(node) for node in cluster.nodes)
    )


def exact(cluster: Cluster) -> Hashable:
    """All that nodes hold, all that is on its way, and all that the watch has seen, but no time."""
    said = sorted(repr(each.message) for each in cluster.in_flight())
    disks = [host.disk for host in cluster.hosts.values()]
    history = cluster.history
    seen = [history.leaders, history.created, history.votes, history.claims, history.committed]
    return (
        tuple(cluster.machine(node).fingerprint() for node in cluster.nodes),
        tuple((each.term, each.voted_for, tuple(each.log)) for each in disks),
        tuple(said),
        tuple(repr(sorted(each.items()) if isinstance(each, dict) else each) for each in seen),
    )


def with_ages(cluster: Cluster) -> Hashable:
    """The same, and how long ago everybody was heard (ms)."""
    machines = [cluster.machine(node) for node in cluster.nodes]
    heard = tuple(cluster.now - each._last_leader_contact for each in machines)
    asked = tuple(
        tuple(cluster.now - p.last_reply_at for p in each.role_data.tracker.progress.values())
        if each.role is Role.LEADER
        else ()
        for each in machines
    )
    return (exact(cluster), heard, asked)


def events(
    cluster: Cluster, scope: Scope, used: Used, steps_down: bool
) -> Iterator[tuple[tuple[Action, ...], Used]]:
    """Every event that the scope allows, as the actions that it is made of."""
    now, (heartbeats, restarts, duplicates) = cluster.now, used
    for flight in cluster.in_flight():
        deliver = Deliver(now, *flight.key)
        yield (deliver,), used
        if duplicates < scope.duplicates:
            again = Duplicate(now, *flight.key, now)
            yield (again, deliver), (heartbeats, restarts, duplicates + 1)
    for node in cluster.nodes:
        machine = cluster.machine(node)
        if machine.role is Role.LEADER:
            if machine.log.last_index < scope.entries:
                at = f"x={machine.term}.{machine.log.last_index + 1}"
                yield (Propose(now, node, at.encode()),), used
            if heartbeats < scope.heartbeats:
                tick = Tick(now + cluster.setup.options.heartbeat_interval, node)
                yield (tick,), (heartbeats + 1, restarts, duplicates)
            if steps_down:
                yield (Tick(now + 301.0, node),), used
        elif machine.term < scope.terms:
            yield (Timeout(now + 301.0, node),), used
        if restarts < scope.restarts:
            both = (Crash(now, node), Restart(now, node))
            yield both, (heartbeats, restarts + 1, duplicates)


def reachable(
    start: Cluster,
    scope: Scope,
    key: Callable[[Cluster], Hashable] = exact,
    steps_down: bool = False,
) -> Seen:
    """All that can be seen, and after how many events a property falls first, if one does."""
    level: list[tuple[Cluster, Used]] = [(with_engine(start, copied(start.engine)), (0, 0, 0))]
    known: set[int] = {hash((key(start), (0, 0, 0)))}
    seen, fell, length = {projection(start)}, set(), 0
    while level and not fell and (scope.depth is None or length < scope.depth):
        length, following = length + 1, []
        for cluster, used in level:
            for after, now_used in steps(cluster, scope, used, steps_down):
                if after.violation is not None:
                    fell.add(after.violation.name)
                    continue
                name = hash((key(after), now_used))
                if name not in known:
                    known.add(name)
                    seen.add(projection(after))
                    following.append((after, now_used))
        level = following
    return Seen(seen, len(known), length if fell else None, frozenset(fell))


def steps(
    cluster: Cluster, scope: Scope, used: Used, steps_down: bool
) -> Iterator[tuple[Cluster, Used]]:
    """What one event leads to, if it stays within the scope."""
    for actions, now_used in events(cluster, scope, used, steps_down):
        after = with_engine(cluster, copied(cluster.engine))
        try:
            for action in actions:
                if after.stopped is None:
                    after.engine.apply_quietly(action)
                    finish_writes(after)
        except REFUSALS:
            continue
        if is_inside(after, scope):
            yield after, now_used


def is_inside(cluster: Cluster, scope: Scope) -> bool:
    """Whether not more is on its way, and no term is higher, than the scope says."""
    few = scope.in_flight is None or len(cluster.in_flight()) <= scope.in_flight
    return few and all(cluster.machine(node).term <= scope.terms for node in cluster.nodes)


def finish_writes(cluster: Cluster) -> None:
    """In a search writes end at once."""
    for node, host in cluster.hosts.items():
        while host.alive and host.disk.writes and cluster.stopped is None:
            cluster.engine.apply_quietly(Written(cluster.now, node))

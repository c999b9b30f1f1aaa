"""A naive search over whole clusters, to compare the real one with: no tricks, and slow.

Every state is a copy of a cluster in which one more action has happened. Every message is
delivered, even where that changes nothing, and states are told apart by all that the machines
hold, their times included as far as `ages` says.
"""

from collections.abc import Callable, Hashable, Iterator
from typing import Any

import msgspec

from raftlab import Cluster, Misuse, Role
from raftlab.sim.actions import Action, Crash, Deliver, Propose, Restart, Tick, Timeout
from raftlab.sim.moments import copied

Projection = tuple[tuple[Any, ...], ...]


def projection(cluster: Cluster) -> Projection:
    """What a reader sees of each node: role, term, vote, log and commit index."""
    return tuple(
        (m.role, m.term, m.voted_for, tuple(each.term for each in m.log), m.commit_index)
        for m in (cluster.machine(node) for node in cluster.nodes)
    )


def exact(cluster: Cluster) -> Hashable:
    """All that a node holds and all that is on its way, but for times and numbers."""
    said = sorted(repr(each.message) for each in cluster.in_flight())
    return (tuple(cluster.machine(node).fingerprint() for node in cluster.nodes), tuple(said))


def with_ages(cluster: Cluster) -> Hashable:
    """The same, and how long ago everybody was heard (ms)."""
    machines = [cluster.machine(node) for node in cluster.nodes]
    heard = tuple(cluster.now - each.last_leader_contact for each in machines)
    asked = tuple(
        tuple(cluster.now - p.last_reply_at for p in each.tracker.progress.values())
        if each.role is Role.LEADER
        else ()
        for each in machines
    )
    return (exact(cluster), heard, asked)


def choices(cluster: Cluster, terms: int, entries: int, steps_down: bool) -> Iterator[Action]:
    """Every action that a scope of so many terms and entries allows."""
    for flight in cluster.in_flight():
        yield Deliver(cluster.now, *flight.key)
    for node in cluster.nodes:
        machine = cluster.machine(node)
        if machine.role is Role.LEADER:
            if machine.log.last_index < entries:
                at = f"x={machine.term}.{machine.log.last_index + 1}"
                yield Propose(cluster.now, node, at.encode())
            if steps_down:
                yield Tick(cluster.now + 301.0, node)
        elif machine.term < terms:
            yield Timeout(cluster.now + 301.0, node)


def reachable(
    start: Cluster,
    terms: int,
    entries: int,
    depth: int | None = None,
    key: Callable[[Cluster], Hashable] = exact,
    restarts: int = 0,
    steps_down: bool = False,
) -> tuple[set[Projection], int | None]:
    """All that can be seen, and after how many actions a property falls first, if one does."""
    level = [(copied(start), 0)]
    known: set[Hashable] = {(key(start), 0)}
    seen, length = {projection(start)}, 0
    while level and (depth is None or length < depth):
        length, following = length + 1, []
        for cluster, used in level:
            for after, now_used in steps(cluster, used, terms, entries, restarts, steps_down):
                if after.violation is not None:
                    return seen, length
                name = (key(after), now_used)
                if name not in known:
                    known.add(name)
                    seen.add(projection(after))
                    following.append((after, now_used))
        level = following
    return seen, None


def steps(
    cluster: Cluster, used: int, terms: int, entries: int, restarts: int, steps_down: bool
) -> Iterator[tuple[Cluster, int]]:
    """What one event leads to; a crash with its restart is one."""
    for action in choices(cluster, terms, entries, steps_down):
        after = copied(cluster)
        try:
            after.apply_quietly(action)
        except Misuse:
            continue
        yield after, used
    for node in cluster.nodes if used < restarts else ():
        after = copied(cluster)
        after.apply_quietly(Crash(after.now, node))
        after.apply_quietly(Restart(after.now, node))
        yield after, used + 1


def without_times(action: Action) -> Action:
    """An action, whenever it happens."""
    return msgspec.structs.replace(action, at=0.0)

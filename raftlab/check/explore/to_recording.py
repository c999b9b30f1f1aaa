"""From the events of a search back to a run of the cluster that it began with."""

import copy
from collections.abc import Iterator
from typing import Any

import msgspec

from raftlab.check.explore.judge import local_of
from raftlab.check.explore.states import (
    AGAIN,
    HEARTBEAT,
    PROPOSE,
    RESTART,
    TIMEOUT,
    States,
    command_of,
    must_tick,
)
from raftlab.raft.messages import Message
from raftlab.raft.vocabulary import Misuse, NodeId
from raftlab.sim.cluster import Cluster
from raftlab.sim.world.action import Action
from raftlab.sim.world.actions import (
    Crash,
    Deliver,
    Duplicate,
    Heal,
    Propose,
    Restart,
    Tick,
    Timeout,
    Written,
)
from raftlab.sim.world.network import Flight


def cluster_after(cluster: Cluster, world: States, events: Iterator[object]) -> Cluster:
    """A copy of `cluster` to which the events of a search have happened.

    It stops where a property falls, or a machine fails.
    """
    run = copy.copy(cluster)
    if run.engine.world.network.cuts:
        run.engine.apply_quietly(Heal(run.now))
    for event in events:
        assert isinstance(event, tuple)
        place, what = event
        for action in actions_for(run, world, world.names[place], what):
            run.engine.apply_quietly(action)
            finish_writes(run)
            if run.stopped is not None:
                return run
    return run


def finish_writes(run: Cluster) -> None:
    """In a search writes end at once."""
    for node, host in run.hosts.items():
        while host.alive and host.disk.writes and run.stopped is None:
            run.engine.apply_quietly(Written(run.now, node))


def actions_for(run: Cluster, world: States, node: NodeId, what: Any) -> Iterator[Action]:
    """What one event of a search is in a run."""
    if what == TIMEOUT:
        now, ticks = run.now + world.patience, must_tick(run.hosts[node])
        yield Tick(now, node) if ticks else Timeout(now, node)
    elif what == HEARTBEAT:
        yield Tick(run.now + world.beat, node)
    elif what == RESTART:
        if run.hosts[node].alive:
            yield Crash(run.now, node)
        yield Restart(run.now, node)
    elif what == PROPOSE:
        yield Propose(run.now, node, command_of(local_of(run.hosts[node], run.now)))
    elif type(what) is int:
        yield Deliver(run.now, *flight_of(run, world.messages[what]).key)
    elif what[0] == AGAIN:
        flight = flight_of(run, world.messages[what[1]])
        yield Duplicate(run.now, *flight.key, max(flight.arrives_at, run.now))
        yield Deliver(run.now, *flight.key)
    else:
        yield msgspec.structs.replace(what[0], at=run.now)


def flight_of(run: Cluster, message: Message) -> Flight:
    """A message in flight that says this. Raises: Misuse, if there is none."""
    wanted = without_times(message)
    for flight in run.in_flight():
        if without_times(flight.message) == wanted:
            return flight
    raise Misuse(f"the run does not go as the search saw it: nobody has sent {message}")


def without_times(message: Message) -> Message:
    """A message, and not when it was asked: in a search nodes have times of their own."""
    if hasattr(message, "asked_at"):
        return msgspec.structs.replace(message, asked_at=0.0)
    return message


def event_text(world: States, event: Any) -> str:
    """An event in a few words: "S1 times out", "S2 gets RequestVote from S1"."""
    place, what = event
    node = world.names[place]
    if isinstance(what, int):
        if what in OWN_EVENTS:
            return f"{node} {OWN_EVENTS[what]}"
        message = world.messages[what]
        return f"{node} gets {type(message).__name__} from {message.sender}"
    if what[0] == AGAIN:
        message = world.messages[what[1]]
        return f"{node} gets {type(message).__name__} from {message.sender}, and will once more"
    return f"{node}: {type(what[0]).__name__}"


OWN_EVENTS = {
    TIMEOUT: "times out",
    HEARTBEAT: "sends its heartbeat",
    RESTART: "crashes and restarts",
    PROPOSE: "takes a command",
}

"""Playing a part of a run: what each action meant, and not only which words it used.

When actions are left out, messages are renumbered, deadlines move and commit indexes fall
behind. Here a message is found again by what it says, a tick waits for its deadline, and what
could not have been asked for at that moment is left out, as the verbs would have refused it; and
so is what names a server of which nothing is left.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, TypeAlias

import msgspec
from msgspec.structs import replace

from raftlab.check.members import erasable
from raftlab.raft.log import Payload
from raftlab.raft.messages import Message
from raftlab.raft.vocabulary import Millis, Misuse, NodeId
from raftlab.sim.cluster import Cluster
from raftlab.sim.run.play import play
from raftlab.sim.run.recording import Recording
from raftlab.sim.world.action import Action, ToMessage
from raftlab.sim.world.actions import Compact, Deliver, Drop, Partition, Tick, Wipe
from raftlab.sim.world.host import NEVER, Host
from raftlab.sim.world.network import Flight

LinkName: TypeAlias = tuple[NodeId, NodeId]
NOT_DETERMINISTIC = "these rules do not do the same twice"
RECENT = 16
"""Among so many of the last messages on a link one is looked for that says nearly the same."""


class NonDeterminism(Misuse):
    """A run goes another way when it is played again: its rules, or its machine, use chance.

    Or a count that outlives the run, the clock, the order of a set.
    """


class Step(msgspec.Struct, frozen=True, gc=False):
    """An action, and the message that it was about, if it was about one."""

    action: Action
    message: Message | None = None


class Played(msgspec.Struct):
    """What came of it: the cluster, the steps that happened, and what fell at the end.

    `fallen` is the name of the broken property, or "raised NAME" if a machine did, or None.
    """

    cluster: Cluster
    steps: tuple[Step, ...]
    fallen: str | None

    @property
    def actions(self) -> tuple[Action, ...]:
        """The actions that happened, as they can be played again."""
        return tuple(step.action for step in self.steps)


def as_steps(recording: Recording) -> tuple[Step, ...]:
    """A run's own actions, each with its message. Nothing is left out."""
    return _Player(recording, exact=True).play(Step(each) for each in recording.actions).steps


def play_steps(recording: Recording, steps: Iterable[Step], wipes: bool = True) -> Played:
    """Play those of `steps` that can happen, from where `recording` began, until something falls.

    Time never goes back: what is due earlier happens at once. Unless `wipes`, only a server
    that the cluster has let go may lose its disk, as in a random run.
    """
    return _Player(recording, wipes=wipes).play(steps)


def wipes_are_lawful(recording: Recording) -> bool:
    """Whether every disk that a run loses is that of a server which no member counts on."""
    cluster = recording.start()

    def lawful() -> Iterator[Action]:
        for action in recording.actions:
            if isinstance(action, Wipe) and action.node not in erasable(cluster):
                return
            yield action

    played = sum(1 for _ in play(cluster.engine, lawful()))
    return played == len(recording.actions)


class _Player:
    """One playing: the cluster so far, and the messages in flight by their links."""

    def __init__(self, recording: Recording, exact: bool = False, wipes: bool = True) -> None:
        self.cluster = recording.start()
        self.exact = exact
        self.wipes = wipes
        self.links: dict[LinkName, list[Flight]] = {}
        self.known = 0

    def play(self, steps: Iterable[Step]) -> Played:
        tried: list[Step] = []
        done: list[Step] = []

        def coming() -> Iterator[Action]:
            for step in steps:
                self._note_new()
                if (resolved := self._resolve(step)) is not None:
                    tried.append(resolved)
                    yield resolved.action

        try:
            for _ in play(self.cluster.engine, coming(), on_refusal="skip", quietly=False):
                done.append(tried[-1])
        except Exception as error:
            if self.cluster.stopped is None:
                raise
            return Played(self.cluster, (*done, tried[-1]), what_fell(self.cluster, error))
        return Played(self.cluster, tuple(done), None)

    def _note_new(self) -> None:
        """Messages that have been sent since the last step."""
        if self.cluster.engine.world.network.sent == self.known:
            return
        new = []
        for flight in reversed(self.cluster.in_flight()):
            if flight.number <= self.known:
                break
            new.append(flight)
        for flight in reversed(new):
            self.links.setdefault(flight.key[:2], []).append(flight)
        self.known = self.cluster.engine.world.network.sent

    def _resolve(self, step: Step) -> Step | None:
        """The step as it can be taken now, or None."""
        action, now = step.action, self.cluster.now
        if isinstance(action, ToMessage):
            return self._about_a_message(action, step.message)
        if self.exact:
            return step
        resolve = RESOLVE.get(type(action))
        if resolve is not None and not (isinstance(action, Wipe) and self.wipes):
            found: Action | None = resolve(self.cluster, action)
            if found is None:
                return None
            action = found
        if action.at < now:
            action = replace(action, at=now)
        return step if action is step.action else Step(action)

    def _about_a_message(self, action: ToMessage, message: Message | None) -> Step | None:
        flights = self.links.get((action.sender, action.receiver), [])
        flight = _meant(flights, action.nth, message)
        if flight is None:
            return None
        if isinstance(action, Deliver | Drop):
            flights.remove(flight)
            host = self.cluster.hosts[action.receiver]
            if isinstance(action, Deliver) and not (host.alive or self.exact):
                return None
        at = max(action.at, self.cluster.now)
        if (at, flight.key[2]) != (action.at, action.nth):
            action = replace(action, at=at, nth=flight.key[2])
        return Step(action, flight.message)


def _meant(flights: list[Flight], nth: int, message: Message | None) -> Flight | None:
    """The message in flight that says the same, or most of it; without one, the `nth`."""
    if message is None:
        return next((each for each in flights if each.key[2] == nth), None)
    same = [each for each in flights if each.message == message]
    if same:
        return next((each for each in same if each.key[2] == nth), same[0])
    alike = [each for each in flights if type(each.message) is type(message)][-RECENT:]
    return max(alike, key=lambda each: _likeness(each.message, message), default=None)


def _likeness(one: Message, other: Message) -> tuple[bool, int, int]:
    """How much two messages of one kind say the same: commands, then fields, then numbers."""
    same, distance = 0, 0
    for mine, theirs in zip(_words(one), _words(other), strict=True):
        same += mine == theirs
        if isinstance(mine, int) and isinstance(theirs, int):
            distance += abs(mine - theirs)
    return payloads(one) == payloads(other), same, -distance


def _words(message: Message) -> tuple[Any, ...]:
    """The fields of a message; of an acknowledgement, the index that it reaches."""
    reached = getattr(getattr(message, "result", None), "last_new_index", None)
    return (*msgspec.structs.astuple(message), reached)


def payloads(message: Message | None) -> tuple[Payload, ...]:
    """What the entries of a message hold, wherever in the log they stand."""
    return tuple(entry.payload for entry in getattr(message, "entries", ()))


def what_fell(cluster: Cluster, error: Exception) -> str:
    """What stopped a run, in a name that two runs can share."""
    if cluster.violation is not None:
        return cluster.violation.name
    return f"raised {type(error).__name__}"


# What an action meant, where its own words may no longer do


def _host(cluster: Cluster, node: NodeId) -> Host | None:
    host = cluster.hosts.get(node)
    return host if host is not None and host.alive else None


def _tick(cluster: Cluster, action: Tick) -> Tick | None:
    host = _host(cluster, action.node)
    due = NEVER if host is None or host.paused else host.machine.next_deadline
    if host is None or due == NEVER:
        return None
    if host.clock is not None:
        due = host.clock.when(due)
    at: Millis = max(action.at, due, cluster.now)
    return action if at == action.at else replace(action, at=at)


def _compact(cluster: Cluster, action: Compact) -> Compact | None:
    host = _host(cluster, action.node)
    if host is None or host.paused or not host.applied_index:
        return None
    return replace(action, up_to=min(action.up_to, host.applied_index))


def _partition(cluster: Cluster, action: Partition) -> Partition | None:
    there = cluster.hosts
    groups = [tuple(node for node in group if node in there) for group in action.groups]
    return replace(action, groups=tuple(filter(None, groups)))


def _wipe(cluster: Cluster, action: Wipe) -> Wipe | None:
    return action if action.node in erasable(cluster) else None


RESOLVE: Mapping[type, Callable[[Cluster, Any], Action | None]] = {
    Tick: _tick,
    Compact: _compact,
    Partition: _partition,
    Wipe: _wipe,
}
"""All others mean what they say; what of them cannot happen, the cluster refuses."""

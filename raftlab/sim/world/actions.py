"""Everything that can happen in a run, as data. A run is a setup and a list of these.

Every action carries `at`, the virtual time in ms. A message is named by its link and its
number on that link (`sender`, `receiver`, `nth`, from 1), so that editing one part of a
run does not rename the messages of another.

An action is told here and nowhere else: its fields, its sentence, its mark in a trace, the verb
that makes it and how the verb was called. What it does is its handler, in `handlers.py`.
"""

from collections.abc import Iterator
from functools import reduce
from operator import or_
from typing import Any

import msgspec

from raftlab.raft.messages import Message
from raftlab.raft.thesis.membership import describe
from raftlab.raft.vocabulary import Configuration, Index, Millis, Misuse, NodeId, shortened, shown
from raftlab.sim.world.action import (
    KINDS,
    Action,
    Notes,
    Surroundings,
    ToMessage,
    ToNode,
    decisions,
    registered,
)
from raftlab.sim.world.call import Call, brief, exact_difference, names
from raftlab.sim.world.message_text import clip, command_text
from raftlab.sim.world.settings import Network, network_text

# Messages


@registered
class Deliver(ToMessage, frozen=True, tag="deliver"):
    """A message arrives."""

    phrase = "{self.receiver} receives {message} from {self.sender}"
    verb = "deliver"

    @property
    def nodes(self) -> tuple[NodeId, ...]:
        """The receiver."""
        return (self.receiver,)


@registered
class Drop(ToMessage, frozen=True, tag="drop"):
    """A message is lost."""

    phrase = "{message} from {self.sender} to {self.receiver} is lost"
    verb = "drop"


@registered
class Duplicate(ToMessage, frozen=True, tag="duplicate"):
    """A second copy of a message sets out; it arrives at `arrives_at` (ms)."""

    phrase = "{message} from {self.sender} to {self.receiver} is doubled"
    verb = "duplicate"

    arrives_at: Millis


@registered
class Delay(ToMessage, frozen=True, tag="delay"):
    """A message is held up: it now arrives at `arrives_at` (ms)."""

    phrase = (
        "{message} from {self.sender} to {self.receiver} is held up until {self.arrives_at:.1f} ms"
    )
    verb = "delay"

    arrives_at: Millis

    def calls(self, here: Surroundings) -> Iterator[Call]:
        """By the usual time, or by the time that leads to `arrives_at`."""
        for flight in self.flights(here):
            yield Call("delay", (flight.number,))
            ms = exact_difference(max(flight.arrives_at, here.now), self.arrives_at)
            if ms:
                yield Call("delay", (flight.number, ms))


# Nodes


@registered
class Tick(ToNode, frozen=True, tag="tick"):
    """A node's clock reaches a moment that it waited for."""

    phrase = "{self.node} looks at its clock"

    def sentence(self, message: Message | None, notes: Notes) -> str:
        """What the nodes decided; if nothing, that one looked."""
        return f"{decisions(notes)}." if notes else super().sentence(message, notes)


@registered
class Written(ToNode, frozen=True, tag="written"):
    """A node's oldest unfinished write is safe on its disk."""

    phrase = "{self.node}'s disk has written"


@registered
class Timeout(ToNode, frozen=True, tag="timeout"):
    """A node's election timer runs out now. `force`: as if its leader had sent it."""

    phrase = "{self.node}'s election timer is made to run out"
    mark = verb = "timeout"
    reaches_all = adds_entry = True

    force: bool = False

    def happening(self, message: Message | None = None) -> str:
        """With the force that was used."""
        return super().happening(message) + (" (by force)" if self.force else "")

    def calls(self, here: Surroundings) -> Iterator[Call]:
        """Without force: with it, `elect` was called, which does more."""
        if not self.force:
            yield Call("timeout", (self.node,))


@registered
class Propose(ToNode, frozen=True, tag="propose"):
    """A client hands a command to a node."""

    phrase = "a client hands {self.detail} to {self.node}"
    mark = verb = "propose"
    reaches_all = adds_entry = True

    data: bytes

    @property
    def detail(self) -> str:
        """The command as text."""
        return command_text(self.data)

    def calls(self, here: Surroundings) -> Iterator[Call]:
        """To the leader, or to this node."""
        try:
            command: str | bytes = self.data.decode()
        except UnicodeDecodeError:
            command = self.data
        yield Call("propose", (command,))
        yield Call("propose", (command,), (("to", self.node),))


@registered
class Crash(ToNode, frozen=True, tag="crash"):
    """A node stops and forgets all that is not on its disk."""

    phrase = "{self.node} crashes"
    mark = verb = "crash"

    def calls(self, here: Surroundings) -> Iterator[Call]:
        """Alone, or because the disk is lost next."""
        yield Call("wipe", (self.node,))
        yield Call("crash", (self.node,))


@registered
class Restart(ToNode, frozen=True, tag="restart"):
    """A crashed node starts again from its disk."""

    phrase = "{self.node} restarts from its disk"
    mark = verb = "restart"
    reads_log = True


@registered
class Pause(ToNode, frozen=True, tag="pause"):
    """A node stands still; what reaches it waits."""

    phrase = "{self.node} stands still"
    mark = verb = "pause"


@registered
class Resume(ToNode, frozen=True, tag="resume"):
    """A paused node goes on, and handles what has waited."""

    phrase = "{self.node} goes on"
    mark = verb = "resume"


# The network


@registered
class Partition(Action, frozen=True, tag="partition"):
    """The network falls apart: nothing passes from one group to another."""

    phrase = "the network falls apart: {self.detail}"
    mark = verb = "partition"
    reaches_all = True

    groups: tuple[tuple[NodeId, ...], ...]

    @property
    def detail(self) -> str:
        """The sides."""
        return " | ".join(map(" ".join, self.groups))

    def calls(self, here: Surroundings) -> Iterator[Call]:
        """One node is isolated, or all groups are named but the last, or all."""
        alone = [group[0] for group in self.groups if len(group) == 1]
        yield from (Call("isolate", (node,)) for node in alone)
        yield Call("partition", tuple(map(names, self.groups[:-1])))
        yield Call("partition", tuple(map(names, self.groups)))


@registered
class Cut(Action, frozen=True, tag="cut"):
    """One directed link carries nothing any more."""

    phrase = "the link from {self.sender} to {self.receiver} is cut"
    mark = "partition"
    verb = "cut"

    sender: NodeId
    receiver: NodeId

    @property
    def detail(self) -> str:
        """The link."""
        return f"{self.sender} → {self.receiver} cut"

    def calls(self, here: Surroundings) -> Iterator[Call]:
        """In both directions, or in one."""
        ends = (self.sender, self.receiver)
        yield Call("cut", ends)
        yield Call("cut", ends, (("both_ways", False),))


@registered
class Heal(Action, frozen=True, tag="heal"):
    """Every link carries messages again."""

    phrase = "the network is whole again"
    mark = verb = "heal"
    reaches_all = True


@registered
class Calm(Action, frozen=True, tag="calm"):
    """From now on the network loses, doubles and reorders nothing. Cut links stay cut."""

    phrase = "the network loses, doubles and reorders nothing from now on"
    verb = "calm"


@registered
class SetNetwork(Action, frozen=True, tag="network"):
    """From now on messages are carried as `network` says: all, or those of one directed link.

    If it is all, no link has settings of its own any more. What is on its way stays as it is.
    """

    mark = "network"
    verb = "set_network"
    reaches_all = True

    network: Network
    sender: NodeId | None = None
    receiver: NodeId | None = None

    @property
    def detail(self) -> str:
        """The link, if it is one, and its settings."""
        link = f"{self.sender} → {self.receiver}: " if self.sender else ""
        return f"{link}{network_text(self.network)}"

    def happening(self, message: Message | None = None) -> str:
        """With what is changed, and the settings from now on."""
        what = f"the link from {self.sender} to {self.receiver}" if self.sender else "the network"
        return f"{what} changes: {network_text(self.network)}"

    def calls(self, here: Surroundings) -> Iterator[Call]:
        """With the settings that differ from those of now: for all, both ways, or one way."""
        now = here.network_between(self.sender, self.receiver)
        wanted = {each: getattr(self.network, each) for each in self.network.__struct_fields__}
        news = [name for name, value in wanted.items() if value != getattr(now, name)] or ["loss"]
        named = tuple((name, brief(wanted[name])) for name in news)
        if self.sender is None:
            yield Call("set_network", (), named)
        else:
            ends = (self.sender, self.receiver)
            yield Call("set_network", ends, named)
            yield Call("set_network", ends, (*named, ("both_ways", False)))


# Members, leaders and logs


@registered
class Join(ToNode, frozen=True, tag="join"):
    """A new server starts, with an empty disk; it is no member of the cluster yet."""

    phrase = "a new server {self.node} starts"
    mark = "join"
    verb = "add_node"
    reaches_all = True


@registered
class Reconfigure(ToNode, frozen=True, tag="reconfigure"):
    """A node is asked to change who belongs to the cluster."""

    mark = "configuration"
    verb = "reconfigure"
    reaches_all = adds_entry = True

    voters: tuple[NodeId, ...]
    learners: tuple[NodeId, ...] = ()

    def happening(self, message: Message | None = None) -> str:
        """With the configuration that is wanted."""
        wanted = describe(Configuration(self.voters, (), self.learners))
        return f"an operator asks {self.node} for the configuration {wanted}"

    def calls(self, here: Surroundings) -> Iterator[Call]:
        """One member is added, promoted or removed, or all are named."""
        now, new = here.configuration, (*self.voters, *self.learners)
        yield from (Call("add_learner", (node,)) for node in new if node not in now.members)
        yield from (Call("promote", (node,)) for node in self.voters if node not in now.voters)
        yield from (Call("remove", (node,)) for node in now.members if node not in new)
        learners = (names(self.learners),) if self.learners else ()
        yield Call("reconfigure", (names(self.voters), *learners))


@registered
class TransferLeadership(ToNode, frozen=True, tag="transfer"):
    """A node is asked to hand its leadership over: to `to`, or to whoever can take it."""

    mark = verb = "transfer"

    to: NodeId | None = None

    def happening(self, message: Message | None = None) -> str:
        """With the one who is to lead."""
        return f"{self.node} is asked to hand its leadership over to {self.to or 'another node'}"

    def calls(self, here: Surroundings) -> Iterator[Call]:
        """To a node, or to whoever can take it."""
        yield Call("transfer", () if self.to is None else (self.to,))


@registered
class ForgetLeader(ToNode, frozen=True, tag="forget"):
    """A follower is told that its leader is gone."""

    phrase = "{self.node} is told that its leader is gone"
    mark = "forget"
    verb = "forget_leader"


@registered
class Compact(ToNode, frozen=True, tag="compact"):
    """A node lets a snapshot stand for its log up to an index."""

    phrase = "{self.node} compacts its log up to entry {self.up_to}"
    mark = verb = "compact"
    reads_log = True

    up_to: Index

    def calls(self, here: Surroundings) -> Iterator[Call]:
        """All that is applied, or up to an index."""
        yield Call("compact", (self.node,))
        yield Call("compact", (self.node, self.up_to))


@registered
class Read(ToNode, frozen=True, tag="read"):
    """A client asks a node for a value."""

    mark = verb = "read"
    reaches_all = True

    key: str

    def happening(self, message: Message | None = None) -> str:
        """With the key, if it is short."""
        return f"a client asks {self.node} for {clip(self.key)}"

    def calls(self, here: Surroundings) -> Iterator[Call]:
        """The leader is asked, or this node."""
        yield Call("read", (self.key,))
        yield Call("read", (self.key,), (("of", self.node),))


# Disks, clocks and time


@registered
class Wipe(ToNode, frozen=True, tag="wipe"):
    """The disk of a crashed node is lost, with all that was on it."""

    phrase = "{self.node}'s disk is lost"
    mark = verb = "wipe"
    reads_log = True


@registered
class SetClockRate(ToNode, frozen=True, tag="clock"):
    """From now on a node's clock runs `rate` times as fast as it should."""

    phrase = "{self.node}'s clock runs {self.rate:g} times as fast from now on"
    mark = "clock"
    verb = "set_clock_rate"

    rate: float


@registered
class SlowDisk(ToNode, frozen=True, tag="disk"):
    """From now on every write of a node takes `write_ms`."""

    phrase = "{self.node}'s disk takes {self.write_ms:g} ms for a write from now on"
    mark = "disk"
    verb = "slow_disk"

    write_ms: Millis


@registered
class Wait(Action, frozen=True, tag="wait"):
    """Time passes and nothing happens."""

    phrase = "time passes"


# All of them

_ENCODER = msgspec.msgpack.Encoder()


def any_kind() -> Any:
    """The type of all kinds of actions, by which msgspec decodes them."""
    return reduce(or_, KINDS)


def checked(action: Action) -> Action:
    """An action whose fields are what they should be, as a file would give it back.

    A whole number becomes a float where one stands: a run is the same before and after it was
    kept. Raises: Misuse, for what is no action, and for fields of another kind.
    """
    decoder = KINDS.get(type(action))
    if decoder is None:
        raise Misuse(f"what is played are actions of raftlab.sim.world, not {shown(action)}")
    try:
        return decoder.decode(_ENCODER.encode(action))
    except (msgspec.MsgspecError, TypeError, ValueError, OverflowError, RecursionError) as error:
        kind = type(action).__name__
        raise Misuse(f"{kind} has a field of another kind: {shortened(str(error))}") from None

"""What an action is: one thing that happens in a run, as data, and all that is to be said of it.

The kinds of actions are in `actions.py`; what each does is its handler, in `handlers.py`.
"""

from collections.abc import Callable, Iterator, Sequence
from typing import ClassVar, NamedTuple, TypeVar

import msgspec

from raftlab.raft.messages import Message
from raftlab.raft.output import Note
from raftlab.raft.vocabulary import Configuration, Millis, NodeId
from raftlab.sim.world.call import Call, brief
from raftlab.sim.world.message_text import message_phrase
from raftlab.sim.world.network import Flight
from raftlab.sim.world.settings import Network

Notes = Sequence[tuple[NodeId, Note]]


class Surroundings(NamedTuple):
    """What of a cluster says how the verb of the coming action was called.

    `now` is the virtual time (ms), `configuration` who belongs to the cluster, `flights` are the
    messages on their way; `network_between` says how a directed link carries them, or, for None
    and None, every link without settings of its own.
    """

    now: Millis
    configuration: Configuration
    flights: tuple[Flight, ...]
    network_between: Callable[[NodeId | None, NodeId | None], Network]


class Action(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """One thing that happens, at `at` (ms). The kinds of it are the `registered` subclasses.

    * `phrase`: what happened, as a template of the action (`self`) and its message (`message`).
    * `mark`: as what a trace marks it; None, if it does not.
    * `verb`: the method of a cluster that makes it, called with its fields unless `calls` says
      otherwise; None, if there is none.
    * `reaches_all`, `adds_entry`, `reads_log`: what makes it more work than one step.
    """

    phrase: ClassVar[str]
    mark: ClassVar[str | None] = None
    verb: ClassVar[str | None] = None

    reaches_all: ClassVar[bool] = False
    """It cuts or heals the links, or makes a node write to all the others."""

    adds_entry: ClassVar[bool] = False
    """It can add an entry to the log."""

    reads_log: ClassVar[bool] = False
    """It goes over a whole log, and a whole snapshot."""

    at: Millis

    @property
    def nodes(self) -> tuple[NodeId, ...]:
        """Where it happens; nowhere, if it happens to the network."""
        return ()

    @property
    def detail(self) -> str | None:
        """What is of most interest in it, where that is more than its kind: a command, sides."""
        return None

    def happening(self, message: Message | None = None) -> str:
        """What happened, without what came of it."""
        return self.phrase.format(self=self, message=message_phrase(message))

    def sentence(self, message: Message | None, notes: Notes) -> str:
        """What happened, and what the nodes decided because of it."""
        happened = self.happening(message)
        return f"{happened}: {decisions(notes)}." if notes else f"{happened}."

    def calls(self, here: Surroundings) -> Iterator[Call]:
        """Calls that may have made it where it comes next, the likeliest first."""
        if self.verb is not None:
            fields = self.__struct_fields__[1:]
            yield Call(self.verb, tuple(brief(getattr(self, each)) for each in fields))


def decisions(notes: Notes) -> str:
    """What the nodes decided."""
    return "; ".join(f"{node} {note}" for node, note in notes)


class ToMessage(Action, frozen=True):
    """What happens to a message in flight."""

    sender: NodeId
    receiver: NodeId
    nth: int

    def flights(self, here: Surroundings) -> list[Flight]:
        """The message, as it is on its way; none, if it is not."""
        key = (self.sender, self.receiver, self.nth)
        return [each for each in here.flights if each.key == key]

    def calls(self, here: Surroundings) -> Iterator[Call]:
        """With the number of the message."""
        assert self.verb is not None
        for flight in self.flights(here):
            yield Call(self.verb, (flight.number,))


class ToNode(Action, frozen=True):
    """What happens to a node, or is asked of it."""

    node: NodeId

    @property
    def nodes(self) -> tuple[NodeId, ...]:
        """The node."""
        return (self.node,)


# The kinds of actions

Kind = TypeVar("Kind", bound=type[Action])

KINDS: dict[type[Action], msgspec.msgpack.Decoder[Action]] = {}
"""The kinds of actions, in the order of their definitions, each with what checks its fields."""


def registered(kind: Kind) -> Kind:
    """Make a class a kind of action: what can be played, kept and opened. Its tag is its own."""
    KINDS[kind] = msgspec.msgpack.Decoder(kind)
    return kind

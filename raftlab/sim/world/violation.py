"""A property that was broken, as a value and as what is raised; and whoever watches for it."""

from typing import Any, Protocol

import msgspec

from raftlab.raft.log import LogEntry, Snapshot
from raftlab.raft.messages import Message
from raftlab.raft.vocabulary import Index, NodeId
from raftlab.sim.world.host import Host, Reading


class ViolationFrame(msgspec.Struct, frozen=True):
    """A property that no longer holds. `paper` is where it is stated."""

    name: str
    text: str
    paper: str
    frame: int
    nodes: tuple[NodeId, ...] = ()
    index: Index | None = None


class Violation(Exception):
    """A property no longer holds: which, where, and in which section it is stated."""

    def __init__(self, frame: ViolationFrame) -> None:
        super().__init__(frame)
        self.frame = frame

    def __str__(self) -> str:
        broken = self.frame
        return f"{broken.name}, frame {broken.frame}: {broken.text} (paper: {broken.paper})"


class Watching(Protocol):
    """What an engine tells whoever watches it, at every step. See `raftlab.sim.watch`."""

    history: Any

    @property
    def broken(self) -> object | None:
        """What was found broken first; None, as long as nothing is."""

    def violation(self, frame: int) -> ViolationFrame:
        """The property that was found `broken`, in the step to `frame`."""

    def moved(self, host: Host) -> None:
        """`host` has taken a step."""

    def restarted(self, host: Host) -> None:
        """`host` has started again from its disk."""

    def replied(self, host: Host, reply: Message) -> None:
        """`host` has handled a reply of a follower."""

    def says(self, host: Host, messages: tuple[Message, ...]) -> None:
        """`host` sends messages."""

    def wiped(self, host: Host) -> None:
        """`host` has lost its disk."""

    def keeps_snapshot(self, host: Host, snapshot: Snapshot) -> None:
        """`host` has written a snapshot."""

    def asks(self, reading: Reading) -> None:
        """A client asks for a read."""

    def answers(self, host: Host, reading: Reading) -> None:
        """`host` has answered a read."""

    def applies(self, host: Host, entries: tuple[LogEntry, ...]) -> None:
        """`host` hands committed entries to its application."""

    def parts(self) -> tuple[object, ...]:
        """The containers that only grow with the run."""

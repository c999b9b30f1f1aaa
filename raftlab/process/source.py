"""Where what a machine says comes from."""

from typing import Protocol

from raftlab.process.tape import Place
from raftlab.process.wire import EntryLine
from raftlab.raft.log import LogEntry
from raftlab.raft.node import NodeCore
from raftlab.raft.vocabulary import NodeId
from raftlab.sim.run.tape import Fault


class Source(Protocol):
    """Where what a machine says comes from: a tape, and a process behind it."""

    root: Place

    def known(self, before: Place, line: bytes) -> Place | None:
        """The place to which a line leads, if that is known without asking."""

    def ask(self, before: Place, line: bytes, machine: NodeCore) -> Place:
        """The place to which a line leads that is not on the tape: `machine` asks."""

    def moved(self, before: Place, after: Place) -> None:
        """The machine at a place has gone on, by something new that it said."""

    def give_up(self, *places: Place) -> None:
        """The machine at one of these places has said what it cannot say."""

    def heard(self, node: NodeId) -> list[str | Fault] | None:
        """Where a machine that is started now notes what it says, if anybody wants it."""

    def entry_of(self, line: EntryLine) -> LogEntry:
        """An entry from a line: of equal ones the same."""

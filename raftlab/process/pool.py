"""The live processes of one command: few of them, whatever machines there are."""

import os
import weakref
from collections.abc import Sequence
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Any, TypeAlias

import msgspec

from raftlab.process.faults import MachineFault
from raftlab.process.tape import Place
from raftlab.raft.vocabulary import NodeId

if TYPE_CHECKING:
    from raftlab.process.child import Child

MOST_LIVE = 16
"""How many processes of one command live at once; who waits longest to be asked goes first."""

Version: TypeAlias = tuple[tuple[int, int, int], ...]
"""Which files a command names, as the system tells them apart: another one, once one is edited."""


def files_of(command: Sequence[str]) -> list[Path]:
    """The files that a command names: its program, if that is one here, and what it is to read."""
    return [path for path in map(Path, command) if path.is_file()]


def version_of(command: Sequence[str]) -> Version:
    """The version of the program that a command would start now."""
    told = [path.stat() for path in files_of(command)]
    return tuple((each.st_ino, each.st_size, each.st_mtime_ns) for each in told)


class Standing:
    """A node in a live process: at which place it stands, and which object asked last."""

    __slots__ = ("child", "holder", "node", "place")

    def __init__(self, child: "Child", node: NodeId, place: Place, holder: object) -> None:
        self.child = child
        self.node = node
        self.place = place
        self.holder: weakref.ref[Any] = weakref.ref(holder)


class Pool:
    """Live processes, and where the nodes in them stand.

    A machine that is asked something new is asked in a process in which it stands just there; if
    there is none, one is started, or one that nobody needs is given the past of this machine.
    What runs goes on as it began; but no process is begun with that is older than its program.
    """

    def __init__(self, command: Sequence[str], shared: bool, **limits: Any) -> None:
        self._command = command
        self._shared = shared
        self._limits = limits
        self._lock = Lock()
        self._forget()

    def _forget(self) -> None:
        self._owner = os.getpid()
        self._standing: dict[Place, Standing] = {}
        self._children: dict[Child, Version] = {}
        self._versions: set[Version] = set()

    @property
    def pids(self) -> tuple[int, ...]:
        """The numbers of the live processes."""
        return tuple(child.pid for child in self._children)

    def ask(self, place: Place, line: bytes, node: NodeId, holder: object) -> bytes:
        """What `node`, which stands at `place`, says to a line.

        Raises: MachineFault, also where a process says something else to the past of the machine
        than it said before.
        """
        with self._lock:
            if self._owner != os.getpid():
                self._forget()  # a fork: the processes are another's
            standing = self._standing.pop(place, None)
            if standing is None:
                standing = self._brought_to(place, node, holder)
            try:
                said = standing.child.ask(line)
            except BaseException:
                self._end(standing.child)
                raise
            standing.holder = weakref.ref(holder)
            standing.place = place
            self._standing[place] = standing
            return said

    def moved(self, before: Place, after: Place) -> None:
        """The node that stood at `before` has said what leads to `after`."""
        if (standing := self._standing.pop(before, None)) is not None:
            standing.place = after
            self._standing[after] = standing

    def end_at(self, place: Place) -> None:
        """End the process in which a node stands at `place`."""
        with self._lock:
            if (standing := self._standing.get(place)) is not None:
                self._end(standing.child)

    def end(self) -> None:
        """End all processes. They are started again when they are needed."""
        with self._lock:
            for child in list(self._children):
                self._end(child)

    def _end(self, child: "Child") -> None:
        self._children.pop(child, None)
        self._standing = {
            place: each for place, each in self._standing.items() if each.child is not child
        }
        child.end()

    def _brought_to(self, place: Place, node: NodeId, holder: object) -> Standing:
        """A process in which the node stands at `place`, after all that was before."""
        way = place.way()
        child = self._free(node)
        try:
            for each in way:
                said = child.ask(each.line)
                if said != each.said:
                    why = "; its program has been edited since" if len(self._versions) > 1 else ""
                    raise MachineFault(
                        "not deterministic",
                        f"told the same as before, it said {_short(said)}, and before"
                        f" {_short(each.said)}{why}",
                    )
        except BaseException:
            self._end(child)
            raise
        return Standing(child, node, place, holder)

    def _free(self, node: NodeId) -> "Child":
        """A process that can be told to start the node, and is no older than its program."""
        version = version_of(self._command)
        for child, its in list(self._children.items()):
            is_needed = self._is_needed(child)
            if its == version and (self._shared or not is_needed):
                self._leave(child, node if self._shared else None)
                return child
            if not is_needed:
                self._end(child)
        if len(self._children) >= MOST_LIVE:
            child = next(iter(self._standing.values())).child
            if self._children[child] == version:
                self._leave(child)
                return child
            self._end(child)
        return self._started(version)

    def _is_needed(self, child: "Child") -> bool:
        """Whether a machine stands where a node of that process does."""
        holders = [
            (each.place, each.holder()) for each in self._standing.values() if each.child is child
        ]
        return any(holder is not None and holder.place is place for place, holder in holders)

    def _leave(self, child: "Child", node: NodeId | None = None) -> None:
        """Forget where the nodes of a process stand; only `node`, if it is named."""
        self._standing = {
            place: each
            for place, each in self._standing.items()
            if each.child is not child or (node is not None and each.node != node)
        }

    def _started(self, version: Version) -> "Child":
        from raftlab.process.child import Child

        child = Child(self._command, **self._limits)
        self._children[child] = version
        self._versions.add(version)
        return child


def _short(said: bytes) -> str:
    return msgspec.json.encode(said.decode(errors="replace")[:200]).decode()

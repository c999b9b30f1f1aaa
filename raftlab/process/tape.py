"""What was said to machines and what they said: a tree, since runs branch.

A place is where a machine stands after some lines. What is asked there a second time is answered
from memory: so runs are played again, copied and branched without the machine.

That no answer came may be chance, as what a clock or a system has to do with it. So a fault is
beside what is said: a run that ends with it has it, and whoever goes on from before asks again.
"""

from collections.abc import Container, Iterator

from raftlab.process.faults import NOT_UTF8, FaultKind, MachineFault, kind_named, shown_line
from raftlab.raft.vocabulary import Misuse
from raftlab.sim.run.tape import Fault, Memory


class Place:
    """After the place `before`, `line` was told, and the machine `said` something, or failed.

    The first place, from which machines are started, has none before it.
    """

    __slots__ = (
        *("_faults", "_line_after", "_more", "_place_after"),
        *("before", "fault", "line", "said"),
    )

    def __init__(
        self,
        before: "Place | None" = None,
        line: bytes = b"",
        said: bytes = b"",
        fault: FaultKind | None = None,
    ) -> None:
        self.before = before
        self.line = line
        self.said = said
        self.fault = fault
        self._line_after: bytes | None = None
        self._place_after: Place | None = None
        self._more: dict[bytes, Place] | None = None
        self._faults: dict[bytes, Place] | None = None

    def after(self, line: bytes) -> "Place | None":
        """Where the machine stands once it has been told `line` here; None, if nobody has asked."""
        if line == self._line_after:
            return self._place_after
        return None if self._more is None else self._more.get(line)

    def fault_after(self, line: bytes) -> "Place | None":
        """What came in place of an answer, when a machine was told `line` here."""
        return None if self._faults is None else self._faults.get(line)

    def add(self, line: bytes, said: bytes) -> "Place":
        """Note what was said to `line` here."""
        place = Place(self, line, said)
        if self._line_after is None:
            self._line_after, self._place_after = line, place
        else:
            self._more = self._more or {}
            self._more[line] = place
        return place

    def add_fault(self, line: bytes, fault: MachineFault) -> "Place":
        """Note what came in place of an answer."""
        place = Place(self, line, fault.text.encode(), fault.kind)
        self._faults = self._faults or {}
        self._faults[line] = place
        return place

    def all_after(self) -> "Iterator[Place]":
        """Where the machine stands after each line that was told here, faults first."""
        yield from (self._faults or {}).values()
        if self._place_after is not None:
            yield self._place_after
        yield from (self._more or {}).values()

    def way(self) -> "list[Place]":
        """The places from the machine's start up to this one."""
        return list(self._back())[::-1]

    def _back(self) -> "Iterator[Place]":
        place = self
        while place.before is not None:
            yield place
            place = place.before

    @property
    def word(self) -> "str | Fault":
        """What was said here, or which fault came instead."""
        if self.fault is not None:
            return (self.fault, self.said.decode())
        try:
            return self.said.decode()
        except UnicodeDecodeError:
            return ("not UTF-8", NOT_UTF8.format(shown_line(self.said)))

    def check(self) -> None:
        """Raises: MachineFault, if the machine failed here."""
        if self.fault is not None:
            raise MachineFault(self.fault, self.said.decode())


def memory_after(root: Place, asked_anew: Container[tuple[Place, bytes]]) -> Memory:
    """A whole tape as plain values, without the faults of what was `asked_anew`."""
    told: Memory = []
    coming = [(0, root)]
    while coming:
        number, before = coming.pop()
        for place in before.all_after():
            if place.fault is None or (before, place.line) not in asked_anew:
                told.append((number, place.line, place.said, place.fault))
                coming.append((len(told), place))
    return told


def place_with(memory: Memory) -> Place:
    """The first place of a tape that was told as plain values. Raises: Misuse, for no tape."""
    places = [Place()]
    for number, line, said, fault in memory:
        if not 0 <= number < len(places):
            raise Misuse(f"a tape names the place {number}, and there is none")
        before = places[number]
        if fault is None:
            places.append(before.add(line, said))
        else:
            told = said.decode(errors="backslashreplace")
            places.append(before.add_fault(line, MachineFault(kind_named(fault), told)))
    return places[0]

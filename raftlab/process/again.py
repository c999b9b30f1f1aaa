"""Asking machines anew what they were asked in a run: do they say the same?"""

from contextlib import suppress
from itertools import zip_longest
from typing import Protocol

import msgspec

from raftlab.raft.vocabulary import Millis, NodeId, shortened
from raftlab.sim.run.recording import Recording
from raftlab.sim.run.tape import Fault, TapedMachines, from_memory

NOTHING = "nothing"


class NotingMachines(TapedMachines, Protocol):
    """Machines whose words are noted, and whose they are: the node of every start."""

    started: list[NodeId]


class AskedAgain(msgspec.Struct, frozen=True):
    """What came of it. `lines` were compared; `frame` is None if all of them were the same.

    Otherwise it is the first frame at which something else came: `node` said `before` when the run
    was made, and `now` this time.
    """

    lines: int
    frame: int | None = None
    at: Millis = 0.0
    node: NodeId = ""
    before: str = ""
    now: str = ""

    @property
    def is_same(self) -> bool:
        """Whether everything was said again."""
        return self.frame is None

    def __str__(self) -> str:
        if self.is_same:
            return f"The machines said the same again, in all of {self.lines:,} lines."
        return (
            f"At frame {self.frame:,} ({self.at:.1f} ms) {self.node} says something else:"
            f"\n  before  {shortened(self.before, 400)}\n  now     {shortened(self.now, 400)}"
        )


def asked_again(recording: Recording, told: NotingMachines, asked: NotingMachines) -> AskedAgain:
    """Play a run on its tape and on processes that were not asked yet, and compare line by line.

    Both are noting what is said.
    """
    first, second = recording.start(machine=told).engine, None
    with suppress(Exception):  # it cannot start: its words say that
        second = recording.start(machine=asked).engine
    comparison = _Comparison(told, asked)
    found = comparison.difference()
    both = [] if second is None else [from_memory(first, first.apply_quietly), second.apply_quietly]
    for action in recording.actions if both else ():
        if found is not None:
            break
        for happen in both:
            with suppress(Exception):  # what stops a run has been said, and is compared
                happen(action)
        found = comparison.difference()
    if found is None:
        return AskedAgain(comparison.lines)
    node, before, now = found
    return AskedAgain(comparison.lines, first.number, first.now, node, before, now)


class _Comparison:
    """Two tapes that grow alike, as long as the machines say the same. `lines` were the same."""

    def __init__(self, told: NotingMachines, asked: NotingMachines) -> None:
        self._told, self._asked = told, asked
        self._compared: list[int] = []
        self.lines = 0

    def difference(self) -> tuple[NodeId, str, str] | None:
        """Who has said something else since the last look, what before, and what now."""
        empty: list[str | Fault] = []
        both = zip_longest(self._told.said, self._asked.said, fillvalue=empty)
        for place, (before, now) in enumerate(both):
            if place == len(self._compared):
                self._compared.append(0)
            done = self._compared[place]
            for then, this_time in zip_longest(before[done:], now[done:]):
                if not _are_same(then, this_time):
                    return self._told.started[place], _text(then), _text(this_time)
                self.lines += 1
            self._compared[place] = len(before)
        return None


def _are_same(before: str | Fault | None, now: str | Fault | None) -> bool:
    """Whether two words are the same; of faults the kind counts, since the rest may be chance."""
    if isinstance(before, str) or isinstance(now, str) or before is None or now is None:
        return before == now
    return before[0] == now[0]


def _text(word: str | Fault | None) -> str:
    if word is None:
        return NOTHING
    return word if isinstance(word, str) else f"{word[1]} ({word[0]})"

"""Breadth first through every state, so that the first failing run found is a shortest one."""

import sys
import time
from array import array
from collections.abc import Callable, Hashable, Iterator, Sequence
from typing import Generic, Protocol, TypeVar

from raftlab.raft.vocabulary import Misuse, NotNow
from raftlab.sim.world.interrupts import HeldBack

S = TypeVar("S")
Progress = Callable[["Counts"], None]
BYTES_PER_HASH = 36
"""What the hash of a state takes as a number, beside its place in the table of those seen."""

BYTES_PER_WAITING = 120
"""What a state that waits takes beside itself and its parts."""

BYTES_PER_SLOT = 16
SOON = 4_000
"""A table that may be full after so many more states is counted with the one in its place."""

REPORT_EVERY = 5_000
LOOK_EVERY = 63
"""The clock and the memory are looked at after so many states, and one."""

NO_PARENT = (1 << 64) - 1


class Space(Protocol[S]):
    """What is searched: where it begins, what follows what, and which states are alike."""

    first: S
    broken: tuple[str, str] | None

    def following(self, state: S) -> Sequence[tuple[S, object]]:
        """Every state that one event leads to, with the event."""
        ...


class Counts:
    """How far a search has come: distinct states, steps looked at, depth, what still waits."""

    __slots__ = ("depth", "distinct", "seconds", "steps", "waiting")

    def __init__(self) -> None:
        self.distinct = 0
        self.steps = 0
        self.depth = 0
        self.waiting = 0
        self.seconds = 0.0


class Search(Generic[S]):
    """A breadth-first search that can be stopped and taken up again.

    `broken` is the property that fell in the last state of `path`, with what happened. A state
    is known by a hash of 64 bits, as in TLC: among a million states two are confused with a
    chance of about 3 in 100 million.
    """

    def __init__(
        self,
        space: Space[S],
        key: Callable[[S], Hashable] | None = None,
        is_goal: Callable[[S], bool] | None = None,
        held: Callable[[], int] = int,
    ) -> None:
        """`held` says how many bytes are held elsewhere for it."""
        self.space = space
        self.counts = Counts()
        self.broken: tuple[str, str] | None = None
        self.goal: object = None
        self.interrupted = False
        self.heed_interrupt: Callable[[], object] | None = None
        self.key = key or _itself
        self._is_goal = is_goal
        self._held = held
        self._hashes = array("q")
        self._parents = array("Q")
        self._seen: set[int] = set()
        self._level: list[tuple[S, int]] = []
        self._next: list[tuple[S, int]] = []
        self._at = 0
        self._end: int | None = None
        self.is_mid_step = False
        self._meet(space.first, NO_PARENT)
        self._level, self._next = self._next, []

    @property
    def is_over(self) -> bool:
        """Whether nothing is left to look at, or what was looked for is found."""
        return self._end is not None or self._at >= len(self._level)

    def run(
        self,
        states: int | None = None,
        depth: int | None = None,
        seconds: float | None = None,
        memory_mb: float | None = None,
        progress: Progress | None = None,
    ) -> "Search[S]":
        """Go on until it is over or a bound is reached; Ctrl-C stops it where it stands.

        `states` and `seconds` bound this call, `depth` and `memory_mb` (an estimate) the whole.
        """
        if self.is_mid_step:
            raise Misuse("this search was interrupted in the middle of a step: begin it again")
        counts, began, before = self.counts, time.monotonic(), self.counts.seconds
        most = None if states is None else counts.distinct + states
        report, expanded = counts.distinct + REPORT_EVERY, 0
        self.interrupted = False
        try:
            with HeldBack(self):
                while not self.is_over and not self.is_at(depth) and not self._is_stopped():
                    self.is_mid_step = True
                    self._expand(*self._level[self._at])
                    self.is_mid_step = False
                    self._at += 1
                    if self._at >= len(self._level) and self._next:
                        self._level, self._next, self._at = self._next, [], 0
                        counts.depth += 1
                    expanded += 1
                    counts.waiting = len(self._level) - self._at + len(self._next)
                    if expanded & LOOK_EVERY == 0:
                        counts.seconds = before + time.monotonic() - began
                        if seconds is not None and counts.seconds - before >= seconds:
                            break
                        if memory_mb is not None and self.megabytes() > memory_mb:
                            break
                    if progress is not None and counts.distinct >= report:
                        report = counts.distinct + REPORT_EVERY
                        counts.seconds = before + time.monotonic() - began
                        if not self._tell(progress):
                            break
                    if most is not None and counts.distinct >= most:
                        break
                self._is_stopped()
        except KeyboardInterrupt:  # the second one, which waits for nothing
            self.interrupted = True
            raise
        counts.seconds = before + time.monotonic() - began
        return self

    def _is_stopped(self) -> bool:
        """Whether an interrupt has come: it is heeded between two states."""
        heed, self.heed_interrupt = self.heed_interrupt, None
        try:
            if heed is not None:
                heed()
        except KeyboardInterrupt:
            self.interrupted = True
        return self.interrupted

    def is_at(self, depth: int | None) -> bool:
        """Whether all runs of so many events were looked at."""
        return depth is not None and self.counts.depth >= depth

    def _tell(self, progress: Progress) -> bool:
        """Report; False, if whoever hears it stops the search."""
        try:
            progress(self.counts)
        except KeyboardInterrupt:
            self.interrupted = True
        return not self.interrupted

    def megabytes(self) -> float:
        """An estimate of what the search holds, and of what it needs to grow."""
        distinct, table = self.counts.distinct, sys.getsizeof(self._seen)
        if 5 * (distinct + SOON) >= 3 * (table // BYTES_PER_SLOT):
            table *= 3  # a new one, twice as large, is filled while the old one is there
        kept = sys.getsizeof(self._hashes) + sys.getsizeof(self._parents)
        held = table + 2 * kept + distinct * BYTES_PER_HASH + self._held()
        newest = (self._next or self._level)[-1:]
        for state, _ in newest:
            parts = sum(map(sys.getsizeof, state)) if isinstance(state, tuple) else 0
            waiting = len(self._level) + len(self._next)
            held += waiting * (sys.getsizeof(state) + parts + BYTES_PER_WAITING)
        return held / 1e6

    def _expand(self, state: S, number: int) -> None:
        space, seen, key_of = self.space, self._seen, self.key
        found = space.following(state)
        if space.broken is not None:
            self.counts.steps += len(found)
            self._meet(found[-1][0], number)
            self.broken, space.broken, self._end = space.broken, None, self.counts.distinct - 1
            return
        for following, _ in found:
            key = hash(key_of(following))
            if key in seen:
                continue
            self._meet(following, number, key)
            if self._end is not None:
                break
        self.counts.steps += len(found)

    def _meet(self, state: S, parent: int, key: int | None = None) -> None:
        if key is None:
            key = hash(self.key(state))
        is_goal = self._is_goal is not None and self._is_goal(state)  # which may raise
        number = self.counts.distinct
        self._seen.add(key)
        self._hashes.append(key)
        self._parents.append(parent)
        self._next.append((state, number))
        self.counts.distinct = number + 1
        if is_goal:
            self._end, self.goal = number, state

    @property
    def length(self) -> int:
        """How many events lead to where the search ended, or to where it stands."""
        number, length = self._end, 0
        while number is not None and self._parents[number] != NO_PARENT:
            number, length = self._parents[number], length + 1
        return length

    def path(self) -> Iterator[object]:
        """The events that lead to where the search ended.

        Raises: NotNow, if it found nothing.
        """
        if self._end is None:
            raise NotNow("the search has found nothing to show")
        numbers, number = [], self._end
        while number != NO_PARENT:
            numbers.append(number)
            number = self._parents[number]
        hashes = [self._hashes[each] for each in reversed(numbers)]
        return self._along(hashes)

    def _along(self, hashes: list[int]) -> Iterator[object]:
        """Walk from the first state through states with these hashes."""
        state = self.space.first
        for wanted in hashes[1:]:
            state, event = self._successor(state, wanted)
            yield event

    def _successor(self, state: S, wanted: int) -> tuple[S, object]:
        """The state with this hash that follows a state, and the event in between."""
        found = self.space.following(state)
        if self.space.broken is not None:
            self.space.broken = None
            if hash(self.key(found[-1][0])) == wanted:
                return found[-1]
        for following, event in found:
            if hash(self.key(following)) == wanted:
                return following, event
        raise AssertionError("a state that was seen cannot be found again")


def _itself(state: Hashable) -> Hashable:
    return state

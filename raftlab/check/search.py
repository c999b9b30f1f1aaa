"""The search for an order of the operations on one object.

It goes through starts and ends in the order of time, and places an operation only when
it must: at its end. Four things keep it short. What can never change a state is placed at
the first moment at which it fits, for nothing is lost by that. A place that was reached
before with the same state, and with the same operations under way placed, is not
searched again. Operations whose outcome is unknown are interchangeable if they are of
one kind, so they are counted, and a place that was reached with fewer of them makes all
others there superfluous. And one of them is placed only if the next operation that is
placed notices.

Sources: Wing and Gong 1993 (the search), Lowe 2017 (memoization; placing just in time).
"""

from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from typing import TypeAlias

from raftlab.check.history import Operation
from raftlab.check.models import Model, State, guess_of
from raftlab.check.steps import REFUSED, Steps
from raftlab.raft.vocabulary import Millis

Trail: TypeAlias = "tuple[Trail, int] | None"
"""The operations placed so far, the last one first."""

Place: TypeAlias = tuple[int, int, int, int, int, Trail]
"""Where a search stands: the moment, the state, which operations under way are placed,
how many unknown ones of each kind, the state before the last of them if nothing has
noticed it yet (or NOTICED), and the trail."""

Open: TypeAlias = list[tuple[int, int, int]]
"""Operations under way: bit, kind, number."""

Choices: TypeAlias = tuple[Open, list[tuple[int, int, int, int]]]
"""What can be placed at an end: operations under way, and unknown ones (see `Unknowns.ready`)."""

NOTICED = -1
START, END = 0, 1
ENDS, CHANGES = -1, -2


class Timeline:
    """The starts and ends of the operations that must be placed, in the order of time.

    `what[at]` is ENDS at an end; at a start, it is the kind of an operation that can never
    change the state, and CHANGES of any other. `bits[at]` is one bit for the operation,
    which another may have after its end, and `numbers[at]` its number. At one and the same
    time, starts come before ends.
    """

    __slots__ = ("_began", "_kinds", "_under_way", "bits", "numbers", "times", "what")

    def __init__(
        self, operations: Sequence[Operation], kinds: list[int], changes: Sequence[bool]
    ) -> None:
        moments: list[tuple[Millis, int, int]] = []
        for number, operation in enumerate(operations):
            if operation.end is not None and not operation.is_unknown:
                moments.append((operation.start, START, number))
                moments.append((operation.end, END, number))
        moments.sort()
        self._kinds = kinds
        self.times = [time for time, _, _ in moments]
        self.numbers = [number for _, _, number in moments]
        start = [CHANGES if changes[kind] else kind for kind in kinds]
        self.what = [start[number] if what == START else ENDS for _, what, number in moments]
        self.bits: list[int] = []
        self._under_way: list[int] = []
        self._began: dict[int, tuple[list[int], list[int]]] = {}
        self._share_bits()

    def _share_bits(self) -> None:
        """Give each operation the lowest bit that is free at its start."""
        mine: dict[int, int] = {}
        taken = 0
        for at, (kind, number) in enumerate(zip(self.what, self.numbers, strict=True)):
            self._under_way.append(taken)
            if kind != ENDS:
                bit = mine[number] = ~taken & (taken + 1)
                begins, numbers = self._began.setdefault(bit, ([], []))
                begins.append(at)
                numbers.append(number)
            else:
                bit = mine[number]
            taken ^= bit
            self.bits.append(bit)

    def under_way(self, at: int) -> Open:
        """What is under way at a moment: has started before, and has not ended."""
        found, left = [], self._under_way[at]
        while left:
            bit = left & -left
            left ^= bit
            begins, numbers = self._began[bit]
            number = numbers[bisect_right(begins, at) - 1]
            found.append((bit, self._kinds[number], number))
        return found


class Unknowns:
    """The operations of unknown outcome, by kind: how many have started, how many are used.

    All counts stand in one number, a field for each kind, with a free bit above it.
    """

    __slots__ = ("_first", "_numbers", "guards", "kinds", "mask", "ones", "width")

    def __init__(self, operations: Sequence[Operation], kinds: list[int], line: Timeline) -> None:
        by_kind: dict[int, list[int]] = {}
        for number, operation in enumerate(operations):
            if operation.is_unknown:
                by_kind.setdefault(kinds[number], []).append(number)
        most = max((len(numbers) for numbers in by_kind.values()), default=0)
        self.width = most.bit_length() + 1
        self.mask = (1 << self.width) - 1
        self.kinds = list(by_kind)
        self.ones = [1 << self.width * field for field in range(len(by_kind))]
        self.guards = sum(self.ones) << self.width - 1
        self._numbers, self._first = [], []
        for numbers in by_kind.values():
            numbers.sort(key=lambda number: (operations[number].start, number))
            self._numbers.append(numbers)
            begins = [bisect_left(line.times, operations[number].start) for number in numbers]
            self._first.append(begins)

    def ready(self, at: int) -> list[tuple[int, int, int, int]]:
        """Of what can be placed at a moment: the field, its one, the kind, and how many."""
        found = []
        for field, begins in enumerate(self._first):
            count = bisect_right(begins, at)
            if count:
                found.append((field, self.ones[field], self.kinds[field], count))
        return found

    def number(self, field: int, used: int) -> int:
        """The operation that is placed if `used` of its kind have been placed before."""
        return self._numbers[field][used]


class Search:
    """The search for an order of `operations` (without those that failed) on one object.

    `run` goes on searching for a while. When it `is_done`, `found` says whether there is
    an order. `deepest` is the moment up to which everything could be placed, with the
    operations in `trail`; `states` are those in which the object can have been there.
    """

    def __init__(self, operations: Sequence[Operation], model: Model) -> None:
        self.operations = operations
        self._steps = Steps(model)
        kinds = self._steps.kinds(operations)
        self._line = Timeline(operations, kinds, self._steps.changes)
        self._unknowns = Unknowns(operations, kinds, self._line)
        self._guesses = guess_of(model, operations)
        self._ends: dict[int, Choices] = {}
        self._seen: dict[tuple[int, int, int, int], int | list[int]] = {}
        self._todo: list[Iterator[Place]] = [iter([(0, 0, 0, 0, NOTICED, None)])]
        self._tried = 0
        self._states_there: dict[int, None] = {}
        self.deepest = -1
        self._trail: Trail = None
        self.is_done = False
        self.found = False

    @property
    def trail(self) -> list[int]:
        """The numbers of the operations placed on the way to `deepest`, in order."""
        numbers, trail = [], self._trail
        while trail is not None:
            trail, number = trail
            numbers.append(number)
        return numbers[::-1]

    @property
    def states(self) -> list[State]:
        """The states in which the object can have been at `deepest`, as they were found."""
        return [self._steps.states[state] for state in self._states_there]

    @property
    def stuck(self) -> int:
        """The number of the operation that ends at `deepest`."""
        return self._line.numbers[self.deepest]

    def run(self, allowance: int) -> int:
        """Search on, trying about `allowance` placements; returns how many were tried."""
        tried, todo, last = self._tried, self._todo, len(self._line.what)
        while todo and self._tried - tried < allowance:
            place = next(todo[-1], None)
            if place is None:
                todo.pop()
                continue
            here = self._advance(place)
            self._tried += here[0] - place[0]
            if here[0] >= self.deepest:
                self._note(here)
            if here[0] == last:
                self.is_done = self.found = True
                return self._tried - tried
            if self._is_new(here):
                todo.append(self._branch(here))
        self.is_done = not todo
        return self._tried - tried

    def _advance(self, place: Place) -> Place:
        """The next end of an operation that is not placed yet; reads are, if they fit."""
        at, state, placed, used, before, trail = place
        what, bits, numbers = self._line.what, self._line.bits, self._line.numbers
        row, learn, last = self._steps.rows[state], self._steps.learn, len(what)
        while at < last:
            kind = what[at]
            if kind == ENDS:
                if not placed & bits[at]:
                    break
                placed ^= bits[at]
            elif kind != CHANGES:
                after = row.get(kind)
                if after is None:
                    after = learn(state, kind)
                if after == state:
                    placed |= bits[at]
                    trail = (trail, numbers[at])
            at += 1
        return at, state, placed, used, before, trail

    def _note(self, place: Place) -> None:
        """Remember how far the search has come."""
        at, state = place[:2]
        if at > self.deepest:
            self.deepest, self._trail = at, place[5]
            self._states_there = {}
        self._states_there[state] = None

    def _is_new(self, place: Place) -> bool:
        """Whether nobody was here with as few unknown operations used, or fewer."""
        at, state, placed, used, before, _ = place
        here = (at, state, placed, before)
        known = self._seen.get(here)
        if known is None:
            self._seen[here] = used
            return True
        guards = self._unknowns.guards
        counts = known if isinstance(known, list) else [known]
        for count in counts:
            if (used | guards) - count & guards == guards:
                return False
        self._seen[here] = [c for c in counts if (c | guards) - used & guards != guards] + [used]
        return True

    def _branch(self, place: Place) -> Iterator[Place]:
        """Where the search can go on: what is likely first, unknown operations last."""
        at, state, placed, used, before, trail = place
        under_way, unknown = self._ends[at] if at in self._ends else self._choices(at)
        for bit, kind, number in under_way:
            if not placed & bit:
                self._tried += 1
                after = self._noticing(state, before, kind)
                if after != REFUSED:
                    here = (at, after, placed | bit, used, NOTICED, (trail, number))
                    yield self._settle(here, under_way)
        for field, one, kind, count in unknown:
            self._tried += 1
            used_up = used >> field * self._unknowns.width & self._unknowns.mask
            if used_up < count:
                after = self._noticing(state, before, kind)
                if after not in (REFUSED, state):
                    number = self._unknowns.number(field, used_up)
                    here = (at, after, placed, used + one, state, (trail, number))
                    yield self._settle(here, under_way)

    def _choices(self, at: int) -> Choices:
        """What can be placed at an end: what ends there first, if nobody has a better guess."""
        ends, guesses = self._line.bits[at], self._guesses
        under_way = self._line.under_way(at)
        if guesses is None:
            under_way.sort(key=lambda each: each[0] != ends)
        else:
            under_way.sort(key=lambda each: (guesses[each[2]], each[0] != ends))
        self._ends[at] = choices = under_way, self._unknowns.ready(at)
        return choices

    def _noticing(self, state: int, before: int, kind: int) -> int:
        """The state after `kind`, or REFUSED; also if it does the same as in `before`."""
        after = self._steps.look(state, kind)
        if before != NOTICED and after == self._steps.look(before, kind):
            return REFUSED
        return after

    def _settle(self, place: Place, open_: Open) -> Place:
        """The same place, with the reads that are under way placed too, if they fit."""
        at, state, placed, used, before, trail = place
        changes, look = self._steps.changes, self._steps.look
        for bit, kind, number in open_:
            if not (changes[kind] or placed & bit) and look(state, kind) == state:
                placed |= bit
                trail = (trail, number)
                before = NOTICED
        return at, state, placed, used, before, trail

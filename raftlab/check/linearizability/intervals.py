"""The operations on one object in the order of time, as a search walks through them."""

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from functools import cached_property
from typing import TypeAlias

from raftlab.check.history import Operation
from raftlab.check.linearizability.models import Model
from raftlab.check.linearizability.transitions import Steps
from raftlab.raft.vocabulary import Millis

Open: TypeAlias = list[tuple[int, int, int]]
"""Operations under way: bit, kind, number."""

START, END = 0, 1
ENDS, CHANGES = -1, -2


class Problem:
    """What is searched: the `operations` on one object (without those that failed) and a model.

    `kinds[number]` is the kind of an operation in the table `steps`.
    """

    def __init__(self, operations: Sequence[Operation], model: Model) -> None:
        self.operations = operations
        self.model = model
        self.steps = Steps(model)
        self.kinds = self.steps.kinds(operations)
        self.line = Timeline(operations, self.kinds, self.steps.changes)
        self.unknowns = Unknowns(operations, self.kinds, self.line)

    @cached_property
    def ends(self) -> list[int]:
        """The moments at which an operation ends, in the order of time."""
        return [at for at, what in enumerate(self.line.what) if what == ENDS]


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

"""What later answers say of a state that only grows: which ways a search need not go.

Who read a whole list, or a whole text, has seen the order of the appends before. Until such
a read is placed, the state must be a beginning of what it saw, unless an operation comes in
between that leaves another value. So the next answer says what to place next, and closes
all other ways. States that are a beginning of nothing that anybody will see are as good as
one, and an operation that was never answered is not placed if it leads to such a state.

Nothing is lost: what is left out leads nowhere, or where another way leads, too.
Source: Kingsbury and Alvaro 2020 (the reads of lists that grow show the order of appends).
"""

from bisect import bisect_left
from itertools import islice
from typing import Any, Optional

from raftlab.check.linearizability.intervals import CHANGES, ENDS, Open, Problem
from raftlab.check.linearizability.models import Leaves, Saw, State, leaves_of, saw_of

NOWHERE = -2
"""The number of all states that are a beginning of nothing that will be seen."""

FREE = 1 << 30
"""What a state fits where no answer is left that it could fit or not."""

_NEVER, _FOREVER = -1, 1 << 62


def begins(state: State, saw: State) -> bool:
    """Whether `saw` can come of `state` by putting something behind it, as far as one can tell."""
    grows = isinstance(state, str | tuple) and type(state) is type(saw)
    return not grows or bool(state == saw[: len(state)])


class Answer:
    """A list or a text that somebody saw: from where to where in the timeline, and with what bit.

    `fits` remembers which states are a beginning of it, `last` where the last operation
    starts that can leave a beginning of it, of those that stand from `scanned` on. `masks` holds
    the bits of those under way at a moment that can, and `unknown` where those of unknown outcome
    are counted that can, and how many there are.
    """

    __slots__ = ("bit", "end", "fits", "last", "masks", "saw", "scanned", "start", "unknown")

    def __init__(self, saw: State, start: int, end: int, bit: int, scanned: int) -> None:
        self.saw = saw
        self.start = start
        self.end = end
        self.bit = bit
        self.fits: dict[int, bool] = {}
        self.last = _NEVER
        self.scanned = scanned
        self.masks: dict[int, int] = {}
        self.unknown: list[tuple[int, int]] | None = None


class Lookahead:
    """The answers ahead of each moment, and the operations that leave a value of their own.

    `more` holds the ones (see `Unknowns.ready`) of unknown operations that only add.
    """

    @classmethod
    def into(cls, problem: Problem) -> Optional["Lookahead"]:
        """One for a problem in which the model says what grows and was seen; otherwise None."""
        model, steps = problem.model, problem.steps
        if not (hasattr(model, "saw") and hasattr(model, "leaves")):
            return None
        leaves = [leaves_of(model, each) for each in steps.samples]
        if not any(
            left is Leaves.MORE and changes
            for left, changes in zip(leaves, steps.changes, strict=True)
        ):
            return None
        return cls(problem, [saw_of(model, each) for each in steps.samples], leaves)

    def __init__(self, problem: Problem, saw: list[Any], leaves: list[Any]) -> None:
        self._problem = problem
        self._leaves = leaves
        self._answers: list[Answer] = []
        self._by_number: dict[int, Answer] = {}
        self._nexts: dict[int, list[Answer]] = {}
        self._sets: list[int] = []
        self._setters: list[Any] = []
        self._read(saw)
        self._ends = [answer.end for answer in self._answers]
        unknown = problem.unknowns
        self._unknown_saws = [saw[kind] for kind in unknown.kinds if not isinstance(saw[kind], Saw)]
        self._is_whole = not any(saw[kind] is Saw.PART for kind in problem.kinds)
        self.more = frozenset(
            one
            for one, kind in zip(unknown.ones, unknown.kinds, strict=True)
            if self._is_whole and leaves[kind] is Leaves.MORE
        )
        self._seen_until: dict[int, int] = {}
        self._wanted: dict[State, int] = {}

    def _read(self, saw: list[Any]) -> None:
        """Go through the timeline once."""
        line, kinds = self._problem.line, self._problem.kinds
        starts: dict[int, int] = {}
        for at, (what, number) in enumerate(zip(line.what, line.numbers, strict=True)):
            kind = kinds[number]
            if what != ENDS:
                starts[number] = at
                if what == CHANGES and self._leaves[kind] is not Leaves.MORE:
                    self._sets.append(at)
                    self._setters.append(self._leaves[kind])
            elif not isinstance(saw[kind], Saw):
                start, bit, scanned = starts[number], line.bits[at], len(self._sets)
                answer = self._by_number[number] = Answer(saw[kind], start, at, bit, scanned)
                self._answers.append(answer)

    def judge(
        self, at: int, state: int, placed: int, used: int, until: int, open_: Open
    ) -> int | None:
        """How many of the answers that must come next a state fits; None if one is closed to it.

        Those are the answers under way, and the first after them, as far as they end before
        `until`. Where there is none, FREE.
        """
        fitting, found = 0, FREE
        for answer in self._next(at, open_):
            if answer.end >= until or (answer.start < at and placed & answer.bit):
                continue
            found = 0
            if self.fits(state, answer):
                fitting += 1
            elif not self.can_turn(at, placed, used, answer, open_):
                return None
        return found or fitting

    def _next(self, at: int, open_: Open) -> list[Answer]:
        """The answers under way at an end, and the one that ends first of those to come."""
        known = self._nexts.get(at)
        if known is None:
            numbers = (number for _, _, number in open_)
            known = [self._by_number[each] for each in numbers if each in self._by_number]
            known.sort(key=lambda answer: answer.end)
            coming = islice(self._answers, bisect_left(self._ends, at), None)
            known += islice((answer for answer in coming if answer.start >= at), 1)
            self._nexts[at] = known
        return known

    def fits(self, state: int, answer: Answer) -> bool:
        """Whether a state is a beginning of what was seen."""
        known = answer.fits.get(state)
        if known is None:
            known = answer.fits[state] = begins(self._problem.steps.states[state], answer.saw)
        return known

    def can_turn(self, at: int, placed: int, used: int, answer: Answer, open_: Open) -> bool:
        """Whether an operation that leaves a beginning of what was seen can still come before."""
        if self._comes(at, answer):
            return True
        mask = answer.masks.get(at)
        if mask is None:
            leaves, kinds = self._leaves, open_
            fitting = [bit for bit, kind, _ in kinds if self._can_leave(leaves[kind], answer)]
            mask = answer.masks[at] = sum(fitting)
        return bool(mask & ~placed) or self._is_left(used, answer)

    def _can_leave(self, left: Any, answer: Answer) -> bool:
        if isinstance(left, Leaves):
            return left is Leaves.ANYTHING
        return begins(left, answer.saw)

    def _comes(self, at: int, answer: Answer) -> bool:
        """Whether one that has not started at `at` can."""
        if answer.last == _NEVER:
            sets, place = self._sets, answer.scanned
            while place and sets[place - 1] >= at:
                place -= 1
                if self._can_leave(self._setters[place], answer):
                    answer.last = sets[place]
                    break
            answer.scanned = place
        return answer.last >= at

    def _is_left(self, used: int, answer: Answer) -> bool:
        """Whether one of unknown outcome can, of which not all are used."""
        unknowns = self._problem.unknowns
        if answer.unknown is None:
            answer.unknown = [
                (field * unknowns.width, count)
                for field, _, kind, count in unknowns.ready(answer.end)
                if self._can_leave(self._leaves[kind], answer)
            ]
        return any(used >> shift & unknowns.mask < count for shift, count in answer.unknown)

    def is_seen(self, state: int, at: int) -> bool:
        """Whether something that is seen after `at` can begin with a state.

        It counts as seen if some operation is known to look at a part of the state.
        """
        until = self._seen_until.get(state)
        if until is None:
            until = self._seen_until[state] = self._last_sight(state)
        return until >= at

    def _last_sight(self, number: int) -> int:
        state = self._problem.steps.states[number]
        if not self._is_whole or any(begins(state, saw) for saw in self._unknown_saws):
            return _FOREVER
        for answer in reversed(self._answers):
            if begins(state, answer.saw):
                return answer.end
        return _NEVER

    def is_wanted(self, state: int, after: int, at: int) -> bool:
        """Whether what an operation has put behind a state is seen after `at`, maybe elsewhere."""
        states = self._problem.steps.states
        one, other = states[state], states[after]
        if not isinstance(one, str | tuple) or type(one) is not type(other):
            return self.is_seen(after, at)
        if not begins(one, other):
            return self.is_seen(after, at)
        added = other[len(one) :]
        until = self._wanted.get(added)
        if until is None:
            until = _NEVER
            for answer in reversed(self._answers):
                if added in answer.saw if isinstance(added, str) else added[-1:] in answer.saw:
                    until = answer.end
                    break
            self._wanted[added] = until
        return until >= at

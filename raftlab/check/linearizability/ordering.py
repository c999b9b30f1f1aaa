"""The search for an order of the operations on one object.

It goes through starts and ends in the order of time, and places an operation only when
it must: at its end. Four things keep it short. What can never change a state is placed at
the first moment at which it fits, for nothing is lost by that. A place that was reached
before with the same state, and with the same operations under way placed, is not
searched again. Operations whose outcome is unknown are interchangeable if they are of
one kind, so they are counted, and a place that was reached with fewer of them makes all
others there superfluous. And one of them is placed only if the next operation that is
placed notices. Where the model knows what answers say of the order, they guide the search
(`lookahead.py`).

Sources: Wing and Gong 1993 (the search), Lowe 2017 (memoization; placing just in time).
"""

from collections.abc import Iterator
from functools import partial
from typing import TypeAlias

from raftlab.check.linearizability.intervals import CHANGES, ENDS, Open, Problem
from raftlab.check.linearizability.lookahead import NOWHERE, Lookahead
from raftlab.check.linearizability.models import State
from raftlab.check.linearizability.transitions import REFUSED

Trail: TypeAlias = "tuple[Trail, int] | None"
"""The operations placed so far, the last one first."""

Place: TypeAlias = tuple[int, int, int, int, int, Trail]
"""Where a search stands: the moment, the state, which operations under way are placed,
how many unknown ones of each kind, the state before the last of them if nothing has
noticed it yet (or NOTICED), and the trail."""

Choices: TypeAlias = tuple[Open, list[tuple[int, int, int, int]]]
"""What can be placed at an end: operations under way, and unknown ones (see `Unknowns.ready`)."""

NOTICED = -1


class Search:
    """The search for an order of the operations of `problem`, as far as they end before `until`.

    `run` goes on searching for a while. When it `is_done`, `found` says whether there is
    an order. `deepest` is the moment up to which everything could be placed, with the
    operations in `trail`; `states` are those in which the object can have been there. With
    `ahead`, answers guide it: then there may be other states, and an end may be out of reach
    because of answers that come later.
    """

    def __init__(
        self, problem: Problem, ahead: Lookahead | None = None, until: int | None = None
    ) -> None:
        self.problem = problem
        self.ahead = ahead
        self._steps = problem.steps
        self._line = problem.line
        self._unknowns = problem.unknowns
        self._until = len(problem.line.what) if until is None else until
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
        return self.problem.line.numbers[self.deepest]

    def run(self, allowance: int) -> int:
        """Search on, trying about `allowance` placements; returns how many were tried."""
        tried, todo, last = self._tried, self._todo, self._until
        branch, is_new = self._branch, self._is_new
        if self.ahead is not None:
            branch, is_new = partial(self._guided, self.ahead), partial(self._is_open, self.ahead)
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
            if is_new(here):
                todo.append(branch(here))
        self.is_done = not todo
        return self._tried - tried

    def _advance(self, place: Place) -> Place:
        """The next end of an operation that is not placed yet; reads are, if they fit."""
        at, state, placed, used, before, trail = place
        what, bits, numbers = self._line.what, self._line.bits, self._line.numbers
        row, learn, last = self._steps.rows[state], self._steps.learn, self._until
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

    def _is_open(self, ahead: Lookahead, place: Place) -> bool:
        """Whether it is new, where states that nobody will see are one, and no answer closes it."""
        at, state, placed, used, before, trail = place
        seen = state if ahead.is_seen(state, at) else NOWHERE
        if not self._is_new((at, seen, placed, used, before, trail)):
            return False
        open_ = self._ends[at][0] if at in self._ends else self._choices(at)[0]
        return ahead.judge(at, state, placed, used, self._until, open_) is not None

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
        """Where the search can go on: what ends here first, unknown operations last."""
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

    def _guided(self, ahead: Lookahead, place: Place) -> Iterator[Place]:
        """The same, without what answers have closed; what leads to the next one is first."""
        at, state, _, used, _, _ = place
        open_, until, later, last = self._ends[at][0], self._until, [], []
        for here in self._branch(place):
            _, after, now_placed, now_used, _, _ = here
            fits = ahead.judge(at, after, now_placed, now_used, until, open_)
            if fits is None:
                continue
            if now_used - used in ahead.more and not ahead.is_seen(after, at):
                continue
            if fits:
                yield here
            elif ahead.is_wanted(state, after, at):
                last.append(here)
            else:
                later.append(here)
        yield from later
        yield from last

    def _choices(self, at: int) -> Choices:
        """What can be placed at an end: what ends there first."""
        ends = self._line.bits[at]
        under_way = self._line.under_way(at)
        under_way.sort(key=lambda each: each[0] != ends)
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

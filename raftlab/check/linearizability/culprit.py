"""Which operation is the first that has no place in any order.

A search that is guided by answers knows that there is no order, and not how far one reaches:
it has turned back before answers that come later. A history that is linearizable up to some
end is so up to every earlier end, so the first end that is not can be found by halving.
"""

from typing import NamedTuple

from raftlab.check.linearizability.models import State
from raftlab.check.linearizability.ordering import Search

STATES_BUDGET = 20_000
"""How many placements are tried to find all states before the culprit."""


class Culprit(NamedTuple):
    """The operation (by number), those that can be placed before it ends, in order, and states.

    `states` are those in which the object can be then: all of them, or one, if `is_whole`
    is not so. If `is_first` is not so, the budget was used up: an earlier operation may have
    no place. `tried` is how many placements that took.
    """

    number: int
    trail: list[int]
    states: list[State]
    is_whole: bool
    is_first: bool
    tried: int


def culprit_of(search: Search, budget: int) -> Culprit:
    """The first operation without a place, after a search that has found no order."""
    if search.ahead is None:
        return Culprit(search.stuck, search.trail, search.states, True, True, 0)
    problem, is_first, tried = search.problem, True, 0
    ends = problem.ends
    low, high = ends.index(search.deepest), len(ends) - 1
    while low < high:
        middle = (low + high) // 2
        part = Search(problem, search.ahead, ends[middle] + 1)
        tried += part.run(budget)
        if part.is_done and not part.found:
            low, high = max(low, ends.index(part.deepest)), middle
        else:
            is_first = is_first and part.is_done
            low = middle + 1
    last = ends[high]
    plain = Search(problem, None, last + 1)
    tried += plain.run(STATES_BUDGET)
    if plain.is_done or not is_first:
        return Culprit(problem.line.numbers[last], plain.trail, plain.states, True, is_first, tried)
    before = Search(problem, search.ahead, last)
    tried += before.run(budget)
    number = problem.line.numbers[last]
    return Culprit(number, before.trail, before.states, False, before.found, tried)

"""Could one object, used by one client at a time, have given these answers?

A history is linearizable if each operation can be given one moment between its start and
its end, such that all of them, in the order of these moments, give the answers that the
clients got. Sources: Herlihy and Wing 1990 (the condition; 3.1: it holds if it holds for
each object by itself), Wing and Gong 1993 and Lowe 2017 (the search, `ordering.py`), Horn
and Kroening 2015 (checking each key by itself).
"""

from collections.abc import Callable, Hashable, Iterable, Sequence

import msgspec

from raftlab.check.history import History, Operation, Outcome
from raftlab.check.history.operations import (
    answer_matters,
    exact_text,
    operation_text,
    value_text,
    with_article,
)
from raftlab.check.linearizability.culprit import Culprit, culprit_of
from raftlab.check.linearizability.intervals import Problem
from raftlab.check.linearizability.lookahead import Lookahead
from raftlab.check.linearizability.models import KeyValue, Model, State, key_of
from raftlab.check.linearizability.ordering import Search
from raftlab.raft.vocabulary import Millis, Misuse, how_many, shortened, shown

BUDGET = 3_000_000
"""How many placements are tried if nobody says otherwise: some seconds of work."""

SLICE = 4_000
"""How many placements are tried for one key before the next key has its turn, at first."""

_MOST_STATES = 4


class Verdict(msgspec.Struct, frozen=True):
    """What a check has found.

    `is_linearizable` is True, False, or None if the budget was used up before it was
    clear. `explanation` says it in words. `prefix` holds operations in an order that gives
    the answers that the clients got, and `moments` a moment (ms) for each, in that order:

    * True: all acknowledged operations, and those unknown ones that help to explain them;
    * False: those of `key` up to the end of `culprit`, the first end of an operation by
      which no order is left: the longest prefix of the history that is linearizable;
    * None: those of `key` as far as the search has come; there is no culprit.

    `key` is the key the verdict is about; None for all of them, or if there are no keys.
    `tried` is how many placements were tried. `history` holds the operations on `key`, or
    all that was checked; `model` is the name of the model.
    """

    is_linearizable: bool | None
    explanation: str
    prefix: tuple[Operation, ...]
    moments: tuple[Millis, ...]
    culprit: Operation | None
    key: Hashable
    tried: int
    history: History
    model: str

    @property
    def unknown(self) -> bool:
        """Whether the budget was used up before it was clear."""
        return self.is_linearizable is None

    def __bool__(self) -> bool:
        raise TypeError(
            "a verdict can be yes, no or unknown, so it is neither true nor false: ask for its"
            " is_linearizable, which is True, False or None"
        )

    def __str__(self) -> str:
        return self.explanation

    def __repr__(self) -> str:
        return self.explanation


def check(
    history: Iterable[Operation], *, model: Model | None = None, budget: int = BUDGET
) -> Verdict:
    """Whether `history` is linearizable, as a `Verdict`. Equal histories give equal verdicts.

    `model` says what the answers should be (a `KeyValue`, if nobody says otherwise).
    `budget` is how many placements of operations are tried at most, about 2 µs each; then
    the verdict is unknown. Keys take turns, so that a hard one does not hide a wrong one.

    Of an operation only its start and its end matter, not whose it is: two operations of
    one client that overlap are concurrent.

    Raises: Misuse, for a history or a model that is none, a call that the model does not
    know, or a budget that is none.
    """
    if type(budget) is not int or budget < 1:
        raise Misuse(f"a budget is a number of placements from 1, not {shown(budget)}")
    whole = history if isinstance(history, History) else History(history)
    model = KeyValue() if model is None else checked_model(model)
    searches = {key: search_for(mine, model) for key, mine in by_key(whole, model).items()}
    tried = _take_turns(list(searches.values()), budget)
    name = getattr(model, "__name__", type(model).__name__)
    for key, search in searches.items():
        if search.is_done and not search.found:
            found = culprit_of(search, budget)
            return _refused(_of_key(whole, model, key), name, key, search.problem, found, tried)
    for key, search in searches.items():
        if not search.is_done:
            return _cut_off(_of_key(whole, model, key), name, key, search, tried)
    return _accepted(whole, name, list(searches.values()), tried)


def checked_model(model: Model) -> Model:
    """`model`, if it is one. Raises: Misuse."""
    if isinstance(model, type):
        name = model.__name__
        raise Misuse(f"a model is an object, and {name} is a class: say model={name}()")
    if not (callable(getattr(model, "step", None)) and hasattr(model, "initial")):
        raise Misuse(
            f"a model has an `initial` state and a method `step`, and {shown(model)} has not: say"
            " KeyValue(), Register(), AppendList() or an object of your own"
        )
    return model


def by_key(history: History, model: Model) -> dict[Hashable, list[Operation]]:
    """The operations that may have had an effect, key by key, in order of first appearance."""
    found: dict[Hashable, list[Operation]] = {}
    for operation in history:
        if operation.outcome is not Outcome.FAILED:
            found.setdefault(key_of(model, operation), []).append(operation)
    return found


def search_for(operations: Sequence[Operation], model: Model) -> Search:
    """The search on one object, guided by answers where the model knows how."""
    problem = Problem(operations, model)
    return Search(problem, Lookahead.into(problem))


def _of_key(history: History, model: Model, key: Hashable) -> History:
    return History(each for each in history if key_of(model, each) == key)


def _take_turns(searches: list[Search], budget: int) -> int:
    """Search key by key for a while, until all is clear, one is wrong, or the budget is used."""
    tried, turn, waiting = 0, SLICE, searches
    while waiting:
        for search in waiting:
            if tried >= budget:
                return tried
            tried += search.run(min(turn, budget - tried))
            if search.is_done and not search.found:
                return tried
        waiting = [search for search in waiting if not search.is_done]
        turn *= 2
    return tried


def _order(problem: Problem, trail: list[int]) -> tuple[list[Operation], list[Millis]]:
    """The operations that were placed, and the earliest moments at which they can stand."""
    placed = [problem.operations[number] for number in trail]
    moments: list[Millis] = []
    for operation in placed:
        moments.append(max(moments[-1], operation.start) if moments else operation.start)
    return placed, moments


# Verdicts


def _accepted(whole: History, model: str, searches: Sequence[Search], tried: int) -> Verdict:
    rows = []
    for place, search in enumerate(searches):
        for number, (operation, moment) in enumerate(
            zip(*_order(search.problem, search.trail), strict=True)
        ):
            rows.append((moment, place, number, operation))
    rows.sort(key=lambda row: row[:3])
    prefix = tuple(row[3] for row in rows)
    unknown = sum(operation.is_unknown for operation in whole)
    used = sum(operation.is_unknown for operation in prefix)
    keys = f" on {how_many(len(searches), 'key')}" if len(searches) > 1 else ""
    said = (
        f"Linearizable: {_all_of(len(prefix))}{keys} can be given one moment"
        f" between its start and its end, so that {with_article(model)} used by one client at a"
        " time gives the same answers."
    )
    if not prefix:
        why = "no operation in the history was acknowledged" if whole else "the history is empty"
        said = f"Linearizable: {why}, so there is no answer to explain."
    if unknown:
        of_all = f"{used} of {how_many(unknown, 'operation')}"
        said += f" {of_all} of unknown outcome helped to explain them."
    moments = tuple(row[0] for row in rows)
    return Verdict(True, said, prefix, moments, None, None, tried, whole, model)


def _refused(
    mine: History, model: str, key: Hashable, problem: Problem, found: Culprit, tried: int
) -> Verdict:
    culprit = problem.operations[found.number]
    placed, moments = _order(problem, found.trail)
    text = _telling_apart(culprit, found.states)
    who = shortened(culprit.client, 40)
    said = (
        f"Not linearizable: {who}'s “{operation_text(culprit, text(culprit.result))}”"
        f" ({culprit.start:.1f} to {culprit.end:.1f} ms) cannot be placed."
        f" {_why(found, culprit, _on(key), text)}"
    )
    if _is_unheard_of(culprit, problem.operations):
        said += f" Nothing that had begun by then gives {shortened(text(culprit.result))}"
        said += f"{_but_failed(culprit, mine)}."
    tried += found.tried
    return Verdict(False, said, tuple(placed), tuple(moments), culprit, key, tried, mine, model)


def _why(found: Culprit, culprit: Operation, on: str, text: Callable[[object], str]) -> str:
    """Why the culprit has no place, as far as that is known."""
    ended = f"that had ended before {culprit.end:.1f} ms"
    if not found.is_first:
        return (
            f"With it, the operations{on} {ended} cannot be put in order; whether they can"
            " without it, or another is the first to have no place, a larger budget may say."
        )
    if found.is_whole:
        return (
            f"The operations{on} {ended} can be put in order, but in every such order the state"
            f" at that time is {_states(found.states, text)}, and this operation does not fit."
        )
    return (
        f"The operations{on} {ended} can be put in order, as one in which the state at that time"
        f" is {_states(found.states, text)}, but this operation fits into none."
    )


def _cut_off(mine: History, model: str, key: Hashable, search: Search, tried: int) -> Verdict:
    placed, moments = _order(search.problem, search.trail)
    acknowledged = sum(not each.is_unknown for each in search.problem.operations)
    said = (
        f"Unknown: {how_many(tried, 'placement')} were tried, and then the budget was used up."
        f" So far, {len(placed)} of {how_many(acknowledged, 'acknowledged operation')}{_on(key)}"
        " could be put in order. A larger budget may decide it."
    )
    return Verdict(None, said, tuple(placed), tuple(moments), None, key, tried, mine, model)


def _on(key: Hashable) -> str:
    return "" if key is None else f" on {shortened(value_text(key), 40)}"


def _all_of(count: int) -> str:
    return f"each of {count:,} operations" if count > 1 else "its operation"


def _telling_apart(culprit: Operation, states: list[State]) -> Callable[[object], str]:
    """How to say values: with quotes around text if 1 and "1" would look the same without."""
    same = (value_text(state) == value_text(culprit.result) for state in states)
    return exact_text if answer_matters(culprit) and any(same) else value_text


def _states(states: list[State], text: Callable[[object], str]) -> str:
    """The states in words; of many, the first ones by their text."""
    told = sorted(shortened(text(state)) for state in states)[:_MOST_STATES]
    if len(states) > _MOST_STATES:
        told.append(f"one of {len(states) - _MOST_STATES} others")
    return " or ".join([", ".join(told[:-1]), told[-1]] if len(told) > 1 else told)


def _is_unheard_of(culprit: Operation, operations: Sequence[Operation]) -> bool:
    """Whether the culprit read a value that no operation had written by then."""
    if culprit.call not in ("read", "get") or isinstance(culprit.result, tuple):
        return False
    for each in operations:
        if each is culprit or each.start > (culprit.end or 0.0):
            continue
        if each.call not in ("write", "put", "cas", "read", "get"):
            return False
        if _gives(each, culprit.result):
            return False
    return culprit.result is not None


def _gives(operation: Operation, value: object) -> bool:
    """Whether `operation` writes `value`, or something that looks the same."""
    if operation.call not in ("write", "put", "cas"):
        return False
    argument = operation.argument
    is_pair = operation.call == "cas" and isinstance(argument, tuple) and len(argument) == 2
    return value_text(argument[1] if is_pair else argument) == value_text(value)


def _but_failed(culprit: Operation, mine: History) -> str:
    """Whose write of the value that was read had failed, if there was one."""
    for each in mine:
        if each.outcome is Outcome.FAILED and _gives(each, culprit.result):
            who, what = shortened(each.client, 40), operation_text(each)
            return f": {who}'s “{what}” failed, so it had no effect"
    return ""

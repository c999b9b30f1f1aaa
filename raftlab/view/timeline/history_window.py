"""What of a history is drawn: which operations, in which lanes, at which moments."""

from collections.abc import Sequence

import msgspec

from raftlab.check.history import History, Operation
from raftlab.check.linearizability import Verdict
from raftlab.raft.vocabulary import Millis
from raftlab.view import style
from raftlab.view.timeline.axis import WIDTH
from raftlab.view.words import clean

RIGHT = 34.0
_FINEST = 2.0**-40  # of a time: what is less cannot be drawn, for floats are not finer by far


class HistoryWindow(msgspec.Struct, frozen=True):
    """What of a history is drawn: operations by their place in it, in lanes, and a window."""

    history: History
    verdict: Verdict | None
    places: tuple[int, ...]
    lanes: tuple[tuple[str, tuple[int, ...]], ...]
    start: Millis
    end: Millis
    order: dict[int, int]
    moments: dict[int, Millis]
    culprit: int | None
    left: float

    def x(self, at: Millis) -> float:
        """Where a moment lies."""
        return self.left + (WIDTH - RIGHT - self.left) * (at - self.start) / (self.end - self.start)

    def until(self, place: int) -> Millis:
        """Until when an operation is drawn."""
        return drawn_until(self.history[place], self.moments.get(place), self.end)


def drawn_until(operation: Operation, moment: Millis | None, end: Millis) -> Millis:
    """The end of an operation; of an unknown one, the moment that it was given, if that is later.

    One that has no end and was given no moment is drawn to the `end` of the picture.
    """
    if operation.end is None:
        return end
    return operation.end if moment is None else max(operation.end, moment)


def window_of_history(of: History | Verdict, last: int) -> HistoryWindow:
    """What is drawn of a history."""
    history, verdict = (of.history, of) if isinstance(of, Verdict) else (of, None)
    wrong = None if verdict is None else verdict.culprit
    culprit = None if wrong is None else _place_of(history, wrong)
    limit = float("inf") if culprit is None else history[culprit].end or 0.0
    begun = [place for place, each in enumerate(history) if each.start <= limit]
    begun.sort(key=lambda place: (history[place].start, place))
    places = begun[-last:] if last > 0 else []
    if culprit is not None and places and culprit not in places:
        places = [culprit, *places[1:]]
    start = min((history[place].start for place in places), default=0.0)
    ends = [history[place].end or history[place].start for place in places]
    end = max([start + max(1.0, abs(start) * _FINEST), *ends])
    order, moments = _order_of(history, verdict, set(places), end)
    lanes = _lanes(history, places, moments, end)
    widest = max((style.text_width(clean(c), bold=True) for c, _ in lanes), default=0.0)
    left = min(max(widest + 24, 44.0), 150.0)
    return HistoryWindow(
        history, verdict, tuple(places), lanes, start, end, order, moments, culprit, left
    )


def _place_of(history: History, operation: Operation) -> int:
    return next(place for place, each in enumerate(history) if each is operation)


def _order_of(
    history: History, verdict: Verdict | None, places: set[int], end: Millis
) -> tuple[dict[int, int], dict[int, Millis]]:
    """The place in the order of each operation shown, and a moment that can be seen."""
    if verdict is None:
        return {}, {}
    by_identity = {id(each): place for place, each in enumerate(history)}
    placed = [by_identity[id(each)] for each in verdict.prefix]
    order = {place: number for number, place in enumerate(placed, start=1) if place in places}
    shown = [place for place in placed if place in places]
    return order, dict(zip(shown, spread([history[each] for each in shown], end), strict=True))


def spread(operations: Sequence[Operation], end: Millis) -> list[Millis]:
    """A moment for each of some operations in a valid order, as far apart as is simple.

    `end` (ms) is the last moment for those of unknown outcome.
    """
    latest = [end if each.is_unknown or each.end is None else each.end for each in operations]
    for place in range(len(latest) - 2, -1, -1):
        latest[place] = min(latest[place], latest[place + 1])
    moments: list[Millis] = []
    for place, operation in enumerate(operations):
        low = max(moments[-1], operation.start) if moments else operation.start
        high = max(latest[place], low)
        rivals = 1
        for later in operations[place + 1 : place + 9]:
            if later.start >= high:
                break
            rivals += 1
        moments.append(low + (high - low) / (rivals + 1))
    return moments


def _lanes(
    history: History, places: Sequence[int], moments: dict[int, Millis], end: Millis
) -> tuple[tuple[str, tuple[int, ...]], ...]:
    """The operations of each client; those that overlap stand in lanes of their own."""
    clients: dict[str, list[list[int]]] = {}
    for client in sorted({history[place].client for place in places}):
        clients[client] = []
    for place in places:
        operation, lanes = history[place], clients[history[place].client]
        for lane in lanes:
            if drawn_until(history[lane[-1]], moments.get(lane[-1]), end) <= operation.start:
                lane.append(place)
                break
        else:
            lanes.append([place])
    return tuple((client, tuple(lane)) for client, lanes in clients.items() for lane in lanes)

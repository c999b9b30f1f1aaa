"""What clients saw, in time: a line for each client, a bar for each operation, and a verdict.

A bar reaches from the question to the answer. The dot on it is a moment at which the
operation can have happened, and the number under it its place in the order that the
check has found. What cannot be placed is hatched, with a heavy edge and words.
Source: Herlihy and Wing 1990, figure 1 (histories drawn as intervals).
"""

from collections.abc import Iterator, Sequence
from functools import partial

import msgspec

from raftlab.check.history import History, Operation, Outcome
from raftlab.check.history.operations import said_of, value_text
from raftlab.check.linearizability import Verdict
from raftlab.raft.vocabulary import Millis, Misuse, shown
from raftlab.view import style
from raftlab.view.checked import checked
from raftlab.view.marks import Box, Disc, Ink, Mark, Path, Text
from raftlab.view.scene import Scene
from raftlab.view.timeline.axis import WIDTH, axis_marks
from raftlab.view.words import clean, ms, table

MOST = 30
"""How many operations are shown if nobody says otherwise."""

_RIGHT, _TOP, _PITCH, _HIGH = 34.0, 20.0, 44.0, 14.0
_UNKNOWN_DASH = (4.0, 3.0)
_FAILED_DASH = (1.2, 2.4)
_LINE = 15.0
_NARROWEST = 5.0
_FINEST = 2.0**-40  # of a time: what is less cannot be drawn, for floats are not finer by far

CULPRIT = "cannot be placed"
"""What is said of the operation that has no place in any order."""


class Shown(msgspec.Struct, frozen=True):
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
        return self.left + (WIDTH - _RIGHT - self.left) * (at - self.start) / (
            self.end - self.start
        )

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


@checked
def scene_history(of: History | Verdict, last: int = MOST) -> Scene:
    """A history, or a verdict on it, as a timeline of its clients.

    Of a long one, `last` operations are drawn: those that began last, or, if something
    cannot be placed, those that began last before it had ended. The text has the same
    ones, and says how many there are in all.
    Ids: "op-17" the bar of the operation at place 17 (from 0) of the history, "at-17" the
    moment at which it can have happened.
    """
    shown = _shown(of, last)
    text = partial(describe_history, of, last)
    marks: list[Mark] = []
    y = _TOP
    for number, line in enumerate(_headlines(shown)):
        name = f"headline-{number}" if number else "headline"
        marks.append(Text(name, 10, y, line, anchor="start", role="headline"))
        y += _LINE
    if not shown.places:
        return Scene(WIDTH, y, tuple(marks), "History", text)
    y += 22
    for number, (client, places) in enumerate(shown.lanes):
        marks += _lane(shown, number, client, places, y)
        y += _PITCH
    marks += axis_marks(shown.x, shown.start, shown.end, y)
    legend, y = _legend(shown, y + 38)
    return Scene(WIDTH, y, (*marks, *legend), "History", text)


@checked
def describe_history(of: History | Verdict, last: int = MOST) -> str:
    """What the check has found, and the operations in the order of their starts.

    "#" is the place in the order that was found; an operation without one was not placed.
    """
    shown = _shown(of, last)
    rows = []
    for place in shown.places:
        operation = shown.history[place]
        number = shown.order.get(place)
        rows.append(
            [
                "" if number is None else str(number),
                f"{operation.start:.1f}",
                "" if operation.end is None else f"{operation.end:.1f}",
                clean(operation.client),
                clean(said_of(operation), 60),
                _remark(shown, place),
            ]
        )
    said = of.explanation if isinstance(of, Verdict) else _sentence(shown)
    if not rows:
        return said
    header = ["#", "from ms", "to ms", "client", "operation", ""]
    parts = [said, "", table(header, rows, right=(0, 1, 2))]
    if len(rows) < len(shown.history):
        parts[1:1] = [_left_out(shown)]
    return "\n".join(parts)


# What is shown


def _shown(of: History | Verdict, last: int) -> Shown:
    history, verdict = (of.history, of) if isinstance(of, Verdict) else (of, None)
    if not isinstance(history, History):
        raise Misuse(f"this draws a History, or what check found of one, and not {shown(of)}")
    if type(last) is not int:
        raise Misuse(f"last is how many operations are shown, not {shown(last)}")
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
    return Shown(history, verdict, tuple(places), lanes, start, end, order, moments, culprit, left)


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


# In words


def _headlines(shown: Shown) -> list[str]:
    said = _sentence(shown) if shown.verdict is None else shown.verdict.explanation
    if len(shown.places) < len(shown.history):
        said = f"{said} {_left_out(shown)}"
    return style.wrap_text(clean(said, 1000), WIDTH - 20)


def _sentence(shown: Shown) -> str:
    history = shown.history
    if not history:
        return "An empty history."
    clients = len(history.clients)
    whom = "1 client" if clients == 1 else f"{clients} clients"
    what = "1 operation" if len(history) == 1 else f"{len(history):,} operations"
    return f"{what} of {whom}, from {ms(min(each.start for each in history))} on."


def _left_out(shown: Shown) -> str:
    key = None if shown.verdict is None else shown.verdict.key
    whose = "" if key is None else f" on {value_text(key)}"
    return f"{len(shown.places)} of {len(shown.history):,} operations{whose} are shown."


def _remark(shown: Shown, place: int) -> str:
    if place == shown.culprit:
        return CULPRIT
    operation = shown.history[place]
    if operation.outcome is Outcome.ACKNOWLEDGED:
        return ""
    if place in shown.order:
        return "unknown, taken to have happened"
    outcome: str = operation.outcome.value
    return outcome


# Marks


def _lane(
    shown: Shown, number: int, client: str, places: tuple[int, ...], y: float
) -> Iterator[Mark]:
    name = f"lane-{number}"
    word = style.fit_text(clean(client), shown.left - 20, bold=True)
    yield Text(f"{name}-name", 10, y + 4, word, anchor="start", bold=True, role="name")
    ends = (shown.left, y), (WIDTH - _RIGHT, y)
    yield Path(name, ends, Ink(None, style.FAINT, 1.0), role="life")
    free = shown.left
    for here, place in enumerate(places):
        after = places[here + 1] if here + 1 < len(places) else None
        room = WIDTH - 8 if after is None else shown.x(shown.history[after].start) - 3
        yield _bar(shown, place, y)
        for mark in _words(shown, place, y, room if after is not None else None, free):
            if isinstance(mark, Text):
                free = mark.x + style.text_width(mark.text, bold=mark.bold) + 6
            yield mark
    yield from _moments(shown, places, y)


def _extent(shown: Shown, place: int) -> tuple[float, float]:
    """From where to where a bar reaches; the shortest ones are drawn a little longer."""
    operation = shown.history[place]
    left = shown.x(operation.start)
    wide = max(shown.x(shown.until(place)) - left, _NARROWEST)
    return min(left, WIDTH - _RIGHT + 10 - wide), wide


def _bar(shown: Shown, place: int, y: float) -> Mark:
    operation, culprit = shown.history[place], place == shown.culprit
    left, wide = _extent(shown, place)
    title = f"{operation}; {CULPRIT}" if culprit else str(operation)
    role = f"operation {'culprit' if culprit else operation.outcome.value}"
    data: dict[str, str | int | float] = {"place": place, "client": clean(operation.client)}
    ink, top = _ink(operation, culprit), y - _HIGH / 2
    return Box(f"op-{place}", left, top, wide, _HIGH, ink, 2.0, role, data, title)


def _words(shown: Shown, place: int, y: float, room: float | None, free: float) -> Iterator[Mark]:
    """What was asked and answered, above the bar; an end that nobody knows is open.

    It reaches to `room` at most; the last of a lane (None) may begin as far left as `free`.
    """
    operation, name = shown.history[place], f"op-{place}"
    (left, wide), top = _extent(shown, place), y - _HIGH / 2
    if operation.is_unknown:
        ends = (left + wide, top), (left + wide, top + _HIGH)
        yield Path(f"{name}-open", ends, Ink(None, style.PAPER, 2.4), role="open")
    said = said_of(operation) + (": failed" if operation.outcome is Outcome.FAILED else "")
    bold = place == shown.culprit
    said, x = clean(said, 80), left
    if room is None:
        room = WIDTH - 8
        x = max(min(left, room - 1 - style.text_width(said, bold=bold)), min(free, left))
    said = style.fit_text(said, room - x, bold=bold)
    if len(said) > 1:
        yield Text(f"{name}-says", x, top - 4, said, anchor="start", bold=bold, role="says")


def _moments(shown: Shown, places: tuple[int, ...], y: float) -> Iterator[Mark]:
    """The dots and their numbers, and the words under what cannot be placed."""
    taken: list[tuple[float, float]] = []
    if shown.culprit in places:
        left, wide = _extent(shown, places[places.index(shown.culprit)])
        half = style.text_width(CULPRIT, bold=True) / 2
        x = min(max(left + wide / 2, half + 6), WIDTH - half - 6)
        taken.append((x - half - 2, x + half + 2))
        yield Text(f"op-{shown.culprit}-why", x, y + 19, CULPRIT, bold=True, role="why")
    for place in places:
        if place not in shown.moments:
            continue
        x, word = shown.x(shown.moments[place]), str(shown.order[place])
        yield Disc(f"at-{place}", x, y, 3.4, Ink(style.INK, style.PAPER, 1.0), "moment")
        half = style.text_width(word) / 2
        if all(x + half < left or x - half > right for left, right in taken):
            yield Text(f"order-{place}", x, y + 19, word, role="order")
            taken.append((x - half - 2, x + half + 2))


def _ink(operation: Operation, culprit: bool) -> Ink:
    if culprit:
        return Ink(style.PAPER, style.INK, 3.0, hatch=True)
    match operation.outcome:
        case Outcome.ACKNOWLEDGED:
            return Ink(style.FAINT, style.INK, 1.2)
        case Outcome.UNKNOWN:
            return Ink(style.PAPER, style.INK, 1.2, _UNKNOWN_DASH)
        case Outcome.FAILED:
            return Ink(style.PAPER, style.QUIET, 1.0, _FAILED_DASH)


def _legend(shown: Shown, y: float) -> tuple[list[Mark], float]:
    """What bars and dots mean, of those that are there; and the height of the picture."""
    marks: list[Mark] = []
    x = shown.left
    for name, word, operation in _samples(shown):
        wide = 32 + style.text_width(word) + 14
        if x > shown.left and x + wide - 14 > WIDTH - 4:
            x, y = shown.left, y + 19
        if operation is None:
            marks.append(
                Disc(f"legend-{name}", x + 12, y - 3, 3.4, Ink(style.INK, style.PAPER, 1.0))
            )
        else:
            ink = _ink(operation, name == "culprit")
            marks.append(Box(f"legend-{name}", x, y - 9, 24, 11, ink, 2.0, "legend"))
        marks.append(
            Text(
                f"legend-{name}-word",
                x + 30,
                y,
                word,
                color=style.QUIET,
                anchor="start",
                role="legend",
            )
        )
        x += wide
    return marks, y + 12


def _samples(shown: Shown) -> Iterator[tuple[str, str, Operation | None]]:
    words = {
        Outcome.ACKNOWLEDGED: "from question to answer",
        Outcome.UNKNOWN: "never answered: at any time, or never",
        Outcome.FAILED: "had no effect",
    }
    others = [shown.history[place] for place in shown.places if place != shown.culprit]
    drawn = {each.outcome: each for each in others}
    for outcome, word in words.items():
        if outcome in drawn:
            yield outcome.value, word, drawn[outcome]
    if shown.moments:
        yield "moment", "can have happened here, in this order", None
    if shown.culprit in shown.places:
        yield "culprit", CULPRIT, shown.history[shown.culprit]

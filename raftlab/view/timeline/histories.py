"""What clients saw, in time: a line for each client, a bar for each operation, and a verdict.

A bar reaches from the question to the answer. The dot on it is a moment at which the
operation can have happened, and the number under it its place in the order that the
check has found. What cannot be placed is hatched, with a heavy edge and words.
Source: Herlihy and Wing 1990, figure 1 (histories drawn as intervals).
"""

from collections.abc import Iterator
from functools import partial

from raftlab.check.history import History, Operation, Outcome
from raftlab.check.history.operations import operation_text, value_text
from raftlab.check.linearizability import Verdict
from raftlab.raft.vocabulary import how_many
from raftlab.view import style
from raftlab.view.checked import checked
from raftlab.view.marks import Box, Disc, Ink, Mark, Path, Text
from raftlab.view.scene import Scene
from raftlab.view.timeline.axis import WIDTH, axis_marks
from raftlab.view.timeline.history_window import RIGHT, HistoryWindow, window_of_history
from raftlab.view.words import clean, ms, table

MOST = 30
"""How many operations are shown if nobody says otherwise."""

_TOP, _PITCH, _HIGH = 20.0, 44.0, 14.0
_UNKNOWN_DASH = (4.0, 3.0)
_FAILED_DASH = (1.2, 2.4)
_LINE = 15.0
_NARROWEST = 5.0

CULPRIT = "cannot be placed"
"""What is said of the operation that has no place in any order."""


@checked
def scene_history(of: History | Verdict, last: int = MOST) -> Scene:
    """A history, or a verdict on it, as a timeline of its clients.

    Of a long one, `last` operations are drawn: those that began last, or, if something
    cannot be placed, those that began last before it had ended. The text has the same
    ones, and says how many there are in all.
    Ids: "op-17" the bar of the operation at place 17 (from 0) of the history, "at-17" the
    moment at which it can have happened.
    """
    shown = window_of_history(of, last)
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
    shown = window_of_history(of, last)
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
                clean(operation_text(operation), 60),
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


# In words


def _headlines(shown: HistoryWindow) -> list[str]:
    said = _sentence(shown) if shown.verdict is None else shown.verdict.explanation
    if len(shown.places) < len(shown.history):
        said = f"{said} {_left_out(shown)}"
    return style.wrap_text(clean(said, 1000), WIDTH - 20)


def _sentence(shown: HistoryWindow) -> str:
    history = shown.history
    if not history:
        return "An empty history."
    whom, what = how_many(len(history.clients), "client"), how_many(len(history), "operation")
    return f"{what} of {whom}, from {ms(min(each.start for each in history))} on."


def _left_out(shown: HistoryWindow) -> str:
    key = None if shown.verdict is None else shown.verdict.key
    whose = "" if key is None else f" on {value_text(key)}"
    return f"{len(shown.places)} of {len(shown.history):,} operations{whose} are shown."


def _remark(shown: HistoryWindow, place: int) -> str:
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
    shown: HistoryWindow, number: int, client: str, places: tuple[int, ...], y: float
) -> Iterator[Mark]:
    name = f"lane-{number}"
    word = style.fit_text(clean(client), shown.left - 20, bold=True)
    yield Text(f"{name}-name", 10, y + 4, word, anchor="start", bold=True, role="name")
    ends = (shown.left, y), (WIDTH - RIGHT, y)
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


def _extent(shown: HistoryWindow, place: int) -> tuple[float, float]:
    """From where to where a bar reaches; the shortest ones are drawn a little longer."""
    operation = shown.history[place]
    left = shown.x(operation.start)
    wide = max(shown.x(shown.until(place)) - left, _NARROWEST)
    return min(left, WIDTH - RIGHT + 10 - wide), wide


def _bar(shown: HistoryWindow, place: int, y: float) -> Mark:
    operation, culprit = shown.history[place], place == shown.culprit
    left, wide = _extent(shown, place)
    title = f"{operation}; {CULPRIT}" if culprit else str(operation)
    role = f"operation {'culprit' if culprit else operation.outcome.value}"
    data: dict[str, str | int | float] = {"place": place, "client": clean(operation.client)}
    ink, top = _ink(operation, culprit), y - _HIGH / 2
    return Box(f"op-{place}", left, top, wide, _HIGH, ink, 2.0, role, data, title)


def _words(
    shown: HistoryWindow, place: int, y: float, room: float | None, free: float
) -> Iterator[Mark]:
    """What was asked and answered, above the bar; an end that nobody knows is open.

    It reaches to `room` at most; the last of a lane (None) may begin as far left as `free`.
    """
    operation, name = shown.history[place], f"op-{place}"
    (left, wide), top = _extent(shown, place), y - _HIGH / 2
    if operation.is_unknown:
        ends = (left + wide, top), (left + wide, top + _HIGH)
        yield Path(f"{name}-open", ends, Ink(None, style.PAPER, 2.4), role="open")
    said = operation_text(operation) + (": failed" if operation.outcome is Outcome.FAILED else "")
    bold = place == shown.culprit
    said, x = clean(said, 80), left
    if room is None:
        room = WIDTH - 8
        x = max(min(left, room - 1 - style.text_width(said, bold=bold)), min(free, left))
    said = style.fit_text(said, room - x, bold=bold)
    if len(said) > 1:
        yield Text(f"{name}-says", x, top - 4, said, anchor="start", bold=bold, role="says")


def _moments(shown: HistoryWindow, places: tuple[int, ...], y: float) -> Iterator[Mark]:
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


def _legend(shown: HistoryWindow, y: float) -> tuple[list[Mark], float]:
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


def _samples(shown: HistoryWindow) -> Iterator[tuple[str, str, Operation | None]]:
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

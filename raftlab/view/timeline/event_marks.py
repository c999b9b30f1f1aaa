"""What happened to one node of a timeline: a glyph on its life line, and a word."""

from collections import defaultdict
from collections.abc import Iterator, Mapping

import msgspec

from raftlab.raft.vocabulary import NodeId
from raftlab.sim.frames.frame import TraceMark
from raftlab.view import style
from raftlab.view.marks import Box, Disc, Ink, Mark, Path, Text
from raftlab.view.shapes import cross, pause, snapshot_shape
from raftlab.view.timeline.window import Window, marks_shown
from raftlab.view.words import clean

FIRST_LINE, SECOND_LINE = 19.0, 28.0
"""How far below the life line words stand; the second line is that of commands, too."""

_BESIDE = 13.5
"""From one rarer mark to the next of the same moment."""

_LEAST_PITCH = 40.0
"""Where life lines lie closer, the rarer marks have no words of their own."""

_WORDS: Mapping[str, str] = {
    "join": "join",
    "configuration": "config",
    "transfer": "transfer",
    "forget": "forget",
    "compact": "compact",
    "read": "read",
    "wipe": "wipe",
    "clock": "clock",
    "disk": "disk",
}
"""What beyond Figure 2 is done to a node, by the kind of its mark."""


class _EventMark(msgspec.Struct, frozen=True):
    """One mark of a node: where it is, its word, and how far below; None: no room for it."""

    name: str
    mark: TraceMark
    x: float
    y: float
    word: str
    below: float | None


def event_marks(window: Window) -> Iterator[Mark]:
    """What happened to one node: a glyph on its life line, and a word below where there is room."""
    for each in _placed(window):
        yield from _glyph(each.name, each.mark, each.x, each.y)
        if each.below is not None:
            name, y = f"{each.name}-words", each.y + each.below
            yield Text(name, each.x, y, each.word, style.SMALL, halo=True, role="mark")


def unnamed(window: Window) -> list[TraceMark]:
    """One mark of each rarer kind that somewhere had no room for its word, for a legend."""
    found = {
        each.mark.kind: each.mark
        for each in _placed(window)
        if each.below is None and each.mark.kind in _WORDS
    }
    return [found[kind] for kind in _WORDS if kind in found]


def sample_word(mark: TraceMark) -> str:
    """What a legend says of a mark."""
    return _WORDS[mark.kind]


def sample_marks(name: str, mark: TraceMark, x: float, y: float) -> list[Mark]:
    """The glyph of a mark in a legend, around (x, y)."""
    sample = msgspec.structs.replace(mark, text="")
    return [msgspec.structs.replace(each, role="legend") for each in _glyph(name, sample, x, y)]


# Where the words go


def _placed(window: Window) -> list[_EventMark]:
    """The event_marks in order of time, each word on the first line where it runs over nothing."""
    taken = {node: [0.0, 0.0] for node in window.rows}
    arrows = _arrows(window)
    found: list[_EventMark] = []
    at_once: dict[tuple[NodeId, float], int] = defaultdict(int)
    for place, mark in enumerate(marks_shown(window)):
        if mark.node is None:
            continue
        word = style.fit_text(_word(mark), 80, style.SMALL)
        x, half = window.x(mark.at), style.text_width(word, style.SMALL) / 2
        if mark.kind in _WORDS:  # of several at one moment, none hides another
            x = min(x + _BESIDE * at_once[mark.node, mark.at], max(x, window.right))
            at_once[mark.node, mark.at] += 1
        lines = _lines(mark, window, (x - half, x + half), taken[mark.node], arrows[mark.node])
        for line in lines:
            taken[mark.node][line] = x + half + 3
        below = (FIRST_LINE, SECOND_LINE)[lines[-1]] if lines else None
        if below is not None and mark.kind == "propose":
            below = SECOND_LINE
        name = f"mark-{place}-{mark.kind}"
        found.append(_EventMark(name, mark, x, window.rows[mark.node], word, below))
    return found


def _lines(
    mark: TraceMark,
    window: Window,
    span: tuple[float, float],
    taken: list[float],
    arrows: list[float],
) -> tuple[int, ...]:
    """The lines (0, 1) that a word takes: an ordinary one the room of both, a rarer one its own."""
    left, right = span
    if mark.kind not in _WORDS:
        return (1, 0) if left > max(taken) else ()
    if window.pitch < _LEAST_PITCH:
        return ()
    clear = all(arrow < left - 5 or arrow > right + 5 for arrow in arrows)
    if clear and left > taken[0]:
        return (0,)
    return (1,) if left > taken[1] else ()


def _arrows(window: Window) -> Mapping[NodeId, list[float]]:
    """Where on each life line the arrow of a command crosses the first line of words."""
    found: dict[NodeId, list[float]] = defaultdict(list)
    for mark in marks_shown(window):
        if mark.kind == "propose" and mark.node is not None:
            found[mark.node].append(window.x(mark.at))
    return found


def _word(mark: TraceMark) -> str:
    """What stands beside a mark: the entry committed, the command proposed, or the kind."""
    if mark.detail is not None:
        return clean(mark.detail, 12)
    return _WORDS.get(mark.kind, mark.kind)


# Glyphs


def _glyph(name: str, mark: TraceMark, x: float, y: float) -> Iterator[Mark]:
    ink, role, title = Ink(None, style.INK, 1.6), f"mark {mark.kind}", clean(mark.text, 80)
    match mark.kind:
        case "propose":
            yield Path(name, ((x, y + 20), (x, y + 6)), ink, head="filled", role=role, title=title)
        case "commit":
            bar = Ink(None, style.INK, 3.0)
            yield Path(name, ((x, y - 8), (x, y + 9)), bar, role=role, title=title)
        case "crash":
            yield Disc(f"{name}-ground", x, y, 6.5, Ink(style.PAPER), role)
            yield from cross(name, x, y, 5.0, style.QUIET, 2.4)
        case "pause":
            yield from pause(name, x, y, 6.5)
        case "timeout":
            yield Disc(name, x, y, 6.0, Ink(style.PAPER, style.INK, 1.4), role, title=title)
            hands = (x, y - 4.0), (x, y), (x + 3.0, y)
            yield Path(f"{name}-hands", hands, Ink(None, style.INK, 1.4), role=role)
        case "restart" | "resume" | "join":  # it goes on
            points = (x - 4.0, y - 5.5), (x + 5.5, y), (x - 4.0, y + 5.5)
            go = Ink(style.PAPER, style.INK, 1.4)
            yield Path(name, points, go, closed=True, role=role, title=title)
        case "configuration" | "disk" | "wipe":
            yield from _square(name, mark.kind, x, y, role, title)
        case "compact":
            pill = snapshot_shape(name, x - 7.0, y - 4.5, 14.0, 9.0, 1.4, False, title)
            yield from (msgspec.structs.replace(each, role=role) for each in pill)
        case _:
            yield from _round(name, mark.kind, x, y, role, title)


def _square(name: str, kind: str, x: float, y: float, role: str, title: str) -> Iterator[Mark]:
    """An entry with the corner of a configuration; or a disk, with a cross if it is lost."""
    ink, r = Ink(style.PAPER, style.INK, 1.4), 5.0
    yield Box(name, x - r, y - r, 2 * r, 2 * r, ink, 0.0, role, title=title)
    if kind == "configuration":
        corner = (x - 1.0, y - r), (x + r, y - r), (x + r, y + 1.0)
        yield Path(f"{name}-corner", corner, Ink(style.INK), closed=True, role=role)
    elif kind == "wipe":
        yield from cross(name, x, y, 3.0, style.QUIET, 1.8)
    else:
        line = (x - 2.5, y + 2.0), (x + 2.5, y + 2.0)
        yield Path(f"{name}-slot", line, Ink(None, style.INK, 1.4), role=role)


def _round(name: str, kind: str, x: float, y: float, role: str, title: str) -> Iterator[Mark]:
    """A question (read), a way on (transfer), two hurrying wedges (clock), a bar (forget)."""
    ink, line = Ink(style.PAPER, style.INK, 1.4), Ink(None, style.INK, 1.4)
    yield Disc(name, x, y, 6.5, ink, role, title=title)
    match kind:
        case "read":
            hook = (x - 2.4, y - 2.4), (x - 1.0, y - 3.9), (x + 1.2, y - 3.9), (x + 2.4, y - 2.3)
            yield Path(f"{name}-sign", (*hook, (x, y), (x, y + 1.6)), line, role=role)
            yield Disc(f"{name}-dot", x, y + 3.8, 0.9, Ink(style.INK), role)
        case "transfer":
            wedge = (x, y - 3.2), (x + 3.4, y), (x, y + 3.2)
            yield Path(f"{name}-way", ((x - 4.0, y), (x + 3.4, y)), line, role=role)
            yield Path(f"{name}-sign", wedge, line, role=role)
        case "clock":
            for side, left in (("a", x - 3.2), ("b", x + 0.4)):
                wedge = (left, y - 3.0), (left + 2.8, y), (left, y + 3.0)
                yield Path(f"{name}-{side}", wedge, line, role=role)
        case _:
            yield Path(f"{name}-sign", ((x - 3.6, y), (x + 3.6, y)), line, role=role)

"""What happened to one node of a timeline: a glyph on its life line, and a word."""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from itertools import product

import msgspec

from raftlab.raft.vocabulary import NodeId
from raftlab.sim.frames.frame import TraceMark
from raftlab.view import style
from raftlab.view.labels import Labels, Rectangle
from raftlab.view.marks import Box, Disc, Ink, Mark, Path, Text
from raftlab.view.shapes import cross, pause, snapshot_shape
from raftlab.view.timeline.axis import WIDTH
from raftlab.view.timeline.window import Window, marks_shown
from raftlab.view.words import clean

FIRST_LINE, SECOND_LINE = 20.0, 33.0
"""How far below the life line words stand; the second line is that of commands, too."""

_BESIDE = 13.5
"""From one rarer mark to the next of the same moment."""

_FOOT = 36.0
"""How far below a life line its second line of words reaches; of the first, 13 less."""

_ASIDE = 3.0
"""How far from the middle of its glyph a word begins or ends that gives way to an arrow."""

_ROOM = 96.0
_EDGE = 4.0

KINDS: Mapping[str, str] = {
    "propose": "command",
    "commit": "commit index",
    "timeout": "timeout",
    "crash": "crash",
    "restart": "restart",
    "pause": "pause",
    "resume": "resume",
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
"""What is done to a node, by the kind of its mark, as a legend says it."""

_ORDINARY = ("propose", "commit", "timeout", "crash", "restart", "pause", "resume")
"""The kinds that stand where they happened, however many there are; the others move aside."""


class _EventMark(msgspec.Struct, frozen=True):
    """One mark of a node, and where it is."""

    name: str
    mark: TraceMark
    x: float
    y: float


def event_marks(window: Window, labels: Labels) -> Iterator[Mark]:
    """What happened to one node: a glyph on its life line, and a word below where there is room."""
    placed = _placed(window)
    for each in placed:
        for box in _boxes(each):
            labels.take(box)
    for each in placed:
        yield from _glyph(each.name, each.mark, each.x, each.y)
        word = labels.place(_words(each, window))
        if word is not None:
            yield word


def sample_marks(name: str, mark: TraceMark, x: float, y: float) -> list[Mark]:
    """The glyph of a mark in a legend, around (x, y)."""
    if mark.kind == "propose":
        y -= 13.0  # it stands below its life line
    return list(_glyph(name, msgspec.structs.replace(mark, text=""), x, y))


# Where they go


def _placed(window: Window) -> list[_EventMark]:
    """The marks in order of time. Of several rarer ones at one moment, none hides another."""
    found: list[_EventMark] = []
    at_once: dict[tuple[NodeId, float], int] = defaultdict(int)
    for place, mark in enumerate(marks_shown(window)):
        if mark.node is None:
            continue
        x = window.x(mark.at)
        if mark.kind not in _ORDINARY:
            x = min(x + _BESIDE * at_once[mark.node, mark.at], max(x, window.right))
            at_once[mark.node, mark.at] += 1
        found.append(_EventMark(f"mark-{place}-{mark.kind}", mark, x, window.rows[mark.node]))
    return found


def _boxes(each: _EventMark) -> Iterator[Rectangle]:
    """What a glyph takes."""
    x, y = each.x, each.y
    if each.mark.kind == "propose":
        yield x - 3, y + 6, x + 3, y + 20
    else:
        yield x - 7, y - 7, x + 7, y + 7


def _words(each: _EventMark, window: Window) -> Iterator[Text]:
    """Where the word of a mark may stand below its life line.

    Its middle is under the glyph, or all of it is on one side where an arrow would run through it.
    """
    word, name = style.fit_text(_word(each.mark), _ROOM), f"{each.name}-words"
    wide, is_command = style.text_width(word), each.mark.kind == "propose"
    rows = [y for y in (FIRST_LINE, SECOND_LINE) if window.pitch >= _FOOT - FIRST_LINE + y]
    for y, shift in product(rows[is_command:], (0.0, 0.5, -0.5)):
        x = each.x + shift * (wide + 2 * _ASIDE)
        x = min(max(x, wide / 2 + _EDGE), WIDTH - wide / 2 - _EDGE)
        yield Text(name, x, each.y + y, word, halo=True, role="mark")


def _word(mark: TraceMark) -> str:
    """What stands beside a mark: the entry committed, the command proposed, or the kind."""
    if mark.detail is not None:
        return clean(mark.detail, 12)
    return KINDS.get(mark.kind, mark.kind)


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
            crossed = cross(name, x, y, 5.0, style.QUIET, 2.4)
            yield from (msgspec.structs.replace(each, role=role) for each in crossed)
        case "pause":
            yield from (msgspec.structs.replace(each, role=role) for each in pause(name, x, y, 6.5))
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

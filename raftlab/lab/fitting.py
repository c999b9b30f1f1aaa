"""Scenes made to fit their room on the page: what does not fit is left out, and nothing is shrunk.

The stage shows a unit of a scene as one pixel or more. So letters are at least `LEAST` units
here, and a picture that would be wider than its room goes without its less important marks:
the logs without memory, then without disks, then with fewer columns; the cluster without
the words beside its nodes. The text twin tells all of it.
"""

from collections.abc import Iterable, Iterator
from math import floor
from typing import NamedTuple

from msgspec.structs import replace

from raftlab.lab.selection import middle
from raftlab.sim.frames.frame import Frame
from raftlab.view import Scene, scene_cluster, scene_logs, style
from raftlab.view.cluster.legend import LEGEND_END, LEGEND_LINE
from raftlab.view.labels import overlaps, text_box
from raftlab.view.logs.cells import GAP as CELL_GAP
from raftlab.view.logs.rows import BOX_WIDTH, DISK_X, MEMORY_X, in_box
from raftlab.view.marks import Mark, Path, Text
from raftlab.view.scene import moved

LEAST = style.SIZE
"""The smallest letters on the page, in px."""


class Room(NamedTuple):
    """How wide a stage is on the page (px), and whether the page is low, as if much enlarged."""

    width: float
    is_low: bool = False


USUAL_ROOM = Room(926.0)
"""That of a small laptop, with the list of files open."""

SIDE_BY_SIDE = 700.0
"""The two pictures stand one below the other where there is less room."""

BETWEEN = 12.0
"""From one picture to the other."""

MOST_COLUMNS, FEWEST_COLUMNS = 14, 3
NARROWEST = 260.0
"""The logs are at least so wide, or there would be no room for the legend."""

_BESIDE = 41.0  # from the middle of a node to the edge of a picture without words beside it
_ABOVE = 62.0  # and to its upper edge, with words above the first node
_LINE = 15.0
_RAISED = 44.0

HEADS = ("headline", "violation", "configuration")
"""What stands above the ring."""


def legible(mark: Mark) -> Mark:
    """The mark, with letters large enough to be read."""
    return replace(mark, size=LEAST) if isinstance(mark, Text) and mark.size < LEAST else mark


def fitted_cluster(frame: Frame, previous: Frame | None, room: float) -> Scene:
    """The cluster for so much room (px)."""
    scene = scene_cluster(frame, previous)
    marks = [legible(mark) for mark in _counts_in_place(scene.marks)]
    if scene.width <= room:
        return replace(scene, marks=tuple(marks))
    places = [middle(mark)[:2] for mark in marks if mark.role == "node"]
    left, right = min(x for x, _ in places) - _BESIDE, max(x for x, _ in places) + _BESIDE
    top = min(y for _, y in places) - _ABOVE
    beyond = [
        mark.id
        for mark in marks
        if isinstance(mark, Text) and not _lies_within(mark, left, right, top)
    ]
    counts = (name for name in beyond if name.startswith("votes-"))
    pips = tuple(f"vote-{name.removeprefix('votes-')}-" for name in counts)
    kept = [
        moved(mark, -left, -top)
        for mark in marks
        if mark.id not in beyond and not mark.id.startswith(pips)
    ]
    return replace(scene, width=right - left, height=scene.height - top, marks=tuple(kept))


def _counts_in_place(marks: Iterable[Mark]) -> list[Mark]:
    """The marks, with each count of votes where it ends as before when its letters have grown."""
    marks = list(marks)
    for role in [mark for mark in marks if isinstance(mark, Text) and mark.role == "role"]:
        node = role.id.removeprefix("role-")
        ids = (f"votes-{node}", f"votes-{node}-old", f"votes-{node}-new")
        grown = [_growth(mark) for mark in marks if isinstance(mark, Text) and mark.id in ids]
        by = max(grown, default=0.0) * {"start": 0.0, "middle": 0.5, "end": 1.0}[role.anchor]
        row = (f"vote-{node}-", f"voters-{node}-")
        marks = [
            moved(mark, -by, 0.0) if mark.id in ids or mark.id.startswith(row) else mark
            for mark in marks
        ]
    return marks


def _growth(text: Text) -> float:
    """How much wider (px) the words become."""
    small, large = (
        style.text_width(text.text, size, bold=text.bold) for size in (text.size, LEAST)
    )
    return max(large - small, 0.0)


def _raised(scene: Scene) -> Scene:
    """The cluster with less free space between its headline and its first node.

    A headline that would run into the words above that node is left out.
    """
    heads = [mark for mark in scene.marks if mark.role in HEADS]
    if len(heads) != 1:
        return scene  # violations and configurations need the room
    others = [moved(mark, 0.0, -_RAISED) for mark in scene.marks if mark.role not in HEADS]
    boxes = [text_box(mark) for mark in others if isinstance(mark, Text)]
    (head,) = heads
    free = isinstance(head, Text) and not any(overlaps(text_box(head), box) for box in boxes)
    marks = (head, *others) if free else tuple(others)
    return replace(scene, height=scene.height - _RAISED, marks=marks)


def _lies_within(text: Text, left: float, right: float, top: float) -> bool:
    start, upper, end, _ = text_box(text)
    return left <= start and end <= right and upper >= top


def fitted_logs(frame: Frame, previous: Frame | None, room: float, boxes: bool) -> Scene:
    """The logs for so much room (px); with memory and disks only if `boxes`."""
    scene = scene_logs(frame, previous, MOST_COLUMNS)
    indexes = [mark.x for mark in _texts(scene, "index")]
    cell = indexes[1] - indexes[0] if len(indexes) > 1 else 38.0
    first = indexes[0] - cell / 2
    gone, narrower = _left_out(room - first - BETWEEN, cell, boxes)
    if not any(mark.role == "memory" for mark in scene.marks):  # so many nodes that none is there
        gone, narrower = (), 0.0
    most = floor((room - (first - narrower) - BETWEEN) / cell)
    if most < len(indexes):
        scene = scene_logs(frame, previous, max(most, FEWEST_COLUMNS))
    marks = [
        _shifted(legible(_cut(mark, cell)), narrower)
        for mark in scene.marks
        if not mark.id.startswith((*gone, "legend"))
    ]
    columns = len(list(_texts(scene, "index")))
    wide = max(first - narrower + columns * cell + BETWEEN, NARROWEST)
    legends = [mark for mark in _texts(scene, "") if mark.id.startswith("legend")]
    words = " · ".join(mark.text for mark in legends)
    lines = _legend(words, gone, max(wide, min(room, 480.0)) - 20)
    wide = max(wide, *(20 + style.text_width(line, LEAST) for line in lines))
    for place, line in enumerate(lines):
        name = f"legend-{place}" if place else "legend"
        at = legends[0].y + _LINE * place
        marks.append(Text(name, 10.0, at, line, LEAST, style.QUIET, "start"))
    height = legends[0].y + _LINE * len(lines)
    return replace(scene, width=wide, height=height, marks=tuple(marks))


def _texts(scene: Scene, role: str) -> Iterator[Text]:
    return (mark for mark in scene.marks if isinstance(mark, Text) and mark.role == role)


def _left_out(wide: float, cell: float, boxes: bool) -> tuple[tuple[str, ...], float]:
    """Marks to go without, by how their ids begin, and how much narrower that makes the logs.

    So `wide` (px) is what columns of this width would have if nothing were left out.
    """
    pitch = DISK_X - MEMORY_X
    if not boxes or wide + pitch < cell * FEWEST_COLUMNS:
        return ("memory-", "disk-", "writing-", "head-"), 2 * pitch
    if wide < cell * 7 - BETWEEN:
        return ("memory-", "writing-", "head-memory"), pitch
    return (), 0.0


def _shifted(mark: Mark, by: float) -> Mark:
    """The mark further left, if it stands right of what is left out."""
    x = mark.points[0][0] if isinstance(mark, Path) else mark.x
    return moved(mark, -by, 0.0) if by and x >= MEMORY_X + BOX_WIDTH else mark


def _cut(mark: Mark, cell: float) -> Mark:
    """Words in a cell or a box, cut to what it holds in larger letters."""
    if not isinstance(mark, Text):
        return mark
    kind = mark.id.partition("-")[0]
    if kind in ("memory", "disk"):
        text, bold = in_box(mark.text, BOX_WIDTH - 2, LEAST, mark.bold)
        return replace(mark, text=text, bold=bold)
    if kind == "entry":
        room = cell - CELL_GAP - 2
        return replace(mark, text=style.fit_text(mark.text, room, LEAST, bold=mark.bold))
    return mark


def _legend(words: str, gone: tuple[str, ...], room: float) -> list[str]:
    """The legend on as many lines as it takes."""
    lines: list[str] = []
    for item in words.split(" · "):
        if item == "arrow: being written" and "writing-" in gone:
            continue
        longer = f"{lines[-1]} · {item}" if lines else item
        if lines and style.text_width(longer, LEAST) <= room:
            lines[-1] = longer
        else:
            lines.append(item)
    return lines


def fitted(scene: Scene) -> Scene:
    """Any other picture, with letters that can be read."""
    return replace(scene, marks=tuple(legible(mark) for mark in scene.marks))


def _with_line(scene: Scene) -> Scene:
    """The cluster with room for one line of its legend, which comes and goes with a message."""
    if any(mark.id.startswith("key-") for mark in scene.marks):
        return scene
    return replace(scene, height=scene.height + LEGEND_LINE + LEGEND_END)


def rooms(
    frame: Frame,
    previous: Frame | None,
    room: Room,
    crowded: bool = False,
    explained: bool = False,
) -> tuple[Scene, float]:
    """The cluster in such a stage, and how wide what stands beside or below it may be (px).

    It is less high where the page is `crowded` with controls; with `explained` it has room for
    a line of its legend where there is none, too.
    """
    if room.is_low:
        return fitted_cluster(frame, previous, room.width * 0.4), room.width * 0.6
    scene = fitted_cluster(frame, previous, room.width)
    scene = _raised(scene) if crowded else scene
    scene = _with_line(scene) if explained else scene
    if room.width < SIDE_BY_SIDE:
        return scene, room.width
    left = room.width - scene.width - BETWEEN
    return scene, left if left >= NARROWEST else room.width

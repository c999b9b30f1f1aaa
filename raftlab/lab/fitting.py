"""Scenes made to fit their room on the page: what does not fit is left out, and nothing is shrunk.

The stage shows a unit of a scene as one pixel or more. So letters are at least `LEAST` units
here, and a picture that would be wider than its room goes without its less important marks:
the logs without memory, then without disks, then with fewer columns; the cluster without
the words beside its nodes. The text twin tells all of it.
"""

from collections.abc import Callable, Iterator
from math import floor

from msgspec.structs import replace

from raftlab.sim.frames.frame import Frame
from raftlab.view import Scene, scene_cluster, scene_logs, style
from raftlab.view.logs.cells import GAP as CELL_GAP
from raftlab.view.logs.rows import BOX_WIDTH, DISK_X, MEMORY_X
from raftlab.view.marks import Box, Disc, Mark, Path, Text
from raftlab.view.scene import moved

LEAST = 11.0
"""The smallest letters on the page, in px."""

USUAL_ROOM = 916.0
"""How wide a stage is on a small laptop, with the list of files open (px)."""

SIDE_BY_SIDE = 700.0
"""The two pictures stand one below the other where there is less room."""

BETWEEN = 12.0
"""From one picture to the other."""

MOST_COLUMNS, FEWEST_COLUMNS = 14, 3

_BESIDE = 45.0  # from the middle of a node to the edge of a picture without words beside it
_ABOVE = 62.0  # and to its upper edge, with words above the first node
_LINE = 15.0


def legible(mark: Mark) -> Mark:
    """The mark, with letters large enough to be read."""
    return replace(mark, size=LEAST) if isinstance(mark, Text) and mark.size < LEAST else mark


def fitted_cluster(frame: Frame, previous: Frame | None, room: float) -> Scene:
    """The cluster for so much room (px)."""
    scene = scene_cluster(frame, previous)
    marks = [legible(mark) for mark in scene.marks]
    if scene.width <= room:
        return replace(scene, marks=tuple(marks))
    places = [_middle(mark) for mark in marks if mark.role == "node"]
    left, right = min(x for x, _ in places) - _BESIDE, max(x for x, _ in places) + _BESIDE
    top = min(y for _, y in places) - _ABOVE
    kept = [
        moved(mark, -left, -top)
        for mark in marks
        if not isinstance(mark, Text) or _lies_within(mark, left, right, top)
    ]
    return replace(scene, width=right - left, height=scene.height - top, marks=tuple(kept))


def _middle(mark: Mark) -> tuple[float, float]:
    match mark:
        case Disc():
            return mark.x, mark.y
        case Box():
            return mark.x + mark.w / 2, mark.y + mark.h / 2
        case Path():
            xs, ys = [x for x, _ in mark.points], [y for _, y in mark.points]
            return (min(xs) + max(xs)) / 2, (min(ys) + max(ys)) / 2
        case _:
            return mark.x, mark.y


def _lies_within(text: Text, left: float, right: float, top: float) -> bool:
    wide = style.text_width(text.text, text.size, bold=text.bold, mono=text.mono)
    start = text.x - wide * {"start": 0.0, "middle": 0.5, "end": 1.0}[text.anchor]
    return left <= start and start + wide <= right and text.y >= top + text.size


def fitted_logs(frame: Frame, previous: Frame | None, room: float, boxes: bool) -> Scene:
    """The logs for so much room (px); with memory and disks only if `boxes`."""
    scene = scene_logs(frame, previous, MOST_COLUMNS)
    indexes = [mark for mark in scene.marks if mark.role == "index"]
    cell = indexes[1].x - indexes[0].x if len(indexes) > 1 else 38.0
    first = indexes[0].x - cell / 2
    detailed = any(mark.role == "memory" for mark in scene.marks)
    gone, narrower = _left_out(room - first - cell * 7, boxes) if detailed else ((), 0.0)
    most = floor((room - (first - narrower) - BETWEEN) / cell)
    if most < len(indexes):
        scene = scene_logs(frame, previous, max(most, FEWEST_COLUMNS))
    marks = [
        _shifted(legible(_cut(mark, cell)), narrower)
        for mark in scene.marks
        if not mark.id.startswith(gone) and not mark.id.startswith("legend")
    ]
    wide = max((mark.x for mark in marks if mark.role == "index"), default=0.0) + cell / 2
    wide = max(wide + BETWEEN, 300.0)
    legend = " · ".join(mark.text for mark in scene.marks if _is_legend(mark))
    bottom = min((mark.y for mark in scene.marks if _is_legend(mark)), default=scene.height)
    lines = list(_legend(legend, gone, max(wide, min(room, 480.0)) - 20, bottom))
    wide = max([wide, *(20 + style.text_width(each.text, LEAST) for each in lines)])
    height = bottom + _LINE * len(lines)
    return replace(scene, width=wide, height=height, marks=(*marks, *lines))


def _left_out(missing: float, boxes: bool) -> tuple[tuple[str, ...], float]:
    """Marks to go without, by how their ids begin, and how much narrower that makes the logs."""
    pitch = DISK_X - MEMORY_X
    if not boxes:
        return ("memory-", "disk-", "writing-", "head-"), 2 * pitch
    if missing < 0:
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
    room = {"entry": cell - CELL_GAP - 2, "memory": BOX_WIDTH - 2, "disk": BOX_WIDTH - 2}.get(kind)
    if room is None:
        return mark
    return replace(mark, text=style.fit_text(mark.text, room, LEAST, bold=mark.bold))


def _is_legend(mark: Mark) -> bool:
    return isinstance(mark, Text) and mark.id.startswith("legend")


def _legend(words: str, gone: tuple[str, ...], room: float, y: float) -> Iterator[Text]:
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
    for place, line in enumerate(lines):
        name = f"legend-{place}" if place else "legend"
        yield Text(name, 10.0, y + _LINE * place, line, LEAST, style.QUIET, "start")


def fitted(scene: Scene) -> Scene:
    """Any other picture, with letters that can be read."""
    return replace(scene, marks=tuple(legible(mark) for mark in scene.marks))


def rooms(cluster: Callable[[float], Scene], room: float) -> tuple[Scene, float]:
    """The cluster in a stage of so much room (px), and what that leaves for what stands beside."""
    scene = cluster(room)
    if room < SIDE_BY_SIDE:
        return scene, room
    return scene, max(room - scene.width - BETWEEN, room * 0.4)

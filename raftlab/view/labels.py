"""Words that keep out of each other's way: what is taken, and the first place that is free."""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from typing import TypeAlias

from raftlab.view import style
from raftlab.view.geometry import Point
from raftlab.view.marks import Text

Rectangle: TypeAlias = tuple[float, float, float, float]
"""Left, top, right, bottom."""

_STRIP = 24.0  # of the picture: a rectangle is compared with those of its strips only
_BETWEEN = 3.0  # from one word to the next on a line
_BESIDE_LINES = 1.5  # from a word to the lines beside it


def text_box(text: Text) -> Rectangle:
    """The room of a text: ascenders reach 0.76 of its size, descenders 0.24 below."""
    wide = style.text_width(text.text, text.size, bold=text.bold, mono=text.mono)
    left = text.x - wide * {"start": 0.0, "middle": 0.5, "end": 1.0}[text.anchor]
    return left, text.y - 0.76 * text.size, left + wide, text.y + 0.24 * text.size


def overlaps(one: Rectangle, other: Rectangle) -> bool:
    """Whether two rectangles share more than an edge."""
    return one[0] < other[2] and one[2] > other[0] and one[1] < other[3] and one[3] > other[1]


def runs_through(start: Point, end: Point, box: Rectangle) -> bool:
    """Whether a part of the straight line from `start` to `end` lies in a rectangle."""
    first, last = 0.0, 1.0  # the share of the line that may lie in it
    for at, to, low, high in zip(start, end, box[:2], box[2:], strict=True):
        if at == to:
            if not low < at < high:
                return False
            continue
        enters, leaves = sorted(((low - at) / (to - at), (high - at) / (to - at)))
        first, last = max(first, enters), min(last, leaves)
    return first < last


class Labels:
    """What is taken in a picture of a given width, in units, and what is better left free."""

    def __init__(self, width: float) -> None:
        self.width = width
        self._taken: dict[int, list[Rectangle]] = defaultdict(list)
        self._lines: dict[int, list[tuple[Point, Point]]] = defaultdict(list)

    def take(self, box: Rectangle) -> None:
        """Let no word lie on this rectangle from now on."""
        for strip in _strips(box):
            self._taken[strip].append(box)

    def spare(self, start: Point, end: Point) -> None:
        """Let no word lie on this line from now on, unless there is room nowhere else."""
        for strip in _strips((0.0, min(start[1], end[1]), 0.0, max(start[1], end[1]))):
            self._lines[strip].append((start, end))

    def is_free(self, box: Rectangle) -> bool:
        """Whether a rectangle lies in the picture, and on nothing that is taken."""
        left, top, right, bottom = box
        if left < 0 or top < 0 or right > self.width:
            return False
        wider = left - _BETWEEN, top, right + _BETWEEN, bottom
        return not any(overlaps(one, wider) for strip in _strips(box) for one in self._taken[strip])

    def place(self, choices: Iterable[Text]) -> Text | None:
        """Of some texts the first that is free and on no line; it is taken. None if none is free.

        Where each of them lies on a line, the one that the fewest run through.
        """
        free = [each for each in choices if self.is_free(text_box(each))]
        if not free:
            return None
        best = min(free, key=lambda each: self._lines_through(text_box(each)))
        self.take(text_box(best))
        return best

    def _lines_through(self, box: Rectangle) -> int:
        left, top, right, bottom = box
        wider = left - _BESIDE_LINES, top, right + _BESIDE_LINES, bottom
        met = {line for strip in _strips(box) for line in self._lines[strip]}
        return sum(runs_through(*line, wider) for line in met)


def _strips(box: Rectangle) -> Iterator[int]:
    return iter(range(int(box[1] // _STRIP), int(box[3] // _STRIP) + 1))

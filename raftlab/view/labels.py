"""Words that keep out of each other's way: what is taken, and the first place that is free."""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from typing import TypeAlias

from raftlab.view import style
from raftlab.view.marks import Text

Rectangle: TypeAlias = tuple[float, float, float, float]
"""Left, top, right, bottom."""

_STRIP = 24.0  # of the picture: a rectangle is compared with those of its strips only
_BETWEEN = 3.0  # from one word to the next on a line


def text_box(text: Text) -> Rectangle:
    """The room of a text: ascenders reach 0.76 of its size, descenders 0.24 below."""
    wide = style.text_width(text.text, text.size, bold=text.bold, mono=text.mono)
    left = text.x - wide * {"start": 0.0, "middle": 0.5, "end": 1.0}[text.anchor]
    return left, text.y - 0.76 * text.size, left + wide, text.y + 0.24 * text.size


def overlaps(one: Rectangle, other: Rectangle) -> bool:
    """Whether two rectangles share more than an edge."""
    return one[0] < other[2] and one[2] > other[0] and one[1] < other[3] and one[3] > other[1]


class Labels:
    """What is taken in a picture of a given width, in units."""

    def __init__(self, width: float) -> None:
        self.width = width
        self._taken: dict[int, list[Rectangle]] = defaultdict(list)

    def take(self, box: Rectangle) -> None:
        """Let no word lie on this rectangle from now on."""
        for strip in _strips(box):
            self._taken[strip].append(box)

    def is_free(self, box: Rectangle) -> bool:
        """Whether a rectangle lies in the picture, and on nothing that is taken."""
        left, top, right, bottom = box
        if left < 0 or top < 0 or right > self.width:
            return False
        wider = left - _BETWEEN, top, right + _BETWEEN, bottom
        return not any(overlaps(one, wider) for strip in _strips(box) for one in self._taken[strip])

    def place(self, choices: Iterable[Text]) -> Text | None:
        """The first of some texts that is free, which is then taken; None if there is none."""
        for each in choices:
            box = text_box(each)
            if self.is_free(box):
                self.take(box)
                return each
        return None


def _strips(box: Rectangle) -> Iterator[int]:
    return iter(range(int(box[1] // _STRIP), int(box[3] // _STRIP) + 1))

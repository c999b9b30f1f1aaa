"""The numbers of messages, moved to where they run over nothing."""

from collections.abc import Iterable, Iterator, Sequence
from math import hypot

import msgspec
from msgspec.structs import replace

from raftlab.view import style
from raftlab.view.cluster.ring import Ring
from raftlab.view.geometry import Point, curve_points, end_direction, point_on
from raftlab.view.labels import Rectangle, overlaps, text_box
from raftlab.view.marks import Disc, Mark, Path, Text

_HEAD = 5.0
_MIDDLE = 3.2  # from the middle of a number down to its baseline
_ASIDE = 9.0
_CLEAR = 4.0  # how far a number may come into the free space around a node
_STEPS = 32


def place_numbers(marks: Sequence[Mark], ring: Ring) -> list[Mark]:
    """The same marks, with each number where it covers no word, no node and no arrow head.

    A number that is clear where it is stays there; of the other places along its message it
    takes the first that is clear, or the one that covers least. It is left out where it would
    lie on a word.
    """
    paths = {each.id: each for each in marks if isinstance(each, Path)}
    arrows = [each for each in paths.values() if each.role in ("message", "lost")]
    words = [text_box(each) for each in marks if isinstance(each, Text) and each.role != "number"]
    taken = [*words]
    taken += [_around(*each.points[-1], _HEAD) for each in arrows]
    badges = (each for each in marks if isinstance(each, Disc) and each.role in ("group", "pause"))
    taken += [_around(each.x, each.y, each.r) for each in badges]
    lines = [_line(each) for each in arrows]
    moved: list[Mark] = []
    for mark in marks:
        if isinstance(mark, Text) and mark.role == "number":
            if _covers(text_box(mark), taken, ring):
                number = mark.id.removeprefix("number-")
                places = _places(mark, paths[f"msg-{number}"], paths[f"way-{number}"])
                mark = _clearest(places, taken, lines, ring)
            box = text_box(mark)
            if any(overlaps(box, word) for word in words):
                continue
            taken.append(box)
            words.append(box)
        moved.append(mark)
    return moved


def numbers_lie_on_words(marks: Sequence[Mark]) -> bool:
    """Whether the number of a message lies on another word."""
    words = [each for each in marks if isinstance(each, Text)]
    boxes = [text_box(each) for each in words]
    return any(
        overlaps(boxes[place], other)
        for place, each in enumerate(words)
        if each.role == "number"
        for here, other in enumerate(boxes)
        if here != place
    )


def _clearest(
    places: Iterable[Text], taken: Sequence[Rectangle], lines: Sequence["_Line"], ring: Ring
) -> Text:
    """The first place that covers nothing, or the least: then rather lines than anything else."""
    found: list[tuple[int, int, int, Text]] = []
    for place in places:
        box = text_box(place)
        covers = _covers(box, taken, ring)
        crosses = sum(line.crosses(box) for line in lines) if not covers else 0
        if not covers and not crosses:
            return place
        found.append((covers, crosses, len(found), place))
    return min(found)[-1]


class _Line(msgspec.Struct, frozen=True):
    """The line of a message as places close to each other, and the rectangle around them."""

    points: tuple[Point, ...]
    around: Rectangle

    def crosses(self, box: Rectangle) -> bool:
        """Whether it runs through a rectangle."""
        if not overlaps(box, self.around):
            return False
        left, top, right, bottom = box
        return any(left < x < right and top < y < bottom for x, y in self.points)


def _line(arrow: Path) -> _Line:
    points = curve_points(arrow.points[0], arrow.points[-1], arrow.curve, _STEPS)
    xs, ys = [x for x, _ in points], [y for _, y in points]
    return _Line(points, (min(xs) - 1, min(ys) - 1, max(xs) + 1, max(ys) + 1))


def _around(x: float, y: float, r: float) -> Rectangle:
    return x - r, y - r, x + r, y + r


def _places(number: Text, arrow: Path, way: Path) -> Iterator[Text]:
    """Where the number of a message may stand, from the best place to the last resort."""
    yield number
    aside = _ASIDE + style.text_width(number.text, number.size) / 6
    for reach in (aside, aside + 8, aside + 16):
        for line, shares in ((arrow, (0.75, 0.5, 0.95)), (way, (0.1, 0.35, 0.65)), (arrow, (0.2,))):
            start, end = line.points
            dx, dy = end_direction(start, end, 0.0)
            for share in shares:
                x, y = point_on(start, end, line.curve, share)
                for side in (1, -1):
                    yield _at(number, x + side * dy * reach, y - side * dx * reach)


def _at(number: Text, x: float, y: float) -> Text:
    return replace(number, x=x, y=y + _MIDDLE)


def _covers(box: Rectangle, taken: Sequence[Rectangle], ring: Ring) -> int:
    """How many words, heads, badges and nodes lie below a rectangle."""
    left, top, right, bottom = box
    below = [
        each
        for each in taken
        if each[0] < right and each[2] > left and each[1] < bottom and each[3] > top
    ]
    near = ring.gap - _CLEAR
    return len(below) + sum([_reaches(box, x, y, near) for x, y in ring.places.values()])


def _reaches(box: Rectangle, x: float, y: float, r: float) -> bool:
    """Whether a rectangle comes nearer to a place than `r`."""
    near = min(max(x, box[0]), box[2]), min(max(y, box[1]), box[3])
    return hypot(near[0] - x, near[1] - y) < r

"""Where the names of lines stand in a chart: each beside its own line, and on no other one.

Everything here is in points, as letters are; a line is what it looks like on the page.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise, product
from math import inf
from typing import TypeAlias

import msgspec

from raftlab.view import style
from raftlab.view.geometry import Point

Curve: TypeAlias = Sequence[Point]
Edges: TypeAlias = tuple[float, float, float, float]
"""Left, low, right, high."""

NEAR = 6.0
DISTANCES = (NEAR, 14.0, 26.0, 42.0, 62.0, 90.0, 130.0)
"""How far from its line a name stands: as near as there is room."""

CLEAR = 2.5
"""How far from a name every line stays, where there is room."""

LONELY = 6.0
"""How far other lines are from the place of a line at which it is named."""

STEP = 2.0
"""A line is looked at in points that are so far apart."""

_HIGH = style.SMALL * 1.2


class Place(msgspec.Struct, frozen=True):
    """Where a name stands: `at` on its line, and `right` or left of it by `away` points."""

    at: Point
    right: bool
    away: float


def places(curves: Mapping[str, Curve], width: float, height: float) -> dict[str, Place]:
    """A place for the name of each curve in a chart of this size, clear of all lines and names.

    Where none is quite clear, the one that covers least.
    """
    drawn = {name: tuple(_dense(curve)) for name, curve in curves.items()}
    found: dict[str, Place] = {}
    taken: list[Edges] = []
    everything = sorted(point for points in drawn.values() for point in points)
    for name, points in drawn.items():
        others = sorted(point for each, its in drawn.items() if each != name for point in its)
        wide = style.text_width(name, style.SMALL)
        best: tuple[int, Place] | None = None
        for place in _candidates(points, height):
            box = _box(place, wide)
            if min(box) < 0 or box[2] > width or box[3] > height:
                continue
            on_names = sum(_overlap(box, each) for each in taken)
            cost = 1000 * on_names + 10 * _covered(box, everything)
            cost += 4 * _covered(_between(place), others) + _covered(_wider(box), everything)
            if best is None or cost < best[0]:
                best = cost, place
            if not cost:
                break
        if best is not None:
            found[name] = best[1]
            taken.append(_box(best[1], wide))
    return found


def _dense(curve: Curve) -> Iterable[Point]:
    for (x, y), (far, high) in pairwise(curve):
        pieces = max(1, int(max(abs(far - x), abs(high - y)) / STEP))
        for piece in range(pieces):
            share = piece / pieces
            yield x + (far - x) * share, y + (high - y) * share
    yield curve[-1]


def _candidates(points: Curve, height: float) -> Iterable[Place]:
    """Near places before far ones, and in each distance from the middle of the chart outwards."""
    levels = sorted((each / 40 for each in range(2, 39)), key=lambda level: abs(level - 0.55))
    spots = [_at_height(points, level * height) for level in levels]
    for away, at, right in product(DISTANCES, spots, (True, False)):
        yield Place(at, right, away)


def _at_height(points: Curve, height: float) -> Point:
    """The point of a line that is nearest to this height, the first of several."""
    return min(points, key=lambda point: (abs(point[1] - height), point[0]))


def _box(place: Place, wide: float) -> Edges:
    x, y = place.at
    left = x + place.away if place.right else x - place.away - wide
    return left, y - _HIGH / 2, left + wide, y + _HIGH / 2


def _between(place: Place) -> Edges:
    """What lies around a place on a line, and between it and its name: no other line should."""
    x, y = place.at
    left = x - (LONELY if place.right else place.away)
    right = x + (place.away if place.right else LONELY)
    return left, y - LONELY / 2, right, y + LONELY / 2


def _wider(box: Edges) -> Edges:
    return box[0] - CLEAR, box[1] - CLEAR, box[2] + CLEAR, box[3] + CLEAR


def _covered(box: Edges, points: Curve) -> int:
    """How many of these points, which are in order from left to right, a box covers."""
    left, low, right, high = box
    first, last = bisect_left(points, (left, -inf)), bisect_right(points, (right, inf))
    return sum(low <= y <= high for _, y in points[first:last])


def _overlap(one: Edges, other: Edges) -> bool:
    apart = one[2] < other[0] or other[2] < one[0] or one[3] < other[1] or other[3] < one[1]
    return not apart

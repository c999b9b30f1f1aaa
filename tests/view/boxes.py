"""Where the words of a scene lie, for tests of its layout."""

from itertools import combinations

from raftlab.view.marks import Arc, Box, Disc, Path, Text
from raftlab.view.scene import Scene
from raftlab.view.style import text_width

Rectangle = tuple[float, float, float, float]
"""Left, top, right, bottom."""


def box_of(text: Text) -> Rectangle:
    """The room of a text: ascenders reach 0.76 of its size, descenders 0.24 below."""
    wide = text_width(text.text, text.size, bold=text.bold, mono=text.mono)
    left = text.x - wide * {"start": 0.0, "middle": 0.5, "end": 1.0}[text.anchor]
    return left, text.y - 0.76 * text.size, left + wide, text.y + 0.24 * text.size


def texts(scene: Scene, *roles: str) -> list[Text]:
    """The texts of a scene, or only those of some roles."""
    found = [mark for mark in scene.marks if isinstance(mark, Text)]
    return [mark for mark in found if not roles or mark.role in roles]


def overlap(one: Rectangle, other: Rectangle, slack: float = 0.5) -> bool:
    """Whether two rectangles share more than `slack` units both ways."""
    across = min(one[2], other[2]) - max(one[0], other[0])
    down = min(one[3], other[3]) - max(one[1], other[1])
    return across > slack and down > slack


def collisions(marks: list[Text]) -> list[tuple[str, str]]:
    """The ids of texts that run over each other."""
    return [
        (one.id, other.id)
        for one, other in combinations(marks, 2)
        if overlap(box_of(one), box_of(other))
    ]


def outside(scene: Scene) -> list[str]:
    """The ids of marks that leave the scene."""
    return [mark.id for mark in scene.marks if not _is_inside(mark, scene)]


def _is_inside(mark: object, scene: Scene) -> bool:
    match mark:
        case Text():
            left, top, right, bottom = box_of(mark)
        case Box():
            left, top, right, bottom = mark.x, mark.y, mark.x + mark.w, mark.y + mark.h
        case Disc() | Arc():
            left, right = mark.x - mark.r, mark.x + mark.r
            top, bottom = mark.y - mark.r, mark.y + mark.r
        case Path():
            left, right = (f(x for x, _ in mark.points) for f in (min, max))
            top, bottom = (f(y for _, y in mark.points) for f in (min, max))
        case _:
            raise AssertionError(mark)
    return left >= 0 and top >= 0 and right <= scene.width and bottom <= scene.height

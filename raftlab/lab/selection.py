"""What the reader has chosen, drawn into a scene: a node in brackets, a message on a broad band."""

from collections.abc import Iterator, Mapping

import msgspec

from raftlab.raft.vocabulary import NodeId
from raftlab.view import Scene, style
from raftlab.view.marks import Box, Disc, Ink, Mark, Path, Text

BAND = Ink(None, style.INK, 11.0, opacity=0.16)
BRACKET = Ink(None, style.INK, 2.0)
LARGE, SMALLEST_LARGE = 42.0, 15.0
"""Brackets reach that far from the middle of a node, unless it is a small one."""


def with_choice(
    scene: Scene,
    node: NodeId | None,
    message: int | None,
    sides: Mapping[NodeId, str] | None = None,
) -> Scene:
    """The scene with the chosen node and message marked, and each node's side, if any."""
    below: list[Mark] = []
    above: list[Mark] = []
    for mark in scene.marks:
        if mark.role == "message" and isinstance(mark, Path) and mark.id == f"msg-{message}":
            below.append(
                msgspec.structs.replace(
                    mark,
                    id="chosen-message",
                    ink=BAND,
                    head="none",
                    role="chosen",
                    data={},
                    title="",
                )
            )
        elif mark.role == "node" and mark.id == f"node-{node}":
            above += _brackets(*middle(mark))
        if sides and mark.role == "node":
            above += _side(mark, sides)
    if not below and not above:
        return scene
    return msgspec.structs.replace(scene, marks=(*below, *scene.marks, *above))


def middle(mark: Mark) -> tuple[float, float, float]:
    """The middle of a node's shape and half its width."""
    match mark:
        case Disc():
            return mark.x, mark.y, mark.r
        case Box():
            return mark.x + mark.w / 2, mark.y + mark.h / 2, mark.w / 2
        case Path():
            (x, _), (right, y) = mark.points[0], mark.points[1]
            return x, y, right - x
        case _:
            return mark.x, mark.y, 0.0


def _brackets(x: float, y: float, half: float) -> Iterator[Mark]:
    reach = LARGE if half > SMALLEST_LARGE else half + 7.0
    arm = reach * 0.32
    for place, (dx, dy) in enumerate(((-1, -1), (1, -1), (1, 1), (-1, 1)), start=1):
        corner = x + dx * reach, y + dy * reach
        points = (
            (corner[0] - dx * arm, corner[1]),
            corner,
            (corner[0], corner[1] - dy * arm),
        )
        yield Path(f"chosen-{place}", points, BRACKET, role="chosen-node")


def _side(mark: Mark, sides: Mapping[NodeId, str]) -> Iterator[Mark]:
    node = str(mark.data.get("node", "")) if not isinstance(mark, Text) else ""
    if node in sides:
        x, y, half = middle(mark)
        yield Text(
            f"side-{node}",
            x + half + 3,
            y - half - 1,
            sides[node],
            13.0,
            bold=True,
            halo=True,
            anchor="start",
            role="side",
        )

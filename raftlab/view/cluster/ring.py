"""The ring that a cluster stands on, and how lines run between its nodes."""

from collections.abc import Mapping
from math import cos, hypot, pi, sin
from typing import TypeAlias

import msgspec

from raftlab.raft.vocabulary import NodeId
from raftlab.view.geometry import Point, partial_curve, point_on

Line: TypeAlias = tuple[Point, Point]

LABEL_ROOM = 84.0
LABEL_SIZE = 10.0
"""How wide the lines beside a node may be, and their letters."""

HEADER = 26.0
SIDEWAYS = 0.35
"""How far to a side of the ring (1 is all the way) a node has its label beside it."""

MOST_DETAILED = 11
"""With more nodes than this, timers and votes are left to the text twin."""

BEND = 0.09
"""How far a message's line bends to its left, as a share of its length."""

FAN = 0.07
"""How much more the next message on the same link bends."""

CLOSEST = 0.4
"""Where nodes stand close, the share of a line that each end at most leaves free."""


class Ring(msgspec.Struct, frozen=True):
    """Where the nodes of a cluster stand: S1 at twelve o'clock, then clockwise.

    `r` is the radius of a follower, `gap` that of the free space around each node, at
    which messages begin and end.
    """

    x: float
    y: float
    radius: float
    r: float
    gap: float
    detailed: bool
    places: Mapping[NodeId, tuple[float, float]]
    width: float
    height: float


def ring_of(nodes: tuple[NodeId, ...]) -> Ring:
    """The places of `nodes`, which depend on how many there are and on nothing else."""
    size = len(nodes)
    detailed = size <= MOST_DETAILED
    if detailed:
        r = 26.0 if size <= 7 else 22.0
        radius = (0, 0, 90, 105, 116, 128, 142, 156)[size] if size <= 7 else 196.0
        gap, room, above = r * 1.38 + 7, LABEL_ROOM, 56.0
    else:
        r = 13.0
        radius = max(190.0, size * 31.0 / (2 * pi))
        gap, room, above = r * 1.22 + 4, 44.0, 18.0
    turns = [2 * pi * place / size for place in range(size)]
    highs = [radius * cos(turn) for turn in turns]
    x = radius + gap + room
    y = HEADER + above + gap + radius
    low = size // 2  # the node at the bottom, or the first of two
    labelled = size > 1 and abs(sin(turns[low])) < SIDEWAYS
    below = above if labelled or not detailed else 8.0
    places = {
        node: (x + radius * sin(turn), y - high)
        for node, turn, high in zip(nodes, turns, highs, strict=True)
    }
    height = y - min(highs) + gap + below if size > 1 else y + gap + 8
    return Ring(x, y, radius, r, gap, detailed, places, 2 * x, height)


def part_of(line: Line, curve: float, first: float, last: float) -> tuple[Line, float]:
    """The part of a bent line between two shares of it, and how far that part bends."""
    start, end = point_on(*line, curve, first), point_on(*line, curve, last)
    return (start, end), partial_curve(curve, last - first)


def free_ends(line: Line, gap: float) -> tuple[float, float]:
    """The shares of a line at which it leaves one node's surroundings and enters the other's."""
    length = hypot(line[1][0] - line[0][0], line[1][1] - line[0][1])
    first = min(gap / length, CLOSEST) if length else 0.0
    return first, 1 - first


def bends(sender: int, receiver: int, size: int, ring: Ring, count: int) -> list[float]:
    """How far each of `count` messages on one link bends to its left.

    The two directions lie apart, and neither runs through a node that stands between:
    where a bend outwards would, both bend towards the middle of the ring.
    """
    ahead = (receiver - sender) % size
    clockwise = ahead <= size - ahead
    turn = pi * min(ahead, size - ahead) / size
    room = ring.radius * (1 - cos(turn)) - ring.gap - 2
    chord = 2 * ring.radius * sin(turn)
    free = room / chord if turn > 1.5 * pi / size else 1.0
    step = min(FAN, 0.28 / count)
    outward = min(BEND, free)
    if not clockwise:
        return [2 * BEND - outward + step * place for place in range(count)]
    if free < BEND + step * (count - 1):
        step = -step
    return [outward + step * place for place in range(count)]

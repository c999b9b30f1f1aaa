"""Where the lines of a mark run: curves, arrow heads, hatching.

Every painter uses these, so that a picture is the same whoever paints it. A curved line
is a part of a circle; a part of it is again one, so a message that is half-way lies
exactly on the line of one that has arrived.
"""

from math import atan, ceil, cos, hypot, pi, sin, tan
from typing import TypeAlias

Point: TypeAlias = tuple[float, float]

HEAD_LENGTH = 10.0
HEAD_WIDTH = 8.0


def bend_radius(start: Point, end: Point, curve: float) -> float:
    """The radius of the circle that a line bent by `curve` of its length is a part of."""
    length = hypot(end[0] - start[0], end[1] - start[1])
    return length * (1 + 4 * curve * curve) / (8 * abs(curve))


def partial_curve(curve: float, share: float) -> float:
    """The bend of the first `share` (0 to 1, along the arc) of a line bent by `curve`."""
    return tan(share * atan(2 * curve)) / 2


def point_on(start: Point, end: Point, curve: float, share: float) -> Point:
    """The place after `share` (0 to 1) of the way along a line bent to its left by `curve`."""
    dx, dy = end[0] - start[0], end[1] - start[1]
    if not curve:
        return start[0] + dx * share, start[1] + dy * share
    quarter = atan(2 * curve)  # a quarter of the angle of the arc, at its circle's centre
    reach = sin(2 * quarter * share) / sin(2 * quarter)
    turn = 2 * quarter * (1 - share)  # how far left of the chord the place is seen from the start
    along, across = reach * cos(turn), reach * sin(turn)
    return start[0] + dx * along + dy * across, start[1] + dy * along - dx * across


def end_direction(start: Point, end: Point, curve: float) -> Point:
    """The direction, of length 1, in which a bent line arrives at its end."""
    dx, dy = end[0] - start[0], end[1] - start[1]
    length = hypot(dx, dy) or 1.0
    turn = 2 * atan(2 * curve)  # to the right at the end as much as to the left at the start
    c, s = cos(turn) / length, sin(turn) / length
    return dx * c - dy * s, dx * s + dy * c


def curve_points(start: Point, end: Point, curve: float, steps: int = 16) -> tuple[Point, ...]:
    """The bent line as a chain of `steps` straight pieces."""
    return tuple(point_on(start, end, curve, step / steps) for step in range(steps + 1))


def arrow_head(tip: Point, direction: Point, width: float = 1.0) -> tuple[Point, Point, Point]:
    """The triangle of an arrow head on a line of `width`: left barb, tip, right barb."""
    size = 0.75 + 0.125 * min(width, 4.0)
    back, side = HEAD_LENGTH * size, HEAD_WIDTH * size / 2
    x, y = tip[0] - direction[0] * back, tip[1] - direction[1] * back
    across = -direction[1] * side, direction[0] * side
    return (x - across[0], y - across[1]), tip, (x + across[0], y + across[1])


def hatch_lines(x: float, y: float, w: float, h: float, gap: float) -> list[tuple[Point, Point]]:
    """Diagonals, rising to the right, `gap` apart along x, cut to the rectangle."""
    lines = []
    for step in range(1, ceil((w + h) / gap)):
        reach = step * gap
        left, down = (0.0, reach) if reach <= h else (reach - h, h)
        right, up = (reach, 0.0) if reach <= w else (w, reach - w)
        lines.append(((x + left, y + down), (x + right, y + up)))
    return lines


def point_at_angle(x: float, y: float, r: float, turns: float) -> Point:
    """The point at distance `r` from (x, y), `turns` clockwise from twelve o'clock."""
    angle = 2 * pi * turns
    return x + r * sin(angle), y - r * cos(angle)


def stop_short(start: Point, end: Point, curve: float, by: float) -> tuple[Point, float]:
    """A new end and bend for a line that is to stop `by` units early on the same circle."""
    length = hypot(end[0] - start[0], end[1] - start[1])
    if by >= length:
        return start, curve
    share = 1 - by / length
    return point_on(start, end, curve, share), partial_curve(curve, share)

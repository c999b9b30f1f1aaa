"""The small shapes that come back in several pictures: a node by its role, a cross, a vote."""

from raftlab.raft.roles import Role
from raftlab.raft.vocabulary import NodeId
from raftlab.view import style
from raftlab.view.geometry import point_at_angle
from raftlab.view.marks import Box, Disc, Ink, Mark, Path
from raftlab.view.members import ORDINARY, Standing

SQUARE = 0.86
"""Half a side of a leader's square, as a share of a follower's radius: equal to the eye."""

DIAMOND = 1.22
"""Half a diagonal of a candidate's diamond, as a share of a follower's radius."""


def node_shape(
    name: str,
    x: float,
    y: float,
    r: float,
    role: Role | None,
    *,
    kind: str = "node",
    data: dict[str, str | int | float] | None = None,
    title: str = "",
    standing: Standing = ORDINARY,
) -> Mark:
    """A node of radius `r` around (x, y) in the shape and colour of its role; None: down.

    Without a vote it is hollow: a learner has a thick edge, what is not a member a thin one.
    """
    look = style.node_style(role)
    ink = Ink(look.fill, look.edge, 1.5, look.dash if role is None else ())
    told = data or {}
    if not standing.votes and role is not None:
        learns = max(r * style.LEARNER_WIDTH, min(4.0, 0.4 * r))
        edge = learns if standing.is_member else style.OUTSIDE_WIDTH
        ink, r = Ink(style.PAPER, look.edge, edge), r - (edge - 1.5) / 2
    if look.shape == "square":
        half = r * SQUARE
        side = 2 * half
        return Box(name, x - half, y - half, side, side, ink, 2.0, kind, told, title)
    if look.shape == "diamond":
        half = r * DIAMOND
        corners = ((x, y - half), (x + half, y), (x, y + half), (x - half, y))
        return Path(name, corners, ink, closed=True, role=kind, data=told, title=title)
    return Disc(name, x, y, r, ink, kind, told, title)


def cross(name: str, x: float, y: float, r: float, color: str, width: float = 2.5) -> list[Mark]:
    """Two strokes that meet at (x, y), each reaching `r` along both axes."""
    ink = Ink(None, color, width)
    return [
        Path(f"{name}-a", ((x - r, y - r), (x + r, y + r)), ink, role="cross"),
        Path(f"{name}-b", ((x - r, y + r), (x + r, y - r)), ink, role="cross"),
    ]


def pause(name: str, x: float, y: float, r: float) -> list[Mark]:
    """Two upright bars on a white disc of radius `r` around (x, y)."""
    bar, high = r * 0.32, r * 1.0
    ink = Ink(style.INK)
    return [
        Disc(name, x, y, r, Ink(style.PAPER, style.INK, 1.2), "pause"),
        Box(f"{name}-a", x - bar * 1.5, y - high / 2, bar, high, ink, role="pause"),
        Box(f"{name}-b", x + bar * 0.5, y - high / 2, bar, high, ink, role="pause"),
    ]


def vote_mark(
    name: str, x: float, y: float, r: float, voter: NodeId, answer: bool | None
) -> list[Mark]:
    """One voter's answer: a full disc (granted), a ring with a bar (refused), or dots (silent)."""
    word = {True: "granted", False: "refused", None: "silent"}[answer]
    data: dict[str, str | int | float] = {"voter": voter, "answer": word}
    title = f"{voter}: {word}"
    if answer:
        return [Disc(name, x, y, r, Ink(style.INK, style.INK, 1.2), "vote", data, title)]
    dash = () if answer is False else (1.4, 1.6)
    ring = Disc(name, x, y, r, Ink(style.PAPER, style.INK, 1.2, dash), "vote", data, title)
    if answer is None:
        return [ring]
    bar = Path(f"{name}-bar", ((x - r, y), (x + r, y)), Ink(None, style.INK, 1.6), role="vote")
    return [ring, bar]


def group_badge(name: str, x: float, y: float, r: float, groups: tuple[str, ...]) -> list[Mark]:
    """A disc of which the left half is filled for an old voter, the right half for a new one."""
    title = f"votes in: {' and '.join(groups) or 'neither group'}"
    ground = Disc(name, x, y, r, Ink(style.PAPER, style.INK, 1.2), "group", {}, title)
    halves = []
    for side, first in (("old", 0.5), ("new", 0.0)):
        if side in groups:
            bow = [point_at_angle(x, y, r, first + step / 32) for step in range(17)]
            ink = Ink(style.INK)
            halves.append(Path(f"{name}-{side}", tuple(bow), ink, closed=True, role="group"))
    return [ground, *halves]


def snapshot_shape(
    name: str, x: float, y: float, w: float, h: float, width: float, hatch: bool, title: str
) -> list[Mark]:
    """A box with round ends that stands for entries; hatched inside if it is not on disk yet."""
    ink, r = Ink(style.PAPER, style.INK, width), h / 2
    shape = Box(name, x, y, w, h, ink, r, "snapshot", title=title)
    if not hatch:
        return [shape]
    free = 0.3 * r  # the round ends leave no more room for the corners of the hatching
    w, h = w - 2 * free, h - 2 * free
    inner = Box(f"{name}-hatch", x + free, y + free, w, h, Ink(hatch=True), role="unwritten")
    return [shape, inner]

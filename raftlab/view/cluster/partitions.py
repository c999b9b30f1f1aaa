"""What separates nodes: the border of a partition, and links that are cut."""

from collections.abc import Iterator
from math import cos, pi, sin

from raftlab.raft.vocabulary import NodeId
from raftlab.sim.frames.frame import Frame
from raftlab.view import style
from raftlab.view.cluster.ring import BEND, Ring, free_ends, part_of
from raftlab.view.geometry import Point, end_direction
from raftlab.view.marks import Ink, Mark, Path, Text


def cut_links(frame: Frame) -> list[tuple[NodeId, NodeId, bool]]:
    """The cut links that no partition explains: from, to, and whether both ways are cut.

    A link that is cut both ways is listed once, in the order of the cluster.
    """
    side = {node: place for place, group in enumerate(frame.groups) for node in group}
    order = {node.node: place for place, node in enumerate(frame.nodes)}
    cuts = {
        (sender, receiver)
        for sender, receiver in frame.cuts
        if side.get(sender, -1) == side.get(receiver, -1) and {sender, receiver} <= order.keys()
    }
    found = []
    for sender, receiver in sorted(cuts, key=lambda cut: (order[cut[0]], order[cut[1]])):
        both = (receiver, sender) in cuts
        if not both or order[sender] < order[receiver]:
            found.append((sender, receiver, both))
    return found


def cut_marks(frame: Frame, ring: Ring) -> Iterator[Mark]:
    """A dotted line for each cut link, with a bar before each end that nothing reaches."""
    ink = Ink(None, style.QUIET, 1.2, style.CUT_DASH)
    bar = Ink(None, style.QUIET, 2.6)
    for sender, receiver, both in cut_links(frame):
        line = ring.places[sender], ring.places[receiver]
        curve = 0.0 if both else BEND / 2
        points, curve = part_of(line, curve, *free_ends(line, ring.gap + 2))
        name = f"cut-{sender}-{receiver}"
        title = f"cut: {sender} {'↔' if both else '→'} {receiver}"
        yield Path(name, points, ink, curve=curve, role="cut", title=title)
        yield _bar(f"{name}-bar", points, curve, bar)
        if both:
            yield _bar(f"{name}-back", points[::-1], -curve, bar)


def _bar(name: str, points: tuple[Point, ...], curve: float, ink: Ink) -> Path:
    (x, y), (dx, dy) = points[1], end_direction(points[0], points[1], curve)
    return Path(name, ((x - dy * 6, y + dx * 6), (x + dy * 6, y - dx * 6)), ink, role="cut")


def partition_marks(frame: Frame, ring: Ring) -> Iterator[Mark]:
    """A border between every two neighbours on the ring that are on different sides."""
    if not frame.groups:
        return
    side = {node: place for place, group in enumerate(frame.groups) for node in group}
    nodes = [node.node for node in frame.nodes]
    size = len(nodes)
    breaks = [
        place
        for place in range(size)
        if side.get(nodes[place], -1) != side.get(nodes[(place + 1) % size], -1)
    ]
    reach = ring.radius + ring.gap + (12 if ring.detailed else 4)
    ink = Ink(None, style.QUIET, style.PARTITION_WIDTH, style.PARTITION_DASH)
    ends = []
    for place in breaks:
        turn = 2 * pi * (place + 0.5) / size
        room = (ring.height - 4 - ring.y) / max(-cos(turn), 0.01)
        length = min(reach, room)
        ends.append((ring.x + length * sin(turn), ring.y - length * cos(turn)))
    centre = (ring.x, ring.y)
    if len(breaks) > len(frame.groups):
        yield from _sides([side.get(node, -1) for node in nodes], breaks, ring)
    if len(ends) == 2:
        yield Path("partition-1", (ends[0], centre, ends[1]), ink, role="partition")
        return
    for place, end in enumerate(ends, start=1):
        yield Path(f"partition-{place}", (centre, end), ink, role="partition")


def _sides(side: list[int], breaks: list[int], ring: Ring) -> Iterator[Mark]:
    """A letter in each sector, where a group stands in more than one of them."""
    size = len(side)
    for place, last in enumerate(breaks):
        first = breaks[place - 1] + 1 - (size if place == 0 else 0)
        turn, reach = pi * (first + last) / size, ring.radius * 0.4
        x, y = ring.x + reach * sin(turn), ring.y - reach * cos(turn) + 4
        letter = chr(ord("A") + side[last]) if side[last] >= 0 else "–"
        name = f"side-{place + 1}"
        yield Text(name, x, y, letter, 13.0, style.QUIET, bold=True, halo=True, role="side")

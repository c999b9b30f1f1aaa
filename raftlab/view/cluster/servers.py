"""One node of a cluster: shape, name, term, timer, and its badges."""

from collections.abc import Iterator
from math import cos, sin

from raftlab.raft.roles import Role
from raftlab.raft.vocabulary import Millis, NodeId
from raftlab.sim.frames.frame import NodeFrame
from raftlab.view import style
from raftlab.view.cluster.node_labels import NodeLabel, label_marks
from raftlab.view.cluster.ring import Ring
from raftlab.view.cluster.waiting_work import clock_text, is_wiped, write_text
from raftlab.view.marks import Arc, Disc, Ink, Mark, Text
from raftlab.view.members import Standing
from raftlab.view.shapes import SQUARE, cross, group_badge, node_shape, pause
from raftlab.view.words import clean, role_text


def node_marks(
    node: NodeFrame,
    ring: Ring,
    at: Millis,
    longest: Millis,
    changes: frozenset[str],
    standing: Standing,
    lines: list[NodeLabel],
) -> Iterator[Mark]:
    """One node at `at` ms, `lines` beside it. `longest` is the longest election timeout, in ms."""
    x, y = ring.places[node.node]
    role = node.role if node.alive else None
    if changes - {"disk"}:
        width = Ink(None, style.INK, style.CHANGED_WIDTH)
        yield Disc(f"changed-{node.node}", x, y, ring.gap - 3, width, "changed")
    if ring.detailed and node.alive:
        yield from _timer(node, ring, at, longest)
    data: dict[str, str | int | float] = {
        "node": node.node,
        "role": role_text(node),
        "term": node.term,
    }
    name = f"node-{node.node}"
    title = _tooltip(node, at, standing)
    yield node_shape(name, x, y, ring.r, role, data=data, title=title, standing=standing)
    yield from _inside(node, ring, changes, standing)
    if node.alive and node.paused:
        yield from _pause(node.node, ring)
    if standing.groups:
        yield from _groups(node.node, ring, standing)
    if ring.detailed:
        yield from label_marks(node, ring, lines, changes)
    else:
        yield from _far_term(node, ring, changes)


def _tooltip(node: NodeFrame, at: Millis, standing: Standing) -> str:
    what = f", {standing.word}" if standing.word else ""
    if not node.alive:
        held = "is empty" if is_wiped(node) else f"holds term {node.disk.term}"
        return f"{node.node}{what} is down; its disk {held}"
    text = f"{node.node}: {role_text(node)} in term {node.term}{what}"
    if standing.own:
        text += f" (by its own log: {standing.own})"
    if clock_text(node):
        text += f", clock {clock_text(node)}"
    if write_text(node):
        text += f", disk {write_text(node)}"
    if node.voted_for:
        text += f", voted for {node.voted_for}"
    if node.election_deadline is not None and node.role is not Role.LEADER:
        text += f", election timeout in {max(node.election_deadline - at, 0):.0f} ms"
    if node.heartbeat_deadline is not None and node.role is Role.LEADER:
        text += f", next heartbeat in {max(node.heartbeat_deadline - at, 0):.0f} ms"
    return text


def _timer(node: NodeFrame, ring: Ring, at: Millis, longest: Millis) -> Iterator[Mark]:
    """What is left of the election timeout, or until the next heartbeat on the same scale."""
    leads = node.role is Role.LEADER
    deadline = node.heartbeat_deadline if leads else node.election_deadline
    whole = longest if leads else node.election_timeout
    color = style.LEADER.fill if leads else style.TIMER
    if deadline is None or not whole:
        return
    x, y = ring.places[node.node]
    r, left = ring.r * 1.38, min(max((deadline - at) / whole, 0.0), 1.0)
    yield Disc(f"track-{node.node}", x, y, r, Ink(None, style.FAINT, 1.0), "track")
    ink = Ink(None, color, 3.0)
    data: dict[str, str | int | float] = {"left": round(deadline - at, 1)}
    yield Arc(f"timer-{node.node}", x, y, r, 1 - left, 1.0, ink, "timer", data)


def _pause(node: NodeId, ring: Ring) -> Iterator[Mark]:
    """The pause mark, at the upper right; with many nodes, on the inner side."""
    x, y = ring.places[node]
    if ring.detailed:
        x, y = x + ring.r * 0.85, y - ring.r * 0.85
    else:
        share = ring.r / ring.radius
        x, y = x + (ring.x - x) * share, y + (ring.y - y) * share
    yield from pause(f"pause-{node}", x, y, max(ring.r * 0.34, 5.5))


def _groups(node: NodeId, ring: Ring, standing: Standing) -> Iterator[Mark]:
    """In which group it votes, at the upper left; with many nodes, on the inner side."""
    x, y = ring.places[node]
    if ring.detailed:
        x, y = x - ring.r * 0.85, y - ring.r * 0.85
    else:
        dx, dy = (ring.x - x) / ring.radius, (ring.y - y) / ring.radius
        aside, reach = 0.75, ring.r * 1.15  # a little to one side: a pause stands in the middle
        c, s = cos(aside) * reach, sin(aside) * reach
        x, y = x + dx * c - dy * s, y + dy * c + dx * s
    yield from group_badge(f"group-{node}", x, y, max(ring.r * 0.28, 5.0), standing.groups)


def _inside(
    node: NodeFrame, ring: Ring, changes: frozenset[str], standing: Standing
) -> Iterator[Mark]:
    x, y = ring.places[node.node]
    color = style.node_style(node.role if node.alive else None).label
    if node.alive and not standing.votes:
        color = style.INK  # it is hollow
    size = (13.0 if ring.r > 20 else 11.0) if ring.detailed else style.SMALL
    room = 2 * ring.r - (4 if ring.detailed else 2)
    word = style.fit_text(clean(node.node), room, size, bold=True)
    down = size * 0.36 if not ring.detailed else -2.0
    bold = bool(changes - {"disk"})
    name = f"name-{node.node}"
    if not node.alive:
        r = ring.r * (0.22 if ring.detailed else 0.6)
        place = y + (ring.r * 0.42 if ring.detailed else 0)
        yield from cross(f"down-{node.node}", x, place, r, style.CRASHED.edge, 2.0)
        yield Text(name, x, y + down, word, size, color, bold=bold, role="name", halo=True)
        return
    yield Text(name, x, y + down, word, size, color, bold=bold, role="name")
    if ring.detailed:
        term = f"term {node.term}"
        room = 2 * SQUARE * ring.r * (1.0 if standing.votes else 0.85)
        if style.text_width(term, style.SMALL, bold=True) > room:
            term = f"t{node.term}"
        yield Text(
            f"term-{node.node}",
            x,
            y + (11.0 if ring.r > 20 else 9.5),
            term,
            style.SMALL,
            color,
            bold="term" in changes,
            role="term",
        )


def _far_term(node: NodeFrame, ring: Ring, changes: frozenset[str]) -> Iterator[Mark]:
    """With many nodes, the term stands outside the ring, in line with its node."""
    x, y = ring.places[node.node]
    share = (ring.radius + ring.gap + 9) / ring.radius
    x, y = ring.x + (x - ring.x) * share, ring.y + (y - ring.y) * share + 3.2
    term = node.term if node.alive else node.disk.term
    bold = "term" in changes
    size = style.SMALL
    yield Text(f"term-{node.node}", x, y, f"t{term}", size, style.QUIET, bold=bold, role="term")

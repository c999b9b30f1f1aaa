"""One node of a cluster: shape, name, term, timer, and the lines beside it."""

from collections.abc import Iterator
from math import hypot

from raftlab.raft.roles import Role
from raftlab.raft.vocabulary import Millis, NodeId
from raftlab.sim.frame import NodeFrame
from raftlab.view import style
from raftlab.view.glyphs import SQUARE, cross, node_shape, pause, vote_mark
from raftlab.view.marks import Arc, Disc, Ink, Mark, Text
from raftlab.view.ring import LABEL_ROOM, SIDEWAYS, Ring
from raftlab.view.words import clean, role_text


def node_marks(
    node: NodeFrame, ring: Ring, at: Millis, longest: Millis, changes: frozenset[str]
) -> Iterator[Mark]:
    """One node at `at` ms. `longest` is the cluster's longest election timeout, in ms."""
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
    yield node_shape(name, x, y, ring.r, role, data=data, title=_tooltip(node, at))
    yield from _inside(node, ring, changes)
    if node.alive and node.paused:
        yield from _pause(node.node, ring)
    if ring.detailed:
        yield from _beside(node, ring, changes)
    else:
        yield from _far_term(node, ring, changes)


def _tooltip(node: NodeFrame, at: Millis) -> str:
    if not node.alive:
        return f"{node.node} is down; its disk holds term {node.disk.term}"
    text = f"{node.node}: {role_text(node)} in term {node.term}"
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


def _inside(node: NodeFrame, ring: Ring, changes: frozenset[str]) -> Iterator[Mark]:
    x, y = ring.places[node.node]
    color = style.node_style(node.role if node.alive else None).label
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
        if style.text_width(term, style.SMALL, bold=True) > 2 * SQUARE * ring.r:
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


def _beside(node: NodeFrame, ring: Ring, changes: frozenset[str]) -> Iterator[Mark]:
    """The lines next to a node, on its outer side: what it is, and whom it voted for."""
    lines = _lines(node, changes)
    counts = node.votes is not None and node.alive and node.role is Role.CANDIDATE
    height = 14.0 * (len(lines) + counts)
    x, y, anchor = _label_place(node.node, ring, height)
    for line, (kind, words, bold, color) in enumerate(lines):
        words = style.fit_text(words, LABEL_ROOM - 4, 10.0, bold=bold)
        name, here = f"{kind}-{node.node}", y + 14.0 * line
        yield Text(name, x, here, words, 10.0, color, anchor, bold=bold, role=kind)
    if counts:
        yield from _count(node, x, y + 14.0 * len(lines), anchor, "votes" in changes)


def _lines(node: NodeFrame, changes: frozenset[str]) -> list[tuple[str, str, bool, str]]:
    """Kind, words, bold and colour of each line."""
    if not node.alive:
        return [
            ("role", "down", "role" in changes, style.INK),
            ("term", f"disk: term {node.disk.term}", "term" in changes, style.QUIET),
        ]
    lines = []
    if node.role is not Role.FOLLOWER:
        lines.append(("role", role_text(node), "role" in changes, style.INK))
    if node.paused:
        lines.append(("paused", "paused", "role" in changes, style.INK))
    if node.voted_for:
        words, bold = f"voted {clean(node.voted_for)}", "voted_for" in changes
        lines.append(("vote", words, bold, style.INK if bold else style.QUIET))
    return lines


def _label_place(node: NodeId, ring: Ring, height: float) -> tuple[float, float, str]:
    """Where the first baseline of a block of lines goes, and its anchor."""
    x, y = ring.places[node]
    dx, dy = x - ring.x, y - ring.y
    length = hypot(dx, dy) or 1.0
    if abs(dx) < SIDEWAYS * length or not ring.radius:
        above = dy <= 0
        return x, (y - ring.gap - height + 8 if above else y + ring.gap + 10), "middle"
    side = 1 if dx > 0 else -1
    return x + side * (ring.gap + 2), y - height / 2 + 10.5, "start" if side > 0 else "end"


def _count(node: NodeFrame, x: float, y: float, anchor: str, bold: bool) -> Iterator[Mark]:
    """A campaign: one mark per voter, and how many votes there are."""
    assert node.votes is not None
    voters = node.votes.configuration.all_voters
    answers = node.votes.answers
    words = f"{sum(answers.values())} of {len(voters)}"
    step, r = (10.0, 3.6) if len(voters) <= 5 else (0.0, 0.0)
    pips = step * len(voters)
    wide = pips + style.text_width(words, style.SMALL, bold=bold)
    left = {"start": x, "middle": x - wide / 2, "end": x - wide}[anchor]
    if step:
        for place, voter in enumerate(voters):
            name = f"vote-{node.node}-{voter}"
            here = left + step * place + r + 0.6
            yield from vote_mark(name, here, y - 3.4, r, voter, answers.get(voter))
    yield Text(
        f"votes-{node.node}",
        left + pips + 2,
        y,
        words if step else f"{words} votes",
        style.SMALL,
        anchor="start",
        bold=bold,
        role="votes",
    )

"""The lines beside a node on the ring: what it is, whom it voted for, what it waits for."""

from collections.abc import Iterator, Mapping, Sequence
from math import hypot

import msgspec

from raftlab.raft.roles import Role
from raftlab.raft.vocabulary import Millis, NodeId
from raftlab.sim.frames.frame import NodeFrame
from raftlab.view import style
from raftlab.view.cluster.ring import LABEL_ROOM, LABEL_SIZE, SIDEWAYS, Ring
from raftlab.view.cluster.waiting_work import (
    clock_text,
    is_wiped,
    read_words,
    transfer_words,
    write_text,
)
from raftlab.view.marks import Mark, Text
from raftlab.view.members import Standing
from raftlab.view.shapes import vote_mark
from raftlab.view.words import clean, role_text

LINE = 14.0
"""From one line beside a node to the next, in units."""

_MOST_PIPS = 5
_MOST_PIPS_JOINT = 3
"""As many votes have room in a row; fewer with the name of their group before them."""


class NodeLabel(msgspec.Struct, frozen=True):
    """One line beside a node. `kind` is what it tells, `bold` that it is new."""

    kind: str
    words: str
    bold: bool = False
    color: str = style.INK


def node_labels(
    node: NodeFrame, standing: Standing, at: Millis, changes: frozenset[str]
) -> list[NodeLabel]:
    """The lines beside a node, without the count of its votes."""
    lines = [*_standing(standing, "configuration" in changes)]
    if not node.alive:
        down = NodeLabel("role", "down", "role" in changes)
        term = "disk: empty" if is_wiped(node) else f"disk: term {node.disk.term}"
        return [down, *lines, NodeLabel("term", term, "term" in changes, style.QUIET)]
    if node.role is not Role.FOLLOWER:
        lines.insert(0, NodeLabel("role", role_text(node), "role" in changes))
    if node.paused:
        lines.append(NodeLabel("paused", "paused", "role" in changes))
    if node.voted_for:
        lines.append(_quiet("vote", f"voted {clean(node.voted_for)}", "voted_for" in changes))
    lines += _numbered("reads", read_words(node), "reads" in changes)
    lines += _numbered("transfer", transfer_words(node, at), "transfer" in changes)
    if clock_text(node):
        lines.append(NodeLabel("clock", f"clock {clock_text(node)}", "clock_rate" in changes))
    if write_text(node):
        lines.append(NodeLabel("write", f"disk {write_text(node)}", "write_ms" in changes))
    return lines


def _standing(standing: Standing, new: bool) -> Iterator[NodeLabel]:
    if standing.label:
        yield NodeLabel("standing", standing.label, new)
    if standing.own:
        yield _quiet("own", standing.own_label, new)


def _numbered(kind: str, lines: Sequence[str], new: bool) -> Iterator[NodeLabel]:
    for place, words in enumerate(lines):
        yield NodeLabel(f"{kind}-{place}" if place else kind, words, new)


def _quiet(kind: str, words: str, new: bool) -> NodeLabel:
    return NodeLabel(kind, words, new, style.INK if new else style.QUIET)


def count_lines(node: NodeFrame) -> int:
    """How many lines the count of its votes takes: one a group of voters, or none."""
    if not _counts(node):
        return 0
    assert node.votes is not None
    return len(node.votes.configuration.voter_sets)


def _counts(node: NodeFrame) -> bool:
    return node.votes is not None and node.alive and node.role is Role.CANDIDATE


def stands_upright(node: NodeId, ring: Ring) -> bool:
    """Whether the lines stand above or below the node, and not to a side."""
    x, y = ring.places[node]
    return abs(x - ring.x) < SIDEWAYS * (hypot(x - ring.x, y - ring.y) or 1.0) or not ring.radius


def baselines(node: NodeFrame, ring: Ring, lines: Sequence[NodeLabel]) -> tuple[float, float]:
    """Where the first and the last of the lines beside a node stand."""
    count = max(len(lines) + count_lines(node), 1)
    _, y, _ = _label_place(node.node, ring, LINE * count)
    return y, y + LINE * (count - 1)


def label_marks(
    node: NodeFrame, ring: Ring, lines: Sequence[NodeLabel], changes: frozenset[str]
) -> Iterator[Mark]:
    """The lines next to a node, on its outer side."""
    height = LINE * (len(lines) + count_lines(node))
    x, y, anchor = _label_place(node.node, ring, height)
    for place, line in enumerate(lines):
        size, bold = LABEL_SIZE, line.bold
        words = style.fit_text(line.words, LABEL_ROOM - 4, size, bold=bold)
        name, here, kind = f"{line.kind}-{node.node}", y + LINE * place, line.kind.split("-")[0]
        yield Text(name, x, here, words, size, line.color, anchor, bold=bold, role=kind)
    if _counts(node):
        yield from _count(node, x, y + LINE * len(lines), anchor, "votes" in changes)


def _label_place(node: NodeId, ring: Ring, height: float) -> tuple[float, float, str]:
    """Where the first baseline of a block of lines goes, and its anchor."""
    x, y = ring.places[node]
    if stands_upright(node, ring):
        above = y <= ring.y
        return x, (y - ring.gap - height + 8 if above else y + ring.gap + 10), "middle"
    side = 1 if x > ring.x else -1
    return x + side * (ring.gap + 2), y - height / 2 + 10.5, "start" if side > 0 else "end"


def _count(node: NodeFrame, x: float, y: float, anchor: str, bold: bool) -> Iterator[Mark]:
    """A campaign: one mark per voter, and how many votes there are, in a row a group."""
    assert node.votes is not None
    configuration, answers = node.votes.configuration, node.votes.answers
    if not configuration.is_joint:
        yield from _row(f"-{node.node}", "", configuration.voters, answers, x, y, anchor, bold)
        return
    groups = (("old", configuration.old_voters), ("new", configuration.voters))
    for place, (group, voters) in enumerate(groups):
        name, here = f"-{node.node}-{group}", y + LINE * place
        yield from _row(name, f"{group} ", voters, answers, x, here, anchor, bold)


def _row(
    name: str,
    group: str,
    voters: Sequence[NodeId],
    answers: Mapping[NodeId, bool],
    x: float,
    y: float,
    anchor: str,
    bold: bool,
) -> Iterator[Mark]:
    """One group's votes: a mark a voter if they fit, and how many were granted."""
    words = f"{sum(answers.get(voter, False) for voter in voters)} of {len(voters)}"
    drawn = len(voters) <= (_MOST_PIPS_JOINT if group else _MOST_PIPS)
    step, r = (10.0, 3.6) if drawn else (0.0, 0.0)
    before = style.text_width(group, style.SMALL, bold=bold)
    pips = before + step * len(voters)
    said = words if drawn else f"{words} votes"
    wide = pips + style.text_width(said, style.SMALL, bold=bold)
    left = {"start": x, "middle": x - wide / 2, "end": x - wide}[anchor]
    if group:
        yield _votes(f"voters{name}", left, y, group.strip(), bold)
    for place, voter in enumerate(voters if drawn else ()):
        here = left + before + step * place + r + 0.6
        yield from vote_mark(f"vote{name}-{voter}", here, y - 3.4, r, voter, answers.get(voter))
    yield _votes(f"votes{name}", left + pips + 2, y, said, bold)


def _votes(name: str, x: float, y: float, words: str, bold: bool) -> Text:
    return Text(name, x, y, words, style.SMALL, anchor="start", bold=bold, role="votes")

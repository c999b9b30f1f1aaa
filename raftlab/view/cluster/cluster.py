"""The cluster on a ring: who is what, in which term, and what is on its way to whom."""

from collections.abc import Mapping, Sequence
from functools import partial
from itertools import permutations
from typing import TYPE_CHECKING, TypeAlias

from raftlab.raft.vocabulary import NodeId
from raftlab.sim.frames.frame import Frame
from raftlab.view import style
from raftlab.view.changes import changed_fields
from raftlab.view.checked import checked
from raftlab.view.cluster.description import describe_cluster
from raftlab.view.cluster.label_placement import numbers_lie_on_words, place_numbers
from raftlab.view.cluster.legend import (
    LEGEND_END,
    LEGEND_LINE,
    is_plain,
    legend_items,
    legend_lines,
    legend_marks,
)
from raftlab.view.cluster.links import link_marks, links_of
from raftlab.view.cluster.network_changes import network_lines
from raftlab.view.cluster.node_labels import LINE, NodeLabel, baselines, count_lines, node_labels
from raftlab.view.cluster.partitions import cut_marks, partition_marks
from raftlab.view.cluster.ring import Ring, ring_of
from raftlab.view.cluster.servers import node_marks
from raftlab.view.geometry import point_on
from raftlab.view.marks import Mark, Path, Text, words_last
from raftlab.view.members import VOTER, configuration_choices, configuration_lines, standings
from raftlab.view.scene import Scene, moved
from raftlab.view.words import clean, headline, role_text, violation_text

if TYPE_CHECKING:
    import networkx as nx

Graph: TypeAlias = "nx.DiGraph[NodeId]"
"""A cluster, as networkx has it."""

_LEFT, _FIRST_LINE, _LINE = 10.0, 18.0, 16.0
_LINES_WITH_ROOM = 2  # above the ring; with more of them it moves down
_CLEAR = 14.0  # from the last of them to the first line beside a node
_CLEARER = 22.0  # and where configurations stand above, which are as many lines again
_MOST_CONFIGURATIONS = 2  # lines above the ring
_MOST_LINKS = 2  # that are told there; the text twin tells them all
_SHARE = 0.96  # of the room that these take at most
_FEWEST_BELOW = 2  # lines below the lowest node, so that the logs do not jump with each vote


@checked
def cluster_graph(frame: Frame) -> "Graph":
    """The cluster as a graph: its nodes, and an edge wherever messages are in flight.

    Nodes have `role` and `member` (as `describe_cluster` says them), `term`, `voted_for`,
    `alive`, `paused` and `pos` (x, y); edges have `messages`, a tuple of `InFlight` in the
    order of their numbers.
    """
    graph = _graph_of_nodes(frame)
    for (sender, receiver), flights in links_of(frame).items():
        graph.add_edge(sender, receiver, messages=flights)
    return graph


@checked
def reach_graph(frame: Frame) -> "Graph":
    """Who reaches whom: an edge wherever a message sent now can arrive and be read.

    Its sender and its receiver run (neither is down nor paused), and the link between them is
    not cut; it may be slow, or lose some. Nodes are as those of `cluster_graph`.
    """
    graph, cuts = _graph_of_nodes(frame), set(frame.cuts)
    running = [node.node for node in frame.nodes if node.alive and not node.paused]
    graph.add_edges_from(pair for pair in permutations(running, 2) if pair not in cuts)
    return graph


def _graph_of_nodes(frame: Frame) -> "Graph":
    """The nodes of a cluster as a graph without edges."""
    import networkx as nx  # takes a tenth of a second, so only when a graph is wanted

    graph: Graph = nx.DiGraph(at=frame.at)
    ring = ring_of(tuple(node.node for node in frame.nodes))
    standing = standings(frame)
    for node in frame.nodes:
        graph.add_node(
            node.node,
            role=role_text(node),
            member=standing[node.node].word or VOTER,
            term=node.term if node.alive else node.disk.term,
            voted_for=node.voted_for if node.alive else node.disk.voted_for,
            alive=node.alive,
            paused=node.paused,
            pos=ring.places[node.node],
        )
    return graph


@checked
def scene_cluster(frame: Frame, previous: Frame | None = None) -> Scene:
    """The cluster at one moment; what changed since `previous` is ringed and bold.

    Ids: "node-S1" a node, "msg-17" a message by its number.
    """
    ring = ring_of(tuple(node.node for node in frame.nodes))
    links = links_of(frame)
    changes = changed_fields(frame, previous)
    marks: list[Mark] = [*partition_marks(frame, ring), *cut_marks(frame, ring)]
    marks += link_marks(frame, links, ring)
    longest = max((node.election_timeout or 0.0 for node in frame.nodes), default=0.0)
    standing, beside = standings(frame), {}
    for node in frame.nodes:
        name, changed = node.node, changes[node.node]
        beside[name] = node_labels(node, standing[name], frame.at, changed)
        marks += node_marks(node, ring, frame.at, longest, changed, standing[name], beside[name])
    if not is_plain(frame) or numbers_lie_on_words(marks):
        marks = place_numbers(marks, ring)
    sentences = headline_marks(frame, ring.width - 2 * _LEFT)
    lower, more = _room(frame, ring, beside, len(sentences))
    drawn = words_last(marks)
    marks = [*sentences, *([moved(mark, 0.0, lower) for mark in drawn] if lower else drawn)]
    height = max(ring.height + more, _lowest(drawn)) + lower
    messages = [flight.message for flights in links.values() for flight in flights]
    shown = legend_items(standing.values(), messages)
    rows = legend_lines(shown, ring.width - 2 * _LEFT)
    marks += legend_marks(rows, ring.x, height + LEGEND_LINE - 2)
    height += LEGEND_LINE * len(rows) + (LEGEND_END if rows else 0)
    text = partial(describe_cluster, frame, previous)
    return Scene(ring.width, height, tuple(marks), "Raft cluster", text)


def _room(
    frame: Frame, ring: Ring, beside: Mapping[NodeId, list[NodeLabel]], sentences: int
) -> tuple[float, float]:
    """How far the ring moves down for what stands above it, and what is added below."""
    changing = bool(configuration_lines(frame))
    lower = max(sentences - _LINES_WITH_ROOM, 0) * _LINE
    clear = _FIRST_LINE + _LINE * (sentences - 1) + (_CLEARER if changing else _CLEAR)
    if not ring.detailed:  # there is only the term of the node at twelve o'clock
        first = ring.y - ring.radius - ring.gap - 6
        return max(lower, clear - first), 0.0
    lowest = max(y for _, y in ring.places.values()) + ring.gap
    bottom = lowest + 10 + LINE * (_FEWEST_BELOW - 1) + 8 if changing else ring.height
    bottom = min(bottom, ring.height)
    for node in frame.nodes:
        if len(beside[node.node]) + count_lines(node):
            first, last = baselines(node, ring, beside[node.node])
            lower, bottom = max(lower, clear - first), max(bottom, last + 4)
    return lower, bottom - ring.height


def _lowest(marks: Sequence[Mark]) -> float:
    """How far down messages and their numbers reach: many on one link bend far out."""
    lowest = 0.0
    for mark in marks:
        if mark.role == "number" and isinstance(mark, Text):
            lowest = max(lowest, mark.y + 4)
        elif mark.role in ("message", "way") and isinstance(mark, Path):
            start, end = mark.points[0], mark.points[-1]
            lowest = max(lowest, start[1], end[1], point_on(start, end, mark.curve, 0.5)[1] + 3)
    return lowest


def headline_marks(frame: Frame, room: float) -> list[Mark]:
    """What the moment is, which property is broken, who belongs to the cluster, how links differ.

    On as many lines as it takes, of which at most two tell of configurations.
    """
    marks = _lines("headline", headline(frame), room, 0)
    if frame.violation:
        marks += _lines("violation", violation_text(frame.violation), room, len(marks))
    for place, said in enumerate(_configurations(frame, _SHARE * room)):
        name = f"configuration-{chr(ord('a') + place)}"
        marks += _lines("configuration", said, _SHARE * room, len(marks), name)
    for place, said in enumerate(_network(frame)):
        marks += _lines("network", said, room, len(marks), f"network-{place}")
    return marks


def _network(frame: Frame) -> list[str]:
    """How messages are carried, where that was changed."""
    said = network_lines(frame)
    most = _MOST_LINKS + (frame.network is not None)
    if len(said) <= most:
        return said
    return [*said[: most - 1], f"and {len(said) - most + 1} more links are changed"]


def _configurations(frame: Frame, room: float) -> list[str]:
    """Each configuration in force on two lines in all, in full if that is possible.

    Of more than two, the second line only counts the others; the text twin tells them all.
    """
    said = [clean(each, 400) for each in configuration_lines(frame)]
    if sum(len(style.wrap_clauses(each, room)) for each in said) <= _MOST_CONFIGURATIONS:
        return said
    choices = configuration_choices(frame, _MOST_CONFIGURATIONS)
    lines = _MOST_CONFIGURATIONS // len(choices)
    return [_shortened([clean(each, 400) for each in words], room, lines) for words in choices]


def _shortened(words: Sequence[str], room: float, lines: int) -> str:
    """The first wording that takes at most so many lines, or the last one, cut."""
    for each in words:
        if len(style.wrap_clauses(each, room)) <= lines:
            return each
    return style.fit_text(words[-1], room)


def _lines(role: str, text: str, room: float, above: int, name: str = "") -> list[Mark]:
    bold, name = role == "violation", name or role
    by_clauses = role == "configuration"  # so that "in force at" keeps its nodes
    lines = style.wrap_clauses(text, room) if by_clauses else style.wrap_text(text, room, bold=bold)
    return [
        Text(
            f"{name}-{place}" if place else name,
            _LEFT,
            _FIRST_LINE + (above + place) * _LINE,
            line,
            anchor="start",
            bold=bold,
            role=role,
        )
        for place, line in enumerate(lines)
    ]

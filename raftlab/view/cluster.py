"""The cluster on a ring: who is what, in which term, and what is on its way to whom."""

from typing import TYPE_CHECKING

from raftlab.raft.vocabulary import NodeId
from raftlab.sim.frame import Frame
from raftlab.view import style
from raftlab.view.changes import changed_fields
from raftlab.view.describe import describe_cluster
from raftlab.view.links import link_marks
from raftlab.view.marks import Mark, Scene, Text, words_last
from raftlab.view.partitions import cut_marks, partition_marks
from raftlab.view.pictures import moved
from raftlab.view.ring import ring_of
from raftlab.view.servers import node_marks
from raftlab.view.words import headline, role_text, violation_text

if TYPE_CHECKING:
    import networkx as nx

_LEFT, _FIRST_LINE, _LINE = 10.0, 18.0, 16.0
_LINES_WITH_ROOM = 2  # above the ring; with more of them it moves down


def cluster_graph(frame: Frame) -> "nx.DiGraph[NodeId]":
    """The cluster as a graph: its nodes, and an edge wherever messages are in flight.

    Nodes have `role` (as `describe_cluster` says it), `term`, `voted_for`, `alive`,
    `paused` and `pos` (x, y); edges have `messages`, a tuple of `InFlight` in the order
    of their numbers.
    """
    import networkx as nx  # takes a tenth of a second, so only when a picture is wanted

    graph: nx.DiGraph[NodeId] = nx.DiGraph(at=frame.at)
    ring = ring_of(tuple(node.node for node in frame.nodes))
    for node in frame.nodes:
        graph.add_node(
            node.node,
            role=role_text(node),
            term=node.term if node.alive else node.disk.term,
            voted_for=node.voted_for if node.alive else node.disk.voted_for,
            alive=node.alive,
            paused=node.paused,
            pos=ring.places[node.node],
        )
    for flight in sorted(frame.in_flight, key=lambda each: each.number):
        sender, receiver = flight.message.sender, flight.message.receiver
        if sender in ring.places and receiver in ring.places:
            held = graph.get_edge_data(sender, receiver, {"messages": ()})["messages"]
            graph.add_edge(sender, receiver, messages=(*held, flight))
    return graph


def scene_cluster(frame: Frame, previous: Frame | None = None) -> Scene:
    """The cluster at one moment; what changed since `previous` is ringed and bold.

    Ids: "node-S1" a node, "msg-17" a message by its number.
    """
    ring = ring_of(tuple(node.node for node in frame.nodes))
    graph = cluster_graph(frame)
    changes = changed_fields(frame, previous)
    marks: list[Mark] = [*partition_marks(frame, ring), *cut_marks(frame, ring)]
    marks += link_marks(frame, graph, ring)
    longest = max((node.election_timeout or 0.0 for node in frame.nodes), default=0.0)
    for node in frame.nodes:
        marks += node_marks(node, ring, frame.at, longest, changes[node.node])
    sentences = headline_marks(frame, ring.width - 2 * _LEFT)
    lower = max(len(sentences) - _LINES_WITH_ROOM, 0) * _LINE
    marks = [*sentences, *(moved(mark, 0.0, lower) for mark in words_last(marks))]
    description = describe_cluster(frame, previous)
    return Scene(ring.width, ring.height + lower, tuple(marks), "Raft cluster", description)


def headline_marks(frame: Frame, room: float) -> list[Mark]:
    """What the moment is, and which property is broken, on as many lines as it takes."""
    marks = _lines("headline", headline(frame), room, 0)
    if frame.violation:
        marks += _lines("violation", violation_text(frame.violation), room, len(marks))
    return marks


def _lines(role: str, text: str, room: float, above: int) -> list[Mark]:
    bold = role == "violation"
    return [
        Text(
            f"{role}-{place}" if place else role,
            _LEFT,
            _FIRST_LINE + (above + place) * _LINE,
            line,
            anchor="start",
            bold=bold,
            role=role,
        )
        for place, line in enumerate(style.wrap_text(text, room, bold=bold))
    ]

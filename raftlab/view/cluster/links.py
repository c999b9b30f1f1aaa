"""Messages on their way between nodes, and the one that was just lost."""

from collections.abc import Iterator, Mapping
from math import hypot
from typing import TypeAlias

from raftlab.raft.messages import (
    AppendEntriesReply,
    InstallSnapshotReply,
    Message,
    Rejected,
    RequestVoteReply,
)
from raftlab.raft.vocabulary import Millis, NodeId
from raftlab.sim.frames.frame import Frame, InFlight
from raftlab.view import style
from raftlab.view.cluster.ring import Line, Ring, bends, free_ends, part_of
from raftlab.view.geometry import end_direction, point_on
from raftlab.view.marks import Ink, Mark, Path, Text
from raftlab.view.shapes import cross
from raftlab.view.words import flight_text, kind_text, message_text

Links: TypeAlias = Mapping[tuple[NodeId, NodeId], tuple[InFlight, ...]]
"""Sender and receiver, and what is in flight from the one to the other."""

MOST_NUMBERED = 16
"""With more messages than this, their numbers are left to the text twin."""


def links_of(frame: Frame) -> Links:
    """The links that messages of known nodes are on: by their senders, then by number."""
    order = {node.node: place for place, node in enumerate(frame.nodes)}
    found: dict[tuple[NodeId, NodeId], tuple[InFlight, ...]] = {}
    for flight in sorted(frame.in_flight, key=lambda each: each.number):
        link = flight.message.sender, flight.message.receiver
        if order.keys() >= {*link}:
            found[link] = (*found.get(link, ()), flight)
    return {link: found[link] for link in sorted(found, key=lambda link: order[link[0]])}


def link_marks(frame: Frame, links: Links, ring: Ring) -> Iterator[Mark]:
    """All messages, from the quietest to the loudest mark."""
    numbered = len(frame.in_flight) <= MOST_NUMBERED
    order = {node.node: place for place, node in enumerate(frame.nodes)}
    ways: list[Path] = []
    arrows: list[Mark] = []
    labels: list[Mark] = []
    for (sender, receiver), flights in links.items():
        line = ring.places[sender], ring.places[receiver]
        curves = bends(order[sender], order[receiver], len(order), ring, len(flights))
        for flight, curve in zip(flights, curves, strict=True):
            way, arrow = _flight(flight, frame.at, line, ring.gap, curve)
            ways.append(way)
            arrows += arrow
            if numbered or flight.copies > 1:
                labels.append(_number(flight, arrow[0], way, numbered))
    yield from (*ways, *arrows, *labels)
    yield from _lost(frame, ring)


def share_of_way(flight: InFlight, at: Millis) -> float:
    """How far a message has come at `at` (ms): 0 just sent, 1 about to arrive."""
    whole = flight.arrives_at - flight.sent_at
    return min(max((at - flight.sent_at) / whole, 0.0), 1.0) if whole > 0 else 1.0


def _flight(
    flight: InFlight, at: Millis, line: Line, gap: float, curve: float
) -> tuple[Path, list[Path]]:
    first, last = free_ends(line, gap)
    least = min(14 * first / gap, last - first)  # the arrow is never shorter than its head
    tip = first + max((last - first) * share_of_way(flight, at), least)
    look = style.message_style(flight.message)
    points, bend = part_of(line, curve, tip, last)
    number, message = flight.number, flight.message
    way = Path(
        f"way-{number}",
        points,
        Ink(None, style.FAINT, 1.0),
        curve=bend,
        role="way",
    )
    points, bend = part_of(line, curve, first, tip)
    arrow = Path(
        f"msg-{number}",
        points,
        Ink(None, look.color, look.width, look.dash),
        head=look.head,
        curve=bend,
        role="message",
        data={
            "number": number,
            "kind": kind_text(message),
            "from": message.sender,
            "to": message.receiver,
            "copies": flight.copies,
        },
        title=flight_text(flight, at),
    )
    return way, [arrow, *_refusal(arrow, message)]


def _refusal(arrow: Path, message: Message) -> list[Path]:
    """A bar across the line of a reply that says no."""
    match message:
        case RequestVoteReply(vote_granted=False) | InstallSnapshotReply(success=False):
            pass
        case AppendEntriesReply(result=Rejected()):
            pass
        case _:
            return []
    start, tip = arrow.points
    dx, dy = end_direction(start, tip, arrow.curve)
    x, y = tip[0] + dx * 3, tip[1] + dy * 3
    ends = ((x - dy * 6, y + dx * 6), (x + dy * 6, y - dx * 6))
    return [Path(f"{arrow.id}-no", ends, Ink(None, arrow.ink.stroke, 2.4), role="refusal")]


def _number(flight: InFlight, arrow: Path, way: Path, numbered: bool) -> Text:
    """The number of a message just ahead of its head, or beside it if it is nearly there.

    With "×2" if it was doubled.
    """
    start, tip = arrow.points
    left = hypot(way.points[1][0] - tip[0], way.points[1][1] - tip[1])
    if left > 22:
        x, y = point_on(way.points[0], way.points[1], way.curve, 11 / left)
    else:
        x, y = point_on(start, tip, arrow.curve, 0.5)
        dx, dy = end_direction(start, tip, 0.0)
        x, y = x + dy * 10, y - dx * 10
    words = str(flight.number) if numbered else ""
    if flight.copies > 1:
        words += f" ×{flight.copies}"
    name, look = f"number-{flight.number}", style.QUIET
    return Text(name, x, y + 3.2, words.strip(), style.SMALL, look, halo=True, role="number")


def _lost(frame: Frame, ring: Ring) -> Iterator[Mark]:
    """The message that the last step lost: its line stops half-way, at a cross."""
    lost = frame.event.lost if frame.event else None
    if lost is None or lost.sender not in ring.places or lost.receiver not in ring.places:
        return
    line = ring.places[lost.sender], ring.places[lost.receiver]
    if line[0] == line[1]:
        return
    first, _ = free_ends(line, ring.gap)
    order = [node.node for node in frame.nodes]
    sender, receiver = order.index(lost.sender), order.index(lost.receiver)
    (curve,) = bends(sender, receiver, len(order), ring, 1)
    points, bend = part_of(line, curve, first, 0.5)
    look = style.message_style(lost)
    title = f"lost: {kind_text(lost)} {lost.sender} → {lost.receiver}: {message_text(lost)}"
    ink = Ink(None, look.color, look.width, look.dash)
    yield Path("lost", points, ink, curve=bend, role="lost", title=title)
    x, y = points[1]
    yield from cross("lost-cross", x, y, 6.0, style.TROUBLE, 3.0)

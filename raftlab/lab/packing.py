"""Scenes on their way to the browser: the same marks, in few bytes.

A packed scene is plain data: `w`, `h`, `title`, `desc`, `looks` (every look that occurs,
once) and `marks`, first to last, each a list: its kind, its id, the number of its look,
and its geometry. `gone` says where marks that are no longer there end their way.
"""

from collections.abc import Callable, Iterable
from typing import Any, TypeAlias

import msgspec

from raftlab.raft.messages import Message
from raftlab.raft.vocabulary import Millis
from raftlab.sim.frames.frame import Frame, InFlight
from raftlab.view import Scene, scene_cluster, style
from raftlab.view.marks import Arc, Box, Disc, Ink, Mark, Path, Text

Packed: TypeAlias = dict[str, Any]

MOVING = frozenset({"message", "way", "number", "refusal", "timer"})
"""The roles of marks that move as time passes; all others change when something happens."""


def pack(scene: Scene, gone: Iterable[Mark] = ()) -> Packed:
    """A scene as plain data for the stage; `gone` are last places of marks it has no more."""
    looks: dict[tuple[object, ...], int] = {}
    marks = [_packed(mark, looks) for mark in scene.marks]
    leaving = [_packed(mark, looks) for mark in gone]
    return {
        "w": _short(scene.width),
        "h": _short(scene.height),
        "title": scene.title,
        "desc": scene.description,
        "looks": [_look(key) for key in looks],
        "marks": marks,
        "gone": leaving,
    }


def _packed(mark: Mark, looks: dict[tuple[object, ...], int]) -> list[Any]:
    key: tuple[object, ...]
    if isinstance(mark, Text):
        key = (mark.role, mark.size, mark.color, mark.anchor, mark.bold, mark.mono, mark.halo)
        look = looks.setdefault(key, len(looks))
        return ["t", mark.id, look, _short(mark.x), _short(mark.y), mark.text]
    key = (mark.role, mark.ink)
    row: list[Any] = ["", mark.id, looks.setdefault(key, len(looks))]
    match mark:
        case Disc():
            row[0] = "d"
            row += map(_short, (mark.x, mark.y, mark.r))
        case Box():
            row[0] = "b"
            row += map(_short, (mark.x, mark.y, mark.w, mark.h, mark.r))
        case Arc():
            row[0] = "a"
            row += (_short(mark.x), _short(mark.y), _short(mark.r))
            row += (round(mark.start, 4), round(mark.end, 4))
        case Path():
            row[0] = "p"
            points = [_short(value) for point in mark.points for value in point]
            row += (points, float(f"{mark.curve:.4g}"), mark.head[0], int(mark.closed))
    if mark.title:
        row.append(mark.title)
    return row


def _short(value: float) -> float:
    rounded = round(value, 2)
    return int(rounded) if rounded == int(rounded) else rounded


def _look(key: tuple[object, ...]) -> Packed:
    """A look without what is as usual."""
    role = key[0]
    look: Packed = {"c": role} if role else {}
    if role in MOVING:
        look["m"] = 1
    if isinstance(key[1], Ink):
        return look | _ink(key[1])
    _, size, color, anchor, bold, mono, halo = key
    look |= {"z": size, "f": color}
    if anchor != "middle":
        look["a"] = anchor
    return look | {name: 1 for name, on in (("b", bold), ("mono", mono), ("halo", halo)) if on}


def _ink(ink: Ink) -> Packed:
    look: Packed = {"f": ink.fill} if ink.fill else {}
    if ink.stroke:
        look["s"] = ink.stroke
        look["w"] = ink.width
        if ink.dash:
            look["d"] = " ".join(f"{each:g}" for each in ink.dash)
    if ink.hatch:
        look["h"] = [style.HATCH_GAP, style.HATCH_WIDTH, style.HATCH]
    if ink.opacity != 1:
        look["o"] = ink.opacity
    return look


# Where messages that are no longer on their way came to


def endings(
    frame: Frame,
    before: Frame,
    lost: Iterable[Message],
    draw: Callable[[Frame], Scene] = scene_cluster,
) -> tuple[Mark, ...]:
    """The marks of messages that were on their way `before` and are not now, at their end.

    One that is among the `lost` ends half-way, any other at its receiver. `draw` makes the
    picture of a frame.
    """
    here = {flight.number for flight in frame.in_flight}
    gone = {flight.number for flight in before.in_flight} - here
    if not gone:
        return ()
    failed = list(lost)
    flights = tuple(
        _ended(flight, before.at, flight.message in failed) if flight.number in gone else flight
        for flight in before.in_flight
    )
    scene = draw(msgspec.structs.replace(before, in_flight=flights))
    names = {f"{kind}-{number}" for number in gone for kind in ("way", "msg", "number")}
    names |= {f"msg-{number}-no" for number in gone}
    return tuple(mark for mark in scene.marks if mark.id in names)


def _ended(flight: InFlight, at: Millis, lost: bool) -> InFlight:
    """The flight as it is drawn at `at` (ms) when it has come to its end, or half-way if lost."""
    if lost:
        return msgspec.structs.replace(flight, sent_at=at - 1.0, arrives_at=at + 1.0)
    return msgspec.structs.replace(flight, arrives_at=flight.sent_at)

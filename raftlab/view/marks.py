"""The few kinds of mark that every picture is made of.

A scene (`raftlab.view.scene`) draws its marks first to last, in a space of `width` by `height`
units (one unit is one CSS pixel at full size; y grows downwards). A mark's `id` names the
same thing from one scene to the next, so that the browser can move it. No mark knows
what a vote is: meaning ends here.

`role` of a mark is a CSS-safe word for tests and for the browser ("node", "message", …).
`data` is what a click on the mark should tell (for instance a message's number).
"""

from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import TypeAlias, final

import msgspec

NO_DATA: Mapping[str, str | int | float] = MappingProxyType({})


class Ink(msgspec.Struct, frozen=True, gc=False, cache_hash=True):
    """How a mark looks. `dash` is a tuple of on and off lengths; () is a full line.

    `hatch` is drawn over the fill of a box as thin diagonal lines. `opacity` is 0 to 1.
    """

    fill: str | None = None
    stroke: str | None = None
    width: float = 1.0
    dash: tuple[float, ...] = ()
    hatch: bool = False
    opacity: float = 1.0


class Disc(msgspec.Struct, frozen=True, gc=False, tag="disc"):
    """A circle of radius `r` around (x, y)."""

    id: str
    x: float
    y: float
    r: float
    ink: Ink
    role: str = ""
    data: Mapping[str, str | int | float] = NO_DATA
    title: str = ""


class Box(msgspec.Struct, frozen=True, gc=False, tag="box"):
    """A rectangle with its upper left corner at (x, y); `r` rounds the corners."""

    id: str
    x: float
    y: float
    w: float
    h: float
    ink: Ink
    r: float = 0.0
    role: str = ""
    data: Mapping[str, str | int | float] = NO_DATA
    title: str = ""


@final
class Path(msgspec.Struct, frozen=True, gc=False, tag="path"):
    """A line through `points`; closed makes it a polygon.

    `head`: "none", "filled" or "open" arrow head at the last point. `curve` bends a line
    of two points into a part of a circle: its middle lies to the left by that share of its
    length (`raftlab.view.geometry` says where it runs).
    """

    id: str
    points: tuple[tuple[float, float], ...]
    ink: Ink
    closed: bool = False
    head: str = "none"
    curve: float = 0.0
    role: str = ""
    data: Mapping[str, str | int | float] = NO_DATA
    title: str = ""


class Arc(msgspec.Struct, frozen=True, gc=False, tag="arc"):
    """A part of a circle, clockwise from twelve o'clock: `start` to `end` in turns (0 to 1)."""

    id: str
    x: float
    y: float
    r: float
    start: float
    end: float
    ink: Ink
    role: str = ""
    data: Mapping[str, str | int | float] = NO_DATA
    title: str = ""


class Text(msgspec.Struct, frozen=True, gc=False, tag="text"):
    """Words at (x, y): the baseline's middle by default. `size` in units (11 is the rule).

    `anchor`: "start", "middle" or "end". `mono` sets DejaVu Sans Mono; `halo` paints a
    thin white edge around the letters so that lines below do not cross them.
    """

    id: str
    x: float
    y: float
    text: str
    size: float = 11.0
    color: str = "#222222"
    anchor: str = "middle"
    bold: bool = False
    mono: bool = False
    halo: bool = False
    role: str = ""
    data: Mapping[str, str | int | float] = NO_DATA


Mark: TypeAlias = Disc | Box | Path | Arc | Text


def words_last(marks: Iterable[Mark]) -> tuple[Mark, ...]:
    """The same marks in the same order, but all words over everything else."""
    found: tuple[list[Mark], list[Mark]] = [], []
    for mark in marks:  # `isinstance` asks a struct's class, which takes several times as long
        found[type(mark) is Text].append(mark)
    return (*found[0], *found[1])

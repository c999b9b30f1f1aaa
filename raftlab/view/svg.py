"""Marks as SVG text: deterministic, self-contained, a fraction of a millisecond.

The same marks give the same bytes, in every process. Every mark carries its id as
`data-id`, its role as `class`, and what a click should tell as `data-*`.
"""

import re
from collections.abc import Callable, Iterable
from functools import lru_cache
from hashlib import blake2b
from typing import Any, TypeVar

from raftlab.view import style
from raftlab.view.geometry import (
    Point,
    arrow_head,
    bend_radius,
    end_direction,
    hatch_lines,
    point_at_angle,
    stop_short,
)
from raftlab.view.marks import NO_DATA, Arc, Box, Disc, Ink, Mark, Path, Text

NECK = 7.0
"""How far before its tip the line of a filled arrow ends."""

_UNFIT = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


Key = TypeVar("Key")


class Remembered(dict[Key, str]):
    """What `told` says of each thing, which comes back from frame to frame: `known[thing]`.

    A dictionary, since a call takes five times as long; when it holds `most` it begins anew.
    """

    __slots__ = ("most", "told")

    def __init__(self, told: Callable[[Key], str], most: int) -> None:
        self.told = told
        self.most = most

    def __missing__(self, thing: Key) -> str:
        if len(self) >= self.most:
            self.clear()
        self[thing] = text = self.told(thing)
        return text


def svg_text(
    width: float, height: float, marks: Iterable[Mark], title: str, description: str
) -> str:
    """Marks as one `<svg>` element with its title and description for screen readers."""
    lines = [_PAINTERS[type(mark)](mark) for mark in marks]
    title, description = escape(title), escape(description)
    w, h = _numbers[width], _numbers[height]
    told = blake2b(f"{w} {h}\n{title}\n{description}\n".encode(), digest_size=5)
    told.update(b"\n".join([line.encode() for line in lines]))  # ASCII, most of them: it is quick
    key = f"rl{told.hexdigest()}"
    opening = (
        f'<svg xmlns="http://www.w3.org/2000/svg" class="raftlab" viewBox="0 0 {w} {h}" '
        f'width="{w}" height="{h}" style="max-width:100%;height:auto" role="img" '
        f'aria-labelledby="{key}-t {key}-d" font-family="{style.FONT_FAMILY}" '
        f'font-size="{_numbers[style.SIZE]}" text-anchor="middle" fill="{style.INK}" '
        f'stroke-linejoin="round">\n'
        f'<title id="{key}-t">{title}</title>\n<desc id="{key}-d">{description}</desc>\n'
        f'<rect class="paper" width="{w}" height="{h}" fill="{style.PAPER}"/>'
    )
    return "\n".join([opening, *(lines or [""]), "</svg>\n"])


def escape(text: str) -> str:
    """`text` for use in XML, in content and attributes; what XML cannot hold becomes "�"."""
    text = _UNFIT.sub("\ufffd", text).replace("&", "&amp;")  # str.translate takes 20 times as long
    return text.replace("<", "&lt;").replace(">", "&gt;").replace('"', "&quot;")


def number(value: float) -> str:
    """A coordinate with at most two decimals, without trailing zeros."""
    return f"{round(value, 2) + 0.0:g}" if abs(value) < 9999 else f"{value:.0f}"


def _ink(ink: Ink) -> str:
    parts = [f' fill="{ink.fill or "none"}"']
    if ink.stroke:
        parts.append(f' stroke="{ink.stroke}"')
        if ink.width != 1:
            parts.append(f' stroke-width="{_numbers[ink.width]}"')
        if ink.dash:
            parts.append(f' stroke-dasharray="{" ".join(_numbers[each] for each in ink.dash)}"')
    if ink.opacity != 1:
        parts.append(f' opacity="{_numbers[ink.opacity]}"')
    return "".join(parts)


def _class(role: str) -> str:
    return f' class="{role}"' if role else ""


_classes = Remembered(_class, 1024)
_words = Remembered(escape, 8192)
_numbers = Remembered(number, 16384)
_inks = Remembered(_ink, 4096)


def _names(mark: Mark) -> str:
    names = f'{_classes[mark.role]} data-id="{_words[mark.id]}"'
    if mark.data is not NO_DATA:
        for key, value in mark.data.items():
            told = _words[value] if isinstance(value, str) else value
            names = f'{names} data-{key}="{told}"'
    return names


def _element(tag: str, mark: Disc | Box | Arc | Path, shape: str) -> str:
    start = f"<{tag}{_names(mark)}{shape}{_inks[mark.ink]}"
    if mark.title:
        return f"{start}><title>{escape(mark.title)}</title></{tag}>"
    return start + "/>"


def _disc(mark: Disc) -> str:
    shape = f' cx="{_numbers[mark.x]}" cy="{_numbers[mark.y]}" r="{_numbers[mark.r]}"'
    return _element("circle", mark, shape)


def _box(mark: Box) -> str:
    shape = (
        f' x="{_numbers[mark.x]}" y="{_numbers[mark.y]}"'
        f' width="{_numbers[mark.w]}" height="{_numbers[mark.h]}"'
    )
    if mark.r:
        shape += f' rx="{_numbers[mark.r]}"'
    box = _element("rect", mark, shape)
    return box + _hatch(mark) if mark.ink.hatch else box


def _hatch(mark: Box) -> str:
    lines = hatch_lines(mark.x, mark.y, mark.w, mark.h, style.HATCH_GAP)
    steps = "".join([f"M{_at(start)}L{_at(end)}" for start, end in lines])
    return (
        f'<path class="hatch" data-id="{escape(mark.id)}-hatch" d="{steps}" fill="none" '
        f'stroke="{style.HATCH}" stroke-width="{_numbers[style.HATCH_WIDTH]}"/>'
    )


def _at(point: Point) -> str:
    return f"{_numbers[point[0]]} {_numbers[point[1]]}"


def _arc(mark: Arc) -> str:
    if mark.end - mark.start >= 1:
        return _disc(Disc(mark.id, mark.x, mark.y, mark.r, mark.ink, mark.role, mark.data))
    start = point_at_angle(mark.x, mark.y, mark.r, mark.start)
    end = point_at_angle(mark.x, mark.y, mark.r, mark.end)
    large = int(mark.end - mark.start > 0.5)
    r = _numbers[mark.r]
    return _element("path", mark, f' d="M{_at(start)}A{r} {r} 0 {large} 1 {_at(end)}"')


def _path(mark: Path) -> str:
    if mark.head == "none":
        return _element("path", mark, f' d="{_route(mark.points, mark.curve, mark.closed)}"')
    title = f"<title>{escape(mark.title)}</title>" if mark.title else ""
    return f"<g{_names(mark)}>{title}{_arrow(mark)}</g>"


def _arrow(mark: Path) -> str:
    start, tip = mark.points[-2:]
    curve = mark.curve if len(mark.points) == 2 else 0.0
    head = arrow_head(tip, end_direction(start, tip, curve), mark.ink.width)
    route, paint = _route(mark.points, curve, False), f'fill="{mark.ink.stroke}"'
    if mark.head == "filled":
        neck, bend = stop_short(start, tip, curve, NECK)
        route = _route((*mark.points[:-2], start, neck), bend, False)
    else:
        width = _numbers[max(mark.ink.width, 1.4)]
        paint = f'fill="none" stroke="{mark.ink.stroke}" stroke-width="{width}"'
    if mark.ink.opacity != 1:
        paint += f' opacity="{_numbers[mark.ink.opacity]}"'
    closing = "Z" if mark.head == "filled" else ""
    barbs = f"M{_at(head[0])}L{_at(head[1])}L{_at(head[2])}{closing}"
    return f'<path d="{route}"{_inks[mark.ink]}/><path class="head" d="{barbs}" {paint}/>'


def _route(points: tuple[Point, ...], curve: float, closed: bool) -> str:
    if len(points) == 2 and curve and points[0] != points[1]:
        start, end = points
        r = _numbers[bend_radius(start, end, curve)]
        return f"M{_at(start)}A{r} {r} 0 {int(abs(curve) > 0.5)} {int(curve > 0)} {_at(end)}"
    return "M" + "L".join([_at(point) for point in points]) + ("Z" if closed else "")


@lru_cache(maxsize=1024)
def _look(size: float, color: str, anchor: str, bold: bool, mono: bool, halo: bool) -> str:
    look = "" if size == style.SIZE else f' font-size="{_numbers[size]}"'
    if color != style.INK:
        look += f' fill="{color}"'
    if anchor != "middle":
        look += f' text-anchor="{anchor}"'
    if bold:
        look += ' font-weight="bold"'
    if mono:
        look += f' font-family="{style.MONO_FAMILY}"'
    if halo:
        look += f' paint-order="stroke" stroke="{style.PAPER}" stroke-width="3"'
    return look


def _text(mark: Text) -> str:
    look = _look(mark.size, mark.color, mark.anchor, mark.bold, mark.mono, mark.halo)
    place = f' x="{_numbers[mark.x]}" y="{_numbers[mark.y]}"'
    return f"<text{_names(mark)}{place}{look}>{_words[mark.text]}</text>"


_PAINTERS: dict[type, Callable[[Any], str]] = {
    Disc: _disc,
    Box: _box,
    Path: _path,
    Arc: _arc,
    Text: _text,
}

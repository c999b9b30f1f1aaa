"""Marks through matplotlib: scenes in figures to compose, save and print.

matplotlib is imported when something is painted and not before. All is drawn with its own
defaults, whatever a reader's matplotlibrc, style or `rcParams` say: a figure that
notebooks compare is the same for everybody.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import lru_cache
from hashlib import sha256
from io import BytesIO, StringIO
from itertools import groupby
from math import inf
from typing import TYPE_CHECKING, Any

from raftlab.view import style
from raftlab.view.geometry import (
    Point,
    arrow_head,
    curve_points,
    end_direction,
    hatch_lines,
    point_at_angle,
    stop_short,
)
from raftlab.view.labels import text_box
from raftlab.view.marks import Arc, Box, Disc, Ink, Mark, Path, Text
from raftlab.view.svg import NECK, escape

if TYPE_CHECKING:
    from matplotlib.axes import Axes as Axes
    from matplotlib.figure import Figure
    from matplotlib.font_manager import FontProperties

POINTS_PER_INCH, CSS_PER_INCH = 72.0, 96.0
DOTS_PER_INCH = 144
"""Of a picture that is saved as .png: two dots for one unit."""

Outline = tuple[tuple[Point, ...], bool, Ink]
"""Points, whether they close, and how the line looks."""


def use_style() -> None:
    """Give matplotlib raftlab's type, colours and bare axes, for every figure from now on."""
    import matplotlib

    matplotlib.rcParams.update(style.RC)  # type: ignore[arg-type]


@contextmanager
def own_settings(more: Mapping[str, Any] | None = None) -> Iterator[None]:
    """Inside, matplotlib has its defaults and `more`; afterwards the reader's settings again."""
    from matplotlib import style as styles

    with styles.context(["default", dict(more or {})]):
        yield


def figure_svg(figure: "Figure", title: str = "", description: str = "") -> str:
    """The figure as SVG: the same figure gives the same text, and letters stay letters.

    `title` and `description` are what a screen reader says.
    """
    with own_settings({"svg.hashsalt": "raftlab", "svg.fonttype": "none"}):
        held = StringIO()
        nothing = {"Date": None, "Creator": None}
        figure.savefig(held, format="svg", metadata=nothing)
    text = held.getvalue()
    text = _named_by_content(text[text.index("<svg") :])
    if not description:
        return text
    start, _, rest = text.partition(">")
    told = f"<title>{escape(title)}</title>\n<desc>{escape(description)}</desc>"
    return f'{start} role="img" aria-label="{escape(title)}">\n{told}{rest}'


def _named_by_content(svg: str) -> str:
    """The figure with its `id`s in the order of their places, marked by what is drawn.

    matplotlib makes them of numbers to their last digit, where processors differ.
    """
    made = list(dict.fromkeys(re.findall(r' id="([^" ]*[0-9a-f]{10})"', svg)))
    drawn = svg
    for name in made:
        drawn = drawn.replace(name, "")
    mark = sha256(drawn.encode()).hexdigest()[:10]
    for place, name in enumerate(made):
        svg = svg.replace(name, f"i{place}-{mark}")
    return svg


@own_settings()
def legible_width(figure: "Figure") -> float:
    """How wide a figure must be on a page, in CSS pixels, for its smallest letters to be read.

    It is not asked to be wider than it was made.
    """
    from matplotlib.text import Text as Words

    words = [each for each in figure.findobj(Words) if isinstance(each, Words)]
    sizes = [float(each.get_fontsize()) for each in words if each.get_visible() and each.get_text()]
    smallest = max(min(sizes, default=inf), style.SIZE * POINTS_PER_INCH / CSS_PER_INCH)
    return float(figure.get_figwidth()) * POINTS_PER_INCH * style.SIZE / smallest


@own_settings()
def paint(width: float, height: float, marks: Iterable[Mark], ax: "Axes | None") -> "Axes":
    """Paint marks into `ax`, as large as they fit, or into a figure of their own size.

    In a figure of its own one unit is one point.
    """
    if ax is None:
        from matplotlib import pyplot

        ax = _whole(pyplot.figure(**_size(width, height)))
    ax.set_axis_off()
    ax.set_xlim(0, width)
    ax.set_ylim(height, 0)
    ax.set_aspect("equal", adjustable="box")
    scale = _points_per_unit(width, height, ax)
    runs = groupby(marks, key=lambda mark: isinstance(mark, Text))
    for order, (is_text, run) in enumerate(runs, start=1):
        if is_text:
            _write(ax, [mark for mark in run if isinstance(mark, Text)], scale, order)
        else:
            _draw(ax, [line for mark in run for line in _outlines(mark)], scale, order)
    return ax


def printed(width: float, height: float, marks: Iterable[Mark], kind: str) -> bytes:
    """Marks as a file of `kind` "png" or "pdf", in a figure that pyplot never sees."""
    from matplotlib.figure import Figure

    figure, held = Figure(**_size(width, height)), BytesIO()
    paint(width, height, marks, _whole(figure))
    nothing = {"Software": None} if kind == "png" else {"CreationDate": None}
    with own_settings():
        figure.savefig(held, format=kind, dpi=DOTS_PER_INCH, metadata=nothing)
    return held.getvalue()


def _size(width: float, height: float) -> dict[str, Any]:
    size = width / POINTS_PER_INCH, height / POINTS_PER_INCH
    return {"figsize": size, "layout": "none", "facecolor": style.PAPER}


def _whole(figure: "Figure") -> "Axes":
    """Axes that fill a figure to its edges."""
    return figure.add_axes((0.0, 0.0, 1.0, 1.0))


def _points_per_unit(width: float, height: float, ax: "Axes") -> float:
    figure = ax.figure.get_figure(root=True)
    assert figure is not None
    box = ax.get_window_extent()
    scale = min(box.width / width, box.height / height)
    return float(scale * POINTS_PER_INCH / figure.dpi)


def _draw(ax: "Axes", lines: Sequence[Outline], scale: float, order: int) -> None:
    """All lines as one collection: a hundred separate artists would take ten times as long."""
    from matplotlib.collections import PathCollection
    from matplotlib.path import Path as Route

    routes, fills, edges, widths, dashes = [], [], [], [], []
    for points, closed, ink in lines:
        corners = (*points, points[0]) if closed else points
        routes.append(Route(corners, closed=closed))
        fills.append(_with_opacity(ink.fill, ink.opacity))
        edges.append(_with_opacity(ink.stroke, ink.opacity))
        width = ink.width if ink.stroke else 0.0
        widths.append(width * scale)
        on_off = tuple(each / width for each in ink.dash) if ink.dash and width else None
        dashes.append((0, on_off))  # matplotlib counts dashes in line widths
    ax.add_collection(
        PathCollection(
            routes,
            facecolors=fills,
            edgecolors=edges,
            linewidths=widths,
            linestyles=dashes,
            joinstyle="round",
            zorder=order,
            clip_on=False,
        ),
        autolim=False,
    )


def _with_opacity(color: str | None, opacity: float) -> Any:
    if color is None:
        return "none"
    return color if opacity == 1 else (color, opacity)


def _write(ax: "Axes", marks: Sequence[Text], scale: float, order: int) -> None:
    """Words with a white edge one by one; all others as one artist, in half the time."""
    from matplotlib.patheffects import withStroke

    plain = [mark for mark in marks if not mark.halo]
    if plain:
        words = _words_artist()(plain, scale)
        words.set(transform=ax.transData, zorder=order, clip_on=False)
        ax.add_artist(words)
    for mark in marks:
        if mark.halo:
            look = _font(mark.size * scale, mark.bold, mark.mono)
            side = {"start": "left", "middle": "center", "end": "right"}[mark.anchor]
            word = ax.text(mark.x, mark.y, mark.text, fontproperties=look, color=mark.color)
            word.set(ha=side, va="baseline", zorder=order, parse_math=False)
            word.set_path_effects([withStroke(linewidth=3 * scale, foreground=style.PAPER)])


@lru_cache(maxsize=256)
def _font(size: float, bold: bool, mono: bool) -> "FontProperties":
    from matplotlib.font_manager import FontProperties

    family = style.MONO_FONT if mono else style.FONT
    return FontProperties(family=family, size=size, weight="bold" if bold else "normal")


@lru_cache(maxsize=1)
def _words_artist() -> Any:
    """The class of an artist for many words. matplotlib must be there before it is made."""
    from matplotlib.artist import Artist

    class Words(Artist):
        def __init__(self, marks: Sequence[Text], scale: float) -> None:
            super().__init__()
            self.marks = marks
            self.fonts = [_font(mark.size * scale, mark.bold, mark.mono) for mark in marks]

        def draw(self, renderer: Any) -> None:
            places = self.get_transform().transform(
                [(text_box(mark)[0], mark.y) for mark in self.marks]
            )
            pen = renderer.new_gc()
            high = renderer.get_canvas_width_height()[1] if renderer.flipy() else None
            for mark, font, (x, y) in zip(self.marks, self.fonts, places, strict=True):
                pen.set_foreground(mark.color)
                low = y if high is None else high - y
                renderer.draw_text(pen, x, low, mark.text, font, 0.0)
            pen.restore()
            self.stale = False

    return Words


def _outlines(mark: Mark) -> Iterator[Outline]:
    """The lines that a mark is drawn with."""
    match mark:
        case Disc():
            yield _round(mark.x, mark.y, mark.r, 0.0, 1.0), True, mark.ink
        case Arc():
            yield _round(mark.x, mark.y, mark.r, mark.start, mark.end), False, mark.ink
        case Box():
            yield _corners(mark), True, mark.ink
            if mark.ink.hatch:
                ink = Ink(None, style.HATCH, style.HATCH_WIDTH)
                for line in hatch_lines(mark.x, mark.y, mark.w, mark.h, style.HATCH_GAP):
                    yield line, False, ink
        case Path(head="none"):
            yield _route(mark.points, mark.curve), mark.closed, mark.ink
        case Path():
            yield from _arrow(mark)
        case Text():
            pass


def _round(x: float, y: float, r: float, start: float, end: float) -> tuple[Point, ...]:
    steps = max(round(60 * (end - start)), 2)
    turns = [start + (end - start) * step / steps for step in range(steps + 1)]
    return tuple(point_at_angle(x, y, r, each) for each in turns)


def _corners(box: Box) -> tuple[Point, ...]:
    x, y, w, h, r = box.x, box.y, box.w, box.h, min(box.r, box.w / 2, box.h / 2)
    if not r:
        return ((x, y), (x + w, y), (x + w, y + h), (x, y + h))
    return (
        *_round(x + w - r, y + r, r, 0.0, 0.25),
        *_round(x + w - r, y + h - r, r, 0.25, 0.5),
        *_round(x + r, y + h - r, r, 0.5, 0.75),
        *_round(x + r, y + r, r, 0.75, 1.0),
    )


def _route(points: tuple[Point, ...], curve: float) -> tuple[Point, ...]:
    if len(points) == 2 and curve:
        return curve_points(points[0], points[1], curve)
    return points


def _arrow(mark: Path) -> Iterator[Outline]:
    start, tip = mark.points[-2:]
    curve = mark.curve if len(mark.points) == 2 else 0.0
    head = arrow_head(tip, end_direction(start, tip, curve), mark.ink.width)
    if mark.head == "open":
        yield _route(mark.points, curve), False, mark.ink
        width = max(mark.ink.width, 1.4)
        yield head, False, Ink(None, mark.ink.stroke, width, opacity=mark.ink.opacity)
        return
    neck, bend = stop_short(start, tip, curve, NECK)
    yield _route((*mark.points[:-2], start, neck), bend), False, mark.ink
    yield head, True, Ink(mark.ink.stroke, opacity=mark.ink.opacity)

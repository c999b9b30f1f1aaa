"""Scenes and statistics through matplotlib: figures to compose, save and print.

matplotlib is imported when a plot is made and not before. Every `plot_x` takes the Axes
to draw into, or makes its own with pyplot, and returns the Axes. All is drawn with
matplotlib's own defaults, whatever a reader's matplotlibrc, style or `rcParams` say: a
figure that notebooks compare is the same for everybody.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import lru_cache
from io import StringIO
from itertools import groupby
from math import isfinite
from statistics import median
from typing import TYPE_CHECKING, Any

from raftlab.raft.vocabulary import Millis, Misuse
from raftlab.sim.frames.frame import Frame
from raftlab.view import style
from raftlab.view.checked import checked
from raftlab.view.cluster import scene_cluster
from raftlab.view.geometry import (
    Point,
    around,
    arrow_head,
    curve_points,
    end_direction,
    hatch_lines,
    shortened,
)
from raftlab.view.logs import scene_logs
from raftlab.view.marks import Arc, Box, Disc, Ink, Mark, Path, Scene, Text
from raftlab.view.pictures import Shown
from raftlab.view.svg import NECK, escape

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.font_manager import FontProperties

POINTS_PER_INCH = 72.0
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
    text = text[text.index("<svg") :]
    if not description:
        return text
    start, _, rest = text.partition(">")
    told = f"<title>{escape(title)}</title>\n<desc>{escape(description)}</desc>"
    return f'{start} role="img" aria-label="{escape(title)}">\n{told}{rest}'


class Plot(Shown):
    """A matplotlib figure that shows itself in a notebook as deterministic SVG and as text."""

    def __init__(self, svg: str, description: str) -> None:
        self.svg = svg
        self.description = description


@checked
def show_plot(ax: "Axes", description: str) -> Plot:
    """The figure of `ax`, closed and ready to be shown. `description` is its text twin."""
    figure = ax.figure.get_figure(root=True)
    assert figure is not None
    svg = figure_svg(figure, description.partition("\n")[0], description)
    if figure.canvas.manager is not None:  # pyplot holds it
        from matplotlib import pyplot

        pyplot.close(figure)
    return Plot(svg, description)


# Scenes


@checked
def plot_cluster(frame: Frame, ax: "Axes | None" = None, previous: Frame | None = None) -> "Axes":
    """The cluster at one moment; see `scene_cluster`."""
    return paint(scene_cluster(frame, previous), ax)


@checked
def plot_logs(
    frame: Frame,
    ax: "Axes | None" = None,
    previous: Frame | None = None,
    last: int | None = None,
) -> "Axes":
    """The logs at one moment, of long ones the `last` columns (14); see `scene_logs`."""
    return paint(scene_logs(frame, previous, last), ax)


@own_settings()
def paint(scene: Scene, ax: "Axes | None" = None) -> "Axes":
    """Paint a scene into `ax`, as large as it fits, or into a figure of its own size.

    In a figure of its own one unit is one point.
    """
    if ax is None:
        ax = _axes_for(scene)
    ax.set_axis_off()
    ax.set_xlim(0, scene.width)
    ax.set_ylim(scene.height, 0)
    ax.set_aspect("equal", adjustable="box")
    scale = _points_per_unit(scene, ax)
    runs = groupby(scene.marks, key=lambda mark: isinstance(mark, Text))
    for order, (is_text, marks) in enumerate(runs, start=1):
        if is_text:
            _write(ax, [mark for mark in marks if isinstance(mark, Text)], scale, order)
        else:
            _draw(ax, [line for mark in marks for line in _outlines(mark)], scale, order)
    return ax


def _axes_for(scene: Scene) -> "Axes":
    from matplotlib import pyplot

    size = scene.width / POINTS_PER_INCH, scene.height / POINTS_PER_INCH
    figure = pyplot.figure(figsize=size, layout="none", facecolor=style.PAPER)
    return figure.add_axes((0.0, 0.0, 1.0, 1.0))


def _points_per_unit(scene: Scene, ax: "Axes") -> float:
    figure = ax.figure.get_figure(root=True)
    assert figure is not None
    box = ax.get_window_extent()
    scale = min(box.width / scene.width, box.height / scene.height)
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
            places = self.get_transform().transform([_first_letter(mark) for mark in self.marks])
            pen = renderer.new_gc()
            high = renderer.get_canvas_width_height()[1] if renderer.flipy() else None
            for mark, font, (x, y) in zip(self.marks, self.fonts, places, strict=True):
                pen.set_foreground(mark.color)
                low = y if high is None else high - y
                renderer.draw_text(pen, x, low, mark.text, font, 0.0)
            pen.restore()
            self.stale = False

    return Words


def _first_letter(mark: Text) -> Point:
    """Where the text starts."""
    share = {"start": 0.0, "middle": 0.5, "end": 1.0}[mark.anchor]
    wide = style.text_width(mark.text, mark.size, bold=mark.bold, mono=mark.mono)
    return mark.x - share * wide, mark.y


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
    return tuple(around(x, y, r, start + (end - start) * step / steps) for step in range(steps + 1))


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
    neck, bend = shortened(start, tip, curve, NECK)
    yield _route((*mark.points[:-2], start, neck), bend), False, mark.ink
    yield head, True, Ink(mark.ink.stroke, opacity=mark.ink.opacity)


# Statistics

_DASHES: tuple[Any, ...] = ("-", (0, (5, 2)), (0, (1.5, 1.5)), (0, (6, 2, 1.5, 2)))


@checked
@own_settings()
def plot_election_times(
    samples: Mapping[str, Sequence[Millis]], ax: "Axes | None" = None
) -> "Axes":
    """The share of elections that had a leader after so many ms, one line per name.

    `samples` maps a name (for instance "150-300 ms") to one time a run; `inf` stands for a
    run that never had a leader, and its line ends below 100 %. Paper: Figure 16.

    Raises: Misuse, if there is nothing to plot or a time is not above 0.
    """
    if not samples or not all(samples.values()):
        raise Misuse("each name needs at least one time to plot")
    if any(time <= 0 for times in samples.values() for time in times):
        raise Misuse("times must be above 0 ms: they stand on a logarithmic axis")
    ax = ax if ax is not None else _statistics_axes()
    fastest_first = sorted(samples, key=lambda name: median(samples[name]))
    for place, (name, times) in enumerate(samples.items()):
        reached = sorted(time for time in times if isfinite(time))
        if not reached:
            continue
        shares = [100 * count / len(times) for count in range(len(reached) + 1)]
        look = {"ls": _DASHES[place % len(_DASHES)], "lw": 1.2 + 0.8 * (place // len(_DASHES) % 2)}
        ax.step([reached[0], *reached], shares, where="post", color=style.INK, **look)
        level = 0.9 - 0.8 * (fastest_first.index(name) + 0.5) / len(samples)
        x = reached[min(int(level * len(times)), len(reached) - 1)]
        _label_line(ax, name, x, 100 * level)
    ax.set_xscale("log")
    _plain_numbers(ax)
    ax.set_ylim(0, 101)
    ax.set_xlabel("time to a leader (ms)")
    ax.set_ylabel("share of elections (%)")
    _make_ticks(ax)
    return ax


def _label_line(ax: "Axes", name: str, x: float, y: float) -> None:
    """The name, just to the right of its line."""
    from matplotlib.patheffects import withStroke

    label = ax.annotate(
        name,
        (x, y),
        xytext=(5, 0),
        textcoords="offset points",
        ha="left",
        va="center",
        fontsize=style.SMALL,
        color=style.INK,
    )
    label.set_path_effects([withStroke(linewidth=3, foreground=style.PAPER)])


def _plain_numbers(ax: "Axes") -> None:
    from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

    ax.xaxis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0)))
    ax.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    ax.xaxis.set_minor_formatter(NullFormatter())


@checked
@own_settings()
def plot_split_votes(counts: Mapping[str, tuple[int, int]], ax: "Axes | None" = None) -> "Axes":
    """How often the vote was split, one bar per name.

    `counts` maps a name (for instance "150-150 ms") to the number of elections whose
    vote was split and the number of all. Paper: 5.2 and 9.3.

    Raises: Misuse, if there is nothing to plot.
    """
    if not counts or not all(whole for _, whole in counts.values()):
        raise Misuse("each name needs at least one election to plot")
    ax = ax if ax is not None else _statistics_axes()
    rows = range(len(counts))
    shares = [100 * split / whole for split, whole in counts.values()]
    ax.barh(rows, shares, height=0.62, color=style.CANDIDATE.fill)
    for row, share, (split, whole) in zip(rows, shares, counts.values(), strict=True):
        words = f"{share:.0f} % ({split} of {whole})"
        ax.annotate(
            words,
            (share, row),
            xytext=(5, 0),
            textcoords="offset points",
            va="center",
            fontsize=style.SMALL,
            color=style.INK,
        )
    ax.set_yticks(rows, list(counts))
    ax.tick_params(left=False)
    ax.spines["left"].set_visible(False)
    ax.invert_yaxis()
    ax.set_xlim(0, min(max(*shares, 10.0) * 1.3, 130))
    ax.set_xticks([tick for tick in ax.get_xticks() if tick <= 100])
    ax.set_xlabel("elections with a split vote (%)")
    _make_ticks(ax)
    return ax


def _make_ticks(ax: "Axes") -> None:
    """Make the ticks here and now: matplotlib would make them when the reader draws or saves."""
    ax.get_xticklabels(which="both")
    ax.get_yticklabels(which="both")


def _statistics_axes() -> "Axes":
    from matplotlib import pyplot

    with own_settings(style.RC):
        return pyplot.subplots()[1]


def loose_axes() -> "Axes":
    """Axes for statistics in a figure that pyplot never sees: no window, and no backend to load."""
    from matplotlib.figure import Figure

    with own_settings(style.RC):
        return Figure().subplots()

"""Statistics of many runs as charts, through matplotlib.

Every `plot_x` takes the Axes to draw into, or makes its own with pyplot, and returns the
Axes. matplotlib is imported when a chart is made and not before.
"""

import pathlib
from collections.abc import Mapping, Sequence
from math import isfinite
from typing import TYPE_CHECKING, Any

from raftlab.raft.vocabulary import Millis, Misuse, shown
from raftlab.sim.run.files import errors_naming
from raftlab.view import style
from raftlab.view.checked import checked
from raftlab.view.line_labels import NEAR, places
from raftlab.view.notebook import bundle
from raftlab.view.plot import POINTS_PER_INCH, figure_svg, legible_width, own_settings

if TYPE_CHECKING:
    from matplotlib.axes import Axes


class Chart:
    """A matplotlib figure that shows itself in a notebook as deterministic SVG and as text."""

    def __init__(self, ax: "Axes", description: str) -> None:
        """The figure of `ax`, which is closed. `description` is its text twin. Raises: Misuse."""
        if not isinstance(description, str):
            raise Misuse(f"the text twin of a chart is text, not {shown(description)}")
        figure = ax.figure.get_figure(root=True)
        assert figure is not None
        self.svg = figure_svg(figure, description.partition("\n")[0], description)
        self.description = description
        self._least = legible_width(figure)
        if figure.canvas.manager is not None:  # pyplot holds it
            from matplotlib import pyplot

            pyplot.close(figure)

    def save(self, path: str | pathlib.Path) -> None:
        """Write the SVG to a file. Raises: OSError, if it cannot be written."""
        with errors_naming(pathlib.Path(path)):
            pathlib.Path(path).write_text(self.svg, encoding="utf-8")

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> dict[str, str]:
        return bundle(self.svg, self.description, self._least)

    def __repr__(self) -> str:
        return self.description


_DASHES: tuple[Any, ...] = (
    "-",
    (0, (7, 3)),
    (0, (1, 1.6)),
    (0, (8, 2.5, 1.2, 2.5)),
    (0, (3, 1.5)),
    (0, (10, 2, 1.2, 2, 1.2, 2)),
)
_STROKE = {"arrowstyle": "-", "lw": 0.6, "color": style.QUIET, "shrinkA": 1, "shrinkB": 1}
_WIDTHS = (1.3, 1.3, 2.2, 1.3, 2.2, 1.6)


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
    drawn: dict[str, tuple[list[float], list[float]]] = {}
    for place, (name, times) in enumerate(samples.items()):
        reached = sorted(time for time in times if isfinite(time))
        if not reached:
            continue
        shares = [100 * count / len(times) for count in range(len(reached) + 1)]
        drawn[name] = [reached[0], *reached], shares
        look = {"ls": _DASHES[place % len(_DASHES)], "lw": _WIDTHS[place % len(_DASHES)]}
        ax.plot(*drawn[name], color=style.INK, **look)
    ax.set_xscale("log")
    _plain_numbers(ax)
    ax.set_ylim(0, 101)
    ax.set_xlabel("time to a leader (ms)")
    ax.set_ylabel("share of elections (%)")
    _make_ticks(ax)
    _label_lines(ax, drawn)
    return ax


def _label_lines(ax: "Axes", drawn: Mapping[str, tuple[list[float], list[float]]]) -> None:
    """The names of the lines, each beside its own; with a thin stroke to it, if that is far."""
    figure = ax.figure.get_figure(root=True)
    assert figure is not None
    figure.draw_without_rendering()  # only now do axes have their size
    scale = POINTS_PER_INCH / figure.dpi
    (left, low), (right, high) = scale * ax.transAxes.transform([(0, 0), (1, 1)])
    curves = {
        name: [
            (float(x - left), float(y - low))
            for x, y in scale * ax.transData.transform(list(zip(*line, strict=True)))
        ]
        for name, line in drawn.items()
    }
    for name, place in places(curves, float(right - left), float(high - low)).items():
        ax.annotate(
            name,
            (place.at[0] / (right - left), place.at[1] / (high - low)),
            xycoords="axes fraction",
            xytext=(place.away if place.right else -place.away, 0),
            textcoords="offset points",
            ha="left" if place.right else "right",
            va="center",
            fontsize=style.SMALL,
            color=style.INK,
            arrowprops=_STROKE if place.away > NEAR else None,
        )


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

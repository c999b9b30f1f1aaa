import os
import random
import re
import subprocess
import sys
from itertools import combinations
from math import inf
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

matplotlib = pytest.importorskip("matplotlib")
matplotlib.use("agg")

from matplotlib import pyplot  # noqa: E402
from matplotlib.collections import PathCollection  # noqa: E402
from matplotlib.text import Text  # noqa: E402

from raftlab.course.experiments import show_election_times  # noqa: E402
from raftlab.view import charts, plot, scene_cluster, scene_logs, style  # noqa: E402
from raftlab.view.overview.overview import scene_frame  # noqa: E402
from tests.view.samples import SAMPLES  # noqa: E402

ROOT = Path(__file__).parents[2]
TIMES = {"150-155 ms": [160.0, 300.0, 900.0, inf], "150-300 ms": [170.0, 180.0, 190.0, 260.0]}
SPLITS = {"150-155 ms": (80, 200), "150-300 ms": (3, 200)}


@pytest.fixture(autouse=True)
def closed_figures():
    yield
    pyplot.close("all")


@pytest.mark.parametrize("name", SAMPLES)
def test_every_scene_can_be_painted(name):
    ax = scene_frame(SAMPLES[name]).plot()
    ax.figure.canvas.draw()


def test_a_plot_goes_into_the_axes_that_are_given():
    _, (left, right) = pyplot.subplots(1, 2)
    assert scene_cluster(SAMPLES["leader"]).plot(left) is left
    assert scene_logs(SAMPLES["leader"]).plot(right) is right
    assert len(pyplot.get_fignums()) == 1


def test_a_plot_of_its_own_has_one_point_a_unit():
    scene = scene_frame(SAMPLES["leader"])
    width, height = scene.plot().figure.get_size_inches() * 72
    assert (width, height) == (pytest.approx(scene.width), pytest.approx(scene.height))


def test_painting_changes_no_setting():
    before = dict(matplotlib.rcParams)
    scene_cluster(SAMPLES["leader"]).plot()
    charts.plot_election_times(TIMES)
    assert dict(matplotlib.rcParams) == before


def test_the_painter_shows_what_the_scene_says():
    text = plot.figure_svg(scene_cluster(SAMPLES["leader"]).plot().figure)
    for words in ("S1", "term 3", "paused", "voted S1"):
        assert words in text
    assert "#004488" in text
    assert "S1 leads term 3" in text


def test_dollar_signs_are_no_formulas():
    from raftlab.view.marks import Text
    from raftlab.view.scene import Scene

    halo = Text("h", 5, 20, "$x^2$ and $", halo=True)
    scene = Scene(50.0, 30.0, (Text("t", 5, 9, "$x^2$ and $"), halo), "t", "d")
    assert plot.figure_svg(scene.plot().figure).count("$x^2$ and $") >= 1


def test_a_figure_has_a_title_and_a_description():
    svg = plot.figure_svg(charts.plot_split_votes(SPLITS).figure, "Split <votes>", "80 & 3 of 200")
    root = ElementTree.fromstring(svg)
    assert root.get("role") == "img"
    assert root.get("aria-label") == "Split <votes>"
    assert root.find("{http://www.w3.org/2000/svg}desc").text == "80 & 3 of 200"


def other(value):
    """A setting unlike `value`, of a kind that matplotlib may take."""
    match value:
        case bool():
            return not value
        case int() | float():
            return value * 2 + 1
        case str():
            return "red"
        case list() if all(isinstance(each, int | float) for each in value):
            return [each + 1 for each in value]
    return value


def hostile_settings():
    """Every setting of matplotlib that can be another one, as another one."""
    strange = {"text.usetex": True, "path.sketch": (1.0, 100.0, 2.0), "font.family": ["serif"]}
    for name, value in matplotlib.rcParamsDefault.items():
        with matplotlib.rc_context():
            try:
                matplotlib.rcParams[name] = strange.get(name, other(value))
            except (ValueError, RuntimeError):
                continue
            if matplotlib.rcParams[name] != value and not name.startswith(("backend", "date.")):
                yield name, matplotlib.rcParams[name]


def drawn():
    """Every plot there is, as SVG."""
    yield plot.figure_svg(scene_cluster(SAMPLES["leader"]).plot().figure)
    yield plot.figure_svg(scene_logs(SAMPLES["leader"]).plot().figure)
    yield plot.figure_svg(charts.plot_election_times(TIMES).figure)
    yield plot.figure_svg(charts.plot_split_votes(SPLITS).figure)
    yield show_election_times(TIMES | {"none": [inf] * 50}).svg


def test_a_figure_is_deaf_to_every_setting_of_the_reader():
    expected = list(drawn())
    hostile = dict(hostile_settings())
    assert len(hostile) > 100
    with matplotlib.rc_context(hostile):
        assert list(drawn()) == expected


def test_a_figure_that_the_reader_saves_has_ticks_of_its_own():
    def ticks(ax):
        both = (*ax.xaxis.get_major_ticks(), *ax.yaxis.get_major_ticks())
        return [(each.label1.get_color(), each.tick1line.get_markersize()) for each in both]

    expected = ticks(charts.plot_election_times(TIMES)), ticks(charts.plot_split_votes(SPLITS))
    with matplotlib.rc_context({"xtick.color": "red", "ytick.major.size": 20, "text.color": "red"}):
        times, votes = charts.plot_election_times(TIMES), charts.plot_split_votes(SPLITS)
        assert (ticks(times), ticks(votes)) == expected


HOSTILE_FILE = """
text.usetex: True
font.size: 22
path.sketch: 1, 100, 2
savefig.bbox: tight
svg.fonttype: path
figure.figsize: 1, 1
"""


PRINT_ALL = f"""
import matplotlib
matplotlib.use("agg")
from raftlab.view import charts, plot, scene_cluster
from tests.view.samples import SAMPLES
inf = float("inf")
print(plot.figure_svg(scene_cluster(SAMPLES["leader"]).plot().figure))
print(plot.figure_svg(charts.plot_election_times({TIMES!r}).figure))
print(plot.figure_svg(charts.plot_split_votes({SPLITS!r}).figure))
"""


def test_the_same_figure_is_the_same_svg_in_every_process(tmp_path):
    (tmp_path / "matplotlibrc").write_text(HOSTILE_FILE)
    printed = {
        subprocess.run(
            [sys.executable, "-c", PRINT_ALL],
            env=os.environ | {"PYTHONIOENCODING": "utf-8", **own},
            cwd=ROOT,
            capture_output=True,
            check=True,
        ).stdout
        for own in ({"PYTHONHASHSEED": "0"}, {"PYTHONHASHSEED": "1", "MATPLOTLIBRC": str(tmp_path)})
    }
    assert len(printed) == 1
    assert b"<dc:date>" not in printed.pop()


def test_the_course_draws_without_any_backend():
    script = (
        "from raftlab.course.experiments import show_election_times\n"
        "import sys\n"
        "print(len(show_election_times({'one': [170.0]}).svg), 'matplotlib.pyplot' in sys.modules)"
    )
    told = subprocess.run(
        [sys.executable, "-c", script],
        env=os.environ | {"MPLBACKEND": "module://no_such_backend"},
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    assert told.stdout.endswith("False\n"), told.stderr


def test_a_plot_can_be_shown_with_its_text():
    shown = charts.Chart(charts.plot_split_votes(SPLITS), "Split votes\n\n80 of 200")
    assert repr(shown) == "Split votes\n\n80 of 200"
    bundle = shown._repr_mimebundle_()
    assert bundle["text/plain"] == repr(shown)
    assert bundle["image/svg+xml"].startswith("<svg")
    assert pyplot.get_fignums() == []


def test_lines_are_few_artists_so_that_painting_is_quick():
    ax = scene_frame(SAMPLES["leader"]).plot()
    collections = [each for each in ax.collections if isinstance(each, PathCollection)]
    assert len(collections) <= 4
    assert len(ax.get_children()) < 40


# Statistics


def test_election_times_are_cumulative_shares_on_a_logarithmic_axis():
    ax: Any = charts.plot_election_times(TIMES)
    assert ax.get_xscale() == "log"
    slow, quick = ax.get_lines()
    assert list(slow.get_xdata()) == [160.0, 160.0, 300.0, 900.0]
    assert list(slow.get_ydata()) == [0.0, 25.0, 50.0, 75.0]
    assert quick.get_ydata()[-1] == 100.0
    assert ax.get_legend() is None
    assert {text.get_text() for text in ax.texts} == set(TIMES)


def crowded() -> dict[str, list[float]]:
    """Lines as in the paper's Figure 16: some lie close together, and some cross."""
    draws = random.Random(16)
    ranges = {"12-24 ms": (17, 120), "25-50 ms": (25, 110), "50-100 ms": (45, 160)}
    ranges |= {"100-200 ms": (75, 260), "150-300 ms": (95, 420)}
    return {
        name: [low + (high - low) * draws.random() ** 2 for _ in range(200)]
        for name, (low, high) in ranges.items()
    }


@pytest.mark.parametrize("samples", [TIMES, crowded()], ids=["few", "crowded"])
def test_the_names_of_lines_lie_on_no_line_and_on_no_other_name(samples):
    ax: Any = charts.plot_election_times(samples, charts.loose_axes())
    ax.figure.draw_without_rendering()
    boxes = [Text.get_window_extent(text) for text in ax.texts]
    whole = ax.get_window_extent()
    for box in boxes:
        assert whole.x0 <= box.x0 and box.x1 <= whole.x1, "inside the chart"
        for line in ax.get_lines():
            assert not line.get_path().transformed(ax.transData).intersects_bbox(box, filled=False)
    for one, other in combinations(boxes, 2):
        assert not one.overlaps(other)


def test_lines_are_told_apart_by_their_dashes():
    looks = [
        (
            line.get_linestyle(),
            tuple(vars(line)["_unscaled_dash_pattern"][1] or ()),
            line.get_linewidth(),
        )
        for line in charts.plot_election_times(crowded()).get_lines()
    ]
    assert len({dashes for _, dashes, _ in looks}) == len(looks) == 5


def test_a_name_whose_runs_never_had_a_leader_draws_no_line():
    ax = charts.plot_election_times({"never": [inf, inf], "once": [200.0, inf]})
    assert len(ax.get_lines()) == 1


@pytest.mark.parametrize("samples", [{}, {"none": []}, {"zero": [0.0]}])
def test_times_that_cannot_be_plotted_are_refused(samples):
    with pytest.raises(ValueError, match=r"at least one time|above 0 ms"):
        charts.plot_election_times(samples)


def test_split_votes_are_bars_with_their_numbers():
    ax: Any = charts.plot_split_votes(SPLITS)
    assert [bar.get_width() for bar in ax.patches] == [40.0, 1.5]
    assert [text.get_text() for text in ax.texts] == ["40 % (80 of 200)", "2 % (3 of 200)"]
    with pytest.raises(ValueError, match="at least one election"):
        charts.plot_split_votes({"none": (0, 0)})


def test_the_style_is_given_to_matplotlib_in_one_call():
    with matplotlib.rc_context():
        plot.use_style()
        assert matplotlib.rcParams["font.size"] == style.SIZE
        assert not matplotlib.rcParams["axes.grid"]


@pytest.mark.parametrize("times", [TIMES, {"5-6 ms": [5.0, 6.0]}], ids=["four", "one"])
def test_the_last_digits_of_a_processor_change_no_letter_of_a_figure(times: Any) -> None:
    axes = charts.plot_election_times(times)
    told = plot.figure_svg(axes.figure)
    box = axes.get_position()
    axes.set_position((box.x0 * (1 + 1e-12), box.y0, box.width, box.height))
    assert plot.figure_svg(axes.figure) == told
    assert "url(#" in told


def test_figures_on_one_page_share_no_name() -> None:
    figures = [charts.plot_election_times(TIMES), charts.plot_split_votes(SPLITS)]
    first, second = (
        set(re.findall(r'id="(i\d+-[0-9a-f]{10})"', plot.figure_svg(each.figure)))
        for each in figures
    )
    assert first and not first & second

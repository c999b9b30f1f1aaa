"""Stored pictures as a reader finds them: before anything has run, and after a kernel has gone."""

import json
import re
from collections.abc import Callable, Iterator
from html import unescape
from pathlib import Path

import nbformat
import pytest
from playwright.sync_api import Browser, Page, expect

from raftlab import Cluster
from raftlab.lab.lab import STILL
from raftlab.view import style
from tests.browser.conftest import NOTEBOOKS
from tests.browser.jupyter import Notebook, write_notebook

COURSE = sorted(path.name for path in NOTEBOOKS.glob("*.ipynb"))
LAB = "from raftlab import Cluster\nCluster(3, seed=1).lab()"
PICTURES = """async () => {
    const content = jupyterapp.shell.currentWidget.content;
    const found = [];
    for (let place = 0; place < content.widgets.length; place++) {
        await content.scrollToItem(place);
        const cell = content.widgets[place];
        for (const image of cell.node.querySelectorAll(".jp-OutputArea img")) {
            await image.decode();
            found.push({alt: image.alt, width: image.getBoundingClientRect().width,
                        trusted: cell.model.trusted});
        }
    }
    return found;
}"""

AXE = Path(__file__).parent / "axe" / "axe.min.js"
JUDGE = """async () => {
    const content = jupyterapp.shell.currentWidget.content;
    const found = [];
    let judged = 0;
    for (let place = 0; place < content.widgets.length; place++) {
        await content.scrollToItem(place);
        const cell = content.widgets[place].node;
        for (const part of cell.querySelectorAll(".jp-OutputArea-output, .jp-MarkdownOutput")) {
            judged++;
            for (const each of (await axe.run(part)).violations)
                if (["serious", "critical"].includes(each.impact))
                    found.push([place, each.id, each.nodes.map(node => node.failureSummary)]);
        }
    }
    return {found, judged};
}"""

Fresh = Callable[[str], Notebook]


@pytest.fixture
def fresh(browser: Browser, browser_context_args: dict, address: str) -> Iterator[Fresh]:
    """Open a notebook in a profile of its own that has never seen it."""
    contexts = []

    def opened(path: str) -> Notebook:
        contexts.append(browser.new_context(**browser_context_args))
        return Notebook(contexts[-1].new_page(), address, path)

    yield opened
    for context in contexts:
        context.close()


def pictures_in(path: Path) -> list[str]:
    """The words of the pictures that a notebook holds, questions' too, from its file."""
    cells = nbformat.read(path, as_version=4).cells
    outputs = [output.get("data", {}) for cell in cells for output in cell.get("outputs", [])]
    for data in outputs:
        if "image/svg+xml" in data:
            assert data["text/plain"].endswith(alternatives(data)[0].removeprefix(STILL).strip())
    return [words for data in outputs for words in alternatives(data)]


def alternatives(data: dict[str, str]) -> list[str]:
    """What the images of an output say to those who do not see them."""
    return [
        unescape(alt) for alt in re.findall(r'<img[^>]*? alt="([^"]*)"', data.get("text/html", ""))
    ]


def leave(page: Page) -> None:
    """Shut the kernel of the notebook down, and close its tab."""
    page.evaluate(
        """async () => {
            await jupyterapp.shell.currentWidget.sessionContext.shutdown();
            jupyterapp.shell.currentWidget.dispose();
        }"""
    )


def save(page: Page) -> None:
    page.evaluate("() => jupyterapp.shell.currentWidget.context.save()")


@pytest.fixture(scope="module")
def clone(
    browser: Browser, browser_context_args: dict, address: str, desk: Path
) -> Iterator[Notebook]:
    """A new profile for all notebooks of the course: each is opened in it for the first time."""
    write_notebook(desk / "first.ipynb", "")
    with browser.new_context(**browser_context_args) as context:
        yield Notebook(context.new_page(), address, "first.ipynb")


@pytest.mark.parametrize("name", COURSE)
def test_a_clone_shows_every_picture_and_is_saved_as_it_was(clone, desk, gallery, name):
    path = desk / "notebooks" / name
    stored, before = pictures_in(path), path.read_bytes()
    page = clone.open(f"notebooks/{name}").page
    page.screenshot(path=gallery / f"untrusted-{name.removesuffix('.ipynb')}.png")
    found = page.evaluate(PICTURES)
    assert len(found) == len(stored) > 5
    for each, twin in zip(found, stored, strict=True):
        assert not each["trusted"]
        assert each["width"] > 100
        assert each["alt"] == twin
    opened = path.stat().st_mtime_ns
    save(page)
    assert path.stat().st_mtime_ns != opened, "it was saved"
    assert path.read_bytes() == before
    leave(page)


LETTERS = """() => [...document.querySelectorAll(".jp-OutputArea img")].map(image => {
    const svg = new DOMParser().parseFromString(
        decodeURIComponent(image.src.slice(image.src.indexOf(",") + 1)), "image/svg+xml");
    const sizes = [...svg.querySelectorAll("text")].map(
        each => parseFloat(each.getAttribute("font-size") ?? 11));
    const wide = svg.documentElement.viewBox.baseVal.width;
    return Math.min(...sizes) * image.getBoundingClientRect().width / wide;
})"""


@pytest.mark.parametrize("width", [390, 683])  # 683 px: 1366 at 200 %
def test_where_a_page_is_narrow_a_picture_is_scrolled_and_its_letters_stay(
    fresh, desk, gallery, width
):
    cluster = Cluster(5, seed=7)
    cluster.run(300)
    path = write_stored(desk / "narrow.ipynb", cluster, cluster.trace())
    shown = fresh(path.name)
    page = shown.hide_sides().page
    page.set_viewport_size({"width": width, "height": 844})
    images = page.locator(".jp-OutputArea img")
    expect(images).to_have_count(2)
    seen = page.locator(".jp-OutputArea-output").first.bounding_box()["width"]
    assert seen < width - 100
    for image in images.all():
        assert image.evaluate("image => image.parentNode.clientWidth") <= seen
        assert image.evaluate("image => image.parentNode.scrollWidth") > seen
    assert min(page.evaluate(LETTERS)) >= 10.99
    page.screenshot(path=gallery / f"picture-{width}.png")


def test_on_a_laptop_a_picture_of_long_logs_is_seen_whole_and_its_letters_are_legible(
    fresh, desk, gallery
):
    cluster = Cluster(5, seed=7)
    cluster.elect()
    for number in range(30):
        cluster.propose(f"account{number}={number * 1000}")
        cluster.run(20)
    path = write_stored(desk / "long.ipynb", cluster, cluster.lab(), cluster.trace())
    page = fresh(path.name).show_sides().page
    images = page.locator(".jp-OutputArea img")
    expect(images).to_have_count(3)
    for image in images.all():
        assert (
            image.evaluate("image => image.parentNode.scrollWidth - image.parentNode.clientWidth")
            == 0
        )
    assert min(page.evaluate(LETTERS)) >= 10.99
    page.screenshot(path=gallery / "picture-long.png")


def write_stored(path: Path, *things) -> Path:
    """A notebook that holds these as they are stored."""
    write_notebook(path, "")
    notebook = nbformat.read(path, as_version=4)
    notebook.cells[0].outputs = [
        nbformat.v4.new_output("display_data", data=each._repr_mimebundle_()) for each in things
    ]
    nbformat.write(notebook, path)
    return path


@pytest.fixture(scope="module")
def saved(clone, desk) -> Path:
    """A notebook with a lab: run, saved while the lab was in use, and its kernel shut down."""
    path = write_notebook(desk / "saved.ipynb", LAB, "print('the cell below')")
    lab = clone.open(path.name).run_all().lab
    number = lab.number()
    lab.click("Step")
    lab.at_frame(number + 1)
    expect(lab.page.locator(".raftlab-still")).to_be_hidden()
    save(lab.page)
    leave(lab.page)
    return path


def assert_it_is_a_picture(page: Page) -> None:
    picture = page.locator(".jp-OutputArea img")
    expect(picture).to_have_count(1)
    expect(picture).to_be_visible()
    assert picture.get_attribute("alt").startswith(STILL)
    expect(page.get_by_text("the cell below", exact=True)).to_be_visible()
    expect(page.get_by_text("Loading widget").locator("visible=true")).to_have_count(0)
    expect(page.get_by_text("Error displaying").locator("visible=true")).to_have_count(0)


def test_a_saved_lab_is_its_picture_until_its_cell_is_run_again(saved, fresh, gallery):
    notebook = fresh(saved.name)
    page = notebook.page
    expect(page.get_by_text("Error displaying widget: model not found")).to_be_attached()
    assert_it_is_a_picture(page)
    page.screenshot(path=gallery / "saved-lab.png")
    lab = notebook.run_all().lab
    number = lab.number()
    lab.click("Step")
    lab.at_frame(number + 1)
    expect(page.locator(".raftlab-still")).to_be_hidden()


def test_a_saved_lab_is_its_picture_in_somebody_elses_copy(saved, fresh, desk):
    notebook = json.loads(saved.read_text())
    notebook["metadata"]["copied"] = True
    (desk / "copy.ipynb").write_text(json.dumps(notebook))
    page = fresh("copy.ipynb").page
    first = "() => jupyterapp.shell.currentWidget.content.widgets[0].model.trusted"
    assert page.evaluate(first) is False
    assert_it_is_a_picture(page)


def test_the_stage_is_dark_where_the_theme_is(clone, desk, gallery):
    write_notebook(desk / "dark.ipynb", LAB)
    lab = clone.open("dark.ipynb").run_all().lab
    look = "mark => getComputedStyle(mark).fill"
    theme = "theme => jupyterapp.commands.execute('apputils:change-theme', {theme})"
    node, paper = lab.mark("node-S1"), lab.root.locator(".raftlab-cluster .paper")
    assert [paper.evaluate(look), node.evaluate(look)] == [rgb("#FFFFFF"), rgb("#BBBBBB")]
    lab.page.evaluate(theme, "JupyterLab Dark")
    expect(lab.stage).to_have_css("background-color", rgb(style.DARK[style.PAPER]))
    dark = [style.DARK[style.PAPER], style.DARK[style.FOLLOWER.fill]]
    assert [paper.evaluate(look), node.evaluate(look)] == [rgb(each) for each in dark]
    lab.page.screenshot(path=gallery / "dark.png")
    lab.page.evaluate(theme, "JupyterLab Light")
    leave(lab.page)


def rgb(color: str) -> str:
    """A colour as a browser tells it."""
    return f"rgb({', '.join(str(int(color[place : place + 2], 16)) for place in (1, 3, 5))})"


def test_a_lab_that_is_closed_is_its_picture(clone, desk):
    write_notebook(desk / "closed.ipynb", LAB.replace("Cluster(3", "lab = Cluster(3") + "\nlab")
    page = clone.open("closed.ipynb").run_all().lab.page
    expect(page.locator(".raftlab-still")).to_be_hidden()
    page.evaluate(
        """() => jupyterapp.shell.currentWidget.sessionContext.session.kernel
            .requestExecute({code: "lab.close()"}).done"""
    )
    expect(page.locator(".raftlab-lab")).to_have_count(0)
    expect(page.locator(".raftlab-still img")).to_be_visible()
    leave(page)


@pytest.mark.parametrize("name", COURSE)
def test_axe_finds_nothing_serious_in_a_stored_notebook_light_and_dark(fresh, name):
    page = fresh(f"notebooks/{name}").page
    page.evaluate(AXE.read_text())
    use_theme = "theme => jupyterapp.commands.execute('apputils:change-theme', {theme})"
    try:
        for theme in ("JupyterLab Light", "JupyterLab Dark"):
            page.evaluate(use_theme, theme)
            expect(page.locator("body")).to_have_attribute("data-jp-theme-name", theme)
            seen = page.evaluate(JUDGE)
            assert seen["judged"] > 20
            assert seen["found"] == []
    finally:
        page.evaluate(use_theme, "JupyterLab Light")

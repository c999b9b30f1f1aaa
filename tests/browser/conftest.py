"""Fixtures of the browser tests: Chromium, one JupyterLab for all, and notebooks in it."""

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.jupyter import LabView, Notebook, find_chromium, jupyter_lab, write_notebook
from tests.browser.lab_page import BUILT, is_built, served
from tests.browser.lab_page import MISSING as MISSING_PAGE

Opener = Callable[[str], Notebook]
SCREEN = {"width": 1366, "height": 768}
NOTEBOOKS = Path(__file__).parents[2] / "notebooks"
MISSING = (
    "no Chromium: install chromium or google-chrome, or name one in RAFTLAB_CHROMIUM"
    " (Debian: apt-get install chromium)"
)


@pytest.fixture(scope="session")
def chromium() -> str:
    """The browser; without one the tests are skipped, except in CI, where they fail."""
    found = find_chromium()
    if found is None:
        if os.environ.get("CI"):
            pytest.fail(MISSING)
        pytest.skip(MISSING)
    return found


@pytest.fixture(scope="session")
def browser_type_launch_args(browser_type_launch_args: dict, chromium: str) -> dict:
    """pytest-playwright starts the browser with these."""
    options = ["--no-sandbox", "--disable-dev-shm-usage", "--disable-gpu"]
    return browser_type_launch_args | {"executable_path": chromium, "args": options}


@pytest.fixture(scope="session")
def browser_context_args(browser_context_args: dict) -> dict:
    """A small laptop's screen."""
    return browser_context_args | {"viewport": SCREEN}


@pytest.fixture(scope="session")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder that JupyterLab serves, with a working copy of the notebooks."""
    desk = tmp_path_factory.mktemp("desk")
    if NOTEBOOKS.is_dir():
        shutil.copytree(NOTEBOOKS, desk / "notebooks")
    return desk


@pytest.fixture(scope="session")
def address(chromium: str, desk: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """One JupyterLab for all tests."""
    with jupyter_lab(tmp_path_factory.mktemp("jupyter"), desk) as address:
        yield address


@pytest.fixture(scope="session")
def desk_page(browser: Browser, browser_context_args: dict) -> Iterator[Page]:
    """One page for all tests: a JupyterLab takes seconds to load."""
    with browser.new_context(**browser_context_args) as context:
        yield context.new_page()


@pytest.fixture(scope="session")
def scratch(desk_page: Page, address: str, desk: Path) -> Notebook:
    """A notebook with one cell, which each test fills."""
    write_notebook(desk / "scratch.ipynb", "")
    return Notebook(desk_page, address, "scratch.ipynb")


@pytest.fixture
def run_cell(scratch: Notebook, desk_page: Page) -> Iterator[Callable[[str], LabView]]:
    """Run a cell that shows a lab; afterwards the page is as it was."""
    yield lambda source: scratch.run(source).lab
    desk_page.set_viewport_size(SCREEN)
    desk_page.emulate_media(reduced_motion="no-preference", color_scheme="light")
    scratch.show_sides()


@pytest.fixture
def open_notebook(desk_page: Page, scratch: Notebook, address: str, desk: Path) -> Iterator[Opener]:
    """Open one of the course's notebooks in a page of its own, and run it."""
    pages = []

    def opened(name: str) -> Notebook:
        if not (desk / "notebooks" / name).exists():
            pytest.fail(f"there is no notebooks/{name}")
        pages.append(desk_page.context.new_page())
        return Notebook(pages[-1], address, f"notebooks/{name}").run_all()

    yield opened
    for page in pages:
        page.close()


@pytest.fixture(scope="session")
def page_address(chromium: str) -> Iterator[str]:
    """The lab as a page, under a path of a web server; skipped where it is not built.

    Where RAFTLAB_PAGE is set, as it is when the page is published, that fails.
    """
    if not is_built():
        if os.environ.get("RAFTLAB_PAGE"):
            pytest.fail(MISSING_PAGE)
        pytest.skip(MISSING_PAGE)
    with served(BUILT) as address:
        yield address


@pytest.fixture(params=["notebook", "page"])
def run_in_each(request: pytest.FixtureRequest) -> Callable[[str], LabView]:
    """Show the full lab of a cell: in a notebook; and in the page, which is given its run.

    What is told of such a lab is told of both. A page knows no classes of the reader's own.
    """
    if request.param == "notebook":
        run: Callable[[str], LabView] = request.getfixturevalue("run_cell")
        return run
    address, tab = request.getfixturevalue("page_address"), request.getfixturevalue("tab")

    def opened(source: str) -> LabView:
        made: dict[str, Any] = {}
        exec(source, made)
        tab.goto(made["lab"].recording.link(address))
        tab.get_by_role("button", name="All controls").click(timeout=60_000)
        expect(tab.get_by_role("button", name="Main controls")).to_be_visible(timeout=60_000)
        expect(tab.locator("body")).to_have_attribute("data-unanswered", "0", timeout=60_000)
        return LabView(tab, tab.locator(".raftlab-lab"))

    return opened


@pytest.fixture
def tab(browser: Browser, browser_context_args: dict) -> Iterator[Page]:
    """A tab of its own, in which nothing was opened before, and which keeps nothing."""
    with browser.new_context(**browser_context_args, service_workers="block") as context:
        yield context.new_page()


@pytest.fixture(scope="session")
def gallery(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where screenshots go, for a human to look at: RAFTLAB_SCREENSHOTS, or a temporary folder."""
    named = os.environ.get("RAFTLAB_SCREENSHOTS")
    folder = Path(named) if named else tmp_path_factory.mktemp("screenshots")
    folder.mkdir(parents=True, exist_ok=True)
    return folder

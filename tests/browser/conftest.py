"""Fixtures of the browser tests: Chromium, one JupyterLab for all, and notebooks in it."""

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page

from tests.browser.hosts import SCREEN, Host, NotebookHost, PageHost
from tests.browser.jupyter import LabView, Notebook, find_chromium, jupyter_lab, write_notebook
from tests.browser.lab_page import BUILT, is_built, served
from tests.browser.lab_page import MISSING as MISSING_PAGE

Opener = Callable[[str], Notebook]
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


@pytest.fixture(scope="session")
def in_notebook(scratch: Notebook) -> Host:
    """JupyterLab as a host of labs."""
    return NotebookHost(scratch)


@pytest.fixture(scope="session")
def in_page(browser: Browser, browser_context_args: dict, page_address: str) -> Iterator[Host]:
    """The page as a host of labs: one tab for all tests.

    Playwright waits with scripts that its security policy forbids; `test_page.py` keeps to that.
    """
    with browser.new_context(**browser_context_args, bypass_csp=True) as context:
        context.add_init_script("delete Navigator.prototype.serviceWorker")  # it keeps nothing
        yield PageHost(context.new_page(), page_address)


@pytest.fixture(params=["notebook", "page"])
def host(request: pytest.FixtureRequest) -> Iterator[Host]:
    """Each place in turn where a lab is shown; afterwards it is as it was."""
    found: Host = request.getfixturevalue(f"in_{request.param}")
    yield found
    found.tidy()


@pytest.fixture
def run_in_each(host: Host) -> Callable[[str], LabView]:
    """Show the lab of a cell: in a notebook; and in the page."""
    return host.show


@pytest.fixture
def run_cell(in_notebook: Host) -> Iterator[Callable[[str], LabView]]:
    """Show the lab of a cell in a notebook only; afterwards the page is as it was."""
    yield in_notebook.show
    in_notebook.tidy()


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


@pytest.fixture(scope="session")
def gallery(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where screenshots go, for a human to look at: RAFTLAB_SCREENSHOTS, or a temporary folder."""
    named = os.environ.get("RAFTLAB_SCREENSHOTS")
    folder = Path(named) if named else tmp_path_factory.mktemp("screenshots")
    folder.mkdir(parents=True, exist_ok=True)
    return folder

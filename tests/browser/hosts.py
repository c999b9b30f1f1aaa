"""The two places where a reader finds a lab: a notebook in JupyterLab, and the page.

What is told of both is tested in both, by the same words: a test asks its host to show the lab of
a cell, and then speaks to a `LabView`.
"""

import ast
from itertools import count
from typing import Any, Protocol

from playwright.sync_api import Page, expect

from raftlab.lab import Lab
from raftlab.lab.saved_runs import RunSaver
from tests.browser.jupyter import PATIENCE_S, LabView, Notebook

SCREEN = {"width": 1366, "height": 768}
THEMES = {False: "JupyterLab Light", True: "JupyterLab Dark"}


class Host(Protocol):
    """Where a lab is shown. `page` is the tab of the browser; a lab is inside `around`."""

    page: Page
    around: str

    def show(self, source: str) -> LabView:
        """The lab that a cell with this source shows."""

    def hide_sides(self) -> None:
        """Leave the room of the window to the lab, where something stands beside it."""

    def dress(self, dark: bool) -> None:
        """Let it be dark, or light."""

    def tidy(self) -> None:
        """Be again as before the test."""


class NotebookHost:
    """A notebook of one cell in JupyterLab."""

    around = ".raftlab-lab"

    def __init__(self, notebook: Notebook) -> None:
        self.notebook = notebook
        self.page = notebook.page
        self._dark = False

    def show(self, source: str) -> LabView:
        return self.notebook.run(source).lab

    def hide_sides(self) -> None:
        self.notebook.hide_sides()

    def dress(self, dark: bool) -> None:
        if dark is not self._dark:
            change = "theme => jupyterapp.commands.execute('apputils:change-theme', {theme})"
            self.page.evaluate(change, THEMES[dark])
            self._dark = dark

    def tidy(self) -> None:
        usual_window(self.page)
        self.dress(dark=False)
        self.notebook.show_sides()


class PageHost:
    """The page, opened once: Python goes on, and is given one lab after the other.

    It takes up the lab of a cell as it takes one up after a reload, from what was kept. It knows no
    classes of the reader's own, and nothing plays yet. What it complains of fails the test.
    """

    around = "html"

    def __init__(self, page: Page, address: str) -> None:
        self.page = page
        self._address = address
        self._labs = count(1)
        self._complaints: list[str] = []
        page.on("pageerror", lambda error: self._complaints.append(str(error)))
        page.on("console", lambda said: self._hear(said.type, said.text))

    def _hear(self, kind: str, text: str) -> None:
        if kind in ("warning", "error"):
            self._complaints.append(text)

    def show(self, source: str) -> LabView:
        if not self.page.locator(".raftlab-lab:not([inert])").count():
            self.page.goto(self._address)
            expect(self._labs_in_sight()).to_be_visible(timeout=PATIENCE_S * 1000)
        self._labs_in_sight().evaluate("lab => lab.classList.add('former')")
        asked = {
            "kept": RunSaver(lab_of(source)).kept(),
            "fragment": "",
            "address": "",
            "base": self._address,
            "alive": f"lab {next(self._labs)}",
            "room": {"width": 1100, "low": False},
        }
        start = "asked => void onmessage({data: {kind: 'start', asked}})"
        self.page.workers[0].evaluate(start, asked)
        expect(self._labs_in_sight()).to_be_visible(timeout=PATIENCE_S * 1000)
        expect(self.page.locator("body")).to_have_attribute(
            "data-unanswered", "0", timeout=PATIENCE_S * 1000
        )
        return LabView(self.page, self._labs_in_sight())

    def _labs_in_sight(self) -> Any:
        return self.page.locator(".raftlab-lab:not([inert], .former)")

    def hide_sides(self) -> None:
        """Nothing stands beside the lab."""

    def dress(self, dark: bool) -> None:
        self.page.emulate_media(color_scheme="dark" if dark else "light")

    def tidy(self) -> None:
        usual_window(self.page)
        complaints, self._complaints = self._complaints, []
        assert not complaints, "\n".join(complaints)


def usual_window(page: Page) -> None:
    """A small laptop's window, with motion, and light."""
    page.set_viewport_size(SCREEN)
    page.emulate_media(reduced_motion="no-preference", color_scheme="light")


def lab_of(source: str) -> Lab:
    """The lab that a cell with this source shows, made in this process."""
    names: dict[str, Any] = {}
    cell = ast.parse(source)
    last = ast.unparse(cell.body.pop())
    exec(compile(cell, "<cell>", "exec"), names)
    lab: Lab = eval(last, names)
    return lab

"""The moving picture of README: somebody uses the real lab in JupyterLab, for ten seconds.

`make picture` writes docs/lab.gif. The page's clock goes on by one picture at a time, so the
picture is even however busy the machine is.
"""

import io
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from PIL import Image
from playwright.sync_api import Page, sync_playwright

from tests.browser.conftest import MISSING
from tests.browser.jupyter import LabView, Notebook, find_chromium, jupyter_lab, write_notebook

WHERE = Path(__file__).parents[2] / "docs" / "lab.gif"
SCREEN = {"width": 1010, "height": 900}

PICTURE_MS = 100
"""From one picture to the next; browsers show a GIF in steps of 10 ms."""

MOST_WAITED = 10
"""So many pictures may pass until a button says what it shall."""

COLOURS = 64

ANSWER_S = 5.0
"""How long the kernel may take to answer."""

CELL = """
import raftlab as rl
cluster = rl.Cluster(5, seed=12)
cluster.run(125)
cluster.lab()
"""

POINTER = """([x, y]) => {
    let pointer = document.querySelector("#pointer");
    if (!pointer) {
        pointer = document.createElement("div");
        pointer.id = "pointer";
        pointer.style.cssText = "position:fixed;z-index:999;width:22px;height:22px;margin:-11px;"
            + "border:2px solid #D55E00;border-radius:50%;pointer-events:none";
        document.body.append(pointer);
    }
    pointer.style.left = `${x}px`;
    pointer.style.top = `${y}px`;
}"""
"""Shows where somebody clicks."""


STATUS = "() => jupyterapp.shell.currentWidget.sessionContext.session.kernel.status"


class Film:
    """Pictures of a lab, one every `PICTURE_MS` of the page's time."""

    def __init__(self, page: Page, lab: LabView) -> None:
        self.page, self.lab = page, lab
        self.pictures: list[Image.Image] = []
        self.clip = lab.root.bounding_box()
        page.clock.pause_at(page.evaluate("() => Date.now() + 1"))

    def take(self) -> None:
        """Let the page's time go on, and take a picture."""
        self.page.clock.run_for(PICTURE_MS)
        self._wait_for_the_kernel()
        shot = self.page.screenshot(clip=self.clip)
        self.pictures.append(Image.open(io.BytesIO(shot)).convert("RGB"))

    def go_on(self, ms: int) -> None:
        """Watch for so long."""
        for _ in range(ms // PICTURE_MS):
            self.take()

    def until(self, words: str, most_ms: int = 6000) -> None:
        """Watch until these words are in the headline or the line of the last event."""
        for _ in range(most_ms // PICTURE_MS):
            self.take()
            if any(words in told for told in self._told()):
                return
        raise RuntimeError(f"{words!r} did not come about; last: {list(self._told())}")

    def press(self, words: str) -> None:
        """Point at a button, and click it."""
        button = self.lab.button(words)
        for _ in range(MOST_WAITED):
            if button.is_visible():
                break
            self.take()
        box = button.bounding_box(timeout=1000)
        assert box
        at = [box["x"] + box["width"] / 2, box["y"] + box["height"] / 2]
        self.page.evaluate(POINTER, at)
        self.go_on(300)
        self.page.mouse.click(*at)
        self._wait_for_the_kernel()

    def write(self, where: Path) -> None:
        """Write it as a GIF, with one palette for all pictures, so that only changes are stored."""
        colours = _strip(self.pictures[::10]).quantize(COLOURS, Image.Quantize.MAXCOVERAGE)
        first, *others = (
            each.quantize(palette=colours, dither=Image.Dither.NONE) for each in self.pictures
        )
        first.save(
            where,
            save_all=True,
            append_images=others,
            duration=[PICTURE_MS] * len(others) + [2000],
            loop=0,
            optimize=True,
        )

    def _told(self) -> Iterator[str]:
        yield self.lab.mark("headline").text_content() or ""
        yield self.lab.root.locator(".raftlab-newest").text_content() or ""

    def _wait_for_the_kernel(self) -> None:
        """Real time, until what the lab has asked for has come."""
        quiet, end = 0, time.monotonic() + ANSWER_S
        while quiet < 3 and time.monotonic() < end:
            idle = self.page.evaluate(STATUS) == "idle"
            quiet = quiet + 1 if idle else 0
            time.sleep(0.02)


def _strip(pictures: list[Image.Image]) -> Image.Image:
    """The pictures one below the other."""
    wide, high = pictures[0].size
    strip = Image.new("RGB", (wide, high * len(pictures)))
    for place, each in enumerate(pictures):
        strip.paste(each, (0, high * place))
    return strip


def film(page: Page, address: str) -> Film:
    """An election, a command, a crash, and another election."""
    page.clock.install()
    notebook = Notebook(page, address, "scratch.ipynb").hide_sides()
    lab = notebook.run(CELL).lab
    made = Film(page, lab)
    made.press("Play")
    made.until("leads term 1")
    made.go_on(200)
    made.press("Propose")
    made.press("Play")
    made.until("committed up to 2")
    made.go_on(300)
    made.press("Crash the leader")
    made.press("Play")
    made.until("leads term 2")
    made.go_on(1000)
    return made


def main() -> int:
    """Write the picture; the exit status is 1 where there is no browser."""
    chromium = find_chromium()
    if chromium is None:
        print(MISSING, file=sys.stderr)
        return 1
    with tempfile.TemporaryDirectory() as folder:
        home, desk = Path(folder) / "jupyter", Path(folder) / "desk"
        home.mkdir()
        desk.mkdir()
        write_notebook(desk / "scratch.ipynb", "")
        with jupyter_lab(home, desk) as address, sync_playwright() as playwright:
            browser = playwright.chromium.launch(
                executable_path=chromium, args=["--no-sandbox", "--disable-gpu"]
            )
            made = film(browser.new_page(viewport=SCREEN), address)
            browser.close()
        made.write(WHERE)
    print(f"{WHERE}: {len(made.pictures)} pictures, {WHERE.stat().st_size / 1e6:.2f} MB")
    return 0


if __name__ == "__main__":
    sys.exit(main())

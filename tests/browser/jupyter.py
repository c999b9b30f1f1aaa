"""A real JupyterLab on loopback, and a notebook in it, as a reader's browser sees them."""

import json
import os
import re
import shutil
import subprocess
import sys
import time
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

import nbformat
from playwright.sync_api import FloatRect, Locator, Page, expect

from raftlab.commands.lab import BEFORE_SAVING

PATIENCE_S = 60
"""How long a server or a kernel may take to start on a busy machine."""

CHROMIUMS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
QUIET = {"fetchNews": "false", "checkForUpdates": False, "doNotDisturbMode": True}


def find_chromium() -> str | None:
    """The browser to use: $RAFTLAB_CHROMIUM, or a Chromium or Chrome on the PATH."""
    named = os.environ.get("RAFTLAB_CHROMIUM")
    if named:
        return shutil.which(named)
    return next(filter(None, map(shutil.which, CHROMIUMS)), None)


def write_notebook(path: Path, *cells: str) -> Path:
    """A notebook with these code cells, not yet run."""
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in cells])
    notebook.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3"}
    nbformat.write(notebook, path)
    return path


@contextmanager
def jupyter_lab(home: Path, root: Path) -> Iterator[str]:
    """A JupyterLab that serves `root` and keeps everything of its own in `home`; its address."""
    settings = home / "settings" / "@jupyterlab" / "apputils-extension"
    settings.mkdir(parents=True)
    (settings / "notification.jupyterlab-settings").write_text(json.dumps(QUIET))
    log = home / "jupyter.log"
    with log.open("w") as output:
        server = subprocess.Popen(
            _command(root), env=_environment(home), stdout=output, stderr=output, cwd=root
        )
        try:
            yield _address(home / "runtime", server, log)
        finally:
            _end(server)


def _command(root: Path) -> list[str]:
    options = {
        "ServerApp.ip": "127.0.0.1",
        "ServerApp.port": "0",
        "ServerApp.open_browser": "False",
        "ServerApp.root_dir": str(root),
        "ServerApp.allow_root": "True",
        "ServerApp.shutdown_no_activity_timeout": "900",
        "ServerApp.answer_yes": "True",
        "IdentityProvider.token": "",
        "ContentsManager.pre_save_hook": BEFORE_SAVING,
        "LabApp.expose_app_in_browser": "True",
        "LabApp.check_for_updates_class": "jupyterlab.NeverCheckForUpdate",
    }
    return [sys.executable, "-m", "jupyterlab", *(f"--{k}={v}" for k, v in options.items())]


def _environment(home: Path) -> dict[str, str]:
    folders = {
        "JUPYTER_CONFIG_DIR": "config",
        "JUPYTER_DATA_DIR": "data",
        "JUPYTER_RUNTIME_DIR": "runtime",
        "JUPYTERLAB_SETTINGS_DIR": "settings",
        "JUPYTERLAB_WORKSPACES_DIR": "workspaces",
        "IPYTHONDIR": "ipython",
    }
    own = {name: str(home / folder) for name, folder in folders.items()}
    return os.environ | own | {"PYDEVD_DISABLE_FILE_VALIDATION": "1"}


def _address(runtime: Path, server: subprocess.Popen[bytes], log: Path) -> str:
    for _ in range(PATIENCE_S * 10):
        if server.poll() is not None:
            break
        for known in runtime.glob("jpserver-*.json"):
            with suppress(json.JSONDecodeError):  # the server is writing it
                address = f"http://127.0.0.1:{json.loads(known.read_text())['port']}"
                if _answers(address):
                    return address
        time.sleep(0.1)
    raise RuntimeError(f"JupyterLab did not start:\n{log.read_text()[-4000:]}")


def _answers(address: str) -> bool:
    """Whether the server listens already: its file may be there a moment before."""
    try:
        with urlopen(f"{address}/api/status", timeout=PATIENCE_S):
            return True
    except URLError:
        return False


def _end(server: subprocess.Popen[bytes]) -> None:
    """End the server; it ends its kernels."""
    server.terminate()
    try:
        server.wait(15)
    except subprocess.TimeoutExpired:
        server.kill()
        server.wait(15)


OUTPUTS = """() => {
    const panel = window.jupyterapp?.shell?.currentWidget;
    const cells = [...(panel?.content?.model?.cells ?? [])];
    const told = cells.flatMap(cell => cell.outputs?.toJSON() ?? []).map(output => ({
        type: output.output_type, text: output.text, data: Object.keys(output.data ?? {}),
        widget: output.data?.["application/vnd.jupyter.widget-view+json"]?.model_id,
    }));
    const shown = [...document.querySelectorAll(".jp-OutputArea")].map(
        area => area.outerHTML.replace(/<(svg|style|img)[^]*?(<\\/\\1>|>)/g, "").slice(0, 6000));
    const kernel = panel?.sessionContext?.session?.kernel;
    return JSON.stringify([kernel?.status, kernel?.connectionStatus, told, shown]);
}"""
"""What the cells of the notebook hold, and what the page has of it."""

COMPLAINTS: deque[str] = deque(maxlen=40)
"""What JupyterLab said last in the console of the browser, but for chatter."""


def complain(kind: str, text: str) -> None:
    """Keep what the browser's console is told, if it is a warning or an error."""
    if kind in ("warning", "error"):
        COMPLAINTS.append(f"{time.strftime('%X')} {kind}: {text[:400]}")


class Notebook:
    """A notebook in the browser. `lab` is the last lab in it."""

    def __init__(self, page: Page, address: str, path: str) -> None:
        self.page = page
        page.on("console", lambda said: complain(said.type, said.text))
        page.on("pageerror", lambda error: complain("error", str(error)))
        page.goto(f"{address}/lab/tree/{path}?reset")
        self._wait_for(path)

    def open(self, path: str) -> "Notebook":
        """Open another notebook in the same JupyterLab, in a tab in front of the others."""
        self.page.evaluate(
            "path => void jupyterapp.commands.execute('docmanager:open', {path})", path
        )
        self._wait_for(path)
        return self

    def _wait_for(self, path: str) -> None:
        self.page.wait_for_function(
            """path => {
                const panel = window.jupyterapp?.shell?.currentWidget;
                const session = panel?.sessionContext;
                return panel?.context?.path === path && session?.isReady
                    && session.session?.kernel?.status === "idle";
            }""",
            arg=path,
            timeout=PATIENCE_S * 1000,
        )

    def run(self, source: str) -> "Notebook":
        """Let the notebook be one cell with this source, and run it."""
        self.page.evaluate(
            """source => {
                const cell = jupyterapp.shell.currentWidget.content.model.cells.get(0);
                cell.sharedModel.setSource(source);
                cell.clearExecution();
            }""",
            source,
        )
        return self.run_all()

    def run_all(self) -> "Notebook":
        """Run every cell, from the first, and wait until all have run.

        What the notebook was saved with says nothing of that: it may have all its outputs.
        """
        self.page.evaluate(
            """() => {
                window.raftlabRan = false;
                const ran = () => { window.raftlabRan = true; };
                jupyterapp.commands.execute("notebook:run-all-cells").then(ran, ran);
            }"""
        )
        failed = self.page.wait_for_function(
            """() => {
                const panel = jupyterapp.shell.currentWidget;
                const failed = [...panel.content.model.cells]
                    .flatMap(cell => cell.outputs?.toJSON() ?? [])
                    .find(output => output.output_type === "error");
                if (failed) return {error: `${failed.ename}: ${failed.evalue}`};
                return window.raftlabRan
                    && panel.sessionContext.session.kernel.status === "idle"
                    && {error: ""};
            }""",
            timeout=PATIENCE_S * 1000,
        ).json_value()["error"]
        assert not failed, f"a cell failed: {failed}"
        return self

    def show_sides(self) -> "Notebook":
        """Open the file browser, as JupyterLab does at first."""
        self.page.evaluate("() => jupyterapp.shell.expandLeft()")
        return self

    def hide_sides(self) -> "Notebook":
        """Close the file browser, for room."""
        self.page.evaluate("() => jupyterapp.shell.collapseLeft()")
        return self

    @property
    def lab(self) -> "LabView":
        """The last lab on the page, wherever it is."""
        self.page.evaluate(
            """() => {
                const content = jupyterapp.shell.currentWidget.content;
                const cells = [...content.model.cells];
                const shows = cell => cell.sharedModel.getSource().includes("lab(");
                return content.scrollToItem(cells.findLastIndex(shows), "start");
            }"""
        )
        return LabView(self.page, self.page.locator(".raftlab-lab").last)


class LabView:
    """A lab on a page, by what a reader sees of it."""

    def __init__(self, page: Page, root: Locator) -> None:
        self.page = page
        self.root = root
        try:
            expect(self.mark("node-S1")).to_be_visible(timeout=30_000)
        except AssertionError as missing:
            missing.add_note(f"what the cells show instead: {page.evaluate(OUTPUTS)}")
            missing.add_note("\n".join(["what JupyterLab has said:", *COMPLAINTS]))
            raise
        self.settle()

    def button(self, words: str) -> Locator:
        """A button by what is written on it."""
        exactly = re.compile(rf"^\s*{re.escape(words)}\s*$")
        return self.root.locator("button").filter(has_text=exactly, visible=True)

    def click(self, words: str, greyed: bool = False) -> None:
        """Click a button, once the picture stands still; one that is `greyed` hears it, too."""
        self.button(words).click(force=greyed)

    def mark(self, name: str) -> Locator:
        """A mark of the picture by its id."""
        return self.root.locator(f'.raftlab-stage [data-id="{name}"]:not(.leaving)')

    @property
    def stage(self) -> Locator:
        """What has the picture in it, and hears keys."""
        return self.root.locator(".raftlab-stage")

    @property
    def slider(self) -> Locator:
        """The handle of the slider."""
        return self.root.locator(".raftlab-transport .noUi-handle")

    @property
    def frame(self) -> Locator:
        """Where the number of the frame is written."""
        return self.root.locator(".raftlab-moment b").first

    def sight(self) -> FloatRect:
        """The box of what can be seen without scrolling."""
        panel = self.page.locator(".jp-WindowedPanel-outer")
        if panel.count():
            return panel.bounding_box()
        return FloatRect(x=0, y=0, **self.page.viewport_size)

    def in_sight(self, *things: Locator) -> bool:
        """Whether all of it can be seen, without scrolling."""
        seen, boxes = self.sight(), [thing.bounding_box() for thing in things]
        return all(
            seen["x"] - 1 <= box["x"]
            and box["x"] + box["width"] <= seen["x"] + seen["width"] + 1
            and seen["y"] - 1 <= box["y"]
            and box["y"] + box["height"] <= seen["y"] + seen["height"] + 1
            for box in boxes
        )

    def at_frame(self, number: int) -> None:
        """The lab shows this frame."""
        expect(self.frame).to_have_text(str(number))

    def number(self) -> int:
        """The number of the frame shown, once the picture has come there."""
        self.settle()
        return int(self.frame.inner_text())

    def settle(self) -> None:
        """Wait until the picture has the room that it has, and has come to its moment."""
        expect(self.root.locator(".raftlab-stage[data-settling]")).to_have_count(0, timeout=30_000)

    def tops(self, *marks: Locator) -> list[float]:
        """Where each of them begins, at one moment: the lab may be laid out anew between two."""
        elements = [each.element_handle() for each in marks]
        script = "all => all.map(each => each.getBoundingClientRect().top)"
        tops: list[float] = self.page.evaluate(script, elements)
        return tops

    @property
    def alarm(self) -> Locator:
        """What went wrong."""
        return self.root.locator(".raftlab-alarm")

    @property
    def newest(self) -> Locator:
        """The newest event."""
        return self.root.locator(".raftlab-events li").first

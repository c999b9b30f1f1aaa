"""Labs and the cells of a notebook: who made one, where it is shown, and when it is closed.

ipywidgets keeps every widget until it is closed, and a lab has hundreds. So a lab belongs to
the cells that show it (before it is shown, to the cell that made it), and is closed when all
of them have been run again without it. A front end names the cell that it runs; where it does
not, a lab lives until it is closed by hand.
"""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, Protocol


class Closable(Protocol):
    """What can be closed."""

    def close(self) -> None:
        """Take it off the page, and forget its widgets."""


NOWHERE = "", ""
"""Not while a cell is running, or the front end does not say which."""


class Cells:
    """Which labs belong to which cells. A lab stands with the run of the cell that had it last."""

    def __init__(self) -> None:
        self._labs: dict[str, dict[Closable, str]] = {}
        self._shown: set[Closable] = set()
        self._shell: Any = None
        self._running = NOWHERE

    def made(self, lab: Closable) -> None:
        """A lab belongs to the cell that makes it, until it is shown."""
        self._place(lab)

    def shown(self, lab: Closable) -> None:
        """A lab belongs to every cell that shows it."""
        if lab not in self._shown:
            self.forget(lab)
            self._shown.add(lab)
        self._place(lab)

    def forget(self, lab: Closable) -> None:
        """It belongs to no cell any more."""
        self._shown.discard(lab)
        for labs in self._labs.values():
            labs.pop(lab, None)

    def begin(self, *_: object) -> None:
        """A cell begins: once it has run, a message of a widget may pass for what is running."""
        self._running = running_cell()

    def tidy(self, *_: object) -> None:
        """The cell has run: close what belonged to an earlier run of it, and to no other cell."""
        cell, run = self._running
        labs = self._labs.get(cell, {})
        for lab in [lab for lab, last in labs.items() if last != run]:
            del labs[lab]
            if not any(lab in others for others in self._labs.values()):
                lab.close()

    def _place(self, lab: Closable) -> None:
        cell, run = running_cell()
        self._labs.setdefault(cell, {})[lab] = run
        shell = shell_running()
        if cell and shell is not self._shell:
            self._shell, self._running = shell, (cell, run)
            shell.events.register("pre_run_cell", self.begin)
            shell.events.register("post_run_cell", self.tidy)


CELLS = Cells()


def shell_running() -> Any:
    """The shell of IPython that runs this, or None."""
    module = sys.modules.get("IPython")
    return module.get_ipython() if module else None


def kernel_running() -> Any:
    """The kernel that runs this, or None; IPython in a terminal has none."""
    return getattr(shell_running(), "kernel", None)


def running_cell() -> tuple[str, str]:
    """The name of the cell that is running, and of this run of it."""
    kernel = kernel_running()
    parent = kernel.get_parent() if kernel else {}
    cell = parent.get("metadata", {}).get("cellId")
    return (cell, parent["header"]["msg_id"]) if cell else NOWHERE


@contextmanager
def unasked() -> Iterator[None]:
    """Inside, widgets are announced as if no cell had asked for them.

    A live front end hears of them all the same. What runs a notebook to write it down, as
    `nbconvert --execute` does, hears only what cells send: it would keep their state, and a
    page would show dead controls where the picture is.
    """
    _heed(kernel_running())
    token = _UNASKED.set(True)
    try:
        yield
    finally:
        _UNASKED.reset(token)


_UNASKED = ContextVar("unasked", default=False)
"""Of each thread by itself: a front end's messages may come on another one meanwhile."""


def _heed(kernel: Any) -> None:
    """Let a kernel say, where `unasked` holds, that nobody asked; once for each kernel."""
    if kernel is None or "get_parent" in vars(kernel):
        return
    asked = kernel.get_parent
    kernel.get_parent = lambda channel=None: {} if _UNASKED.get() else asked(channel)

"""Widgets that are announced as if no cell had asked for them, and labs that belong to cells."""

from concurrent.futures import ThreadPoolExecutor
from functools import partial
from types import SimpleNamespace
from typing import NamedTuple

from raftlab.lab import notebook_cells
from raftlab.lab.notebook_cells import Cells, unasked

CELL = {"header": {"msg_id": "1"}}


class Kernel:
    def get_parent(self, channel=None):
        return CELL


def test_only_the_thread_that_is_unasked_says_so(monkeypatch):
    kernel = Kernel()
    monkeypatch.setattr(notebook_cells, "shell_running", lambda: SimpleNamespace(kernel=kernel))
    with ThreadPoolExecutor(1) as other:
        with unasked():
            assert kernel.get_parent() == {}
            assert other.submit(kernel.get_parent, "shell").result() == CELL
            with unasked():
                assert kernel.get_parent() == {}
            assert kernel.get_parent("shell") == {}
        assert kernel.get_parent("shell") == CELL


class Shell:
    """A shell whose kernel runs cells: a message of a widget may take the place of one."""

    def __init__(self):
        self.kernel = self
        self.parent: dict = {}
        self.hooks: dict[str, list] = {"pre_run_cell": [], "post_run_cell": []}
        self.events = SimpleNamespace(register=lambda name, hook: self.hooks[name].append(hook))

    def get_parent(self, channel=None):
        return self.parent

    def run(self, number: int, body, seen_after: dict | None = None) -> None:
        self.parent = {"header": {"msg_id": str(number)}, "metadata": {"cellId": "a"}}
        for hook in self.hooks["pre_run_cell"]:
            hook(None)
        body()
        self.parent = seen_after or self.parent
        for hook in self.hooks["post_run_cell"]:
            hook(None)


class Closes(NamedTuple):
    """What can be closed."""

    close: partial


def test_a_cell_that_has_run_closes_its_earlier_lab_whatever_message_came_meanwhile(monkeypatch):
    shell, cells, closed = Shell(), Cells(), []
    monkeypatch.setattr(notebook_cells, "shell_running", lambda: shell)
    old, new = Closes(partial(closed.append, "old")), Closes(partial(closed.append, "new"))
    shell.run(1, lambda: cells.shown(old))
    first = shell.parent
    shell.run(2, lambda: cells.shown(new), seen_after=first)
    assert closed == ["old"]
    shell.run(3, lambda: None, seen_after={})
    assert closed == ["old", "new"]

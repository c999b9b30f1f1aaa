"""Widgets that are announced as if no cell had asked for them."""

from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace

from raftlab.lab import notebook_cells
from raftlab.lab.notebook_cells import unasked

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

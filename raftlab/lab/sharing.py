"""The controls for runs: their tree, the text that stands for a run, and the field to open one."""

from collections.abc import Sequence

import ipywidgets as widgets

from raftlab.lab.making import button, column, row, text, together, toggle

FEWEST_ROWS, MOST_ROWS = 3, 8
"""How many runs are seen without scrolling."""


class SharingControls:
    """The controls of the panel "Runs and sharing". `sharing` holds them all."""

    def _make_sharing(self) -> None:
        self.runs = widgets.Select(
            description="Runs (choose one to go to its end)", options=[], rows=FEWEST_ROWS
        )
        self.runs.layout.width = "auto"
        self.runs.add_class("raftlab-runs")
        self.shared = widgets.HTML()
        self.shared.add_class("raftlab-shared")
        self.copy_shared = button("Copy", "copy", "Copy the text")
        self.copy_shared.add_class("raftlab-copy")
        self.code_mode = toggle("Python", "Show the run as a few lines of Python")
        self.run_text = text("Open", "", "auto", "raftlab.1.…")
        self.run_text.tooltip = "The text of a shared run"
        self.open_button = button("Open as a new run", "folder-open", "Every run is kept (Enter)")
        self.refused, self.code = widgets.HTML(), widgets.HTML()
        self.sharing = column(
            "sharing", row("sharings", self.runs, self._sharing_column()), self.code
        )

    def _sharing_column(self) -> widgets.Widget:
        return column(
            "passing",
            self.shared,
            row("acts", self.copy_shared, self.code_mode),
            together(self.run_text, self.open_button),
            self.refused,
        )

    def show_runs(self, lines: Sequence[tuple[str, int]], current: int) -> None:
        """List these runs, with the `current` one chosen."""
        self.runs.rows = min(max(len(lines), FEWEST_ROWS), MOST_ROWS)
        if self.runs.options != tuple(lines):
            with self.runs.hold_sync():
                self.runs.options = lines
        self.runs.value = current

"""The button below a check that found a known mistake: a click opens the run that it leads to."""

from typing import Any

from raftlab.course.exercises.mistakes import Mistake
from raftlab.lab.notebook_cells import (
    CELLS,
    NOWHERE,
    kernel_running,
    running_cell,
    unasked,
)
from raftlab.lab.widget_factory import belonging

WORDS = "See it happen"


class RunButton:
    """A button, and below it the lab with the run, once it was clicked; then it closes it again."""

    def __init__(self, mistake: Mistake) -> None:
        from ipywidgets import Button, Layout, VBox

        self.mistake = mistake
        self.lab: Any = None
        with unasked():
            self.button = Button(description=WORDS, layout=Layout(width="max-content"))
            self.widget = VBox([self.button])
        self.button.on_click(self.turn)

    def turn(self, _: object = None) -> None:
        """Open the lab, or close it."""
        if self.lab is None:
            self.lab = self.mistake.recording().lab()
            self.widget.children = (self.button, self.lab.controls.widget)
            self.button.description = "Close it"
        else:
            self.widget.children = (self.button,)
            self.lab.close()
            self.lab = None
            self.button.description = WORDS

    def close(self) -> None:
        """Take it off the page, with the lab."""
        if self.lab is not None:
            self.turn()
        for each in belonging([self.widget]):
            each.close()


def shown_button(mistake: Mistake) -> RunButton | None:
    """The button of a mistake that a cell tells; none where no kernel could hear it."""
    if kernel_running() is None:
        return None
    button = RunButton(mistake)
    if running_cell() != NOWHERE:
        CELLS.shown(button)
    return button

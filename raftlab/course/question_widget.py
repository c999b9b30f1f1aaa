"""A question in the browser: choices to click, and below them the verdict, once there is one."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import anywidget
import traitlets

from raftlab.course.panel import pictures_html
from raftlab.course.score import NONE, SCORE
from raftlab.lab.notebook_cells import CELLS, NOWHERE, kernel_running, running_cell, unasked
from raftlab.lab.widget_factory import belonging
from raftlab.raft.vocabulary import NotNow

if TYPE_CHECKING:
    from raftlab.course.question import Question

STATIC = Path(__file__).parent / "static"
NUMBER = re.compile(r"\s*[+-]?[0-9]{1,9}\s*")


class QuestionWidget(anywidget.AnyWidget):
    """The question that is asked now, its verdict, and the score of all questions.

    `asked` and `outcome` are what the browser shows; `asked["number"]` counts the questions
    asked here, and a click says to which of them it belongs, so that a late one does nothing.
    `on_deaf` is called when the browser says that this widget hears nothing of the kernel.
    """

    _esm = STATIC / "question.js"
    _css = STATIC / "question.css"

    asked = traitlets.Dict().tag(sync=True)
    outcome = traitlets.Dict().tag(sync=True)
    score = traitlets.Unicode().tag(sync=True)

    def __init__(
        self, question: "Question", number: int = 1, on_deaf: Callable[[], None] = lambda: None
    ) -> None:
        self.question = question
        self.on_deaf = on_deaf
        super().__init__(
            asked=_asked(question, number), outcome=_outcome(question), score=SCORE.sentence
        )
        self.on_msg(self._hear)
        SCORE.watchers.append(self.refresh)

    def refresh(self) -> None:
        """Show the verdict and the score as they are now."""
        with unasked(), self.hold_sync():
            self.outcome = _outcome(self.question)
            self.score = SCORE.sentence

    def close(self) -> None:
        """Take it off the page; the question can be shown again."""
        if self.refresh in SCORE.watchers:
            SCORE.watchers.remove(self.refresh)
        super().close()

    def _hear(self, _: object, heard: Any, __: object) -> None:
        now = self.asked["number"]
        match heard:
            case {"number": number, "answer": list() as given} if number == now:
                self._answer(given)
            case {"number": number, "again": True} if number == now:
                self._ask_another()
            case {"hello": True}:
                self.send({"here": True})
            case {"deaf": True}:
                self.on_deaf()

    def _answer(self, given: list[Any]) -> None:
        if self.question.verdict is not None:
            self.refresh()
            return
        question = self.question
        said = given or [NONE] if question.several else given
        if not question.choices:
            said = [int(each) for each in given if NUMBER.fullmatch(str(each))]
        if not said or question.problem(tuple(said)):
            self.send(
                {"trouble": "Type a whole number." if not question.choices else "Choose one."}
            )
        else:
            question.answer(*said)

    def _ask_another(self) -> None:
        try:
            other = self.question.again()
        except NotNow as refusal:
            self.send({"trouble": str(refusal)})
            return
        self.question = SCORE.latest = other
        with self.hold_sync():
            self.outcome = _outcome(other)
            self.asked = _asked(other, self.asked["number"] + 1)

    def __repr__(self) -> str:
        return f"<QuestionWidget: {self.question.statement}>"


class AskedOnPage:
    """A question on the page. All places where it is shown share one `box` with its widget.

    anywidget hears nothing of a widget whose code took the browser more than 2 s to load:
    then another one takes its place in the box.
    """

    def __init__(self, question: "Question") -> None:
        from ipywidgets import Layout, VBox

        with unasked():
            self.widget = QuestionWidget(question, on_deaf=self.renew)
            self.box = VBox([self.widget], layout=Layout(overflow="visible"))

    @property
    def is_closed(self) -> bool:
        """Whether it has been taken off the page."""
        return self.box.comm is None

    def renew(self) -> None:
        """Let a new widget take the place of one that hears nothing."""
        old = self.widget
        with unasked():
            self.widget = QuestionWidget(old.question, old.asked["number"], self.renew)
            self.box.children = [self.widget]
            self._close([old])

    def close(self) -> None:
        """Take it off the page; the question can be shown again."""
        CELLS.forget(self)
        self._close([self.box])

    def _close(self, roots: list[Any]) -> None:
        for each in belonging(roots):
            each.close()


def shown_widget(question: "Question", shown: AskedOnPage | None) -> AskedOnPage | None:
    """What a cell shows of a question; nothing where no kernel could hear it."""
    if kernel_running() is None:
        return None
    if shown is None or shown.is_closed:
        shown = AskedOnPage(question)
    if running_cell() != NOWHERE:
        CELLS.shown(shown)
    return shown


def _asked(question: "Question", number: int) -> dict[str, Any]:
    return {
        "number": number,
        "statement": question.statement,
        "given": list(question.given),
        "choices": [list(choice) for choice in question.choices.items()],
        "several": question.several,
        "pictures": pictures_html(question.scenes),
        "credit": question.credit,
    }


def _outcome(question: "Question") -> dict[str, Any]:
    verdict = question.verdict
    if verdict is None:
        return {}
    return {
        "right": verdict.right,
        "sentence": verdict.sentence,
        "said": [str(each) for each in question.said],
        "truth": [str(each) for each in question.truth],
        "why": list(verdict.why),
        "pictures": pictures_html(verdict.scenes),
        "again": question.kind is not None,
    }

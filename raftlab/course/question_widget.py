"""A question in the browser: choices to click, and below them the verdict, once there is one."""

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import anywidget
import traitlets

from raftlab.course.panel import pictures_html
from raftlab.course.score import NONE, SCORE
from raftlab.lab.notebook_cells import CELLS, NOWHERE, kernel_running, running_cell, unasked
from raftlab.raft.vocabulary import NotNow

if TYPE_CHECKING:
    from raftlab.course.question import Question

STATIC = Path(__file__).parent / "static"
NUMBER = re.compile(r"\s*[+-]?[0-9]{1,9}\s*")


class QuestionWidget(anywidget.AnyWidget):
    """The question that is asked now, its verdict, and the score of all questions.

    `asked` and `outcome` are what the browser shows; `asked["number"]` counts the questions
    asked here, and a click says to which of them it belongs, so that a late one does nothing.
    All places where a question is shown share one widget.
    """

    _esm = STATIC / "question.js"
    _css = STATIC / "question.css"

    asked = traitlets.Dict().tag(sync=True)
    outcome = traitlets.Dict().tag(sync=True)
    score = traitlets.Unicode().tag(sync=True)

    def __init__(self, question: "Question") -> None:
        self.question = question
        super().__init__(
            asked=_asked(question, 1), outcome=_outcome(question), score=SCORE.sentence
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
        CELLS.forget(self)
        super().close()

    def _hear(self, _: object, heard: Any, __: object) -> None:
        now = self.asked["number"]
        match heard:
            case {"number": number, "answer": list() as given} if number == now:
                self._answer(given)
            case {"number": number, "again": True} if number == now:
                self._ask_another()

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


def shown_widget(question: "Question", widget: QuestionWidget | None) -> QuestionWidget | None:
    """The widget of a question that a cell shows; none where no kernel could hear it."""
    if kernel_running() is None:
        return None
    if widget is None or widget.comm is None:
        with unasked():
            widget = QuestionWidget(question)
    if running_cell() != NOWHERE:
        CELLS.shown(widget)
    return widget


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

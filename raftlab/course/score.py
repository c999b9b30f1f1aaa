"""What comes of answers: the verdict on one, and the score of all first ones."""

from collections.abc import Callable, Sequence
from hashlib import sha256
from html import escape
from textwrap import fill
from typing import Protocol

from raftlab.course import my_predictions
from raftlab.course.my_predictions import FirstAnswer
from raftlab.course.panel import WIDTH, Panel, list_html, pictures_html
from raftlab.view import Scene

NONE = "none"
"""The answer that none of the choices is right."""


class Verdict:
    """What came of an answer: `right` (None while there is no answer), and what to read.

    `sentence` says it, `why` are the reasons and numbers, `scenes` show what happens, and
    `text` is all that can be read. A verdict is true if the answer is right.

    Raises: TypeError, if it is asked for its truth while there is no answer to judge.
    """

    __slots__ = ("right", "scenes", "sentence", "why")

    def __init__(
        self,
        right: bool | None,
        sentence: str,
        why: Sequence[str] = (),
        scenes: Sequence[Scene] = (),
    ) -> None:
        self.right = right
        self.sentence = sentence
        self.why = tuple(why)
        self.scenes = tuple(scenes)

    @property
    def text(self) -> str:
        """The sentence and the reasons, line by line."""
        return "\n".join([self.sentence, *map(indented, self.why)])

    def __bool__(self) -> bool:
        if self.right is None:
            raise TypeError(
                "no answer has been judged, so it is neither right nor wrong: look at its text"
            )
        return self.right

    def __str__(self) -> str:
        return self.text

    def __repr__(self) -> str:
        return repr(Panel(self.text, self.scenes))

    @property
    def html(self) -> str:
        """The sentence, the pictures, and the reasons as a list."""
        said = escape(self.sentence)
        parts = [f"<p>{said}</p>" if self.right is None else f"<p><b>{said}</b></p>"]
        parts += [pictures_html(self.scenes)] if self.scenes else []
        parts += [f"<ul>{list_html(self.why)}</ul>"] if self.why else []
        return "\n".join(parts)

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> dict[str, str]:
        return {"text/plain": repr(self), "text/html": self.html}


class Answered(Protocol):
    """What the score needs to know of a question."""

    statement: str

    def again(self) -> "Answered":
        """Another of its kind."""
        ...

    @property
    def key(self) -> str:
        """What it asks and why: questions that have the same are one."""
        ...


class Score:
    """The first answer to each question counts, however often the question is made and shown.

    In a notebook first answers are kept in `my_predictions.jsonl`, and read from there. `first`
    has them by the keys of the questions. `watchers` are called whenever a question was answered;
    `latest` is the question that was shown or answered last.
    """

    def __init__(self) -> None:
        self.first: dict[str, FirstAnswer] = {}
        self.watchers: list[Callable[[], None]] = []
        self.latest: Answered | None = None
        self._trouble = ""

    def note(self, question: Answered, right: bool) -> bool:
        """Count an answer, unless the question was answered before; returns whether it counts."""
        self._recall()
        answer = FirstAnswer(right, question.statement, sha256(question.key.encode()).hexdigest())
        counts = answer.key not in self.first
        if counts:
            self.first[answer.key] = answer
            self._keep(answer)
        for watcher in tuple(self.watchers):
            watcher()
        return counts

    def _recall(self) -> None:
        """Take in what was kept, by other notebooks too; begin anew if the file was deleted."""
        if not my_predictions.is_kept() or self._trouble:
            return
        try:
            kept = my_predictions.read()
        except OSError as problem:
            self._trouble = _told(problem)
            return
        self.first = {}
        for each in kept:
            self.first.setdefault(each.key, each)

    def _keep(self, answer: FirstAnswer) -> None:
        if not my_predictions.is_kept() or self._trouble:
            return
        try:
            my_predictions.add(answer)
        except OSError as problem:
            self._trouble = _told(problem)

    @property
    def sentence(self) -> str:
        """How many were right."""
        self._recall()
        if not self.first:
            return "No prediction yet."
        right = sum(each.right for each in self.first.values())
        return f"Predictions: {right} of {len(self.first)} right at the first try."

    def __repr__(self) -> str:
        lines = [self.sentence]
        lines += [f"  missed: {each.asked}" for each in self.first.values() if not each.right]
        if my_predictions.is_kept() and self.first:
            kept = f"Kept in {my_predictions.NAME}; delete that file to begin anew."
            lines.append(self._trouble or kept)
        return "\n".join(lines)


def _told(problem: OSError) -> str:
    return f"They cannot be kept in {my_predictions.NAME}: {problem.strerror or problem}."


SCORE = Score()


def score() -> Score:
    """How many of the predictions made so far were right at the first try."""
    return SCORE


def indented(line: str) -> str:
    """A line of a list, in lines that are short enough to read."""
    return fill(line, WIDTH, initial_indent="  ", subsequent_indent="    ")

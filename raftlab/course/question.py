"""One question: its text, its choices, the true answer and the reasons for it."""

from collections.abc import Mapping, Sequence
from textwrap import fill

from raftlab.course.panel import Panel
from raftlab.raft.vocabulary import shown
from raftlab.view import Scene
from raftlab.view.words import names

NONE = "none"
WIDTH = 96
"""Letters in a line of text."""


class Verdict:
    """What came of an answer: `right` (None while there is no answer), and the text to read.

    A verdict is true if the answer is right.

    Raises: TypeError, if it is asked for its truth while there is no answer to judge.
    """

    __slots__ = ("right", "text")

    def __init__(self, right: bool | None, text: str) -> None:
        self.right = right
        self.text = text

    def __bool__(self) -> bool:
        if self.right is None:
            raise TypeError(
                "no answer has been judged, so it is neither right nor wrong: look at its text"
            )
        return self.right

    def __repr__(self) -> str:
        return self.text


class Score:
    """The first answer to each question counts."""

    def __init__(self) -> None:
        self.first: dict[int, tuple[Question, bool]] = {}

    def note(self, question: "Question", right: bool) -> None:
        """Count an answer, unless the question was answered before."""
        self.first.setdefault(id(question), (question, right))

    def __repr__(self) -> str:
        if not self.first:
            return "No prediction yet."
        right = sum(each for _, each in self.first.values())
        lines = [f"Predictions: {right} of {len(self.first)} right at the first try."]
        lines += [f"  missed: {each.statement}" for each, good in self.first.values() if not good]
        return "\n".join(lines)


SCORE = Score()


def score() -> Score:
    """How many of the predictions made so far were right at the first try."""
    return SCORE


class Question:
    """A question whose right answer was computed by running the real thing.

    `choices` maps what may be answered to what it says ("" if it speaks for itself);
    without choices the answer is a number. `truth` is the right answer: a tuple of
    choices if `several` may be right, otherwise one choice or one number. `explain` says
    why, line by line. `given` are facts to go by, and `scenes` pictures to look at.

        question = predict.who_grants(cluster, candidate="S3")
        question                           # shows it
        question.answer("S2", "S4")        # tells right from wrong, and why
    """

    def __init__(
        self,
        statement: str,
        choices: Mapping[str, str] | Sequence[str],
        truth: str | int | Sequence[str],
        explain: str | Sequence[str],
        *,
        several: bool = False,
        given: Sequence[str] = (),
        scenes: Sequence[Scene] = (),
        credit: str = "",
    ) -> None:
        self.statement = statement
        self.given = tuple(given)
        self.choices = dict(choices) if isinstance(choices, Mapping) else dict.fromkeys(choices, "")
        self.several = several
        self.explain = (explain,) if isinstance(explain, str) else tuple(explain)
        self.scenes = tuple(scenes)
        self.credit = credit
        right = truth if isinstance(truth, str | int) else tuple(truth)
        self._truth: tuple[str | int, ...] = right if isinstance(right, tuple) else (right,)

    @property
    def truth(self) -> tuple[str | int, ...]:
        """The right answer, as it would be given to `answer`. Look when you have answered."""
        return self._truth or (NONE,)

    # Asking

    @property
    def text(self) -> str:
        """The question with its choices and how to answer."""
        lines = [fill(f"Predict: {self.statement}", WIDTH), ""]
        lines += [*map(_indented, self.given), ""] if self.given else []
        wide = max((len(choice) for choice in self.choices), default=0)
        lines += [f"  {choice:<{wide}}  {says}" for choice, says in self.choices.items() if says]
        lines += [""] if any(self.choices.values()) else []
        lines.append(fill(f"Answer in the next cell: {self._how()}", WIDTH))
        if self.credit:
            lines.append(f"({self.credit})")
        return "\n".join(lines)

    def _how(self) -> str:
        if not self.choices:
            return "question.answer(number)"
        listed = ", ".join(f'"{choice}"' for choice in self.choices)
        if self.several:
            return f'question.answer(…) with every right one of {listed}; or "{NONE}"'
        return f"question.answer(…) with one of {listed}"

    def __repr__(self) -> str:
        return repr(Panel(self.text, self.scenes))

    def _ipython_display_(self) -> None:
        Panel(self.text, self.scenes)._ipython_display_()

    # Answering

    def answer(self, *given: str | int | None) -> Verdict:
        """Say whether the prediction was right, what is true, and why.

        Without an answer it reveals nothing.
        """
        if not given or given == (None,):
            return Verdict(None, f"Your prediction first: {self._how()}.")
        problem = self._problem(given)
        if problem:
            return Verdict(None, problem)
        mine = {each for each in given if each != NONE}
        right = mine == {each for each in self._truth if each != NONE}
        SCORE.note(self, right)
        if right:
            first = f"Right: {self._said(self.truth)}."
        else:
            first = f"Not so. You said {self._said(given)}; it is {self._said(self.truth)}."
        return Verdict(right, "\n".join([first, *map(_indented, self.explain)]))

    def _problem(self, given: tuple[object, ...]) -> str | None:
        """What is wrong with the form of an answer, or None."""
        if not self.choices:
            if len(given) == 1 and type(given[0]) is int:
                return None
            return f"The answer is one whole number: {self._how()}."
        allowed = [*self.choices, NONE] if self.several else list(self.choices)
        for each in given:
            if type(each) is not str or each not in allowed:
                return f"{shown(each)} is not one of the choices: {self._how()}."
        if not self.several and len(given) > 1:
            return f"Only one of them is right: {self._how()}."
        if NONE in given and len(given) > 1 and NONE not in self.choices:
            return f'"{NONE}" goes with nothing else: {self._how()}.'
        return None

    def _said(self, answers: Sequence[object]) -> str:
        order = list(self.choices)
        placed = sorted(
            dict.fromkeys(each if isinstance(each, str) else _brief(each) for each in answers),
            key=lambda each: order.index(each) if each in order else -1,
        )
        return names(placed)


def _brief(answer: object) -> str:
    """An answer in at most 60 characters, whatever was given."""
    try:
        text = repr(answer)
    except Exception:  # what a learner gives may be anything
        return f"something of type {type(answer).__name__}"
    return text if len(text) <= 60 else f"{text[:59]}…"


def _indented(line: str) -> str:
    return fill(line, WIDTH, initial_indent="  ", subsequent_indent="    ")

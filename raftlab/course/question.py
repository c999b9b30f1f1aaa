"""One question: its text, its choices, the true answer and the reasons for it."""

from collections.abc import Callable, Mapping, Sequence
from functools import wraps
from html import escape
from inspect import signature
from textwrap import fill
from typing import Any, ParamSpec, TypeVar

from raftlab.course.panel import WIDTH, Panel, list_html, pictures_html
from raftlab.course.score import NONE, SCORE, Verdict, indented
from raftlab.raft.vocabulary import NotNow, shown
from raftlab.view import Scene
from raftlab.view.notebook import show, show_live
from raftlab.view.words import names

MOST_SEEDS = 60
"""How many seeds are tried for a question that was not asked before."""

Arguments = ParamSpec("Arguments")
Hidden = TypeVar("Hidden")


class Question:
    """A question whose right answer was computed by running the real thing.

    `choices` maps what may be answered to what it says ("" if it speaks for itself);
    without choices the answer is a number. `truth` is the right answer: a tuple of
    choices if `several` may be right, otherwise one choice or one number. `explain` says
    why, line by line. `given` are facts to go by, and `scenes` pictures to look at; `then`
    are pictures of what happens, or the function that makes them: nobody sees them before
    the answer.

        question = predict.who_grants(cluster, candidate="S3")
        question                           # shows it: click, or
        question.answer("S2", "S4")        # tells right from wrong, and why
        question.again()                   # another of its kind

    `verdict` is that on the first answer, once there is one, and `said` that answer. `place` is
    "first" or "second" in a review.
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
        then: Sequence[Scene] | Callable[[], Sequence[Scene]] = (),
        credit: str = "",
    ) -> None:
        self.statement = statement
        self.given = tuple(given)
        self.choices = dict(choices) if isinstance(choices, Mapping) else dict.fromkeys(choices, "")
        self.several = several
        self.explain = (explain,) if isinstance(explain, str) else tuple(explain)
        self.scenes = tuple(scenes)
        self._then = then
        self.credit = credit
        self.verdict: Verdict | None = None
        self.said: tuple[str | int, ...] = ()
        self.kind: Callable[..., Question] | None = None
        self.before: tuple[str, ...] = ()
        self.place = ""
        self._seed = 0
        self._conditions: Mapping[str, Any] = {}
        self._widget: Any = None
        right = truth if isinstance(truth, str | int) else tuple(truth)
        self._truth: tuple[str | int, ...] = right if isinstance(right, tuple) else (right,)

    @property
    def truth(self) -> tuple[str | int, ...]:
        """The right answer, as it would be given to `answer`. Look when you have answered."""
        return self._truth or (NONE,)

    @property
    def then(self) -> tuple[Scene, ...]:
        """Pictures of what happens. Look when you have answered."""
        return tuple(self._then() if callable(self._then) else self._then)

    @property
    def key(self) -> str:
        """What it asks and why: questions that have the same are one, whenever they are made."""
        return "\n".join([self._asked(), *self.explain])

    def again(self) -> "Question":
        """Another question of this kind and under its conditions, not one of those before it.

        Raises: NotNow, if there is no other, or if it was written by hand.
        """
        if self.kind is None:
            raise NotNow("This question was written by hand; there is no other of its kind.")
        asked = (*self.before, self._asked())
        for seed in range(self._seed + 1, self._seed + 1 + MOST_SEEDS):
            other = self.kind(seed=seed, **self._conditions)
            if other._asked() not in asked:
                other.before = asked
                return other
        raise NotNow("You have been asked every question of this kind.")

    # Asking

    @property
    def text(self) -> str:
        """The question with its choices and how to answer."""
        lines = [self._stated(), fill(f"Answer in the next cell: {self._how()}", WIDTH)]
        lines += [f"({self.credit})"] if self.credit else []
        return "\n".join(lines)

    @property
    def sheet(self) -> Panel:
        """The question as on paper, with what an answer is, and nothing to click."""
        listed = ", ".join(f'"{choice}"' for choice in self.choices)
        return Panel(f"{self._stated()}\nAnswer: {self._form(listed)}", self.scenes)

    def _stated(self) -> str:
        """The question with its choices."""
        lines = [fill(f"Predict: {self.statement}", WIDTH), ""]
        lines += [*map(indented, self.given), ""] if self.given else []
        wide = max((len(choice) for choice in self.choices), default=0)
        lines += [f"  {choice:<{wide}}  {says}" for choice, says in self.choices.items() if says]
        lines += [""] if any(self.choices.values()) else []
        return "\n".join(lines)

    def _asked(self) -> str:
        """All that it shows, but how to answer: the same in a review as anywhere."""
        listed = ", ".join(self.choices)
        return repr(Panel(f"{self._stated()}\n{listed}", self.scenes))

    def _how(self) -> str:
        listed = ", ".join(f'"{choice}"' for choice in self.choices)
        if self.place:
            return f"review.answer(first, second), where {self.place} is {self._form(listed)}"
        if not self.choices:
            return "question.answer(number)"
        if self.several:
            return f'question.answer("…", "…") with every right one of {listed}; or "{NONE}"'
        return f"question.answer(…) with one of {listed}"

    def _form(self, listed: str) -> str:
        """What an answer is among those of a review."""
        if not self.choices:
            return "a whole number"
        if self.several:
            return f'[…] with every right one of {listed}; or "{NONE}"'
        return f"one of {listed}"

    def __repr__(self) -> str:
        return repr(Panel(self.text, self.scenes))

    @property
    def html(self) -> str:
        """The question where nothing can be clicked: its text, its pictures, its choices."""
        told = [f"<b>{escape(key)}</b> {escape(says)}" for key, says in self.choices.items()]
        kept = [f"<p><b>Predict:</b> {escape(self.statement)}</p>"]
        kept += [f"<ul>{list_html(self.given)}</ul>"] if self.given else []
        kept += [pictures_html(self.scenes)] if self.scenes else []
        kept += [f"<p>{'<br>'.join(told)}</p>"] if any(self.choices.values()) else []
        kept.append(f"<p>Run this cell and click, or type in the next: {escape(self._how())}</p>")
        kept += [f"<p>({escape(self.credit)})</p>"] if self.credit else []
        return "\n".join(kept)

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> dict[str, str]:
        return {"text/plain": repr(self), "text/html": self.html}

    def _ipython_display_(self) -> None:
        from raftlab.course.question_widget import shown_widget

        SCORE.latest = self
        self._widget = shown_widget(self, self._widget)
        if self._widget is None:
            show(self._repr_mimebundle_())
        else:
            show_live(self._repr_mimebundle_(), self._widget.box.model_id)

    # Answering

    def answer(self, *given: str | int | Sequence[str] | None) -> Verdict:
        """Say whether the prediction was right, what is true, and why.

        Several answers are given one after the other, or as a list. Without an answer it reveals
        nothing, unless there was one before.
        """
        SCORE.latest = self
        if not given or given == (None,):
            first = f"Your prediction first: {self._how()}; or click it above."
            return Verdict(None, first) if self.verdict is None else self.verdict
        said: tuple[Any, ...] = given
        if self.several and len(given) == 1 and isinstance(given[0], list | tuple):
            said = tuple(given[0])
        problem = self.problem(said)
        if problem:
            return Verdict(None, problem)
        mine = tuple(each for each in said if each is not None)
        right = self.is_right(mine)
        if right:
            sentence = f"Right: {self._named(self.truth)}."
        else:
            sentence = f"Not so. You said {self._named(said)}; it is {self._named(self.truth)}."
        verdict = Verdict(right, sentence, self.explain, self.then)
        if self.verdict is None:
            self.verdict, self.said = verdict, mine
        if not SCORE.note(self, right):
            why = (*self.explain, "(Only your first answer to this question counts.)")
            return Verdict(right, sentence, why, self.then)
        return verdict

    def is_right(self, given: Sequence[object]) -> bool:
        """Whether these are the right answers; nothing is shown, counted or kept."""
        return {*given} - {NONE} == {*self._truth} - {NONE}

    def reveal(self, hidden: Hidden) -> "Hidden | Verdict":
        """What tells the answer, such as a picture, once there is one; before, what to do first.

        question.reveal(cluster.frame())     # as the last line of a later cell
        """
        return self.answer() if self.verdict is None else hidden

    def problem(self, given: tuple[object, ...]) -> str | None:
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

    def _named(self, answers: Sequence[object]) -> str:
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


def template(make: Callable[Arguments, Question]) -> Callable[Arguments, Question]:
    """What makes questions of one kind by `seed=`; each of them knows how to make another.

    Arguments that are given by keyword only are conditions: they hold for the others, too.
    """
    parameters = signature(make).parameters.values()
    kept = {each.name for each in parameters if each.kind is each.KEYWORD_ONLY} - {"seed"}

    @wraps(make)
    def asked(*arguments: Arguments.args, **named: Arguments.kwargs) -> Question:
        question = make(*arguments, **named)
        seed = named.get("seed")
        question.kind = asked
        question._conditions = {name: named[name] for name in kept & named.keys()}
        question._seed = seed if isinstance(seed, int) else 0
        return question

    return asked

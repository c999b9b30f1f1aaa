"""An exercise: a statement, a stub to fill, `show` and `check`."""

import inspect
import re
from collections.abc import Callable, Sequence
from functools import cached_property
from types import CodeType, FunctionType
from typing import Any

from raftlab.course import my_raft
from raftlab.course.exercises import guard, verdict
from raftlab.course.exercises.cases import BEFORE, Case, is_corner
from raftlab.course.exercises.mistakes import Mistake
from raftlab.course.exercises.result import Result
from raftlab.course.exercises.statement import Shown, Statement
from raftlab.course.exercises.verdict import Failure
from raftlab.course.panel import Panel
from raftlab.raft.vocabulary import Misuse, shown
from raftlab.view import Scene

POINTS = {1: 2, 2: 3, 3: 5}
CHANGES_ITS_INPUT = "it changes what it was given; it must only decide"
MOST_ERRORS = 3
"""After so many cases that end in an error, the others are not tried."""
STUB = re.compile(r"Exercise (\d+\.\d+): (\w+)")


class Exercise:
    """One exercise, for a plain function.

    `number` is "1.2": the second exercise of notebook 01; `name` the function to write.
    `reference` gives the right answer, `cases` the calls to try, smallest first; `example` is
    the case that the statement tells, `telling` the one that `show` draws with `picture`.
    `paper` is where to read again. `mistakes` are those that have a name. `shipped` is what
    the package has in the place of an answer, beside the reference: to call it is no answer.
    `beyond` are cases that a right answer may get wrong, and the sentence that says so then.
    A case that `is_corner` tells little, small as it is, and is shown only if no other fails.
    """

    def __init__(
        self,
        number: str,
        title: str,
        stars: int,
        name: str,
        statement: Statement,
        *,
        paper: str,
        reference: Callable[..., Any],
        cases: Callable[[], Sequence[Case]],
        example: Case,
        telling: Case,
        picture: Callable[[Case, Any], Sequence[Scene]],
        says: Callable[[Any], str] = repr,
        mistakes: Sequence[Mistake] = (),
        shipped: Sequence[Callable[..., Any]] = (),
        beyond: tuple[str, Callable[[], Sequence[Case]]] | None = None,
        is_corner: Callable[[Case], bool] = is_corner,
    ) -> None:
        self.number = number
        self.title = title
        self.stars = stars
        self.name = name
        self.statement = statement
        self.paper = paper
        self.reference = reference
        self.cases = cases
        self.example = example
        self.telling = telling
        self.picture = picture
        self.says = says
        self.mistakes = mistakes
        self.shipped = (reference, *shipped)
        self.beyond = beyond
        self.is_corner = is_corner
        self.result: Result | None = None
        self.tried: Any = None
        self._known: dict[Case, Any] = {}
        self._mistaken: dict[tuple[Mistake, Case], Any] = {}
        self._counted: dict[Mistake, int] = {}

    @property
    def points(self) -> int:
        """What it is worth: 2, 3 or 5 for one, two or three stars."""
        return POINTS[self.stars]

    # The statement

    @property
    def asked(self) -> Shown:
        """All that the reader is told before there is any code."""
        return Shown(
            head=f"Exercise {self.number} {'★' * self.stars} {self.title} ({self.points} points)",
            write=self.stub,
            statement=self.statement,
            example=self.call_text(self.example, None),
            outcome=self.example_outcome,
            hint_call=f'exercise("{self.number}").hint(1), then hint(2)',
            paper=self.paper,
        )

    @property
    def stub(self) -> str:
        """The first line of what is to be written."""
        return f"def {self.name}({', '.join(inspect.signature(self.reference).parameters)}):"

    @property
    def example_outcome(self) -> str:
        """What the example should answer, computed."""
        return self.says(self.observe(self.reference, self.example.fresh()))

    def hint(self, step: int = 1) -> Panel:
        """The first hint says where to look, the second one how. Raises: Misuse, for a third."""
        if step not in (1, 2):
            raise Misuse(f"There are two hints, hint(1) and hint(2), and no hint({shown(step)}).")
        return Panel(self.statement.hints[step - 1])

    def __repr__(self) -> str:
        return self.asked.text

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> dict[str, str]:
        return {"text/plain": repr(self), "text/html": self.asked.html}

    # What the learner calls

    @guard.few_lines()
    def show(self, answer: Any = BEFORE) -> Panel:
        """What the learner's code does on one telling case; without code, the case alone."""
        if answer is BEFORE:
            call = self.call_text(self.telling, None)
            text = f"Exercise {self.number}, one case: {call}. What should it answer?"
            return Panel(text, self.picture(self.telling, BEFORE), text)
        try:
            function = self.function_of(answer)
            got = self.observe(function, self.telling.fresh())
        except guard.Unwritten as stub:
            return Panel(self.unwritten(stub))
        except guard.LearnerError as problem:
            return Panel(verdict.telling_case(self, answer, str(problem)))
        answered = f"it answers {guard.described(got, verdict.MOST, self.says)}"
        scenes = self.picture(self.telling, got)
        sentence = f"Exercise {self.number}, your code in one case: {answered}."
        return Panel(verdict.telling_case(self, answer, answered), scenes, sentence)

    def check(self, answer: Any) -> Result:
        """Try the learner's code, case by case, then in whole clusters; keep it if it is right.

        It is kept in `my_raft.py`, in the folder of the notebook.
        """
        result = self.judge(answer)
        if result.passed:
            kept = my_raft.keep(self.number, f"{self.name}: {self.title.lower()}", answer)
            if kept:
                self.result = result = result.with_line(kept)
        return result

    @guard.few_lines()
    def judge(self, answer: Any) -> Result:
        """The same as `check`, and nothing is kept."""
        self.result = None
        try:
            self.result = self._checked(answer)
        except guard.Unwritten as stub:
            self.result = Result(None, 0, self.points, self.unwritten(stub))
        except guard.LearnerError as problem:
            text = f"Exercise {self.number}: not yet. {self.name} cannot be used: {problem}."
            self.result = Result(False, 0, self.points, text)
        except Exception as problem:  # what it answers breaks what works with it
            text = f"Exercise {self.number}: not yet. With {self.name}, {guard.where(problem)}."
            self.result = Result(False, 0, self.points, text)
        return self.result

    # How it is checked

    imports = "from raftlab.course.situations import *"
    """What the call of a case needs."""

    changes = False
    """Whether the function is meant to change what it is given."""

    def observe(self, function: Callable[..., Any], arguments: tuple[Any, ...]) -> Any:
        """What one call shows, to be compared with what `reference` shows."""
        return guard.call(function, *arguments)

    def accepts(self, case: Case, want: Any, got: Any) -> bool:
        """Whether `got` is right where the reference answers `want`."""
        return guard.same(want, got)

    def function_of(self, answer: Any) -> Callable[..., Any]:
        """The function that the learner wrote. Raises: LearnerError, if there is none.

        Of what else can be called, a method, a partial, an object with `__call__`, no source
        could be kept that stands alone.
        """
        if not isinstance(answer, FunctionType):
            what = guard.described(answer)
            raise guard.LearnerError(
                f"pass a function that is written with def, {self.name} itself, not {what}"
            )
        return answer

    def named(self, answer: Any) -> str:
        """How the learner calls what is checked."""
        name = getattr(answer, "__name__", "")
        return name if isinstance(name, str) and name.isidentifier() else self.name

    def call_text(self, case: Case, answer: Any) -> str:
        """The call of a case as it can be pasted."""
        return f"{self.named(answer)}({case.code})"

    def leans_on(self, function: Callable[..., Any]) -> str:
        """What of the package an answer is, or looks its answers up in without a call; or ""."""
        home = str(getattr(function, "__globals__", {}).get("__name__", ""))
        return function.__qualname__ if home.startswith("raftlab.") else ""

    def _checked(self, answer: Any) -> Result:
        self.tried = answer
        function = self.function_of(answer)
        with guard.watch(map(_code, self.shipped)) as called:
            result = self._tried(function, answer, called)
        return verdict.leaning(self, called[0]) if result.passed and called else result

    def _tried(self, function: Callable[..., Any], answer: Any, called: list[str]) -> Result:
        cases = self.every_case
        if failures := self.failures(function):
            return verdict.failed(self, self.most_telling(failures), self.mistake_in(failures))
        if leans := self.leans_on(function) or (called[0] if called else ""):
            return verdict.leaning(self, leans)
        clusters, failed = self.in_clusters(answer)
        if failed is not None:
            return failed
        count = f"{len(cases)} cases" + (f", {clusters} clusters" if clusters else "")
        text = f"Exercise {self.number}: correct ({count})"
        result = Result(True, self.points, self.points, text)
        limit = self._limit(function)
        return result.with_line(limit) if limit else result

    def failures(self, function: Callable[..., Any]) -> list[Failure]:
        """Every case that is answered wrong; after a few errors, no more are tried."""
        found: list[Failure] = []
        for case in self.every_case:
            failure = self.failure(function, case)
            if failure is not None:
                found.append(failure)
            if sum(each.is_error for each in found) >= MOST_ERRORS:
                break
        return found

    def most_telling(self, failures: Sequence[Failure]) -> Failure:
        """The one to be shown: the first that is no corner, or else the first."""
        return next((each for each in failures if not self.is_corner(each.case)), failures[0])

    def in_clusters(self, answer: Any) -> tuple[int, Result | None]:
        """Run the answer in whole clusters: how many, and what failed. A function runs in none."""
        return 0, None

    def failure(self, function: Callable[..., Any], case: Case) -> Failure | None:
        """What is wrong with one call, or None."""
        want = self._right_answer(case)
        given = case.fresh()
        expected = self.says(want)
        try:
            got = self.observe(function, given)
        except guard.LearnerError as problem:
            return Failure(case, expected, str(problem), want, is_error=True)
        if not self.changes and not all(map(guard.unchanged, case.arguments, given)):
            return Failure(case, expected, CHANGES_ITS_INPUT, want, is_error=True)
        if self.accepts(case, want, got):
            return None
        return Failure(case, expected, "", want, got)

    @cached_property
    def every_case(self) -> Sequence[Case]:
        """The cases, made once: no call can change them."""
        return self.cases()

    def _right_answer(self, case: Case) -> Any:
        """What the reference answers, which is found once for each case."""
        if case not in self._known:
            with guard.watch(()):  # nobody leans on what the reference calls
                self._known[case] = self.observe(self.reference, case.fresh())
        return self._known[case]

    def mistake_in(self, failures: Sequence[Failure]) -> Mistake | None:
        """The known mistake that is all that is wrong, or None.

        It gets the same cases wrong as the learner's code, and answers them as that does: what
        is told of it ("never", "whoever asks") is then true of the code.
        """
        if any(each.is_error for each in failures):
            return None
        for mistake in self.mistakes:
            alike = all(self._is_alike(mistake, each) for each in failures)
            if alike and self._wrong_cases(mistake) == len(failures):
                return mistake
        return None

    def _is_alike(self, mistake: Mistake, failure: Failure) -> bool:
        key = mistake, failure.case
        if key not in self._mistaken:
            function = mistake.function(self.name)
            self._mistaken[key] = self.observe(function, failure.case.fresh())
        return guard.same(self._mistaken[key], failure.got)

    def _wrong_cases(self, mistake: Mistake) -> int:
        """How many cases a mistake gets wrong, which is counted once."""
        if mistake not in self._counted:
            function = mistake.function(self.name)
            wrong = [self.failure(function, case) is not None for case in self.every_case]
            self._counted[mistake] = sum(wrong)
        return self._counted[mistake]

    def _limit(self, function: Callable[..., Any]) -> str:
        """What a right answer does not cover yet, or nothing."""
        if self.beyond is None:
            return ""
        sentence, cases = self.beyond
        with guard.quietly():
            wrong = any(self.failure(function, case) is not None for case in cases())
        return sentence if wrong else ""

    def unwritten(self, stub: guard.Unwritten) -> str:
        """Which exercise is still a stub: this one, or another on which its answer stands."""
        found = STUB.search(str(stub))
        number, name = found.groups() if found else (self.number, self.name)
        return f"Exercise {number} is still to be written: {name}"


def _code(function: Callable[..., Any]) -> CodeType:
    code: CodeType = inspect.unwrap(function).__code__
    return code

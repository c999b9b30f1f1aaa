"""An exercise: a statement, a stub to fill, `show` and `check`; and what a check found."""

import re
from collections.abc import Callable, Sequence
from textwrap import fill
from typing import Any

from raftlab.course.exercises import guard
from raftlab.course.exercises.cases import Case
from raftlab.course.panel import Panel
from raftlab.view import Scene

POINTS = {1: 2, 2: 3, 3: 5}
WIDTH = 96
CHANGES_ITS_INPUT = "it changes what it was given; it must only decide"
MOST = 200
"""How many characters of an answer are shown."""
STUB = re.compile(r"Exercise (\d+\.\d+): (\w+)")


class Result:
    """What a check found: whether it passed, the points, and the text to read.

    `passed` is None while the exercise is still to be written. A result is true if it passed:
    what could not be judged is not true either. A notebook shows the `sentence`, by default
    the whole `text`, and the pictures, and folds the rest.
    """

    def __init__(
        self,
        passed: bool | None,
        points: int,
        of: int,
        text: str,
        scenes: Sequence[Scene] = (),
        sentence: str = "",
    ) -> None:
        self.passed = passed
        self.points = points
        self.of = of
        self.text = text
        self.scenes = tuple(scenes)
        self.sentence = sentence or text

    def __bool__(self) -> bool:
        return self.passed is True

    def __repr__(self) -> str:
        return repr(Panel(self.text, self.scenes))

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> dict[str, str]:
        return Panel(self.text, self.scenes, self.sentence)._repr_mimebundle_()


class Exercise:
    """One exercise, for a plain function.

    `number` is "1.2": the second exercise of notebook 01; `name` the function to write.
    `reference` gives the right answer, `cases` the calls to try, smallest first; `telling`
    is the case that `show` draws with `picture`. `paper` is where to read again.
    """

    def __init__(
        self,
        number: str,
        title: str,
        stars: int,
        name: str,
        statement: str,
        paper: str,
        reference: Callable[..., Any],
        cases: Callable[[], Sequence[Case]],
        telling: Case,
        picture: Callable[[Case, Any], Sequence[Scene]] | None = None,
        says: Callable[[Any], str] = repr,
    ) -> None:
        self.number = number
        self.title = title
        self.stars = stars
        self.name = name
        self.statement = statement
        self.paper = paper
        self.reference = reference
        self.cases = cases
        self.telling = telling
        self.picture = picture
        self.says = says
        self.result: Result | None = None
        self._answer: Any = None

    @property
    def points(self) -> int:
        """What it is worth: 2, 3 or 5 for one, two or three stars."""
        return POINTS[self.stars]

    def __repr__(self) -> str:
        head = f"Exercise {self.number} {'★' * self.stars} {self.title} ({self.points} points)"
        return f"{head}\n\n{fill(self.statement, WIDTH)}\n\nRead: {self.paper}"

    # What the learner calls

    @guard.few_lines()
    def show(self, answer: Any) -> Panel:
        """What the learner's code does on one telling case, as text and picture."""
        try:
            function = self.function_of(answer)
            got = self.observe(function, self.telling.fresh())
        except guard.Unwritten as stub:
            return Panel(self.unwritten(stub))
        except guard.LearnerError as problem:
            return Panel(self._told(answer, str(problem)))
        answered = f"it answers {guard.described(got, MOST, self.says)}"
        scenes = self._drawn(self.telling, got)
        sentence = f"Exercise {self.number}, your code in one case: {answered}." if scenes else ""
        return Panel(self._told(answer, answered), scenes, sentence)

    @guard.few_lines()
    def check(self, answer: Any) -> Result:
        """Try the learner's code, case by case, then in whole clusters."""
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
        """The function that the learner wrote. Raises: LearnerError, if there is none."""
        if not callable(answer) or isinstance(answer, type):
            raise guard.LearnerError(
                f"pass the function {self.name} itself, not {guard.described(answer)}"
            )
        function: Callable[..., Any] = answer
        return function

    def named(self, answer: Any) -> str:
        """How the learner calls what is checked."""
        name = getattr(answer, "__name__", "")
        return name if isinstance(name, str) and name.isidentifier() else self.name

    def call_text(self, case: Case, answer: Any) -> str:
        """The call of a case as it can be pasted."""
        return f"{self.named(answer)}({case.code})"

    def _checked(self, answer: Any) -> Result:
        self._answer = answer
        function = self.function_of(answer)
        cases = self.cases()
        for case in cases:
            failed = self._try(function, case)
            if failed is not None:
                return failed
        clusters, failed = self.in_clusters(answer)
        if failed is not None:
            return failed
        count = f"{len(cases)} cases" + (f", {clusters} clusters" if clusters else "")
        text = f"Exercise {self.number}: correct ({count})"
        return Result(True, self.points, self.points, text)

    def in_clusters(self, answer: Any) -> tuple[int, Result | None]:
        """Run the answer in whole clusters: how many, and what failed. A function runs in none."""
        return 0, None

    def _try(self, function: Callable[..., Any], case: Case) -> Result | None:
        want = self.reference(*case.fresh())
        given = case.fresh()
        try:
            got = self.observe(function, given)
        except guard.LearnerError as problem:
            return self._failed(case, want, str(problem), None)
        if not self.changes and not all(map(guard.unchanged, case.arguments, given)):
            return self._failed(case, want, CHANGES_ITS_INPUT, None)
        if self.accepts(case, want, got):
            return None
        odd = type(got) is not type(want) and got is not None and want is not None
        kind = f", of type {type(got).__name__}" if odd else ""
        return self._failed(
            case, want, f"it answers {guard.described(got, MOST, self.says)}{kind}", got
        )

    # What is said

    def _failed(self, case: Case, want: Any, instead: str, got: Any) -> Result:
        lines = [
            f"Exercise {self.number}: not yet",
            f"  expected:  {self.says(want)}",
            f"  your code: {instead}",
            f"  try it:    {self.call_text(case, self._answer)}",
            f"             ({self.imports})" if "(" in case.code or "." in case.code else "",
            f"  read:      {self.paper}",
        ]
        text = "\n".join(line for line in lines if line)
        said = f"Exercise {self.number}: not yet. Expected {self.says(want)}, but {instead}."
        return Result(False, 0, self.points, text, self._drawn(case, want), said)

    def _told(self, answer: Any, what: str) -> str:
        call = self.call_text(self.telling, answer)
        return f"Exercise {self.number}, {call}\nYour code: {what}"

    def _drawn(self, case: Case, outcome: Any) -> Sequence[Scene]:
        return self.picture(case, outcome) if self.picture else ()

    def unwritten(self, stub: guard.Unwritten) -> str:
        """Which exercise is still a stub: this one, or another on which its answer stands."""
        found = STUB.search(str(stub))
        number, name = found.groups() if found else (self.number, self.name)
        return f"Exercise {number} is still to be written: {name}"

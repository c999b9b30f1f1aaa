"""What is said of an answer: the case that it gets wrong, the known mistake, what it leans on."""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple, Protocol

from raftlab.course.exercises import guard
from raftlab.course.exercises.cases import Case
from raftlab.course.exercises.mistakes import Mistake
from raftlab.course.exercises.result import Result
from raftlab.view import Scene

MOST = 200
"""How many characters of an answer are shown."""


class Checked(Protocol):
    """What is used of an exercise here."""

    number: str
    paper: str
    imports: str
    telling: Case
    tried: Any
    picture: Callable[[Case, Any], Sequence[Scene]]
    says: Callable[[Any], str]

    @property
    def points(self) -> int:
        """What it is worth."""

    def call_text(self, case: Case, answer: Any) -> str:
        """The call of a case as it can be pasted."""


class Failure(NamedTuple):
    """A case that the learner's code gets wrong: what was expected, and what came instead.

    Where `instead` is "", it is the answer `got`, which is told when somebody asks.
    """

    case: Case
    expected: str
    instead: str
    outcome: Any = None
    got: Any = None
    is_error: bool = False


def failed(exercise: Checked, failure: Failure, mistake: Mistake | None) -> Result:
    """Not yet: one case, what is expected and what came, the mistake, and where to read."""
    case, instead = failure.case, failure.instead or _answered(exercise, failure)
    lines = [
        f"Exercise {exercise.number}: not yet",
        f"  expected:  {failure.expected}",
        f"  your code: {instead}",
        *_mistake_lines(exercise, mistake),
        f"  try it:    {exercise.call_text(case, exercise.tried)}",
        f"             ({exercise.imports})" if "(" in case.code or "." in case.code else "",
        f"  read:      {exercise.paper}",
    ]
    text = "\n".join(line for line in lines if line)
    said = f"Exercise {exercise.number}: not yet. Expected {failure.expected}, but"
    said = f"{said} {instead}." + _mistake_said(exercise, mistake)
    drawn = exercise.picture(case, failure.outcome)
    return Result(False, 0, exercise.points, text, drawn, said, mistake)


def leaning(exercise: Checked, what: str) -> Result:
    """Right, but it is the package that answers."""
    text = (
        f"Exercise {exercise.number}: right, but it is {what} of the package that answers\n"
        "  That is what you are asked to write. Write it out, and check it again; there are"
        " no points for it yet.\n"
        f"  read:      {exercise.paper}"
    )
    said = f"{text.splitlines()[0]}. Write it out, and check it again."
    return Result(False, 0, exercise.points, text, (), said)


def telling_case(exercise: Checked, answer: Any, what: str) -> str:
    """What the learner's code does in the telling case."""
    call = exercise.call_text(exercise.telling, answer)
    return f"Exercise {exercise.number}, {call}\nYour code: {what}"


def _answered(exercise: Checked, failure: Failure) -> str:
    got, want = failure.got, failure.outcome
    odd = type(got) is not type(want) and got is not None and want is not None
    kind = f", of type {type(got).__name__}" if odd else ""
    return f"it answers {guard.described(got, MOST, exercise.says)}{kind}"


def _mistake_lines(exercise: Checked, mistake: Mistake | None) -> list[str]:
    if mistake is None:
        return []
    lines = [f"  mistake:   {mistake.name}"]
    if mistake.exhibit:
        lines.append(f'  see it:    exercise("{exercise.number}").result.lab()')
    return lines


def _mistake_said(exercise: Checked, mistake: Mistake | None) -> str:
    if mistake is None:
        return ""
    run = f'exercise("{exercise.number}").result.lab()'
    return f" The mistake: {mistake.name}." + (f" See it happen: {run}" if mistake.exhibit else "")

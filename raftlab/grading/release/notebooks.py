"""The notebook of an assignment: a student's, or, with the solutions, an instructor's."""

import inspect
from typing import Any

from raftlab.course.notebook_text import from_text
from raftlab.grading.machines import programs
from raftlab.grading.machines.options import SAYS
from raftlab.grading.milestones import M0, M6, PROGRAMS, Milestone
from raftlab.grading.own_tests import reference
from raftlab.grading.predictions import KINDS, questions_for
from raftlab.grading.release import texts
from raftlab.grading.release.solutions import solution_of

INSTRUCTOR = "instructor"
"""The student whose questions the instructor's copy of M0 has."""
IN_EACH = ("import raftlab as rl", "from raftlab.course import exercise")
USED = (*IN_EACH, "from raftlab.grading.own_marks import own_marks")


def assignment(milestone: Milestone, word: str, solved: bool) -> Any:
    """The notebook of a milestone, not executed; `word` is that of the class.

    Raises: Misuse, where the full notebooks are not.
    """
    parts = {
        M0.name: _predict,
        M6.name: _own_tests,
        **dict.fromkeys(PROGRAMS, _machine),
    }
    body = parts.get(milestone.name, _exercises)(milestone, word, solved)
    return from_text("\n".join([texts.head(milestone), *body]), milestone.name)


def _exercises(milestone: Milestone, word: str, solved: bool) -> list[str]:
    solutions = {number: solution_of(number) for number in milestone.parts}
    needed = [line for each in solutions.values() for line in each.imports]
    imports = "\n".join(dict.fromkeys((*USED, *needed)))
    cells = [
        texts.EXERCISE.format(
            number=number,
            points=texts.worth(points),
            solution=solutions[number].source if solved else solutions[number].stub,
        )
        for number, points in milestone.parts.items()
    ]
    return [f"# %%\n{imports}\n", *cells, texts.OWN.format(name=milestone.name)]


def _predict(milestone: Milestone, word: str, solved: bool) -> list[str]:
    right = {part: each.truth for part, each in questions_for(word, INSTRUCTOR).items()}
    answers = {
        part: (list(truth) if len(truth) > 1 else truth[0]) if solved else None
        for part, truth in right.items()
    }
    cells = [
        texts.QUESTION.format(
            title=part.capitalize(), part=part, points=texts.worth(milestone.parts[part])
        )
        for part in KINDS
    ]
    student = INSTRUCTOR if solved else ""
    lines = "\n".join(f'    "{part}": {answer!r},' for part, answer in answers.items())
    return [
        texts.PREDICT.format(student=f'"{student}"', word=f"{word!r}"),
        *cells,
        texts.ANSWERS.format(lines=lines, word=f"{word!r}"),
    ]


def _machine(milestone: Milestone, word: str, solved: bool) -> list[str]:
    name = milestone.name
    program = programs.reference(name) if solved else programs.given(name)
    asked = _options(milestone) if milestone.options else _asked(name)
    return [texts.MACHINE.format(name=name, asked=asked, program=program.rstrip())]


def _asked(name: str) -> str:
    return texts.ASKED.format(methods=_methods(name))


def _options(milestone: Milestone) -> str:
    options = [
        texts.OPTION.format(title=each.title, methods=_methods(each.name), says=SAYS[each.name])
        for each in milestone.options
    ]
    return texts.OPTIONS.format(points=milestone.points, options="\n".join(options))


def _methods(name: str) -> str:
    return ", ".join(f"`{each}`" for each in programs.ASKED[name])


def _own_tests(milestone: Milestone, word: str, solved: bool) -> list[str]:
    source = inspect.getsource(reference).partition('"""\n\n')[2]
    told = f"{source}\nscenarios = SCENARIOS" if solved else texts.OWN_TESTS_STUB
    return [texts.OWN_TESTS.format(solution=told.rstrip())]

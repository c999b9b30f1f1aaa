"""The exercises of all notebooks. `exercise("1.2")` is one; `exercise.report()` the marks."""

from collections.abc import Iterator, Mapping
from typing import Any

from raftlab.course.exercises import (
    append,
    append_entries,
    commit,
    hints,
    network_timeouts,
    replication,
    roles,
    start,
    tallying,
    terms,
    timeouts,
    vote_answers,
    voting,
)
from raftlab.course.exercises.base import Exercise
from raftlab.course.exercises.result import Result
from raftlab.course.exercises.running import MachineExercise, RulesExercise
from raftlab.raft.vocabulary import Misuse, shown
from raftlab.view.words import table

MODULES = (
    start,
    append,
    append_entries,
    terms,
    roles,
    voting,
    vote_answers,
    tallying,
    timeouts,
    network_timeouts,
    replication,
    hints,
    commit,
)
"""In the order of the notebooks."""


class Report:
    """Which exercises were checked, and the points."""

    def __init__(self, exercises: list[Exercise]) -> None:
        self.exercises = exercises

    @property
    def points(self) -> int:
        """The points of all that passed."""
        return sum(each.result.points for each in self.exercises if each.result is not None)

    @property
    def of(self) -> int:
        """The points that there are."""
        return sum(each.points for each in self.exercises)

    def __repr__(self) -> str:
        rows = [
            [each.number, "★" * each.stars, each.title, _state(each.result), _points(each)]
            for each in self.exercises
        ]
        rows.append(["", "", "", "", f"{self.points} of {self.of}"])
        return table(["exercise", "", "", "", "points"], rows, right=(4,))


class Exercises:
    """All exercises by number; called, it returns one."""

    def __init__(self) -> None:
        every = sorted((each for module in MODULES for each in module.EXERCISES), key=_place)
        self._all: Mapping[str, Exercise] = {each.number: each for each in every}

    def __call__(self, number: str) -> Exercise:
        """The exercise of this number. Raises: Misuse, naming those there are."""
        if number not in self._all:
            raise Misuse(f"There is no exercise {shown(number)}; there are {', '.join(self._all)}.")
        return self._all[number]

    def __repr__(self) -> str:
        rows = [[each.number, "★" * each.stars, each.title, each.name] for each in self]
        return table(["exercise", "", "", "to write"], rows)

    def __iter__(self) -> Iterator[Exercise]:
        return iter(self._all.values())

    def report(self, notebook: str | None = None) -> Report:
        """The marks so far: of one notebook ("01"), or of those with a checked exercise."""
        if notebook is not None:
            begun = {str(int(notebook))}
        else:
            begun = {each.number.split(".")[0] for each in self if each.result is not None}
        return Report([each for each in self if each.number.split(".")[0] in begun])

    def grade(self, answers: Mapping[str, Any], notebook: str | None = None) -> Report:
        """Check answers by exercise number, afresh, and keep none; returns the marks.

        exercise.grade({"1.1": MyRules, "1.2": MyRules}, notebook="01")
        """
        for each in self:
            each.result = None
        for number, answer in answers.items():
            self(number).judge(answer)
        return self.report(notebook)


def _place(each: Exercise) -> tuple[int, ...]:
    """The notebook, and the place in it."""
    return tuple(map(int, each.number.split(".")))


def _state(result: Result | None) -> str:
    if result is None:
        return "not checked"
    return {None: "to be written", True: "correct", False: "not yet"}[result.passed]


def _points(each: Exercise) -> str:
    return f"{0 if each.result is None else each.result.points} of {each.points}"


exercise = Exercises()

__all__ = [
    "Exercise",
    "Exercises",
    "MachineExercise",
    "Report",
    "Result",
    "RulesExercise",
    "exercise",
]

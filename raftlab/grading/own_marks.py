"""The student's own marks so far, by the public checks: the last cell of an assignment.

The grader uses other seeds, and a box; its marks are those that count.
"""

from collections.abc import Sequence
from textwrap import fill

from raftlab.course.exercises import Result, exercise
from raftlab.course.panel import WIDTH
from raftlab.grading.milestones import milestones_of
from raftlab.grading.results import MilestoneMark
from raftlab.raft.vocabulary import Misuse, shown
from raftlab.view.words import table


class OwnMarks:
    """A table of points: of exercises that were checked here, or of a mark; and what it says."""

    def __init__(
        self, rows: list[list[str]], points: float, of: float, notes: Sequence[str] = ()
    ) -> None:
        self.rows, self.points, self.of, self.notes = rows, points, of, notes

    def __repr__(self) -> str:
        total = f"{round(self.points, 2):g} of {self.of:g}"
        points = table(["", "", "points"], [*self.rows, ["so far", "", total]], right=(2,))
        return "\n\n".join([points, *(fill(each, WIDTH) for each in self.notes)])


def own_marks(what: str | MilestoneMark) -> OwnMarks:
    """The points so far of a milestone of exercises ("M1"), or of what was marked here.

    Raises: Misuse, for anything else.
    """
    if isinstance(what, MilestoneMark):
        rows = [
            [each.name, "passed" if each.passed else "not yet", f"{round(each.points, 2):g}"]
            for each in what.checks
        ]
        failed = [each for each in what.checks if not each.passed and not each.share]
        notes = dict.fromkeys(f"{each.name}. {each.sentence} {each.advice}" for each in failed)
        return OwnMarks(rows, min(what.of, what.points + what.bonus), what.of, [*notes])
    if not isinstance(what, str):
        raise Misuse(f'name a milestone, for instance "M1", not {shown(what)}')
    rows, points, of = [], 0, 0
    for milestone in milestones_of(what):
        for number, worth in milestone.parts.items():
            result = exercise(number).result
            reached = worth if result else 0
            rows.append([f"{number} {exercise(number).title}", _state(result), f"{reached}"])
            points, of = points + reached, of + worth
    return OwnMarks(rows, points, of)


def _state(result: Result | None) -> str:
    if result is None:
        return "not checked"
    return {None: "to be written", True: "passed", False: "not yet"}[result.passed]

"""The student's own marks so far, by the public checks: the last cell of an assignment.

The grader uses other seeds, and a box; its marks are those that count.
"""

from raftlab.course.exercises import Result, exercise
from raftlab.grading.milestones import milestones_of
from raftlab.grading.results import MilestoneMark
from raftlab.raft.vocabulary import Misuse, shown
from raftlab.view.words import table


class OwnMarks:
    """A table of points: of exercises that were checked here, or of a mark."""

    def __init__(self, rows: list[list[str]], points: float, of: float) -> None:
        self.rows, self.points, self.of = rows, points, of

    def __repr__(self) -> str:
        total = f"{round(self.points, 2):g} of {self.of:g}"
        return table(["", "", "points"], [*self.rows, ["so far", "", total]], right=(2,))


def own_marks(what: str | MilestoneMark) -> OwnMarks:
    """The points so far of a milestone of exercises ("M1"), or of what was marked here.

    Raises: Misuse, for anything else.
    """
    if isinstance(what, MilestoneMark):
        rows = [
            [each.name, "passed" if each.passed else "not yet", f"{round(each.points, 2):g}"]
            for each in what.checks
        ]
        return OwnMarks(rows, what.points, what.of)
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
    return "not checked" if result is None else "passed" if result else "not yet"

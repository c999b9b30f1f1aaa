"""An assignment as nbgrader has it: the instructor's notebook, with metadata in its cells.

A cell with a solution is followed by one that is locked and gives points. nbgrader runs
a student's notebook as it is, in one process and without a box: who changes raftlab in it changes
the points. `raftlab grade` is not deceived so.
"""

import copy
import re
from collections.abc import Iterator
from typing import Any

from raftlab.course.notebook_text import name_cells
from raftlab.grading.milestones import M1, M2, M3, Milestone
from raftlab.raft.vocabulary import Misuse, listed

WITH_CELLS = (M1, M2, M3)
CHECKED = re.compile(r"^exercise\(\"(?P<number>\d+\.\d+)\"\)\.check\((?P<answer>\w+)\)$", re.M)
POINTS = """\
result = exercise("{number}").judge({answer})
print(result.text)
{points} * result.points / result.of"""
SCHEMA = 3


def for_nbgrader(notebook: Any, milestone: Milestone) -> Any:
    """The instructor's notebook of a milestone of exercises with nbgrader's metadata.

    Raises: Misuse, for another milestone.
    """
    if milestone not in WITH_CELLS:
        names = listed(each.name for each in WITH_CELLS)
        raise Misuse(f"nbgrader has cells for {names}, and not for {milestone.name}")
    made = copy.deepcopy(notebook)
    made.cells = [cell for each in made.cells for cell in _cells(each, milestone)]
    name_cells(made, milestone.name)
    return made


def _cells(cell: Any, milestone: Milestone) -> Iterator[Any]:
    found = CHECKED.search(cell.source) if "solution" in cell.metadata.get("tags", ()) else None
    if found is None:
        yield cell
        return
    number, points = found["number"], milestone.parts[found["number"]]
    place = number.replace(".", "-")  # a grade_id has no dot
    yield _marked(cell, f"answer-{place}", solution=True)
    test = copy.deepcopy(cell)
    test.metadata.pop("tags")
    test.source = POINTS.format(number=number, answer=found["answer"], points=points)
    yield _marked(test, f"points-{place}", grade=True, locked=True, points=points)


def _marked(cell: Any, grade_id: str, **given: Any) -> Any:
    usual = {"grade": False, "locked": False, "solution": False, "task": False}
    cell.metadata["nbgrader"] = {
        "schema_version": SCHEMA,
        "grade_id": grade_id,
        **usual,
        **given,
    }
    return cell

"""Marks for other programs: Gradescope's results.json, CSV for Canvas and for Moodle."""

import csv
import re
from collections.abc import Iterable, Sequence
from io import StringIO

import msgspec

from raftlab.grading.feedback.words import findings, lines_of, name_of, title_of, told_of
from raftlab.grading.results import Check, Marks, of_students
from raftlab.grading.words import plain

FORMULA = re.compile(r"""(^|[,;|\t\r\n])([\s"'\u200c]*)(?=[=+@\-\uff1d\uff0b\uff20\uff0d\u2212])""")
"""Where a spreadsheet would compute a cell, whichever sign it takes for the end of one."""


def gradescope(marks: Marks) -> str:
    """`results.json` in the form that Gradescope reads from an autograder."""
    tests = [_test(mark.milestone, check) for mark in marks.milestones for check in mark.checks]
    notes = [each for mark in marks.milestones for each in (mark.capped, mark.liveness) if each]
    told = {
        "score": marks.total,
        "output": "\n".join([*told_of(marks), *map(plain, notes)]),
        "output_format": "text",
        "visibility": "visible",
        "tests": tests,
    }
    return msgspec.json.format(msgspec.json.encode(told)).decode() + "\n"


def _test(milestone: str, check: Check) -> dict[str, object]:
    lines = [] if check.passed else [f"{about}: {says}" for about, says in lines_of(check)]
    if check.share and not check.passed:
        lines.append(f'Open the run: raftlab.load("{plain(check.share, len(check.share))}").lab()')
    return {
        "name": f"{plain(milestone)}: {title_of(check)}",
        "score": check.points,
        "max_score": check.of,
        "status": "passed" if check.passed else "failed",
        "output": "\n".join(lines),
        "output_format": "text",
        "visibility": "visible",
    }


def canvas(every: Sequence[Marks], assignment: str) -> str:
    """A gradebook for Canvas, which knows students by their login: a line for each."""
    students = of_students(every).values()
    most = max((each.of for each in students), default=0)
    heads = ["Student", "ID", "SIS Login ID", "Section", assignment]
    possible = ["    Points Possible", "", "", "", most]
    rows = [[name_of(each.student), "", name_of(each.student), "", each.total] for each in students]
    return _csv([heads, possible, *rows])


def moodle(every: Sequence[Marks], assignment: str) -> str:
    """Grades and a word of feedback for Moodle's import, which is told what each column is.

    A student has one line.
    """
    heads = ["Username", f"{assignment} (Real)", f"{assignment} (Feedback)"]
    rows = [
        [name_of(each.student), each.total, _word(each)] for each in of_students(every).values()
    ]
    return _csv([heads, *rows])


def _word(marks: Marks) -> str:
    """What failed, on one line."""
    failed = [title_of(check) for mark in marks.milestones for check in findings(mark)]
    return f"Not yet: {', '.join(failed)}." if failed else "All is right."


def _csv(rows: Iterable[Sequence[object]]) -> str:
    file = StringIO()
    csv.writer(file, lineterminator="\n").writerows([_cell(each) for each in row] for row in rows)
    return file.getvalue()


def _cell(value: object) -> object:
    """A cell that no spreadsheet computes."""
    if isinstance(value, str):
        return FORMULA.sub(r"\1\2'", value)
    return f"{round(float(str(value)), 2):g}"

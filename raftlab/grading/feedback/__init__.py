"""What students and instructors are told of marks: pages of HTML and text, and files for others.

    write_feedback(marks, Path("feedback"), base="https://…/lab/")

A page is a function of the marks: the same marks give the same bytes. All that came from a
submission, names too, is escaped where it is shown, and the pages forbid their browser to run or
load anything.
"""

from collections.abc import Iterable, Sequence
from pathlib import Path

import msgspec

from raftlab.grading.feedback.classroom import class_page, class_text, in_order, report_of
from raftlab.grading.feedback.exports import canvas, gradescope, moodle
from raftlab.grading.feedback.runs import Opener
from raftlab.grading.feedback.student import student_page, student_text
from raftlab.grading.feedback.together import together
from raftlab.grading.handed_in import file_name
from raftlab.grading.results import Marks, of_students
from raftlab.raft.vocabulary import Misuse, shown
from raftlab.sim.load import load_shared

STUDENTS = "students"
"""The folder of the students' pages."""


def write_feedback(
    every: Iterable[Marks], to: Path, base: str = "", opened: Opener = load_shared
) -> list[Path]:
    """Write all pages and files of a class into the folder `to`; returns what was written.

    `base` is the address of a lab that is a page, where there is one: each run then has a link.
    `opened` plays a shared run. Raises: Misuse, if two submissions have one name, if the base is
    no address, or without Jinja; OSError.
    """
    marks = together(in_order(every))
    files = _names(marks)
    texts: dict[str, str] = {}
    best = of_students(marks)
    for each, name in zip(marks, files, strict=True):
        its = msgspec.structs.replace(each, milestones=best[each.student].milestones)
        texts[f"{STUDENTS}/{name}.html"] = student_page(each, base, opened)
        texts[f"{STUDENTS}/{name}.txt"] = student_text(each, base, opened)
        texts[f"{STUDENTS}/{name}.results.json"] = gradescope(its)
    report = report_of(marks, [f"{STUDENTS}/{name}.html" for name in files], base, opened)
    texts |= {"class.html": class_page(report), "class.txt": class_text(report)}
    texts |= {
        "canvas.csv": canvas(marks, report.assignment),
        "moodle.csv": moodle(marks, report.assignment),
    }
    (to / STUDENTS).mkdir(parents=True, exist_ok=True)
    for name, text in texts.items():
        (to / name).write_text(text, encoding="utf-8")
    return [to / name for name in texts]


def _names(marks: Sequence[Marks]) -> list[str]:
    """What the files of each submission are called."""
    names = [file_name(each.submission) for each in marks]
    for each, name in zip(marks, names, strict=True):
        if names.count(name) > 1:
            raise Misuse(f"two submissions are called {shown(each.submission)}: rename one")
    return names


__all__ = ["file_name", "student_page", "student_text", "write_feedback"]

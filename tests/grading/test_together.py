"""A class's submissions, seen together: the files of one student are one submission."""

import csv
import json
from io import StringIO

import pytest

from raftlab.grading.batch import Batch, grade
from raftlab.grading.box import best_kind, kind_for
from raftlab.grading.feedback import write_feedback
from raftlab.grading.feedback.classroom import class_page, class_text, report_of
from raftlab.grading.feedback.exports import canvas
from raftlab.grading.feedback.together import together
from raftlab.grading.handed_in import submissions_in
from raftlab.grading.milestones import milestones_of
from raftlab.grading.results import Marks, MilestoneMark
from raftlab.grading.seeds import Seeds
from tests.grading.reference import course, solutions, write

SEEDS = Seeds(b"seeds of a class that is not there")
in_a_box = pytest.mark.skipif(best_kind() is None, reason="there is no box on this system")


def file(name, told=(), **points):
    """The marks of a file of ann's; None points: it has nothing of a milestone."""
    its = [
        MilestoneMark(milestone=m, title=m, points=p or 0, of=15, handed_in=p is not None)
        for m, p in points.items()
    ]
    return Marks(
        submission=f"ann-{name}",
        student="ann",
        assignment="course",
        box="no box",
        milestones=tuple(its),
        told=told,
    )


TOLD = ("Exercise 1.1: it is missing", "M4: it is missing")
TWICE = "M1 is in ann-a and ann-b: the best one counts"
FILES = {
    "each has one": (
        [file("a", TOLD, M1=15, M4=None), file("b", TOLD, M1=None, M4=3)],
        {"ann-a": ("M1", [TOLD[0]]), "ann-b": ("M4", [TOLD[1]])},
    ),
    "one has nothing": (
        [file("a", TOLD, M1=None), file("b", (), M1=15), file("c", TOLD[:1], M1=None)],
        {"ann-b": ("M1", ["ann-a: M4: it is missing"])},
    ),
    "one cannot be read": (
        [file("a", ("the file is empty",), M1=None), file("b", (), M1=15)],
        {"ann-b": ("M1", ["ann-a: the file is empty"])},
    ),
    "two have the same": (
        [file("a", (), M1=7), file("b", (), M1=3)],
        {"ann-a": ("M1", [TWICE]), "ann-b": ("M1", [])},
    ),
    "none has it": (
        [file("a", TOLD, M1=None, M4=3), file("b", TOLD, M1=None, M4=None)],
        {"ann-a": ("M1 M4", [*TOLD])},
    ),
    "alone": ([file("a", TOLD, M1=None, M4=None)], {"ann-a": ("M1 M4", [*TOLD])}),
}
"""Files of a student's, and what is left of them: their milestones, and what is told."""


@pytest.mark.parametrize("kind", FILES)
def test_a_milestone_is_taken_from_the_files_that_have_it(kind):
    files, left = FILES[kind]
    found = together(files)
    assert {
        each.submission: (" ".join(m.milestone for m in each.milestones), list(each.told))
        for each in found
    } == left
    assert together(found) == found


@in_a_box
@pytest.mark.parametrize(("assignment", "points"), [("M1", 15), ("M3", 20), ("course", 40)])
def test_the_notebooks_of_a_student_lie_in_one_folder(assignment, points, tmp_path):
    cells, word = solutions(), "raftlab"
    ann = tmp_path / "in" / "ann"
    ann.mkdir(parents=True)
    (sheet,) = [each for each in course("ann", word) if each.startswith("answers = ")]
    write(ann / "M0.ipynb", ["student = 'ann'", sheet])
    for name, chapters in {"M1": "1", "M3": "67"}.items():
        own = [each for each in cells if f"exercise('{chapters[0]}" in each.replace('"', "'")]
        more = [each for each in cells if f"exercise('{chapters[-1]}" in each.replace('"', "'")]
        write(ann / f"{name}.ipynb", ["import raftlab as rl", *dict.fromkeys([*own, *more])])
    batch = Batch(assignment, SEEDS, kind_for(), tmp_path / "out", word)
    found = [each.marks for each in grade(submissions_in([tmp_path / "in"]), batch)]
    _, possible, row = csv.reader(StringIO(canvas(together(found), assignment)))
    written = write_feedback(found, tmp_path / "feedback")
    results = [json.loads(each.read_text()) for each in written if each.suffix == ".json"]
    assert (row[0], float(row[-1])) == ("ann", points)
    assert float(possible[-1]) == sum(each.points for each in milestones_of(assignment))
    assert {each["score"] for each in results} == {points}
    assert len(results) == (3 if assignment == "course" else 1)


def test_the_class_page_has_a_row_for_a_student_and_one_for_each_file():
    every = [file("a", (), M1=7, M4=3), file("b", (), M1=12)]
    report = report_of(every, ["a.html", "b.html"])
    assert [(row.student, row.page, [*row.points], row.total) for row in report.rows] == [
        ("ann", "", ["12", "3"], "15 of 30"),
        ("ann (ann-a)", "a.html", ["7", "3"], "10 of 30"),
        ("ann (ann-b)", "b.html", ["12", "–"], "12 of 15"),
    ]
    assert report.mean == "15"
    assert class_text(report).startswith("course: 2 submissions, on average 15 points")
    assert 'href=""' not in class_page(report)

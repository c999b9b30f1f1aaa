"""nbgrader: what is released, submitted and graded comes back with points and messages."""

import csv
import os
import shutil
import subprocess
from pathlib import Path

import nbformat
import pytest

from raftlab.grading.release import release

ROOT = Path(__file__).parents[2]
NOTEBOOK = "M1_the_log.ipynb"
ALWAYS_CUTS = """\
class CutsConflicts(rl.Rules):
    def conflict_index(self, log, prev_log_index, entries):
        return prev_log_index + 1 if log.last_index > prev_log_index else None
"""

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not shutil.which("nbgrader"), reason="nbgrader is not installed"),
]


def nbgrader(course, *words):
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    ran = subprocess.run(
        ["nbgrader", *words], cwd=course, env=environment, capture_output=True, text=True
    )
    assert ran.returncode == 0, ran.stderr


def submitted(course, student, source, wrong=None):
    """Hand in a notebook; with `wrong`, its answer to 1.2 is that."""
    folder = course / "submitted" / student / "M1"
    folder.mkdir(parents=True)
    notebook = nbformat.read(source / "M1" / NOTEBOOK, as_version=4)
    for cell in notebook.cells:
        if wrong and cell.metadata.get("nbgrader", {}).get("grade_id") == "answer-1-2":
            cell.source = wrong
    nbformat.write(notebook, folder / NOTEBOOK)


def test_the_round_trip_gives_points_and_messages(tmp_path):
    release("M1", tmp_path, "autumn", nbgrader=True)
    course = tmp_path / "nbgrader"
    (course / "nbgrader_config.py").write_text(
        "c = get_config()\nc.CourseDirectory.course_id = 'r'"
    )
    nbgrader(course, "generate_assignment", "M1", "--create")
    submitted(course, "right", course / "source")
    submitted(course, "wrong", course / "source", ALWAYS_CUTS)
    submitted(course, "empty", course / "release")
    for words in (["autograde", "M1"], ["generate_feedback", "M1"], ["export"]):
        nbgrader(course, *words)
    with (course / "grades.csv").open() as file:
        points = {row["student_id"]: float(row["score"]) for row in csv.DictReader(file)}
    assert points == {"right": 15, "wrong": 3, "empty": 0}
    page = (course / "feedback" / "wrong" / "M1" / NOTEBOOK).with_suffix(".html").read_text()
    assert "Exercise 1.2: not yet" in page

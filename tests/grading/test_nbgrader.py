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
ACCEPTS = "class Checked(rl.Rules):\n    def accepts_append(self, log, index, term):\n        "
CUTS = (
    "class CutsConflicts(rl.Rules):\n    def conflict_index(self, log, index, entries):\n        "
)
APPENDS = "def append_entries(log, prev_log_index, prev_log_term, entries):\n    "
RETURNS = "    log.append_as_follower(entries)\n    return prev_log_index + len(entries)\n"
CHECKS = "if not log.match_term(prev_log_index, prev_log_term):\n        return None\n"

WRONG = {
    "two-1": ({"1-1": f"{ACCEPTS}return True", "1-3": f"{APPENDS}pass\n{RETURNS}"}, 5),
    "two-2": (
        {
            "1-1": f"{ACCEPTS}return log.last_index >= index",
            "1-3": f"{APPENDS}{CHECKS}    log.append_as_follower(entries)\n",
        },
        5,
    ),
    "two-3": (
        {
            "1-1": f"{ACCEPTS}return log.term_for_index(index) is not None",
            "1-3": f"{APPENDS}{CHECKS}{RETURNS}",
        },
        5,
    ),
    "always-cuts": ({"1-2": f"{CUTS}return index + 1 if log.last_index > index else None"}, 3),
    "never-cuts": ({"1-2": f"{CUTS}return None"}, 3),
    "raises": ({"1-2": f"{CUTS}raise ValueError('not yet')"}, 3),
    "no-python": ({"1-3": f"{APPENDS}return ("}, 8),
}
"""Ten wrong answers: those of each student, by exercise, and the points that are left of 15. What
appends entries (1.3) calls what cuts the log (1.2), and is wrong with it."""

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


def submitted(course, student, source, wrong):
    """Hand in a notebook in which the answers to these exercises are others."""
    folder = course / "submitted" / student / "M1"
    folder.mkdir(parents=True)
    notebook = nbformat.read(source / "M1" / NOTEBOOK, as_version=4)
    for cell in notebook.cells:
        exercise = cell.metadata.get("nbgrader", {}).get("grade_id", "").removeprefix("answer-")
        if exercise in wrong:
            name = "append_entries" if exercise == "1-3" else wrong[exercise].split("(")[0][6:]
            number = exercise.replace("-", ".")
            cell.source = f"{wrong[exercise]}\n\nexercise('{number}').check({name})\n"
    nbformat.write(notebook, folder / NOTEBOOK)


def test_the_round_trip_gives_points_and_messages(tmp_path):
    release("M1", tmp_path, "autumn", nbgrader=True)
    course = tmp_path / "nbgrader"
    (course / "nbgrader_config.py").write_text(
        "c = get_config()\nc.CourseDirectory.course_id = 'r'"
    )
    nbgrader(course, "generate_assignment", "M1", "--create")
    submitted(course, "right", course / "source", {})
    submitted(course, "empty", course / "release", {})
    for student, (wrong, _) in WRONG.items():
        submitted(course, student, course / "source", wrong)
    for words in (["autograde", "M1"], ["generate_feedback", "M1"], ["export"]):
        nbgrader(course, *words)
    with (course / "grades.csv").open() as file:
        points = {row["student_id"]: float(row["score"]) for row in csv.DictReader(file)}
    assert sum(len(wrong) for wrong, _ in WRONG.values()) == 10
    left = {student: left for student, (_, left) in WRONG.items()}
    assert points == {"right": 15, "empty": 0, **left}
    for student, (wrong, _) in WRONG.items():
        page = (course / "feedback" / student / "M1" / NOTEBOOK).with_suffix(".html").read_text()
        for exercise in wrong:
            told = f"Exercise {exercise.replace('-', '.')}: not yet"
            assert told in page or "SyntaxError" in page, (student, exercise)

"""What is given to students: all that they need, and nothing that gives an answer away."""

import json
import re

import nbformat
import pytest

from raftlab.course import exercise
from raftlab.course.notebooks import execute
from raftlab.grading.milestones import MILESTONES
from raftlab.grading.own_marks import own_marks
from raftlab.grading.own_tests import marked
from raftlab.grading.release import assignment, release
from raftlab.grading.release.nbgrader import for_nbgrader
from raftlab.raft.rules import Rules
from raftlab.raft.vocabulary import Misuse
from tests.notebooks import meta
from tests.notebooks.test_student_copies import solutions

WORD = "autumn"
EACH = pytest.mark.parametrize("name", MILESTONES)
RULES = [
    meta.headings_out_of_order,
    meta.trailing_semicolon,
    meta.long_paragraph,
    meta.too_many_words,
    meta.unstable_id,
    meta.stray_metadata,
]
OF_EXECUTED = [
    meta.error_output,
    meta.stderr_output,
    meta.raster_only_output,
    meta.address_or_path,
    meta.text_of_the_time,
    meta.figure_without_text,
    meta.picture_without_alt,
    meta.small_letters,
]


def source(notebook):
    return "\n".join(cell.source for cell in notebook.cells)


@pytest.fixture
def fresh_exercises():
    """What other tests have checked is forgotten, and what this one checks, too."""
    _forget_results()
    yield
    _forget_results()


def _forget_results():
    for each in exercise:
        each.result = None


@EACH
@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
def test_notebooks_keep_the_rules_of_notebooks(rule, name):
    for solved in (False, True):
        notebook = assignment(MILESTONES[name], WORD, solved)
        if rule is meta.unstable_id:
            wanted = [f"{name}-{place:02}" for place in range(1, len(notebook.cells) + 1)]
            assert [cell.id for cell in notebook.cells] == wanted
        else:
            assert not [*rule(notebook, name)]


@EACH
def test_a_student_s_notebook_holds_no_solution_and_no_output(name):
    student = assignment(MILESTONES[name], WORD, solved=False)
    full = assignment(MILESTONES[name], WORD, solved=True)
    for line in solutions(full):
        assert line not in source(student)
    assert "BEGIN SOLUTION" not in source(student)
    assert "museum" not in source(student)
    assert not [cell for cell in meta.code_cells(student) if cell.outputs or cell.execution_count]


@EACH
def test_points_and_minutes_stand_in_the_first_cell(name):
    milestone = MILESTONES[name]
    first = assignment(milestone, WORD, solved=False).cells[0].source
    assert f"| **Points** | {milestone.points} |" in first
    assert f"| **Time** | {milestone.minutes} minutes |" in first


@pytest.mark.parametrize("name", ["M1", "M2", "M3"])
def test_each_exercise_has_one_answer_cell_with_its_number(name):
    for solved in (False, True):
        notebook = assignment(MILESTONES[name], WORD, solved)
        tagged = [cell for cell in notebook.cells if "solution" in cell.metadata.get("tags", [])]
        numbers = [cell.metadata.tags[1].removeprefix("exercise:") for cell in tagged]
        assert numbers == [*MILESTONES[name].parts]
        for cell, number in zip(tagged, numbers, strict=True):
            assert f'exercise("{number}").check(' in cell.source
            assert solved == ("NotImplementedError" not in cell.source)


@pytest.mark.slow
@EACH
def test_the_solutions_have_all_points_and_run_clean(name, tmp_path):
    notebook = assignment(MILESTONES[name], WORD, solved=True)
    assert execute(notebook, tmp_path) is None
    assert not [each for rule in OF_EXECUTED for each in rule(notebook, name)]
    last = notebook.cells[-1].outputs[-1].data["text/plain"]
    points = MILESTONES[name].points
    assert last.endswith(f"{points} of {points}") or "Every question has an answer." in last


@pytest.mark.slow
@EACH
def test_a_student_s_notebook_runs_to_its_end_before_anything_is_written(name, tmp_path):
    notebook = assignment(MILESTONES[name], WORD, solved=False)
    assert execute(notebook, tmp_path) is None
    assert not [each for rule in OF_EXECUTED for each in rule(notebook, name)]
    last = notebook.cells[-1].outputs[-1].data["text/plain"]
    assert f"0 of {MILESTONES[name].points}" in last or "write your name" in last


def test_a_release_is_two_folders(tmp_path):
    written = release("M1", tmp_path, WORD)
    names = {path.relative_to(tmp_path).as_posix() for path in written}
    assert names == {
        "students/README.md",
        "students/M1_the_log.ipynb",
        "instructor/README.md",
        "instructor/M1_the_log.ipynb",
    }
    assert {path for path in tmp_path.rglob("*") if path.is_file()} == {*written}
    assert "| M1_the_log.ipynb | 15 | 75 |" in (tmp_path / "students/README.md").read_text()
    for path in written:
        if path.suffix == ".ipynb":
            nbformat.validate(json.loads(path.read_text(encoding="utf-8")))


def test_a_release_is_the_same_twice(tmp_path):
    first = release("course", tmp_path / "a", WORD)
    second = release("course", tmp_path / "b", WORD)
    assert len(first) == 2 + 2 * len(MILESTONES)
    for one, other in zip(first, second, strict=True):
        assert one.read_bytes() == other.read_bytes()


def test_a_release_writes_over_nothing(tmp_path):
    (tmp_path / "students").mkdir()
    (tmp_path / "students" / "mine.txt").write_text("x")
    with pytest.raises(Misuse, match="students is not empty"):
        release("M1", tmp_path, WORD)
    assert not (tmp_path / "instructor").exists()


def test_an_unknown_assignment_is_refused(tmp_path):
    with pytest.raises(Misuse, match="there are M0, M1, M2, M3, M4, M5, M6, M7, course"):
        release("M8", tmp_path, WORD)


def test_own_marks_are_those_of_the_public_checks(fresh_exercises):
    exercise("4.1").judge(lambda size: size // 2 + 1)
    exercise("4.2").judge(None)
    told = own_marks("M2")
    assert (told.points, told.of) == (1, 15)
    assert "4.1 A majority " in repr(told) and "not checked" in repr(told)
    assert repr(told).endswith("1 of 15")


def test_own_marks_of_own_tests_say_what_a_correct_machine_stumbles_over():
    def always(start):
        start(3)
        raise AssertionError

    told = repr(own_marks(marked([always], lambda frames: True, mistakes=["figure-8"])))
    assert "always: it fails with a correct machine (Figure 2): an assert fails." in told
    assert "figure-8" in told and "0 of 15" in told


def test_own_marks_of_nothing_are_refused():
    with pytest.raises(Misuse, match='name a milestone, for instance "M1", not 7'):
        own_marks(7)


@pytest.mark.parametrize("name", ["M1", "M2", "M3"])
def test_nbgrader_s_cells_have_the_points_of_the_milestone(name):
    milestone = MILESTONES[name]
    notebook = for_nbgrader(assignment(milestone, WORD, solved=True), milestone)
    nbformat.validate(notebook)
    cells = [cell for cell in notebook.cells if "nbgrader" in cell.metadata]
    assert len({cell.metadata.nbgrader.grade_id for cell in cells}) == 2 * len(milestone.parts)
    for cell in cells:
        assert re.fullmatch(r"[a-zA-Z0-9_-]+", cell.metadata.nbgrader.grade_id)
    graded = [cell for cell in cells if cell.metadata.nbgrader.grade]
    assert [cell.metadata.nbgrader.points for cell in graded] == [*milestone.parts.values()]
    assert all(cell.metadata.nbgrader.locked for cell in graded)
    for cell in cells:
        assert cell.metadata.nbgrader.solution == ("### BEGIN SOLUTION" in cell.source)


def test_nbgrader_s_points_are_a_number_and_a_message(fresh_exercises, capsys):
    milestone = MILESTONES["M1"]
    notebook = for_nbgrader(assignment(milestone, WORD, solved=True), milestone)
    (test,) = [
        cell
        for cell in notebook.cells
        if cell.metadata.get("nbgrader", {}).get("grade_id") == "points-1-1"
    ]
    *lines, last = test.source.split("\n")

    class Wrong(Rules):
        def accepts_append(self, log, prev_log_index, prev_log_term):
            return True

    for answer, points in ((Rules, 0), (Wrong, 0)):
        names = {"exercise": exercise, "Checked": answer}
        exec("\n".join(lines), names)
        assert eval(last, names) == points
        assert "Exercise 1.1: " in capsys.readouterr().out


def test_what_has_no_cells_for_nbgrader_is_refused(tmp_path):
    with pytest.raises(Misuse, match="nbgrader has cells for M1, M2, M3, and not for M6"):
        release("M6", tmp_path, WORD, nbgrader=True)
    assert not [*tmp_path.iterdir()]

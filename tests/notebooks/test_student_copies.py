"""Each student's copy is what the full notebook gives, and gives nothing away."""

import re

import pytest

from raftlab.course import exercise
from raftlab.course.notebook_text import name_cells
from raftlab.course.student import student_copy
from tests.notebooks.meta import FULL, ROOT, code_cells, read, texts

PATHS = sorted(FULL.glob("*.ipynb"))
STUB = re.compile(r'raise NotImplementedError\("Exercise (\d+\.\d+): (\w+)"\)')
CHECKED = re.compile(r'exercise\("(\d+\.\d+)"\)')

each_notebook = pytest.mark.parametrize("path", PATHS, ids=lambda path: path.stem)


def both(path):
    return read(path), read(ROOT / path.name)


def told(notebook):
    """All that a reader of the outputs reads."""
    return "\n".join(
        text for cell in code_cells(notebook) for output in cell.outputs for text in texts(output)
    )


def plain(cell):
    """What a cell says, as text."""
    return "\n".join(output.get("data", {}).get("text/plain", "") for output in cell.outputs)


def solutions(notebook):
    """The lines of every solution, without those too short to tell anything."""
    lines = []
    for cell in code_cells(notebook):
        inside = False
        for line in cell.source.split("\n"):
            if "### BEGIN SOLUTION" in line or "### END SOLUTION" in line:
                inside = "BEGIN" in line
            elif inside and len(line.strip()) > 12:
                lines.append(line.strip())
    return lines


@each_notebook
def test_a_student_copy_is_what_the_full_notebook_gives(path):
    full, student = both(path)
    name_cells(full, path.stem[:2])
    wanted = student_copy(full)
    assert [cell.id for cell in student.cells] == [cell.id for cell in wanted.cells]
    for mine, its in zip(student.cells, wanted.cells, strict=True):
        assert (mine.cell_type, mine.source) == (its.cell_type, its.source)
        assert mine.metadata == its.metadata


@each_notebook
def test_every_stub_raises_by_the_name_of_its_exercise(path):
    full, student = both(path)
    stubs = [found for cell in code_cells(student) for found in STUB.findall(cell.source)]
    solved = [cell for cell in code_cells(full) if "### BEGIN SOLUTION" in cell.source]
    assert len(stubs) == sum(cell.source.count("### BEGIN SOLUTION") for cell in solved)
    for number, name in stubs:
        assert exercise(number).name == name
        assert number.split(".")[0] == str(int(path.stem[:2]))


@each_notebook
def test_every_exercise_of_a_notebook_is_set_shown_and_checked_in_it(path):
    full, student = both(path)
    number = str(int(path.stem[:2]))
    wanted = [each.number for each in exercise if each.number.split(".")[0] == number]
    for notebook in (full, student):
        code = "\n".join(cell.source for cell in code_cells(notebook))
        for each in wanted:
            drawn = exercise(each).picture is not None
            assert not drawn or f'exercise("{each}").show(' in code
            assert f'exercise("{each}").check(' in code
        assert set(CHECKED.findall(code)) <= set(wanted)


@each_notebook
def test_the_full_notebook_solves_every_exercise(path):
    full, _ = both(path)
    number = str(int(path.stem[:2]))
    for each in exercise:
        if each.number.split(".")[0] == number:
            assert f"Exercise {each.number}: correct" in told(full)


@each_notebook
def test_no_solution_reaches_the_student(path):
    full, student = both(path)
    given = "\n".join(
        line
        for cell in full.cells
        if "solution" not in cell.metadata.get("tags", [])
        for line in cell.source.split("\n")
    )
    shown = told(student)
    for line in solutions(full):
        in_student = any(line in cell.source for cell in student.cells)
        assert not in_student or line in given, line
    assert "### BEGIN SOLUTION" not in "\n".join(cell.source for cell in student.cells)
    assert ": correct (" not in shown
    for cell in student.cells:
        assert cell.cell_type == "code" or "solution" not in cell.metadata.get("tags", [])


@each_notebook
def test_no_answer_reaches_the_student(path):
    full, student = both(path)
    asked = 0
    for notebook in (full, student):
        for cell in code_cells(notebook):
            if ".answer(" in cell.source:
                assert "answer" in cell.metadata.get("tags", []), cell.id
    for cell in code_cells(student):
        if "answer" in cell.metadata.get("tags", []):
            asked += 1
            said = plain(cell)
            assert ".answer()" in cell.source
            assert said.startswith("Your prediction first")
    assert asked >= 1
    assert "Right: " not in told(student)


@each_notebook
def test_every_prediction_of_the_full_notebook_is_right(path):
    full, _ = both(path)
    for cell in code_cells(full):
        if "answer" in cell.metadata.get("tags", []):
            said = plain(cell)
            assert said.startswith("Right: "), cell.id


def test_there_are_notebooks_to_look_at():
    assert PATHS

"""What follows a question in the student's copy holds none of the reasons of its answer."""

from itertools import takewhile
from pathlib import Path
from typing import Any

import nbformat
import pytest

ROOT = Path(__file__).parents[2] / "notebooks"
NAMES = sorted(path.name for path in (ROOT / "full").glob("*.ipynb"))


def output(cell: Any) -> str:
    """The text of a cell's outputs."""
    texts = [each.get("data", {}).get("text/plain", each.get("text", "")) for each in cell.outputs]
    return "\n".join(texts)


def shown(cell: Any) -> str:
    """What a reader sees of a cell."""
    return cell.source if cell.cell_type == "markdown" else f"{cell.source}\n{output(cell)}"


def reasons(cell: Any) -> list[str]:
    """The reasons that a verdict gives: the indented lines before its pictures."""
    lines = takewhile(str.strip, output(cell).splitlines())
    return [line.strip() for line in lines if line.startswith("  ") and len(line.strip()) > 12]


def given_away(full: Any, student: Any) -> list[str]:
    """Each reason that the student's copy shows at or after the cell of its answer."""
    place = {cell.id: number for number, cell in enumerate(student.cells)}
    answers = [cell for cell in full.cells if "answer" in cell.metadata.get("tags", [])]
    return [
        f"{later.id}: {reason}"
        for cell in answers
        for reason in reasons(cell)
        for later in student.cells[place[cell.id] :]
        if reason in shown(later)
    ]


@pytest.mark.parametrize("name", NAMES)
def test_nothing_after_a_question_gives_its_answer_away(name):
    full, student = (nbformat.read(root / name, as_version=4) for root in (ROOT / "full", ROOT))
    assert given_away(full, student) == []


def test_what_is_given_away_is_found():
    verdict = (
        "Not so. You said S2; it is S3.\n  S3 has 3 of 5 votes\n\nVotes\n\n  1  2  3  4  5  6  7"
    )
    told = nbformat.v4.new_output("execute_result", {"text/plain": verdict})
    answer = nbformat.v4.new_code_cell("question.answer('S3')", id="a", outputs=[told])
    answer.metadata["tags"] = ["answer"]
    blank = nbformat.v4.new_code_cell("question.answer()", id="a")
    words = [
        nbformat.v4.new_markdown_cell(said, id=said[:1]) for said in ("S3 has 3 of 5 votes", "b")
    ]
    full, student = (nbformat.v4.new_notebook(cells=[each, *words]) for each in (answer, blank))
    assert given_away(full, student) == ["S: S3 has 3 of 5 votes"]

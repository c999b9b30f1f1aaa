"""Submissions made of the course's own solutions, and of the museum's mistakes."""

import ast
import inspect
import json
import textwrap
from pathlib import Path

from raftlab.course.exercises import exercise
from raftlab.grading.machines.programs import reference as machine
from raftlab.grading.milestones import PROGRAMS
from raftlab.grading.own_tests import reference as own_tests
from raftlab.grading.predictions import questions_for
from raftlab.museum import exhibit

FULL = Path(__file__).parents[2] / "notebooks" / "full"


def solutions() -> list[str]:
    """The code cells of notebooks 01 to 07, as the course has them."""
    found = []
    for file in sorted(FULL.glob("0[1-7]_*.ipynb")):
        cells = json.loads(file.read_text(encoding="utf-8"))["cells"]
        found += ["".join(each["source"]) for each in cells if each["cell_type"] == "code"]
    return found


def course(student: str, word: str) -> list[str]:
    """The cells of a submission that has all points in all milestones."""
    questions = questions_for(word, student)
    truths = {part: [*question.truth] for part, question in questions.items()}
    answers = {part: each[0] if len(each) == 1 else each for part, each in truths.items()}
    programs = [f"# %% exercise:{name}\n{machine(name)}" for name in PROGRAMS]
    tests = f"{inspect.getsource(own_tests)}\nscenarios = SCENARIOS\n"
    return [*solutions(), f"answers = {answers!r}", *programs, tests]


def write(file: Path, sources: list[str]) -> Path:
    """A notebook of these cells."""
    cells = [{"cell_type": "code", "source": each, "metadata": {}} for each in sources]
    file.write_text(json.dumps({"cells": cells, "nbformat": 4, "nbformat_minor": 5}))
    return file


def mistaken(name: str, number: str) -> str:
    """A cell in which an exhibit of the museum is the answer to an exercise."""
    kind = type(exhibit(name).wrong["rules"])
    method = vars(kind)[exercise(number).name]
    function = ast.parse(textwrap.dedent(inspect.getsource(method))).body[0]
    assert isinstance(function, ast.FunctionDef)
    function.returns = None
    for each in function.args.args:
        each.annotation = None
    source = textwrap.indent(ast.unparse(function), "    ")
    return f"class Wrong(rl.Rules):\n{source}\nexercise('{number}').check(Wrong)"

"""What is there where answers are graded: all that an answer may import, as in a notebook."""

import ast
import json
import sys
from pathlib import Path
from subprocess import run

import pytest

import raftlab
from raftlab.course import situations
from raftlab.course.exercises import exercise
from raftlab.course.my_raft import SECTION
from raftlab.grading.child.answers import cells_of
from raftlab.grading.folder import (
    WORDS,
    write_folder,
    write_for_tests,
    write_library,
)
from raftlab.grading.milestones import MILESTONES
from raftlab.grading.release.notebooks import assignment

NOTEBOOKS = sorted((Path(raftlab.__file__).parents[1] / "notebooks").rglob("*.ipynb"))
THERE = ("raftlab", "raftlab.course.situations", *(f"raftlab.raft.{name}" for name in WORDS))


def told_to_import():
    """Every import for answers in the course's notebooks and in the assignments."""
    pages = [each.read_text(encoding="utf-8") for each in NOTEBOOKS]
    pages += [json.dumps(assignment(m, "word", solved=True)) for m in MILESTONES.values()]
    cells = [cell for page in pages for cell in cells_of(page, True, SECTION) if cell.tree]
    nodes = [node for cell in cells for node in cell.tree.body if is_for_answers(node)]
    return sorted({ast.unparse(node) for node in nodes})


def is_for_answers(node):
    if isinstance(node, ast.Import):
        return any(each.name in THERE for each in node.names)
    return isinstance(node, ast.ImportFrom) and node.module in THERE


@pytest.fixture(scope="module", params=["an answer", "a learner's tests"])
def folder(request, tmp_path_factory):
    folder = tmp_path_factory.mktemp("box")
    if request.param == "an answer":
        write_folder(exercise("1.1"), folder)
    else:
        write_for_tests(folder)
    write_library(folder)
    return folder


def runs(folder, source):
    """What a process says that has nothing but this folder and Python's own library."""
    done = run(
        [sys.executable, "-S", "-c", source],
        cwd=folder,
        env={"PYTHONPATH": str(folder)},
        capture_output=True,
        text=True,
    )
    assert done.stderr == ""
    return done.stdout


def test_what_notebooks_import_for_answers_is_there(folder):
    lines = told_to_import()
    assert "import raftlab as rl" in lines
    assert "from raftlab.raft.roles import Cause, Role" in lines
    runs(folder, "\n".join(lines))


@pytest.mark.parametrize("module", [raftlab, situations])
def test_a_line_that_imports_much_fails_for_no_name_of_it(module, folder):
    runs(folder, f"from {module.__name__} import {', '.join(module.__all__)}")


def test_situations_are_those_of_notebooks(folder):
    source = (
        "from raftlab.course.situations import *\nprint(log_of('1 4'), words_of(log_of('1 4')))"
    )
    assert runs(folder, source) == "<RaftLog 1:t1 2:t4> 1 4\n"


def test_what_is_not_there_says_so_once_it_is_used(folder):
    source = "import raftlab as rl\nfrom raftlab.course.situations import cluster_of\n"
    for used in ("rl.Cluster(5)", "cluster_of({})"):
        said = runs(folder, f"{source}try:\n    {used}\nexcept rl.Misuse as why:\n    print(why)")
        name = used.partition("(")[0].replace("rl", "raftlab")
        assert said.endswith(f"{name} is not there where answers are graded\n")


def test_what_is_shown_is_text(folder):
    source = "from raftlab.course.situations import log_of\nprint(log_of('1')._repr_mimebundle_())"
    assert runs(folder, source) == "{'text/plain': '<RaftLog 1:t1>'}\n"

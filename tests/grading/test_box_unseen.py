"""Who prints, or shows, something where nobody looks loses nothing by it."""

import ast

import pytest

from raftlab.course.exercises import exercise
from raftlab.grading.answers import Source
from raftlab.grading.asked import Asked
from raftlab.grading.box import Boxes
from raftlab.grading.folder import write_folder, write_for_tests
from raftlab.grading.own_tests.machines import correct
from raftlab.grading.own_tests.runners import BoxedTests, Outcome
from tests.grading.test_box import KINDS


@pytest.fixture(scope="module", params=KINDS)
def boxes(request):
    made = Boxes(request.param)
    yield made
    made.close()


def imports(tree):
    """What a module imports of raftlab, wherever it does so, but for the type checker alone."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING":
            continue
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("raftlab"):
            yield from ((node.module, each.name) for each in node.names)
        yield from imports(node)


def module(home, name):
    """The file of a module in a folder, or None."""
    path = home / name.replace(".", "/")
    files = [path / "__init__.py", path.with_suffix(".py")]
    return next((each for each in files if each.exists()), None)


def sets(home, name):
    """What a module sets."""
    tree = ast.parse(module(home, name).read_text())
    found = {node.name for node in tree.body if hasattr(node, "name")}
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom):
            for each in node.names:
                found |= sets(home, node.module) if each.name == "*" else {each.asname or each.name}
        found |= (
            {node.id} if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store) else set()
        )
    return found


@pytest.mark.parametrize(
    ("write", "only_for_tests"),
    [
        (lambda to: write_folder(exercise("2.1"), to), {"changes.py", "clusters.py", "tests.py"}),
        (write_for_tests, set()),
    ],
)
def test_whatever_is_imported_in_a_box_is_there_also_what_is_imported_late(
    write, only_for_tests, tmp_path
):
    write(tmp_path)
    found = {
        (each.relative_to(tmp_path).as_posix(), *wanted)
        for each in tmp_path.rglob("*.py")
        for wanted in imports(ast.parse(each.read_text()))
    }
    missing = {
        (file, of, name)
        for file, of, name in found
        if not module(tmp_path, f"{of}.{name}")
        and not (module(tmp_path, of) and name in {*sets(tmp_path, of), "*"})
    }
    assert {each for each in missing if each[0].rpartition("/")[2] not in only_for_tests} == set()
    assert len(found) > 40


SHOWS = """import raftlab as rl
from IPython.display import HTML, display as shown, clear_output
import matplotlib.pyplot as plt
import ipywidgets as widgets
%s
class MyRules(rl.Rules):
    def is_newer_term(self, message_term: "rl.Cluster", term) -> rl.Process | None:
        %s
        return message_term > term
"""
BODIES = [
    "print(rl.RaftLog(), f'{rl.RaftLog()!s:>20}', repr(self), rl.Options(), rl.NotLeader('x'))",
    "rl.RaftLog()._repr_mimebundle_()",
    "display(rl.RaftLog()); shown(HTML('<b>x</b>')); clear_output(wait=True)",
    "get_ipython().run_line_magic('matplotlib', 'inline')",
    "figure, axes = plt.subplots(); axes.plot([1], [2]); plt.show()",
    "[str(each(1)) for each in (rl.Misuse, rl.NotNow, rl.NotLeader)]",
    "[f'{each} {each!r}' for each in (*rl.Role, *rl.Cause, *rl.ProgressState)]",
    "[format(each, '') for each in (rl.Votes, rl.Snapshot, rl.LogEntry, rl.Command('x=1'))]",
    "with widgets.Output(): print(message_term)",
]


@pytest.mark.parametrize("body", BODIES)
def test_an_answer_may_show_what_it_has(body, boxes):
    text = SHOWS % ("", body)
    asked = Asked(exercise("2.1"), Source((("it", text),), "is_newer_term", "MyRules"), boxes)
    try:
        assert asked.answer()().is_newer_term(3, 2) is True
        assert asked.same_again()
    finally:
        asked.close()


LOOKS = """import raftlab as rl
from raftlab.raft.messages import *
def invariant(frames: "list[rl.Frame]") -> bool:
    return all(isinstance(each, rl.Frame) and str(each) for each in frames)
def one(start, of: rl.Cluster = None):
    c = start(3)
    c.elect("S1")
    c.propose("x=1")
    c.run(100)
    %s
scenarios = [one]
"""
TESTS = [
    "print(c.frame()); assert 'S1' in str(c.frame())",
    "print(c)",
    "assert c.frame()['S1'].term == 1, f'{c.frame()}'",
    "display(c.frame()); c.frame()._repr_mimebundle_()",
    "[print(n, n.log, n.disk, n.votes, n.progress, n.configuration) for n in c.frame().nodes]",
    "[f'{each} {each!r}' for each in (*c.in_flight(), *c.frame()['S1'].log, c.frame().event)]",
    "[f'{each.message} {each!r}' for each in c.in_flight()]",
    "import logging, pprint; logging.warning(c.frame()); pprint.pprint(c.frame())",
    "import sys; print(c.frame(), file=sys.stderr)",
    "import matplotlib.pyplot as plt; plt.plot([1]); plt.show()",
    "rl.Trace((), 0, 1, (), (), ())._repr_mimebundle_()",
]


@pytest.mark.parametrize("body", TESTS)
def test_a_test_may_print_what_it_sees(body, boxes):
    runner = BoxedTests((("cell 1", LOOKS % body),), boxes).on(correct("Figure 2", 3))
    try:
        assert runner.run(0) == Outcome("passed")
    finally:
        runner.close()


def test_a_graph_is_told_by_what_stands_in_for_it(boxes):
    runner = BoxedTests((("cell 1", LOOKS % "c.frame().graph()"),), boxes)
    on = runner.on(correct("Figure 2", 3))
    try:
        assert "look at its groups" in on.run(0).text
    finally:
        on.close()

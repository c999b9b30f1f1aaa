"""What a reader sees of an exercise before there is any code."""

import inspect
import re
from html import escape, unescape
from pathlib import Path

import nbformat
import pytest

from raftlab.course import exercise
from raftlab.raft import roles
from raftlab.raft.figure2.elections import Elections
from raftlab.raft.machine import RaftStateMachine
from raftlab.raft.rules import Rules
from raftlab.raft.vocabulary import Misuse
from tests.course import answers
from tests.view.sound import check_scene

NUMBERS = [each.number for each in exercise]
NOTEBOOKS = Path(__file__).parents[2] / "notebooks"


@pytest.mark.parametrize("number", NUMBERS)
def test_a_statement_has_its_arguments_an_example_what_to_return_and_why(number):
    each = exercise(number)
    text, said = repr(each), each.statement
    for part in ("Given", "Return", "Example", "should answer", "Why it matters: ", "Read: "):
        assert part in text
    parameters = inspect.signature(each.reference).parameters
    assert list(said.given) == list(parameters)
    assert all(re.match(r"[A-Za-z][\w.]*( or None)?( of [\w ]+)?: ", what) for what in (
        *said.given.values(), re.sub(r" \(.*?\)", "", said.returns, count=1),
    ))  # fmt: skip
    assert f"def {each.name}(" in text
    assert "★" * each.stars in text and f"({each.points} points)" in text
    assert max(len(line) for line in text.split("\n") if each.name not in line) <= 102
    assert len(said.why) < 140 and said.why.endswith(".")


@pytest.mark.parametrize("number", NUMBERS)
def test_the_browser_s_form_says_the_same_and_folds_the_hints(number):
    each = exercise(number)
    html = each._repr_mimebundle_()["text/html"]
    assert html.count("<details>") == html.count("</details>") == 2
    for name in each.statement.given:
        assert f"<code>{name}</code>" in html
    assert "hint(1)" not in html


@pytest.mark.parametrize("number", NUMBERS)
def test_neither_the_statement_nor_its_hints_are_told_twice(number):
    first, second = exercise(number).statement.hints
    assert first != second
    assert first not in repr(exercise(number)) and second not in repr(exercise(number))
    assert exercise(number).hint().text == exercise(number).hint(1).text == first
    assert exercise(number).hint(2).text == second
    with pytest.raises(Misuse, match=r"hint\(1\) and hint\(2\), and no hint\(3\)"):
        exercise(number).hint(3)


@pytest.mark.parametrize("number", NUMBERS)
def test_the_case_is_drawn_before_there_is_any_code_and_its_answer_is_not_told(number):
    shown = exercise(number).show()
    assert shown.text.startswith(f"Exercise {number}, one case: ")
    assert shown.text.endswith("What should it answer?")
    assert shown.scenes
    right = exercise(number).show(answers.RIGHT[number][0])
    assert [each.svg for each in shown.scenes] != [each.svg for each in right.scenes] or number in (
        "0.1", "1.1", "3.1",  # the picture is of what is given; the answer is in words
    )  # fmt: skip


@pytest.mark.parametrize("number", NUMBERS)
def test_every_picture_of_an_exercise_is_sound(number):
    each = exercise(number)
    results = [each.check(answer) for answer in answers.WRONG[number]]
    scenes = [*each.show().scenes, *each.show(answers.RIGHT[number][0]).scenes]
    scenes += [scene for result in results for scene in result.scenes]
    for scene in scenes:
        assert scene.description and scene.svg
        if each.number not in LOGS:
            check_scene(scene)


LOGS = ("0.1", "1.1", "1.2", "1.3", "3.1", "6.1", "6.3", "7.1", "7.2", "7.3")
"""Exercises whose pictures are rows of logs, or clusters, which have tests of their own."""


# Before the exercise


def cells_before_exercises():
    for path in sorted(NOTEBOOKS.glob("*.ipynb")):
        shown = ""
        for cell in nbformat.read(path, as_version=4).cells:
            for number in re.findall(r'exercise\("(\d\.\d)"\)', cell.source):
                yield path.name, number, shown
            shown += screen_of(cell)


def screen_of(cell):
    """All that a cell shows as text, its own lines first; without the marks of HTML."""
    data = [each.get("data", {}) for each in cell.get("outputs", [])]
    texts = [each.get("text", "") for each in cell.get("outputs", [])]
    texts += [each.get(kind, "") for each in data for kind in ("text/plain", "text/markdown")]
    texts += [unescape(re.sub("<[^>]*>", "", each.get("text/html", ""))) for each in data]
    return "\n".join([cell.source, *texts, ""])


SEEN = list(cells_before_exercises())


@pytest.mark.parametrize(
    ("notebook", "number", "shown"), SEEN, ids=[f"{n}-{k}" for n, k, _ in SEEN]
)
def test_nothing_on_the_screen_before_an_exercise_is_its_answer(notebook, number, shown):
    screen = without_space(shown)
    for body in bodies(number):
        assert without_space(body) not in screen


def bodies(number):
    """The source of what answers an exercise: of its rule, and of the machine's own methods."""
    shipped = [body_of(function) for function in exercise(number).shipped]
    return [*shipped, *map(body_of, MACHINE_S.get(number, ())), *TABLES.get(number, ())]


MACHINE_S = {
    "1.3": (RaftStateMachine._on_append_entries,),
    "3.3": (Elections._on_request_vote, Elections._answer_vote, Elections._reason_to_refuse),
}
TABLES = {
    "2.2": re.findall(r"^ROLE_AFTER.*?\{(.*?)^ *\}", inspect.getsource(roles), re.M | re.S),
}


@pytest.mark.parametrize("number", ["1.3", "2.2", "3.3"])
@pytest.mark.parametrize("kind", ["text/plain", "text/html", "text/markdown"])
def test_what_the_machine_answers_with_is_found_on_a_screen_that_shows_it(number, kind):
    for body in bodies(number):
        text = escape(body) if kind == "text/html" else body
        output = nbformat.v4.new_output("display_data", {kind: f"<pre>{text}</pre>"})
        screen = screen_of(nbformat.v4.new_code_cell("show()", outputs=[output]))
        assert len(without_space(body)) > 30
        assert without_space(body) in without_space(screen)
    assert len(bodies(number)) > len(exercise(number).shipped)


def body_of(function):
    """The statements of a function, without its first lines and its docstring."""
    source = inspect.getsource(function)
    return re.sub(r'\A.*?:\n\s+(""".*?"""\n)?', "", source, count=1, flags=re.DOTALL)


def without_space(text):
    return "".join(text.split())


def test_the_body_of_a_rule_is_found_on_a_screen_that_shows_it():
    from raftlab.course import show_source

    for each in exercise:
        if hasattr(Rules, each.name):
            shown = without_space(repr(show_source(getattr(Rules, each.name))))
            assert without_space(body_of(getattr(Rules, each.name))) in shown
            assert len(without_space(body_of(getattr(Rules, each.name)))) > 10


CODE = re.compile(r"\breturn\b|[!<>=]=")


@pytest.mark.parametrize("number", NUMBERS)
def test_no_hint_is_the_code_of_the_answer(number):
    for hint in exercise(number).statement.hints:
        assert not CODE.search(hint), hint

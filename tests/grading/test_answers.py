"""Answers come out of notebooks and Python files as source; each loss is its own, and is told."""

import json

import pytest

from raftlab.course import exercises
from raftlab.course.my_raft import SECTION
from raftlab.grading.child import answers, serve
from raftlab.grading.child.answers import Unreadable, Wanted, find

RULE = "class Mine(rl.Rules):\n    def {name}(self, *given):\n        return {body}\n"


def exercise(number):
    """What is looked for, for an exercise on Rules."""
    return Wanted(number, exercises.exercise(number).name, True)


def cells_of(file):
    """The pieces of a file."""
    return answers.cells_of(file.read_text(), file.suffix == ".ipynb", SECTION)


def notebook(folder, *cells, tags=None):
    """A notebook of these code cells."""
    file = folder / "handed_in.ipynb"
    told = [
        {"cell_type": "code", "source": each, "metadata": {"tags": tags or []}, "outputs": []}
        for each in cells
    ]
    file.write_text(json.dumps({"cells": told, "nbformat": 4, "nbformat_minor": 5}))
    return cells_of(file)


def rule(name, body="True"):
    return RULE.format(name=name, body=body)


def test_an_answer_brings_its_imports_and_its_helpers_and_nothing_else(tmp_path):
    cells = notebook(
        tmp_path,
        "import raftlab as rl\nimport os",
        "os._exit(1)",
        "def helper():\n    return True",
        "helper()\n" + rule("accepts_append", "helper()") + 'exercise("1.1").check(Mine)',
    )
    found = find(exercise("1.1"), cells)
    assert found.told == ()
    assert found.holder == "Mine"
    assert [where for where, _ in found.parts] == ["cell 1", "cell 3", "cell 4"]
    text = "".join(source for _, source in found.parts)
    assert "import raftlab" in text
    assert "exit" not in text
    assert "check" not in text


def test_a_name_means_what_stands_above(tmp_path):
    cells = notebook(tmp_path, "x = 1", rule("accepts_append", "x == 1"), "x = 2")
    parts = find(exercise("1.1"), cells).parts
    assert [where for where, _ in parts] == ["cell 1", "cell 2"]


def test_a_syntax_error_costs_its_own_cell(tmp_path):
    cells = notebook(
        tmp_path, 'def ( exercise("1.1").check(Mine)', rule("conflict_index"), "%magic\n!ls"
    )
    broken = find(exercise("1.1"), cells)
    assert broken.parts == ()
    assert broken.told == ("Exercise 1.1: cell 1 is no Python in its line 1: invalid syntax",)
    assert find(exercise("1.2"), cells).parts


def test_a_missing_answer_is_told(tmp_path):
    found = find(exercise("1.1"), notebook(tmp_path, "x = 1"))
    assert found == ((), "", ("Exercise 1.1: no cell has accepts_append: it is missing",))


def test_a_renamed_answer_is_told(tmp_path):
    cells = notebook(tmp_path, rule("accepts") + 'exercise("1.1").check(Mine)')
    (told,) = find(exercise("1.1"), cells).told
    assert told == (
        "Exercise 1.1: cell 1 has Mine.accepts, and not a class with a method accepts_append:"
        " was it renamed?"
    )


def test_of_two_answers_the_last_one_counts_and_that_is_told(tmp_path):
    cells = notebook(tmp_path, rule("accepts_append", "1"), rule("accepts_append", "2"))
    found = find(exercise("1.1"), cells)
    assert [where for where, _ in found.parts] == ["cell 2"]
    assert "is there 2 times; the last one counts, in cell 2" in found.told[0]


def test_a_tagged_cell_counts_before_another(tmp_path):
    tagged = {"tags": ["exercise:1.1"]}
    file = tmp_path / "a.ipynb"
    cells = [
        {"cell_type": "code", "source": [rule("accepts_append", "1")], "metadata": tagged},
        {"cell_type": "code", "source": rule("accepts_append", "2"), "metadata": {}},
    ]
    file.write_text(json.dumps({"cells": cells}))
    found = find(exercise("1.1"), cells_of(file))
    assert [where for where, _ in found.parts] == ["cell 1"]


def test_my_raft_is_read_by_its_sections(tmp_path):
    file = tmp_path / "my_raft.py"
    file.write_text(
        "import raftlab as rl\n\n\n# Exercise 1.1, accepts_append: the check\n"
        + rule("accepts_append")
        + "# End of exercise 1.1\n\n\n# Exercise 1.2, conflict_index: cut\n"
        + "def (\n# End of exercise 1.2\n"
    )
    cells = cells_of(file)
    parts = find(exercise("1.1"), cells).parts
    assert [where for where, _ in parts] == ["from line 1", "section 1.1"]
    assert "section 1.2 is no Python" in find(exercise("1.2"), cells).told[0]


@pytest.mark.parametrize(
    "content",
    [b"", b"[]", b"{}", b'{"cells": 3}', b'{"cells": [{"cell_type": "code"}]}', b"[" * 10**6],
)
def test_what_is_no_notebook_is_refused_in_a_sentence(tmp_path, content):
    file = tmp_path / "a.ipynb"
    file.write_bytes(content)
    with pytest.raises(Unreadable, match="is no notebook that can be read"):
        cells_of(file)


@pytest.mark.parametrize(
    "source", ["\ud800", "x = " + "(" * 5000, "-" * 10**5 + "1", "\x00", "a\rb\r\n(c"]
)
def test_odd_source_breaks_nothing(tmp_path, source):
    (cell,) = notebook(tmp_path, source)
    assert cell.tree is None or cell.source


@pytest.mark.parametrize(
    ("above", "body", "needs"),
    [
        ("half = 1\nhalf += 2", "half == 3", ["half = 1", "half += 2"]),
        ("seen = {}\nseen['a'] = 1", "seen['a']", ["seen = {}", "seen['a'] = 1"]),
        ("try:\n    import math\nexcept ImportError:\n    math = None", "math", ["import math"]),
        ("if True:\n    least = 1\nelse:\n    least = 2", "least", ["least = 1"]),
        ("for x in [1, 2]:\n    last = x", "last", ["for x in [1, 2]:"]),
        ("with open('a') as file:\n    text = file.read()", "text", ["text = file.read()"]),
        ("a = 1\n\ndef b():\n    return lambda: [a for _ in (1,)]", "b()", ["a = 1", "def b"]),
    ],
)
def test_what_an_answer_stands_on_comes_with_it(above, body, needs, tmp_path):
    cells = notebook(tmp_path, "print(1)", above, rule("accepts_append", body))
    text = "".join(source for _, source in find(exercise("1.1"), cells).parts)
    assert [each for each in needs if each not in text] == []
    assert "print" not in text


@pytest.mark.parametrize(
    ("above", "given", "body"),
    [
        ("from __future__ import annotations", "n: Number", "n // 2 + 1"),
        ("from math import *", "n", "floor(n / 2) + 1"),
        ("from nothing_that_is_here import *", "n", "n // 2 + 1"),
    ],
)
def test_an_import_that_names_nothing_comes_too(above, given, body, tmp_path):
    source = f"class Mine:\n    def is_newer_term(self, {given}):\n        return {body}\n"
    found = find(exercise("2.1"), notebook(tmp_path, above, source))
    assert above in found.parts[0][1]
    asked = {"parts": found.parts, "name": "is_newer_term", "holder": found.holder}
    method, said = serve.loaded(asked)
    assert (method and method(5), said) == (3, {})


def test_what_is_local_to_an_answer_brings_nothing(tmp_path):
    mine = (
        "class Mine(rl.Rules):\n    def accepts_append(self, log, index):\n"
        "        for entry in log:\n            cluster = [entry for entry in log]\n"
        "        return cluster"
    )
    above = "log = entry = index = cluster = elsewhere()"
    parts = find(exercise("1.1"), notebook(tmp_path, above, mine)).parts
    assert [where for where, _ in parts] == ["cell 2"]


def test_a_line_that_begins_with_a_sign_is_no_magic_where_it_is_python(tmp_path):
    rest = "(\n            given[0]\n            % 2\n        )"
    cells = notebook(tmp_path, rule("accepts_append", rest))
    ((_, text),) = find(exercise("1.1"), cells).parts
    assert "% 2" in text
    magic = notebook(tmp_path, "%matplotlib inline\n" + rule("accepts_append"))
    assert find(exercise("1.1"), magic).parts

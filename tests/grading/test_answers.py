"""Answers come out of notebooks and Python files as source; each loss is its own, and is told."""

import json

import pytest

from raftlab.course import exercises
from raftlab.course.my_raft import SECTION
from raftlab.grading.child import answers
from raftlab.grading.child.answers import Unreadable, Wanted, find
from raftlab.grading.child.running import KEPT

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


def places(parts):
    """Which cells are run."""
    return [where for where, _ in parts if where != KEPT]


def text_of(parts):
    return "".join(source for where, source in parts if where != KEPT)


def test_an_answer_is_run_with_all_that_stands_above_its_last_check(tmp_path):
    cells = notebook(
        tmp_path,
        "import raftlab as rl",
        "def helper():\n    return True",
        rule("accepts_append", "helper()") + 'exercise("1.1").check(Mine)',
        "def helper():\n    return False",
        "def other():\n    return False",
        "print(helper())",
    )
    found = find(exercise("1.1"), cells)
    assert (found.told, found.holder) == ((), "Mine")
    assert places(found.parts) == ["cell 1", "cell 2", "cell 3", "cell 5"]
    assert "def other" in text_of(found.parts)  # notebooks need not be run in order
    again = 'exercise("1.1").check(Mine)'
    cells = notebook(tmp_path, *(cell.source for cell in cells), again)
    assert places(find(exercise("1.1"), cells).parts) == [f"cell {n}" for n in range(1, 8)]


def test_an_answer_that_is_checked_nowhere_is_run_with_all_there_is(tmp_path):
    cells = notebook(tmp_path, "x = 1", rule("accepts_append", "x == 1"), "x = 2")
    parts = find(exercise("1.1"), cells).parts
    assert places(parts) == ["cell 1", "cell 2", "cell 3"]


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
    assert (KEPT, f"{KEPT} = Mine") == found.parts[2]
    assert "is there 2 times; the last one counts, in cell 2" in found.told[0]


def test_of_two_answers_the_checked_one_counts_and_that_is_told(tmp_path):
    old = rule("accepts_append", "1").replace("Mine", "Old")
    check = 'exercise("1.1").check(Mine)'
    found = find(exercise("1.1"), notebook(tmp_path, rule("accepts_append", "2"), old, check))
    assert found.holder == "Mine"
    assert "is there 2 times; Mine, which is checked last, counts, in cell 1" in found.told[0]


def test_a_class_that_is_checked_and_has_no_such_method_is_told(tmp_path):
    cells = notebook(tmp_path, rule("accepts") + 'exercise("1.1").check(Mine)', "x = 1")
    assert find(exercise("1.1"), cells).parts == ()


def test_a_notebook_of_the_old_form_is_read(tmp_path):
    file = tmp_path / "old.ipynb"
    cells = [{"cell_type": "code", "input": [rule("accepts_append")], "language": "python"}]
    file.write_text(json.dumps({"worksheets": [{"cells": cells}], "nbformat": 3}))
    assert find(exercise("1.1"), cells_of(file)).holder == "Mine"


def test_a_tagged_cell_counts_before_another(tmp_path):
    tagged = {"tags": ["exercise:1.1"]}
    file = tmp_path / "a.ipynb"
    cells = [
        {"cell_type": "code", "source": [rule("accepts_append", "1")], "metadata": tagged},
        {"cell_type": "code", "source": rule("accepts_append", "2"), "metadata": {}},
    ]
    file.write_text(json.dumps({"cells": cells}))
    found = find(exercise("1.1"), cells_of(file))
    assert (KEPT, f"{KEPT} = Mine") == found.parts[1]


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
    assert (
        text_of(parts).rstrip("\n")
        == file.read_text().partition("# End")[0] + "# End of exercise 1.1"
    )
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


def test_a_line_that_begins_with_a_sign_is_no_magic_where_it_is_python(tmp_path):
    rest = "(\n            given[0]\n            % 2\n        )"
    cells = notebook(tmp_path, rule("accepts_append", rest))
    assert "% 2" in text_of(find(exercise("1.1"), cells).parts)
    magic = notebook(tmp_path, "%matplotlib inline\n" + rule("accepts_append"))
    assert find(exercise("1.1"), magic).parts

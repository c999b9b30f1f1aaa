"""The tool that makes notebooks from text, and the students' copies from the full ones."""

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

from raftlab.course import notebooks, predict
from raftlab.course.notebook_text import from_text, to_text
from raftlab.course.student import student_copy, without_answers, without_solution

TEXT = '''# %% [markdown]
# # A title
#
# A list:
#
# * one
#     indented

# %%
from raftlab.course import exercise, predict

# %%
question = predict.majority_size(5)
question

# %% tags=["answer"]
question.answer(
    3
)

# %% tags=["solution"]
def majority(size):
    """More than half."""
    ### BEGIN SOLUTION 4.1
    return size // 2 + 1
    ### END SOLUTION

# %%
exercise("4.1").check(majority)

# %% [markdown] tags=["solution"]
# Half, rounded down, and one more.
'''


def test_text_becomes_a_notebook_and_text_again():
    notebook = from_text(TEXT, "09")
    nbformat.validate(notebook)
    assert to_text(notebook) == TEXT
    assert [cell.id for cell in notebook.cells] == [f"09-0{n}" for n in range(1, 8)]
    assert notebook.cells[0].source == "# A title\n\nA list:\n\n* one\n    indented"
    assert notebook.cells[3].metadata.tags == ["answer"]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("x = 1\n# %%\n", "line 2: something stands before the first cell"),
        ("x = 1\n", "no cell"),
        ("# %% [markdwon]\n", "line 1: cannot read '# %% \\[markdwon\\]'"),
    ],
)
def test_text_that_cannot_be_read_is_refused_with_its_line(text, words):
    with pytest.raises(ValueError, match=words):
        from_text(text, "09")


def test_the_student_gets_stubs_and_blanks():
    student = student_copy(from_text(TEXT, "09"))
    sources = [cell.source for cell in student.cells]
    assert sources[3] == "question.answer()"
    assert sources[4] == (
        'def majority(size):\n    """More than half."""\n'
        '    raise NotImplementedError("Exercise 4.1: majority")'
    )
    assert len(student.cells) == 6
    assert [cell.id for cell in student.cells] == [f"09-0{n}" for n in range(1, 7)]


def test_a_method_gives_its_name_to_the_stub_and_code_around_stays():
    source = (
        "class MyRules(Rules):\n    def tally_vote(self, votes):\n        half = 1\n"
        "        ### BEGIN SOLUTION 4.2\n        if half:\n            return 2\n"
        "        ### END SOLUTION\n    other = 3"
    )
    assert without_solution(source) == (
        "class MyRules(Rules):\n    def tally_vote(self, votes):\n        half = 1\n"
        '        raise NotImplementedError("Exercise 4.2: tally_vote")\n    other = 3'
    )


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ("x = 1", "needs ### BEGIN SOLUTION"),
        ("def f():\n    ### BEGIN SOLUTION 1.1\n    x", "needs ### BEGIN SOLUTION"),
        ("def f():\n    ### BEGIN SOLUTION\n    x\n    ### END SOLUTION", "which exercise"),
        ("### BEGIN SOLUTION 1.1\nx\n### END SOLUTION", "outside a function"),
        (
            "def f():\n    ### BEGIN SOLUTION 1.1\n    ### BEGIN SOLUTION 1.2\n"
            "    x\n    ### END SOLUTION\n    y\n    ### END SOLUTION",
            "BEGIN SOLUTION inside a solution",
        ),
        (
            "def f():\n    ### BEGIN SOLUTION 1.1\n    x\n    ### END SOLUTION\n"
            "    y\n    ### END SOLUTION",
            "END SOLUTION outside a solution",
        ),
    ],
)
def test_a_solution_that_cannot_be_cut_is_refused(source, words):
    with pytest.raises(ValueError, match=words):
        without_solution(source)


def test_answers_are_cut_wherever_they_stand():
    assert without_answers('a = 1; q.answer("é", f(2))  # yes') == "a = 1; q.answer()  # yes"
    assert without_answers("q.answer(1)\nr.answer(\n  2,\n)") == "q.answer()\nr.answer()"
    with pytest.raises(ValueError, match="has no question"):
        without_answers("question")


def test_a_solution_without_the_tag_is_noticed():
    notebook = from_text(TEXT.replace(' tags=["solution"]\ndef', "\ndef"), "09")
    with pytest.raises(ValueError, match="cell 09-05 has a solution and lacks the tag"):
        student_copy(notebook)


@pytest.mark.parametrize(
    ("before", "after", "words"),
    [
        ("    ### END", "    # begin solution\n    ### END", None),
        ("def majority", "# Begin  Solution\ndef majority", "cell 09-05 still has '# Begin  Sol"),
        ("# A list", "# ## End solution", "cell 09-01 still has"),
        ('# %% tags=["answer"]', "# %%", "cell 09-04 has an answer and lacks the tag"),
        ('tags=["answer"]', 'tags=["Answer"]', "cell 09-04 has the tag `Answer`"),
        ('[markdown] tags=["solution"]', '[markdown] tags=["SOLUTION"]', "cell 09-07 has the tag"),
    ],
)
def test_what_would_leak_to_the_student_is_refused(before, after, words):
    assert before in TEXT
    notebook = from_text(TEXT.replace(before, after), "09")
    if words is None:
        student_copy(notebook)
        return
    with pytest.raises(ValueError, match=words):
        student_copy(notebook)


def test_an_answer_without_arguments_and_a_magic_need_no_tag():
    notebook = from_text("# %%\nquestion.answer()\n\n# %%\n%time q.answer(1)\n", "09")
    assert len(student_copy(notebook).cells) == 2


def test_the_question_about_a_slow_network_always_has_its_answer():
    assert predict.wan_timeouts(seed=46).truth == ("c",)


def test_what_differs_from_run_to_run_is_taken_out():
    view = {"application/vnd.jupyter.widget-view+json": {"model_id": "a1"}, "text/plain": "Lab"}
    cell = new_code_cell(
        "lab",
        metadata={"tags": ["answer"], "execution": {"iopub": "now"}, "collapsed": True},
        outputs=[new_output("display_data", view, metadata={"isolated": True})],
    )
    notebook = new_notebook(cells=[cell, new_markdown_cell("x")], metadata={"widgets": {}})
    notebooks.clean(notebook)
    assert set(notebook.metadata) == {"kernelspec", "language_info"}
    assert "version" not in notebook.metadata["language_info"]
    assert cell.metadata == {"tags": ["answer"]}
    assert cell.outputs[0].data == {"text/plain": "Lab"}
    assert cell.outputs[0].metadata == {}


@pytest.mark.slow
def test_the_command_makes_both_notebooks_and_finds_what_differs(tmp_path, capsys):
    source = tmp_path / "source.py"
    source.write_text(TEXT)
    root = ["--root", str(tmp_path / "notebooks")]
    assert notebooks.main([*root, "--from-text", str(source), "09_try"]) == 0
    full = notebooks.read(tmp_path / "notebooks" / "full" / "09_try.ipynb")
    student_path = tmp_path / "notebooks" / "09_try.ipynb"
    student = notebooks.read(student_path)
    verdict, result = told(full)
    text, picture, *_ = verdict.split("\n\n")
    assert text == (
        "Right: 3.\n  more than half of 5 is 3; so up to 2 may fail, and two majorities"
        " always share a server (5.2)"
    )
    assert picture == "The votes: 3 of 5 granted, 3 needed, WON."
    assert result == "Exercise 4.1: correct (51 cases)"
    assert told(student) == [
        "Your prediction first: question.answer(number); or click it above.",
        "Exercise 4.1 is still to be written: majority",
    ]
    assert notebooks.main([*root, "--check"]) == 0
    before = student_path.read_text()
    student_path.write_text(before.replace("still", "not"))
    assert notebooks.main([*root, "--check", "09"]) == 1
    assert "09_try.ipynb: not as it would be written now" in capsys.readouterr().err
    assert notebooks.main([*root, "09"]) == 0
    assert student_path.read_text() == before
    assert notebooks.main([*root, "--to-text", str(tmp_path / "again.py"), "09"]) == 0
    assert (tmp_path / "again.py").read_text() == TEXT


def told(notebook):
    """What the cells with an answer and with a check have printed."""
    return [notebook.cells[place].outputs[0].data["text/plain"] for place in (3, 5)]


@pytest.mark.slow
def test_the_command_says_which_cell_fails(tmp_path, capsys):
    source = tmp_path / "source.py"
    source.write_text("# %%\nx = 1\n\n# %%\ny = undefined_name\n")
    root = ["--root", str(tmp_path / "notebooks")]
    assert notebooks.main([*root, "--from-text", str(source), "09_try"]) == 1
    told = capsys.readouterr().err
    assert "undefined_name" in told
    assert "\x1b" not in told


def test_the_command_refuses_what_it_cannot_do(tmp_path, capsys):
    root = ["--root", str(tmp_path)]
    assert notebooks.main([*root, "07"]) == 1
    assert "no notebook 07 in" in capsys.readouterr().err
    assert notebooks.main([*root, "--to-text", "x.py"]) == 1
    assert "name one notebook" in capsys.readouterr().err

"""First answers are kept in a file of the reader's, and nowhere where notebooks are made."""

import json
import subprocess
import sys

import pytest

from raftlab.course import my_predictions, my_raft, predict
from raftlab.course.question import Question
from raftlab.course.score import SCORE, Score


def question(number: int = 1) -> Question:
    return Question(f"Which <{number}>? →", ["a", "b"], "a", "because")


@pytest.fixture(autouse=True)
def beginning(monkeypatch):
    """A score that knows nothing yet."""
    restart(monkeypatch)


def restart(monkeypatch):
    """What a kernel knows after a restart."""
    for name, value in vars(Score()).items():
        monkeypatch.setattr(SCORE, name, value)


def test_a_first_answer_is_one_line_that_can_be_read(folder):
    question().answer("b")
    question().answer("a")
    (line,) = my_predictions.path().read_text(encoding="utf-8").splitlines()
    told = json.loads(line)
    assert (told["right"], told["asked"]) == (False, "Which <1>? →")
    assert my_predictions.path() == folder / "my_predictions.jsonl"


def test_the_score_survives_a_restart_and_so_does_what_counts(folder, monkeypatch):
    question(1).answer("b")
    question(2).answer("a")
    before = repr(predict.score())
    restart(monkeypatch)
    assert repr(predict.score()) == before
    assert before == (
        "Predictions: 1 of 2 right at the first try.\n  missed: Which <1>? →\n"
        "Kept in my_predictions.jsonl; delete that file to begin anew."
    )
    assert (
        question(1).answer("a").text.endswith("(Only your first answer to this question counts.)")
    )
    assert predict.score().sentence == "Predictions: 1 of 2 right at the first try."


def test_two_notebooks_add_to_one_file(folder):
    question(1).answer("a")
    other = Score()
    other.note(question(2), False)
    assert (
        predict.score().sentence == other.sentence == "Predictions: 1 of 2 right at the first try."
    )


def test_a_file_that_was_deleted_begins_anew(folder):
    question().answer("b")
    my_predictions.path().unlink()
    assert repr(predict.score()) == "No prediction yet."
    question().answer("a")
    assert predict.score().sentence == "Predictions: 1 of 1 right at the first try."


@pytest.mark.parametrize(
    "strange",
    [
        b"",
        b"my notes\n",
        b"\xff\xfe\n",
        b'{"right":1}\n',
        b'{"right":true,"asked":"x","key',
        b"[]\n\n",
        b'{"more":' + b"[" * 100_000 + b"\n",
    ],
    ids=lambda strange: repr(strange[:20]),
)
def test_what_else_stands_in_the_file_stays_and_counts_nothing(folder, strange, monkeypatch):
    my_predictions.path().write_bytes(strange)
    question().answer("a")
    restart(monkeypatch)
    assert predict.score().sentence == "Predictions: 1 of 1 right at the first try."
    assert my_predictions.path().read_bytes().startswith(strange)


def test_a_line_that_is_there_twice_counts_as_it_was_first(folder, monkeypatch):
    question().answer("b")
    line = my_predictions.path().read_text(encoding="utf-8")
    with my_predictions.path().open("a", encoding="utf-8") as file:
        file.write(line.replace("false", "true"))
    assert predict.score().sentence == "Predictions: 0 of 1 right at the first try."


def test_where_it_cannot_be_kept_that_is_said_and_the_score_goes_on(folder):
    my_predictions.path().mkdir()
    question(1).answer("a")
    question(2).answer("b")
    told = repr(predict.score())
    assert told.startswith("Predictions: 1 of 2 right at the first try.")
    assert "They cannot be kept in my_predictions.jsonl: Is a directory." in told


@pytest.mark.parametrize("off", ["switched off", "no notebook"])
def test_it_is_neither_read_nor_written_where_notebooks_are_made_or_tested(
    folder, monkeypatch, off
):
    question(1).answer("b")
    kept = my_predictions.path().read_bytes()
    restart(monkeypatch)
    if off == "no notebook":
        monkeypatch.setattr(my_raft, "in_notebook", lambda: False)
    else:
        monkeypatch.setenv(my_raft.SWITCH, "off")
    assert repr(predict.score()) == "No prediction yet."
    question(2).answer("b")
    assert repr(predict.score()).endswith("missed: Which <2>? →")
    assert my_predictions.path().read_bytes() == kept


def test_a_python_that_is_no_notebook_writes_nothing(tmp_path):
    program = "from raftlab.course import predict; predict.majority_size(5).answer(3)"
    subprocess.run([sys.executable, "-c", program], check=True, cwd=tmp_path)
    assert list(tmp_path.iterdir()) == []

"""A batch: marks of the right answers, of the museum's mistakes; the same twice; going on."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from raftlab.__main__ import main
from raftlab.grading import box
from raftlab.grading.batch import Batch, grade
from raftlab.grading.box import best_kind, kind_for
from raftlab.grading.handed_in import submissions_in
from raftlab.grading.milestones import MILESTONES
from raftlab.grading.predictions import questions_for
from raftlab.grading.results import from_json, to_json
from raftlab.grading.seeds import Seeds, read_seeds
from raftlab.raft.vocabulary import Misuse
from tests.grading.reference import course, mistaken, solutions, write

SEEDS = Seeds(b"seeds of a class that is not there")
EXERCISES = ("M1", "M2", "M3")
in_a_box = pytest.mark.skipif(best_kind() is None, reason="there is no box on this system")


def batch_of(to: Path, assignment: str, seeds=SEEDS) -> Batch:
    return Batch(assignment, seeds, kind_for(), to)


def graded(folder: Path, paths: list[Path], assignment: str):
    found = submissions_in(paths)
    return [each.marks for each in grade(found, batch_of(folder, assignment))]


@in_a_box
@pytest.mark.parametrize("name", EXERCISES)
def test_the_right_answers_earn_everything(name, tmp_path):
    file = write(tmp_path / "ann.ipynb", solutions())
    (marks,) = graded(tmp_path / "out", [file], name)
    (milestone,) = marks.milestones
    assert [each.sentence for each in milestone.checks if not each.passed] == []
    assert (milestone.points, milestone.of) == (MILESTONES[name].points, milestone.of)
    assert (milestone.capped, milestone.liveness, marks.told) == ("", "", ())


@in_a_box
def test_an_answer_may_import_a_module_beside_it_and_is_marked_anew_with_another(tmp_path):
    gil = tmp_path / "in" / "gil"
    gil.mkdir(parents=True)
    answer = "from mycode import majority\nexercise('4.1').check(majority)"
    write(gil / "M2.ipynb", [*solutions(), answer])
    points = []
    for more in ("1", "1", "0"):
        (gil / "mycode.py").write_text(f"def majority(size):\n    return size // 2 + {more}\n")
        (marks,) = graded(tmp_path / "out", [tmp_path / "in"], "M2")
        (of_it,) = [each for each in marks.milestones[0].checks if each.exercise == "4.1"]
        points.append(of_it.passed)
        assert marks.told == (
            "its answers can import what lies beside it: mycode.py",
            "Exercise 4.1: majority is there 2 times; the last one counts, in"
            f" cell {len(solutions()) + 1}",
        )
    assert points == [True, True, False]


RUN = {
    "missing": ("x = 1", False),
    "a stub": ("def majority(n):\n    raise NotImplementedError", False),
    "a name that is not there": ("def majority(n):\n    return more(n)", False),
    "nothing that can be called": ("majority = 3", False),
    "wrong": ("def majority(n):\n    return n", True),
}


@in_a_box
@pytest.mark.parametrize("kind", RUN)
def test_only_an_answer_that_ran_may_have_missed_a_rule(kind, tmp_path):
    source, ran = RUN[kind]
    (marks,) = graded(tmp_path / "out", [write(tmp_path / "ann.ipynb", [source])], "M2")
    told = [each.ran for each in marks.milestones[0].checks if each.exercise == "4.1"]
    assert set(told) == {ran}


@in_a_box
@pytest.mark.parametrize(
    ("exhibit", "number", "name"),
    [
        ("any-entry-fits", "1.1", "M1"),
        ("never-truncates", "1.2", "M1"),
        ("truncate-always", "1.2", "M1"),
    ],
)
def test_a_mistake_of_the_museum_costs_its_exercise_and_is_named(exhibit, number, name, tmp_path):
    file = write(tmp_path / "bob.ipynb", [*solutions(), mistaken(exhibit, number)])
    (marks,) = graded(tmp_path / "out", [file], name)
    (milestone,) = marks.milestones
    wrong = {each.exercise for each in milestone.checks if not each.passed}
    assert wrong == {number}
    cases = next(each for each in milestone.checks if each.exercise == number)
    assert cases.mistake
    assert cases.share
    assert milestone.capped.startswith("safety is broken")
    assert milestone.points <= milestone.of / 2


@in_a_box
def test_marks_are_the_same_twice_byte_for_byte(tmp_path):
    odd = "class A(rl.Rules):\n    def accepts_append(self, *a):\n        return lambda: object()"
    file = write(
        tmp_path / "eve.ipynb", ["import raftlab as rl", odd, "def append_entries(*a): 1/0"]
    )
    first, second = (graded(tmp_path / out, [file], "M1") for out in ("one", "two"))
    assert to_json(first[0]) == to_json(second[0])
    text = to_json(first[0])
    assert (tmp_path / "one" / "marks" / "eve.json").read_bytes() == text
    assert from_json(text) == first[0]
    assert str(tmp_path).encode() not in text


@in_a_box
def test_a_batch_goes_on_where_it_was(tmp_path, monkeypatch):
    for each in ("a", "b", "c"):
        write(tmp_path / f"{each}.ipynb", [])
    found = submissions_in([tmp_path])
    begun = grade(found, batch_of(tmp_path / "out", "M1"))
    next(begun)
    begun.close()
    write(tmp_path / "a.ipynb", ["x = 1"])
    again = list(grade(found, batch_of(tmp_path / "out", "M1")))
    assert [each.was_there for each in again] == [False, False, False]
    again = list(grade(found, batch_of(tmp_path / "out", "M1")))
    assert [each.was_there for each in again] == [True, True, True]
    others = Seeds(b"other seeds of a class")
    other = list(grade(found, batch_of(tmp_path / "out", "M1", others)))
    assert [each.was_there for each in other] == [False, False, False]


@in_a_box
def test_a_broken_file_has_marks_and_a_sentence(tmp_path):
    (tmp_path / "dan.ipynb").write_bytes(b"\x00\xff")
    (marks,) = graded(tmp_path / "out", [tmp_path / "dan.ipynb"], "M1")
    assert marks.total == 0
    assert marks.told == ("the file is not text: hand in a notebook or a Python file",)


def test_files_of_one_name_are_told_apart_by_their_folders(tmp_path):
    for each in ("ann", "bob"):
        (tmp_path / each).mkdir()
        write(tmp_path / each / "M1.ipynb", [])
    found = submissions_in([tmp_path])
    assert [(each.name, each.student) for each in found] == [("ann-M1", "ann"), ("bob-M1", "bob")]


def test_an_assignment_that_is_not_there_is_refused(tmp_path):
    with pytest.raises(Misuse, match="there is no assignment 'M9'"):
        next(grade([], batch_of(tmp_path, "M9")))
    assert not [*tmp_path.iterdir()]


def test_without_a_box_grading_is_refused_unless_asked_for(monkeypatch):
    monkeypatch.setattr(box, "best_kind", lambda: None)
    with pytest.raises(Misuse, match="--unsafe"):
        kind_for()
    assert kind_for(unsafe=True) == "no box"


def test_a_short_file_of_seeds_is_refused(tmp_path):
    (tmp_path / "seeds.txt").write_text("123\n")
    with pytest.raises(Misuse, match="too short to be a secret"):
        read_seeds(tmp_path / "seeds.txt")


def test_numbers_from_seeds_differ_by_what_they_are_for():
    assert SEEDS.number("a") != SEEDS.number("b")
    assert SEEDS.number("a") == Seeds(b"seeds of a class that is not there").number("a")
    assert SEEDS.digest != Seeds(b"seeds of another class").digest


@in_a_box
def test_the_command_writes_marks_and_says_them(tmp_path, capsys):
    write(tmp_path / "ann.ipynb", [])
    (tmp_path / "seeds.txt").write_text("0123456789abcdef0123\n")
    words = ["grade", str(tmp_path / "ann.ipynb"), "--assignment", "M1"]
    words += ["--seeds", str(tmp_path / "seeds.txt"), "--out", str(tmp_path / "out")]
    assert main(words) == 0
    said = capsys.readouterr()
    assert said.err == "1 of 1: ann: M1 0 of 15\n"
    assert said.out.startswith("ann: M1 0 of 15\nMarks are in ")
    assert main([*words, "--json"]) == 0
    said = capsys.readouterr()
    assert said.err.endswith("(marked before)\n")
    assert json.loads(said.out)["marks"][0]["points"] == 0


@in_a_box
def test_predictions_are_marked_by_the_class_word_and_the_student(tmp_path, capsys):
    right = {part: each.truth for part, each in questions_for("autumn", "ann").items()}
    values = {part: truth[0] if len(truth) == 1 else list(truth) for part, truth in right.items()}
    write(tmp_path / "ann.ipynb", ['student = "Ann "', f"answers = {values!r}"])
    write(tmp_path / "bob.ipynb", ['student = "ann"', f"answers = {values!r}"])
    (tmp_path / "seeds.txt").write_text("0123456789abcdef0123\n")
    words = ["grade", str(tmp_path), "--assignment", "M0", "--class", "autumn", "--json"]
    words += ["--seeds", str(tmp_path / "seeds.txt"), "--out", str(tmp_path.parent / "out0")]
    assert main(words) == 0
    ann, bob = json.loads(capsys.readouterr().out)["marks"]
    assert (ann["points"], bob["points"]) == (5, 5)
    same = "M0: ann and bob have notebooks of one name, {}: whose answers are they?"
    assert ann["told"] == [same.format("'Ann'")]
    assert bob["told"] == [
        "M0: the notebook says that it is 'ann''s, and it was handed in as 'bob''s; its questions"
        " are those of 'ann'",
        same.format("'ann'"),
    ]


@in_a_box
def test_a_section_that_is_taken_for_a_student_is_told_before_and_after(tmp_path, capsys):
    (tmp_path / "in" / "A" / "ann").mkdir(parents=True)
    write(tmp_path / "in" / "A" / "ann" / "M1.ipynb", [])
    (tmp_path / "seeds.txt").write_text("0123456789abcdef0123\n")
    words = ["grade", str(tmp_path / "in"), "--assignment", "M1"]
    words += ["--seeds", str(tmp_path / "seeds.txt"), "--out", str(tmp_path / "out")]
    assert main(words) == 0
    said = capsys.readouterr()
    asked = "Taken for one student each, and files lie in folders below: A. If these are sections"
    assert said.err.startswith(asked)
    assert asked in said.out


WRITTEN = {
    "as the file is called": ("cleo", ""),
    "in capitals": ("CLEO", ""),
    "with signs": (" cl-eo. ", ""),
    "not at all": ("", ""),
    "otherwise": (
        "Cleo K.",
        "M0: the notebook says that it is 'Cleo K.''s, and it was handed in as 'cleo''s; its"
        " questions are those of 'Cleo K.'",
    ),
}
"""What a student has written for a name, and what is told."""


@in_a_box
@pytest.mark.parametrize("kind", WRITTEN)
def test_questions_are_those_of_the_name_in_the_notebook(kind, tmp_path):
    name, told = WRITTEN[kind]
    (sheet,) = [each for each in course(name or "cleo", "raftlab") if each.startswith("answers =")]
    file = write(tmp_path / "cleo.ipynb", [f"student = {name!r}", sheet])
    (marks,) = graded(tmp_path / "out", [file], "M0")
    assert marks.total == 5
    assert marks.told == ((told,) if told else ())


ASKED = {
    "this one": ("questions = sheet('raftlab', student)", ()),
    "nobody knows": ("questions = sheet(word, student)", ()),
    "another one": (
        "questions = sheet('w', student)",
        (
            "M0: the notebook's questions are of the class 'w', and were marked as those of"
            " 'raftlab': which word was raftlab release given?",
        ),
    ),
}
"""Of which class a notebook's questions are, and what is told."""


@in_a_box
@pytest.mark.parametrize("kind", ASKED)
def test_questions_of_another_class_are_told(kind, tmp_path):
    source, told = ASKED[kind]
    file = write(tmp_path / "ann.ipynb", ["student = 'ann'", source, "answers = {}"])
    (marks,) = graded(tmp_path / "out", [file], "M0")
    assert marks.told == told


@pytest.mark.parametrize("assignment", ["M0", "course"])
def test_without_the_word_of_the_class_its_questions_are_not_marked(assignment, tmp_path, capsys):
    write(tmp_path / "ann.ipynb", [])
    (tmp_path / "seeds.txt").write_text("0123456789abcdef0123\n")
    words = ["grade", str(tmp_path), "--assignment", assignment]
    words += ["--seeds", str(tmp_path / "seeds.txt"), "--out", str(tmp_path / "out")]
    assert main(words) != 0
    assert "say --class WORD" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


@in_a_box
def test_every_milestone_of_the_course_is_in_one_mark(tmp_path):
    file = write(tmp_path / "ann.ipynb", ["x = 1", "y = 2"])
    (marks,) = graded(tmp_path / "out", [file], "course")
    assert [each.milestone for each in marks.milestones] == [*MILESTONES]
    assert (marks.total, marks.of) == (0, sum(each.points for each in MILESTONES.values()))
    assert {each.split(":")[0] for each in marks.told} >= {"M0", "M4", "M5", "M6"}


MANY = 5
ONE_WRONG = ["import raftlab as rl", mistaken("any-entry-fits", "1.1")]


def begun(tmp_path, count, *more):
    for place in range(count):
        write(tmp_path / "in" / f"s{place}.ipynb", [*ONE_WRONG, f"x = {place}"])
    (tmp_path / "seeds.txt").write_text("0123456789abcdef0123\n")
    words = [sys.executable, "-m", "raftlab", "grade", str(tmp_path / "in"), "--assignment", "M1"]
    words += ["--seeds", str(tmp_path / "seeds.txt"), "--out", str(tmp_path / "out"), *more]
    return subprocess.Popen(words, stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


def written(tmp_path):
    files = sorted((tmp_path / "out" / "marks").glob("*.json"))
    return {each.name: (each.stat().st_mtime_ns, each.read_bytes()) for each in files}


@in_a_box
@pytest.mark.parametrize("cores", [1, 2])
def test_an_interrupted_batch_goes_on_and_loses_and_repeats_nothing(cores, tmp_path):
    (tmp_path / "in").mkdir()
    many = MANY * cores
    batch = begun(tmp_path, many, "--cores", str(cores))
    assert batch.stderr.readline().startswith(f"1 of {many}: ")
    batch.send_signal(signal.SIGINT)
    said, _ = batch.communicate()
    assert batch.returncode == 130
    assert "the same command goes on from there" in said
    before = written(tmp_path)
    assert 1 <= len(before) < many
    again = begun(tmp_path, many, "--cores", str(cores))
    said, told = again.communicate()
    assert again.returncode == 0, told
    after = written(tmp_path)
    assert len(after) == many
    assert told.count("(marked before)") == len(before)
    assert {name: after[name] for name in before} == before
    assert (tmp_path / "out" / "feedback" / "class.html").is_file()


@in_a_box
def test_a_worker_that_is_killed_loses_nothing(tmp_path):
    (tmp_path / "in").mkdir()
    batch = begun(tmp_path, 4, "--cores", "2")
    assert batch.stderr.readline().startswith("1 of 4: ")
    workers = Path(f"/proc/{batch.pid}/task/{batch.pid}/children").read_text().split()
    spawned = [
        int(each) for each in workers if b"spawn_main" in Path(f"/proc/{each}/cmdline").read_bytes()
    ]
    assert spawned
    os.kill(spawned[0], signal.SIGKILL)
    _said, told = batch.communicate()
    assert batch.returncode == 0, told
    marks = [from_json(content) for _, content in written(tmp_path).values()]
    assert [each.submission for each in marks] == ["s0", "s1", "s2", "s3"]
    assert all(each.milestones[0].checks[0].mistake for each in marks)


@in_a_box
@pytest.mark.slow
def test_a_dask_cluster_finds_the_same_and_a_killed_worker_loses_nothing(tmp_path):
    distributed = pytest.importorskip("distributed")
    (tmp_path / "in").mkdir()
    for place in range(MANY):
        write(tmp_path / "in" / f"s{place}.ipynb", [*ONE_WRONG, f"x = {place}"])
    found = submissions_in([tmp_path / "in"])
    one = [each.marks for each in grade(found, batch_of(tmp_path / "one", "M1"))]
    with distributed.LocalCluster(
        n_workers=2, threads_per_worker=1, dashboard_address=None
    ) as cluster:
        address = cluster.scheduler_address
        batch = grade(found, batch_of(tmp_path / "many", "M1"), scheduler=address)
        many = [next(batch).marks]
        os.kill(next(iter(cluster.workers.values())).pid, signal.SIGKILL)
        many += [each.marks for each in batch]
    assert {to_json(each) for each in many} == {to_json(each) for each in one}
    assert len(many) == len(one) == MANY

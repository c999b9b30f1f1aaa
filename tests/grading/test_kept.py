"""A worker finds out once what all submissions of a batch have in common, and tidies up."""

import gc

import pytest

from raftlab.grading.batch import Batch, grade, kept
from raftlab.grading.batch.kept import KEPT, kept_marker, let_go
from raftlab.grading.box import Boxes, best_kind, kind_for
from raftlab.grading.handed_in import submissions_in
from raftlab.grading.results import to_json
from raftlab.grading.seeds import Seeds

in_a_box = pytest.mark.skipif(best_kind() is None, reason="there is no box on this system")
SEEDS = Seeds(b"seeds of a class that is not there"), Seeds(b"seeds of another class")
RIGHT = """
import raftlab as rl
class MyRules(rl.Rules):
    def is_newer_term(self, message_term, term):
        return message_term > term
exercise("2.1").check(MyRules)
"""
LEAVES = """
import raftlab as rl
class MyRules(rl.Rules):
    def is_newer_term(self, message_term, term):
        rl.Rules.is_newer_term = lambda *_: True
        import builtins, sys
        builtins.max = sys.intern = None
        raise SystemExit
exercise("2.1").check(MyRules)
"""


@pytest.fixture
def made(monkeypatch):
    """The boxes that are made meanwhile; nothing is kept before and after."""
    let_go()
    found = []

    def make(kind):
        found.append(Boxes(kind))
        return found[-1]

    monkeypatch.setattr(kept, "Boxes", make)
    yield found
    let_go()


def graded(folder, out, cores=1):
    found = submissions_in([folder])
    batch = Batch("M2", SEEDS[0], kind_for(), out)
    return {each.marks.submission: each.marks for each in grade(found, batch, cores)}


def hand_in(folder, **sources):
    folder.mkdir()
    for name, source in sources.items():
        (folder / f"{name}.py").write_text(source)
    return folder


@in_a_box
def test_a_batch_on_one_core_makes_its_boxes_once_and_removes_them(made, tmp_path):
    handed_in = hand_in(tmp_path / "in", ann=RIGHT, bob=RIGHT, eve="x = (")
    assert len(graded(handed_in, tmp_path / "out")) == 3
    (boxes,) = made
    assert not boxes.path.exists()
    assert KEPT.marker is None


@in_a_box
@pytest.mark.parametrize("cores", [1, 2])
def test_a_mark_is_the_same_whoever_was_marked_before(cores, tmp_path):
    whole = hand_in(tmp_path / "in", ann=LEAVES, bob=RIGHT, eve=RIGHT)
    alone = hand_in(tmp_path / "alone", bob=RIGHT)
    together = graded(whole, tmp_path / "out", cores)
    assert together["bob"].milestones[0].points == together["eve"].milestones[0].points == 1
    assert together["ann"].milestones[0].points == 0
    assert to_json(graded(alone, tmp_path / "other")["bob"]) == to_json(together["bob"])


@in_a_box
def test_a_marker_is_kept_for_its_class_and_for_no_other(made):
    kind = kind_for()
    with kept_marker(kind, SEEDS[0], "word") as first:
        pass
    with kept_marker(kind, SEEDS[0], "word") as again:
        assert again is first
    for seeds, word in ((SEEDS[0], "another word"), (SEEDS[1], "word")):
        with kept_marker(kind, seeds, word) as other:
            assert other is not first
    assert len(made) == 3
    assert [each.path.exists() for each in made] == [False, False, True]


@in_a_box
def test_what_was_interrupted_is_kept_no_longer(made):
    often = gc.get_threshold()
    with pytest.raises(KeyboardInterrupt), kept_marker(kind_for(), SEEDS[0], "word"):
        assert gc.get_threshold() != often
        raise KeyboardInterrupt
    assert KEPT.marker is None
    assert not made[0].path.exists()
    assert gc.get_threshold() == often

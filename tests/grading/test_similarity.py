"""How similar a submission is to what is published: a figure for a person, and never a mark."""

import inspect
import re

import pytest

from raftlab.grading.answers import Answer, Contents, Program, Source
from raftlab.grading.batch import Batch, _marks
from raftlab.grading.batch.similarity import similarity
from raftlab.grading.feedback import write_feedback
from raftlab.grading.handed_in import Submission
from raftlab.grading.machines.programs import given, reference
from raftlab.grading.milestones import M1, M2, M4, M5, M6, M7
from raftlab.grading.own_tests import reference as own_tests
from raftlab.grading.release.solutions import solution_of
from raftlab.grading.seeds import Seeds
from tests.grading.marks import marks

SEEDS = Seeds(b"seeds of a class that is not there")
RIGHT = {number: solution_of(number).source for number in ("1.1", "1.2", "1.3")}


def has(answers=None, program=None, tests=None, milestone="M4"):
    return Contents(
        {n: Answer(Source((("cell 1", text),), "f")) for n, text in (answers or {}).items()},
        {milestone: Program(program)},
        {"scenarios": (("cell 1", tests),) if tests else ()},
        {},
    )


def renamed(text):
    """The same with other names, remarks and docstrings."""
    text = re.sub(r"#.*", "", text)
    for name in ("prev_log_index", "prev_log_term", "entries", "log", "index", "each", "entry"):
        text = re.sub(rf"\b{name}\b", f"my_{name}", text)
    return "# my own work\n" + text.replace('"""', '"""I thought of it. ', 1)


def test_what_is_published_is_wholly_alike():
    assert similarity(has(RIGHT), [M1]) == 100
    for milestone in (M4, M5, M7):
        whole = has(program=reference(milestone.name), milestone=milestone.name)
        assert similarity(whole, [milestone]) == 100
    assert similarity(has(tests=inspect.getsource(own_tests)), [M6]) == 100


def test_other_names_and_remarks_change_little():
    assert similarity(has({n: renamed(text) for n, text in RIGHT.items()}), [M1]) >= 95
    assert similarity(has(program=renamed(reference("M4"))), [M4]) >= 95


def test_what_students_were_given_counts_for_nothing():
    for milestone in (M4, M5, M7):
        begun = has(program=given(milestone.name), milestone=milestone.name)
        assert similarity(begun, [milestone]) is None
    assert similarity(has(), [M1, M2, M4, M6]) is None


OWN = {
    "1.1": """
class Mine(rl.Rules):
    def accepts_append(self, log, prev_log_index, prev_log_term):
        if prev_log_index == 0:
            return True
        found = [e for e in log if e.index == prev_log_index]
        if len(found) == 0:
            return False
        return found[0].term == prev_log_term
""",
    "1.2": """
class Mine2(rl.Rules):
    def conflict_index(self, log, prev_log_index, entries):
        position = prev_log_index + 1
        while position <= log.last_index and position - prev_log_index <= len(entries):
            theirs = entries[position - prev_log_index - 1]
            ours = log.term_for_index(position)
            if ours != theirs.term:
                return position
            position += 1
        return None
""",
    "1.3": """
def append_entries(log, prev_log_index, prev_log_term, entries):
    known = {e.index: e.term for e in log}
    if prev_log_index > 0 and known.get(prev_log_index) != prev_log_term:
        return False
    for offset, new in enumerate(entries):
        place = prev_log_index + offset + 1
        if place in known and known[place] != new.term:
            log.truncate_uncommitted(place)
            known = {i: t for i, t in known.items() if i < place}
        if place not in known:
            log.append_as_follower((new,))
            known[place] = new.term
    return True
""",
}


@pytest.mark.parametrize("number", OWN)
def test_an_answer_of_ones_own_is_much_less_alike(number):
    assert (similarity(has({number: OWN[number]}), [M1]) or 0) <= 50


def test_answers_of_ones_own_are_much_less_alike():
    assert similarity(has(OWN), [M1]) <= 50


def test_what_is_tried_is_no_answer():
    tried = "\n".join(f"print(show({number}, 'a', 'b', 'c', 'd', 'e'))" for number in range(99))
    again = {number: f"{tried}\n{text}\n{tried}" for number, text in RIGHT.items()}
    assert similarity(has(again), [M1]) == 100


HOSTILE = [
    " " * 400_000,
    "a:" * 200_000,
    '"""' * 70_000,
    '"\\' * 100_000,
    "'''\"\"\"\n" * 25_000,
    "(" * 400_000,
    "#" * 400_000,
    "\n" * 400_000,
    "f'" * 200_000,
    "٠\ud800" * 100_000,
]


@pytest.mark.parametrize("text", HOSTILE, ids=lambda each: ascii(each[:8]))
def test_a_hostile_text_is_looked_at_once(text):
    """It ends: what would look at a sign again for each sign would look for hours."""
    assert similarity(has({"1.1": text}), [M1]) in (None, 0)


def test_no_mark_depends_on_it_and_only_the_class_report_tells_it(tmp_path):
    batch = Batch("M1", SEEDS, "no box", tmp_path)
    one = Submission("ann", "ann", tmp_path / "ann.py")
    low, high = (_marks(one, batch, marks().milestones, (), figure) for figure in (3, 97))
    assert (low.total, low.milestones) == (high.total, high.milestones)
    files = write_feedback([high], tmp_path)
    told = {file.name for file in files if "97 %" in file.read_text(encoding="utf-8")}
    assert told == {"class.html", "class.txt"}

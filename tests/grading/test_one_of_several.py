"""M7: one of several. What is offered is marked, the best of it counts, the rest is a bonus."""

import json
import sys

import pytest
from msgspec.structs import replace

import raftlab as rl
from raftlab.grading.batch import Batch, grade
from raftlab.grading.batch.marking import mark_of_machine
from raftlab.grading.box import Boxes, best_kind, kind_for
from raftlab.grading.feedback.exports import canvas, gradescope, moodle
from raftlab.grading.feedback.student import student_text
from raftlab.grading.handed_in import submissions_in
from raftlab.grading.machines import boxed
from raftlab.grading.machines.judge import EVERY, MachineJudge
from raftlab.grading.machines.options import OFFERED_BY, SAYS, best_of
from raftlab.grading.machines.programs import ASKED, emptied, given, reference
from raftlab.grading.machines.trials import Setting
from raftlab.grading.milestones import (
    M7,
    MEMBERSHIP,
    MILESTONES,
    SNAPSHOTS,
    TRANSFER,
    milestones_of,
)
from raftlab.grading.open_runs import OPEN_SEEDS
from raftlab.grading.results import Check, Marks, MilestoneMark
from raftlab.grading.seeds import Seeds
from raftlab.process.samples import sample
from tests.grading.reference import write

in_a_box = pytest.mark.skipif(best_kind() is None, reason="there is no box on this system")
SEEDS = Seeds(b"seeds of a class that is not there")
RIGHT = reference("M7")
OFFERS = '["campaign", "compact", "transfer_leadership"]'


@pytest.fixture(scope="module")
def boxes():
    boxes = Boxes(kind_for())
    yield boxes
    boxes.close()


@pytest.fixture(scope="module")
def judge(boxes):
    return MachineJudge(boxes, SEEDS)


def offering(*offers, program=RIGHT):
    said = ", ".join(f'"{each}"' for each in ("campaign", *offers))
    assert program.count(OFFERS) == 1
    return program.replace(OFFERS, f"[{said}]")


def wrong(written, instead):
    assert RIGHT.count(written) == 1
    return RIGHT.replace(written, instead)


def only(option, trial):
    """M7 with one option, and one trial in it."""
    return replace(M7, options=(replace(option, parts={trial: 5}),))


def failed(mark):
    return {each.name.partition(": ")[2]: each for each in mark.checks if not each.passed}


def test_every_trial_has_a_point_and_says_what_is_done():
    assert [each.name for each in M7.options] == [*OFFERED_BY] == [*SAYS]
    for option in M7.options:
        trials = EVERY[option.name]
        assert [each.name for each in trials] == [*option.parts]
        assert all(each.run.__doc__ and each.section and each.advice for each in trials)
        assert option.points == M7.points == 5
    assert sum(each.points for each in milestones_of("course")) == 100


@in_a_box
def test_the_reference_has_all_points_and_the_bonus(judge):
    mark = mark_of_machine(judge, M7, RIGHT)
    assert not failed(mark)
    assert (mark.points, mark.of, mark.bonus) == (5, 5, 4)
    assert (mark.capped, mark.liveness) == ("", "")


@in_a_box
@pytest.mark.parametrize("option", M7.options, ids=lambda each: each.name)
def test_who_writes_one_option_alone_has_all_points_and_no_bonus(option, judge):
    others = [each.name for each in M7.options if each is not option]
    program = emptied(RIGHT, [method for name in others for method in ASKED[name]])
    offers = [] if option is MEMBERSHIP else [OFFERED_BY[option.name]]
    mark = mark_of_machine(judge, M7, offering(*offers, program=program))
    assert not failed(mark)
    assert (mark.points, mark.bonus, len(mark.checks)) == (5, 0, 5)
    assert all(each.name.startswith(f"{option.name}: ") for each in mark.checks)


@pytest.mark.parametrize(("option", "seed"), [(SNAPSHOTS, 5032), (MEMBERSHIP, 6022)])
def test_the_reference_stands_seeds_that_once_cost_it_a_trial(option, seed, tmp_path):
    """Little was committed under faults; an answer came from a server that was let go."""
    file = tmp_path / "machine.py"
    file.write_text(RIGHT, encoding="utf-8")
    machine = rl.Process([sys.executable, str(file)])
    try:
        assert EVERY[option.name][-1].run(Setting(machine, seed)) == ""
    finally:
        machine.end()


DOES_NOTHING = """\
import json, sys
for line in sys.stdin:
    offers = {"offers": ["campaign", "compact", "transfer_leadership"]}
    said = {"start": offers, "add_entry": {"refused": {"reason": "no"}}}
    print(json.dumps(said.get(json.loads(line)["do"], {})), flush=True)
"""


@in_a_box
@pytest.mark.parametrize(
    ("program", "said"),
    [
        (given("M7"), "it has nothing of what is marked"),
        (sample("python").read_text(encoding="utf-8"), 'it offers "compact" at its start'),
        ("nothing at all =", "SyntaxError in line 1"),
        ("", "its program ended"),
        (None, "no program"),
        (DOES_NOTHING, "no leader within"),
        (given("M7").replace('["campaign"]', OFFERS), "its program ended: NotImplementedError"),
    ],
    ids=["given", "sample", "no Python", "empty", "none", "does nothing", "offers, does nothing"],
)
def test_what_offers_or_does_nothing_has_no_points_and_a_sentence(program, said, judge):
    mark = mark_of_machine(judge, M7, program)
    assert (mark.points, mark.bonus, mark.of) == (0, 0, 5)
    assert not any(each.passed for each in mark.checks)
    assert any(said in each.sentence for each in mark.checks)


KEPT = """\
            self.keep_snapshot(snapshot)
            self.commit_index = snapshot["index"]
"""
FITS = 'fits = index <= self.last_index and self.log.term(index) == snapshot["term"]'
STANDS = """\
        if message["term"] == self.term and self.role == "follower":
            self.campaign()
"""
LEADS = """\
        if message["term"] == self.term and self.role == "follower":
            self.set_term_and_vote(self.term + 1, self.node)
            self.lead()
"""
GIVES_UP = """\
        if self.now >= self.give_up_at:
            self.successor = None
        elif"""
REFUSES = """\
            self.reply["refused"] = {"reason": f"it hands over to {self.successor}"}
            return
"""
HEARD = '            and self.now - self.heard_at >= self.options["election_timeout"][0]\n'
COUNTED = """\
            self.chances = set()
            self.campaign()
"""
COUNTS_AS_VOTES = """\
            self.chances = set()
            self.set_term_and_vote(self.term + 1, self.node)
            self.lead()
"""
VOTERS = 'self.voters = self.configuration_at(self.last_index)["voters"]\n'
MISTAKES = {
    "compacting is forgotten": (
        *(SNAPSHOTS, "the log shrinks", "S1 was asked to compact its log, and keeps no snapshot"),
        '        self.keep_snapshot(snapshot | {"configuration": self.configuration_at(index)})\n',
        "",
    ),
    "acknowledged and not kept": (
        *(SNAPSHOTS, "a follower far behind", "Durable Before Said: S3 acknowledged a snapshot"),
        KEPT,
        "            pass\n",
    ),
    "never sent": (
        *(SNAPSHOTS, "a follower far behind", "does not send its snapshot"),
        '        self.send("InstallSnapshot", peer, snapshot=self.snapshot)\n',
        "",
    ),
    "the entry before the first is forgotten": (
        *(SNAPSHOTS, "a follower far behind", "y=1 is not everywhere within 3000 ms"),
        "if index >= self.base else 0",
        "if index > self.base else 0",
    ),
    "any tail is kept": (
        *(SNAPSHOTS, "a tail", "its log is not as up to date as that of the others"),
        FITS,
        "fits = True",
    ),
    "an old snapshot is taken": (
        *(SNAPSHOTS, "an old snapshot", "it takes a snapshot up to 2, and has one up to 2"),
        'if success and snapshot["index"] > self.commit_index:',
        "if success:",
    ),
    "the successor lacks entries": (
        *(TRANSFER, "leadership moves", "leadership does not move to S3 within 300 ms"),
        "elif peer is not None and self.match_index[peer] == self.last_index:",
        "elif peer is not None:",
    ),
    "the successor asks for pre-votes": (
        *(TRANSFER, "leadership moves", "leadership does not move to S2 within 140 ms"),
        STANDS,
        STANDS.replace("campaign", "stand"),
    ),
    "the successor leads at once": (
        *(TRANSFER, "a transfer that fails", "Leader Completeness: S2 leads"),
        STANDS,
        LEADS,
    ),
    "it never gives up": (
        *(TRANSFER, "a transfer that fails", "S1 has given up by now, and takes no commands"),
        GIVES_UP,
        "        if",
    ),
    "it takes commands": (
        *(TRANSFER, "a transfer that fails", "S1 takes a command while it hands over"),
        REFUSES,
        "            pass\n",
    ),
    "a leader that is heard is no reason": (
        *(TRANSFER, "a server that comes back", "S3 comes back, and the term goes from 1 to 2"),
        HEARD,
        "",
    ),
    "no pre-vote": (
        *(TRANSFER, "the leader is gone", "nobody asks for a pre-vote within 3000 ms"),
        'if not self.options["pre_vote"]:',
        "if True:",
    ),
    "pre-votes count as votes": (
        *(TRANSFER, "the leader is gone", "Election Safety: S"),
        COUNTED,
        COUNTS_AS_VOTES,
    ),
    "a change counts once it is committed": (
        *(MEMBERSHIP, "the leader goes", "Commit Follows Quorum: S1 committed"),
        VOTERS,
        VOTERS.replace("last_index", "commit_index"),
    ),
    "a change that is cut away still counts": (
        *(MEMBERSHIP, "a server comes", "y=1 is not everywhere within 3000 ms"),
        "        self.log.cut(index)\n        self.take_voters()\n",
        "        self.log.cut(index)\n",
    ),
    "a restart forgets who has a vote": (
        *(MEMBERSHIP, "servers go", "no leader within 3000 ms"),
        "        self.take_voters()\n        self.wait_for_a_leader()\n",
        "        self.wait_for_a_leader()\n",
    ),
    "a leader without a vote counts itself": (
        *(MEMBERSHIP, "the leader goes", "Commit Follows Quorum: S1 committed"),
        "(self.match_index[each] for each in self.voters)",
        "(self.match_index[each] for each in {*self.voters, self.node})",
    ),
    "a new leader changes at once": (
        *(MEMBERSHIP, "one change at a time", "Leader Completeness: S1 leads"),
        " or self.log.term(self.commit_index) != self.term:",
        ":",
    ),
    "two changes at once": (
        *(MEMBERSHIP, "one change at a time", "One Change At A Time: S"),
        "self.changed_at > self.commit_index or ",
        "",
    ),
}


@in_a_box
@pytest.mark.parametrize("name", MISTAKES)
def test_a_mistake_costs_its_trial_and_is_told(name, judge):
    option, trial, said, written, instead = MISTAKES[name]
    mark = mark_of_machine(judge, only(option, trial), wrong(written, instead))
    check = failed(mark)[trial]
    assert said in f"{check.property} {check.sentence}"
    assert check.section and check.advice
    if not check.property:
        assert (mark.points, mark.capped) == (0, "")
        return
    assert check.mistake and mark.capped.startswith(f"{option.name}: safety is broken, so there")
    run = rl.load(check.share)
    assert run.setup.seed in OPEN_SEEDS
    assert run.attempt().violation.name == check.property.partition(":")[0]


@in_a_box
def test_safety_that_is_broken_leaves_half_of_its_option_and_all_of_another(judge):
    program = wrong(STANDS, LEADS)
    trials = {"a transfer that fails": 1, "the leader is gone": 4}
    options = (replace(SNAPSHOTS, parts={"an old snapshot": 5}), replace(TRANSFER, parts=trials))
    mark = mark_of_machine(judge, replace(M7, options=options), program)
    assert (mark.points, mark.bonus) == (5, 1.0)  # two fifths of half of five
    assert mark.capped.startswith(
        "pre-vote and transfer: safety is broken, so there are 2.5 points"
    )


OFTEN_COMPACTED = Seeds(b"class 26 of some year")
"""Its seeds choose disks that ask for snapshots, wherever that is left to them."""


@in_a_box
@pytest.mark.parametrize(
    ("option", "trial", "written", "instead"),
    [
        (SNAPSHOTS, "a follower far behind", KEPT, "            pass\n"),
        (TRANSFER, "a transfer that fails", STANDS, LEADS),
    ],
    ids=["snapshots", "transfer"],
)
def test_an_option_whose_safety_is_broken_costs_the_others_nothing(
    option, trial, written, instead, boxes
):
    """All trials of the others are run, and one of its own."""
    others = [each for each in M7.options if each is not option]
    options = (replace(option, parts={trial: 5}), *others)
    m7, judge = replace(M7, options=options), MachineJudge(boxes, OFTEN_COMPACTED)
    mark = mark_of_machine(judge, m7, wrong(written, instead))
    assert [*failed(mark)] == [trial]
    assert (mark.points, mark.bonus) == (5, 2.0)  # the best, and two fifths of the second
    assert mark.capped.startswith(f"{option.name}: ") and mark.capped.count("at most") == 1


APPENDS = '"index": index, "payload": wanted})'
EMPTY = '"payload": {"type": "empty"}})'


@in_a_box
@pytest.mark.parametrize(
    ("milestone", "written", "instead"),
    [
        (
            only(MEMBERSHIP, "faults and changes"),
            APPENDS,
            APPENDS.replace("wanted", 'wanted | {"learners": ["x y"]}'),
        ),
        (
            replace(MILESTONES["M4"], parts={"faults among three": 2, "faults among five": 2}),
            EMPTY,
            EMPTY.replace('"empty"', '"configuration", "voters": [*self.voters, "S9"]'),
        ),
    ],
    ids=["M7", "M4"],
)
def test_servers_that_a_program_makes_up_stop_no_batch(milestone, written, instead, judge):
    mark = mark_of_machine(judge, milestone, wrong(written, instead))
    assert mark.points == 0
    assert all(each.sentence for each in mark.checks)


@in_a_box
@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("while True: pass", "it answers nothing for 1 s"),
        ('open("/etc/hostname").read()', "its program ended: "),
        ("import socket; socket.create_connection(('127.0.0.1', 9))", "its program ended: "),
        ('print("x" * 5000000)', "more than a megabyte in one line"),
    ],
)
def test_the_box_is_that_of_the_other_programs(line, said, judge, monkeypatch):
    monkeypatch.setattr(boxed, "PATIENCE_S", 1.0)
    monkeypatch.setattr("raftlab.grading.machines.judge.PATIENCE_S", 1.0)
    at = "    servers: dict[str, Raft] = {}\n"
    assert RIGHT.count(at) == 1
    of_m7 = mark_of_machine(judge, M7, RIGHT.replace(at, f"{at}    {line}\n"))
    (check,) = of_m7.checks
    assert (of_m7.points, check.passed) == (0, False)
    assert said in check.sentence.casefold()
    right = reference("M5")
    of_m5 = judge.judge(MILESTONES["M5"], right.replace(at, f"{at}    {line}\n"))
    heard = of_m5.checks[0].sentence.casefold()
    assert said in heard or "no cluster is made" in heard, heard


def option_mark(name, points, **more):
    check = Check(name="a trial", exercise="", points=points, of=5, passed=points == 5)
    return MilestoneMark(milestone=name, title=name, points=points, of=5, checks=(check,), **more)


def marks_with(m7, elsewhere):
    m1 = MilestoneMark(milestone="M1", title="The log", points=elsewhere, of=15)
    return Marks(submission="ann", student="ann", assignment="course", box="", milestones=(m1, m7))


@pytest.mark.parametrize(
    ("elsewhere", "first", "second", "total"),
    [(15, 5, 5, 20), (12, 5, 5, 19), (15, 3, 4, 20), (10, 3, 4, 15.2), (10, 0, 0, 10)],
)
def test_a_bonus_stands_in_for_points_that_are_missing_and_no_total_is_above_all(
    elsewhere, first, second, total
):
    m7 = best_of(M7, [option_mark("snapshots", first), option_mark("membership", second)])
    assert (m7.points, m7.bonus) == (max(first, second), round(0.4 * min(first, second), 2))
    marks = marks_with(m7, elsewhere)
    assert (marks.total, marks.of) == (total, 20)
    assert json.loads(gradescope(marks))["score"] == total
    assert canvas([marks], "course").splitlines()[-1] == f"ann,,ann,,{total:g}"
    assert moodle([marks], "course").splitlines()[-1].startswith(f"ann,{total:g},")
    shown = f"{m7.points:g}+{m7.bonus:g} of 5" if m7.bonus else f"{m7.points:g} of 5"
    assert shown in student_text(marks)


@in_a_box
def test_marking_twice_gives_equal_bytes(tmp_path, monkeypatch):
    few = ((SNAPSHOTS, "a follower far behind"), (TRANSFER, "a server that comes back"))
    options = tuple(replace(option, parts={trial: 5}) for option, trial in few)
    m7 = replace(M7, options=options)
    monkeypatch.setattr("raftlab.grading.batch.milestones_of", lambda name: (m7,))
    program = wrong(HEARD, "")
    file = write(tmp_path / "ann.ipynb", [f"%%writefile machine.py\n{program}"])
    for place in ("a", "b"):
        batch = Batch("M7", SEEDS, kind_for(), tmp_path / place)
        [*_] = grade(submissions_in([file]), batch)
    one, other = (tmp_path / place / "marks" / "ann.json" for place in ("a", "b"))
    assert one.read_bytes() == other.read_bytes()
    assert b'"points": 5.0' in one.read_bytes() and b'"bonus": 0.0' in one.read_bytes()

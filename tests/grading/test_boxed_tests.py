"""A student's own tests in a box: they find what they find, and no word of theirs is believed."""

import inspect
import random
from contextlib import suppress

import msgspec
import pytest

from raftlab.grading.answers import contents_of
from raftlab.grading.batch.marking import Marker, wanted_by
from raftlab.grading.box import Boxes, best_kind, kind_for
from raftlab.grading.child import changes, serve
from raftlab.grading.child.clusters import VERBS, TestedCluster
from raftlab.grading.milestones import M6
from raftlab.grading.own_tests import reference
from raftlab.grading.own_tests.judge import judged, nothing
from raftlab.grading.own_tests.machines import CORRECT, MISTAKES, correct, mistaken
from raftlab.grading.own_tests.runners import BoxedTests, Outcome, Unusable
from raftlab.grading.own_tests.tested import MOST_CLUSTERS, Tested
from raftlab.grading.seeds import Seeds
from raftlab.grading.waited import MOST_S
from raftlab.raft.rules import Rules
from raftlab.raft.vocabulary import Misuse, NotNow
from raftlab.sim.cluster import Cluster

in_a_box = pytest.mark.skipif(best_kind() is None, reason="there is no box on this system")
INVARIANT = "def invariant(frames):\n    return True\n"
SEEDS = (11, 12, 13)


@pytest.fixture(scope="module")
def boxes():
    made = Boxes(kind_for())
    yield made
    made.close()


def a_box(source, boxes):
    return BoxedTests((("cell 1", source),), boxes)


def came(source, boxes, start=None):
    runner = a_box(source, boxes).on(start or correct("Figure 2", 3))
    try:
        return runner.run(0)
    finally:
        runner.close()


@in_a_box
@pytest.mark.parametrize("name", ["half-elects", "followers-append", "votes-once"])
def test_the_reference_finds_a_mistake_in_a_box(name, boxes):
    source = f"{inspect.getsource(reference)}\nscenarios = [runs_of({name!r})]\n"
    assert came(source, boxes, mistaken(name, 5)).how == "failed"
    for each in CORRECT:
        assert came(source, boxes, correct(each, 5)) == Outcome("passed")


@in_a_box
@pytest.mark.parametrize(
    ("body", "how", "said"),
    [
        ("assert False, 'never'", "failed", "an assert fails: never"),
        ("pass", "raised", "it starts no cluster: call start(3)"),
        ("start(3).set_network(latency=(5, 9))", "passed", ""),
        ("start(51)", "raised", "has at most 7 servers"),
        ("start(3).run(10**12)", "raised", "lives 60,000 ms at most"),
        ("start(3).run(float('inf'))", "raised", "says what is no answer"),
        ("start(3).run('x' * 10)", "raised", "a time is a number of ms"),
        ("start(3).recording", "raised", "has no recording: it has elect, propose"),
        ("start(3).lab()", "raised", "has no lab"),
        ("[start(1) for _ in range(99)]", "raised", "at most 6 clusters"),
        ("from raftlab.raft.machine import RaftStateMachine", "raised", "ModuleNotFoundError"),
        ("from raftlab.museum import exhibit", "raised", "ModuleNotFoundError"),
        ("from raftlab.sim.cluster import Cluster", "raised", "ModuleNotFoundError"),
        ("import os; os._exit(0)", "raised", "SystemExit"),
        ("import posix; posix._exit(0)", "raised", "its process ended"),
        ("open('/etc/hostname')", "raised", ""),
    ],
)
def test_what_a_scenario_does_is_told(body, how, said, boxes):
    found = came(f"{INVARIANT}def one(start):\n    {body}\nscenarios = [one]\n", boxes)
    assert found.how == how
    assert said in found.text


RUNS_ONCE = """
import sys
sys.runs = getattr(sys, "runs", 0) + 1
def invariant(frames):
    return True
def one(start):
    start(3)
    assert sys.runs == 1, "what was handed in is run again"
scenarios = [one]
"""


@in_a_box
def test_a_submission_is_run_once_for_all_that_tests_are_made_of(boxes):
    wanted = wanted_by([M6])
    has = contents_of(RUNS_ONCE.encode(), ".py", wanted, boxes)
    mark = Marker(boxes, Seeds(b"seeds of a class that runs once"), "").mark(M6, has, "ann").mark
    assert [each.sentence for each in mark.checks if each.name.startswith("correct: ")] == (
        [""] * len(CORRECT)
    )


@in_a_box
@pytest.mark.parametrize("name", serve.OFTEN)
def test_what_notebooks_import_is_there_before_a_fork_begins(name, boxes):
    source = f"import sys\nhad = {name!r} in sys.modules\n{INVARIANT}"
    source += "def one(start):\n    start(3)\n    assert had\nscenarios = [one]\n"
    assert came(source, boxes) == Outcome("passed")


@in_a_box
@pytest.mark.parametrize("source", ["scenarios = []", "scenarios = 3", "x = (", "1 / 0", ""])
def test_what_has_no_scenarios_is_unusable(source, boxes):
    with pytest.raises(Unusable):
        a_box(source, boxes)


SAYS_IT_FAILS = """
import gc, io, json, os
for each in gc.get_objects():
    if isinstance(each, io.BufferedWriter) and each.name not in (0, 1, 2):
        says = each
def one(start):
    says.write(b'{"ended": "failed", "text": "forged"}' + bytes([10]))
    says.flush()
scenarios = [one]
"""
BY_CHANCE = """
def one(start):
    cluster = start(3)
    cluster.elect("S1")
    cluster.run(200)
    assert hash(str([node.election_deadline for node in cluster.frame().nodes])) % 3
scenarios = [one] * 12
"""
SEES_WHICH = """
seen = []
def always(start):
    start(3)
    seen.append(1)
    assert False
def second(start):
    start(3)
    assert seen
scenarios = [always, second]
"""


@in_a_box
@pytest.mark.parametrize("source", [SAYS_IT_FAILS, BY_CHANCE, SEES_WHICH])
def test_a_forged_verdict_earns_nothing(source, boxes):
    mistakes = ["half-elects", "figure-8", "any-log-elects", "votes-once"]
    mark = judged(a_box(INVARIANT + source, boxes), SEEDS, mistakes)
    assert not [each.name for each in mark.checks if each.passed and each.name in mistakes]


class Recorded:
    """Tests that note, for each machine, what is asked of whoever runs them."""

    def __init__(self, names, fails):
        self.names, self.fails, self.asked = names, fails, []

    def on(self, start):
        self.asked.append([])
        return Noting(self)


class Noting:
    def __init__(self, tests):
        self.tests, self.asked = tests, tests.asked[-1]

    def run_alone(self, place):
        self.asked.append(place)
        return Outcome("failed" if place in self.tests.fails else "passed")


def test_the_clusters_of_a_scenario_have_a_bound_together():
    tested = Tested(correct("Figure 2", 1))
    with pytest.raises(Misuse, match="4,000 actions at most, in all its clusters"):
        for _ in range(MOST_CLUSTERS):
            number = tested.ask("start", 0, [7], {})
            tested.ask("run", number, [5_000], {})
    assert 4_000 <= sum(len(each.cluster.actions) for each in tested.runs) <= 4_010


class Counting(Recorded):
    """Tests that fail with what comes after so many processes, and before so many."""

    def __init__(self, names, after, before):
        super().__init__(names, set())
        self.after, self.before = after, before

    def on(self, start):
        runner = super().on(start)
        self.fails = {0, 1} if self.after < len(self.asked) <= self.before else set()
        return runner


def found_by_counting(after, before):
    mark = judged(Counting(["a", "b"], after, before), SEEDS, chance=random.Random(after))
    return sum(each.passed for each in mark.checks if each.name in MISTAKES)


def test_who_fails_with_all_that_comes_late_or_early_earns_nothing():
    assert [found_by_counting(after, 10_000) for after in range(50)] == [0] * 50
    assert [found_by_counting(0, before) for before in range(50)] == [0] * 50


def test_who_fails_with_some_in_the_middle_earns_next_to_nothing():
    found = [
        found_by_counting(after, after + most) for after in range(4, 40) for most in (4, 9, 16)
    ]
    assert sum(found) / len(found) < 0.2


@pytest.mark.parametrize("fails", [set(), {0}, {1}, {0, 1}])
def test_a_process_is_asked_for_one_scenario_and_no_other(fails):
    tests = Recorded(["a", "b", "c"], fails)
    judged(tests, SEEDS, ["half-elects", "votes-once"])
    assert len(tests.asked) >= len(SEEDS) * 3
    assert all(len(each) == 1 for each in tests.asked)


@in_a_box
def test_all_tests_of_a_submission_have_one_bound(boxes):
    tests = a_box(INVARIANT + "def one(start):\n    start(3)\nscenarios = [one]\n", boxes)
    before = tests.waited.took_s
    assert tests.on(correct("Figure 2", 3)).run_alone(0) == Outcome("passed")
    assert tests.waited.took_s > before > 0
    tests.waited.took_s = MOST_S + 1
    mark = judged(tests, SEEDS, ["half-elects"])
    assert mark.points == 0
    assert "it was stopped: all in all the tests take too long" in mark.checks[0].sentence


@in_a_box
def test_a_source_that_is_long_is_packed_too(boxes):
    body = "\n".join(f"def f{each}(): return {{'a': {each}}}" for each in range(900))
    source = f"{INVARIANT}{body}\ndef one(start):\n    start(3)\nscenarios = [one]\n"
    assert came(source, boxes) == Outcome("passed")


def test_what_is_asked_out_of_a_box_is_checked():
    tested = Tested(correct("Figure 2", 1))
    assert tested.ask("start", 0, [3], {}) == 1
    for verb, number, given in [
        ("engine", 1, []),
        ("__class__", 1, []),
        ("at", 1, [0]),
        ("elect", 2, []),
        ("elect", -1, []),
        ("elect", 1, ["S1", 2, 3]),
        ("propose", 1, ["x" * 5000]),
        ("partition", 1, [[[[["S1"]]]]]),
        ("step", 1, ["soon"]),
        ("crash", 1, ["S9"]),
        ("start", 0, [None]),
        ("start", 0, [None]),
        ("start", 0, [3, {"S1": None}]),
        ("start", 0, [3, None, 1]),
        ("run", 1, [100, 5]),
        ("elect", 1, ["S1", "S2", "S3", "S1", "S2"]),
    ]:
        with pytest.raises((Misuse, NotNow)):
            tested.ask(verb, number, given, {})
    with pytest.raises(Misuse, match="start cannot be asked so"):
        tested.ask("start", 0, [3], {"seed": 1})
    for _ in range(MOST_CLUSTERS - 1):
        tested.ask("start", 0, [1], {})
    with pytest.raises(Misuse):
        tested.ask("start", 0, [1], {})


def everything(start):
    cluster = start(3)
    cluster.elect("S1")
    cluster.propose("x=1")
    cluster.set_network(latency=(5, 9))
    cluster.set_clock_rate("S3", 0.5)
    cluster.slow_disk("S2", 30)
    cluster.run(100)
    cluster.calm()
    cluster.pause("S2")
    cluster.propose("y=1")
    cluster.duplicate(cluster.until_sent("S1", "S3"))
    cluster.drop(cluster.until_sent("S1", "S3"))
    cluster.run(50)
    cluster.resume("S2")
    cluster.cut("S1", "S3", both_ways=False)
    cluster.isolate("S3")
    cluster.partition("S1 S2", "S3")
    cluster.forget_leader("S2")
    cluster.timeout("S3")
    cluster.delay(cluster.until_sent("S1", "S2"), 100)
    cluster.heal()
    cluster.deliver(cluster.until_sent("S1", "S2"))
    cluster.crash("S3")
    cluster.wipe("S3")
    cluster.run(50)
    cluster.restart("S3")
    cluster.run_until(lambda each: each.commit_index > 9, 300)


def asked_directly(tested, asked):
    def start(*given, **named):
        number = tested.ask("start", 0, given, named)

        def ask(verb, given, named):
            asked.add(verb)
            return tested.ask(verb, number, given, named)

        return TestedCluster(ask)

    return start


def test_frames_are_those_of_a_replay_whatever_is_done_to_a_cluster():
    for name in CORRECT:
        tested, asked = Tested(correct(name, 3)), set()
        everything(asked_directly(tested, asked))
        assert asked >= {*VERBS}
        (run,) = tested.runs
        assert run.frames == [*run.cluster.recording.frames()]


@pytest.mark.slow
@pytest.mark.parametrize("name", reference.RUNS)
def test_frames_with_a_mistake_are_those_of_a_replay(name):
    tested = Tested(mistaken(name, 3))
    with suppress(AssertionError):
        reference.runs_of(name)(asked_directly(tested, set()))
    (run,) = tested.runs
    assert run.frames == [*run.cluster.recording.frames()]


def test_the_frame_in_which_a_machine_fails_is_the_last():
    class Fails(Rules):
        def has_vote_left(self, *_):
            raise ZeroDivisionError

    tested = Tested(lambda nodes, logs: Cluster(nodes, rules=Fails, watched=False, logs=logs))
    with pytest.raises(ZeroDivisionError):
        asked_directly(tested, set())(3).elect("S1")
    (run,) = tested.runs
    assert run.frames[-1].number == run.cluster.number > run.frames[-2].number
    assert run.frames == [*run.cluster.recording.frames()]


def test_frames_that_are_told_as_changes_are_heard_as_they_were():
    tested = Tested(correct("Figure 2", 3))
    everything(asked_directly(tested, set()))
    (run,) = tested.runs
    heard = []
    for begin, end in ((0, 1), (1, 1), (1, 7), (7, len(run.frames))):
        told = changes.changes_of(run.frames[begin:end], run.frames[begin - 1] if begin else None)
        line = msgspec.json.encode(told, enc_hook=tuple)
        changes.add_frames(msgspec.json.decode(line, type=list[changes.Change]), heard)
    whole = msgspec.json.encode(run.frames, enc_hook=tuple)
    assert msgspec.json.encode(heard, enc_hook=tuple) == whole
    assert heard[3].nodes[2] is heard[2].nodes[2]
    assert len(line) < len(whole) * 2 / 3


def order_of(source, boxes, monkeypatch):
    """The first places of an order of meetings, as a submission's tests get it."""
    drawn = []

    def looked_at(tests, seeds, chance):
        drawn.append([chance.random() for _ in range(3)])
        return nothing("only looked at")

    monkeypatch.setattr("raftlab.grading.own_tests.judge.judged", looked_at)
    has = contents_of(source.encode(), ".py", wanted_by([M6]), boxes)
    Marker(boxes, Seeds(b"seeds of a class that runs once"), "").mark(M6, has, "ann")
    return drawn


@in_a_box
def test_other_tests_meet_the_machines_in_another_order(boxes, monkeypatch):
    """So what one submission has learned of the order is worth nothing for the next."""
    tests = "def invariant(frames):\n    pass\n\nscenarios = [lambda start: start(3)]\n"
    mine, again = (order_of(tests, boxes, monkeypatch) for _ in range(2))
    others = order_of(f"{tests}\nK = 1\n", boxes, monkeypatch)
    assert mine == again != others
    assert len(mine) == 1

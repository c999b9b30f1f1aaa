"""Correct machines that do otherwise what the paper leaves open: correct, and not the same."""

import hashlib
import json

import pytest

from raftlab.check.campaign import campaign
from raftlab.check.explore import Scope, explore
from raftlab.grading.own_tests import marked
from raftlab.grading.own_tests.machines import CORRECT, FIGURE_2, correct
from raftlab.grading.own_tests.otherwise import Drawing, OtherSteps
from raftlab.grading.own_tests.reference import SCENARIOS, invariant, runs_of
from raftlab.grading.own_tests.runners import OwnTests
from raftlab.raft.log import Empty, LogEntry, RaftLog
from raftlab.raft.options import Options
from raftlab.raft.progress import FollowerProgress
from raftlab.raft.rules import Rules
from raftlab.sim.cluster import Cluster

OTHERWISE = [name for name in CORRECT if isinstance(CORRECT[name](1).get("rules"), Drawing)]
NUMBERS = (1, 7, 2_000_000_011)
SCOPES = {
    2: Scope(terms=2, entries=3, in_flight=3, heartbeats=1),
    3: Scope(terms=2, entries=2, in_flight=4),
}
MOST_STATES = 5_000


def test_there_are_four_of_them():
    assert len(OTHERWISE) == 4


@pytest.mark.parametrize("name", OTHERWISE)
def test_random_faults_break_nothing_and_it_goes_on_when_they_end(name):
    for number in NUMBERS:
        found = campaign(range(12), **CORRECT[name](number))
        assert {each.verdict for each in found.results} == {"ok"}


@pytest.mark.parametrize("nodes", SCOPES)
@pytest.mark.parametrize("name", OTHERWISE)
def test_no_order_of_events_breaks_a_property(name, nodes):
    for number in NUMBERS:
        start = Cluster(nodes, **CORRECT[name](number))
        found = explore(start, SCOPES[nodes], states=MOST_STATES)
        assert found.violation is None
        assert found.is_complete or found.states >= MOST_STATES


@pytest.mark.parametrize("name", OTHERWISE)
def test_the_reference_tests_pass_with_it_whatever_it_draws(name):
    tests = OwnTests(SCENARIOS, invariant)
    for number in NUMBERS:
        for place in range(len(SCENARIOS)):
            assert tests.on(correct(name, number)).run_alone(place).how == "passed"


def four_commands(start):
    cluster = start(3)
    cluster.set_network(latency=(5, 5))
    cluster.elect("S1")
    cluster.isolate("S3")
    for command in ("x=1", "x=2", "x=3", "x=4"):
        cluster.propose(command)
    cluster.run(100)
    cluster.heal()
    cluster.run(200)


def told(frames):
    """What a run looks like: who is in which term, what is held, committed and on its way."""
    seen = [
        [[node.role.name, node.term, len(node.log), node.commit_index] for node in frame.nodes]
        + [[type(each.message).__name__, each.message.receiver] for each in frame.in_flight]
        for frame in frames
    ]
    return hashlib.sha256(json.dumps(seen).encode()).hexdigest()


def looks_of(name, numbers):
    looks = set()

    def seen(frames):
        looks.add(told(frames))
        return True

    tests = OwnTests([four_commands], seen)
    for number in numbers:
        assert tests.on(correct(name, number)).run_alone(0).how == "passed"
    return looks


@pytest.mark.parametrize("name", OTHERWISE)
def test_one_scenario_looks_otherwise_with_each_number(name):
    plain = looks_of(FIGURE_2, range(1, 9))
    others = looks_of(name, range(1, 9))
    assert len(plain) < 3
    assert len(others - plain) > 1


def test_a_snapshot_of_what_one_machine_does_finds_nothing():
    known = looks_of(FIGURE_2, range(1, 9))
    mark = marked([four_commands], lambda frames: told(frames) in known, mistakes=["half-commits"])
    assert [each.passed for each in mark.checks if each.name == "half-commits"] == [False]


def test_an_honest_test_finds_what_it_found():
    mark = marked([runs_of("half-commits")], invariant, mistakes=["half-commits"])
    assert mark.points == mark.of == 15


def log_of(*terms):
    return RaftLog([LogEntry(term, index, Empty()) for index, term in enumerate(terms, 1)])


@pytest.mark.parametrize("number", range(20))
def test_a_hint_leaves_out_no_place_that_may_agree(number):
    rules, shipped = OtherSteps(number), Rules()
    mine, theirs = log_of(1, 1, 2, 2, 4), log_of(1, 1, 2, 3, 3, 3, 4)
    said = rules.rejection(mine, 7, 4)
    assert shipped.rejection(mine, 7, 4).hint_index <= said.hint_index < 7
    assert said.hint_term == mine.term_for_index(said.hint_index)
    progress = FollowerProgress("S2", 8, 0.0)
    least = shipped.next_index_after(said, theirs, progress)
    assert least <= rules.next_index_after(said, theirs, progress) <= 7


@pytest.mark.parametrize("number", range(20))
def test_a_message_carries_one_to_three_entries_that_follow(number):
    log = log_of(*[1] * 9)
    for first in range(1, 10):
        entries = OtherSteps(number).entries_for_one_message(log, first, False, Options())
        assert [each.index for each in entries] == [*range(first, first + len(entries))]
        assert 1 <= len(entries) <= 3


def test_what_is_shuffled_is_all_there():
    orders = {Drawing(number).shuffled("abc") for number in range(60)}
    assert len(orders) == 6 and all(sorted(each) == ["a", "b", "c"] for each in orders)

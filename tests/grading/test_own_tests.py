"""A learner's own tests are worth the mistakes that they find, if correct machines pass them."""

import random
from contextlib import suppress

import pytest

from raftlab.grading.child.clusters import TestedCluster
from raftlab.grading.own_tests import CORRECT, MISTAKES, marked
from raftlab.grading.own_tests.machines import correct, mistaken
from raftlab.grading.own_tests.meetings import Meetings
from raftlab.grading.own_tests.reference import RUNS as RUNS_BY_MISTAKE
from raftlab.grading.own_tests.reference import SCENARIOS, invariant, runs_of, two_pairs
from raftlab.grading.own_tests.runners import MOST_SCENARIOS, OwnTests
from raftlab.grading.own_tests.shown import noting
from raftlab.grading.own_tests.tested import Tested
from raftlab.museum import exhibit
from raftlab.raft.rules import Rules
from raftlab.raft.vocabulary import NotNow


def names_of(mark, passed):
    return {check.name for check in mark.checks if check.passed is passed}


def plain(start):
    cluster = start(3)
    cluster.elect("S1")
    cluster.propose("x=1")
    cluster.run(100)


def test_there_are_thirty_mistakes_and_each_is_in_the_museum_once():
    assert len(MISTAKES) == len(set(MISTAKES)) == 30
    assert {exhibit(name).name for name in MISTAKES} == {*MISTAKES}


@pytest.mark.parametrize("name", MISTAKES)
def test_each_mistake_is_found_by_the_run_that_is_told_of_it(name):
    mark = marked([runs_of(name)], invariant, mistakes=[name])
    assert mark.points == mark.of == 15


def test_tests_that_find_everything_have_all_points():
    mark = marked(SCENARIOS, invariant)
    assert not names_of(mark, False)
    assert mark.points == mark.of == 15


def test_what_survives_is_named_with_a_run_that_shows_it():
    mark = marked([plain], lambda frames: True, mistakes=["figure-8"])
    (check,) = [each for each in mark.checks if not each.passed]
    assert check.name == "figure-8" and mark.points == 3
    assert check.share == exhibit("figure-8").recording().share()
    assert exhibit("figure-8").shows_in in check.advice
    assert check.mistake and check.section


def test_a_scenario_that_fails_with_a_correct_machine_finds_nothing():
    def always(start):
        start(3)
        raise AssertionError("never right")

    mark = marked([always], invariant, mistakes=["half-elects"])
    assert mark.points == 0
    assert "always: it fails with a correct machine (Figure 2): an assert fails: never right" in (
        mark.checks[0].sentence
    )


def no_pre_vote(start):
    cluster = start(3)
    cluster.timeout("S1")
    cluster.run(5)
    assert cluster.frame()["S1"].term == 1


def test_a_scenario_that_is_right_with_one_option_only_finds_nothing():
    mark = marked([no_pre_vote], invariant, mistakes=["half-elects"])
    pre_vote = {name for name in CORRECT if CORRECT[name](1)["options"].pre_vote}
    assert len(pre_vote) == 2
    assert names_of(mark, True) == {f"correct: {name}" for name in {*CORRECT} - pre_vote}


@pytest.mark.parametrize("count", [2, 3])
def test_no_scenario_stays_sound_that_fails_with_a_correct_machine(count):
    for chance in map(random.Random, range(20)):
        tests = OwnTests([no_pre_vote] * count, lambda frames: True)
        meetings = Meetings(tests, (1, 2, 3), ["half-elects", "votes-once"], chance)
        meetings.hold()
        assert not any(map(meetings.is_sound, range(count)))


def test_one_bad_scenario_takes_nothing_from_the_others():
    def bad(start):
        start(3)
        raise ZeroDivisionError

    mark = marked([bad, runs_of("half-elects")], invariant, mistakes=["half-elects"])
    assert names_of(mark, True) == {"half-elects"}
    assert "bad: it cannot run with a correct machine (Figure 2): ZeroDivisionError." in (
        mark.checks[0].sentence
    )


def test_an_invariant_that_is_never_true_earns_nothing():
    assert marked([plain], lambda frames: False, mistakes=MISTAKES[:2]).points == 0
    assert marked([plain], lambda frames: 1 / 0, mistakes=MISTAKES[:2]).points == 0


def test_what_only_stops_a_run_finds_nothing():
    def stops(start):
        cluster = start(4)
        cluster.partition("S1 S2", "S3 S4")
        cluster.timeout("S1")
        cluster.run(100)
        if cluster.frame().leader:
            raise RuntimeError("somebody leads")

    mark = marked([stops], lambda frames: True, mistakes=["half-elects"])
    assert names_of(mark, False) == {"half-elects"}


def test_what_stops_a_scenario_hides_nothing_from_the_invariant():
    def goes_on(start):
        cluster = start(4)
        cluster.partition("S1 S2", "S3 S4")
        cluster.timeout("S1")
        cluster.timeout("S4")
        cluster.run(100)
        if cluster.frame()["S4"].role.value == "leader":
            raise RuntimeError("S4 leads")

    mark = marked([goes_on], invariant, mistakes=["half-elects"])
    assert names_of(mark, True) == {"half-elects", *(f"correct: {name}" for name in CORRECT)}


def test_without_a_scenario_or_a_cluster_there_is_nothing_to_mark():
    assert marked([], invariant, mistakes=["figure-8"]).points == 0
    mark = marked([lambda start: None], invariant, mistakes=["figure-8"])
    assert mark.points == 0
    assert "it starts no cluster: call start(3)" in mark.checks[0].sentence


def test_more_scenarios_than_are_run_are_left_out():
    ran = set()

    def numbered(number):
        def scenario(start):
            ran.add(number)
            start(3)

        return scenario

    marked(map(numbered, range(MOST_SCENARIOS + 5)), lambda frames: True, mistakes=["half-elects"])
    assert ran == {*range(MOST_SCENARIOS)}


def test_the_mark_is_the_same_twice_and_the_seed_only_moves_the_timing():
    tests = [runs_of("half-elects")]
    assert marked(tests, invariant, 5, MISTAKES[:3]) == marked(tests, invariant, 5, MISTAKES[:3])
    for seed in (2, 99):
        assert "half-elects" in names_of(marked(tests, invariant, seed, MISTAKES[:3]), True)


RUNS = [*dict.fromkeys(RUNS_BY_MISTAKE.values())]
BY_RULES = [name for name in MISTAKES if isinstance(exhibit(name).wrong.get("rules"), Rules)]


def frames_of(run, nodes, start):
    """The frames of a run, to its end or to where it stops."""
    tested = Tested(start)
    number = tested.ask("start", 0, [nodes], {})
    with suppress(NotNow):
        run(TestedCluster(lambda verb, given, named: tested.ask(verb, number, given, named)))
    return tested.runs[0].frames


@pytest.mark.parametrize(("run", "nodes"), RUNS, ids=lambda each: getattr(each, "__name__", ""))
def test_a_mistake_that_does_not_show_leads_to_the_run_of_figure_2(run, nodes):
    start, shows = noting(5)
    known = frames_of(run, nodes, start)
    assert known == frames_of(run, nodes, correct("Figure 2", 5))
    hidden = [name for name in BY_RULES if not shows(name)]
    assert hidden
    for name in hidden:
        assert frames_of(run, nodes, mistaken(name, 5)) == known
    assert all(shows(name) for name in MISTAKES if name not in BY_RULES)


def test_half_of_four_shows_in_the_run_of_two_pairs():
    start, shows = noting(5)
    frames_of(two_pairs, 4, start)
    assert shows("half-elects") and not shows("any-log-elects")

"""A learner's own tests are worth the mistakes that they find, if correct machines pass them."""

import pytest

from raftlab.grading.own_tests import CORRECT, MISTAKES, marked
from raftlab.grading.own_tests.reference import SCENARIOS, invariant, runs_of
from raftlab.grading.own_tests.runners import MOST_SCENARIOS
from raftlab.museum import exhibit


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


def test_a_scenario_that_is_right_with_one_option_only_finds_nothing():
    def no_pre_vote(start):
        cluster = start(3)
        cluster.timeout("S1")
        cluster.run(5)
        assert cluster.frame()["S1"].term == 1

    mark = marked([no_pre_vote], invariant, mistakes=["half-elects"])
    assert names_of(mark, True) == {f"correct: {name}" for name in CORRECT} - {
        "correct: pre-vote and check-quorum"
    }


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
    ran = []

    def counted(start):
        ran.append(1)
        start(3)

    marked([counted] * (MOST_SCENARIOS + 5), lambda frames: True, mistakes=["half-elects"])
    assert len(ran) == MOST_SCENARIOS * (len(CORRECT) + 1)


def test_the_mark_is_the_same_twice_and_the_seed_only_moves_the_timing():
    tests = [runs_of("half-elects")]
    assert marked(tests, invariant, 5, MISTAKES[:3]) == marked(tests, invariant, 5, MISTAKES[:3])
    for seed in (2, 99):
        assert "half-elects" in names_of(marked(tests, invariant, seed, MISTAKES[:3]), True)

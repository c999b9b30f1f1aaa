"""Nothing of a learner's own tests grows without a bound, or tells what the class hides."""

import pytest

from raftlab.grading.box import Boxes, best_kind, kind_for
from raftlab.grading.own_tests import runners
from raftlab.grading.own_tests.judge import judged
from raftlab.grading.own_tests.machines import correct
from raftlab.grading.own_tests.runners import BoxedTests
from raftlab.grading.seeds import Seeds

in_a_box = pytest.mark.skipif(best_kind() is None, reason="there is no box on this system")
SEEDS = Seeds(b"seeds of a class that is not there"), Seeds(b"seeds of another class")


@pytest.fixture(scope="module")
def boxes():
    made = Boxes(kind_for())
    yield made
    made.close()


MUCH = """
def invariant(frames):
    return True
def one(start):
    cluster = start(3)
    cluster.elect("S1")
    for place in range(100):
        cluster.propose("x" * 900)
    cluster.run(10_000)
scenarios = [one]
"""


@in_a_box
def test_a_scenario_whose_frames_are_too_much_is_stopped(boxes, monkeypatch):
    monkeypatch.setattr(runners, "MOST_TOLD", 100_000)
    came = BoxedTests((("cell 1", MUCH),), boxes).on(correct("Figure 2", 1)).run_alone(0)
    assert (came.how, "too much in the frames" in came.text) == ("raised", True)


TELLS = """
def invariant(frames):
    return True
def one(start):
    assert False, str([node.election_deadline for node in start(3).frame().nodes])
scenarios = [one]
"""


@in_a_box
def test_what_a_scenario_says_of_the_timing_of_the_class_is_not_told(boxes):
    tests = BoxedTests((("cell 1", TELLS),), boxes)
    one, other = (judged(tests, seeds, ["half-elects"]) for seeds in ((11, 12, 13), (21, 22, 23)))
    assert one == other
    assert "fails with a correct machine (Figure 2): an assert fails: [" in one.checks[0].sentence

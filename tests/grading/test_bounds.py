"""Nothing of a submission grows or goes on without a bound, or tells what the class hides."""

import pytest

from raftlab.course.exercises import exercise
from raftlab.course.exercises.clusters import LOSSY, options, problem_after_faults
from raftlab.grading import asked, open_runs
from raftlab.grading.answers import Source
from raftlab.grading.asked import ENDLESS
from raftlab.grading.batch import MOST_TOLD, _few
from raftlab.grading.box import Boxes, best_kind, kind_for
from raftlab.grading.judge import NOT_SHOWN, Judge
from raftlab.grading.machines import boxed
from raftlab.grading.machines.boxed import TOO_MUCH, BoxedProcess
from raftlab.grading.machines.judge import tried
from raftlab.grading.machines.programs import reference
from raftlab.grading.machines.trials import TRIALS
from raftlab.grading.own_tests import runners
from raftlab.grading.own_tests.judge import judged
from raftlab.grading.own_tests.machines import correct
from raftlab.grading.own_tests.runners import BoxedTests
from raftlab.grading.seeds import Seeds
from raftlab.museum import exhibit
from raftlab.sim.cluster import Cluster

in_a_box = pytest.mark.skipif(best_kind() is None, reason="there is no box on this system")
SEEDS = Seeds(b"seeds of a class that is not there"), Seeds(b"seeds of another class")


@pytest.fixture(scope="module")
def boxes():
    made = Boxes(kind_for())
    yield made
    made.close()


def judged_rule(number, body, boxes, seeds=SEEDS[0]):
    name = exercise(number).name
    text = f"import raftlab as rl\nclass Mine(rl.Rules):\n    def {name}(self, *given):\n"
    text += "".join(f"        {line}\n" for line in body.splitlines())
    source = Source((("cell 1", text),), name, "Mine")
    return Judge(boxes, seeds).judge(exercise(number), 2, source)


@in_a_box
@pytest.mark.parametrize("timeout", ["1e-9", "1e-300"])
def test_an_answer_in_which_time_stands_still_comes_to_an_end(timeout, boxes, monkeypatch):
    monkeypatch.setattr(asked, "MOST_CALLS", 500)
    found = judged_rule("5.1", f"return {timeout}", boxes)
    assert sum(each.points for each in found.checks) == 0
    assert ENDLESS in found.checks[1].sentence


HIDDEN = """
message, term = given
if term > 99:
    raise ValueError(given)
return message > term
"""
WORSE = """
message, term = given
return message >= term if term > 99 else message > term
"""


@in_a_box
@pytest.mark.parametrize("body", [HIDDEN, WORSE])
def test_what_feedback_tells_does_not_hang_on_the_seeds_of_the_class(body, boxes):
    one, other = (judged_rule("2.1", body, boxes, seeds) for seeds in SEEDS)
    assert sum(each.points for each in one.checks) == 0
    assert [each.sentence for each in one.checks] == [each.sentence for each in other.checks]
    assert [each.advice for each in one.checks] == [each.advice for each in other.checks]


@in_a_box
def test_a_case_that_only_the_class_has_is_not_told(boxes):
    judge = Judge(boxes, SEEDS[0])
    judge.judge(exercise("2.1"), 2, None)
    (term,) = {max(each.arguments) for each in judge._exercises["2.1"].every_case[-1:]}
    body = f"return (given[0] > given[1]) is not (max(given) == {term})"
    found = judged_rule("2.1", body, boxes)
    assert found.checks[0].sentence == f"is_newer_term: {NOT_SHOWN}"
    assert not found.checks[0].advice


@in_a_box
def test_a_machine_that_says_too_much_is_stopped(boxes, monkeypatch, tmp_path):
    monkeypatch.setattr(boxed, "MOST_SAID", 1000)
    folder = boxes.path / "says-too-much"
    machine = BoxedProcess(reference("M4"), boxes, folder)
    try:
        trouble = tried(TRIALS["M4"][0], machine, 1)
    finally:
        machine.end()
    assert trouble.kind == "code"
    assert TOO_MUCH in trouble.text


def test_a_share_string_that_is_long_is_left_out(monkeypatch):
    recording = exhibit("half-elects").recording()
    assert open_runs.shared(recording)
    monkeypatch.setattr(open_runs, "MOST_SHARED", 10)
    assert open_runs.shared(recording) == ""


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


def test_few_sentences_are_told_of_a_submission():
    told = _few([str(each) for each in range(130_000)])
    assert len(told) == MOST_TOLD + 1
    assert told[-1] == "and 129,960 more sentences like these"
    assert _few(["one"]) == ["one"]


@pytest.mark.parametrize("seed", [690, 858, 1038])
def test_a_cluster_whose_servers_all_believe_to_lead_goes_on(seed):
    cluster = Cluster(3, seed=seed, options=options(), network=LOSSY)
    assert problem_after_faults(cluster, seed) is None

"""One schedule under two sets of rules: where the runs part, and what the difference is."""

import pytest

from raftlab import Cluster, Misuse, Options, Rules, twin
from raftlab.check.campaign.random_run import inject_faults
from raftlab.check.campaign.random_start import start
from raftlab.sim.world.actions import Deliver, Propose
from tests.sim.looking import frame_bytes, standing


class Same(Rules):
    """The shipped rules under another name."""


class Hasty(Rules):
    """Everybody waits half as long."""

    def election_timeout(self, options, rng):
        return super().election_timeout(options, rng) / 2


class VotesTwice(Rules):
    """A vote is given to whoever asks."""

    def has_vote_left(self, *given, **named):
        return True


class Lazy(Rules):
    """Nothing is ever committed."""

    def leader_commit_index(self, matched, log, term, commit_index):
        return commit_index


class Busy(Rules):
    """No command is taken."""

    def takes_command(self, size, uncommitted_bytes, options):
        return False


class Failing(Rules):
    """It fails when a commit is due."""

    def leader_commit_index(self, matched, log, term, commit_index):
        raise ZeroDivisionError("nobody knows")


def led() -> Cluster:
    cluster = Cluster(3, seed=1)
    cluster.elect("S1")
    cluster.propose("x=1")
    return cluster.run(200)


def test_runs_under_equal_rules_never_part():
    cluster = led()
    runs = twin(cluster.recording, Rules, Same)
    assert runs.parts_at is None
    assert (runs.action, runs.before, runs.frames, runs.nodes) == (None, None, None, ())
    assert standing(runs.one) == standing(runs.other) == standing(cluster)
    assert str(runs) == f"the runs never part, in {cluster.number} steps"
    assert repr(runs) == f"<Twin: {runs}>"


@pytest.mark.parametrize("seed", range(6))
def test_random_runs_under_equal_rules_never_part(seed):
    run = start(seed)
    inject_faults(run, 500.0)
    runs = twin(run.cluster.recording, None, {"S1": Same, "S3": Same()})
    assert runs.parts_at is None
    assert runs.one.recording == run.cluster.recording
    assert runs.other.actions == run.cluster.actions


def test_the_first_step_that_differs_is_marked():
    recording = led().recording
    runs = twin(recording, None, Lazy)
    number = runs.parts_at
    assert number is not None
    assert runs.action == recording.actions[number - 1]
    assert isinstance(runs.action, Deliver)
    assert runs.nodes == ("S1",)
    assert runs.before is not None
    assert runs.frames is not None
    before, after = recording.branch(number - 1), recording.branch(number)
    assert frame_bytes(runs.before) == frame_bytes(before.frame())
    assert frame_bytes(runs.frames[0]) == frame_bytes(after.frame())
    mine, theirs = (frame["S1"] for frame in runs.frames)
    assert (mine.commit_index, theirs.commit_index) == (1, 0)
    for place in range(number):
        frames = [recording.start(rules).frame() for rules in (None, Lazy)]
        assert frames[0].nodes == frames[1].nodes, place


def test_before_they_part_the_runs_are_equal():
    recording = led().recording
    number = twin(recording, None, Lazy).parts_at or 0
    assert number > 0
    one, other = recording.upto(number - 1).start(), recording.upto(number - 1).start(Lazy)
    for action in recording.actions[: number - 1]:
        one.apply(action)
        other.apply(action)
        assert one.frame().nodes == other.frame().nodes
        assert one.frame().in_flight == other.frame().in_flight


def test_after_they_part_both_go_on_to_the_end_of_the_schedule():
    recording = led().recording
    runs = twin(recording, Lazy, None)
    assert runs.other.recording == recording
    assert runs.one.now == runs.other.now
    assert runs.one.commit_index == 0
    assert standing(runs.one) == standing(recording.replay(rules=Lazy))


def test_the_difference_is_told_in_words():
    recording = led().recording
    text = str(twin(recording, None, Lazy))
    number = twin(recording, None, Lazy).parts_at
    assert text.startswith(f"the runs part at frame {number}, ")
    assert "One: S1 receives an acknowledgement" in text
    assert ". Other: S1 receives an acknowledgement" in text
    assert text.endswith(".")
    assert ".." not in text


def test_what_is_refused_in_one_of_them_is_said():
    cluster = led()
    number = next(
        place for place, each in enumerate(cluster.actions, 1) if isinstance(each, Propose)
    )
    runs = twin(cluster.recording, None, Busy)
    assert runs.parts_at == number
    assert runs.frames is not None
    assert [frame.number for frame in runs.frames] == [number, number - 1]
    assert "One: a client hands x=1 to S1" in str(runs)
    assert str(runs).endswith(" Other: it is refused.")
    assert (
        str(twin(cluster.recording, Busy, None)).count("One: it is refused. Other: a client") == 1
    )


def test_what_is_refused_in_both_is_left_out():
    refused = Cluster(3, seed=1).recording.of([Propose(0.0, "S1", b"x=1")])
    runs = twin(refused, None, Same)
    assert runs.parts_at is None
    assert runs.one.number == runs.other.number == 0


def test_runs_may_part_before_the_first_step():
    runs = twin(led().recording, None, Hasty)
    assert runs.parts_at == 0
    assert (runs.action, runs.before) == (None, None)
    assert runs.nodes == ("S1", "S2", "S3")
    assert runs.frames is not None
    assert [frame.number for frame in runs.frames] == [0, 0]
    assert str(runs).startswith("the runs part before the first step: S1 differs in its election")


def test_a_violation_parts_the_runs_and_is_not_raised():
    cluster = Cluster(3, seed=1, options=Options.figure_2())
    for node in ("S1", "S2"):
        cluster.timeout(node)
    cluster.run(100)
    runs = twin(cluster.recording, None, VotesTwice)
    assert runs.parts_at is not None
    assert runs.other.violation is not None
    assert runs.other.violation.nodes
    assert runs.one.violation is None
    assert runs.one.recording == cluster.recording


def test_a_machine_that_fails_parts_the_runs_and_the_other_goes_on():
    recording = led().recording
    runs = twin(recording, Failing, None)
    assert runs.parts_at is not None
    assert runs.one.stopped is not None
    assert "ZeroDivisionError" in runs.one.stopped
    assert runs.other.recording == recording


@pytest.mark.parametrize("rules", [int, {"S9": Rules}, "Rules"])
def test_what_are_no_rules_is_refused(rules):
    with pytest.raises(Misuse, match="rules"):
        twin(led().recording, None, rules)


def test_a_run_in_which_nothing_happened_has_no_place_to_part():
    assert str(twin(Cluster(3).recording, None, Same)) == "the runs never part, in 0 steps"


def test_a_cluster_is_as_good_as_its_recording():
    cluster = Cluster(3, seed=1)
    cluster.elect()
    cluster.propose("x=1")
    cluster.run(100)
    parted = twin(cluster, Rules, Lazy)
    assert str(parted) == str(twin(cluster.recording, Rules, Lazy))
    assert parted.parts_at is not None


def test_what_is_no_run_has_no_twin():
    for run in (None, 3, "raftlab.1.", Rules):
        with pytest.raises(Misuse, match="a run is a recording, or a cluster"):
            twin(run, Rules, Lazy)

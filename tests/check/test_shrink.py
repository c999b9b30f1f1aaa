"""What is left of a failing run is short, fails in the same way, and plays from scratch."""

import signal
from functools import cache

import pytest

from raftlab import Cluster, Misuse, NotNow, Options, Rules, Violation
from raftlab.check.campaign.random_run import inject_faults
from raftlab.check.campaign.random_start import start
from raftlab.check.shrink import ShrinkInterrupted, shrink
from raftlab.check.shrink.minimize import commands_in, ending
from raftlab.check.shrink.steps import as_steps, play_steps
from raftlab.raft.machine import RaftStateMachine
from raftlab.sim.world.actions import Deliver, Tick, Timeout, Written
from tests.sim.test_mutants import UNSAFE
from tests.sim.toy_machine import ToyMachine

# Mistakes, the seed that meets them, and how many actions are more than enough to show them.
SHRUNK = {
    ("refusals count as votes", 0): 24,
    ("a vote is given twice", 0): 15,
    ("logs are not compared", 4): 17,
    ("only the last terms of logs are compared", 14): 28,
    ("committed entries are cut", 0): 30,
    ("one copy commits", 0): 15,
    ("committed entries are skipped", 0): 28,
    ("a second change does not wait", 3): 25,
    ("the joint configuration is left too early", 12): 24,
}


@cache
def failing(name: str, seed: int):
    """The recording of a random run that wrong rules do not survive."""
    (mutant,) = [each for each in UNSAFE if each.title == name]
    run = start(seed, **mutant.wrong)
    with pytest.raises(Violation):
        inject_faults(run)
    return run.cluster.recording


@cache
def shortest(name: str, seed: int):
    """What is left of it."""
    return shrink(failing(name, seed))


@pytest.fixture(scope="module")
def two_votes():
    return failing("a vote is given twice", 0)


@pytest.mark.parametrize(("name", "seed"), SHRUNK)
def test_a_failing_run_becomes_short_and_breaks_the_same_property(name, seed):
    recording = failing(name, seed)
    shrunk = shortest(name, seed)
    assert len(shrunk) <= SHRUNK[name, seed]
    assert shrunk.setup == recording.setup
    with pytest.raises(Violation) as caught:
        shrunk.replay()
    assert caught.value.frame.name == ending(recording)
    assert caught.value.frame.frame == len(shrunk)
    assert shrink(shrunk) == shrunk


def test_the_same_recording_gives_the_same_answer(two_votes):
    assert shrink(two_votes).encode() == shrink(two_votes).encode()


def test_the_correct_rules_survive_what_is_left():
    for title, seed in SHRUNK:
        right = shortest(title, seed).attempt(rules=Rules(), machine=RaftStateMachine)
        assert right.violation is None


def test_at_ctrl_c_the_shortest_run_until_then_is_kept(two_votes):
    def interrupt(tried, actions):
        if tried == 40:
            signal.raise_signal(signal.SIGINT)

    with pytest.raises(ShrinkInterrupted) as interrupted:
        shrink(two_votes, progress=interrupt)
    assert interrupted.value.shortest == shrink(two_votes, budget=39)
    assert isinstance(interrupted.value, KeyboardInterrupt)


def test_a_budget_is_kept_and_what_was_found_by_then_is_given(two_votes):
    assert shrink(two_votes, budget=0) == two_votes
    some = shrink(two_votes, budget=40)
    assert len(shrink(two_votes)) < len(some) < len(two_votes)
    assert ending(some) == "One Vote Per Term"


def test_a_run_that_ends_well_has_nothing_to_keep():
    cluster = Cluster(3, seed=1)
    cluster.run(100)
    with pytest.raises(Misuse, match="nothing wrong"):
        shrink(cluster.recording)


def test_another_property_than_the_one_that_fell_cannot_be_kept(two_votes):
    with pytest.raises(Misuse, match="ends in One Vote Per Term, and not in Log Matching"):
        shrink(two_votes, "Log Matching")


def test_what_is_kept_can_be_any_question_about_the_cluster():
    cluster = Cluster(5, seed=3)
    cluster.elect("S2")
    cluster.run(1000)
    cluster.propose("x=1")
    cluster.run(200)

    def holds_x(cluster: Cluster) -> bool:
        return any(host.application.get("x") for host in cluster.hosts.values())

    shrunk = shrink(cluster.recording, holds_x)
    assert holds_x(shrunk.replay())
    assert len(shrunk) < 25


class Stumbles(RaftStateMachine):
    """It cannot count further than five."""

    def add_entry(self, payload):
        if self.log.last_index > 5:
            raise ZeroDivisionError("five")
        return super().add_entry(payload)


def test_a_machine_that_raises_is_shrunk_too():
    run = start(0, machine=Stumbles)
    with pytest.raises(ZeroDivisionError):
        inject_faults(run)
    shrunk = shrink(run.cluster.recording)
    assert ending(shrunk) == "raised ZeroDivisionError"
    assert len(shrunk) < 20
    with pytest.raises(ZeroDivisionError):
        shrunk.replay()


class VotesForAll(ToyMachine):
    def on_request(self, request):
        self.voted_for = None
        super().on_request(request)


def test_a_learners_machine_is_shrunk_too():
    run = start(1, machine=VotesForAll, options=Options.figure_2())
    with pytest.raises(Violation):
        inject_faults(run)
    assert len(shrink(run.cluster.recording)) < 20


# Playing a part of a run


def test_all_the_steps_of_a_run_are_the_run():
    run = start(5)
    inject_faults(run)
    recording = run.cluster.recording
    played = play_steps(recording, as_steps(recording))
    assert played.actions == recording.actions
    assert played.fallen is None


def test_a_message_is_found_by_what_it_says_when_an_earlier_one_is_not_sent():
    cluster = Cluster(3, seed=2)
    cluster.elect("S1")
    cluster.run(200)
    cluster.propose("x=1")
    cluster.run(100)
    cluster.propose("y=2")
    cluster.run(100)
    recording = cluster.recording
    steps = [step for step in as_steps(recording) if b"x=1" not in commands_in(step)]
    played = play_steps(recording, steps)
    assert len(played.steps) > 10
    assert played.cluster.hosts["S2"].application.get("y") == "2"
    assert recording.of(played.actions).replay().hosts["S2"].application.get("x") is None


def test_a_tick_waits_for_its_deadline():
    cluster = Cluster(3, seed=2)
    cluster.run(1)
    steps = [step for step in as_steps(cluster.recording) if not isinstance(step.action, Tick)]
    early = type(steps[0])(Tick(0.0, "S2")) if steps else None
    assert early is not None
    played = play_steps(cluster.recording, [early])
    assert played.actions[0].at >= 150
    assert played.cluster.machine("S2").term == 0 or played.cluster.leader is None


def test_what_could_not_have_been_asked_for_is_left_out():
    cluster = Cluster(3, seed=2)
    cluster.crash("S1")
    cluster.restart("S1")
    cluster.pause("S2")
    cluster.resume("S2")
    steps = as_steps(cluster.recording)
    restart, pause, resume = steps[1], steps[2], steps[3]
    assert play_steps(cluster.recording, [restart]).steps == ()
    assert play_steps(cluster.recording, [resume]).steps == ()
    assert play_steps(cluster.recording, [pause, pause, steps[0]]).steps == (pause, steps[0])


def test_a_shrunk_run_says_little_about_writes():
    """A disk that writes at once takes one action and not one for every write."""
    shrunk = shortest("committed entries are skipped", 0)
    kinds = [type(action) for action in shrunk.actions]
    written = [each.node for each in shrunk.actions if isinstance(each, Written)]
    assert len(written) == len(set(written))
    assert Deliver in kinds
    assert {Timeout, Tick} & set(kinds)


def test_a_cluster_is_shrunk_as_its_recording_is(two_votes):
    assert shrink(two_votes.attempt()) == shortest("a vote is given twice", 0)


def test_what_is_no_run_is_not_shrunk():
    for run in (None, 3, "raftlab.1."):
        with pytest.raises(Misuse, match="a run is a recording, or a cluster"):
            shrink(run)


class Fades(Rules):
    """A vote is given twice, as long as few clusters have been made."""

    made = 0
    most = 1000

    def __init__(self):
        Fades.made += 1

    def has_vote_left(self, *given, **named):
        return Fades.made <= Fades.most or super().has_vote_left(*given, **named)


def test_a_run_that_does_not_do_the_same_twice_is_not_shrunk():
    run = start(4, rules=Fades)
    with pytest.raises(Violation):
        inject_faults(run)
    Fades.most = 2 * Fades.made  # it is played once as it was, and no more
    with pytest.raises(Misuse, match="do not do the same twice: "):
        shrink(run.cluster)
    with pytest.raises(Misuse, match="do not do the same twice, or this run never happened so"):
        shrink(run.cluster)


def test_a_machine_that_raises_a_refusal_has_raised_it():
    class Refuses(Rules):
        def has_vote_left(self, *asked):
            raise NotNow("not now")

    cluster = Cluster(3, seed=1, rules=Refuses())
    with pytest.raises(NotNow):
        cluster.run(1000)
    assert ending(cluster.recording) == "raised NotNow"

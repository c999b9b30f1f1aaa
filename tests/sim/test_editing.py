"""Another past: a run without a step, with one more, in another order, under other rules."""

import pytest

from raftlab import Cluster, Misuse, Options, Rules, Violation
from raftlab.check.campaign.random_run import inject_faults
from raftlab.check.campaign.random_start import start
from raftlab.sim.world.action import Action
from raftlab.sim.world.actions import (
    Crash,
    Deliver,
    Drop,
    Propose,
    Restart,
    SetClockRate,
    Timeout,
    Wait,
)
from tests.sim.looking import drive, faulty_cluster, standing
from tests.sim.test_mutants import UNSAFE
from tests.sim.toy_machine import ToyMachine


def led() -> Cluster:
    cluster = Cluster(3, seed=1)
    cluster.elect("S1")
    cluster.propose("x=1")
    cluster.run(50)
    cluster.crash("S2")
    cluster.run(20)
    cluster.restart("S2")
    return cluster.run(200)


def place_of(cluster: Cluster, kind: type) -> int:
    return next(place for place, each in enumerate(cluster.actions) if isinstance(each, kind))


class Same(Rules):
    """The shipped rules under another name."""


class Lazy(Rules):
    """Nothing is ever committed."""

    def leader_commit_index(self, matched, log, term, commit_index):
        return commit_index


# attempt


def test_an_attempt_at_what_happened_happens_again():
    cluster = led()
    again = cluster.recording.attempt()
    assert again.recording == cluster.recording
    assert standing(again) == standing(cluster)


def test_what_cannot_happen_is_left_out():
    cluster = led()
    absurd: list[Action] = [
        Restart(0.0, "S9"),
        Deliver(0.0, "S1", "S2", 99),
        Timeout(0.0, "S7"),
        Wait(-1.0),
    ]
    mixed = [each for action in cluster.actions for each in (*absurd[:3], action)]
    assert cluster.recording.attempt(mixed).recording == cluster.recording


def test_what_would_happen_in_the_past_happens_now():
    recording = Cluster(3, seed=1).recording
    cluster = recording.attempt([Wait(100.0), Crash(30.0, "S1"), Wait(200.0), Restart(0.0, "S1")])
    assert cluster.actions == [
        Wait(100.0),
        Crash(100.0, "S1"),
        Wait(200.0),
        Restart(200.0, "S1"),
    ]


def test_what_an_attempt_leaves_is_a_run_like_any_other():
    recording = drive(faulty_cluster()).recording
    backwards = recording.attempt(recording.actions[::-1]).recording
    assert 0 < len(backwards) < len(recording)
    assert standing(backwards.replay()) == standing(backwards.attempt())


@pytest.mark.parametrize("seed", range(8))
def test_random_edits_of_random_runs_play_again_as_they_went(seed):
    run = start(seed)
    inject_faults(run, 400.0)
    recording = run.cluster.recording
    for _ in range(3):
        number = run.rng.randrange(len(recording))
        other = run.rng.randrange(len(recording))
        edits = (
            recording.without(number, other),
            recording.move(number, other),
            recording.insert(number, Timeout(0.0, "S1", True)),
            recording.insert(number, recording.actions[other]),
        )
        for edited in edits:
            assert edited.setup == recording.setup
            times = [action.at for action in edited.actions]
            assert times == sorted(times)
            assert standing(edited.branch(len(edited))) == standing(edited.attempt())


def test_an_attempt_ends_where_a_property_breaks():
    mutant = UNSAFE[0]
    cluster = mutant.cluster()
    with pytest.raises(Violation):
        mutant.run(cluster)
    recording = cluster.recording
    again = recording.attempt([*recording.actions, Wait(10_000.0)])
    assert again.violation == cluster.violation
    assert again.recording == recording
    with pytest.raises(Violation):
        recording.replay()


def test_an_attempt_ends_where_a_machine_fails():
    class Failing(ToyMachine):
        def tick(self, now):
            raise ZeroDivisionError("nobody knows")

    cluster = Cluster(3, seed=1, options=Options.figure_2(), machine=ToyMachine).run(1000)
    again = cluster.recording.attempt(machine=Failing)
    assert again.number == 1
    assert again.stopped is not None
    assert "ZeroDivisionError: nobody knows" in again.stopped
    assert again.recording.branch(1).stopped == again.stopped


def test_an_action_with_a_value_that_cannot_be_is_left_out_like_any_other():
    assert not led().recording.attempt([SetClockRate(0.0, "S1", 0.0)]).actions


# without


def test_a_run_without_nothing_is_the_run():
    recording = led().recording
    assert recording.without() == recording


def test_a_run_without_a_crash_keeps_the_node():
    cluster = led()
    crash = place_of(cluster, Crash)
    edited = cluster.recording.without(crash)
    assert not any(isinstance(each, Crash) for each in edited.actions)
    assert edited.branch(crash).recording == cluster.recording.upto(crash)
    frames = list(edited.frames())
    assert all(frame["S2"].alive for frame in frames)


def test_what_hung_on_an_action_goes_with_it():
    cluster = led()
    proposed = place_of(cluster, Propose)
    edited = cluster.recording.without(proposed)
    assert edited.replay().frame()["S1"].values == {}
    assert len(edited) < len(cluster.recording) - 1
    assert cluster.recording.without(*range(cluster.number)) == Cluster(3, seed=1).recording


@pytest.mark.parametrize("number", [-1, 10_000, 1.0, "1", None])
def test_there_is_no_action_that_did_not_happen(number):
    recording = led().recording
    for edit in (
        lambda: recording.without(number),
        lambda: recording.move(number, 0),
        lambda: recording.move(0, number),
    ):
        with pytest.raises(Misuse, match="this run has the actions 0 to"):
            edit()
    with pytest.raises(Misuse, match="and no frame"):
        recording.insert(number, Crash(0.0, "S1"))


def test_a_run_in_which_nothing_happened_has_no_action():
    with pytest.raises(Misuse, match="no action 0"):
        Cluster(3).recording.without(0)


# insert


def test_an_action_is_inserted_before_another_and_its_time_made_to_fit():
    recording = led().recording
    for at in (0.0, 1e9, recording.actions[20].at):
        edited = recording.insert(20, Crash(at, "S3"))
        assert edited.upto(20) == recording.upto(20)
        assert isinstance(edited.actions[20], Crash)
        assert recording.actions[19].at <= edited.actions[20].at <= recording.actions[20].at
        assert not edited.branch(21).hosts["S3"].alive


def test_an_action_may_be_the_first_and_the_last():
    recording = led().recording
    first = recording.insert(0, Crash(5.0, "S3"))
    assert first.actions[0] == Crash(recording.actions[0].at, "S3")
    last = recording.insert(len(recording), Crash(0.0, "S3"))
    assert last.actions[:-1] == recording.actions
    assert last.actions[-1] == Crash(recording.actions[-1].at, "S3")
    late = recording.insert(len(recording), Crash(9999.5, "S3"))
    assert late.actions[-1] == Crash(9999.5, "S3")
    assert Cluster(3).recording.insert(0, Crash(2.0, "S3")).actions == (Crash(2.0, "S3"),)


def test_an_action_that_cannot_happen_there_is_not_inserted():
    recording = led().recording
    assert recording.insert(20, Restart(0.0, "S9")) == recording


@pytest.mark.parametrize("action", [None, "crash S1", ("crash", 0.0, "S1"), Crash])
def test_only_actions_are_inserted(action):
    with pytest.raises(Misuse, match=r"actions of raftlab\.sim\.world"):
        led().recording.insert(0, action)


def test_a_lost_message_is_lost_instead_of_delivered():
    cluster = led()
    place, was = next(
        (place, each) for place, each in enumerate(cluster.actions) if isinstance(each, Deliver)
    )
    edited = cluster.recording.insert(place, Drop(was.at, was.sender, was.receiver, was.nth))
    assert isinstance(edited.actions[place], Drop)
    assert was not in edited.actions


# move


def test_an_action_is_moved_earlier_and_later():
    cluster = led()
    crash = place_of(cluster, Crash)
    for to in (0, 5, crash, crash + 9):
        edited = cluster.recording.move(crash, to)
        crashes = [place for place, each in enumerate(edited.actions) if type(each) is Crash]
        is_before_the_restart = to < place_of(cluster, Restart)
        assert crashes == [to if is_before_the_restart else to - 1]
        assert any(type(each) is Restart for each in edited.actions) is is_before_the_restart
        assert not edited.branch(crashes[0] + 1).hosts["S2"].alive


def test_what_is_moved_to_its_own_place_stays():
    recording = led().recording
    for number in range(0, len(recording), 9):
        assert recording.move(number, number) == recording


# branch, replay, of


@pytest.mark.parametrize("number", [0, 1, 17, 40])
def test_a_branch_goes_on_in_another_way(number):
    cluster = led()
    branch = cluster.recording.branch(number)
    assert branch.recording == cluster.recording.upto(number)
    assert standing(branch) == standing(cluster.at(number))
    branch.crash("S3")
    branch.run(100)
    assert branch.recording.upto(number) == cluster.recording.upto(number)
    assert branch.recording != cluster.recording


@pytest.mark.parametrize("number", [-1, 10_000, 1.0, "1"])
def test_there_is_no_branch_where_nothing_was(number):
    with pytest.raises(Misuse, match="and no frame"):
        led().recording.branch(number)


def test_a_branch_at_a_violation_shows_it():
    mutant = UNSAFE[0]
    cluster = mutant.cluster()
    with pytest.raises(Violation):
        mutant.run(cluster)
    recording = cluster.recording
    assert recording.branch(len(recording)).violation == cluster.violation
    assert recording.branch(len(recording) - 1).violation is None


def test_a_replay_goes_on_as_the_run_would_have():
    cluster = led()
    again = cluster.recording.replay()
    assert standing(again) == standing(cluster)
    assert standing(again.run(500)) == standing(cluster.run(500))


def test_a_replay_under_other_rules_shows_what_would_have_been():
    cluster = led()
    assert standing(cluster.recording.replay(rules=Same)) == standing(cluster)
    lazy = cluster.recording.replay(rules=Lazy)
    assert cluster.commit_index > 0
    assert lazy.commit_index == 0
    assert lazy.setup.rules[0][1].endswith(":Lazy")
    assert {type(host.rules) for host in lazy.hosts.values()} == {Lazy}


def test_a_replay_under_rules_that_break_a_property_stops_there_and_tells():
    mutant = next(each for each in UNSAFE if "rules" in each.wrong)
    wrong = mutant.cluster()
    with pytest.raises(Violation):
        mutant.run(wrong)
    right = wrong.recording.replay(rules=Rules)
    assert right.violation is None
    assert right.stopped is None
    again = wrong.recording.replay(rules=mutant.wrong["rules"])
    assert again.violation == wrong.violation


def test_a_replay_may_have_another_machine():
    cluster = Cluster(3, seed=1, options=Options.figure_2()).run(1000)
    again = cluster.recording.replay(machine=ToyMachine)
    assert {type(host.machine) for host in again.hosts.values()} == {ToyMachine}
    assert again.leader is not None


def test_other_actions_are_taken_as_they_are_given():
    recording = led().recording
    other = recording.of(iter([Wait(5.0)]))
    assert other.actions == (Wait(5.0),)
    assert other.setup == recording.setup
    untried = recording.of([Restart(0.0, "S9")])
    with pytest.raises(Misuse):
        untried.replay()
    assert len(untried.attempt().recording) == 0


def test_truth_values_are_no_numbers():
    run = led().recording
    for wrong in (
        lambda: run.without(True),
        lambda: run.upto(True),
        lambda: run.branch(True),
        lambda: run.move(True, 0),
        lambda: run.move(0, True),
    ):
        with pytest.raises(Misuse, match="True"):
            wrong()


def test_only_actions_are_played_and_only_by_a_machine():
    run = led().recording
    for actions in ([1, 2], 5, "ab"):
        with pytest.raises(Misuse, match=r"actions of raftlab\.sim\.world"):
            run.attempt(actions)
    for play in (run.replay, run.attempt, run.start):
        with pytest.raises(Misuse, match="a machine is a class"):
            play(machine=5)

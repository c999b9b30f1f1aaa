"""Faults really happen: one that is aimed at nothing fails the campaign, and each is counted."""

import json

import msgspec
import pytest

from raftlab import Cluster, Misuse, NotNow, Options
from raftlab.check.campaign import campaign, faults, timed_faults
from raftlab.check.campaign.heading import heading_of
from raftlab.check.campaign.random_run import inject_faults
from raftlab.check.campaign.random_start import start
from raftlab.check.campaign.run_state import RandomRun
from raftlab.check.campaign.trial import FAULT_NAMES, Conditions, SeedResult, replayed
from raftlab.check.shrink import shrink
from raftlab.raft.vocabulary import REFUSALS
from raftlab.sim.world.actions import Crash, Reconfigure, SetNetwork, Wipe

NOBODY = ["forget_leader", "compact", "transfer", "promote", "remove", "isolate", "slow_disk"]


@pytest.mark.parametrize("verb", [*NOBODY, "read"])
def test_a_fault_that_is_aimed_at_nobody_fails_the_campaign(verb, monkeypatch):
    real = getattr(Cluster, verb)

    def astray(cluster, *given):
        return real(cluster, *given[:1], "S99") if verb == "read" else real(cluster, "S99")

    def aimed_at_nobody(cluster, *given):
        return real(cluster, "S99", *given[1:])

    monkeypatch.setattr(Cluster, verb, astray if verb == "read" else aimed_at_nobody)
    result = campaign(8)
    assert result.failures
    assert {each.verdict for each in result.failures} == {"raised"}
    assert all("S99" in each.text for each in result.failures)


def test_what_is_not_possible_now_fails_nothing(monkeypatch):
    def never(cluster, *given):
        raise NotNow("later")

    monkeypatch.setattr(Cluster, "forget_leader", never)
    result = campaign(6)
    assert not result.failures
    assert result.faults["forget_leader"] == 0


def test_how_often_each_fault_happened_is_counted_and_one_that_never_did_is_named():
    result = campaign(4)  # of so few seeds that some faults never happen, and this one does
    assert tuple(result.faults) == FAULT_NAMES
    assert all(type(count) is int for count in result.faults.values())
    assert result.faults["perturb_message"] > 0, "choose a fault that these seeds now have"
    never = [name for name, count in result.faults.items() if not count]
    said = " ".join(str(result).split())
    assert f"perturb_message {result.faults['perturb_message']}" in said
    assert never
    assert said.endswith(f"never happened: {', '.join(never)}.")
    for name in never:
        assert f"{name} 0" not in said


def test_a_fault_counts_when_it_has_done_something(monkeypatch):
    """As many crashes and lost disks as the run holds, for faults that do nothing else."""
    run = start(5, 3, options=Options())
    inject_faults(run, 800.0, [(faults.crash, 5), (faults.crash_all, 1), (faults.restart, 9)])
    crashes = sum(isinstance(action, Crash) for action in run.cluster.actions)
    assert 0 < run.happened["crash"] <= crashes
    assert run.happened["crash_leader"] == 0
    wiped = sum(isinstance(each, Wipe) for each in run.cluster.actions)
    assert run.happened["wipe"] == wiped == 0


def test_a_fault_that_finds_nothing_to_do_does_not_count():
    run = start(1, 3)
    run.rng.seed(1)
    inject_faults(run, 2500.0, [(faults.resume_all, 1), (faults.heal, 1)])
    assert run.happened["resume_all"] == 0
    assert run.happened["heal"] > 0


def test_plans_count_once_each():
    seen = replayed(3, Conditions()).happened
    names = {plan.__name__ for plan, _ in timed_faults.PLANS}
    assert names <= {*FAULT_NAMES}
    assert sum(seen[name] for name in names) < 200


def test_the_fault_in_which_a_property_broke_is_counted(monkeypatch):
    def fell(run: RandomRun) -> None:
        run.cluster.heal()
        raise ZeroDivisionError

    monkeypatch.setattr(faults, "heal", fell)
    run = start(1, 3)
    with pytest.raises(ZeroDivisionError):
        inject_faults(run, 2000.0, [(fell, 1)])
    assert run.happened["fell"] == 1


def test_results_are_kept_with_their_faults_and_those_without_are_read():
    result = campaign(1).results[0]
    line = msgspec.json.encode(result)
    assert msgspec.json.decode(line, type=SeedResult) == result
    assert hash(result) == hash(msgspec.json.decode(line, type=SeedResult))
    before = json.loads(line)
    assert before.pop("faults")
    assert msgspec.json.decode(json.dumps(before), type=SeedResult).faults == ()


def test_a_campaigns_file_knows_the_code_that_decides():
    """Otherwise the results of two versions would be mixed."""
    assert heading_of(Conditions()).code != "00000000"


def test_an_edited_run_may_name_a_server_that_is_not_in_it_any_more():
    cluster = Cluster(3, seed=1)
    cluster.elect("S1")
    cluster.run(100)
    cluster.add_learner("S4")
    cluster.run(200)
    cluster.crash("S4")
    cluster.restart("S4")
    cluster.run(50)
    recording = cluster.recording
    (join,) = [n for n, each in enumerate(recording.actions) if type(each).__name__ == "Join"]
    edited = recording.without(join)
    assert "S4" not in edited.replay().nodes
    assert not any(getattr(each, "node", None) == "S4" for each in edited.actions)
    with pytest.raises(Misuse, match="There is no node 'S4'"):
        edited.start().crash("S4")


def test_a_run_that_cannot_be_played_is_a_misuse_whatever_was_refused():
    """To play it again is in vain."""
    recording = Cluster(3, seed=1).recording.of([Crash(1.0, "S1"), Crash(2.0, "S1")])
    for play in (recording.replay, lambda: recording.branch(2), recording.share):
        with pytest.raises(Misuse, match="S1 is down"):
            play()
    cluster = recording.branch(1)
    with pytest.raises(NotNow, match="S1 is down"):
        cluster.apply(Crash(2.0, "S1"))
    assert issubclass(NotNow, REFUSALS)


# The network, worse and better


def test_a_campaign_changes_the_network_only_if_it_is_asked_to():
    plain, changing = campaign(6), campaign(6, change_network=True)
    assert not changing.failures
    assert "worsen_network" not in plain.faults
    assert changing.faults["worsen_network"] > 0
    assert changing.faults["restore_network"] > 0
    assert "worsen_network" in str(changing) and "worsen_network" not in str(plain)
    assert campaign(6, change_network=False) == plain
    with pytest.raises(Misuse, match="change_network is True or False, not 'yes'"):
        campaign(6, change_network="yes")


def test_a_change_of_the_network_counts_when_there_is_one():
    run = start(3, 3, change_network=True)
    inject_faults(run, 1500.0, [(faults.worsen_network, 1), (faults.restore_network, 3)])
    changes = [each for each in run.cluster.actions if isinstance(each, SetNetwork)]
    worse = run.happened["worsen_network"]
    assert 0 < worse <= len(changes)
    assert 0 < run.happened["restore_network"] <= worse


def test_a_campaign_with_another_network_has_a_file_of_its_own():
    changing = Conditions(given={"change_network": True})
    assert heading_of(changing) != heading_of(Conditions())


def test_a_run_in_which_the_network_changes_is_shrunk():
    run = replayed(2, Conditions(given={"change_network": True}))
    shrunk = shrink(run.cluster.recording, lambda cluster: SetNetwork in map(type, cluster.actions))
    assert [type(each) for each in shrunk.actions] == [SetNetwork]


def test_a_campaign_may_leave_the_members_as_they_are():
    result = campaign(12, change_members=False, options=Options.figure_2())
    assert not result.failures
    changes = {verb.__name__ for verb in faults.MEMBERSHIP_CHANGES}
    assert {name for name in changes if result.faults[name]} == set()
    for seed in range(4):
        actions = result.recording(seed).actions
        assert not any(isinstance(each, Reconfigure) for each in actions)
    assert campaign(3, change_members=True) == campaign(3)
    with pytest.raises(Misuse, match="change_members is True or False, not 1"):
        campaign(1, change_members=1)

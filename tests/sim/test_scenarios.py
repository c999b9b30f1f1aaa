"""Every named situation is what its sentence says, replays, and goes on well."""

import inspect
from pathlib import Path

import msgspec
import pytest

import raftlab
from raftlab import Cluster, Configuration, Misuse, NotNow, Role
from raftlab.raft.messages import (
    AppendEntries,
    AppendEntriesReply,
    InstallSnapshot,
    ReadIndex,
    RequestVote,
    RequestVoteReply,
    TimeoutNow,
)
from raftlab.sim import scenarios
from raftlab.sim.scenarios import SCENARIOS, TOPICS, scenario
from raftlab.sim.scenarios.registry import REGISTERED
from raftlab.sim.scenarios.replication import FOLLOWERS_OF_FIGURE_7
from raftlab.sim.watch.properties import PROPERTIES
from raftlab.view import scene_logs
from tests.sim.looking import frame_bytes
from tests.view.boxes import texts

LEADER_OF_FIGURE_7 = [1, 1, 1, 4, 4, 5, 5, 6, 6, 6]

EVERY = [(name, panel) for name, each in SCENARIOS.items() for panel in each.panels or ("",)]
SOUND = [(name, panel) for name, panel in EVERY if SCENARIOS[name].is_sound]
BREAKING = [(name, panel) for name, each in SCENARIOS.items() for panel in each.breaks]

# Where timers run out together, or sooner than an answer comes, an election can take for ever.
SPLIT_FOR_LONG = {
    ("same_timeouts", ""),
    ("figure_16", "150-150"),
    ("figure_16", "150-151"),
    ("figure_16", "12-24"),
}


@pytest.fixture(params=[1, 2, 7])
def seed(request) -> int:
    return request.param


def staged(name: str, panel: str, **given: int) -> Cluster:
    return scenario(name)(*([panel] if panel else []), **given)


def log(cluster: Cluster, node: str) -> list[int]:
    """The terms of a node's entries; of one that is down, what its disk holds."""
    return [entry.term for entry in cluster.frame()[node].log]


def logs(cluster: Cluster) -> list[list[int]]:
    return [log(cluster, node) for node in cluster.nodes]


def term(cluster: Cluster, node: str) -> int:
    return cluster.frame()[node].term


def role(cluster: Cluster, node: str) -> Role:
    return cluster.frame()[node].role


def commit(cluster: Cluster, node: str) -> int:
    return cluster.frame()[node].commit_index


def value(cluster: Cluster, node: str, key: str) -> str | None:
    return cluster.frame()[node].values.get(key)


def leaders(cluster: Cluster) -> dict[str, int]:
    """Who leads, as far as it knows, and in which term."""
    nodes = cluster.frame().nodes
    return {each.node: each.term for each in nodes if each.alive and each.role is Role.LEADER}


def flying(cluster: Cluster, kind: type) -> set[tuple[str, str]]:
    """From whom to whom such messages are on their way."""
    return {each.key[:2] for each in cluster.in_flight() if isinstance(each.message, kind)}


def broken(cluster: Cluster) -> str:
    """The property at which the run stopped."""
    assert cluster.violation is not None
    with pytest.raises(NotNow):
        cluster.run(1)
    return cluster.violation.name


# The list


def test_there_are_many_and_each_says_what_it_shows_and_where_that_is_from():
    assert len(SCENARIOS) >= 45
    for name, each in SCENARIOS.items():
        assert each.name == name
        assert each.function is getattr(scenarios, name)
        assert each.title[0].isupper() and each.title.endswith(".") and len(each.title) < 130
        assert any(each.source.startswith(place) for place in SOURCES), each.source
        assert "seed" in inspect.signature(each.function).parameters


SOURCES = ("Paper: ", "Thesis: ", "Ongaro on raft-dev", "Cloudflare: ")


def test_panels_are_those_of_the_function_and_what_breaks_is_a_property():
    known = {each.name for each in PROPERTIES}
    for each in SCENARIOS.values():
        asked = inspect.signature(each.function).parameters.get("panel")
        assert (asked.default in each.panels) if asked else not each.panels
        assert set(each.breaks) <= set(each.panels)
        assert set(each.breaks.values()) <= known


def test_every_scenario_is_listed_and_tested_here():
    assert set(scenarios.__all__) - {"SCENARIOS", "Scenario", "scenario"} == set(SCENARIOS)
    said = Path(__file__).read_text()
    assert [name for name in SCENARIOS if f"scenarios.{name}(" not in said] == []


@pytest.mark.parametrize(("name", "panel"), EVERY)
def test_a_picture_of_its_logs_shows_every_command_whole(name, panel):
    """Of one with a session, the client and the number of the command stand before it."""
    marks = texts(scene_logs(staged(name, panel).frame()), "")
    assert [each.text for each in marks if each.text.endswith("…") and "#" not in each.text] == []


def test_they_stand_in_the_order_of_the_paper_and_none_is_left_out():
    assert {topic.__name__ for topic in TOPICS} == set(REGISTERED)
    names = list(SCENARIOS)
    asked = ["first_election", "figure_7", "power_cut", "figure_10", "figure_12", "stale_read"]
    assert sorted(asked, key=names.index) == asked
    assert names[0] == "first_election"


def test_a_name_that_is_almost_right_is_answered_with_the_right_ones():
    assert scenario("figure_8") is SCENARIOS["figure_8"]
    with pytest.raises(Misuse, match=r"no scenario 'figure8': do you mean figure_8"):
        scenario("figure8")
    with pytest.raises(Misuse, match="SCENARIOS lists them"):
        scenario("quorum of the lost island")


@pytest.mark.parametrize("name", [name for name, each in SCENARIOS.items() if each.panels])
def test_a_panel_that_is_not_there_is_refused(name):
    with pytest.raises(Misuse, match="There is no panel 'z'; the panels are "):
        scenario(name)("z")


def test_they_are_reached_from_the_package_and_loaded_when_they_are():
    assert raftlab.scenarios is scenarios
    assert raftlab.scenarios.figure_8("a").leader == "S1"


# All of them


@pytest.mark.parametrize(("name", "panel"), EVERY)
def test_its_recording_replays_to_an_equal_frame(name, panel):
    cluster = staged(name, panel)
    again = cluster.recording.start()
    for action in cluster.recording.actions:
        again.engine.apply_quietly(action)
    assert frame_bytes(again.frame()) == frame_bytes(cluster.frame())


@pytest.mark.parametrize(("name", "panel"), EVERY)
def test_every_seed_gives_the_same_run_again_and_another_seed_another(name, panel):
    one, same, other = (staged(name, panel, seed=seed) for seed in (3, 3, 4))
    assert one.recording == same.recording
    assert msgspec.json.encode(one.setup) != msgspec.json.encode(other.setup)


@pytest.mark.parametrize(("name", "panel"), SOUND)
def test_what_lacks_no_protection_goes_on_to_a_leader_and_breaks_nothing(name, panel, seed):
    cluster = staged(name, panel, seed=seed)
    assert cluster.violation is None
    for node in cluster.frame().nodes:
        if not node.alive:
            cluster.restart(node.node)
        elif node.paused:
            cluster.resume(node.node)
    cluster.heal()
    cluster.run(5000)
    led = cluster.run_until(lambda each: each.leader is not None, 5000)
    assert led or (name, panel) in SPLIT_FOR_LONG
    assert cluster.violation is None


@pytest.mark.parametrize(("name", "panel"), EVERY)
def test_it_stops_at_the_property_that_it_is_said_to_break_or_at_none(name, panel, seed):
    cluster = staged(name, panel, seed=seed)
    if panel in SCENARIOS[name].breaks:
        assert broken(cluster) == SCENARIOS[name].breaks[panel]
    else:
        assert cluster.violation is None


# Elections


def test_first_election(seed):
    cluster = scenarios.first_election(seed=seed)
    assert role(cluster, "S1") is Role.CANDIDATE
    assert [term(cluster, node) for node in cluster.nodes] == [1, 0, 0, 0, 0]
    assert flying(cluster, RequestVote) == {("S1", f"S{n}") for n in (2, 3, 4, 5)}
    assert cluster.run(25).leader == "S1"


def test_split_vote(seed):
    cluster = scenarios.split_vote(seed=seed)
    votes = [each.voted_for for each in cluster.frame().nodes]
    assert votes == ["S1", "S1", "S4", "S4"]
    assert {term(cluster, node) for node in cluster.nodes} == {1}
    assert role(cluster, "S1") is role(cluster, "S4") is Role.CANDIDATE
    assert cluster.leader is None and not cluster.in_flight()


def test_same_timeouts(seed):
    cluster = scenarios.same_timeouts(seed=seed)
    assert all(term(cluster, node) > 4 for node in cluster.nodes)
    assert all(each.voted_for == each.node for each in cluster.frame().nodes)
    assert logs(cluster.run(5000)) == [[], [], []]


def test_lost_vote(seed):
    cluster = scenarios.lost_vote(seed=seed)
    assert role(cluster, "S1") is Role.CANDIDATE and not cluster.in_flight()
    assert {each.voted_for for each in cluster.frame().nodes} == {"S1"}
    assert {term(cluster, node) for node in cluster.nodes} == {1}


def test_duplicated_votes(seed):
    cluster = scenarios.duplicated_votes(seed=seed)
    assert leaders(cluster) == {"S3": 1}
    assert role(cluster, "S1") is Role.CANDIDATE and term(cluster, "S1") == 1
    said = [each for each in cluster.events(100) if "S1 receives a granted vote" in each.text]
    assert len(said) == 2


def test_late_vote(seed):
    cluster = scenarios.late_vote(seed=seed)
    assert leaders(cluster) == {"S3": 2}
    assert role(cluster, "S1") is Role.CANDIDATE and term(cluster, "S1") == 2
    (late,) = (each for each in cluster.in_flight() if each.key[:2] == ("S2", "S1"))
    assert isinstance(late.message, RequestVoteReply) and late.message.term == 1
    cluster.deliver(late.number)
    assert leaders(cluster) == {"S3": 2}


def test_dueling_candidates(seed):
    cluster = scenarios.dueling_candidates(seed=seed)
    assert leaders(cluster) == {"S1": 1}
    assert role(cluster, "S3") is Role.CANDIDATE and term(cluster, "S3") == 1
    cluster.run(1000)
    assert term(cluster, "S2") > 1


def test_outdated_candidate(seed):
    cluster = scenarios.outdated_candidate(seed=seed)
    assert logs(cluster)[1:] == [[1, 1], [1]]
    assert commit(cluster, "S2") == 2
    assert ("S3", "S2") in flying(cluster, RequestVote)
    cluster.run(25)
    assert cluster.leader is None and cluster.frame()["S2"].voted_for is None


def test_rejoining_node(seed):
    plain = scenarios.rejoining_node(seed=seed)
    assert leaders(plain) == {"S1": 1} and term(plain, "S3") > 3
    plain.heal()
    plain.run_until(lambda each: term(each, "S1") > 3, 1000)
    assert term(plain, "S1") > 3
    kept = scenarios.rejoining_node("pre_vote", seed=seed)
    assert leaders(kept) == {"S1": 1} and term(kept, "S3") == 1
    kept.heal()
    assert leaders(kept.run(1000)) == {"S1": 1}


def test_isolated_leader(seed):
    plain = scenarios.isolated_leader(seed=seed)
    assert leaders(plain) == {"S1": 1, "S2": 2}
    assert log(plain, "S1") == [1, 1] and commit(plain, "S1") == 1
    assert value(plain, "S2", "x") == "2"
    checked = scenarios.isolated_leader("check_quorum", seed=seed)
    assert leaders(checked) == {"S2": 2}


def test_deaf_leader(seed):
    plain = scenarios.deaf_leader(seed=seed)
    assert leaders(plain) == {"S1": 1}
    assert logs(plain) == [[1, 1]] * 3 and commit(plain, "S1") == 1
    assert commit(plain.run(5000), "S1") == 1
    checked = scenarios.deaf_leader("check_quorum", seed=seed)
    (leader,) = leaders(checked)
    assert leader in ("S2", "S3") and commit(checked, leader) >= 3


def test_partial_partition(seed):
    plain = scenarios.partial_partition(seed=seed)
    assert leaders(plain) == {"S1": 1, "S2": 2}
    assert plain.frame().cuts == (("S1", "S2"), ("S2", "S1"))
    plain.run(2000)
    assert term(plain, "S3") > 2
    kept = scenarios.partial_partition("pre_vote", seed=seed)
    assert leaders(kept) == {"S1": 1} and term(kept, "S2") == 1
    assert leaders(kept.run(2000)) == {"S1": 1}


def test_paused_leader(seed):
    cluster = scenarios.paused_leader(seed=seed)
    assert leaders(cluster) == {"S1": 1, "S2": 2} and cluster.frame()["S1"].paused
    assert (value(cluster, "S1", "x"), value(cluster, "S2", "x")) == ("1", "2")
    cluster.resume("S1")
    assert leaders(cluster.run(30)) == {"S2": 2}


def test_slow_disk(seed):
    cluster = scenarios.slow_disk(seed=seed)
    assert cluster.leader in ("S2", "S3") and term(cluster, cluster.leader) > 1
    assert log(cluster, "S1")[:2] == [1, 1] and commit(cluster, "S1") == 1
    assert [log(cluster, node)[:1] for node in ("S2", "S3")] == [[1], [1]]


def test_leadership_transfer(seed):
    cluster = scenarios.leadership_transfer(seed=seed)
    assert leaders(cluster) == {"S1": 1}
    assert flying(cluster, TimeoutNow) == {("S1", "S3")}
    with pytest.raises(NotNow):
        cluster.propose("x=2")
    assert leaders(cluster.run(50)) == {"S3": 2}


@pytest.mark.parametrize("panel", SCENARIOS["figure_16"].panels)
def test_figure_16(panel, seed):
    cluster = scenarios.figure_16(panel, seed=seed)
    low, high = map(float, panel.split("-"))
    assert cluster.setup.options.election_timeout == (low, high)
    assert not cluster.frame()["S1"].alive and cluster.leader is None
    longest = max(map(len, logs(cluster)[1:]))
    assert len(log(cluster, "S4")) == 2 < longest and len(log(cluster, "S5")) == 1
    if panel == "150-300":
        crashed = cluster.now
        cluster.run_until(lambda each: each.leader is not None, 2000)
        assert cluster.leader in ("S2", "S3") and cluster.now - crashed > 50


# Replication


def test_figure_7_has_the_logs_of_the_figure(seed):
    cluster = scenarios.figure_7(seed=seed)
    assert leaders(cluster) == {"S1": 8}
    assert logs(cluster) == [LEADER_OF_FIGURE_7, *map(list, FOLLOWERS_OF_FIGURE_7.values())]
    cluster.propose("x=1")
    cluster.run(300)
    assert logs(cluster) == [[*LEADER_OF_FIGURE_7, 8]] * 7
    assert {commit(cluster, node) for node in cluster.nodes} == {11}


@pytest.mark.parametrize("panel", "abcdef")
def test_figure_7_one_follower(panel, seed):
    cluster = scenarios.figure_7(panel, seed=seed)
    assert leaders(cluster) == {"S1": 8}
    follower = list(FOLLOWERS_OF_FIGURE_7[panel])
    assert logs(cluster) == [LEADER_OF_FIGURE_7, follower, LEADER_OF_FIGURE_7]
    cluster.propose("x=1")
    assert logs(cluster.run(200)) == [[*LEADER_OF_FIGURE_7, 8]] * 3


FIGURE_8 = {
    "a": ({"S1": 2}, [[1, 2], [1, 2], [1], [1], [1]], ""),
    "b": ({"S5": 3}, [[1, 2], [1, 2], [1], [1], [1, 3]], "S1"),
    "c": ({"S1": 4}, [[1, 2, 4], [1, 2], [1, 2], [1], [1, 3]], "S5"),
    "d": ({"S5": 5}, [[1, 3]] * 5, ""),
    "e": ({"S1": 4}, [[1, 2, 4], [1, 2, 4], [1, 2, 4], [1], [1, 3]], "S5"),
}


@pytest.mark.parametrize("panel", FIGURE_8)
def test_figure_8_has_the_logs_of_the_figure(panel, seed):
    cluster = scenarios.figure_8(panel, seed=seed)
    who, held, down = FIGURE_8[panel]
    assert leaders(cluster) == who
    assert logs(cluster) == held
    assert [each.node for each in cluster.frame().nodes if not each.alive] == down.split()
    assert cluster.commit_index == (3 if panel == "e" else 0)


def test_figure_8_by_counting(seed):
    before = scenarios.figure_8_by_counting("before", seed=seed)
    assert logs(before) == FIGURE_8["c"][1]
    assert commit(before, "S1") == 2
    after = scenarios.figure_8_by_counting(seed=seed)
    assert broken(after) == "Leader Completeness"
    assert after.leader == "S5" and log(after, "S5") == [1, 3]


def test_late_append(seed):
    cluster = scenarios.late_append(seed=seed)
    assert logs(cluster) == [[1, 1, 1], [1, 1, 1], [1, 1]] and commit(cluster, "S1") == 3
    (late,) = (
        each
        for each in cluster.in_flight()
        if isinstance(each.message, AppendEntries)
        and each.key[1] == "S2"
        and [entry.index for entry in each.message.entries] == [2]
    )
    cluster.deliver(late.number)
    assert log(cluster, "S2") == [1, 1, 1]


def test_late_append_cuts(seed):
    before = scenarios.late_append_cuts("before", seed=seed)
    assert logs(before) == [[1, 1, 1], [1, 1, 1], [1, 1]] and commit(before, "S1") == 3
    after = scenarios.late_append_cuts(seed=seed)
    assert after.leader == "S3" and log(after, "S2") == [1, 1]


def test_deposed_leader_commits(seed):
    before = scenarios.deposed_leader_commits("before", seed=seed)
    assert leaders(before) == {"S1": 1, "S2": 2} and logs(before) == [[1], [1], [], [], []]
    assert (term(before, "S3"), commit(before, "S1")) == (1, 0)
    assert ("S1", "S3") in flying(before, AppendEntries)
    after = scenarios.deposed_leader_commits("after", seed=seed)
    assert leaders(after) == {"S1": 1, "S2": 2}
    assert (log(after, "S3"), commit(after, "S1"), commit(after, "S2")) == ([1], 1, 0)
    healed = scenarios.deposed_leader_commits("healed", seed=seed)
    assert leaders(healed) == {"S2": 2} and logs(healed) == [[1, 2]] * 5
    assert [commit(healed, node) for node in healed.nodes] == [2] * 5


def test_minority_partition(seed):
    cluster = scenarios.minority_partition(seed=seed)
    assert leaders(cluster) == {"S1": 1, "S3": 2}
    assert logs(cluster) == [[1, 1, 1, 1]] * 2 + [[1, 1, 2, 2]] * 3
    assert (commit(cluster, "S1"), commit(cluster, "S3")) == (2, 4)
    cluster.heal()
    assert logs(cluster.run(500)) == [[1, 1, 2, 2]] * 5


def test_unanswered_command(seed):
    kept = scenarios.unanswered_command(seed=seed)
    assert leaders(kept) == {"S2": 2} and value(kept, "S2", "x") == "1"
    lost = scenarios.unanswered_command("lost", seed=seed)
    assert leaders(lost) == {"S3": 2} and log(lost, "S2") == [1, 1]
    lost.heal()
    lost.restart("S1")
    assert logs(lost.run(1000))[:3] == [log(lost, "S3")] * 3
    assert value(lost, "S3", "x") is None


def test_lagging_follower(seed):
    cluster = scenarios.lagging_follower(seed=seed)
    assert leaders(cluster) == {"S2": 2}
    assert logs(cluster) == [[1, 1, 1, 1, 2], [1, 1, 1, 1, 2], [1]]
    assert ("S3", "S2") in flying(cluster, AppendEntriesReply)
    assert log(cluster.run(100), "S3") == [1, 1, 1, 1, 2]


# Membership


def members(cluster: Cluster, node: str) -> Configuration:
    return cluster.frame()[node].configuration


THREE, FIVE = Configuration(("S1", "S2", "S3")), Configuration(("S1", "S2", "S3", "S4", "S5"))


def test_figure_10(seed):
    before = scenarios.figure_10("before", seed=seed)
    assert leaders(before) == {"S3": 1} and commit(before, "S3") == 2
    assert [members(before, node) for node in before.nodes] == [THREE] * 2 + [FIVE] * 3
    after = scenarios.figure_10(seed=seed)
    assert leaders(after) == {"S1": 2, "S3": 1}


def test_figure_10_with_joint(seed):
    cluster = scenarios.figure_10_with_joint(seed=seed)
    assert leaders(cluster) == {"S3": 1} and commit(cluster, "S3") == 1
    assert [members(cluster, node).is_joint for node in cluster.nodes] == [False] * 2 + [True] * 3
    assert cluster.elect("S1") == "S1"


def test_figure_11(seed):
    joint = scenarios.figure_11(seed=seed)
    assert leaders(joint) == {"S1": 1} and commit(joint, "S1") == 1
    assert [members(joint, node).is_joint for node in joint.nodes] == [True] * 3 + [False] * 2
    leaving = scenarios.figure_11("leaving", seed=seed)
    assert leaders(leaving) == {"S1": 1} and commit(leaving, "S1") == 2
    assert members(leaving, "S1") == Configuration(("S3", "S4", "S5"))
    assert members(leaving, "S3").is_joint
    new = scenarios.figure_11("new", seed=seed)
    assert leaders(new) == {"S3": 2} and commit(new, "S3") >= 3
    assert members(new, "S3") == Configuration(("S3", "S4", "S5"))


def test_crash_while_joint(seed):
    cluster = scenarios.crash_while_joint(seed=seed)
    assert not cluster.frame()["S1"].alive and cluster.leader is None
    held = [members(cluster, node).is_joint for node in ("S2", "S3", "S4", "S5")]
    assert held == [True, False, True, True]
    assert cluster.commit_index == 1


def test_single_server_bug(seed):
    before = scenarios.single_server_bug("before", seed=seed)
    assert leaders(before) == {"S2": 2} and commit(before, "S3") == 3
    assert members(before, "S1") == members(before, "S5") == FIVE
    assert members(before, "S2") == members(before, "S3") == Configuration(("S2", "S3", "S4"))
    after = scenarios.single_server_bug(seed=seed)
    assert after.leader == "S1" and term(after, "S1") == 3


def test_single_server_rule(seed):
    cluster = scenarios.single_server_rule(seed=seed)
    assert leaders(cluster) == {"S1": 1, "S2": 2}
    with pytest.raises(NotNow, match="no entry of its own term 2"):
        cluster.remove("S1")
    cluster.run(30)
    cluster.remove("S1")


def test_removed_server(seed):
    plain = scenarios.removed_server(seed=seed)
    assert members(plain, "S1") == THREE and members(plain, "S4").is_joint
    assert leaders(plain) == {"S1": 1} and term(plain, "S4") == 2
    assert ("S4", "S1") in flying(plain, RequestVote)
    assert leaders(plain.run(15)) == {} and term(plain, "S1") == 2
    kept = scenarios.removed_server("stickiness", seed=seed)
    assert ("S4", "S1") in flying(kept, RequestVote)
    assert leaders(kept.run(15)) == {"S1": 1}


def test_removed_leader(seed):
    cluster = scenarios.removed_leader(seed=seed)
    assert leaders(cluster) == {"S1": 1}
    assert members(cluster, "S1") == Configuration(("S2", "S3"))
    assert commit(cluster, "S1") == 2 and log(cluster, "S1") == [1, 1, 1]
    cluster.run(100)
    assert cluster.leader in ("S2", "S3")


def test_catch_up(seed):
    voter = scenarios.catch_up(seed=seed)
    assert leaders(voter) == {"S1": 2} and not voter.frame()["S3"].alive
    assert members(voter, "S1").can_vote("S4") and log(voter, "S4") == []
    assert commit(voter, "S1") == len(log(voter, "S1")) - 1
    learner = scenarios.catch_up("learner", seed=seed)
    assert members(learner, "S1") == Configuration(THREE.voters, (), ("S4",))
    assert commit(learner, "S1") == len(log(learner, "S1"))
    assert len(log(learner, "S4")) < 4
    for cluster in (voter, learner):
        cluster.run(500)
        assert log(cluster, "S4") == log(cluster, "S1")
        assert value(cluster, "S4", "x") == "1"


def test_learner_caught_up(seed):
    cluster = scenarios.learner_caught_up(seed=seed)
    assert members(cluster, "S1").learners == ("S4",)
    assert logs(cluster) == [[1] * 5] * 4
    cluster.promote("S4")
    assert members(cluster.run(200), "S4") == Configuration(("S1", "S2", "S3", "S4"))


# Snapshots


def test_figure_12(seed):
    before = scenarios.figure_12("before", seed=seed)
    assert log(before, "S1") == [1, 1, 1, 2, 3, 3, 3] and commit(before, "S1") == 5
    after = scenarios.figure_12(seed=seed)
    node = after.frame()["S1"]
    assert (node.snapshot.index, node.snapshot.term) == (5, 3)
    assert log(after, "S1") == [3, 3]
    assert dict(node.values) == {"x": "0", "y": "9"}


def test_figure_13(seed):
    cluster = scenarios.figure_13(seed=seed)
    assert flying(cluster, InstallSnapshot) == {("S1", "S3")}
    assert cluster.frame()["S1"].snapshot.index == 5 and log(cluster, "S3") == [1]
    assert commit(cluster.run(100), "S3") == 5


def test_snapshot_meets_conflicting_tail(seed):
    cluster = scenarios.snapshot_meets_conflicting_tail(seed=seed)
    assert flying(cluster, InstallSnapshot) == {("S1", "S3")}
    assert log(cluster, "S3") == [1, 2, 2, 2, 2, 2]
    cluster.run(15)
    assert log(cluster, "S3") == [] and cluster.frame()["S3"].snapshot.index == 5


def test_snapshot_keeps_conflicting_tail(seed):
    before = scenarios.snapshot_keeps_conflicting_tail("before", seed=seed)
    assert log(before, "S3") == [1, 2, 2, 2, 2, 2]
    after = scenarios.snapshot_keeps_conflicting_tail(seed=seed)
    assert log(after, "S3") == [2] and after.frame()["S3"].snapshot.term == 4


def test_snapshot_meets_agreeing_tail(seed):
    cluster = scenarios.snapshot_meets_agreeing_tail(seed=seed)
    assert flying(cluster, InstallSnapshot) == {("S1", "S3")}
    assert log(cluster, "S3") == [1, 1, 1]
    cluster.run(15)
    assert log(cluster, "S3") == [1] and cluster.frame()["S3"].snapshot.index == 2


# Disks


def test_amnesia(seed):
    before = scenarios.amnesia("before", seed=seed)
    assert log(before, "S1") == [1, 1] and log(before, "S2") == [] and log(before, "S3") == [1]
    assert term(before, "S2") == 0 and those_down(before) == ["S1"]
    after = scenarios.amnesia(seed=seed)
    assert after.leader == "S3" and log(after, "S3") == [1, 2]


def those_down(cluster: Cluster) -> list[str]:
    return [each.node for each in cluster.frame().nodes if not each.alive]


def test_forgotten_vote(seed):
    caught = scenarios.forgotten_vote("caught", seed=seed)
    assert caught.violation.nodes == ("S3",) and caught.leader is None
    assert leaders(scenarios.forgotten_vote(seed=seed)) == {"S1": 1, "S2": 1}


def test_answer_before_writing(seed):
    assert broken(scenarios.answer_before_writing("caught", seed=seed)) == "Durable Before Said"
    cluster = scenarios.answer_before_writing(seed=seed)
    assert leaders(cluster) == {"S3": 2}
    said = [each.text for each in cluster.events(1000)]
    assert any("committed up to 2" in text for text in said)
    assert all(value(cluster, node, "x") is None for node in cluster.nodes)


def test_power_cut(seed):
    cluster = scenarios.power_cut(seed=seed)
    assert those_down(cluster) == list(cluster.nodes)
    assert log(cluster, "S1") == [1, 1, 1]
    assert all(log(cluster, node)[:2] == [1, 1] for node in cluster.nodes)
    for node in cluster.nodes:
        cluster.restart(node)
    cluster.run_until(lambda each: all(value(each, node, "x") for node in each.nodes))
    assert {value(cluster, node, "x") for node in cluster.nodes} <= {"1", "2"}


# Clients


def test_deposed_leaders_read(seed):
    cluster = scenarios.deposed_leaders_read(seed=seed)
    assert leaders(cluster) == {"S1": 1, "S2": 2}
    assert (value(cluster, "S1", "x"), value(cluster, "S2", "x")) == ("1", "2")
    assert [each.key for each in cluster.run(2000).frame()["S1"].reads] == ["x"]


def test_stale_read(seed):
    before = scenarios.stale_read("before", seed=seed)
    assert (value(before, "S1", "x"), value(before, "S2", "x")) == ("1", "2")
    assert scenarios.stale_read(seed=seed).violation.nodes == ("S1",)


def test_new_leaders_read(seed):
    cluster = scenarios.new_leaders_read(seed=seed)
    assert leaders(cluster) == {"S2": 2}
    assert log(cluster, "S2") == [1, 1, 2] and commit(cluster, "S2") == 1
    assert [each.key for each in cluster.frame()["S2"].reads] == ["x"]
    cluster.run(100)
    assert cluster.frame()["S2"].reads == () and value(cluster, "S2", "x") == "1"


def test_read_too_soon(seed):
    before = scenarios.read_too_soon("before", seed=seed)
    assert log(before, "S2") == [1, 1, 2] and commit(before, "S2") == 1
    assert scenarios.read_too_soon(seed=seed).violation.nodes == ("S2",)


def test_follower_read(seed):
    cluster = scenarios.follower_read(seed=seed)
    assert (value(cluster, "S1", "x"), value(cluster, "S2", "x")) == ("2", "1")
    assert flying(cluster, ReadIndex) == {("S2", "S1")}


def test_lease_under_clock_drift(seed):
    before = scenarios.lease_under_clock_drift("before", seed=seed)
    assert leaders(before)["S1"] == 1 and len(leaders(before)) == 2
    assert before.frame()["S1"].clock_rate == 0.1
    assert (value(before, "S1", "x"), value(before, before.leader, "x")) == ("1", "2")
    after = scenarios.lease_under_clock_drift(seed=seed)
    assert after.violation.nodes == ("S1",)


def test_retry_applied_twice(seed):
    plain = scenarios.retry_applied_twice(seed=seed)
    assert value(plain, "S2", "x") == value(plain, "S3", "x") == "2"
    numbered = scenarios.retry_applied_twice("with a session", seed=seed)
    assert value(numbered, "S2", "x") == value(numbered, "S3", "x") == "1"
    assert len(log(numbered, "S2")) == 5


def test_dueling_candidates_end_when_the_one_in_the_middle_leads():
    cluster = scenarios.dueling_candidates(seed=1)
    assert cluster.leader == "S1" and cluster.machine("S3").role is Role.CANDIDATE
    cluster.run(3000)
    assert (cluster.leader, cluster.machine("S2").term) == ("S2", 3)
    assert "until S2, whom both" in " ".join(scenarios.dueling_candidates.__doc__.split())


def test_no_more_is_promised_of_seeds_than_is_kept():
    assert "same kind of situation" in " ".join(scenarios.__doc__.split())

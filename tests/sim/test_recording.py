"""A run as a value: equal runs, parts of runs, runs under other rules, runs as life lines."""

from itertools import pairwise

import msgspec
import pytest

import raftlab
from raftlab import Cluster, Disks, Misuse, Network, Options, Role, Rules
from raftlab.sim.world.actions import Deliver, Drop, Join, Wait
from tests.sim.looking import drive, faulty_cluster, frame_bytes, standing


def led() -> Cluster:
    cluster = Cluster(3, seed=1)
    cluster.elect("S1")
    cluster.propose("x=1")
    cluster.run(200)
    return cluster


class Mine(Rules):
    """Rules under another name."""


# Equal and unequal


def test_equal_runs_are_equal_values():
    one, other = led().recording, led().recording
    assert one == other
    assert hash(one) == hash(other)
    assert one.encode() == other.encode()
    assert len({one, other}) == 1


@pytest.mark.parametrize(
    "other",
    [
        Cluster(3, seed=2),
        Cluster(4, seed=1),
        Cluster(["S1", "S2", "S4"], seed=1),
        Cluster(3, seed=1, options=Options.figure_2()),
        Cluster(3, seed=1, network=Network(loss=0.1)),
        Cluster(3, seed=1, disks=Disks(torn=True)),
        Cluster(3, seed=1, rules=Mine()),
        Cluster(3, seed=1, watched=False),
        Cluster(3, seed=1, logs={"S1": [1]}),
    ],
)
def test_runs_that_began_otherwise_are_unequal(other):
    assert Cluster(3, seed=1).recording != other.recording
    assert Cluster(3, seed=1).recording.encode() != other.recording.encode()


def test_runs_in_which_something_else_happened_are_unequal():
    cluster = led()
    before = cluster.recording
    cluster.run(0.5)
    assert cluster.recording != before
    assert cluster.recording.upto(len(before)) == before


def test_a_recording_is_no_other_thing():
    assert led().recording != 1
    assert led().recording != led().recording.actions


def test_a_recording_does_not_change_when_the_cluster_goes_on():
    cluster = led()
    recording = cluster.recording
    number = len(recording)
    cluster.run(500)
    assert len(recording) == number == len(recording.actions)


def test_a_recording_says_in_one_line_what_it_is():
    assert repr(Cluster(3, seed=1).recording) == "<Recording of 3 nodes, seed 1: 0 actions, 0.0 ms>"
    cluster = led()
    assert repr(cluster.recording) == (
        f"<Recording of 3 nodes, seed 1: {cluster.number} actions, {cluster.now:.1f} ms>"
    )


def test_a_recording_is_small():
    cluster = Cluster(5, seed=1)
    cluster.elect()
    for _ in range(50):
        cluster.propose("x=1")
        cluster.run(20)
    assert len(cluster.recording.encode()) < 100 * cluster.number


def test_encoded_actions_can_be_read_back():
    recording = drive(faulty_cluster()).recording
    decoded = msgspec.json.decode(recording.encode())
    assert decoded["setup"]["nodes"] == ["S1", "S2", "S3", "S4", "S5"]
    assert len(decoded["actions"]) == len(recording)
    assert {action[0] for action in decoded["actions"]} >= {"deliver", "drop", "crash", "calm"}


# Parts


def test_a_part_of_a_run_is_its_first_actions():
    cluster = led()
    recording = cluster.recording
    assert recording.upto(0) == Cluster(3, seed=1).recording
    assert recording.upto(len(recording)) == recording
    assert recording.upto(7).actions == recording.actions[:7]


@pytest.mark.parametrize("number", [-1, 10_000])
def test_a_run_has_no_part_that_it_has_not(number):
    with pytest.raises(Misuse, match=f"and no frame {number}"):
        led().recording.upto(number)


def test_frames_are_numbered_from_nothing_to_the_end():
    cluster = led()
    frames = list(cluster.recording.frames())
    assert [each.number for each in frames] == list(range(cluster.number + 1))
    assert frame_bytes(frames[-1]) == frame_bytes(cluster.frame())
    for number in (0, 5, cluster.number):
        assert frame_bytes(frames[number]) == frame_bytes(cluster.at(number).frame())


def test_going_back_makes_another_cluster():
    cluster = led()
    before = standing(cluster)
    past = cluster.at(5)
    past.crash("S1")
    past.run(500)
    assert standing(cluster) == before
    assert isinstance(past, Cluster)
    assert past.recording.upto(5) == cluster.recording.upto(5)


def test_a_branch_of_a_branch_is_a_run_like_any_other():
    cluster = led()
    branch = cluster.at(10)
    branch.crash("S2")
    branch.run(100)
    twig = branch.at(branch.number - 3)
    twig.restart("S2")
    twig.run(300)
    assert standing(twig.recording.replay()) == standing(twig)


def test_the_same_run_can_begin_under_other_rules():
    recording = led().recording
    twin = recording.start(rules=Mine())
    assert (twin.number, twin.setup.seed) == (0, 1)
    assert {type(host.rules) for host in twin.hosts.values()} == {Mine}
    for action in recording.actions:
        twin.apply(action)
    assert twin.actions == list(recording.actions)


class Hasty(Rules):
    """Everybody waits half as long."""

    def election_timeout(self, options, rng):
        return super().election_timeout(options, rng) / 2


def test_a_twin_under_other_rules_can_go_on_from_where_the_run_ended():
    """What the twin did of its own accord and the run did not is due at once."""
    cluster = Cluster(3, seed=1)
    cluster.run(120)
    cluster.crash("S1")
    cluster.run(2)
    twin = cluster.recording.start(rules=Hasty())
    for action in cluster.actions:
        twin.apply(action)
    assert twin.now == cluster.now
    twin.run(1000)
    assert twin.leader is not None
    times = [action.at for action in twin.actions]
    assert times == sorted(times)
    assert standing(twin.recording.replay()) == standing(twin)


def test_time_may_be_made_to_pass_over_what_was_due():
    cluster = led()
    cluster.propose("y=1")
    cluster.run(1.0)
    due = len(cluster.in_flight())
    cluster.apply(Wait(cluster.now + 1000))
    assert len(cluster.in_flight()) == due
    now = cluster.now
    for _ in range(due):
        assert cluster.step().at == now
    cluster.run(500)
    assert cluster.frame()["S2"].values == {"x": "1", "y": "1"}


def test_what_a_run_was_given_travels_along():
    cluster = Cluster(
        ["a", "b", "c"],
        seed=4,
        options=Options(heartbeat_interval=30.0),
        network=Network(loss=0.1),
        disks=Disks(write_ms=7.0),
        rules={"b": Mine},
        watched=False,
        logs={"a": [1, 2], "c": [1]},
    )
    again = cluster.recording.start()
    assert again.setup == cluster.setup
    assert type(again.hosts["b"].rules) is Mine
    assert standing(again) == standing(cluster)


# Life lines


def test_a_trace_has_every_message_with_the_moment_at_which_it_ended():
    cluster = drive(faulty_cluster())
    recording = cluster.recording
    ends: dict[tuple[float, object], list[tuple[float, bool]]] = {}
    twin = recording.start()
    for action in recording.actions:
        if isinstance(action, Deliver | Drop):
            key = (action.sender, action.receiver, action.nth)
            flight = next(each for each in twin.in_flight() if each.key == key)
            delivered = isinstance(action, Deliver)
            ends.setdefault((flight.sent_at, flight.message), []).append((action.at, delivered))
        twin.apply(action)
    trace = cluster.trace()
    seen: dict[tuple[float, object], list[tuple[float, bool]]] = {}
    for each in trace.messages:
        if each.ended_at is not None:
            key = (each.sent_at, each.message)
            seen.setdefault(key, []).append((each.ended_at, each.delivered))
    assert {key: sorted(each) for key, each in seen.items()} == {
        key: sorted(each) for key, each in ends.items()
    }
    assert len(trace.messages) == cluster.engine.world.network.sent
    on_their_way = [each for each in trace.messages if each.ended_at is None]
    assert len(on_their_way) == len(cluster.in_flight())


def test_a_message_that_met_a_node_that_was_down_was_not_delivered():
    cluster = led()
    cluster.propose("y=1")
    cluster.run(1.0)
    cluster.crash("S2")
    cluster.run(100)
    met = [
        each for each in cluster.trace(cluster.now - 100).messages if each.message.receiver == "S2"
    ]
    assert met
    assert not any(each.delivered for each in met if each.ended_at and each.ended_at > 300)


def test_a_trace_has_a_life_line_for_every_node_without_a_gap():
    cluster = drive(faulty_cluster())
    trace = cluster.trace()
    for node in cluster.nodes:
        spans = [each for each in trace.spans if each.node == node]
        joined = [each.at for each in cluster.actions if isinstance(each, Join)]
        assert spans[0].start == (joined[0] if node == "S6" else 0.0)
        assert spans[-1].end == cluster.now == trace.end
        for earlier, later in pairwise(spans):
            assert earlier.end == later.start
            assert (earlier.role, earlier.term) != (later.role, later.term)
        assert any(each.role is None for each in spans)


def test_a_trace_marks_what_a_reader_did_and_what_was_committed():
    cluster = led()
    cluster.pause("S2")
    cluster.resume("S2")
    cluster.isolate("S3")
    cluster.heal()
    cluster.timeout("S3")
    cluster.crash("S2")
    cluster.restart("S2")
    cluster.run(10)
    marks = cluster.trace().marks
    assert [each.kind for each in marks if each.kind != "commit"] == [
        "timeout",
        "propose",
        "pause",
        "resume",
        "partition",
        "heal",
        "timeout",
        "crash",
        "restart",
    ]
    assert {each.node for each in marks if each.kind == "commit"} == {"S1", "S2", "S3"}
    assert [each.at for each in marks] == sorted(each.at for each in marks)


def test_a_trace_may_be_a_stretch_of_a_run():
    cluster = led()
    whole, part = cluster.trace(), cluster.trace(150.0, 200.0)
    assert (part.start, part.end) == (150.0, 200.0)
    assert set(part.marks) == {each for each in whole.marks if 150 <= each.at <= 200}
    for each in part.messages:
        assert each.sent_at <= 200
        assert each.ended_at is None or each.ended_at >= 150
    for span in part.spans:
        assert span.end >= 150
        assert span.start <= 200
    assert {each.node for each in part.spans} == set(cluster.nodes)


def test_a_trace_ends_when_the_run_ends():
    cluster = led()
    trace = cluster.trace(0.0, 1_000_000.0)
    assert trace.end == cluster.now
    assert max(each.end for each in trace.spans) == cluster.now


def test_a_trace_of_nothing_has_three_life_lines_of_no_length():
    trace = Cluster(3, seed=1).trace()
    assert (trace.start, trace.end, trace.messages, trace.marks) == (0.0, 0.0, (), ())
    assert [(each.role, each.start, each.end) for each in trace.spans] == [
        (Role.FOLLOWER, 0.0, 0.0)
    ] * 3


def test_equal_runs_give_equal_bytes_however_their_numbers_were_typed():
    def typed(latency: tuple[float, float], write_ms: float) -> Cluster:
        return Cluster(3, network=Network(latency=latency), disks=Disks(write_ms=write_ms)).run(40)

    one, other = typed((1, 3), 2).recording, typed((1.0, 3.0), 2.0).recording
    assert one == other
    assert one.encode() == other.encode() == raftlab.load(one.share()).encode()

"""Frames and copies are values: nobody changes the past, and a copy is a cluster of its own."""

import copy
import pickle
import tracemalloc

import msgspec
import pytest

from raftlab import Cluster, Frame
from raftlab.raft.log import Command, LogEntry
from raftlab.sim.frames.frozen import FrozenDict, FrozenLog
from tests.sim.looking import frame_bytes, standing


def led() -> Cluster:
    cluster = Cluster(3, seed=1)
    cluster.elect("S1")
    cluster.propose("x=1")
    return cluster.run(100)


@pytest.mark.parametrize(
    "change",
    [
        lambda values: values.__setitem__("x", "2"),
        lambda values: values.update(x="2"),
        lambda values: values.pop("x"),
        lambda values: values.popitem(),
        lambda values: values.clear(),
        lambda values: values.setdefault("y", "1"),
        lambda values: values.__delitem__("x"),
        lambda values: values.__ior__({"x": "2"}),
    ],
)
def test_what_a_frame_holds_cannot_be_changed(change):
    frame = led().frame()
    before = frame_bytes(frame)
    assert frame.leader is not None
    with pytest.raises(TypeError, match="cannot be changed"):
        change(frame.leader.values)
    assert frame_bytes(frame) == before


@pytest.mark.parametrize("moment", range(0, 30, 4))
def test_equal_frames_have_equal_hashes(moment):
    cluster = led()
    one, other = cluster.at(moment).frame(), cluster.at(moment).frame()
    assert one == other
    assert hash(one) == hash(other)
    assert len({one, other, cluster.frame()}) == 2


def test_a_frame_survives_copies_and_json():
    cluster = Cluster(3, seed=1)
    cluster.run_until(lambda each: any(node.votes for node in each.frame().nodes))
    frame = cluster.frame()
    for again in (
        copy.deepcopy(frame),
        pickle.loads(pickle.dumps(frame)),
        msgspec.json.decode(frame_bytes(frame), type=Frame),
    ):
        assert again == frame
        assert isinstance(again.properties, FrozenDict)


def test_a_copy_of_a_cluster_is_a_cluster_of_its_own():
    cluster = led()
    before = standing(cluster)
    twin = copy.copy(cluster)
    assert standing(twin) == before
    assert standing(twin.run(50)) == standing(cluster.at(cluster.number).run(50))
    twin.crash("S1")
    twin.run(500)
    assert standing(cluster) == before
    assert standing(cluster.recording.replay()) == before


# Logs


def some(count: int) -> list[LogEntry]:
    return [LogEntry(1, index, Command(b"x=%d" % index)) for index in range(1, count + 1)]


def test_a_log_in_a_frame_stays_as_it_was_while_the_nodes_log_grows_and_is_cut():
    cluster = Cluster(3, seed=1, logs={"S1": [1] * 5, "S2": [1] * 5, "S3": [1, 1, 2]})
    seen = []
    cluster.elect("S3")
    for _ in range(60):
        frame = cluster.frame()
        seen.append([(frame, tuple(node.log), tuple(node.disk.log)) for node in frame.nodes])
        cluster.step()
    lengths = {len(stored) for each in seen for _, _, stored in each}
    assert {3, 4, 5} <= lengths, "S1 and S2 lose two entries, and get others"
    for each in seen:
        for (frame, held, stored), node in zip(each, each[0][0].nodes, strict=True):
            assert (tuple(node.log), tuple(node.disk.log)) == (held, stored), frame.number


def test_a_log_in_a_frame_stays_as_it_was_while_the_node_compacts():
    cluster = led()
    before = cluster.frame()
    held = [(tuple(node.log), tuple(node.disk.log)) for node in before.nodes]
    for node in cluster.nodes:
        cluster.compact(node)
    cluster.run(100)
    assert all(
        len(now.log) < len(then) for now, (then, _) in zip(cluster.frame().nodes, held, strict=True)
    )
    assert [(tuple(node.log), tuple(node.disk.log)) for node in before.nodes] == held


def test_a_frame_of_long_logs_copies_none_of_them():
    cluster = Cluster(3, seed=1, logs=dict.fromkeys(("S1", "S2", "S3"), [1] * 20_000))
    cluster.frame()
    tracemalloc.start()
    frame = cluster.frame()
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert len(frame.nodes[0].log) == 20_000
    assert most < 50_000, "a copy of one log alone takes 160,000 bytes"


def test_a_frozen_log_is_read_like_the_tuple_of_its_entries():
    growing = some(5)
    log, held = FrozenLog(growing), tuple(growing)
    growing += some(7)[5:]
    places = (0, 4, -1, -5, slice(None), slice(1, 3), slice(-2, None), slice(None, None, -2))
    assert [log[each] for each in places] == [held[each] for each in places]
    assert (len(log), list(log), repr(log), hash(log)) == (5, list(held), repr(held), hash(held))
    assert held[2] in log and growing[6] not in log
    for place in (5, -6):
        with pytest.raises(IndexError):
            log[place]
    for copied in (pickle.loads(pickle.dumps(log)), copy.deepcopy(log)):
        assert type(copied) is tuple and copied == log


def test_frozen_logs_are_equal_if_their_entries_are():
    growing, other = some(5), some(5)
    log = FrozenLog(growing)
    growing += some(6)[5:]
    assert log == FrozenLog(other) == tuple(other) == log
    assert log != FrozenLog(growing) and log != tuple(growing) and log != tuple(other[:4])
    assert log != FrozenLog([*other[:4], LogEntry(2, 5, Command(b"x=5"))])
    assert log != FrozenLog([LogEntry(1, 1, Command(b"y")), *other[1:]])
    assert log != other, "a list is no picture of the past"

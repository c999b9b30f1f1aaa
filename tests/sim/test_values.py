"""Frames and copies are values: nobody changes the past, and a copy is a cluster of its own."""

import copy
import pickle

import msgspec
import pytest

from raftlab import Cluster, Frame
from raftlab.sim.frames.frozen import FrozenDict
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

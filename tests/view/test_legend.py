"""The key below the ring: what rare marks mean, of those that are there."""

import pytest

from raftlab import Cluster
from raftlab.view.cluster.cluster import scene_cluster
from raftlab.view.cluster.legend import is_plain, legend_items, legend_lines, rare_kind
from raftlab.view.marks import Path
from raftlab.view.style import message_style
from tests.view.boxes import box_of, texts
from tests.view.builders import append, flying, heartbeat, make_frame, request_vote, vote
from tests.view.changing import CHANGING, compacted, joint, learning, removed, serving
from tests.view.samples import SAMPLES
from tests.view.sound import mark, of_role


def key(frame) -> list[str]:
    return [each.text for each in texts(scene_cluster(frame), "key")]


def test_group_marks_have_a_legend_while_the_cluster_is_joint_and_only_then():
    assert key(joint()) == ["old group", "new group", "both groups"]
    assert key(CHANGING["changing crowd of 51"]) == ["old group", "both groups"], "what occurs"
    for frame in (learning(), removed()):
        assert key(frame) == []
    scene = scene_cluster(joint())
    sides = [[s for s in ("old", "new") if _has(scene, f"key-{word}-group{many}-{s}")]
             for word, many in (("old", ""), ("new", ""), ("both", "s"))]  # fmt: skip
    assert sides == [["old"], ["new"], ["old", "new"]]


def _has(scene, name: str) -> bool:
    return any(each.id == name for each in scene.marks)


def test_rare_messages_have_a_legend_while_they_are_in_flight():
    assert key(compacted()) == ["InstallSnapshot", "InstallSnapshot reply"]
    assert key(serving()) == [
        "ReadIndex", "ReadIndex reply", "TimeoutNow", "heartbeat for a read", "reply for a read",
    ]  # fmt: skip
    sample = mark(scene_cluster(compacted()), "key-InstallSnapshot")
    look = message_style(compacted().in_flight[0].message)
    assert isinstance(sample, Path)
    assert (sample.ink.width, sample.ink.dash, sample.head) == (look.width, look.dash, look.head)


def test_the_messages_of_every_election_and_every_log_have_none():
    common = [
        request_vote("S1", "S2"), request_vote("S1", "S2", prevote=True), vote("S1", "S2"),
        heartbeat("S1", "S2"), append("S1", "S2", "2:x=1"),
    ]  # fmt: skip
    assert [rare_kind(each) for each in common] == [""] * 5
    assert legend_items([], common) == []
    frame = make_frame(5, in_flight=[flying(n, each) for n, each in enumerate(common)])
    assert key(frame) == [] and is_plain(frame)


@pytest.mark.parametrize("name", ["joint", "compacted", "serving", "changing crowd of 51"])
def test_the_legend_stands_below_everything_else_and_inside(name):
    scene = scene_cluster(CHANGING[name])
    first = min(box_of(each)[1] for each in texts(scene, "key"))
    others = [each for each in texts(scene) if each.role != "key"]
    assert max(box_of(each)[3] for each in others) <= first
    assert max(box_of(each)[3] for each in texts(scene, "key")) <= scene.height


def test_a_legend_takes_as_many_lines_as_it_needs():
    shown = legend_items([], [each.message for each in serving().in_flight])
    assert [len(line) for line in legend_lines(shown, 10_000)] == [5]
    assert [len(line) for line in legend_lines(shown, 10)] == [1] * 5
    assert legend_lines([], 10) == []


@pytest.mark.parametrize("name", SAMPLES)
def test_a_plain_cluster_has_no_key(name):
    if is_plain(SAMPLES[name]):
        assert not of_role(scene_cluster(SAMPLES[name]), "key")


def test_elections_crashes_and_partitions_are_plain():
    cluster = Cluster(5, seed=1)
    cluster.elect("S1")
    cluster.propose("x=1")
    cluster.step()
    cluster.crash("S2")
    cluster.partition("S1 S3")
    assert is_plain(cluster.frame())
    cluster.slow_disk("S3", 50)
    assert not is_plain(cluster.frame())

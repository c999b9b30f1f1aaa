"""Scenes on their way to the browser: small, complete, and only plain data."""

import json

import msgspec
import pytest

from raftlab import Cluster
from raftlab.lab.packing import endings, pack
from raftlab.lab.selection import with_choice
from raftlab.view import scene_cluster, scene_logs
from raftlab.view.marks import Path, Text
from tests.lab.clusters import working


def step_message(cluster: Cluster) -> int:
    """How many bytes one step sends at most: both scenes."""
    frame = cluster.frame()
    scenes = pack(scene_cluster(frame)), pack(scene_logs(frame, None, 10))
    return sum(len(json.dumps(each, separators=(",", ":"))) for each in scenes)


def test_a_step_is_less_than_20_kB():
    assert step_message(working(commands=30)) < 20_000


def test_a_packed_scene_has_every_mark_in_order():
    scene = scene_cluster(working().frame())
    packed = pack(scene)
    assert [row[1] for row in packed["marks"]] == [mark.id for mark in scene.marks]
    assert packed["desc"] == scene.description
    assert json.loads(json.dumps(packed)) == packed


def test_equal_looks_are_sent_once():
    packed = pack(scene_logs(working().frame()))
    assert len(packed["looks"]) == len({json.dumps(look) for look in packed["looks"]})
    assert len(packed["looks"]) < len(packed["marks"]) / 3


def test_no_two_marks_share_an_id():
    frame = working().frame()
    ids = [mark.id for mark in (*scene_cluster(frame).marks, *scene_logs(frame).marks)]
    assert len(ids) == len(set(ids))


def one_gone(act) -> tuple:
    """The frames before and after one message came to its end, and its number."""
    cluster = working()
    before = cluster.frame()
    number = before.in_flight[0].number
    act(cluster, number)
    return before, cluster.frame(), number


def test_a_delivered_message_ends_at_its_receiver():
    before, after, number = one_gone(lambda cluster, number: cluster.deliver(number))
    ends = {mark.id: mark for mark in endings(after, before, [])}
    way = next(m for m in scene_cluster(before).marks if m.id == f"way-{number}")
    arrow = ends[f"msg-{number}"]
    assert isinstance(arrow, Path)
    assert arrow.points[-1] == pytest.approx(way.points[-1], abs=0.01)


def test_a_lost_message_ends_half_way():
    before, after, number = one_gone(lambda cluster, number: cluster.drop(number))
    flight = next(each for each in before.in_flight if each.number == number)
    arrived = {mark.id: mark for mark in endings(after, before, [])}[f"msg-{number}"]
    lost = {mark.id: mark for mark in endings(after, before, [flight.message])}[f"msg-{number}"]
    assert lost.points[0] == arrived.points[0]
    assert lost.points[-1] != arrived.points[-1]
    cross = [mark for mark in scene_cluster(after).marks if mark.id.startswith("lost-cross")]
    assert cross


def test_nothing_ends_while_everything_is_on_its_way():
    frame = working().frame()
    assert endings(frame, frame, []) == ()


def test_the_chosen_node_and_message_are_marked_below_and_above():
    frame = working().frame()
    number = frame.in_flight[0].number
    scene = scene_cluster(frame)
    marked = with_choice(scene, "S3", number)
    added = [mark for mark in marked.marks if mark not in scene.marks]
    assert [mark.id for mark in added] == [
        "chosen-message", "chosen-1", "chosen-2", "chosen-3", "chosen-4",
    ]  # fmt: skip
    assert marked.marks[0].id == "chosen-message"
    assert with_choice(scene, "nobody", None) is scene


def test_sides_are_written_beside_their_nodes():
    scene = with_choice(scene_cluster(working().frame()), None, None, {"S1": "A", "S2": "B"})
    sides = {m.id: m.text for m in scene.marks if isinstance(m, Text) and m.role == "side"}
    assert sides == {"side-S1": "A", "side-S2": "B"}


@pytest.mark.parametrize("nodes", [1, 2, 3, 12, 51])
def test_every_size_of_cluster_can_be_packed_and_chosen_in(nodes):
    cluster = Cluster(nodes, seed=3)
    cluster.elect()
    cluster.crash("S1")
    scene = with_choice(scene_cluster(cluster.frame()), "S1", None)
    assert any(mark.id == "chosen-1" for mark in scene.marks)
    assert msgspec.json.encode(pack(scene))

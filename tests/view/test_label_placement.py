"""Numbers of messages keep clear of words, heads, badges and nodes."""

import pytest

from raftlab import Cluster
from raftlab.sim.frames.frame import Frame
from raftlab.view.cluster.cluster import scene_cluster
from raftlab.view.cluster.legend import is_plain
from raftlab.view.cluster.links import link_marks, links_of
from raftlab.view.cluster.ring import ring_of
from raftlab.view.geometry import curve_points
from raftlab.view.marks import Mark
from raftlab.view.scene import Scene
from tests.view.boxes import box_of, collisions, overlap, texts
from tests.view.builders import flying, heartbeat, make_frame
from tests.view.changing import CHANGING, round_asked
from tests.view.samples import SAMPLES
from tests.view.sound import check_scene, of_role


def busy() -> list[Frame]:
    """Moments of a run in which reads, a transfer and a new member keep many messages in flight."""
    cluster = Cluster(5, seed=3)
    cluster.elect("S1")
    cluster.run(60)
    cluster.add_learner("S6")
    cluster.run(200)
    cluster.promote("S6")
    cluster.run(300)
    for name in ("S2", "S1", "S4"):
        cluster.read("x", of=name)
    cluster.propose("y=1")
    frames = []
    for _ in range(12):
        cluster.step()
        frames.append(cluster.frame())
    return frames


def heads(scene: Scene) -> list[tuple[float, float, float, float]]:
    tips = [each.points[-1] for each in of_role(scene, "message")]
    return [(x - 4, y - 4, x + 4, y + 4) for x, y in tips]


def covered(frame: Frame) -> list[str]:
    """The numbers that run over a word, another number, a head of an arrow, or a node."""
    scene = scene_cluster(frame)
    numbers, lower = texts(scene, "number"), _lower(scene, frame)
    found = [one for one, _ in collisions(texts(scene)) if one.startswith("number")]
    ring = ring_of(tuple(each.node for each in frame.nodes))
    for each in numbers:
        left, top, right, bottom = box_of(each)
        found += [each.id for head in heads(scene) if overlap(box_of(each), head, 0.0)]
        for x, y in ring.places.values():
            near = min(max(x, left), right), min(max(y + lower, top), bottom)
            if (near[0] - x) ** 2 + (near[1] - y - lower) ** 2 < (ring.r * 1.38) ** 2:
                found.append(each.id)
    return found


def _lower(scene: Scene, frame: Frame) -> float:
    """How far the ring stands lower than that of a plain cluster."""
    places = ring_of(tuple(each.node for each in frame.nodes)).places
    name = frame.nodes[0].node
    track = next(each for each in scene.marks if each.id in (f"track-{name}", f"node-{name}"))
    return (track.y + getattr(track, "h", 0.0) / 2) - places[name][1]


def test_numbers_of_messages_run_over_nothing():
    frames = busy()
    assert sum(len(frame.in_flight) for frame in frames) > 60
    assert [covered(frame) for frame in frames] == [[]] * len(frames)


@pytest.mark.parametrize("name", CHANGING)
def test_a_whole_picture_of_a_changing_cluster_is_sound_with_its_numbers(name):
    check_scene(scene_cluster(CHANGING[name]))
    assert covered(CHANGING[name]) == []


def meeting(asks: bool) -> Frame:
    """Three messages that have just left and three about to arrive, on one line."""
    there = [round_asked("S1", "S3", n) if asks else heartbeat("S1", "S3") for n in (111, 112, 113)]
    flights = [flying(111 + n, each, 99.0, 105.0) for n, each in enumerate(there)]
    flights += [flying(n, heartbeat("S3", "S1"), 92.0, 101.0) for n in (114, 115, 116)]
    return make_frame(3, in_flight=flights)


@pytest.mark.parametrize("asks", [True, False])
def test_messages_that_meet_have_their_numbers_apart(asks):
    assert covered(meeting(asks)) == []


def test_the_numbers_of_a_plain_picture_stay_where_they_are_if_none_lies_on_another():
    frame = SAMPLES["leader"]
    assert is_plain(frame) and covered(frame)
    ring = ring_of(tuple(each.node for each in frame.nodes))
    drawn = [each for each in link_marks(frame, links_of(frame), ring) if _is_number(each)]
    assert texts(scene_cluster(frame), "number") == drawn


def test_a_number_without_room_is_left_out():
    flights = [flying(10_000 + n, heartbeat("S1", "S2"), 92.0, 104.0, copies=3) for n in range(16)]
    scene = scene_cluster(make_frame(2, in_flight=flights))
    assert 4 < len(texts(scene, "number")) < 16
    assert all(f"#{flight.number} " in scene.description for flight in flights)
    check_scene(scene)


def test_a_number_that_is_clear_stays_too():
    few = [flying(1, round_asked("S1", "S3", 1))]
    plain = [flying(1, heartbeat("S1", "S3"))]
    asked, quiet = (make_frame(3, in_flight=each) for each in (few, plain))
    assert texts(scene_cluster(asked), "number") == texts(scene_cluster(quiet), "number")


def _is_number(mark: Mark) -> bool:
    return mark.role == "number"


BESIDE = ("role", "standing", "own", "vote", "votes", "paused", "reads", "transfer", "clock",
          "write")  # fmt: skip


@pytest.mark.parametrize("frame", [*busy(), *CHANGING.values()])
def test_the_lines_beside_a_node_run_over_no_message_and_no_node(frame):
    scene = scene_cluster(frame)
    messages = of_role(scene, "message")
    ways = [curve_points(*each.points, each.curve, 40) for each in messages]  # type: ignore[call-arg]
    rings = [each for each in scene.marks if each.role in ("track", "changed")]
    for each in texts(scene, *BESIDE):
        left, top, right, bottom = box_of(each)
        assert not [x for way in ways for x, y in way if left < x < right and top < y < bottom]
        for ring in rings:
            x, y = min(max(ring.x, left), right), min(max(ring.y, top), bottom)
            assert (x - ring.x) ** 2 + (y - ring.y) ** 2 >= ring.r**2

"""Heartbeats that change nothing, as one band with their number."""

import pytest

from raftlab import Cluster, Options
from raftlab.raft.roles import Role
from raftlab.sim.frames.frame import RoleSpan, TraceMark
from raftlab.view.timeline.folding import MOST_PLAIN
from raftlab.view.timeline.timeline import describe_timeline, scene_timeline
from tests.view.builders import accepted, heartbeat
from tests.view.sound import check_scene, mark, of_role, words
from tests.view.test_timeline import busy, make_trace, sent


def with_marks(trace, *marks, messages=()):
    """A trace in which more happens."""
    told = sorted((*trace.messages, *messages), key=lambda each: each.sent_at)
    return make_trace(5, end=trace.end, spans=trace.spans[:1], messages=told, marks=marks)


def rows(trace) -> list[str]:
    return [line for line in describe_timeline(trace).split("\n") if "→" in line]


def test_a_quiet_crowd_is_one_band_and_one_line():
    trace = busy()
    scene = scene_timeline(trace)
    check_scene(scene)
    assert of_role(scene, "message") == []
    assert "240 heartbeats" in words(scene)
    assert words(scene)[0].endswith("(240 heartbeats and their answers are folded).")
    assert words(scene)[0].startswith("0.0 to 3000.0 ms: 480 messages, 0 lost")
    assert rows(trace) == [
        "0.0  S1    → S2, S3, S4 and S5: 240 heartbeats, each answered; until 2970.0 ms"
    ]


def test_where_all_can_be_seen_nothing_is_folded():
    trace = busy(MOST_PLAIN // 8)
    assert len(trace.messages) <= MOST_PLAIN < len(busy(MOST_PLAIN // 8 + 1).messages)
    assert len(of_role(scene_timeline(trace), "message")) == len(trace.messages) == len(rows(trace))
    assert of_role(scene_timeline(trace), "fold") == []


def test_a_stretch_of_the_same_run_shows_each_heartbeat():
    scene = scene_timeline(busy(), 100.0, 200.0)
    assert len(of_role(scene, "message")) == 20
    assert of_role(scene, "fold") == []


def test_what_happens_between_parts_the_bands():
    trace = with_marks(busy(), TraceMark(1210.0, "S3", "pause", "S3 is paused"))
    scene = scene_timeline(trace)
    assert [each.text for each in of_role(scene, "fold") if hasattr(each, "text")] == [
        "100 heartbeats", "140 heartbeats",
    ]  # fmt: skip
    first, second = mark(scene, "fold-0"), mark(scene, "fold-1")
    assert first.x + first.w < second.x
    assert len(rows(trace)) == 2


@pytest.mark.parametrize("node, at, hidden", [("S3", 1209.0, 239), ("S1", 1218.0, 239)])
def test_a_heartbeat_that_changed_something_is_drawn(node, at, hidden):
    """S3 hears at 1209 ms, and S1 has its answer at 1218 ms."""
    trace = with_marks(busy(), TraceMark(at, node, "commit", "committed up to 1", "1"))
    drawn = of_role(scene_timeline(trace), "message")
    assert [each.data["kind"] for each in drawn] == ["heartbeat", "AppendEntries reply"]
    assert {each.data["from"] for each in drawn} == {"S1", "S3"}
    assert f"({hidden} heartbeats and their answers are folded)" in describe_timeline(trace)


def test_a_lost_heartbeat_is_drawn_and_one_that_deposed_somebody_too():
    lost = sent(heartbeat("S1", "S2"), 1200.5, 1207.0, delivered=False)
    trace = with_marks(busy(), messages=[lost])
    (line,) = of_role(scene_timeline(trace), "message")
    assert line.data["fate"] == "lost"
    spans = [
        RoleSpan("S2", Role.CANDIDATE, 1, 0, 1208),
        RoleSpan("S2", Role.FOLLOWER, 2, 1208, 3e3),
    ]
    deposed = make_trace(5, end=3e3, spans=[*busy().spans[:1], *spans], messages=busy().messages)
    drawn = of_role(scene_timeline(deposed), "message")
    assert [(each.data["from"], each.data["to"]) for each in drawn] == [("S1", "S2"), ("S2", "S1")]


@pytest.mark.parametrize("many, drawn", [(2, 4), (3, 0)])
def test_fewer_than_three_heartbeats_are_no_band(many, drawn):
    late = []
    for follower in ("S2", "S3", "S4")[:many]:
        late += [
            sent(heartbeat("S1", follower), 480, 486),
            sent(accepted(follower, "S1"), 486, 490),
        ]
    trace = with_marks(busy(10), TraceMark(479.0, "S5", "pause", "S5 is paused"), messages=late)
    scene = scene_timeline(trace)
    assert len(of_role(scene, "message")) == drawn
    assert len(rows(trace)) == 1 + (drawn or 1)


def test_a_real_election_is_drawn_in_full_and_the_quiet_after_it_is_folded():
    cluster = Cluster(5, seed=1, options=Options.figure_2())
    cluster.elect()
    cluster.run(1000)
    scene = scene_timeline(cluster.trace())
    check_scene(scene)
    kinds = [each.data["kind"] for each in of_role(scene, "message")]
    assert kinds.count("RequestVote") >= 4 and kinds.count("RequestVote reply") >= 2
    assert kinds.count("heartbeat") <= 8
    (band,) = (each.text for each in of_role(scene, "fold") if hasattr(each, "text"))
    assert band.endswith(" heartbeats")
    assert f"{band}, each answered" in scene.description

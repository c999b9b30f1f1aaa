"""Marks of the whole protocol on a timeline: glyphs, words, a server that joins."""

from itertools import combinations, pairwise

import pytest

from raftlab import Cluster
from raftlab.raft.roles import Role
from raftlab.sim.frames.frame import RoleSpan, TraceMark
from raftlab.view.labels import runs_through
from raftlab.view.timeline.timeline import describe_timeline, scene_timeline
from tests.view.boxes import box_of, collisions, texts
from tests.view.builders import accepted, append
from tests.view.sound import check_scene, mark, of_role
from tests.view.test_timeline import make_trace, sent

KINDS = ("join", "configuration", "transfer", "forget", "compact", "read", "wipe", "clock", "disk")


def crowded(size: int = 3, *, step: float = 2.0, also: tuple[TraceMark, ...] = ()):
    """Each of the rarer kinds on the life line of S2, `step` ms apart."""
    marks = [
        TraceMark(20.0 + step * place, "S2", kind, f"S2 {kind}") for place, kind in enumerate(KINDS)
    ]
    return make_trace(size, marks=sorted((*marks, *also), key=lambda each: each.at))


def shape(kind: str) -> list[object]:
    """What is drawn for a mark, wherever it stands."""
    scene = scene_timeline(make_trace(2, marks=[TraceMark(50.0, "S2", kind, "")]))
    drawn = [each for each in of_role(scene, "mark") if not each.id.endswith("-words")]
    return [
        (type(each), getattr(each, "points", None), getattr(each, "r", None), each.ink.fill)
        for each in drawn
    ]


def test_no_two_kinds_that_mean_different_things_share_a_glyph():
    kinds = [kind for kind in (*KINDS, "restart", "crash", "timeout", "pause") if kind != "join"]
    for one, other in combinations(kinds, 2):
        assert shape(one) != shape(other), (one, other)
    assert shape("join") == shape("restart"), "a server that starts"


@pytest.mark.parametrize("size", [3, 11, 12])
@pytest.mark.parametrize("step", [0.0, 0.5, 2.0, 6.0, 10.0])
def test_marks_that_stand_close_do_not_run_over_each_other(size, step):
    also = (
        TraceMark(21.0, "S2", "commit", "committed up to 17", "17"),
        TraceMark(26.0, "S2", "propose", "a client hands longer=1 to S2", "longer=1"),
        TraceMark(29.0, "S3", "propose", "a client hands longer=1 to S3", "longer=1"),
        TraceMark(31.0, "S2", "commit", "committed up to 18", "18"),
    )
    scene = scene_timeline(crowded(size, step=step, also=also))
    check_scene(scene)
    assert collisions(texts(scene, "mark")) == []


def test_a_word_without_room_is_in_the_legend_and_every_mark_in_the_text():
    trace = crowded(step=1.0)
    scene = scene_timeline(trace)
    beside = {each.text for each in texts(scene, "mark")}
    below = {each.text for each in texts(scene, "legend")}
    said = {"config" if kind == "configuration" else kind for kind in KINDS}
    assert said <= below
    assert beside & said and not said <= beside
    for kind in KINDS:
        assert f"S2 {kind}" in describe_timeline(trace)


def test_with_room_every_mark_has_its_word():
    scene = scene_timeline(crowded(step=8.5))
    assert len(texts(scene, "mark")) == len(KINDS)


def test_the_second_line_takes_what_the_first_has_no_room_for():
    marks = [TraceMark(at, "S2", "compact", "") for at in (50.0, 52.0)]
    first, second = texts(scene_timeline(make_trace(3, marks=marks)), "mark")
    assert first.text == second.text == "compact"
    assert second.y - first.y == 13


def test_the_arrow_of_a_command_runs_through_no_word():
    marks = [
        TraceMark(50.0, "S2", "compact", ""),
        TraceMark(51.5, "S2", "propose", "a client hands x=1 to S2", "x=1"),
    ]
    scene = scene_timeline(make_trace(3, marks=marks))
    start, end = mark(scene, "mark-1-propose").points
    assert not runs_through(start, end, box_of(mark(scene, "mark-0-compact-words")))


@pytest.mark.parametrize("at", [0.0, 50.0, 80.0])
@pytest.mark.parametrize(
    ("kind", "detail"), [("propose", "x=1"), ("commit", "17"), ("timeout", None)]
)
def test_a_word_gives_way_to_the_messages_that_leave_and_arrive_at_its_mark(at, kind, detail):
    """At the start of a timeline, in the middle, and where the messages come just then."""
    messages = [sent(append("S1", each, "2:x=1"), at, at + 8.0) for each in ("S2", "S3")]
    if at == 80.0:
        messages = [sent(accepted(each, "S1"), at - 8.0, at) for each in ("S2", "S3")]
    marks = [TraceMark(at, "S1", kind, "", detail)]
    scene = scene_timeline(make_trace(3, messages=messages, marks=marks))
    (word,) = texts(scene, "mark")
    lines = of_role(scene, "message")
    ends = {each.id: (each.points[0], each.points[-1]) for each in lines}
    crossed = [name for name, (a, b) in ends.items() if runs_through(a, b, box_of(word))]
    assert len(lines) == 2
    assert crossed == []
    left, _, right, _ = box_of(word)
    glyph = next(x for line in lines for x, y in line.points if y < word.y)
    assert left - 9 < glyph < right + 9


def test_no_term_hides_the_cross_of_a_lost_message():
    lost = [sent(append("S1", "S3", "2:x=1"), 0.0, 5.0, delivered=False)]
    scene = scene_timeline(make_trace(3, messages=lost))
    order = [each.id for each in scene.marks]
    box, cross = mark(scene, "term-S2-0-ground"), mark(scene, "msg-0-lost-a")
    start, end = cross.points
    assert runs_through(start, end, (box.x, box.y, box.x + box.w, box.y + box.h))
    assert order.index("msg-0-lost-a") > order.index("term-S2-0-ground")


def test_in_low_rows_words_do_not_lie_on_the_next_life_line():
    scene = scene_timeline(crowded(12))
    assert texts(scene, "mark") == []
    assert {"read", "config", "wipe"} <= {each.text for each in texts(scene, "legend")}


def test_of_several_marks_at_one_moment_none_hides_another():
    scene = scene_timeline(crowded(step=0.0))
    glyphs = {kind: mark(scene, f"mark-{place}-{kind}") for place, kind in enumerate(KINDS)}
    middles = [
        each.x + getattr(each, "w", 0) / 2 if hasattr(each, "x") else each.points[0][0] + 4
        for each in glyphs.values()
    ]
    gaps = [after - before for before, after in pairwise(middles)]
    assert min(gaps) > 11


def test_a_server_that_joined_later_has_no_life_line_before_it_joins():
    cluster = Cluster(3, seed=1)
    cluster.elect("S1")
    cluster.run(80)
    since = cluster.now
    cluster.add_learner("S4")
    cluster.run(120)
    scene = scene_timeline(cluster.trace())
    glyph = next(each for each in of_role(scene, "join"))
    joined = glyph.points[0][0] + 4.0
    lives = [each for each in of_role(scene, "life") if each.id.startswith("life-S4")]
    bands = [each for each in of_role(scene, "band") if each.data["node"] == "S4"]
    assert min(x for each in lives for x, _ in each.points) == pytest.approx(joined)
    assert min(each.x for each in bands) >= joined
    assert mark(scene, "name-S4").text == "S4"
    early = scene_timeline(cluster.trace(), 0.0, since - 1)
    assert not [each for each in early.marks if each.id.startswith("life-S4")]
    check_scene(early)


def test_a_late_server_in_a_made_up_trace_is_named_and_its_line_begins_late():
    spans = [RoleSpan("S2", Role.FOLLOWER, 1, 60.0, 100.0)]
    scene = scene_timeline(make_trace(2, spans=spans))
    one, two = (mark(scene, name) for name in ("life-S1-1", "life-S2-0"))
    assert one.points[0][0] < two.points[0][0]

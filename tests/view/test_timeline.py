import re
from xml.etree import ElementTree

import pytest

from raftlab import Cluster, Options
from raftlab.raft.roles import Role
from raftlab.sim.frames.frame import MessageSpan, RoleSpan, Trace, TraceMark
from raftlab.view import style
from raftlab.view.timeline.timeline import describe_timeline, scene_timeline
from raftlab.view.timeline.window import MOST_FULL
from tests.view.boxes import outside
from tests.view.builders import accepted, append, heartbeat, nodes_named, request_vote, vote
from tests.view.sound import check_scene, check_text, mark, of_role, words

F, C, L = Role.FOLLOWER, Role.CANDIDATE, Role.LEADER


def make_trace(size=3, *, end=100.0, spans=(), messages=(), marks=()) -> Trace:
    """A trace from 0 to `end`; nodes without spans follow in term 1 all the time."""
    names = nodes_named(size)
    told = {span.node for span in spans}
    quiet = [RoleSpan(name, F, 1, 0.0, end) for name in names if name not in told]
    return Trace(names, 0.0, end, (*spans, *quiet), tuple(messages), tuple(marks))


def sent(message, at, ended=None, delivered=True) -> MessageSpan:
    return MessageSpan(message, at, ended, delivered and ended is not None)


LIFE = (
    RoleSpan("S1", F, 1, 0.0, 20.0),
    RoleSpan("S1", C, 2, 20.0, 40.0),
    RoleSpan("S1", L, 2, 40.0, 80.0),
    RoleSpan("S1", None, 2, 80.0, 100.0),
)
MESSAGES = (
    sent(request_vote("S1", "S2"), 20.0, 28.0),
    sent(request_vote("S1", "S3"), 20.0, 31.0, delivered=False),
    sent(vote("S2", "S1"), 28.0, 40.0),
    sent(append("S1", "S2", "2:x=1"), 41.0, 52.0),
    sent(append("S1", "S3", "2:x=1"), 41.0, 50.0),
    sent(accepted("S2", "S1"), 52.0, 62.0),
    sent(heartbeat("S1", "S2"), 70.0, 78.0),
    sent(heartbeat("S1", "S3"), 95.0),
)
MARKS = (
    TraceMark(40.0, "S1", "propose", "a client hands x=1 to S1", "x=1"),
    TraceMark(62.0, "S1", "commit", "committed up to 1", "1"),
    TraceMark(80.0, "S1", "crash", "S1 crashes"),
    TraceMark(85.0, None, "partition", "the network falls apart: S1 | S2 S3", "S1 | S2 S3"),
    TraceMark(96.0, None, "heal", "the network is whole again"),
)
STORY = make_trace(spans=LIFE, messages=MESSAGES, marks=MARKS)


def busy(rounds: int = 60) -> Trace:
    """A leader of five sends a heartbeat to each follower in every round, and each answers."""
    messages: list[MessageSpan] = []
    for beat in range(rounds):
        at = 50.0 * beat
        for place, follower in enumerate(("S2", "S3", "S4", "S5")):
            there = at + 8.0 + place
            messages.append(sent(heartbeat("S1", follower), at, there))
            messages.append(sent(accepted(follower, "S1"), there, there + 9.0))
    end = 50.0 * rounds
    return make_trace(5, end=end, spans=[RoleSpan("S1", L, 2, 0.0, end)], messages=messages)


# Messages


def test_each_message_of_a_trace_appears_once_in_picture_and_text():
    scene = scene_timeline(STORY)
    drawn = [each.id for each in of_role(scene, "message")]
    assert drawn == [f"msg-{place}" for place in range(len(MESSAGES))]
    arrows = [line for line in scene.description.split("\n") if "→" in line]
    assert len(arrows) == len(MESSAGES)
    assert len(set(arrows)) == len(MESSAGES)


def test_a_message_runs_from_sender_and_sending_to_receiver_and_arrival():
    scene = scene_timeline(STORY)
    start, end = mark(scene, "msg-0").points
    ticks = {each.text: each.x for each in of_role(scene, "tick") if hasattr(each, "text")}
    a, b = ticks["20"], ticks["40"]
    assert start[0] == pytest.approx(a)
    assert end[0] == pytest.approx(a + (b - a) * 0.4)
    names = [mark(scene, f"name-S{place}").y - 4 for place in (1, 2)]
    assert start[1] == pytest.approx(names[0], abs=6)
    assert end[1] == pytest.approx(names[1], abs=6)


def test_kinds_differ_by_line_and_request_and_reply_by_head():
    scene = scene_timeline(STORY)
    ask, answer, entries, beat = (mark(scene, f"msg-{place}") for place in (0, 2, 3, 6))
    assert ask.ink.dash and answer.ink.dash and not entries.ink.dash
    assert (ask.head, answer.head, entries.head) == ("filled", "open", "filled")
    assert beat.ink.width < entries.ink.width
    assert ask.ink.stroke != entries.ink.stroke


def test_a_lost_message_stops_half_way_with_a_cross():
    scene = scene_timeline(STORY)
    line = mark(scene, "msg-1")
    target = mark(scene, "name-S3").y
    assert line.head == "none" and "lost" in line.role
    assert line.points[0][1] < line.points[1][1] < target - 20
    cross = mark(scene, "msg-1-lost-a")
    assert cross.ink.stroke == style.TROUBLE
    assert "lost at 31.0 ms" in scene.description
    assert [each.id for each in of_role(scene, "cross") if "msg-" in each.id] == [
        "msg-1-lost-a",
        "msg-1-lost-b",
    ]


def test_a_message_on_its_way_is_faded_and_has_no_head():
    line = mark(scene_timeline(STORY), "msg-7")
    assert line.ink.opacity < 0.6 and line.head == "none"
    assert "still on its way" in describe_timeline(STORY)


def test_a_message_that_arrives_after_the_end_is_cut_at_the_end():
    scene = scene_timeline(STORY, end=24.0)
    line = mark(scene, "msg-0")
    assert line.head == "none"
    assert line.points[1][0] == pytest.approx(mark(scene, "axis").points[1][0])
    assert outside(scene) == []


def test_only_one_family_of_messages_on_request():
    votes, appends = (scene_timeline(STORY, only=only) for only in ("votes", "appends"))
    assert {each.data["kind"] for each in of_role(votes, "message")} == {
        "RequestVote",
        "RequestVote reply",
    }
    assert len(of_role(votes, "message")) + len(of_role(appends, "message")) == len(MESSAGES)
    assert "3 messages about votes, 1 lost" in votes.description
    assert "AppendEntries" not in votes.description


def test_a_window_shows_what_was_under_way_in_it():
    scene = scene_timeline(STORY, 25.0, 45.0)
    assert [each.id for each in of_role(scene, "message")] == [
        "msg-0", "msg-1", "msg-2", "msg-3", "msg-4"
    ]  # fmt: skip
    assert scene.description.startswith("25.0 to 45.0 ms: 5 messages")
    assert outside(scene) == []


def crowd(rounds: int = 60) -> Trace:
    """A leader of five sends an entry to each follower in every round, and each answers."""
    trace = busy(rounds)
    entries = [
        sent(append("S1", each.message.receiver, "2:x=1"), each.sent_at, each.ended_at)
        if each.message.sender == "S1"
        else each
        for each in trace.messages
    ]
    return make_trace(5, end=trace.end, spans=trace.spans[:1], messages=entries)


def test_a_crowd_of_messages_stays_legible():
    few, many = (
        {each.ink.width for each in of_role(scene_timeline(crowd(rounds)), "message")}
        for rounds in (15, 60)
    )
    assert 120 < MOST_FULL < 480
    assert max(many) < max(few) and min(many) < min(few)


def test_in_a_crowd_a_heartbeat_that_is_drawn_is_faint_and_fine():
    lost = sent(heartbeat("S1", "S2"), 200.5, 207.0, delivered=False)

    def drawn(trace: Trace):
        told = sorted((*trace.messages, lost), key=lambda each: each.sent_at)
        scene = scene_timeline(make_trace(5, end=trace.end, spans=trace.spans[:1], messages=told))
        (line,) = (each for each in of_role(scene, "message") if each.data["kind"] == "heartbeat")
        return line

    few, many = drawn(crowd(15)), drawn(crowd(60))
    assert few.ink.opacity == 1.0
    assert many.ink.opacity < 0.6 and many.ink.width < few.ink.width


# Life lines


def test_life_lines_differ_by_width_and_dash_as_well_as_by_colour():
    scene = scene_timeline(STORY)
    role = {each.role.split()[1]: each for each in of_role(scene, "life") if "S1" in each.id}
    widths = [role[name].ink.width for name in ("follower", "candidate", "leader")]
    assert widths == sorted(set(widths))
    assert role["down"].ink.dash and not role["leader"].ink.dash
    assert role["leader"].points[0][0] == role["candidate"].points[1][0]


def test_nodes_keep_the_order_of_the_cluster():
    scene = scene_timeline(make_trace(5))
    rows = [mark(scene, f"name-S{place}").y for place in range(1, 6)]
    assert rows == sorted(rows)


def test_the_number_of_a_term_is_printed_where_it_begins():
    scene = scene_timeline(STORY)
    mine = [each for each in of_role(scene, "term") if each.id.startswith("term-S1")]
    assert [each.text for each in mine] == ["term 1", "term 2"]
    assert mine[1].x == pytest.approx(mark(scene, "divider-S1-1").points[0][0] + 4)
    tints = {each.ink.fill for each in of_role(scene, "band") if each.data["node"] == "S1"}
    assert tints == {style.term_tint(1), style.term_tint(2)}


def test_a_term_is_said_again_after_a_crash():
    life = [
        RoleSpan("S1", F, 1, 0.0, 30.0),
        RoleSpan("S1", None, 1, 30.0, 60.0),
        RoleSpan("S1", F, 1, 60.0, 100.0),
    ]
    scene = scene_timeline(make_trace(spans=life))
    mine = [each for each in of_role(scene, "term") if each.id.startswith("term-S1")]
    assert [each.text for each in mine] == ["term 1", "term 1"]


def test_terms_that_follow_each_other_closely_do_not_overlap():
    life = [RoleSpan("S1", C, term, 2.0 * term, 2.0 * term + 2) for term in range(50)]
    scene = scene_timeline(make_trace(spans=life))
    check_scene(scene)
    assert of_role(scene, "term")[-1].text.endswith("1")


# Moments


@pytest.mark.parametrize(
    "kind", ["propose", "commit", "crash", "restart", "pause", "resume", "timeout"]
)
def test_each_kind_of_moment_has_a_mark_of_its_own(kind):
    scene = scene_timeline(make_trace(marks=[TraceMark(50.0, "S2", kind, f"S2: {kind}")]))
    plain = scene_timeline(make_trace())
    assert len(scene.marks) > len(plain.marks)
    shapes = [
        (type(each).__name__, getattr(each, "closed", None), getattr(each, "head", None))
        for each in scene.marks
        if each.id.startswith(f"mark-0-{kind}") and each.role != "mark"
    ]
    assert shapes
    assert f"50.0  S2    S2: {kind}" in scene.description
    check_scene(scene)


def test_words_beside_marks_name_the_entry_and_the_command():
    said = words(scene_timeline(STORY))
    assert "x=1" in said and "1" in said and "crash" in said


def test_a_partition_runs_across_all_life_lines_and_names_its_sides():
    scene = scene_timeline(STORY)
    wall = mark(scene, "mark-3-partition")
    assert wall.ink.width == style.PARTITION_WIDTH and wall.ink.dash == style.PARTITION_DASH
    assert wall.points[0][1] < mark(scene, "name-S1").y < mark(scene, "name-S3").y
    assert wall.points[1][1] > mark(scene, "name-S3").y
    assert "S1 | S2 S3" in words(scene)


def test_a_link_that_is_cut_is_named_and_both_ways_are_one_mark():
    cluster = Cluster(3, seed=7)
    cluster.cut("S1", "S3")
    cluster.run(20)
    cluster.cut("S1", "S2", both_ways=False)
    cluster.run(30)
    cluster.cut("S2", "S1", both_ways=False)
    cluster.run(30)
    trace = cluster.trace()
    said = words(scene_timeline(trace))
    assert {"S1 ↔ S3 cut", "S1 → S2 cut", "S2 → S1 cut"} <= set(said)
    told = describe_timeline(trace)
    assert "0.0        the link between S1 and S3 is cut both ways\n" in told
    assert "20.0        the link from S1 to S2 is cut\n" in told
    assert told.count(" is cut") == len(of_role(scene_timeline(trace), "partition")) == 3


def test_a_paused_node_has_a_hollow_life_line():
    marks = [TraceMark(20.0, "S2", "pause", "S2 stands still")]
    marks += [TraceMark(60.0, "S2", "resume", "S2 goes on")]
    scene = scene_timeline(make_trace(marks=marks))
    (hollow,) = of_role(scene, "paused")
    assert hollow.ink.stroke == style.PAPER
    assert hollow.points[0][0] == pytest.approx(mark(scene, "mark-0-pause").x)


# The whole


def test_the_text_lists_everything_in_order_of_time():
    text = describe_timeline(STORY)
    assert text.startswith("0.0 to 100.0 ms: 8 messages, 1 lost.")
    times = [float(line.split()[0]) for line in text.split("\n")[3:]]
    assert times == sorted(times)
    lines = [re.sub(" +", " ", line.strip()) for line in text.split("\n")]
    assert lines.index("40.0 S1 is a leader in term 2") < lines.index(
        "40.0 S1 a client hands x=1 to S1"
    )
    assert "80.0 S1 is down" in lines
    check_text(text)


def test_the_text_tells_a_change_at_the_moment_at_which_it_begins():
    cluster = Cluster(3, seed=7, options=Options.figure_2())
    cluster.timeout("S2")
    cluster.crash("S3")
    cluster.run(30)
    rows = describe_timeline(cluster.trace()).splitlines()
    assert " 0.0  S2    is a candidate in term 1" in rows
    assert " 0.0  S3    is down" in rows
    assert not any("follower in term 0" in row for row in rows)
    later = describe_timeline(cluster.trace(), start=0.1)
    assert "S2    is a candidate" not in later


def test_the_first_line_says_who_leads_at_the_end():
    text = describe_timeline(STORY, end=60.0)
    assert text.startswith("0.0 to 60.0 ms: 6 messages, 1 lost; S1 leads term 2 at the end.")


def test_the_legend_explains_what_is_there_and_nothing_else():
    said = {each.text for each in of_role(scene_timeline(STORY), "legend") if hasattr(each, "text")}
    assert said == {
        "follower", "candidate", "leader", "down", "term", "RequestVote", "AppendEntries",
        "heartbeat", "reply", "lost", "on its way", "command", "commit index", "crash", "heal",
        "partition",
    }  # fmt: skip
    quiet = {
        each.text
        for each in of_role(scene_timeline(make_trace()), "legend")
        if hasattr(each, "text")
    }
    assert quiet == {"follower", "term"}


@pytest.mark.parametrize("size", [1, 2, 3, 5, 7, 11, 51])
def test_every_size_of_cluster_finds_room(size):
    check_scene(scene_timeline(make_trace(size)))


@pytest.mark.parametrize("end", [0.0, 0.4, 1.0, 37.0, 251.1, 100_000.0])
def test_ticks_are_round_and_do_not_touch(end):
    scene = scene_timeline(make_trace(end=end))
    labels = [each for each in of_role(scene, "tick") if hasattr(each, "text")]
    assert 2 <= len(labels) <= 14
    check_scene(scene)


def test_the_story_is_sound():
    root = check_scene(scene_timeline(STORY))
    assert root.tag.endswith("svg")


def test_a_window_that_makes_no_sense_is_refused():
    with pytest.raises(ValueError, match=r"from 50\.0 ms must end later than 40\.0 ms"):
        scene_timeline(STORY, 50.0, 40.0)
    with pytest.raises(ValueError, match="only='beats' is none of"):
        describe_timeline(STORY, only="beats")


def test_the_same_trace_gives_the_same_picture():
    assert scene_timeline(STORY).svg == scene_timeline(STORY).svg
    ElementTree.fromstring(scene_timeline(busy(5)).svg)


def test_matplotlib_paints_it_into_the_axes_it_is_given():
    from matplotlib.figure import Figure

    ax = Figure().add_subplot()
    assert scene_timeline(STORY, only="votes").plot(ax) is ax
    assert ax.get_xlim() == (0, scene_timeline(STORY, only="votes").width)
    assert len(ax.get_children()) > 10


def test_the_headline_names_every_leader_at_the_end():
    spans = tuple(RoleSpan(node, Role.LEADER, 1, 0.0, 50.0) for node in ("S1", "S3"))
    trace = Trace(("S1", "S2", "S3"), 0.0, 50.0, spans, (), ())
    said = describe_timeline(trace).splitlines()[0]
    assert said.endswith("; S1 leads term 1, S3 leads term 1 at the end.")


def test_messages_that_take_no_time_leave_room_for_one_that_is_still_on_its_way():
    at_once = [sent(vote("S2", "S1"), at, at) for at in (10.0, 11.0, 12.0)]
    trace = make_trace(messages=[*at_once, sent(vote("S3", "S1"), 90.0)])
    check_scene(scene_timeline(trace))

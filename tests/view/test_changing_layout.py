"""Where words and lines go in pictures of a cluster that changes: cut, crowded, far apart."""

import pytest
from msgspec.structs import replace

from raftlab import Cluster
from raftlab.raft.log import Snapshot
from raftlab.raft.transfer import NO_DEADLINE
from raftlab.raft.vocabulary import Configuration
from raftlab.sim.frames.frame import Frame, TransferFrame
from raftlab.view.cluster.cluster import scene_cluster
from raftlab.view.cluster.description import describe_cluster
from raftlab.view.cluster.ring import ring_of
from raftlab.view.decisions.commit import scene_commit
from raftlab.view.decisions.votes import scene_votes
from raftlab.view.logs.description import describe_logs
from raftlab.view.logs.logs import scene_logs
from raftlab.view.members import configuration_lines
from raftlab.view.overview.overview import describe_frame
from raftlab.view.style import text_width, wrap_clauses
from tests.view.boxes import box_of, texts
from tests.view.builders import entry_of, make_frame, make_log, node, nodes_named
from tests.view.changing import (
    CHANGE,
    CHANGED,
    CHANGING,
    START,
    THREE,
    changing_crowd,
    compacted,
    following,
    joint,
    joint_campaign,
    leading,
    learning,
    removed,
    serving,
)
from tests.view.sound import check_scene, check_text, mark, of_role
from tests.view.test_describe import changed_node


def lines(frame: Frame, role: str) -> list[str]:
    return [each.text for each in texts(scene_cluster(frame), role)]


# Leadership that is handed over


@pytest.mark.parametrize("name", ["S4", "S11"])
def test_the_name_of_a_successor_is_whole_when_it_is_new(name):
    frame = changed_node(serving(), "S1", transfer=TransferFrame(name, None, 250.0))
    before = changed_node(serving(), "S1", transfer=None)
    scene = scene_cluster(frame, before)
    drawn = texts(scene, "transfer")
    assert [each.text for each in drawn] == ["hands over", f"to {name}", "150 ms left"]
    assert all(each.bold for each in drawn)


def test_of_a_long_name_the_end_is_cut_and_never_that_it_was_told():
    long = "north-west-17"
    said = lines(
        changed_node(serving(), "S1", transfer=TransferFrame(long, long, 250.0)), "transfer"
    )
    assert said[1].startswith("to nor") and said[1].endswith("…, told")


def test_a_successor_that_the_leader_chose_itself_was_told():
    chosen = changed_node(serving(), "S1", transfer=TransferFrame(None, "S3", 250.0))
    assert lines(chosen, "transfer") == ["hands over", "told S3", "150 ms left"]


def test_a_removed_leader_that_waits_for_a_successor_has_no_time_limit():
    frame = changed_node(serving(), "S1", transfer=TransferFrame(None, None, NO_DEADLINE))
    scene, text = scene_cluster(frame), describe_cluster(frame)
    assert lines(frame, "transfer") == ["hands over", "no time limit"]
    assert "transfer: S1 hands over to any that has caught up, without a time limit" in text
    assert not [each for each in scene.marks if "inf" in getattr(each, "text", "")]
    assert " inf" not in text


def test_a_real_leader_that_is_removed_waits_in_picture_and_text():
    cluster = Cluster(3, seed=1)
    cluster.elect("S1")
    cluster.run(100)
    cluster.remove("S1")
    while cluster.frame()["S1"].configuration.old_voters or cluster.frame()["S1"].is_voter:
        cluster.step()
    while cluster.frame()["S1"].transfer is None:  # what is new, no follower has yet
        cluster.propose("z=1", to="S1")
        cluster.step()
    frame = cluster.frame()
    check_scene(scene_logs(frame))
    assert lines(frame, "transfer")[-1] == "no time limit"
    assert "not a member" in lines(frame, "standing")
    check_text(describe_frame(frame))


# Lines above the ring


def two_configurations() -> Frame:
    held = following("S2", CHANGE, commit=4)
    return make_frame(
        7,
        **{name: following(name, CHANGE, commit=4) for name in ("S3", "S6", "S7")},
        S1=leading(log=CHANGE, commit=4),
        S2=replace(held, configuration=THREE, configuration_index=0),
        S4=following("S4", (), commit=0),
        S5=following("S5", (), commit=0),
    )


def test_a_configuration_is_told_shorter_before_it_breaks_and_keeps_its_nodes():
    assert lines(two_configurations(), "configuration") == [
        "joint: S1-3 (old) and S3-5 (new), learner S6; entry 5, not committed; "
        "in force at S1,3,6,7",
        "voters S1 S2 S3; from the start; in force at S2",
    ]


def test_of_three_configurations_the_second_line_counts_and_the_text_tells_all():
    other = (*START, entry_of(2, 5, Configuration(("S1", "S2"))))
    frame = two_configurations()
    frame = make_frame(
        7, **{each.node: each for each in frame.nodes} | {"S3": following("S3", other, commit=4)}
    )
    drawn = lines(frame, "configuration")
    assert len(drawn) == 2
    assert drawn[0].startswith("joint: S1 S2 S3 (old) and S3 S4 S5 (new), learner S6; entry 5")
    assert drawn[1] == "2 other configurations in force at S2,3"
    assert len(configuration_lines(frame)) == 3
    assert all(line in describe_cluster(frame) for line in configuration_lines(frame))


@pytest.mark.parametrize("name", CHANGING)
def test_at_most_two_lines_above_the_ring_tell_of_configurations(name):
    assert len(lines(CHANGING[name], "configuration")) <= 2


def test_configurations_of_long_names_are_cut_to_two_lines():
    names = tuple(f"node-in-some-far-place-{letter}" for letter in "abcde")
    both = Configuration(names[2:], old_voters=names[:3])
    log = (*START, entry_of(2, 5, both))
    nodes = [node(name, term=2, log=log, configuration=both) for name in names[1:]]
    nodes.append(node(names[0], term=2, log=START, voters=names[:3]))
    drawn = lines(replace(make_frame(1), nodes=tuple(nodes)), "configuration")
    assert len(drawn) == 2 and drawn[0].endswith("…")


def test_clauses_stay_together_where_there_is_room_for_one():
    said = "voters S1 S2 S3; entry 4, committed; in force at S2,4,5"
    room = text_width("voters S1 S2 S3; entry 4, committed; in force")
    assert wrap_clauses(said, room) == [
        "voters S1 S2 S3; entry 4, committed;", "in force at S2,4,5",
    ]  # fmt: skip
    assert wrap_clauses(said, 1000) == [said]
    assert " ".join(wrap_clauses(said, 70)) == said, "nothing is lost where none has room"
    assert max(map(text_width, wrap_clauses(said, 70))) <= 70


@pytest.mark.parametrize("name", ["joint", "learner", "removed", "joint campaign"])
def test_the_first_line_beside_a_node_is_further_from_the_lines_above_than_they_are(name):
    scene = scene_cluster(CHANGING[name])
    above = max(each.y for each in texts(scene, "headline", "configuration"))
    others = [each.y for each in texts(scene) if each.role not in ("headline", "configuration")]
    assert min(others) - above >= 20


@pytest.mark.parametrize("frame", [joint(), learning(), removed(), changing_crowd(7)])
def test_there_is_no_dead_space_below_a_cluster_that_changes(frame):
    scene = scene_cluster(frame)
    lowest = max(box_of(each)[3] for each in texts(scene))
    track = max(each.y + each.r for each in of_role(scene, "track"))
    assert 0 <= scene.height - max(lowest, track) <= 40, "two lines"


def test_a_plain_cluster_of_as_many_keeps_its_room():
    plain = Cluster(6, seed=1)
    plain.elect()
    assert scene_cluster(plain.frame()).height == ring_of(nodes_named(6)).height


def test_the_room_below_does_not_change_with_one_vote():
    voted = learning()
    fresh = changed_node(voted, "S3", voted_for="S1")
    assert scene_cluster(voted).height == scene_cluster(fresh).height


# Which configuration is committed


def test_what_the_leader_has_committed_is_committed_wherever_it_is_in_force():
    frame = make_frame(
        5,
        S3=leading("S3", log=CHANGED, commit=6),
        **{name: following(name, CHANGED, commit=6) for name in ("S4", "S5")},
        S1=following("S1", CHANGE, commit=4),
        S2=following("S2", CHANGE, commit=4),
    )
    assert configuration_lines(frame)[1].endswith("; entry 5, committed; in force at S1,2")


def test_an_entry_that_was_committed_elsewhere_at_that_index_does_not_commit_another():
    other = (*CHANGE[:4], entry_of(3, 5, Configuration(("S1", "S2"))))
    frame = make_frame(
        3,
        S1=leading(term=3, log=other, commit=5),
        S2=following("S2", other, commit=5),
        S3=following("S3", CHANGE, commit=4),
    )
    assert configuration_lines(frame)[1].endswith("; entry 5, not committed; in force at S3")


def test_where_those_who_know_have_compacted_nothing_is_claimed():
    last = Configuration(("S3", "S4", "S5"), learners=("S6",))
    held = {"log": (), "commit": 6, "snapshot": Snapshot(6, 2, last), "configuration": last}
    frame = make_frame(
        5,
        S3=leading("S3", **held),
        **{name: node(name, term=2, deadline=190.0, **held) for name in ("S4", "S5")},
        S1=following("S1", CHANGE, commit=4),
        S2=following("S2", CHANGE, commit=4),
    )
    assert configuration_lines(frame)[1].endswith("; entry 5; in force at S1,2")


# The logs


def test_the_words_below_the_last_row_keep_clear_of_the_legend():
    for frame in (learning(), joint(), compacted(), removed()):
        scene = scene_logs(frame)
        legend = box_of(mark(scene, "legend"))[1]
        below = [box_of(each)[3] for each in texts(scene, "standing", "sending")]
        pills = [each.y + each.h for each in of_role(scene, "snapshot")]
        assert legend - max(below + pills) >= 5


def test_a_word_below_a_name_keeps_clear_of_the_snapshot_beside_it():
    last = Configuration(("S1", "S2"))
    held = {"log": (), "commit": 6, "snapshot": Snapshot(6, 2, last), "configuration": last}
    frame = make_frame(3, S1=leading(**held), S3=node("S3", term=2, deadline=190.0, **held))
    scene = scene_logs(frame)
    word, pill = mark(scene, "row-S3-standing"), mark(scene, "memory-S3-snapshot")
    assert word.text == "not a member"
    assert box_of(word)[0] >= 0 and pill.x - box_of(word)[2] >= 2


def test_logs_with_configurations_are_no_wider_than_without():
    plain = scene_logs(make_frame(6, S1=leading(log=make_log("1:", "2:"))))
    for scene in (scene_logs(removed()), scene_logs(joint()), scene_logs(many())):
        assert scene.width == plain.width
        assert [each.x for each in texts(scene, "index")] == [
            each.x for each in texts(plain, "index")
        ]


@pytest.mark.parametrize("name", CHANGING)
def test_snapshots_and_what_is_said_of_them_stay_inside_their_row(name):
    scene, nodes = scene_logs(CHANGING[name]), CHANGING[name].nodes
    tops = [mark(scene, f"row-{each.node}-name").y - 19 for each in nodes]
    bottoms = [*tops[1:], mark(scene, "legend").y - 10]
    inside = [each for each in texts(scene) if each.id.startswith(("index", "legend"))]
    right = max(box_of(each)[2] for each in inside)
    for each, low in zip(nodes, bottoms, strict=True):
        held = [
            (pill.y + pill.h, pill.x + pill.w)
            for pill in of_role(scene, "snapshot")
            if each.node in pill.id.split("-")
        ]
        held += [
            (box_of(said)[3], box_of(said)[2])
            for said in texts(scene, "sending")
            if said.id == f"sending-{each.node}"
        ]
        assert all(bottom + 3 <= low for bottom, _ in held)
        assert all(end <= right for _, end in held)


def test_the_words_of_a_snapshot_are_never_wider_than_its_block():
    late = Snapshot(123456, 3, THREE)
    held = {"log": make_log("3:x=1", first=123457), "snapshot": late, "commit": 123456}
    crowd = {f"S{n}": node(f"S{n}", term=3, **held) for n in range(1, 13)}
    early = Snapshot(123444, 3, THREE)
    crowd["S2"] = node("S2", term=3, log=make_log(*["3:"] * 13, first=123445), snapshot=early)
    for size in (3, 12):
        frame = make_frame(size, **{f"S{n}": crowd[f"S{n}"] for n in range(1, size + 1)})
        scene = scene_logs(frame)
        blocks = of_role(scene, "snapshot")
        assert blocks
        for block in blocks:
            said = [each for each in texts(scene) if each.id == f"{block.id}-text"]
            assert all(block.x < box_of(each)[0] for each in said)
            assert all(box_of(each)[2] < block.x + block.w for each in said)


def test_what_is_sent_stands_clear_of_the_marks_of_the_indexes():
    for frame in (compacted(), serving(), learning(), joint(), removed()):
        scene = scene_logs(frame)
        for said in texts(scene, "sending"):
            left, _, right, _ = box_of(said)
            marks = [m for m in scene.marks if m.role in ("match", "next", "commit")]
            for each in (m for m in marks if m.id.endswith(f"-{said.id.split('-')[1]}")):
                xs = [each.x] if each.role == "match" else [x for x, _ in each.points]
                assert max(xs) < left or min(xs) > right, (said.text, each.id)


def many() -> Frame:
    names = nodes_named(11)
    ends = Configuration(names[::2], old_voters=names, learners=names[1:4:2])
    log = make_log("2:")[:0]
    log = (entry_of(2, 1, ends),)
    return make_frame(11, S1=leading(log=log), S2=following("S2", log))


def test_what_a_cell_cannot_hold_is_in_its_tooltip_and_in_the_text():
    scene, text = scene_logs(many()), describe_logs(many())
    cell = mark(scene, "entry-S1-1")
    assert mark(scene, "entry-S1-1-text").text == "joint"
    assert cell.title == (
        "entry 1 of term 2: joint: S1-11 (old) and S1,3,5,7,9,11 (new), learners S2,4"
    )
    assert "2:joint S1-11→S1,3,5,7,9,11 (S2,4)" in text


def test_a_narrow_cell_tells_in_its_tooltip_what_its_word_leaves_out():
    cell = mark(scene_commit(joint()), "entry-S1-5")
    assert cell.title.endswith("joint: S1 S2 S3 (old) and S3 S4 S5 (new), learner S6")


def test_a_round_of_reads_that_nobody_has_answered_is_said_in_words():
    frame = serving()
    assert mark(scene_logs(frame), "sending-S2").text == "answered read round 1"
    known = tuple(replace(each, acked_round=0) for each in frame["S1"].progress)
    fresh = changed_node(frame, "S1", progress=known)
    assert mark(scene_logs(fresh), "sending-S2").text == "no read round answered"
    assert "round -" not in describe_logs(fresh)


def test_the_headline_of_a_joint_campaign_is_whole():
    late = replace(joint_campaign(), at=11198.8)
    assert mark(scene_votes(late), "headline").text.endswith("both groups must grant.")

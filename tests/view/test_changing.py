"""Pictures and text of the complete protocol: members, snapshots, reads, transfers, clocks."""

from itertools import combinations

import pytest
from msgspec.structs import replace

from raftlab import Cluster, Network
from raftlab.raft.log import RaftLog, Snapshot
from raftlab.raft.messages import AppendEntries
from raftlab.raft.vocabulary import Configuration
from raftlab.sim.frames.frame import DiskFrame, Frame, ReadFrame, TransferFrame
from raftlab.view import style
from raftlab.view.changes import changed_fields, changed_words
from raftlab.view.cluster.cluster import cluster_graph, scene_cluster
from raftlab.view.cluster.description import describe_cluster
from raftlab.view.decisions.commit import describe_commit, scene_commit
from raftlab.view.decisions.votes import scene_votes
from raftlab.view.logs.description import describe_log, describe_logs
from raftlab.view.logs.logs import DOWN_LEGEND, scene_log, scene_logs
from raftlab.view.marks import Box, Disc
from raftlab.view.overview.overview import describe_frame, scene_frame
from raftlab.view.scene import Scene
from raftlab.view.timeline.timeline import describe_timeline, scene_timeline
from raftlab.view.words import kind_text, message_text
from tests.view.boxes import collisions, texts
from tests.view.builders import (
    append,
    entry_of,
    flying,
    heartbeat,
    make_frame,
    make_log,
    node,
    nodes_named,
    progress,
)
from tests.view.changing import (
    CHANGE,
    CHANGED,
    CHANGING,
    JOINT,
    LATE,
    START,
    TAIL,
    THREE,
    changing_crowd,
    compacted,
    following,
    joint,
    leading,
    removed,
    serving,
)
from tests.view.sound import check_scene, check_text, mark, of_role, words
from tests.view.test_cluster import has
from tests.view.test_describe import changed_disk, changed_node
from tests.view.test_timeline import make_trace, sent


@pytest.mark.parametrize("name", CHANGING)
@pytest.mark.parametrize("scene", [scene_logs, scene_votes, scene_commit])
def test_every_picture_is_sound(name, scene):
    check_scene(scene(CHANGING[name]))


LABELS = ("headline", "configuration", "name", "term", "role", "standing", "own", "vote", "votes",
          "paused", "reads", "transfer", "clock", "down")  # fmt: skip


@pytest.mark.parametrize("name", CHANGING)
def test_the_labels_of_the_cluster_stay_apart_and_inside(name):
    scene = scene_cluster(CHANGING[name])
    assert collisions(texts(scene, *LABELS)) == []
    check_scene(replace(scene, marks=tuple(m for m in scene.marks if m.role != "number")))


@pytest.mark.parametrize("name", CHANGING)
def test_no_line_beside_a_node_is_cut(name):
    scene = scene_cluster(CHANGING[name])
    assert not [each.text for each in texts(scene, *LABELS) if each.text.endswith("…")]


def reads_beside(scene: Scene, name: str) -> list[str]:
    return [each.text for each in texts(scene, "reads") if each.id.endswith(f"-{name}")]


# Learners, and what is not a member


def test_a_node_without_a_vote_is_hollow_and_says_what_it_is():
    scene = scene_cluster(removed())
    out, voter = mark(scene, "node-S1"), mark(scene, "node-S4")
    learner = mark(scene_cluster(joint()), "node-S6")
    assert isinstance(learner, Disc)
    assert learner.ink.fill == out.ink.fill == style.PAPER != voter.ink.fill
    assert learner.ink.width > 2 * out.ink.width
    assert not out.ink.dash and not learner.ink.dash, "only a node that is down is dashed"
    assert learner.r + learner.ink.width / 2 == pytest.approx(voter.r + voter.ink.width / 2)
    assert mark(scene, "standing-S1").text == "not a member"
    assert mark(scene, "standing-S6").text == "learner", "even while it is down"
    assert not has(scene, "standing-S4")
    assert "not a member" in out.title
    assert mark(scene, "name-S1").color == style.INK


def test_a_removed_node_that_does_not_know_it_says_what_its_own_log_has():
    scene, text = scene_cluster(removed()), describe_cluster(removed())
    assert mark(scene, "own-S2").text == "its log: voter"
    assert mark(scene, "node-S2").ink.stroke == style.CANDIDATE.fill
    assert "not a member (its log: voter)" in text
    assert not has(scene, "own-S1")


def test_a_leader_that_is_on_its_way_out_is_hollow_and_its_label_can_be_read():
    log = (*START, entry_of(2, 5, Configuration(("S2", "S3"))))
    known = [progress(f"S{n}", 5, 6) for n in (2, 3)]
    frame = make_frame(
        3,
        S1=leading(log=log, commit=4, progress=known),
        S2=following("S2", log),
        S3=following("S3", log),
    )
    scene = scene_cluster(frame)
    square = mark(scene, "node-S1")
    assert isinstance(square, Box)
    assert (square.ink.fill, square.ink.stroke) == (style.PAPER, style.LEADER.fill)
    assert mark(scene, "term-S1").color == style.INK
    assert "Without a vote, not counted: S1 (match 5)." in describe_commit(frame)
    assert "Without a vote, not counted: S1 (match 5)." in words(scene_commit(frame))


def test_learners_do_not_count_for_commitment_and_the_picture_says_so():
    said = "Without a vote, not counted: S6 (match 2)."
    assert said in words(scene_commit(joint()))
    assert said in describe_commit(joint()).split("\n")
    assert not has(scene_commit(compacted()), "uncounted")


def test_the_rows_of_the_logs_say_who_learns_and_whether_it_has_caught_up():
    scene, text = scene_logs(CHANGING["learner"]), describe_logs(CHANGING["learner"])
    assert mark(scene, "row-S4").ink.fill == style.PAPER
    assert mark(scene, "row-S4-standing").text == "learner"
    assert mark(scene, "sending-S4").text == "caught up"
    assert "  caught up  " in text
    assert mark(scene_logs(joint()), "sending-S6").text == "not caught up"
    assert "not caught up" in describe_logs(joint())
    assert any("hollow: no vote" in each.text for each in texts(scene))


# Joint configurations


def test_a_joint_configuration_is_a_line_below_the_headline_in_picture_and_text():
    line = "joint: S1 S2 S3 (old) and S3 S4 S5 (new), learner S6; entry 5, not committed"
    short = "joint: S1-3 (old) and S3-5 (new), learner S6; entry 5, not committed; in force at S1-3"
    scene = scene_cluster(joint())
    assert [each.text for each in texts(scene, "configuration")] == [
        short, "voters S1 S2 S3; from the start; in force at S4,6",
    ]  # fmt: skip
    assert describe_cluster(joint()).split("\n")[1].startswith(line)
    assert scene.description.split("\n")[1].startswith(line)


def test_each_voter_of_a_joint_cluster_shows_its_groups_by_a_badge_and_a_word():
    scene, text = scene_cluster(joint()), describe_cluster(joint())
    expected = {"S1": ["old"], "S3": ["old", "new"], "S5": ["new"]}
    for name, sides in expected.items():
        assert [side for side in ("old", "new") if has(scene, f"group-{name}-{side}")] == sides
    xs = [x for x, _ in mark(scene, "group-S1-old").points]
    assert max(xs) <= mark(scene, "group-S1").x + 1e-9, "old is the left half"
    assert mark(scene, "standing-S3").text == "both groups"
    assert not has(scene, "group-S6")
    assert "both groups" in text and "new group" in text
    assert not of_role(scene_cluster(removed()), "group")


def test_a_great_joint_cluster_keeps_its_badges_and_names_its_groups_in_one_line():
    scene = scene_cluster(changing_crowd(51))
    badges = [each for each in scene.marks if each.id.startswith("group-")]
    assert len([each for each in badges if each.id.endswith("-old")]) == 50
    assert has(scene, "group-S1-new") and not has(scene, "group-S50-new")
    assert mark(scene, "configuration-a").text.startswith("joint: S1-50 (old) and S1-49 (new)")
    assert mark(scene, "node-S51").ink.fill == style.PAPER


def test_a_candidate_counts_each_group_of_a_joint_cluster_apart():
    frame = CHANGING["joint campaign"]
    scene, text = scene_cluster(frame), describe_cluster(frame)
    assert mark(scene, "votes-S3-old").text == "2 of 3"
    assert mark(scene, "votes-S3-new").text == "1 of 3"
    assert mark(scene, "vote-S3-new-S4").data["answer"] == "refused"
    assert "2 of 3 votes of the old group, 1 of 3 votes of the new group, granted" in text
    assert mark(scene_votes(frame), "old-result").text == "WON"
    assert mark(scene_votes(frame), "new-result").text == "UNKNOWN"


def test_both_majorities_of_a_joint_cluster_stand_in_the_commit_decision():
    text = describe_commit(joint())
    assert "2 of 3 new voters have reached 4; 2 needed." in text
    assert "3 of 3 old voters have reached 5; 2 needed." in text
    assert len(of_role(scene_commit(joint()), "majority")) == 2


# Configurations in the log


def test_the_entry_of_a_configuration_is_a_word_in_a_cell_like_any_other():
    scene, text = scene_logs(removed()), describe_logs(removed())
    cells = [
        [mark(scene, f"entry-S1-{index}-{part}").text for part in ("term", "text")]
        for index in (5, 6)
    ]
    assert cells == [["2", "joint"], ["2", "cfg"]]
    assert len({mark(scene, f"entry-S1-{index}").w for index in range(1, 7)}) == 1
    assert mark(scene, "entry-S1-5").title.endswith(
        "joint: S1 S2 S3 (old) and S3 S4 S5 (new), learner S6"
    )
    assert mark(scene, "entry-S1-6").title.endswith("voters S3 S4 S5, learner S6")
    assert "2:joint S1-3→S3-5 (S6)" in text and "2:cfg S3-5 (S6)" in text


def test_where_there_is_little_room_the_word_stays():
    cell = mark(scene_commit(joint()), "entry-S1-5-text")
    assert cell.text == "joint"


def test_the_configuration_in_force_has_a_corner_and_a_column_in_the_text():
    scene, lines = scene_logs(removed()), describe_logs(removed()).split("\n")
    cell = mark(scene, "entry-S1-6")
    assert max(x for x, _ in mark(scene, "in-force-S1").points) == pytest.approx(cell.x + cell.w)
    assert not has(scene, "in-force-S2")
    assert not has(scene, "in-force-S6"), "nothing is in force while it is down"
    place = lines[2].index("config")
    assert [line[place : place + 8].strip() for line in lines[3:8]] == ["6", "start", "6", "6", "6"]
    assert any("configuration in force" in each.text for each in texts(scene))


def test_a_configuration_that_is_truncated_gives_way_to_the_one_before():
    before = joint()
    after = joint(S2=following("S2", START, voted_for="S1", commit=4))
    assert has(scene_logs(before), "in-force-S2") and not has(scene_logs(after), "in-force-S2")
    words_now = changed_words(changed_fields(after, before)["S2"])
    assert words_now == "log, configuration, disk"
    assert changed_fields(after, before)["S1"] == frozenset()


def test_a_configuration_that_stands_in_a_snapshot_is_said_to():
    snapshot = Snapshot(6, 2, CHANGED[-1].payload)
    held = {"configuration": CHANGED[-1].payload, "configuration_index": 6}
    tail = make_log("2:z=3", first=7)
    frame = make_frame(
        5,
        **{
            name: node(name, term=2, log=tail, snapshot=snapshot, commit=7, **held)
            for name in nodes_named(5)
        },
    )
    assert "voters S3 S4 S5, learner S6; from the snapshot" in describe_cluster(frame)
    assert "snapshot to 6 of term 2, voters S3 S4 S5, learner S6; in memory: " in describe_logs(
        frame
    )


# Snapshots


def test_kept_entries_that_the_snapshot_covers_lie_below_a_bracket():
    scene = scene_logs(compacted())
    block, bracket = mark(scene, "snapshot-S2"), mark(scene, "kept-S2")
    assert mark(scene, "snapshot-S2-text").text == "snapshot to 12, term 3"
    assert block.x + block.w < mark(scene, "entry-S2-9").x
    last = mark(scene, "entry-S2-12")
    assert max(x for x, _ in bracket.points) == pytest.approx(last.x + last.w)
    assert not has(scene, "kept-S1")
    assert has(scene, "entry-S2-9") and not has(scene, "entry-S1-12")
    assert any(each.text.startswith("bracket: kept") for each in texts(scene))
    row = next(line for line in describe_logs(compacted()).split("\n") if line.startswith("S2"))
    assert "snap   2:a=9  2:b=10" in row


def test_memory_and_disk_each_say_how_far_their_snapshot_reaches():
    scene, text = scene_logs(compacted()), describe_logs(compacted())
    assert mark(scene, "memory-S1-snapshot-text").text == "to 12, term 3"
    assert mark(scene, "disk-S1-snapshot-text").text == "to 12, term 3"
    assert not has(scene, "disk-S3-snapshot") and has(scene, "memory-S3-snapshot")
    assert not has(scene, "memory-S5-snapshot") and has(scene, "disk-S5-snapshot")
    assert text.split("\n")[-1] == (
        "snapshot to 12 of term 3, voters S1 S2 S3 S4 S5; in memory: S1 S2 S3; on disk: S1 S2 S5"
    )


def test_a_snapshot_that_is_not_on_disk_yet_is_hatched_and_starred():
    scene, text = scene_logs(compacted()), describe_logs(compacted())
    hatched = {each.id for each in of_role(scene, "unwritten")}
    assert hatched == {"snapshot-S3-hatch", "memory-S3-snapshot-hatch"}
    starred = [line for line in text.split("\n") if "snap*" in line]
    assert len(starred) == 1 and starred[0].startswith("S3")
    assert "* in memory, not on disk yet" in text


def test_a_follower_that_is_sent_a_snapshot_has_it_said_below_its_row():
    scene, text = scene_logs(compacted()), describe_logs(compacted())
    assert mark(scene, "sending-S4").text == "snapshot on its way"
    row = next(line for line in text.split("\n") if line.startswith("S4"))
    assert "snapshot on its way" in row
    assert not has(scene, "sending-S2")


def test_of_what_every_log_has_compacted_only_the_last_columns_are_shown():
    scene, text = scene_logs(CHANGING["all compacted"]), describe_logs(CHANGING["all compacted"])
    assert not has(scene, "index-96") and has(scene, "index-97")
    assert mark(scene, "snapshot-S3-text").text == "snapshot to 100, term 12"
    assert text.split("\n")[2].split()[-6:] == ["97", "98", "99", "100", "101", "102"]


def test_one_log_with_a_snapshot_says_who_belonged_to_the_cluster():
    log = RaftLog(TAIL[1:], LATE)
    assert describe_log(log).split("\n")[-1] == (
        "the snapshot's configuration: voters S1 S2 S3 S4 S5"
    )
    kept = RaftLog(TAIL, LATE)
    assert describe_log(kept).startswith(
        "A log of 4 entries that ends at 15 of term 4, with a snapshot to 12 of term 3, "
        "and from 12 kept all the same."
    )
    assert has(scene_log(kept), "kept-log") and not has(scene_log(log), "kept-log")


# Reads, transfers, clocks


def test_pending_reads_stand_beside_their_node_and_in_a_table():
    scene, text = scene_cluster(serving()), describe_cluster(serving())
    assert reads_beside(scene, "S1") == [
        "read x: waits", "for its log to 3", "read y: waits", "for a majority",
    ]  # fmt: skip
    assert reads_beside(scene, "S2") == ["read x: waits", "for its leader"]
    assert reads_beside(scene, "S5") == ["read name:", "waits", "for its log to 3"]
    assert not has(scene, "reads-S3")
    assert not [each for each in words(scene) if "?" in each]
    many = tuple(ReadFrame(f"k{place}", 90.0, place) for place in range(5))
    crowded = scene_cluster(changed_node(serving(), "S2", reads=many))
    assert reads_beside(crowded, "S2")[-1] == "3 more reads"
    assert "y        S1  96.0 ms  proof that it still leads" in text
    assert "x        S2  92.0 ms  the read index of its leader" in text
    assert "name     S5  92.0 ms  entry 3 to be applied (so far: 3)" in text


def test_reads_that_wait_for_the_same_say_so_once():
    same = (ReadFrame("x", 90.0, None), ReadFrame("y", 91.0, None))
    assert reads_beside(scene_cluster(changed_node(serving(), "S2", reads=same)), "S2") == [
        "read x: waits", "read y: waits", "for its leader",
    ]  # fmt: skip


def test_of_a_long_key_the_end_is_cut_and_never_for_what_it_waits():
    long = (ReadFrame("a-very-long-key", 90.0, 123456),)
    lines = reads_beside(scene_cluster(changed_node(serving(), "S2", reads=long)), "S2")
    assert lines[0].startswith("read a-ver") and lines[0].endswith("…:")
    assert lines[1:] == ["waits", "log to 123456"]


def test_rounds_of_reads_are_told_only_while_the_leader_has_a_read_that_waits():
    known = tuple(replace(each, acked_round=0) for each in serving()["S1"].progress)
    fresh = changed_node(serving(), "S1", progress=known)
    assert len(of_role(scene_logs(fresh), "sending")) == 4
    for reads in ((), (ReadFrame("x", 91.5, 3),)):
        settled = changed_node(fresh, "S1", reads=reads)
        assert not of_role(scene_logs(settled), "sending"), "S2 still waits, but not for a round"
        assert "round" not in describe_logs(settled)


def test_a_read_that_needs_proof_shows_which_rounds_members_have_answered():
    assert mark(scene_logs(serving()), "sending-S3").text == "answered read round 2"
    assert "answered read round 2" in describe_logs(serving())
    known = replace(serving()["S1"], reads=(ReadFrame("x", 91.5, 3),))
    settled = make_frame(5, S1=known)
    assert "read round" not in describe_logs(settled)


def test_a_transfer_says_to_whom_who_was_told_and_how_long_it_is_tried():
    scene, text = scene_cluster(serving()), describe_cluster(serving())
    assert [each.text for each in texts(scene, "transfer")] == [
        "hands over", "to S3, told", "150 ms left",
    ]  # fmt: skip
    assert "transfer: S1 hands over to S3, S3 is told to campaign, 150 ms left" in text
    waits = changed_node(serving(), "S1", transfer=TransferFrame(None, None, 180.0))
    assert [each.text for each in texts(scene_cluster(waits), "transfer")] == [
        "hands over", "80 ms left",
    ]  # fmt: skip
    assert "S1 hands over to any that has caught up, 80 ms left" in describe_cluster(waits)


def test_a_disk_that_is_slower_than_the_others_is_told():
    frame = changed_node(serving(), "S2", write_ms=200.0)
    scene, text = scene_cluster(frame), describe_cluster(frame)
    assert mark(scene, "write-S2").text == "disk 200 ms"
    assert "disk 200 ms" in mark(scene, "node-S2").title
    assert not has(scene, "write-S3")
    assert "disk write" in text and "  200 ms" in text
    assert "disk write" not in describe_cluster(serving())
    told = scene_cluster(frame, serving())
    assert mark(told, "write-S2").bold and has(told, "changed-S2")
    assert not has(scene_cluster(changed_node(frame, "S2", alive=False)), "write-S2")


def test_a_real_cluster_tells_a_slow_disk_and_a_bad_clock():
    cluster = Cluster(3, seed=1)
    cluster.elect("S1")
    plain = scene_cluster(cluster.frame())
    assert not of_role(plain, "write") and not of_role(plain, "clock")
    cluster.slow_disk("S2", 200)
    cluster.set_clock_rate("S3", 0.5)
    scene = scene_cluster(cluster.frame())
    assert mark(scene, "write-S2").text == "disk 200 ms"
    assert mark(scene, "clock-S3").text == "clock ×0.5"


def test_a_network_that_was_changed_is_told_above_the_ring_and_in_the_text():
    cluster = Cluster(3, seed=1, network=Network(loss=0.1))
    cluster.elect("S1")
    assert not of_role(scene_cluster(cluster.frame()), "network")
    cluster.set_network(loss=0.3)
    cluster.set_network("S1", "S2", latency=(80, 80))
    cluster.set_network("S3", "S2", duplication=1, both_ways=False)
    said = [
        "network: latency 5 to 15 ms, loss 30%",
        "link S1 ↔ S2: latency 80 ms, loss 30%",
        "link S3 → S2: latency 5 to 15 ms, loss 30%, duplication 100%",
    ]
    scene = scene_cluster(cluster.frame())
    assert [each.text for each in of_role(scene, "network")] == said
    check_scene(scene)
    check_scene(scene_frame(cluster.frame()))
    text = describe_cluster(cluster.frame())
    assert "\n".join(said) in text
    cluster.set_network("S1", "S3", latency=(90, 90), both_ways=False)
    scene = scene_cluster(cluster.frame())
    assert [each.text for each in of_role(scene, "network")][2] == "and 2 more links are changed"
    assert "link S1 → S3: latency 90 ms, loss 30%" in describe_cluster(cluster.frame())
    cluster.set_network(loss=0.1)
    assert not of_role(scene_cluster(cluster.frame()), "network")


def test_a_change_of_the_network_runs_across_all_life_lines():
    cluster = Cluster(3, seed=1)
    cluster.elect("S1")
    cluster.set_network(loss=0.5)
    cluster.run(50)
    scene = scene_timeline(cluster.trace())
    (line,) = [each for each in scene.marks if each.role == "mark network"]
    assert line.title == "the network changes: latency 5 to 15 ms, loss 50%"
    assert mark(scene, f"{line.id}-words").text == "latency 5 to 15 ms, loss 50%"
    check_scene(scene)


def test_a_wiped_node_that_is_down_says_that_its_disk_is_empty():
    cluster = Cluster(3, seed=1)
    cluster.elect("S1")
    cluster.crash("S2")
    cluster.wipe("S3")
    frame = cluster.frame()
    scene, logs = scene_cluster(frame), scene_logs(frame)
    assert mark(scene, "term-S3").text == "disk: empty"
    assert mark(scene, "term-S2").text == "disk: term 1"
    assert "its disk is empty" in mark(scene, "node-S3").title
    assert mark(logs, "disk-S3-1").text == "empty" and not has(logs, "disk-S3-2")
    assert "S3    down, disk empty" in describe_cluster(frame)
    rows = [line for line in describe_logs(frame).split("\n") if line.startswith("S3")]
    assert len(rows) == 1 and "  empty" in rows[0] and "term 0" not in rows[0]
    check_scene(logs)


def test_a_log_of_a_node_that_is_down_is_not_said_to_be_uncommitted():
    said = [each.text for each in texts(scene_logs(removed())) if each.id.startswith("legend")]
    assert said[-1] == DOWN_LEGEND and "does not tell what is committed" in DOWN_LEGEND
    up = changed_node(removed(), "S6", alive=True)
    assert DOWN_LEGEND not in words(scene_logs(up))
    assert DOWN_LEGEND not in words(scene_logs(compacted())), "its log holds no entry"


def test_a_clock_that_does_not_run_true_is_told():
    scene, text = scene_cluster(serving()), describe_cluster(serving())
    assert mark(scene, "clock-S3").text == "clock ×1.25"
    assert mark(scene, "clock-S4").text == "clock ×0.8"
    assert not has(scene, "clock-S2")
    assert "×1.25" in text and "×0.8" in text and "clock" in text
    assert "clock" not in describe_cluster(make_frame(5))


def test_a_node_that_is_down_has_no_reads_no_transfer_and_no_clock():
    frame = changed_node(serving(), "S1", alive=False)
    scene = scene_cluster(frame)
    assert not has(scene, "reads-S1") and not has(scene, "transfer-S1")
    assert "transfer:" not in describe_cluster(frame)


# Messages


ROUND = replace(heartbeat("S1", "S2"), read_round=3)
FLIGHTS = [each.message for each in (*serving().in_flight, *compacted().in_flight)]


@pytest.mark.parametrize(
    ("place", "kind", "says"),
    [
        (0, "ReadIndex", "term 2, read 4 asked at 92.0 ms"),
        (
            1,
            "ReadIndex reply",
            "term 2, read 3 asked at 92.0 ms, to be served once 3 is applied",
        ),
        (2, "TimeoutNow", "term 2"),
        (3, "heartbeat for a read", "term 2, after 0, commit 3, read round 7"),
        (4, "AppendEntries reply", "term 2, accepted up to 3, commit 0, read round 7"),
        (
            5,
            "InstallSnapshot",
            "term 4, snapshot up to 12 of term 3, voters S1 S2 S3 S4 S5",
        ),
        (6, "InstallSnapshot reply", "term 4, taken up to 12"),
        (7, "InstallSnapshot reply", "term 4, refused up to 12"),
    ],
)
def test_messages_in_words_and_pictures(place, kind, says):
    message = FLIGHTS[place]
    assert (kind_text(message), message_text(message)) == (kind, says)
    flight = flying(1, message)
    scene = scene_cluster(make_frame(5, in_flight=[flight]))
    arrow = mark(scene, "msg-1")
    assert arrow.data["kind"] == kind
    assert says in arrow.title
    assert arrow.head == ("open" if "reply" in kind else "filled")


def test_no_two_kinds_of_request_share_a_line():
    kinds = [
        heartbeat("S1", "S2"), append("S1", "S2", "2:x=1"), ROUND,
        *(FLIGHTS[place] for place in (0, 2, 5)),
    ]  # fmt: skip
    looks = [style.message_style(each) for each in kinds]
    for one, other in combinations(looks, 2):
        assert (one.width, one.dash) != (other.width, other.dash)


def test_what_is_about_reads_is_broken_alike_and_a_plain_heartbeat_is_not():
    reads = [style.message_style(FLIGHTS[place]).dash for place in (0, 1, 3, 4)]
    assert set(reads) == {style.READ_DASH}
    assert not style.message_style(heartbeat("S1", "S2")).dash
    assert kind_text(heartbeat("S1", "S2")) == "heartbeat"
    with_entries: AppendEntries = replace(append("S1", "S2", "2:x=1"), read_round=3)
    assert message_text(with_entries).endswith(", read round 3")
    assert style.message_style(with_entries) == style.MESSAGE_STYLES["AppendEntries"]


def test_a_refused_snapshot_has_a_bar():
    scene = scene_cluster(compacted())
    assert has(scene, "msg-9-no") and not has(scene, "msg-8-no")


def test_a_timeline_knows_every_kind():
    messages = [sent(message, 8.0 + 9 * at, 20.0 + 9 * at) for at, message in enumerate(FLIGHTS)]
    trace = make_trace(5, messages=messages)
    scene, text = scene_timeline(trace), describe_timeline(trace)
    check_scene(scene)
    assert {each.data["kind"] for each in of_role(scene, "message")} == {
        kind_text(message) for message in FLIGHTS
    }
    legend = {each.text for each in texts(scene, "legend")}
    assert {
        "InstallSnapshot", "ReadIndex", "TimeoutNow", "heartbeat for a read", "reply"
    } <= legend  # fmt: skip
    for message in FLIGHTS:
        assert f"{kind_text(message)}: {message_text(message)}" in text


# A cluster that has grown


def test_a_node_that_came_later_takes_its_place_and_the_first_stays_at_twelve():
    before = make_frame(5, S1=leading(voters=nodes_named(5)))
    after = make_frame(
        6,
        S1=leading(voters=nodes_named(5)),
        S6=node("S6", term=0, voters=nodes_named(5), deadline=190.0),
    )
    scene = scene_cluster(after, before)
    check_scene(scene)
    check_scene(scene_logs(after, before))
    check_text(describe_frame(after, before))
    assert mark(scene, "standing-S6").text == "not a member"
    tops = {each.data["node"]: each.y for each in of_role(scene, "node")}
    assert min(tops, key=tops.__getitem__) == "S1"
    assert cluster_graph(after).nodes["S6"]["member"] == "not a member"
    assert cluster_graph(before).nodes["S5"]["member"] == "voter"


def test_the_words_beside_the_node_at_twelve_stay_clear_of_the_lines_above():
    def gap(frame: Frame) -> float:
        scene = scene_cluster(frame)
        above = max(each.y for each in texts(scene, "headline", "configuration"))
        return min(each.y for each in texts(scene) if each.id.endswith("-S1")) - above

    assert gap(serving()) >= 14
    assert gap(joint()) >= 14


# Nothing that matters can change unseen


CHANGES = {
    "a learner that becomes a voter": (
        CHANGING["learner"],
        changed_node(CHANGING["learner"], "S1", configuration=Configuration(nodes_named(4))),
    ),
    "a voter that is moved to the new group": (
        joint(),
        changed_node(
            joint(), "S1", configuration=Configuration(("S2", "S3"), ("S1", "S3"), ("S6",))
        ),
    ),
    "an entry of a configuration": (
        joint(),
        joint(S2=following("S2", (*START, entry_of(2, 5, THREE)), voted_for="S1", commit=4)),
    ),
    "the commitment of a configuration": (joint(), changed_node(joint(), "S1", commit_index=5)),
    "the configuration in force": (joint(), changed_node(joint(), "S2", configuration_index=0)),
    "where a snapshot ends": (
        compacted(),
        changed_node(compacted(), "S2", snapshot=Snapshot(11, 3, LATE.configuration)),
    ),
    "the configuration of a snapshot": (
        compacted(),
        changed_node(compacted(), "S2", snapshot=replace(LATE, configuration=JOINT)),
    ),
    "a snapshot on disk": (compacted(), changed_disk(compacted(), "S2", snapshot=None)),
    "a snapshot that is sent": (
        compacted(),
        changed_node(
            compacted(), "S1", progress=(progress("S2", 15, 16), progress("S4", 3, 13))
        ),
    ),
    "a learner that has caught up": (
        joint(),
        changed_node(
            joint(), "S1",
            progress=(*joint()["S1"].progress[:-1],
                      progress("S6", 2, 6, is_learner=True, caught_up=True)),
        ),
    ),
    "a read": (serving(), changed_node(serving(), "S2", reads=())),
    "the index of a read": (
        serving(), changed_node(serving(), "S2", reads=(ReadFrame("x", 92.0, 3),))
    ),
    "a transfer": (serving(), changed_node(serving(), "S1", transfer=None)),
    "who is told to campaign": (
        serving(), changed_node(serving(), "S1", transfer=TransferFrame("S3", None, 250.0))
    ),
    "the time a transfer has left": (
        serving(), changed_node(serving(), "S1", transfer=TransferFrame("S3", "S3", 240.0))
    ),
    "a clock": (serving(), changed_node(serving(), "S3", clock_rate=1.5)),
    "a slow disk": (serving(), changed_node(serving(), "S3", write_ms=50.0)),
    "a round that was answered": (
        serving(),
        changed_node(serving(), "S1", progress=(progress("S2", 3, 4, acked_round=9),)),
    ),
    "a heartbeat that asks": (
        make_frame(5, in_flight=[flying(1, heartbeat("S1", "S2"))]),
        make_frame(5, in_flight=[flying(1, ROUND)]),
    ),
}  # fmt: skip


@pytest.mark.parametrize("what", CHANGES)
def test_a_change_changes_the_text_and_the_picture(what):
    before, after = CHANGES[what]
    assert describe_frame(before) != describe_frame(after)
    pictures = [replace(scene_frame(frame), text="").svg for frame in (before, after)]
    assert pictures[0] != pictures[1]


def test_new_reads_transfers_and_clocks_are_ringed_and_bold():
    after = serving()
    before = changed_node(changed_node(after, "S2", reads=()), "S3", clock_rate=1.0)
    scene = scene_cluster(after, before)
    assert {each.id for each in of_role(scene, "changed")} == {"changed-S2", "changed-S3"}
    assert mark(scene, "reads-S2").bold and mark(scene, "clock-S3").bold
    assert not mark(scene, "reads-S5").bold
    text = describe_cluster(after, before)
    assert [line.split()[-1] for line in text.split("\n")[4:6]] == ["reads", "clock"]


def test_a_disk_may_hold_less_than_a_snapshot_in_memory():
    disk = DiskFrame(2, None, CHANGE, None, False)
    frame = make_frame(1, S1=node("S1", snapshot=Snapshot(5, 2, JOINT), disk=disk, voters=("S1",)))
    check_scene(scene_logs(frame))
    assert "in memory: S1" in describe_logs(frame) and "on disk: S1" not in describe_logs(frame)

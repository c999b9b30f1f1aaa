import pytest
from msgspec.structs import replace

from raftlab.raft.log import RaftLog, Snapshot
from raftlab.raft.messages import InstallSnapshot, InstallSnapshotReply, RequestVote, TimeoutNow
from raftlab.raft.vocabulary import Configuration
from raftlab.sim.frames.frame import DiskFrame, Frame, VotesFrame
from raftlab.view import words
from raftlab.view.cluster.description import describe_cluster
from raftlab.view.logs.description import describe_log, describe_logs
from raftlab.view.overview.overview import describe_frame, scene_frame
from tests.view.builders import (
    FIVE,
    accepted,
    append,
    flying,
    heartbeat,
    make_frame,
    make_log,
    node,
    nodes_named,
    rejected,
    request_vote,
    vote,
)
from tests.view.samples import LOG, MESSAGES, SAMPLES, SNAPSHOT, VIOLATION, led_by_s1


@pytest.mark.parametrize("name", sorted(SAMPLES.keys() - {"violation"}))
def test_a_description_is_a_sentence_and_then_a_table_without_trailing_spaces(name):
    for text in (describe_cluster(SAMPLES[name]), describe_logs(SAMPLES[name])):
        lines = text.split("\n")
        assert lines[0].startswith("100.0 ms: ")
        assert lines[0].endswith(".")
        assert lines[1] == ""
        assert lines[2].startswith("node ")
        assert all(line == line.rstrip() for line in lines)
        assert lines[-1]


def test_the_cluster_in_words():
    assert describe_cluster(SAMPLES["leader"]) == (
        "100.0 ms: S1 leads term 3; S4 is down; S5 is paused.\n"
        "\n"
        "node  role              term  vote  timer\n"
        "S1    leader               3  S1    heartbeat in 30 ms\n"
        "S2    follower             3  S1    120 of 200 ms\n"
        "S3    follower             3  -     170 of 200 ms\n"
        "S4    down                 2  S2\n"
        "S5    follower, paused     3  S1    80 of 200 ms\n"
        "\n"
        "in flight  way      kind                 arrives in  says\n"
        "#11        S1 → S2  heartbeat                5.0 ms  term 3, after 0, commit 6\n"
        "#12        S1 → S3  AppendEntries           11.0 ms  term 3, entries 4 to 6 "
        "(2:· 3:· 3:x=3), after 3 of term 3, commit 0\n"
        "#13        S5 → S1  AppendEntries reply      1.0 ms  term 3, accepted up to 7, commit 0\n"
        "#14 ×2     S1 → S5  heartbeat                9.0 ms  term 3, after 0, commit 6\n"
        "#15        S3 → S1  AppendEntries reply      6.0 ms  term 3, rejected at 5, "
        "log ends at 4, hint 4 of term 1, commit 0"
    )


def test_a_campaign_in_words():
    text = describe_cluster(SAMPLES["campaign"])
    assert text.startswith(
        "100.0 ms: nobody leads; S1 and S3 campaign in term 4; S5 asks for pre-votes in term 5.\n"
    )
    assert "2 of 5 votes, granted S1 S2, refused S4, silent S3 S5" in text
    assert "\nlost: S3 → S2 RequestVote: term 4, log ends at 0" in text


def test_a_violation_is_the_second_line():
    assert describe_cluster(SAMPLES["violation"]).split("\n")[1] == (
        "Election Safety is violated: S1 and S2 lead term 3 (Figure 3; 5.2)"
    )


def test_partitions_and_cut_links_in_words():
    assert "; partition S1 S2 | S3 S4 S5." in describe_cluster(SAMPLES["partition"])
    assert "\ncut:" not in describe_cluster(SAMPLES["partition"])
    assert describe_cluster(SAMPLES["cuts"]).endswith("\ncut: S1 ↔ S2, S1 → S3")


def test_the_logs_in_words():
    assert describe_logs(SAMPLES["leader"]) == (
        "100.0 ms: S1 leads term 3; S4 is down; S5 is paused.\n"
        "\n"
        "node  term  commit  match  next  disk                             "
        "1    2      3      4    5    6       7\n"
        "S1    3          6               term 3, vote S1, log 7           "
        "1:·  1:x=1  1:y=2  2:·  3:·  3:x=3   3:name=long\n"
        "S2    3          5      6     8  term 3, vote S1, log 6, writing  "
        "1:·  1:x=1  1:y=2  2:·  3:·  3:x=3   3:name=long*\n"
        "S3    3          3      3     4  term 3, vote -, log 3            "
        "1:·  1:x=1  1:y=2\n"
        "S4    down              0     8  term 2, vote S2, log 4           "
        "1:·  1:x=1  1:y=2  2:·\n"
        "S5    3*         5      7     8  term 2, vote -, log 5            "
        "1:·  1:x=1  1:y=2  2:·  3:·  3:x=3*  3:name=long*\n"
        "* in memory, not on disk yet"
    )


def test_a_long_log_and_a_snapshot_in_words():
    long = describe_logs(SAMPLES["long"]).split("\n")
    assert long[2].split()[4:] == [str(index) for index in range(14, 28)]
    assert "…" in long[3]
    snapshot = describe_logs(SAMPLES["snapshot"])
    assert "term 3, vote -, log 7, snapshot 4" in snapshot
    assert "snap  snap   snap   snap" in snapshot


def test_the_frame_in_words_says_its_first_sentence_once():
    text = describe_frame(SAMPLES["leader"])
    assert text.count("S1 leads term 3") == 1
    assert text.startswith(describe_cluster(SAMPLES["leader"]))
    assert text.endswith(describe_logs(SAMPLES["leader"]).split("\n\n", 1)[1])


def test_what_changed_since_before_is_a_column():
    before = make_frame(5, **led_by_s1())
    after = make_frame(5, **led_by_s1() | {"S3": node("S3", term=4, log=LOG[:3], commit=3)})
    rows = describe_cluster(after, before).split("\n")[2:]
    assert rows[0].endswith("changed")
    assert rows[3].endswith("term, disk")
    assert rows[2].endswith("ms")
    assert "changed" not in describe_cluster(before, before)


def test_one_log_in_words():
    log = RaftLog(LOG[4:6], SNAPSHOT)
    log.append_as_follower(LOG[6:])
    assert describe_log(log) == (
        "A log of 3 entries that ends at 7 of term 3, after a snapshot to 4 of term 2.\n"
        "\n"
        "1     2     3     4     5    6      7\n"
        "snap  snap  snap  snap  3:·  3:x=3  3:name=long*\n"
        "* not given to the disk yet\n"
        "the snapshot's configuration: voters S1 S2 S3 S4 S5"
    )
    assert describe_log(RaftLog()) == "An empty log."
    assert describe_log(RaftLog(LOG[:1])).startswith("A log of 1 entry that ends at 1 of term 1.")


# Nothing that matters can change unseen


def changed_node(frame: Frame, name: str, **changes) -> Frame:
    nodes = [replace(each, **changes) if each.node == name else each for each in frame.nodes]
    return replace(frame, nodes=tuple(nodes))


def changed_disk(frame: Frame, name: str, **changes) -> Frame:
    return changed_node(frame, name, disk=replace(frame[name].disk, **changes))


def changed_flight(frame: Frame, **changes) -> Frame:
    first, *others = frame.in_flight
    return replace(frame, in_flight=(replace(first, **changes), *others))


def changed_progress(frame: Frame, **changes) -> Frame:
    progress = tuple(
        replace(each, **changes) if each.node == "S3" else each for each in frame["S1"].progress
    )
    return changed_node(frame, "S1", progress=progress)


LEADER, CAMPAIGN = SAMPLES["leader"], SAMPLES["campaign"]
FOLLOWER = type(LEADER["S2"].role)("follower")


REFUSED = (
    *CAMPAIGN.in_flight[:-2],
    flying(5, vote("S2", "S1", 4, False), 90, 101),
    CAMPAIGN.in_flight[-1],
)
LATER = Snapshot(5, 3, Configuration(FIVE))


def with_answer(answers) -> Frame:
    votes = VotesFrame(4, False, Configuration(FIVE), answers)
    return changed_node(CAMPAIGN, "S1", votes=votes)


CHANGES = {
    "the time": (LEADER, replace(LEADER, at=101.0)),
    "who leads": (
        LEADER,
        changed_node(changed_node(LEADER, "S1", role=FOLLOWER), "S2", role=LEADER["S1"].role),
    ),
    "a role": (CAMPAIGN, changed_node(CAMPAIGN, "S3", role=FOLLOWER)),
    "a term": (LEADER, changed_node(LEADER, "S3", term=4)),
    "a vote": (LEADER, changed_node(LEADER, "S3", voted_for="S5")),
    "a timer": (LEADER, changed_node(LEADER, "S3", election_deadline=250.0)),
    "a heartbeat": (LEADER, changed_node(LEADER, "S1", heartbeat_deadline=140.0)),
    "an answer refused": (CAMPAIGN, with_answer({"S1": True, "S2": False, "S4": False})),
    "an answer that came": (
        CAMPAIGN,
        with_answer({"S1": True, "S2": True, "S4": False, "S5": False}),
    ),
    "a pre-vote": (
        CAMPAIGN,
        changed_node(CAMPAIGN, "S5", votes=replace(CAMPAIGN["S5"].votes, is_prevote=False)),
    ),
    "a crash": (LEADER, changed_node(LEADER, "S3", alive=False)),
    "a pause": (LEADER, changed_node(LEADER, "S3", paused=True)),
    "a message gone": (LEADER, replace(LEADER, in_flight=LEADER.in_flight[1:])),
    "a message's number": (LEADER, changed_flight(LEADER, number=99)),
    "a message's way": (LEADER, changed_flight(LEADER, message=heartbeat("S1", "S4", 3, 6))),
    "a message's kind": (LEADER, changed_flight(LEADER, message=request_vote("S1", "S2", 3))),
    "a message's term": (LEADER, changed_flight(LEADER, message=heartbeat("S1", "S2", 4, 6))),
    "a message's entries": (
        LEADER,
        changed_flight(LEADER, message=append("S1", "S2", "3:z=9", term=3, commit=6)),
    ),
    "a reply's answer": (CAMPAIGN, replace(CAMPAIGN, in_flight=REFUSED)),
    "a message's delay": (LEADER, changed_flight(LEADER, arrives_at=120.0)),
    "a copy": (LEADER, changed_flight(LEADER, copies=2)),
    "a loss": (CAMPAIGN, replace(CAMPAIGN, event=None)),
    "another loss": (
        CAMPAIGN,
        replace(CAMPAIGN, event=replace(CAMPAIGN.event, lost=request_vote("S3", "S4", 4))),
    ),
    "a partition": (LEADER, SAMPLES["partition"]),
    "another partition": (
        SAMPLES["partition"],
        replace(SAMPLES["partition"], groups=(("S1", "S2", "S3"), ("S4", "S5"))),
    ),
    "a cut": (LEADER, replace(LEADER, cuts=(("S1", "S2"),))),
    "the other way of a cut": (
        replace(LEADER, cuts=(("S1", "S2"),)),
        replace(LEADER, cuts=(("S2", "S1"),)),
    ),
    "a commit index": (LEADER, changed_node(LEADER, "S1", commit_index=5)),
    "an entry's payload": (
        LEADER,
        changed_node(LEADER, "S3", log=make_log("1:", "1:x=2", "1:y=2")),
    ),
    "an entry's term": (LEADER, changed_node(LEADER, "S3", log=make_log("1:", "1:x=1", "2:y=2"))),
    "an entry's kind": (LEADER, changed_node(LEADER, "S3", log=make_log("1:", "1:x=1", "1:cfg"))),
    "the end of a log": (LEADER, changed_node(LEADER, "S3", log=LOG[:2])),
    "a snapshot": (
        SAMPLES["snapshot"],
        changed_node(SAMPLES["snapshot"], "S2", log=LOG[5:], snapshot=LATER),
    ),
    "a match index": (LEADER, changed_progress(LEADER, match_index=2)),
    "a next index": (LEADER, changed_progress(LEADER, next_index=6)),
    "a term on disk": (LEADER, changed_disk(LEADER, "S3", term=1)),
    "a vote on disk": (LEADER, changed_disk(LEADER, "S3", voted_for="S2")),
    "a log on disk": (LEADER, changed_disk(LEADER, "S3", log=LOG[:1])),
    "a write": (LEADER, changed_disk(LEADER, "S3", writing=True)),
    "the disk of a node that is down": (LEADER, changed_disk(LEADER, "S4", log=LOG[:2])),
    "a violation": (LEADER, replace(LEADER, violation=VIOLATION)),
}  # fmt: skip


@pytest.mark.parametrize("what", CHANGES)
def test_a_change_changes_the_text(what):
    before, after = CHANGES[what]
    assert describe_frame(before) != describe_frame(after)


@pytest.mark.parametrize("what", CHANGES)
def test_a_change_changes_the_picture_and_not_only_its_description(what):
    before, after = CHANGES[what]
    pictures = [replace(scene_frame(frame), text="").svg for frame in (before, after)]
    assert pictures[0] != pictures[1]


# Words


def test_tables_align_and_end_no_line_in_a_space():
    text = words.table(("a", "number", "c"), [("long", "1", ""), ("b", "22", "x")], right=(1,))
    assert text == "a     number  c\nlong       1\nb         22  x"
    assert words.table(("only",), []) == "only"


def test_names_are_listed_as_they_are_said():
    assert [words.names(nodes_named(size)) for size in range(4)] == [
        "", "S1", "S1 and S2", "S1, S2 and S3",
    ]  # fmt: skip


def test_payloads_are_one_short_line():
    payloads = [
        entry.payload for entry in make_log("1:x=1", "1:", "1:cfg", "1:a\nb\x00c", "1:" + "y" * 99)
    ]
    shown = [words.payload_text(payload) for payload in payloads]
    assert shown[:3] == ["x=1", "·", "cfg S1-5"]
    assert shown[3] == "a\ufffdb\ufffdc"
    assert shown[4] == "y" * 23 + "…"


def test_bytes_that_are_no_text_can_be_shown():
    from raftlab.raft.log import Command

    assert words.payload_text(Command(b"\xff\xfe")) == "\ufffd\ufffd"
    assert words.payload_text(Command(b"")) == '""'


def test_direction_marks_cannot_turn_a_line_around():
    assert words.clean("a\u202eb") == "a\ufffdb"


@pytest.mark.parametrize(
    ("message", "kind", "says"),
    [
        (request_vote("S1", "S2", 3, True), "pre-vote", "term 3, log ends at 0"),
        (
            RequestVote(
                term=4, sender="S1", receiver="S2", last_log_index=7, last_log_term=3, force=True
            ),
            "RequestVote",
            "term 4, log ends at 7 of term 3, forced",
        ),
        (vote("S2", "S1", 4, False), "RequestVote reply", "term 4, refused"),
        (heartbeat("S1", "S2", 4, 2), "heartbeat", "term 4, after 0, commit 2"),
        (
            append("S1", "S2", "2:x=1", after=4),
            "AppendEntries",
            "term 2, entry 5 (2:x=1), after 4 of term 2, commit 0",
        ),
        (
            append("S1", "S2", *["2:x"] * 6),
            "AppendEntries",
            "term 2, entries 1 to 6 (2:x 2:x 2:x 2:x …), after 0, commit 0",
        ),
        (accepted("S2", "S1", 5), "AppendEntries reply", "term 2, accepted up to 5, commit 0"),
        (
            rejected("S2", "S1", 5),
            "AppendEntries reply",
            "term 2, rejected at 5, log ends at 4, hint 4 of term 1, commit 0",
        ),
        (
            InstallSnapshot(term=3, sender="S1", receiver="S2", snapshot=SNAPSHOT),
            "InstallSnapshot",
            "term 3, snapshot up to 4 of term 2, voters S1 S2 S3 S4 S5",
        ),
        (
            InstallSnapshotReply(term=3, sender="S2", receiver="S1", last_index=4, success=True),
            "InstallSnapshot reply",
            "term 3, taken up to 4",
        ),
        (TimeoutNow(term=3, sender="S1", receiver="S2"), "TimeoutNow", "term 3"),
    ],
)
def test_messages_in_words(message, kind, says):
    assert (words.kind_text(message), words.message_text(message)) == (kind, says)


def test_a_message_in_flight_in_one_line():
    assert words.flight_text(MESSAGES[3], 100.0) == (
        "#14 ×2 S1 → S5 heartbeat: term 3, after 0, commit 6; arrives in 9.0 ms"
    )


def test_two_leaders_are_both_named_the_newer_first():
    frame = make_frame(
        3, S1=node("S1", role="leader", term=2), S3=node("S3", role="leader", term=3)
    )
    assert words.headline(frame) == "100.0 ms: S3 leads term 3; S1 leads term 2."


def test_many_nodes_are_counted_and_not_listed():
    down = {name: node(name, alive=False) for name in nodes_named(7)}
    assert words.headline(make_frame(7, **down)) == "100.0 ms: nobody leads; 7 nodes are down."
    pair = {name: node(name, alive=False) for name in nodes_named(2)}
    assert words.headline(make_frame(3, **pair)).endswith("; S1 and S2 are down.")


def test_a_disk_with_a_snapshot_only_ends_where_the_snapshot_does():
    frame = make_frame(1, S1=node("S1", disk=DiskFrame(3, None, (), SNAPSHOT, False)))
    assert "term 3, vote -, log 4, snapshot 4" in describe_logs(frame)

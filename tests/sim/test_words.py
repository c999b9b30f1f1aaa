"""Every step of a run is one sentence, and says what happened and what came of it."""

import pytest

from raftlab import Cluster, Command, Configuration, Empty, LogEntry, Network, Options
from raftlab.raft.log import Snapshot
from raftlab.raft.messages import (
    Accepted,
    AppendEntries,
    AppendEntriesReply,
    InstallSnapshot,
    InstallSnapshotReply,
    ReadIndex,
    ReadIndexReply,
    Rejected,
    RequestVote,
    RequestVoteReply,
    TimeoutNow,
)
from raftlab.sim.world.action import KINDS
from raftlab.sim.world.message_text import message_phrase, payload_phrase
from tests.sim.looking import drive, faulty_cluster

SNAPSHOT = Snapshot(9, 2, Configuration(("S1",)))
ENTRY = LogEntry(2, 7, Command(b"x=1"))


@pytest.mark.parametrize(
    ("message", "text"),
    [
        (None, "a message"),
        (
            RequestVote(term=3, sender="a", receiver="b", last_log_index=0, last_log_term=0),
            "RequestVote for term 3",
        ),
        (
            RequestVote(
                term=3, sender="a", receiver="b", last_log_index=0, last_log_term=0, is_prevote=True
            ),
            "a pre-vote request for term 3",
        ),
        (RequestVoteReply(term=3, sender="a", receiver="b", vote_granted=True), "a granted vote"),
        (RequestVoteReply(term=3, sender="a", receiver="b", vote_granted=False), "a refused vote"),
        (
            RequestVoteReply(term=3, sender="a", receiver="b", vote_granted=True, is_prevote=True),
            "a granted pre-vote",
        ),
        (
            RequestVoteReply(term=3, sender="a", receiver="b", vote_granted=False, is_prevote=True),
            "a refused pre-vote",
        ),
        (
            AppendEntries(
                term=3,
                sender="a",
                receiver="b",
                prev_log_index=0,
                prev_log_term=0,
                entries=(),
                leader_commit=0,
            ),
            "a heartbeat of term 3",
        ),
        (
            AppendEntries(
                term=3,
                sender="a",
                receiver="b",
                prev_log_index=6,
                prev_log_term=2,
                entries=(ENTRY,),
                leader_commit=0,
            ),
            "AppendEntries with entry 7 of term 2 (x=1)",
        ),
        (
            AppendEntries(
                term=3,
                sender="a",
                receiver="b",
                prev_log_index=6,
                prev_log_term=2,
                entries=(ENTRY, LogEntry(2, 8, Empty())),
                leader_commit=0,
            ),
            "AppendEntries with entries 7 to 8",
        ),
        (
            AppendEntriesReply(
                term=3, sender="a", receiver="b", commit_index=0, result=Accepted(7)
            ),
            "an acknowledgement up to entry 7",
        ),
        (
            AppendEntriesReply(
                term=3,
                sender="a",
                receiver="b",
                commit_index=0,
                result=Rejected(non_matching_index=7, last_index=6, hint_index=6, hint_term=1),
            ),
            "a rejection",
        ),
        (TimeoutNow(term=3, sender="a", receiver="b"), "TimeoutNow"),
        (
            InstallSnapshot(term=3, sender="a", receiver="b", snapshot=SNAPSHOT),
            "a snapshot up to entry 9",
        ),
        (
            InstallSnapshotReply(term=3, sender="a", receiver="b", last_index=9, success=True),
            "an acknowledgement of the snapshot up to entry 9",
        ),
        (
            InstallSnapshotReply(term=3, sender="a", receiver="b", last_index=9, success=False),
            "a refused snapshot",
        ),
        (
            ReadIndex(term=3, sender="a", receiver="b", read_id=1, asked_at=5.0),
            "a question for a read",
        ),
        (
            ReadIndexReply(term=3, sender="a", receiver="b", read_id=1, asked_at=5.0, index=7),
            "an answer for a read: up to entry 7",
        ),
    ],
)
def test_a_message_is_told_in_a_few_words(message, text):
    assert message_phrase(message) == text


@pytest.mark.parametrize(
    ("payload", "text"),
    [
        (Command(b"x=1"), "x=1"),
        (Command(b""), ""),
        (Command(b"x=\xff"), "x=\ufffd"),
        (Command(b"a\n b\t c"), "a b c"),
        (Command(b"x" * 50), "x" * 39 + "…"),
        (Empty(), "empty"),
        (Configuration(("S1", "S2")), "S1 S2"),
        (Configuration(("S1", "S2"), ("S1",), ("S3",)), "joint S1 → S1 S2, learners S3"),
    ],
)
def test_a_payload_is_told_on_one_short_line(payload, text):
    assert payload_phrase(LogEntry(1, 1, payload)) == text


def test_every_kind_of_action_has_its_sentence():
    cluster = drive(faulty_cluster())
    cluster.run(0.01)
    told = {type(action).__name__: action.happening() for action in cluster.actions}
    odd = set(told) ^ {kind.__name__ for kind in KINDS}
    assert not odd, f"drive, in tests/sim/looking.py, makes every kind happen: add {odd}"
    assert all(told.values())


def test_every_event_is_one_sentence_with_the_nodes_it_concerns():
    cluster = drive(faulty_cluster())
    events = cluster.events(1000)
    assert len(events) == min(cluster.number, 1000)
    for each in events:
        assert each.text.endswith(".")
        assert "\n" not in each.text
        assert set(each.nodes) <= set(cluster.nodes)
        assert len(set(each.nodes)) == len(each.nodes)


def test_the_first_election_and_the_first_command_read_like_a_story():
    options = Options.figure_2()
    cluster = Cluster(3, seed=1, options=options, network=Network(latency=(10.0, 10.0)))
    cluster.elect("S1")
    cluster.run(25)
    cluster.propose("x=1")
    cluster.run(22)
    cluster.crash("S3")
    assert [each.text for each in cluster.events(100)] == STORY


STORY = """
S1's election timer is made to run out (by force): S1 campaigns for term 1.
S1's disk has written.
S2 receives RequestVote for term 1 from S1: S2 adopts term 1 from S1; S2 grants S1 its vote.
S3 receives RequestVote for term 1 from S1: S3 adopts term 1 from S1; S3 grants S1 its vote.
S2's disk has written.
S3's disk has written.
S1 receives a granted vote from S2: S1 won the election of term 1 and leads.
S1 receives a granted vote from S3.
S1's disk has written.
S2 receives AppendEntries with entry 1 of term 1 (empty) from S1.
S3 receives AppendEntries with entry 1 of term 1 (empty) from S1.
S2's disk has written.
S3's disk has written.
S1 receives an acknowledgement up to entry 1 from S2: S1 committed up to 1.
S1 receives an acknowledgement up to entry 1 from S3.
time passes.
a client hands x=1 to S1.
S1's disk has written.
S2 receives AppendEntries with entry 2 of term 1 (x=1) from S1: S2 committed up to 1.
S3 receives AppendEntries with entry 2 of term 1 (x=1) from S1: S3 committed up to 1.
S2's disk has written.
S3's disk has written.
S1 receives an acknowledgement up to entry 2 from S2: S1 committed up to 2.
S1 receives an acknowledgement up to entry 2 from S3.
S3 crashes.
""".strip().split("\n")

"""Messages are values: frozen, comparable, and the same after a journey as bytes."""

import msgspec
import pytest

from raftlab.raft import messages
from raftlab.raft.log import Command, Empty, LogEntry, Snapshot
from raftlab.raft.messages import (
    InstallSnapshot,
    InstallSnapshotReply,
    Message,
    ReadIndex,
    ReadIndexReply,
    TimeoutNow,
)
from raftlab.raft.vocabulary import Configuration
from tests.raft.world import accepted, append, rejected, vote, vote_request

THREE = Configuration(("S1", "S2", "S3"))

ONE_OF_EACH = [
    vote_request("S2", 3, last=(4, 2), is_prevote=True),
    vote_request("S2", 3, force=True),
    vote("S2", 3),
    append("S2", 3, (1, 1), (2, 3), commit=1),
    accepted("S2", 3, 7, commit=5),
    rejected("S2", 3, at=9, last=7, hint=(6, 2)),
    InstallSnapshot(term=3, sender="S2", receiver="S1", snapshot=Snapshot(5, 2, THREE, b"x=1")),
    InstallSnapshotReply(term=3, sender="S2", receiver="S1", last_index=5, success=True),
    TimeoutNow(term=3, sender="S2", receiver="S1"),
    ReadIndex(term=3, sender="S2", receiver="S1", read_id=7, asked_at=12.5),
    ReadIndexReply(term=3, sender="S2", receiver="S1", read_id=7, asked_at=12.5, index=4),
]
kind_of = pytest.mark.parametrize("message", ONE_OF_EACH, ids=lambda each: type(each).__name__)


@kind_of
def test_every_message_names_its_term_sender_and_receiver(message):
    assert (message.term, message.sender, message.receiver) == (3, "S2", "S1")


@kind_of
def test_a_message_cannot_be_changed(message):
    with pytest.raises(AttributeError):
        message.term = 9


@kind_of
def test_equal_messages_are_equal_and_have_equal_hashes(message):
    twin = msgspec.structs.replace(message)
    assert twin == message and hash(twin) == hash(message)
    assert msgspec.structs.replace(message, term=4) != message


@kind_of
@pytest.mark.parametrize("way", [msgspec.json, msgspec.msgpack], ids=["json", "msgpack"])
def test_a_message_is_the_same_after_a_journey_as_bytes(message, way):
    assert way.decode(way.encode(message), type=Message) == message


def test_every_payload_is_the_same_after_a_journey_as_bytes():
    for payload in (Command(b"x=1\xff"), Empty(), THREE):
        held = LogEntry(2, 1, payload)
        assert msgspec.json.decode(msgspec.json.encode(held), type=LogEntry) == held


def test_there_is_one_class_for_each_message_of_the_paper_and_the_thesis():
    kinds = {type(message) for message in ONE_OF_EACH}
    assert kinds == set(Message.__args__)
    assert {kind.__name__ for kind in kinds} == {
        "RequestVote", "RequestVoteReply", "AppendEntries", "AppendEntriesReply",
        "InstallSnapshot", "InstallSnapshotReply", "TimeoutNow", "ReadIndex", "ReadIndexReply",
    }  # fmt: skip
    assert all(getattr(messages, kind.__name__) is kind for kind in kinds)

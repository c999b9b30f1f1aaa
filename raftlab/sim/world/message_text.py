"""Messages, and what is in them, in a few words: for events, for the lab and for transcripts."""

from collections.abc import Sequence
from typing import assert_never

from raftlab.raft.log import Command, LogEntry
from raftlab.raft.messages import (
    Accepted,
    AppendEntries,
    AppendEntriesReply,
    InstallSnapshot,
    InstallSnapshotReply,
    Message,
    ReadIndex,
    ReadIndexReply,
    RequestVote,
    RequestVoteReply,
    TimeoutNow,
)
from raftlab.raft.thesis.membership import describe
from raftlab.raft.vocabulary import Configuration


def message_phrase(message: Message | None) -> str:
    """A message in a few words, with the numbers that matter."""
    match message:
        case None:
            return "a message"
        case RequestVote(is_prevote=True):
            return f"a pre-vote request for term {message.term}"
        case RequestVote():
            return f"RequestVote for term {message.term}"
        case RequestVoteReply():
            kind = "pre-vote" if message.is_prevote else "vote"
            return f"a granted {kind}" if message.vote_granted else f"a refused {kind}"
        case AppendEntries(entries=()):
            return f"a heartbeat of term {message.term}"
        case AppendEntries(entries=entries):
            return f"AppendEntries with {entries_text(entries)}"
        case AppendEntriesReply(result=Accepted(last_new_index=index)):
            return f"an acknowledgement up to entry {index}"
        case AppendEntriesReply():
            return "a rejection"
        case InstallSnapshot(snapshot=snapshot):
            return f"a snapshot up to entry {snapshot.index}"
        case InstallSnapshotReply(success=True, last_index=index):
            return f"an acknowledgement of the snapshot up to entry {index}"
        case InstallSnapshotReply():
            return "a refused snapshot"
        case TimeoutNow():
            return "TimeoutNow"
        case ReadIndex():
            return "a question for a read"
        case ReadIndexReply(index=index):
            return f"an answer for a read: up to entry {index}"
        case _:
            assert_never(message)


def entries_text(entries: Sequence[LogEntry]) -> str:
    """One entry with what is in it, or which entries."""
    if len(entries) == 1:
        entry = entries[0]
        return f"entry {entry.index} of term {entry.term} ({payload_phrase(entry)})"
    return f"entries {entries[0].index} to {entries[-1].index}"


def payload_phrase(entry: LogEntry) -> str:
    """What is in an entry, as text: the command, "empty", or the configuration's voters."""
    payload = entry.payload
    if isinstance(payload, Command):
        return command_text(payload.data)
    if isinstance(payload, Configuration):
        return describe(payload)
    return "empty"


def command_text(data: bytes) -> str:
    """A command as text, on one line."""
    return clip(data.decode("utf-8", "replace"))


def clip(text: str, most: int = 40) -> str:
    """`text` on one line, cut after `most` characters."""
    line = " ".join(text.split())
    return line if len(line) <= most else line[: most - 1] + "…"

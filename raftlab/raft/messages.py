"""What nodes say to each other: one frozen class per message.

Every message carries the sender's term, and names its sender and receiver. Fields are given
by name: so many numbers in a row would be mistaken for each other.
Paper: Figure 2 (RequestVote, AppendEntries), Figure 13 (InstallSnapshot);
thesis 3.10 (TimeoutNow), 6.4 (ReadIndex), 9.6 (pre-vote).
"""

from typing import TypeAlias

import msgspec

from raftlab.raft.log import LogEntry, Snapshot
from raftlab.raft.vocabulary import Index, Millis, NodeId, Term


class RequestVote(msgspec.Struct, frozen=True, gc=False, tag=True, kw_only=True):
    """A candidate asks for a vote. `term` is the term it wants to lead.

    `is_prevote`: only asking whether a campaign would have a chance (thesis 9.6); then
    `term` is one above the sender's own. `force`: the leader itself sent the candidate,
    so a living leader is no reason to refuse (thesis 3.10).
    """

    term: Term
    sender: NodeId
    receiver: NodeId
    last_log_index: Index
    last_log_term: Term
    is_prevote: bool = False
    force: bool = False


class RequestVoteReply(msgspec.Struct, frozen=True, gc=False, tag=True, kw_only=True):
    """The answer to `RequestVote`.

    A granted pre-vote carries the term that was asked for; every other answer carries
    the sender's own term.
    """

    term: Term
    sender: NodeId
    receiver: NodeId
    vote_granted: bool
    is_prevote: bool = False


class AppendEntries(msgspec.Struct, frozen=True, gc=False, tag=True, kw_only=True):
    """A leader replicates its log; with no entries, a heartbeat.

    `prev_log_index` and `prev_log_term` name the entry just before `entries`.
    `read_round` numbers the leader's latest question whether it still leads (thesis 6.4);
    0 is none.
    """

    term: Term
    sender: NodeId
    receiver: NodeId
    prev_log_index: Index
    prev_log_term: Term
    entries: tuple[LogEntry, ...]
    leader_commit: Index
    read_round: int = 0


class Accepted(msgspec.Struct, frozen=True, gc=False, tag=True):
    """The follower now agrees with the leader up to `last_new_index`."""

    last_new_index: Index


class Rejected(msgspec.Struct, frozen=True, gc=False, tag=True, kw_only=True):
    """The follower has nothing, or something else, at `non_matching_index`.

    `last_index` is where its log ends. `hint_index` and `hint_term` say where, as far as
    it can tell, the two logs may still agree. Paper: 5.3, last part.
    """

    non_matching_index: Index
    last_index: Index
    hint_index: Index
    hint_term: Term


class AppendEntriesReply(msgspec.Struct, frozen=True, gc=False, tag=True, kw_only=True):
    """The answer to `AppendEntries`, with the follower's own commit index and the same round."""

    term: Term
    sender: NodeId
    receiver: NodeId
    commit_index: Index
    result: Accepted | Rejected
    read_round: int = 0


class InstallSnapshot(msgspec.Struct, frozen=True, gc=False, tag=True, kw_only=True):
    """A leader sends its snapshot to a follower that needs what was compacted away."""

    term: Term
    sender: NodeId
    receiver: NodeId
    snapshot: Snapshot


class InstallSnapshotReply(msgspec.Struct, frozen=True, gc=False, tag=True, kw_only=True):
    """Whether the snapshot up to `last_index` was taken."""

    term: Term
    sender: NodeId
    receiver: NodeId
    last_index: Index
    success: bool


class TimeoutNow(msgspec.Struct, frozen=True, gc=False, tag=True, kw_only=True):
    """A leader asks a follower to campaign at once, to hand over to it. Thesis: 3.10."""

    term: Term
    sender: NodeId
    receiver: NodeId


class ReadIndex(msgspec.Struct, frozen=True, gc=False, tag=True, kw_only=True):
    """A follower asks its leader how far it must have applied the log to serve a read.

    `read_id` and `asked_at` (ms, by the asker's clock) name the read; the answer repeats
    them, so that an answer to a read from before a restart is told apart. Thesis: 6.4.
    """

    term: Term
    sender: NodeId
    receiver: NodeId
    read_id: int
    asked_at: Millis


class ReadIndexReply(msgspec.Struct, frozen=True, gc=False, tag=True, kw_only=True):
    """The read may be served once everything up to `index` has been applied. Thesis: 6.4."""

    term: Term
    sender: NodeId
    receiver: NodeId
    read_id: int
    asked_at: Millis
    index: Index


Message: TypeAlias = (
    RequestVote
    | RequestVoteReply
    | AppendEntries
    | AppendEntriesReply
    | InstallSnapshot
    | InstallSnapshotReply
    | TimeoutNow
    | ReadIndex
    | ReadIndexReply
)

FROM_LEADERS = (AppendEntries, InstallSnapshot)
"""What says by arriving who leads its term."""

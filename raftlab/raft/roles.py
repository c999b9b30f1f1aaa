"""The three roles, and the one table by which every node changes between them.

`ROLE_AFTER` is what the machine runs and what the pictures of Figure 4 are drawn from:
a change that is not in the table cannot happen. Paper: 5.1 and Figure 4.
"""

from collections.abc import Mapping
from enum import Enum
from types import MappingProxyType
from typing import TypeAlias

import msgspec

from raftlab.raft.election import Votes
from raftlab.raft.progress import Tracker
from raftlab.raft.vocabulary import Index, Millis, NodeId


class Role(Enum):
    """What a node is doing in its current term."""

    FOLLOWER = "follower"
    CANDIDATE = "candidate"
    LEADER = "leader"


LEADER = Role.LEADER
"""The same, for where it is asked at every message: it is slow to find in its class."""


class Cause(Enum):
    """What can change a role; the value is how a reader would say it."""

    ELECTION_TIMEOUT = "election timeout"
    PREVOTE_GRANTED = "a majority would vote for it"
    MAJORITY_GRANTED = "votes from a majority"
    ELECTION_LOST = "a majority refused"
    LEADER_SEEN = "hears the leader of its term"
    HIGHER_TERM = "sees a higher term"
    QUORUM_LOST = "hears no majority for an election timeout"
    LEADER_FORGOTTEN = "forgets its leader"
    REMOVED = "is no longer a voter, and hands over"


ROLE_AFTER: Mapping[tuple[Role, Cause], Role] = MappingProxyType(
    {
        (Role.FOLLOWER, Cause.ELECTION_TIMEOUT): Role.CANDIDATE,
        (Role.FOLLOWER, Cause.LEADER_SEEN): Role.FOLLOWER,
        (Role.FOLLOWER, Cause.HIGHER_TERM): Role.FOLLOWER,
        (Role.FOLLOWER, Cause.LEADER_FORGOTTEN): Role.FOLLOWER,
        (Role.CANDIDATE, Cause.ELECTION_TIMEOUT): Role.CANDIDATE,
        (Role.CANDIDATE, Cause.PREVOTE_GRANTED): Role.CANDIDATE,
        (Role.CANDIDATE, Cause.MAJORITY_GRANTED): Role.LEADER,
        (Role.CANDIDATE, Cause.ELECTION_LOST): Role.FOLLOWER,
        (Role.CANDIDATE, Cause.LEADER_SEEN): Role.FOLLOWER,
        (Role.CANDIDATE, Cause.HIGHER_TERM): Role.FOLLOWER,
        (Role.LEADER, Cause.HIGHER_TERM): Role.FOLLOWER,
        (Role.LEADER, Cause.QUORUM_LOST): Role.FOLLOWER,
        (Role.LEADER, Cause.REMOVED): Role.FOLLOWER,
    }
)


class Follower:
    """A follower and the leader it follows, if it knows one."""

    __slots__ = ("leader",)

    def __init__(self, leader: NodeId | None = None) -> None:
        self.leader = leader

    def copy(self) -> "Follower":
        """An independent record with the same values."""
        return Follower(self.leader)


class Candidate:
    """A candidate and its votes so far; `is_prevote` while it only asks for a chance."""

    __slots__ = ("is_prevote", "votes")

    def __init__(self, votes: Votes, is_prevote: bool = False) -> None:
        self.votes = votes
        self.is_prevote = is_prevote

    def copy(self) -> "Candidate":
        """An independent record with the same values."""
        return Candidate(self.votes.copy(), self.is_prevote)


class Transfer:
    """Leadership that is being handed over: to `to`, or to any voter if None. Thesis: 3.10.

    `sent` is who was told to campaign at once, if anyone was; `deadline` (ms) is when the
    leader gives up and takes commands again, `resend_at` when it asks once more.
    """

    __slots__ = ("deadline", "resend_at", "sent", "to")

    def __init__(self, to: NodeId | None, deadline: Millis) -> None:
        self.to = to
        self.deadline = deadline
        self.sent: NodeId | None = None
        self.resend_at: Millis = deadline

    def copy(self) -> "Transfer":
        """An independent record with the same values."""
        twin = Transfer(self.to, self.deadline)
        twin.sent, twin.resend_at = self.sent, self.resend_at
        return twin


class ReadRequest(msgspec.Struct, frozen=True, gc=False):
    """A read that waits for its answer: the asker's name for it, and who asked. Thesis: 6.4."""

    node: NodeId
    read_id: int
    asked_at: Millis


class Reads:
    """The reads of a leader, in rounds: one question to all, for every read that waits.

    `round` numbers the latest question (it only grows within a term). `asking` are the
    reads that the question `asking_round` is for, to be answered at `index`; `waiting` are
    those that came since. For leases, `asked_at` says when each question went out (ms), and
    `lease_from` when the latest one did that a majority has answered. Thesis: 6.4, 6.4.1.
    """

    __slots__ = (
        "asked_at",
        "asking",
        "asking_round",
        "index",
        "lease_from",
        "round",
        "waiting",
    )

    def __init__(self) -> None:
        self.round = 0
        self.asking_round = 0
        self.asked_at: dict[int, Millis] = {}
        self.asking: tuple[ReadRequest, ...] = ()
        self.index: Index = 0
        self.waiting: tuple[ReadRequest, ...] = ()
        self.lease_from: Millis | None = None

    def fingerprint(self) -> tuple[object, ...]:
        """Equal for two that differ in nothing but time."""
        asking, waiting = (
            tuple((each.node, each.read_id) for each in reads)
            for reads in (self.asking, self.waiting)
        )
        return (self.round, self.asking_round, asking, self.index, waiting)

    def copy(self) -> "Reads":
        """An independent record with the same values."""
        twin = Reads()
        twin.round, twin.asking_round = self.round, self.asking_round
        twin.asked_at = self.asked_at.copy()
        twin.asking, twin.index, twin.waiting = self.asking, self.index, self.waiting
        twin.lease_from = self.lease_from
        return twin


class Leader:
    """A leader, what it knows of everyone, and when it next must act (ms).

    `transfer` while it hands over; `has_handed_over` from the first attempt of its term on:
    a TimeoutNow may still be under way when the leader has given up. `uncommitted_bytes`
    counts the commands above `counted_index`.
    """

    __slots__ = (
        "counted_index",
        "has_handed_over",
        "heartbeat_deadline",
        "quorum_deadline",
        "reads",
        "tracker",
        "transfer",
        "uncommitted_bytes",
    )

    def __init__(
        self, tracker: Tracker, heartbeat_deadline: Millis, quorum_deadline: Millis
    ) -> None:
        self.tracker = tracker
        self.heartbeat_deadline = heartbeat_deadline
        self.quorum_deadline = quorum_deadline
        self.transfer: Transfer | None = None
        self.has_handed_over = False
        self.reads = Reads()
        self.uncommitted_bytes = 0
        self.counted_index: Index = 0

    def copy(self) -> "Leader":
        """An independent record with the same values."""
        twin = Leader(self.tracker.copy(), self.heartbeat_deadline, self.quorum_deadline)
        twin.transfer = self.transfer.copy() if self.transfer else None
        twin.has_handed_over = self.has_handed_over
        twin.reads = self.reads.copy()
        twin.uncommitted_bytes = self.uncommitted_bytes
        twin.counted_index = self.counted_index
        return twin


RoleData: TypeAlias = Follower | Candidate | Leader

"""The three roles, and the one table by which every node changes between them.

`ROLE_AFTER` is what the machine runs and what the pictures of Figure 4 are drawn from:
a change that is not in the table cannot happen. Paper: 5.1 and Figure 4.
"""

from collections.abc import Mapping
from enum import Enum
from types import MappingProxyType
from typing import TypeAlias

from raftlab.raft.election import Votes
from raftlab.raft.progress import Tracker
from raftlab.raft.vocabulary import Millis, NodeId


class Role(Enum):
    """What a node is doing in its current term."""

    FOLLOWER = "follower"
    CANDIDATE = "candidate"
    LEADER = "leader"


class Cause(Enum):
    """What can change a role; the value is how a reader would say it."""

    ELECTION_TIMEOUT = "election timeout"
    PREVOTE_GRANTED = "a majority would vote for it"
    MAJORITY_GRANTED = "votes from a majority"
    ELECTION_LOST = "a majority refused"
    LEADER_SEEN = "hears the leader of its term"
    HIGHER_TERM = "sees a higher term"
    QUORUM_LOST = "hears no majority for an election timeout"


ROLE_AFTER: Mapping[tuple[Role, Cause], Role] = MappingProxyType(
    {
        (Role.FOLLOWER, Cause.ELECTION_TIMEOUT): Role.CANDIDATE,
        (Role.FOLLOWER, Cause.LEADER_SEEN): Role.FOLLOWER,
        (Role.FOLLOWER, Cause.HIGHER_TERM): Role.FOLLOWER,
        (Role.CANDIDATE, Cause.ELECTION_TIMEOUT): Role.CANDIDATE,
        (Role.CANDIDATE, Cause.PREVOTE_GRANTED): Role.CANDIDATE,
        (Role.CANDIDATE, Cause.MAJORITY_GRANTED): Role.LEADER,
        (Role.CANDIDATE, Cause.ELECTION_LOST): Role.FOLLOWER,
        (Role.CANDIDATE, Cause.LEADER_SEEN): Role.FOLLOWER,
        (Role.CANDIDATE, Cause.HIGHER_TERM): Role.FOLLOWER,
        (Role.LEADER, Cause.HIGHER_TERM): Role.FOLLOWER,
        (Role.LEADER, Cause.QUORUM_LOST): Role.FOLLOWER,
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


class Leader:
    """A leader, what it knows of everyone, and when it next must act (ms)."""

    __slots__ = ("heartbeat_deadline", "quorum_deadline", "tracker")

    def __init__(
        self, tracker: Tracker, heartbeat_deadline: Millis, quorum_deadline: Millis
    ) -> None:
        self.tracker = tracker
        self.heartbeat_deadline = heartbeat_deadline
        self.quorum_deadline = quorum_deadline

    def copy(self) -> "Leader":
        """An independent record with the same values."""
        return Leader(self.tracker.copy(), self.heartbeat_deadline, self.quorum_deadline)


RoleData: TypeAlias = Follower | Candidate | Leader

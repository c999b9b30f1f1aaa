"""The three roles, and the one table by which every node changes between them.

`ROLE_AFTER` is what the machine runs and what the pictures of Figure 4 are drawn from:
a change that is not in the table cannot happen. Paper: 5.1 and Figure 4.
"""

from collections.abc import Hashable, Mapping
from enum import Enum
from types import MappingProxyType
from typing import TypeAlias

from raftlab.raft.progress import Tracker
from raftlab.raft.vocabulary import Millis, NodeId
from raftlab.raft.votes import Votes


class Role(Enum):
    """What a node is doing in its current term."""

    FOLLOWER = "follower"
    CANDIDATE = "candidate"
    LEADER = "leader"


CANDIDATE, LEADER = Role.CANDIDATE, Role.LEADER
"""The same, for where they are asked at every message: they are slow to find in their class."""


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

    def fingerprint(self) -> Hashable:
        """Equal for two followers of one leader."""
        return self.leader


class Candidate:
    """A candidate and its votes so far; `is_prevote` while it only asks for a chance."""

    __slots__ = ("is_prevote", "votes")

    def __init__(self, votes: Votes, is_prevote: bool = False) -> None:
        self.votes = votes
        self.is_prevote = is_prevote

    def copy(self) -> "Candidate":
        """An independent record with the same values."""
        return Candidate(self.votes.copy(), self.is_prevote)

    def fingerprint(self) -> Hashable:
        """Equal for two campaigns with the same answers."""
        return (self.is_prevote, tuple(sorted(self.votes.answers.items())))


class Leader:
    """A leader, what it knows of everyone, and when it speaks next at the latest (ms)."""

    __slots__ = ("heartbeat_deadline", "tracker")

    def __init__(self, tracker: Tracker, heartbeat_deadline: Millis) -> None:
        self.tracker = tracker
        self.heartbeat_deadline = heartbeat_deadline

    def copy(self) -> "Leader":
        """An independent record with the same values."""
        return Leader(self.tracker.copy(), self.heartbeat_deadline)

    def fingerprint(self) -> Hashable:
        """Equal for two records that differ in nothing but time."""
        return tuple([each.fingerprint() for each in self.tracker.progress.values()])


RoleData: TypeAlias = Follower | Candidate | Leader

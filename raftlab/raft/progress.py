"""What a leader knows about each member: how far it is, and what is on the way to it.

`match_index` is knowledge: the follower is known to agree up to there. `next_index` is
a guess: what to send next. Paper: Figure 2, volatile state on leaders; 5.3.
"""

from enum import Enum

from raftlab.raft.quorum import majority_index
from raftlab.raft.vocabulary import Configuration, Index, Millis, NodeId


class ProgressState(Enum):
    """How entries are sent. PROBE: one message at a time, until one is accepted.

    PIPELINE: without waiting, up to a window. SNAPSHOT: what is needed was compacted
    away, so entries wait until a snapshot has arrived. Thesis: 10.2.2.
    """

    PROBE = "probe"
    PIPELINE = "pipeline"
    SNAPSHOT = "snapshot"


PROBE, PIPELINE, SNAPSHOT = ProgressState.PROBE, ProgressState.PIPELINE, ProgressState.SNAPSHOT
"""The same, for where they are asked at every message: they are slow to find in their class."""


class FollowerProgress:
    """One member as its leader sees it. Always `match_index < next_index`.

    `in_flight` holds the last index of each message with entries that has not been
    answered; `last_reply_at` is when the member last answered in this term, in ms.
    `retry_at` is when a snapshot that was sent counts as lost (ms). `acked_round` is the
    latest round of reads it has answered.

    A learner catches up in rounds: each goes from `round_since` (ms) until it holds what
    the leader held then, up to `round_end`; `caught_up` if the last one was short enough.
    Thesis: 4.2.1.
    """

    __slots__ = (
        "acked_round",
        "caught_up",
        "commit_index",
        "in_flight",
        "last_reply_at",
        "match_index",
        "next_index",
        "node",
        "probe_sent",
        "retry_at",
        "round_end",
        "round_since",
        "state",
    )

    def __init__(self, node: NodeId, next_index: Index, now: Millis) -> None:
        self.node = node
        self.next_index = next_index
        self.match_index: Index = 0
        self.commit_index: Index = 0
        self.state = PROBE
        self.probe_sent = False
        self.in_flight: list[Index] = []
        self.last_reply_at = now
        self.acked_round = 0
        self.retry_at: Millis = 0.0
        self.round_end: Index = next_index
        self.round_since = now
        self.caught_up = False

    def accepted(self, index: Index) -> None:
        """The member agrees up to `index`. Replies may overtake each other: nothing goes back."""
        if index > self.match_index:
            self.match_index = index
        if index >= self.next_index:
            self.next_index = index + 1
        if self.in_flight:
            self.in_flight = [last for last in self.in_flight if last > index]

    def can_send(self, window: int) -> bool:
        """Whether a message with entries may go out now."""
        if self.state is PIPELINE:
            return len(self.in_flight) < window
        return self.state is PROBE and not self.probe_sent

    def become_snapshot(self, index: Index, retry_at: Millis) -> None:
        """A snapshot up to `index` is on its way: entries wait until it has arrived."""
        self.state = SNAPSHOT
        self.next_index = index + 1
        self.probe_sent = False
        self.in_flight = []
        self.retry_at = retry_at

    def become_probe(self) -> None:
        """Probe: one message at a time."""
        self.state = PROBE
        self.probe_sent = False
        self.in_flight = []

    def become_pipeline(self) -> None:
        """The logs are known to agree up to `next_index - 1`: send without waiting."""
        self.state = PIPELINE
        self.in_flight = []

    def fingerprint(self) -> tuple[object, ...]:
        """Equal for two records that differ in nothing but when the member last answered."""
        return (
            self.node,
            self.next_index,
            self.match_index,
            self.commit_index,
            self.state,
            self.probe_sent,
            tuple(self.in_flight),
            self.acked_round,
            self.round_end,
            self.caught_up,
        )

    def copy(self) -> "FollowerProgress":
        """An independent record with the same values."""
        twin = FollowerProgress(self.node, self.round_end, self.round_since)
        twin.next_index = self.next_index
        twin.last_reply_at = self.last_reply_at
        twin.match_index = self.match_index
        twin.commit_index = self.commit_index
        twin.state = self.state
        twin.probe_sent = self.probe_sent
        twin.in_flight = self.in_flight.copy()
        twin.acked_round = self.acked_round
        twin.retry_at = self.retry_at
        twin.caught_up = self.caught_up
        return twin


class Tracker:
    """The progress of every member, the leader itself included."""

    __slots__ = ("configuration", "progress", "voters")

    def __init__(self, configuration: Configuration, next_index: Index, now: Millis) -> None:
        self.configuration = configuration
        self.voters = configuration.all_voters
        self.progress = {
            node: FollowerProgress(node, next_index, now) for node in configuration.members
        }

    def set_configuration(
        self, configuration: Configuration, next_index: Index, now: Millis
    ) -> None:
        """Follow the members of `configuration`: keep what is known, begin afresh with newcomers.

        Who belongs to no group any more is forgotten. Paper: 6.
        """
        known = self.progress
        self.configuration = configuration
        self.voters = configuration.all_voters
        self.progress = {
            node: known.get(node) or FollowerProgress(node, next_index, now)
            for node in configuration.members
        }

    def acked_rounds(self) -> dict[NodeId, int]:
        """The latest round of reads that each voter has answered. Thesis: 6.4."""
        return {node: self.progress[node].acked_round for node in self.voters}

    def match_indexes(self) -> dict[NodeId, Index]:
        """How far each voter is known to agree, the leader's own durable log included."""
        progress = self.progress
        return {node: progress[node].match_index for node in self.voters}

    def heard_within(self, span: Millis, now: Millis) -> list[NodeId]:
        """The members whose last answer is less than `span` ms old, in configuration order."""
        return [node for node, each in self.progress.items() if each.last_reply_at + span > now]

    def quorum_heard_at(self) -> Millis:
        """Until when (ms) a majority of each voter set had answered."""
        return min(
            majority_index([self.progress[voter].last_reply_at for voter in voters])
            for voters in self.configuration.voter_sets
        )

    def copy(self) -> "Tracker":
        """An independent tracker with the same values."""
        twin = Tracker.__new__(Tracker)
        twin.configuration = self.configuration
        twin.voters = self.voters
        twin.progress = {node: each.copy() for node, each in self.progress.items()}
        return twin

"""A node as its process has told it: each field of a reply finds its place, or is refused."""

import random
from collections.abc import Iterable
from typing import Any

from msgspec import UNSET

from raftlab.process.checks import (
    check_entries,
    check_message,
    check_names,
    check_progress,
    check_reads,
    check_snapshot,
    contradiction,
)
from raftlab.process.forms import message_of, snapshot_of
from raftlab.process.source import Source
from raftlab.process.wire import MessageLine, ProgressLine, Reply, SnapshotLine
from raftlab.raft.log import LogEntry, Snapshot
from raftlab.raft.messages import AppendEntries, InstallSnapshot, Message
from raftlab.raft.node import NodeCore
from raftlab.raft.output import Note, Output, ReadReady
from raftlab.raft.progress import FollowerProgress, Tracker
from raftlab.raft.roles import Candidate, Follower, Leader, Role
from raftlab.raft.vocabulary import Configuration, Index, Millis, Misuse, NodeId, Term
from raftlab.raft.votes import Votes

NEVER: Millis = float("inf")
ROLES = {role.value: role for role in Role}

OnDisk = tuple[Term, NodeId | None, Index, Term]
"""What a disk holds: term, vote, last index, last term."""


class NodeAsSaid(NodeCore):
    """What a process has said of a node so far, as the simulator needs it.

    It decides nothing. What must be written it says as the process does, so its term, vote and log
    can never contradict the disk; what the process believes besides is what it said last.
    `heard_of` are the nodes that it can know: who has sent it anything, and whom its disk, a
    message or a client has named.
    """

    __slots__ = (
        "_counted",
        "_failed_reads",
        "_leader",
        "_machines",
        "_messages_at_once",
        "_new_snapshot",
        "_reads",
        "_reads_asked",
        "_writing",
        "heard_of",
    )

    def __init__(
        self,
        node_id: NodeId,
        *,
        machines: Source,
        configuration: Configuration,
        **held: Any,
    ) -> None:
        """`held`: term, vote, log and the like, as a `NodeCore` takes them."""
        super().__init__(node_id, configuration=configuration, rng=random.Random(0), **held)
        self._machines = machines
        self._leader: NodeId | None = None
        self.next_deadline: Millis = NEVER
        self._messages_at_once: list[Message] = []
        self._reads: list[ReadReady] = []
        self._failed_reads: list[int] = []
        self._reads_asked: set[int] = set()
        self._counted: tuple[dict[NodeId, ProgressLine], Index, Configuration] | None = None
        self._new_snapshot: Snapshot | None = None
        self._writing: list[OnDisk] = []
        self._polling_confirms = not self._options.async_persistence
        self.heard_of: frozenset[NodeId] = frozenset(configuration.members)
        self._hear_of(node_id, *([self.voted_for] if self.voted_for else ()))
        self._hear_of_members(self.log, self.log.snapshot)

    def _hear_of(self, *nodes: NodeId) -> None:
        if not self.heard_of.issuperset(nodes):
            self.heard_of |= set(nodes)

    def _hear_of_members(
        self, entries: Iterable[LogEntry], snapshot: Snapshot | None = None
    ) -> None:
        """Nodes that entries and a snapshot name as members."""
        if snapshot is not None:
            self._hear_of(*snapshot.configuration.members)
        for each in entries:
            if type(each.payload) is Configuration:
                self._hear_of(*each.payload.members)

    def _hear_message(self, message: Message) -> None:
        """Who has sent it, and whom it names as members."""
        self._hear_of(message.sender)
        if type(message) is AppendEntries:
            self._hear_of_members(message.entries)
        elif type(message) is InstallSnapshot:
            self._hear_of_members((), message.snapshot)

    def _take(self, reply: Reply) -> None:
        """Let the node stand where the reply says. Raises: MachineFault, if it cannot be so."""
        if reply.term is not UNSET or reply.voted_for is not UNSET:
            self._take_hard_state(reply)
        if reply.truncate_from is not None or reply.log_entries or reply.snapshot is not None:
            self._take_log(reply)
        elif reply.first_index is not None:
            raise contradiction("it says first_index, and no snapshot")
        if reply.commit_index is not None:
            self.commit_index = reply.commit_index
        if self.commit_index > self.log.last_index:
            raise contradiction(
                f"it calls entries up to {self.commit_index} committed, and its log ends at"
                f" {self.log.last_index}"
            )
        check_names(reply, self.heard_of)
        self._take_beliefs(reply)
        if reply.messages:
            self._messages += self._messages_of(reply.messages)
        if reply.notes:
            self._notes += [
                Note("note", "{}", (each,))
                if isinstance(each, str)
                else Note(each.rule, "{}", (each.text,))
                for each in reply.notes
            ]
        if reply.reads or reply.failed_reads or reply.messages_at_once or reply.alarms:
            self._take_what_is_rarely_said(reply)

    def _take_what_is_rarely_said(self, reply: Reply) -> None:
        self._has_more = True
        check_reads(reply, self._reads_asked, self.commit_index)
        self._reads += reply.reads
        self._failed_reads += reply.failed_reads
        if reply.messages_at_once and not self._options.async_persistence:
            raise contradiction("messages_at_once are for options.async_persistence")
        self._messages_at_once += self._messages_of(reply.messages_at_once)
        for each in reply.alarms:
            self._alarm(each)

    def _messages_of(self, lines: tuple[MessageLine, ...]) -> list[Message]:
        """The messages that it sends. Raises: MachineFault, if no node can send them."""
        made = [message_of(each, self._machines.entry_of) for each in lines]
        for each in made:
            check_message(each, self.node_id, self.heard_of, self.commit_index)
        return made

    def _take_hard_state(self, reply: Reply) -> None:
        term = self.term if reply.term is UNSET else reply.term
        if term != self.term:
            self._leader, voted_for = None, None
        else:
            voted_for = self.voted_for
        if reply.voted_for is not UNSET:
            voted_for = reply.voted_for
        if (term, voted_for) != (self.term, self.voted_for):
            self.term, self.voted_for = term, voted_for
            self._hard_state_changed = True

    def _take_log(self, reply: Reply) -> None:
        """Compact, cut, append, in this order: that of `Output`. Raises: MachineFault."""
        log = self.log
        if reply.snapshot is not None:
            self._take_snapshot(reply.snapshot, reply.first_index)
        if reply.truncate_from is not None:
            self._cut(reply.truncate_from)
        if reply.log_entries:
            entries = tuple(map(self._machines.entry_of, reply.log_entries))
            check_entries(entries, log.last_index, self.term, "writes", self.heard_of)
            log.append_as_follower(entries)
        self.configuration = self._first_configuration
        if log.configuration_index:
            self.configuration = log.configuration_at(log.last_index) or self.configuration

    def _cut(self, index: Index) -> None:
        """Its log ends before `index`. Raises: MachineFault."""
        last = self.log.last_index
        if index > last + 1:
            raise contradiction(f"it cuts its log from entry {index} on, and it ends at {last}")
        try:
            self._truncate(index)
        except Misuse as error:
            raise contradiction(f"what it does to its log cannot be: {error}") from None

    def _take_snapshot(self, line: SnapshotLine, first: Index | None) -> None:
        """A snapshot stands for the head of the log, or for all of it. Raises: MachineFault."""
        log, snapshot, after = self.log, snapshot_of(line), line.index + 1
        is_own = log.term_for_index(snapshot.index) == snapshot.term
        base = log.snapshot.index if log.snapshot else 0
        kept_from = log.first_index if is_own else after
        check_snapshot(snapshot, first, kept_from, base, self.term, self.heard_of)
        if is_own:
            log.compact(snapshot, 0 if first is None else after - first)
        else:
            earlier = self._truncate_from
            self._truncate_from = after if earlier is None else min(earlier, after)
            log.restore(snapshot)
        self._new_snapshot, self._has_more = snapshot, True
        self.commit_index = max(self.commit_index, snapshot.index)
        self._committed_out = max(self._committed_out, snapshot.index)

    def _take_beliefs(self, reply: Reply) -> None:
        """Its role, its leader, its timers, and what it counts."""
        if reply.leader is not UNSET:
            self._leader = reply.leader
        role = self.role if reply.role is None else ROLES[reply.role]
        if role is not self.role:
            self.role, self.role_data = role, Follower()
        if reply.wake_at is not UNSET:
            self.next_deadline = NEVER if reply.wake_at is None else reply.wake_at
            self.election_deadline = reply.wake_at  # type: ignore[assignment]
        if reply.election_deadline is not UNSET:
            self.election_deadline = reply.election_deadline  # type: ignore[assignment]
        if role is Role.CANDIDATE and reply.votes is not None:
            votes = Votes(self.configuration)
            for node, granted in reply.votes.items():
                votes.register_vote(node, granted)
            self.role_data = Candidate(votes)
        elif role is Role.LEADER and reply.progress is not None:
            self._take_progress(reply.progress)
        elif role is Role.LEADER and type(self.role_data) is Leader:
            self.role_data = Leader(self.role_data.tracker, self.next_deadline)

    def _take_progress(self, progress: dict[NodeId, ProgressLine]) -> None:
        """What a leader counts; most lines tell it as it was."""
        told = (progress, self.log.last_index, self.configuration)
        data = self.role_data
        if type(data) is Leader and told == self._counted:
            self.role_data = Leader(data.tracker, self.next_deadline)
            return
        check_progress(progress, self.log.last_index)
        self.role_data = Leader(self._tracker(progress), self.next_deadline)
        self._counted = told

    def _tracker(self, told: dict[NodeId, ProgressLine]) -> Tracker:
        tracker = Tracker(self.configuration, self.log.last_index + 1, self._now)
        tracker.progress[self.node_id] = FollowerProgress(
            self.node_id, self.log.last_index + 1, self._now
        )
        tracker.progress[self.node_id].match_index = self.log.last_index
        for node, line in told.items():
            if (progress := tracker.progress.get(node)) is not None:
                progress.next_index, progress.match_index = line.next_index, line.match_index
                progress.state = line.state
        return tracker

    # What the simulator asks

    @property
    def leader(self) -> NodeId | None:
        """Who leads, as far as this node has said; itself, if it leads."""
        return self.node_id if self.role is Role.LEADER else self._leader

    def _restart_election_timer(self) -> None:
        self.election_deadline = None  # type: ignore[assignment]

    def _before_output(self) -> dict[str, Any]:
        more: dict[str, Any] = {}
        if self._new_snapshot is not None:
            more |= {"snapshot": self._new_snapshot, "first_index": self.log.first_index}
            self._new_snapshot = None
        for name in ("reads", "failed_reads", "messages_at_once"):
            if waiting := getattr(self, f"_{name}"):
                more[name] = tuple(waiting)
                waiting.clear()
        return more

    def _take_output(self, entries: tuple[LogEntry, ...], more: dict[str, Any] | None) -> Output:
        output = super()._take_output(entries, more)
        if output.must_be_written:
            log = self.log
            self._writing.append((self.term, self.voted_for, log.last_index, log.last_term))
            self._unconfirmed = self._polling_confirms
        return output

"""Reads that never show the past, without an entry in the log. Thesis: 6.4.

A leader answers a read from what is committed, once a majority has said that it still
leads. One question serves all reads that wait. A follower asks its leader how far it must
have applied the log, and answers itself. With leases (6.4.1) a leader that was heard of
late need not ask.
"""

from collections.abc import Hashable, Mapping
from copy import copy
from random import Random
from typing import Any, ClassVar, Self, TypeAlias

import msgspec

from raftlab.raft.log import LogEntry, RaftLog
from raftlab.raft.messages import (
    Accepted,
    AppendEntries,
    AppendEntriesReply,
    ReadIndex,
    ReadIndexReply,
    Rejected,
)
from raftlab.raft.output import ReadReady
from raftlab.raft.roles import LEADER, Leader, RoleData
from raftlab.raft.thesis.protections import LONG_AGO
from raftlab.raft.thesis.snapshots import Snapshots
from raftlab.raft.vocabulary import Index, Millis, Misuse, NodeId, NotLeader, Term

AskedRead: TypeAlias = tuple[Millis, Index | None]
"""A read that a follower has asked its leader about: when (ms), and the index it was told."""


class ReadRequest(msgspec.Struct, frozen=True, gc=False):
    """A read that waits for its answer: the asker's name for it, and who asked. Thesis: 6.4."""

    node: NodeId
    read_id: int
    asked_at: Millis


class Reads(msgspec.Struct):
    """The reads of a leader, in rounds: one question to all, for every read that waits.

    `round` numbers the latest question (it only grows within a term). `asking` are the
    reads that the question `asking_round` is for, to be answered at `index`; `waiting` are
    those that came since. For leases, `asked_at` says when each question went out (ms), and
    `lease_from` when the latest one did that a majority has answered. Thesis: 6.4, 6.4.1.
    """

    round: int = 0
    asking_round: int = 0
    asked_at: Mapping[int, Millis] = {}
    asking: tuple[ReadRequest, ...] = ()
    index: Index = 0
    waiting: tuple[ReadRequest, ...] = ()
    lease_from: Millis | None = None

    def fingerprint(self) -> Hashable:
        """Equal for two that differ in nothing but time."""
        asking, waiting = (
            tuple([(each.node, each.read_id) for each in reads])
            for reads in (self.asking, self.waiting)
        )
        return (self.round, self.asking_round, asking, self.index, waiting)


class LinearizableReads(Snapshots):
    """How a read is answered, at the leader and at a follower.

    `_reads` is what a leader knows of them, `_open_round` the question that its messages ask.
    `_asked_reads` are those that this node has asked its leader about.
    """

    __slots__ = (
        "_asked_reads",
        "_failed_reads",
        "_last_read",
        "_open_round",
        "_reads",
        "_ready_reads",
        "_repeated_at",
    )

    _HANDLERS: ClassVar[Mapping[type, str]] = {
        AppendEntries: "_hear_append",
        AppendEntriesReply: "_hear_append_reply",
        ReadIndex: "_on_read_index",
        ReadIndexReply: "_on_read_index_reply",
    }

    def _on_start(self) -> None:
        super()._on_start()
        self._open_round = 0
        self._reads = Reads()
        self._last_read = 0
        self._repeated_at: Millis = LONG_AGO
        self._asked_reads: dict[int, AskedRead] = {}
        self._ready_reads: list[ReadReady] = []
        self._failed_reads: list[int] = []

    def _copy_with(self, rng: Random, log: RaftLog) -> Self:
        """Also: the reads that wait."""
        twin = super()._copy_with(rng, log)
        twin._reads = copy(self._reads)
        twin._asked_reads = self._asked_reads.copy()
        twin._ready_reads = self._ready_reads.copy()
        twin._failed_reads = self._failed_reads.copy()
        return twin

    def fingerprint(self) -> tuple[Hashable, ...]:
        """Also: the reads that wait, here and at the leader."""
        return (
            *super().fingerprint(),
            self._open_round,
            self._reads.fingerprint(),
            self._last_read,
            tuple((read_id, index) for read_id, (_, index) in self._asked_reads.items()),
            tuple(self._ready_reads),
            tuple(self._failed_reads),
        )

    # What the host calls

    def read(self, now: Millis | None = None, read_id: int | None = None) -> int:
        """Ask for a read at `now` (ms); returns its number.

        `read_id` is the number that names it: greater than any that this node has used, in
        this life or an earlier one, so that no old answer serves a new read. A host that never
        restarts a node within one moment may leave it out; then the reads of a life are counted.
        `Output.reads` says when it may be answered. Any node may be asked. A read whose node
        loses its leader comes out as `Output.failed_reads`: ask again. Thesis: 6.4, 6.4.1.

        Raises: NotLeader, if this node knows no leader; Misuse, if time goes back, if `read_id`
        is no greater than the last, and without `now` under `Options.lease_reads`: a lease
        cannot be judged without the time.
        """
        if now is not None:
            self.now = now
        elif self._options.lease_reads:
            raise Misuse(f"{self.node_id} must know when it is asked: lease_reads needs read(now)")
        leader = self.leader
        if leader is None:
            what = "answer a read"
            raise NotLeader.of(self.node_id, self.role.value, self.term, leader, what)
        self._last_read = self._next_read(read_id)
        self._has_more = True
        if self.role is LEADER:
            self._reads.waiting += (ReadRequest(self.node_id, self._last_read, self._now),)
        else:
            self._asked_reads[self._last_read] = (self._now, None)
            self._ask_leader(leader, self._last_read, self._now)
        return self._last_read

    def _next_read(self, read_id: int | None) -> int:
        if read_id is None:
            return self._last_read + 1
        if read_id <= self._last_read:
            raise Misuse(f"{self.node_id} has named a read {self._last_read}; {read_id} is not new")
        return read_id

    @property
    def _served_from(self) -> dict[int, Index]:
        """The reads of this node that wait for its log, by number: how far it must be applied."""
        return {each: index for each, (_, index) in self._asked_reads.items() if index is not None}

    # What is written on messages

    def _append_to(
        self,
        node: NodeId,
        prev: Index,
        prev_term: Term,
        entries: tuple[LogEntry, ...],
        commit: Index,
    ) -> AppendEntries:
        """The message, with the question that is open. It is sent too often to be built twice."""
        return AppendEntries(
            term=self.term,
            sender=self.node_id,
            receiver=node,
            prev_log_index=prev,
            prev_log_term=prev_term,
            entries=entries,
            leader_commit=commit,
            read_round=self._open_round,
        )

    def _reply_append(self, request: AppendEntries, result: Accepted | Rejected) -> None:
        """Answer, and repeat the question. It is sent too often to be built twice."""
        self._messages.append(
            AppendEntriesReply(
                term=self.term,
                sender=self.node_id,
                receiver=request.sender,
                commit_index=self.commit_index,
                result=result,
                read_round=request.read_round,
            )
        )

    # Leaders

    def _on_read_index(self, request: ReadIndex) -> None:
        """A member asks how far it must have applied the log."""
        leader, reads = self.role_data, self._reads
        if not isinstance(leader, Leader) or request.sender not in leader.tracker.progress:
            return
        asked = ReadRequest(request.sender, request.read_id, request.asked_at)
        if asked not in reads.waiting and asked not in reads.asking:
            reads.waiting += (asked,)
            self._has_more = True

    def _ask_for_reads(self, leader: Leader) -> None:
        """Ask everyone whether this node still leads, for all reads that wait; or trust a lease.

        A read that comes while the question is under way needs the next one: the answers
        to this one say nothing of later moments. Thesis: 6.4, steps 1 to 3.
        """
        reads = self._reads
        if not self._rules.may_read(self.log, self.commit_index, self.term):
            return
        if self._has_lease():
            waiting, reads.waiting = reads.waiting, ()
            self._note("lease_holds", "needs to ask nobody: its lease holds")
            self._answer_reads(leader, waiting, self.commit_index)
        elif not reads.asking:
            reads.asking, reads.waiting = reads.waiting, ()
            reads.index = self.commit_index
            if not self._options.lease_reads:
                self._begin_round(leader)
            self._broadcast_heartbeat()
            reads.asking_round = reads.round
            leader.heartbeat_deadline = self._now + self._options.heartbeat_interval
            self._note_deadline()
            self._conclude_round(leader)

    def _on_heartbeat(self) -> None:
        """With leases every heartbeat asks, so that the lease is renewed. Thesis: 6.4.1."""
        super()._on_heartbeat()
        if self._options.lease_reads:
            assert isinstance(self.role_data, Leader)
            self._begin_round(self.role_data)

    def _begin_round(self, leader: Leader) -> None:
        reads, now = self._reads, self._now
        reads.round += 1
        self._open_round = reads.round
        too_old = now - self._options.election_timeout[0]  # no lease comes of those any more
        asked_at = {each: at for each, at in reads.asked_at.items() if at > too_old}
        reads.asked_at = {**asked_at, reads.round: now}
        mine = leader.tracker.progress.get(self.node_id)
        if mine is not None:
            mine.acked_round = reads.round

    def _hear_append_reply(self, reply: AppendEntriesReply) -> None:
        """An answer says that this node led when its question went out."""
        leader = self.role_data
        if type(leader) is not Leader:
            return
        if not reply.read_round:
            self._on_append_entries_reply(reply)
            return
        progress = leader.tracker.progress.get(reply.sender)
        if progress is not None and progress.acked_round < reply.read_round <= self._reads.round:
            progress.acked_round = reply.read_round
        self._on_append_entries_reply(reply)
        if self.role_data is leader and reply.sender in leader.tracker.progress:
            self._conclude_round(leader)

    def _conclude_round(self, leader: Leader) -> None:
        """Answer the reads whose question a majority has answered. Thesis: 6.4, steps 3 and 4."""
        reads, tracker = self._reads, leader.tracker
        reached = self._rules.still_led_at(tracker.acked_rounds(), tracker.configuration)
        if reached in reads.asked_at:
            reads.lease_from = reads.asked_at[reached]
            reads.asked_at = {each: at for each, at in reads.asked_at.items() if each > reached}
        if reads.asking and reached >= reads.asking_round:
            asking, reads.asking = reads.asking, ()
            self._note("still_led_at", "still leads: a majority has said so")
            self._answer_reads(leader, asking, reads.index)
        if not reads.asking and not self._options.lease_reads:
            self._open_round = 0

    def _on_configuration(self) -> None:
        """Whoever has not answered may be a voter no more: those that stay may be a majority."""
        super()._on_configuration()
        leader = self.role_data
        if isinstance(leader, Leader):
            self._conclude_round(leader)

    def _answer_reads(self, leader: Leader, asked: tuple[ReadRequest, ...], index: Index) -> None:
        """Let reads be served at `index`, here or where they were asked."""
        for request in asked:
            if request.node == self.node_id:
                self._ready_reads.append(ReadReady(request.read_id, index))
                continue
            self._send(
                ReadIndexReply(
                    term=self.term,
                    sender=self.node_id,
                    receiver=request.node,
                    read_id=request.read_id,
                    asked_at=request.asked_at,
                    index=index,
                )
            )
            progress = leader.tracker.progress.get(request.node)
            if progress is not None and progress.commit_index < index:
                self._send_append(progress, ())

    def _has_lease(self) -> bool:
        """Whether this leader may answer without asking. Thesis: 6.4.1."""
        lease_from, options = self._reads.lease_from, self._options
        if not options.lease_reads or lease_from is None:
            return False
        return self._rules.lease_holds(lease_from, self._now, self._has_handed_over, options)

    # Followers

    def _ask_leader(self, leader: NodeId, read_id: int, asked_at: Millis) -> None:
        self._send(
            ReadIndex(
                term=self.term,
                sender=self.node_id,
                receiver=leader,
                read_id=read_id,
                asked_at=asked_at,
            )
        )

    def _on_read_index_reply(self, reply: ReadIndexReply) -> None:
        """The leader has said how far the log must be applied, for a read of this life."""
        asked_at, _ = self._asked_reads.get(reply.read_id, (None, None))
        if asked_at == reply.asked_at:
            self._asked_reads[reply.read_id] = (reply.asked_at, reply.index)

    def _hear_append(self, request: AppendEntries) -> None:
        self._on_append_entries(request)
        if self._asked_reads and not request.entries:
            self._ask_again(request)

    def _ask_again(self, leader: AppendEntries) -> None:
        """Questions may have been lost: repeat them when the leader is heard, now and then."""
        since = self._now - self._options.heartbeat_interval
        if self._repeated_at > since:
            return
        for read_id, (asked_at, index) in self._asked_reads.items():
            if index is None and asked_at <= since:
                self._repeated_at = self._now
                self._ask_leader(leader.sender, read_id, asked_at)

    # Losing the leader

    def _on_role_change(self, lost: RoleData) -> None:
        """Reads that wait for a leader who is gone have failed; the client asks again."""
        super()._on_role_change(lost)
        self._open_round = 0
        if isinstance(lost, Leader):
            mine = (*self._reads.asking, *self._reads.waiting)
            self._failed_reads += [each.read_id for each in mine if each.node == self.node_id]
            self._reads = Reads()
        if self._asked_reads:
            unanswered = [each for each, (_, index) in self._asked_reads.items() if index is None]
            self._failed_reads += unanswered
            for read_id in unanswered:
                del self._asked_reads[read_id]

    # What comes of it

    def _before_output(self) -> dict[str, Any]:
        """Ask for the reads that wait, and hand out those that are answered, or have failed."""
        more, leader, reads = super()._before_output(), self.role_data, self._reads
        if isinstance(leader, Leader) and reads.waiting:
            self._ask_for_reads(leader)
        if self._asked_reads:
            self._take_served_reads()
        if self._ready_reads:
            more["reads"], self._ready_reads = tuple(self._ready_reads), []
        if self._failed_reads:
            more["failed_reads"], self._failed_reads = tuple(self._failed_reads), []
        self._has_more = bool(reads.waiting or reads.asking or self._asked_reads)
        return more

    def _take_served_reads(self) -> None:
        """Let go of the reads for which enough is committed here."""
        for read_id, (_, index) in list(self._asked_reads.items()):
            if index is not None and self._rules.may_serve_read(index, self.commit_index):
                del self._asked_reads[read_id]
                self._ready_reads.append(ReadReady(read_id, index))

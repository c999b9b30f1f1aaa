"""Reads that never show the past, without an entry in the log. Thesis: 6.4.

A leader answers a read from what is committed, once a majority has said that it still
leads. One question serves all reads that wait. A follower asks its leader how far it must
have applied the log, and answers itself. With leases (6.4.1) a leader that was heard of
late need not ask.
"""

from raftlab.raft.membership import Membership
from raftlab.raft.messages import AppendEntries, AppendEntriesReply, ReadIndex, ReadIndexReply
from raftlab.raft.output import ReadReady
from raftlab.raft.roles import Cause, Leader, ReadRequest, RoleData
from raftlab.raft.vocabulary import Index, Millis, Misuse, NotLeader


class LinearizableReads(Membership):
    """How a read is answered, at the leader and at a follower."""

    __slots__ = ()

    def read(self, now: Millis | None = None, read_id: int | None = None) -> int:
        """Ask for a read at `now` (ms); returns its number.

        `read_id` is the number that names it: greater than any that this node has used, in
        this life or an earlier one, lest an old answer serve a new read. A host that never
        restarts a node within one moment may leave it out; then the reads of a life are counted.
        `Output.reads` says when it may be answered. Any node may be asked. A read whose node
        loses its leader comes out as `Output.failed_reads`: ask again. Thesis: 6.4, 6.4.1.

        Raises: NotLeader, if this node knows no leader; Misuse, if time goes back, if `read_id`
        is no greater than the last, and without `now` under `Options.lease_reads`: a lease
        cannot be judged without the time.
        """
        if now is not None:
            self.set_now(now)
        elif self.options.lease_reads:
            raise Misuse(f"{self.node_id} must know when it is asked: lease_reads needs read(now)")
        leader = self.leader
        if leader is None:
            what = "answer a read"
            raise NotLeader.of(self.node_id, self.role.value, self.term, leader, what)
        self._last_read = self._next_read(read_id)
        self._has_reads = True
        if isinstance(self.role_data, Leader):
            request = ReadRequest(self.node_id, self._last_read, self.now)
            self.role_data.reads.waiting += (request,)
        else:
            self._asked_reads[self._last_read] = (self.now, None)
            self.send(ReadIndex(self.term, self.node_id, leader, self._last_read, self.now))
        return self._last_read

    def _next_read(self, read_id: int | None) -> int:
        if read_id is None:
            return self._last_read + 1
        if read_id <= self._last_read:
            raise Misuse(f"{self.node_id} has named a read {self._last_read}; {read_id} is not new")
        return read_id

    @property
    def asked_reads(self) -> dict[int, Index]:
        """The reads of this node that wait for its log, by number: how far it must be applied."""
        return {each: index for each, (_, index) in self._asked_reads.items() if index is not None}

    # Leaders

    def on_read_index(self, request: ReadIndex) -> None:
        """A member asks how far it must have applied the log."""
        leader = self.role_data
        if not isinstance(leader, Leader) or request.sender not in leader.tracker.progress:
            return
        asked = ReadRequest(request.sender, request.read_id, request.asked_at)
        if asked not in leader.reads.waiting and asked not in leader.reads.asking:
            leader.reads.waiting += (asked,)
            self._has_reads = True

    def ask_for_reads(self, leader: Leader) -> None:
        """Ask everyone whether this node still leads, for all reads that wait; or trust a lease.

        A read that comes while the question is under way needs the next one: the answers
        to this one say nothing of later moments. Thesis: 6.4, steps 1 to 3.
        """
        reads = leader.reads
        if not self.rules.may_read(self.log, self.commit_index, self.term):
            return
        if self.has_lease(leader):
            waiting, reads.waiting = reads.waiting, ()
            self.note("lease_holds", "needs to ask nobody: its lease holds")
            self.answer_reads(leader, waiting, self.commit_index)
        elif not reads.asking:
            reads.asking, reads.waiting = reads.waiting, ()
            reads.index = self.commit_index
            if not self.options.lease_reads:
                self._begin_round(leader)
            self.broadcast_heartbeat()
            reads.asking_round = reads.round
            leader.heartbeat_deadline = self.now + self.options.heartbeat_interval
            self.conclude_round(leader)

    def broadcast_heartbeat(self) -> None:
        """With leases every heartbeat asks, so that the lease is renewed. Thesis: 6.4.1."""
        if self.options.lease_reads:
            assert isinstance(self.role_data, Leader)
            self._begin_round(self.role_data)
        super().broadcast_heartbeat()

    def _begin_round(self, leader: Leader) -> None:
        reads = leader.reads
        reads.round += 1
        self.open_round = reads.round
        too_old = self.now - self.options.election_timeout[0]  # no lease comes of those any more
        reads.asked_at = {each: at for each, at in reads.asked_at.items() if at > too_old}
        reads.asked_at[reads.round] = self.now
        mine = leader.tracker.progress.get(self.node_id)
        if mine is not None:
            mine.acked_round = reads.round

    def conclude_round(self, leader: Leader) -> None:
        """Answer the reads whose question a majority has answered. Thesis: 6.4, steps 3 and 4."""
        reads, tracker = leader.reads, leader.tracker
        reached = self.rules.still_led_at(tracker.acked_rounds(), tracker.configuration)
        if reached in reads.asked_at:
            reads.lease_from = reads.asked_at[reached]
            reads.asked_at = {each: at for each, at in reads.asked_at.items() if each > reached}
        if reads.asking and reached >= reads.asking_round:
            asking, reads.asking = reads.asking, ()
            self.note("still_led_at", "still leads: a majority has said so")
            self.answer_reads(leader, asking, reads.index)
        if not reads.asking and not self.options.lease_reads:
            self.open_round = 0

    def adopt_configuration(self) -> None:
        """Whoever has not answered may be a voter no more: those that stay may be a majority."""
        super().adopt_configuration()
        leader = self.role_data
        if isinstance(leader, Leader):
            self.conclude_round(leader)

    def answer_reads(self, leader: Leader, asked: tuple[ReadRequest, ...], index: Index) -> None:
        """Let reads be served at `index`, here or where they were asked."""
        for request in asked:
            if request.node == self.node_id:
                self._ready_reads.append(ReadReady(request.read_id, index))
                continue
            node, read_id, asked_at = request.node, request.read_id, request.asked_at
            self.send(ReadIndexReply(self.term, self.node_id, node, read_id, asked_at, index))
            progress = leader.tracker.progress.get(node)
            if progress is not None and progress.commit_index < index:
                self.send_append(progress, ())

    def has_lease(self, leader: Leader) -> bool:
        """Whether this leader may answer without asking. Thesis: 6.4.1."""
        lease_from, options = leader.reads.lease_from, self.options
        if not options.lease_reads or lease_from is None:
            return False
        return self.rules.lease_holds(lease_from, self.now, leader.has_handed_over, options)

    # Followers

    def on_read_index_reply(self, reply: ReadIndexReply) -> None:
        """The leader has said how far the log must be applied, for a read of this life."""
        asked_at, _ = self._asked_reads.get(reply.read_id, (None, None))
        if asked_at == reply.asked_at:
            self._asked_reads[reply.read_id] = (reply.asked_at, reply.index)

    def ask_again(self, leader: AppendEntries) -> None:
        """Questions may have been lost: repeat them when the leader is heard, now and then."""
        since = self.now - self.options.heartbeat_interval
        if self._repeated_at > since:
            return
        for read_id, (asked_at, index) in self._asked_reads.items():
            if index is None and asked_at <= since:
                self._repeated_at = self.now
                self.send(ReadIndex(self.term, self.node_id, leader.sender, read_id, asked_at))

    def take_served_reads(self) -> None:
        """Let go of the reads for which enough is committed here."""
        for read_id, (_, index) in list(self._asked_reads.items()):
            if index is not None and self.rules.may_serve_read(index, self.commit_index):
                del self._asked_reads[read_id]
                self._ready_reads.append(ReadReady(read_id, index))

    # Losing the leader

    def change_role(self, cause: Cause, data: RoleData) -> None:
        """Reads that wait for a leader who is gone have failed; the client asks again."""
        lost, self.open_round = self.role_data, 0
        super().change_role(cause, data)
        if isinstance(lost, Leader):
            mine = (*lost.reads.asking, *lost.reads.waiting)
            self._failed_reads += [each.read_id for each in mine if each.node == self.node_id]
        if self._asked_reads:
            unanswered = [each for each, (_, index) in self._asked_reads.items() if index is None]
            self._failed_reads += unanswered
            for read_id in unanswered:
                del self._asked_reads[read_id]

    def hear_round(self, reply: AppendEntriesReply) -> None:
        """An answer says that this node led when its question went out."""
        leader = self.role_data
        if isinstance(leader, Leader) and leader.tracker.progress.get(reply.sender) is not None:
            self.conclude_round(leader)

    def take_reads(self) -> bool:
        """Ask for the reads that wait, take those that are answered; whether any is to be told."""
        leader = self.role_data
        if isinstance(leader, Leader) and leader.reads.waiting:
            self.ask_for_reads(leader)
        if self._asked_reads:
            self.take_served_reads()
        waiting = isinstance(leader, Leader) and (leader.reads.waiting or leader.reads.asking)
        self._has_reads = bool(waiting or self._asked_reads)
        return bool(self._ready_reads or self._failed_reads)

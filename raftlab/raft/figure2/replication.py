"""Log replication and commitment: Figure 2's AppendEntries RPC, and its Rules for Leaders."""

from collections.abc import Mapping
from typing import ClassVar

from raftlab.raft.log import Command, Empty, LogEntry, Payload
from raftlab.raft.messages import Accepted, AppendEntries, AppendEntriesReply, Rejected
from raftlab.raft.node import NodeCore
from raftlab.raft.progress import PIPELINE, PROBE, FollowerProgress, Tracker
from raftlab.raft.roles import LEADER, Cause, Follower, Leader
from raftlab.raft.vocabulary import Index, Misuse, NodeId, NotLeader, Term, shown


class Replication(NodeCore):
    """How entries reach followers, and when they are committed."""

    __slots__ = ()

    _HANDLERS: ClassVar[Mapping[type, str]] = {
        AppendEntries: "_on_append_entries",
        AppendEntriesReply: "_on_append_entries_reply",
    }
    _STALE_HANDLERS: ClassVar[Mapping[type, str]] = {
        AppendEntries: "_refuse_stale_append",
        AppendEntriesReply: "_handle_if_current",
    }

    # Leaders: sending

    def add_entry(self, payload: Payload) -> Index:
        """Append a command, or an empty entry, as leader; returns its index.

        The entry is not committed yet: it is once it comes out as `Output.committed`
        with the same term. Paper: 5.3.

        Raises: NotLeader, which names the leader this node knows; NotNow, if the leader
        cannot take it at this moment; Misuse, for anything that is not a payload.
        """
        if not isinstance(payload, Command | Empty):
            raise Misuse(f"{shown(payload)} is not a payload: pass Command(b'...') or Empty()")
        self._admit(self._leader_taking_commands(), payload)
        return self.log.append_as_leader(self.term, payload).index

    def _leader_taking_commands(self) -> Leader:
        """What this node knows as a leader. Raises: NotLeader."""
        leader = self.role_data
        if not isinstance(leader, Leader):
            raise NotLeader.of(self.node_id, self.role.value, self.term, self.leader)
        return leader

    def _become_leader(self) -> None:
        """Lead this term: guess everyone's next index, append the empty entry, speak at once.

        Paper: 5.2; Figure 2, Leaders, first rule and volatile state; 8 for the empty entry.
        """
        next_index = self._rules.next_index_at_term_start(self.log.last_index)
        tracker = Tracker(self.configuration, next_index, self._now)
        data = Leader(tracker, self._now + self._options.heartbeat_interval)
        self._change_role(Cause.MAJORITY_GRANTED, data)
        self._note("become_leader", "won the election of term {} and leads", self.term)
        mine = tracker.progress.get(self.node_id)
        if mine is not None:
            mine.accepted(self.log.stable_index)
        if self._rules.appends_at_term_start():
            self.log.append_as_leader(self.term, Empty())
        self._broadcast_heartbeat()

    def _replicate(self) -> None:
        """Send every member what it may be sent now. Paper: 5.3."""
        leader = self.role_data
        assert isinstance(leader, Leader)
        for progress in leader.tracker.progress.values():
            if progress.node != self.node_id:
                self._replicate_to(progress)

    def _replicate_to(self, progress: FollowerProgress) -> None:
        """Send one member the entries it lacks, as far as its window allows."""
        log, options = self.log, self._options
        while progress.next_index <= log.last_index and progress.can_send(options.max_in_flight):
            probing = progress.state is PROBE
            entries = self._rules.entries_for_one_message(
                log, progress.next_index, probing, options
            )
            if not self._send_append(progress, entries):
                return
            if not probing:
                progress.next_index += len(entries)
                progress.in_flight.append(progress.next_index - 1)
            else:
                progress.probe_sent = True

    def _tick_leader(self) -> None:
        """Speak when it is time to, so that nobody campaigns. Paper: 5.2."""
        leader = self.role_data
        assert isinstance(leader, Leader)
        if self._now >= leader.heartbeat_deadline:
            leader.heartbeat_deadline = self._now + self._options.heartbeat_interval
            self._note("tick_leader", "speaks as leader of term {}", self.term)
            self._broadcast_heartbeat()

    def _broadcast_heartbeat(self) -> None:
        """Speak to every member, with entries where some are due and without where not.

        Each heartbeat also asks the consistency question at `next_index - 1`, so a
        follower that missed something says so. Paper: 5.2; Figure 2, Leaders, first rule.
        """
        leader = self.role_data
        assert isinstance(leader, Leader)
        self._on_heartbeat()
        for progress in leader.tracker.progress.values():
            if progress.node == self.node_id:
                continue
            progress.probe_sent = False
            before = len(self._messages)
            self._replicate_to(progress)
            if len(self._messages) == before:
                self._send_append(progress, ())

    def _send_append(self, progress: FollowerProgress, entries: tuple[LogEntry, ...]) -> bool:
        """Send `entries`, or none, after `next_index - 1`; False if its term is not known.

        Then something else is sent: whoever is spoken to hears the leader in any case.
        """
        prev = progress.next_index - 1
        prev_term = self.log.term_for_index(prev)
        if prev_term is None:
            self._send_without_term(progress)
            return False
        self._messages.append(
            self._append_to(progress.node, prev, prev_term, entries, self.commit_index)
        )
        return True

    def _append_to(
        self,
        node: NodeId,
        prev: Index,
        prev_term: Term,
        entries: tuple[LogEntry, ...],
        commit: Index,
    ) -> AppendEntries:
        """The message itself; `reads` write their question on it."""
        return AppendEntries(
            term=self.term,
            sender=self.node_id,
            receiver=node,
            prev_log_index=prev,
            prev_log_term=prev_term,
            entries=entries,
            leader_commit=commit,
        )

    def _send_without_term(self, progress: FollowerProgress) -> None:
        """Bring a next index that cannot be into the log, and ask there.

        The consistency check finds the truth from any guess. Paper: 5.3. What `snapshots`
        stand for is not in the log either.
        """
        self._alarm(f"next index {progress.next_index} for {progress.node} is outside its log")
        guess = max(progress.next_index, progress.match_index + 1)
        progress.next_index = min(guess, self.log.last_index + 1)
        progress.become_probe()
        self._send_append(progress, ())

    # Followers: receiving

    def _on_append_entries(self, request: AppendEntries) -> None:
        """Check, cut what conflicts, append, commit, answer. Paper: Figure 2, AppendEntries."""
        if not self._accept_leader(request.sender):
            return
        entries = request.entries
        if entries and not self._well_formed(request):
            self._alarm(f"{request.sender} sent entries that no leader can have")
            return
        prev, log, rules = request.prev_log_index, self.log, self._rules
        if not rules.accepts_append(log, prev, request.prev_log_term):
            rejected = rules.rejection(log, prev, request.prev_log_term)
            self._note("accepts_append", "has no entry {} of term {}", prev, request.prev_log_term)
            self._reply_append(request, rejected)
            return
        if entries:
            conflict = rules.conflict_index(log, prev, entries)
            if conflict is not None and not self._cut(conflict, request.sender):
                return
            log.append_as_follower(entries)
            self._on_log_change()
        verified = rules.verified_index(log, prev, len(entries))
        if request.leader_commit > self.commit_index:
            self._advance_commit(
                rules.follower_commit_index(
                    request.leader_commit, verified, log, self.commit_index
                ),
                "follower_commit_index",
            )
        self._reply_append(request, Accepted(verified))

    def _accept_leader(self, leader: NodeId) -> bool:
        """Follow the leader of this term; False if that would make two of them."""
        if self.role is LEADER:
            self._alarm(f"{leader} claims to lead the same term")
            return False
        data = self.role_data
        known = data.leader if type(data) is Follower else None
        if known != leader:
            if known is not None:
                self._alarm(f"{leader} claims to lead the same term as {known}")
            self._become_follower(leader, Cause.LEADER_SEEN)
        self._hear_leader()
        return True

    def _well_formed(self, request: AppendEntries) -> bool:
        """Whether the entries follow `prev_log_index` without a hole, in terms of the past."""
        index, term = request.prev_log_index, request.prev_log_term
        for entry in request.entries:
            index += 1
            if entry.index != index or entry.term < term or entry.term < 1:
                return False
            term = entry.term
        return term <= request.term and request.prev_log_index >= 0

    def _cut(self, conflict: Index, leader: NodeId) -> bool:
        """Cut the conflicting tail; refuse to cut what is committed, which cannot happen."""
        if conflict <= self.commit_index:
            self._alarm(f"{leader} contradicts the committed entry {conflict}")
            return False
        self._note("conflict_index", "cut its log from entry {}", conflict)
        self._truncate(conflict)
        return True

    def _refuse_stale_append(self, request: AppendEntries) -> None:
        """An old leader hears of the term that this node is in. Paper: Figure 2, rule 1."""
        prev, prev_term = request.prev_log_index, request.prev_log_term
        self._reply_append(request, self._rules.rejection(self.log, prev, prev_term))

    def _reply_append(self, request: AppendEntries, result: Accepted | Rejected) -> None:
        """Answer; `reads` repeat the question that was on the request."""
        self._messages.append(
            AppendEntriesReply(
                term=self.term,
                sender=self.node_id,
                receiver=request.sender,
                commit_index=self.commit_index,
                result=result,
            )
        )

    # Leaders: hearing back

    def _on_append_entries_reply(self, reply: AppendEntriesReply) -> None:
        """Learn how far a member is, commit what a majority holds, send what is next.

        Paper: 5.3; Figure 2, Leaders, third and last rule.
        """
        leader = self.role_data
        if type(leader) is not Leader:
            return
        progress = leader.tracker.progress.get(reply.sender)
        if progress is None:
            return
        progress.last_reply_at = self._now
        if reply.commit_index > progress.commit_index:
            progress.commit_index = reply.commit_index
        result = reply.result
        if isinstance(result, Accepted):
            self._on_accepted(leader, progress, result.last_new_index)
        elif not self._rules.is_stray_rejection(result, progress):
            progress.next_index = self._rules.next_index_after(result, self.log, progress)
            progress.become_probe()
            self._note("next_index_after", "tries {} from {}", reply.sender, progress.next_index)
        if progress.next_index <= self.log.last_index:
            self._replicate_if_member(leader, progress)

    def _replicate_if_member(self, leader: Leader, progress: FollowerProgress) -> None:
        """Send what is next, unless the answer ended a membership or this node's leadership."""
        if self.role_data is leader and progress.node in leader.tracker.progress:
            self._replicate_to(progress)

    def _on_accepted(
        self, leader: Leader, progress: FollowerProgress, last_new_index: Index
    ) -> None:
        """A member agrees up to `last_new_index`. Paper: Figure 2, Leaders, third rule."""
        matched = self._rules.match_index_after(self.log, last_new_index, progress.next_index)
        probe_answered = matched >= progress.next_index - 1
        if matched > progress.match_index:
            progress.accepted(matched)
            self._maybe_commit(leader.tracker, matched)
        if probe_answered and progress.state is not PIPELINE:
            progress.become_pipeline()
        if self._hears_acceptances:
            self._after_accepted(leader, progress)

    # Commitment

    def _count_own_copy(self, index: Index) -> None:
        """A leader's own copy counts once it is on disk."""
        leader = self.role_data
        assert isinstance(leader, Leader)
        mine = leader.tracker.progress.get(self.node_id)
        if mine is not None and index > mine.match_index:
            mine.accepted(index)
            self._maybe_commit(leader.tracker, index)

    def _maybe_commit(self, tracker: Tracker, reached: Index) -> None:
        """Advance the commit index if one more copy up to `reached` makes a majority."""
        if reached <= self.commit_index:
            return
        matched = self._rules.majority_match_index(tracker.match_indexes(), tracker.configuration)
        self._advance_commit(
            self._rules.leader_commit_index(matched, self.log, self.term, self.commit_index),
            "leader_commit_index",
        )

"""Log replication and commitment: Figure 2's AppendEntries RPC, and its Rules for Leaders."""

from raftlab.raft.core import MachineCore
from raftlab.raft.log import Empty, LogEntry
from raftlab.raft.messages import Accepted, AppendEntries, AppendEntriesReply, Rejected
from raftlab.raft.progress import PIPELINE, SNAPSHOT, FollowerProgress, ProgressState, Tracker
from raftlab.raft.roles import LEADER, Cause, Follower, Leader
from raftlab.raft.vocabulary import Index, NodeId


class Replication(MachineCore):
    """How entries reach followers, and when they are committed."""

    __slots__ = ()

    @property
    def tracker(self) -> Tracker:
        """What this leader knows of its followers. Only a leader has one."""
        assert isinstance(self.role_data, Leader)
        return self.role_data.tracker

    # Leaders: sending

    def become_leader(self) -> None:
        """Lead this term: guess everyone's next index, append the empty entry, speak at once.

        Paper: 5.2; Figure 2, Leaders, first rule and volatile state; 8 for the empty entry.
        """
        next_index = self.rules.next_index_at_term_start(self.log.last_index)
        tracker = Tracker(self.configuration, next_index, self.now)
        low = self.options.election_timeout[0]
        data = Leader(tracker, self.now + self.options.heartbeat_interval, self.now + low)
        self.change_role(Cause.MAJORITY_GRANTED, data)
        self.note("become_leader", "won the election of term {} and leads", self.term)
        mine = tracker.progress.get(self.node_id)
        if mine is not None:
            mine.accepted(self.log.stable_index)
        data.counted_index = self.commit_index
        data.uncommitted_bytes = sum(each.size for each in self.uncommitted_entries())
        if self.rules.appends_at_term_start():
            self.log.append_as_leader(self.term, Empty())
        self.broadcast_heartbeat()

    def uncommitted_entries(self) -> tuple[LogEntry, ...]:
        """The entries that are not known to be committed."""
        return self.log.entries(self.commit_index + 1, self.log.last_index + 1)

    def count_committed(self, leader: Leader) -> None:
        """What has been committed since the last count is no longer waiting."""
        committed = self.log.entries(leader.counted_index + 1, self.commit_index + 1)
        leader.uncommitted_bytes -= sum(each.size for each in committed)
        leader.counted_index = self.commit_index

    def replicate(self) -> None:
        """Send every member what it may be sent now. Paper: 5.3."""
        for progress in self.tracker.progress.values():
            if progress.node != self.node_id:
                self.replicate_to(progress)

    def replicate_to(self, progress: FollowerProgress) -> None:
        """Send one member the entries it lacks, as far as its window allows."""
        log, options = self.log, self.options
        while progress.next_index <= log.last_index and progress.can_send(options.max_in_flight):
            probing = progress.state is ProgressState.PROBE
            entries = self.rules.entries_for_one_message(log, progress.next_index, probing, options)
            if not self.send_append(progress, entries):
                return
            if not probing:
                progress.next_index += len(entries)
                progress.in_flight.append(progress.next_index - 1)
            else:
                progress.probe_sent = True

    def broadcast_heartbeat(self) -> None:
        """Speak to every member, with entries where some are due and without where not.

        Each heartbeat also asks the consistency question at `next_index - 1`, so a
        follower that missed something says so. Paper: 5.2; Figure 2, Leaders, first rule.
        """
        for progress in self.tracker.progress.values():
            if progress.node == self.node_id:
                continue
            progress.probe_sent = False
            if progress.state is SNAPSHOT:
                self.wait_for_snapshot(progress)
            before = len(self._messages)
            self.replicate_to(progress)
            if len(self._messages) == before:
                self.send_append(progress, ())

    def send_append(self, progress: FollowerProgress, entries: tuple[LogEntry, ...]) -> bool:
        """Send `entries`, or none, after `next_index - 1`; False if its term is not known.

        Then something else is sent: whoever is spoken to hears the leader in any case.
        """
        prev = progress.next_index - 1
        prev_term = self.log.term_for_index(prev)
        if prev_term is None:
            if progress.match_index <= prev <= self.log.last_index:
                self.send_what_was_compacted(progress)
            else:
                self._guess_anew(progress)
            return False
        self._messages.append(
            AppendEntries(
                self.term,
                self.node_id,
                progress.node,
                prev,
                prev_term,
                entries,
                self.commit_index,
                self.open_round,
            )
        )
        return True

    def _guess_anew(self, progress: FollowerProgress) -> None:
        """Bring a next index that cannot be into the log, and ask there.

        The consistency check finds the truth from any guess. Paper: 5.3.
        """
        self.alarm(f"next index {progress.next_index} for {progress.node} is outside its log")
        guess = max(progress.next_index, progress.match_index + 1)
        progress.next_index = min(guess, self.log.last_index + 1)
        progress.become_probe()
        self.send_append(progress, ())

    # Followers: receiving

    def on_append_entries(self, request: AppendEntries) -> None:
        """Check, cut what conflicts, append, commit, answer. Paper: Figure 2, AppendEntries."""
        if not self.accept_leader(request.sender):
            return
        entries = request.entries
        if entries and not self._well_formed(request):
            self.alarm(f"{request.sender} sent entries that no leader can have")
            return
        prev, log, rules = request.prev_log_index, self.log, self.rules
        if not rules.accepts_append(log, prev, request.prev_log_term):
            rejected = rules.rejection(log, prev, request.prev_log_term)
            self.note("accepts_append", "has no entry {} of term {}", prev, request.prev_log_term)
            self._reply_append(request, rejected)
            return
        if entries:
            conflict = rules.conflict_index(log, prev, entries)
            if conflict is not None and not self._cut(conflict, request.sender):
                return
            log.append_as_follower(entries)
            if log.configuration_index != self._configuration_index:
                self.adopt_configuration()
        verified = rules.verified_index(log, prev, len(entries))
        if request.leader_commit > self.commit_index:
            self._advance_commit(
                rules.follower_commit_index(
                    request.leader_commit, verified, log, self.commit_index
                ),
                "follower_commit_index",
            )
        self._reply_append(request, Accepted(verified))

    def accept_leader(self, leader: NodeId) -> bool:
        """Follow the leader of this term; False if that would make two of them."""
        if self.role is LEADER:
            self.alarm(f"{leader} claims to lead the same term")
            return False
        data = self.role_data
        known = data.leader if isinstance(data, Follower) else None
        if known != leader:
            if known is not None:
                self.alarm(f"{leader} claims to lead the same term as {known}")
            self.become_follower(leader, Cause.LEADER_SEEN)
        self.hear_leader()
        return True

    def _well_formed(self, request: AppendEntries) -> bool:
        """Whether the entries follow `prev_log_index` without a hole, in terms of the past."""
        index, term = request.prev_log_index, max(request.prev_log_term, 1)
        for entry in request.entries:
            index += 1
            if entry.index != index or entry.term < term:
                return False
            term = entry.term
        return term <= request.term and request.prev_log_index >= 0

    def _cut(self, conflict: Index, leader: NodeId) -> bool:
        """Cut the conflicting tail; refuse to cut what is committed, which cannot happen."""
        if conflict <= self.commit_index:
            self.alarm(f"{leader} contradicts the committed entry {conflict}")
            return False
        self.note("conflict_index", "cut its log from entry {}", conflict)
        self.truncate(conflict)
        return True

    def _reply_append(self, request: AppendEntries, result: Accepted | Rejected) -> None:
        self._messages.append(
            AppendEntriesReply(
                self.term,
                self.node_id,
                request.sender,
                self.commit_index,
                result,
                request.read_round,
            )
        )

    # Leaders: hearing back

    def on_append_entries_reply(self, reply: AppendEntriesReply) -> None:
        """Learn how far a member is, commit what a majority holds, send what is next.

        Paper: 5.3; Figure 2, Leaders, third and last rule.
        """
        leader = self.role_data
        assert isinstance(leader, Leader)
        tracker = leader.tracker
        progress = tracker.progress.get(reply.sender)
        if progress is None:
            return
        progress.last_reply_at = self.now
        if progress.acked_round < reply.read_round <= leader.reads.round:
            progress.acked_round = reply.read_round
        if reply.commit_index > progress.commit_index:
            progress.commit_index = reply.commit_index
        result = reply.result
        if isinstance(result, Accepted):
            self.on_accepted(leader, progress, result.last_new_index)
        elif not self.rules.is_stray_rejection(result, progress):
            progress.next_index = self.rules.next_index_after(result, self.log, progress)
            progress.become_probe()
            self.note("next_index_after", "tries {} from {}", reply.sender, progress.next_index)
        if progress.next_index <= self.log.last_index:
            self.replicate_if_member(leader, progress)

    def replicate_if_member(self, leader: Leader, progress: FollowerProgress) -> None:
        """Send what is next, unless the answer ended a membership or this node's leadership."""
        if self.role_data is leader and progress.node in leader.tracker.progress:
            self.replicate_to(progress)

    def on_accepted(
        self, leader: Leader, progress: FollowerProgress, last_new_index: Index
    ) -> None:
        """A member agrees up to `last_new_index`. Paper: Figure 2, Leaders, third rule."""
        tracker = leader.tracker
        matched = self.rules.match_index_after(self.log, last_new_index, progress.next_index)
        probe_answered = matched >= progress.next_index - 1
        if matched > progress.match_index:
            progress.accepted(matched)
            self.maybe_commit(tracker, matched)
        if probe_answered and progress.state is not PIPELINE:
            progress.become_pipeline()
        if leader.transfer is not None or tracker.configuration.learners:
            self.after_accepted(leader, progress)

    # Commitment

    def maybe_commit(self, tracker: Tracker, reached: Index) -> None:
        """Advance the commit index if one more copy up to `reached` makes a majority."""
        if reached <= self.commit_index:
            return
        matched = self.rules.majority_match_index(tracker.match_indexes(), tracker.configuration)
        self._advance_commit(
            self.rules.leader_commit_index(matched, self.log, self.term, self.commit_index),
            "leader_commit_index",
        )

    def _advance_commit(self, index: Index, rule: str) -> None:
        """The only place where the commit index moves: forward, and within the log."""
        log, before = self.log, self.commit_index
        if index > log.last_index:
            index = log.last_index
        if index > before:
            self.commit_index = index
            self.note(rule, "committed up to {}", index)
            if before < log.configuration_index <= index or self.configuration.old_voters:
                self.configuration_may_be_committed()

    # What Figure 2 leaves open, and later files fill in

    def send_what_was_compacted(self, progress: FollowerProgress) -> None:
        """A member needs what the log no longer holds. Filled in by `snapshots`."""
        self.alarm(f"the log does not hold what {progress.node} needs")

    def wait_for_snapshot(self, progress: FollowerProgress) -> None:
        """A snapshot is on its way to a member. Filled in by `snapshots`."""

    def after_accepted(self, leader: Leader, progress: FollowerProgress) -> None:
        """A member has accepted something. Filled in by `transfer` and `membership`."""

    def configuration_may_be_committed(self) -> None:
        """The commit index has moved past a configuration. Filled in by `membership`."""

    # Time

    def tick_leader(self) -> None:
        """Heartbeats, and stepping down without a majority. Paper: 5.2. Thesis: 6.2."""
        leader = self.role_data
        assert isinstance(leader, Leader)
        if self.now >= leader.quorum_deadline and not self._keeps_leading(leader):
            self.note("keeps_leading", "has heard no majority for too long and steps down")
            self.become_follower(None, Cause.QUORUM_LOST)
            return
        if self.now >= leader.heartbeat_deadline:
            leader.heartbeat_deadline = self.now + self.options.heartbeat_interval
            self.note("tick_leader", "speaks as leader of term {}", self.term)
            self.broadcast_heartbeat()

    def _keeps_leading(self, leader: Leader) -> bool:
        """Ask the rule, and ask again when the majority's last answers are too old."""
        timeout, tracker = self.options.election_timeout[0], leader.tracker
        mine = tracker.progress.get(self.node_id)
        if mine is not None:
            mine.last_reply_at = self.now
        heard = tracker.heard_within(timeout, self.now)
        leader.quorum_deadline = tracker.quorum_heard_at() + timeout
        if leader.quorum_deadline <= self.now:
            leader.quorum_deadline = self.now + timeout
        return self.rules.keeps_leading(heard, tracker.configuration, self.options)

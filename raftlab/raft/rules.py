"""The decisions of Raft, one method each: the paper's Figure 2 first, then what came later.

The machine keeps the books and asks these methods; nothing here changes anything. To
see what a rule is for, override it in a subclass and give that to a cluster.

    class CountsOldTerms(Rules):
        def leader_commit_index(self, matched, log, term, commit_index):
            return max(matched, commit_index)
"""

import random
from collections.abc import Mapping, Sequence

from raftlab.raft.log import LogEntry, RaftLog, Snapshot
from raftlab.raft.messages import Rejected, RequestVote
from raftlab.raft.options import Options
from raftlab.raft.progress import FollowerProgress, ProgressState
from raftlab.raft.quorum import is_quorum, quorum_index
from raftlab.raft.vocabulary import Configuration, Index, Millis, NodeId, Term
from raftlab.raft.votes import ElectionResult, Votes


class Rules:
    """Figure 2 of the paper, and of the thesis what came later; one decision per method."""

    __slots__ = ()

    # All servers

    def is_newer_term(self, message_term: Term, term: Term) -> bool:
        """Whether a message's term makes this node adopt it and become a follower.

        Paper: Figure 2, All servers, second rule; 5.1.
        """
        return message_term > term

    def is_stale_term(self, message_term: Term, term: Term) -> bool:
        """Whether a message speaks of a term that is over, and so must change nothing.

        Paper: Figure 2, both RPCs, first rule; 5.1.
        """
        return message_term < term

    # Followers and candidates: time

    def election_timeout(self, options: Options, rng: random.Random) -> Millis:
        """How long to wait for a leader (ms): random, so that few nodes campaign at once.

        Paper: 5.2, last part; 9.3.
        """
        low, high = options.election_timeout
        return low + (high - low) * rng.random()

    def resets_election_timer(self, granted_vote: bool, heard_leader: bool) -> bool:
        """What makes a node wait anew: the leader of its term, or a vote it granted. Only those.

        Paper: Figure 2, Followers, second rule.
        """
        return granted_vote or heard_leader

    def campaigns(
        self, node: NodeId, configuration: Configuration, previous: Configuration | None
    ) -> bool:
        """Whether a node whose timer ran out may stand for election: voters may, learners not.

        `previous` is the configuration before, as long as `configuration` is not known to be
        committed. A voter of it may have to stand, although it would be removed: perhaps
        nobody else holds the entry that removes it. Thesis: 4.2.1, 4.2.2.
        """
        return configuration.can_vote(node) or (previous is not None and previous.can_vote(node))

    # Receiving RequestVote

    def leader_is_alive(
        self, request: RequestVote, options: Options, leads: bool, since_leader: Millis
    ) -> bool:
        """Whether a living leader is reason enough to refuse, so that nobody can disrupt it.

        `since_leader` is how long ago this node heard its leader (ms); `leads` if it is
        the leader itself. A pre-vote is refused then in any case: that is what it asks.
        Thesis: 4.2.3; 9.6; 3.10 for `force`.
        """
        if request.force or not (request.is_prevote or options.leader_stickiness):
            return False
        return leads or since_leader < options.election_timeout[0]

    def keeps_promise(self, voted_for: NodeId | None, options: Options) -> bool:
        """Whether a living leader binds a node even in a later term that it has entered since.

        It may have heard of that term in any message. Leases count on its not voting for
        a minimum election timeout, and not only on its not entering the term. Thesis: 6.4.1.
        """
        return options.lease_reads and voted_for is None

    def has_vote_left(
        self, request: RequestVote, term: Term, voted_for: NodeId | None, leader: NodeId | None
    ) -> bool:
        """One vote per term, first come first served; a pre-vote costs nothing.

        Paper: Figure 2, RequestVote, rule 2; 5.2. Thesis: 9.6.
        """
        if request.is_prevote and request.term > term:
            return True
        return voted_for == request.sender or (voted_for is None and leader is None)

    def candidate_is_up_to_date(self, request: RequestVote, log: RaftLog) -> bool:
        """Whether the candidate's log is at least as up to date as the voter's.

        Paper: Figure 2, RequestVote, rule 2; 5.4.1.
        """
        return log.is_up_to_date(request.last_log_index, request.last_log_term)

    # Candidates and leaders: hearing back

    def is_about_the_present(self, reply_term: Term, asked_term: Term) -> bool:
        """Whether an answer is about what is being asked now, and not about an earlier term.

        Paper: 5.1, "a request with a stale term" holds for answers too; 5.2.
        """
        return reply_term == asked_term

    def tally_vote(self, votes: Votes) -> ElectionResult:
        """Won, lost, or still open. Paper: Figure 2, Candidates, second rule; 5.2."""
        return votes.tally_vote()

    # Receiving AppendEntries

    def accepts_append(self, log: RaftLog, prev_log_index: Index, prev_log_term: Term) -> bool:
        """The consistency check: the follower must hold the entry just before the new ones.

        Paper: Figure 2, AppendEntries, rule 2; 5.3.
        """
        return log.match_term(prev_log_index, prev_log_term)

    def conflict_index(
        self, log: RaftLog, prev_log_index: Index, entries: Sequence[LogEntry]
    ) -> Index | None:
        """Where the follower's log contradicts the leader's and must be cut, or None.

        Only a different term at the same index is a contradiction. A shorter message
        that arrives late contradicts nothing. Paper: Figure 2, AppendEntries, rule 3.
        """
        for entry in entries:
            if entry.index > log.last_index:
                return None
            held = log.term_for_index(entry.index)
            if held is not None and held != entry.term:
                return entry.index
        return None

    def verified_index(self, log: RaftLog, prev_log_index: Index, count: int) -> Index:
        """How far the follower's log is now known to equal the leader's.

        The message vouches for what it carried; what lies beyond may be anything.
        Paper: Figure 2, AppendEntries, rule 5 ("index of last new entry").
        """
        return prev_log_index + count

    def follower_commit_index(
        self, leader_commit: Index, verified: Index, log: RaftLog, commit_index: Index
    ) -> Index:
        """The follower's commit index after an accepted message: never past what is verified.

        Paper: Figure 2, AppendEntries, rule 5.
        """
        return max(commit_index, min(leader_commit, verified))

    def rejection(self, log: RaftLog, prev_log_index: Index, prev_log_term: Term) -> Rejected:
        """What a follower tells a leader whose entries do not fit, so that few tries suffice.

        The hint is its last entry, up to `prev_log_index`, whose term is not above
        `prev_log_term`: nothing after it can agree. So there is at most one try for each
        term in which the two logs differ. Paper: 5.3, last part.
        """
        hint = log.last_index_of_term_at_most(prev_log_index, prev_log_term)
        return Rejected(
            non_matching_index=prev_log_index,
            last_index=log.last_index,
            hint_index=hint,
            hint_term=log.term_for_index(hint) or 0,
        )

    # Leaders: replication

    def appends_at_term_start(self) -> bool:
        """Whether a new leader appends an empty entry, to learn at once what is committed.

        Paper: 8, third part; 5.4.2 is why it helps.
        """
        return True

    def next_index_at_term_start(self, last_index: Index) -> Index:
        """A new leader's first guess for everyone: `last_index` is its last entry's, as elected.

        Paper: Figure 2, volatile state on leaders.
        """
        return last_index + 1

    def match_index_after(self, log: RaftLog, last_new_index: Index, next_index: Index) -> Index:
        """What an accepting reply proves: what it says, not what was sent since.

        Paper: Figure 2, Leaders, third rule; 5.3.
        """
        return min(last_new_index, log.last_index)

    def is_stray_rejection(self, rejected: Rejected, progress: FollowerProgress) -> bool:
        """Whether a rejection is older than what is known by now, and so says nothing.

        Within a term a follower never loses what matched once. Paper: 5.3; 5.5.
        """
        if rejected.non_matching_index <= progress.match_index:
            return True
        if rejected.last_index < progress.match_index:
            return True
        if progress.state is ProgressState.PROBE:
            return rejected.non_matching_index != progress.next_index - 1
        return progress.state is ProgressState.SNAPSHOT

    def next_index_after(
        self, rejected: Rejected, log: RaftLog, progress: FollowerProgress
    ) -> Index:
        """Where to try next after a rejection: just after the last place that may still agree.

        Paper: 5.3, last part.
        """
        hint = log.last_index_of_term_at_most(rejected.hint_index, rejected.hint_term)
        return max(min(hint, rejected.non_matching_index - 1), progress.match_index) + 1

    # Leaders: commitment

    def majority_match_index(
        self, match_indexes: Mapping[NodeId, Index], configuration: Configuration
    ) -> Index:
        """The largest index that a majority holds. Paper: Figure 2, Leaders, last rule."""
        return quorum_index(match_indexes, configuration)

    def leader_commit_index(
        self, matched: Index, log: RaftLog, term: Term, commit_index: Index
    ) -> Index:
        """The commit index once a majority is known to hold everything up to `matched`.

        An entry of an earlier term is never committed by counting copies; it is
        committed with the first entry of the leader's own term that is.
        Paper: Figure 2, Leaders, last rule; 5.4.2 and Figure 8.
        """
        if matched > commit_index and log.term_for_index(matched) == term:
            return matched
        return commit_index

    def entries_for_one_message(
        self, log: RaftLog, next_index: Index, probing: bool, options: Options
    ) -> tuple[LogEntry, ...]:
        """What one AppendEntries carries: one entry as a probe, else as much as is allowed.

        One entry is always sent, however long it is. Thesis: 10.2.2.
        """
        if probing or next_index == log.last_index:
            return log.entries(next_index, next_index + 1)
        entries = log.entries(next_index, next_index + options.max_entries_per_append)
        room = options.max_bytes_per_append
        for count, entry in enumerate(entries):
            room -= entry.size
            if room < 0 and count:
                return entries[:count]
        return entries

    def takes_command(self, size: int, uncommitted_bytes: int, options: Options) -> bool:
        """Whether one more command may wait to be committed; the first one always may.

        A leader that cannot commit must not collect commands without end.
        """
        return uncommitted_bytes == 0 or uncommitted_bytes + size <= options.max_uncommitted_bytes

    def is_still_there(self, written: LogEntry, log: RaftLog) -> bool:
        """Whether an entry that reached the disk late is still the one at its place.

        A later leader may have put another one there meanwhile. Thesis: 10.2.1.
        """
        return log.term_for_index(written.index) == written.term

    def keeps_leading(
        self, heard: Sequence[NodeId], configuration: Configuration, options: Options
    ) -> bool:
        """Whether enough members answered within an election timeout to go on. Thesis: 6.2."""
        return not options.check_quorum or is_quorum(heard, configuration)

    # Leadership transfer

    def may_be_handed_leadership(self, node: NodeId, configuration: Configuration) -> bool:
        """Whether leadership may be handed to `node`: only voters that stay. Thesis: 3.10."""
        return node in configuration.voters

    def may_take_over(self, match_index: Index, last_index: Index) -> bool:
        """Whether a follower has all that the leader has, so that it wins at once. Thesis: 3.10."""
        return match_index == last_index

    def takes_commands_while_handing_over(self) -> bool:
        """A leader that hands over takes no commands: its successor would not have them.

        So it does not leave a joint configuration either, which takes an entry.
        Thesis: 3.10, first step.
        """
        return False

    # Snapshots

    def takes_snapshot(self, snapshot: Snapshot, commit_index: Index) -> bool:
        """Whether a snapshot brings anything new: an older one would roll the application back.

        Paper: 7, Figure 13, receiver.
        """
        return snapshot.index > commit_index

    def keeps_tail(self, log: RaftLog, snapshot: Snapshot) -> bool:
        """Whether what follows a snapshot in the log stays: only if the log agrees with it.

        Paper: 7, Figure 13, rules 6 and 7.
        """
        return log.term_for_index(snapshot.index) == snapshot.term

    # Membership

    def configuration_in_force(
        self, log: RaftLog, commit_index: Index, first: Configuration
    ) -> Configuration:
        """The newest configuration in the log, committed or not; `first` if it holds none.

        Paper: 6, "a server always uses the latest configuration in its log".
        """
        return log.configuration_at(log.last_index) or first

    def change_is_pending(
        self, configuration: Configuration, configuration_index: Index, commit_index: Index
    ) -> bool:
        """Whether an earlier change is not through, so that no other may begin.

        Paper: 6. Thesis: 4.1.
        """
        return configuration.is_joint or configuration_index > commit_index

    def may_change_in_term(
        self, log: RaftLog, commit_index: Index, term: Term, options: Options
    ) -> bool:
        """Whether this leader may change the configuration yet.

        With single-server changes it must have committed an entry of its own term first:
        two leaders in turn could otherwise use majorities that do not meet. Joint changes
        need no such rule. Ongaro on raft-dev, 2015-07-10, correcting thesis 4.1.
        """
        if not options.single_server_changes:
            return True
        return log.term_for_index(commit_index) == term

    def next_configuration(
        self, current: Configuration, target: Configuration, options: Options
    ) -> Configuration:
        """What to append to get from `current` to `target`.

        Joint, if voters change; learners have no part in majorities and come and go at once.
        Paper: 6. Thesis: 4.1 (single-server changes need no joint configuration), 4.3.
        """
        if options.single_server_changes or set(target.voters) == set(current.voters):
            return target
        return current.joint_with(target)

    def leaves_joint(
        self, configuration: Configuration, configuration_index: Index, commit_index: Index
    ) -> bool:
        """Whether the leader now appends the new configuration alone: the joint one is committed.

        Paper: 6, Figure 11.
        """
        return configuration.is_joint and configuration_index <= commit_index

    def hands_over_when_removed(
        self,
        node: NodeId,
        configuration: Configuration,
        configuration_index: Index,
        commit_index: Index,
    ) -> bool:
        """Whether a leader has to go: the configuration without it is committed.

        Until then it leads, and does not count itself. Paper: 6. Thesis: 4.2.2.
        """
        return configuration_index <= commit_index and not configuration.can_vote(node)

    def has_caught_up(self, round_ms: Millis, options: Options) -> bool:
        """Whether a learner's last round was short enough for it to become a voter.

        A round brings it what the leader held when the round began. Thesis: 4.2.1.
        """
        return round_ms < options.election_timeout[0]

    # Reads

    def may_read(self, log: RaftLog, commit_index: Index, term: Term) -> bool:
        """Whether this leader knows what is committed: once an entry of its own term is.

        Thesis: 6.4, step 1.
        """
        return log.term_for_index(commit_index) == term

    def still_led_at(self, acked: Mapping[NodeId, int], configuration: Configuration) -> int:
        """The latest round that a majority has answered: nobody else led when it began.

        Thesis: 6.4, step 3.
        """
        return quorum_index(acked, configuration)

    def lease_holds(
        self, lease_from: Millis, now: Millis, handed_over: bool, options: Options
    ) -> bool:
        """Whether nobody else can lead yet, by this node's own clock.

        `lease_from` is when the question was asked that a majority has answered (ms): each
        of them then listens to no candidate for a minimum election timeout of its own
        clock. A node that was told to campaign is listened to all the same, so a leader
        that has begun to hand over in this term (`handed_over`) has no lease any more.
        Thesis: 6.4.1, 3.10.
        """
        if handed_over:
            return False
        return now - lease_from < options.election_timeout[0] / options.clock_drift_bound

    def waits_after_start(self, options: Options) -> bool:
        """Whether a node that has just started refuses votes as if it had heard a leader.

        It may have heard one before, and have forgotten; leases count on it. Thesis: 6.4.1.
        """
        return options.lease_reads

    def may_serve_read(self, index: Index, commit_index: Index) -> bool:
        """Whether a node's log shows enough for a read at `index`. Thesis: 6.4, step 4."""
        return index <= commit_index

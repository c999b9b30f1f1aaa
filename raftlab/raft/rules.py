"""The decisions of Raft: the paper's Figure 2, one method each.

The machine keeps the books and asks these methods; nothing here changes anything. To
see what a rule is for, override it in a subclass and give that to a cluster.

    class CountsOldTerms(Rules):
        def leader_commit_index(self, matched, log, term, commit_index):
            return max(matched, commit_index)
"""

import random
from collections.abc import Mapping, Sequence

from raftlab.raft.election import ElectionResult, Votes
from raftlab.raft.log import LogEntry, RaftLog
from raftlab.raft.messages import Rejected, RequestVote
from raftlab.raft.options import Options
from raftlab.raft.progress import FollowerProgress, ProgressState
from raftlab.raft.quorum import is_quorum, quorum_index
from raftlab.raft.vocabulary import Configuration, Index, Millis, NodeId, Term


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

    def campaigns(self, node: NodeId, configuration: Configuration) -> bool:
        """Whether a node whose timer ran out may stand for election: voters may, learners not.

        Thesis: 4.2.1.
        """
        return configuration.can_vote(node)

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
        return Rejected(prev_log_index, log.last_index, hint, log.term_for_index(hint) or 0)

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

    def keeps_leading(
        self, heard: Sequence[NodeId], configuration: Configuration, options: Options
    ) -> bool:
        """Whether enough members answered within an election timeout to go on. Thesis: 6.2."""
        return not options.check_quorum or is_quorum(heard, configuration)

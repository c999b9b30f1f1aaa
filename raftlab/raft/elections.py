"""Leader election: Figure 2's RequestVote RPC, and its Rules for Followers and Candidates."""

from raftlab.raft.core import LONG_AGO
from raftlab.raft.election import ElectionResult, Votes
from raftlab.raft.messages import RequestVote, RequestVoteReply
from raftlab.raft.replication import Replication
from raftlab.raft.roles import Candidate, Cause, Follower, Role
from raftlab.raft.vocabulary import Configuration, Misuse, NodeId, NotNow, Term

REASONS = {
    "is_stale_term": "that term is over",
    "leader_is_alive": "a leader is alive",
    "has_vote_left": "its vote is given",
    "candidate_is_up_to_date": "its own log is newer",
}
"""Why a vote is refused, in words, by the rule that refuses it."""


class Elections(Replication):
    """How a node asks for votes, gives its own, and counts."""

    __slots__ = ()

    def become_candidate(
        self, is_prevote: bool, force: bool = False, cause: Cause = Cause.ELECTION_TIMEOUT
    ) -> None:
        """Campaign: for a term one higher, or, as a pre-vote, only for a chance at it.

        Paper: 5.2; Figure 2, Candidates, first rule. Thesis: 9.6.
        """
        if is_prevote:
            self.reset_election_timeout()
        else:
            self.set_term(self.term + 1)
            self.set_vote(self.node_id)
            self.wait_anew()
        votes = Votes(self.configuration)
        self.change_role(cause, Candidate(votes, is_prevote))
        asked_term = self.term + 1 if is_prevote else self.term
        if is_prevote:
            self.note("election_timeout", "asks who would vote for it in term {}", asked_term)
        else:
            self.note("become_candidate", "campaigns for term {}", asked_term)
        for voter in votes.voters:
            if voter != self.node_id:
                self.request_vote_from(voter, asked_term, is_prevote, force)
        if is_prevote:
            votes.register_vote(self.node_id, True)
            self.conclude_election()

    def request_vote_from(
        self, voter: NodeId, asked_term: Term, is_prevote: bool, force: bool
    ) -> None:
        """Ask one voter, and show where the own log ends. Paper: Figure 2, RequestVote."""
        last_index, last_term = self.log.last_index, self.log.last_term
        self.send(
            RequestVote(asked_term, self.node_id, voter, last_index, last_term, is_prevote, force)
        )

    def on_request_vote(self, request: RequestVote) -> None:
        """Grant or refuse, and answer. Paper: Figure 2, RequestVote.

        A candidate of a later term whom a living leader makes us refuse gets no answer:
        one of our term would mean nothing to it, and its term is not ours. Thesis: 4.2.3.
        """
        refusal = self.reason_to_refuse(request)
        granted = refusal is None
        kind = "pre-vote" if request.is_prevote else "vote"
        if refusal is None:
            self.note("on_request_vote", "grants {} its {}", request.sender, kind)
        else:
            said = "refuses {} its {}: {}"
            self.note(refusal, said, request.sender, kind, REASONS[refusal])
        if refusal == "leader_is_alive" and not request.is_prevote and request.term > self.term:
            return
        if granted and not request.is_prevote:
            self.set_vote(request.sender)
        if self.rules.resets_election_timer(granted and not request.is_prevote, False):
            self.wait_anew()
        term = request.term if granted else self.term
        self.send(RequestVoteReply(term, self.node_id, request.sender, granted, request.is_prevote))

    def reason_to_refuse(self, request: RequestVote) -> str | None:
        """The name of the rule that refuses this vote, or None if it is granted."""
        rules = self.rules
        if rules.is_stale_term(request.term, self.term):
            return "is_stale_term"
        if self.sticks_to_leader(request):
            return "leader_is_alive"
        if not rules.has_vote_left(request, self.term, self.voted_for, self.leader):
            return "has_vote_left"
        if not rules.candidate_is_up_to_date(request, self.log):
            return "candidate_is_up_to_date"
        return None

    def sticks_to_leader(self, request: RequestVote) -> bool:
        """Whether a living leader keeps this node from listening to a candidate of a later term.

        Paper: 6, third problem. Thesis: 4.2.3; 6.4.1.
        """
        if request.term < self.term:
            return False
        if request.term == self.term and not self.rules.keeps_promise(self.voted_for, self.options):
            return False
        leads = self.role is Role.LEADER
        since_leader = self.now - self.last_leader_contact
        return self.rules.leader_is_alive(request, self.options, leads, since_leader)

    def on_request_vote_reply(self, reply: RequestVoteReply) -> None:
        """Count an answer to the campaign that is going on. Paper: Figure 2, Candidates."""
        candidate = self.role_data
        if not isinstance(candidate, Candidate) or candidate.is_prevote != reply.is_prevote:
            return
        granted_prevote = reply.vote_granted and reply.is_prevote
        asked_term = self.term + 1 if granted_prevote else self.term
        if not self.rules.is_about_the_present(reply.term, asked_term):
            return
        candidate.votes.register_vote(reply.sender, reply.vote_granted)
        self.conclude_election()

    def conclude_election(self) -> None:
        """Act on the tally: lead, campaign in earnest, give up, or wait for more answers."""
        candidate = self.role_data
        assert isinstance(candidate, Candidate)
        result = self.rules.tally_vote(candidate.votes)
        if result is ElectionResult.LOST:
            self.note("tally_vote", "lost the election")
            self.become_follower(None, Cause.ELECTION_LOST)
        elif result is ElectionResult.WON and candidate.is_prevote:
            self.become_candidate(is_prevote=False, cause=Cause.PREVOTE_GRANTED)
        elif result is ElectionResult.WON:
            self.become_leader()

    def election_timed_out(self, force: bool = False) -> None:
        """Nobody led for an election timeout: campaign, if this node may."""
        previous: Configuration | None = None
        changed_at = self.log.configuration_index
        if changed_at > self.commit_index:
            previous = self.log.configuration_at(changed_at - 1) or self.first_configuration
        if self.rules.campaigns(self.node_id, self.configuration, previous):
            self.become_candidate(self.options.pre_vote and not force, force)
        else:
            self.reset_election_timeout()
            if self.leader is not None:
                self.change_role(Cause.LEADER_FORGOTTEN, Follower())

    def forget_leader(self) -> None:
        """Follow nobody, as if the leader had been silent for long: votes are free again.

        For a host that knows that the leader is gone, so that nobody waits for a timeout.

        Raises: Misuse, for a leader, and while leases count on what this node heard.
        """
        if self.role is Role.LEADER:
            raise NotNow(f"{self.node_id} leads term {self.term} and follows nobody")
        if self.options.lease_reads:
            raise Misuse(f"{self.node_id} may not forget its leader: lease_reads counts on it")
        self.last_leader_contact = LONG_AGO
        if isinstance(self.role_data, Follower) and self.role_data.leader is not None:
            self.note("forget_leader", "forgets its leader {}", self.role_data.leader)
            self.change_role(Cause.LEADER_FORGOTTEN, Follower())

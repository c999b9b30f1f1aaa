"""Leader election: Figure 2's RequestVote RPC, and its Rules for Followers and Candidates."""

from collections.abc import Mapping
from typing import ClassVar

from raftlab.raft.figure2.replication import Replication
from raftlab.raft.messages import RequestVote, RequestVoteReply
from raftlab.raft.roles import LEADER, Candidate, Cause
from raftlab.raft.vocabulary import Millis, NodeId, NotNow, Term
from raftlab.raft.votes import ElectionResult, Votes

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

    _HANDLERS: ClassVar[Mapping[type, str]] = {
        RequestVote: "_on_request_vote",
        RequestVoteReply: "_on_request_vote_reply",
    }
    _STALE_HANDLERS: ClassVar[Mapping[type, str]] = {
        RequestVote: "_on_request_vote",
        RequestVoteReply: "_handle_if_current",
    }

    # Candidates: asking

    def campaign(self, now: Millis, force: bool = False) -> None:
        """The election timer runs out now. `force`: stand at once, as if the leader had asked.

        A host that calls this while a leader is heard breaks what `lease_reads` counts on.
        Thesis: 3.10 for `force`, which here is a mark on the requests and nothing else.

        Raises: Misuse, for a leader, and if time goes back.
        """
        if self.role is LEADER:
            raise NotNow(f"{self.node_id} leads term {self.term} and has no election timer")
        self.now = now
        self._election_timed_out(**({"force": True} if force else {}))

    def _election_timed_out(self, **marks: bool) -> None:
        """Nobody led for an election timeout: stand, if this node may.

        `marks` are what later ideas write on the requests for votes. Paper: 5.2.
        """
        if self._may_stand():
            self._stand_for_election(**marks)
        else:
            self._wait_on()

    def _may_stand(self) -> bool:
        """Whether this node has a vote. While the members change, `membership` knows more."""
        return self._rules.campaigns(self.node_id, self.configuration, None)

    def _wait_on(self) -> None:
        """Who may not stand waits on."""
        self._reset_election_timeout()

    def _stand_for_election(self, **marks: bool) -> None:
        """Campaign at once; `protections` ask first whether that has a chance."""
        self._become_candidate(Cause.ELECTION_TIMEOUT, **marks)

    def _become_candidate(self, cause: Cause = Cause.ELECTION_TIMEOUT, **marks: bool) -> None:
        """Campaign for a term one higher. Paper: 5.2; Figure 2, Candidates, first rule."""
        self._set_term(self.term + 1)
        self._set_vote(self.node_id)
        self._restart_election_timer()
        votes = Votes(self.configuration)
        self._change_role(cause, Candidate(votes))
        self._note("become_candidate", "campaigns for term {}", self.term)
        self._request_votes(votes, self.term, **marks)

    def _request_votes(self, votes: Votes, asked_term: Term, **marks: bool) -> None:
        """Ask every other voter, and show where the own log ends. Paper: Figure 2, RequestVote."""
        last_index, last_term = self.log.last_index, self.log.last_term
        for voter in votes.voters:
            if voter != self.node_id:
                self._send(
                    RequestVote(
                        term=asked_term,
                        sender=self.node_id,
                        receiver=voter,
                        last_log_index=last_index,
                        last_log_term=last_term,
                        **marks,
                    )
                )

    # Everyone: voting

    def _on_request_vote(self, request: RequestVote) -> None:
        """Grant or refuse, and answer. Paper: Figure 2, RequestVote."""
        self._answer_vote(request, self._reason_to_refuse(request))

    def _answer_vote(self, request: RequestVote, refusal: str | None) -> None:
        """Give the vote, unless a rule refuses it, and say so."""
        granted = refusal is None
        self._note_vote(request.sender, "vote", refusal)
        if granted:
            self._set_vote(request.sender)
        if self._rules.resets_election_timer(granted, False):
            self._restart_election_timer()
        self._reply_vote(request, granted)

    def _reason_to_refuse(self, request: RequestVote) -> str | None:
        """The name of the rule that refuses this vote, or None if it is granted."""
        rules = self._rules
        if rules.is_stale_term(request.term, self.term):
            return "is_stale_term"
        if not rules.has_vote_left(request, self.term, self.voted_for, self.leader):
            return "has_vote_left"
        if not rules.candidate_is_up_to_date(request, self.log):
            return "candidate_is_up_to_date"
        return None

    def _note_vote(self, candidate: NodeId, kind: str, refusal: str | None) -> None:
        if refusal is None:
            self._note("on_request_vote", "grants {} its {}", candidate, kind)
        else:
            said = "refuses {} its {}: {}"
            self._note(refusal, said, candidate, kind, REASONS[refusal])

    def _reply_vote(self, request: RequestVote, granted: bool, **marks: bool) -> None:
        """A vote is for the term that was asked for; a refusal says which term it is."""
        self._send(
            RequestVoteReply(
                term=request.term if granted else self.term,
                sender=self.node_id,
                receiver=request.sender,
                vote_granted=granted,
                **marks,
            )
        )

    # Candidates: counting

    def _on_request_vote_reply(self, reply: RequestVoteReply) -> None:
        """Count an answer to the campaign that is going on. Paper: Figure 2, Candidates."""
        if isinstance(self.role_data, Candidate):
            self._count_vote(self.role_data, reply, self.term)

    def _count_vote(self, candidate: Candidate, reply: RequestVoteReply, asked_term: Term) -> None:
        """Count it if it answers what is asked now: a vote for `asked_term`."""
        if self._rules.is_about_the_present(reply.term, asked_term):
            candidate.votes.register_vote(reply.sender, reply.vote_granted)
            self._conclude_election()

    def _count_own_vote(self) -> None:
        """A candidate's own vote counts once it is on disk."""
        candidate = self.role_data
        assert isinstance(candidate, Candidate)
        if candidate.votes.register_vote(self.node_id, True):
            self._conclude_election()

    def _conclude_election(self) -> None:
        """Act on the tally: lead, give up, or wait for more answers."""
        candidate = self.role_data
        assert isinstance(candidate, Candidate)
        result = self._rules.tally_vote(candidate.votes)
        if result is ElectionResult.LOST:
            self._note("tally_vote", "lost the election")
            self._become_follower(None, Cause.ELECTION_LOST)
        elif result is ElectionResult.WON:
            self._win_election()

    def _win_election(self) -> None:
        """A majority has said yes; to a pre-vote, `protections` say what comes of it."""
        self._become_leader()

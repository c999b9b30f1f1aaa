"""What keeps a cluster calm: pre-vote, check-quorum, stickiness. Thesis: 9.6, 6.2, 4.2.3.

A node asks whether it could win before it raises its term; a leader that hears no majority
steps down; and who hears a leader listens to no candidate.
"""

from raftlab.raft.figure2 import Figure2
from raftlab.raft.messages import Message, RequestVote, RequestVoteReply
from raftlab.raft.roles import LEADER, Candidate, Cause, Follower, Leader, RoleData
from raftlab.raft.vocabulary import Millis, Misuse, NotNow
from raftlab.raft.votes import Votes

LONG_AGO: Millis = float("-inf")
"""When a node that has just started heard a leader last."""


class Protections(Figure2):
    """Figure 2, protected from those who campaign in vain and from leaders whom nobody hears."""

    __slots__ = ("_last_leader_contact", "_quorum_deadline")

    def _on_start(self) -> None:
        super()._on_start()
        waits = self._rules.waits_after_start(self._options)
        self._last_leader_contact: Millis = self._now if waits else LONG_AGO
        self._quorum_deadline: Millis = LONG_AGO

    # Pre-vote. Thesis: 9.6

    def _stand_for_election(self, **marks: bool) -> None:
        """Ask first whether a campaign would have a chance; not if the leader has sent us."""
        if self._options.pre_vote and not marks:
            self._ask_for_prevotes()
        else:
            super()._stand_for_election(**marks)

    def _ask_for_prevotes(self) -> None:
        """Campaign for a chance at the next term, and stay in this one. Thesis: 9.6."""
        self._reset_election_timeout()
        votes = Votes(self.configuration)
        self._change_role(Cause.ELECTION_TIMEOUT, Candidate(votes, is_prevote=True))
        asked_term = self.term + 1
        self._note("election_timeout", "asks who would vote for it in term {}", asked_term)
        self._request_votes(votes, asked_term, is_prevote=True)
        votes.register_vote(self.node_id, True)
        self._conclude_election()

    def _on_request_vote(self, request: RequestVote) -> None:
        """Grant or refuse, and answer, except where our answer would mean nothing.

        A candidate of a later term whom a living leader makes us refuse gets no answer:
        one of our term would mean nothing to it, and its term is not ours. Thesis: 4.2.3.
        """
        refusal = self._reason_to_refuse(request)
        if request.is_prevote:
            self._note_vote(request.sender, "pre-vote", refusal)
            if self._rules.resets_election_timer(False, False):
                self._restart_election_timer()
            self._reply_vote(request, refusal is None, is_prevote=True)
        elif refusal == "leader_is_alive" and request.term > self.term:
            self._note_vote(request.sender, "vote", refusal)
        else:
            self._answer_vote(request, refusal)

    def _on_request_vote_reply(self, reply: RequestVoteReply) -> None:
        """Count an answer to what is asked: a granted pre-vote is for the next term."""
        candidate = self.role_data
        if not isinstance(candidate, Candidate) or candidate.is_prevote != reply.is_prevote:
            return
        granted_prevote = reply.vote_granted and reply.is_prevote
        self._count_vote(candidate, reply, self.term + 1 if granted_prevote else self.term)

    def _count_own_vote(self) -> None:
        """A pre-vote of its own needs no disk, and was counted when it asked."""
        if not (isinstance(self.role_data, Candidate) and self.role_data.is_prevote):
            super()._count_own_vote()

    def _win_election(self) -> None:
        """A majority would vote for it: campaign in earnest."""
        if isinstance(self.role_data, Candidate) and self.role_data.is_prevote:
            self._become_candidate(Cause.PREVOTE_GRANTED)
        else:
            super()._win_election()

    def _meet_newer_term(self, message: Message) -> None:
        """A message that only asks about the future, or that we do not listen to, is no news.

        Thesis: 9.6, 4.2.3.
        """
        match message:
            case RequestVote() if message.is_prevote or self._sticks_to_leader(message):
                self._handle(message)
            case RequestVoteReply(is_prevote=True, vote_granted=True):
                self._handle(message)
            case _:
                super()._meet_newer_term(message)

    # Stickiness. Thesis: 4.2.3

    def _hear_leader(self) -> None:
        """This term's leader was heard: reset the timer, and remember when.

        Paper: Figure 2, Followers. Thesis: 4.2.3.
        """
        self._last_leader_contact = self._now
        if self._rules.resets_election_timer(False, True):
            self._restart_election_timer()

    def _reason_to_refuse(self, request: RequestVote) -> str | None:
        """A living leader is one more reason, before all but a term that is over."""
        stale = self._rules.is_stale_term(request.term, self.term)
        if not stale and self._sticks_to_leader(request):
            return "leader_is_alive"
        return super()._reason_to_refuse(request)

    def _sticks_to_leader(self, request: RequestVote) -> bool:
        """Whether a living leader keeps this node from listening to a candidate of a later term.

        Paper: 6, third problem. Thesis: 4.2.3; 6.4.1.
        """
        if request.term < self.term:
            return False
        promises = self._rules.keeps_promise(self.voted_for, self._options)
        if request.term == self.term and not promises:
            return False
        leads = self.role is LEADER
        since_leader = self._now - self._last_leader_contact
        return self._rules.leader_is_alive(request, self._options, leads, since_leader)

    def forget_leader(self) -> None:
        """Follow nobody, as if the leader had been silent for long: votes are free again.

        For a host that knows that the leader is gone, so that nobody waits for a timeout.

        Raises: Misuse, for a leader, and while leases count on what this node heard.
        """
        if self.role is LEADER:
            raise NotNow(f"{self.node_id} leads term {self.term} and follows nobody")
        if self._options.lease_reads:
            raise Misuse(f"{self.node_id} may not forget its leader: lease_reads counts on it")
        self._last_leader_contact = LONG_AGO
        if self.leader is not None:
            self._note("forget_leader", "forgets its leader {}", self.leader)
            self._change_role(Cause.LEADER_FORGOTTEN, Follower())

    # Check-quorum. Thesis: 6.2

    def _on_role_change(self, lost: RoleData) -> None:
        super()._on_role_change(lost)
        if self.role is LEADER:
            self._quorum_deadline = self._now + self._options.election_timeout[0]

    def _earliest_deadline(self) -> Millis:
        """When the next `tick` can matter (ms): a leader also looks whether it is heard."""
        leader = self.role_data
        if type(leader) is not Leader:
            return self.election_deadline
        heartbeat, quorum = leader.heartbeat_deadline, self._quorum_deadline
        return heartbeat if heartbeat < quorum else quorum

    def _tick_leader(self) -> None:
        """Step down without a majority, or speak. Thesis: 6.2."""
        if self._now >= self._quorum_deadline and not self._keeps_leading():
            self._note("keeps_leading", "has heard no majority for too long and steps down")
            self._become_follower(None, Cause.QUORUM_LOST)
        else:
            super()._tick_leader()

    def _keeps_leading(self) -> bool:
        """Ask the rule, and ask again when the majority's last answers are too old."""
        leader, timeout = self.role_data, self._options.election_timeout[0]
        assert isinstance(leader, Leader)
        mine = leader.tracker.progress.get(self.node_id)
        if mine is not None:
            mine.last_reply_at = self._now
        heard = leader.tracker.heard_within(timeout, self._now)
        self._quorum_deadline = leader.tracker.quorum_heard_at() + timeout
        if self._quorum_deadline <= self._now:
            self._quorum_deadline = self._now + timeout
        return self._rules.keeps_leading(heard, leader.tracker.configuration, self._options)

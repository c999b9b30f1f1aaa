"""Bugs that others found in their Raft systems, 2020 to 2026, and that have no exhibit.

They measure how well a campaign finds what it was not made for. Each is the least change of
this machine that makes the same mistake, as far as the report tells it; its source is named in
its docstring. Half of them (`TUNING`) were looked at while campaigns were changed; the others
(`HELD_BACK`) were measured before and after, and not looked at between. A coin chose.
"""

import random
from collections.abc import Mapping
from typing import Any

from msgspec.structs import replace

from raftlab import RaftStateMachine, Rules
from raftlab.raft.messages import AppendEntries, AppendEntriesReply, RequestVoteReply
from raftlab.raft.roles import Candidate, Cause, Leader, Role
from raftlab.raft.thesis.membership import Membership
from raftlab.raft.thesis.transfer import NO_DEADLINE, LeadershipTransfer

# Members


class KeepsItsMembers(RaftStateMachine):
    """A snapshot covers a change that was never committed; it stays in force. openraft#1808."""

    def _install(self, snapshot):
        mine, changed_at, committed = (
            self.configuration,
            self.log.configuration_index,
            self.commit_index,
        )
        super()._install(snapshot)
        if changed_at > committed:
            self.configuration = mine


class CutsOnlyTheLog(RaftStateMachine):
    """A change that is cut from the log stays in force. Camunda#57393."""

    def _truncate(self, index):
        mine = self.configuration
        super()._truncate(index)
        self.configuration = mine


class OnlyEntriesPromote(RaftStateMachine):
    """A learner that a snapshot has brought up to date is not promoted. rabbitmq/ra#584."""

    before = 0
    by_snapshot = False

    def _on_install_snapshot_reply(self, reply):
        self.by_snapshot = True
        super()._on_install_snapshot_reply(reply)
        self.by_snapshot = False

    def _on_accepted(self, leader, progress, last_new_index):
        self.before = progress.match_index
        super()._on_accepted(leader, progress, last_new_index)

    def _after_accepted(self, leader, progress):
        grew = progress.match_index > self.before and not self.by_snapshot
        (Membership if grew else LeadershipTransfer)._after_accepted(self, leader, progress)


class AnybodyStands(Rules):
    """A server without a vote stands for election. hashicorp/raft#483, Redpanda#8495."""

    def campaigns(self, node, configuration, previous):
        return True


# Snapshots


class OldMembersInSnapshots(RaftStateMachine):
    """A snapshot names the members of the snapshot before it. pikiwidb-raft#385."""

    def compact(self, up_to, data=b""):
        known = self.log.snapshot
        members = known.configuration if known else self._first_configuration
        super().compact(up_to, data)
        self.log.snapshot = replace(self.log.snapshot, configuration=members)
        self._new_snapshot = self.log.snapshot


class OwnMembersInSnapshots(RaftStateMachine):
    """Whoever takes a snapshot puts its own members into it. async-raft#133."""

    def _install(self, snapshot):
        super()._install(replace(snapshot, configuration=self.configuration))


class LongerLogsRefuse(RaftStateMachine):
    """A snapshot is refused if the log is longer, whatever stands in it. RedisLabs/raft#49."""

    def _on_install_snapshot(self, request):
        if request.snapshot.index > self.log.last_index:
            super()._on_install_snapshot(request)
        elif self._accept_leader(request.sender):
            self._reply_snapshot(request, False)


class NothingLeftToSend(RaftStateMachine):
    """A leader whose whole log is compacted sends a newcomer nothing. openraft#1828."""

    def _send_what_was_compacted(self, progress):
        if len(self.log):
            super()._send_what_was_compacted(progress)


# Votes


class PreVotesBind(RaftStateMachine):
    """A pre-vote that is granted is written down as the vote of this term. rabbitmq/ra#608."""

    def _on_request_vote(self, request):
        said = len(self._messages)
        super()._on_request_vote(request)
        answers = self._messages[said:]
        if request.is_prevote and any(each.vote_granted for each in answers):
            self._set_vote(request.sender)


class LeadersFreeVotes(RaftStateMachine):
    """A candidate that finds a leader of its own term forgets its vote. nats-server#5314."""

    def _accept_leader(self, leader):
        if self.role is Role.CANDIDATE:
            self.voted_for = None
            self._hard_state_changed = True
        return super()._accept_leader(leader)


class CandidatesGoBack(RaftStateMachine):
    """A candidate goes back to the term of a late append that fits its log. nats-server#5671."""

    def _answer_stale_term(self, message):
        late = isinstance(message, AppendEntries) and message.term >= self.log.last_term
        if late and self.role is Role.CANDIDATE:
            self._set_term(message.term)
            self._become_follower(message.sender, Cause.LEADER_SEEN)
            self._handle(message)
            return
        super()._answer_stale_term(message)


class TermAndIndex(Rules):
    """A candidate needs a later last term and also the longer log. dotNext#298."""

    def candidate_is_up_to_date(self, request, log):
        longer = request.last_log_index >= log.last_index
        return longer and request.last_log_term >= log.last_term


class PreVotesForAnyLog(Rules):
    """A pre-vote does not look at the candidate's log. NuRaft, ClickHouse#121252."""

    def candidate_is_up_to_date(self, request, log):
        return request.is_prevote or super().candidate_is_up_to_date(request, log)


class RefusalsTeachNothing(RaftStateMachine):
    """The later term in a refused pre-vote is not adopted. openraft, in databend#20085."""

    def _meet_newer_term(self, message):
        refusal = isinstance(message, RequestVoteReply) and not message.vote_granted
        if not (refusal and message.is_prevote):
            super()._meet_newer_term(message)


class CandidatesHearNoPreVote(RaftStateMachine):
    """A candidate answers no pre-vote, and never asks for one again. rabbitmq/ra#439."""

    @property
    def stands(self):
        return isinstance(self.role_data, Candidate) and not self.role_data.is_prevote

    def _on_request_vote(self, request):
        if not (request.is_prevote and self.stands):
            super()._on_request_vote(request)

    def _ask_for_prevotes(self):
        if self.stands:
            self._become_candidate()
        else:
            super()._ask_for_prevotes()


# Leaders


class CountsAnEarlierReign(RaftStateMachine):
    """Answers of an earlier reign wait, and are counted in a later one. nats-server#5666."""

    def _answer_stale_term(self, message):
        if isinstance(message, AppendEntriesReply):
            self._handle(message)
        else:
            super()._answer_stale_term(message)


class SpeaksOnceMore(RaftStateMachine):
    """A leader that learns of a later term still sends entries, of that term. RATIS-2154."""

    def _set_term(self, term):
        super()._set_term(term)
        if self.role is Role.LEADER:
            self._broadcast_heartbeat()


class DropsItsTail(RaftStateMachine):
    """A leader that steps down cuts what it has not committed. CCF#5674."""

    def _become_follower(self, leader, cause):
        led = self.role is Role.LEADER
        super()._become_follower(leader, cause)
        if led:
            self._truncate(self.commit_index + 1)


class DeafToReplies(RaftStateMachine):
    """A leader does not look at the later term of a reply. TemporalStore#116."""

    def _meet_newer_term(self, message):
        if not (isinstance(message, AppendEntriesReply) and self.role is Role.LEADER):
            super()._meet_newer_term(message)


class CommitsAtStart(RaftStateMachine):
    """A server that starts takes all that it finds for committed. aeron#1898."""

    def __init__(self, *given, **named):
        super().__init__(*given, **named)
        self.commit_index = self.log.last_index


class AsksFirst(RaftStateMachine):
    """A successor asks for pre-votes like any other, in vain. dragonboat#223."""

    def _election_timed_out(self, **marks):
        super()._election_timed_out()


class NeverGivesUp(RaftStateMachine):
    """A transfer that failed goes on until somebody else leads. openraft#2088."""

    def _begin_transfer(self, to, deadline):
        super()._begin_transfer(to, NO_DEADLINE)

    def _tell_to_campaign(self, transfer, node):
        super()._tell_to_campaign(transfer, node)
        transfer.resend_at = NO_DEADLINE


# Reads


class CommitsWhatItReads(RaftStateMachine):
    """A follower commits up to the index of a read, whatever it holds there. ScyllaDB#29216."""

    def _on_read_index_reply(self, reply):
        super()._on_read_index_reply(reply)
        if reply.index > self.commit_index:
            self._advance_commit(reply.index, "may_serve_read")


class DropsEarlyReads(RaftStateMachine):
    """A leader that does not know yet what is committed drops reads. restate#2950."""

    def _ask_for_reads(self, leader):
        if not self._rules.may_read(self.log, self.commit_index, self.term):
            self._reads.waiting = ()
        super()._ask_for_reads(leader)


class ReadsAtTheFirstIndex(RaftStateMachine):
    """A read shows what was committed when it came, before the leader could know. tikv#9239."""

    early = (0, None)

    def _ask_for_reads(self, leader):
        reads = self._reads
        if not self._rules.may_read(self.log, self.commit_index, self.term):
            if self.early[0] != self.term:
                self.early = (self.term, self.commit_index)
            return
        asking = reads.asking
        super()._ask_for_reads(leader)
        term, index = self.early
        if term == self.term and reads.asking and not asking:
            reads.index = index
            self.early = (0, None)


class ReadsJoinTheRound(RaftStateMachine):
    """A read joins the question that is under way, with its index. tikv#10376."""

    def _ask_for_reads(self, leader):
        reads = self._reads
        if isinstance(leader, Leader) and reads.asking:
            reads.asking, reads.waiting = reads.asking + reads.waiting, ()
        else:
            super()._ask_for_reads(leader)


BUGS: tuple[type, ...] = (
    *(KeepsItsMembers, CutsOnlyTheLog, OnlyEntriesPromote, AnybodyStands),
    *(OldMembersInSnapshots, OwnMembersInSnapshots, LongerLogsRefuse, NothingLeftToSend),
    *(PreVotesBind, LeadersFreeVotes, CandidatesGoBack, TermAndIndex, PreVotesForAnyLog),
    *(RefusalsTeachNothing, CandidatesHearNoPreVote),
    *(CountsAnEarlierReign, SpeaksOnceMore, DropsItsTail, DeafToReplies, CommitsAtStart),
    *(AsksFirst, NeverGivesUp),
    *(CommitsWhatItReads, DropsEarlyReads, ReadsAtTheFirstIndex, ReadsJoinTheRound),
)

_SHUFFLED = random.Random("heads or tails").sample(BUGS, len(BUGS))
_ASKED_FOR = (CountsAnEarlierReign,)  # by name, before the coin was thrown
TUNING = tuple(sorted({*_SHUFFLED[: len(BUGS) // 2], *_ASKED_FOR}, key=BUGS.index))
HELD_BACK = tuple(each for each in BUGS if each not in TUNING)


def wrong(bug: type) -> Mapping[str, Any]:
    """The bug as an argument of a campaign."""
    return {"rules" if issubclass(bug, Rules) else "machine": bug}

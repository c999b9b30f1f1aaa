"""Exhibits: who is elected, and how votes are counted. Paper: 5.1, 5.2, 5.4.1."""

from msgspec.structs import replace

from raftlab.check.campaign.faults import delay_long, isolate, timeout
from raftlab.museum.exhibit import exhibited
from raftlab.museum.runs import SMALL, first_election, stale_tail, won_if
from raftlab.raft.log import RaftLog
from raftlab.raft.machine import RaftStateMachine
from raftlab.raft.messages import RequestVote, RequestVoteReply
from raftlab.raft.options import Options
from raftlab.raft.roles import Candidate
from raftlab.raft.rules import Rules
from raftlab.raft.vocabulary import NodeId, Term
from raftlab.raft.votes import ElectionResult, Votes
from raftlab.sim.cluster import Cluster
from raftlab.sim.fixtures import settle, until_sent, with_entry
from raftlab.sim.watch.properties import (
    DURABLE_BEFORE_SAID,
    ELECTION_SAFETY,
    LEADER_COMPLETENESS,
    MATCH_IS_TRUE,
    ONE_VOTE_PER_TERM,
    TERMS_RISE,
)
from raftlab.sim.world.settings import Network


def two_candidates(cluster: Cluster) -> None:
    """S1 and S2 campaign at the same moment."""
    cluster.timeout("S1")
    cluster.timeout("S2")
    cluster.run(100)


@exhibited("refusals-elect", two_candidates, breaks=ELECTION_SAFETY)
class CountsRefusals(Rules):
    """Refusals count as votes.

    Every answer to a request for votes is counted as a yes. Two candidates that hear from the same
    voters both win, and two leaders of one term write different histories.

    Source: H11, S1: nim-raft's registerVote.
    """

    def tally_vote(self, votes: Votes) -> ElectionResult:
        """Every answer is counted as a vote."""
        return won_if(2 * len(votes.answers) > len(votes.voters))


def two_pairs(cluster: Cluster) -> None:
    """Of four nodes, two can reach each other, and so can the other two."""
    cluster.partition("S1 S2", "S3 S4")
    cluster.timeout("S1")
    cluster.timeout("S4")
    cluster.run(100)


@exhibited("half-elects", two_pairs, breaks=ELECTION_SAFETY, nodes=4)
class HalfIsEnough(Rules):
    """Half of the votes win.

    Two votes of four are taken for a majority. When the network splits such a cluster in the
    middle, each half has a leader of its own and takes commands.

    Source: E20: the same slip as hashicorp/raft 163a55f, for votes; paper 5.2.
    """

    def tally_vote(self, votes: Votes) -> ElectionResult:
        """Half of the votes win."""
        return won_if(2 * sum(votes.answers.values()) >= len(votes.voters))


def late_vote(cluster: Cluster) -> None:
    """S2 voted for S1 in term 1 and for S3 in term 2; the first vote comes last."""
    cluster.isolate("S3")
    cluster.timeout("S1")
    cluster.timeout("S3")
    late = until_sent(cluster, "S2", "S1")
    cluster.delay(late, 1000)
    cluster.partition("S1", "S2 S3")
    cluster.timeout("S1")
    cluster.timeout("S3")
    cluster.run(50)
    cluster.deliver(late)


@exhibited(
    "old-votes",
    late_vote,
    breaks=ELECTION_SAFETY,
    tuning=replace(
        SMALL,
        network=Network(latency=(5.0, 50.0), loss=0.4),
        verbs=(timeout, timeout, delay_long, delay_long, isolate),
    ),
)
class CountsOldVotes(Rules):
    """Votes of an older term count.

    A candidate counts an answer without looking at the term that it was given in. A vote from its
    last campaign arrives late and makes it a second leader beside the one that the voter has chosen
    since.

    Source: H10: Xraft#33; M2: nim-raft master; paper 5.1.
    """

    def is_about_the_present(self, reply_term: Term, asked_term: Term) -> bool:
        """An answer is an answer, whichever term it was asked in."""
        return True


def doubled_vote(cluster: Cluster) -> None:
    """S1 has one vote beside its own, which the network doubles; S3 has the other three."""
    cluster.partition("S1 S2", "S3 S4 S5")
    cluster.timeout("S1")
    cluster.timeout("S3")
    cluster.duplicate(until_sent(cluster, "S2", "S1"))
    cluster.run(100)


@exhibited("doubled-vote", doubled_vote, breaks=ELECTION_SAFETY, nodes=5)
class CountsReplies(RaftStateMachine):
    """A doubled vote counts twice.

    A candidate counts replies and not voters. If the network delivers one vote twice, a minority
    elects a leader, and the majority elects another one.

    Source: H9: folklore; the text of nim-raft's seed reads like it; paper 5.2.
    """

    def _on_request_vote_reply(self, reply: RequestVoteReply) -> None:
        """Replies are counted, and not voters: S2's second one passes for somebody else's."""
        if isinstance(self.role_data, Candidate):
            votes = self.role_data.votes
            if reply.sender in votes.answers:
                silent = [voter for voter in votes.voters if voter not in votes.answers]
                reply = replace(reply, sender=silent[0])
        super()._on_request_vote_reply(reply)


def late_promises(cluster: Cluster) -> None:
    """Everybody would vote for S1, and for S2; of the answers, some come after the majority's."""
    cluster.timeout("S1")
    cluster.timeout("S2")
    cluster.run(100)


@exhibited("pre-votes-elect", late_promises, breaks=ELECTION_SAFETY, nodes=5, options=Options())
class CountsPromises(RaftStateMachine):
    """Pre-votes count as votes.

    The promise to vote for somebody, which costs nothing, is counted as the vote itself. Several
    candidates can have such promises from everybody, so that several lead one term.

    Source: S40: nim-raft's requestVoteReply; E35: openraft 511f33c7, pre-vote replies after the
    win; thesis 9.6.
    """

    def _on_request_vote_reply(self, reply: RequestVoteReply) -> None:
        """A pre-vote is counted as a vote."""
        if isinstance(self.role_data, Candidate):
            reply = replace(reply, is_prevote=self.role_data.is_prevote)
        super()._on_request_vote_reply(reply)


@exhibited("votes-again", two_candidates, breaks=ONE_VOTE_PER_TERM)
class VotesAgain(Rules):
    """A vote is given twice.

    A voter does not write down that its vote of this term is given. Whoever asks gets it, two
    candidates win one term, and what one of them acknowledges the other overwrites.

    Source: H3; M1: nim-raft master never stores votedFor; paper 5.2.
    """

    def has_vote_left(
        self, request: RequestVote, term: Term, voted_for: NodeId | None, leader: NodeId | None
    ) -> bool:
        """Nobody remembers having voted."""
        return True


def left_behind(cluster: Cluster) -> None:
    """S3 misses a command that S1 and S2 commit, and asks S2 for its vote."""
    settle(cluster, "S1", 200)
    cluster.isolate("S3")
    cluster.propose("x=1")
    cluster.run(100)
    cluster.partition("S1", "S2 S3")
    cluster.elect("S3")


@exhibited("any-log-elects", left_behind, breaks=LEADER_COMPLETENESS)
class AsksForNoLog(Rules):
    """Logs are not compared.

    Voters do not ask how much of the log a candidate has. A server that missed the last commands is
    elected and makes the others throw away what clients were told is safe.

    Source: S10: nim-raft's createVoteRequest is empty; paper 5.4.1.
    """

    def candidate_is_up_to_date(self, request: RequestVote, log: RaftLog) -> bool:
        """Anybody may lead, whatever its log lacks."""
        return True


def long_and_old(cluster: Cluster) -> None:
    """S3 has the longer log, S2 the later one, and S3 asks S2 for its vote."""
    stale_tail(cluster)
    cluster.partition("S1", "S2 S3")
    cluster.elect("S3")


@exhibited("longest-log-elects", long_and_old, breaks=LEADER_COMPLETENESS, tuning=SMALL)
class LengthDecides(Rules):
    """Only the lengths of logs are compared.

    Voters choose the longer log, whatever terms its entries have. A server that collected commands
    nobody else holds is elected over one that holds committed entries, and those are lost.

    Source: folklore: paper 5.4.1 read in haste.
    """

    def candidate_is_up_to_date(self, request: RequestVote, log: RaftLog) -> bool:
        """The longer log wins, whoever wrote it."""
        return request.last_log_index >= log.last_index


@exhibited("last-term-elects", left_behind, breaks=LEADER_COMPLETENESS)
class LastTermDecides(Rules):
    """Only the last terms of logs are compared.

    Voters compare the terms of the last entries and forget the lengths. Of two logs that end in one
    term the shorter one may win, and the acknowledged end of the longer one is lost.

    Source: folklore: paper 5.4.1 read in haste.
    """

    def candidate_is_up_to_date(self, request: RequestVote, log: RaftLog) -> bool:
        """The later last term wins, and of two equal ones either."""
        return request.last_log_term >= log.last_term


@exhibited("term-never-rises", first_election, breaks=DURABLE_BEFORE_SAID)
class NewTermsAreIgnored(Rules):
    """Higher terms are not adopted.

    A node hears of a higher term and keeps its own. It then answers for a term that it has never
    entered or saved, so that after a crash it can promise the opposite.

    Source: S15: nim-raft's advance never raises its term; paper 5.1.
    """

    def is_newer_term(self, message_term: Term, term: Term) -> bool:
        """A higher term does not move a node's own."""
        return False


def deposed_leader_speaks(cluster: Cluster) -> None:
    """S1 led and was cut off; S2 leads; a message of S1 is late, and S3 follows S2."""
    settle(cluster, "S1", 200)
    cluster.propose("stale=1")
    late = until_sent(cluster, "S1", "S3", with_entry(2))
    cluster.delay(late, 1000)
    cluster.isolate("S1")
    cluster.elect("S2")
    cluster.run_until(lambda each: each.commit_index == 2, 500)
    cluster.deliver(late)
    cluster.run(200)


@exhibited("term-falls", deposed_leader_speaks, breaks=TERMS_RISE)
class AnyTermIsNew(Rules):
    """Lower terms are adopted.

    A node takes over whatever term it hears, a lower one too. It goes back to a term in which it
    has voted already, and the old leader rules again beside the new one.

    Source: folklore: a comparison of terms the wrong way round; S17: nim-raft; paper 5.1.
    """

    def is_newer_term(self, message_term: Term, term: Term) -> bool:
        """A node adopts whatever term it hears, a lower one too."""
        return message_term != term


@exhibited("old-terms-obeyed", deposed_leader_speaks, breaks=MATCH_IS_TRUE)
class OldTermsAreHeard(Rules):
    """Lower terms are obeyed.

    A message of a term that is over is handled like any other. A deposed leader goes on replacing
    entries, and the new leader believes in copies that are gone.

    Source: S17, M2: nim-raft logs a stale message and falls through; paper 5.1.
    """

    def is_stale_term(self, message_term: Term, term: Term) -> bool:
        """A message of a lower term is handled like any other."""
        return False

"""Real mistakes, each one override, and a short run that shows what it breaks: Figure 2.

Those in the rest of the paper and the thesis are in `mutants_of_membership`, `_snapshots`
and `_reads`.

`UNSAFE` break a property, which every cluster watches; `STUCK` break none and get nowhere.
In `source`, H, E, S, M and F numbers are rows of a catalogue of real bugs. The mistake is
the one argument of `Cluster` in `wrong`; everything else, the run included, is the same in
`mutant.cluster(wrong=False)`, where nothing breaks.
"""

from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field

from msgspec.structs import replace

from raftlab import Cluster, Disks, Misuse, Network, NotLeader, Options, Role, Rules
from raftlab.raft.election import ElectionResult
from raftlab.raft.machine import RaftStateMachine
from raftlab.raft.messages import (
    Accepted,
    AppendEntries,
    Message,
    Rejected,
    RequestVoteReply,
)
from raftlab.raft.progress import ProgressState
from raftlab.raft.roles import Candidate
from raftlab.raft.vocabulary import NodeId
from raftlab.sim.actions import Propose, Timeout
from raftlab.sim.invariants import (
    APPLIED_IN_ORDER,
    COMMIT_FOLLOWS_LEADER,
    COMMIT_FOLLOWS_QUORUM,
    COMMITTED_STAYS,
    DURABLE_BEFORE_SAID,
    ELECTION_SAFETY,
    LEADER_APPEND_ONLY,
    LEADER_COMPLETENESS,
    LOG_MATCHING,
    LOG_TERMS_RISE,
    MATCH_IS_TRUE,
    ONE_VOTE_PER_TERM,
    STATE_MACHINE_SAFETY,
    TERMS_RISE,
    Property,
)

PLAIN = Options.figure_2()


@dataclass(frozen=True)
class Mutant:
    """One mistake, and how it shows.

    `run` drives a cluster. If the mistake is unsafe, that ends in a `Violation` of `breaks`;
    if it only stops progress (`breaks` is None), `run` answers False, and True without it.
    `given` are the arguments of `Cluster` that set the stage.
    """

    name: str
    source: str
    wrong: Mapping[str, object]
    run: Callable[[Cluster], object]
    breaks: Property | None = None
    nodes: int = 3
    given: Mapping[str, object] = field(default_factory=dict)

    def cluster(self, wrong: bool = True, seed: int = 1) -> Cluster:
        """The cluster in which it is shown, or the same one without the mistake."""
        given = {"options": PLAIN, **self.given, **(self.wrong if wrong else {})}
        return Cluster(self.nodes, seed=seed, **given)

    @property
    def forgets(self) -> str:
        """The mistake in plain words."""
        (thing,) = self.wrong.values()
        if isinstance(thing, Disks):
            return f"{self.name[0].upper()}{self.name[1:]}."
        kind = thing if isinstance(thing, type) else type(thing)
        return (kind.__doc__ or "").strip()


# What the runs below have in common


def lead(cluster: Cluster, node: NodeId) -> None:
    """Let `node` lead, if the others let it."""
    with suppress(Misuse):
        cluster.elect(node)


def lead_and_settle(cluster: Cluster, node: NodeId) -> None:
    """Let `node` lead, and everybody know that its first entry is committed."""
    lead(cluster, node)
    cluster.run(200)


def flight(cluster: Cluster, sender: NodeId, receiver: NodeId, carries: Callable[[Message], bool]):
    """The number of the newest such message on its way from one node to another, or None."""
    found = [
        each.number
        for each in cluster.in_flight()
        if (each.message.sender, each.message.receiver) == (sender, receiver)
        and carries(each.message)
    ]
    return found[-1] if found else None


def until_sent(
    cluster: Cluster, sender: NodeId, receiver: NodeId, carries: Callable[[Message], bool]
) -> int:
    """Run until such a message is on its way; its number."""
    assert cluster.run_until(lambda each: flight(each, sender, receiver, carries), 1000)
    return flight(cluster, sender, receiver, carries)


def anything(message: Message) -> bool:
    return True


def entry(index: int) -> Callable[[Message], bool]:
    """Whether a message carries the entry at `index`."""

    def carries(message: Message) -> bool:
        return isinstance(message, AppendEntries) and any(
            each.index == index for each in message.entries
        )

    return carries


def stale_tail(cluster: Cluster) -> None:
    """S3 led, and has two entries that nobody else has; S1 leads now, and S3 is cut off."""
    lead_and_settle(cluster, "S3")
    cluster.isolate("S3")
    cluster.propose("stale=1", to="S3")
    cluster.propose("stale=2", to="S3")
    cluster.run(20)
    lead(cluster, "S1")
    cluster.run(100)


# Elections


class CountsRefusals(Rules):
    """Every answer is counted as a vote."""

    def tally_vote(self, votes):
        return won_if(2 * len(votes.answers) > len(votes.voters))


class HalfIsEnough(Rules):
    """Half of the votes win."""

    def tally_vote(self, votes):
        return won_if(2 * sum(votes.answers.values()) >= len(votes.voters))


def won_if(won: bool) -> ElectionResult:
    return ElectionResult.WON if won else ElectionResult.UNKNOWN


class CountsOldVotes(Rules):
    """An answer is an answer, whichever term it was asked in."""

    def is_about_the_present(self, reply_term, asked_term):
        return True


class CountsReplies(RaftStateMachine):
    """Replies are counted, and not voters: S2's second one passes for somebody else's."""

    __slots__ = ()

    def on_request_vote_reply(self, reply):
        if isinstance(self.role_data, Candidate):
            votes = self.role_data.votes
            if reply.sender in votes.answers:
                silent = [voter for voter in votes.voters if voter not in votes.answers]
                reply = replace(reply, sender=silent[0])
        super().on_request_vote_reply(reply)


class CountsPromises(RaftStateMachine):
    """A pre-vote is counted as a vote."""

    __slots__ = ()

    def on_request_vote_reply(self, reply):
        if isinstance(self.role_data, Candidate):
            reply = replace(reply, is_prevote=self.role_data.is_prevote)
        super().on_request_vote_reply(reply)


class VotesAgain(Rules):
    """Nobody remembers having voted."""

    def has_vote_left(self, request, term, voted_for, leader):
        return True


class AsksForNoLog(Rules):
    """Anybody may lead, whatever its log lacks."""

    def candidate_is_up_to_date(self, request, log):
        return True


class LengthDecides(Rules):
    """The longer log wins, whoever wrote it."""

    def candidate_is_up_to_date(self, request, log):
        return request.last_log_index >= log.last_index


class LastTermDecides(Rules):
    """The later last term wins, and of two equal ones either."""

    def candidate_is_up_to_date(self, request, log):
        return request.last_log_term >= log.last_term


class NewTermsAreIgnored(Rules):
    """A higher term does not move a node's own."""

    def is_newer_term(self, message_term, term):
        return False


class AnyTermIsNew(Rules):
    """A node adopts whatever term it hears, a lower one too."""

    def is_newer_term(self, message_term, term):
        return message_term != term


class OldTermsAreHeard(Rules):
    """A message of a lower term is handled like any other."""

    def is_stale_term(self, message_term, term):
        return False


def two_candidates(cluster: Cluster) -> None:
    """S1 and S2 campaign at the same moment."""
    cluster.timeout("S1")
    cluster.timeout("S2")
    cluster.run(100)


def two_pairs(cluster: Cluster) -> None:
    """Of four nodes, two can reach each other, and so can the other two."""
    cluster.partition("S1 S2", "S3 S4")
    cluster.timeout("S1")
    cluster.timeout("S4")
    cluster.run(100)


def late_vote(cluster: Cluster) -> None:
    """S2 voted for S1 in term 1 and for S3 in term 2; the first vote comes last."""
    cluster.isolate("S3")
    cluster.timeout("S1")
    cluster.timeout("S3")
    late = until_sent(cluster, "S2", "S1", anything)
    cluster.delay(late, 1000)
    cluster.partition("S1", "S2 S3")
    cluster.timeout("S1")
    cluster.timeout("S3")
    cluster.run(50)
    cluster.deliver(late)


def doubled_vote(cluster: Cluster) -> None:
    """S1 has one vote beside its own, which the network doubles; S3 has the other three."""
    cluster.partition("S1 S2", "S3 S4 S5")
    cluster.timeout("S1")
    cluster.timeout("S3")
    cluster.duplicate(until_sent(cluster, "S2", "S1", anything))
    cluster.run(100)


def late_promises(cluster: Cluster) -> None:
    """Everybody would vote for S1, and for S2; of the answers, some come after the majority's."""
    cluster.timeout("S1")
    cluster.timeout("S2")
    cluster.run(100)


def left_behind(cluster: Cluster) -> None:
    """S3 misses a command that S1 and S2 commit, and asks S2 for its vote."""
    lead_and_settle(cluster, "S1")
    cluster.isolate("S3")
    cluster.propose("x=1")
    cluster.run(100)
    cluster.partition("S1", "S2 S3")
    lead(cluster, "S3")


def long_and_old(cluster: Cluster) -> None:
    """S3 has the longer log, S2 the later one, and S3 asks S2 for its vote."""
    stale_tail(cluster)
    cluster.partition("S1", "S2 S3")
    lead(cluster, "S3")


def first_election(cluster: Cluster) -> None:
    """S1 asks for votes."""
    lead_and_settle(cluster, "S1")


def deposed_leader_speaks(cluster: Cluster) -> None:
    """S1 led and was cut off; S2 leads; a message of S1 is late, and S3 follows S2."""
    lead_and_settle(cluster, "S1")
    cluster.propose("stale=1")
    late = until_sent(cluster, "S1", "S3", entry(2))
    cluster.delay(late, 1000)
    cluster.isolate("S1")
    lead(cluster, "S2")
    cluster.run_until(lambda each: each.commit_index == 2, 500)
    cluster.deliver(late)
    cluster.run(200)


# Disks


def one_command(cluster: Cluster) -> None:
    """One election, one command."""
    lead_and_settle(cluster, "S1")
    cluster.propose("x=1")
    cluster.run(200)


# Replication


class ProbesWithoutEntries(RaftStateMachine):
    """A correct leader of another school: it sends no entries to a follower that is silent."""

    __slots__ = ()

    def replicate_to(self, progress):
        if progress.state is not ProgressState.PROBE:
            super().replicate_to(progress)
        elif not progress.probe_sent:
            progress.probe_sent = True
            prev = progress.next_index - 1
            term = self.log.term_for_index(prev)
            node, commit = progress.node, self.commit_index
            self.send(AppendEntries(self.term, self.node_id, node, prev, term, (), commit))


class CutsAlways(Rules):
    """Whatever follows the entry that the leader names is cut away."""

    def conflict_index(self, log, prev_log_index, entries):
        return prev_log_index + 1 if prev_log_index < log.last_index else None


class CutsNever(Rules):
    """What is in the log stays there, conflict or not."""

    def conflict_index(self, log, prev_log_index, entries):
        return None


class CutsCommitted(RaftStateMachine):
    """The log is cut behind the entry that the leader names, committed or not."""

    __slots__ = ()

    def on_append_entries(self, request):
        if request.entries and request.prev_log_index < self.log.last_index:
            self.truncate(request.prev_log_index + 1)
        super().on_append_entries(request)


class AnyEntryFits(Rules):
    """The consistency check asks whether there is an entry, and not of which term."""

    def accepts_append(self, log, prev_log_index, prev_log_term):
        return prev_log_index <= log.last_index


class CommitsPastVerified(Rules):
    """A follower commits as far as its own log goes."""

    def follower_commit_index(self, leader_commit, verified, log, commit_index):
        return max(commit_index, min(leader_commit, log.last_index))


class CommitsWhatItHolds(Rules):
    """A follower takes for committed whatever its leader has sent."""

    def follower_commit_index(self, leader_commit, verified, log, commit_index):
        return verified


class AcknowledgesItsLast(Rules):
    """A follower acknowledges the last entry that it has, not the last that it was sent."""

    def verified_index(self, log, prev_log_index, count):
        return log.last_index


class MatchesWhatWasSent(Rules):
    """An acknowledgement is taken for all that was sent so far."""

    def match_index_after(self, log, last_new_index, next_index):
        return next_index - 1


class TakesNoForYes(RaftStateMachine):
    """A rejection counts like an acknowledgement of the entry that it names."""

    __slots__ = ()

    def on_append_entries_reply(self, reply):
        if isinstance(reply.result, Rejected):
            reply = replace(reply, result=Accepted(reply.result.non_matching_index))
        super().on_append_entries_reply(reply)


class FollowsItsFollower(RaftStateMachine):
    """A leader whose entries do not fit cuts its own log back to what the follower has."""

    __slots__ = ()

    def on_append_entries_reply(self, reply):
        if isinstance(reply.result, Rejected) and reply.result.hint_index < self.log.last_index:
            self.truncate(reply.result.hint_index + 1)
        super().on_append_entries_reply(reply)


class FollowersAppend(RaftStateMachine):
    """Whoever is asked appends."""

    __slots__ = ()

    def add_entry(self, payload):
        return self.log.append_as_leader(self.term, payload).index


class IndexForTerm(RaftStateMachine):
    """An index is written where a term belongs: both are numbers."""

    __slots__ = ()

    def add_entry(self, payload):
        return self.log.append_as_leader(self.log.next_index, payload).index


def late_copy(cluster: Cluster) -> int:
    """S2 has entries 1 to 3, S3 only 1 and 2, S1 commits 3; a copy of 2 is on its way to S2."""
    lead_and_settle(cluster, "S1")
    cluster.propose("x=1")
    cluster.duplicate(until_sent(cluster, "S1", "S2", entry(2)))
    copy = until_sent(cluster, "S1", "S2", entry(2))
    cluster.delay(copy, 1000)
    cluster.propose("y=1")
    cluster.drop(until_sent(cluster, "S1", "S3", entry(3)))
    cluster.run_until(lambda each: each.commit_index == 3, 100)
    return copy


def late_copy_and_crash(cluster: Cluster) -> None:
    """The copy of entry 2 reaches S2 as soon as S1 has committed 3; S1 dies, and S3 campaigns."""
    copy = late_copy(cluster)
    cluster.crash("S1")
    cluster.deliver(copy)
    lead(cluster, "S3")


def late_copy_of_committed(cluster: Cluster) -> None:
    """The copy of entry 2 reaches S2 when S2 knows that 3 is committed."""
    copy = late_copy(cluster)
    cluster.run(100)
    cluster.deliver(copy)


def stale_tail_meets_leader(cluster: Cluster) -> None:
    """S3 comes back, with entries that nobody else has."""
    stale_tail(cluster)
    cluster.propose("x=1", to="S1")
    cluster.run(100)
    cluster.heal()
    cluster.run(300)


def stale_tail_meets_lonely_leader(cluster: Cluster) -> None:
    """S3 comes back, with entries that nobody else has, and is all that S1 has for a majority."""
    lead_and_settle(cluster, "S3")
    cluster.isolate("S3")
    cluster.propose("stale=1", to="S3")
    cluster.run(20)
    lead(cluster, "S1")
    cluster.crash("S2")
    cluster.heal()
    cluster.run(300)


def stale_tail_meets_next_leader(cluster: Cluster) -> None:
    """S3 comes back when the leader after next begins with entry 3; the stale ones are 2 and 3."""
    stale_tail(cluster)
    lead(cluster, "S2")
    cluster.heal()
    cluster.run(300)


def second_command_is_late(cluster: Cluster) -> None:
    """Entry 2 is acknowledged while entry 3 is still on its way."""
    lead_and_settle(cluster, "S1")
    cluster.propose("x=1")
    cluster.run(2)
    cluster.propose("y=1")
    for node in ("S2", "S3"):
        cluster.delay(until_sent(cluster, "S1", node, entry(3)), 30)
    cluster.run(200)


def short_log_meets_new_leader(cluster: Cluster) -> None:
    """S3 missed two entries, and so must reject what S2 sends it first."""
    lead_and_settle(cluster, "S1")
    cluster.isolate("S3")
    cluster.propose("x=1")
    cluster.propose("y=1")
    cluster.run(100)
    lead(cluster, "S2")
    cluster.heal()
    cluster.run(300)


def two_are_asked(cluster: Cluster) -> None:
    """Clients hand a command to S2, which follows, and another one to S1, which leads."""
    lead_and_settle(cluster, "S1")
    with suppress(NotLeader):
        cluster.apply(Propose(cluster.now, "S2", b"y=1"))
    cluster.propose("x=1", to="S1")
    cluster.run(200)


# Commitment


class CommitsByCounting(Rules):
    """What a majority holds is committed, whichever term it is of."""

    def leader_commit_index(self, matched, log, term, commit_index):
        return max(matched, commit_index)


class CommitsWithHalf(Rules):
    """Of four match indexes the second largest is taken, which only half have reached."""

    def majority_match_index(self, match_indexes, configuration):
        reached = sorted(match_indexes.values())
        return reached[len(reached) // 2]


class CommitsTheBest(Rules):
    """The match indexes are sorted the wrong way round, or not at all: the best one counts."""

    def majority_match_index(self, match_indexes, configuration):
        return max(match_indexes.values())


class CountsTheUnwritten(RaftStateMachine):
    """A leader counts its own copy before it is on its disk."""

    __slots__ = ()

    def add_entry(self, payload):
        index = super().add_entry(payload)
        if self.configuration.voters == (self.node_id,):
            self.commit_index = index
        return index


class AppliesTheNewestOnly(RaftStateMachine):
    """Of several entries that are committed at once, the last is handed out."""

    __slots__ = ()

    def poll(self):
        output = super().poll()
        return replace(output, committed=output.committed[-1:]) if output.committed else output


def figure_8(cluster: Cluster) -> None:
    """S1 copies its entry of term 1 to S3 in term 3; S2, with one of term 2, leads term 4."""
    lead(cluster, "S1")
    cluster.isolate("S1")
    lead(cluster, "S2")
    cluster.partition("S2", "S1 S3")
    lead(cluster, "S1")
    cluster.run_until(lambda each: each.hosts["S3"].disk.holds(1, 1), 500)
    late = until_sent(cluster, "S3", "S1", anything)
    cluster.cut("S1", "S3", both_ways=False)
    cluster.deliver(late)
    cluster.partition("S1", "S2 S3")
    lead(cluster, "S2")


def half_of_four(cluster: Cluster) -> None:
    """The leader of four nodes reaches one of them."""
    lead_and_settle(cluster, "S1")
    cluster.partition("S1 S2", "S3 S4")
    cluster.propose("x=1", to="S1")
    cluster.run(100)


def news_comes_with_the_next_command(cluster: Cluster) -> None:
    """The message that brings entry 3 says that entry 2 is committed, and no more."""
    lead_and_settle(cluster, "S1")
    cluster.propose("x=1")
    cluster.run_until(lambda each: each.commit_index == 2, 100)
    cluster.propose("y=1")
    cluster.run(100)


def one_of_three(cluster: Cluster) -> None:
    """The leader of three nodes reaches none of them."""
    lead_and_settle(cluster, "S1")
    cluster.isolate("S1")
    cluster.propose("x=1", to="S1")
    cluster.run(100)


def alone(cluster: Cluster) -> None:
    """A cluster of one takes a command."""
    cluster.elect()
    cluster.run(10)
    cluster.propose("x=1")
    cluster.run(10)


def two_commands(cluster: Cluster) -> None:
    """Two commands are committed together."""
    lead_and_settle(cluster, "S1")
    cluster.propose("x=1")
    cluster.propose("y=1")
    cluster.run(200)


UNSAFE = (
    Mutant(
        "refusals count as votes",
        "H11, S1: nim-raft's registerVote",
        {"rules": CountsRefusals()},
        two_candidates,
        ELECTION_SAFETY,
    ),
    Mutant(
        "half of the votes win",
        "E20: the same slip as hashicorp/raft 163a55f, for votes",
        {"rules": HalfIsEnough()},
        two_pairs,
        ELECTION_SAFETY,
        nodes=4,
    ),
    Mutant(
        "votes of an older term count",
        "H10: Xraft#33; M2: nim-raft master",
        {"rules": CountsOldVotes()},
        late_vote,
        ELECTION_SAFETY,
    ),
    Mutant(
        "a doubled vote counts twice",
        "H9: folklore; the text of nim-raft's seed reads like it",
        {"machine": CountsReplies},
        doubled_vote,
        ELECTION_SAFETY,
        nodes=5,
    ),
    Mutant(
        "pre-votes count as votes",
        "S40: nim-raft's requestVoteReply; E35: openraft",
        {"machine": CountsPromises},
        late_promises,
        ELECTION_SAFETY,
        nodes=5,
        given={"options": Options()},
    ),
    Mutant(
        "a vote is given twice",
        "H3; M1: nim-raft master never stores votedFor",
        {"rules": VotesAgain()},
        two_candidates,
        ONE_VOTE_PER_TERM,
    ),
    Mutant(
        "logs are not compared",
        "S10: nim-raft's createVoteRequest is empty",
        {"rules": AsksForNoLog()},
        left_behind,
        LEADER_COMPLETENESS,
    ),
    Mutant(
        "only the lengths of logs are compared",
        "folklore: paper 5.4.1 read in haste",
        {"rules": LengthDecides()},
        long_and_old,
        LEADER_COMPLETENESS,
    ),
    Mutant(
        "only the last terms of logs are compared",
        "folklore: paper 5.4.1 read in haste",
        {"rules": LastTermDecides()},
        left_behind,
        LEADER_COMPLETENESS,
    ),
    Mutant(
        "higher terms are not adopted",
        "S15: nim-raft's advance never raises its term",
        {"rules": NewTermsAreIgnored()},
        first_election,
        DURABLE_BEFORE_SAID,
    ),
    Mutant(
        "lower terms are adopted",
        "S15, S17: a comparison of terms the wrong way round",
        {"rules": AnyTermIsNew()},
        deposed_leader_speaks,
        TERMS_RISE,
    ),
    Mutant(
        "lower terms are obeyed",
        "S17, M2: nim-raft logs a stale message and falls through",
        {"rules": OldTermsAreHeard()},
        deposed_leader_speaks,
        MATCH_IS_TRUE,
    ),
    Mutant(
        "the vote is not saved",
        "H3: paper, Figure 2; F7: nim-raft's fork; sofa-jraft#1241",
        {"disks": Disks(keeps=("term", "log"))},
        first_election,
        DURABLE_BEFORE_SAID,
    ),
    Mutant(
        "the term is not saved",
        "H3; S24, M7: nim-raft's poll hands out neither term nor vote",
        {"disks": Disks(keeps=("voted_for", "log"))},
        first_election,
        DURABLE_BEFORE_SAID,
    ),
    Mutant(
        "the log is not saved",
        "H22: RethinkDB#5289; M7: nim-raft",
        {"disks": Disks(keeps=("term", "voted_for"))},
        one_command,
        DURABLE_BEFORE_SAID,
    ),
    Mutant(
        "messages leave before the write",
        "H4: sofa-jraft's electSelf; H23: NATS",
        {"disks": Disks(waits=False)},
        first_election,
        DURABLE_BEFORE_SAID,
    ),
    Mutant(
        "every message cuts the log",
        "H5: hashicorp/raft 0f31a01; RaftOS#26; CCF#5991",
        {"rules": CutsAlways()},
        late_copy_and_crash,
        LEADER_COMPLETENESS,
    ),
    Mutant(
        "conflicts are not cut",
        "S4: nim-raft's appendAsFollower; CCF's reading of Figure 2, rule 3",
        {"rules": CutsNever()},
        stale_tail_meets_leader,
        STATE_MACHINE_SAFETY,
    ),
    Mutant(
        "committed entries are cut",
        "M5: nim-raft master, commit 3 and last index 2",
        {"machine": CutsCommitted},
        late_copy_of_committed,
        COMMITTED_STAYS,
    ),
    Mutant(
        "the term before new entries is not compared",
        "S5, S11: nim-raft's matchTerm and replicateTo",
        {"rules": AnyEntryFits()},
        stale_tail_meets_next_leader,
        LOG_MATCHING,
    ),
    Mutant(
        "a follower commits past what is verified",
        "H6: ScyllaDB#9965; cowsql 000eacf2; S34, F3: nim-raft",
        {"rules": CommitsPastVerified()},
        stale_tail_meets_leader,
        STATE_MACHINE_SAFETY,
        given={"machine": ProbesWithoutEntries},
    ),
    Mutant(
        "a follower commits what it holds",
        "Figure 2, AppendEntries, rule 5, without leaderCommit",
        {"rules": CommitsWhatItHolds()},
        news_comes_with_the_next_command,
        COMMIT_FOLLOWS_LEADER,
    ),
    Mutant(
        "a follower acknowledges its last entry",
        "H8: CCF#6001; S36, F14: nim-raft",
        {"rules": AcknowledgesItsLast()},
        stale_tail_meets_lonely_leader,
        MATCH_IS_TRUE,
        given={"machine": ProbesWithoutEntries},
    ),
    Mutant(
        "what was sent counts as received",
        "S27: nim-raft's commit; the paper's Figure 2 read as next - 1",
        {"rules": MatchesWhatWasSent()},
        second_command_is_late,
        MATCH_IS_TRUE,
    ),
    Mutant(
        "a rejection counts as an acknowledgement",
        "E45: CCF#5324; S35: nim-raft's appendEntry",
        {"machine": TakesNoForYes},
        short_log_meets_new_leader,
        MATCH_IS_TRUE,
    ),
    Mutant(
        "a leader cuts its own log",
        "paper 5.3, the sentence that Leader Append-Only stands for",
        {"machine": FollowsItsFollower},
        short_log_meets_new_leader,
        LEADER_APPEND_ONLY,
    ),
    Mutant(
        "followers take commands",
        "S18, M3: nim-raft's addEntry logs an error and goes on",
        {"machine": FollowersAppend},
        two_are_asked,
        LOG_MATCHING,
    ),
    Mutant(
        "an index stands where a term belongs",
        "S44: nim-raft's nextIndex returns a term",
        {"machine": IndexForTerm},
        one_command,
        LOG_TERMS_RISE,
    ),
    Mutant(
        "entries of an older term are committed by counting",
        "H2: paper 5.4.2 and Figure 8; PySyncObj#169; CCF#4485; M9: nim-raft",
        {"rules": CommitsByCounting()},
        figure_8,
        LEADER_COMPLETENESS,
    ),
    Mutant(
        "half of the copies commit",
        "E20: hashicorp/raft 163a55f",
        {"rules": CommitsWithHalf()},
        half_of_four,
        COMMIT_FOLLOWS_QUORUM,
        nodes=4,
    ),
    Mutant(
        "one copy commits",
        "E30: openraft#1802; S26, S27: nim-raft's commit",
        {"rules": CommitsTheBest()},
        one_of_three,
        COMMIT_FOLLOWS_QUORUM,
    ),
    Mutant(
        "a leader counts what it has not written",
        "H23: openraft a9f696a9",
        {"machine": CountsTheUnwritten},
        alone,
        COMMIT_FOLLOWS_QUORUM,
        nodes=1,
    ),
    Mutant(
        "committed entries are skipped",
        "E15: etcd 8ecce32; M15: nim-raft",
        {"machine": AppliesTheNewestOnly},
        two_commands,
        APPLIED_IN_ORDER,
    ),
)
"""Mistakes that break a property."""


# What only gets nowhere


class EqualTimeouts(Rules):
    """Everybody waits equally long."""

    def election_timeout(self, options, rng):
        return options.election_timeout[0]


class AnythingResets(Rules):
    """Whatever arrives makes a node wait anew, even a request that it refuses."""

    def resets_election_timer(self, granted_vote, heard_leader):
        return True


class NeverStepsDown(Rules):
    """A leader leads until it hears of another one."""

    def keeps_leading(self, heard, configuration, options):
        return True


class NobodySticks(Rules):
    """A living leader is no reason to refuse a candidate."""

    def leader_is_alive(self, request, options, leads, since_leader):
        return False


class NobodyYields(Rules):
    """A living leader is a reason to refuse even the candidate that it sent."""

    def leader_is_alive(self, request, options, leads, since_leader):
        return super().leader_is_alive(replace(request, force=False), options, leads, since_leader)


class NoEmptyEntry(Rules):
    """A new leader waits for a command before it appends anything."""

    def appends_at_term_start(self):
        return False


class NeverGoesBack(Rules):
    """After a rejection the leader tries the same place again."""

    def next_index_after(self, rejected, log, progress):
        return rejected.non_matching_index + 1


class EveryRejectionIsStray(Rules):
    """Rejections are taken for late ones."""

    def is_stray_rejection(self, rejected, progress):
        return True


class KeepsItsVote(RaftStateMachine):
    """A new term does not give the vote back."""

    __slots__ = ()

    def set_term(self, term):
        vote = self.voted_for
        super().set_term(term)
        self.voted_for = vote


class PromisesInItsOwnTerm(RaftStateMachine):
    """A pre-vote is granted under the voter's own term, not the one that was asked for."""

    __slots__ = ()

    def send(self, message):
        if isinstance(message, RequestVoteReply) and message.is_prevote:
            message = replace(message, term=self.term)
        super().send(message)


class SilentToThePast(RaftStateMachine):
    """A message of a lower term gets no answer."""

    __slots__ = ()

    def advance(self, message, now):
        if message.term >= self.term:
            super().advance(message, now)


def somebody_leads(cluster: Cluster) -> bool:
    """Three nodes start together."""
    return cluster.run_until(lambda each: each.leader is not None, 6000)


def only_one_can_win(cluster: Cluster) -> bool:
    """S1 dies; S2 has all entries; S3 has not, and asks again every 100 ms."""
    lead_and_settle(cluster, "S1")
    cluster.isolate("S3")
    cluster.propose("x=1")
    cluster.run(100)
    cluster.crash("S1")
    cluster.heal()
    for _ in range(15):
        cluster.timeout("S3")
        if cluster.run_until(lambda each: each.leader == "S2", 100):
            return True
    return False


def cut_off_leader(cluster: Cluster) -> bool:
    """S1 leads and reaches nobody."""
    lead_and_settle(cluster, "S1")
    cluster.isolate("S1")
    cluster.run(1000)
    return cluster.machine("S1").role is not Role.LEADER


def one_is_deaf(cluster: Cluster) -> bool:
    """S3 does not hear S1, which leads; everybody hears S3."""
    lead_and_settle(cluster, "S1")
    cluster.cut("S1", "S3", both_ways=False)
    cluster.run(3000)
    return cluster.leader == "S1"


def leader_is_changed(cluster: Cluster) -> bool:
    """S1 leads, and S2 is to lead at once."""
    lead_and_settle(cluster, "S1")
    cluster.apply(Timeout(cluster.now, "S2", force=True))
    return cluster.run_until(lambda each: each.leader == "S2", 100)


def inherited_entry(cluster: Cluster) -> bool:
    """S1 dies when S2 and S3 have its command, and before they know that it is committed."""
    lead_and_settle(cluster, "S1")
    index = cluster.propose("x=1")
    cluster.run_until(lambda each: each.hosts["S2"].disk.last_index == index, 100)
    cluster.run_until(lambda each: each.hosts["S3"].disk.last_index == index, 100)
    cluster.crash("S1")
    lead(cluster, "S2")
    return cluster.run_until(lambda each: each.machine("S2").commit_index >= index, 2000)


def stale_tail_is_mended(cluster: Cluster) -> bool:
    """S3 comes back, with entries that nobody else has."""
    stale_tail(cluster)
    lead(cluster, "S2")
    cluster.heal()
    return cluster.run_until(lambda each: each.machine("S3").log == each.machine("S2").log, 2000)


def second_leader(cluster: Cluster) -> bool:
    """S1 leads and dies."""
    lead_and_settle(cluster, "S1")
    cluster.crash("S1")
    return somebody_leads(cluster)


def too_high_a_term(cluster: Cluster) -> bool:
    """S3 campaigns alone until its term is high, and comes back."""
    lead_and_settle(cluster, "S1")
    cluster.isolate("S3")
    cluster.run(2000)
    cluster.heal()
    return cluster.run_until(lambda each: each.machine("S3").leader is not None, 2000)


STUCK = (
    Mutant(
        "everybody waits equally long",
        "H27: paper 9.3; hashicorp/raft cda1ee8; S7, F9: nim-raft",
        {"rules": EqualTimeouts()},
        somebody_leads,
        given={"network": Network(latency=(10.0, 10.0))},
    ),
    Mutant(
        "anything resets the timer",
        "H28: the students' guide to Raft; hashicorp/raft 42d3446",
        {"rules": AnythingResets()},
        only_one_can_win,
    ),
    Mutant(
        "a leader that nobody hears goes on",
        "H21: an outage of etcd in 2020; M8: nim-raft, 600 s",
        {"rules": NeverStepsDown()},
        cut_off_leader,
        given={"options": Options()},
    ),
    Mutant(
        "nobody sticks to the leader",
        "H20: thesis 4.2.3; LogCabin#210; F8: nim-raft",
        {"rules": NobodySticks()},
        one_is_deaf,
        given={"options": Options()},
    ),
    Mutant(
        "the leader's own candidate is refused",
        "E19: ScyllaDB sent `force` and never read it; E23: hashicorp/raft 99125f5",
        {"rules": NobodyYields()},
        leader_is_changed,
        given={"options": Options()},
    ),
    Mutant(
        "a new leader appends nothing",
        "paper 8, third part",
        {"rules": NoEmptyEntry()},
        inherited_entry,
    ),
    Mutant(
        "the next index never goes back",
        "S32, M10: nim-raft",
        {"rules": NeverGoesBack()},
        stale_tail_is_mended,
    ),
    Mutant(
        "every rejection is taken for a late one",
        "F6: nim-raft's fork, 750 rejections in 30 s",
        {"rules": EveryRejectionIsStray()},
        stale_tail_is_mended,
    ),
    Mutant(
        "a vote is never given back",
        "S41: nim-raft, a node votes once in its life",
        {"machine": KeepsItsVote},
        second_leader,
    ),
    Mutant(
        "pre-votes are granted in the voter's term",
        "E1: etcd#8243; S39: nim-raft",
        {"machine": PromisesInItsOwnTerm},
        somebody_leads,
        given={"options": Options()},
    ),
    Mutant(
        "lower terms get no answer",
        "E3: etcd#8334",
        {"machine": SilentToThePast},
        too_high_a_term,
        given={"options": Options(pre_vote=False)},
    ),
)
"""Mistakes that break nothing and get nowhere."""

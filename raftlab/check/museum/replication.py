"""Exhibits: how entries get into logs. Paper: 5.3."""

# ruff: noqa: D102 - the class says what its override gets wrong

from collections.abc import Sequence
from contextlib import suppress

from msgspec.structs import replace

from raftlab.check.museum.exhibit import Exhibit
from raftlab.check.museum.staging import (
    SMALL,
    ProbesWithoutEntries,
    entry,
    lead,
    lead_and_settle,
    one_command,
    stale_tail,
    stale_tail_meets_leader,
    until_sent,
)
from raftlab.raft.log import LogEntry, Payload, RaftLog
from raftlab.raft.machine import RaftStateMachine
from raftlab.raft.messages import Accepted, AppendEntries, AppendEntriesReply, Rejected
from raftlab.raft.rules import Rules
from raftlab.raft.vocabulary import Index, NotLeader, Term
from raftlab.sim.cluster import Cluster
from raftlab.sim.watch.properties import (
    COMMITTED_STAYS,
    LEADER_APPEND_ONLY,
    LEADER_COMPLETENESS,
    LOG_MATCHING,
    LOG_TERMS_RISE,
    MATCH_IS_TRUE,
    STATE_MACHINE_SAFETY,
)
from raftlab.sim.world.actions import Propose
from raftlab.sim.world.settings import Disks


class CutsAlways(Rules):
    """Whatever follows the entry that the leader names is cut away."""

    def conflict_index(
        self, log: RaftLog, prev_log_index: Index, entries: Sequence[LogEntry]
    ) -> Index | None:
        return prev_log_index + 1 if prev_log_index < log.last_index else None


class CutsNever(Rules):
    """What is in the log stays there, conflict or not."""

    def conflict_index(
        self, log: RaftLog, prev_log_index: Index, entries: Sequence[LogEntry]
    ) -> Index | None:
        return None


class CutsCommitted(RaftStateMachine):
    """The log is cut behind the entry that the leader names, committed or not."""

    __slots__ = ()

    def _on_append_entries(self, request: AppendEntries) -> None:
        if request.entries and request.prev_log_index < self.log.last_index:
            self._truncate(request.prev_log_index + 1)
        super()._on_append_entries(request)


class AnyEntryFits(Rules):
    """The consistency check asks whether there is an entry, and not of which term."""

    def accepts_append(self, log: RaftLog, prev_log_index: Index, prev_log_term: Term) -> bool:
        return prev_log_index <= log.last_index


class AcknowledgesItsLast(Rules):
    """A follower acknowledges the last entry that it has, not the last that it was sent."""

    def verified_index(self, log: RaftLog, prev_log_index: Index, count: int) -> Index:
        return log.last_index


class MatchesWhatWasSent(Rules):
    """An acknowledgement is taken for all that was sent so far."""

    def match_index_after(self, log: RaftLog, last_new_index: Index, next_index: Index) -> Index:
        return next_index - 1


class TakesNoForYes(RaftStateMachine):
    """A rejection counts like an acknowledgement of the entry that it names."""

    __slots__ = ()

    def _on_append_entries_reply(self, reply: AppendEntriesReply) -> None:
        if isinstance(reply.result, Rejected):
            reply = replace(reply, result=Accepted(reply.result.non_matching_index))
        super()._on_append_entries_reply(reply)


class FollowsItsFollower(RaftStateMachine):
    """A leader whose entries do not fit cuts its own log back to what the follower has."""

    __slots__ = ()

    def _on_append_entries_reply(self, reply: AppendEntriesReply) -> None:
        if isinstance(reply.result, Rejected) and reply.result.hint_index < self.log.last_index:
            self._truncate(reply.result.hint_index + 1)
        super()._on_append_entries_reply(reply)


class FollowersAppend(RaftStateMachine):
    """Whoever is asked appends."""

    __slots__ = ()

    def add_entry(self, payload: Payload) -> Index:
        return self.log.append_as_leader(self.term, payload).index


class IndexForTerm(RaftStateMachine):
    """An index is written where a term belongs: both are numbers."""

    __slots__ = ()

    def add_entry(self, payload: Payload) -> Index:
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


EXHIBITS = (
    Exhibit(
        name="truncate-always",
        title="every message cuts the log",
        source=(
            "H5: hashicorp/raft 0f31a01; RaftOS#26; CCF#5991; paper, Figure 2, AppendEntries,"
            " rule 3"
        ),
        wrong={"rules": CutsAlways()},
        run=late_copy_and_crash,
        breaks=LEADER_COMPLETENESS,
        is_safety=True,
        story=(
            "A follower cuts off everything behind the entries of a message, whether they "
            "conflict or not. A message that was overtaken on the way removes entries that "
            "the follower has acknowledged, and a crash of the leader then loses them for "
            "good."
        ),
    ),
    Exhibit(
        name="never-truncates",
        title="conflicts are not cut",
        source="S4: nim-raft's appendAsFollower; paper, Figure 2, AppendEntries, rule 3",
        wrong={"rules": CutsNever()},
        run=stale_tail_meets_leader,
        breaks=STATE_MACHINE_SAFETY,
        is_safety=True,
        story=(
            "A follower keeps what it has where the leader has something else. Two servers "
            "then hold different commands at one place, and their answers differ for ever."
        ),
    ),
    Exhibit(
        name="truncates-committed",
        title="committed entries are cut",
        source="M5: nim-raft master, commit 3 and last index 2; paper 5.4",
        wrong={"machine": CutsCommitted},
        run=late_copy_of_committed,
        breaks=COMMITTED_STAYS,
        is_safety=True,
        story=(
            "The log is cut behind the entry that a message names, even where it is "
            "committed. A second copy of an old message takes acknowledged commands out of a "
            "log."
        ),
    ),
    Exhibit(
        name="any-entry-fits",
        title="the term before new entries is not compared",
        source="S5, S11: nim-raft's matchTerm and replicateTo; paper 5.3",
        wrong={"rules": AnyEntryFits()},
        run=stale_tail_meets_next_leader,
        breaks=LOG_MATCHING,
        is_safety=True,
        story=(
            "The consistency check asks only whether there is an entry before the new ones, "
            "and not whether it is the same. New entries are put behind wrong ones, and two "
            "logs that look alike differ inside."
        ),
    ),
    Exhibit(
        name="acks-its-last",
        title="a follower acknowledges its last entry",
        source="H8: CCF#6001; S36, F14: nim-raft; paper, Figure 2, AppendEntries",
        wrong={"rules": AcknowledgesItsLast()},
        run=stale_tail_meets_lonely_leader,
        breaks=MATCH_IS_TRUE,
        is_safety=True,
        given={"machine": ProbesWithoutEntries},
        campaign={**SMALL, "machine": ProbesWithoutEntries, "disks": Disks()},
        story=(
            "A follower answers with the end of its own log and not with the end of what it "
            "was sent. The leader takes old, wrong entries for copies of its own and commits "
            "commands that too few hold."
        ),
    ),
    Exhibit(
        name="sent-is-received",
        title="what was sent counts as received",
        source="S27: nim-raft's commit; paper, Figure 2, read as next - 1",
        wrong={"rules": MatchesWhatWasSent()},
        run=second_command_is_late,
        breaks=MATCH_IS_TRUE,
        is_safety=True,
        story=(
            "An acknowledgement of one message is taken for all messages sent so far. The "
            "leader commits a command that is still on the wire, and if it dies now the "
            "command is lost."
        ),
    ),
    Exhibit(
        name="no-means-yes",
        title="a rejection counts as an acknowledgement",
        source="E45: CCF#5324; S35: nim-raft's appendEntry; paper 5.3",
        wrong={"machine": TakesNoForYes},
        run=short_log_meets_new_leader,
        breaks=MATCH_IS_TRUE,
        is_safety=True,
        story=(
            "A follower's no moves its match index as a yes would. The leader counts a copy "
            "at a server that has just said that it has none."
        ),
    ),
    Exhibit(
        name="leader-truncates",
        title="a leader cuts its own log",
        source="paper 5.3, the sentence that Leader Append-Only stands for",
        wrong={"machine": FollowsItsFollower},
        run=short_log_meets_new_leader,
        breaks=LEADER_APPEND_ONLY,
        is_safety=True,
        story=(
            "A leader whose entries a follower rejects shortens its own log to fit. One "
            "server that lags behind is enough to make the leader forget what others have "
            "acknowledged."
        ),
    ),
    Exhibit(
        name="followers-append",
        title="followers take commands",
        source="S18, M3: nim-raft's addEntry logs an error and goes on; paper 5.3, 8",
        wrong={"machine": FollowersAppend},
        run=two_are_asked,
        breaks=LOG_MATCHING,
        is_safety=True,
        story=(
            "A server that does not lead appends a client's command to its own log. Two "
            "servers then have different commands under one index and term, which nothing "
            "later can tell apart."
        ),
    ),
    Exhibit(
        name="index-for-term",
        title="an index stands where a term belongs",
        source="S44: nim-raft's nextIndex returns a term; paper 5.3",
        wrong={"machine": IndexForTerm},
        run=one_command,
        breaks=LOG_TERMS_RISE,
        is_safety=True,
        story=(
            "An entry is stored with a number from the wrong column as its term. Every later "
            "comparison of terms is then about something else, and logs no longer mean what "
            "they say."
        ),
    ),
)

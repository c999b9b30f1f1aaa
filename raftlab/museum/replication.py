"""Exhibits: how entries get into logs. Paper: 5.3."""

from collections.abc import Sequence
from contextlib import suppress

from msgspec.structs import replace

from raftlab.museum.exhibit import exhibited
from raftlab.museum.runs import (
    SMALL,
    entry_3_is_late,
    one_command,
    stale_tail,
    stale_tail_meets_leader,
)
from raftlab.raft.log import LogEntry, Payload, RaftLog
from raftlab.raft.machine import RaftStateMachine
from raftlab.raft.messages import Accepted, AppendEntries, AppendEntriesReply, Rejected
from raftlab.raft.progress import FollowerProgress, ProgressState
from raftlab.raft.rules import Rules
from raftlab.raft.vocabulary import Index, NotLeader, Term
from raftlab.sim.cluster import Cluster
from raftlab.sim.fixtures import settle, until_sent, with_entry
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


def late_copy(cluster: Cluster) -> int:
    """S2 has entries 1 to 3, S3 only 1 and 2, S1 commits 3; a copy of 2 is on its way to S2."""
    settle(cluster, "S1", 200)
    cluster.propose("x=1")
    cluster.duplicate(until_sent(cluster, "S1", "S2", with_entry(2)))
    copy = until_sent(cluster, "S1", "S2", with_entry(2))
    cluster.delay(copy, 1000)
    cluster.propose("y=1")
    cluster.drop(until_sent(cluster, "S1", "S3", with_entry(3)))
    cluster.run_until(lambda each: each.commit_index == 3, 100)
    return copy


def late_copy_and_crash(cluster: Cluster) -> None:
    """The copy of entry 2 reaches S2 as soon as S1 has committed 3; S1 dies, and S3 campaigns."""
    copy = late_copy(cluster)
    cluster.crash("S1")
    cluster.deliver(copy)
    cluster.elect("S3")


@exhibited("truncate-always", late_copy_and_crash, breaks=LEADER_COMPLETENESS)
class CutsAlways(Rules):
    """Every message cuts the log.

    A follower cuts off everything behind the entries of a message, whether they conflict or not. A
    message that was overtaken on the way removes entries that the follower has acknowledged, and a
    crash of the leader then loses them for good.

    Source: H5: hashicorp/raft 0f31a01; RaftOS#26; CCF#5991; paper, Figure 2, AppendEntries, rule 3.
    """

    def conflict_index(
        self, log: RaftLog, prev_log_index: Index, entries: Sequence[LogEntry]
    ) -> Index | None:
        """Whatever follows the entry that the leader names is cut away."""
        return prev_log_index + 1 if prev_log_index < log.last_index else None


@exhibited("never-truncates", stale_tail_meets_leader, breaks=STATE_MACHINE_SAFETY)
class CutsNever(Rules):
    """Conflicts are not cut.

    A follower keeps what it has where the leader has something else. Two servers then hold
    different commands at one place, and their answers differ for ever.

    Source: S4: nim-raft's appendAsFollower; paper, Figure 2, AppendEntries, rule 3.
    """

    def conflict_index(
        self, log: RaftLog, prev_log_index: Index, entries: Sequence[LogEntry]
    ) -> Index | None:
        """What is in the log stays there, conflict or not."""
        return None


def late_copy_of_committed(cluster: Cluster) -> None:
    """The copy of entry 2 reaches S2 when S2 knows that 3 is committed."""
    copy = late_copy(cluster)
    cluster.run(100)
    cluster.deliver(copy)


@exhibited("truncates-committed", late_copy_of_committed, breaks=COMMITTED_STAYS)
class CutsCommitted(RaftStateMachine):
    """Committed entries are cut.

    The log is cut behind the entry that a message names, even where it is committed. A second copy
    of an old message takes acknowledged commands out of a log.

    Source: M5: nim-raft master, commit 3 and last index 2; paper 5.4.
    """

    def _on_append_entries(self, request: AppendEntries) -> None:
        """The log is cut behind the entry that the leader names, committed or not."""
        if request.entries and request.prev_log_index < self.log.last_index:
            self._truncate(request.prev_log_index + 1)
        super()._on_append_entries(request)


def stale_tail_meets_next_leader(cluster: Cluster) -> None:
    """S3 comes back when the leader after next begins with entry 3; the stale ones are 2 and 3."""
    stale_tail(cluster)
    cluster.elect("S2")
    cluster.heal()
    cluster.run(300)


@exhibited("any-entry-fits", stale_tail_meets_next_leader, breaks=LOG_MATCHING)
class AnyEntryFits(Rules):
    """The term before new entries is not compared.

    The consistency check asks only whether there is an entry before the new ones, and not whether
    it is the same. New entries are put behind wrong ones, and two logs that look alike differ
    inside.

    Source: S5, S11: nim-raft's matchTerm and replicateTo; paper 5.3.
    """

    def accepts_append(self, log: RaftLog, prev_log_index: Index, prev_log_term: Term) -> bool:
        """The consistency check asks whether there is an entry, and not of which term."""
        return prev_log_index <= log.last_index


def stale_tail_meets_lonely_leader(cluster: Cluster) -> None:
    """S3 comes back, with entries that nobody else has, and is all that S1 has for a majority."""
    settle(cluster, "S3", 200)
    cluster.isolate("S3")
    cluster.propose("stale=1", to="S3")
    cluster.run(20)
    cluster.elect("S1")
    cluster.crash("S2")
    cluster.heal()
    cluster.run(300)


class ProbesWithoutEntries(RaftStateMachine):
    """A correct leader of another school: it sends no entries to a follower that is silent."""

    def _replicate_to(self, progress: FollowerProgress) -> None:
        """To one that is silent, send an empty message once."""
        if progress.state is not ProgressState.PROBE:
            super()._replicate_to(progress)
        elif not progress.probe_sent:
            progress.probe_sent = True
            prev = progress.next_index - 1
            term = self.log.term_for_index(prev) or 0
            self._send(
                AppendEntries(
                    term=self.term,
                    sender=self.node_id,
                    receiver=progress.node,
                    prev_log_index=prev,
                    prev_log_term=term,
                    entries=(),
                    leader_commit=self.commit_index,
                )
            )


@exhibited(
    "acks-its-last",
    stale_tail_meets_lonely_leader,
    breaks=MATCH_IS_TRUE,
    machine=ProbesWithoutEntries,
    tuning=replace(SMALL, machine=ProbesWithoutEntries, disks=Disks()),
)
class AcknowledgesItsLast(Rules):
    """A follower acknowledges its last entry.

    A follower answers with the end of its own log and not with the end of what it was sent. The
    leader takes old, wrong entries for copies of its own and commits commands that too few hold.

    Source: H8: CCF#6001; S36, F14: nim-raft; paper, Figure 2, AppendEntries.
    """

    def verified_index(self, log: RaftLog, prev_log_index: Index, count: int) -> Index:
        """A follower acknowledges the last entry that it has, not the last that it was sent."""
        return log.last_index


def second_command_is_late(cluster: Cluster) -> None:
    """Entry 2 is acknowledged while entry 3 is still on its way."""
    entry_3_is_late(cluster, lambda: cluster.propose("y=1"))


@exhibited("sent-is-received", second_command_is_late, breaks=MATCH_IS_TRUE)
class MatchesWhatWasSent(Rules):
    """What was sent counts as received.

    An acknowledgement of one message is taken for all messages sent so far. The leader commits a
    command that is still on the wire, and if it dies now the command is lost.

    Source: S27: nim-raft's commit; paper, Figure 2, read as next - 1.
    """

    def match_index_after(self, log: RaftLog, last_new_index: Index, next_index: Index) -> Index:
        """An acknowledgement is taken for all that was sent so far."""
        return next_index - 1


def short_log_meets_new_leader(cluster: Cluster) -> None:
    """S3 missed two entries, and so must reject what S2 sends it first."""
    settle(cluster, "S1", 200)
    cluster.isolate("S3")
    cluster.propose("x=1")
    cluster.propose("y=1")
    cluster.run(100)
    cluster.elect("S2")
    cluster.heal()
    cluster.run(300)


@exhibited("no-means-yes", short_log_meets_new_leader, breaks=MATCH_IS_TRUE)
class TakesNoForYes(RaftStateMachine):
    """A rejection counts as an acknowledgement.

    A follower's no moves its match index as a yes would. The leader counts a copy at a server that
    has just said that it has none.

    Source: E45: CCF#5324; S35: nim-raft's appendEntry; paper 5.3.
    """

    def _on_append_entries_reply(self, reply: AppendEntriesReply) -> None:
        """A rejection counts like an acknowledgement of the entry that it names."""
        if isinstance(reply.result, Rejected):
            reply = replace(reply, result=Accepted(reply.result.non_matching_index))
        super()._on_append_entries_reply(reply)


@exhibited("leader-truncates", short_log_meets_new_leader, breaks=LEADER_APPEND_ONLY)
class FollowsItsFollower(RaftStateMachine):
    """A leader cuts its own log.

    A leader whose entries a follower rejects shortens its own log to fit. One server that lags
    behind is enough to make the leader forget what others have acknowledged.

    Source: paper 5.3, the sentence that Leader Append-Only stands for.
    """

    def _on_append_entries_reply(self, reply: AppendEntriesReply) -> None:
        """A leader whose entries do not fit cuts its own log back to what the follower has."""
        if isinstance(reply.result, Rejected) and reply.result.hint_index < self.log.last_index:
            self._truncate(reply.result.hint_index + 1)
        super()._on_append_entries_reply(reply)


def two_are_asked(cluster: Cluster) -> None:
    """Clients hand a command to S2, which follows, and another one to S1, which leads."""
    settle(cluster, "S1", 200)
    with suppress(NotLeader):
        cluster.apply(Propose(cluster.now, "S2", b"y=1"))
    cluster.propose("x=1", to="S1")
    cluster.run(200)


@exhibited("followers-append", two_are_asked, breaks=LOG_MATCHING)
class FollowersAppend(RaftStateMachine):
    """Followers take commands.

    A server that does not lead appends a client's command to its own log. Two servers then have
    different commands under one index and term, which nothing later can tell apart.

    Source: S18, M3: nim-raft's addEntry logs an error and goes on; paper 5.3, 8.
    """

    def add_entry(self, payload: Payload) -> Index:
        """Whoever is asked appends."""
        return self.log.append_as_leader(self.term, payload).index


@exhibited("index-for-term", one_command, breaks=LOG_TERMS_RISE)
class IndexForTerm(RaftStateMachine):
    """An index stands where a term belongs.

    An entry is stored with a number from the wrong column as its term. Every later comparison of
    terms is then about something else, and logs no longer mean what they say.

    Source: S44: nim-raft's nextIndex returns a term; paper 5.3.
    """

    def add_entry(self, payload: Payload) -> Index:
        """An index is written where a term belongs: both are numbers."""
        return self.log.append_as_leader(self.log.next_index, payload).index

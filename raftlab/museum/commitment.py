"""Exhibits: what counts as committed. Paper: 5.3, 5.4."""

from collections.abc import Mapping

from msgspec.structs import replace

from raftlab.check.campaign.faults import crash_leader, cut, force_election, isolate, timeout
from raftlab.museum.exhibit import exhibited
from raftlab.museum.replication import (
    ProbesWithoutEntries,
    late_copy_of_committed,
    second_command_is_late,
)
from raftlab.museum.runs import SMALL, stale_tail_meets_leader
from raftlab.raft.log import RaftLog
from raftlab.raft.machine import RaftStateMachine
from raftlab.raft.messages import AppendEntries
from raftlab.raft.options import Options
from raftlab.raft.output import Output
from raftlab.raft.rules import Rules
from raftlab.raft.vocabulary import Configuration, Index, NodeId, Term
from raftlab.sim.cluster import Cluster
from raftlab.sim.fixtures import settle, until_sent
from raftlab.sim.watch.properties import (
    APPLIED_IN_ORDER,
    COMMIT_FOLLOWS_LEADER,
    COMMIT_FOLLOWS_QUORUM,
    COMMITTED_STAYS,
    LEADER_COMPLETENESS,
    STATE_MACHINE_SAFETY,
)
from raftlab.sim.world.settings import Disks


@exhibited(
    "commit-past-verified",
    stale_tail_meets_leader,
    breaks=STATE_MACHINE_SAFETY,
    machine=ProbesWithoutEntries,
    tuning=replace(SMALL, machine=ProbesWithoutEntries, disks=Disks()),
)
class CommitsPastVerified(Rules):
    """A follower commits past what is verified.

    A follower moves its commit index up to the end of its own log, and not of what this message has
    shown to be right. It executes old entries that the leader is about to replace.

    Source: H6: ScyllaDB#9965; cowsql 000eacf2; S34, F3: nim-raft; paper, Figure 2, AppendEntries,
    rule 5.
    """

    def follower_commit_index(
        self, leader_commit: Index, verified: Index, log: RaftLog, commit_index: Index
    ) -> Index:
        """A follower commits as far as its own log goes."""
        return max(commit_index, min(leader_commit, log.last_index))


def news_comes_with_the_next_command(cluster: Cluster) -> None:
    """The message that brings entry 3 says that entry 2 is committed, and no more."""
    settle(cluster, "S1", 200)
    cluster.propose("x=1")
    cluster.run_until(lambda each: each.commit_index == 2, 100)
    cluster.propose("y=1")
    cluster.run(100)


@exhibited("commits-on-receipt", news_comes_with_the_next_command, breaks=COMMIT_FOLLOWS_LEADER)
class CommitsWhatItHolds(Rules):
    """A follower commits what it holds.

    A follower executes an entry when it arrives, whatever the leader says is committed. A command
    that no majority has may be replaced later, and this server has executed it all the same.

    Source: folklore: paper, Figure 2, AppendEntries, rule 5, without leaderCommit; M4: nim-raft
    master.
    """

    def follower_commit_index(
        self, leader_commit: Index, verified: Index, log: RaftLog, commit_index: Index
    ) -> Index:
        """A follower takes for committed whatever its leader has sent."""
        return verified


def figure_8(cluster: Cluster) -> None:
    """S1 copies its entry of term 1 to S3 in term 3; S2, with one of term 2, leads term 4."""
    cluster.elect("S1")
    cluster.isolate("S1")
    cluster.elect("S2")
    cluster.partition("S2", "S1 S3")
    cluster.elect("S1")
    cluster.run_until(lambda each: each.hosts["S3"].disk.holds(1, 1), 500)
    late = until_sent(cluster, "S3", "S1")
    cluster.cut("S1", "S3", both_ways=False)
    cluster.deliver(late)
    cluster.partition("S1", "S2 S3")
    cluster.elect("S2")


@exhibited(
    "figure-8",
    figure_8,
    breaks=LEADER_COMPLETENESS,
    tuning=replace(
        SMALL,
        options=Options.figure_2(max_entries_per_append=1, max_in_flight=1),
        verbs=(isolate, crash_leader, timeout, cut, force_election),
    ),
)
class CommitsByCounting(Rules):
    """Entries of an older term are committed by counting.

    A leader counts the copies of an entry of an earlier term and calls it committed. A server with
    a later last term can still be elected, and it overwrites what a client was told is done.

    Source: H2: paper 5.4.2 and Figure 8; PySyncObj#169; CCF#4485; M9: nim-raft.
    """

    def leader_commit_index(
        self, matched: Index, log: RaftLog, term: Term, commit_index: Index
    ) -> Index:
        """What a majority holds is committed, whichever term it is of."""
        return max(matched, commit_index)


def half_of_four(cluster: Cluster) -> None:
    """The leader of four nodes reaches one of them."""
    settle(cluster, "S1", 200)
    cluster.partition("S1 S2", "S3 S4")
    cluster.propose("x=1", to="S1")
    cluster.run(100)


@exhibited("half-commits", half_of_four, breaks=COMMIT_FOLLOWS_QUORUM, nodes=4)
class CommitsWithHalf(Rules):
    """Half of the copies commit.

    The middle of an even number of match indexes is taken on the wrong side. Two copies of four
    commit an entry, and the other two servers go on without it.

    Source: E20: hashicorp/raft 163a55f; paper, Figure 2, Leaders, last rule.
    """

    def majority_match_index(
        self, match_indexes: Mapping[NodeId, Index], configuration: Configuration
    ) -> Index:
        """Of four match indexes the second largest is taken, which only half have reached."""
        reached = sorted(match_indexes.values())
        return reached[len(reached) // 2]


def one_of_three(cluster: Cluster) -> None:
    """The leader of three nodes reaches none of them."""
    settle(cluster, "S1", 200)
    cluster.isolate("S1")
    cluster.propose("x=1", to="S1")
    cluster.run(100)


@exhibited("best-copy-commits", one_of_three, breaks=COMMIT_FOLLOWS_QUORUM)
class CommitsTheBest(Rules):
    """One copy commits.

    The match indexes are sorted the wrong way, so that the best server decides. A leader that
    reaches nobody commits all it is told, and loses it when the others elect another one.

    Source: E30: openraft#1802; S26, S27: nim-raft's commit; paper, Figure 2, Leaders, last rule.
    """

    def majority_match_index(
        self, match_indexes: Mapping[NodeId, Index], configuration: Configuration
    ) -> Index:
        """The match indexes are sorted the wrong way round, or not at all: the best one counts."""
        return max(match_indexes.values())


def two_commands(cluster: Cluster) -> None:
    """Two commands are committed together."""
    settle(cluster, "S1", 200)
    cluster.propose("x=1")
    cluster.propose("y=1")
    cluster.run(200)


@exhibited("skips-entries", two_commands, breaks=APPLIED_IN_ORDER)
class AppliesTheNewestOnly(RaftStateMachine):
    """Committed entries are skipped.

    Of several entries that are committed together, only the last reaches the application. Some of
    the acknowledged commands are never executed, on some servers and not on others.

    Source: E15: etcd 8ecce32; M15: nim-raft; paper 5.3.
    """

    def poll(self) -> Output:
        """Of several entries that are committed at once, the last is handed out."""
        output = super().poll()
        return replace(output, committed=output.committed[-1:]) if output.committed else output


@exhibited("commit-goes-back", late_copy_of_committed, breaks=COMMITTED_STAYS)
class CommitGoesBack(RaftStateMachine):
    """A follower's commit index goes back.

    A follower sets its commit index to what a message says, although it knew more. An old message
    that comes late makes it forget that commands are committed, and what rests on that number goes
    wrong.

    Source: H13: PySyncObj#166, min without max; paper, Figure 2, volatile state.
    """

    def on_append_entries(self, request: AppendEntries) -> None:
        """A follower sets its commit index to what a message says, even if that is less."""
        super().on_append_entries(request)
        if self.log.match_term(request.prev_log_index, request.prev_log_term):
            verified = request.prev_log_index + len(request.entries)
            self.commit_index = min(request.leader_commit, verified)


@exhibited("commit-before-check", stale_tail_meets_leader, breaks=STATE_MACHINE_SAFETY)
class CommitsBeforeTheCheck(RaftStateMachine):
    """The commit index comes before the check.

    A follower takes over the leader's commit index before it has compared the logs. It executes its
    own old entries at those places, and its values differ from everybody else's.

    Source: H7: ScyllaDB#10578, read_quorum carried the raw commit index; paper, Figure 2,
    AppendEntries, rules 2 and 5.
    """

    def on_append_entries(self, request: AppendEntries) -> None:
        """A follower takes over the commit index of any message, before it has compared logs."""
        index = min(request.leader_commit, self.log.last_index)
        self._advance_commit(index, "follower_commit_index")
        super().on_append_entries(request)


@exhibited("commit-jumps", second_command_is_late, breaks=COMMIT_FOLLOWS_QUORUM)
class CommitJumps(Rules):
    """The commit index jumps.

    The leader adds the new commit index to the old one. It calls commands committed that are still
    on their way, and a crash loses them.

    Source: S29: nim-raft's commitIndex += next_index; paper, Figure 2, Leaders, last rule.
    """

    def leader_commit_index(
        self, matched: Index, log: RaftLog, term: Term, commit_index: Index
    ) -> Index:
        """A leader adds what a majority holds to its commit index, and does not replace it."""
        reached = super().leader_commit_index(matched, log, term, commit_index)
        return commit_index + reached if reached > commit_index else commit_index

"""Exhibits: what counts as committed. Paper: 5.3, 5.4."""

# ruff: noqa: D102 - the class says what its override gets wrong

from collections.abc import Mapping

from msgspec.structs import replace

from raftlab.check.museum.exhibit import Exhibit
from raftlab.check.museum.replication import late_copy_of_committed, second_command_is_late
from raftlab.check.museum.staging import (
    SMALL,
    ProbesWithoutEntries,
    anything,
    lead,
    lead_and_settle,
    stale_tail_meets_leader,
    until_sent,
)
from raftlab.raft.log import RaftLog
from raftlab.raft.machine import RaftStateMachine
from raftlab.raft.messages import AppendEntries
from raftlab.raft.options import Options
from raftlab.raft.output import Output
from raftlab.raft.rules import Rules
from raftlab.raft.vocabulary import Configuration, Index, NodeId, Term
from raftlab.sim.cluster import Cluster
from raftlab.sim.watch.properties import (
    APPLIED_IN_ORDER,
    COMMIT_FOLLOWS_LEADER,
    COMMIT_FOLLOWS_QUORUM,
    COMMITTED_STAYS,
    LEADER_COMPLETENESS,
    STATE_MACHINE_SAFETY,
)
from raftlab.sim.world.settings import Disks


class CommitsPastVerified(Rules):
    """A follower commits as far as its own log goes."""

    def follower_commit_index(
        self, leader_commit: Index, verified: Index, log: RaftLog, commit_index: Index
    ) -> Index:
        return max(commit_index, min(leader_commit, log.last_index))


class CommitsWhatItHolds(Rules):
    """A follower takes for committed whatever its leader has sent."""

    def follower_commit_index(
        self, leader_commit: Index, verified: Index, log: RaftLog, commit_index: Index
    ) -> Index:
        return verified


class CommitsByCounting(Rules):
    """What a majority holds is committed, whichever term it is of."""

    def leader_commit_index(
        self, matched: Index, log: RaftLog, term: Term, commit_index: Index
    ) -> Index:
        return max(matched, commit_index)


class CommitsWithHalf(Rules):
    """Of four match indexes the second largest is taken, which only half have reached."""

    def majority_match_index(
        self, match_indexes: Mapping[NodeId, Index], configuration: Configuration
    ) -> Index:
        reached = sorted(match_indexes.values())
        return reached[len(reached) // 2]


class CommitsTheBest(Rules):
    """The match indexes are sorted the wrong way round, or not at all: the best one counts."""

    def majority_match_index(
        self, match_indexes: Mapping[NodeId, Index], configuration: Configuration
    ) -> Index:
        return max(match_indexes.values())


class AppliesTheNewestOnly(RaftStateMachine):
    """Of several entries that are committed at once, the last is handed out."""

    __slots__ = ()

    def poll(self) -> Output:
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


def two_commands(cluster: Cluster) -> None:
    """Two commands are committed together."""
    lead_and_settle(cluster, "S1")
    cluster.propose("x=1")
    cluster.propose("y=1")
    cluster.run(200)


class CommitGoesBack(RaftStateMachine):
    """A follower sets its commit index to what a message says, even if that is less."""

    __slots__ = ()

    def _on_append_entries(self, request: AppendEntries) -> None:
        super()._on_append_entries(request)
        if self.log.match_term(request.prev_log_index, request.prev_log_term):
            verified = request.prev_log_index + len(request.entries)
            self.commit_index = min(request.leader_commit, verified)


class CommitsBeforeTheCheck(RaftStateMachine):
    """A follower takes over the commit index of any message, before it has compared logs."""

    __slots__ = ()

    def _on_append_entries(self, request: AppendEntries) -> None:
        index = min(request.leader_commit, self.log.last_index)
        self._advance_commit(index, "follower_commit_index")
        super()._on_append_entries(request)


class CommitJumps(Rules):
    """A leader adds what a majority holds to its commit index, and does not replace it."""

    def leader_commit_index(
        self, matched: Index, log: RaftLog, term: Term, commit_index: Index
    ) -> Index:
        reached = super().leader_commit_index(matched, log, term, commit_index)
        return commit_index + reached if reached > commit_index else commit_index


FIGURE_8 = {
    **SMALL,
    "options": Options.figure_2(max_entries_per_append=1, max_in_flight=1),
    "verbs": "isolate crash_leader timeout cut force_election",
}

EXHIBITS = (
    Exhibit(
        name="commit-past-verified",
        title="a follower commits past what is verified",
        source=(
            "H6: ScyllaDB#9965; cowsql 000eacf2; S34, F3: nim-raft; paper, Figure 2, "
            "AppendEntries, rule 5"
        ),
        wrong={"rules": CommitsPastVerified()},
        run=stale_tail_meets_leader,
        breaks=STATE_MACHINE_SAFETY,
        is_safety=True,
        given={"machine": ProbesWithoutEntries},
        campaign={**SMALL, "machine": ProbesWithoutEntries, "disks": Disks()},
        story=(
            "A follower moves its commit index up to the end of its own log, and not of what "
            "this message has shown to be right. It executes old entries that the leader is "
            "about to replace."
        ),
    ),
    Exhibit(
        name="commits-on-receipt",
        title="a follower commits what it holds",
        source=(
            "folklore: paper, Figure 2, AppendEntries, rule 5, without leaderCommit; M4: nim-"
            "raft master"
        ),
        wrong={"rules": CommitsWhatItHolds()},
        run=news_comes_with_the_next_command,
        breaks=COMMIT_FOLLOWS_LEADER,
        is_safety=True,
        story=(
            "A follower executes an entry when it arrives, whatever the leader says is "
            "committed. A command that no majority has may be replaced later, and this server"
            " has executed it all the same."
        ),
    ),
    Exhibit(
        name="figure-8",
        title="entries of an older term are committed by counting",
        source="H2: paper 5.4.2 and Figure 8; PySyncObj#169; CCF#4485; M9: nim-raft",
        wrong={"rules": CommitsByCounting()},
        run=figure_8,
        breaks=LEADER_COMPLETENESS,
        is_safety=True,
        campaign=FIGURE_8,
        story=(
            "A leader counts the copies of an entry of an earlier term and calls it "
            "committed. A server with a later last term can still be elected, and it "
            "overwrites what a client was told is done."
        ),
    ),
    Exhibit(
        name="half-commits",
        title="half of the copies commit",
        source="E20: hashicorp/raft 163a55f; paper, Figure 2, Leaders, last rule",
        wrong={"rules": CommitsWithHalf()},
        run=half_of_four,
        breaks=COMMIT_FOLLOWS_QUORUM,
        is_safety=True,
        nodes=4,
        story=(
            "The middle of an even number of match indexes is taken on the wrong side. Two "
            "copies of four commit an entry, and the other two servers go on without it."
        ),
    ),
    Exhibit(
        name="best-copy-commits",
        title="one copy commits",
        source=(
            "E30: openraft#1802; S26, S27: nim-raft's commit; paper, Figure 2, Leaders, last rule"
        ),
        wrong={"rules": CommitsTheBest()},
        run=one_of_three,
        breaks=COMMIT_FOLLOWS_QUORUM,
        is_safety=True,
        story=(
            "The match indexes are sorted the wrong way, so that the best server decides. A "
            "leader that reaches nobody commits all it is told, and loses it when the others "
            "elect another one."
        ),
    ),
    Exhibit(
        name="skips-entries",
        title="committed entries are skipped",
        source="E15: etcd 8ecce32; M15: nim-raft; paper 5.3",
        wrong={"machine": AppliesTheNewestOnly},
        run=two_commands,
        breaks=APPLIED_IN_ORDER,
        is_safety=True,
        story=(
            "Of several entries that are committed together, only the last reaches the "
            "application. Some of the acknowledged commands are never executed, on some "
            "servers and not on others."
        ),
    ),
    Exhibit(
        name="commit-goes-back",
        title="a follower's commit index goes back",
        source="H13: PySyncObj#166, min without max; paper, Figure 2, volatile state",
        wrong={"machine": CommitGoesBack},
        run=late_copy_of_committed,
        breaks=COMMITTED_STAYS,
        is_safety=True,
        story=(
            "A follower sets its commit index to what a message says, although it knew more. "
            "An old message that comes late makes it forget that commands are committed, and "
            "what rests on that number goes wrong."
        ),
    ),
    Exhibit(
        name="commit-before-check",
        title="the commit index comes before the check",
        source=(
            "H7: ScyllaDB#10578, read_quorum carried the raw commit index; paper, Figure 2, "
            "AppendEntries, rules 2 and 5"
        ),
        wrong={"machine": CommitsBeforeTheCheck},
        run=stale_tail_meets_leader,
        breaks=STATE_MACHINE_SAFETY,
        is_safety=True,
        story=(
            "A follower takes over the leader's commit index before it has compared the logs."
            " It executes its own old entries at those places, and its values differ from "
            "everybody else's."
        ),
    ),
    Exhibit(
        name="commit-jumps",
        title="the commit index jumps",
        source="S29: nim-raft's commitIndex += next_index; paper, Figure 2, Leaders, last rule",
        wrong={"rules": CommitJumps()},
        run=second_command_is_late,
        breaks=COMMIT_FOLLOWS_QUORUM,
        is_safety=True,
        story=(
            "The leader adds the new commit index to the old one. It calls commands committed"
            " that are still on their way, and a crash loses them."
        ),
    ),
)

"""Exhibits: entries and snapshots that never get through."""

from msgspec.structs import replace

from raftlab.museum.exhibit import exhibited
from raftlab.museum.post_heal_checks import snapshot_is_slow
from raftlab.museum.runs import ALL, CALM, NO_COPIES, left_behind_a_snapshot, stale_tail
from raftlab.raft.log import LogEntry, RaftLog
from raftlab.raft.machine import RaftStateMachine
from raftlab.raft.messages import Rejected
from raftlab.raft.options import Options
from raftlab.raft.progress import FollowerProgress, ProgressState
from raftlab.raft.roles import Leader, Role
from raftlab.raft.rules import Rules
from raftlab.raft.vocabulary import Index, Term
from raftlab.sim.cluster import Cluster
from raftlab.sim.fixtures import settle


def inherited_entry(cluster: Cluster) -> bool:
    """S1 dies when S2 and S3 have its command, and before they know that it is committed."""
    settle(cluster, "S1", 200)
    index = cluster.propose("x=1")
    cluster.run_until(lambda each: each.hosts["S2"].disk.last_index == index, 100)
    cluster.run_until(lambda each: each.hosts["S3"].disk.last_index == index, 100)
    cluster.crash("S1")
    cluster.elect("S2")
    return cluster.run_until(lambda each: each.hosts["S2"].machine.commit_index >= index, 2000)


@exhibited("no-empty-entry", inherited_entry)
class NoEmptyEntry(Rules):
    """A new leader appends nothing.

    A new leader waits for a client before it appends anything. What its predecessor left behind
    stays uncommitted, and whoever waits for it waits until somebody else writes.

    Source: the text of nim-raft's seed has lost the no-op of becomeLeader; paper 8, third part.
    """

    def appends_at_term_start(self) -> bool:
        """A new leader waits for a command before it appends anything."""
        return False


def stale_tail_is_mended(cluster: Cluster) -> bool:
    """S3 comes back, with entries that nobody else has."""
    stale_tail(cluster)
    cluster.elect("S2")
    cluster.heal()
    return cluster.run_until(
        lambda each: each.hosts["S3"].machine.log == each.hosts["S2"].machine.log, 2000
    )


@exhibited("next-never-goes-back", stale_tail_is_mended, tuning=NO_COPIES)
class NeverGoesBack(Rules):
    """The next index never goes back.

    After a rejection the leader sends the same again. A follower that missed something is never
    mended, and one more failure stops the cluster.

    Source: S32, M10: nim-raft; paper 5.3.
    """

    def next_index_after(
        self, rejected: Rejected, log: RaftLog, progress: FollowerProgress
    ) -> Index:
        """After a rejection the leader tries the same place again."""
        return rejected.non_matching_index + 1


@exhibited("every-rejection-stray", stale_tail_is_mended, tuning=NO_COPIES)
class EveryRejectionIsStray(Rules):
    """Every rejection is taken for a late one.

    The leader takes each rejection for an old message and drops it. The follower rejects for ever,
    on a network that loses nothing.

    Source: F6: nim-raft's fork, 750 rejections in 30 s; paper 5.3.
    """

    def is_stray_rejection(self, rejected: Rejected, progress: FollowerProgress) -> bool:
        """Rejections are taken for late ones."""
        return True


def catches_up(cluster: Cluster) -> bool:
    """Whether S3 gets all that is committed."""
    return cluster.run_until(lambda each: each.hosts["S3"].applied_index == each.commit_index, 3000)


def lost_snapshot(cluster: Cluster) -> bool:
    """S3 lacks what S1 has compacted, and the first snapshot is lost."""
    cluster.drop(left_behind_a_snapshot(cluster))
    return catches_up(cluster)


@exhibited("snapshot-sent-once", lost_snapshot, options=ALL)
class SendsItOnce(RaftStateMachine):
    """A lost snapshot is not sent again.

    A leader waits for the answer to a snapshot and does nothing else. One lost message leaves the
    follower behind for ever.

    Source: F12: nim-raft's fork, 30 s without a message; paper 7.
    """

    def wait_for_snapshot(self, progress: FollowerProgress) -> None:
        """A snapshot that nobody answers is waited for."""


def long_snapshot(cluster: Cluster) -> bool:
    """The snapshot takes longer to S3 than S3 waits for a leader."""
    cluster.delay(left_behind_a_snapshot(cluster), 450)
    cluster.run(20)
    return not cluster.run_until(lambda each: each.hosts["S3"].machine.role is Role.CANDIDATE, 400)


@exhibited(
    "silent-during-snapshot",
    long_snapshot,
    options=ALL,
    tuning=replace(CALM, options=Options(pre_vote=False), afterwards=snapshot_is_slow),
)
class SaysNothingMeanwhile(RaftStateMachine):
    """Nothing is said while a snapshot is under way.

    A leader sends no heartbeats to a server that is getting a snapshot. A long transfer then looks
    like a dead leader, and the server campaigns.

    Source: F12: nim-raft's fork, no message at all in that state; paper 7, 5.2.
    """

    def send_append(self, progress: FollowerProgress, entries: tuple[LogEntry, ...]) -> bool:
        """While a snapshot is on its way, its receiver hears nothing else."""
        waits = progress.state is ProgressState.SNAPSHOT
        return False if waits else super().send_append(progress, entries)


def more_behind_a_snapshot(cluster: Cluster) -> bool:
    """S3 lacks what S1 has compacted, and one more command."""
    left_behind_a_snapshot(cluster)
    index = cluster.propose("y=1")
    return cluster.run_until(lambda each: each.hosts["S3"].applied_index >= index, 3000)


@exhibited("snapshot-loop", more_behind_a_snapshot, options=ALL, tuning=NO_COPIES)
class SendsItForEver(RaftStateMachine):
    """A snapshot is sent for ever.

    The leader does not note that a snapshot has arrived and sends it again. The follower gets the
    same snapshot thousands of times, and never what comes after it.

    Source: F11: nim-raft's PR#10, 1,000 snapshots in 5 s; E11: etcd#10308; paper 7.
    """

    def on_accepted(
        self, leader: Leader, progress: FollowerProgress, last_new_index: Index
    ) -> None:
        """A snapshot that has arrived is not taken note of, and so is the next thing to send."""
        if progress.state is ProgressState.SNAPSHOT:
            progress.become_probe()
            progress.next_index = progress.match_index + 1
        else:
            super().on_accepted(leader, progress, last_new_index)


def command_commits(cluster: Cluster) -> bool:
    """One election, one command."""
    settle(cluster, "S1", 200)
    index = cluster.propose("x=1")
    return cluster.run_until(lambda each: each.commit_index >= index, 2000)


@exhibited("last-entry-waits", command_commits)
class LastEntryWaits(Rules):
    """The last entry never commits.

    A loop over the log stops one entry too early. The newest command is committed when the next one
    comes, so a client that waits for its answer waits for a stranger.

    Source: S25: nim-raft's commit; paper, Figure 2, Leaders, last rule.
    """

    def leader_commit_index(
        self, matched: Index, log: RaftLog, term: Term, commit_index: Index
    ) -> Index:
        """An entry is committed when there is another one behind it."""
        return super().leader_commit_index(
            min(matched, log.last_index - 1), log, term, commit_index
        )


@exhibited("no-first-entry", command_commits, tuning=NO_COPIES)
class NothingIsNoEntry(Rules):
    """The first entry never fits.

    The place before the first entry is not treated as a match. No follower ever accepts the first
    entry, and nothing is ever committed.

    Source: S6, M13: nim-raft's matchTerm(0); paper 5.3.
    """

    def accepts_append(self, log: RaftLog, prev_log_index: Index, prev_log_term: Term) -> bool:
        """The entry before the first one is looked for like any other, and is not there."""
        return prev_log_index > 0 and super().accepts_append(log, prev_log_index, prev_log_term)

"""Exhibits: entries and snapshots that never get through."""

# ruff: noqa: D102 - the class says what its override gets wrong

from raftlab.check.museum.exhibit import Exhibit
from raftlab.check.museum.staging import (
    ALL,
    CALM,
    NO_COPIES,
    lead,
    lead_and_settle,
    left_behind_a_snapshot,
    machine_of,
    stale_tail,
)
from raftlab.raft.log import LogEntry, RaftLog
from raftlab.raft.machine import RaftStateMachine
from raftlab.raft.messages import Rejected
from raftlab.raft.options import Options
from raftlab.raft.progress import FollowerProgress, ProgressState
from raftlab.raft.roles import Leader, Role
from raftlab.raft.rules import Rules
from raftlab.raft.vocabulary import Index, Term
from raftlab.sim.cluster import Cluster


class NoEmptyEntry(Rules):
    """A new leader waits for a command before it appends anything."""

    def appends_at_term_start(self) -> bool:
        return False


class NeverGoesBack(Rules):
    """After a rejection the leader tries the same place again."""

    def next_index_after(
        self, rejected: Rejected, log: RaftLog, progress: FollowerProgress
    ) -> Index:
        return rejected.non_matching_index + 1


class EveryRejectionIsStray(Rules):
    """Rejections are taken for late ones."""

    def is_stray_rejection(self, rejected: Rejected, progress: FollowerProgress) -> bool:
        return True


def inherited_entry(cluster: Cluster) -> bool:
    """S1 dies when S2 and S3 have its command, and before they know that it is committed."""
    lead_and_settle(cluster, "S1")
    index = cluster.propose("x=1")
    cluster.run_until(lambda each: each.hosts["S2"].disk.last_index == index, 100)
    cluster.run_until(lambda each: each.hosts["S3"].disk.last_index == index, 100)
    cluster.crash("S1")
    lead(cluster, "S2")
    return cluster.run_until(lambda each: machine_of(each, "S2").commit_index >= index, 2000)


def stale_tail_is_mended(cluster: Cluster) -> bool:
    """S3 comes back, with entries that nobody else has."""
    stale_tail(cluster)
    lead(cluster, "S2")
    cluster.heal()
    return cluster.run_until(
        lambda each: machine_of(each, "S3").log == machine_of(each, "S2").log, 2000
    )


class SendsItOnce(RaftStateMachine):
    """A snapshot that nobody answers is waited for."""

    __slots__ = ()

    def _wait_for_snapshot(self, progress: FollowerProgress) -> None:
        pass


class SaysNothingMeanwhile(RaftStateMachine):
    """While a snapshot is on its way, its receiver hears nothing else."""

    __slots__ = ()

    def _send_append(self, progress: FollowerProgress, entries: tuple[LogEntry, ...]) -> bool:
        waits = progress.state is ProgressState.SNAPSHOT
        return False if waits else super()._send_append(progress, entries)


def catches_up(cluster: Cluster) -> bool:
    """Whether S3 gets all that is committed."""
    return cluster.run_until(lambda each: each.hosts["S3"].applied_index == each.commit_index, 3000)


def lost_snapshot(cluster: Cluster) -> bool:
    """S3 lacks what S1 has compacted, and the first snapshot is lost."""
    cluster.drop(left_behind_a_snapshot(cluster))
    return catches_up(cluster)


def long_snapshot(cluster: Cluster) -> bool:
    """The snapshot takes longer to S3 than S3 waits for a leader."""
    cluster.delay(left_behind_a_snapshot(cluster), 450)
    cluster.run(20)
    return not cluster.run_until(lambda each: machine_of(each, "S3").role is Role.CANDIDATE, 400)


class SendsItForEver(RaftStateMachine):
    """A snapshot that has arrived is not taken note of, and so is the next thing to send."""

    __slots__ = ()

    def _on_accepted(
        self, leader: Leader, progress: FollowerProgress, last_new_index: Index
    ) -> None:
        if progress.state is ProgressState.SNAPSHOT:
            progress.become_probe()
            progress.next_index = progress.match_index + 1
        else:
            super()._on_accepted(leader, progress, last_new_index)


class LastEntryWaits(Rules):
    """An entry is committed when there is another one behind it."""

    def leader_commit_index(
        self, matched: Index, log: RaftLog, term: Term, commit_index: Index
    ) -> Index:
        return super().leader_commit_index(
            min(matched, log.last_index - 1), log, term, commit_index
        )


class NothingIsNoEntry(Rules):
    """The entry before the first one is looked for like any other, and is not there."""

    def accepts_append(self, log: RaftLog, prev_log_index: Index, prev_log_term: Term) -> bool:
        return prev_log_index > 0 and super().accepts_append(log, prev_log_index, prev_log_term)


def more_behind_a_snapshot(cluster: Cluster) -> bool:
    """S3 lacks what S1 has compacted, and one more command."""
    left_behind_a_snapshot(cluster)
    index = cluster.propose("y=1")
    return cluster.run_until(lambda each: each.hosts["S3"].applied_index >= index, 3000)


def command_commits(cluster: Cluster) -> bool:
    """One election, one command."""
    lead_and_settle(cluster, "S1")
    index = cluster.propose("x=1")
    return cluster.run_until(lambda each: each.commit_index >= index, 2000)


EXHIBITS = (
    Exhibit(
        name="no-empty-entry",
        title="a new leader appends nothing",
        source=(
            "the text of nim-raft's seed has lost the no-op of becomeLeader; paper 8, third part"
        ),
        wrong={"rules": NoEmptyEntry()},
        run=inherited_entry,
        story=(
            "A new leader waits for a client before it appends anything. What its predecessor"
            " left behind stays uncommitted, and whoever waits for it waits until somebody "
            "else writes."
        ),
    ),
    Exhibit(
        name="next-never-goes-back",
        title="the next index never goes back",
        source="S32, M10: nim-raft; paper 5.3",
        wrong={"rules": NeverGoesBack()},
        run=stale_tail_is_mended,
        campaign={"network": NO_COPIES},
        story=(
            "After a rejection the leader sends the same again. A follower that missed "
            "something is never mended, and one more failure stops the cluster."
        ),
    ),
    Exhibit(
        name="every-rejection-stray",
        title="every rejection is taken for a late one",
        source="F6: nim-raft's fork, 750 rejections in 30 s; paper 5.3",
        wrong={"rules": EveryRejectionIsStray()},
        run=stale_tail_is_mended,
        campaign={"network": NO_COPIES},
        story=(
            "The leader takes each rejection for an old message and drops it. The follower "
            "rejects for ever, on a network that loses nothing."
        ),
    ),
    Exhibit(
        name="snapshot-sent-once",
        title="a lost snapshot is not sent again",
        source="F12: nim-raft's fork, 30 s without a message; paper 7",
        wrong={"machine": SendsItOnce},
        run=lost_snapshot,
        given={"options": ALL},
        story=(
            "A leader waits for the answer to a snapshot and does nothing else. One lost "
            "message leaves the follower behind for ever."
        ),
    ),
    Exhibit(
        name="silent-during-snapshot",
        title="nothing is said while a snapshot is under way",
        source="F12: nim-raft's fork, no message at all in that state; paper 7, 5.2",
        wrong={"machine": SaysNothingMeanwhile},
        run=long_snapshot,
        given={"options": ALL},
        campaign={**CALM, "options": Options(pre_vote=False), "afterwards": "snapshot_is_slow"},
        story=(
            "A leader sends no heartbeats to a server that is getting a snapshot. A long "
            "transfer then looks like a dead leader, and the server campaigns."
        ),
    ),
    Exhibit(
        name="snapshot-loop",
        title="a snapshot is sent for ever",
        source="F11: nim-raft's PR#10, 1,000 snapshots in 5 s; E11: etcd#10308; paper 7",
        wrong={"machine": SendsItForEver},
        run=more_behind_a_snapshot,
        given={"options": ALL},
        campaign={"network": NO_COPIES},
        story=(
            "The leader does not note that a snapshot has arrived and sends it again. The "
            "follower gets the same snapshot thousands of times, and never what comes after "
            "it."
        ),
    ),
    Exhibit(
        name="last-entry-waits",
        title="the last entry never commits",
        source="S25: nim-raft's commit; paper, Figure 2, Leaders, last rule",
        wrong={"rules": LastEntryWaits()},
        run=command_commits,
        story=(
            "A loop over the log stops one entry too early. The newest command is committed "
            "when the next one comes, so a client that waits for its answer waits for a "
            "stranger."
        ),
    ),
    Exhibit(
        name="no-first-entry",
        title="the first entry never fits",
        source="S6, M13: nim-raft's matchTerm(0); paper 5.3",
        wrong={"rules": NothingIsNoEntry()},
        run=command_commits,
        campaign={"network": NO_COPIES},
        story=(
            "The place before the first entry is not treated as a match. No follower ever "
            "accepts the first entry, and nothing is ever committed."
        ),
    ),
)

"""Exhibits: snapshots, taken and sent. Paper: 7."""

from msgspec.structs import replace

from raftlab.check.campaign.faults import crash, delay_long, isolate, partition, perturb_message
from raftlab.museum.exhibit import exhibited
from raftlab.museum.runs import ALL, SMALL, left_behind_a_snapshot, stale_tail
from raftlab.raft.log import RaftLog, Snapshot
from raftlab.raft.machine import RaftStateMachine
from raftlab.raft.messages import InstallSnapshot
from raftlab.raft.rules import Rules
from raftlab.raft.vocabulary import Index
from raftlab.sim.cluster import Cluster
from raftlab.sim.fixtures import is_a, settle, until_sent
from raftlab.sim.watch.properties import (
    COMMITTED_STAYS,
    DURABLE_BEFORE_SAID,
    LOG_TERMS_RISE,
    SNAPSHOTS_ARE_TRUE,
)
from raftlab.sim.world.settings import Disks, Network


def late_snapshot(cluster: Cluster) -> None:
    """S3 gets a snapshot, then one more command, and then a copy of the snapshot."""
    cluster.duplicate(left_behind_a_snapshot(cluster))
    copy = until_sent(cluster, "S1", "S3", is_a(InstallSnapshot))
    cluster.delay(copy, 1000)
    cluster.run(100)
    cluster.propose("y=1")
    cluster.run(200)
    cluster.deliver(copy)
    cluster.run(100)


@exhibited(
    "old-snapshot",
    late_snapshot,
    breaks=COMMITTED_STAYS,
    options=ALL,
    tuning=replace(
        SMALL,
        disks=Disks(snapshot_every=5),
        network=Network(loss=0.1, duplication=0.3, reordering=0.3),
        verbs=(isolate, isolate, partition, delay_long, perturb_message, crash),
    ),
)
class TakesOldSnapshots(Rules):
    """An older snapshot is taken.

    A snapshot is installed without asking whether the log is already further. A late copy of one
    takes a server back in time, and commands are executed a second time or forgotten.

    Source: H18: ScyllaDB's test_reject_outdated_remote_snapshot; F4: nim-raft; paper 7.
    """

    def takes_snapshot(self, snapshot: Snapshot, commit_index: Index) -> bool:
        """A snapshot is taken although more is known already."""
        return True


def behind_a_snapshot(cluster: Cluster) -> None:
    """S3 lacks what S1 has compacted."""
    left_behind_a_snapshot(cluster)
    cluster.run(300)


@exhibited("snapshot-not-kept", behind_a_snapshot, breaks=DURABLE_BEFORE_SAID, options=ALL)
class TakesNoSnapshot(Rules):
    """A snapshot is acknowledged and not taken.

    A server says that it has the snapshot, and has not kept it. The leader counts on entries that
    this server lacks, and commits what a majority does not hold.

    Source: E38: dragonboat PR#409; paper 7, Figure 13, last rule.
    """

    def takes_snapshot(self, snapshot: Snapshot, commit_index: Index) -> bool:
        """A snapshot is acknowledged, and not taken."""
        return False


def stale_tail_meets_snapshot(cluster: Cluster) -> None:
    """S3 comes back, with entries that nobody else has, and gets a snapshot up to the first."""
    stale_tail(cluster)
    cluster.compact("S1")
    cluster.heal()
    cluster.run(300)


@exhibited(
    "conflicting-tail",
    stale_tail_meets_snapshot,
    breaks=LOG_TERMS_RISE,
    options=ALL,
    tuning=replace(SMALL, disks=Disks(snapshot_every=1)),
)
class KeepsAnyTail(Rules):
    """A tail that does not fit is kept.

    A server keeps what follows a snapshot in its log without asking whether both belong together.
    Old entries survive behind the snapshot and pass for entries of the new leader.

    Source: H19: openraft 674e78aa; F14: nim-raft; paper 7, Figure 13, rules 6 and 7.
    """

    def keeps_tail(self, log: RaftLog, snapshot: Snapshot) -> bool:
        """What follows a snapshot in the log stays, whether or not it fits."""
        return True


def compacted_too_soon(cluster: Cluster) -> None:
    """S1 is cut off with a command, and compacts its log."""
    settle(cluster, "S1", 200)
    cluster.isolate("S1")
    cluster.propose("x=1")
    cluster.run(20)
    cluster.compact("S1")
    cluster.run(20)


@exhibited("compacts-uncommitted", compacted_too_soon, breaks=SNAPSHOTS_ARE_TRUE, options=ALL)
class CompactsMore(RaftStateMachine):
    """What is not committed is compacted.

    A snapshot replaces the whole log, committed or not. What was only proposed becomes permanent on
    one server, and the others never agreed to it.

    Source: folklore: paper 7, "only committed entries".
    """

    def compact(self, up_to: Index, data: bytes = b"") -> None:
        """The whole log is compacted, committed or not."""
        log = self.log
        configuration = log.configuration_at(log.last_index) or self._first_configuration
        self._keep_snapshot(Snapshot(log.last_index, log.last_term, configuration, data))


def compacted_while_joint(cluster: Cluster) -> None:
    """S2 compacts its log where the configuration is joint."""
    settle(cluster, "S1", 200)
    cluster.add_node("S4")
    joint = cluster.reconfigure("S1 S2 S4")
    cluster.run_until(lambda each: each.hosts["S2"].applied_index == joint, 500)
    cluster.compact("S2")
    cluster.run(20)


@exhibited("snapshot-not-joint", compacted_while_joint, breaks=SNAPSHOTS_ARE_TRUE, options=ALL)
class ForgetsTheOldHalf(RaftStateMachine):
    """A snapshot loses the old voters.

    A snapshot that is taken in the middle of a change of members keeps the new voters and drops the
    old ones. A server that starts from it counts one majority where two are needed.

    Source: E6: etcd e515a67; paper 6, 7.
    """

    def _keep_snapshot(self, snapshot: Snapshot) -> None:
        """Of a joint configuration, a snapshot keeps the new half."""
        super()._keep_snapshot(
            replace(snapshot, configuration=snapshot.configuration.without_old())
        )

"""Exhibits: snapshots, taken and sent. Paper: 7."""

# ruff: noqa: D102 - the class says what its override gets wrong

from msgspec.structs import replace

from raftlab.check.museum.exhibit import Exhibit
from raftlab.check.museum.staging import (
    ALL,
    SMALL,
    is_snapshot,
    lead_and_settle,
    left_behind_a_snapshot,
    stale_tail,
    until_sent,
)
from raftlab.raft.log import RaftLog, Snapshot
from raftlab.raft.machine import RaftStateMachine
from raftlab.raft.rules import Rules
from raftlab.raft.vocabulary import Index
from raftlab.sim.cluster import Cluster
from raftlab.sim.watch.properties import (
    COMMITTED_STAYS,
    DURABLE_BEFORE_SAID,
    LOG_TERMS_RISE,
    SNAPSHOTS_ARE_TRUE,
)
from raftlab.sim.world.settings import Disks, Network


class TakesOldSnapshots(Rules):
    """A snapshot is taken although more is known already."""

    def takes_snapshot(self, snapshot: Snapshot, commit_index: Index) -> bool:
        return True


class TakesNoSnapshot(Rules):
    """A snapshot is acknowledged, and not taken."""

    def takes_snapshot(self, snapshot: Snapshot, commit_index: Index) -> bool:
        return False


class KeepsAnyTail(Rules):
    """What follows a snapshot in the log stays, whether or not it fits."""

    def keeps_tail(self, log: RaftLog, snapshot: Snapshot) -> bool:
        return True


class CompactsMore(RaftStateMachine):
    """The whole log is compacted, committed or not."""

    __slots__ = ()

    def compact(self, up_to: Index, data: bytes = b"") -> None:
        log = self.log
        configuration = log.configuration_at(log.last_index) or self._first_configuration
        self._keep_snapshot(Snapshot(log.last_index, log.last_term, configuration, data))


class ForgetsTheOldHalf(RaftStateMachine):
    """Of a joint configuration, a snapshot keeps the new half."""

    __slots__ = ()

    def _keep_snapshot(self, snapshot: Snapshot) -> None:
        super()._keep_snapshot(
            replace(snapshot, configuration=snapshot.configuration.without_old())
        )


def behind_a_snapshot(cluster: Cluster) -> None:
    """S3 lacks what S1 has compacted."""
    left_behind_a_snapshot(cluster)
    cluster.run(300)


def late_snapshot(cluster: Cluster) -> None:
    """S3 gets a snapshot, then one more command, and then a copy of the snapshot."""
    cluster.duplicate(left_behind_a_snapshot(cluster))
    copy = until_sent(cluster, "S1", "S3", is_snapshot)
    cluster.delay(copy, 1000)
    cluster.run(100)
    cluster.propose("y=1")
    cluster.run(200)
    cluster.deliver(copy)
    cluster.run(100)


def stale_tail_meets_snapshot(cluster: Cluster) -> None:
    """S3 comes back, with entries that nobody else has, and gets a snapshot up to the first."""
    stale_tail(cluster)
    cluster.compact("S1")
    cluster.heal()
    cluster.run(300)


def compacted_too_soon(cluster: Cluster) -> None:
    """S1 is cut off with a command, and compacts its log."""
    lead_and_settle(cluster, "S1")
    cluster.isolate("S1")
    cluster.propose("x=1")
    cluster.run(20)
    cluster.compact("S1")
    cluster.run(20)


def compacted_while_joint(cluster: Cluster) -> None:
    """S2 compacts its log where the configuration is joint."""
    lead_and_settle(cluster, "S1")
    cluster.add_node("S4")
    joint = cluster.reconfigure("S1 S2 S4")
    cluster.run_until(lambda each: each.hosts["S2"].applied_index == joint, 500)
    cluster.compact("S2")
    cluster.run(20)


COPIES = {
    **SMALL,
    "disks": Disks(snapshot_every=5),
    "network": Network(loss=0.1, duplication=0.3, reordering=0.3),
    "verbs": "isolate isolate partition hold_back touch_message crash",
}

EXHIBITS = (
    Exhibit(
        name="old-snapshot",
        title="an older snapshot is taken",
        source="H18: ScyllaDB's test_reject_outdated_remote_snapshot; F4: nim-raft; paper 7",
        wrong={"rules": TakesOldSnapshots()},
        run=late_snapshot,
        breaks=COMMITTED_STAYS,
        is_safety=True,
        given={"options": ALL},
        campaign=COPIES,
        story=(
            "A snapshot is installed without asking whether the log is already further. A "
            "late copy of one takes a server back in time, and commands are executed a second"
            " time or forgotten."
        ),
    ),
    Exhibit(
        name="snapshot-not-kept",
        title="a snapshot is acknowledged and not taken",
        source="E38: dragonboat PR#409; paper 7, Figure 13, last rule",
        wrong={"rules": TakesNoSnapshot()},
        run=behind_a_snapshot,
        breaks=DURABLE_BEFORE_SAID,
        is_safety=True,
        given={"options": ALL},
        story=(
            "A server says that it has the snapshot, and has not kept it. The leader counts "
            "on entries that this server lacks, and commits what a majority does not hold."
        ),
    ),
    Exhibit(
        name="conflicting-tail",
        title="a tail that does not fit is kept",
        source="H19: openraft 674e78aa; F14: nim-raft; paper 7, Figure 13, rules 6 and 7",
        wrong={"rules": KeepsAnyTail()},
        run=stale_tail_meets_snapshot,
        breaks=LOG_TERMS_RISE,
        is_safety=True,
        given={"options": ALL},
        campaign={**SMALL, "disks": Disks(snapshot_every=1)},
        story=(
            "A server keeps what follows a snapshot in its log without asking whether both "
            "belong together. Old entries survive behind the snapshot and pass for entries of"
            " the new leader."
        ),
    ),
    Exhibit(
        name="compacts-uncommitted",
        title="what is not committed is compacted",
        source='folklore: paper 7, "only committed entries"',
        wrong={"machine": CompactsMore},
        run=compacted_too_soon,
        breaks=SNAPSHOTS_ARE_TRUE,
        is_safety=True,
        given={"options": ALL},
        story=(
            "A snapshot replaces the whole log, committed or not. What was only proposed "
            "becomes permanent on one server, and the others never agreed to it."
        ),
    ),
    Exhibit(
        name="snapshot-not-joint",
        title="a snapshot loses the old voters",
        source="E6: etcd e515a67; paper 6, 7",
        wrong={"machine": ForgetsTheOldHalf},
        run=compacted_while_joint,
        breaks=SNAPSHOTS_ARE_TRUE,
        is_safety=True,
        given={"options": ALL},
        story=(
            "A snapshot that is taken in the middle of a change of members keeps the new "
            "voters and drops the old ones. A server that starts from it counts one majority "
            "where two are needed."
        ),
    ),
)

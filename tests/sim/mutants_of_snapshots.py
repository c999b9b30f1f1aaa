"""Mistakes with snapshots, with what they carry, and with writes under way. See `mutants.py`."""

import msgspec
from msgspec.structs import replace

from raftlab import Cluster, Options, RaftStateMachine, Role, Rules
from raftlab.raft.log import Snapshot
from raftlab.raft.messages import InstallSnapshot
from raftlab.raft.progress import ProgressState
from raftlab.sim.invariants import (
    COMMIT_FOLLOWS_QUORUM,
    COMMITTED_STAYS,
    DURABLE_BEFORE_SAID,
    LOG_TERMS_RISE,
    SNAPSHOTS_ARE_TRUE,
)
from raftlab.sim.key_value import Saved
from tests.sim.mutants import (
    Mutant,
    lead,
    lead_and_settle,
    one_command,
    stale_tail,
    until_sent,
)

ALL = Options(catch_up_first=False)
WRITES_LATER = Options.figure_2(async_persistence=True)


# Unsafe: snapshots


class TakesOldSnapshots(Rules):
    """A snapshot is taken although more is known already."""

    def takes_snapshot(self, snapshot, commit_index):
        return True


class TakesNoSnapshot(Rules):
    """A snapshot is acknowledged, and not taken."""

    def takes_snapshot(self, snapshot, commit_index):
        return False


class KeepsAnyTail(Rules):
    """What follows a snapshot in the log stays, whether or not it fits."""

    def keeps_tail(self, log, snapshot):
        return True


class CompactsMore(RaftStateMachine):
    """The whole log is compacted, committed or not."""

    __slots__ = ()

    def compact(self, up_to, data=b""):
        log = self.log
        configuration = log.configuration_at(log.last_index) or self.first_configuration
        self._keep_snapshot(Snapshot(log.last_index, log.last_term, configuration, data))


class ForgetsTheOldHalf(RaftStateMachine):
    """Of a joint configuration, a snapshot keeps the new half."""

    __slots__ = ()

    def _keep_snapshot(self, snapshot):
        super()._keep_snapshot(
            replace(snapshot, configuration=snapshot.configuration.without_old())
        )


class ForgetsSessions(RaftStateMachine):
    """A snapshot holds the values, and not the sessions of the clients."""

    __slots__ = ()

    def compact(self, up_to, data=b""):
        saved = msgspec.json.decode(data, type=Saved)
        super().compact(up_to, msgspec.json.encode(replace(saved, sessions={})))


def is_snapshot(message: object) -> bool:
    return isinstance(message, InstallSnapshot)


def left_behind_a_snapshot(cluster: Cluster) -> int:
    """S3 missed what S1 has compacted; the number of the snapshot that S1 sends it."""
    lead_and_settle(cluster, "S1")
    cluster.isolate("S3")
    cluster.propose("x=1")
    cluster.run(100)
    cluster.compact("S1")
    cluster.heal()
    return until_sent(cluster, "S1", "S3", is_snapshot)


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


def retried_behind_a_snapshot(cluster: Cluster) -> None:
    """A client's session is in the snapshot that S3 gets, and the client goes on."""
    lead_and_settle(cluster, "S1")
    cluster.isolate("S3")
    cluster.propose("open c1")
    cluster.propose("c1#1 x+=1")
    cluster.run(100)
    cluster.compact("S1")
    cluster.heal()
    cluster.run(300)
    cluster.propose("c1#2 x+=1")
    cluster.run(200)
    cluster.compact("S2")
    cluster.compact("S3")
    cluster.run(20)


# Unsafe: writes under way


class SendsAllAtOnce(RaftStateMachine):
    """No message waits for the disk."""

    __slots__ = ()

    def poll(self):
        output = super().poll()
        at_once = (*output.messages_at_once, *output.messages)
        return replace(output, messages=(), messages_at_once=at_once) if at_once else output


class CountsWhatItWrites(RaftStateMachine):
    """A leader counts its own copy while it is being written."""

    __slots__ = ()

    def poll(self):
        output = super().poll()
        if output.log_entries and self.role is Role.LEADER:
            self._own_copy_is_durable(output.log_entries[-1].index)
        return output


class HearsLateOfItsWrites(RaftStateMachine):
    """S1's correct host says late, when S1 leads anew, that what S1 wrote in term 1 is on disk."""

    __slots__ = ("late",)

    def persisted(self, output):
        entries = output.log_entries
        if self.node_id == "S1" and entries and entries[-1].term == 1:
            self.late = output
        else:
            super().persisted(output)

    def poll(self):
        output = super().poll()
        if self.role is Role.LEADER and self.term > 1 and hasattr(self, "late"):
            super().persisted(self.late)
        return output


class AnyEntryIsTheOne(Rules):
    """An entry that reached the disk late is taken for the one that is at its place now."""

    def is_still_there(self, written, log):
        return True


def slow_leader(cluster: Cluster) -> None:
    """S1's disk is slow; S2 has the command, and S3 is down."""
    lead_and_settle(cluster, "S1")
    cluster.crash("S3")
    cluster.slow_disk("S1", 200)
    cluster.propose("x=1")
    cluster.run(100)


def another_entry_at_its_place(cluster: Cluster) -> None:
    """S1 wrote entries 2 to 4 in term 1, and leads term 3, where entry 4 is another one."""
    lead_and_settle(cluster, "S1")
    cluster.isolate("S1")
    for value in (1, 2, 3):
        cluster.propose(f"x={value}", to="S1")
    cluster.run(20)
    lead(cluster, "S2")
    cluster.heal()
    cluster.run(300)
    lead(cluster, "S1")
    cluster.run(100)
    cluster.crash("S3")
    cluster.slow_disk("S1", 200)
    cluster.propose("y=1")
    cluster.run(100)


UNSAFE_SNAPSHOTS = (
    Mutant(
        "an older snapshot is taken",
        "H18: ScyllaDB's test_reject_outdated_remote_snapshot; F4: nim-raft",
        {"rules": TakesOldSnapshots()},
        late_snapshot,
        COMMITTED_STAYS,
        given={"options": ALL},
    ),
    Mutant(
        "a snapshot is acknowledged and not taken",
        "E38: dragonboat PR#409; paper 7, Figure 13, last rule",
        {"rules": TakesNoSnapshot()},
        behind_a_snapshot,
        DURABLE_BEFORE_SAID,
        given={"options": ALL},
    ),
    Mutant(
        "a tail that does not fit is kept",
        "H19: openraft 674e78aa; F14: nim-raft; paper 7, Figure 13, rules 6 and 7",
        {"rules": KeepsAnyTail()},
        stale_tail_meets_snapshot,
        LOG_TERMS_RISE,
        given={"options": ALL},
    ),
    Mutant(
        "what is not committed is compacted",
        'paper 7, "only committed entries"',
        {"machine": CompactsMore},
        compacted_too_soon,
        SNAPSHOTS_ARE_TRUE,
        given={"options": ALL},
    ),
    Mutant(
        "a snapshot loses the old voters",
        "E6: etcd e515a67",
        {"machine": ForgetsTheOldHalf},
        compacted_while_joint,
        SNAPSHOTS_ARE_TRUE,
        given={"options": ALL},
    ),
    Mutant(
        "a snapshot loses the sessions",
        "H26: thesis 6.3, sessions belong to the state",
        {"machine": ForgetsSessions},
        retried_behind_a_snapshot,
        SNAPSHOTS_ARE_TRUE,
        given={"options": ALL},
    ),
    Mutant(
        "acknowledgements do not wait for the disk",
        "H23: NATS 2.12; thesis 10.2.1 lets only leaders speak first",
        {"machine": SendsAllAtOnce},
        one_command,
        DURABLE_BEFORE_SAID,
        given={"options": WRITES_LATER},
    ),
    Mutant(
        "a leader counts what it is writing",
        "H23: openraft a9f696a9; thesis 10.2.1",
        {"machine": CountsWhatItWrites},
        slow_leader,
        COMMIT_FOLLOWS_QUORUM,
        given={"options": WRITES_LATER},
    ),
    Mutant(
        "a late write is taken for another one",
        "E16: etcd 897e1cf, an ABA race",
        {"rules": AnyEntryIsTheOne()},
        another_entry_at_its_place,
        COMMIT_FOLLOWS_QUORUM,
        given={"options": WRITES_LATER, "machine": HearsLateOfItsWrites},
    ),
)


# Stuck


class SendsItOnce(RaftStateMachine):
    """A snapshot that nobody answers is waited for."""

    __slots__ = ()

    def wait_for_snapshot(self, progress):
        pass


class SaysNothingMeanwhile(RaftStateMachine):
    """While a snapshot is on its way, its receiver hears nothing else."""

    __slots__ = ()

    def send_append(self, progress, entries):
        waits = progress.state is ProgressState.SNAPSHOT
        return False if waits else super().send_append(progress, entries)


def catches_up(cluster: Cluster) -> bool:
    return cluster.run_until(lambda each: each.hosts["S3"].applied_index == each.commit_index, 3000)


def lost_snapshot(cluster: Cluster) -> bool:
    """S3 lacks what S1 has compacted, and the first snapshot is lost."""
    cluster.drop(left_behind_a_snapshot(cluster))
    return catches_up(cluster)


def long_snapshot(cluster: Cluster) -> bool:
    """The snapshot takes longer to S3 than S3 waits for a leader."""
    cluster.delay(left_behind_a_snapshot(cluster), 450)
    cluster.run(20)
    return not cluster.run_until(lambda each: each.machine("S3").role is Role.CANDIDATE, 400)


STUCK_SNAPSHOTS = (
    Mutant(
        "a lost snapshot is not sent again",
        "F12: nim-raft's fork, 30 s without a message",
        {"machine": SendsItOnce},
        lost_snapshot,
        given={"options": ALL},
    ),
    Mutant(
        "nothing is said while a snapshot is under way",
        "F12: nim-raft's fork; E39: dragonboat, a long snapshot",
        {"machine": SaysNothingMeanwhile},
        long_snapshot,
        given={"options": ALL},
    ),
)

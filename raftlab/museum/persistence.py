"""Exhibits: what is on disk when something is said. Paper: Figure 2, persistent state."""

from msgspec.structs import replace

from raftlab.check.campaign.faults import force_election, isolate, partition, slow_disk
from raftlab.museum.exhibit import exhibited
from raftlab.museum.runs import SMALL, first_election, one_command, stale_tail_meets_leader
from raftlab.raft.log import Command, LogEntry, Payload, RaftLog
from raftlab.raft.machine import RaftStateMachine
from raftlab.raft.messages import AppendEntriesReply
from raftlab.raft.options import Options
from raftlab.raft.output import Output
from raftlab.raft.roles import Role
from raftlab.raft.rules import Rules
from raftlab.raft.vocabulary import Index
from raftlab.sim.cluster import Cluster
from raftlab.sim.fixtures import settle
from raftlab.sim.watch.properties import COMMIT_FOLLOWS_QUORUM, DURABLE_BEFORE_SAID
from raftlab.sim.world.settings import Disks


@exhibited("vote-not-saved", first_election, breaks=DURABLE_BEFORE_SAID)
class VoteNotSaved:
    """The vote is not saved.

    A vote is given, and never written to the disk. A voter that restarts gives it again to somebody
    else, and one term has two leaders.

    Source: H3: sofa-jraft#1241, braft's MixedMetaStorage; F7: nim-raft's fork; paper, Figure 2,
    persistent state.
    """

    disks = Disks(keeps=("term", "log"))


@exhibited("term-not-saved", first_election, breaks=DURABLE_BEFORE_SAID)
class TermNotSaved:
    """The term is not saved.

    The current term is kept in memory alone. A node that restarts is back in an old term, where it
    may vote and lead a second time.

    Source: H3; S24: nim-raft's poll hands out neither term nor vote; paper, Figure 2, persistent
    state.
    """

    disks = Disks(keeps=("voted_for", "log"))


@exhibited("log-not-saved", one_command, breaks=DURABLE_BEFORE_SAID)
class LogNotSaved:
    """The log is not saved.

    Entries are acknowledged and never reach the disk. One power failure later the acknowledged
    commands are gone, with nothing to tell that they ever were there.

    Source: H22: RethinkDB#5289 found by Jepsen; M7: nim-raft never hands out its entries; paper,
    Figure 2, persistent state.
    """

    disks = Disks(keeps=("term", "voted_for"))


@exhibited("speaks-before-writing", first_election, breaks=DURABLE_BEFORE_SAID)
class SpeaksBeforeWriting:
    """Messages leave before the write.

    A node sends its messages first and writes afterwards. If it crashes in between, it has said
    something that it cannot remember, such as a vote or a copy of an entry.

    Source: H4: sofa-jraft's electSelf; H23: NATS 2.12.1; paper, Figure 2, persistent state.
    """

    disks = Disks(waits=False)


def alone(cluster: Cluster) -> None:
    """A cluster of one takes a command."""
    cluster.elect()
    cluster.run(10)
    cluster.propose("x=1")
    cluster.run(10)


@exhibited("lone-leader-unwritten", alone, breaks=COMMIT_FOLLOWS_QUORUM, nodes=1)
class CountsTheUnwritten(RaftStateMachine):
    """A leader counts what it has not written.

    A cluster of one calls a command committed as soon as it is in memory. After a power failure the
    acknowledged command does not exist.

    Source: H23: openraft a9f696a9; thesis 10.2.1.
    """

    def add_entry(self, payload: Payload) -> Index:
        """A leader counts its own copy before it is on its disk."""
        index = super().add_entry(payload)
        if self.configuration.voters == (self.node_id,):
            self.commit_index = index
        return index


def slow_follower(cluster: Cluster) -> None:
    """S2's disk is slow, and S3 is down; S2 acknowledges a command and then loses power."""
    settle(cluster, "S1", 200)
    cluster.crash("S3")
    cluster.slow_disk("S2", 200)
    cluster.propose("x=1")
    cluster.run(100)
    cluster.crash("S2")


WRITES_LATER = Options.figure_2(async_persistence=True)


@exhibited(
    "acknowledges-unwritten", slow_follower, breaks=DURABLE_BEFORE_SAID, options=WRITES_LATER
)
class AcknowledgesAtOnce(RaftStateMachine):
    """Acknowledgements do not wait for the disk.

    A follower acknowledges commands while its disk is still at work on them. The leader counts
    copies that a power failure then takes away, and a command that a client was told is safe can be
    lost.

    Source: H23: NATS 2.12.1; thesis 10.2.1 lets only leaders speak first.
    """

    def poll(self) -> Output:
        """A follower acknowledges a command while it is being written."""
        output = super().poll()
        writes = any(isinstance(each.payload, Command) for each in output.log_entries)
        if not (self.options.async_persistence and writes):
            return output
        answers = [each for each in output.messages if isinstance(each, AppendEntriesReply)]
        return replace(
            output,
            messages=tuple(each for each in output.messages if each not in answers),
            messages_at_once=(*output.messages_at_once, *answers),
        )


def slow_leader(cluster: Cluster) -> None:
    """S1's disk is slow; S2 has the command, and S3 is down."""
    settle(cluster, "S1", 200)
    cluster.crash("S3")
    cluster.slow_disk("S1", 200)
    cluster.propose("x=1")
    cluster.run(100)


@exhibited("counts-while-writing", slow_leader, breaks=COMMIT_FOLLOWS_QUORUM, options=WRITES_LATER)
class CountsWhatItWrites(RaftStateMachine):
    """A leader counts what it is writing.

    A leader counts its own copy while the disk is still at work. It tells a client that a command
    is safe, loses power, and the next leader has never heard of it.

    Source: H23: openraft a9f696a9; thesis 10.2.1.
    """

    def poll(self) -> Output:
        """A leader counts its own copy while it is being written."""
        output = super().poll()
        if output.log_entries and self.role is Role.LEADER:
            self._own_copy_is_durable(output.log_entries[-1].index)
        return output


def another_entry_at_its_place(cluster: Cluster) -> None:
    """S1 wrote entries 2 to 4 in term 1, and leads term 3, where entry 4 is another one."""
    settle(cluster, "S1", 200)
    cluster.isolate("S1")
    for value in (1, 2, 3):
        cluster.propose(f"x={value}", to="S1")
    cluster.run(20)
    cluster.elect("S2")
    cluster.heal()
    cluster.run(300)
    settle(cluster, "S1", 100)
    cluster.crash("S3")
    cluster.slow_disk("S1", 200)
    cluster.propose("y=1")
    cluster.run(100)


class HearsLateOfItsWrites(RaftStateMachine):
    """Correct, with a host that tells a leader once more what it wrote in an earlier term."""

    late: Output | None = None

    def persisted(self, output: Output) -> None:
        """Remember the last write of all."""
        super().persisted(output)
        entries, late = output.log_entries, self.late
        if entries and (late is None or entries[-1].index > late.log_entries[-1].index):
            self.late = output

    def poll(self) -> Output:
        """Hear of it again as the leader of a later term."""
        output = super().poll()
        late = self.late
        if late is not None and self.role is Role.LEADER and late.log_entries[-1].term < self.term:
            super().persisted(late)
        return output


@exhibited(
    "aba-write",
    another_entry_at_its_place,
    breaks=COMMIT_FOLLOWS_QUORUM,
    options=WRITES_LATER,
    machine=HearsLateOfItsWrites,
    tuning=replace(
        SMALL,
        options=WRITES_LATER,
        machine=HearsLateOfItsWrites,
        verbs=(isolate, partition, slow_disk, force_election),
    ),
)
class AnyEntryIsTheOne(Rules):
    """A late write is taken for another one.

    The disk reports late that it has written an entry, and meanwhile another entry stands at that
    place. The leader counts a copy of the new entry that it does not have, and commits too early.

    Source: E16: etcd 897e1cf, an ABA race; thesis 10.2.1.
    """

    def is_still_there(self, written: LogEntry, log: RaftLog) -> bool:
        """An entry that reached the disk late is taken for the one that is at its place now."""
        return True


@exhibited("rewritten-not-saved", stale_tail_meets_leader, breaks=DURABLE_BEFORE_SAID)
class ForgetsToWriteAgain(RaftStateMachine):
    """What replaces an entry is not saved.

    A follower replaces wrong entries in memory and thinks that the disk has these places already.
    It acknowledges entries that a restart does not find.

    Source: F2: nim-raft's PR#10 and fork lose 5:t2; paper, Figure 2, persistent state.
    """

    def truncate(self, index: Index) -> None:
        """What takes the place of entries that were written is not written."""
        stable = self.log.stable_index
        super().truncate(index)
        self.log.stable_index = stable

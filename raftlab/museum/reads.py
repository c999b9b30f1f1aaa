"""Exhibits: reads that show the past. Thesis: 6.4."""

from collections.abc import Mapping

from msgspec.structs import replace

from raftlab.check.campaign.faults import delay_long, partition, perturb_message, read
from raftlab.museum.exhibit import exhibited
from raftlab.museum.runs import FAST, LEASES, SMALL, commit_and_answer
from raftlab.raft.log import RaftLog
from raftlab.raft.machine import RaftStateMachine
from raftlab.raft.messages import AppendEntriesReply, Message
from raftlab.raft.roles import Leader
from raftlab.raft.rules import Rules
from raftlab.raft.vocabulary import Configuration, Index, Millis, NodeId, Term
from raftlab.sim.cluster import Cluster
from raftlab.sim.fixtures import settle, until_sent
from raftlab.sim.watch.properties import READS_ARE_CURRENT
from raftlab.sim.world.settings import Disks, Network


def deposed_but_unaware(cluster: Cluster) -> None:
    """S1 led and is cut off; S2 leads now and has committed x=2."""
    settle(cluster, "S1", 200)
    cluster.isolate("S1")
    cluster.elect("S2")
    commit_and_answer(cluster, "x=2")


def read_of_the_deposed(cluster: Cluster) -> None:
    """S1 does not know that S2 leads and has committed x=2; a client asks S1 for x."""
    deposed_but_unaware(cluster)
    cluster.read("x", of="S1")
    cluster.run(100)


@exhibited("deposed-leader-reads", read_of_the_deposed, breaks=READS_ARE_CURRENT)
class AsksNobody(Rules):
    """A deposed leader answers reads.

    A leader answers reads from its own memory without asking whether it still leads. A client on
    the wrong side of a partition is shown values that were replaced long ago.

    Source: H14: Jepsen 2014 on etcd 0.4.1 and Consul; Xraft-KV#1; thesis 6.4.
    """

    def still_led_at(self, acked: Mapping[NodeId, int], configuration: Configuration) -> int:
        """A leader takes its own word for it that it still leads."""
        return max(acked.values())


def read_of_the_newly_elected(cluster: Cluster) -> None:
    """S1 dies when it alone knows that x=1 is committed; S2 leads, and is asked for x at once."""
    settle(cluster, "S1", 200)
    cluster.isolate("S3")
    commit_and_answer(cluster, "x=1")
    cluster.crash("S1")
    cluster.heal()
    cluster.elect("S2")
    cluster.read("x", of="S2")
    cluster.run(200)


@exhibited("reads-before-own-commit", read_of_the_newly_elected, breaks=READS_ARE_CURRENT)
class ReadsTooSoon(Rules):
    """A new leader answers reads too soon.

    A new leader answers reads before an entry of its own term is committed. It does not know yet
    what its predecessor had committed, and shows a value older than the one that was acknowledged.

    Source: H15: etcd#7331; E29: raft-rs 8c95a3f; thesis 6.4, step 1.
    """

    def may_read(self, log: RaftLog, commit_index: Index, term: Term) -> bool:
        """A new leader answers reads before it knows what is committed."""
        return True


def late_acknowledgement(cluster: Cluster) -> None:
    """What S2 said to S1 before S2 led reaches S1 when a client has asked it for x."""
    settle(cluster, "S1", 200)
    late = until_sent(cluster, "S2", "S1")
    cluster.delay(late, 2000)
    cluster.isolate("S1")
    cluster.elect("S2")
    commit_and_answer(cluster, "x=2")
    cluster.read("x", of="S1")
    cluster.deliver(late)
    cluster.run(50)


@exhibited(
    "late-ack-confirms",
    late_acknowledgement,
    breaks=READS_ARE_CURRENT,
    tuning=replace(
        SMALL,
        network=Network(),
        disks=Disks(),
        verbs=3 * (delay_long,) + 2 * (perturb_message,) + 2 * (partition,) + (read,),
    ),
)
class AnyAnswerWillDo(RaftStateMachine):
    """An older answer confirms a read.

    A leader takes any answer of a follower for the answer to its latest question. A message that
    was under way for long confirms a leadership that is over, and the client reads the past.

    Source: thesis 6.4, step 3; after H16: etcd#20418 and raft#397, where an older answer with the
    same id of the client's confirms.
    """

    def advance(self, message: Message, now: Millis) -> None:
        """Any answer of a follower counts for the question that is asked now."""
        if isinstance(message, AppendEntriesReply) and isinstance(self.role_data, Leader):
            message = replace(message, read_round=self._reads.round)
        super().advance(message, now)


def read_of_a_follower(cluster: Cluster) -> None:
    """S2 has not heard yet that x=1 is committed; a client asks S2 for x."""
    settle(cluster, "S1", 200)
    commit_and_answer(cluster, "x=1")
    cluster.read("x", of="S2")
    cluster.run(200)


@exhibited(
    "follower-reads-early",
    read_of_a_follower,
    breaks=READS_ARE_CURRENT,
    options=LEASES,
    network=FAST,
)
class ServesAtOnce(Rules):
    """A follower answers before it has caught up.

    A follower learns from the leader how far it must be for a read, and answers without getting
    there. The client does not see its own last write.

    Source: thesis 6.4, step 4.
    """

    def may_serve_read(self, index: Index, commit_index: Index) -> bool:
        """A follower answers as soon as its leader has, with whatever it has applied."""
        return True

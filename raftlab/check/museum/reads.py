"""Exhibits: reads that show the past. Thesis: 6.4."""

# ruff: noqa: D102 - the class says what its override gets wrong

from collections.abc import Mapping

from msgspec.structs import replace

from raftlab.check.museum.exhibit import Exhibit
from raftlab.check.museum.staging import (
    FAST,
    LEASES,
    SMALL,
    anything,
    commit,
    lead,
    lead_and_settle,
    until_sent,
)
from raftlab.raft.log import RaftLog
from raftlab.raft.machine import RaftStateMachine
from raftlab.raft.messages import AppendEntriesReply, Message
from raftlab.raft.roles import Leader
from raftlab.raft.rules import Rules
from raftlab.raft.vocabulary import Configuration, Index, Millis, NodeId, Term
from raftlab.sim.cluster import Cluster
from raftlab.sim.watch.properties import READS_ARE_CURRENT
from raftlab.sim.world.settings import Disks, Network


class AsksNobody(Rules):
    """A leader takes its own word for it that it still leads."""

    def still_led_at(self, acked: Mapping[NodeId, int], configuration: Configuration) -> int:
        return max(acked.values())


class ReadsTooSoon(Rules):
    """A new leader answers reads before it knows what is committed."""

    def may_read(self, log: RaftLog, commit_index: Index, term: Term) -> bool:
        return True


class AnyAnswerWillDo(RaftStateMachine):
    """Any answer of a follower counts for the question that is asked now."""

    __slots__ = ()

    def advance(self, message: Message, now: Millis) -> None:
        if isinstance(message, AppendEntriesReply) and isinstance(self.role_data, Leader):
            message = replace(message, read_round=self._reads.round)
        super().advance(message, now)


class ServesAtOnce(Rules):
    """A follower answers as soon as its leader has, with whatever it has applied."""

    def may_serve_read(self, index: Index, commit_index: Index) -> bool:
        return True


def deposed_but_unaware(cluster: Cluster) -> None:
    """S1 led and is cut off; S2 leads now and has committed x=2."""
    lead_and_settle(cluster, "S1")
    cluster.isolate("S1")
    lead(cluster, "S2")
    commit(cluster, "x=2")


def read_of_the_deposed(cluster: Cluster) -> None:
    """S1 does not know that S2 leads and has committed x=2; a client asks S1 for x."""
    deposed_but_unaware(cluster)
    cluster.read("x", of="S1")
    cluster.run(100)


def read_of_the_newly_elected(cluster: Cluster) -> None:
    """S1 dies when it alone knows that x=1 is committed; S2 leads, and is asked for x at once."""
    lead_and_settle(cluster, "S1")
    cluster.isolate("S3")
    commit(cluster, "x=1")
    cluster.crash("S1")
    cluster.heal()
    lead(cluster, "S2")
    cluster.read("x", of="S2")
    cluster.run(200)


def late_acknowledgement(cluster: Cluster) -> None:
    """What S2 said to S1 before S2 led reaches S1 when a client has asked it for x."""
    lead_and_settle(cluster, "S1")
    late = until_sent(cluster, "S2", "S1", anything)
    cluster.delay(late, 2000)
    cluster.isolate("S1")
    lead(cluster, "S2")
    commit(cluster, "x=2")
    cluster.read("x", of="S1")
    cluster.deliver(late)
    cluster.run(50)


def read_of_a_follower(cluster: Cluster) -> None:
    """S2 has not heard yet that x=1 is committed; a client asks S2 for x."""
    lead_and_settle(cluster, "S1")
    commit(cluster, "x=1")
    cluster.read("x", of="S2")
    cluster.run(200)


HELD_BACK = {
    **SMALL,
    "network": Network(),
    "disks": Disks(),
    "verbs": "hold_back hold_back hold_back touch_message touch_message partition partition read",
}

EXHIBITS = (
    Exhibit(
        name="deposed-leader-reads",
        title="a deposed leader answers reads",
        source="H14: Jepsen 2014 on etcd 0.4.1 and Consul; Xraft-KV#1; thesis 6.4",
        wrong={"rules": AsksNobody()},
        run=read_of_the_deposed,
        breaks=READS_ARE_CURRENT,
        is_safety=True,
        story=(
            "A leader answers reads from its own memory without asking whether it still "
            "leads. A client on the wrong side of a partition is shown values that were "
            "replaced long ago."
        ),
    ),
    Exhibit(
        name="reads-before-own-commit",
        title="a new leader answers reads too soon",
        source="H15: etcd#7331; E29: raft-rs 8c95a3f; thesis 6.4, step 1",
        wrong={"rules": ReadsTooSoon()},
        run=read_of_the_newly_elected,
        breaks=READS_ARE_CURRENT,
        is_safety=True,
        story=(
            "A new leader answers reads before an entry of its own term is committed. It does"
            " not know yet what its predecessor had committed, and shows a value older than "
            "the one that was acknowledged."
        ),
    ),
    Exhibit(
        name="late-ack-confirms",
        title="an older answer confirms a read",
        source=(
            "thesis 6.4, step 3; after H16: etcd#20418 and raft#397, where an older answer with "
            "the same id of the client's confirms"
        ),
        wrong={"machine": AnyAnswerWillDo},
        run=late_acknowledgement,
        breaks=READS_ARE_CURRENT,
        is_safety=True,
        campaign=HELD_BACK,
        story=(
            "A leader takes any answer of a follower for the answer to its latest question. A"
            " message that was under way for long confirms a leadership that is over, and the"
            " client reads the past."
        ),
    ),
    Exhibit(
        name="follower-reads-early",
        title="a follower answers before it has caught up",
        source="thesis 6.4, step 4",
        wrong={"rules": ServesAtOnce()},
        run=read_of_a_follower,
        breaks=READS_ARE_CURRENT,
        is_safety=True,
        given={"options": LEASES, "network": FAST},
        story=(
            "A follower learns from the leader how far it must be for a read, and answers "
            "without getting there. The client does not see its own last write."
        ),
    ),
)

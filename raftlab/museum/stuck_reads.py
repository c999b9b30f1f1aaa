"""Exhibits: reads that nobody answers."""

from collections.abc import Mapping

from msgspec.structs import replace

from raftlab.museum.exhibit import exhibited
from raftlab.museum.post_heal_checks import follower_dies, question_is_lost, read_is_given_up
from raftlab.museum.runs import CALM
from raftlab.raft.machine import RaftStateMachine
from raftlab.raft.messages import AppendEntries, ReadIndex
from raftlab.raft.roles import Cause, RoleData
from raftlab.raft.rules import Rules
from raftlab.raft.vocabulary import Configuration, NodeId
from raftlab.sim.cluster import Cluster
from raftlab.sim.fixtures import is_a, settle, until_sent


def lost_question(cluster: Cluster) -> bool:
    """S2 is asked for x, and its question to S1 is lost."""
    settle(cluster, "S1", 200)
    reading = cluster.read("x", of="S2")
    cluster.drop(until_sent(cluster, "S2", "S1", is_a(ReadIndex)))
    return cluster.run_until(lambda _: reading.is_done, 1000)


@exhibited("lost-read-question", lost_question, tuning=replace(CALM, afterwards=question_is_lost))
class AsksOnce(RaftStateMachine):
    """A lost question is not asked again.

    A follower asks its leader once about a read. If that message is lost, the client waits for
    ever, with a healthy cluster before it.

    Source: E29: raft-rs e6784ab, ReadIndex dropped; thesis 6.4.
    """

    def ask_again(self, leader: AppendEntries) -> None:
        """A follower's question that was lost is not asked again."""


def read_of_one_that_steps_down(cluster: Cluster) -> bool:
    """S1 is asked for x, cut off, and finds out that it no longer leads."""
    settle(cluster, "S1", 200)
    cluster.isolate("S1")
    reading = cluster.read("x", of="S1")
    cluster.elect("S2")
    cluster.heal()
    return cluster.run_until(lambda _: reading.has_failed, 1000)


@exhibited(
    "read-outlives-leader",
    read_of_one_that_steps_down,
    tuning=replace(CALM, afterwards=read_is_given_up),
)
class KeepsItToItself(RaftStateMachine):
    """A read waits for a leader that is gone.

    A server that loses its leadership keeps the reads that wait for it. Nobody tells the client to
    ask elsewhere, and it hangs.

    Source: E27: hashicorp/raft#498, who waits hangs when the leader is lost; thesis 6.4.
    """

    def change_role(self, cause: Cause, data: RoleData) -> None:
        """A read whose leader is gone is not given up."""
        failed = self._failed_reads.copy()
        super().change_role(cause, data)
        self._failed_reads = failed


def one_is_down(cluster: Cluster) -> bool:
    """S1 leads, S3 is down; a client asks S1 for x."""
    settle(cluster, "S1", 200)
    cluster.crash("S3")
    reading = cluster.read("x")
    return cluster.run_until(lambda _: reading.is_done, 1000)


@exhibited("read-waits-for-all", one_is_down, tuning=replace(CALM, afterwards=follower_dies))
class NeverSaysIt(Rules):
    """A read waits for everybody.

    A leader waits for an answer from every voter before it serves a read. One server that is down
    stops all reads, while writes go on.

    Source: thesis 6.4; after E18: ScyllaDB PR#29226, where the barrier never completes because a
    demoted voter is not asked.
    """

    def still_led_at(self, acked: Mapping[NodeId, int], configuration: Configuration) -> int:
        """A leader never takes a majority's answer for enough."""
        return min(acked.values())

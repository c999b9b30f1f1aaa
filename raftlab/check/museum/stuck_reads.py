"""Exhibits: reads that nobody answers."""

# ruff: noqa: D102 - the class says what its override gets wrong

from collections.abc import Mapping

from raftlab.check.museum.exhibit import Exhibit
from raftlab.check.museum.staging import CALM, lead, lead_and_settle, until_sent
from raftlab.raft.machine import RaftStateMachine
from raftlab.raft.messages import AppendEntries, ReadIndex
from raftlab.raft.roles import Cause, RoleData
from raftlab.raft.rules import Rules
from raftlab.raft.vocabulary import Configuration, NodeId
from raftlab.sim.cluster import Cluster


class AsksOnce(RaftStateMachine):
    """A follower's question that was lost is not asked again."""

    __slots__ = ()

    def _ask_again(self, leader: AppendEntries) -> None:
        pass


class KeepsItToItself(RaftStateMachine):
    """A read whose leader is gone is not given up."""

    __slots__ = ()

    def _change_role(self, cause: Cause, data: RoleData) -> None:
        failed = self._failed_reads.copy()
        super()._change_role(cause, data)
        self._failed_reads = failed


class NeverSaysIt(Rules):
    """A leader never takes a majority's answer for enough."""

    def still_led_at(self, acked: Mapping[NodeId, int], configuration: Configuration) -> int:
        return min(acked.values())


def lost_question(cluster: Cluster) -> bool:
    """S2 is asked for x, and its question to S1 is lost."""
    lead_and_settle(cluster, "S1")
    reading = cluster.read("x", of="S2")
    cluster.drop(until_sent(cluster, "S2", "S1", lambda message: isinstance(message, ReadIndex)))
    return cluster.run_until(lambda _: reading.is_done, 1000)


def read_of_one_that_steps_down(cluster: Cluster) -> bool:
    """S1 is asked for x, cut off, and finds out that it no longer leads."""
    lead_and_settle(cluster, "S1")
    cluster.isolate("S1")
    reading = cluster.read("x", of="S1")
    lead(cluster, "S2")
    cluster.heal()
    return cluster.run_until(lambda _: reading.has_failed, 1000)


def one_is_down(cluster: Cluster) -> bool:
    """S1 leads, S3 is down; a client asks S1 for x."""
    lead_and_settle(cluster, "S1")
    cluster.crash("S3")
    reading = cluster.read("x")
    return cluster.run_until(lambda _: reading.is_done, 1000)


EXHIBITS = (
    Exhibit(
        name="lost-read-question",
        title="a lost question is not asked again",
        source="E29: raft-rs e6784ab, ReadIndex dropped; thesis 6.4",
        wrong={"machine": AsksOnce},
        run=lost_question,
        campaign={**CALM, "afterwards": "question_is_lost"},
        story=(
            "A follower asks its leader once about a read. If that message is lost, the "
            "client waits for ever, with a healthy cluster before it."
        ),
    ),
    Exhibit(
        name="read-outlives-leader",
        title="a read waits for a leader that is gone",
        source="E27: hashicorp/raft#498, who waits hangs when the leader is lost; thesis 6.4",
        wrong={"machine": KeepsItToItself},
        run=read_of_one_that_steps_down,
        campaign={**CALM, "afterwards": "read_is_given_up"},
        story=(
            "A server that loses its leadership keeps the reads that wait for it. Nobody "
            "tells the client to ask elsewhere, and it hangs."
        ),
    ),
    Exhibit(
        name="read-waits-for-all",
        title="a read waits for everybody",
        source=(
            "thesis 6.4; after E18: ScyllaDB PR#29226, where the barrier never completes because a "
            "demoted voter is not asked"
        ),
        wrong={"rules": NeverSaysIt()},
        run=one_is_down,
        campaign={**CALM, "afterwards": "follower_dies"},
        story=(
            "A leader waits for an answer from every voter before it serves a read. One "
            "server that is down stops all reads, while writes go on."
        ),
    ),
)

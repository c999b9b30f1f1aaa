"""Exhibits: clients that ask twice. Paper: 8. Thesis: 6.3."""

# ruff: noqa: D102 - the class says what its override gets wrong

import msgspec
from msgspec.structs import replace

from raftlab.museum.exhibit import Exhibit
from raftlab.museum.staging import ALL, lead_and_settle
from raftlab.raft.log import Command, Payload
from raftlab.raft.machine import RaftStateMachine
from raftlab.raft.vocabulary import Index
from raftlab.sim.cluster import Cluster
from raftlab.sim.invariants import SNAPSHOTS_ARE_TRUE
from raftlab.sim.key_value import Saved


class ForgetsSessions(RaftStateMachine):
    """A snapshot holds the values, and not the sessions of the clients."""

    __slots__ = ()

    def compact(self, up_to: Index, data: bytes = b"") -> None:
        saved = msgspec.json.decode(data, type=Saved)
        super().compact(up_to, msgspec.json.encode(replace(saved, sessions={})))


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


class ForgetsTheNumber(RaftStateMachine):
    """A command enters the log without the number that its client gave it."""

    __slots__ = ()

    def add_entry(self, payload: Payload) -> Index:
        if isinstance(payload, Command) and b"#" in payload.data:
            _, _, command = payload.data.partition(b" ")
            payload = Command(command)
        return super().add_entry(payload)


def sent_twice(cluster: Cluster) -> bool:
    """A client adds 1 to x, gets no answer in time, and sends the same command again."""
    lead_and_settle(cluster, "S1")
    cluster.propose("open c1")
    cluster.run(100)
    cluster.propose("c1#1 x+=1")
    cluster.propose("c1#1 x+=1")
    cluster.run(100)
    return cluster.get("x") == "1"


EXHIBITS = (
    Exhibit(
        name="snapshot-loses-sessions",
        title="a snapshot loses the sessions",
        source="H26: thesis 6.3, sessions belong to the state",
        wrong={"machine": ForgetsSessions},
        run=retried_behind_a_snapshot,
        breaks=SNAPSHOTS_ARE_TRUE,
        is_safety=True,
        given={"options": ALL},
        story=(
            "The snapshot has the values and not the table that says which requests were "
            "executed. A server that starts from it executes a client's retry again, or "
            "refuses it, while the others do not."
        ),
    ),
    Exhibit(
        name="retry-runs-twice",
        title="a retry is executed twice",
        source="H25: paper 8; thesis 6.3",
        wrong={"machine": ForgetsTheNumber},
        run=sent_twice,
        is_safety=True,
        story=(
            "The number that a client gives its command does not reach the log. A client that"
            " saw no answer and asks again has its command executed twice, and pays twice."
        ),
    ),
)

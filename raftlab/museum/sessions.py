"""Exhibits: clients that ask twice. Paper: 8. Thesis: 6.3."""

import msgspec
from msgspec.structs import replace

from raftlab.museum.exhibit import exhibited
from raftlab.museum.runs import ALL
from raftlab.raft.log import Command, Payload
from raftlab.raft.machine import RaftStateMachine
from raftlab.raft.vocabulary import Index
from raftlab.sim.cluster import Cluster
from raftlab.sim.fixtures import settle
from raftlab.sim.watch.properties import SNAPSHOTS_ARE_TRUE
from raftlab.sim.world.application import Saved


def retried_behind_a_snapshot(cluster: Cluster) -> None:
    """A client's session is in the snapshot that S3 gets, and the client goes on."""
    settle(cluster, "S1", 200)
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


@exhibited(
    "snapshot-loses-sessions", retried_behind_a_snapshot, breaks=SNAPSHOTS_ARE_TRUE, options=ALL
)
class ForgetsSessions(RaftStateMachine):
    """A snapshot loses the sessions.

    The snapshot has the values and not the table that says which requests were executed. A server
    that starts from it executes a client's retry again, or refuses it, while the others do not.

    Source: H26: thesis 6.3, sessions belong to the state.
    """

    def compact(self, up_to: Index, data: bytes = b"") -> None:
        """A snapshot holds the values, and not the sessions of the clients."""
        saved = msgspec.json.decode(data, type=Saved)
        super().compact(up_to, msgspec.json.encode(replace(saved, sessions={})))


def sent_twice(cluster: Cluster) -> bool:
    """A client adds 1 to x, gets no answer in time, and sends the same command again."""
    settle(cluster, "S1", 200)
    cluster.propose("open c1")
    cluster.run(100)
    cluster.propose("c1#1 x+=1")
    cluster.propose("c1#1 x+=1")
    cluster.run(100)
    return cluster.get("x") == "1"


@exhibited("retry-runs-twice", sent_twice, is_safety=True)
class ForgetsTheNumber(RaftStateMachine):
    """A retry is executed twice.

    The number that a client gives its command does not reach the log. A client that saw no answer
    and asks again has its command executed twice, and pays twice.

    Source: H25: paper 8; thesis 6.3.
    """

    def add_entry(self, payload: Payload) -> Index:
        """A command enters the log without the number that its client gave it."""
        if isinstance(payload, Command) and b"#" in payload.data:
            _, _, command = payload.data.partition(b" ")
            payload = Command(command)
        return super().add_entry(payload)

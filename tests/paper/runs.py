"""What many runs of a simulated cluster begin with, and what is looked at in them."""

from collections.abc import Callable
from typing import Any

from raftlab.raft.log import LogEntry
from raftlab.raft.messages import Message
from raftlab.raft.options import Options
from raftlab.raft.roles import Role
from raftlab.raft.vocabulary import REFUSALS
from raftlab.sim.cluster import Cluster

PLAIN = Options.figure_2()


def led(node: str = "S1", nodes: int = 3, **about: Any) -> Cluster:
    """A cluster that `node` leads, and everybody knows; the paper's rules alone, unless told."""
    cluster = Cluster(nodes, **{"seed": 1, "options": PLAIN, **about})
    cluster.elect(node)
    cluster.run(200)
    return cluster


def settled(cluster: Cluster, command: str, ms: float = 150.0) -> int:
    """Propose a command and let everybody hear that it is committed; its index."""
    index = cluster.propose(command)
    cluster.run(ms)
    assert cluster.commit_index >= index
    return index


def said(cluster: Cluster, kind: type) -> list[Message]:
    """Every message of a kind that anybody has sent so far."""
    return [each.message for each in cluster.trace().messages if isinstance(each.message, kind)]


def caught(
    cluster: Cluster,
    kind: type,
    sender: str,
    receiver: str,
    carries: Callable[[Any], object] = lambda message: True,
) -> int:
    """Run until such a message is on its way; its number."""

    def found(each: Cluster) -> list[int]:
        return [
            flight.number
            for flight in each.in_flight()
            if isinstance(flight.message, kind)
            and (flight.message.sender, flight.message.receiver) == (sender, receiver)
            and carries(flight.message)
        ]

    assert cluster.run_until(found, 1_000.0), f"no {kind.__name__} from {sender} to {receiver}"
    return found(cluster)[-1]


def wins(cluster: Cluster, node: str) -> bool:
    """Whether `node` comes to lead if it asks the others again and again."""
    try:
        cluster.elect(node)
    except REFUSALS:
        return False
    return True


def value(cluster: Cluster, node: str, key: str) -> str | None:
    """What the application of a node holds, whether or not it is the latest."""
    return cluster.hosts[node].application.get(key)


def held(cluster: Cluster, node: str) -> list[LogEntry]:
    """The entries in a node's log."""
    return list(cluster.machine(node).log)


def leads(cluster: Cluster, node: str) -> bool:
    """Whether a node takes itself for the leader."""
    return cluster.machine(node).role is Role.LEADER

"""What the scenarios are staged with: a steady network, and a few steps that they share."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar

from raftlab.raft.machine import RaftStateMachine
from raftlab.raft.messages import AppendEntries, Message
from raftlab.raft.options import Options
from raftlab.raft.rules import Rules
from raftlab.raft.vocabulary import Index, NodeId, NotNow, Term, shown
from raftlab.sim.cluster import Cluster
from raftlab.sim.world.host import MachineFactory
from raftlab.sim.world.settings import Disks, Network

PLAIN = Options.figure_2()
STEADY = Network(latency=(10.0, 10.0))
INSTANT = Disks(write_ms=0.0)
THERE_AND_BACK = 20.0  # ms for a question and its answer on the steady network
BEFORE_AFTER = ("before", "after")

_PLAYERS: ContextVar[MachineFactory] = ContextVar("players", default=RaftStateMachine)


@contextmanager
def played_by(machine: MachineFactory) -> Iterator[None]:
    """Meanwhile every scenario is staged with machines of this kind."""
    before = _PLAYERS.set(machine)
    try:
        yield
    finally:
        _PLAYERS.reset(before)


def stage(
    nodes: int,
    seed: int,
    *,
    options: Options = PLAIN,
    network: Network = STEADY,
    disks: Disks = INSTANT,
    rules: type[Rules] | None = None,
    logs: Mapping[NodeId, Sequence[Term]] | None = None,
    watched: bool = True,
) -> Cluster:
    """A cluster of the paper's Figure 2, where a message takes 10 ms and a write no time."""
    return Cluster(
        nodes,
        seed=seed,
        options=options,
        network=network,
        disks=disks,
        rules=rules,
        machine=_PLAYERS.get(),
        logs=logs,
        watched=watched,
    )


def lead(cluster: Cluster, node: NodeId) -> None:
    """Let `node` campaign, one term after another, until it leads.

    An attempt takes 25 ms at most, so that nobody else's timer runs out meanwhile.
    """
    for _ in range(8):
        cluster.timeout(node)
        if cluster.run_until(lambda each: each.leader == node, THERE_AND_BACK + 5):
            return
    raise NotNow(f"{node} does not get a majority")


def led_by(cluster: Cluster, node: NodeId) -> Cluster:
    """The cluster once `node` leads and all that it reaches know that its first entry is in."""
    cluster.elect(node)
    return cluster.run(60)


def commit(cluster: Cluster, command: str, to: NodeId | None = None) -> Index:
    """Hand a command to the leader, and run until it has committed it; the entry's index."""
    index = cluster.propose(command, to)
    node = to or cluster.leader or ""
    if not cluster.run_until(lambda each: each.frame()[node].commit_index >= index, 500):
        raise NotNow(f"{node} cannot commit {shown(command)}")
    return index


def found(
    cluster: Cluster, sender: NodeId, receiver: NodeId, is_it: Callable[[Message], bool]
) -> list[int]:
    """The numbers of such messages on their way from `sender` to `receiver`, oldest first."""
    return [
        flight.number
        for flight in cluster.in_flight()
        if flight.key[:2] == (sender, receiver) and is_it(flight.message)
    ]


def a(kind: type[Message]) -> Callable[[Message], bool]:
    """Whether a message is of this kind."""
    return lambda message: isinstance(message, kind)


def with_entry(index: Index) -> Callable[[Message], bool]:
    """Whether a message brings the entry at `index`."""
    return lambda message: (
        isinstance(message, AppendEntries)
        and any(entry.index == index for entry in message.entries)
    )


def until_sent(
    cluster: Cluster, sender: NodeId, receiver: NodeId, is_it: Callable[[Message], bool]
) -> int:
    """Run until such a message is on its way; the number of the newest one."""
    if not cluster.run_until(lambda each: bool(found(each, sender, receiver, is_it)), 1000):
        raise NotNow(f"{sender} sends {receiver} no such message")
    return found(cluster, sender, receiver, is_it)[-1]


def drop_all(cluster: Cluster, sender: NodeId, *receivers: NodeId) -> None:
    """Lose everything that is on its way from `sender` to these."""
    for receiver in receivers:
        for number in found(cluster, sender, receiver, lambda _: True):
            cluster.drop(number)

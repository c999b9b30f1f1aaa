"""Test fixtures: a steady cluster, and the steps by which a situation is brought about.

    cluster = stage(3, seed=1)
    settle(cluster, "S1")
    cluster.propose("x=1")
    cluster.drop(until_sent(cluster, "S1", "S3", with_entry(2)))

A step that cannot be done raises `Misuse`. Where a mistake may keep it from being done, its
caller says so.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar

from raftlab.raft.machine import RaftStateMachine
from raftlab.raft.messages import AppendEntries, Message
from raftlab.raft.options import Options
from raftlab.raft.rules import Rules
from raftlab.raft.vocabulary import Index, Millis, NodeId, NotNow, Term, shown
from raftlab.sim.cluster import Cluster
from raftlab.sim.world.host import MachineFactory
from raftlab.sim.world.settings import Disks, Network

PLAIN = Options.figure_2()
STEADY = Network(latency=(10.0, 10.0))
INSTANT = Disks(write_ms=0.0)
THERE_AND_BACK = 20.0  # ms for a question and its answer on the steady network

_MACHINE: ContextVar[MachineFactory] = ContextVar("machine", default=RaftStateMachine)


@contextmanager
def played_by(machine: MachineFactory) -> Iterator[None]:
    """Meanwhile every stage is set with machines of this kind."""
    before = _MACHINE.set(machine)
    try:
        yield
    finally:
        _MACHINE.reset(before)


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
        machine=_MACHINE.get(),
        logs=logs,
        watched=watched,
    )


# Who leads, and what is committed


def settle(cluster: Cluster, leader: NodeId, ms: Millis = 60.0) -> Cluster:
    """The cluster `ms` after `leader` was elected: all that it reaches know of its first entry.

    Raises: Misuse, if it is not elected.
    """
    cluster.elect(leader)
    return cluster.run(ms)


def win_election(cluster: Cluster, node: NodeId) -> None:
    """Let `node` time out, one term after another, until it leads.

    An attempt takes 25 ms at most, so that nobody else's timer runs out meanwhile.
    Raises: Misuse, if eight attempts are not enough.
    """
    for _ in range(8):
        cluster.timeout(node)
        if cluster.run_until(lambda each: each.leader == node, THERE_AND_BACK + 5):
            return
    raise NotNow(f"{node} does not get a majority")


def commit(cluster: Cluster, command: str, to: NodeId | None = None) -> Index:
    """Hand a command to the leader, and run until it has committed it; the entry's index.

    Raises: NotNow, if nobody leads, or the leader cannot commit it.
    """
    index = cluster.propose(command, to)
    node = to or cluster.leader or ""
    if not cluster.run_until(lambda each: each.frame()[node].commit_index >= index, 500):
        raise NotNow(f"{node} cannot commit {shown(command)}")
    return index


# Messages on their way


def anything(message: Message) -> bool:
    """Whichever message it is."""
    return True


def is_a(kind: type[Message]) -> Callable[[Message], bool]:
    """Whether a message is of this kind."""
    return lambda message: isinstance(message, kind)


def with_entry(index: Index) -> Callable[[Message], bool]:
    """Whether a message brings the entry at `index`."""
    return lambda message: (
        isinstance(message, AppendEntries)
        and any(entry.index == index for entry in message.entries)
    )


def numbers_of(
    cluster: Cluster,
    sender: NodeId,
    receiver: NodeId,
    is_it: Callable[[Message], bool] = anything,
) -> list[int]:
    """The numbers of such messages on their way from `sender` to `receiver`, oldest first."""
    return [
        flight.number
        for flight in cluster.in_flight()
        if flight.key[:2] == (sender, receiver) and is_it(flight.message)
    ]


def until_sent(
    cluster: Cluster,
    sender: NodeId,
    receiver: NodeId,
    is_it: Callable[[Message], bool] = anything,
) -> int:
    """Run until such a message is on its way; the number of the newest one.

    Raises: NotNow, if none is sent within a second.
    """
    if not cluster.run_until(lambda each: bool(numbers_of(each, sender, receiver, is_it)), 1000):
        raise NotNow(f"{sender} sends {receiver} no such message")
    return numbers_of(cluster, sender, receiver, is_it)[-1]


def drop_all(cluster: Cluster, sender: NodeId, *receivers: NodeId) -> None:
    """Lose everything that is on its way from `sender` to these."""
    for receiver in receivers:
        for number in numbers_of(cluster, sender, receiver):
            cluster.drop(number)

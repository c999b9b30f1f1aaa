"""How the world around the machines is set: the network, the disks, and a whole cluster."""

from typing import Any

import msgspec

from raftlab.raft.options import LONGEST, Options, check_switches, is_count, is_number, make_plain
from raftlab.raft.vocabulary import Millis, Misuse, NodeId, Term, shown
from raftlab.sim.world.arguments import Logs, logs_for, node_names, seed_of

SHORTEST_LATENCY: Millis = 0.001
"""The least that the longest latency is, unless it is 0: time must pass."""


def _check_chance(name: str, value: float) -> None:
    if not (is_number(value) and 0.0 <= value <= 1.0):
        raise Misuse(f"{name} is a chance between 0 and 1, not {shown(value)}")


class Network(msgspec.Struct, frozen=True):
    """What may happen to a message.

    * `latency`: (min, max) ms from sender to receiver.
    * `loss`, `duplication`, `reordering`: chances, 0 to 1. A link keeps its messages in
      order except for second copies, which come later, and for those that `reordering`
      lets be overtaken: they take up to `max` ms longer.

    Raises: Misuse, for numbers that cannot be.
    """

    latency: tuple[Millis, Millis] = (5.0, 15.0)
    loss: float = 0.0
    duplication: float = 0.0
    reordering: float = 0.0

    def __post_init__(self) -> None:
        latency = self.latency
        numbers = isinstance(latency, tuple) and len(latency) == 2 and all(map(is_number, latency))
        if not (numbers and 0.0 <= latency[0] <= latency[1]):
            raise Misuse(f"latency must be (min, max) with 0 <= min <= max, not {shown(latency)}")
        if latency[1] and not SHORTEST_LATENCY <= latency[1] <= LONGEST:
            raise Misuse(
                f"the longest latency is 0, or {SHORTEST_LATENCY} to {LONGEST:,.0f} ms, not"
                f" {shown(latency[1])}"
            )
        for name in ("loss", "duplication", "reordering"):
            _check_chance(name, getattr(self, name))
        make_plain(self)


def network_text(network: Network) -> str:
    """How messages are carried, in words: "latency 5 to 15 ms, loss 30%"."""
    low, high = network.latency
    times = f"{low:g} ms" if low == high else f"{low:g} to {high:g} ms"
    chances = [
        f"{name} {100 * chance:.3g}%"
        for name in ("loss", "duplication", "reordering")
        if (chance := getattr(network, name))
    ]
    return ", ".join([f"latency {times}", *(chances or ["no loss"])])


KEPT = ("term", "voted_for", "log")


def is_kept(name: object) -> bool:
    """Whether this is something that a disk can hold."""
    return isinstance(name, str) and name in KEPT


class Disks(msgspec.Struct, frozen=True):
    """How every node's disk behaves.

    * `write_ms`: how long one write takes; 0 is at once. What is not written when a node
      crashes is lost.
    * `waits`: whether a node holds its messages back until what they claim is written.
      Raft needs that (paper: Figure 2, "updated on stable storage before responding");
      False shows why.
    * `keeps`: what is written at all: "term", "voted_for", "log". Raft needs all three.
    * `torn`: a crash in the middle of a write leaves a part of its entries.
    * `snapshot_every`: a node compacts its log after so many applied entries; 0 is never.

    Raises: Misuse, for what cannot be.
    """

    write_ms: Millis = 1.0
    waits: bool = True
    keeps: tuple[str, ...] = KEPT
    torn: bool = False
    snapshot_every: int = 0

    def __post_init__(self) -> None:
        if not (is_number(self.write_ms) and 0 <= self.write_ms <= LONGEST):
            raise Misuse(f"write_ms is a time of 0 ms or more, not {shown(self.write_ms)}")
        keeps = self.keeps
        listed = isinstance(keeps, tuple) and all(map(is_kept, keeps))
        if not (listed and len(set(keeps)) == len(keeps)):
            raise Misuse(f'keeps is a tuple of "term", "voted_for" and "log", not {shown(keeps)}')
        if not is_count(self.snapshot_every):
            raise Misuse(f"snapshot_every is 0 or more entries, not {shown(self.snapshot_every)}")
        check_switches(self)
        make_plain(self)


def is_pairs(given: object) -> bool:
    """Whether this is a tuple of pairs, each of a node and something of its own."""
    return isinstance(given, tuple) and all(
        isinstance(each, tuple) and len(each) == 2 and isinstance(each[0], str) for each in given
    )


class Setup(msgspec.Struct, frozen=True):
    """Everything a run starts from. With the same actions it gives the same run.

    `logs` are the terms of the entries that each node's disk holds at the start, first to
    last (none: every disk is empty), and `term` the term that is saved with them.

    `rules` and `machine` are names ("module:Class"), for reading and for checking; the
    classes themselves are passed along by the recording. Raises: Misuse, for what cannot be.
    """

    nodes: tuple[NodeId, ...]
    seed: int
    options: Options = Options()
    network: Network = Network()
    disks: Disks = Disks()
    rules: tuple[tuple[NodeId, str], ...] = ()
    machine: str = "raftlab.raft.machine:RaftStateMachine"
    watched: bool = True
    logs: Logs = ()

    def __post_init__(self) -> None:
        if not isinstance(self.nodes, tuple):
            raise Misuse(f"the nodes of a setup are a tuple of names, not {shown(self.nodes)}")
        node_names(self.nodes)
        seed_of(self.seed)
        for name, kind in (("options", Options), ("network", Network), ("disks", Disks)):
            if not isinstance(given := getattr(self, name), kind):
                raise Misuse(f"{name} is made with rl.{kind.__name__}(...), not {shown(given)}")
        for name in ("rules", "logs"):
            if not is_pairs(pairs := getattr(self, name)) or not self._knows(pairs):
                raise Misuse(
                    f"{name} of a setup are pairs that begin with a node, not {shown(pairs)}"
                )
        for name in (self.machine, *(each for _, each in self.rules)):
            if not isinstance(name, str):
                raise Misuse(f'a class is named in a setup, as "module:Class", not {shown(name)}')
        logs_for(self.nodes, dict(self.logs))
        check_switches(self)

    def _knows(self, pairs: tuple[tuple[NodeId, Any], ...]) -> bool:
        named = [node for node, _ in pairs]
        return len(set(named)) == len(named) and set(self.nodes).issuperset(named)

    @property
    def term(self) -> Term:
        """The term that every node has saved at the start: the highest in any log, or 0."""
        return max((term for _, terms in self.logs for term in terms), default=0)

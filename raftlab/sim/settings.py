"""How the world around the machines is set: the network, the disks, and a whole cluster."""

import msgspec

from raftlab.raft.options import Options, is_number
from raftlab.raft.vocabulary import Millis, Misuse, NodeId, Term


def _check_chance(name: str, value: float) -> None:
    if not (is_number(value) and 0.0 <= value <= 1.0):
        raise Misuse(f"{name} is a chance between 0 and 1, not {value!r}")


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
            raise Misuse(f"latency must be (min, max) with 0 <= min <= max, not {latency!r}")
        for name in ("loss", "duplication", "reordering"):
            _check_chance(name, getattr(self, name))


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
    keeps: tuple[str, ...] = ("term", "voted_for", "log")
    torn: bool = False
    snapshot_every: int = 0

    def __post_init__(self) -> None:
        if not (is_number(self.write_ms) and self.write_ms >= 0):
            raise Misuse(f"write_ms is a time of 0 ms or more, not {self.write_ms!r}")
        known = {"term", "voted_for", "log"}
        if not (isinstance(self.keeps, tuple) and known.issuperset(self.keeps)):
            raise Misuse(f'keeps is a tuple of "term", "voted_for" and "log", not {self.keeps!r}')
        if not isinstance(self.snapshot_every, int) or self.snapshot_every < 0:
            raise Misuse(f"snapshot_every is 0 or more entries, not {self.snapshot_every!r}")


class Setup(msgspec.Struct, frozen=True):
    """Everything a run starts from. With the same actions it gives the same run.

    `logs` are the terms of the entries that each node's disk holds at the start, first to
    last (none: every disk is empty), and `term` the term that is saved with them.

    `rules` and `machine` are names ("module:Class"), for reading and for checking; the
    classes themselves are passed along by the recording.
    """

    nodes: tuple[NodeId, ...]
    seed: int
    options: Options = Options()
    network: Network = Network()
    disks: Disks = Disks()
    rules: tuple[tuple[NodeId, str], ...] = ()
    machine: str = "raftlab.raft.machine:RaftStateMachine"
    watched: bool = True
    logs: tuple[tuple[NodeId, tuple[Term, ...]], ...] = ()

    @property
    def term(self) -> Term:
        """The term that every node has saved at the start: the highest in any log, or 0."""
        return max((term for _, terms in self.logs for term in terms), default=0)

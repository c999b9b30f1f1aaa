"""What is known of a random run while it goes on, and the plans that have begun in it."""

import random
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TypeAlias

from raftlab.raft.log import LogEntry
from raftlab.raft.vocabulary import Millis, NodeId, NotNow
from raftlab.sim.cluster import Cluster
from raftlab.sim.world.host import Host, Reading

Awaited: TypeAlias = tuple[Callable[[], bool], Millis]
"""What a plan waits for, and how long at most (ms)."""

Steps: TypeAlias = Iterator[Awaited]


MOST_ACTIONS = 10_000
"""A run with more actions than these for each node is a storm; sound ones have a fifth at most."""


class MessageStorm(Exception):
    """Messages breed messages faster than time passes: the run would never come to an end."""


def run_for(cluster: Cluster, ms: Millis) -> None:
    """Let `ms` of virtual time pass. Raises: MessageStorm; Violation; whatever a machine raises."""
    actions, most = cluster.actions, MOST_ACTIONS * len(cluster.nodes)
    if cluster.run_until(lambda _: len(actions) >= most, ms):
        raise MessageStorm(
            f"messages breed messages: {cluster.number:,} actions in {cluster.now:.0f} ms, and"
            f" {len(cluster.in_flight()):,} messages on their way"
        )


class Plan:
    """Steps that a `verb` has begun: `is_due` when the moment has come that they wait for.

    It counts among what has happened once a step of it has brought anything about.
    """

    def __init__(self, run: "RandomRun", verb: str, steps: Steps) -> None:
        self.run = run
        self.verb = verb
        self.steps = steps
        self.has_come: Callable[[], bool] = lambda: True
        self.latest: Millis = 0.0
        self.has_happened = False

    def is_due(self) -> bool:
        """Whether it may go on now."""
        return self.run.cluster.now >= self.latest or self.has_come()

    def goes_on(self) -> bool:
        """Take the next step; whether there will be another. A refusal ends the plan."""
        before = self.run.cluster.number
        try:
            with suppress(StopIteration, NotNow):
                self.has_come, patience = next(self.steps)
                self.latest = self.run.cluster.now + patience
                return True
            return False
        finally:
            if self.run.cluster.number > before and not self.has_happened:
                self.has_happened = True
                self.run.happened[self.verb] += 1


@dataclass
class RandomRun:
    """One run: its cluster, what was learnt of it, and the `plans` that have begun.

    `values_seen` are all the values `k1`, `k2`, … that any node's application ever held; `serials`
    says which numbered command each client is trying; `readings` are the reads so far, and
    `wiped` the servers that lost their disk. `settled_after` is how long the healed cluster
    needed (ms) until all was well. `changes_members` is False for a machine that cannot, and
    `changes_network` is True for a run in which the network becomes worse and better again.
    `happened` counts by its name how often each verb brought anything about.
    """

    seed: int
    cluster: Cluster
    rng: random.Random
    proposed: int = 0
    values_seen: dict[str, str] = field(default_factory=dict)
    serials: dict[str, int] = field(default_factory=dict)
    readings: list[Reading] = field(default_factory=list)
    wiped: set[NodeId] = field(default_factory=set)
    plans: list[Plan] = field(default_factory=list)
    settled_after: Millis | None = None
    changes_members: bool = True
    changes_network: bool = False
    happened: Counter[str] = field(default_factory=Counter)

    def __str__(self) -> str:
        setup = self.cluster.setup
        last = "\n".join(f"{each.at:9.1f}  {each.text}" for each in self.cluster.events(25))
        return (
            f"seed {self.seed}: {self.cluster!r}\n{setup.network}\n{setup.disks}\n{setup.options}\n"
            f"{self.cluster.configuration}\nlast events:\n{last}"
        )

    @property
    def committed(self) -> list[LogEntry]:
        """Every entry that any node ever called committed, from the first."""
        history = self.cluster.history
        return [each.entry for each in history.committed] if history else []

    @property
    def living(self) -> list[Host]:
        """The nodes that are up."""
        return [host for host in self.cluster.hosts.values() if host.alive]

    def note_values(self) -> None:
        """Remember what clients can have been shown by now."""
        for host in self.living:
            self.values_seen.update(host.application.values)

    def any_node(self) -> NodeId:
        """One of all nodes."""
        return self.rng.choice(self.cluster.nodes)

    def lacks(self, node: NodeId, ability: str) -> bool:
        """Whether a node is up with a machine of a learner's own that cannot do that at all."""
        host = self.cluster.hosts[node]
        return host.alive and not hasattr(host.machine, ability)

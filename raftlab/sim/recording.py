"""A run is a value: a setup and the actions that happened. The same value, the same run."""

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

import msgspec

from raftlab.raft.vocabulary import Millis, Misuse
from raftlab.sim import tracing
from raftlab.sim.actions import Action
from raftlab.sim.frame import Frame, Trace
from raftlab.sim.given import RulesGiven, moment
from raftlab.sim.host import MachineFactory
from raftlab.sim.settings import Setup

if TYPE_CHECKING:
    from raftlab.sim.cluster import Cluster


class Recording:
    """What a run started from (`setup`) and everything that happened (`actions`).

    Time travel, figures and twin runs are all made by playing a recording again. The
    rules and the machine travel along as the classes they are; `setup` has their names.
    `build` makes the cluster that plays it, with the arguments of `Cluster`.
    """

    __slots__ = ("_build", "_factory", "_rules", "actions", "setup")

    def __init__(
        self,
        setup: Setup,
        actions: tuple[Action, ...],
        rules: RulesGiven,
        factory: MachineFactory,
        build: Callable[..., "Cluster"],
    ) -> None:
        self.setup = setup
        self.actions = actions
        self._rules = rules
        self._factory = factory
        self._build = build

    def __len__(self) -> int:
        """How many actions; the run has one frame more."""
        return len(self.actions)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Recording):
            return NotImplemented
        return self.setup == other.setup and self.actions == other.actions

    def __hash__(self) -> int:
        return hash((self.setup, self.actions))

    def __repr__(self) -> str:
        end = self.actions[-1].at if self.actions else 0.0
        setup = self.setup
        what = f"{len(setup.nodes)} nodes, seed {setup.seed}"
        return f"<Recording of {what}: {len(self)} actions, {end:.1f} ms>"

    def upto(self, number: int) -> "Recording":
        """The first `number` actions. Raises: Misuse, if there are not so many."""
        if not (isinstance(number, int) and 0 <= number <= len(self.actions)):
            raise Misuse(f"this run has frames 0 to {len(self.actions)}, and no frame {number!r}")
        actions = self.actions[:number]
        return Recording(self.setup, actions, self._rules, self._factory, self._build)

    def start(self, rules: RulesGiven = None) -> "Cluster":
        """A cluster as the run began, before any action; under other `rules` if given."""
        setup = self.setup
        return self._build(
            setup.nodes,
            seed=setup.seed,
            options=setup.options,
            network=setup.network,
            disks=setup.disks,
            rules=self._rules if rules is None else rules,
            machine=self._factory,
            watched=setup.watched,
            logs=dict(setup.logs),
        )

    def replay(self) -> "Cluster":
        """Play the run again; the cluster can go on from there as the first one could.

        Raises: Violation, if the run ends in one.
        """
        cluster = self.start()
        for action in self.actions:
            cluster.apply(action)
        return cluster

    def frames(self) -> Iterator[Frame]:
        """Every frame of the run, from before the first action."""
        cluster = self.start()
        yield cluster.frame()
        for action in self.actions:
            cluster.apply_quietly(action)
            yield cluster.frame()

    def trace(self, start: Millis = 0.0, end: Millis | None = None) -> Trace:
        """The run from `start` to `end` (ms; its last moment if None) as life lines and arrows."""
        start, end = moment(start, "start"), None if end is None else moment(end, "end")
        return tracing.trace_of(self.start(), self.actions, start, end)

    def encode(self) -> bytes:
        """The setup and the actions as JSON; equal runs give equal bytes."""
        return msgspec.json.encode({"setup": self.setup, "actions": self.actions})

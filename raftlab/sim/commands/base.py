"""What every command of a cluster stands on: the engine, what it shows, and the one way to act."""

from typing import TypeVar

from raftlab.raft.vocabulary import Millis, NodeId
from raftlab.sim.world.action import Action
from raftlab.sim.world.engine import Engine
from raftlab.sim.world.host import Host
from raftlab.sim.world.network import Flight
from raftlab.sim.world.settings import Setup
from raftlab.sim.world.violation import ViolationFrame


class Commands:
    """Something that has an `engine`, and lets people see and move what it drives.

    What is seldom asked is asked of the engine: `engine.recent`, `engine.scheduled()`, and what
    its `world` knows, like `engine.world.alarms`, `engine.world.network.sent`.
    """

    engine: Engine

    # What the engine shows

    @property
    def setup(self) -> Setup:
        """What the run began with."""
        return self.engine.world.setup

    @property
    def now(self) -> Millis:
        """The virtual time (ms)."""
        return self.engine.world.now

    @property
    def hosts(self) -> dict[NodeId, Host]:
        """The nodes by name, with their machines, disks and applications."""
        return self.engine.world.hosts

    @property
    def nodes(self) -> tuple[NodeId, ...]:
        """The names of the nodes, in order; those that joined later come last."""
        return self.engine.world.nodes

    def in_flight(self) -> tuple[Flight, ...]:
        """The messages on their way, in the order in which they were sent."""
        return self.engine.in_flight()

    @property
    def actions(self) -> list[Action]:
        """All that has happened."""
        return self.engine.actions

    @property
    def number(self) -> int:
        """How many actions have happened: the number of the current frame."""
        return self.engine.number

    @property
    def stopped(self) -> str | None:
        """Why the run stands still, in words; None while it can go on."""
        return self.engine.stopped

    @property
    def violation(self) -> ViolationFrame | None:
        """The property that was broken, if one was."""
        return self.engine.violation

    # Acting

    def apply(self, action: Action) -> None:
        """Carry out one action: the one way in which anything happens. See `Engine.apply`."""
        self.engine.apply(action)

    def _act(self, action: Action) -> None:
        self.engine.act(action)

    # Finding what is named

    def _host(self, node: NodeId) -> Host:
        return self.engine.world.host(node)

    def _living(self, node: NodeId) -> Host:
        return self.engine.world.living(node)

    def _running(self, node: NodeId) -> Host:
        return self.engine.world.running(node)


Driver = TypeVar("Driver", bound=Commands)


def with_engine(driver: Driver, engine: Engine) -> Driver:
    """The like of `driver` with another engine: what happens to one leaves the other alone."""
    twin = object.__new__(type(driver))
    vars(twin).update(vars(driver), engine=engine)
    return twin

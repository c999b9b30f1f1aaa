"""What every command of a cluster stands on: the engine, what it shows, and the one way to act."""

from collections import deque
from typing import Self

from raftlab.raft.vocabulary import Millis, NodeId
from raftlab.sim.world.action import Action
from raftlab.sim.world.engine import Engine, Moment
from raftlab.sim.world.host import Host
from raftlab.sim.world.network import Flight
from raftlab.sim.world.settings import Network, Setup
from raftlab.sim.world.violation import ViolationFrame


class Commands:
    """Something that has an `engine`, and lets people see and move what it drives."""

    engine: Engine

    def around(self, engine: Engine) -> Self:
        """The like of this with another engine: what happens to one leaves the other alone."""
        twin = object.__new__(type(self))
        vars(twin).update(vars(self), engine=engine)
        return twin

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

    @property
    def groups(self) -> tuple[tuple[NodeId, ...], ...]:
        """The sides of the partition; none, if there is no partition."""
        return self.engine.world.groups

    @property
    def cuts(self) -> tuple[tuple[NodeId, NodeId], ...]:
        """The directed links that carry nothing."""
        return self.engine.world.network.cuts

    @property
    def network(self) -> Network:
        """How messages are carried now, over every link that has no settings of its own."""
        return self.engine.world.network.settings

    def network_between(
        self, sender: NodeId | None = None, receiver: NodeId | None = None
    ) -> Network:
        """How messages from `sender` to `receiver` are carried now. Raises: Misuse."""
        if sender is None and receiver is None:
            return self.network
        world = self.engine.world
        return world.network.settings_of(*world.link(sender, receiver))

    def in_flight(self) -> tuple[Flight, ...]:
        """The messages on their way, in the order in which they were sent."""
        return self.engine.in_flight()

    @property
    def messages_sent(self) -> int:
        """How many messages have been sent so far, copies and lost ones included."""
        return self.engine.world.network.sent

    @property
    def alarms(self) -> list[str]:
        """What machines reported as impossible."""
        return self.engine.world.alarms

    @property
    def actions(self) -> list[Action]:
        """All that has happened."""
        return self.engine.actions

    @property
    def recent(self) -> deque[Moment]:
        """The last steps, each with its frame, action, message and notes."""
        return self.engine.recent

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

    def scheduled(self) -> Action | None:
        """What will happen next if nobody does anything; None, if nothing will.

        Raises: Misuse, in the middle of a step.
        """
        return self.engine.scheduled()

    def _act(self, action: Action) -> None:
        self.engine.act(action)

    # Finding what is named

    def _host(self, node: NodeId) -> Host:
        return self.engine.world.host(node)

    def _living(self, node: NodeId) -> Host:
        return self.engine.world.living(node)

    def _running(self, node: NodeId) -> Host:
        return self.engine.world.running(node)

"""One node's step, on the real host and the real machine, with nothing around it.

A search asks what a node does in a given state when a given thing happens to it. That is
answered by letting it happen to a copy of the node in a cluster whose network keeps
whatever is sent. So host, disk, application and machine are those of every simulation.
"""

import copy
from typing import Any

from raftlab.check.explore.judge import Judge, Past, seen_of
from raftlab.check.explore.state_equivalence import added, is_subclassed
from raftlab.raft.messages import Message
from raftlab.raft.node import NodeCore
from raftlab.raft.output import Output
from raftlab.raft.vocabulary import Millis
from raftlab.sim.run.play import slots_copy
from raftlab.sim.world.action import Action
from raftlab.sim.world.application import application_copy
from raftlab.sim.world.handlers import HANDLERS, hand_over
from raftlab.sim.world.host import NEVER, Host
from raftlab.sim.world.world import World


class SingleStep(World):
    """One node by itself, which takes one step under watch. What it says is kept, not sent."""

    def __init__(self, *given: Any, **settings: Any) -> None:
        self.sent: list[Message] = []
        super().__init__(*given, **settings)

    def begin(self, host: Host, now: Millis, past: Past, remembers: bool) -> Judge:
        """Take one node by itself, at `now` (ms), after a run that has shown `past`."""
        self.now = now
        self.hosts[host.node] = host
        self.sent, self.readings = [], []
        self.watcher = judge = Judge(past, remembers)
        disk = host.disk
        if disk.voted_for is not None:
            judge.history.votes.setdefault((host.node, disk.term), disk.voted_for)
        host.write_ms, host.written_at = 0.0, now
        host.timer_at = NEVER
        if host.alive:
            host.seen = seen_of(host)
        return judge

    def receive(self, host: Host, message: Message) -> None:
        """A message reaches the node."""
        hand_over(self, host, message)
        self.heap.clear()

    def act(self, action: Action) -> None:
        """Anything else that can happen to the node. Raises: NotNow, if it cannot happen now."""
        HANDLERS[type(action)](self, action)
        self.heap.clear()

    def advance_time(self, host: Host, now: Millis) -> None:
        """The time is told, and nothing else happens."""
        self.now = now
        if isinstance(host.machine, NodeCore):
            host.machine.now = now

    def release(self, host: Host, output: Output) -> None:
        """As in any world; what is applied changes no other state of the node."""
        if output.committed:  # until then the application is shared with the node's other states
            host.application = application_copy(host.application)
        super().release(host, output)

    def send(self, host: Host, messages: tuple[Message, ...]) -> None:
        """Keep what is said, for whom there is."""
        assert self.watcher is not None
        messages = tuple(messages)
        self.watcher.says(host, messages)
        self.sent += [each for each in messages if each.receiver in self.hosts]


def host_copy(host: Host) -> Host:
    """An independent copy of a node; rules, options, randomness and application are shared."""
    twin = slots_copy(host)
    twin.machine = machine_copy(host)
    twin.disk = slots_copy(host.disk)
    twin.disk.log = host.disk.log.copy()
    twin.disk.writes = host.disk.writes.copy()
    twin.readings = {number: copy.copy(each) for number, each in host.readings.items()}
    twin.inbox, twin.held = host.inbox.copy(), host.held.copy()
    return twin


def machine_copy(host: Host) -> Any:
    """A copy of a machine: its own way, or a deep copy of what a learner wrote.

    What a subclass of the shipped machine keeps beside it is copied in depth.
    """
    machine: Any = host.machine
    shared = {id(each): each for each in (host.rng, host.rules, host.options)}
    if not hasattr(machine, "copy"):
        return copy.deepcopy(machine, shared)
    twin = machine.copy()
    if is_subclassed(machine):
        for name, value in added(machine).items():
            setattr(twin, name, copy.deepcopy(value, shared))
    return twin

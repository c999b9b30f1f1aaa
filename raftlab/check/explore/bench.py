"""One node's step, on the real host and the real machine, with nothing around it.

A search asks what a node does in a given state when a given thing happens to it. That is
answered by letting it happen to a copy of the node in a cluster whose network keeps
whatever is sent. So host, disk, application and machine are those of every simulation.
"""

import copy
from typing import Any

from raftlab.check.explore.likeness import added
from raftlab.raft.log import LogEntry
from raftlab.raft.machine import RaftStateMachine
from raftlab.raft.messages import Message
from raftlab.raft.output import Output
from raftlab.raft.vocabulary import Millis
from raftlab.sim.actions import Action
from raftlab.sim.carrying import CARRY_OUT
from raftlab.sim.cluster import Cluster
from raftlab.sim.host import NEVER, Host, Reading


class Workbench(Cluster):
    """Where one node at a time takes one step. What it says and commits is kept, not carried."""

    def __init__(self, *given: Any, **settings: Any) -> None:
        self.sent: list[Message] = []
        self.committed: list[LogEntry] = []
        self.answered: list[Reading] = []
        super().__init__(*given, **settings)

    def begin(self, host: Host, now: Millis) -> None:
        """Put a node on the bench, at `now` (ms)."""
        self.now = now
        self.hosts[host.node] = host
        self.sent, self.committed, self.answered = [], [], []
        host.write_ms, host.written_at = 0.0, now
        host.timer_at = NEVER

    def hear(self, host: Host, message: Message) -> None:
        """A message reaches the node."""
        self._hand_over(host, message)
        self._heap.clear()

    def do(self, action: Action) -> None:
        """Anything else that can happen to the node. Raises: Misuse, if it cannot happen now."""
        CARRY_OUT[type(action)](self, action)
        self._heap.clear()

    def pass_over(self, host: Host, now: Millis) -> None:
        """The time is told, and nothing else happens."""
        self.now = now
        set_now = getattr(host.machine, "set_now", None)
        if set_now is not None:
            set_now(now)

    def _send(self, host: Host, messages: tuple[Message, ...]) -> None:
        self.sent += [each for each in messages if each.receiver in self.hosts]

    def _release(self, host: Host, output: Output) -> None:
        self.committed += output.committed
        super()._release(host, output)

    def _answer(self, host: Host, output: Output) -> None:
        waiting = [host.readings.get(ready.read_id) for ready in output.reads]
        super()._answer(host, output)
        self.answered += [each for each in waiting if each is not None and each.is_done]


def twin_of(host: Host) -> Host:
    """An independent copy of a node; rules, options and randomness are shared."""
    twin = copy.copy(host)
    twin.machine = machine_copy(host)
    twin.disk = copy.copy(host.disk)
    twin.disk.log = host.disk.log.copy()
    twin.disk.writes = host.disk.writes.copy()
    twin.application = copy.deepcopy(host.application)
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
    if isinstance(machine, RaftStateMachine) and type(machine) is not RaftStateMachine:
        for name, value in added(machine).items():
            setattr(twin, name, copy.deepcopy(value, shared))
    return twin

"""The world of a run: its hosts, and their side of the machine's contract: write, send, apply.

What each action does to it stands in `handlers.py`, and what happens when in `engine.py`.
"""

import random
from collections.abc import Callable, Mapping
from heapq import heappush
from typing import Any, TypeAlias, TypeVar

from raftlab.raft.log import Snapshot
from raftlab.raft.messages import Message
from raftlab.raft.output import NOTHING, Note, Output
from raftlab.raft.rules import Rules
from raftlab.raft.vocabulary import (
    REFUSALS,
    Configuration,
    Index,
    Millis,
    Misuse,
    NodeId,
    NotNow,
    listed,
    shown,
)
from raftlab.sim.world.host import Host, MachineFactory, Reading, Write
from raftlab.sim.world.network import Flight, Wires
from raftlab.sim.world.settings import Network, Setup
from raftlab.sim.world.violation import Watching

Due: TypeAlias = tuple[Millis, int, Flight | Host | Write]
"""What is due: when, in which order among what is due at one moment, and what it is."""

Watch: TypeAlias = Callable[[dict[NodeId, Host]], Watching]
"""Makes the one who is told of every step of these hosts."""

Answer = TypeVar("Answer")

MOST_POLLS = 1000

ROUNDING: Millis = 1e-6
AFTER_ALL_ELSE = 1 << 60  # timers come last among what is due at one moment


class World:
    """Hosts, the network between them, and a heap of what is due.

    `now` is the virtual time (ms), `alarms` what machines reported as impossible, `groups` the
    sides of a partition, `readings` every read that was asked. Of the step that is under way,
    `moving` is the node whose machine is at work, `message` what was delivered or lost, and
    `notes` what was decided. `watch` makes whoever looks at every step; without it, nobody does.
    A server that joins later has the rules that `newcomers` gives to its name.
    """

    __slots__ = (
        "alarms",
        "configuration",
        "factory",
        "groups",
        "heap",
        "hosts",
        "message",
        "moving",
        "network",
        "newcomers",
        "notes",
        "now",
        "readings",
        "scheduled",
        "setup",
        "snapshot_every",
        "waits",
        "waits_to_poll",
        "watcher",
        "writes_later",
    )

    def __init__(
        self,
        setup: Setup,
        rules: Mapping[NodeId, Rules],
        factory: MachineFactory,
        watch: Watch | None = None,
        newcomers: Callable[[NodeId], Rules] = lambda _: Rules(),
    ) -> None:
        self.setup = setup
        self.newcomers = newcomers
        self.waits = setup.disks.waits
        self.writes_later = setup.options.async_persistence
        self.waits_to_poll = self.waits and not self.writes_later
        self.snapshot_every = setup.disks.snapshot_every
        self.factory = factory
        self.configuration = Configuration(setup.nodes)
        self.now: Millis = 0.0
        self.alarms: list[str] = []
        self.groups: tuple[tuple[NodeId, ...], ...] = ()
        self.readings: list[Reading] = []
        self.moving: NodeId | None = None
        self.heap: list[Due] = []
        self.scheduled = 0
        self.message: Message | None = None
        self.notes: tuple[tuple[NodeId, Note], ...] = ()
        self.hosts: dict[NodeId, Host] = {}
        self.network = Wires(setup.network, setup.seed, self.hosts)
        for node in setup.nodes:
            self.add_host(node, rules[node])
        for node, terms in setup.logs:
            self.hosts[node].begin_with(setup.term, terms)
        self.watcher: Watching | None = None if watch is None else watch(self.hosts)
        for host in self.hosts.values():
            self.pump(host)

    def add_host(self, node: NodeId, rules: Rules) -> Host:
        """Start a new server, with an empty disk."""
        setup = self.setup
        rng = random.Random(f"raftlab {setup.seed} node {node}")
        turn = AFTER_ALL_ELSE + len(self.hosts)
        host = self.hosts[node] = Host(
            node,
            self.configuration,
            self.factory,
            rng,
            setup.options,
            rules,
            setup.disks,
            turn,
            self.now,
        )
        return host

    # Finding what is named

    @property
    def nodes(self) -> tuple[NodeId, ...]:
        """The names of the nodes, in order; those that joined later come last."""
        return tuple(self.hosts)

    def host(self, node: NodeId) -> Host:
        """The node of that name. Raises: Misuse, if there is none."""
        host = self.hosts.get(node) if isinstance(node, str) else None
        if host is None:
            raise Misuse(f"There is no node {shown(node)}; this cluster has {listed(self.nodes)}.")
        return host

    def living(self, node: NodeId) -> Host:
        """The node of that name, which is up. Raises: NotNow; Misuse, if there is none."""
        host = self.hosts.get(node) if isinstance(node, str) else None
        if host is None:
            return self.host(node)  # which says that there is none
        if not host.alive:
            raise NotNow(f"{node} is down; restart it first: cluster.restart({node!r}).")
        return host

    def running(self, node: NodeId) -> Host:
        """The node of that name, which is up and not paused. Raises: NotNow; Misuse."""
        host = self.living(node)
        if host.paused:
            raise NotNow(f"{node} is paused: resume it first.")
        return host

    def link(self, sender: NodeId | None, receiver: NodeId | None) -> tuple[NodeId, NodeId]:
        """The ends of a directed link. Raises: Misuse, if there is no such link."""
        if sender is None or receiver is None:
            raise Misuse('a link is named by both its ends, like "S1", "S2"')
        ends = self.host(sender).node, self.host(receiver).node
        if sender == receiver:
            raise Misuse(f"{sender} has no link to itself.")
        return ends

    def network_between(
        self, sender: NodeId | None = None, receiver: NodeId | None = None
    ) -> Network:
        """How messages from `sender` to `receiver` are carried now; over every link without
        settings of its own, if none is named. Raises: Misuse."""
        if sender is None and receiver is None:
            return self.network.settings
        return self.network.settings_of(*self.link(sender, receiver))

    # What is due later

    def schedule(self, time: Millis, thing: Flight | Write) -> None:
        """Let something be due at `time` (ms)."""
        self.scheduled += 1
        heappush(self.heap, (time, self.scheduled, thing))

    def arm(self, host: Host) -> None:
        """Make sure that the host is woken when its machine waits for something."""
        due = host.machine.next_deadline
        if host.clock is not None:
            due = host.clock.when(due)
        if due < host.timer_at:
            host.timer_at = due
            heappush(self.heap, (due, host.turn, host))

    # The host's side of the contract

    def pump(self, host: Host) -> None:
        """Poll the machine and do as its output says; poll again when what it said is durable.

        While a write is under way the machine is not polled: calling `poll` again says
        that the previous output is durable.
        """
        machine, watch = host.machine, self.watcher
        self.moving = host.node
        polls = 0
        while True:
            output = NOTHING if self.waits_to_poll and host.disk.writes else machine.poll()
            if watch is not None:
                watch.moved(host)
            if output is NOTHING or not self._take(host, output):
                break
            polls += 1
            if polls > MOST_POLLS:
                raise Misuse(
                    f"{host.node} asks for one more write at every poll: poll must hand out"
                    " each thing once"
                )
        if host.clock is not None or machine.next_deadline < host.timer_at:
            self.arm(host)

    def _take(self, host: Host, output: Output) -> bool:
        """Write first, then send and apply; at once, if nothing is to be written.

        Returns whether the machine should be polled again now, since a write has ended.
        """
        for note in output.debug_log:
            self.notes += ((host.node, note),)
        if output.alarms:
            self.alarms.extend(output.alarms)
        if self.writes_later:
            return self._take_and_write_later(host, output)
        if not output.must_be_written:
            self.release(host, output)
            return self.snapshot_every > 0 and self.compact_if_due(host)
        host.disk.begin(output)
        if host.write_ms > 0:
            self.schedule(self.now + host.write_ms, Write(host, output))
            if self.waits:
                return False
        else:
            host.disk.finish()
        self.release(host, output)
        if self.snapshot_every:
            self.compact_if_due(host)
        return True

    def _take_and_write_later(self, host: Host, output: Output) -> bool:
        """Send what may leave at once; the rest waits for this write and for all before it.

        An output with nothing to write waits too, so that nothing overtakes a write.
        """
        self.send(host, output.messages_at_once)
        disk = host.disk
        is_first = not disk.writes
        disk.begin(output)
        ends = max(self.now, host.written_at)
        if output.must_be_written:
            ends += host.write_ms
        if is_first and ends == self.now:
            self.confirm(host, disk.finish())
            return True
        host.written_at = ends
        self.schedule(ends, Write(host, output))
        if not self.waits:
            self.confirm(host, output)
        return True

    def confirm(self, host: Host, output: Output) -> None:
        """A write has ended: say so to the machine, and do what waited for it."""
        self.ability(host, "persisted")(output)
        self.release(host, output)
        if self.snapshot_every:
            self.compact_if_due(host)

    def release(self, host: Host, output: Output) -> None:
        """The rest of the contract, once the output is durable: send, load, apply, answer."""
        if output.messages:
            self.send(host, output.messages)
        if output.snapshot is not None:
            self._load(host, output.snapshot)
        if output.committed:
            if self.watcher is not None:
                self.watcher.applies(host, output.committed)
            host.apply(output.committed)
        if output.reads or output.failed_reads:
            self._answer(host, output)

    def send(self, host: Host, messages: tuple[Message, ...]) -> None:
        """Put messages of a node on their way."""
        messages = tuple(messages)  # a learner's machine may say them one by one
        if self.watcher is not None:
            self.watcher.says(host, messages)
        self.scheduled = self.network.send(messages, self.now, self.heap, self.scheduled)

    def _load(self, host: Host, snapshot: Snapshot) -> None:
        if self.watcher is not None:
            self.watcher.keeps_snapshot(host, snapshot)
        if snapshot.index > host.applied_index:
            host.load(snapshot)

    def _answer(self, host: Host, output: Output) -> None:
        for ready in output.reads:
            reading = host.readings.pop(ready.read_id, None)
            if reading is None:
                continue
            reading.answer(host.application.get(reading.key), host.applied_index)
            said = "answers the read of {} with {}"
            value = "nothing" if reading.value is None else reading.value
            self.notes += ((host.node, Note("read", said, (reading.key, value))),)
            if self.watcher is not None:
                self.watcher.answers(host, reading)
        for read_id in output.failed_reads:
            if (reading := host.readings.pop(read_id, None)) is not None:
                reading.has_failed = True
                failed = Note("read", "cannot answer the read of {}", (reading.key,))
                self.notes += ((host.node, failed),)

    def compact_if_due(self, host: Host) -> bool:
        """Compact the log of a node that has applied enough since its last snapshot."""
        snapshot = host.machine.log.snapshot
        if host.applied_index - (snapshot.index if snapshot else 0) < self.snapshot_every:
            return False
        self.compact(host, host.applied_index)
        return True

    def compact(self, host: Host, up_to: Index) -> None:
        """Let a snapshot stand for a node's log up to `up_to`. Raises: Misuse."""
        compact = self.ability(host, "compact")
        compact(up_to, host.application_at(up_to).encode())

    def launch(self, flight: Flight) -> None:
        """Put a flight on its way, or on another one."""
        self.network.flights[flight.key] = flight
        self.scheduled += 1
        heappush(self.heap, (flight.ends_at, self.scheduled, flight))

    def ability(self, host: Host, name: str) -> Callable[..., Any]:
        """A method of a machine that not every machine has. Raises: Misuse, if it has not."""
        found: Callable[..., Any] | None = getattr(host.machine, name, None)
        if found is None:
            raise Misuse(f"the machine of {host.node} has no method {name}")
        return found

    def ask(self, host: Host, call: Callable[[], Answer]) -> Answer:
        """Ask what a machine may refuse, by Misuse; whatever else it raises is a step."""
        try:
            return call()
        except REFUSALS:
            raise
        except BaseException:
            self.moving = host.node
            raise

"""The hosts of a cluster, and their side of the machine's contract: write, send, apply, answer.

The engine is one class told in three files: `contract` (what a host does with what its
machine hands out) <- `carrying` (what each action does) <- `engine` (what happens when).
"""

import random
from collections import deque
from collections.abc import Callable, Mapping
from heapq import heappush
from typing import Any, TypeAlias, TypeVar

from raftlab.raft.log import Snapshot
from raftlab.raft.messages import Message
from raftlab.raft.output import NOTHING, Note, Output
from raftlab.raft.rules import Rules
from raftlab.raft.vocabulary import Configuration, Index, Millis, Misuse, NodeId, listed, shown
from raftlab.sim.world.action import Action
from raftlab.sim.world.host import Host, MachineFactory, Reading, Write
from raftlab.sim.world.network import Flight, Wires
from raftlab.sim.world.settings import Setup
from raftlab.sim.world.violation import ViolationFrame, Watching

Moment: TypeAlias = tuple[int, Action, Message | None, tuple[tuple[NodeId, Note], ...]]
"""A step as it is remembered: its frame, the action, its message if any, and the notes."""

Due: TypeAlias = tuple[Millis, int, Flight | Host | Write]
"""What is due: when, in which order among what is due at one moment, and what it is."""

Watch: TypeAlias = Callable[[dict[NodeId, Host]], Watching]
"""Makes the one who is told of every step of these hosts."""

Answer = TypeVar("Answer")

REMEMBERED_EVENTS = 1000
MOST_POLLS = 1000
MOST_AT_ONCE = 250_000

ROUNDING: Millis = 1e-6
AFTER_ALL_ELSE = 1 << 60  # timers come last among what is due at one moment


class Contract:
    """Hosts, wires, and a heap of what is due.

    `now` is the virtual time (ms), `actions` all that has happened, `alarms` what machines
    reported as impossible, `violation` the property that was broken, if one was. `watch` makes
    whoever looks at every step; without it, nobody does.
    """

    def __init__(
        self,
        setup: Setup,
        rules: Mapping[NodeId, Rules],
        factory: MachineFactory,
        watch: Watch | None = None,
    ) -> None:
        self.setup = setup
        self._waits = setup.disks.waits
        self._writes_later = setup.options.async_persistence
        self._snapshot_every = setup.disks.snapshot_every
        self._factory = factory
        self._configuration = Configuration(setup.nodes)
        self.now: Millis = 0.0
        self.actions: list[Action] = []
        self.alarms: list[str] = []
        self.violation: ViolationFrame | None = None
        self.groups: tuple[tuple[NodeId, ...], ...] = ()
        self.recent: deque[Moment] = deque(maxlen=REMEMBERED_EVENTS)
        self._asked: list[Reading] = []
        self._stopped: str | None = None
        self._is_half_done = False
        self._moving: NodeId | None = None
        self._heap: list[Due] = []
        self._at_once = 0
        self.heed_interrupt: Callable[[], object] | None = None
        self._scheduled = 0
        self._wires = Wires(setup.network, setup.seed)
        self._flights: dict[tuple[NodeId, NodeId, int], Flight] = {}
        self._message: Message | None = None
        self._notes: tuple[tuple[NodeId, Note], ...] = ()
        self.hosts: dict[NodeId, Host] = {}
        for node in setup.nodes:
            self._add_host(node, rules[node])
        for node, terms in setup.logs:
            self.hosts[node].begin_with(setup.term, terms)
        self._watch: Watching | None = None if watch is None else watch(self.hosts)
        for host in self.hosts.values():
            self._pump(host)

    def _add_host(self, node: NodeId, rules: Rules) -> Host:
        setup = self.setup
        rng = random.Random(f"raftlab {setup.seed} node {node}")
        turn = AFTER_ALL_ELSE + len(self.hosts)
        host = self.hosts[node] = Host(
            node,
            self._configuration,
            self._factory,
            rng,
            setup.options,
            rules,
            setup.disks,
            turn,
            self.now,
        )
        return host

    def _rules_of_newcomer(self, node: NodeId) -> Rules:
        """The rules of a server that joins later."""
        return Rules()

    # Finding what is named

    @property
    def nodes(self) -> tuple[NodeId, ...]:
        """The names of the nodes, in order; those that joined later come last."""
        return tuple(self.hosts)

    def _host(self, node: NodeId) -> Host:
        host = self.hosts.get(node) if isinstance(node, str) else None
        if host is None:
            raise Misuse(f"There is no node {shown(node)}; this cluster has {listed(self.nodes)}.")
        return host

    def _living(self, node: NodeId) -> Host:
        host = self.hosts.get(node) if isinstance(node, str) else None
        if host is None:
            return self._host(node)  # which says that there is none
        if not host.alive:
            raise Misuse(f"{node} is down; restart it first: cluster.restart({node!r}).")
        return host

    def _running(self, node: NodeId) -> Host:
        host = self._living(node)
        if host.paused:
            raise Misuse(f"{node} is paused: resume it first.")
        return host

    # What is due later

    def _schedule(self, time: Millis, thing: Flight | Write) -> None:
        self._scheduled += 1
        heappush(self._heap, (time, self._scheduled, thing))

    def _arm(self, host: Host) -> None:
        """Make sure that the host is woken when its machine waits for something."""
        due = host.machine.next_deadline
        if host.clock is not None:
            due = host.clock.when(due)
        if due < host.timer_at:
            host.timer_at = due
            heappush(self._heap, (due, host.turn, host))

    # The host's side of the contract

    def _pump(self, host: Host) -> None:
        """Poll the machine and do as its output says; poll again when what it said is durable.

        While a write is under way the machine is not polled: calling `poll` again says
        that the previous output is durable.
        """
        machine, watch, disk = host.machine, self._watch, host.disk
        self._moving = host.node
        polls = 0
        stops = self._waits and not self._writes_later
        while not (stops and disk.writes):
            output = machine.poll()
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
        else:
            if watch is not None:
                watch.moved(host)
        if host.clock is not None or machine.next_deadline < host.timer_at:
            self._arm(host)

    def _take(self, host: Host, output: Output) -> bool:
        """Write first, then send and apply; at once, if nothing is to be written.

        Returns whether the machine should be polled again now, since a write has ended.
        """
        for note in output.debug_log:
            self._notes += ((host.node, note),)
        if output.alarms:
            self.alarms.extend(output.alarms)
        if self._writes_later:
            return self._take_and_write_later(host, output)
        if not output.must_be_written:
            self._release(host, output)
            return self._snapshot_every > 0 and self._compact_if_due(host)
        host.disk.begin(output)
        if host.write_ms > 0:
            self._schedule(self.now + host.write_ms, Write(host, output))
            if self._waits:
                return False
        else:
            host.disk.finish()
        self._release(host, output)
        if self._snapshot_every:
            self._compact_if_due(host)
        return True

    def _take_and_write_later(self, host: Host, output: Output) -> bool:
        """Send what may leave at once; the rest waits for this write and for all before it.

        An output with nothing to write waits too, so that nothing overtakes a write.
        """
        self._send(host, output.messages_at_once)
        disk = host.disk
        is_first = not disk.writes
        disk.begin(output)
        ends = max(self.now, host.written_at)
        if output.must_be_written:
            ends += host.write_ms
        if is_first and ends == self.now:
            self._confirm(host, disk.finish())
            return True
        host.written_at = ends
        self._schedule(ends, Write(host, output))
        if not self._waits:
            self._confirm(host, output)
        return True

    def _confirm(self, host: Host, output: Output) -> None:
        """A write has ended: say so to the machine, and do what waited for it."""
        self._ability(host, "persisted")(output)
        self._release(host, output)
        if self._snapshot_every:
            self._compact_if_due(host)

    def _release(self, host: Host, output: Output) -> None:
        """The rest of the contract, once the output is durable: send, load, apply, answer."""
        if output.messages:
            self._send(host, output.messages)
        if output.snapshot is not None:
            self._load(host, output.snapshot)
        if output.committed:
            if self._watch is not None:
                self._watch.applies(host, output.committed)
            host.apply(output.committed)
        if output.reads or output.failed_reads:
            self._answer(host, output)

    def _send(self, host: Host, messages: tuple[Message, ...]) -> None:
        watch, hosts, heap, flights = self._watch, self.hosts, self._heap, self._flights
        send, now = self._wires.send, self.now
        for message in messages:
            if watch is not None:
                watch.says(host, message)
            if message.receiver in hosts:
                for flight in send(message, now):
                    flights[flight.key] = flight
                    self._scheduled += 1
                    heappush(heap, (flight.ends_at, self._scheduled, flight))

    def _load(self, host: Host, snapshot: Snapshot) -> None:
        if self._watch is not None:
            self._watch.keeps_snapshot(host, snapshot)
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
            self._notes += ((host.node, Note("read", said, (reading.key, value))),)
            if self._watch is not None:
                self._watch.answers(host, reading)
        for read_id in output.failed_reads:
            if (reading := host.readings.pop(read_id, None)) is not None:
                reading.has_failed = True
                failed = Note("read", "cannot answer the read of {}", (reading.key,))
                self._notes += ((host.node, failed),)

    def _compact_if_due(self, host: Host) -> bool:
        """Compact the log of a node that has applied enough since its last snapshot."""
        snapshot = host.machine.log.snapshot
        if host.applied_index - (snapshot.index if snapshot else 0) < self._snapshot_every:
            return False
        self._compact(host, host.applied_index)
        return True

    def _compact(self, host: Host, up_to: Index) -> None:
        compact = self._ability(host, "compact")
        compact(up_to, host.application_at(up_to).encode())

    def _launch(self, flight: Flight) -> None:
        self._flights[flight.key] = flight
        self._scheduled += 1
        heappush(self._heap, (flight.ends_at, self._scheduled, flight))

    def _ability(self, host: Host, name: str) -> Callable[..., Any]:
        """A method of a machine that not every machine has. Raises: Misuse, if it has not."""
        found: Callable[..., Any] | None = getattr(host.machine, name, None)
        if found is None:
            raise Misuse(f"the machine of {host.node} has no method {name}")
        return found

    def _ask(self, host: Host, call: Callable[[], Answer]) -> Answer:
        """Ask what a machine may refuse, by Misuse; whatever else it raises is a step."""
        try:
            return call()
        except Misuse:
            raise
        except BaseException:
            self._moving = host.node
            raise

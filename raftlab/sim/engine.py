"""What makes a cluster run: one heap, one counter, one seed. That is all of determinism.

Everything that happens is an action (`actions.py`), whether the network did it or a
reader, and is carried out in one place, `apply`; so what was recorded can be played
again. `cluster.py` gives this engine the verbs that people use.
"""

import random
from collections import deque
from collections.abc import Callable, Mapping
from heapq import heappop, heappush
from typing import TypeAlias

from raftlab.raft.log import Command
from raftlab.raft.messages import AppendEntriesReply, Message
from raftlab.raft.output import NOTHING, Note, Output
from raftlab.raft.rules import Rules
from raftlab.raft.vocabulary import Configuration, Millis, Misuse, NodeId
from raftlab.sim.actions import (
    Action,
    Calm,
    Crash,
    Cut,
    Delay,
    Deliver,
    Drop,
    Duplicate,
    Heal,
    Partition,
    Pause,
    Propose,
    Restart,
    Resume,
    Tick,
    Timeout,
    Wait,
    Written,
)
from raftlab.sim.frame import ViolationFrame
from raftlab.sim.host import NEVER, Host, MachineFactory, Write
from raftlab.sim.invariants import Violation, Watch
from raftlab.sim.network import Flight, Wires
from raftlab.sim.settings import Setup

Moment: TypeAlias = tuple[int, Action, Message | None, tuple[tuple[NodeId, Note], ...]]
"""A step as it is remembered: its frame, the action, its message if any, and the notes."""

Due: TypeAlias = tuple[Millis, int, Flight | Host | Write]
"""What is due: when, in which order among what is due at one moment, and what it is."""

REMEMBERED_EVENTS = 1000
MOST_POLLS = 1000
MOST_AT_ONCE = 250_000

AFTER_ALL_ELSE = 1 << 60  # timers come last among what is due at one moment


class Engine:
    """Hosts, wires and a heap of what is due; carries out actions, one after the other.

    `now` is the virtual time (ms), `actions` all that has happened, `alarms` what machines
    reported as impossible, `violation` the property that was broken, if one was.
    """

    def __init__(
        self, setup: Setup, rules: Mapping[NodeId, Rules], factory: MachineFactory
    ) -> None:
        self.setup = setup
        self._waits = setup.disks.waits
        self._write_ms = setup.disks.write_ms
        self.now: Millis = 0.0
        self.actions: list[Action] = []
        self.alarms: list[str] = []
        self.violation: ViolationFrame | None = None
        self.groups: tuple[tuple[NodeId, ...], ...] = ()
        self.recent: deque[Moment] = deque(maxlen=REMEMBERED_EVENTS)
        self._stopped: str | None = None
        self._moving: NodeId | None = None
        self._heap: list[Due] = []
        self._at_once = 0
        self._scheduled = 0
        self._wires = Wires(setup.network, setup.seed)
        self._flights: dict[tuple[NodeId, NodeId, int], Flight] = {}
        self._message: Message | None = None
        self._notes: tuple[tuple[NodeId, Note], ...] = ()
        configuration = Configuration(setup.nodes)
        self.hosts = {
            node: Host(
                node,
                configuration,
                factory,
                random.Random(f"raftlab {setup.seed} node {node}"),
                setup.options,
                rules[node],
                setup.disks,
                AFTER_ALL_ELSE + place,
            )
            for place, node in enumerate(setup.nodes)
        }
        for node, terms in setup.logs:
            self.hosts[node].begin_with(setup.term, terms)
        self._watch = Watch(self.hosts) if setup.watched else None
        for host in self.hosts.values():
            self._pump(host)

    # Looking

    @property
    def nodes(self) -> tuple[NodeId, ...]:
        """The names of the nodes, in order."""
        return self.setup.nodes

    @property
    def number(self) -> int:
        """How many actions have happened: the number of the current frame."""
        return len(self.actions)

    @property
    def messages_sent(self) -> int:
        """How many messages have been sent so far, copies and lost ones included."""
        return self._wires.sent

    @property
    def cuts(self) -> tuple[tuple[NodeId, NodeId], ...]:
        """The directed links that carry nothing."""
        return self._wires.cuts

    def in_flight(self) -> tuple[Flight, ...]:
        """The messages on their way, in the order in which they were sent."""
        return tuple(self._flights.values())

    # Carrying out

    def apply(self, action: Action) -> None:
        """Carry out one action: the one way in which anything happens.

        Raises: Misuse, if it cannot happen now; Violation, if it breaks a property; and
        whatever a machine raises while it handles the action. Then the run stands still.
        """
        if self._stopped is not None:
            raise Misuse(
                f"The run stopped at frame {self.number}, where {self._stopped}."
                f" Look at it, or go back: cluster.at({self.number - 1})."
            )
        if not self.now <= action.at:
            raise Misuse(f"time went back from {self.now} to {action.at} ms")
        carry_out = CARRY_OUT[type(action)]
        self._message = self._moving = None
        self._notes = ()
        before = self.now
        self.now = action.at
        try:
            carry_out(self, action)
        except Exception as error:
            self._give_up(action, before, error)
            raise
        self.actions.append(action)
        self.recent.append((len(self.actions), action, self._message, self._notes))
        if self._watch is not None and self._watch.broken is not None:
            self._stop()

    def apply_quietly(self, action: Action) -> None:
        """Carry out one action; what stops the run with it is kept and not raised."""
        before = self._stopped
        try:
            self.apply(action)
        except Exception:
            if self._stopped is before:
                raise

    def _give_up(self, action: Action, before: Millis, error: Exception) -> None:
        """Undo what was refused; stand still where a machine failed, so that it can be seen."""
        if self._moving is None:
            self.now = before
            return
        self.actions.append(action)
        self.recent.append((len(self.actions), action, self._message, self._notes))
        self._stopped = f"{self._moving}'s machine raised {type(error).__name__}: {error}"

    def _stop(self) -> None:
        assert self._watch is not None and self._watch.broken is not None
        broken_property, broken = self._watch.broken
        self._stopped = f"{broken_property.name} was broken"
        self.violation = ViolationFrame(
            broken_property.name,
            broken.text,
            broken_property.paper,
            self.number,
            broken.nodes,
            broken.index,
        )
        raise Violation(self.violation)

    # What is due

    def _step(self, until: Millis) -> bool:
        """Carry out the next scheduled action, if it is due by `until`."""
        action = self._next_action(until)
        if action is None:
            return False
        self.apply(action)
        return True

    def _next_action(self, until: Millis) -> Action | None:
        heap, flights = self._heap, self._flights
        while heap and heap[0][0] <= until:
            time, _, thing = heappop(heap)
            if time > self.now:
                at, self._at_once = time, 0
            else:  # what was passed over is due at once
                at = self._no_time_passes((time, _, thing))
            if type(thing) is Flight:
                if thing.ends_at == time and flights.get(thing.key) is thing:
                    sender, receiver, nth = thing.key
                    if thing.lost or thing.link.cut or not self.hosts[receiver].alive:
                        return Drop(at, sender, receiver, nth)
                    return Deliver(at, sender, receiver, nth)
            elif type(thing) is Host:
                if time == thing.timer_at and self._timer_is_due(thing, at):
                    return Tick(at, thing.node)
            elif type(thing) is Write and thing.is_next():
                return Written(at, thing.host.node)
        return None

    def _no_time_passes(self, due: Due) -> Millis:
        """Now, again; but not for ever."""
        self._at_once += 1
        if self._at_once > MOST_AT_ONCE:
            heappush(self._heap, due)
            raise Misuse(
                f"{MOST_AT_ONCE} things have happened at {self.now} ms, and no end is in sight:"
                " the nodes answer one another and no time passes. Give the network a latency."
            )
        return self.now

    def _timer_is_due(self, host: Host, time: Millis) -> bool:
        """Timers are lazy: one that was put off is found too early, and set again."""
        host.timer_at = NEVER
        if not host.alive or host.paused:
            return False
        if host.machine.next_deadline <= time:
            return True
        self._arm(host)
        return False

    def _schedule(self, time: Millis, thing: Flight | Write) -> None:
        self._scheduled += 1
        heappush(self._heap, (time, self._scheduled, thing))

    def _arm(self, host: Host) -> None:
        """Make sure that the host is woken when its machine waits for something."""
        due = host.machine.next_deadline
        if due < self.now:
            due = self.now
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
        while not (disk.writes and self._waits):
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
        self._arm(host)

    def _take(self, host: Host, output: Output) -> bool:
        """Write first, then send and apply; at once, if nothing is to be written.

        Returns whether the machine should be polled again now, since a write has ended.
        """
        if output.debug_log:
            self._notes += tuple((host.node, note) for note in output.debug_log)
        if output.alarms:
            self.alarms.extend(output.alarms)
        if not output.must_be_written:
            self._release(host, output)
            return False
        host.disk.begin(output)
        if self._write_ms > 0:
            self._schedule(self.now + self._write_ms, Write(host, output))
            if self._waits:
                return False
        else:
            host.disk.finish()
        self._release(host, output)
        return True

    def _release(self, host: Host, output: Output) -> None:
        watch, hosts = self._watch, self.hosts
        for message in output.messages:
            if watch is not None:
                watch.says(host, message)
            if message.receiver in hosts:
                for flight in self._wires.send(message, self.now):
                    self._launch(flight)
        if output.committed:
            if watch is not None:
                watch.applies(host, output.committed)
            host.apply(output.committed)

    def _launch(self, flight: Flight) -> None:
        self._flights[flight.key] = flight
        self._scheduled += 1
        heappush(self._heap, (flight.ends_at, self._scheduled, flight))

    # One method per action

    def _do_deliver(self, action: Deliver) -> None:
        flight = self._flights.pop((action.sender, action.receiver, action.nth), None)
        if flight is None:
            raise Misuse(gone(action))
        message = self._message = flight.message
        host = self.hosts[action.receiver]
        if host.paused:
            host.inbox.append(message)
        elif host.alive:
            self._hand_over(host, message)

    def _hand_over(self, host: Host, message: Message) -> None:
        self._moving = host.node
        host.machine.advance(message, self.now)
        if self._watch is not None and type(message) is AppendEntriesReply:
            self._watch.replied(host, message)
        self._pump(host)

    def _do_drop(self, action: Drop) -> None:
        flight = self._known_flight(action)
        self._message = flight.message
        del self._flights[flight.key]

    def _do_duplicate(self, action: Duplicate) -> None:
        flight = self._known_flight(action)
        self._message = flight.message
        self._launch(self._wires.copy(flight.message, self.now, action.arrives_at))

    def _do_delay(self, action: Delay) -> None:
        flight = self._known_flight(action)
        self._message = flight.message
        if not flight.lost:
            flight.ends_at = action.arrives_at
        flight.arrives_at = action.arrives_at
        self._launch(flight)

    def _do_tick(self, action: Tick) -> None:
        host = self._living(action.node)
        self._moving = host.node
        host.timer_at = NEVER
        host.machine.tick(self.now)
        if host.machine.next_deadline <= self.now:
            raise Misuse(
                f"{host.node} was told that it is {self.now} ms and still waits for"
                f" {host.machine.next_deadline} ms: tick must move next_deadline on"
            )
        self._pump(host)

    def _do_written(self, action: Written) -> None:
        host = self._living(action.node)
        if not host.disk.writes:
            raise Misuse(f"{action.node} is not writing anything")
        output = host.disk.finish()
        if host.paused:
            host.held.append(output)
        elif self._waits:
            self._release(host, output)
            self._pump(host)

    def _do_timeout(self, action: Timeout) -> None:
        host = self._living(action.node)
        campaign = getattr(host.machine, "campaign", None)
        if campaign is None:
            raise Misuse(f"the machine of {action.node} cannot be told to time out")
        self._ask(host, lambda: campaign(self.now, force=action.force))
        self._pump(host)

    def _do_propose(self, action: Propose) -> None:
        host = self._living(action.node)
        self._ask(host, lambda: host.machine.add_entry(Command(action.data)))
        self._pump(host)

    def _ask(self, host: Host, call: Callable[[], object]) -> None:
        """Ask what a machine may refuse, by Misuse; whatever else it raises is a step."""
        try:
            call()
        except Misuse:
            raise
        except Exception:
            self._moving = host.node
            raise

    def _do_crash(self, action: Crash) -> None:
        self._living(action.node).stop()

    def _do_restart(self, action: Restart) -> None:
        host = self._host(action.node)
        self._moving = host.node
        host.start(self.now)
        if self._watch is not None:
            self._watch.restarted(host)
        self._pump(host)

    def _do_pause(self, action: Pause) -> None:
        self._living(action.node).paused = True

    def _do_resume(self, action: Resume) -> None:
        host = self._living(action.node)
        host.paused = False
        host.timer_at = NEVER
        held, host.held = host.held, []
        for output in held:
            if self._waits:
                self._release(host, output)
        waiting, host.inbox = host.inbox, []
        for message in waiting:
            self._hand_over(host, message)
        self._pump(host)

    def _do_partition(self, action: Partition) -> None:
        side = {node: place for place, group in enumerate(action.groups) for node in group}
        if len(side) != len(self.nodes) or not all(node in side for node in self.nodes):
            raise Misuse(f"a partition puts each of {', '.join(self.nodes)} on one side")
        self._wires.heal()
        self.groups = action.groups
        for sender in self.nodes:
            for receiver in self.nodes:
                if side[sender] != side[receiver]:
                    self._wires.cut(sender, receiver)

    def _do_cut(self, action: Cut) -> None:
        self._wires.cut(action.sender, action.receiver)

    def _do_heal(self, action: Heal) -> None:
        self._wires.heal()
        self.groups = ()

    def _do_calm(self, action: Calm) -> None:
        self._wires.calm()

    def _do_wait(self, action: Wait) -> None:
        """Nothing happens."""

    # Finding what an action names

    def _host(self, node: NodeId) -> Host:
        host = self.hosts.get(node) if isinstance(node, str) else None
        if host is None:
            raise Misuse(f"There is no node {node!r}; this cluster has {', '.join(self.nodes)}.")
        return host

    def _living(self, node: NodeId) -> Host:
        host = self._host(node)
        if not host.alive:
            raise Misuse(f"{node} is down; restart it first: cluster.restart({node!r}).")
        return host

    def _known_flight(self, action: Drop | Duplicate | Delay) -> Flight:
        flight = self._flights.get((action.sender, action.receiver, action.nth))
        if flight is None:
            raise Misuse(gone(action))
        return flight


CARRY_OUT: Mapping[type, Callable[..., None]] = {
    Deliver: Engine._do_deliver,
    Drop: Engine._do_drop,
    Duplicate: Engine._do_duplicate,
    Delay: Engine._do_delay,
    Tick: Engine._do_tick,
    Written: Engine._do_written,
    Timeout: Engine._do_timeout,
    Propose: Engine._do_propose,
    Crash: Engine._do_crash,
    Restart: Engine._do_restart,
    Pause: Engine._do_pause,
    Resume: Engine._do_resume,
    Partition: Engine._do_partition,
    Cut: Engine._do_cut,
    Heal: Engine._do_heal,
    Calm: Engine._do_calm,
    Wait: Engine._do_wait,
}


def gone(action: Deliver | Drop | Duplicate | Delay) -> str:
    """Why nothing can be done to a message any more."""
    return f"message {action.nth} from {action.sender} to {action.receiver} is not on its way"

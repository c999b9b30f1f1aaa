"""What each action does: one handler per action, and the table in which it is found."""

from collections.abc import Callable
from typing import TypeVar

from raftlab.raft.log import Command
from raftlab.raft.messages import AppendEntriesReply, InstallSnapshotReply, Message
from raftlab.raft.options import LONGEST, is_number
from raftlab.raft.output import Note
from raftlab.raft.roles import Role
from raftlab.raft.vocabulary import Configuration, Millis, Misuse, NodeId, listed, shown
from raftlab.sim.world.action import Action, ToMessage
from raftlab.sim.world.actions import (
    Calm,
    Compact,
    Crash,
    Cut,
    Delay,
    Deliver,
    Drop,
    Duplicate,
    ForgetLeader,
    Heal,
    Join,
    Partition,
    Pause,
    Propose,
    Read,
    Reconfigure,
    Restart,
    Resume,
    SetClockRate,
    SlowDisk,
    Tick,
    Timeout,
    TransferLeadership,
    Wait,
    Wipe,
    Written,
)
from raftlab.sim.world.arguments import node_names
from raftlab.sim.world.host import NEVER, Clock, Host, Reading
from raftlab.sim.world.hosts import ROUNDING, Contract
from raftlab.sim.world.network import Flight

ANSWERS = (AppendEntriesReply, InstallSnapshotReply)
"""From these a leader learns what a follower holds."""

Handler = TypeVar("Handler", bound=Callable[..., None])

HANDLERS: dict[type[Action], Callable[..., None]] = {}
"""What carries each kind of action out: called with the engine and the action."""


def handles(kind: type[Action]) -> Callable[[Handler], Handler]:
    """Let a function of an engine and an action carry out the actions of a kind."""

    def note(handler: Handler) -> Handler:
        HANDLERS[kind] = handler
        return handler

    return note


class Carrying(Contract):
    """Carries out actions. What cannot be done now is refused with Misuse, before it begins.

    It is refused here and nowhere else: the verbs, what is tried at random, what a search or
    a shrinker makes, and what a file or a text holds all meet the same refusal. Only a message
    may arrive at a node that is down: it is lost there.
    """

    @handles(Deliver)
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
        clock = host.clock
        host.machine.advance(message, self.now if clock is None else clock.at(self.now))
        if self._watch is not None and type(message) in ANSWERS:
            self._watch.replied(host, message)
        self._pump(host)

    @handles(Drop)
    def _do_drop(self, action: Drop) -> None:
        flight = self._known_flight(action)
        self._message = flight.message
        del self._flights[flight.key]

    @handles(Duplicate)
    def _do_duplicate(self, action: Duplicate) -> None:
        flight = self._known_flight(action)
        self._check_arrival(action.arrives_at)
        self._message = flight.message
        self._launch(self._wires.copy(flight.message, self.now, action.arrives_at))

    @handles(Delay)
    def _do_delay(self, action: Delay) -> None:
        flight = self._known_flight(action)
        self._check_arrival(action.arrives_at)
        self._message = flight.message
        if not flight.lost:
            flight.ends_at = action.arrives_at
        flight.arrives_at = action.arrives_at
        self._launch(flight)

    def _check_arrival(self, arrives_at: Millis) -> None:
        if not self.now <= arrives_at < NEVER:
            raise Misuse(f"a message arrives after {self.now} ms, not at {arrives_at} ms")

    @handles(Tick)
    def _do_tick(self, action: Tick) -> None:
        host = self._running(action.node)
        self._moving = host.node
        host.timer_at = NEVER
        now = self.now
        if host.clock is not None:  # its own time, and not a rounding error too early
            now, due = host.clock.at(now), host.machine.next_deadline
            if now < due < now + ROUNDING:
                now = host.clock.latest = due
        host.machine.tick(now)
        if host.machine.next_deadline <= now:
            raise Misuse(
                f"{host.node} was told that it is {now} ms and still waits for"
                f" {host.machine.next_deadline} ms: tick must move next_deadline on"
            )
        self._pump(host)

    @handles(Written)
    def _do_written(self, action: Written) -> None:
        host = self._living(action.node)
        if not host.disk.writes:
            raise Misuse(f"{action.node} is not writing anything")
        output = host.disk.finish()
        if host.paused:
            host.held.append(output)
        elif self._waits:
            self._moving = host.node
            self._tell_time(host)
            if self._writes_later:
                self._confirm(host, output)
            else:
                self._release(host, output)
                if self._snapshot_every:
                    self._compact_if_due(host)
            self._pump(host)

    @handles(Timeout)
    def _do_timeout(self, action: Timeout) -> None:
        host = self._living(action.node)
        if host.paused:
            raise Misuse(f"{host.node} is paused, and so is its timer: resume it first.")
        if host.machine.role is Role.LEADER:
            raise Misuse(f"{host.node} leads and waits for no leader: choose another node.")
        campaign = self._ability(host, "campaign")
        self._ask(host, lambda: campaign(host.now(self.now), force=action.force))
        self._pump(host)

    @handles(Propose)
    def _do_propose(self, action: Propose) -> None:
        host = self._running(action.node)
        self._tell_time(host)
        self._ask(host, lambda: host.machine.add_entry(Command(action.data)))
        self._pump(host)

    @handles(Reconfigure)
    def _do_reconfigure(self, action: Reconfigure) -> None:
        host = self._running(action.node)
        configuration = Configuration(action.voters, (), action.learners)
        self._tell_time(host)
        self._ask(host, lambda: host.machine.add_entry(configuration))
        self._pump(host)

    @handles(TransferLeadership)
    def _do_transfer(self, action: TransferLeadership) -> None:
        host = self._running(action.node)
        transfer = self._ability(host, "transfer_leadership")
        self._tell_time(host)
        self._ask(host, lambda: transfer(action.to))
        self._pump(host)

    def _tell_time(self, host: Host) -> None:
        """What a machine is asked without a time, it is asked now.

        It is told at every step that tells it nothing else: so a lease is judged by this moment,
        and a question that was refused leaves no other time behind than a replay knows.
        """
        set_now = getattr(host.machine, "set_now", None)
        if set_now is not None:
            set_now(host.now(self.now))

    @handles(ForgetLeader)
    def _do_forget(self, action: ForgetLeader) -> None:
        host = self._running(action.node)
        self._tell_time(host)
        self._ask(host, self._ability(host, "forget_leader"))
        self._pump(host)

    @handles(Compact)
    def _do_compact(self, action: Compact) -> None:
        host = self._running(action.node)
        if action.up_to > host.applied_index:
            raise Misuse(f"{host.node} has applied up to {host.applied_index}, and no further")
        self._tell_time(host)
        self._ask(host, lambda: self._compact(host, action.up_to))
        self._pump(host)

    @handles(Read)
    def _do_read(self, action: Read) -> None:
        host = self._running(action.node)
        reading = Reading(action.node, action.key, self.now)
        read = self._ability(host, "read")
        if self._watch is not None:
            self._watch.asks(reading)
        name = host.reads_asked + 1
        host.readings[self._ask(host, lambda: read(host.now(self.now), name))] = reading
        host.reads_asked = name  # and not if it was refused: a replay knows nothing of that
        self._asked.append(reading)
        self._pump(host)

    @handles(Crash)
    def _do_crash(self, action: Crash) -> None:
        self._living(action.node).stop()

    @handles(Wipe)
    def _do_wipe(self, action: Wipe) -> None:
        host = self._host(action.node)
        if host.alive:
            raise Misuse(f"{action.node} is running: crash it before its disk is lost.")
        if host.disk.is_lost:
            raise Misuse(f"The disk of {action.node} is lost already.")
        host.disk.wipe()
        if self._watch is not None:
            self._watch.wiped(host)

    @handles(Join)
    def _do_join(self, action: Join) -> None:
        node = action.node
        node_names((*self.nodes, node))
        self._moving = node
        leads = [group for group in self.groups if any(map(self._leads, group))]
        side = leads[0] if leads else self.groups[0] if self.groups else ()
        host = self._add_host(node, self._rules_of_newcomer(node))
        self.groups = tuple((*each, node) if each is side else each for each in self.groups)
        for group in self.groups:
            for other in group if node not in group else ():
                self._wires.cut(node, other)
                self._wires.cut(other, node)
        self._pump(host)

    def _leads(self, node: NodeId) -> bool:
        host = self.hosts[node]
        return host.alive and host.machine.role is Role.LEADER

    @handles(SetClockRate)
    def _do_set_clock_rate(self, action: SetClockRate) -> None:
        host = self._host(action.node)
        if not (is_number(action.rate) and 0.01 <= action.rate <= 100):
            raise Misuse(
                f"a clock runs 0.01 to 100 times as fast as time, not {shown(action.rate)}"
            )
        host.clock = Clock(action.rate, self.now, host.now(self.now))
        if host.alive and not host.paused:
            host.timer_at = NEVER
            self._arm(host)

    @handles(SlowDisk)
    def _do_slow_disk(self, action: SlowDisk) -> None:
        host = self._host(action.node)
        if not (is_number(action.write_ms) and 0 <= action.write_ms <= LONGEST):
            raise Misuse(f"a write takes 0 ms or more, not {shown(action.write_ms)}")
        host.write_ms = action.write_ms

    @handles(Restart)
    def _do_restart(self, action: Restart) -> None:
        host = self._host(action.node)
        if host.alive:
            raise Misuse(f"{host.node} is running; crash it before you restart it.")
        self._moving = host.node
        host.start(self.now)
        if host.disk.is_lost:
            self._notes += ((host.node, Note("restart", "finds its disk empty")),)
        if self._watch is not None:
            self._watch.restarted(host)
        self._pump(host)

    @handles(Pause)
    def _do_pause(self, action: Pause) -> None:
        host = self._living(action.node)
        if host.paused:
            raise Misuse(
                f"{host.node} is paused already; resume it with cluster.resume({host.node!r})."
            )
        host.paused = True

    @handles(Resume)
    def _do_resume(self, action: Resume) -> None:
        host = self._living(action.node)
        if not host.paused:
            raise Misuse(f"{host.node} is not paused.")
        host.paused = False
        host.timer_at = NEVER
        self._tell_time(host)
        held, host.held = host.held, []
        for output in held:
            if self._waits and self._writes_later:
                self._confirm(host, output)
            elif self._waits:
                self._release(host, output)
        if held:
            self._pump(host)
        waiting, host.inbox = host.inbox, []
        for message in waiting:
            self._hand_over(host, message)
        self._pump(host)

    @handles(Partition)
    def _do_partition(self, action: Partition) -> None:
        side = {node: place for place, group in enumerate(action.groups) for node in group}
        named = sum(len(group) for group in action.groups)
        if named != len(self.nodes) or not all(node in side for node in self.nodes):
            raise Misuse(f"a partition puts each of {listed(self.nodes)} on one side")
        if len(set(side.values())) < 2:
            raise Misuse("A partition needs two sides: name some of the nodes, not all or none.")
        self._wires.heal()
        self.groups = action.groups
        for sender in self.nodes:
            for receiver in self.nodes:
                if side[sender] != side[receiver]:
                    self._wires.cut(sender, receiver)

    @handles(Cut)
    def _do_cut(self, action: Cut) -> None:
        sender, receiver = self._host(action.sender).node, self._host(action.receiver).node
        if sender == receiver:
            raise Misuse(f"{sender} has no link to itself.")
        self._wires.cut(sender, receiver)

    @handles(Heal)
    def _do_heal(self, action: Heal) -> None:
        self._wires.heal()
        self.groups = ()

    @handles(Calm)
    def _do_calm(self, action: Calm) -> None:
        self._wires.calm()

    @handles(Wait)
    def _do_wait(self, action: Wait) -> None:
        """Nothing happens."""

    def _known_flight(self, action: ToMessage) -> Flight:
        flight = self._flights.get((action.sender, action.receiver, action.nth))
        if flight is None:
            raise Misuse(gone(action))
        return flight


def gone(action: ToMessage) -> str:
    """Why nothing can be done to a message any more."""
    return f"message {action.nth} from {action.sender} to {action.receiver} is not on its way"

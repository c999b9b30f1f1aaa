"""What each action does to the world: one handler an action, and the table in which it is found.

What cannot be done is refused before anything is changed: with NotNow, or with Misuse, where it
never can. It is refused here and nowhere else: the verbs, what is tried at random, what a search or
a shrinker makes, and what a file or a text holds all meet the same refusal. Only a message may
arrive at a node that is down: it is lost there.
"""

from collections.abc import Callable
from typing import TypeVar

from raftlab.raft.log import Command
from raftlab.raft.messages import AppendEntriesReply, InstallSnapshotReply, Message
from raftlab.raft.node import NodeCore
from raftlab.raft.options import LONGEST, is_number
from raftlab.raft.output import Note
from raftlab.raft.roles import Role
from raftlab.raft.vocabulary import Configuration, Millis, Misuse, NodeId, NotNow, listed, shown
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
    SetNetwork,
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
from raftlab.sim.world.network import Flight
from raftlab.sim.world.world import ROUNDING, World

ANSWERS = (AppendEntriesReply, InstallSnapshotReply)
"""From these a leader learns what a follower holds."""

Handler = TypeVar("Handler", bound=Callable[..., None])

HANDLERS: dict[type[Action], Callable[..., None]] = {}
"""What carries each kind of action out: called with the world and the action."""


def handles(kind: type[Action]) -> Callable[[Handler], Handler]:
    """Let a function of a world and an action carry out the actions of a kind."""

    def note(handler: Handler) -> Handler:
        HANDLERS[kind] = handler
        return handler

    return note


@handles(Deliver)
def _deliver(world: World, action: Deliver) -> None:
    flight = world.network.flights.pop((action.sender, action.receiver, action.nth), None)
    if flight is None:
        raise NotNow(gone(action))
    flight.ends_at = NEVER
    message = world.message = flight.message
    host = world.hosts[action.receiver]
    if host.paused:
        host.inbox.append(message)
    elif host.alive:
        hand_over(world, host, message)


def hand_over(world: World, host: Host, message: Message) -> None:
    """A message reaches a node that is up and running."""
    world.moving = host.node
    clock = host.clock
    host.machine.advance(message, world.now if clock is None else clock.at(world.now))
    if world.watcher is not None and type(message) in ANSWERS:
        world.watcher.replied(host, message)
    world.pump(host)


@handles(Drop)
def _drop(world: World, action: Drop) -> None:
    flight = _known_flight(world, action)
    world.message = flight.message
    del world.network.flights[flight.key]
    flight.ends_at = NEVER


@handles(Duplicate)
def _duplicate(world: World, action: Duplicate) -> None:
    flight = _known_flight(world, action)
    _check_arrival(world, action.arrives_at)
    world.message = flight.message
    world.launch(world.network.copy(flight.message, world.now, action.arrives_at))


@handles(Delay)
def _delay(world: World, action: Delay) -> None:
    flight = _known_flight(world, action)
    _check_arrival(world, action.arrives_at)
    world.message = flight.message
    if not flight.lost:
        flight.ends_at = action.arrives_at
    flight.arrives_at = action.arrives_at
    world.launch(flight)


def _check_arrival(world: World, arrives_at: Millis) -> None:
    if not world.now <= arrives_at < NEVER:
        raise Misuse(f"a message arrives after {world.now} ms, not at {arrives_at} ms")


@handles(Tick)
def _tick(world: World, action: Tick) -> None:
    host = world.running(action.node)
    world.moving = host.node
    host.timer_at = NEVER
    now = world.now
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
    world.pump(host)


@handles(Written)
def _written(world: World, action: Written) -> None:
    host = world.living(action.node)
    if not host.disk.writes:
        raise NotNow(f"{action.node} is not writing anything")
    output = host.disk.finish()
    if host.paused:
        host.held.append(output)
    elif world.waits:
        world.moving = host.node
        _tell_time(world, host)
        if world.writes_later:
            world.confirm(host, output)
        else:
            world.release(host, output)
            if world.snapshot_every:
                world.compact_if_due(host)
        world.pump(host)


@handles(Timeout)
def _timeout(world: World, action: Timeout) -> None:
    host = world.living(action.node)
    if host.paused:
        raise NotNow(f"{host.node} is paused, and so is its timer: resume it first.")
    if host.machine.role is Role.LEADER:
        raise NotNow(f"{host.node} leads and waits for no leader: choose another node.")
    campaign = world.ability(host, "campaign")
    world.ask(host, lambda: campaign(host.now(world.now), force=action.force))
    world.pump(host)


@handles(Propose)
def _propose(world: World, action: Propose) -> None:
    host = world.running(action.node)
    _tell_time(world, host)
    world.ask(host, lambda: host.machine.add_entry(Command(action.data)))
    world.pump(host)


@handles(Reconfigure)
def _reconfigure(world: World, action: Reconfigure) -> None:
    host = world.running(action.node)
    configuration = Configuration(action.voters, (), action.learners)
    _tell_time(world, host)
    world.ask(host, lambda: host.machine.add_entry(configuration))
    world.pump(host)


@handles(TransferLeadership)
def _transfer(world: World, action: TransferLeadership) -> None:
    host = world.running(action.node)
    transfer = world.ability(host, "transfer_leadership")
    _tell_time(world, host)
    world.ask(host, lambda: transfer(action.to))
    world.pump(host)


def _tell_time(world: World, host: Host) -> None:
    """What a machine is asked without a time, it is asked now.

    It is told at every step that tells it nothing else: so a lease is judged by this moment,
    and a question that was refused leaves no other time behind than a replay knows.
    """
    if isinstance(host.machine, NodeCore):
        host.machine.now = host.now(world.now)


@handles(ForgetLeader)
def _forget(world: World, action: ForgetLeader) -> None:
    host = world.running(action.node)
    _tell_time(world, host)
    world.ask(host, world.ability(host, "forget_leader"))
    world.pump(host)


@handles(Compact)
def _compact(world: World, action: Compact) -> None:
    host = world.running(action.node)
    if action.up_to > host.applied_index:
        raise NotNow(f"{host.node} has applied up to {host.applied_index}, and no further")
    _tell_time(world, host)
    world.ask(host, lambda: world.compact(host, action.up_to))
    world.pump(host)


@handles(Read)
def _read(world: World, action: Read) -> None:
    host = world.running(action.node)
    reading = Reading(action.node, action.key, world.now)
    read = world.ability(host, "read")
    if world.watcher is not None:
        world.watcher.asks(reading)
    name = host.reads_asked + 1
    host.readings[world.ask(host, lambda: read(host.now(world.now), name))] = reading
    host.reads_asked = name  # and not if it was refused: a replay knows nothing of that
    world.readings.append(reading)
    world.pump(host)


@handles(Crash)
def _crash(world: World, action: Crash) -> None:
    world.living(action.node).stop()


@handles(Wipe)
def _wipe(world: World, action: Wipe) -> None:
    host = world.host(action.node)
    if host.disk.is_lost:
        raise NotNow(f"The disk of {action.node} is lost already.")
    if host.alive:
        raise NotNow(f"{action.node} is running: crash it before its disk is lost.")
    host.disk.wipe()
    if world.watcher is not None:
        world.watcher.wiped(host)


@handles(Join)
def _join(world: World, action: Join) -> None:
    node = action.node
    node_names((*world.nodes, node))
    world.moving = node
    leads = [group for group in world.groups if any(_leads_in(world, each) for each in group)]
    side = leads[0] if leads else world.groups[0] if world.groups else ()
    host = world.add_host(node, world.newcomers(node))
    world.groups = tuple((*each, node) if each is side else each for each in world.groups)
    for group in world.groups:
        for other in group if node not in group else ():
            world.network.cut(node, other)
            world.network.cut(other, node)
    world.pump(host)


def _leads_in(world: World, node: NodeId) -> bool:
    host = world.hosts[node]
    return host.alive and host.machine.role is Role.LEADER


@handles(SetClockRate)
def _set_clock_rate(world: World, action: SetClockRate) -> None:
    host = world.host(action.node)
    if not (is_number(action.rate) and 0.01 <= action.rate <= 100):
        raise Misuse(f"a clock runs 0.01 to 100 times as fast as time, not {shown(action.rate)}")
    host.clock = Clock(action.rate, world.now, host.now(world.now))
    if host.alive and not host.paused:
        host.timer_at = NEVER
        world.arm(host)


@handles(SlowDisk)
def _slow_disk(world: World, action: SlowDisk) -> None:
    host = world.host(action.node)
    if not (is_number(action.write_ms) and 0 <= action.write_ms <= LONGEST):
        raise Misuse(f"a write takes 0 ms or more, not {shown(action.write_ms)}")
    host.write_ms = action.write_ms


@handles(Restart)
def _restart(world: World, action: Restart) -> None:
    host = world.host(action.node)
    if host.alive:
        raise NotNow(f"{host.node} is running; crash it before you restart it.")
    world.moving = host.node
    host.start(world.now)
    if host.disk.is_lost:
        world.notes += ((host.node, Note("restart", "finds its disk empty")),)
    if world.watcher is not None:
        world.watcher.restarted(host)
    world.pump(host)


@handles(Pause)
def _pause(world: World, action: Pause) -> None:
    host = world.living(action.node)
    if host.paused:
        raise NotNow(
            f"{host.node} is paused already; resume it with cluster.resume({host.node!r})."
        )
    host.paused = True


@handles(Resume)
def _resume(world: World, action: Resume) -> None:
    host = world.living(action.node)
    if not host.paused:
        raise NotNow(f"{host.node} is not paused.")
    world.moving = host.node
    host.paused = False
    host.timer_at = NEVER
    _tell_time(world, host)
    held, host.held = host.held, []
    for output in held:
        if world.waits and world.writes_later:
            world.confirm(host, output)
        elif world.waits:
            world.release(host, output)
    if held:
        world.pump(host)
    waiting, host.inbox = host.inbox, []
    for message in waiting:
        hand_over(world, host, message)
    world.pump(host)


@handles(Partition)
def _partition(world: World, action: Partition) -> None:
    side = {node: place for place, group in enumerate(action.groups) for node in group}
    named = sum(len(group) for group in action.groups)
    if named != len(world.nodes) or not all(node in side for node in world.nodes):
        raise Misuse(f"a partition puts each of {listed(world.nodes)} on one side")
    if len(set(side.values())) < 2:
        raise Misuse("A partition needs two sides: name some of the nodes, not all or none.")
    world.network.heal()
    world.groups = action.groups
    for sender in world.nodes:
        for receiver in world.nodes:
            if side[sender] != side[receiver]:
                world.network.cut(sender, receiver)


@handles(Cut)
def _cut(world: World, action: Cut) -> None:
    world.network.cut(*world.link(action.sender, action.receiver))


@handles(Heal)
def _heal(world: World, action: Heal) -> None:
    world.network.heal()
    world.groups = ()


@handles(Calm)
def _calm(world: World, action: Calm) -> None:
    world.network.calm()


@handles(SetNetwork)
def _set_network(world: World, action: SetNetwork) -> None:
    if action.sender is None and action.receiver is None:
        world.network.change(action.network, world.now)
    else:
        ends = world.link(action.sender, action.receiver)
        world.network.change_link(*ends, action.network, world.now)


@handles(Wait)
def _wait(world: World, action: Wait) -> None:
    """Nothing happens."""


def _known_flight(world: World, action: ToMessage) -> Flight:
    flight = world.network.flights.get((action.sender, action.receiver, action.nth))
    if flight is None:
        raise NotNow(gone(action))
    return flight


def gone(action: ToMessage) -> str:
    """Why nothing can be done to a message any more."""
    return f"message {action.nth} from {action.sender} to {action.receiver} is not on its way"

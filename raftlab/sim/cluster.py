"""A cluster you can touch: many machines, one virtual clock, and the verbs people use.

One heap, one counter, one seed: that is the whole argument for determinism. Everything
that happens is an action (`actions.py`), whether the network did it or a reader, and is
carried out in one place, `apply`; so what was recorded can be played again.
"""

import random
from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from heapq import heappop, heappush
from typing import TYPE_CHECKING, TypeAlias

from raftlab.raft.log import Command
from raftlab.raft.machine import RaftStateMachine
from raftlab.raft.messages import AppendEntriesReply, Message
from raftlab.raft.options import Options
from raftlab.raft.output import NOTHING, Note, Output
from raftlab.raft.roles import Role
from raftlab.raft.rules import Rules
from raftlab.raft.vocabulary import Configuration, Index, Millis, Misuse, NodeId, NotLeader, Term
from raftlab.sim import framing
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
from raftlab.sim.frame import Event, Frame, Trace, ViolationFrame
from raftlab.sim.host import NEVER, Host, MachineFactory, Write
from raftlab.sim.invariants import Violation, Watch
from raftlab.sim.network import Flight, Wires
from raftlab.sim.settings import Disks, Network, Setup

if TYPE_CHECKING:
    from raftlab.sim.recording import Recording

RulesGiven: TypeAlias = Rules | type[Rules] | Mapping[NodeId, Rules | type[Rules]] | None
Moment: TypeAlias = tuple[int, Action, Message | None, tuple[tuple[NodeId, Note], ...]]

MOST_NODES = 51
REMEMBERED_EVENTS = 1000
MOST_POLLS = 1000

AFTER_ALL_ELSE = 1 << 60  # timers come last among what is due at one moment


class Cluster:
    """A simulated Raft cluster.

        cluster = Cluster(5, seed=7)
        cluster.elect()                     # -> "S3", say
        cluster.propose("x=1")
        cluster.run(100)                    # ms of virtual time
        cluster.crash(cluster.leader)

    `nodes` is how many (1 to 51: "S1", "S2", …) or their names. `logs` gives nodes a past:
    the terms of the entries that are on their disks at the start, as the paper's Figure 7
    draws them (`logs={"S1": [1, 1, 4], "S2": [1]}`); every node then starts in the
    highest of these terms. `rules` is one `Rules`
    for all, or a mapping from node to its own. `machine` builds a node's machine: the
    shipped one, or a learner's own class with the same contract. `watched` says whether
    the properties of `invariants.py` are checked after every step.

    Raises: Misuse, for a cluster that cannot be, and by each verb for what cannot be done
    at that moment, with what to do instead; Violation, when a property is broken. After a
    violation the run stands still: look at it, or go back with `at`.
    """

    def __init__(
        self,
        nodes: int | Sequence[NodeId] = 5,
        *,
        seed: int = 0,
        options: Options | None = None,
        network: Network | None = None,
        disks: Disks | None = None,
        rules: RulesGiven = None,
        machine: MachineFactory = RaftStateMachine,
        watched: bool = True,
        logs: Mapping[NodeId, Sequence[Term]] | None = None,
    ) -> None:
        names = node_names(nodes)
        if not isinstance(seed, int):
            raise Misuse(f"a seed is a whole number, not {seed!r}")
        self._rules = dict(rules) if isinstance(rules, Mapping) else rules
        self._factory = machine
        each = rules_for(names, rules)
        self.setup = Setup(
            nodes=names,
            seed=seed,
            options=options or Options(),
            network=network or Network(),
            disks=disks or Disks(),
            rules=tuple((node, full_name(mine)) for node, mine in each.items()),
            machine=full_name(machine),
            watched=watched,
            logs=tuple((node, tuple(terms)) for node, terms in (logs or {}).items()),
        )
        for node, _ in self.setup.logs:
            if node not in names:
                raise Misuse(f"there is no node {node!r} to give a log to")
        self._waits = self.setup.disks.waits
        self._write_ms = self.setup.disks.write_ms
        self.now: Millis = 0.0
        self.actions: list[Action] = []
        self.alarms: list[str] = []
        self.violation: ViolationFrame | None = None
        self._stopped: str | None = None
        self._moving: NodeId | None = None
        self.groups: tuple[tuple[NodeId, ...], ...] = ()
        self._heap: list[tuple[Millis, int, Flight | Host | Write]] = []
        self._scheduled = 0
        self._wires = Wires(self.setup.network, seed)
        self._flights: dict[tuple[NodeId, NodeId, int], Flight] = {}
        self._recent: deque[Moment] = deque(maxlen=REMEMBERED_EVENTS)
        self._message: Message | None = None
        self._notes: tuple[tuple[NodeId, Note], ...] = ()
        configuration = Configuration(names)
        self.hosts = {
            node: Host(
                node,
                configuration,
                machine,
                random.Random(f"raftlab {seed} node {node}"),
                self.setup.options,
                each[node],
                self.setup.disks,
                AFTER_ALL_ELSE + place,
            )
            for place, node in enumerate(names)
        }
        for node, terms in self.setup.logs:
            self.hosts[node].begin_with(self.setup.term, terms)
        self._watch = Watch(self.hosts) if watched else None
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
    def leader(self) -> NodeId | None:
        """The living leader of the highest term, or None."""
        leading = [
            host for host in self.hosts.values() if host.alive and host.machine.role is Role.LEADER
        ]
        return max(leading, key=lambda host: host.machine.term).node if leading else None

    @property
    def commit_index(self) -> Index:
        """The highest commit index of a living node; 0 if none lives."""
        return max(
            (host.machine.commit_index for host in self.hosts.values() if host.alive), default=0
        )

    @property
    def messages_sent(self) -> int:
        """How many messages have been sent so far, copies and lost ones included."""
        return self._wires.sent

    def machine(self, node: NodeId) -> object:
        """The live machine of a node, for reading. Raises: Misuse, if it is down or unknown."""
        return self._living(node).machine

    def frame(self) -> Frame:
        """The whole cluster as it is now."""
        return framing.frame_of(self)

    def events(self, last: int = 10) -> tuple[Event, ...]:
        """The last steps in words, oldest first; at most the last 1,000 are remembered."""
        return tuple(framing.event_of(moment) for moment in list(self._recent)[-last:] if last > 0)

    @property
    def cuts(self) -> tuple[tuple[NodeId, NodeId], ...]:
        """The directed links that carry nothing."""
        return self._wires.cuts

    def in_flight(self) -> tuple[Flight, ...]:
        """The messages on their way, in the order in which they were sent."""
        return tuple(self._flights.values())

    @property
    def recording(self) -> "Recording":
        """The run so far, as a value."""
        from raftlab.sim.recording import Recording  # a recording builds clusters, too

        return Recording(self.setup, tuple(self.actions), self._rules, self._factory)

    def trace(self, start: Millis = 0.0, end: Millis | None = None) -> Trace:
        """The run from `start` to `end` (ms) as a space-time diagram needs it."""
        return self.recording.trace(start, end)

    def at(self, number: int) -> "Cluster":
        """A new cluster as this one was at frame `number`, ready to go on from there.

        Raises: Misuse, if there was no such frame.
        """
        return self.recording.upto(number).replay()

    def __repr__(self) -> str:
        leader = self.leader
        who = f"{leader} leads term {self.hosts[leader].machine.term}" if leader else "no leader"
        return f"<Cluster of {len(self.nodes)}: {self.now:.1f} ms, {who}, frame {self.number}>"

    # Letting time pass

    def step(self) -> Event:
        """Let the next thing happen, whatever it is; returns it in words.

        Raises: Misuse, if nothing is going to happen (every node is down or paused).
        """
        if not self._step(NEVER):
            raise Misuse(
                "Nothing is going to happen: no message is on its way and no node waits for"
                " anything. Restart or resume a node."
            )
        return self.events(1)[0]

    def run(self, ms: Millis) -> "Cluster":
        """Let `ms` of virtual time pass; returns the cluster.

        Raises: Misuse, for a negative or an endless time.
        """
        end = self._after(ms)
        while (action := self._next_action(end)) is not None:
            self.apply(action)
        if self.now < end:
            self.apply(Wait(end))
        return self

    def run_until(
        self, condition: Callable[["Cluster"], bool], limit_ms: Millis = 10_000.0
    ) -> bool:
        """Step until `condition(cluster)` holds; False if `limit_ms` passed and it never did.

        Raises: Misuse, for a negative or an endless limit.
        """
        end = self._after(limit_ms)
        while not condition(self):
            if not self._step(end):
                if self.now < end:
                    self.apply(Wait(end))
                return condition(self)
        return True

    def elect(self, node: NodeId | None = None) -> NodeId:
        """Run until there is a leader, or until `node` leads; returns it.

        With `node`, its timer is made to run out, and it asks as if its leader had sent
        it (thesis 3.10), so that a living leader does not stand in its way.

        Raises: Misuse, if that does not happen within 20 election timeouts.
        """
        patience = 20 * self.setup.options.election_timeout[1]
        if node is None:
            if not self.run_until(lambda cluster: cluster.leader is not None, patience):
                raise Misuse(
                    f"No leader within {patience:g} ms. Is a majority of the nodes up, and"
                    " connected?"
                )
            return self.leader or ""
        if self._living(node).paused:
            raise Misuse(f"{node} is paused and cannot campaign: resume it first.")
        end, pause = self.now + patience, self.setup.options.election_timeout[0]
        while self.leader != node:
            if self.now >= end:
                raise Misuse(
                    f"{node} was not elected within {patience:g} ms: can it reach a majority,"
                    " and is its log as up to date as theirs?"
                )
            if self._living(node).machine.role is Role.FOLLOWER:
                self.apply(Timeout(self.now, node, True))
            self.run_until(lambda cluster: cluster.leader == node, pause)
        return node

    # What a reader can do to a node

    def propose(self, command: str | bytes, to: NodeId | None = None) -> Index:
        """Hand a command to the leader, or to the node `to`; returns its index in the log.

        Raises: Misuse, if there is no leader; NotLeader, if `to` is none.
        """
        node = to if to is not None else self.leader
        if node is None:
            raise Misuse(
                "No node leads, so nobody can take a command. Run until one does: cluster.elect()."
            )
        host = self._living(node)
        if host.paused:
            raise Misuse(f"{node} is paused and takes no commands: resume it first.")
        data = command_data(command)
        if host.machine.role is not Role.LEADER:
            leader = getattr(host.machine, "leader", None)
            raise NotLeader(self._not_leader(host, leader), leader)
        self.apply(Propose(self.now, node, data))
        return host.machine.log.last_index

    def crash(self, node: NodeId) -> None:
        """Stop a node; it forgets all that is not on its disk."""
        self._living(node)
        self.apply(Crash(self.now, node))

    def restart(self, node: NodeId) -> None:
        """Start a crashed node again, from what its disk holds."""
        if self._host(node).alive:
            raise Misuse(f"{node} is running; crash it before you restart it.")
        self.apply(Restart(self.now, node))

    def pause(self, node: NodeId) -> None:
        """Let a node stand still, as if its machine hung; what reaches it waits."""
        if self._living(node).paused:
            raise Misuse(f"{node} is paused already; resume it with cluster.resume({node!r}).")
        self.apply(Pause(self.now, node))

    def resume(self, node: NodeId) -> None:
        """Let a paused node go on."""
        if not self._living(node).paused:
            raise Misuse(f"{node} is not paused.")
        self.apply(Resume(self.now, node))

    def timeout(self, node: NodeId) -> None:
        """Let a node's election timer run out now. A leader has none."""
        host = self._living(node)
        if host.paused:
            raise Misuse(f"{node} is paused, and so is its timer: resume it first.")
        if host.machine.role is Role.LEADER:
            raise Misuse(f"{node} leads and waits for no leader: choose another node.")
        self.apply(Timeout(self.now, node))

    # What a reader can do to the network

    def partition(self, *groups: Iterable[NodeId]) -> None:
        """Cut the network into groups; nodes that are not named form one more.

        cluster.partition(["S1", "S2"])             # against the rest
        cluster.partition("S1 S2", "S3 S4", "S5")

        It takes the place of whatever was cut before.
        """
        named = [side_named(group) for group in groups]
        listed = [node for group in named for node in group]
        for node in listed:
            self._host(node)
        if len(set(listed)) != len(listed):
            raise Misuse("A node can be on one side only; one is named twice.")
        rest = tuple(node for node in self.nodes if node not in listed)
        sides = tuple(group for group in (*named, rest) if group)
        if len(sides) < 2:
            raise Misuse("A partition needs two sides: name some of the nodes, not all or none.")
        self.apply(Partition(self.now, sides))

    def isolate(self, node: NodeId) -> None:
        """Cut one node off from all others. The sides of a partition stay apart."""
        self._host(node)
        if len(self.nodes) == 1:
            raise Misuse(f"{node} is alone already.")
        others = [[each for each in group if each != node] for group in self.groups]
        self.partition(*others, [node])

    def cut(self, sender: NodeId, receiver: NodeId, both_ways: bool = True) -> None:
        """Cut one link, in both directions or in one."""
        self._host(sender), self._host(receiver)
        if sender == receiver:
            raise Misuse(f"{sender} has no link to itself.")
        self.apply(Cut(self.now, sender, receiver))
        if both_ways:
            self.apply(Cut(self.now, receiver, sender))

    def heal(self) -> None:
        """Mend every link."""
        self.apply(Heal(self.now))

    def calm(self) -> None:
        """End all loss, duplication and reordering, for good. Cut links stay cut."""
        self.apply(Calm(self.now))

    # What a reader can do to a message

    def deliver(self, number: int) -> None:
        """Let a message in flight arrive now, even over a link that is cut."""
        key = self._flight(number).key
        self._living(key[1])
        self.apply(Deliver(self.now, *key))

    def drop(self, number: int) -> None:
        """Lose a message in flight."""
        self.apply(Drop(self.now, *self._flight(number).key))

    def duplicate(self, number: int) -> None:
        """Send a second copy of a message in flight on its way; it arrives just after."""
        flight = self._flight(number)
        arrives_at = max(flight.arrives_at, self.now) + self.setup.network.latency[0] / 2
        self.apply(Duplicate(self.now, *flight.key, arrives_at))

    def delay(self, number: int, ms: Millis = 50.0) -> None:
        """Hold a message in flight up for `ms` longer. A lost message is lost all the same."""
        if not 0 < ms < NEVER:
            raise Misuse(f"a delay is some time above 0 ms, not {ms}")
        flight = self._flight(number)
        self.apply(Delay(self.now, *flight.key, max(flight.arrives_at, self.now) + ms))

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
        self._remember(action)
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
        self._remember(action)
        self._stopped = f"{self._moving}'s machine raised {type(error).__name__}: {error}"

    def _remember(self, action: Action) -> None:
        self.actions.append(action)
        self._recent.append((len(self.actions), action, self._message, self._notes))

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
            if type(thing) is Flight:
                if thing.ends_at == time and flights.get(thing.key) is thing:
                    sender, receiver, nth = thing.key
                    if thing.lost or thing.link.cut or not self.hosts[receiver].alive:
                        return Drop(time, sender, receiver, nth)
                    return Deliver(time, sender, receiver, nth)
            elif type(thing) is Host:
                if time == thing.timer_at and self._timer_is_due(thing, time):
                    return Tick(time, thing.node)
            elif type(thing) is Write and thing.is_next():
                return Written(time, thing.host.node)
        return None

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
        watch, hosts, wires, now = self._watch, self.hosts, self._wires, self.now
        for message in output.messages:
            if watch is not None:
                watch.says(host, message)
            if message.receiver in hosts:
                for flight in wires.send(message, now):
                    self._launch(flight)
        if output.committed:
            if watch is not None:
                watch.applies(host, output.committed)
            host.apply(output.committed)

    def _launch(self, flight: Flight) -> None:
        self._flights[flight.key] = flight
        self._scheduled += 1
        heappush(self._heap, (flight.ends_at, self._scheduled, flight))

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
        campaign(self.now, force=action.force)
        self._pump(host)

    def _do_propose(self, action: Propose) -> None:
        host = self._living(action.node)
        host.machine.add_entry(Command(action.data))
        self._pump(host)

    def _do_crash(self, action: Crash) -> None:
        self._living(action.node).stop()

    def _do_restart(self, action: Restart) -> None:
        host = self._host(action.node)
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

    # Finding what a reader named

    def _after(self, ms: Millis) -> Millis:
        if not 0 <= ms < NEVER:
            raise Misuse(f"time only goes forward, and step by step: {ms} ms cannot pass")
        return self.now + ms

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

    def _flight(self, number: int) -> Flight:
        for flight in self._flights.values():
            if flight.number == number:
                return flight
        there = ", ".join(str(flight.number) for flight in self._flights.values()) or "none"
        raise Misuse(f"No message {number!r} is on its way; in flight: {there}.")

    def _known_flight(self, action: Drop | Duplicate | Delay) -> Flight:
        flight = self._flights.get((action.sender, action.receiver, action.nth))
        if flight is None:
            raise Misuse(gone(action))
        return flight

    def _not_leader(self, host: Host, leader: NodeId | None) -> str:
        machine = host.machine
        known = f"its leader is {leader}" if leader else "it knows no leader"
        return (
            f"{host.node} is a {machine.role.value} in term {machine.term} and cannot accept"
            f" entries; {known}."
        )


CARRY_OUT: Mapping[type, Callable[..., None]] = {
    Deliver: Cluster._do_deliver,
    Drop: Cluster._do_drop,
    Duplicate: Cluster._do_duplicate,
    Delay: Cluster._do_delay,
    Tick: Cluster._do_tick,
    Written: Cluster._do_written,
    Timeout: Cluster._do_timeout,
    Propose: Cluster._do_propose,
    Crash: Cluster._do_crash,
    Restart: Cluster._do_restart,
    Pause: Cluster._do_pause,
    Resume: Cluster._do_resume,
    Partition: Cluster._do_partition,
    Cut: Cluster._do_cut,
    Heal: Cluster._do_heal,
    Calm: Cluster._do_calm,
    Wait: Cluster._do_wait,
}


def node_names(nodes: int | Sequence[NodeId]) -> tuple[NodeId, ...]:
    """ "S1", "S2", … for a number; the names themselves for names. Raises: Misuse."""
    if isinstance(nodes, bool) or not isinstance(nodes, int | Sequence) or isinstance(nodes, str):
        raise Misuse(f"a cluster is made of a number of nodes or of their names, not of {nodes!r}")
    count = nodes if isinstance(nodes, int) else len(nodes)
    if not 1 <= count <= MOST_NODES:
        raise Misuse(f"a cluster has 1 to {MOST_NODES} nodes, not {count}")
    names = tuple(f"S{n}" for n in range(1, nodes + 1)) if isinstance(nodes, int) else tuple(nodes)
    if not all(isinstance(name, str) and name and name == name.strip() for name in names):
        raise Misuse("a node's name is text, not empty, without blanks around it")
    Configuration(names).check()
    return names


def gone(action: Deliver | Drop | Duplicate | Delay) -> str:
    """Why nothing can be done to a message any more."""
    return f"message {action.nth} from {action.sender} to {action.receiver} is not on its way"


def full_name(thing: object) -> str:
    """The name by which a class can be found again: "module:Class"."""
    kind = thing if hasattr(thing, "__qualname__") else type(thing)
    return f"{kind.__module__}:{kind.__qualname__}"


def rules_for(names: tuple[NodeId, ...], rules: RulesGiven) -> dict[NodeId, Rules]:
    """Each node's rules: its own if `rules` names it, those for all, or `Rules()`.

    Raises: Misuse, for a node that is not there and for what are no rules.
    """
    if not isinstance(rules, Mapping):
        rules = {} if rules is None else dict.fromkeys(names, rules)
    strangers = [node for node in rules if node not in names]
    if strangers:
        raise Misuse(f"rules are given for {strangers[0]!r}; the nodes are {', '.join(names)}")
    given = {node: rules.get(node, Rules()) for node in names}
    made = {node: each() if isinstance(each, type) else each for node, each in given.items()}
    for node, each in made.items():
        if not isinstance(each, Rules):
            raise Misuse(f"the rules of {node} are no subclass of Rules: {each!r}")
    return made


def command_data(command: str | bytes) -> bytes:
    """A command as it stands in the log: text as UTF-8, bytes as they are. Raises: Misuse."""
    if isinstance(command, bytes | bytearray | memoryview):
        return bytes(command)
    if not isinstance(command, str):
        raise Misuse(f'a command is text or bytes, like "x=1", not {command!r}')
    try:
        return command.encode()
    except UnicodeEncodeError as error:
        raise Misuse(f"a command must be writable as UTF-8: {error}") from None


def side_named(group: Iterable[NodeId]) -> tuple[NodeId, ...]:
    """One side of a partition: "S1 S2", or the names one by one. Raises: Misuse."""
    if isinstance(group, str):
        return tuple(group.split())
    if not isinstance(group, Iterable):
        raise Misuse(f'a side is named by its nodes, like "S1 S2", not by {group!r}')
    return tuple(group)

"""A cluster you can touch: the verbs people use, on the engine that carries them out."""

from collections.abc import Callable, Iterable, Mapping, Sequence

from raftlab.raft.machine import RaftStateMachine
from raftlab.raft.options import Options
from raftlab.raft.roles import Role
from raftlab.raft.vocabulary import Index, Millis, Misuse, NodeId, NotLeader, Term
from raftlab.sim import framing
from raftlab.sim.actions import (
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
    Timeout,
    Wait,
)
from raftlab.sim.engine import Engine
from raftlab.sim.frame import Event, Frame, Trace
from raftlab.sim.given import (
    RulesGiven,
    command_data,
    full_name,
    logs_for,
    node_names,
    rules_for,
    setting,
    side_named,
)
from raftlab.sim.host import NEVER, MachineFactory
from raftlab.sim.network import Flight
from raftlab.sim.recording import Recording
from raftlab.sim.settings import Disks, Network, Setup


class Cluster(Engine):
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
        setup = Setup(
            nodes=names,
            seed=seed,
            options=setting("options", options, Options),
            network=setting("network", network, Network),
            disks=setting("disks", disks, Disks),
            rules=tuple((node, full_name(mine)) for node, mine in each.items()),
            machine=full_name(machine),
            watched=watched,
            logs=logs_for(names, logs),
        )
        super().__init__(setup, each, machine)

    # Looking

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

    def machine(self, node: NodeId) -> object:
        """The live machine of a node, for reading. Raises: Misuse, if it is down or unknown."""
        return self._living(node).machine

    def frame(self) -> Frame:
        """The whole cluster as it is now."""
        return framing.frame_of(self)

    def events(self, last: int = 10) -> tuple[Event, ...]:
        """The last steps in words, oldest first; at most the last 1,000 are remembered."""
        return tuple(framing.event_of(moment) for moment in list(self.recent)[-last:] if last > 0)

    @property
    def recording(self) -> Recording:
        """The run so far, as a value."""
        return Recording(self.setup, tuple(self.actions), self._rules, self._factory, Cluster)

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
        """Run until some node leads, or until `node` does; returns it.

        A leader that is cut off still leads, as far as it knows, and is returned: to wait
        for the next one, elect a node of the other side.

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
        machine = host.machine
        if machine.role is not Role.LEADER:
            leader = getattr(machine, "leader", None)
            raise NotLeader.of(node, machine.role.value, machine.term, leader)
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
        """Let a node's election timer run out now. A leader has none.

        While a leader is alive the others may refuse it (thesis 4.2.3); `elect` asks by force.
        """
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
        if not (isinstance(ms, int | float) and 0 < ms < NEVER):
            raise Misuse(f"a delay is some time above 0 ms, not {ms!r}")
        flight = self._flight(number)
        self.apply(Delay(self.now, *flight.key, max(flight.arrives_at, self.now) + ms))

    # Understanding what a reader named

    def _after(self, ms: Millis) -> Millis:
        if not (isinstance(ms, int | float) and 0 <= ms < NEVER):
            raise Misuse(f"time only goes forward, and step by step: {ms!r} ms cannot pass")
        return self.now + ms

    def _flight(self, number: int) -> Flight:
        for flight in self._flights.values():
            if flight.number == number:
                return flight
        there = ", ".join(str(flight.number) for flight in self._flights.values()) or "none"
        raise Misuse(f"No message {number!r} is on its way; in flight: {there}.")

"""A cluster you can touch: the verbs people use, on the engine that carries them out."""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

from raftlab.raft.machine import RaftStateMachine
from raftlab.raft.options import Options, is_whole
from raftlab.raft.roles import Role
from raftlab.raft.rules import Rules
from raftlab.raft.vocabulary import Index, Millis, Misuse, NodeId, NotNow, Term, shown
from raftlab.sim.commands.base import with_engine
from raftlab.sim.commands.client_commands import ClientCommands
from raftlab.sim.commands.clients import Client, checked_name
from raftlab.sim.commands.fault_commands import FaultCommands
from raftlab.sim.frames import capture
from raftlab.sim.frames.frame import Event, Frame, Trace
from raftlab.sim.run.digest import Known, check_same_run, digest_of
from raftlab.sim.run.play import Checkpoints
from raftlab.sim.run.recording import Recording
from raftlab.sim.run.tape import machine_name, of_a_run
from raftlab.sim.watch.properties import History
from raftlab.sim.watch.watcher import Watcher
from raftlab.sim.world.actions import Timeout, Wait
from raftlab.sim.world.arguments import (
    LONGEST_RUN,
    RulesGiven,
    full_name,
    logs_for,
    machine_of,
    node_names,
    rules_for,
    seed_of,
    setting,
    span,
)
from raftlab.sim.world.engine import Engine
from raftlab.sim.world.host import MachineFactory
from raftlab.sim.world.interrupts import HeldBack
from raftlab.sim.world.settings import Disks, Network, Setup

if TYPE_CHECKING:
    from raftlab.lab import Lab


class Cluster(FaultCommands, ClientCommands):
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
    the properties of `raftlab.PROPERTIES` are checked after every step.

    Raises: Misuse, for a cluster that cannot be, and by each verb for what makes no sense;
    NotNow, by each verb for what cannot be done at that moment, with what to do instead;
    Violation, when a property is broken. After a violation the run stands still: look at it, or
    go back with `at`.
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
        machine = of_a_run(machine_of(machine))
        self._rules = dict(rules) if isinstance(rules, Mapping) else rules
        self._factory = machine
        each = rules_for(names, rules)
        setup = Setup(
            nodes=names,
            seed=seed_of(seed),
            options=setting("options", options, Options),
            network=setting("network", network, Network),
            disks=setting("disks", disks, Disks),
            rules=tuple((node, full_name(mine)) for node, mine in each.items()),
            machine=machine_name(machine),
            watched=watched,
            logs=logs_for(names, logs),
        )
        watch = Watcher if watched else None
        self.engine = Engine(setup, each, machine, watch, partial(_rules_of_newcomer, rules, setup))
        self._follow()

    # Looking

    @property
    def history(self) -> History | None:
        """What the run has shown so far, for reading; None if it is not watched."""
        watcher = self.engine.world.watcher
        return None if watcher is None else watcher.history

    @property
    def commit_index(self) -> Index:
        """The highest commit index of a living node; 0 if none lives."""
        return max(
            (host.machine.commit_index for host in self.hosts.values() if host.alive), default=0
        )

    def machine(self, node: NodeId) -> Any:
        """The live machine of a node, for reading: of the class that the cluster was made with.

        Raises: NotNow, if it is down; Misuse, if there is none.
        """
        return self._living(node).machine

    def frame(self) -> Frame:
        """The whole cluster as it is now."""
        return capture.frame_of(self.engine)

    def events(self, last: int = 10) -> tuple[Event, ...]:
        """The last steps in words, oldest first; at most the last 1,000 are remembered."""
        if not is_whole(last):
            raise Misuse(f"the last steps are a whole number, not {shown(last)}")
        return tuple(
            capture.event_of(moment) for moment in list(self.engine.recent)[-last:] if last > 0
        )

    @property
    def recording(self) -> Recording:
        """The run so far, as a value, with a digest of what its machines did."""
        return self._recording(
            {} if self.engine.is_mid_step else {self.number: digest_of(self.engine)}
        )

    def _recording(self, known: Known) -> Recording:
        return Recording(
            self.setup, tuple(self.actions), self._rules, self._factory, Cluster, known
        )

    def trace(self, start: Millis = 0.0, end: Millis | None = None) -> Trace:
        """The run from `start` to `end` (ms) as a space-time diagram needs it."""
        return self._recording({}).trace(start, end)

    def at(self, number: int) -> "Cluster":
        """A new cluster as this one was at frame `number`, ready to go on from there.

        Raises: Misuse, if there was no such frame, or if the run does not play again as it went,
        as far as this cluster remembers (`events`).
        """
        engine = self._checkpoints.at(number, self.actions)
        check_same_run(self.engine, engine)
        twin = with_engine(self, engine)
        twin._factory = engine.world.factory
        twin._follow()
        return twin

    def _follow(self) -> None:
        start = Recording(self.setup, (), self._rules, self._factory, Cluster).start
        self._checkpoints = Checkpoints(lambda: start().engine)
        self._checkpoints.follow(self.engine)

    def __copy__(self) -> "Cluster":
        """A cluster of its own, in the same state: what happens to one leaves the other alone."""
        return self.at(self.number)

    def __repr__(self) -> str:
        machines = [(node, host.machine) for node, host in self.hosts.items() if host.alive]
        leading = [(node, each) for node, each in machines if each.role is Role.LEADER]
        leading.sort(key=lambda pair: -pair[1].term)
        who = ", ".join(f"{node} leads term {each.term}" for node, each in leading) or "no leader"
        return f"<Cluster of {len(self.nodes)}: {self.now:.1f} ms, {who}, frame {self.number}>"

    def __str__(self) -> str:
        return str(self.frame())

    def _repr_mimebundle_(self, **_: object) -> dict[str, str]:
        return self.frame()._repr_mimebundle_()

    def lab(self, **options: Any) -> "Lab":
        """A live lab on this cluster: see, step and break it. `options`: see `raftlab.lab.Lab`."""
        from raftlab.lab import Lab

        return Lab(self, **options)

    # Letting time pass

    def step(self) -> Event:
        """Let the next thing happen, whatever it is; returns it in words.

        Raises: NotNow, if nothing is going to happen (every node is down or paused).
        """
        with HeldBack(self.engine):
            has_happened = self.engine.advance(None)
        if not has_happened:
            raise NotNow(
                "Nothing is going to happen: no message is on its way and no node waits for"
                " anything. Restart or resume a node."
            )
        return self.events(1)[0]

    def run(self, ms: Millis) -> "Cluster":
        """Let `ms` of virtual time pass; returns the cluster.

        Raises: Misuse, for a negative or an endless time.
        """
        end = self._after(ms)
        with HeldBack(self.engine):
            while self.engine.advance(None, end):
                pass
            if self.now < end:
                self.engine.advance(Wait(end))
        return self

    def run_until(
        self, condition: Callable[["Cluster"], bool], limit_ms: Millis = 10_000.0
    ) -> bool:
        """Step until `condition(cluster)` holds; False if `limit_ms` passed and it never did.

        Raises: Misuse, for a negative or an endless limit.
        """
        if not callable(condition):
            raise Misuse(f"a condition is a function of the cluster, not {shown(condition)}")
        end = self._after(limit_ms)
        with HeldBack(self.engine):
            while not condition(self):
                if not self.engine.advance(None, end):
                    if self.now < end:
                        self.engine.advance(Wait(end))
                    return condition(self)
        return True

    def elect(self, node: NodeId | None = None) -> NodeId:
        """Run until some node leads, or until `node` does; returns it.

        A leader that is cut off still leads, as far as it knows, and is returned: to wait
        for the next one, elect a node of the other side.

        With `node`, its timer is made to run out, and it asks as if its leader had sent
        it (thesis 3.10), so that a living leader does not stand in its way. Nothing asks
        that leader: with `lease_reads`, use `transfer`.

        Raises: NotNow, if that does not happen within 20 election timeouts.
        """
        patience = self._patience
        if node is None:
            if not self.run_until(lambda cluster: cluster.leader is not None, patience):
                raise NotNow(
                    f"No leader within {patience:g} ms. Is a majority of the nodes up, and"
                    " connected?"
                )
            return self.leader or ""
        if self._living(node).paused:
            raise NotNow(f"{node} is paused and cannot campaign: resume it first.")
        end, pause = self.now + patience, self.setup.options.election_timeout[0]
        while self.leader != node:
            if self.now >= end:
                raise NotNow(
                    f"{node} was not elected within {patience:g} ms: can it reach a majority,"
                    " and is its log as up to date as theirs?"
                )
            if self._living(node).machine.role is Role.FOLLOWER:
                self._act(Timeout(self.now, node, True))
            self.run_until(lambda cluster: cluster.leader == node, pause)
        return node

    # Clients

    def get(self, key: str, of: NodeId | None = None) -> str | None:
        """Read and run until the answer is there; None if `key` has no value.

        Raises: NotNow, if there is no answer within 20 election timeouts; and as `read` does.
        """
        reading = self.read(key, of)
        patience = self._patience
        if not self.run_until(lambda _: reading.is_done or reading.has_failed, patience):
            raise NotNow(
                f"{reading.node} has not answered within {patience:g} ms: can it reach a"
                " majority, and has a leader committed anything in its term?"
            )
        return reading.value

    def client(self, name: str, to: NodeId | None = None) -> Client:
        """A client with a session: its commands are executed once, however often it repeats them.

        Proposes `open NAME`; see `Client`. Thesis: 6.3.
        """
        client = Client(self, checked_name(name))
        client.retry(to)
        return client

    # Understanding what a reader named

    @property
    def _patience(self) -> Millis:
        """How long a verb waits for what it was asked for, in ms: 20 election timeouts."""
        return min(20 * self.setup.options.election_timeout[1], LONGEST_RUN)

    def _after(self, ms: Millis) -> Millis:
        return self.now + span(ms, "time only goes forward, and step by step")


def _rules_of_newcomer(rules: RulesGiven, setup: Setup, node: NodeId) -> Rules:
    """Those of all, if all have the same: whether they were given at once or one by one."""
    if isinstance(rules, Mapping):
        kinds = {name for _, name in setup.rules}
        rules = next(iter(rules.values())) if rules and len(kinds) == 1 else None
    return rules_for((node,), rules)[node]

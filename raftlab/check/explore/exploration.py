"""Searching every order of events in a small scope, and what comes of it."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from raftlab.check.explore.scope import Scope
from raftlab.check.explore.search import Counts, Search
from raftlab.check.explore.symmetry import MOST_NODES, Symmetry
from raftlab.check.explore.telling import told
from raftlab.check.explore.world import State, World
from raftlab.raft.log import LogEntry
from raftlab.raft.messages import Message
from raftlab.raft.options import Options
from raftlab.raft.vocabulary import Misuse, NodeId
from raftlab.sim.actions import Reconfigure, TransferLeadership
from raftlab.sim.cluster import Cluster
from raftlab.sim.recording import Recording
from raftlab.sim.settings import Disks

MEMORY_MB = 2_000.0


class View(Mapping[NodeId, Any]):
    """A state of a search as a goal sees it: node -> machine (for reading)."""

    __slots__ = ("_state", "_world")

    def __init__(self, world: World, state: State) -> None:
        self._world = world
        self._state = state

    def __getitem__(self, node: NodeId) -> Any:
        """The machine of a node; nobody may change it. Raises: KeyError."""
        return self._world.locals[self._state[0][self._world.places[node]]].host.machine

    def __iter__(self) -> Iterator[NodeId]:
        return iter(self._world.names)

    def __len__(self) -> int:
        return len(self._world.names)

    @property
    def messages(self) -> tuple[Message, ...]:
        """What is on its way, lost or not."""
        return tuple(self._world.messages[each] for each in self._state[1])

    @property
    def committed(self) -> tuple[LogEntry, ...]:
        """Every entry that any node has called committed, by index."""
        return tuple(entry for entry, _ in self._world.pasts[self._state[2]].committed)


Goal = Callable[[View], bool]


class Exploration:
    """What a search has seen so far; `resume` goes on with it.

    `recording` is the shortest run to what was found: a broken property (`violation`: its name
    and what happened) or the goal (`has_reached_goal`); None, if nothing was found yet.
    """

    def __init__(
        self, cluster: Cluster, world: World, search: Search[State], symmetric: bool
    ) -> None:
        self._cluster = cluster
        self._world = world
        self._search = search
        self._run: Cluster | None = None
        self.symmetric = symmetric

    def resume(
        self,
        states: int | None = None,
        seconds: float | None = None,
        memory_mb: float | None = MEMORY_MB,
        progress: Callable[[Counts], None] | None = None,
    ) -> "Exploration":
        """Go on: for so many more `states` or `seconds`, or to the end. Ctrl-C stops it."""
        depth = self._world.scope.depth
        self._search.run(states, depth, seconds, memory_mb, progress)
        return self

    # What was found

    @property
    def violation(self) -> tuple[str, str] | None:
        """The name of the property that fell, and what happened."""
        return self._search.broken

    @property
    def has_reached_goal(self) -> bool:
        """Whether a state was found in which the goal holds."""
        return self._search.goal is not None

    @property
    def run(self) -> Cluster | None:
        """The shortest run to what was found, as a cluster that stands there."""
        found = self.violation is not None or self.has_reached_goal
        if self._run is None and found:
            self._run = told(self._cluster, self._world, self._search.path())
        return self._run

    @property
    def recording(self) -> Recording | None:
        """The shortest run to what was found, from the beginning of the given one."""
        return None if self.run is None else self.run.recording

    @property
    def events(self) -> int | None:
        """How many events lead from the beginning of the search to what was found."""
        found = self.violation is not None or self.has_reached_goal
        return sum(1 for _ in self._search.path()) if found else None

    # How far it went

    @property
    def states(self) -> int:
        """How many distinct states were seen; those that differ in names only count once."""
        return self._search.counts.distinct

    @property
    def steps(self) -> int:
        """How many events were tried, in all these states."""
        return self._search.counts.steps

    @property
    def depth(self) -> int:
        """Every run of so many events was looked at."""
        return self._search.counts.depth

    @property
    def seconds(self) -> float:
        """How long the search took."""
        return self._search.counts.seconds

    @property
    def is_complete(self) -> bool:
        """Whether every state within the scope was looked at."""
        found = self.violation is not None or self.has_reached_goal
        return self._search.is_over and not found

    @property
    def not_looked_at(self) -> tuple[str, ...]:
        """What the bounds kept out, with how often, in words."""
        told = [f"{what} ({count:,} times)" for what, count in self._world.passed_over.items()]
        if not self._search.is_over:
            waiting = self._search.counts.waiting
            told.insert(0, f"what follows {waiting:,} states that still wait")
        return tuple(told)

    def __repr__(self) -> str:
        return f"<Exploration: {self.states:,} states, depth {self.depth}, {self._verdict()}>"

    def __str__(self) -> str:
        alike = ", names exchanged counting once" if self.symmetric else ""
        lines = [
            f"{self._verdict()}.",
            f"{self.states:,} distinct states{alike}; {self.steps:,} steps; depth {self.depth};"
            f" {self.seconds:.1f} s.",
        ]
        lines += [f"Not looked at: {each}." for each in self.not_looked_at]
        return "\n".join(lines)

    def _verdict(self) -> str:
        if self.violation is not None:
            name, text = self.violation
            return f"{name} falls after {self.events} events: {text}"
        if self.has_reached_goal:
            return f"the goal is reached after {self.events} events"
        if self.is_complete:
            return "nothing was found, and all of the scope was looked at"
        return "nothing was found so far"


def explore(
    start: Cluster | Recording | int,
    scope: Scope | None = None,
    *,
    goal: Goal | None = None,
    symmetry: bool | None = None,
    states: int | None = None,
    seconds: float | None = None,
    memory_mb: float | None = MEMORY_MB,
    progress: Callable[[Counts], None] | None = None,
) -> Exploration:
    """Search every order of events that `scope` allows, from where `start` stands.

    `start` is a cluster, a recording (searched from its end), or a number of nodes of the
    plain algorithm. The search ends at the first state, and so by a shortest run, in which a
    property of `raftlab.PROPERTIES` falls, or in which `goal` holds; a goal gets a `View`. It
    also ends after so many `states` or `seconds`, or when it would need more than `memory_mb`
    (estimated), or at Ctrl-C; then `resume` goes on.

    `symmetry` lets states that differ in names only count as one. It is on where that is
    sound: where all nodes have the same rules, and neither a goal nor a deed names a node.

    Raises: Misuse, for a start that a search cannot stand for; see `World`.
    """
    cluster = starting_at(start)
    scope = scope if scope is not None else Scope()
    world = World(cluster, scope)
    if symmetry is None:
        symmetry = goal is None and is_symmetric(cluster, scope)
    elif symmetry and not is_symmetric(cluster, scope):
        raise Misuse("nodes with rules of their own, or named by a deed, cannot be exchanged")
    is_goal = None if goal is None else lambda state: goal(View(world, state))
    search = Search(world, Symmetry(world).key if symmetry else None, is_goal)
    return Exploration(cluster, world, search, symmetry).resume(
        states, seconds, memory_mb, progress
    )


def starting_at(start: Cluster | Recording | int) -> Cluster:
    """The cluster that a search begins with."""
    if isinstance(start, Cluster):
        return start
    if isinstance(start, Recording):
        return start.branch(len(start))
    return Cluster(start, options=Options.figure_2(), disks=Disks(write_ms=0.0))


def is_symmetric(cluster: Cluster, scope: Scope) -> bool:
    """Whether exchanging the names of nodes changes nothing that can happen."""
    kinds = {type(host.rules) for host in cluster.hosts.values()}
    named = any(
        deed.node or isinstance(deed, Reconfigure | TransferLeadership) for deed in scope.deeds
    )
    return len(kinds) == 1 and not named and len(cluster.hosts) <= MOST_NODES

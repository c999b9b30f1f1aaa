"""Searching every order of events in a small scope, and what comes of it."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from raftlab.check.explore.breadth_first import Counts, Search
from raftlab.check.explore.goal import Goal, View
from raftlab.check.explore.judge import JUDGED, OldVoteError
from raftlab.check.explore.name_sensitivity import is_alike, why_names_matter
from raftlab.check.explore.scope import Scope
from raftlab.check.explore.state_graph import graph_of
from raftlab.check.explore.states import State, States
from raftlab.check.explore.symmetry import Symmetry
from raftlab.check.explore.to_recording import cluster_after
from raftlab.raft.options import Options, is_count, is_number
from raftlab.raft.vocabulary import Misuse, NodeId, listed, shown
from raftlab.sim.cluster import Cluster
from raftlab.sim.run.recording import Recording
from raftlab.sim.world.arguments import setting
from raftlab.sim.world.settings import Disks

if TYPE_CHECKING:
    import networkx as nx

MEMORY_MB = 2_000.0


class Exploration:
    """What a search has seen so far; `resume` goes on with it.

    `recording` is the shortest run to what was found: a broken property (`violation`: its name
    and what happened) or the goal (`has_reached_goal`); None, if nothing was found yet.
    `symmetric` says whether states that differ in names only counted once; if not,
    `names_matter` says why.

    It is neither true nor false. Raises: TypeError, for `bool()`.
    """

    def __init__(
        self,
        cluster: Cluster,
        scope: Scope,
        goal: Goal | None,
        names_matter: str | None,
    ) -> None:
        self._cluster = cluster
        self._scope = scope
        self._goal = goal
        self._run: Cluster | None = None
        self._notes = notes_of(cluster)
        self.names_matter = names_matter
        self.symmetric = names_matter is None
        self._begin()

    def _begin(self, remembers: bool = False) -> None:
        """Begin the search; from its beginning, if it has been under way."""
        self._world = world = States(self._cluster, self._scope, remembers)
        goal, names = self._goal, Symmetry(world) if self.symmetric else None
        self._search: Search[State] = Search(
            world,
            None if names is None else names.key,
            None if goal is None else lambda state: goal(View(world, state)),
            held=lambda: world.held() + (0 if names is None else names.held()),
        )

    def __bool__(self) -> bool:
        raise TypeError(
            "a search has three outcomes, and is neither true nor false: ask .violation for what"
            " was found, .has_reached_goal, and .is_complete for whether all was looked at"
        )

    def resume(
        self,
        states: int | None = None,
        seconds: float | None = None,
        memory_mb: float | None = MEMORY_MB,
        progress: Callable[[Counts], None] | None = None,
    ) -> "Exploration":
        """Go on: for so many more `states` or `seconds`, or to the end. Ctrl-C stops it."""
        check_limits(states, seconds, memory_mb, progress)
        depth = self._world.scope.depth
        try:
            self._search.run(states, depth, seconds, memory_mb, progress)
        except OldVoteError:  # such a machine is searched with a longer memory, from the beginning
            self._begin(remembers=True)
            self._search.run(states, depth, seconds, memory_mb, progress)
        if notes_of(self._cluster) != self._notes:
            raise Misuse(
                "the rules changed while they were asked, so that what was looked at says nothing:"
                " what a node remembers belongs into its machine"
            )
        return self

    @property
    def interrupted(self) -> bool:
        """Whether Ctrl-C ended the last call of `resume`."""
        return self._search.interrupted

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
            left_out = self._world.left_out
            self._world.left_out = {}  # going the way again is not looking further
            self._run = cluster_after(self._cluster, self._world, self._search.path())
            self._world.left_out = left_out
        return self._run

    @property
    def recording(self) -> Recording | None:
        """The shortest run to what was found, from the beginning of the given one."""
        return None if self.run is None else self.run.recording

    @property
    def events(self) -> int | None:
        """How many events lead from the beginning of the search to what was found."""
        found = self.violation is not None or self.has_reached_goal
        return self._search.length if found else None

    # How far it went

    @property
    def judged(self) -> tuple[str, ...]:
        """The properties that are looked for after every event: all that a cluster watches."""
        return tuple(each.name for each in JUDGED)

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
        looked = self._search.is_over or self._search.is_at(self._world.scope.depth)
        return looked and not found

    @property
    def not_looked_at(self) -> tuple[str, ...]:
        """What the bounds kept out, with how often, in words."""
        said = [f"{what} ({count:,} times)" for what, count in self._world.left_out.items()]
        if self._cluster.setup.options.async_persistence:
            said.append("a crash while something is written")
        if times := times_of(self._cluster):
            said.append(f"what depends on {listed(times)}: floats are taken for times")
        if not self._search.is_over:
            waiting = f"{self._search.counts.waiting:,} states"
            at_depth = self._search.is_at(self._world.scope.depth)
            why = "at the bound on depth" if at_depth else "that still wait"
            said.insert(0, f"what follows {waiting} {why}")
        return tuple(said)

    def graph(self, limit: int = 2000) -> "nx.DiGraph[int]":
        """Every state of the scope as a vertex, every event as an edge: for small scopes.

        A vertex is a number, in the order of a breadth-first search, with `depth`, `servers`
        (role, term, commit index, or no role for one that is down), `messages` on their way,
        a short `label`, and the property that is `broken` there, or None; an edge has its
        `events` in words. The graph's own `nodes` are their names.

        Raises: Misuse, if there are more than `limit` states.
        """
        try:
            return self._graph(self._world.remembers, limit)
        except OldVoteError:
            return self._graph(True, limit)

    def _graph(self, remembers: bool, limit: int) -> "nx.DiGraph[int]":
        whole = Exploration(self._cluster, self._scope, None, self.names_matter)
        whole._begin(remembers)
        return graph_of(whole._world, whole._search.key, limit)

    def __repr__(self) -> str:
        return f"<Exploration: {self.states:,} states, depth {self.depth}, {self._verdict()}>"

    def __str__(self) -> str:
        alike = "names exchanged counting once"
        if self.names_matter is not None:
            alike = f"each naming counting, since {self.names_matter}"
        lines = [
            f"{self._verdict()}.",
            f"{self.states:,} distinct states, {alike}; {self.steps:,} steps; depth {self.depth};"
            f" {self.seconds:.1f} s.",
        ]
        lines.append(f"Judged: {', '.join(self.judged)}.")
        lines += [f"Not looked at: {each}." for each in self.not_looked_at]
        return "\n".join(lines)

    def _verdict(self) -> str:
        if self.violation is not None:
            name, text = self.violation
            return f"{name} falls after {self.events} events: {text}{self._also()}"
        if self.has_reached_goal:
            return f"the goal is reached after {self.events} events"
        if self.is_complete:
            but = ", with floats taken for times" if times_of(self._cluster) else ""
            return f"nothing was found of what was judged, and all of the scope was looked at{but}"
        return "nothing was found so far of what was judged"

    def _also(self) -> str:
        """What the watched run says, if that is something else: more is watched than searched."""
        seen = self.run.violation if self.run is not None else None
        if self.run is not None and self.run.stopped is None and self.run.setup.watched:
            return " (but not when the run is played: something in it changes from run to run)"
        if seen is None or self.violation is None or seen.name == self.violation[0]:
            return ""
        return f" (in the run, {seen.name} falls first: {seen.text})"


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
    plain algorithm. The search ends at the first state, and so by a shortest run, in which
    one of the properties that it judges falls (`Exploration.judged`: all that a cluster
    watches), or in which `goal` holds; a goal gets a `View`. It also ends after so many
    `states` or `seconds`, or when it would need more than `memory_mb` (estimated), or at
    Ctrl-C; then `resume` goes on.

    `symmetry` lets states that differ in names only count as one. It is on where that is
    known to be sound: for the shipped machine, the same rules everywhere, none of which is
    yours and is told a name, and neither a goal nor an action that names a node. True is your
    word for it that your rules, your machine and your goal treat all names alike.

    Raises: Misuse, for a start that a search cannot stand for; see `States`.
    """
    if goal is not None and not callable(goal):
        raise Misuse(f"a goal is a function of a View, like a lambda, not {shown(goal)}")
    if not (symmetry is None or isinstance(symmetry, bool)):
        raise Misuse(f"symmetry is True, False or None, not {shown(symmetry)}")
    check_limits(states, seconds, memory_mb, progress)
    cluster = starting_at(start)
    others = max(len(cluster.nodes) - 1, 1)
    scope = Scope(in_flight=3 * others) if scope is None else setting("scope", scope, Scope)
    if scope.in_flight is not None and scope.in_flight < others:
        raise Misuse(
            f"in_flight={scope.in_flight} is too little: a node sends {others} messages at once,"
            " one to each of the others, so nothing could happen"
        )
    found = Exploration(cluster, scope, goal, why_names_count(cluster, scope, goal, symmetry))
    return found.resume(states, seconds, memory_mb, progress)


def notes_of(cluster: Cluster) -> dict[NodeId, str]:
    """What the rules of each node hold, in words: rules decide, and remember nothing."""
    return {
        node: repr(sorted(getattr(host.rules, "__dict__", {}).items()))
        for node, host in cluster.hosts.items()
    }


def times_of(cluster: Cluster) -> tuple[str, ...]:
    """The names under which machines of a reader's own keep floats: a search takes them for times.

    Times are no part of a state, since any order of events is looked at.
    """
    kept = [
        name
        for host in cluster.hosts.values()
        if host.alive
        for name, value in getattr(host.machine, "__dict__", {}).items()
        if isinstance(value, float) and name not in ("now", "election_deadline", "next_deadline")
    ]
    return tuple(dict.fromkeys(kept))


def check_limits(states: Any, seconds: Any, memory_mb: Any, progress: Any) -> None:
    """Refuse what is no limit of a search, and no function. Raises: Misuse."""
    if not (states is None or is_count(states)):
        raise Misuse(f"states is how many are looked at, or None, not {shown(states)}")
    for name, limit in (("seconds", seconds), ("memory_mb", memory_mb)):
        if not (limit is None or (is_number(limit) and limit >= 0)):
            raise Misuse(f"{name} is a number from 0, or None, not {shown(limit)}")
    if not (progress is None or callable(progress)):
        raise Misuse(f"progress is a function of Counts, not {shown(progress)}")


def why_names_count(
    cluster: Cluster, scope: Scope, goal: Goal | None, symmetry: bool | None
) -> str | None:
    """Why states that differ in names only are not one; None, where they are.

    Raises: Misuse, if they were to be one and cannot be.
    """
    if symmetry is False:
        return "symmetry is off"
    if not is_alike(cluster, scope):
        if symmetry:
            raise Misuse(
                "nodes with rules of their own, or named by an action, cannot be exchanged"
            )
        return "the nodes differ, or are named"
    if symmetry:
        return None
    return "a goal may name nodes" if goal is not None else why_names_matter(cluster, scope)


def starting_at(start: Cluster | Recording | int) -> Cluster:
    """The cluster that a search begins with."""
    if isinstance(start, Cluster):
        return start
    if isinstance(start, Recording):
        return start.branch()
    return Cluster(start, options=Options.figure_2(), disks=Disks(write_ms=0.0))

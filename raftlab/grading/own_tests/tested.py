"""The clusters of one machine under test, and what a learner's tests may ask of them.

What is asked may come out of a box: it is data, and nobody here believes it. How long a scenario
may run is virtual time, and a number of actions.
"""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from inspect import Signature, signature
from typing import Any

from raftlab.grading.child import changes
from raftlab.grading.child.changes import Change
from raftlab.grading.child.clusters import NO_SUCH, VERBS
from raftlab.grading.own_tests.machines import Start
from raftlab.raft.vocabulary import Misuse, NotLeader, shown
from raftlab.sim.cluster import Cluster
from raftlab.sim.frames import capture
from raftlab.sim.frames.frame import Frame
from raftlab.sim.world.actions import Propose
from raftlab.sim.world.arguments import command_data
from raftlab.sim.world.engine import Engine

MOST_CLUSTERS = 6
MOST_NODES = 7
MOST_MS = 60_000.0
MOST_ACTIONS = 4_000
MOST_ENTRIES = 50
MOST_CHARACTERS = 1_000
"""How much of each a scenario may have."""


class Run:
    """A cluster under test, and all its frames so far: each is made as soon as it is there."""

    def __init__(self, cluster: Cluster) -> None:
        self.cluster = cluster
        self._frames = [cluster.frame()]
        self._told = 0
        cluster.engine.checkpoint = self._look
        cluster.engine.checkpoint_at = 1

    def _look(self, engine: Engine) -> int:
        self._frames.append(capture.frame_of(engine, self._frames[-1]))
        return engine.number + 1

    @property
    def frames(self) -> list[Frame]:
        """From before the first action to now: also the last one, in which a machine failed."""
        if self._frames[-1].number < self.cluster.number:
            self._frames.append(self.cluster.frame())
        return self._frames

    def news(self) -> list[Change]:
        """The frames that are new since this was asked last."""
        frames, told = self.frames, self._told
        self._told = len(frames)
        return changes.changes_of(frames[told:], frames[told - 1] if told else None)


class Tested:
    """What one scenario is given: clusters with the machine that `start` has, by their numbers."""

    __test__ = False

    def __init__(self, start: Start) -> None:
        self._start = start
        self._signatures: dict[str, Signature] = {}
        self.runs: list[Run] = []

    def news(self, number: int) -> list[Change]:
        """The frames of a cluster that are new since this was asked last; none, if it is none."""
        return self.runs[number - 1].news() if 1 <= number <= len(self.runs) else []

    def ask(self, verb: str, number: int, given: Sequence[Any], named: Mapping[str, Any]) -> Any:
        """Do what a test asks for. Raises: Misuse, NotNow; also for what no test may do."""
        for value in (*given, *named.values()):
            _check(value)
        given, named = _fixed(given), {name: _fixed(value) for name, value in named.items()}
        do = self._verb(verb, number)
        try:
            if verb not in self._signatures:
                self._signatures[verb] = signature(do)
            self._signatures[verb].bind(*given, **named)
        except TypeError as error:
            raise Misuse(f"{verb} cannot be asked so: {error}") from None
        said = do(*given, **named)
        return said if isinstance(said, Frame) else _plain(said)

    def _verb(self, verb: str, number: int) -> Callable[..., Any]:
        """What does what a test asks for. Raises: Misuse."""
        if verb == "start":
            return self._begin
        if not (type(number) is int and 1 <= number <= len(self.runs)):
            raise Misuse("there is no such cluster")
        cluster = self.runs[number - 1].cluster
        if verb == "frame":
            return lambda: self.runs[number - 1].frames[-1]
        if verb == "step":
            return partial(self._step, cluster)
        if verb == "run":
            return partial(self._run, cluster)
        if verb not in VERBS:
            raise Misuse(NO_SUCH.format(name=shown(verb), verbs=", ".join(VERBS)))
        self._check_span(cluster, 0.0)
        if verb == "propose":
            return partial(_propose, cluster)
        verb_of: Callable[..., Any] = getattr(cluster, verb)
        return verb_of

    def _begin(self, nodes: Any = 3, logs: Any = None) -> int:
        if len(self.runs) == MOST_CLUSTERS:
            raise Misuse(f"a scenario starts at most {MOST_CLUSTERS} clusters")
        if (nodes if type(nodes) is int else _length(nodes)) > MOST_NODES:
            raise Misuse(f"a cluster that is tested has at most {MOST_NODES} servers")
        if isinstance(logs, Mapping) and any(
            _length(each) > MOST_ENTRIES for each in logs.values()
        ):
            raise Misuse(f"a log has at most {MOST_ENTRIES} entries at the start")
        self.runs.append(Run(self._start(nodes, logs=logs)))
        return len(self.runs)

    def _run(self, cluster: Cluster, ms: Any = None) -> None:
        self._check_span(cluster, ms)
        most = len(cluster.actions) + MOST_ACTIONS - self._actions()
        cluster.run_until(lambda each: len(each.actions) >= most, ms)
        self._check_span(cluster, 0.0)

    def _step(self, cluster: Cluster, end: Any = None) -> bool:
        """One action, if there is one before `end`; else the time is `end`."""
        if type(end) not in (int, float):
            raise Misuse(f"a limit is a time in ms, not {shown(end)}")
        self._check_span(cluster, max(end - cluster.now, 0.0))
        before = cluster.number
        return end > cluster.now and cluster.run_until(
            lambda each: each.number > before, end - cluster.now
        )

    def _check_span(self, cluster: Cluster, ms: Any) -> None:
        if type(ms) not in (int, float):
            raise Misuse(f"a time is a number of ms, not {shown(ms)}")
        if cluster.now + ms > MOST_MS:
            raise Misuse(f"a cluster that is tested lives {MOST_MS:,.0f} ms at most")
        if self._actions() >= MOST_ACTIONS:
            raise Misuse(f"a scenario takes {MOST_ACTIONS:,} actions at most, in all its clusters")

    def _actions(self) -> int:
        return sum(len(each.cluster.actions) for each in self.runs)


def _length(value: Any) -> int:
    return len(value) if isinstance(value, Sequence) else 0


def _check(value: Any, depth: int = 0) -> None:
    """Raises: Misuse, for what is large, or deep."""
    if isinstance(value, str) and len(value) > MOST_CHARACTERS:
        raise Misuse(f"a text has at most {MOST_CHARACTERS:,} characters")
    if isinstance(value, list | tuple | Mapping):
        inner = value.values() if isinstance(value, Mapping) else value
        if depth == 3 or len(value) > MOST_CHARACTERS:
            raise Misuse("an argument is too large")
        for each in inner:
            _check(each, depth + 1)


def _fixed(value: Any) -> Any:
    """A value whose lists are tuples: out of a box there come only lists."""
    return tuple(map(_fixed, value)) if isinstance(value, list | tuple) else value


def _propose(cluster: Cluster, command: Any, to: Any = None) -> Any:
    """Hand a command to a server, also to one that does not lead: it is its to refuse."""
    try:
        return cluster.propose(command, to)
    except NotLeader:
        cluster.apply(Propose(cluster.now, to, command_data(command)))
        return cluster.frame()[to].last_index


def _plain(value: Any) -> Any:
    """What a verb returns that can be told; the cluster itself is not."""
    return value if value is None or type(value) in (bool, int, float, str) else None

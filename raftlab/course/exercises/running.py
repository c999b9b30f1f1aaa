"""Exercises whose answers run in whole clusters: a method of `Rules`, or a part of the machine."""

import inspect
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from typing import Any, Literal, NamedTuple, get_args, get_type_hints

from raftlab.course.exercises import guard
from raftlab.course.exercises.base import Exercise
from raftlab.course.exercises.cases import Case
from raftlab.course.exercises.clusters import LOSSY, options, problem_after_faults
from raftlab.course.exercises.result import Result
from raftlab.course.exercises.statement import Statement
from raftlab.raft.machine import RaftStateMachine
from raftlab.raft.rules import Rules
from raftlab.sim.cluster import Cluster
from raftlab.sim.world.violation import Violation
from raftlab.view import scene_cluster
from raftlab.view.words import ms

MOST_IN_FLIGHT = 200
"""A cluster with more messages on their way is not drawn: nobody could read it."""


class Trouble(NamedTuple):
    """What goes wrong in a cluster that runs an answer.

    "safety": a property is broken; "liveness": the healed cluster does not go on; "code": the
    answer fails, or breaks the machine. `broke` is the name of the property, if one is broken.
    """

    cluster: Cluster
    seed: int
    kind: Literal["safety", "liveness", "code"]
    text: str
    broke: str = ""


class ClusterExercise(Exercise):
    """An exercise whose answer also runs in whole clusters, one per seed, always watched."""

    seeds: Sequence[int] = range(12)

    @guard.few_lines()
    def cluster(self, answer: Any, seed: int) -> Cluster:
        """The cluster of this seed, run with the learner's code as far as it gets."""
        cluster = self.start(answer, seed)
        with suppress(Exception):  # it stands still where it went wrong
            problem_after_faults(cluster, seed)
        return cluster

    def start(self, answer: Any, seed: int) -> Cluster:
        """The cluster of this seed, of three or five, before anything has happened."""
        given = self.for_cluster(answer)
        return Cluster(size(seed), seed=seed, network=LOSSY, options=options(), **given)

    def for_cluster(self, answer: Any) -> Mapping[str, Any]:
        """The argument of `Cluster` that makes every node follow the answer."""
        raise NotImplementedError

    def in_clusters(self, answer: Any) -> tuple[int, Result | None]:
        """Run a cluster per seed, and stop at the first that fails."""
        for seed in self.seeds:
            trouble = self.trouble(answer, seed)
            if trouble is not None:
                return len(self.seeds), self._failed_in(trouble, answer)
        return len(self.seeds), None

    def trouble(self, answer: Any, seed: int) -> Trouble | None:
        """What goes wrong in the cluster of this seed, or None. Raises: Unwritten."""
        cluster = self.start(answer, seed)
        try:
            problem = problem_after_faults(cluster, seed)
        except Violation as violation:
            broken = violation.frame
            text = f"{broken.name} is broken: {broken.text}"
            return Trouble(cluster, seed, "safety", text, broken.name)
        except guard.LearnerError as error:
            return Trouble(cluster, seed, "code", f"your code fails: {error}")
        except guard.Unwritten:
            raise
        except Exception as error:  # what it answers breaks the machine
            text = f"with what your code answers, {guard.where(error)}"
            return Trouble(cluster, seed, "code", text)
        return Trouble(cluster, seed, "liveness", problem) if problem else None

    def cluster_call(self, answer: Any, seed: int) -> str:
        """What shows the cluster of this seed, as it can be pasted."""
        return f'exercise("{self.number}").cluster({self.named(answer)}, seed={seed})'

    def _failed_in(self, trouble: Trouble, answer: Any) -> Result:
        cluster, problem = trouble.cluster, trouble.text
        nodes = len(cluster.nodes)
        lines = [
            f"Exercise {self.number}: not yet. Alone it answers well, but not in a cluster",
            f"  expected:  {nodes} nodes keep every property, and commit once the network heals",
            f"  your code: frame {cluster.number}, {ms(cluster.now)}: {problem}",
            f"  try it:    {self.cluster_call(answer, trouble.seed)}",
            f"  read:      {self.paper}",
        ]
        said = f"{lines[0]}: {problem.removesuffix('.')}."
        frame = cluster.frame()
        scenes = (scene_cluster(frame),) if len(frame.in_flight) <= MOST_IN_FLIGHT else ()
        return Result(False, 0, self.points, "\n".join(lines), scenes, said)


class RulesExercise(ClusterExercise):
    """An exercise for one method of `Rules`: checked alone, then in clusters that run it.

    The right answer is that of the shipped `Rules`.
    """

    def __init__(
        self, number: str, title: str, stars: int, name: str, statement: Statement, **named: Any
    ) -> None:
        reference = getattr(Rules(), name)
        super().__init__(number, title, stars, name, statement, reference=reference, **named)

    @property
    def stub(self) -> str:
        """The class and the method that are to be written."""
        parameters = ", ".join(["self", *inspect.signature(self.reference).parameters])
        return f"class MyRules(rl.Rules):\n    def {self.name}({parameters}):"

    def function_of(self, answer: Any) -> Callable[..., Any]:
        """The method that the learner wrote, bound. Raises: LearnerError, if there is none."""
        kind = answer if isinstance(answer, type) else type(answer)
        if not issubclass(kind, Rules) or getattr(kind, self.name) is getattr(Rules, self.name):
            raise guard.LearnerError(
                f"pass your subclass of Rules with a method {self.name} of its own"
            )
        # Made anew even where an instance is given: the class is what is kept, and joined.
        function: Callable[..., Any] = guard.call(getattr, guard.call(kind), self.name)
        return function

    def named(self, answer: Any) -> str:
        """How the learner calls the class."""
        kind = answer if isinstance(answer, type) else type(answer)
        return kind.__name__ if issubclass(kind, Rules) else "MyRules"

    def call_text(self, case: Case, answer: Any) -> str:
        """The call of a case as it can be pasted."""
        return f"{self.named(answer)}().{self.name}({case.code})"

    def rules_with(self, answer: Any) -> Rules:
        """The shipped rules with the learner's method in the place of one, under guard."""
        function = self.function_of(answer)
        hint = get_type_hints(getattr(Rules, self.name))["return"]
        kinds = get_args(hint) or ((int, float) if hint is float else (hint,))

        def decided(_: Rules, *arguments: Any, **named: Any) -> Any:
            got = guard.call(function, *arguments, **named)
            if type(got) not in kinds:
                kind = type(got).__name__
                raise guard.LearnerError(f"it answers {guard.described(got)}, of type {kind}")
            return got

        learners = {self.name: decided, "__slots__": (), "__module__": "__main__"}
        rules: Rules = type(self.named(answer), (Rules,), learners)()
        return rules

    def for_cluster(self, answer: Any) -> Mapping[str, Any]:
        """Rules of which one is the learner's."""
        return {"rules": self.rules_with(answer)}


class MachineExercise(ClusterExercise):
    """An exercise for a function that takes the place of one part of the machine.

    `machine` is the shipped machine with a hole: there it calls the function of its class that
    has the exercise's name.
    """

    def __init__(self, *arguments: Any, machine: type[RaftStateMachine], **named: Any) -> None:
        super().__init__(*arguments, **named)
        self.machine = machine

    def for_cluster(self, answer: Any) -> Mapping[str, Any]:
        """A machine that calls the learner's function."""
        function = staticmethod(self.function_of(answer))
        learners = {self.name: function, "__slots__": (), "__module__": "__main__"}
        filled = type("YourMachine", (self.machine,), learners)
        return {"machine": filled}


def size(seed: int) -> int:
    """How many nodes the cluster of this seed has."""
    return 5 if seed % 3 else 3

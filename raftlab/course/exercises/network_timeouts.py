"""Exercise 5.3: election timeouts for a network of any speed."""

from collections.abc import Callable, Sequence
from typing import Any

from raftlab.course.exercises import guard
from raftlab.course.exercises.base import Exercise
from raftlab.course.exercises.cases import Case, said
from raftlab.course.exercises.mistakes import Mistake
from raftlab.course.exercises.networks import problem_with
from raftlab.course.exercises.statement import Statement
from raftlab.course.exercises.verdict import Failure
from raftlab.course.facts import scene_facts
from raftlab.raft.vocabulary import Millis
from raftlab.view import Scene


def timeouts_for(one_way_ms: Millis) -> tuple[Millis, Millis]:
    """The paper's choice for its own network, and the same for others."""
    return 10.0 * one_way_ms, 20.0 * one_way_ms


class NetworkExercise(Exercise):
    """`timeouts_for` has no one right answer: clusters with those timeouts are watched."""

    def failure(self, function: Callable[..., Any], case: Case) -> Failure | None:
        """What is wrong with the timeouts for this network, or None."""
        (one_way,) = case.arguments
        wanted = "(low, high), with which leaders stay, and are soon followed when they crash"
        try:
            got = guard.call(function, one_way)
        except guard.LearnerError as problem:
            return Failure(case, wanted, str(problem), is_error=True)
        wrong = problem_with(got, one_way)
        return Failure(case, wanted, wrong, got=got) if wrong else None

    def mistake_in(self, failures: Sequence[Failure]) -> Mistake | None:
        """The one that has a name: the same timeouts for every network, whichever they are."""
        if any(each.is_error for each in failures):
            return None
        function = self.function_of(self.tried)
        try:
            first, *others = [guard.call(function, *case.fresh()) for case in self.every_case]
        except guard.LearnerError:  # it has answered before
            return None
        if first is None:
            return None
        return self.mistakes[0] if all(guard.same(first, each) for each in others) else None

    @property
    def example_outcome(self) -> str:
        """The paper's own choice."""
        return "for instance (150, 300), the paper's choice"


def draw_network(case: Case, got: Any) -> Sequence[Scene]:
    """How slow the network is, and the timeouts for it."""
    (one_way,) = case.arguments
    facts = {"a message takes up to": f"{one_way:g} ms", TIMEOUTS: said(got)}
    return (scene_facts(facts, "Election timeouts for a network", TIMEOUTS),)


TIMEOUTS = "(low, high), ms"


EXERCISES = (
    NetworkExercise(
        "5.3",
        "Timeouts for your network",
        3,
        "timeouts_for",
        Statement(
            "Write timeouts_for: which election timeouts suit a network of this speed? The leader"
            " sends a heartbeat every low / 2 ms. Five servers then run with your timeouts: a"
            " leader that works must not be deposed; after a crash three elections of four have to"
            " succeed at the first try; and the cluster should not be without a leader longer than"
            " it has to: in the median, 60 times one_way_ms at most.",
            {"one_way_ms": "int: how long a message takes at most, one way, in ms"},
            "tuple (low, high): the least and the greatest election timeout, in ms; low is less"
            " than high.",
            "the same program fails in another network if its timeouts do not fit.",
            (
                "What has to fit in between two heartbeats that arrive? And how far apart have the"
                " timeouts of five servers to be?",
                "The broadcast time is about 2 * one_way_ms. Let both low and high - low be"
                " several times that, and not a hundred times.",
            ),
        ),
        paper="5.6; 9.3",
        reference=timeouts_for,
        cases=lambda: [Case(one_way) for one_way in (15, 100, 2)],
        example=Case(15),
        telling=Case(100),
        picture=draw_network,
        mistakes=(
            Mistake("the same timeouts for every network", answers=lambda one_way_ms: (150, 300)),
        ),
    ),
)

"""Exercises of notebook 04: majorities, the tally and random timeouts."""

import random
from collections.abc import Callable, Sequence
from typing import Any

from raftlab.course.exercises import guard
from raftlab.course.exercises.base import Exercise, Result
from raftlab.course.exercises.cases import Case
from raftlab.course.exercises.running import RulesExercise
from raftlab.course.panel import Panel
from raftlab.course.situations import votes_of
from raftlab.raft.options import Options
from raftlab.raft.quorum import majority
from raftlab.raft.vocabulary import Configuration
from raftlab.raft.votes import Votes
from raftlab.sim.world.arguments import MOST_NODES
from raftlab.view import Scene, scene_tally


def tally_cases() -> list[Case]:
    """Clusters of one to seven with every number of votes and refusals."""
    cases = []
    for size in range(1, 8):
        voters = tuple(f"S{place}" for place in range(1, size + 1))
        for answered in range(size + 1):
            for granted in range(answered + 1):
                said = {v: place < granted for place, v in enumerate(voters[:answered])}
                cases.append(Case(votes_of(said, of=voters)))
    return cases


def draw_votes(case: Case, _: Any) -> Sequence[Scene]:
    """The votes, and the majority line."""
    votes: Votes = case.arguments[0]
    return (scene_tally(votes.answers, Configuration(votes.voters)),)


class TimeoutExercise(RulesExercise):
    """`election_timeout` has no one right answer: what it draws is looked at as a whole."""

    DRAWS = 200
    imports = "import random; from raftlab.course.situations import *"

    def _try(self, function: Callable[..., Any], case: Case) -> Result | None:
        options: Options = case.arguments[0]
        low, high = options.election_timeout
        try:
            drawn = [
                guard.call(function, options, random.Random(seed)) for seed in range(self.DRAWS)
            ]
            again = guard.call(function, options, random.Random(0))
        except guard.LearnerError as problem:
            return self._failed(case, self.wanted(options), str(problem), None)
        wrong = self._problem(drawn, again, low, high)
        return self._failed(case, self.wanted(options), wrong, None) if wrong else None

    @staticmethod
    def wanted(options: Options) -> str:
        """What is expected of a draw."""
        low, high = options.election_timeout
        return f"times spread over {low:g} to {high:g} ms, drawn from rng and from nothing else"

    def _problem(self, drawn: list[Any], again: Any, low: float, high: float) -> str | None:
        for each in drawn:
            if type(each) not in (int, float):
                return f"it answers {guard.described(each, 40)}, and not a number of ms"
            if not low <= each <= high:
                number = guard.described(each, 40, "{:g}".format)
                return f"it answers {number} ms, outside {low:g} to {high:g}"
        if again != drawn[0]:
            return "the same rng gives two answers: it draws from somewhere else"
        thirds = {min(int(3 * (each - low) / (high - low)), 2) for each in drawn}
        if len(thirds) < 3 or len(set(drawn)) < self.DRAWS // 4:
            return (
                f"{self.DRAWS} draws lie between {min(drawn):g} and {max(drawn):g} ms,"
                f" and only {len(set(drawn))} differ: nodes would campaign at once"
            )
        return None

    def call_text(self, case: Case, answer: Any) -> str:
        """The call with a random source of its own."""
        return f"{self.named(answer)}().election_timeout({case.code}, random.Random(0))"

    @guard.few_lines()
    def show(self, answer: Any) -> Any:
        """The timeouts that five nodes would draw."""
        options = self.telling.arguments[0]
        try:
            function = self.function_of(answer)
            drawn = [guard.call(function, options, random.Random(seed)) for seed in range(5)]
        except guard.Unwritten as stub:
            return Panel(self.unwritten(stub))
        except guard.LearnerError as problem:
            return Panel(self._told(answer, str(problem)))
        low, high = options.election_timeout
        rows = [f"Exercise {self.number}: five nodes draw their timeouts, {low:g} to {high:g} ms"]
        for place, each in enumerate(drawn, start=1):
            number = type(each) in (int, float) and abs(each) < 1e6
            bar = "#" * max(0, min(60, round(each / 5))) if number else ""
            rows.append(
                f"  S{place} {each:7.1f} {bar}"
                if number
                else f"  S{place} {guard.described(each, 40)}"
            )
        return Panel("\n".join(rows))


EXERCISES = (
    Exercise(
        "4.1",
        "A majority",
        1,
        "majority",
        "Write majority(size): how many of `size` servers are more than half.",
        "5.2",
        majority,
        lambda: [Case(size) for size in range(1, MOST_NODES + 1)],
        Case(4),
    ),
    RulesExercise(
        "4.2",
        "Three answers",
        2,
        "tally_vote",
        "Write tally_vote(votes): ElectionResult.WON, LOST or UNKNOWN. votes.voters are all"
        " voters; votes.answers maps those that have answered to True (granted) or False."
        " An election is lost once the silent ones cannot bring a majority any more.",
        tally_cases,
        Case(votes_of({"S1": True, "S2": False}, of=("S1", "S2", "S3", "S4"))),
        "Figure 2, Candidates, second rule; 5.2",
        draw_votes,
        says=str,
    ),
    TimeoutExercise(
        "4.3",
        "Not all at once",
        3,
        "election_timeout",
        "Write election_timeout(options, rng): how long (ms) a node waits before it campaigns."
        " options.election_timeout is (low, high); rng is the node's own random.Random. The same"
        " rng must give the same time: use nothing else that is random.",
        lambda: [
            Case(Options.figure_2(election_timeout=span))
            for span in ((150.0, 300.0), (10.0, 12.0), (1000.0, 5000.0))
        ],
        Case(Options.figure_2()),
        "5.2, last part; 9.3 and Figure 16",
        says=str,
    ),
)

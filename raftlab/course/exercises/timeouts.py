"""Exercises of notebook 05: random timeouts."""

import random
from collections.abc import Callable
from typing import Any

from raftlab.course.exercises import guard
from raftlab.course.exercises.base import Result
from raftlab.course.exercises.cases import Case
from raftlab.course.exercises.running import RulesExercise
from raftlab.course.panel import Panel
from raftlab.raft.options import Options


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
    TimeoutExercise(
        "5.1",
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

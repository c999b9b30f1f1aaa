"""Exercises 5.1 and 5.2: election timeouts that differ, and who stands alone."""

import random
from collections.abc import Callable, Mapping, Sequence
from itertools import product
from typing import Any

from raftlab.course.exercises import guard
from raftlab.course.exercises.base import Exercise
from raftlab.course.exercises.cases import Case, said
from raftlab.course.exercises.mistakes import Mistake
from raftlab.course.exercises.running import RulesExercise
from raftlab.course.exercises.statement import Statement
from raftlab.course.exercises.verdict import Failure
from raftlab.course.facts import scene_facts
from raftlab.raft.options import Options
from raftlab.raft.vocabulary import Millis, NodeId
from raftlab.view import Scene

DRAWS = 600
"""How many timeouts are drawn to see how they are spread."""
MOST_OFF = 0.085
"""How far the share of draws below a time may lie from what it should be: fair ones do in one of
three thousand times."""
FEWEST = 50
"""Of so many draws so many are different: whole milliseconds of the paper's range will do."""
FEW = 5
"""How many of them are shown."""


class TimeoutExercise(RulesExercise):
    """`election_timeout` has no one right answer: what it draws is looked at as a whole."""

    imports = "import random; from raftlab.course.situations import *"
    source: Callable[[int], random.Random] = random.Random
    drawn_from: Sequence[int] = range(DRAWS)
    """The seeds of the sources of chance that are given."""

    def failure(self, function: Callable[..., Any], case: Case) -> Failure | None:
        """What is wrong with the draws under these options, or None."""
        options: Options = case.arguments[0]
        low, high = options.election_timeout
        wanted = f"times spread over {low:g} to {high:g} ms, drawn from rng and from nothing else"
        try:
            drawn = [guard.call(function, options, self.source(s)) for s in self.drawn_from]
            again = guard.call(function, options, self.source(self.drawn_from[0]))
        except guard.LearnerError as problem:
            return Failure(case, wanted, str(problem), is_error=True)
        wrong = _problem(drawn, again, low, high)
        return Failure(case, wanted, wrong, got=drawn[:FEW]) if wrong else None

    @property
    def example_outcome(self) -> str:
        """One draw of many, and what all of them are like."""
        return "a time between 150 and 300 ms, another one for each rng"

    def call_text(self, case: Case, answer: Any) -> str:
        """The call with a random source of its own."""
        return f"{self.named(answer)}().election_timeout({case.code}, random.Random(0))"

    def observe(self, function: Callable[..., Any], arguments: tuple[Any, ...]) -> Any:
        """The timeouts that five servers would draw."""
        return [guard.call(function, *arguments, random.Random(seed)) for seed in range(FEW)]


def _problem(drawn: list[Any], again: Any, low: Millis, high: Millis) -> str | None:
    for each in drawn:
        if type(each) not in (int, float):
            return f"it answers {guard.described(each, 40)}, and not a number of ms"
        if not low <= each <= high:
            number = guard.described(each, 40, "{:g}".format)
            return f"it answers {number} ms, outside {low:g} to {high:g}"
    if again != drawn[0]:
        return "the same rng gives two answers: it draws from somewhere else"
    differ = len(set(drawn))
    if differ == 1:
        return f"{DRAWS} draws are all {drawn[0]:g} ms: all servers would stand at once"
    span = f"{DRAWS} draws lie between {min(drawn):g} and {max(drawn):g} ms"
    if differ < FEWEST:
        few = f"{span}, and there are only {differ} different times among them"
        whole = all(each == int(each) for each in drawn)
        return f"{few}: whole milliseconds are too far apart here" if whole else few
    thirds = {min(int(3 * (each - low) / (high - low)), 2) for each in drawn}
    if len(thirds) < 3:
        return f"{span}: a part of the range is never drawn"
    return _skew(sorted(drawn), low, high)


def _skew(drawn: Sequence[Millis], low: Millis, high: Millis) -> str | None:
    """Where draws lie too near each other, by the distance of Kolmogorov and Smirnov."""
    below = [(each - low) / (high - low) for each in drawn]
    off = [(place + 0.5) / len(drawn) - part for place, part in enumerate(below)]
    worst = max(range(len(off)), key=lambda place: abs(off[place]))
    if abs(off[worst]) <= MOST_OFF:
        return None
    share = (worst + 1) / len(drawn)
    return (
        f"{share:.0%} of {len(drawn)} draws lie below {drawn[worst]:g} ms, where"
        f" {below[worst]:.0%} should: some times are likelier than others"
    )


def draw_timeouts(case: Case, got: Any) -> Sequence[Scene]:
    """The range, and what five servers drew."""
    options: Options = case.arguments[0]
    low, high = options.election_timeout
    facts = {"election_timeout": f"({low:g}, {high:g}) ms"}
    title = "Five servers draw their election timeouts"
    if isinstance(got, list):
        for place, each in enumerate(got, 1):
            number = type(each) in (int, float) and abs(each) < 1e6
            facts[f"S{place}"] = f"{each:.1f} ms" if number else guard.described(each, 40)
        return (scene_facts(facts, title),)
    return (scene_facts(facts | {"each of them": "?"}, title, "each of them"),)


def elected_at_once(timeouts: Mapping[NodeId, Millis], heard_ms: Millis) -> NodeId | None:
    """Who stands for election alone: heard by all before anybody else's timer runs out."""
    first, *others = sorted(timeouts, key=lambda node: timeouts[node])
    alone = all(timeouts[node] - timeouts[first] >= heard_ms for node in others)
    return first if alone else None


def timer_cases() -> list[Case]:
    """Two to four servers with timers far apart, near each other, and equal."""
    cases = []
    for size in (2, 3, 4):
        nodes = tuple(f"S{place}" for place in range(1, size + 1))
        for drawn in product((160, 165, 170, 200), repeat=size):
            timeouts = dict(zip(nodes, drawn, strict=True))
            cases += [Case(timeouts, heard) for heard in (5, 8, 10, 40)]
    return cases


def draw_timers(case: Case, got: Any) -> Sequence[Scene]:
    """When each timer runs out, and how long it takes to be heard."""
    timeouts, heard = case.arguments
    facts = {node: f"{ms} ms" for node, ms in timeouts.items()}
    facts |= {"heard by all after": f"{heard} ms", "elected at once": said(got)}
    return (scene_facts(facts, "When the timers run out", "elected at once"),)


EXERCISES = (
    TimeoutExercise(
        "5.1",
        "Not all at once",
        1,
        "election_timeout",
        Statement(
            "Write election_timeout: how long does a server wait before it stands for election?"
            " Every time in the range should be about as likely as any other.",
            {
                "options": "Options: options.election_timeout is (low, high), in ms",
                "rng": "random.Random: the server's own source of chance; rng.random() is a number"
                " from 0 to 1. The same rng must give the same time: use nothing else that is"
                " random",
            },
            "float: a time from low to high, in ms of virtual time.",
            "servers that all wait equally long stand for election all at once, again and again.",
            (
                "How far into the range? That is what chance decides.",
                "rng.random() is at least 0 and less than 1: at 0 the answer is low. What is it"
                " at 1? The library has a method of rng for just that, too.",
            ),
        ),
        cases=lambda: [
            Case(Options.figure_2(election_timeout=span))
            for span in ((150.0, 300.0), (10.0, 12.0), (1000.0, 5000.0))
        ],
        example=Case(Options.figure_2()),
        telling=Case(Options.figure_2()),
        paper="5.2, last part; 9.3 and Figure 16",
        picture=draw_timeouts,
        mistakes=(
            Mistake("everybody waits equally long", "equal-timeouts"),
            Mistake(
                "everybody waits equally long",
                "equal-timeouts",
                lambda options, rng: sum(options.election_timeout) / 2,
            ),
            Mistake(
                "everybody waits equally long",
                "equal-timeouts",
                lambda options, rng: options.election_timeout[1],
            ),
            Mistake(
                "there are only two times: of three servers two wait equally long",
                answers=lambda options, rng: rng.choice(options.election_timeout),
            ),
        ),
    ),
    Exercise(
        "5.2",
        "Who stands alone?",
        2,
        "elected_at_once",
        Statement(
            "Write elected_at_once: whose election succeeds at the first try? The server whose"
            " timer runs out first asks all the others. It is alone if everybody has heard it"
            " before another timer runs out. If both happen at the same moment, the request"
            " counts.",
            {
                "timeouts": "dict: from each server's name to when its timer runs out, in ms. Two"
                " servers or more",
                "heard_ms": "int: how long it takes until everybody has heard a candidate, in ms",
            },
            "str or None: the name of the server that stands for election alone; None, if two or"
            " more stand, so that the votes may be split.",
            "so the spread of the timeouts has to be compared with the time that messages take.",
            (
                "Only the two that come first matter.",
                "sorted(timeouts, key=timeouts.get) gives the names in order. Compare the"
                " difference of the first two times with heard_ms.",
            ),
        ),
        paper="5.2; 5.6; 9.3",
        reference=elected_at_once,
        cases=timer_cases,
        example=Case({"S1": 210, "S2": 160, "S3": 200}, 10),
        telling=Case({"S1": 170, "S2": 200, "S3": 165}, 10),
        picture=draw_timers,
        mistakes=(
            Mistake(
                "this looks for the first timer only: another one may run out just after it",
                answers=lambda timeouts, heard: min(timeouts, key=timeouts.get),
            ),
            Mistake(
                "this asks for two equal timers only: two that are near each other are enough",
                answers=lambda timeouts, heard: elected_at_once(timeouts, 1),
            ),
            Mistake(
                "this waits for an answer, too: it is enough that the others have heard",
                answers=lambda timeouts, heard: elected_at_once(timeouts, 2 * heard),
            ),
            Mistake(
                "this compares the first with the last: the second is the one that may stand, too",
                answers=lambda timeouts, heard: (
                    min(timeouts, key=timeouts.get)
                    if max(timeouts.values()) - min(timeouts.values()) >= heard
                    else None
                ),
            ),
            Mistake(
                "this has a server stand that has just heard a candidate",
                answers=lambda timeouts, heard: elected_at_once(timeouts, heard + 1),
            ),
            Mistake(
                "this looks at the second and the third as well, who do not stand",
                answers=lambda timeouts, heard: (
                    elected_at_once(timeouts, heard)
                    if all(
                        abs(timeouts[one] - timeouts[other]) >= heard
                        for one in timeouts
                        for other in timeouts
                        if one < other
                    )
                    else None
                ),
            ),
        ),
    ),
)

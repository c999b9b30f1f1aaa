"""What a learner's tests are worth.

Chance earns nothing: correct machines are met with several options and timings, and a mistake is
found where one scenario fails with it twice, each time with other timing.
"""

import random
from collections.abc import Iterable, Mapping, Sequence
from functools import cache

from raftlab.grading.milestones import M6
from raftlab.grading.own_tests.machines import CORRECT, MISTAKES, Start, correct, mistaken
from raftlab.grading.own_tests.runners import (
    Invariant,
    Outcome,
    OwnTests,
    Scenario,
    Tests,
)
from raftlab.grading.results import Check, MilestoneMark
from raftlab.museum import exhibit

TIMINGS = 3
"""With how many timings each correct machine is met."""
TWICE = 2
"""With how many timings a mistake is to be found."""


def marked(
    scenarios: Iterable[Scenario],
    invariant: Invariant,
    seed: int = 1,
    mistakes: Sequence[str] = MISTAKES,
) -> MilestoneMark:
    """What a learner's tests are worth, run in this process: `judged` with fewer timings."""
    return judged(OwnTests(list(scenarios), invariant), (seed,), mistakes)


def judged(
    tests: Tests,
    seeds: Sequence[int],
    mistakes: Sequence[str] = MISTAKES,
    chance: random.Random | None = None,
) -> MilestoneMark:
    """What tests are worth. Each of `seeds` chooses another timing of every cluster.

    Correct machines are met with all of them, mistakes with the first two. All scenarios run with
    every machine, and `chance` draws in which order the machines come: who sees how late it is, or
    how much was asked before, still does not know which it has.
    """
    machines = [(name, seed, correct) for name in CORRECT for seed in seeds]
    machines += [(name, seed, mistaken) for name in mistakes for seed in seeds[:TWICE]]
    (chance or random.Random(0)).shuffle(machines)
    came = {(name, seed): _outcomes(tests, kind(name, seed)) for name, seed, kind in machines}
    complaints = {name: _complaints(name, [came[name, each] for each in seeds]) for name in CORRECT}
    unsound = {place for said in complaints.values() for place in said}
    checks = [_correct_check(name, tests.names, said) for name, said in complaints.items()]
    worth = M6.parts["mistakes"] / len(mistakes)
    sound = [place for place in range(len(tests.names)) if place not in unsound]
    for name in mistakes:
        runs = [came[name, seed] for seed in seeds[:TWICE]]
        found = any(all(each[place].how == "failed" for each in runs) for place in sound)
        checks.append(_mistake_check(name, found, worth))
    return _mark(checks)


def _outcomes(tests: Tests, start: Start) -> list[Outcome]:
    """How the scenarios go on one machine, in their order."""
    runner = tests.on(start)
    try:
        return [runner.run(place) for place in range(len(tests.names))]
    finally:
        runner.close()


def nothing(why: str) -> MilestoneMark:
    """What there is for tests that cannot be run."""
    said = {0: why}
    checks = [_correct_check(name, [M6.name], said) for name in CORRECT]
    worth = M6.parts["mistakes"] / len(MISTAKES)
    return _mark([*checks, *(_mistake_check(name, False, worth) for name in MISTAKES)])


def _mark(checks: Sequence[Check]) -> MilestoneMark:
    points = round(sum(check.points for check in checks), 2)
    return MilestoneMark(
        milestone=M6.name, title=M6.title, points=points, of=M6.points, checks=tuple(checks)
    )


def _complaints(name: str, runs: Iterable[Sequence[Outcome]]) -> dict[int, str]:
    """By their places, the scenarios that do something wrong with a correct machine."""
    said: dict[int, str] = {}
    for run in runs:
        for place, came in enumerate(run):
            if came.how != "passed":
                what = "fails" if came.how == "failed" else "cannot run"
                text = came.text.removesuffix(".")
                said.setdefault(place, f"it {what} with a correct machine ({name}): {text}")
    return said


def _correct_check(name: str, scenarios: Sequence[str], said: Mapping[int, str]) -> Check:
    worth = M6.parts["correct machines"] / len(CORRECT)
    passed = bool(scenarios) and not said
    told = [f"{scenarios[place]}: {what}." for place, what in sorted(said.items())]
    return Check(
        name=f"correct: {name}",
        exercise="",
        points=worth if passed else 0,
        of=worth,
        passed=passed,
        sentence="" if passed else " ".join(told) or "There is no scenario.",
        advice="" if passed else TRY_CORRECT if told else TRY_ONE,
    )


TRY_CORRECT = (
    "Ask of every assert whether the paper promises it, whatever the timing. A scenario that fails"
    " with a correct machine finds no mistake either."
)
TRY_ONE = "Write a scenario: one cluster, a few verbs, and what must hold at the end."


def _mistake_check(name: str, found: bool, worth: float) -> Check:
    """Whether a mistake was found; what survives is told with the run that would have shown it."""
    if found:
        return Check(name=name, exercise="", points=worth, of=worth, passed=True)
    which = exhibit(name)
    title = f"{which.title[0].upper()}{which.title[1:]}"
    return Check(
        name=name,
        exercise="",
        points=0,
        of=worth,
        passed=False,
        sentence=f"{title}: none of your tests fails.",
        section=which.breaks.paper if which.breaks else "",
        mistake=which.mistake,
        advice=f"This run would have shown it. {which.shows_in}",
        share=_share_of(name),
    )


@cache
def _share_of(name: str) -> str:
    return exhibit(name).recording().share()

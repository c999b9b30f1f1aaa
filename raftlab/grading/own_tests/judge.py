"""What a learner's tests are worth.

Chance earns nothing: correct machines are met with several options and timings, and a mistake is
found where one scenario fails with it twice, each time with other timing (`meetings`).
"""

import random
from collections.abc import Iterable, Mapping, Sequence
from functools import cache

from raftlab.grading.milestones import M6
from raftlab.grading.open_runs import OPEN_SEEDS
from raftlab.grading.own_tests.machines import CORRECT, MISTAKES, correct
from raftlab.grading.own_tests.meetings import Meeting, Meetings
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
"""With how many timings machines are met."""


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

    `chance` draws in which order machines are met, and with which timing correct ones are.
    """
    meetings = Meetings(tests, seeds, mistakes, chance or random.Random(0))
    meetings.hold()
    checks = [
        _correct_check(name, tests.names, _complaints(name, meetings.came, tests))
        for name in CORRECT
    ]
    worth = M6.parts["mistakes"] / len(mistakes)
    checks += [_mistake_check(name, meetings.found(name), worth) for name in mistakes]
    return _mark(checks)


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


def _complaints(name: str, came: Mapping[Meeting, Outcome], tests: Tests) -> dict[int, str]:
    """By their places, the scenarios that do something wrong with a correct machine."""
    said: dict[int, str] = {}
    for meeting, how in sorted(came.items(), key=lambda each: each[0]):
        if meeting.machine == name and how.how != "passed" and meeting.place not in said:
            what = "fails" if how.how == "failed" else "cannot run"
            text = _open_text(tests, meeting, how)
            said[meeting.place] = f"it {what} with a correct machine ({name}){text}"
    return said


def _open_text(tests: Tests, meeting: Meeting, came: Outcome) -> str:
    """What a scenario says with timing that is no secret, where it ends in the same way; or ""."""
    for seed in OPEN_SEEDS:
        other = tests.on(correct(meeting.machine, seed)).run_alone(meeting.place)
        if other.how == came.how:
            return f": {other.text}".removesuffix(".")
    return ", with timing that may not be shown"


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

"""Running a learner's tests, and what they are worth."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cache
from typing import TypeAlias

from raftlab.grading.milestones import M6
from raftlab.grading.own_tests.machines import CORRECT, MISTAKES, Start, correct, mistaken
from raftlab.grading.results import Check, MilestoneMark
from raftlab.museum import exhibit
from raftlab.raft.vocabulary import REFUSALS, NotNow
from raftlab.sim.cluster import Cluster
from raftlab.sim.frames.frame import Frame

Scenario: TypeAlias = Callable[[Start], object]
Invariant: TypeAlias = Callable[[Sequence[Frame]], object]

MOST_SCENARIOS = 12
"""More are not run."""
BROKEN = "the invariant does not hold"


class Finding(Exception):
    """A test has failed, as it does where it finds a mistake."""


class Clusters:
    """What a scenario is given; it remembers the clusters that were started."""

    def __init__(self, start: Start) -> None:
        self._start = start
        self.started: list[Cluster] = []

    def __call__(self, *given: object, **named: object) -> Cluster:
        """A new cluster with the machine under test. Raises: Misuse, as `Cluster` does."""
        cluster = self._start(*given, **named)
        self.started.append(cluster)
        return cluster


def run(scenario: Scenario, invariant: Invariant, start: Start) -> None:
    """Run one scenario, and look at the frames of its clusters, if it was stopped, too.

    Raises: Finding, if a test fails; whatever else the learner's code raises.
    """
    clusters = Clusters(start)
    try:
        scenario(clusters)
    except AssertionError as failed:
        raise Finding(_told("an assert fails", failed)) from None
    except Exception:
        _look_at(clusters.started, invariant)
        raise
    if not clusters.started:
        raise NotNow("it starts no cluster: call start(3)")
    _look_at(clusters.started, invariant)


def _look_at(clusters: Iterable[Cluster], invariant: Invariant) -> None:
    for cluster in clusters:
        frames = list(cluster.recording.frames())
        try:
            holds = bool(invariant(frames))
        except AssertionError as failed:
            raise Finding(_told(BROKEN, failed)) from None
        if not holds:
            raise Finding(BROKEN)


def _told(what: str, failed: AssertionError) -> str:
    words = str(failed)
    return f"{what}: {words}" if words else what


def complaint(scenario: Scenario, invariant: Invariant, name: str, seed: int) -> str:
    """What a scenario does wrong with a correct machine, or ""."""
    try:
        run(scenario, invariant, correct(name, seed))
    except Finding as finding:
        return f"it fails with a correct machine ({name}): {finding}"
    except Exception as problem:  # a learner's code may raise anything
        why = str(problem) if isinstance(problem, REFUSALS) else type(problem).__name__
        return f"it cannot run with a correct machine ({name}): {why.removesuffix('.')}"
    return ""


def finds(scenario: Scenario, invariant: Invariant, name: str, seed: int) -> bool:
    """Whether a scenario fails with a mistake. What only stops it finds nothing."""
    try:
        run(scenario, invariant, mistaken(name, seed))
    except Finding:
        return True
    except Exception:  # the mistake, or the learner's code, has stopped it
        return False
    return False


def marked(
    scenarios: Iterable[Scenario],
    invariant: Invariant,
    seed: int = 1,
    mistakes: Sequence[str] = MISTAKES,
) -> MilestoneMark:
    """What a learner's tests are worth. `seed` chooses the timing of every cluster.

    It runs the learner's code in this process.
    """
    chosen = list(scenarios)[:MOST_SCENARIOS]
    complaints = {name: _complaints(chosen, invariant, name, seed) for name in CORRECT}
    unsound = {place for said in complaints.values() for place in said}
    sound = [each for place, each in enumerate(chosen) if place not in unsound]
    checks = [_correct_check(name, chosen, said) for name, said in complaints.items()]
    worth = M6.parts["mistakes"] / len(mistakes)
    for name in mistakes:
        found = any(finds(each, invariant, name, seed) for each in sound)
        checks.append(_mistake_check(name, found, worth))
    points = round(sum(check.points for check in checks), 2)
    return MilestoneMark(
        milestone=M6.name, title=M6.title, points=points, of=M6.points, checks=tuple(checks)
    )


def _complaints(
    scenarios: Sequence[Scenario], invariant: Invariant, name: str, seed: int
) -> dict[int, str]:
    """By their places, the scenarios that do something wrong with a correct machine."""
    said = {place: complaint(each, invariant, name, seed) for place, each in enumerate(scenarios)}
    return {place: what for place, what in said.items() if what}


def _correct_check(name: str, scenarios: Sequence[Scenario], said: Mapping[int, str]) -> Check:
    worth = M6.parts["correct machines"] / len(CORRECT)
    passed = bool(scenarios) and not said
    told = [f"{_name(scenarios[place])}: {what}." for place, what in said.items()]
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


def _name(scenario: Scenario) -> str:
    name = getattr(scenario, "__name__", "")
    return name if isinstance(name, str) and name.isidentifier() else "a scenario"

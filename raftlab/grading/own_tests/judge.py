"""Running a learner's tests, and what they are worth."""

from collections.abc import Callable, Iterable, Sequence
from typing import TypeAlias

from raftlab.grading.milestones import M6
from raftlab.grading.own_tests.machines import CORRECT, MISTAKES, Start, correct, mistaken
from raftlab.grading.results import Check, MilestoneMark
from raftlab.museum import exhibit
from raftlab.raft.vocabulary import shown
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
        cluster = self._start(*given, **named)
        self.started.append(cluster)
        return cluster


def run(scenario: Scenario, invariant: Invariant, start: Start) -> None:
    """Run one scenario, and look at the frames of its clusters.

    Raises: Finding, if a test fails; whatever else the learner's code raises.
    """
    clusters = Clusters(start)
    try:
        scenario(clusters)
    except AssertionError as failed:
        raise Finding(_told("an assert fails", failed)) from None
    for cluster in clusters.started:
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
        return f"it cannot run with a correct machine ({name}): {type(problem).__name__}"
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

    It runs the learner's code in this process. The mark is whole points for correct machines,
    and the part of the mistakes that were found.
    """
    chosen = list(scenarios)[:MOST_SCENARIOS]
    checks, sound = _on_correct(chosen, invariant, seed)
    share = M6.parts["mistakes"] / len(mistakes)
    checks += [_on_mistake(name, sound, invariant, seed, share) for name in mistakes]
    points = round(sum(check.points for check in checks), 2)
    return MilestoneMark(
        milestone=M6.name, title=M6.title, points=points, of=M6.points, checks=tuple(checks)
    )


def _on_correct(
    scenarios: Sequence[Scenario], invariant: Invariant, seed: int
) -> tuple[list[Check], list[Scenario]]:
    """A check for each correct machine, and the scenarios that pass with all of them."""
    worth = M6.parts["correct machines"] / len(CORRECT)
    sound, checks = list(scenarios), []
    for name in CORRECT:
        wrong = {}
        for each in scenarios:
            if said := complaint(each, invariant, name, seed):
                wrong[_name(each)] = said
                sound = [other for other in sound if other is not each]
        passed = bool(scenarios) and not wrong
        checks.append(
            Check(
                name=f"correct: {name}",
                exercise="",
                points=worth if passed else 0,
                of=worth,
                passed=passed,
                sentence=_sentence(wrong) if scenarios else "There is no scenario.",
                advice=TRY_CORRECT if wrong else TRY_ONE,
            )
        )
    return checks, sound


TRY_CORRECT = (
    "Run the scenario with start = rl.Cluster, print the cluster, and ask of every assert whether"
    " the paper promises it. A scenario that fails here finds no mistake either."
)
TRY_ONE = "Write a scenario: one cluster, a few verbs, and what must hold at the end."


def _sentence(wrong: dict[str, str]) -> str:
    return " ".join(f"{name}: {said}." for name, said in wrong.items())


def _on_mistake(
    name: str, scenarios: Sequence[Scenario], invariant: Invariant, seed: int, worth: float
) -> Check:
    found = any(finds(each, invariant, name, seed) for each in scenarios)
    which = exhibit(name)
    if found:
        return Check(name=name, exercise="", points=worth, of=worth, passed=True)
    return Check(
        name=name,
        exercise="",
        points=0,
        of=worth,
        passed=False,
        property="",
        sentence=f"It survives: none of your tests fails with it. {which.title.capitalize()}.",
        section=which.breaks.paper if which.breaks else "",
        mistake=which.mistake,
        advice=f"A run that shows it: {which.shows_in}",
        share=which.recording().share(),
    )


def _name(scenario: Scenario) -> str:
    name = getattr(scenario, "__name__", "")
    return name if isinstance(name, str) and name.isidentifier() else shown(type(scenario).__name__)

"""The judge of an answer: its cases, shipped and fresh, then clusters that run it.

The exercises' own checks are used, with an answer that is asked over a pipe in the place of the
learner's function. What is right is known in this process alone.

Points come of cases and clusters that are the class's, and of them nothing is told but that they
go wrong: an answer could say in its own words what it is asked. What is told is what another
process of it does, which hears only of cases and clusters that everybody may know.
"""

import re
from collections.abc import Callable, Iterator, Sequence
from copy import copy
from functools import partial
from typing import Any, NamedTuple

import msgspec

from raftlab.course.exercises import guard
from raftlab.course.exercises.base import Exercise
from raftlab.course.exercises.hints import HintExercise, Repair
from raftlab.course.exercises.mistakes import Mistake
from raftlab.course.exercises.result import Result
from raftlab.course.exercises.running import ClusterExercise, Trouble
from raftlab.course.exercises.timeouts import DRAWS, TimeoutExercise
from raftlab.course.exercises.verdict import MOST, Failure
from raftlab.grading.answers import Source
from raftlab.grading.asked import Asked
from raftlab.grading.box import Boxes
from raftlab.grading.child.values import Seeded
from raftlab.grading.fresh import fresh_cases, fresh_repairs
from raftlab.grading.looks import Look, broken_in, looks, share_of
from raftlab.grading.open_runs import OPEN, OPEN_SEEDS
from raftlab.grading.replies import call_of
from raftlab.grading.results import Check
from raftlab.grading.scripts import Script, script_of
from raftlab.grading.seeds import Seeds
from raftlab.grading.waited import Waited
from raftlab.raft.vocabulary import shortened
from raftlab.view.words import ms

CLUSTERS = 8
"""How many clusters run an answer."""
CASES_PART = 0.6
"""What of the points is for the cases, where an answer is run in clusters as well."""
NOT_THE_SAME = (
    "asked the same once more, it answers otherwise: it must depend on its arguments alone"
)
ADDRESS = re.compile(r" at 0x[0-9a-fA-F]+")
MOST_SAID = 600
WORST_FIRST = ("safety", "code", "liveness")
NOT_ASKED = "its cases come first"
UNSEEN = {
    "cases": "{name} is wrong in a case of your class, which may not be shown, or cannot be asked"
    " there, or answers otherwise when asked once more: try larger numbers, other names and longer"
    " logs than the examples have",
    "safety": "in a cluster of your class a property of safety is broken, with timing that may not"
    " be shown",
    "liveness": "a cluster of your class does not go on, with timing that may not be shown",
    "code": "your code fails in a cluster of your class, with timing that may not be shown",
    "slow": "it is right, but slow with two logs of your class, which may not be shown",
}
"""What is told of what only the seeds of the class lead to: nothing that an answer said."""


class Seen(NamedTuple):
    """What went wrong in a run, and how to see that run; `share` opens it, where it is short."""

    trouble: Trouble
    advice: str = ""
    share: str = ""


class Tried(NamedTuple):
    """An answer that is tried, with an exercise `of` a class, or with one that everybody may know.

    In the latter, `is_open`, all may be told.
    """

    exercise: Exercise
    asked: Asked
    is_open: bool


class Judged(NamedTuple):
    """What an exercise's answer is worth: its checks, and what was seen in clusters.

    `safety` is what broke a property, `liveness` what did not go on, or "".
    """

    checks: tuple[Check, ...]
    safety: str = ""
    liveness: str = ""


class Judge:
    """Judges answers with the seeds of a class, each in a boxed process of its own."""

    def __init__(self, boxes: Boxes, seeds: Seeds) -> None:
        self.boxes = boxes
        self._seeds = seeds
        self._exercises: dict[str, Exercise] = {}
        self._scripts: dict[tuple[str, object], Script | None] = {}

    def judge(
        self, shipped: Exercise, points: float, source: Source | None, waited: Waited | None = None
    ) -> Judged:
        """Judge the answer to an exercise that is worth so many points."""
        waited = waited or Waited()
        if source is None:
            return _nothing(shipped, points, "no answer was found")
        found = self._found(shipped, points, source, waited, is_open=False)
        if all(each.passed for each in found.checks):
            return found
        return _as_shown(found, self._found(shipped, points, source, waited, is_open=True))

    def _found(
        self, shipped: Exercise, points: float, source: Source, waited: Waited, is_open: bool
    ) -> Judged:
        """What an answer is worth."""
        exercise = self._open(shipped) if is_open else self._with_seeds(shipped)
        asked = Asked(exercise, source, self.boxes, waited)
        try:
            found = self._judged(Tried(exercise, asked, is_open), points)
            if asked.same_again():
                return found
            return _nothing(exercise, points, NOT_THE_SAME if is_open else _unseen(exercise))
        finally:
            asked.close()

    def _with_seeds(self, shipped: Exercise) -> Exercise:
        """The exercise with cases and clusters of this class, made once."""
        number = shipped.number
        if number not in self._exercises:
            exercise = self._exercises[number] = _with_cases(shipped, self._seeds)
            if isinstance(exercise, ClusterExercise):
                exercise.seeds = [
                    self._seeds.number("cluster", number, str(place)) for place in range(CLUSTERS)
                ]
            if isinstance(exercise, TimeoutExercise):
                exercise.drawn_from = [
                    self._seeds.number("draw", number, str(place)) for place in range(DRAWS)
                ]
        return self._exercises[number]

    def _open(self, shipped: Exercise) -> Exercise:
        """The exercise with cases and clusters that everybody may know, made once."""
        key = f"open {shipped.number}"
        if key not in self._exercises:
            exercise = self._exercises[key] = _with_cases(shipped, OPEN)
            if isinstance(exercise, ClusterExercise):
                exercise.seeds = OPEN_SEEDS
        return self._exercises[key]

    def _judged(self, tried: Tried, points: float) -> Judged:
        exercise = tried.exercise
        try:
            return self._tried(tried, points)
        except guard.Unwritten as stub:
            why = _unwritten(exercise, stub)
        except guard.LearnerError as problem:
            why = f"{exercise.name} cannot be used: {problem}"
        return _nothing(exercise, points, why if tried.is_open else _unseen(exercise))

    def _tried(self, tried: Tried, points: float) -> Judged:
        exercise, asked, _ = tried
        answer = asked.answer()
        exercise.tried = answer
        function = exercise.function_of(answer)
        asked.ask_ahead(map(call_of, _calls(exercise)))
        failures = exercise.failures(function)
        troubles: list[Seen] = []
        if isinstance(exercise, ClusterExercise):
            for_cases, for_clusters = _split(points)
            cases = _cases_check(tried, for_cases, answer, failures)
            troubles = [] if asked.trouble else self._troubles(exercise, answer, tried)
            slow = self._slow(tried, answer) if cases.passed else ""
            checks = [cases, _clusters_check(tried, for_clusters, cases, troubles, slow)]
        else:
            checks = [_cases_check(tried, points, answer, failures)]
        texts = {each.trouble.kind: _named(tried, each.trouble) for each in troubles}
        return Judged(tuple(checks), texts.get("safety", ""), texts.get("liveness", ""))

    def _troubles(self, exercise: ClusterExercise, answer: Any, tried: Tried) -> list[Seen]:
        """What goes wrong in the museum's runs and in clusters, the first of each kind."""
        found: dict[str, Seen] = {}
        for look in looks(exercise):
            if self._goes_well(exercise, look.what, look.trouble, tried.asked):
                continue
            trouble = look.trouble(answer)
            if trouble is not None:
                if trouble.kind not in found:
                    found[trouble.kind] = _seen(tried, look, answer, trouble)
                if trouble.kind == "code":
                    break
        return list(found.values())

    def _slow(self, tried: Tried, answer: Any) -> str:
        """What is slow in an answer that is right, or ""."""
        exercise = tried.exercise
        if not isinstance(exercise, HintExercise):
            return ""
        for each in exercise.repairs:
            look = partial(_repaired, exercise, each)
            said = None if self._goes_well(exercise, each, look, tried.asked) else look(answer)
            if said is not None:
                return said.sentence if tried.is_open else UNSEEN["slow"]
        return ""

    def _goes_well(
        self, exercise: ClusterExercise, what: object, look: Callable[[Any], object], asked: Asked
    ) -> bool:
        """Whether a run goes well for sure: its answer says in it what is right, word for word.

        A run that does not go well with the right answer says nothing of any other.
        """
        key = exercise.number, what
        if key not in self._scripts:
            self._scripts[key] = script_of(exercise, look)
        script = self._scripts[key]
        return script is None or asked.says(script)


def _with_cases(shipped: Exercise, seeds: Seeds) -> Exercise:
    """An exercise that has fresh cases of these seeds as well."""
    exercise, number = copy(shipped), shipped.number
    cases = [*shipped.every_case, *fresh_cases(number, seeds.chance("cases", number))]
    vars(exercise).update(every_case=cases, _known={}, _mistaken={}, _counted={}, result=None)
    if isinstance(exercise, TimeoutExercise):
        exercise.source = Seeded
    if isinstance(exercise, HintExercise):
        chance = seeds.chance("repairs", number)
        exercise.repairs = [*exercise.repairs, *fresh_repairs(chance)]
    return exercise


def _as_shown(found: Judged, shown: Judged) -> Judged:
    """What the class's seeds have found, in the words of what may be shown, where that fails too.

    Points are those of the class, and so is whether safety is broken, which costs points.
    """
    checks = zip(found.checks, shown.checks, strict=True)
    return Judged(
        tuple(mine if mine.passed or its.passed else its for mine, its in checks),
        found.safety and (shown.safety or found.safety),
        shown.liveness or found.liveness,
    )


def _calls(exercise: Exercise) -> Iterator[Sequence[Any]]:
    """What the cases of an exercise ask."""
    for case in exercise.every_case:
        if isinstance(exercise, TimeoutExercise):
            yield from ((*case.arguments, exercise.source(seed)) for seed in exercise.drawn_from)
        else:
            yield case.arguments


def _split(points: float) -> tuple[float, float]:
    """What of the points is for the cases, and what for the clusters."""
    for_cases = round(points * CASES_PART, 2)
    return for_cases, round(points - for_cases, 2)


def _cases_check(tried: Tried, points: float, answer: Any, failures: Sequence[Failure]) -> Check:
    exercise = tried.exercise
    count = len(exercise.every_case)
    right = count > 0 and not failures
    check = Check(
        name="cases",
        exercise=exercise.number,
        points=points if right else 0.0,
        of=points,
        passed=right,
        section=exercise.paper,
    )
    if right:
        return _told(check, f"{count} cases are right")
    if not failures:
        return _told(check, "there are no cases, so there is no verdict")
    if not tried.is_open:
        return _told(check, _unseen(exercise))
    if tried.asked.trouble:
        return _told(check, f"{exercise.name}: {tried.asked.trouble}")
    failure = exercise.most_telling(failures)
    mistake = exercise.mistake_in(failures)
    instead = failure.instead or f"it answers {guard.described(failure.got, MOST, exercise.says)}"
    call = exercise.call_text(failure.case, answer)
    return msgspec.structs.replace(
        check,
        property=_property(mistake),
        sentence=_clean(f"{exercise.name}: expected {failure.expected}, but {instead}"),
        mistake=mistake.name if mistake else "",
        ran=not failure.is_error,
        advice=_clean(f"try {call}"),
        share=share_of(mistake.exhibit) if mistake and mistake.exhibit else "",
    )


def _seen(tried: Tried, look: Look, answer: Any, trouble: Trouble) -> Seen:
    """How to see a trouble, where it may be seen."""
    if not tried.is_open:
        return Seen(trouble)
    return Seen(trouble, look.advice(answer, trouble), look.share(trouble))


def _repaired(exercise: HintExercise, wanted: Repair, answer: Any) -> Result | None:
    return exercise.slow(answer, wanted)


def _clusters_check(
    tried: Tried, points: float, cases: Check, troubles: Sequence[Seen], slow: str
) -> Check:
    exercise = tried.exercise
    assert isinstance(exercise, ClusterExercise)
    told, broken, advice, share = "", "", "", ""
    if troubles:
        worst, advice, share = min(troubles, key=lambda each: WORST_FIRST.index(each.trouble.kind))
        told = _openly(tried, worst)
        if tried.is_open:
            told = f"{len(worst.cluster.nodes)} servers, {ms(worst.cluster.now)}: {told}"
            broken = worst.text if worst.kind == "safety" else ""
    right = cases.passed and not troubles and not slow
    count = f"{len(exercise.seeds)} clusters"
    fine = f"{count} keep every property, and go on" if right else NOT_ASKED
    return Check(
        name="clusters",
        exercise=exercise.number,
        points=points if right else 0.0,
        of=points,
        passed=right,
        property=_clean(broken),
        sentence=_clean(told or slow or fine),
        section=exercise.paper,
        advice=advice,
        share=share,
        ran=cases.ran,
    )


def _nothing(exercise: Exercise, points: float, why: str) -> Judged:
    """No verdict, and so no points."""
    split = _split(points) if isinstance(exercise, ClusterExercise) else (points,)
    parts = zip(("cases", "clusters"), split, strict=False)
    return Judged(
        tuple(
            Check(
                name=name,
                exercise=exercise.number,
                points=0.0,
                of=of,
                passed=False,
                sentence=_clean(why),
                section=exercise.paper,
                ran=why == NOT_THE_SAME,
            )
            for name, of in parts
        )
    )


def _unwritten(exercise: Exercise, stub: guard.Unwritten) -> str:
    said = str(stub)
    return said if "package" in said else exercise.unwritten(stub)


def _told(check: Check, sentence: str) -> Check:
    return msgspec.structs.replace(check, sentence=sentence)


def _named(tried: Tried, trouble: Trouble) -> str:
    return _clean(f"exercise {tried.exercise.number}: {_openly(tried, trouble)}")


def _openly(tried: Tried, trouble: Trouble) -> str:
    """What goes wrong, in words that may be told."""
    return trouble.text if tried.is_open else UNSEEN[trouble.kind]


def _unseen(exercise: Exercise) -> str:
    return UNSEEN["cases"].format(name=exercise.name)


def _property(mistake: Mistake | None) -> str:
    return broken_in(mistake.exhibit) if mistake and mistake.exhibit else ""


def _clean(said: str) -> str:
    """One line, and not a long one: a part of it may come from the box.

    Places in memory differ from run to run, and are left out.
    """
    line = " ".join("".join(c if c.isprintable() else " " for c in said).split())
    return shortened(ADDRESS.sub("", line), MOST_SAID)

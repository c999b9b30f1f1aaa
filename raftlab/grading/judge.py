"""The judge of an answer: its cases, shipped and fresh, then clusters that run it.

The exercises' own checks are used, with an answer that is asked over a pipe in the place of the
learner's function. What is right is known in this process alone.
"""

import random
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from copy import copy
from functools import cache, partial
from typing import Any, NamedTuple

import msgspec

from raftlab.course.exercises import exercise as exercise_of
from raftlab.course.exercises import guard
from raftlab.course.exercises.base import MOST, Exercise, Failure
from raftlab.course.exercises.hints import HintExercise, Repair
from raftlab.course.exercises.mistakes import Mistake
from raftlab.course.exercises.result import Result
from raftlab.course.exercises.running import ClusterExercise, Trouble
from raftlab.course.exercises.timeouts import DRAWS, TimeoutExercise
from raftlab.grading.answers import Source
from raftlab.grading.asked import ENDLESS, Asked, call_of
from raftlab.grading.box import Boxes
from raftlab.grading.fresh import fresh_cases, fresh_repairs
from raftlab.grading.open_runs import OPEN_SEEDS, shared
from raftlab.grading.results import Check
from raftlab.grading.scripts import Script, script_of
from raftlab.grading.seeds import Seeds
from raftlab.museum import exhibit
from raftlab.raft.vocabulary import shortened
from raftlab.sim.world.violation import Violation
from raftlab.view.words import ms

CLUSTERS = 8
"""How many clusters run an answer."""
CASES_SHARE = 0.6
"""What of the points is for the cases, where an answer is run in clusters as well."""
NOT_THE_SAME = (
    "asked the same once more, it answers otherwise: it must depend on its arguments alone"
)
ADDRESS = re.compile(r" at 0x[0-9a-fA-F]+")
MOST_SAID = 600
WORST_FIRST = ("safety", "code", "liveness")
NOT_ASKED = "its cases come first"
NOT_SHOWN = "it answers otherwise than the rule, in a case that may not be shown"
UNSEEN: Mapping[str, str] = {
    "safety": "a property is broken, in a run that may not be shown",
    "code": "your code fails, in a run that may not be shown",
    "liveness": "it does not go on, in a run that may not be shown",
}
"""What is told of runs that only the seeds of the class lead to."""


class Seen(NamedTuple):
    """What went wrong in a run, and how to see that run; `share` opens it, where it is short.

    Nothing `is_open` in a run that only the seeds of the class lead to.
    """

    trouble: Trouble
    advice: str
    is_open: bool = True
    share: str = ""


class Look(NamedTuple):
    """A run of an answer: `what` names it, `trouble` is what goes wrong in it, and `seen` tells."""

    what: object
    trouble: Callable[[Any], Trouble | None]
    seen: Callable[[Any, Trouble], Seen]


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
        self._open: dict[str, Exercise] = {}
        self._scripts: dict[tuple[str, object], Script | None] = {}

    def judge(self, shipped: Exercise, points: float, source: Source | None) -> Judged:
        """Judge the answer to an exercise that is worth so many points."""
        exercise = self._with_seeds(shipped)
        if source is None:
            return _nothing(exercise, points, "no answer was found")
        asked = Asked(exercise, source, self.boxes)
        try:
            found = self._judged(exercise, points, asked)
            return found if asked.same_again() else _nothing(exercise, points, NOT_THE_SAME)
        finally:
            asked.close()

    def _with_seeds(self, shipped: Exercise) -> Exercise:
        """The exercise with cases and clusters of this class, made once."""
        number = shipped.number
        if number not in self._exercises:
            exercise = copy(shipped)
            fresh = fresh_cases(number, self._seeds.chance("cases", number))
            cases = [*shipped.every_case, *fresh]
            vars(exercise).update(
                every_case=cases, _known={}, _mistaken={}, _counted={}, result=None
            )
            if isinstance(exercise, ClusterExercise):
                exercise.seeds = [
                    self._seeds.number("cluster", number, str(place)) for place in range(CLUSTERS)
                ]
            if isinstance(exercise, HintExercise):
                chance = self._seeds.chance("repairs", number)
                exercise.repairs = [*exercise.repairs, *fresh_repairs(chance)]
            if isinstance(exercise, TimeoutExercise):
                exercise.drawn_from = [
                    self._seeds.number("draw", number, str(place)) for place in range(DRAWS)
                ]
            self._exercises[number] = exercise
        return self._exercises[number]

    def _judged(self, exercise: Exercise, points: float, asked: Asked) -> Judged:
        knows_nothing = True
        try:
            exercise.function_of(asked.answer())
            knows_nothing = False
            return self._tried(exercise, points, asked)
        except guard.Unwritten as stub:
            return _nothing(exercise, points, _unwritten(exercise, stub))
        except guard.LearnerError as problem:
            why = f": {problem}" if knows_nothing or str(problem) == ENDLESS else ""
            return _nothing(exercise, points, f"{exercise.name} cannot be used{why}")

    def _told_failure(self, exercise: Exercise, source: Source) -> Failure | None:
        """A wrong answer that may be told: to a case that everybody may know, or None.

        It is asked of a process that has heard nothing of the class's own cases.
        """
        number = exercise.number
        if number not in self._open:
            known = copy(exercise_of(number))
            cases = [*known.every_case, *fresh_cases(number, random.Random(number))]
            vars(known).update(every_case=cases, _known={}, _mistaken={}, _counted={})
            self._open[number] = known
        known = self._open[number]
        asked = Asked(known, source, self.boxes)
        try:
            failures = known.failures(known.function_of(asked.answer()))
        except (guard.LearnerError, guard.Unwritten):
            return None
        finally:
            asked.close()
        return known.most_telling(failures) if failures else None

    def _tried(self, exercise: Exercise, points: float, asked: Asked) -> Judged:
        answer = asked.answer()
        exercise.tried = answer
        function = exercise.function_of(answer)
        asked.ask_ahead(map(call_of, _calls(exercise)))
        failures = exercise.failures(function)
        told = self._told_failure(exercise, asked.source) if failures else None
        troubles: list[Seen] = []
        if isinstance(exercise, ClusterExercise):
            for_cases, for_clusters = _shares(points)
            cases = _cases_check(exercise, for_cases, answer, failures, told)
            troubles = [] if asked.trouble else self._troubles(exercise, answer, asked)
            slow = self._slow(exercise, answer, asked) if cases.passed else ""
            checks = [cases, _clusters_check(exercise, for_clusters, cases, troubles, slow)]
        else:
            checks = [_cases_check(exercise, points, answer, failures, told)]
        texts = {each.trouble.kind: _named(exercise, each.trouble.text) for each in troubles}
        return Judged(tuple(checks), texts.get("safety", ""), texts.get("liveness", ""))

    def _troubles(self, exercise: ClusterExercise, answer: Any, asked: Asked) -> list[Seen]:
        """What goes wrong in the museum's runs and in clusters, the first of each kind."""
        found: dict[str, Seen] = {}
        for look in _looks(exercise):
            if self._goes_well(exercise, look.what, look.trouble, asked):
                continue
            trouble = look.trouble(answer)
            if trouble is not None:
                if trouble.kind not in found:
                    found[trouble.kind] = self._seen(look, trouble, asked)
                if trouble.kind == "code":
                    break
        return list(found.values())

    def _seen(self, look: Look, trouble: Trouble, asked: Asked) -> Seen:
        """What may be told of a trouble, by a process that has heard nothing of the class's."""
        fresh = Asked(asked.exercise, asked.source, self.boxes)
        try:
            seen = look.seen(fresh.answer(), trouble)
            if not seen.is_open:
                return seen
            with fresh.again():
                return seen._replace(share=shared(seen.trouble.cluster.recording))
        except (guard.LearnerError, guard.Unwritten):
            return _unseen(trouble)
        finally:
            fresh.close()

    def _slow(self, exercise: Exercise, answer: Any, asked: Asked) -> str:
        """What is slow in an answer that is right, or ""."""
        if not isinstance(exercise, HintExercise):
            return ""
        for each in exercise.repairs:
            look = partial(_repaired, exercise, each)
            said = None if self._goes_well(exercise, each, look, asked) else look(answer)
            if said is not None:
                return said.sentence
        return ""

    def _goes_well(
        self, exercise: ClusterExercise, what: object, look: Callable[[Any], object], asked: Asked
    ) -> bool:
        """Whether a run goes well for sure: its answer says in it what is right, word for word."""
        key = exercise.number, what
        if key not in self._scripts:
            self._scripts[key] = script_of(exercise, look)
        script = self._scripts[key]
        return script is not None and asked.says(script)


def _calls(exercise: Exercise) -> Iterator[Sequence[Any]]:
    """What the cases of an exercise ask."""
    for case in exercise.every_case:
        if isinstance(exercise, TimeoutExercise):
            yield from ((*case.arguments, random.Random(seed)) for seed in exercise.drawn_from)
        else:
            yield case.arguments


def _shares(points: float) -> tuple[float, float]:
    """What of the points is for the cases, and what for the clusters."""
    for_cases = round(points * CASES_SHARE, 2)
    return for_cases, round(points - for_cases, 2)


def _cases_check(
    exercise: Exercise,
    points: float,
    answer: Any,
    failures: Sequence[Failure],
    failure: Failure | None,
) -> Check:
    """What the cases are worth; of what is wrong, `failure` is told."""
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
    mistake = exercise.mistake_in(failures)
    if failure is None:
        return _told(check, f"{exercise.name}: {NOT_SHOWN}")
    instead = failure.instead or f"it answers {guard.described(failure.got, MOST, exercise.says)}"
    call = exercise.call_text(failure.case, answer)
    return msgspec.structs.replace(
        check,
        property=_property(mistake),
        sentence=_clean(f"{exercise.name}: expected {failure.expected}, but {instead}"),
        mistake=mistake.name if mistake else "",
        advice=_clean(f"try {call}"),
        share=_share(mistake.exhibit) if mistake and mistake.exhibit else "",
    )


def _looks(exercise: ClusterExercise) -> Iterator[Look]:
    """What is looked at: the museum's runs, then the clusters of the class."""
    for name in dict.fromkeys(each.exhibit for each in exercise.mistakes if each.exhibit):
        yield Look(
            name, partial(_in_museum, exercise, name), partial(_seen_in_museum, exercise, name)
        )
    for seed in exercise.seeds:
        seen = partial(_seen_in_cluster, exercise)
        yield Look(seed, partial(_in_cluster, exercise, seed), seen)


def _seen_in_museum(exercise: ClusterExercise, name: str, answer: Any, trouble: Trouble) -> Seen:
    other = _in_museum(exercise, name, answer)
    if other is None or other.kind != trouble.kind:
        return _unseen(trouble)
    return Seen(other, f'try exhibit("{name}").recording().lab()')


def _seen_in_cluster(exercise: ClusterExercise, answer: Any, trouble: Trouble) -> Seen:
    """The same kind of trouble with a seed that is no secret; else what happened, and no run."""
    for seed in OPEN_SEEDS:
        other = exercise.trouble(answer, seed)
        if other is not None and other.kind == trouble.kind:
            return Seen(other, f"try {exercise.cluster_call(answer, seed)}")
    return _unseen(trouble)


def _unseen(trouble: Trouble) -> Seen:
    advice = "try clusters of other seeds: it does not show in those that are open"
    return Seen(trouble._replace(text=UNSEEN[trouble.kind]), advice, is_open=False)


def _in_cluster(exercise: ClusterExercise, seed: int, answer: Any) -> Trouble | None:
    return exercise.trouble(answer, seed)


def _repaired(exercise: HintExercise, wanted: Repair, answer: Any) -> Result | None:
    return exercise.slow(answer, wanted)


def _in_museum(exercise: ClusterExercise, name: str, answer: Any) -> Trouble | None:
    """What the answer does in the run that shows a known mistake."""
    shown = exhibit(name)
    cluster = shown.cluster(wrong=False, **exercise.for_cluster(answer))
    try:
        went_on = shown.run(cluster)
    except Violation as violation:
        text = f"{violation.frame.name} is broken: {violation.frame.text}"
        return Trouble(cluster, 1, "safety", text)
    except guard.LearnerError as error:
        return Trouble(cluster, 1, "code", f"your code fails: {error}")
    except guard.Unwritten:
        raise
    except Exception as error:  # the run goes another way with what it answers
        return Trouble(cluster, 1, "liveness", f"the run stops: {guard.where(error)}")
    stuck = shown.breaks is None and went_on is False
    return Trouble(cluster, 1, "liveness", shown.shows_in) if stuck else None


def _clusters_check(
    exercise: ClusterExercise,
    points: float,
    cases: Check,
    troubles: Sequence[Seen],
    slow: str,
) -> Check:
    told, advice, share, is_safety = "", "", "", False
    if troubles:
        seen = min(troubles, key=lambda each: WORST_FIRST.index(each.trouble.kind))
        worst, advice, share = seen.trouble, seen.advice, seen.share
        is_safety = worst.kind == "safety"
        where = f"{len(worst.cluster.nodes)} servers, {ms(worst.cluster.now)}: "
        told = f"{where if seen.is_open else ''}{worst.text}"
    right = cases.passed and not troubles and not slow
    count = f"{len(exercise.seeds)} clusters"
    fine = f"{count} keep every property, and go on" if right else NOT_ASKED
    return Check(
        name="clusters",
        exercise=exercise.number,
        points=points if right else 0.0,
        of=points,
        passed=right,
        property=_clean(worst.text) if is_safety else "",
        sentence=_clean(told or slow or fine),
        section=exercise.paper,
        advice=advice,
        share=share,
    )


def _nothing(exercise: Exercise, points: float, why: str) -> Judged:
    """No verdict, and so no points."""
    shares = _shares(points) if isinstance(exercise, ClusterExercise) else (points,)
    parts = zip(("cases", "clusters"), shares, strict=False)
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
            )
            for name, of in parts
        )
    )


def _unwritten(exercise: Exercise, stub: guard.Unwritten) -> str:
    said = str(stub)
    return said if "package" in said else exercise.unwritten(stub)


def _told(check: Check, sentence: str) -> Check:
    return msgspec.structs.replace(check, sentence=sentence)


def _named(exercise: Exercise, text: str) -> str:
    return _clean(f"exercise {exercise.number}: {text}")


def _property(mistake: Mistake | None) -> str:
    return _broken(mistake.exhibit) if mistake and mistake.exhibit else ""


@cache
def _share(name: str) -> str:
    """The share string of the run that a mistake leads to, in the museum."""
    return exhibit(name).recording().share()


@cache
def _broken(name: str) -> str:
    """What is broken at the end of that run, with servers and index; "" if it is no property."""
    violation = exhibit(name).recording().attempt().violation
    return f"{violation.name}: {violation.text}" if violation else ""


def _clean(said: str) -> str:
    """One line, and not a long one: a part of it may come from the box.

    Places in memory differ from run to run, and are left out.
    """
    line = " ".join("".join(c if c.isprintable() else " " for c in said).split())
    return shortened(ADDRESS.sub("", line), MOST_SAID)

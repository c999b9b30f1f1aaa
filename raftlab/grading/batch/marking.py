"""The mark of one milestone, whatever it asks for: one way for every submission."""

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple, TypeAlias

from msgspec.structs import replace

from raftlab.course.exercises import exercise
from raftlab.grading import predictions
from raftlab.grading.answers import Contents, Wanted
from raftlab.grading.box import Boxes
from raftlab.grading.child.sheets import SHEET
from raftlab.grading.judge import Judge, Judged
from raftlab.grading.machines.judge import MachineJudge
from raftlab.grading.machines.options import best_of, chosen, none_of
from raftlab.grading.milestones import M0, M6, PROGRAMS, Milestone
from raftlab.grading.names import is_one_name
from raftlab.grading.own_tests import judge as own_tests
from raftlab.grading.own_tests.runners import BoxedTests, Unusable
from raftlab.grading.results import MilestoneMark
from raftlab.grading.seeds import Seeds
from raftlab.grading.waited import Waited
from raftlab.raft.vocabulary import Misuse, listed, shown

CAP = 0.5
"""What is left of a milestone's points where a property of safety is broken."""
OTHERS = (M0.name, M6.name, *PROGRAMS)
"""The milestones that ask for something else than answers to exercises."""
TESTS = ("invariant", "scenarios")
QUESTIONS = ("answers", "student", SHEET)


class Marked(NamedTuple):
    """A mark, and what there is to tell of the submission."""

    mark: MilestoneMark
    told: Sequence[str] = ()


Way: TypeAlias = Callable[[Milestone, Contents, str], Marked]


class Marker:
    """Marks milestones with the seeds of a class, and, in M0, by its word."""

    def __init__(self, boxes: Boxes, seeds: Seeds, word: str) -> None:
        self.boxes = boxes
        self._seeds = seeds
        self._word = word
        self._judge = Judge(boxes, seeds)
        self._machines = MachineJudge(boxes, seeds)
        self._ways: Mapping[str, Way] = {
            M0.name: self._predictions,
            M6.name: self._own_tests,
            **dict.fromkeys(PROGRAMS, self._machine),
        }

    def mark(self, milestone: Milestone, has: Contents, student: str) -> Marked:
        """What a student's submission is worth."""
        mark, told = self._ways.get(milestone.name, self._exercises)(milestone, has, student)
        return Marked(replace(mark, handed_in=has_any(milestone, has)), told)

    def _exercises(self, milestone: Milestone, has: Contents, _: str) -> Marked:
        told: list[str] = []
        judged: dict[str, Judged] = {}
        waited = Waited()
        for number, points in milestone.parts.items():
            answer = has.answers[number]
            told += answer.told
            judged[number] = self._judge.judge(exercise(number), points, answer.source, waited)
        return Marked(mark_of(milestone, judged), told)

    def _machine(self, milestone: Milestone, has: Contents, _: str) -> Marked:
        program = has.programs[milestone.name]
        return Marked(mark_of_machine(self._machines, milestone, program.source), program.told)

    def _own_tests(self, milestone: Milestone, has: Contents, _: str) -> Marked:
        missing = [name for name in TESTS if not has.definitions[name]]
        if missing:
            why = f"{milestone.name}: no cell has {listed(missing)}"
            return Marked(own_tests.nothing(why), (f"{why}: is it missing?",))
        whole = has.definitions[TESTS[0]]  # it is the same for each name, and runs once
        try:
            tests = BoxedTests(whole, self.boxes)
        except Unusable as why_not:
            return Marked(own_tests.nothing(str(why_not)))
        seeds = [self._seeds.number("M6", str(place)) for place in range(own_tests.TIMINGS)]
        order = self._seeds.chance("M6", "order", repr(whole))  # another for other tests
        return Marked(own_tests.judged(tests, seeds, chance=order))

    def _predictions(self, milestone: Milestone, has: Contents, student: str) -> Marked:
        found, name, word = (has.values[each] for each in QUESTIONS)
        told = [f"{milestone.name}: {each}" for each in predictions.unread(found)]
        name = name.strip() if isinstance(name, str) else ""
        if name and not is_one_name(name, student):
            told.append(
                f"{milestone.name}: the notebook says that it is {shown(name)}'s, and it was handed"
                f" in as {shown(student)}'s; its questions are those of {shown(name)}"
            )
        if isinstance(word, str) and word != self._word:
            told.append(
                f"{milestone.name}: the notebook's questions are of the class {shown(word)}, and"
                f" were marked as those of {shown(self._word)}: which word was raftlab release"
                " given?"
            )
        answers = found if isinstance(found, dict) else {}
        mark = predictions.marked(answers, self._word, name or student)
        return Marked(replace(mark, asked_as=name), told)


def has_any(milestone: Milestone, has: Contents) -> bool:
    """Whether a submission has anything of a milestone."""
    if milestone.name == M0.name:
        return has.values["answers"] is not None
    if milestone.name == M6.name:
        return all(has.definitions[name] for name in TESTS)
    if milestone.name in PROGRAMS:
        return has.programs[milestone.name].source is not None
    return any(has.answers[number].source for number in milestone.parts)


def wanted_by(milestones: Sequence[Milestone]) -> Wanted:
    """What these milestones ask a submission for."""
    names = [each.name for each in milestones]
    return Wanted(
        exercises=[
            exercise(number)
            for each in milestones
            if each.name not in OTHERS
            for number in each.parts
        ],
        programs=[name for name in names if name in PROGRAMS],
        definitions=TESTS if M6.name in names else (),
        values=QUESTIONS if M0.name in names else (),
    )


def mark_of_machine(judge: MachineJudge, milestone: Milestone, source: str | None) -> MilestoneMark:
    """The mark of a program; where there are options, of the best one that it offers."""
    waited = Waited()
    if not milestone.options:
        return mark_of(milestone, {milestone.name: judge.judge(milestone, source, waited)})
    try:
        options = chosen(judge, milestone, source, waited)
    except Misuse as why:
        return none_of(milestone, str(why))
    judged = [(each, judge.judge(each, source, waited)) for each in options]
    return best_of(milestone, [mark_of(each, {each.name: its}) for each, its in judged])


def mark_of(milestone: Milestone, judged: Mapping[str, Judged]) -> MilestoneMark:
    """The mark of a milestone; where an answer broke safety, it is half of the points at most."""
    checks = tuple(check for each in judged.values() for check in each.checks)
    points = round(sum(each.points for each in checks), 2)
    safety = next((each.safety for each in judged.values() if each.safety), "")
    most = milestone.points * CAP
    capped = f"safety is broken, so there are {most:g} points at most: {safety}"
    return MilestoneMark(
        milestone=milestone.name,
        title=milestone.title,
        points=min(points, most) if safety else points,
        of=milestone.points,
        checks=checks,
        capped=capped if safety else "",
        liveness=next((each.liveness for each in judged.values() if each.liveness), ""),
    )

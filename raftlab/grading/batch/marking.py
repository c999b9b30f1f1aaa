"""The mark of one milestone, whatever it asks for: one way for every submission."""

import ast
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple, TypeAlias

from raftlab.course.exercises import exercise
from raftlab.grading import answers, predictions
from raftlab.grading.answers import Cell
from raftlab.grading.box import Boxes
from raftlab.grading.judge import Judge, Judged
from raftlab.grading.machines.judge import MachineJudge
from raftlab.grading.machines.submitted import program_in
from raftlab.grading.milestones import M0, M4, M5, M6, Milestone
from raftlab.grading.own_tests import judge as own_tests
from raftlab.grading.own_tests.runners import BoxedTests, Unusable
from raftlab.grading.results import MilestoneMark
from raftlab.grading.seeds import Seeds
from raftlab.raft.vocabulary import listed, shown

CAP = 0.5
"""What is left of a milestone's points where a property of safety is broken."""


class Marked(NamedTuple):
    """A mark, and what there is to tell of the submission."""

    mark: MilestoneMark
    told: Sequence[str] = ()


Way: TypeAlias = Callable[[Milestone, Sequence[Cell], str], Marked]


class Marker:
    """Marks milestones with the seeds of a class, and, in M0, by its word."""

    def __init__(self, boxes: Boxes, seeds: Seeds, word: str) -> None:
        self._boxes = boxes
        self._seeds = seeds
        self._word = word
        self._judge = Judge(boxes, seeds)
        self._machines = MachineJudge(boxes, seeds)
        self._ways: Mapping[str, Way] = {
            M0.name: self._predictions,
            M4.name: self._machine,
            M5.name: self._machine,
            M6.name: self._own_tests,
        }

    def mark(self, milestone: Milestone, cells: Sequence[Cell], student: str) -> Marked:
        """What the cells of a student's submission are worth."""
        return self._ways.get(milestone.name, self._exercises)(milestone, cells, student)

    def _exercises(self, milestone: Milestone, cells: Sequence[Cell], _: str) -> Marked:
        told: list[str] = []
        judged: dict[str, Judged] = {}
        for number, points in milestone.parts.items():
            answer = answers.find(exercise(number), cells)
            told += answer.told
            judged[number] = self._judge.judge(exercise(number), points, answer.source)
        return Marked(mark_of(milestone, judged), told)

    def _machine(self, milestone: Milestone, cells: Sequence[Cell], _: str) -> Marked:
        program = program_in(cells, milestone.name)
        judged = self._machines.judge(milestone, program.source)
        return Marked(mark_of(milestone, {milestone.name: judged}), program.told)

    def _own_tests(self, milestone: Milestone, cells: Sequence[Cell], _: str) -> Marked:
        needed = {name: answers.defined(name, cells) for name in ("invariant", "scenarios")}
        missing = [name for name, its in needed.items() if its is None]
        if missing:
            why = f"{milestone.name}: no cell has {listed(missing)}"
            return Marked(own_tests.nothing(why), (f"{why}: is it missing?",))
        parts = [part for its in needed.values() for part in its or ()]
        try:
            tests = BoxedTests(parts, self._boxes)
        except Unusable as why_not:
            return Marked(own_tests.nothing(str(why_not)))
        seeds = [self._seeds.number("M6", str(place)) for place in range(own_tests.TIMINGS)]
        return Marked(own_tests.judged(tests, seeds))

    def _predictions(self, milestone: Milestone, cells: Sequence[Cell], student: str) -> Marked:
        found = answers_in(cells)
        name = _text(cells, "student")
        told = [] if found is not None or not cells else [f"{milestone.name}: no cell has answers"]
        if name.strip() and name.strip().casefold() != student.casefold():
            told.append(
                f"{milestone.name}: the notebook says that it is {shown(name.strip())}'s; its"
                f" questions are marked as those of {shown(student)}"
            )
            name = student
        return Marked(predictions.marked(found or {}, self._word, name.strip() or student), told)


def answers_in(cells: Sequence[Cell]) -> Mapping[str, object] | None:
    """The dictionary that a cell calls `answers`: values only, of which nothing is run."""
    found = _value(cells, "answers")
    return found if isinstance(found, dict) else None


def _text(cells: Sequence[Cell], name: str) -> str:
    found = _value(cells, name)
    return found if isinstance(found, str) else ""


def _value(cells: Sequence[Cell], name: str) -> Any:
    """What the last cell that sets this name sets it to, if it is written out; else None."""
    found = None
    for cell in cells:
        for node in cell.tree.body if cell.tree else ():
            if isinstance(node, ast.Assign) and name in map(ast.unparse, node.targets):
                try:
                    found = ast.literal_eval(node.value)
                except (ValueError, TypeError, MemoryError, RecursionError):
                    found = None
    return found


def mark_of(milestone: Milestone, judged: Mapping[str, Judged]) -> MilestoneMark:
    """The mark of a milestone; where an answer broke safety, it is half of the points at most."""
    checks = tuple(check for each in judged.values() for check in each.checks)
    points = round(sum(each.points for each in checks), 2)
    safety = next((each.safety for each in judged.values() if each.safety), "")
    most = milestone.points * CAP
    capped = f"safety is broken, so this milestone has {most:g} points at most: {safety}"
    return MilestoneMark(
        milestone=milestone.name,
        title=milestone.title,
        points=min(points, most) if safety else points,
        of=milestone.points,
        checks=checks,
        capped=capped if safety else "",
        liveness=next((each.liveness for each in judged.values() if each.liveness), ""),
    )

"""Each rule of the museum that an exercise names loses the points of that exercise."""

import pytest

from raftlab.course.exercises import exercise
from raftlab.course.exercises.running import RulesExercise
from raftlab.grading.answers import Wanted, contents_of
from raftlab.grading.batch.marking import Marker, wanted_by
from raftlab.grading.box import Boxes, best_kind, kind_for
from raftlab.grading.judge import Judge
from raftlab.grading.machines.programs import reference
from raftlab.grading.milestones import MILESTONES
from raftlab.grading.seeds import Seeds
from raftlab.museum import exhibit
from tests.grading.reference import course, mistaken, write
from tests.grading.test_machines import MISTAKES as MACHINES

pytestmark = pytest.mark.skipif(best_kind() is None, reason="there is no box on this system")

PLACED = [
    (number, mistake)
    for name in ("M1", "M2", "M3")
    for number in MILESTONES[name].parts
    if isinstance(exercise(number), RulesExercise)
    for mistake in exercise(number).mistakes
    if mistake.exhibit and mistake.answers is None
]

IN_MACHINES = [(each[0], *each[-2:]) for each in MACHINES]
"""Milestones with a machine, and what is written in it instead of what."""

NOT_ALONE = ("super()", "won_if")
"""What an answer that stands alone has not: these lose their points, and are not told by name."""


@pytest.fixture(scope="module")
def judge():
    boxes = Boxes(kind_for())
    yield Judge(boxes, Seeds(b"seeds for the museum's rules"))
    boxes.close()


@pytest.mark.parametrize(("number", "mistake"), PLACED, ids=lambda each: str(each)[:60])
def test_a_rule_of_the_museum_loses_its_points_and_is_named(number, mistake, judge, tmp_path):
    one = exercise(number)
    sources = [
        "import raftlab as rl\nfrom raftlab.raft.votes import *",
        mistaken(mistake.exhibit, number),
    ]
    file = write(tmp_path / "a.ipynb", sources)
    has = contents_of(file.read_bytes(), file.suffix, Wanted([one]), judge.boxes)
    found = judge.judge(one, 2, has.answers[number].source)
    cases = found.checks[0]
    assert sum(each.points for each in found.checks) == 0
    if any(word in sources[1] for word in NOT_ALONE):
        return
    assert (cases.mistake, bool(cases.share)) == (mistake.name, True), cases.sentence
    if exhibit(mistake.exhibit).breaks is not None:
        assert found.safety


def course_with(file, judge, *more):
    """What the reference of the whole course has, and these cells after it."""
    write(file, [*course("ann", "word"), *more])
    return contents_of(
        file.read_bytes(), file.suffix, wanted_by([*MILESTONES.values()]), judge.boxes
    )


@pytest.fixture(scope="module")
def right(judge, tmp_path_factory):
    return course_with(tmp_path_factory.mktemp("course") / "ann.ipynb", judge)


@pytest.mark.slow
def test_the_reference_of_the_course_has_all_points(right, judge):
    marker = Marker(judge.boxes, Seeds(b"seeds for the museum's rules"), "word")
    marks = [marker.mark(each, right, "ann").mark for each in MILESTONES.values()]
    assert [(each.points, each.capped) for each in marks] == [(each.of, "") for each in marks]


def besides(found, right, number=None):
    """Whether all that is marked is as it was, but that a cell more is run, and answer `number`."""
    (more,) = labels(found) - labels(right)
    taken = {each: answer.source for each, answer in found.answers.items() if each != number}
    assert {each: (source.name, source.holder) for each, source in taken.items()} == {
        each: (answer.source.name, answer.source.holder)
        for each, answer in right.answers.items()
        if each != number
    }
    for each, source in taken.items():
        assert [part for part in source.parts if part[0] != more] == [
            *right.answers[each].source.parts
        ]
    for name, parts in found.definitions.items():
        assert [part for part in parts if part[0] != more] == [*right.definitions[name]]
    return found.values == right.values


def labels(contents):
    """The cells that are run for a learner's own tests: all of them."""
    return {part[0] for parts in contents.definitions.values() for part in parts}


@pytest.mark.parametrize(("number", "mistake"), PLACED, ids=lambda each: str(each)[:60])
def test_a_rule_of_the_museum_changes_its_own_answer_and_no_other(
    number, mistake, right, judge, tmp_path
):
    """Other answers are as they were: where they are run, a class stands beside them, unused."""
    found = course_with(tmp_path / "a.ipynb", judge, mistaken(mistake.exhibit, number))
    assert found.answers[number].source != right.answers[number].source
    assert besides(found, right, number)
    assert found.programs == right.programs


@pytest.mark.slow
@pytest.mark.parametrize("milestone", ["M1", "M2", "M3"])
def test_a_mistake_costs_its_own_points_and_no_others(milestone, right, judge, tmp_path):
    """The same by the marks, for one mistake of each milestone."""
    number, mistake = next(each for each in PLACED if each[0] in MILESTONES[milestone].parts)
    found = course_with(tmp_path / "a.ipynb", judge, mistaken(mistake.exhibit, number))
    marker = Marker(judge.boxes, Seeds(b"seeds for the museum's rules"), "word")
    marks = {
        each: marker.mark(MILESTONES[each], found, "ann").mark
        for each in ("M0", "M1", "M2", "M3", "M6")
    }
    lost = {name for name, mark in marks.items() if mark.points != mark.of}
    assert lost == {milestone}
    assert {each.exercise for each in marks[milestone].checks if not each.passed} == {number}


@pytest.mark.parametrize(("milestone", "written", "instead"), IN_MACHINES)
def test_a_mistake_in_a_machine_changes_that_machine_and_nothing_else(
    milestone, written, instead, right, judge, tmp_path
):
    program = reference(milestone)
    assert program.count(written) == 1
    cell = f"# %% exercise:{milestone}\n{program.replace(written, instead)}"
    found = course_with(tmp_path / "a.ipynb", judge, cell)
    assert found.programs[milestone].source != right.programs[milestone].source
    (other,) = {"M4", "M5"} - {milestone}
    assert found.programs[other] == right.programs[other]
    assert besides(found, right)


NO_VOTES = """
class Wrong(rl.Rules):
    def candidate_is_up_to_date(self, *_, **__):
        return False
"""


def test_a_run_of_the_museum_is_shown_only_where_it_ends_in_the_same_trouble(judge, tmp_path):
    one = exercise("3.1")
    file = write(
        tmp_path / "a.ipynb", ["import raftlab as rl", NO_VOTES, "exercise('3.1').check(Wrong)"]
    )
    has = contents_of(file.read_bytes(), file.suffix, Wanted([one]), judge.boxes)
    clusters = judge.judge(one, 2, has.answers["3.1"].source).checks[1]
    assert "elected" in clusters.sentence
    assert not clusters.property
    assert clusters.share == ""
    assert "exhibit" not in clusters.advice

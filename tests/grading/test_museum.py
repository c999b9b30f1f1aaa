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


@pytest.mark.parametrize(("number", "mistake"), PLACED, ids=lambda each: str(each)[:60])
def test_a_rule_of_the_museum_changes_its_own_answer_and_no_other(
    number, mistake, right, judge, tmp_path
):
    """What is marked is what was read: equal answers have equal marks, in each milestone."""
    found = course_with(tmp_path / "a.ipynb", judge, mistaken(mistake.exhibit, number))
    assert found.answers[number].source != right.answers[number].source
    answers = {each: found.answers[each].source for each in right.answers if each != number}
    assert answers == {each: right.answers[each].source for each in answers}
    assert found.definitions == right.definitions
    assert (found.programs, found.values) == (right.programs, right.values)


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
    assert {n: each.source for n, each in found.answers.items()} == {
        n: each.source for n, each in right.answers.items()
    }
    assert (found.definitions, found.values) == (right.definitions, right.values)


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

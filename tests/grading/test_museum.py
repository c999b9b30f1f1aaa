"""Each rule of the museum that an exercise names loses the points of that exercise."""

import pytest

from raftlab.course.exercises import exercise
from raftlab.course.exercises.running import RulesExercise
from raftlab.grading.answers import Wanted, contents_of
from raftlab.grading.box import Boxes, best_kind, kind_for
from raftlab.grading.judge import Judge
from raftlab.grading.milestones import MILESTONES
from raftlab.grading.seeds import Seeds
from raftlab.museum import exhibit
from tests.grading.reference import mistaken, write

pytestmark = pytest.mark.skipif(best_kind() is None, reason="there is no box on this system")

PLACED = [
    (number, mistake)
    for name in ("M1", "M2", "M3")
    for number in MILESTONES[name].parts
    if isinstance(exercise(number), RulesExercise)
    for mistake in exercise(number).mistakes
    if mistake.exhibit and mistake.answers is None
]

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

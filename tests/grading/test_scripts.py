"""A run that is not played, as its answer says in it what is right, would have gone well."""

import pytest

from raftlab.course.exercises import exercise
from raftlab.grading.answers import Wanted, contents_of
from raftlab.grading.box import Boxes, best_kind, kind_for
from raftlab.grading.judge import Judge
from raftlab.grading.seeds import Seeds
from tests.grading.reference import mistaken, solutions, write

pytestmark = pytest.mark.skipif(best_kind() is None, reason="there is no box on this system")

ANSWERS = {
    "1.1": [*solutions()],
    "1.3": [*solutions()],
    "6.3": [*solutions()],
    "1.2": [*solutions(), mistaken("truncate-always", "1.2")],
    "4.3": [*solutions(), mistaken("old-votes", "4.3")],
}


@pytest.mark.parametrize("number", ANSWERS)
def test_a_run_that_is_left_out_would_not_have_changed_the_mark(number, tmp_path, monkeypatch):
    one = exercise(number)
    file = write(tmp_path / "a.ipynb", ANSWERS[number])
    boxes = Boxes(kind_for())
    try:
        judge = Judge(boxes, Seeds(b"seeds of a class that is not there"))
        has = contents_of(file.read_bytes(), ".ipynb", Wanted([one]), boxes)
        source = has.answers[number].source
        quick = judge.judge(one, 2, source)
        well = [script for script in judge._scripts.values() if script]
        monkeypatch.setattr(judge, "_goes_well", lambda *_: False)
        assert judge.judge(one, 2, source) == quick
    finally:
        boxes.close()
    assert len(well) >= 8

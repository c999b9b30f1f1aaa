"""What a student's own program is worth so far, in the student's own notebook."""

from pathlib import Path

from raftlab.grading.batch.marking import mark_of
from raftlab.grading.box import Boxes
from raftlab.grading.machines.judge import MachineJudge
from raftlab.grading.milestones import MILESTONES
from raftlab.grading.open_runs import OPEN
from raftlab.grading.results import MilestoneMark


def marked(milestone: str, file: str) -> MilestoneMark:
    """What one's own program is worth in M4 or M5, by seeds that are no secret, and without a box.

    Raises: OSError, if there is no such file.
    """
    source = Path(file).read_text(encoding="utf-8")
    boxes = Boxes("no box")
    try:
        judged = MachineJudge(boxes, OPEN).judge(MILESTONES[milestone], source)
        return mark_of(MILESTONES[milestone], {milestone: judged})
    finally:
        boxes.close()

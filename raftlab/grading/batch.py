"""Many submissions, one after another: marks written as they come, so that a batch goes on.

What was marked stays: a batch that was stopped and is begun again marks what is left. Marks are
one file for each submission, put in place at once; a file of other seeds, another assignment or
another submission under that name is marked anew.
"""

import hashlib
import os
from collections.abc import Generator, Mapping, Sequence
from importlib.metadata import version
from pathlib import Path
from tempfile import mkstemp
from typing import NamedTuple

import msgspec

from raftlab.course.exercises import exercise
from raftlab.grading.answers import Answers, answers_in
from raftlab.grading.box import Boxes, Kind
from raftlab.grading.handed_in import Submission, content_of, file_name
from raftlab.grading.judge import Judge, Judged
from raftlab.grading.milestones import Milestone, milestones_of
from raftlab.grading.results import MARKS, Marks, MilestoneMark, from_json, to_json
from raftlab.grading.seeds import Seeds
from raftlab.raft.vocabulary import Misuse, listed

JUDGED = ("M1", "M2", "M3")
"""The milestones that are judged so."""
CAP = 0.5


class Progress(NamedTuple):
    """How far a batch is: the marks that there are now, and whether they were there before."""

    done: int
    of: int
    marks: Marks
    was_there: bool


def grade(
    submissions: Sequence[Submission], assignment: str, seeds: Seeds, kind: Kind, to: Path
) -> Generator[Progress, None, None]:
    """Mark submissions, and write each one's marks into `to`/marks; tells of each.

    Raises: Misuse, OSError.
    """
    milestones = judged_in(assignment)
    folder = to / MARKS
    folder.mkdir(parents=True, exist_ok=True)
    boxes = Boxes(kind)
    try:
        judge = Judge(boxes, seeds)
        for done, each in enumerate(submissions, 1):
            file = folder / f"{file_name(each.name)}.json"
            content = _content(each)
            key = _key(each, content, assignment, seeds, kind)
            marks = _there(file, key)
            was_there = marks is not None
            if marks is None:
                marks = marked(each, content, assignment, milestones, judge, seeds, kind)
                _write(file, to_json(marks))
                _write(file.with_suffix(".key"), key.encode())
            yield Progress(done, len(submissions), marks, was_there)
    finally:
        boxes.close()


def judged_in(assignment: str) -> tuple[Milestone, ...]:
    """The milestones of an assignment that are judged here. Raises: Misuse."""
    found = tuple(each for each in milestones_of(assignment) if each.name in JUDGED)
    if not found:
        raise Misuse(f"{assignment} is not judged by raftlab grade: {listed(JUDGED)} are")
    return found


def marked(
    submission: Submission,
    content: bytes | Misuse,
    assignment: str,
    milestones: Sequence[Milestone],
    judge: Judge,
    seeds: Seeds,
    kind: Kind,
) -> Marks:
    """The marks of one submission, whatever it is; `content` is what its file holds."""
    asked = [exercise(number) for each in milestones for number in each.parts]
    if isinstance(content, Misuse):
        has = Answers({}, (str(content),))
    else:
        has = answers_in(content, submission.path.suffix, asked, judge.boxes)
    found = []
    for milestone in milestones:
        judged = {
            number: judge.judge(exercise(number), points, has.sources.get(number))
            for number, points in milestone.parts.items()
        }
        found.append(mark_of(milestone, judged))
    return Marks(
        submission=submission.name,
        student=submission.student,
        assignment=assignment,
        box=kind,
        milestones=tuple(found),
        told=tuple(dict.fromkeys(has.told)),
        raftlab=version("raftlab"),
        seeds_digest=seeds.digest,
    )


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


def _content(submission: Submission) -> bytes | Misuse:
    """What is in its file, read once; or why nothing is."""
    try:
        return content_of(submission.path)
    except Misuse as problem:
        return problem


def _key(
    submission: Submission, content: bytes | Misuse, assignment: str, seeds: Seeds, kind: Kind
) -> str:
    """What marks hang on: who has other ones marks anew. It is told apart, and tells nothing."""
    held = content if isinstance(content, bytes) else str(content).encode()
    whose = f"{submission.name}\0{submission.student}\0".encode()
    digest = hashlib.sha256(whose + held).hexdigest()
    return " ".join([digest, assignment, seeds.digest, kind, version("raftlab")])


def _there(file: Path, key: str) -> Marks | None:
    """The marks that are there already, if they are of this very submission."""
    try:
        if file.with_suffix(".key").read_text(encoding="utf-8") == key:
            return from_json(file.read_bytes())
    except (OSError, ValueError, msgspec.DecodeError):
        return None
    return None


def _write(file: Path, content: bytes) -> None:
    """Write a file whole, and put it in its place at once."""
    handle, new = mkstemp(dir=file.parent, prefix=".marks-")
    with open(handle, "wb") as written:
        written.write(content)
    os.replace(new, file)

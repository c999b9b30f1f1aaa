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
from raftlab.grading import answers
from raftlab.grading.box import Boxes, Kind
from raftlab.grading.judge import Judge, Judged
from raftlab.grading.milestones import Milestone, milestones_of
from raftlab.grading.results import MARKS, Marks, MilestoneMark, from_json, to_json
from raftlab.grading.seeds import Seeds
from raftlab.raft.vocabulary import Misuse, listed

JUDGED = ("M1", "M2", "M3")
"""The milestones that are judged so."""
CAP = 0.5
SUFFIXES = (".ipynb", ".py")


class Submission(NamedTuple):
    """A file that was handed in: its unique name in the batch, and whose it is."""

    name: str
    student: str
    path: Path


class Progress(NamedTuple):
    """How far a batch is: the marks that there are now, and whether they were there before."""

    done: int
    of: int
    marks: Marks
    was_there: bool


def submissions_in(paths: Sequence[Path]) -> list[Submission]:
    """The submissions that these files, and the files in these folders, are.

    One is named after its file, or, where several students hand in a file of the same name,
    each in a folder of its own, after the folder. Raises: Misuse.
    """
    files: list[Path] = []
    for path in paths:
        if path.is_dir():
            inner = (each for each in path.rglob("*") if each.suffix in SUFFIXES and _counts(each))
            files += sorted(inner)
        elif path.is_file():
            files.append(path)
        else:
            raise Misuse(f"there is no submission {path}")
    files = list(dict.fromkeys(each.absolute() for each in files))
    if not files:
        raise Misuse(f"there is no notebook and no Python file in {listed(map(str, paths))}")
    stems = [each.stem for each in files]
    names = [
        each.stem if stems.count(each.stem) == 1 else f"{each.parent.name}-{each.stem}"
        for each in files
    ]
    twice = sorted({each for each in names if names.count(each) > 1})
    if twice:
        raise Misuse(f"two submissions are called {twice[0]}: rename one of them")
    return [
        Submission(name, path.parent.name if name != path.stem else path.stem, path)
        for name, path in zip(names, files, strict=True)
    ]


def _counts(path: Path) -> bool:
    return path.is_file() and ".ipynb_checkpoints" not in path.parts


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
            file = folder / f"{each.name}.json"
            key = _key(each.path, assignment, seeds, kind)
            marks = _there(file, key)
            was_there = marks is not None
            if marks is None:
                marks = marked(each, assignment, milestones, judge, seeds, kind)
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
    assignment: str,
    milestones: Sequence[Milestone],
    judge: Judge,
    seeds: Seeds,
    kind: Kind,
) -> Marks:
    """The marks of one submission, whatever it is."""
    told: list[str] = []
    try:
        cells = answers.cells_of(submission.path)
    except (Misuse, OSError) as problem:
        cells = []
        told.append(str(problem) if isinstance(problem, Misuse) else "the file cannot be read")
    found = []
    for milestone in milestones:
        judged = {}
        for number, points in milestone.parts.items():
            answer = answers.find(exercise(number), cells)
            if cells:
                told += answer.told
            judged[number] = judge.judge(exercise(number), points, answer.source)
        found.append(mark_of(milestone, judged))
    return Marks(
        submission=submission.name,
        student=submission.student,
        assignment=assignment,
        box=kind,
        milestones=tuple(found),
        told=tuple(dict.fromkeys(told)),
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


def _key(path: Path, assignment: str, seeds: Seeds, kind: Kind) -> str:
    """What marks hang on: who has other ones marks anew. It is told apart, and tells nothing."""
    try:
        content = hashlib.sha256(path.read_bytes()).hexdigest()
    except OSError:
        content = "unreadable"
    return " ".join([content, assignment, seeds.digest, kind, version("raftlab")])


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

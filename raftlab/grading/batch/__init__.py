"""Many submissions: marks written as they come, so that a batch goes on where it was.

What was marked stays: a batch that was stopped and is begun again marks what is left. Marks are
one file for each submission, put in place at once; a file of other seeds, another assignment or
another submission under that name is marked anew.
"""

import hashlib
import signal
from collections.abc import Generator, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from importlib.metadata import version
from pathlib import Path
from threading import current_thread, main_thread
from typing import Any, NamedTuple, cast

import msgspec

from raftlab.check.campaign import executors
from raftlab.grading.answers import Parts, contents_of, nothing
from raftlab.grading.batch.kept import kept_marker, let_go
from raftlab.grading.batch.marking import Marker, wanted_by
from raftlab.grading.batch.similarity import similarity
from raftlab.grading.beside import taken_along
from raftlab.grading.box import Kind
from raftlab.grading.handed_in import Submission, content_of, file_name, texts_of
from raftlab.grading.milestones import milestones_of
from raftlab.grading.results import MARKS, Marks, MilestoneMark, from_json, to_json
from raftlab.grading.seeds import Seeds
from raftlab.raft.vocabulary import Misuse, listed
from raftlab.sim.run.files import write_whole
from raftlab.view.words import clean


class Progress(NamedTuple):
    """How far a batch is: the marks that there are now, and whether they were there before."""

    done: int
    of: int
    marks: Marks
    was_there: bool


class Batch(NamedTuple):
    """What all submissions of a batch have in common: it goes to whoever marks them.

    `word` is the class's, for M0; marks are written into the folder `to`/marks.
    """

    assignment: str
    seeds: Seeds
    kind: Kind
    to: Path
    word: str = "raftlab"

    def file(self, submission: Submission) -> Path:
        """Where the marks of a submission are."""
        return self.to / MARKS / f"{file_name(submission.name)}.json"


def grade(
    submissions: Sequence[Submission],
    batch: Batch,
    cores: int | None = 1,
    scheduler: str | None = None,
) -> Generator[Progress, None, None]:
    """Mark submissions, and write each one's marks; tells of each, as they come.

    It is done on one core, on so many (None: all), or on the workers of a Dask `scheduler`, which
    see the same files. A worker that dies loses nothing: what it was at is marked again.
    Raises: Misuse, OSError.
    """
    milestones_of(batch.assignment)
    (batch.to / MARKS).mkdir(parents=True, exist_ok=True)
    todo = []
    done = 0
    for place, each in enumerate(submissions):
        marks = _there(batch.file(each), _key(each, _content(each), _modules(each), batch))
        if marks is None:
            todo.append(place)
            continue
        done += 1
        yield Progress(done, len(submissions), marks, was_there=True)
    trial = partial(_mark_all, tuple(submissions), batch)
    try:
        for places in _executor(cast(Any, trial), todo, cores, scheduler) if todo else ():
            for place in places:
                done += 1
                marks = _written(submissions, batch, place)
                yield Progress(done, len(submissions), marks, was_there=False)
    finally:
        let_go()


def _written(submissions: Sequence[Submission], batch: Batch, place: Any) -> Marks:
    """The marks of the submission at a place, which somebody has written, or who was ended."""
    if isinstance(place, int):
        return from_json(batch.file(submissions[place]).read_bytes())
    marks = _never(submissions[place.seed], batch)
    write_whole(batch.file(submissions[place.seed]), to_json(marks))
    return marks


def _executor(
    trial: Any, todo: Sequence[int], cores: int | None, scheduler: str | None
) -> Iterator[Sequence[Any]]:
    if scheduler is not None:
        return executors.dask_workers(trial, todo, scheduler, most=1)
    count = executors.core_count() if cores is None else cores
    if count == 1:
        return executors.one_core(trial, todo)
    return executors.processes(trial, todo, count, most=1)


def _mark_all(
    submissions: Sequence[Submission], batch: Batch, places: Sequence[int]
) -> tuple[int, ...]:
    """Mark the submissions at these places, and write each one's marks; the places."""
    with interrupted_if_ended(), kept_marker(batch.kind, batch.seeds, batch.word) as marker:
        _mark_each(submissions, batch, marker, places)
    return tuple(places)


@contextmanager
def interrupted_if_ended() -> Iterator[None]:
    """Inside, whoever ends this process (SIGTERM) interrupts it, as Ctrl-C does: it tidies up."""
    if current_thread() is not main_thread():  # on a worker of Dask's, which ends by itself
        yield
        return

    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _mark_each(
    submissions: Sequence[Submission], batch: Batch, marker: Marker, places: Sequence[int]
) -> None:
    for place in places:
        each = submissions[place]
        file, content, modules = batch.file(each), _content(each), _modules(each)
        found = marked(each, content, batch, marker, modules)
        marks = from_json(to_json(found))  # as it is read
        write_whole(file, to_json(marks))
        write_whole(file.with_suffix(".key"), _key(each, content, modules, batch).encode())


def marked(
    submission: Submission,
    content: bytes | Misuse,
    batch: Batch,
    marker: Marker,
    modules: Parts = (),
) -> Marks:
    """The marks of one submission, whatever it is.

    `content` is what its file holds, `modules` are those that can be imported.
    """
    milestones = milestones_of(batch.assignment)
    wanted = wanted_by(milestones)
    if isinstance(content, Misuse):
        has = nothing(wanted, str(content))
    else:
        has = contents_of(content, submission.path.suffix, wanted, marker.boxes, modules)
    found, told = [], [has.trouble] if has.trouble else []
    if names := [clean(name) for name, _ in modules]:
        told.append(f"its answers can import what lies beside it: {listed(names)}")
    for milestone in milestones:
        mark, more = marker.mark(milestone, has, submission.student)
        found.append(mark)
        told += [] if has.trouble else more
    return _marks(submission, batch, found, told, similarity(has, milestones))


def _never(submission: Submission, batch: Batch) -> Marks:
    """What a submission gets whose marking ended the process that did it, every time."""
    return _marks(submission, batch, (), ["whoever marked it was ended, every time"])


def _marks(
    submission: Submission,
    batch: Batch,
    found: Sequence[MilestoneMark],
    told: Sequence[str],
    similarity: int | None = None,
) -> Marks:
    return Marks(
        submission=submission.name,
        student=submission.student,
        assignment=batch.assignment,
        box=batch.kind,
        milestones=tuple(found),
        told=tuple(dict.fromkeys(told)),
        similarity=similarity,
        raftlab=version("raftlab"),
        seeds_digest=batch.seeds.digest,
    )


def _content(submission: Submission) -> bytes | Misuse:
    """What is in its file, or why nothing is: the key of its marks is of what is marked."""
    try:
        return content_of(submission.path)
    except Misuse as problem:
        return problem


def _modules(submission: Submission) -> Parts:
    """The modules that it imports, as parts of source."""
    return tuple(taken_along(texts_of(submission.beside)))


def _key(submission: Submission, content: bytes | Misuse, modules: Parts, batch: Batch) -> str:
    """What marks hang on: who has other ones marks anew. It is told apart, and tells nothing."""
    held = content if isinstance(content, bytes) else str(content).encode()
    held += repr(modules).encode() if modules else b""
    whose = f"{submission.name}\0{submission.student}\0".encode()
    digest = hashlib.sha256(whose + held).hexdigest()
    told = [batch.assignment, batch.seeds.digest, batch.kind, version("raftlab"), repr(batch.word)]
    return " ".join([digest, *told])


def _there(file: Path, key: str) -> Marks | None:
    """The marks that are there already, if they are of this very submission."""
    try:
        if file.with_suffix(".key").read_text(encoding="utf-8") == key:
            return from_json(file.read_bytes())
    except (OSError, ValueError, msgspec.DecodeError):
        return None
    return None

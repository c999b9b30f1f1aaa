"""What a submission has: asked of a boxed process, which alone looks into the file.

    {"text": …, "notebook": true, "section": …, "answers": [["1.1", "accepts_append", true]], …}
    {"answers": {"1.1": {"parts": [["cell 3", …]], "holder": "MyRules", "told": []}}, …}

Nothing of a submission is run for it, and what is wrong with one costs nobody else.
"""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple, TypeAlias

import msgspec

from raftlab.course.exercises.base import Exercise
from raftlab.course.exercises.running import RulesExercise
from raftlab.course.my_raft import SECTION
from raftlab.grading.box import Boxes
from raftlab.grading.forks import forked
from raftlab.process.faults import MachineFault
from raftlab.view.words import clean

PATIENCE_S = 60.0
"""How long a submission may take to be read (s): a long one takes a tenth of one."""
LONGEST_LINE = 1 << 24
MOST_SAID = 400

Parts: TypeAlias = tuple[tuple[str, str], ...]
"""Parts of source, each with where it stands."""


class Source(NamedTuple):
    """An answer: parts of source, and what to take of them.

    `name` is a function, or a method of the class `holder`.
    """

    parts: Parts
    name: str
    holder: str = ""


class Answer(NamedTuple):
    """The answer to an exercise, or None, and what there is to tell."""

    source: Source | None
    told: tuple[str, ...] = ()


class Program(NamedTuple):
    """A program, or None, and what there is to tell."""

    source: str | None
    told: tuple[str, ...] = ()


class Wanted(NamedTuple):
    """What is looked for: answers to exercises, the programs of milestones, names and values."""

    exercises: Sequence[Exercise] = ()
    programs: Sequence[str] = ()
    definitions: Sequence[str] = ()
    values: Sequence[str] = ()


class Contents(NamedTuple):
    """What a submission has of what was wanted; `trouble` is why nothing can be read, or "".

    A definition that is not there has no parts; a value that is not written out is None.
    """

    answers: Mapping[str, Answer]
    programs: Mapping[str, Program]
    definitions: Mapping[str, Parts]
    values: Mapping[str, object]
    trouble: str = ""


class _Found(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    parts: Parts
    holder: str
    told: tuple[str, ...]


class _Program(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    source: str | None
    told: tuple[str, ...]


class _Said(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What the reader says: what it has found, or why it cannot read the file."""

    answers: dict[str, _Found] = {}
    programs: dict[str, _Program] = {}
    definitions: dict[str, Parts] = {}
    values: dict[str, Any] = {}
    trouble: str = ""


_DECODE = msgspec.json.Decoder(_Said).decode


def contents_of(
    content: bytes, suffix: str, wanted: Wanted, boxes: Boxes, modules: Parts = ()
) -> Contents:
    """What is wanted of a file whose name ends so; `modules` can be imported by its answers."""
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        return nothing(wanted, "the file is not text: hand in a notebook or a Python file")
    said = _said(text, suffix, wanted, boxes)
    if said.trouble:
        return nothing(wanted, f"the file {said.trouble}")
    return Contents(
        {
            each.number: _answer(each, said.answers[each.number], modules)
            for each in wanted.exercises
        },
        {
            name: Program(its.source, tuple(map(_plain, its.told)))
            for name, its in said.programs.items()
        },
        {name: modules + parts if parts else () for name, parts in said.definitions.items()},
        said.values,
    )


def nothing(wanted: Wanted, trouble: str) -> Contents:
    """What there is of a submission that cannot be read."""
    return Contents(
        {each.number: Answer(None) for each in wanted.exercises},
        {name: Program(None) for name in wanted.programs},
        dict.fromkeys(wanted.definitions, ()),
        dict.fromkeys(wanted.values),
        trouble,
    )


def _answer(exercise: Exercise, found: _Found, modules: Parts) -> Answer:
    source = Source(modules + found.parts, exercise.name, found.holder) if found.parts else None
    return Answer(source, tuple(map(_plain, found.told)))


def _said(text: str, suffix: str, wanted: Wanted, boxes: Boxes) -> _Said:
    asks = {
        "text": text,
        "notebook": suffix == ".ipynb",
        "section": SECTION.pattern,
        "answers": [[e.number, e.name, isinstance(e, RulesExercise)] for e in wanted.exercises],
        "programs": wanted.programs,
        "definitions": wanted.definitions,
        "values": wanted.values,
    }
    reader = forked(boxes.reader, patience_s=PATIENCE_S, longest_line=LONGEST_LINE)
    try:
        said = _DECODE(reader.ask(msgspec.json.encode(asks)))
    except (MachineFault, msgspec.DecodeError):
        return _Said(trouble=TOO_MUCH)
    finally:
        reader.end()
    return said if said.trouble or _has_all(said, wanted) else _Said(trouble=TOO_MUCH)


def _has_all(said: _Said, wanted: Wanted) -> bool:
    return (
        set(said.answers) == {each.number for each in wanted.exercises}
        and set(said.programs) == set(wanted.programs)
        and set(said.definitions) == set(wanted.definitions)
        and set(said.values) == set(wanted.values)
    )


def _plain(said: str) -> str:
    """A sentence on one line: a name, or a sign that is no Python, may be in it."""
    return clean(" ".join(said.split()), MOST_SAID)


TOO_MUCH = (
    "cannot be read: to take it apart takes too much time or memory. Hand in your answers alone,"
    " without what is nested a hundred times or repeated a thousand times"
)

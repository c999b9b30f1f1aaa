"""The answers in a submission: asked of a boxed process, which alone looks into the file.

    {"text": …, "notebook": true, "section": …, "wanted": [["1.1", "accepts_append", true]]}
    {"found": {"1.1": {"parts": [["cell 3", …]], "holder": "MyRules", "told": []}}}

Nothing of a submission is run for it, and what is wrong with one costs nobody else.
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import msgspec

from raftlab.course.exercises.base import Exercise
from raftlab.course.exercises.running import RulesExercise
from raftlab.course.my_raft import SECTION
from raftlab.grading.box import Boxes
from raftlab.grading.forks import forked_ended
from raftlab.process.child import Child
from raftlab.process.faults import MachineFault
from raftlab.view.words import clean

PATIENCE_S = 60.0
"""How long a submission may take to be read (s): a long one takes a tenth of one."""
LONGEST_LINE = 1 << 24
MOST_SAID = 400


class Source(NamedTuple):
    """An answer: parts of source, each with where it stands, and what to take of them.

    `name` is a function, or a method of the class `holder`.
    """

    parts: tuple[tuple[str, str], ...]
    name: str
    holder: str = ""


class Answers(NamedTuple):
    """What a submission has, by exercise, and what there is to tell of it."""

    sources: Mapping[str, Source | None]
    told: tuple[str, ...] = ()


class _Found(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    parts: tuple[tuple[str, str], ...]
    holder: str
    told: tuple[str, ...]


class _Said(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What the reader says: what it has found by exercise, or why it cannot read the file."""

    found: dict[str, _Found] = {}
    trouble: str = ""


_DECODE = msgspec.json.Decoder(_Said).decode


def answers_in(content: bytes, suffix: str, exercises: Sequence[Exercise], boxes: Boxes) -> Answers:
    """The answers to these exercises in a file whose name ends so."""
    nothing = dict.fromkeys((each.number for each in exercises), None)
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        return Answers(nothing, ("the file is not text: hand in a notebook or a Python file",))
    said = _said(text, suffix, exercises, boxes)
    if said.trouble:
        return Answers(nothing, (f"the file {said.trouble}",))
    return Answers(
        {
            each.number: Source(found.parts, each.name, found.holder) if found.parts else None
            for each in exercises
            for found in [said.found[each.number]]
        },
        tuple(_plain(each) for found in said.found.values() for each in found.told),
    )


def _said(text: str, suffix: str, exercises: Sequence[Exercise], boxes: Boxes) -> _Said:
    wanted = [[each.number, each.name, isinstance(each, RulesExercise)] for each in exercises]
    asks = {"text": text, "notebook": suffix == ".ipynb", "section": SECTION.pattern}
    reader = Child(
        (),
        patience_s=PATIENCE_S,
        longest_line=LONGEST_LINE,
        starts=boxes.reader,
        ends=forked_ended,
    )
    try:
        said = _DECODE(reader.ask(msgspec.json.encode({**asks, "wanted": wanted})))
    except (MachineFault, msgspec.DecodeError):
        return _Said(trouble=TOO_MUCH)
    finally:
        reader.end()
    complete = said.trouble or all(each.number in said.found for each in exercises)
    return said if complete else _Said(trouble=TOO_MUCH)


def _plain(said: str) -> str:
    """A sentence on one line: a name, or a sign that is no Python, may be in it."""
    return clean(" ".join(said.split()), MOST_SAID)


TOO_MUCH = (
    "cannot be read: to take it apart takes too much time or memory. Hand in your answers alone,"
    " without what is nested a hundred times or repeated a thousand times"
)

"""What feedback says of a check, in three lines. No name and no text of a stranger is trusted."""

from collections.abc import Iterator
from typing import NamedTuple

from raftlab.grading.results import Check, Marks, MilestoneMark
from raftlab.raft.vocabulary import shortened
from raftlab.view.words import clean

MOST = 600
"""How many characters of a text are shown."""
MOST_OF_NAME = 80
NON_JOINER = "\u200c"
"""Persian names are written with it; every other character that cannot be seen is replaced."""


class Line(NamedTuple):
    """One of the three lines: what it is about, and what it says."""

    about: str
    says: str


def plain(text: str, most: int = MOST) -> str:
    """A text on one line, printable, and not longer than `most`."""
    parts = " ".join(text.split()).split(NON_JOINER)
    return shortened(NON_JOINER.join(clean(part, len(part) + 1) for part in parts), most)


def name_of(text: str) -> str:
    """A name as a page shows it; something can always be seen of it."""
    return plain(text, MOST_OF_NAME).strip(NON_JOINER) or "(no name)"


def points(number: float) -> str:
    """Points as they are written: 3, 2.5."""
    return f"{round(number, 2):g}"


def points_of(got: float, of: float) -> str:
    """What was reached of what there is."""
    return f"{points(got)} of {points(of)}"


def lines_of(check: Check) -> tuple[Line, ...]:
    """What happened; the rule that was probably missed; what to try. What is not known is left out.

    `check` is one that did not pass.
    """
    happened = sentence(check.sentence)
    if check.property:
        happened = f"Broken: {_ended(plain(check.property))} {happened}".strip()
    told = (Line("What happened", happened), Line("The rule", _rule(check)))
    return tuple(
        line for line in (*told, Line("Try", plain(check.advice).removeprefix("try "))) if line.says
    )


def _rule(check: Check) -> str:
    section = f"Probably missed: {_ended(plain(check.section))}" if check.section else ""
    mistake = f"The mistake: {_ended(plain(check.mistake))}" if check.mistake else ""
    return " ".join(part for part in (section, mistake) if part)


def sentence(text: str) -> str:
    """A text as a sentence: its first letter a capital, a full stop at its end; "" stays so.

    A name of code before a colon keeps its letters.
    """
    said = plain(text)
    if said and not said.partition(":")[0].isidentifier():
        said = said[:1].upper() + said[1:]
    return _ended(said) if said else ""


def _ended(said: str) -> str:
    return said if said.endswith((".", "!", "?", "…")) else f"{said}."


def findings(mark: MilestoneMark) -> Iterator[Check]:
    """The checks that did not pass, in their order."""
    yield from (check for check in mark.checks if not check.passed)


def title_of(check: Check) -> str:
    """What a check is called: its exercise, where it is of one, and its name."""
    name = name_of(check.name)
    exercise = plain(check.exercise, MOST_OF_NAME)
    return name if not exercise or name.startswith(exercise) else f"{exercise} {name}"


def told_of(marks: Marks) -> list[str]:
    """What is to be said of a submission as a whole."""
    return [sentence(each) for each in marks.told]

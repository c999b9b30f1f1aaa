"""What feedback says of a check, in three lines. No name and no text of a stranger is trusted."""

from collections.abc import Iterator
from typing import NamedTuple

from raftlab.grading.results import Check, Marks, MilestoneMark
from raftlab.grading.words import NON_JOINER, ended, plain, sentence

MOST_OF_NAME = 80


class Line(NamedTuple):
    """One of the three lines: what it is about, and what it says."""

    about: str
    says: str


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
    """What happened; the rule that was missed, or is to be read; what to try; each if it is known.

    `check` is one that did not pass.
    """
    happened = sentence(check.sentence)
    if check.property:
        happened = f"Broken: {ended(plain(check.property))} {happened}".strip()
    told = (Line("What happened", happened), Line("The rule", _rule(check)))
    return tuple(
        line for line in (*told, Line("Try", plain(check.advice).removeprefix("try "))) if line.says
    )


def _rule(check: Check) -> str:
    about = "Probably missed" if check.ran else "Read"
    section = f"{about}: {ended(plain(check.section))}" if check.section else ""
    mistake = f"The mistake: {ended(plain(check.mistake))}" if check.mistake else ""
    return " ".join(part for part in (section, mistake) if part)


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

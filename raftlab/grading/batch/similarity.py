"""How similar a submission is to the published solutions: a figure for a person to judge.

No mark depends on it. Source is taken apart by a plain pattern, never parsed: names become one
sign, remarks and docstrings none, and every run of `SHINGLE` signs is looked for in the solutions.
What students were given counts for nothing. The work is bounded by the length of the source.
"""

import inspect
import keyword
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from functools import cache

from raftlab.course.exercises import exercise
from raftlab.grading.answers import Contents
from raftlab.grading.machines.programs import given, reference
from raftlab.grading.milestones import MILESTONES, PROGRAMS, Milestone
from raftlab.grading.own_tests import reference as own_tests
from raftlab.grading.release.solutions import solution_of
from raftlab.raft.vocabulary import Misuse

SHINGLE = 10
"""How many signs are compared at once: fewer are alike in any two programs."""
FEWEST = 30
"""With fewer runs of signs, there is nothing to compare."""
MOST = 200_000
"""How many characters of a submission are looked at."""

SIGN = re.compile(
    r"""
    (?P<none> \#[^\n]*
            | ^[ \t]*[rRbBuU]*(?:\"{3}[\s\S]*?(?:\"{3}|\Z) | '{3}[\s\S]*?(?:'{3}|\Z)) )
  | (?P<text> \"{3}[\s\S]*?(?:\"{3}|\Z) | '{3}[\s\S]*?(?:'{3}|\Z)
            | "(?:[^"\\\n]|\\.)*"? | '(?:[^'\\\n]|\\.)*'? )
  | (?P<name> [^\W\d]\w* )
  | (?P<other> \d[\w.]* | [^\w\s] )
    """,
    re.VERBOSE | re.MULTILINE,
)
"""A text that nobody closes goes to the end: so no sign is looked at twice."""
IMPORTS = re.compile(r"(?:import|from)\b")
STATEMENT = re.compile(r"\n(?=[^\s#)\]}])")
"""Where a statement begins that stands in no other."""
DEFINES = re.compile(r"@|async\b|def\b|class\b|[^()=:\n]+(?::[^\n=]+)?=(?!=)")


def similarity(has: Contents, milestones: Sequence[Milestone]) -> int | None:
    """How much of a submission's answers is in the solutions (per cent); None, if it has little."""
    left = MOST
    common = total = 0
    for milestone in milestones:
        solution = _solution(milestone.name)
        for text in _texts(has, milestone):
            found = _shingles(text[:left])
            left -= min(left, len(text))
            new = +(found - _given(milestone.name))
            total += new.total()
            common += sum(count for each, count in new.items() if each in solution)
    return round(100 * common / total) if total >= FEWEST else None


def _texts(has: Contents, milestone: Milestone) -> Iterator[str]:
    """What a submission answers in a milestone."""
    answers = [has.answers[number] for number in milestone.parts if number in has.answers]
    yield _definitions(part for each in answers if each.source for part in each.source.parts)
    program = has.programs.get(milestone.name)
    if program is not None and program.source is not None:
        yield program.source
    if milestone.name == "M6":
        yield _definitions(part for each in has.definitions.values() for part in each)


def _definitions(parts: Iterable[tuple[str, str]]) -> str:
    """The statements of these parts that define something, each once: what is tried is no answer.

    Answers of one submission are run with what stands above them, so they share most of it.
    """
    statements = (each for _, source in parts for each in STATEMENT.split(source.lstrip("\n")))
    return "\n".join(dict.fromkeys(each for each in statements if DEFINES.match(each)))


@cache
def _solution(milestone: str) -> frozenset[tuple[str, ...]]:
    """The runs of signs in all that is published for a milestone."""
    return frozenset(_all(_published(milestone)))


@cache
def _given(milestone: str) -> "Counter[tuple[str, ...]]":
    """The runs of signs in what students begin with."""
    return _all([given(milestone)] if milestone in PROGRAMS else [])


def _published(milestone: str) -> Iterator[str]:
    if milestone in PROGRAMS:
        yield reference(milestone)
    if milestone == "M6":
        yield inspect.getsource(own_tests)
    for number in MILESTONES[milestone].parts:
        with suppress(Misuse):  # no exercise's number, or the full notebooks are not here
            yield inspect.getsource(exercise(number).reference)
            yield solution_of(number).source


def _all(texts: Iterable[str]) -> "Counter[tuple[str, ...]]":
    found: Counter[tuple[str, ...]] = Counter()
    for each in texts:
        found.update(_shingles(each))
    return found


def _shingles(text: str) -> "Counter[tuple[str, ...]]":
    """The runs of signs of a source, in which none goes from one statement to the next."""
    found: Counter[tuple[str, ...]] = Counter()
    for statement in STATEMENT.split(inspect.cleandoc(text)):
        if not IMPORTS.match(statement):
            signs = [*_signs(statement)]
            runs = (signs[place : place + SHINGLE] for place in range(len(signs) - SHINGLE + 1))
            found.update(map(tuple, runs))
    return found


def _signs(text: str) -> Iterator[str]:
    for each in SIGN.finditer(text):
        sign, kind = each[0], each.lastgroup
        if kind == "name":
            yield sign if keyword.iskeyword(sign) else "name"
        elif kind == "text":
            yield "text"
        elif kind == "other":
            yield sign

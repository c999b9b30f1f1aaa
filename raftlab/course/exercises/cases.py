"""Cases: the arguments of one call, how to build them anew, and how to write them down."""

from collections.abc import Callable, Iterator, Sequence
from enum import Enum
from itertools import combinations_with_replacement
from typing import Any

import msgspec

from raftlab.course.exercises import guard
from raftlab.course.situations import words_of
from raftlab.raft.log import LogEntry, RaftLog
from raftlab.raft.options import Options
from raftlab.raft.progress import FollowerProgress
from raftlab.raft.votes import Votes

BEFORE = object()
"""What a picture is given in the place of an answer while there is none."""


class Case:
    """One call: its arguments, copied for each use so that no call can spoil another's."""

    __slots__ = ("arguments",)

    def __init__(self, *arguments: Any) -> None:
        self.arguments = arguments

    def fresh(self) -> tuple[Any, ...]:
        """The arguments; those that can change are copies."""
        return tuple(
            each.copy() if isinstance(each, RaftLog | Votes | FollowerProgress | dict) else each
            for each in self.arguments
        )

    @property
    def code(self) -> str:
        """The arguments as Python: `log_of("1 1 2"), 1, entries_of("3", first=2)`."""
        return ", ".join(code_of(each) for each in self.arguments)


def code_of(value: Any) -> str:
    """A value as Python that makes it again (with the names of `raftlab.course.situations`)."""
    if isinstance(value, RaftLog):
        return f'log_of("{words_of(value)}")'
    if isinstance(value, Votes):
        return f"votes_of({value.answers!r}, of={value.voters!r})"
    if isinstance(value, FollowerProgress):
        state = value.state.value
        return f'progress_of({value.match_index}, {value.next_index}, "{state}")'
    if isinstance(value, tuple) and value and all(isinstance(each, LogEntry) for each in value):
        terms = words([each.term for each in value])
        return f'entries_of("{terms}", first={value[0].index})'
    if isinstance(value, Enum):
        return f"{type(value).__name__}.{value.name}"
    if isinstance(value, Options) and value == Options.figure_2(
        election_timeout=value.election_timeout
    ):
        usual = value == Options.figure_2()
        return f"Options.figure_2({'' if usual else f'election_timeout={value.election_timeout}'})"
    if isinstance(value, msgspec.Struct):
        return f"{type(value).__name__}({_fields(value)})"
    return repr(value)


def _fields(value: msgspec.Struct) -> str:
    """The fields of a message or a setting that are not as they are by default."""
    told = []
    for field in msgspec.structs.fields(type(value)):
        held = getattr(value, field.name)
        if held != field.default:
            told.append(f"{field.name}={code_of(held)}")
    return ", ".join(told)


def is_corner(case: Case) -> bool:
    """Whether a case is so empty that it tells little: a log without entries, one voter."""
    return any(map(_is_empty, case.arguments))


def _is_empty(value: Any) -> bool:
    match value:
        case RaftLog():
            return not len(value)
        case Votes():
            return len(value.voters) < 3
        case dict():
            return len(value) < 3
    return False


def rising(length: int, terms: Sequence[int]) -> Iterator[tuple[int, ...]]:
    """Every sequence of `length` of these terms that never falls."""
    return combinations_with_replacement(sorted(terms), length)


def words(terms: Sequence[int | str]) -> str:
    """Terms as a log is written: "1 1 4"."""
    return " ".join(map(str, terms))


def said(got: Any, form: Callable[[Any], str] = repr) -> str:
    """An answer as a picture tells it: "?" while there is none."""
    return "?" if got is BEFORE else guard.described(got, 40, form)

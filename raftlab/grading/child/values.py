"""Arguments and answers as JSON, both ways, in the grader and in the box.

A value is itself where JSON has it, and else a list: a mark of one letter, and what it holds.
Both sides trust nothing: what cannot be told is told as `Untold`, by its type and a few words.
"""

import math
import random
import struct
from base64 import b64decode, b64encode
from collections.abc import Callable, Mapping, Sequence
from enum import Enum
from typing import Any

import msgspec

from raftlab.course.exercises import guard
from raftlab.raft.log import LogEntry, RaftLog
from raftlab.raft.messages import Accepted, Rejected, RequestVote
from raftlab.raft.options import Options
from raftlab.raft.progress import FollowerProgress, ProgressState
from raftlab.raft.roles import Cause, Role
from raftlab.raft.vocabulary import Configuration
from raftlab.raft.votes import ElectionResult, Votes

STRUCTS: Mapping[str, type[msgspec.Struct]] = {
    each.__name__: each
    for each in (Accepted, Configuration, LogEntry, Options, Rejected, RequestVote)
}
ENUMS: Mapping[str, type[Enum]] = {
    each.__name__: each for each in (Cause, ElectionResult, ProgressState, Role)
}
LARGEST = 2**53
NUMBERS = 625
"""How many numbers the state of a source of chance has."""
LONGEST = 10_000
DEEPEST = 8
MOST_WORDS = 200
"""How many characters are told of what cannot be told."""


class Untold:
    """Something that an answer may not be: it is known by the name of its type and a few words."""

    def __init__(self, words: str) -> None:
        self.words = words

    def __repr__(self) -> str:
        return self.words


def as_json(value: Any, depth: int = 0) -> Any:
    """A value as what JSON can hold."""
    if isinstance(value, tuple):  # also one with names
        value = (*tuple.__iter__(value),)
    kind = type(value)
    if value is None or kind is bool:
        return value
    if kind is int and -LARGEST <= value <= LARGEST:
        return value
    if kind is str and len(value) <= LONGEST:
        return value
    if kind is float and math.isfinite(value):
        return value
    if depth < DEEPEST and (teller := TELLERS.get(kind)) is not None:
        found = teller(value, depth + 1)
        if found is not None:
            return found
    if STRUCTS.get(kind.__name__) is kind:
        return ["s", kind.__name__, msgspec.to_builtins(value)]
    if ENUMS.get(kind.__name__) is kind:
        return ["e", kind.__name__, value.name]
    return ["?", kind.__name__[:60], _words(value)]


def _words(value: Any) -> str:
    kind = type(value)
    if kind is int:
        return f"a number of {value.bit_length():,} bits"
    if kind in (str, list, tuple, dict):
        return f"a {kind.__name__} of {len(value):,}"
    try:
        return str(repr(value))[:MOST_WORDS]
    except Exception as problem:  # a learner's own repr may raise anything
        return f"something whose repr raises {type(problem).__name__[:60]}"


def _list(mark: str) -> Callable[[Any, int], Any]:
    def tell(value: Any, depth: int) -> Any:
        return [mark, [as_json(each, depth) for each in value]] if len(value) <= LONGEST else None

    return tell


def _dict(value: dict[Any, Any], depth: int) -> Any:
    if len(value) > LONGEST:
        return None
    return ["d", [[as_json(key, depth), as_json(each, depth)] for key, each in value.items()]]


def _log(log: RaftLog, _: int) -> Any:
    return ["log", msgspec.to_builtins(list(log))]


def _votes(votes: Votes, _: int) -> Any:
    return ["votes", [[list(each.voters), each.answers] for each in votes.trackers]]


def _progress(progress: FollowerProgress, depth: int) -> Any:
    slots = FollowerProgress.__slots__
    return ["progress", [as_json(getattr(progress, each, None), depth) for each in slots]]


class Seeded(random.Random):
    """A source of chance for one call, told by its seed; of what is left of it, a hash is told."""

    def __init__(self, seed: int = 0) -> None:
        super().__init__(seed)
        self.known_by = seed


def _chance(chance: random.Random, _: int) -> Any:
    version, numbers, gauss = chance.getstate()
    packed = struct.pack(f"<{len(numbers)}I", *numbers)
    return ["chance", [version, b64encode(packed).decode(), gauss]]


def _seeded(chance: Seeded, _: int) -> Any:
    return ["seeded", chance.known_by]


TELLERS: Mapping[type, Callable[[Any, int], Any]] = {
    list: _list("l"),
    tuple: _list("t"),
    dict: _dict,
    RaftLog: _log,
    Votes: _votes,
    FollowerProgress: _progress,
    random.Random: _chance,
    Seeded: _seeded,
}


CHANGEABLE = (list, dict, RaftLog, Votes, FollowerProgress, random.Random, Seeded)
"""What an answer can change, of what it is given."""


def reply_of(function: Callable[..., Any], given: Sequence[Any]) -> dict[str, Any]:
    """One call: what it returns, and what it has changed. Raises: as `guard.call` does."""
    before = {place: as_json(each) for place, each in enumerate(given) if type(each) in CHANGEABLE}
    value = as_json(guard.call(function, *given))
    after = {
        str(place): now for place, then in before.items() if (now := _left(given[place])) != then
    }
    return {"value": value, "after": after} if after else {"value": value}


def _left(value: Any) -> Any:
    """What is told of an argument after a call."""
    return hash(value.getstate()[1]) if type(value) is Seeded else as_json(value)


def from_json(raw: Any) -> Any:
    """The value that `as_json` has told. Raises: ValueError, if it is none."""
    if not isinstance(raw, list):
        return raw
    match raw:
        case ["l", list(items)]:
            return [from_json(each) for each in items]
        case ["t", list(items)]:
            return tuple(from_json(each) for each in items)
        case ["d", list(items)]:
            return {from_json(key): from_json(each) for key, each in items}
        case ["s", str(name), fields] if name in STRUCTS:
            return msgspec.convert(fields, STRUCTS[name])
        case ["e", str(name), str(member)] if name in ENUMS:
            return ENUMS[name][member]
        case ["?", str(name), str(words)]:
            named = name[:60] if name.isidentifier() else "something"
            return type(named, (Untold,), {})(words[:MOST_WORDS])
        case [str(mark), held] if mark in HEARERS:
            return HEARERS[mark](held)
    raise ValueError("this tells no value")


def _heard_log(entries: Any) -> RaftLog:
    return RaftLog(msgspec.convert(entries, list[LogEntry]))


def _heard_progress(slots: Any) -> FollowerProgress:
    progress = FollowerProgress("", 1, 0.0)
    for name, each in zip(FollowerProgress.__slots__, slots, strict=True):
        setattr(progress, name, from_json(each))
    return progress


def _heard_chance(state: Any) -> random.Random:
    version, packed, gauss = state
    numbers = struct.unpack(f"<{NUMBERS}I", b64decode(packed))
    chance = random.Random(0)
    chance.setstate((version, numbers, gauss))
    return chance


def _heard_votes(trackers: Any) -> Votes:
    new, *old = trackers
    votes = Votes(Configuration(tuple(new[0]), old_voters=tuple(old[0][0]) if old else ()))
    for tracker, (_, answers) in zip(votes.trackers, trackers, strict=True):
        tracker.answers = dict(answers)
    return votes


HEARERS: Mapping[str, Callable[[Any], Any]] = {
    "log": _heard_log,
    "votes": _heard_votes,
    "progress": _heard_progress,
    "chance": _heard_chance,
    "seeded": Seeded,
}

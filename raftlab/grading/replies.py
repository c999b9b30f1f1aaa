"""What a boxed answer is told, and what it says to it, as lines."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import msgspec

from raftlab.course.exercises import guard
from raftlab.course.exercises.base import CHANGES_ITS_INPUT
from raftlab.grading.child.values import as_json
from raftlab.raft.log import RaftLog

AT_ONCE = 32
"""How many calls are asked in one line, where they are known before."""


class Reply(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a boxed answer says to a call."""

    value: Any = None
    after: dict[str, Any] = {}
    raised: str = ""
    unwritten: str | None = None


decoded = msgspec.json.Decoder(Reply).decode
decoded_all = msgspec.json.Decoder(list[msgspec.Raw]).decode
DECODE_ERRORS = (msgspec.DecodeError, RecursionError, UnicodeDecodeError)
encoded = msgspec.json.Encoder().encode


def call_of(given: Iterable[Any]) -> bytes:
    """A call as a boxed process is told it: its arguments."""
    return encoded(list(map(as_json, given)))


def batches(calls: Sequence[bytes]) -> Iterator[Sequence[bytes]]:
    """Calls by the few, so that a line takes no long time, and is no long one."""
    return (calls[place : place + AT_ONCE] for place in range(0, len(calls), AT_ONCE))


def change(given: Any, now: Any) -> None:
    """Do to an argument in place what the answer has done to it. Raises: LearnerError."""
    if type(given) is not type(now):
        raise guard.LearnerError(CHANGES_ITS_INPUT)
    if isinstance(given, RaftLog):
        alike = 0
        for mine, its in zip(given, now, strict=False):
            if mine != its:
                break
            alike += 1
        given.truncate_uncommitted(given.first_index + alike)
        given.append_as_follower(now.entries(given.last_index + 1, now.last_index + 1))
    elif hasattr(given, "setstate"):
        given.setstate(now.getstate())
    else:
        raise guard.LearnerError(CHANGES_ITS_INPUT)

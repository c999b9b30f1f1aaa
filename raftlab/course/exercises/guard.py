"""Running a learner's code so that whatever it does ends in a sentence.

A loop without end is stopped after a number of steps (lines and instructions of Python), not
of seconds: the same code gives the same answer on every machine. What loops inside a library
written in C is not seen, nor is code that catches `BaseException` in a loop.
"""

import sys
import traceback
from collections.abc import Callable
from pathlib import Path
from types import FrameType
from typing import Any

from raftlab.raft.election import Votes
from raftlab.raft.progress import FollowerProgress

PACKAGE = str(Path(__file__).parents[2])
MOST_STEPS = 200_000
"""How many lines and instructions of the learner's own code one call may run."""


class Unwritten(Exception):
    """The learner's code still raises NotImplementedError."""


class LearnerError(Exception):
    """The learner's code raised, looped or returned nonsense; the message says so in words."""


class _TooLong(BaseException):
    """Not an `Exception`, so that `except Exception` in a learner's code does not catch it."""


def call(function: Callable[..., Any], *arguments: Any) -> Any:
    """Call a learner's function under the budget of steps.

    Raises: Unwritten, for a stub; LearnerError, with a sentence, for everything else.
    """
    steps = 0

    def count(frame: FrameType, event: str, _: object) -> Any:
        nonlocal steps
        if event == "call":
            if frame.f_globals.get("__name__", "").startswith("raftlab."):
                return None
            frame.f_trace_opcodes = True  # a loop of one line is not always seen by lines
        steps += 1
        if steps > MOST_STEPS:
            raise _TooLong
        return count

    before = sys.gettrace()
    sys.settrace(count)
    try:
        return function(*arguments)
    except NotImplementedError as problem:
        raise Unwritten(str(problem)) from None
    except _TooLong:
        raise LearnerError(
            f"it was stopped after {MOST_STEPS:,} steps: is there a loop that never ends?"
        ) from None
    except RecursionError:
        raise LearnerError("it calls itself without an end") from None
    except Exception as problem:
        raise LearnerError(where(problem)) from None
    finally:
        sys.settrace(before)


def where(problem: BaseException) -> str:
    """An exception as one sentence with the learner's own line."""
    frames = traceback.extract_tb(problem.__traceback__)[1:]
    mine = [frame for frame in frames if not frame.filename.startswith(PACKAGE)] or frames
    said = (
        f"it raises {type(problem).__name__}: {problem}"
        if str(problem)
        else (f"it raises {type(problem).__name__}")
    )
    return f"{said}, in the line: {mine[-1].line}" if mine and mine[-1].line else said


def same(want: object, got: object) -> bool:
    """Equal and of exactly the same types, so that no object can claim to equal everything."""
    if type(want) is not type(got):
        return False
    if isinstance(want, tuple | list):
        assert isinstance(got, tuple | list)
        return len(want) == len(got) and all(map(same, want, got))
    return want == got


def unchanged(before: object, after: object) -> bool:
    """Whether an argument is as it was."""
    if isinstance(before, Votes) and isinstance(after, Votes):
        return before.answers == after.answers
    if isinstance(before, FollowerProgress):
        slots = FollowerProgress.__slots__
        return all(getattr(before, each, None) == getattr(after, each, None) for each in slots)
    return before == after

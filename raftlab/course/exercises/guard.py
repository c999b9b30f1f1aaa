"""Running a learner's code so that whatever it does ends in a sentence.

A loop without end is stopped after a number of steps (lines and instructions of Python), not
of seconds: the same code gives the same answer on every machine. What loops inside a library
written in C is not seen, nor is code that catches `BaseException` in a loop.
"""

import io
import sys
import traceback
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, redirect_stdout
from pathlib import Path
from types import CodeType, FrameType
from typing import Any, ClassVar

from raftlab.raft.progress import FollowerProgress
from raftlab.raft.votes import Votes

PACKAGE = str(Path(__file__).parents[2])
MOST_STEPS = 200_000
"""How many lines and instructions of the learner's own code one call may run."""
MOST_LINES = 10
"""How many lines that a learner's code prints are shown, in one check."""
MOST_PRINTED = 2_000
"""How many characters of them."""


class Unwritten(Exception):
    """The learner's code still raises NotImplementedError."""


class LearnerError(Exception):
    """The learner's code raised, looped or returned nonsense; the message says so in words.

    Of what was raised, the words are made when they are asked for: most of it is told nobody.
    """

    def __str__(self) -> str:
        """The message."""
        said = self.args[0]
        return where(said) if isinstance(said, BaseException) else str(said)


class _Watched:
    """Which functions of the package are an answer ready-made, and which of them were called."""

    codes: ClassVar[frozenset[CodeType]] = frozenset()
    called: ClassVar[list[str]] = []


@contextmanager
def watch(codes: Iterable[CodeType]) -> Iterator[list[str]]:
    """Inside, the list fills with the names of those that `call` comes upon, however deep."""
    before = _Watched.codes, _Watched.called
    _Watched.codes, _Watched.called = frozenset(codes), []
    try:
        yield _Watched.called
    finally:
        _Watched.codes, _Watched.called = before


class _TooLong(BaseException):
    """Not an `Exception`, so that `except Exception` in a learner's code does not catch it."""


def call(function: Callable[..., Any], *arguments: Any, **named: Any) -> Any:
    """Call a learner's function under the budget of steps.

    Raises: Unwritten, for a stub; LearnerError, with a sentence, for everything else.
    """
    steps = 0

    def count(frame: FrameType, event: str, _: object) -> Any:
        nonlocal steps
        if event == "call":
            if _is_ours(frame):
                if frame.f_code in _Watched.codes:
                    _Watched.called.append(frame.f_code.co_qualname)
                return None
            frame.f_trace_opcodes = True  # a loop of one line is not always seen by lines
        steps += 1
        if steps > MOST_STEPS:
            raise _TooLong
        return count

    before = sys.gettrace()
    try:
        sys.settrace(count)
        try:
            return function(*arguments, **named)
        finally:
            sys.settrace(before)
    except (Unwritten, LearnerError):  # told already, by whoever asks an answer elsewhere
        raise
    except NotImplementedError as problem:
        raise Unwritten(str(problem)) from None
    except _TooLong:
        raise LearnerError(
            f"it was stopped after {MOST_STEPS:,} steps: is there a loop that never ends?"
        ) from None
    except RecursionError:
        deep = f"{sys.getrecursionlimit():,}"
        raise LearnerError(
            f"it calls itself more than {deep} times deep, where Python stops: does it end?"
        ) from None
    except SystemExit:
        raise LearnerError("your code calls exit()") from None
    except (Exception, GeneratorExit) as problem:
        raise LearnerError(problem) from None


def _is_ours(frame: FrameType) -> bool:
    return str(frame.f_globals.get("__name__", "")).startswith("raftlab.")


def described(value: object, most: int = 60, form: Callable[[Any], str] = repr) -> str:
    """A learner's value in one line of at most so many characters, whatever it is."""
    try:
        text = str(call(form, value))[: most + 1].replace("\n", " ")
    except (Unwritten, LearnerError):
        return f"something of type {type(value).__name__[:most]} that cannot be written down"
    return text if len(text) <= most else f"{text[: most - 1]}…"


class _FewLines(io.TextIOBase):
    """Passes on the first lines that are printed, and says once that there are more."""

    def __init__(self, onto: Any) -> None:
        self.onto, self.lines, self.left = onto, MOST_LINES, MOST_PRINTED

    def write(self, text: str) -> int:
        """Pass on what there is still room for."""
        if self.left:
            shown = "".join(text[: self.left].splitlines(keepends=True)[: self.lines])
            self.onto.write(shown)
            self.lines -= shown.count("\n")
            self.left -= len(shown)
            if not (self.left and self.lines):
                self.left = 0
                self.onto.write("... what your code prints after this is not shown\n")
        return len(text)


@contextmanager
def few_lines() -> Iterator[None]:
    """Inside, only the first lines that are printed are shown."""
    with redirect_stdout(_FewLines(sys.stdout)):
        yield


@contextmanager
def quietly() -> Iterator[None]:
    """Inside, nothing that is printed is shown."""
    with redirect_stdout(io.StringIO()):
        yield


def where(problem: BaseException) -> str:
    """An exception as one sentence with the learner's own line."""
    frames = traceback.extract_tb(problem.__traceback__)[1:]
    mine = [frame for frame in frames if not frame.filename.startswith(PACKAGE)]
    text = described(problem, 200, str)
    said = f"it raises {type(problem).__name__}" + (f": {text}" if text else "")
    line = mine[-1].line if mine else None
    return f"{said}, in the line: {described(line, 100, str)}" if line else said


def same(want: object, got: object) -> bool:
    """Equal and of exactly the same types, so that no object can claim to equal everything.

    A tuple may be one with names.
    """
    if type(want) is tuple and isinstance(got, tuple):
        got = (*tuple.__iter__(got),)
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

"""Ctrl-C, and Jupyter's stop button: noticed between two actions, not in the middle of one.

Python runs the handler of a signal between any two of its instructions, so an exception that
it raises could leave half a step behind. While a verb runs, the first interrupt is only
noted; the engine heeds it after the action in hand. A second one at once is not held back:
a machine that loops without an end can be stopped, and then the run stands still and says so.

`_signal.signal` is `signal.signal` without its enumerations, which take longer than most verbs.
"""

import _signal  # type: ignore[import-not-found]
import signal
from collections.abc import Callable
from types import FrameType, TracebackType
from typing import Protocol

Handler = Callable[[int, FrameType | None], object]


class Interruptible(Protocol):
    """What notes an interrupt: the function that heeds it, or None."""

    heed_interrupt: Callable[[], object] | None


class HeldBack:
    """Note the first interrupt in `run.heed_interrupt`, to be called between two actions.

        with HeldBack(run):
            ...

    Only the main thread is interrupted by signals; elsewhere nothing is held back. A handler
    that somebody else has installed is called in the end, with what it would have been told.
    """

    __slots__ = ("previous", "run")

    def __init__(self, run: Interruptible) -> None:
        self.run = run
        self.previous: Handler | None = None

    def __enter__(self) -> None:
        try:
            self.previous = _signal.signal(signal.SIGINT, self.note)
        except ValueError:  # not in the main thread
            return
        if not callable(self.previous):  # SIGINT is ignored, or ends the process
            _signal.signal(signal.SIGINT, self.previous)
            self.previous = None

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self.previous is None:
            return
        _signal.signal(signal.SIGINT, self.previous)
        noted, self.run.heed_interrupt = self.run.heed_interrupt, None
        if noted is not None and not isinstance(error, KeyboardInterrupt):
            noted()

    def note(self, number: int, frame: FrameType | None) -> None:
        """The handler: keep the first interrupt for later, and pass on the second at once."""
        previous, is_second = self.previous, self.run.heed_interrupt is not None
        if previous is None:  # it came while this handler was being set
            previous = signal.default_int_handler
        self.run.heed_interrupt = lambda: previous(number, None)
        if is_second:
            previous(number, frame)

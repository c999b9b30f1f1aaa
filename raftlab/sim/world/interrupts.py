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

MOST_KEPT = 3
"""How many interrupts are kept between two actions before one is passed on at once."""

Handler = Callable[[int, FrameType | None], object]


class Interruptible(Protocol):
    """What notes an interrupt: the function that heeds it, or None."""

    heed_interrupt: Callable[[], object] | None

    @property
    def is_mid_step(self) -> bool:
        """Whether an action is being carried out."""


class HeldBack:
    """Note the first interrupt in `run.heed_interrupt`, to be called between two actions.

        with HeldBack(run):
            ...

    Only the main thread is interrupted by signals; elsewhere nothing is held back. A handler
    that somebody else has installed is called in the end, with what it would have been told.
    """

    __slots__ = ("came", "previous", "run")

    def __init__(self, run: Interruptible) -> None:
        self.run = run
        self.previous: Handler | None = None
        self.came = 0

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
        """The handler: keep the first interrupt for later, and pass on one more at once.

        Between two actions more of them are kept, since one that is passed on while handlers are
        exchanged would leave this one in its place; but not all: a condition may never end.
        """
        previous = self.previous or signal.default_int_handler
        self.run.heed_interrupt = lambda: previous(number, None)
        self.came += 1
        if self.came > (1 if self.run.is_mid_step else MOST_KEPT):
            previous(number, frame)

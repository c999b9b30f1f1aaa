"""Ctrl-C, and Jupyter's stop button: noticed between two actions, not in the middle of one.

Python runs the handler of a signal between any two of its instructions, so an exception that
it raises could leave half a step behind. While a verb runs, the first interrupt is only
noted; the engine heeds it after the action in hand. A second one at once is not held back:
a machine that loops without an end can be stopped, and then the run stands still and says so.
"""

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Protocol


class Interruptible(Protocol):
    """What notes an interrupt: the function that heeds it, or None."""

    heed_interrupt: Callable[[], object] | None


@contextmanager
def held_back(run: Interruptible) -> Iterator[None]:
    """Note the first interrupt in `run.heed_interrupt`, to be called between two actions.

    Only the main thread is interrupted by signals; elsewhere nothing is held back. A handler
    that somebody else has installed is called in the end, with what it would have been told.
    """
    previous = signal.getsignal(signal.SIGINT)
    if not callable(previous) or threading.current_thread() is not threading.main_thread():
        yield
        return

    def note(number: int, frame: FrameType | None) -> None:
        if run.heed_interrupt is not None:
            previous(number, frame)
        run.heed_interrupt = lambda: previous(number, None)

    try:
        signal.signal(signal.SIGINT, note)
        yield
    finally:
        signal.signal(signal.SIGINT, previous)
        noted, run.heed_interrupt = run.heed_interrupt, None
    if noted is not None:
        noted()

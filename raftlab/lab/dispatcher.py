"""What arrives on other threads is done on the main one.

A notebook may deliver what its controls report on threads of their own, even while a
cell is running. A cluster is not made for two threads, so such a call waits until
the main thread, which runs the cells, has time for it.
"""

import asyncio
import threading
from collections.abc import Callable
from contextlib import suppress


class MainThreadDispatcher:
    """Makes calls on the thread that made it, between the cells that run there."""

    def __init__(self) -> None:
        self._home = threading.get_ident()
        try:
            self._loop: asyncio.AbstractEventLoop | None = asyncio.get_running_loop()
        except RuntimeError:
            self._loop = None
        self._lock = threading.RLock()

    def call(self, function: Callable[[], None]) -> None:
        """Call it now if this is the right thread, or else as soon as that has time."""
        if threading.get_ident() != self._home and self._loop is not None:
            self._loop.call_soon_threadsafe(_end_by_itself, function)
        else:
            with self._lock:
                function()


def _end_by_itself(function: Callable[[], None]) -> None:
    """An interrupt ends the call: if it went on to the loop, it would end the whole kernel."""
    with suppress(KeyboardInterrupt):
        function()

"""One pair of hands: whatever arrives, and on whichever thread, is done in one place.

A notebook may deliver what its controls report on threads of their own, even while a
cell is running. A cluster is not made for two threads, so that such a deed waits until
the main thread, which runs the cells, has time for it.
"""

import asyncio
import threading
from collections.abc import Callable


class Hands:
    """Does deeds on the thread that made it, between the cells that run there."""

    def __init__(self) -> None:
        self._home = threading.get_ident()
        try:
            self._loop: asyncio.AbstractEventLoop | None = asyncio.get_running_loop()
        except RuntimeError:
            self._loop = None
        self._lock = threading.RLock()

    def do(self, deed: Callable[[], None]) -> None:
        """Do it now if this is the right thread, or else as soon as that has time."""
        if threading.get_ident() != self._home and self._loop is not None:
            self._loop.call_soon_threadsafe(deed)
        else:
            with self._lock:
                deed()

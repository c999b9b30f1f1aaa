"""Who ends child processes when this one is gone, however it ended: no process is left behind.

One small process for all children. It reads, on a pipe that only this process writes to, which
process groups there are; when the pipe ends, so has this process, and what is left is killed.
"""

import atexit
import os
import subprocess
import sys
from contextlib import suppress

SCRIPT = """
import os, signal, sys
groups = set()
for line in sys.stdin:
    (groups.add if line[0] == "+" else groups.discard)(int(line[1:]))
for group in groups:
    try:
        os.killpg(group, signal.SIGKILL)
    except OSError:
        pass
"""


class Guard:
    """The process that outlives this one. It is started with the first group."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[bytes] | None = None
        self._owner = 0

    def tell(self, sign: str, group: int) -> None:
        """Let it take care of a group of processes ("+"), or not any more ("-")."""
        if self._owner != os.getpid():
            self._begin()
        if self._process is not None and self._process.stdin is not None:
            with suppress(OSError):  # it was killed: then our own end is all there is
                self._process.stdin.write(f"{sign}{group}\n".encode())

    def _begin(self) -> None:
        self._owner, self._process = os.getpid(), None
        if not sys.executable:
            return
        self._process = subprocess.Popen(
            [sys.executable, "-I", "-S", "-c", SCRIPT],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
            bufsize=0,
        )
        atexit.register(self._end)

    def _end(self) -> None:
        if self._process is not None and self._owner == os.getpid():
            assert self._process.stdin is not None
            self._process.stdin.close()
            self._process.wait()
            self._process = None


GUARD = Guard()

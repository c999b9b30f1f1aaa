"""A boxed process that has imported what an answer needs, and forks for each answer.

It runs no answer itself, so each of its forks begins as clean as the first one; to fork takes a
hundredth of the time that a Python takes to start in a box.
"""

import os
import socket
import struct
import subprocess
import weakref
from collections.abc import Callable, Sequence
from functools import partial
from typing import IO

from raftlab.grading.child import lock
from raftlab.grading.child.serve import ANSWER, ORDER
from raftlab.process.child import Child, Process, ended
from raftlab.process.guard import GUARD
from raftlab.raft.vocabulary import Misuse

PATIENCE_S = 60.0
"""How long a box may take to start (s)."""


class Forked:
    """One fork, with pipes of its own: what a `Child` needs to know of a process."""

    def __init__(self, end: Callable[[], int], stdin: int, stdout: int, pid: int) -> None:
        self._end = end
        self._ended: int | None = None
        self.stdin: IO[bytes] | None = os.fdopen(stdin, "wb", 0)
        self.stdout: IO[bytes] | None = os.fdopen(stdout, "rb", 0)
        self.stderr: IO[bytes] | None = open(os.devnull, "rb", 0)  # noqa: SIM115
        self.pid = pid

    def poll(self) -> int | None:
        """How it has ended; None, as long as nobody has ended it."""
        return self._ended

    def wait(self, timeout: float | None = None) -> int:
        """End it, if it has not ended by itself; how it has ended."""
        if self._ended is None:
            self._ended = self._end()
        return self._ended


def forked(start: Callable[[], Forked], *, patience_s: float, longest_line: int) -> Child:
    """The fork that `start` starts, to be asked by lines. Raises: Misuse, if the box fails."""
    return Child(
        (),
        patience_s=patience_s,
        longest_line=longest_line,
        starts=lambda _: start(),
        ends=forked_ended,
    )


def forked_ended(process: Process, owner: int) -> None:
    """End a fork, and close its pipes."""
    if os.getpid() != owner:
        return
    process.wait()
    for file in (process.stdin, process.stdout, process.stderr):
        if file is not None:
            file.close()


class Forks:
    """The process that forks, started by `command` when the first fork is wanted.

    `is_numbered` says whether its forks have the numbers here that they have there.
    """

    def __init__(self, command: Sequence[str], is_numbered: bool) -> None:
        self._command = command
        self._is_numbered = is_numbered
        self._socket: socket.socket | None = None
        self._process: subprocess.Popen[bytes] | None = None
        self._end: Callable[[], object] | None = None

    def start(self, round: int = 0) -> Forked:
        """A fork that serves one answer. What can differ from run to run differs by `round` alone.

        Raises: Misuse, if the box does not start.
        """
        told, tells = os.pipe()
        heard, says = os.pipe()
        try:
            number = self._ordered(b"s", round, (told, says))
        finally:
            os.close(told)
            os.close(says)
        pid = number if self._is_numbered else 0
        return Forked(partial(self.end, number, self._socket), tells, heard, pid)

    def end(self, number: int, home: object) -> int:
        """End a fork of the process that is at `home`; how it has ended.

        Where that process is gone, so are its forks.
        """
        return self._ordered(b"e", number) if self._socket is home else 0

    def close(self) -> None:
        """End the process, and all its forks."""
        if self._end is not None:
            self._end()
        self._socket = self._end = None

    def _ordered(self, what: bytes, number: int, files: Sequence[int] = ()) -> int:
        order = struct.pack(ORDER, what, number)
        for _ in range(2):
            try:
                ours = self._socket or self._begin()
                socket.send_fds(ours, [order], files)
                if said := ours.recv(struct.calcsize(ANSWER)):
                    return int(struct.unpack(ANSWER, said)[0])
            except OSError:  # it was killed: by the system, for want of memory, say
                pass
            self.close()
            if what == b"e":
                return 0
        raise Misuse("the box in which answers run does not start any more")

    def _begin(self) -> socket.socket:
        ours, theirs = socket.socketpair()
        with theirs:
            process = subprocess.Popen(
                list(self._command),
                stdin=theirs.fileno(),
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                start_new_session=True,
                cwd="/",
                preexec_fn=lock.keep_addresses,
            )
        GUARD.tell("+", process.pid)
        self._process = process
        ours.settimeout(PATIENCE_S)
        self._socket = ours
        self._end = weakref.finalize(self, _closed, ours, process, os.getpid())
        return ours


def _closed(ours: socket.socket, process: "subprocess.Popen[bytes]", owner: int) -> None:
    ours.close()
    ended(process, owner)

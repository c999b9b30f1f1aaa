"""A child process that answers one line with one line, within limits.

Nothing here knows Raft: whatever speaks lines can be asked so.
"""

import os
import select
import signal
import subprocess
import warnings
import weakref
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from time import monotonic
from typing import IO, NoReturn, Protocol

from raftlab.process.faults import MachineFault, shown_line
from raftlab.process.guard import GUARD
from raftlab.process.last_words import KEPT, last_words
from raftlab.process.limits import LONGEST_LINE, MEMORY_MB, PATIENCE_S
from raftlab.raft.vocabulary import shortened

LOOKS_EVERY_MS = 50
LOOKS_EVERY_CALLS = 256
READ = 1 << 16
DIES_WITHIN_S = 1.0
ENDS_WITHIN_S = 5.0
PAGE = os.sysconf("SC_PAGE_SIZE") if hasattr(os, "sysconf") else 4096


class Process(Protocol):
    """A process with three pipes, as `subprocess.Popen` is one.

    It has no number (0) where it lives among others that this system does not number.
    """

    stdin: IO[bytes] | None
    stdout: IO[bytes] | None
    stderr: IO[bytes] | None

    @property
    def pid(self) -> int:
        """Its number."""

    def poll(self) -> int | None:
        """How it has ended; None, if it runs."""

    def wait(self, timeout: float | None = None) -> int:
        """How it has ended, once it has. Raises: subprocess.TimeoutExpired."""


class Child:
    """A process that is told a line, and says one: `ask`.

    `command` is the program and its arguments, whatever it begins with: a sandbox, say. It is given
    `patience_s` seconds for a line, of at most `longest_line` bytes, and `memory_mb` megabytes,
    where a system tells (Linux). What breaks that ends it, with all that it has started, and is a
    `MachineFault`; so it ends with this object, and with this process, however that ends. Who can
    start such processes in another way says how one starts and ends: `starts`, `ends`.
    `unfinished` is what it has said of the line that it was asked for last.

        >>> child = Child(["cat"])
        >>> child.ask(b"{}")
        b'{}'
        >>> child.end()

    Raises: MachineFault, if it cannot be started.
    """

    def __init__(
        self,
        command: Sequence[str],
        *,
        patience_s: float = PATIENCE_S,
        longest_line: int = LONGEST_LINE,
        memory_mb: int = MEMORY_MB,
        starts: "Callable[[Sequence[str]], Process] | None" = None,
        ends: "Callable[[Process, int], None] | None" = None,
    ) -> None:
        self.command = tuple(command)
        self._patience_s = patience_s
        self._longest_line = longest_line
        self._memory_mb = memory_mb
        self._asked = 0
        self.unfinished = b""
        self._stderr = b""
        self._process: Process = (starts or started)(self.command)
        assert self._process.stdin and self._process.stdout and self._process.stderr
        self._in = self._process.stdin.fileno()
        self._out = self._process.stdout.fileno()
        self._err = self._process.stderr.fileno()
        for each in (self._in, self._out, self._err):
            os.set_blocking(each, False)
        self._ready = select.poll()
        self._ready.register(self._out, select.POLLIN)
        self._ready.register(self._err, select.POLLIN)
        self.end = weakref.finalize(self, ends or ended, self._process, os.getpid())

    @property
    def pid(self) -> int:
        """The number of the process."""
        return self._process.pid

    def ask(self, line: bytes) -> bytes:
        """What it says to a line (without its end): one line, without its end.

        Raises: MachineFault. Then, and after an interrupt, it has been ended.
        """
        try:
            return self._exchange(line)
        except BaseException:
            self.end()
            raise

    def _exchange(self, line: bytes) -> bytes:
        self._look()
        if said := self._read():
            raise MachineFault("out of turn", f"it said {shown_line(said)} and was not asked")
        unread = self._write(memoryview(line + b"\n"))
        if unread:
            self._ready.register(self._in, select.POLLOUT)
        said, deadline = b"", 0.0
        self.unfinished = b""
        while True:
            ready = self._ready.poll(LOOKS_EVERY_MS)
            for file, _ in ready:
                if file == self._out:
                    said += self._read()
                    self.unfinished = said
                elif file == self._err:
                    self._read_stderr()
                else:
                    unread = self._write_more(unread)
            if b"\n" in said:
                return self._line(said, unread)
            if len(said) > self._longest_line:
                raise self._flooded(said)
            if not ready:
                self._check_it_works()
            if not deadline:
                deadline = monotonic() + self._patience_s
            elif monotonic() > deadline:
                raise self._hung(said)

    def _look(self) -> None:
        """Whether it can be asked, and, now and then, how much it holds. Raises: MachineFault."""
        if not self.end.alive:
            raise MachineFault("died", "its process was ended before")
        self._asked += 1
        if self._asked % LOOKS_EVERY_CALLS == 0:
            self._check_memory()

    def _check_it_works(self) -> None:
        """Raises: MachineFault, if it has ended: what it has started may hold the pipe open."""
        self._check_memory()
        if self._process.poll() is not None:
            self._died()

    def _flooded(self, said: bytes) -> MachineFault:
        most = f"more than {self._longest_line:,} bytes in one line"
        return MachineFault("flooded", f"it said {most}, which begins {shown_line(said[:200])}")

    def _hung(self, said: bytes) -> MachineFault:
        what = f"only {shown_line(said)}" if said else "nothing"
        within = f"within {self._patience_s:g} s (does it flush each line?)"
        return MachineFault("hung", f"it said {what} {within}{self._last_words()}")

    def _line(self, said: bytes, unread: memoryview) -> bytes:
        """The one line that it said. Raises: MachineFault, if that is not all, or too long."""
        first, _, more = said.partition(b"\n")
        if more:
            second = shown_line(more.partition(b"\n")[0])
            raise MachineFault(
                "out of turn", f"it said more than one line: {shown_line(first)}, and then {second}"
            )
        if unread:
            raise MachineFault(
                "out of turn", f"it said {shown_line(first)} before it had read what it was told"
            )
        if len(first) > self._longest_line:
            raise self._flooded(first)
        return first

    def _write(self, data: memoryview) -> memoryview:
        """Write what the pipe takes; the rest is returned. Raises: MachineFault."""
        try:
            return data[os.write(self._in, data) :]
        except BlockingIOError:
            return data
        except BrokenPipeError:
            self._died()

    def _write_more(self, data: memoryview) -> memoryview:
        rest = self._write(data)
        if not rest:
            self._ready.unregister(self._in)
        return rest

    def _read(self) -> bytes:
        """What it has said; nothing, if it has said nothing yet."""
        try:
            said = os.read(self._out, READ)
        except BlockingIOError:
            return b""
        if not said:
            self._died()
        return said

    def _read_stderr(self) -> None:
        with suppress(BlockingIOError):
            if said := os.read(self._err, READ):
                self._stderr = (self._stderr + said)[-KEPT:]
            else:
                self._ready.unregister(self._err)

    def _died(self) -> NoReturn:
        """Raises: MachineFault, with how it ended and what it wrote last."""
        try:
            code = self._process.wait(DIES_WITHIN_S)
        except subprocess.TimeoutExpired:
            raise MachineFault(
                "died", f"it has closed its standard output{self._last_words()}"
            ) from None
        how = f"by signal {-code}" if code < 0 else f"with exit code {code}"
        raise MachineFault("died", f"its process ended {how}{self._last_words()}")

    def _last_words(self) -> str:
        """What it wrote of it to the standard error output, for a sentence."""
        for _ in range(KEPT):
            try:
                said = os.read(self._err, READ)
            except BlockingIOError:
                break
            if not said:
                break
            self._stderr = (self._stderr + said)[-KEPT:]
        told = last_words(self._stderr)
        return f"; its last words were: {told}" if told else ""

    def _check_memory(self) -> None:
        try:
            pages = int(Path(f"/proc/{self.pid}/statm").read_bytes().split()[1])
        except (OSError, IndexError, ValueError):  # no Linux, or it has just ended
            return
        if pages * PAGE > self._memory_mb << 20:
            raise MachineFault(
                "too much memory", f"its process holds more than {self._memory_mb:,} MB of memory"
            )


def started(command: Sequence[str]) -> "subprocess.Popen[bytes]":
    """The process, in a session of its own. Raises: MachineFault, if it cannot be started."""
    try:
        process = subprocess.Popen(
            list(command),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            bufsize=0,
            start_new_session=True,
        )
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or str(error)
        named = shortened(command[0]) if command else "nothing"
        raise MachineFault("cannot start", f"{named} cannot be started: {why}") from error
    GUARD.tell("+", process.pid)
    return process


def ended(process: Process, owner: int) -> None:
    """End a process and all of its process group, and wait for it.

    One that we may not end (it became another user's) is warned of: it may go on.
    """
    if os.getpid() != owner:  # a fork of that process: the child is not its own
        return
    with suppress(ProcessLookupError, PermissionError):
        if process.poll() is None or _group_is_left(process.pid):
            os.killpg(process.pid, signal.SIGKILL)
    for file in (process.stdin, process.stdout, process.stderr):
        if file is not None:
            with suppress(OSError):
                file.close()
    try:
        process.wait(ENDS_WITHIN_S)
    except subprocess.TimeoutExpired:
        warnings.warn(
            f"process {process.pid} cannot be ended, and may go on: end it by hand",
            RuntimeWarning,
            stacklevel=2,
        )
    GUARD.tell("-", process.pid)


def _group_is_left(group: int) -> bool:
    """Whether a process of the group is left: its number is in use as long as one is."""
    try:
        os.killpg(group, 0)
    except OSError:
        return False
    return True

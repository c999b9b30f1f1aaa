"""What a program may do that the kernel refuses in a box: it is done here, and harms nobody.

Waiting is over at once, and is seen on the program's own clock alone. A program waits for its next
line as well by reading it, so whoever asks whether there is one is told yes, and then reads.
"""

import builtins
import io
import os
import stat
import sys
import time
from collections.abc import Iterable
from functools import partial
from types import ModuleType
from typing import Any

from raftlab.grading.child.sameness import put

MOST_WAITS = 1_000
"""How often in a row a wait with an end comes to its end; then there is something to read."""
STDIN = 0
PIPE = os.stat_result((stat.S_IFIFO | 0o600, 0, 0, 1, 0, 0, 0, 0, 0, 0))
WRITES_TO = os.O_WRONLY | os.O_RDWR | os.O_CREAT
DO_NOTHING = (
    *("mkdir", "rmdir", "remove", "unlink", "rename", "replace", "utime", "chmod"),
    *("fsync", "fdatasync", "truncate", "ftruncate"),
)
"""What is done with files, where no file that is written is ever there."""
READS, WRITES = 1, 4
"""POLLIN, POLLOUT."""


def begin() -> None:
    """Put what is harmless into its place; to be called before a program imports anything."""
    sys.modules["select"] = _select_module()
    write_nowhere()
    put(os, "set_blocking", lambda *_: None)
    put(os, "fstat", lambda number: PIPE if number in (0, 1, 2) else os.stat(number))


def write_nowhere() -> None:
    """Let what is written into files go nowhere, and what is done with files be nothing."""
    nowhere = os.open(os.devnull, os.O_RDWR)
    opens, opens_low = io.open, os.open

    def opened(file: Any, mode: str = "r", *given: Any, **named: Any) -> Any:
        """A file that is written goes nowhere: nobody reads it."""
        if isinstance(file, int) or not {*"wax"} & {*mode}:
            return opens(file, mode, *given, **named)
        return opens(os.dup(nowhere), mode.replace("x", "w"), *given, **named)

    def opened_low(path: Any, flags: int, *given: Any, **named: Any) -> int:
        return os.dup(nowhere) if flags & WRITES_TO else opens_low(path, flags, *given, **named)

    for home in (builtins, io):
        put(home, "open", opened)
    put(os, "open", opened_low)
    for name in DO_NOTHING:
        put(os, name, lambda *_, **__: None)


def after_imports() -> None:
    """The same in modules that have been imported by now."""
    if (socket := sys.modules.get("socket")) is not None:
        put(socket, "socketpair", lambda *_: tuple(map(End, os.pipe())))
        put(socket, "gethostname", lambda: "box")
    if (tempfile := sys.modules.get("tempfile")) is not None:
        setattr(tempfile, "tempdir", "/tmp")  # noqa: B010
        for name in ("TemporaryFile", "NamedTemporaryFile"):
            setattr(tempfile, name, _temporary)


def _temporary(mode: str = "w+b", *_: Any, **named: Any) -> Any:
    """A file that is in memory alone; it has a name, by which nobody finds it."""
    kept = {key: each for key, each in named.items() if key in ("encoding", "newline", "errors")}
    file = open(os.memfd_create("temporary"), mode, **kept)  # noqa: SIM115
    of: Any = getattr(file, "buffer", file)
    of = getattr(of, "raw", of)
    of.name = f"/tmp/{named.get('prefix') or 'tmp'}{file.fileno()}{named.get('suffix') or ''}"
    return file


class End:
    """One end of what an event loop wakes itself with."""

    def __init__(self, number: int) -> None:
        self._number = number

    def fileno(self) -> int:
        """Its number."""
        return self._number

    def setblocking(self, _: bool) -> None:
        """Nothing waits."""

    def send(self, data: bytes) -> int:
        """Write to it."""
        return os.write(self._number, data)

    def close(self) -> None:
        """Close it."""
        os.close(self._number)


def _select_module() -> ModuleType:
    """The module `select`, without what waits in the kernel."""
    module = ModuleType("select")
    waits = Waits()
    names = {"POLLIN": READS, "POLLPRI": 2, "POLLOUT": WRITES, "POLLERR": 8, "POLLHUP": 16}
    vars(module).update(error=OSError, select=waits.select, poll=partial(Poll, waits), **names)
    return module


class Waits:
    """`select.select`, by how often it was asked since there last was something to read."""

    def __init__(self) -> None:
        self._count = 0

    def select(
        self, reads: Iterable[Any], writes: Iterable[Any], _: object, timeout: float | None = None
    ) -> tuple[list[Any], list[Any], list[Any]]:
        """What can be read, and written to. Raises: OSError, if it would wait for ever."""
        waiting, ready = [each for each in reads if _number(each) == STDIN], [*writes]
        if ready:
            return [], ready, []
        if timeout is not None and (self._count < MOST_WAITS or not waiting):
            self._count += 1
            time.sleep(timeout)
            return [], [], []
        if not waiting:
            raise OSError("it waits for what never comes: there is no file but the standard input")
        self._count = 0
        return waiting, [], []


class Poll:
    """`select.poll`."""

    def __init__(self, waits: Waits) -> None:
        self._waits = waits
        self._asked: dict[int, int] = {}

    def register(self, file: Any, events: int = READS | WRITES) -> None:
        """Look at a file."""
        self._asked[_number(file)] = events

    modify = register

    def unregister(self, file: Any) -> None:
        """Look at it no more. Raises: KeyError."""
        del self._asked[_number(file)]

    def poll(self, timeout: float | None = None) -> list[tuple[int, int]]:
        """What can be read, and written to; `timeout` in ms."""
        asked = self._asked.items()
        reads, writes = (
            [file for file, events in asked if events & each] for each in (READS, WRITES)
        )
        wait_s = None if timeout is None or timeout < 0 else timeout / 1000
        readable, writable, _ = self._waits.select(reads, writes, (), wait_s)
        return [*((file, READS) for file in readable), *((file, WRITES) for file in writable)]


def _number(file: Any) -> int:
    number: int = file if isinstance(file, int) else file.fileno()
    return number

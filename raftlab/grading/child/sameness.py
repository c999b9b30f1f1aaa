"""What differs from run to run and from machine to machine, made the same before an answer runs.

Chance is drawn from one seed; every clock stands still, but for whoever sleeps. An answer is asked
once more in another `round`: with another seed, at another time, and with its values at other
places in memory. Who answers otherwise then looks at what is no argument.
"""

import itertools
import os
import random
import sys
import time
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

BEGINS_S = (1_000_000_000, 1_234_567_891)
"""What the clocks show, by round: seconds since 1970."""
LONGEST_S = 1e9
FILLED = 120_000
SIZES = range(2, 481, 16)
"""So many bytes of values of each of these sizes, more than is free in the memory of a process that
forks, move all later ones in the second round."""
OTHER_WAYS = ("ctypes", "_ctypes")
"""What leads to the system's own clocks and chance, and may not be imported."""
CLOCKS = ("time", "monotonic", "perf_counter", "process_time", "thread_time")


class Unbound:
    """A function that is called as it is, also by the name of a class: those of C are so."""

    def __init__(self, does: Callable[..., Any]) -> None:
        self._does = does

    def __call__(self, *given: Any, **named: Any) -> Any:
        """What the function does."""
        return self._does(*given, **named)


def put(home: Any, name: str, does: Callable[..., Any]) -> None:
    """Put a function into a module in the place of one in C."""
    setattr(home, name, Unbound(does))


def begin(round: int) -> list[Any]:
    """Make this process one that is the same everywhere; what is returned is to be kept."""
    clock = begin_without_dates(round)
    stop_dates(clock)
    stop_waits(clock)
    setattr(os, "_exit", sys.exit)  # noqa: B010  # a cell that ends its kernel costs no other cell
    small = [(object(), float(place)) for place in range(FILLED // 16 * round)]
    return [*small, *(bytes(size) for size in SIZES for _ in range(FILLED // (size + 33) * round))]


def begin_without_dates(round: int) -> "Clock":
    """The same, but for `datetime`, and for where values lie."""
    clock = Clock(float(BEGINS_S[round]))
    _stop(clock)
    _seed(round)
    _say_where_it_is()
    for name in OTHER_WAYS:
        sys.modules[name] = None  # type: ignore[assignment]
    return clock


class Clock:
    """What the time is (s): as late as it was, and later by what was slept; nobody waits."""

    def __init__(self, now: float) -> None:
        self.now = now

    def sleep(self, seconds: float) -> None:
        """Let that much time be over. Raises: ValueError, OverflowError, as `time.sleep` does."""
        if seconds < 0 or seconds != seconds:
            raise ValueError("sleep length must be non-negative")
        if seconds > LONGEST_S:
            raise OverflowError("timestamp too large to convert to C PyTime_t")
        self.now += seconds


def _stop(clock: Clock) -> None:
    for name in CLOCKS:
        put(time, name, lambda: clock.now)
        put(time, f"{name}_ns", lambda: int(clock.now * 10**9))
    put(time, "clock_gettime", lambda _: clock.now)
    put(time, "clock_gettime_ns", lambda _: int(clock.now * 10**9))
    put(time, "sleep", clock.sleep)
    info = SimpleNamespace(implementation="", monotonic=True, adjustable=False, resolution=1e-6)
    put(time, "get_clock_info", lambda _: info)
    for name in ("localtime", "gmtime", "ctime"):
        told = getattr(time, name)
        put(time, name, lambda of=None, told=told: told(clock.now if of is None else of))
    for name, place in (("strftime", 1), ("asctime", 0)):
        told = getattr(time, name)
        put(time, name, _with_time(told, place))


def stop_waits(clock: Clock) -> None:
    """Let waits with an end come to it at once, by this clock: the kernel says that it is over."""
    import threading  # a program that has no locks starts sooner without it

    waits = threading.Condition.wait

    def wait(self: threading.Condition, timeout: float | None = None) -> bool:
        if timeout is not None:
            clock.sleep(max(timeout, 0))
        return waits(self, timeout)

    setattr(threading.Condition, "wait", wait)  # noqa: B010


def stop_dates(clock: Clock) -> None:
    """Let dates be those of this clock."""
    import datetime  # a program that has no dates starts sooner without it

    class Date(datetime.date):
        @classmethod
        def today(cls) -> Any:
            return cls.fromtimestamp(clock.now)

    class DateTime(datetime.datetime):
        @classmethod
        def now(cls, tz: Any = None) -> Any:
            return cls.fromtimestamp(clock.now, tz)

        today = now

        @classmethod
        def utcnow(cls) -> Any:
            return cls.utcfromtimestamp(clock.now)

    for name, kind in (("date", Date), ("datetime", DateTime)):
        kind.__name__ = kind.__qualname__ = name
        setattr(datetime, name, kind)


def _say_where_it_is() -> None:
    """Answer as every machine does what the kernel does not answer here."""
    for name, answer in (
        ("cpu_count", 1),
        ("getcwd", "/"),
        ("getcwdb", b"/"),
        ("uname", os.uname_result(("Linux", "box", "", "", "box"))),
    ):
        put(os, name, lambda answer=answer: answer)


def _with_time(told: Any, place: int) -> Any:
    def tell(*given: Any) -> Any:
        return told(*given) if len(given) > place else told(*given, time.localtime())

    return tell


def _seed(round: int) -> None:
    """Draw all chance from one seed, that of the system and of sources without a seed, too."""
    system = random.Random(round)
    numbers = itertools.count(1 + 10**9 * round)
    seed = random.Random.seed

    def seeded(self: random.Random, a: Any = None, version: int = 2) -> None:
        seed(self, next(numbers) if a is None else a, version)

    def urandom(size: int, /) -> bytes:
        return system.randbytes(size)

    setattr(random.Random, "seed", seeded)  # noqa: B010
    put(random, "_urandom", urandom)
    put(os, "urandom", urandom)
    put(os, "getrandom", lambda size, flags=0: urandom(size))
    vars(random)["_inst"].seed(round)  # whoever draws without a source draws from this one

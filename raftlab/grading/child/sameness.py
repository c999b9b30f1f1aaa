"""What differs from run to run and from machine to machine, made the same before an answer runs.

Chance is drawn from one seed, every clock stands still. An answer is asked once more in another
`round`: with another seed, at another time, and with its values at other places in memory. Who
answers otherwise then looks at what is no argument.
"""

import datetime
import itertools
import os
import random
import sys
import time
from typing import Any

BEGINS_S = (1_000_000_000, 1_234_567_891)
"""What the clocks show, by round: seconds since 1970."""
FILLED = 120_000
SIZES = range(2, 481, 16)
"""So many bytes of values of each of these sizes, more than is free in the memory of a process that
forks, move all later ones in the second round."""
OTHER_WAYS = ("ctypes", "_ctypes")
"""What leads to the system's own clocks and chance, and may not be imported."""
CLOCKS = ("time", "monotonic", "perf_counter", "process_time", "thread_time")


def begin(round: int) -> list[Any]:
    """Make this process one that is the same everywhere; what is returned is to be kept."""
    _stop_clocks(float(BEGINS_S[round]))
    _seed(round)
    setattr(os, "cpu_count", lambda: 1)  # noqa: B010
    setattr(os, "_exit", sys.exit)  # noqa: B010  # a cell that ends its kernel costs no other cell
    for name in OTHER_WAYS:
        sys.modules[name] = None  # type: ignore[assignment]
    small = [(object(), float(place)) for place in range(FILLED // 16 * round)]
    return [*small, *(bytes(size) for size in SIZES for _ in range(FILLED // (size + 33) * round))]


def _stop_clocks(now: float) -> None:
    for name in CLOCKS:
        setattr(time, name, lambda: now)
        setattr(time, f"{name}_ns", lambda: int(now) * 10**9)
    setattr(time, "clock_gettime", lambda _: now)  # noqa: B010
    setattr(time, "clock_gettime_ns", lambda _: int(now) * 10**9)  # noqa: B010
    setattr(time, "sleep", _sleep)  # noqa: B010
    for name in ("localtime", "gmtime", "ctime"):
        told = getattr(time, name)
        setattr(time, name, lambda of=None, told=told: told(now if of is None else of))
    for name, place in (("strftime", 1), ("asctime", 0)):
        told = getattr(time, name)
        setattr(time, name, _with_time(told, place))

    class Date(datetime.date):
        @classmethod
        def today(cls) -> Any:
            return cls.fromtimestamp(now)

    class DateTime(datetime.datetime):
        @classmethod
        def now(cls, tz: Any = None) -> Any:
            return cls.fromtimestamp(now, tz)

        today = now

        @classmethod
        def utcnow(cls) -> Any:
            return cls.utcfromtimestamp(now)

    for name, kind in (("date", Date), ("datetime", DateTime)):
        kind.__name__ = kind.__qualname__ = name
        setattr(datetime, name, kind)


def _with_time(told: Any, place: int) -> Any:
    def tell(*given: Any) -> Any:
        return told(*given) if len(given) > place else told(*given, time.localtime())

    return tell


def _sleep(_: float) -> None:
    raise OSError("nothing sleeps where answers are graded")


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
    setattr(random, "_urandom", urandom)  # noqa: B010
    setattr(os, "urandom", urandom)  # noqa: B010
    setattr(os, "getrandom", lambda size, flags=0: urandom(size))  # noqa: B010
    vars(random)["_inst"].seed(round)  # whoever draws without a source draws from this one

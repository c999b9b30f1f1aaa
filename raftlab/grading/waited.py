"""How long somebody else's code has been waited for: one bound for all of it."""

from collections.abc import Iterator
from contextlib import contextmanager
from time import monotonic

MOST_S = 240.0
"""How long all that share a `Waited` may be waited for (s): right answers take about ten."""


class Waited:
    """How long answers have been waited for (s): all that share it have one bound.

    `left_out` are statements that are not run, since they ended a process.
    """

    def __init__(self) -> None:
        self.took_s = 0.0
        self.left_out: set[str] = set()

    @property
    def is_over(self) -> bool:
        """Whether nothing more is to be asked."""
        return self.took_s > MOST_S

    @contextmanager
    def counted(self) -> Iterator[None]:
        """Inside, time counts."""
        begun = monotonic()
        try:
            yield
        finally:
            self.took_s += monotonic() - begun

"""A source is run in a process; a statement in which the process ends is left out of the next one.

So a statement that works long in C, or waits for ever, costs what it defines, and no more.
"""

from collections.abc import Callable, Mapping
from typing import Any

from raftlab.grading.child.running import MARK
from raftlab.grading.replies import encoded
from raftlab.grading.waited import Waited
from raftlab.process.child import Child
from raftlab.process.faults import MachineFault

MOST_LEFT_OUT = 12
"""How many statements of a submission are left out so: each takes seconds to be found."""


def loaded(
    begin: Callable[[], Child], asks: Mapping[str, Any], waited: Waited
) -> tuple[Child, bytes]:
    """A process that has run a source, and what it says of it. Raises: MachineFault.

    What is left out is kept in `waited`, for the other answers of a submission.
    """
    while True:
        child = begin()
        try:
            with waited.counted():
                said = child.ask(encoded({**asks, "without": sorted(waited.left_out)}))
            return child, reply_in(said)
        except MachineFault:
            at = child.unfinished.rpartition(MARK)[0].rpartition(MARK)[2].decode(errors="replace")
            if not at or at in waited.left_out or waited.is_over:
                raise
            if len(waited.left_out) >= MOST_LEFT_OUT:
                raise
            waited.left_out.add(at)


def reply_in(said: bytes) -> bytes:
    """What is said after all marks."""
    return said.rpartition(MARK)[2]

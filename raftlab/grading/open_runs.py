"""Runs that feedback may show: of seeds that are no secret, and as short as they were found."""

from contextlib import suppress

from raftlab.check.shrink.minimize import shrink
from raftlab.grading.seeds import Seeds
from raftlab.process.faults import MachineFault
from raftlab.raft.vocabulary import Misuse
from raftlab.sim.run.recording import Recording

OPEN_SEEDS = (1, 2, 3, 4)
"""The seeds of the class are not among them, and nothing of those is ever shown."""
OPEN = Seeds(b"what everybody may know")
"""Whatever is drawn and may be shown is drawn from these."""
TRIES = 150
"""How many runs are tried to find a shorter one."""
MOST_ACTIONS = 400
"""A longer run is not shown: it tells nobody anything."""
MOST_SHORTENED = 10_000
"""Nor is a shorter one looked for where a run is so long."""


def shortest(recording: Recording) -> Recording:
    """The shortest run that was found, if this one breaks a property; else itself."""
    with suppress(Misuse, MachineFault):
        return shrink(recording, budget=TRIES)
    return recording


def shared(recording: Recording) -> str:
    """A share string of the shortest run, or "" where that is long still."""
    if len(recording.actions) > MOST_SHORTENED:
        return ""
    return told_run(shortest(recording))


def told_run(recording: Recording) -> str:
    """A share string of a run, or "" of one that is too long to be looked at."""
    return recording.share() if len(recording.actions) <= MOST_ACTIONS else ""

"""Runs that feedback may show: of seeds that are no secret, and as short as they were found."""

from contextlib import suppress

from raftlab.check.shrink.minimize import shrink
from raftlab.process.faults import MachineFault
from raftlab.raft.vocabulary import Misuse
from raftlab.sim.run.recording import Recording

OPEN_SEEDS = (1, 2, 3, 4)
"""The seeds of the class are not among them, and nothing of those is ever shown."""
TRIES = 150
"""How many runs are tried to find a shorter one."""
MOST_ACTIONS = 400
"""A longer run is not shown: it tells nobody anything."""


def shortest(recording: Recording) -> Recording:
    """The shortest run that was found, if this one breaks a property; else itself."""
    with suppress(Misuse, MachineFault):
        return shrink(recording, budget=TRIES)
    return recording


def shared(recording: Recording) -> str:
    """A share string of the shortest run, or "" where that is long still."""
    recording = shortest(recording)
    return recording.share() if len(recording.actions) <= MOST_ACTIONS else ""

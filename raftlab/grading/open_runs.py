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
MOST_SHARED = 1 << 16
"""Nor is a share string of more characters: a machine's own notes are in it, too."""
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
    recording = shortest(recording)
    text = recording.share() if len(recording.actions) <= MOST_ACTIONS else ""
    return text if len(text) <= MOST_SHARED else ""

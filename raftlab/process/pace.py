"""How much a machine does in how little time: what never lets time pass would never end."""

import copy

from raftlab.process.faults import MachineFault
from raftlab.process.limits import MOST_MESSAGES, MOST_TICKS, WINDOW_MS
from raftlab.process.wire import Arrives, Reply, TickLine, Told
from raftlab.raft.options import Options
from raftlab.raft.vocabulary import Configuration, Millis


class Pace:
    """What a node was told and said since `begun` (ms): within a heartbeat interval, or 100 ms.

    A message in pays for one out, and whatever else it is told for one to each member: so what
    is counted is what nobody has caused, and a sound machine has next to nothing of it.
    """

    __slots__ = ("begun", "messages", "ticks", "window")

    def __init__(self, options: Options) -> None:
        self.window: Millis = min(WINDOW_MS, options.heartbeat_interval)
        self.begun: Millis = 0.0
        self.ticks = 0
        self.messages = 0

    def check(self, line: Told, reply: Reply, configuration: Configuration) -> None:
        """One more line, and the reply to it. Raises: MachineFault, if that is too much."""
        if line.now - self.begun >= self.window:
            self.begun, self.ticks, self.messages = line.now, 0, 0
        kind = type(line)
        self.messages += len(reply.messages) + len(reply.messages_at_once)
        if kind is Arrives:
            self.messages -= 1
        else:
            self.messages -= len(configuration.members)
            self.ticks += kind is TickLine
        if self.ticks > MOST_TICKS:
            raise MachineFault(
                "storm",
                f"it was woken {self.ticks:,} times within {self.window:g} ms of virtual time, and"
                f" wants to be woken again: wake_at hardly moves on",
            )
        if self.messages > MOST_MESSAGES:
            raise MachineFault(
                "storm",
                f"within {self.window:g} ms of virtual time it sent over {MOST_MESSAGES:,} messages"
                " more than it was sent and asked for: its messages breed messages",
            )

    def copy(self) -> "Pace":
        """Another one that goes on from here."""
        return copy.copy(self)

"""How far a search looks, and what it therefore did not look at."""

import msgspec

from raftlab.raft.options import is_count
from raftlab.raft.vocabulary import Misuse, Term, shown
from raftlab.sim.world.actions import Compact, ForgetLeader, Read, Reconfigure, TransferLeadership

OneTimeAction = Compact | ForgetLeader | Read | Reconfigure | TransferLeadership
"""What may happen once in a run of the search, at the node that it names; "" is any node."""


class Scope(msgspec.Struct, frozen=True):
    """The bounds of a search.

    * `terms`: no node goes beyond this term, so it says how many elections there may be.
    * `entries`: a leader whose log ends there takes no more commands.
    * `in_flight`: at most so many messages have been sent and have not arrived, after every
      event; None is without a bound. A message makes room when it arrives, even if nothing
      comes of it. One that is lost does not arrive, and stays among them to the end; so does
      one that comes while its receiver is down, since a crash and its restart are one event
      (but what is for a node that is down from the beginning arrives). A node speaks to all
      others at once, so it is at least their number.
    * `heartbeats`, `restarts`, `duplicates`: how often, in all, a leader's heartbeat falls
      due, a node crashes and starts again, and a message arrives that comes once more.
    * `actions`: actions of which each may happen once: compact, read, reconfigure, transfer.
      A change of the network is none of them: every message may arrive at any time and in any
      order, or never, or twice, so a run in any weather is among those that are searched.
    * `depth`: how many events a run has at most; None is without a bound.

    Raises: Misuse, for what cannot be.
    """

    terms: Term = 2
    entries: int = 2
    in_flight: int | None = 6
    heartbeats: int = 0
    restarts: int = 0
    duplicates: int = 0
    actions: tuple[OneTimeAction, ...] = ()
    depth: int | None = None

    def __post_init__(self) -> None:
        for name in ("terms", "entries", "heartbeats", "restarts", "duplicates"):
            value = getattr(self, name)
            if not is_count(value) or value > 255:
                raise Misuse(f"{name} is a number from 0 to 255, not {shown(value)}")
        for name in ("in_flight", "depth"):
            value = getattr(self, name)
            if value is not None and not is_count(value):
                raise Misuse(f"{name} is a number from 0, or None for no bound, not {shown(value)}")
        if not isinstance(self.actions, tuple) or len(self.actions) > 16:
            raise Misuse("actions are a tuple of at most 16 actions")
        for action in self.actions:
            if not isinstance(action, OneTimeAction):
                raise Misuse(f"a search can {POSSIBLE}; it cannot do {shown(action)}")


POSSIBLE = "compact, forget a leader, read, reconfigure and transfer leadership"

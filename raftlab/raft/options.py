"""The numbers and switches of one machine. Times are ms of virtual time."""

import math

import msgspec

from raftlab.raft.vocabulary import Millis, Misuse


def is_number(value: object) -> bool:
    """Whether `value` is a number that can be a time: not endless, and not "not a number"."""
    return isinstance(value, int | float) and math.isfinite(value)


class Options(msgspec.Struct, frozen=True, gc=False):
    """How one machine is set.

    * `election_timeout`: (min, max); each campaign and each term draws anew. Paper: 9.3.
    * `heartbeat_interval`: how often a leader speaks at least. Paper: 5.2, 5.6.
    * `pre_vote`: ask for a chance before raising the term. Thesis: 9.6.
    * `check_quorum`: a leader that hears no majority steps down. Thesis: 6.2.
    * `leader_stickiness`: refuse votes while a leader is alive. Thesis: 4.2.3.
    * `max_entries_per_append`, `max_in_flight`: size of one message, and how many
      unanswered messages with entries may be under way to one follower. Thesis: 10.2.

    With `pre_vote` or `leader_stickiness` and without `check_quorum`, a leader that hears
    nobody and that all can hear leads for ever, and commits nothing.

    Raises: Misuse, for numbers that cannot work.
    """

    election_timeout: tuple[Millis, Millis] = (150.0, 300.0)
    heartbeat_interval: Millis = 50.0
    pre_vote: bool = True
    check_quorum: bool = True
    leader_stickiness: bool = True
    max_entries_per_append: int = 64
    max_in_flight: int = 10

    def __post_init__(self) -> None:
        span = self.election_timeout
        pair = isinstance(span, tuple) and len(span) == 2 and all(map(is_number, span))
        if not (pair and 0 < span[0] <= span[1]):
            raise Misuse(f"election_timeout must be (min, max) with 0 < min <= max, not {span!r}")
        interval = self.heartbeat_interval
        if not (is_number(interval) and interval > 0):
            raise Misuse(f"heartbeat_interval must be positive, not {interval!r}")
        for count in (self.max_entries_per_append, self.max_in_flight):
            if not isinstance(count, int) or count < 1:
                raise Misuse("max_entries_per_append and max_in_flight must be at least 1")

    @classmethod
    def figure_2(cls, **changes: object) -> "Options":
        """The paper's Figure 2 and nothing later: no pre-vote, check-quorum or stickiness."""
        plain = {"pre_vote": False, "check_quorum": False, "leader_stickiness": False}
        return msgspec.structs.replace(cls(), **{**plain, **changes})

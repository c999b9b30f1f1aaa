"""The numbers and switches of one machine. Times are ms of virtual time."""

import math

import msgspec

from raftlab.raft.vocabulary import Millis, Misuse

COUNTS = (
    "max_entries_per_append",
    "max_in_flight",
    "max_bytes_per_append",
    "max_uncommitted_bytes",
)
PROTECTIONS = ("pre_vote", "check_quorum", "leader_stickiness", "catch_up_first")


def is_number(value: object) -> bool:
    """Whether `value` is a number that can be a time: not endless, and not "not a number"."""
    return isinstance(value, int | float) and math.isfinite(value)


class Options(msgspec.Struct, frozen=True, gc=False):
    """How one machine is set.

    * `election_timeout`: (min, max); each campaign and each term draws anew. Paper: 9.3.
    * `heartbeat_interval`: how often a leader speaks at least, and so how much later than the
      leader its followers may learn what is committed. Paper: 5.2, 5.3, 5.6.
    * `pre_vote`: ask for a chance before raising the term. Thesis: 9.6.
    * `check_quorum`: a leader that hears no majority steps down. Thesis: 6.2.
    * `leader_stickiness`: refuse votes while a leader is alive. Thesis: 4.2.3.
    * `max_entries_per_append`, `max_bytes_per_append`, `max_in_flight`: size of one message
      (one entry always fits), and how many unanswered messages with entries may be under
      way to one follower. Thesis: 10.2.
    * `max_uncommitted_bytes`: a leader with more than that in commands that are not committed
      takes no further ones (one is always taken).
    * `trailing_entries`: how many entries a compacted log keeps below its snapshot. Paper: 7.
    * `snapshot_timeout`: when a snapshot that nobody has answered is sent again.
    * `transfer_timeout`: how long a leader tries to hand over before it goes on. Thesis: 3.10.
    * `catch_up_first`: only a learner that has caught up becomes a voter. Paper: 6. Thesis: 4.2.1.
    * `single_server_changes`: one voter is added or removed at a time, without a joint
      configuration. Thesis: 4.1.
    * `lease_reads`: a leader that was heard of late answers reads without asking again; safe
      while no clock runs more than `clock_drift_bound` times as fast as another. Thesis: 6.4.1.
    * `async_persistence`: the host says with `persisted` what is on disk, and leaders send
      entries while they write them. Thesis: 10.2.1.

    Without `check_quorum`, a leader that hears no majority leads on while all can hear it, and
    commits nothing: with `pre_vote` or `leader_stickiness`, while a majority can hear it.

    Raises: Misuse, for numbers that cannot work.
    """

    election_timeout: tuple[Millis, Millis] = (150.0, 300.0)
    heartbeat_interval: Millis = 50.0
    pre_vote: bool = True
    check_quorum: bool = True
    leader_stickiness: bool = True
    max_entries_per_append: int = 64
    max_in_flight: int = 10
    max_bytes_per_append: int = 65_536
    max_uncommitted_bytes: int = 1_048_576
    trailing_entries: int = 0
    snapshot_timeout: Millis = 500.0
    transfer_timeout: Millis = 300.0
    catch_up_first: bool = True
    single_server_changes: bool = False
    lease_reads: bool = False
    clock_drift_bound: float = 1.1
    async_persistence: bool = False

    def __post_init__(self) -> None:
        span = self.election_timeout
        pair = isinstance(span, tuple) and len(span) == 2 and all(map(is_number, span))
        if not (pair and 0 < span[0] <= span[1]):
            raise Misuse(f"election_timeout must be (min, max) with 0 < min <= max, not {span!r}")
        for name in ("heartbeat_interval", "snapshot_timeout", "transfer_timeout"):
            time = getattr(self, name)
            if not (is_number(time) and time > 0):
                raise Misuse(f"{name} must be positive, not {time!r}")
        for name in COUNTS:
            count = getattr(self, name)
            if not isinstance(count, int) or count < 1:
                raise Misuse(f"{name} must be at least 1, not {count!r}")
        if not isinstance(self.trailing_entries, int) or self.trailing_entries < 0:
            raise Misuse(f"trailing_entries must be 0 or more, not {self.trailing_entries!r}")
        if not (is_number(self.clock_drift_bound) and self.clock_drift_bound >= 1):
            raise Misuse(f"clock_drift_bound must be 1 or more, not {self.clock_drift_bound!r}")
        if self.lease_reads and not self.leader_stickiness:
            raise Misuse("lease_reads needs leader_stickiness: it is what makes a lease hold")

    @classmethod
    def figure_2(cls, **changes: object) -> "Options":
        """As the paper's Figure 2 has it, without the protections of the thesis.

        No pre-vote, check-quorum or stickiness, and no catching up before a vote.
        """
        plain = dict.fromkeys(PROTECTIONS, False)
        return msgspec.structs.replace(cls(), **{**plain, **changes})

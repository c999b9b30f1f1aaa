"""The numbers and switches of one machine. Times are ms of virtual time."""

import math
from functools import cache
from typing import Any

import msgspec

from raftlab.raft.vocabulary import Millis, Misuse, shown

SHORTEST: Millis = 0.1
LONGEST: Millis = 1e9
"""The shortest and the longest span of time that a machine waits for: a run must come to an end."""

MOST = 2**53 - 1
"""The highest count: what a file of JSON carries exactly, whoever reads it."""

COUNTS = (
    "max_entries_per_append",
    "max_in_flight",
    "max_bytes_per_append",
    "max_uncommitted_bytes",
)
SPANS = ("heartbeat_interval", "snapshot_timeout", "transfer_timeout")
PROTECTIONS = ("pre_vote", "check_quorum", "leader_stickiness", "catch_up_first")


def is_number(value: Any) -> bool:
    """Whether `value` is a number that can be a time: not endless, and not "not a number"."""
    if isinstance(value, float):
        return math.isfinite(value)
    return is_count(value) or (is_whole(value) and -MOST <= value < 0)


def is_whole(value: Any) -> bool:
    """Whether `value` is a whole number. True and False are none."""
    return isinstance(value, int) and not isinstance(value, bool)


def is_count(value: Any, least: int = 0) -> bool:
    """Whether `value` is a whole number from `least` to `MOST`."""
    return is_whole(value) and least <= value <= MOST


def is_span(value: Any) -> bool:
    """Whether `value` is a time in ms that a machine can wait for."""
    return is_number(value) and SHORTEST <= value <= LONGEST


def check_switches(settings: msgspec.Struct) -> None:
    """Refuse switches that are neither True nor False: text, say, is always on. Raises: Misuse."""
    for name in _switches(type(settings)):
        if not isinstance(value := getattr(settings, name), bool):
            raise Misuse(f"{name} is True or False, not {shown(value)}")


@cache
def _switches(kind: type[msgspec.Struct]) -> tuple[str, ...]:
    fields = msgspec.structs.fields(kind)
    return tuple(field.name for field in fields if isinstance(field.default, bool))


def make_plain(settings: msgspec.Struct) -> None:
    """Let settings hold Python's own numbers, so that they can be saved: not numpy's, say."""
    for name in settings.__struct_fields__:
        value = getattr(settings, name)
        plain = tuple(map(_plain, value)) if isinstance(value, tuple) else _plain(value)
        msgspec.structs.force_setattr(settings, name, plain)


def _plain(value: Any) -> Any:
    if isinstance(value, int) and not isinstance(value, bool):
        return int(value)
    if isinstance(value, float):
        return float(value)
    return str.__str__(value) if isinstance(value, str) else value


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

    Times are from 0.1 ms to a billion. Raises: Misuse, for what cannot work.
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
        pair = isinstance(span, tuple) and len(span) == 2 and all(map(is_span, span))
        if not (pair and span[0] <= span[1]):
            raise Misuse(
                f"election_timeout must be (min, max) with {SHORTEST} <= min <= max <="
                f" {LONGEST:,.0f} ms, not {shown(span)}"
            )
        for name in SPANS:
            if not is_span(time := getattr(self, name)):
                raise Misuse(
                    f"{name} must be positive, {SHORTEST} to {LONGEST:,.0f} ms, not {shown(time)}"
                )
        for name in COUNTS:
            if not is_count(count := getattr(self, name), 1):
                raise Misuse(f"{name} must be at least 1, and a whole number, not {shown(count)}")
        if not is_count(kept := self.trailing_entries):
            raise Misuse(f"trailing_entries must be 0 or more, not {shown(kept)}")
        if not (is_number(bound := self.clock_drift_bound) and 1 <= bound <= MOST):
            raise Misuse(f"clock_drift_bound must be 1 or more, not {shown(bound)}")
        check_switches(self)
        if self.lease_reads and not self.leader_stickiness:
            raise Misuse("lease_reads needs leader_stickiness: it is what makes a lease hold")
        make_plain(self)

    @classmethod
    def figure_2(cls, **changes: object) -> "Options":
        """The whole machine, set to do what Figure 2 of the paper does.

        No pre-vote, check-quorum or stickiness, and no catching up before a vote: a run in which
        nobody asks for more is the one that the machine `raftlab.raft.figure2.Figure2` makes,
        which has nothing else. Snapshots, transfers, changes of members and reads are still there.
        """
        plain = dict.fromkeys(PROTECTIONS, False)
        return msgspec.structs.replace(cls(), **{**plain, **changes})

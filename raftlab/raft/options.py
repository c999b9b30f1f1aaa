"""The numbers and switches of one machine. Times are ms of virtual time."""

import msgspec

from raftlab.raft.vocabulary import Millis, Misuse


class Options(msgspec.Struct, frozen=True, gc=False):
    """How one machine is set.

    * `election_timeout`: (min, max); each campaign and each term draws anew. Paper: 9.3.
    * `heartbeat_interval`: how often a leader speaks at least. Paper: 5.2, 5.6.
    * `pre_vote`: ask for a chance before raising the term. Thesis: 9.6.
    * `check_quorum`: a leader that hears no majority steps down. Thesis: 6.2.
    * `leader_stickiness`: refuse votes while a leader is alive. Thesis: 4.2.3.
    * `max_entries_per_append`, `max_in_flight`: size of one message, and how many
      unanswered messages with entries may be under way to one follower. Thesis: 10.2.

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
        low, high = self.election_timeout
        if not 0 < low <= high:
            raise Misuse(
                f"election_timeout must be (min, max) with 0 < min <= max, not {low, high}"
            )
        if not self.heartbeat_interval > 0:
            raise Misuse(f"heartbeat_interval must be positive, not {self.heartbeat_interval}")
        if self.max_entries_per_append < 1 or self.max_in_flight < 1:
            raise Misuse("max_entries_per_append and max_in_flight must be at least 1")

    @classmethod
    def figure_2(cls, **changes: object) -> "Options":
        """The paper's Figure 2 and nothing later: no pre-vote, check-quorum or stickiness."""
        plain = {"pre_vote": False, "check_quorum": False, "leader_stickiness": False}
        return msgspec.structs.replace(cls(), **{**plain, **changes})

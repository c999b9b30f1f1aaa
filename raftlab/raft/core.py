"""What every role shares: the durable fields, the timer, the outgoing side. Figure 2, State.

The machine is one class told in eight files, each one idea richer: `core` (state) <-
`replication` (AppendEntries, Leaders) <- `elections` (RequestVote, Followers, Candidates),
which is Figure 2; <- `snapshots` <- `transfer` <- `membership` <- `reads`, which is the
rest of the paper and the thesis; <- `machine` (what the host calls).
"""

import random
from typing import TypeAlias

from raftlab.raft.log import RaftLog, Snapshot
from raftlab.raft.messages import Message
from raftlab.raft.options import Options
from raftlab.raft.output import Detail, Note, ReadReady, RoleChange
from raftlab.raft.roles import ROLE_AFTER, Cause, Follower, Role, RoleData
from raftlab.raft.rules import Rules
from raftlab.raft.vocabulary import Configuration, Index, Millis, Misuse, NodeId, Term

LONG_AGO: Millis = float("-inf")
"""When a node that has just started heard a leader last."""

AskedRead: TypeAlias = tuple[Millis, Index | None]
"""A read that a follower has asked its leader about: when (ms), and the index it was told."""


class MachineCore:
    """The state of one node, and the few moves that all roles make."""

    __slots__ = (
        "_alarms",
        "_asked_reads",
        "_committed_out",
        "_configuration_index",
        "_draws_timeout",
        "_failed_reads",
        "_hard_state_changed",
        "_has_reads",
        "_last_read",
        "_messages",
        "_new_snapshot",
        "_notes",
        "_ready_reads",
        "_repeated_at",
        "_role_changes",
        "_truncate_from",
        "_unconfirmed",
        "commit_index",
        "configuration",
        "election_deadline",
        "first_configuration",
        "last_leader_contact",
        "log",
        "node_id",
        "now",
        "open_round",
        "options",
        "randomized_election_timeout",
        "rng",
        "role",
        "role_data",
        "rules",
        "term",
        "voted_for",
    )

    def __init__(
        self,
        node_id: NodeId,
        *,
        configuration: Configuration,
        term: Term = 0,
        voted_for: NodeId | None = None,
        log: RaftLog | None = None,
        commit_index: Index = 0,
        applied: Index = 0,
        now: Millis = 0.0,
        rng: random.Random | None = None,
        options: Options | None = None,
        rules: Rules | None = None,
    ) -> None:
        self.node_id = node_id
        self.first_configuration = configuration
        self.term = term
        self.voted_for = voted_for
        self.log = log if log is not None else RaftLog()
        self.commit_index = commit_index
        self.now = now
        self.rng = rng if rng is not None else random.Random(node_id)
        self.options = options if options is not None else Options()
        self.rules = rules if rules is not None else Rules()
        self._check_start(applied)
        applied = max(applied, self.log.snapshot.index if self.log.snapshot else 0)
        self.commit_index = max(commit_index, applied)
        self.role = Role.FOLLOWER
        self.role_data: RoleData = Follower()
        waits = self.rules.waits_after_start(self.options)
        self.last_leader_contact: Millis = now if waits else LONG_AGO
        self.adopt_configuration()
        self._committed_out: Index = applied
        self._hard_state_changed = False
        self._truncate_from: Index | None = None
        self._new_snapshot: Snapshot | None = None
        self.open_round = 0
        self._last_read = 0
        self._has_reads = False
        self._repeated_at: Millis = LONG_AGO
        self._asked_reads: dict[int, AskedRead] = {}
        self._ready_reads: list[ReadReady] = []
        self._failed_reads: list[int] = []
        self._unconfirmed = False
        self._messages: list[Message] = []
        self._notes: list[Note] = []
        self._role_changes: list[RoleChange] = []
        self._alarms: list[str] = []
        self.reset_election_timeout()

    def _check_start(self, applied: Index) -> None:
        if not self.node_id:
            raise Misuse("a node needs a name that is not empty")
        self.first_configuration.check()
        if self.log.last_term > self.term:
            raise Misuse(
                f"{self.node_id} cannot start in term {self.term}: its log ends with an entry"
                f" of term {self.log.last_term}; pass the term that was saved with it"
            )
        if not 0 <= applied <= self.log.last_index:
            raise Misuse(
                f"{self.node_id} cannot have applied up to {applied}: its log ends at"
                f" {self.log.last_index}"
            )
        if not 0 <= self.commit_index <= self.log.last_index:
            raise Misuse(
                f"{self.node_id} cannot start with commit index {self.commit_index}: its log"
                f" ends at {self.log.last_index}"
            )

    # What a reader may ask

    @property
    def leader(self) -> NodeId | None:
        """The leader of the current term as far as this node knows; itself, if it leads."""
        if self.role is Role.LEADER:
            return self.node_id
        return self.role_data.leader if isinstance(self.role_data, Follower) else None

    # Time

    def set_now(self, now: Millis) -> None:
        """It is `now` (ms). Raises: Misuse, if time goes back."""
        if not now >= self.now:
            raise Misuse(f"time went back from {self.now} to {now} ms at {self.node_id}")
        self.now = now

    def reset_election_timeout(self) -> None:
        """Draw a new random timeout and start waiting. Paper: 5.2; 9.3."""
        self._draws_timeout = True
        self.wait_anew()

    def wait_anew(self) -> None:
        """Start waiting for a leader; the first wait of a term draws how long. Paper: 5.2."""
        if self._draws_timeout:
            self.randomized_election_timeout = self.rules.election_timeout(self.options, self.rng)
            self._draws_timeout = False
        self.election_deadline = self.now + self.randomized_election_timeout

    # Durable state

    def set_term(self, term: Term) -> None:
        """Enter a higher term: its vote is not given yet, and its next wait is drawn anew.

        A wait that is under way goes on: a higher term alone is no reason to wait longer.
        Paper: 5.1; Figure 2, Followers.
        """
        self.term = term
        self.voted_for = None
        self._draws_timeout = True
        self._hard_state_changed = True

    def set_vote(self, candidate: NodeId) -> None:
        """Give this term's vote. It is on disk before the answer leaves. Paper: Figure 2, State."""
        if self.voted_for != candidate:
            self.voted_for = candidate
            self._hard_state_changed = True

    # Membership

    def adopt_configuration(self) -> None:
        """Use the configuration that the log says, from the moment it is there. Paper: 6."""
        self._configuration_index = self.log.configuration_index
        self.configuration = self.rules.configuration_in_force(
            self.log, self.commit_index, self.first_configuration
        )

    # Roles

    def change_role(self, cause: Cause, data: RoleData) -> None:
        """Move as Figure 4 says; a move that is not in `ROLE_AFTER` cannot happen."""
        before = self.role
        after = ROLE_AFTER[before, cause]
        self.role = after
        self.role_data = data
        if before is not after or after is Role.CANDIDATE:
            self._role_changes.append(RoleChange(before, cause, after, self.term))

    def become_follower(self, leader: NodeId | None, cause: Cause) -> None:
        """Follow `leader`, or nobody yet. Paper: 5.1; Figure 4.

        A node that led had no election timer; it starts waiting now.
        """
        if self.role is Role.LEADER:
            self.wait_anew()
        self.change_role(cause, Follower(leader))

    def hear_leader(self) -> None:
        """A message of this term's leader arrived: wait anew. Paper: Figure 2, Followers."""
        self.last_leader_contact = self.now
        if self.rules.resets_election_timer(False, True):
            self.wait_anew()

    # The outgoing side

    def send(self, message: Message) -> None:
        """Put a message in the next output; it leaves once that output is durable."""
        self._messages.append(message)

    def note(self, rule: str, text: str, *details: Detail) -> None:
        """Say what was decided, for whoever reads `Output.debug_log`."""
        self._notes.append(Note(rule, text, details))

    def alarm(self, text: str) -> None:
        """Report what should be impossible. The machine carries on."""
        self._alarms.append(f"{self.node_id}, {self.role.value} in term {self.term}: {text}")

    def truncate(self, index: Index) -> None:
        """Cut the log at `index`, and say so to the host if the disk has seen what is cut."""
        if index <= self.log.stable_index:
            earlier = self._truncate_from
            self._truncate_from = index if earlier is None else min(earlier, index)
        self.log.truncate_uncommitted(index)
        if self.log.configuration_index != self._configuration_index:
            self.adopt_configuration()

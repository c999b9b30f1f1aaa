"""One node: its term, its vote, its timer, what comes in and what goes out. Figure 2, State.

The machine is one class told file by file, each one idea richer. What arrives finds its
handler in a table, into which each class writes what it takes care of; what one idea has to do
at the moments of another goes through the hooks at the end of `NodeCore`. Where several fill
in one hook, each calls `super()` first.
"""

import copy
import random
from collections.abc import Callable, Hashable, Mapping
from typing import Any, ClassVar, Self, get_args

from msgspec.structs import replace

from raftlab.raft.log import LogEntry, Payload, RaftLog
from raftlab.raft.messages import FROM_LEADERS, Message
from raftlab.raft.options import Options
from raftlab.raft.output import NOTHING, Detail, Note, Output, RoleChange
from raftlab.raft.progress import FollowerProgress
from raftlab.raft.roles import (
    CANDIDATE,
    LEADER,
    ROLE_AFTER,
    Cause,
    Follower,
    Leader,
    Role,
    RoleData,
)
from raftlab.raft.rules import Rules
from raftlab.raft.vocabulary import Configuration, Index, Millis, Misuse, NodeId, Term, shown


class NodeCore:
    """The state of one node, the few moves that all roles make, and `advance`, `tick`, `poll`.

    Three switches, so that nobody is asked in vain at every message: while
    `_has_more`, there is something to add to the next output; while `_hears_acceptances`, a
    leader looks at what each member has accepted; and if `_polling_confirms`, calling `poll`
    again says that the output before is on disk.

    `next_deadline` says when the next `tick` can matter (ms); before it, a tick only tells the
    time.
    """

    __slots__ = (
        "_alarms",
        "_committed_out",
        "_draws_timeout",
        "_first_configuration",
        "_hard_state_changed",
        "_has_more",
        "_hears_acceptances",
        "_messages",
        "_notes",
        "_now",
        "_options",
        "_polling_confirms",
        "_randomized_election_timeout",
        "_rng",
        "_role_changes",
        "_rules",
        "_truncate_from",
        "_unconfirmed",
        "commit_index",
        "configuration",
        "election_deadline",
        "log",
        "next_deadline",
        "node_id",
        "role",
        "role_data",
        "term",
        "voted_for",
    )

    _HANDLERS: ClassVar[Mapping[type, str]] = dict.fromkeys(get_args(Message), "_ignore")
    """The method for each kind of message, of this term or a later one. A class adds its own."""

    _STALE_HANDLERS: ClassVar[Mapping[type, str]] = dict.fromkeys(get_args(Message), "_ignore")
    """The method for each kind of message of an earlier term."""

    _handlers: ClassVar[Mapping[type, Callable[[Any, Any], None]]]
    _stale_handlers: ClassVar[Mapping[type, Callable[[Any, Any], None]]]

    def __init_subclass__(cls, **given: object) -> None:
        """Find the handlers of a class once: its own, and those it has from others."""
        super().__init_subclass__(**given)
        cls._handlers = _found(cls, "_HANDLERS")
        cls._stale_handlers = _found(cls, "_STALE_HANDLERS")

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
        self._first_configuration = configuration
        self.term = term
        self.voted_for = voted_for
        self.log = log if log is not None else RaftLog()
        self.commit_index = commit_index
        self._now = now
        self._rng = rng if rng is not None else random.Random(node_id)
        self._options = options if options is not None else Options()
        self._rules = rules if rules is not None else Rules()
        self._check_start(applied)
        applied = max(applied, self.log.snapshot.index if self.log.snapshot else 0)
        self.commit_index = max(commit_index, applied)
        self.configuration = self._rules.configuration_in_force(
            self.log, self.commit_index, configuration
        )
        self.role = Role.FOLLOWER
        self.role_data: RoleData = Follower()
        self._committed_out: Index = applied
        self._hard_state_changed = False
        self._truncate_from: Index | None = None
        self._unconfirmed = False
        self._polling_confirms = True
        self._has_more = False
        self._hears_acceptances = False
        self._messages: list[Message] = []
        self._notes: list[Note] = []
        self._role_changes: list[RoleChange] = []
        self._alarms: list[str] = []
        self._reset_election_timeout()
        self._on_start()

    def _check_start(self, applied: Index) -> None:
        if not self.node_id:
            raise Misuse("a node needs a name that is not empty")
        self._first_configuration.check()
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

    # What comes in

    def advance(self, message: Message, now: Millis) -> None:
        """A message has arrived at `now` (ms).

        Nothing that a peer can send raises: it is answered or ignored as the paper says.

        Raises: Misuse, if the message is for another node, is not a message of Raft, or
        if time goes back. The machine is then unchanged.
        """
        try:
            handler = self._handlers[type(message)]
        except KeyError:
            raise Misuse(f"{shown(message)} is not a message of Raft") from None
        if message.receiver != self.node_id:
            raise Misuse(f"{self.node_id} was given a message for {message.receiver}")
        if now >= self._now:
            self._now = now
        else:
            self.now = now  # which refuses
        if message.sender == self.node_id:
            return
        if message.term == self.term:
            handler(self, message)
        elif self._rules.is_newer_term(message.term, self.term):
            self._meet_newer_term(message)
        elif self._rules.is_stale_term(message.term, self.term):
            self._answer_stale_term(message)
        else:
            handler(self, message)

    def _handle(self, message: Message) -> None:
        """A message of this term goes to the method for its kind."""
        self._handlers[type(message)](self, message)

    def _ignore(self, message: Message) -> None:
        """What no part of the machine takes care of is no reason to stop."""

    def _meet_newer_term(self, message: Message) -> None:
        """A higher term: adopt it and follow. Paper: 5.1; Figure 2, All servers, second rule."""
        leader = message.sender if isinstance(message, FROM_LEADERS) else None
        self._note("is_newer_term", "adopts term {} from {}", message.term, message.sender)
        self._set_term(message.term)
        self._become_follower(leader, Cause.HIGHER_TERM)
        self._handle(message)

    def _answer_stale_term(self, message: Message) -> None:
        """A lower term: tell an old leader or candidate the term, and change nothing.

        A reply of a lower term is dropped, by `_handle_if_current`; what has no method in
        `_STALE_HANDLERS` is ignored. Paper: Figure 2, both RPCs, first rule; 5.1.
        """
        self._stale_handlers[type(message)](self, message)

    def _handle_if_current(self, reply: Message) -> None:
        """An answer of a lower term is no answer to what is asked now. Paper: 5.1."""
        if self._rules.is_about_the_present(reply.term, self.term):
            self._handle(reply)

    # Time

    @property
    def now(self) -> Millis:
        """The time that it was told last (ms); it can be set. Raises: Misuse, if it goes back."""
        return self._now

    @now.setter
    def now(self, now: Millis) -> None:
        if not now >= self._now:
            raise Misuse(f"time went back from {self._now} to {now} ms at {self.node_id}")
        self._now = now

    def tick(self, now: Millis) -> None:
        """Time has passed; `next_deadline` says when this can matter.

        Raises: Misuse, if time goes back.
        """
        self.now = now
        if self.role is LEADER:
            self._tick_leader()
            self._note_deadline()
        elif now >= self.election_deadline:
            self._election_timed_out()

    def _note_deadline(self) -> None:
        """Keep `next_deadline`, at which a host looks with every message.

        Whatever moves a deadline of a leader ends with this.
        """
        self.next_deadline = self._earliest_deadline()

    def _earliest_deadline(self) -> Millis:
        """When the next `tick` can matter (ms). `protections` and `transfer` wait for more."""
        leader = self.role_data
        return leader.heartbeat_deadline if type(leader) is Leader else self.election_deadline

    def _reset_election_timeout(self) -> None:
        """Draw a new random timeout and start waiting. Paper: 5.2; 9.3."""
        self._draws_timeout = True
        self._restart_election_timer()

    def _restart_election_timer(self) -> None:
        """Start waiting for a leader; the first wait of a term draws how long. Paper: 5.2."""
        if self._draws_timeout:
            self._randomized_election_timeout = self._rules.election_timeout(
                self._options, self._rng
            )
            self._draws_timeout = False
        self.election_deadline = self._now + self._randomized_election_timeout
        if self.role is not LEADER:
            self.next_deadline = self.election_deadline

    # Durable state

    def _set_term(self, term: Term) -> None:
        """Enter a higher term: its vote is not given yet, and its next wait is drawn again.

        A wait that is under way goes on: a higher term alone is no reason to wait longer.
        Paper: 5.1; Figure 2, Followers.
        """
        self.term = term
        self.voted_for = None
        self._draws_timeout = True
        self._hard_state_changed = True

    def _set_vote(self, candidate: NodeId) -> None:
        """Give this term's vote. It is on disk before the answer leaves. Paper: Figure 2, State."""
        if self.voted_for != candidate:
            self.voted_for = candidate
            self._hard_state_changed = True

    def _truncate(self, index: Index) -> None:
        """Cut the log at `index`, and say so to the host if the disk has seen what is cut."""
        if index <= self.log.stable_index:
            earlier = self._truncate_from
            self._truncate_from = index if earlier is None else min(earlier, index)
            self._has_more = True
        self.log.truncate_uncommitted(index)
        self._on_log_change()

    def _advance_commit(self, index: Index, rule: str) -> None:
        """Where entries become committed, and nowhere else: forward, and within the log."""
        log, before = self.log, self.commit_index
        if index > log.last_index:
            index = log.last_index
        if index > before:
            self.commit_index = index
            self._note(rule, "committed up to {}", index)
            self._on_commit(before)

    # Roles

    @property
    def leader(self) -> NodeId | None:
        """The leader of the current term as far as this node knows; itself, if it leads."""
        if self.role is LEADER:
            return self.node_id
        return self.role_data.leader if isinstance(self.role_data, Follower) else None

    def _change_role(self, cause: Cause, data: RoleData) -> None:
        """Move as Figure 4 says; a move that is not in `ROLE_AFTER` cannot happen."""
        before, lost = self.role, self.role_data
        after = ROLE_AFTER[before, cause]
        self.role = after
        self.role_data = data
        if before is not after or after is CANDIDATE:
            self._role_changes.append(RoleChange(before, cause, after, self.term))
            self._has_more = True
        self._on_role_change(lost)
        self._hears_acceptances = self._wants_acceptances()
        self._note_deadline()

    def _become_follower(self, leader: NodeId | None, cause: Cause) -> None:
        """Follow `leader`, or nobody yet. Paper: 5.1; Figure 4.

        A node that led had no election timer; it starts waiting now.
        """
        if self.role is LEADER:
            self._restart_election_timer()
        self._change_role(cause, Follower(leader))

    # What goes out

    def _send(self, message: Message) -> None:
        """Put a message in the next output; it leaves once that output is durable."""
        self._messages.append(message)

    def _note(self, rule: str, text: str, *details: Detail) -> None:
        """Say what was decided, for whoever reads `Output.debug_log`."""
        self._notes.append(Note(rule, text, details))

    def _alarm(self, text: str) -> None:
        """Report what should be impossible. The machine carries on."""
        self._alarms.append(f"{self.node_id}, {self.role.value} in term {self.term}: {text}")
        self._has_more = True

    def poll(self) -> Output:
        """Everything the host must now do; `NOTHING` if there is nothing. Poll until then.

        Calling it says that the previous output is done: written, and handed on. Under
        `Options.async_persistence` it says nothing: `persisted` does, after which to poll again.
        """
        if self._unconfirmed:
            self._count_previous_output()
        log = self.log
        entries: tuple[LogEntry, ...] = ()
        if log.stable_index < log.last_index:
            if self.role is LEADER:
                self._replicate()
            entries = log.entries(log.stable_index + 1, log.last_index + 1)
        more: dict[str, Any] | None = None
        if self._has_more or self._hard_state_changed:
            self._has_more = False
            more = self._before_output() | self._take_what_is_rare()
        if not (
            self._messages
            or entries
            or more
            or self.commit_index > self._committed_out
            or self._notes
        ):
            return NOTHING
        return self._take_output(entries, more)

    def _take_output(self, entries: tuple[LogEntry, ...], more: dict[str, Any] | None) -> Output:
        """What nearly every output holds, and `more`."""
        output = Output(
            log_entries=entries,
            messages=tuple(self._messages),
            committed=self._take_committed() if self.commit_index > self._committed_out else (),
            debug_log=tuple(self._notes),
        )
        self._messages.clear()
        self._notes.clear()
        if entries:
            self.log.stable_index = self.log.last_index
            self._unconfirmed = self._polling_confirms
        return replace(output, **more) if more else output

    def _take_what_is_rare(self) -> dict[str, Any]:
        """A new term or vote, a new role, a cut, an alarm: as fields of the next output."""
        rare: dict[str, Any] = {}
        if self._hard_state_changed:
            rare |= {"term": self.term, "voted_for": self.voted_for}
            self._hard_state_changed, self._unconfirmed = False, self._polling_confirms
        if self._truncate_from is not None:
            rare["truncate_from"], self._truncate_from = self._truncate_from, None
        if self._role_changes:
            rare["role_changes"], self._role_changes = tuple(self._role_changes), []
        if self._alarms:
            rare["alarms"], self._alarms = tuple(self._alarms), []
        return rare

    def _take_committed(self) -> tuple[LogEntry, ...]:
        committed = self.log.entries(self._committed_out + 1, self.commit_index + 1)
        self._committed_out = self.commit_index
        return committed

    def _count_previous_output(self) -> None:
        """What was handed out last time is on disk now: the node's own vote and copy count."""
        self._unconfirmed = False
        if self.role is LEADER:
            self._count_own_copy(self.log.stable_index)
        elif self.role is CANDIDATE and not self._hard_state_changed:
            self._count_own_vote()

    # Copies

    def copy(self) -> Self:
        """An independent machine in the same state, its random source included."""
        return self._copy_with(copy.copy(self._rng), self.log.copy())

    def _copy_with(self, rng: random.Random, log: RaftLog) -> Self:
        """A copy that draws from `rng` and has `log`: those of this machine, copied elsewhere."""
        twin = copy.copy(self)
        twin._rng = rng
        twin.log = log
        twin.role_data = self.role_data.copy()
        twin._messages = self._messages.copy()
        twin._notes = self._notes.copy()
        twin._role_changes = self._role_changes.copy()
        twin._alarms = self._alarms.copy()
        return twin

    def fingerprint(self) -> tuple[Hashable, ...]:
        """Equal for two machines that differ in nothing but time and random draws.

        Queued output counts; notes, alarms and changes of role do not.
        """
        return (
            self.node_id,
            self.term,
            self.voted_for,
            self.role,
            self.role_data.fingerprint(),
            tuple(self.log),
            self.log.snapshot,
            self.log.term_for_index(self.log.first_index - 1),
            self.log.stable_index,
            self.commit_index,
            self._committed_out,
            self._truncate_from,
            self._hard_state_changed,
            self._unconfirmed,
            tuple(self._messages),
            self.configuration,
        )

    # What `figure2` fills in: what a role does when it is time, and when the disk has written

    def _tick_leader(self) -> None:
        """A leader has been told the time. By `replication`; `protections`, `transfer` add."""

    def _election_timed_out(self) -> None:
        """No leader was heard for an election timeout. Filled in by `elections`."""

    def _replicate(self) -> None:
        """A leader has new entries. Filled in by `replication`."""

    def _count_own_copy(self, index: Index) -> None:
        """A leader's own log is on its disk up to `index`. Filled in by `replication`."""

    def _count_own_vote(self) -> None:
        """A candidate's own vote is on its disk. Filled in by `elections`."""

    # The hooks, which `thesis` fills in

    def _on_start(self) -> None:
        """The node starts: set up what an idea keeps. By everyone who keeps something."""

    def _on_role_change(self, lost: RoleData) -> None:
        """The role has changed, or its data; `lost` is what it was. By whose state that ends."""

    def _hear_leader(self) -> None:
        """This term's leader was heard: reset the timer. `protections` remember when.

        Paper: Figure 2, Followers.
        """
        if self._rules.resets_election_timer(False, True):
            self._restart_election_timer()

    def _on_log_change(self) -> None:
        """A leader's entries were appended, or the log was cut. Filled in by `membership`."""

    def _on_configuration(self) -> None:
        """Another configuration is in force. Filled in by `reads`."""

    def _on_commit(self, before: Index) -> None:
        """The commit index has moved from `before`. Filled in by `membership`."""

    def _on_heartbeat(self) -> None:
        """A leader is about to speak to everyone. Filled in by `snapshots` and `reads`."""

    def _wants_acceptances(self) -> bool:
        """Whether to call `_after_accepted`. By `transfer` and `membership`, when they need it."""
        return False

    def _after_accepted(self, leader: Leader, progress: FollowerProgress) -> None:
        """A member has accepted something. Filled in by `transfer` and `membership`."""

    def _admit(self, leader: Leader, payload: Payload) -> None:
        """A leader is asked to append. Raises: NotNow. Filled in by `flow_control`."""

    def _before_output(self) -> dict[str, Any]:
        """Fields of the next output, by name; asked while `_has_more`, which it may set again.

        Filled in by `snapshots`, `reads` and `persistence`.
        """
        return {}


def _found(cls: type[NodeCore], table: str) -> Mapping[type, Callable[[Any, Any], None]]:
    """The functions that the tables of a class and of its bases name, the nearest one first."""
    names: dict[type, str] = {}
    for each in reversed(cls.__mro__):
        names |= vars(each).get(table, {})
    return {kind: getattr(cls, name) for kind, name in names.items()}

"""The Raft state machine as its host sees it: `advance`, `tick`, `add_entry`, `poll`.

Pure and deterministic: time, messages and randomness come in as arguments, and
everything that must happen outside goes out through `poll`. The same inputs give the
same outputs, always.
"""

import copy
from collections.abc import Hashable
from typing import assert_never, get_args

from raftlab.raft.log import Command, Empty, LogEntry, Payload
from raftlab.raft.messages import (
    AppendEntries,
    AppendEntriesReply,
    InstallSnapshot,
    InstallSnapshotReply,
    Message,
    ReadIndex,
    ReadIndexReply,
    RequestVote,
    RequestVoteReply,
    TimeoutNow,
)
from raftlab.raft.output import NOTHING, Output
from raftlab.raft.reads import LinearizableReads
from raftlab.raft.roles import LEADER, Candidate, Cause, Leader, Role
from raftlab.raft.vocabulary import (
    Configuration,
    Index,
    Millis,
    Misuse,
    NodeId,
    NotNow,
    shown,
)

MESSAGES = frozenset(get_args(Message))
"""The classes of all messages."""

CLAIMING_NOTHING = (AppendEntries, InstallSnapshot, TimeoutNow, ReadIndexReply)
"""Messages of a leader, whose term was on its disk before it led. Thesis: 10.2.1."""


class RaftStateMachine(LinearizableReads):
    """One Raft node, without I/O.

    The constructor is the only way to start and to restart; what is not passed in is
    lost. `applied` is how far the application has kept what it applied, if it keeps
    anything: what follows comes out as `Output.committed` anew. `configuration` is the one
    that the cluster began with, which holds until the log says otherwise.

    After each call its host polls until there is `NOTHING`. Calling `poll` again is what
    tells the machine that all that the output before asked to be written is on disk (but see
    `persisted`), and more may come of that: a leader counts its own copy then, and a
    candidate its own vote. A host that polls once for each call is always one step behind,
    and a node that is alone is never elected.

        >>> machine = RaftStateMachine("S1", configuration=Configuration(("S1",)))
        >>> disk, network, application = [], [], []
        >>> def do_as_it_says(machine):
        ...     while (output := machine.poll()) is not NOTHING:
        ...         if output.must_be_written:
        ...             disk.append(output)               # first, and all of it
        ...         network.extend(output.messages)       # then
        ...         application.extend(output.committed)  # in order
        >>> machine.tick(machine.next_deadline)
        >>> do_as_it_says(machine)
        >>> machine.role, application
        (<Role.LEADER: 'leader'>, [LogEntry(term=1, index=1, payload=Empty())])
        >>> machine.add_entry(Command(b"x=1"))
        2
        >>> do_as_it_says(machine)
        >>> application[-1]
        LogEntry(term=1, index=2, payload=Command(data=b'x=1'))

    Calls that name no time happen at the time of the latest one that did; `set_now` says
    that it is later. A leader's followers learn what is committed with its next message to
    them: up to one `Options.heartbeat_interval` after the leader, if nothing else is said.

    `compact` (snapshots), `transfer_leadership`, `forget_leader` and `read` stand in the
    files of their ideas.

    Raises: Misuse, for a start that no run of Raft can lead to.
    """

    __slots__ = ()

    # What the host calls

    def advance(self, message: Message, now: Millis) -> None:
        """A message has arrived at `now` (ms).

        Nothing that a peer can send raises: it is answered or ignored as the paper says.

        Raises: Misuse, if the message is for another node, is not a message of Raft, or
        if time goes back. The machine is then unchanged.
        """
        if type(message) not in MESSAGES:
            raise Misuse(f"{shown(message)} is not a message of Raft")
        if message.receiver != self.node_id:
            raise Misuse(f"{self.node_id} was given a message for {message.receiver}")
        if not now >= self.now:
            raise Misuse(f"time went back from {self.now} to {now} ms at {self.node_id}")
        self.now = now
        if message.sender == self.node_id:
            return
        if message.term == self.term:
            self._handle(message)
        elif self.rules.is_newer_term(message.term, self.term):
            self._meet_newer_term(message)
        elif self.rules.is_stale_term(message.term, self.term):
            self._answer_stale_term(message)
        else:
            self._handle(message)

    def tick(self, now: Millis) -> None:
        """Time has passed; `next_deadline` says when this can matter.

        Raises: Misuse, if time goes back.
        """
        self.set_now(now)
        if self.role is LEADER:
            self.tick_leader()
        elif now >= self.election_deadline:
            self.election_timed_out()

    def campaign(self, now: Millis, force: bool = False) -> None:
        """The election timer runs out now. `force`: stand at once, as if the leader had asked.

        A host that calls this while a leader is heard breaks what `lease_reads` counts on.
        Thesis: 3.10 for `force`.

        Raises: Misuse, for a leader, and if time goes back.
        """
        if self.role is Role.LEADER:
            raise NotNow(f"{self.node_id} leads term {self.term} and has no election timer")
        self.set_now(now)
        self.election_timed_out(force)

    @property
    def next_deadline(self) -> Millis:
        """When the next `tick` can matter (ms); before it, a tick only tells the time."""
        leader = self.role_data
        if isinstance(leader, Leader):
            heartbeat, quorum = leader.heartbeat_deadline, leader.quorum_deadline
            due = heartbeat if heartbeat < quorum else quorum
            transfer = leader.transfer
            return due if transfer is None else min(due, transfer.resend_at, transfer.deadline)
        return self.election_deadline

    def add_entry(self, payload: Payload) -> Index:
        """Append a command, an empty entry or a configuration as leader; returns its index.

        The entry is not committed yet: it is once it comes out as `Output.committed`
        with the same term. A `Configuration` names the voters and learners that the
        cluster shall have; the machine gets there by itself. Paper: 5.3, 6.

        Raises: NotLeader, which names the leader this node knows; NotNow, if the leader
        cannot take it at this moment; Misuse, for anything that is not a payload.
        """
        if not isinstance(payload, Command | Empty | Configuration):
            raise Misuse(f"{shown(payload)} is not a payload: pass Command(b'...') or Empty()")
        leader = self.leader_taking_commands()
        if isinstance(payload, Configuration):
            return self.change_configuration(payload)
        if isinstance(payload, Command):
            self._admit(leader, len(payload.data) or 1)
        return self.log.append_as_leader(self.term, payload).index

    def _admit(self, leader: Leader, size: int) -> None:
        """Count a command that waits to be committed, or refuse it."""
        self.count_committed(leader)
        waiting = leader.uncommitted_bytes
        if not self.rules.takes_command(size, waiting, self.options):
            raise NotNow(
                f"{self.node_id} has {waiting} bytes of commands that are not committed, and"
                f" takes no more than {self.options.max_uncommitted_bytes}: ask again later"
            )
        leader.uncommitted_bytes += size

    def poll(self) -> Output:
        """Everything the host must now do; `NOTHING` if there is nothing. Poll until then.

        Calling it says that the previous output is done: written, and handed on. Under
        `Options.async_persistence` it says nothing: `persisted` does, after which to poll again.
        """
        if self._unconfirmed:
            self._previous_output_is_durable()
        log = self.log
        entries: tuple[LogEntry, ...] = ()
        if log.stable_index < log.last_index:
            if self.role is LEADER:
                self.replicate()
            entries = log.entries(log.stable_index + 1, log.last_index + 1)
        reads = self._has_reads and self.take_reads()
        if not (
            self._messages
            or entries
            or reads
            or self._hard_state_changed
            or self.commit_index > self._committed_out
            or self._notes
            or self._role_changes
            or self._truncate_from is not None
            or self._new_snapshot is not None
            or self._alarms
        ):
            return NOTHING
        return self._take_output(entries)

    def persisted(self, output: Output) -> None:
        """Everything that `output` asked to be written is on disk, and all before it.

        Only under `Options.async_persistence`, where many writes may be under way: a leader
        counts its own copy, and a candidate its own vote, from then on. An entry that was
        overwritten meanwhile counts for nothing. Thesis: 10.2.1.

        Raises: Misuse, where calling `poll` says so already.
        """
        if not self.options.async_persistence:
            raise Misuse("calling poll again says what is on disk: async_persistence is off")
        if output.log_entries and self.role is Role.LEADER:
            written = output.log_entries[-1]
            if self.rules.is_still_there(written, self.log):
                self._own_copy_is_durable(written.index)
        is_own_vote = output.term == self.term and output.voted_for == self.node_id
        if is_own_vote and self.role is Role.CANDIDATE:
            self._own_vote_is_durable()

    # Copies

    def copy(self) -> "RaftStateMachine":
        """An independent machine in the same state, its random source included."""
        twin = copy.copy(self)
        twin.rng = copy.copy(self.rng)
        twin.log = self.log.copy()
        twin.role_data = self.role_data.copy()
        twin._messages = self._messages.copy()
        twin._notes = self._notes.copy()
        twin._role_changes = self._role_changes.copy()
        twin._alarms = self._alarms.copy()
        twin._asked_reads = self._asked_reads.copy()
        twin._ready_reads = self._ready_reads.copy()
        twin._failed_reads = self._failed_reads.copy()
        return twin

    def fingerprint(self) -> Hashable:
        """Equal for two machines that differ in nothing but time and random draws.

        Queued output counts; notes, alarms and changes of role do not.
        """
        return (
            self.node_id,
            self.term,
            self.voted_for,
            self.role,
            self._role_fingerprint(),
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
            self.open_round,
            self._new_snapshot,
            self._last_read,
            tuple((read_id, index) for read_id, (_, index) in self._asked_reads.items()),
            tuple(self._ready_reads),
            tuple(self._failed_reads),
        )

    def _role_fingerprint(self) -> Hashable:
        data = self.role_data
        if isinstance(data, Leader):
            progress = tuple(each.fingerprint() for each in data.tracker.progress.values())
            transfer = data.transfer
            handing = (transfer.to, transfer.sent) if transfer else None
            return (progress, handing, data.has_handed_over, data.reads.fingerprint())
        if isinstance(data, Candidate):
            return (data.is_prevote, tuple(sorted(data.votes.answers.items())))
        return data.leader

    # Terms

    def _handle(self, message: Message) -> None:
        """A message of this term goes to the rule for its kind. Paper: Figure 2."""
        match message:
            case AppendEntriesReply():
                if self.role is LEADER:
                    self.on_append_entries_reply(message)
                    if message.read_round:
                        self.hear_round(message)
            case AppendEntries():
                self.on_append_entries(message)
                if self._asked_reads and not message.entries:
                    self.ask_again(message)
            case RequestVote():
                self.on_request_vote(message)
            case RequestVoteReply():
                self.on_request_vote_reply(message)
            case TimeoutNow():
                if self.role is Role.FOLLOWER:
                    self.election_timed_out(force=True)
            case InstallSnapshot():
                self.on_install_snapshot(message)
            case InstallSnapshotReply():
                if self.role is Role.LEADER:
                    self.on_install_snapshot_reply(message)
            case ReadIndex():
                self.on_read_index(message)
            case ReadIndexReply():
                self.on_read_index_reply(message)
            case _:
                assert_never(message)

    def _meet_newer_term(self, message: Message) -> None:
        """A higher term: adopt it and follow, unless the message only asks about the future.

        Paper: 5.1; Figure 2, All servers, second rule. Thesis: 9.6, 4.2.3.
        """
        leader: NodeId | None = None
        match message:
            case RequestVote() if message.is_prevote or self.sticks_to_leader(message):
                self.on_request_vote(message)
                return
            case RequestVoteReply(is_prevote=True, vote_granted=True):
                self.on_request_vote_reply(message)
                return
            case AppendEntries() | InstallSnapshot():
                leader = message.sender
        self.note("is_newer_term", "adopts term {} from {}", message.term, message.sender)
        self.set_term(message.term)
        self.become_follower(leader, Cause.HIGHER_TERM)
        self._handle(message)

    def _answer_stale_term(self, message: Message) -> None:
        """A lower term: tell an old leader or candidate the term, and change nothing.

        Paper: Figure 2, both RPCs, first rule; 5.1.
        """
        match message:
            case AppendEntries():
                rejected = self.rules.rejection(
                    self.log, message.prev_log_index, message.prev_log_term
                )
                self._reply_append(message, rejected)
            case RequestVote():
                self.on_request_vote(message)
            case RequestVoteReply() | AppendEntriesReply():
                if self.rules.is_about_the_present(message.term, self.term):
                    self._handle(message)
            case InstallSnapshot():
                self._reply_snapshot(message, False)

    # Books

    def _previous_output_is_durable(self) -> None:
        """What was handed out last time is on disk now: the node's own vote and copy count."""
        self._unconfirmed = False
        if self.role is LEADER:
            self._own_copy_is_durable(self.log.stable_index)
        elif self.role is Role.CANDIDATE and not self._hard_state_changed:
            self._own_vote_is_durable()

    def _own_copy_is_durable(self, index: Index) -> None:
        tracker = self.tracker
        mine = tracker.progress.get(self.node_id)
        if mine is not None and index > mine.match_index:
            mine.accepted(index)
            self.maybe_commit(tracker, index)

    def _own_vote_is_durable(self) -> None:
        candidate = self.role_data
        assert isinstance(candidate, Candidate)
        if not candidate.is_prevote and candidate.votes.register_vote(self.node_id, True):
            self.conclude_election()

    def _take_output(self, entries: tuple[LogEntry, ...]) -> Output:
        messages = tuple(self._messages)
        at_once: tuple[Message, ...] = ()
        writes_later = self.options.async_persistence
        if writes_later:
            messages, at_once = split(messages)
        snapshot, is_new = self._new_snapshot, self._hard_state_changed
        output = Output(
            self.term if is_new else None,
            self.voted_for if is_new else None,
            self._truncate_from,
            entries,
            snapshot,
            messages,
            self._take_committed() if self.commit_index > self._committed_out else (),
            tuple(self._ready_reads) if self._ready_reads else (),
            tuple(self._role_changes) if self._role_changes else (),
            tuple(self._notes) if self._notes else (),
            tuple(self._alarms) if self._alarms else (),
            self.log.first_index if snapshot is not None else None,
            tuple(self._failed_reads) if self._failed_reads else (),
            at_once,
        )
        self._unconfirmed = not writes_later and (is_new or bool(entries))
        self.log.stable_index = self.log.last_index
        self._hard_state_changed = False
        self._truncate_from = None
        self._new_snapshot = None
        self._messages.clear()
        if self._ready_reads or self._failed_reads:
            self._ready_reads.clear()
            self._failed_reads.clear()
        if self._role_changes:
            self._role_changes.clear()
        if self._notes:
            self._notes.clear()
        if self._alarms:
            self._alarms.clear()
        return output

    def _take_committed(self) -> tuple[LogEntry, ...]:
        committed = self.log.entries(self._committed_out + 1, self.commit_index + 1)
        self._committed_out = self.commit_index
        return committed


def split(messages: tuple[Message, ...]) -> tuple[tuple[Message, ...], tuple[Message, ...]]:
    """The messages that wait for the disk, and those that need not."""
    waiting = tuple(each for each in messages if not isinstance(each, CLAIMING_NOTHING))
    return waiting, tuple(each for each in messages if isinstance(each, CLAIMING_NOTHING))

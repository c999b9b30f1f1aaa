"""The Raft state machine as its host sees it: `advance`, `tick`, `add_entry`, `poll`.

Pure and deterministic: time, messages and randomness come in as arguments, and
everything that must happen outside goes out through `poll`. The same inputs give the
same outputs, always.
"""

import copy
from collections.abc import Hashable
from typing import assert_never, get_args

from raftlab.raft.elections import Elections
from raftlab.raft.log import Command, Empty, LogEntry, Payload
from raftlab.raft.messages import (
    AppendEntries,
    AppendEntriesReply,
    InstallSnapshot,
    InstallSnapshotReply,
    Message,
    RequestVote,
    RequestVoteReply,
    TimeoutNow,
)
from raftlab.raft.output import NOTHING, Output
from raftlab.raft.roles import Candidate, Cause, Leader, Role
from raftlab.raft.vocabulary import Configuration, Index, Millis, Misuse, NodeId, NotLeader

MESSAGES = frozenset(get_args(Message))


class RaftStateMachine(Elections):
    """One Raft node, without I/O.

    The constructor is the only way to start and to restart; what is not passed in is
    lost. Calling `poll` again tells the machine that everything the previous output
    asked to be written is on disk.

        machine = RaftStateMachine("S1", configuration=Configuration(("S1", "S2", "S3")))
        machine.tick(machine.next_deadline)
        output = machine.poll()          # write, then send, then apply

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
            raise Misuse(f"{message!r} is not a message of Raft")
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
        self._set_now(now)
        if self.role is Role.LEADER:
            self.tick_leader()
        elif now >= self.election_deadline:
            self.election_timed_out()

    def campaign(self, now: Millis, force: bool = False) -> None:
        """The election timer runs out now. `force`: stand at once, as if the leader had asked.

        Thesis: 3.10 for `force`.

        Raises: Misuse, for a leader, and if time goes back.
        """
        if self.role is Role.LEADER:
            raise Misuse(f"{self.node_id} leads term {self.term} and has no election timer")
        self._set_now(now)
        self.election_timed_out(force)

    @property
    def next_deadline(self) -> Millis:
        """When the next `tick` can matter (ms); ticks before it change nothing."""
        leader = self.role_data
        if isinstance(leader, Leader):
            heartbeat, quorum = leader.heartbeat_deadline, leader.quorum_deadline
            return heartbeat if heartbeat < quorum else quorum
        return self.election_deadline

    def add_entry(self, payload: Payload) -> Index:
        """Append a command (or an empty entry) as leader; returns its index.

        The entry is not committed yet: it is once it comes out as `Output.committed`
        with the same term. Paper: 5.3.

        Raises: NotLeader, which names the leader this node knows; Misuse, for anything
        that is not a payload.
        """
        if not isinstance(payload, Command | Empty | Configuration):
            raise Misuse(f"{payload!r} is not a payload: pass Command(b'...') or Empty()")
        if isinstance(payload, Configuration):
            raise NotImplementedError("changing the configuration")
        if self.role is not Role.LEADER:
            raise NotLeader.of(self.node_id, self.role.value, self.term, self.leader)
        return self.log.append_as_leader(self.term, payload).index

    def poll(self) -> Output:
        """Everything the host must now do; `NOTHING` if there is nothing.

        Calling it says that the previous output is done: written, and handed on.
        """
        if self._unconfirmed:
            self._previous_output_is_durable()
        log = self.log
        entries: tuple[LogEntry, ...] = ()
        if log.stable_index < log.last_index:
            if self.role is Role.LEADER:
                self.replicate()
            entries = log.entries(log.stable_index + 1, log.last_index + 1)
        if not (
            self._messages
            or entries
            or self._hard_state_changed
            or self.commit_index > self._committed_out
            or self._notes
            or self._role_changes
            or self._truncate_from is not None
            or self._alarms
        ):
            return NOTHING
        return self._take_output(entries)

    # Not built yet

    def read(self) -> int:
        """Ask for a linearizable read. Thesis: 6.4."""
        raise NotImplementedError("reads")

    def transfer_leadership(self, to: NodeId | None = None) -> None:
        """Hand leadership over. Thesis: 3.10."""
        raise NotImplementedError("leadership transfer")

    def compact(self, up_to: Index) -> None:
        """Forget the log up to `up_to` in favour of a snapshot. Paper: 7."""
        raise NotImplementedError("snapshots")

    def persisted(self, index: Index, term: int) -> None:
        """Say that entries up to `index` of `term` are on disk. Thesis: 10.2.1."""
        raise NotImplementedError("asynchronous persistence")

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
        return twin

    def fingerprint(self) -> Hashable:
        """Equal for two machines that differ in nothing but time and random draws.

        Queued output counts; notes and alarms do not.
        """
        return (
            self.node_id,
            self.term,
            self.voted_for,
            self.role,
            self._role_fingerprint(),
            tuple(self.log),
            self.log.snapshot,
            self.log.stable_index,
            self.commit_index,
            self._committed_out,
            self._truncate_from,
            self._hard_state_changed,
            self._unconfirmed,
            tuple(self._messages),
            self.configuration,
        )

    def _role_fingerprint(self) -> Hashable:
        data = self.role_data
        if isinstance(data, Leader):
            return tuple(each.fingerprint() for each in data.tracker.progress.values())
        if isinstance(data, Candidate):
            return (data.is_prevote, tuple(sorted(data.votes.answers.items())))
        return data.leader

    # Terms

    def _handle(self, message: Message) -> None:
        """A message of this term goes to the rule for its kind. Paper: Figure 2."""
        match message:
            case AppendEntriesReply():
                if self.role is Role.LEADER:
                    self.on_append_entries_reply(message)
            case AppendEntries():
                self.on_append_entries(message)
            case RequestVote():
                self.on_request_vote(message)
            case RequestVoteReply():
                self.on_request_vote_reply(message)
            case TimeoutNow():
                if self.role is Role.FOLLOWER:
                    self.election_timed_out(force=True)
            case InstallSnapshot() | InstallSnapshotReply():
                self.note("advance", "leaves a {} alone: not built yet", type(message).__name__)
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
                self._reply_append(message.sender, rejected)
            case RequestVote():
                self.on_request_vote(message)
            case RequestVoteReply() | AppendEntriesReply():
                if self.rules.is_about_the_present(message.term, self.term):
                    self._handle(message)
            case InstallSnapshot():
                last = self.log.last_index
                self.send(
                    InstallSnapshotReply(self.term, self.node_id, message.sender, last, False)
                )

    # Books

    def _set_now(self, now: Millis) -> None:
        if not now >= self.now:
            raise Misuse(f"time went back from {self.now} to {now} ms at {self.node_id}")
        self.now = now

    def _previous_output_is_durable(self) -> None:
        """What was handed out last time is on disk now: the node's own vote and copy count."""
        self._unconfirmed = False
        if self.role is Role.LEADER:
            tracker = self.tracker
            mine = tracker.progress.get(self.node_id)
            if mine is not None and self.log.stable_index > mine.match_index:
                mine.accepted(self.log.stable_index)
                self.maybe_commit(tracker, self.log.stable_index)
        elif self.role is Role.CANDIDATE and not self._hard_state_changed:
            candidate = self.role_data
            assert isinstance(candidate, Candidate)
            if not candidate.is_prevote and candidate.votes.register_vote(self.node_id, True):
                self.conclude_election()

    def _take_output(self, entries: tuple[LogEntry, ...]) -> Output:
        output = Output(
            self.term if self._hard_state_changed else None,
            self.voted_for if self._hard_state_changed else None,
            self._truncate_from,
            entries,
            None,
            tuple(self._messages),
            self._take_committed() if self.commit_index > self._committed_out else (),
            (),
            tuple(self._role_changes),
            tuple(self._notes),
            tuple(self._alarms),
        )
        self._unconfirmed = self._hard_state_changed or bool(entries)
        self.log.stable_index = self.log.last_index
        self._hard_state_changed = False
        self._truncate_from = None
        self._messages.clear()
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

"""What must hold of one machine at every moment, whatever its peers say.

These need no other node to check, unlike the properties that every cluster watches.
`LocalInvariants` follows a machine, and the disk that its host writes, call by call.
"""

from collections.abc import Mapping
from typing import Any

from raftlab.raft.log import LogEntry, RaftLog, Snapshot
from raftlab.raft.machine import RaftStateMachine
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
from raftlab.raft.output import Output
from raftlab.raft.progress import ProgressState
from raftlab.raft.roles import Candidate, Follower, Leader, Role
from raftlab.raft.vocabulary import Configuration

ROLE_DATA = {Role.FOLLOWER: Follower, Role.CANDIDATE: Candidate, Role.LEADER: Leader}

FROM_LEADERS = (AppendEntries, InstallSnapshot, TimeoutNow, ReadIndexReply)
"""What only a leader says, whose term was durable before it led: it may leave at once."""


class Before:
    """What a machine held before a call, as far as it binds what may come after."""

    def __init__(self, machine: RaftStateMachine) -> None:
        self.term = machine.term
        self.voted_for = machine.voted_for
        self.commit_index = machine.commit_index
        self.role = machine.role
        self.snapshot_index = snapshot_index(machine)
        self.entries = {each.index: each for each in machine.log}
        self.match = match_indexes(machine)
        self.now = machine.now

    @property
    def leads(self) -> bool:
        """Whether it was a leader."""
        return self.role is Role.LEADER


def snapshot_index(machine: RaftStateMachine) -> int:
    """Where a machine's snapshot ends; 0 if it has none."""
    return machine.log.snapshot.index if machine.log.snapshot else 0


def match_indexes(machine: RaftStateMachine) -> Mapping[str, int]:
    """What a leader knows of its members; of anyone else, nothing."""
    data = machine.role_data
    if not isinstance(data, Leader):
        return {}
    return {node: each.match_index for node, each in data.tracker.progress.items()}


def check_local(machine: RaftStateMachine, before: Before) -> None:
    """Whether a machine is sound, and came here from `before` by steps that Raft allows."""
    check_log(machine)
    check_configuration(machine)
    check_role(machine)
    check_progress(machine)
    check_step(machine, before)


def check_log(machine: RaftStateMachine) -> None:
    """Indexes without a hole, terms that never fall, and marks in their order."""
    log, base = machine.log, snapshot_index(machine)
    held = list(log)
    assert 1 <= log.first_index <= base + 1
    assert base <= machine.commit_index <= log.last_index
    assert log.stable_index <= log.last_index
    assert len(log) == len(held) == log.last_index + 1 - log.first_index
    assert [each.index for each in held] == list(range(log.first_index, log.last_index + 1))
    terms = [each.term for each in held]
    assert terms == sorted(terms)
    assert log.last_term <= machine.term
    if log.snapshot is not None:
        assert log.term_for_index(base) == log.snapshot.term
        assert all(each.term >= log.snapshot.term for each in held if each.index > base)


def check_configuration(machine: RaftStateMachine) -> None:
    """The configuration in force is the newest there is; a leader changes one at a time."""
    log, base = machine.log, snapshot_index(machine)
    held = [each for each in log if isinstance(each.payload, Configuration) and each.index > base]
    assert log.configuration_index == (held[-1].index if held else base)
    if held:
        assert machine.configuration == held[-1].payload
    elif log.snapshot is not None:
        assert machine.configuration == log.snapshot.configuration
    else:
        assert machine.configuration == machine._first_configuration
    if machine.role is Role.LEADER:
        assert all(machine.configuration.voter_sets), "a set without a voter elects nobody"
        open_ones = [each for each in held if each.index > machine.commit_index]
        mine = [each for each in open_ones if each.term == machine.term]
        assert not mine or len(open_ones) == 1, "one change at a time"


def check_role(machine: RaftStateMachine) -> None:
    """What goes with a role."""
    data = machine.role_data
    assert type(data) is ROLE_DATA[machine.role]
    if isinstance(data, Candidate) and not data.is_prevote:
        assert machine.voted_for == machine.node_id
    if isinstance(data, Leader):
        if machine._rules.appends_at_term_start():
            assert machine.log.last_term == machine.term
        assert machine.voted_for == machine.node_id
        assert machine.leader == machine.node_id
        if isinstance(machine, RaftStateMachine):
            check_leader(machine)
    else:
        assert machine.leader != machine.node_id


def check_leader(machine: RaftStateMachine) -> None:
    """The books of a leader: what it counts, and what it hands over."""
    assert machine._counted_index <= machine.commit_index
    counted = machine.log.entries(machine._counted_index + 1, machine.log.last_index + 1)
    assert machine._uncommitted_bytes == sum(each.size for each in counted)
    transfer = machine._transfer
    if transfer is not None:
        assert machine._has_handed_over
        assert transfer.to != machine.node_id != transfer.sent
        assert transfer.sent is None or transfer.to in (None, transfer.sent)
    assert machine._counted_index >= machine.log.first_index - 1, "nothing is gone uncounted"


def check_progress(machine: RaftStateMachine) -> None:
    """What a leader believes of its followers is possible."""
    data = machine.role_data
    if not isinstance(data, Leader):
        return
    assert tuple(data.tracker.progress) == machine.configuration.members
    assert data.tracker.voters == machine.configuration.all_voters
    for each in data.tracker.progress.values():
        assert 0 <= each.match_index < each.next_index <= machine.log.last_index + 1
        assert len(each.in_flight) <= machine._options.max_in_flight
        assert each.in_flight == sorted(each.in_flight)
        assert all(each.match_index < last < each.next_index for last in each.in_flight)
        if each.state is not ProgressState.PIPELINE:
            assert not each.in_flight
        if each.state is ProgressState.SNAPSHOT:
            assert each.match_index < each.next_index - 1 <= snapshot_index(machine)
            assert not each.probe_sent
    mine = data.tracker.progress.get(machine.node_id)
    assert mine is None or mine.match_index <= machine.log.stable_index


def check_step(machine: RaftStateMachine, before: Before) -> None:
    """What never goes back."""
    assert machine.now >= before.now
    assert machine.term >= before.term
    assert machine.commit_index >= before.commit_index
    assert snapshot_index(machine) >= before.snapshot_index
    if machine.term == before.term and before.voted_for is not None:
        assert machine.voted_for == before.voted_for, "one vote per term"
    now = {each.index: each for each in machine.log}
    for index in now.keys() & before.entries.keys():
        if index <= before.commit_index:
            assert now[index] == before.entries[index], "what is committed stays"
    if machine.log.last_index < max(before.entries, default=0):
        assert machine.log.last_index >= before.commit_index
    if before.leads and machine.role is Role.LEADER and machine.term == before.term:
        first = machine.log.first_index
        for index, each in before.entries.items():
            assert index < first or now[index] == each, "a leader only appends"
        for node, match in match_indexes(machine).items():
            assert match >= before.match.get(node, 0)
    if before.leads and machine.term == before.term:
        assert machine.role in (Role.LEADER, Role.FOLLOWER), "nobody campaigns twice in a term"
    if machine.role is Role.LEADER and not before.leads:
        assert before.role is Role.CANDIDATE, "Figure 4: nobody leads who did not stand"


class LocalInvariants:
    """Follows one machine and what its host has written.

    `written` is the host's disk, entry by entry. Under `Options.async_persistence` what was
    handed out is durable only from `persisted` on.
    """

    def __init__(self, machine: RaftStateMachine) -> None:
        self.machine = machine
        self.before = Before(machine)
        self.term, self.voted_for = machine.term, machine.voted_for
        self.durable_term = machine.term
        stable = machine.log.entries(1, machine.log.stable_index + 1)
        self.durable = {(each.index, each.term) for each in stable}
        self.entries: dict[int, LogEntry] = {each.index: each for each in machine.log}
        self.snapshot: Snapshot | None = machine.log.snapshot
        self.applied = machine.log.snapshot.index if machine.log.snapshot else 0
        self.votes: dict[int, str] = {}
        self.sent_votes: dict[int, str] = {}

    @property
    def written(self) -> list[LogEntry]:
        """The entries on the disk, in order."""
        return [self.entries[index] for index in sorted(self.entries)]

    def check(self, output: Output | None = None) -> None:
        """Check after a call; with `output`, after a poll that returned it."""
        check_local(self.machine, self.before)
        if output is not None:
            self._write(output)
            self._check_messages(output)
            self._check_committed(output)
            self._check_written()
        self._check_own_copy()
        self.before = Before(self.machine)

    def persisted(self, output: Output) -> None:
        """What this output asked to be written is on disk, and all before it."""
        if output.term is not None:
            self.durable_term = output.term
        self.durable |= {(each.index, each.term) for each in output.log_entries}
        for message in output.messages:
            if not getattr(message, "is_prevote", True):
                self._note_vote(self.sent_votes, message)

    def _note_vote(self, votes: dict[int, str], message: Message) -> None:
        if isinstance(message, RequestVote):
            candidate = message.sender
        elif isinstance(message, RequestVoteReply) and message.vote_granted:
            candidate = message.receiver
        else:
            return
        assert votes.setdefault(message.term, candidate) == candidate, "one vote per term"
        if message.term == self.term:
            assert self.voted_for == candidate, "a vote is on disk before anyone hears of it"

    def _write(self, output: Output) -> None:
        if output.term is not None:
            assert output.term >= self.term
            self.term, self.voted_for = output.term, output.voted_for
        else:
            assert output.voted_for is None, "a vote is handed out with its term"
        assert (output.first_index is None) == (output.snapshot is None)
        if output.snapshot is not None:
            assert self.snapshot is None or output.snapshot.index > self.snapshot.index
            self.snapshot = output.snapshot
        if output.truncate_from is not None:
            self.entries = {i: each for i, each in self.entries.items() if i < output.truncate_from}
        for each in output.log_entries:
            assert each.index not in self.entries, "what is overwritten is cut before"
            self.entries[each.index] = each
        if output.first_index is not None:
            self.entries = {i: each for i, each in self.entries.items() if i >= output.first_index}
        if not self.machine._options.async_persistence:
            self.persisted(output)

    def _check_messages(self, output: Output) -> None:
        if not self.machine._options.async_persistence:
            assert output.messages_at_once == ()
        for message in output.messages_at_once:
            assert isinstance(message, FROM_LEADERS), "this claims something to be on disk"
            assert message.term <= self.durable_term
            self._check_message(message)
        for message in output.messages:
            self._check_message(message)

    def _check_message(self, message: Message) -> None:
        machine = self.machine
        assert message.sender == machine.node_id
        assert message.receiver != machine.node_id
        if isinstance(message, RequestVote | RequestVoteReply) and message.is_prevote:
            return
        assert message.term <= self.term, "a term is on disk before anyone hears of it"
        match message:
            case RequestVote():
                assert 0 <= message.last_log_term < message.term
                self._note_vote(self.votes, message)
            case RequestVoteReply():
                self._note_vote(self.votes, message)
            case AppendEntries():
                self._check_append(message)
            case InstallSnapshot():
                assert 1 <= message.snapshot.term <= message.term
                assert message.snapshot.index <= machine.commit_index
            case AppendEntriesReply():
                assert message.commit_index <= machine.commit_index
            case ReadIndexReply():
                assert 0 <= message.index <= machine.commit_index
            case InstallSnapshotReply() | TimeoutNow() | ReadIndex():
                pass

    def _check_append(self, message: AppendEntries) -> None:
        options = self.machine._options
        assert message.prev_log_index >= 0
        assert (message.prev_log_term > 0) == (message.prev_log_index > 0)
        assert len(message.entries) <= options.max_entries_per_append
        size = sum(each.size for each in message.entries)
        assert size <= options.max_bytes_per_append or len(message.entries) == 1
        assert all(each.term <= message.term for each in message.entries)
        expected = range(
            message.prev_log_index + 1, message.prev_log_index + 1 + len(message.entries)
        )
        assert [each.index for each in message.entries] == list(expected)
        assert 0 <= message.leader_commit <= self.machine.commit_index
        if message.term == self.machine.term:
            assert message.leader_commit <= self.machine.log.last_index

    def _check_committed(self, output: Output) -> None:
        if output.snapshot is not None and output.snapshot.index > self.applied:
            self.applied = output.snapshot.index
        for each in output.committed:
            assert each.index == self.applied + 1, "applied once, in order"
            assert each.index <= self.machine.commit_index
            assert each == self.machine.log[each.index]
            self.applied = each.index
        for read in output.reads:
            assert read.index <= self.applied, "a read is served when its index is applied"

    def _check_written(self) -> None:
        log = self.machine.log
        assert (self.term, self.voted_for) == (self.machine.term, self.machine.voted_for)
        assert RaftLog(self.written, self.snapshot) == log, "everything is handed out"
        assert log.stable_index == log.last_index

    def _check_own_copy(self) -> None:
        """A leader counts itself for what it has appended only once that is durable."""
        machine = self.machine
        if machine.role is Role.LEADER and machine._options.async_persistence:
            index = match_indexes(machine).get(machine.node_id, 0)
            if machine.log.term_for_index(index) == machine.term:
                assert (index, machine.term) in self.durable


def fields_of(machine: RaftStateMachine) -> dict[str, Any]:
    """Everything that `fingerprint` leaves out, so that "unchanged" can mean all of it."""
    return {
        "now": machine.now,
        "election_deadline": machine.election_deadline,
        "last_leader_contact": machine._last_leader_contact,
        "next_deadline": machine.next_deadline,
        "random": machine._rng.getstate(),
    }

"""What must hold of one machine at every moment, whatever its peers say.

These need no other node to check, unlike the properties that every cluster watches.
`LocalInvariants` follows a machine, and the disk that its host writes, call by call.
"""

from collections.abc import Mapping
from typing import Any

from raftlab.raft.log import LogEntry
from raftlab.raft.machine import RaftStateMachine
from raftlab.raft.messages import AppendEntries, Message, RequestVote, RequestVoteReply
from raftlab.raft.output import Output
from raftlab.raft.progress import ProgressState
from raftlab.raft.roles import Candidate, Follower, Leader, Role

ROLE_DATA = {Role.FOLLOWER: Follower, Role.CANDIDATE: Candidate, Role.LEADER: Leader}


class Before:
    """What a machine held before a call, as far as it binds what may come after."""

    def __init__(self, machine: RaftStateMachine) -> None:
        self.term = machine.term
        self.voted_for = machine.voted_for
        self.commit_index = machine.commit_index
        self.leads = machine.role is Role.LEADER
        self.entries = list(machine.log)
        self.match = match_indexes(machine)
        self.now = machine.now


def match_indexes(machine: RaftStateMachine) -> Mapping[str, int]:
    """What a leader knows of its followers; of anyone else, nothing."""
    data = machine.role_data
    return data.tracker.match_indexes() if isinstance(data, Leader) else {}


def check_local(machine: RaftStateMachine, before: Before) -> None:
    """Whether a machine is sound, and came here from `before` by steps that Raft allows."""
    check_log(machine)
    check_role(machine)
    check_progress(machine)
    check_step(machine, before)


def check_log(machine: RaftStateMachine) -> None:
    """Indexes without a hole, terms that never fall, and marks in their order."""
    log = machine.log
    snapshot = log.snapshot.index if log.snapshot else 0
    held = list(log)
    assert log.first_index <= snapshot + 1
    assert snapshot <= machine.commit_index <= log.last_index
    assert log.stable_index <= log.last_index
    assert [each.index for each in held] == list(range(log.first_index, log.last_index + 1))
    terms = [each.term for each in held]
    assert terms == sorted(terms)
    assert log.last_term <= machine.term


def check_role(machine: RaftStateMachine) -> None:
    """What goes with a role."""
    data = machine.role_data
    assert type(data) is ROLE_DATA[machine.role]
    if isinstance(data, Candidate) and not data.is_prevote:
        assert machine.voted_for == machine.node_id
    if isinstance(data, Leader):
        if machine.rules.appends_at_term_start():
            assert machine.log.last_term == machine.term
        assert machine.voted_for == machine.node_id
        assert machine.leader == machine.node_id
    else:
        assert machine.leader != machine.node_id


def check_progress(machine: RaftStateMachine) -> None:
    """What a leader believes of its followers is possible."""
    data = machine.role_data
    if not isinstance(data, Leader):
        return
    assert tuple(data.tracker.progress) == machine.configuration.members
    for each in data.tracker.progress.values():
        assert 0 <= each.match_index < each.next_index <= machine.log.last_index + 1
        assert len(each.in_flight) <= machine.options.max_in_flight
        if each.state is ProgressState.PROBE:
            assert not each.in_flight
    mine = data.tracker.progress.get(machine.node_id)
    assert mine is None or mine.match_index <= machine.log.stable_index


def check_step(machine: RaftStateMachine, before: Before) -> None:
    """What never goes back."""
    assert machine.now >= before.now
    assert machine.term >= before.term
    assert machine.commit_index >= before.commit_index
    if machine.term == before.term and before.voted_for is not None:
        assert machine.voted_for == before.voted_for, "one vote per term"
    held = list(machine.log)
    committed = before.commit_index - (before.entries[0].index - 1 if before.entries else 0)
    assert held[:committed] == before.entries[:committed], "what is committed stays"
    if before.leads and machine.role is Role.LEADER and machine.term == before.term:
        assert held[: len(before.entries)] == before.entries, "a leader only appends"
        for node, match in match_indexes(machine).items():
            assert match >= before.match[node]
    if before.leads and machine.term == before.term:
        assert machine.role in (Role.LEADER, Role.FOLLOWER), "nobody campaigns twice in a term"


class LocalInvariants:
    """Follows one machine and what its host has written."""

    def __init__(self, machine: RaftStateMachine) -> None:
        self.machine = machine
        self.before = Before(machine)
        self.term, self.voted_for = machine.term, machine.voted_for
        self.written: list[LogEntry] = list(machine.log)
        self.base = machine.log.first_index - 1
        self.applied = machine.log.snapshot.index if machine.log.snapshot else 0
        self.votes: dict[int, str] = {}

    def check(self, output: Output | None = None) -> None:
        """Check after a call; with `output`, after a poll that returned it."""
        check_local(self.machine, self.before)
        if output is not None:
            self._write(output)
            for message in output.messages:
                self._check_message(message)
            self._check_committed(output)
            self._check_written()
        self.before = Before(self.machine)

    def _write(self, output: Output) -> None:
        if output.term is not None:
            assert output.term >= self.term
            self.term, self.voted_for = output.term, output.voted_for
        else:
            assert output.voted_for is None, "a vote is handed out with its term"
        if output.truncate_from is not None:
            assert output.truncate_from <= self.base + len(self.written)
            del self.written[output.truncate_from - self.base - 1 :]
        if output.log_entries:
            assert output.log_entries[0].index == self.base + len(self.written) + 1
            self.written += output.log_entries

    def _check_message(self, message: Message) -> None:
        machine = self.machine
        assert message.sender == machine.node_id
        assert message.receiver != machine.node_id
        if isinstance(message, RequestVote | RequestVoteReply) and message.is_prevote:
            return
        assert message.term <= self.term, "a term is on disk before anyone hears of it"
        if isinstance(message, RequestVote):
            self._check_vote(message.term, machine.node_id)
        elif isinstance(message, RequestVoteReply) and message.vote_granted:
            self._check_vote(message.term, message.receiver)
        elif isinstance(message, AppendEntries):
            self._check_append(message)

    def _check_vote(self, term: int, candidate: str) -> None:
        assert self.votes.setdefault(term, candidate) == candidate, "one vote per term"
        if term == self.term:
            assert self.voted_for == candidate, "a vote is on disk before anyone hears of it"

    def _check_append(self, message: AppendEntries) -> None:
        assert message.prev_log_index >= 0
        assert (message.prev_log_term > 0) == (message.prev_log_index > 0)
        assert len(message.entries) <= self.machine.options.max_entries_per_append
        assert all(each.term <= message.term for each in message.entries)
        expected = range(
            message.prev_log_index + 1, message.prev_log_index + 1 + len(message.entries)
        )
        assert [each.index for each in message.entries] == list(expected)
        if message.term == self.machine.term:
            assert message.leader_commit <= self.machine.log.last_index

    def _check_committed(self, output: Output) -> None:
        for each in output.committed:
            assert each.index == self.applied + 1, "applied once, in order"
            assert each == self.machine.log[each.index]
            self.applied = each.index

    def _check_written(self) -> None:
        log = self.machine.log
        assert (self.term, self.voted_for) == (self.machine.term, self.machine.voted_for)
        assert self.written == list(log), "everything is handed out to be written"
        assert log.stable_index == log.last_index


def fields_of(machine: RaftStateMachine) -> dict[str, Any]:
    """Everything that `fingerprint` leaves out, so that "unchanged" can mean all of it."""
    return {
        "now": machine.now,
        "election_deadline": machine.election_deadline,
        "last_leader_contact": machine.last_leader_contact,
        "next_deadline": machine.next_deadline,
        "random": machine.rng.getstate(),
    }

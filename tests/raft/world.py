"""Machines in a test: built in one line, their messages written and carried by hand.

One machine, and peers who are only letters:

    node = machine(terms=(1, 1, 4), term=7)                 # S1 of three, a follower of term 7
    assert tell(node, vote_request("S2", 8, last=(3, 4))) == [vote("S1", 8, to="S2")]

Several machines, on a network that delivers what the test names and nothing else. A message
that is on its way when the test ends, and that nobody has spoken of, fails the test:

    with World(3) as world:
        world.timeout("S1")
        world.deliver(RequestVote, "S1", "S2")
        world.lose(RequestVote, "S1", "S3")
        world.deliver(RequestVoteReply, "S2", "S1")
"""

from collections.abc import Callable, Iterable, Sequence
from random import Random
from typing import Any, Self

import msgspec

from raftlab.raft.figure2 import Figure2
from raftlab.raft.log import Command, LogEntry, RaftLog, Snapshot
from raftlab.raft.machine import RaftStateMachine
from raftlab.raft.messages import (
    Accepted,
    AppendEntries,
    AppendEntriesReply,
    InstallSnapshot,
    InstallSnapshotReply,
    Message,
    Rejected,
    RequestVote,
    RequestVoteReply,
    TimeoutNow,
)
from raftlab.raft.node import NodeCore
from raftlab.raft.options import Options
from raftlab.raft.output import NOTHING, Note, Output, RoleChange
from raftlab.raft.progress import FollowerProgress
from raftlab.raft.roles import Role
from raftlab.raft.rules import Rules
from raftlab.raft.vocabulary import Configuration
from tests.raft.local import LocalInvariants

FIGURE_2 = Options.figure_2()
"""The paper's Figure 2 alone: no pre-vote, no check-quorum, no stickiness."""

COMPLETE = Options()
"""What a machine does if nothing is switched off."""

RULES: type[Rules] = Rules
"""The rules of every machine made here. `test_the_tests_can_fail.py` plants others."""


def names(size: int) -> tuple[str, ...]:
    """S1 to S<size>."""
    return tuple(f"S{number}" for number in range(1, size + 1))


MACHINE: type[Figure2] = RaftStateMachine
"""What every machine made here is. The tests of the paper's section 5 plant Figure 2 alone."""


# Logs


def entry(index: int, term: int) -> LogEntry:
    """The entry that the leader of `term` put at `index`: there is only one."""
    return LogEntry(term, index, Command(f"{index}@{term}".encode()))


def entries(*terms: int, start: int = 1) -> tuple[LogEntry, ...]:
    """Entries with these terms, from index `start`."""
    return tuple(entry(index, term) for index, term in enumerate(terms, start))


def log(*terms: int) -> RaftLog:
    """A log with entries of these terms, from index 1."""
    return RaftLog(entries(*terms))


def sized(index: int, term: int, size: int) -> LogEntry:
    """An entry that carries `size` bytes."""
    return LogEntry(term, index, Command(bytes(size)))


def snapshot(index: int, term: int, configuration: Configuration | None = None) -> Snapshot:
    """A snapshot of three nodes up to (`index`, `term`), unless told."""
    return Snapshot(
        index, term, configuration or Configuration(names(3)), f"up to {index}".encode()
    )


def after(held: Snapshot, *terms: int, trailing: Sequence[int] = ()) -> RaftLog:
    """A log that starts with a snapshot: entries of `terms` follow it, `trailing` lead up to it."""
    first = held.index + 1 - len(trailing)
    return RaftLog(entries(*trailing, *terms, start=first), held)


def terms_of(holder: RaftStateMachine | RaftLog | Iterable[LogEntry]) -> list[int]:
    """The terms along a log, from its first entry."""
    held = holder.log if isinstance(holder, NodeCore) else holder
    return [each.term for each in held]


# One machine


def machine(
    node: str = "S1",
    *,
    nodes: int = 3,
    configuration: Configuration | None = None,
    terms: Sequence[int] = (),
    term: int | None = None,
    vote: str | None = None,
    held: RaftLog | None = None,
    options: Options = FIGURE_2,
    rules: Rules | None = None,
    seed: object = 7,
    **more: Any,
) -> Any:
    """A machine that has just started, with a log of `terms`, in its last term unless told.

    `held` is a log with entries of its own instead.
    """
    return MACHINE(
        node,
        configuration=configuration or Configuration(names(nodes)),
        term=term if term is not None else max(terms, default=0),
        voted_for=vote,
        log=held if held is not None else log(*terms),
        rng=Random(f"{seed} {node}"),
        options=options,
        rules=rules or RULES(),
        **more,
    )


class Said:
    """What a machine has put out in several polls, as one."""

    def __init__(self, outputs: Sequence[Output]) -> None:
        self.outputs = outputs
        self.messages: list[Message] = [
            each for out in outputs for each in (*out.messages_at_once, *out.messages)
        ]
        self.log_entries: list[LogEntry] = [each for out in outputs for each in out.log_entries]
        self.committed: list[LogEntry] = [each for out in outputs for each in out.committed]
        self.roles: list[RoleChange] = [each for out in outputs for each in out.role_changes]
        self.notes: list[Note] = [each for out in outputs for each in out.debug_log]
        self.alarms: list[str] = [each for out in outputs for each in out.alarms]


def drain(node: RaftStateMachine) -> Said:
    """Poll, and so make everything durable, until there is nothing to do."""
    outputs = []
    while (output := node.poll()) != NOTHING:
        outputs.append(output)
        if node._options.async_persistence:
            node.persisted(output)
        assert len(outputs) < 100, "a machine that always has something more to do"
    return Said(outputs)


def tell(node: RaftStateMachine, message: Message, after: float = 0.0) -> list[Message]:
    """Give a message to a machine, `after` ms later; everything that it says then."""
    node.advance(message, node.now + after)
    return drain(node).messages


def let_time_out(node: RaftStateMachine) -> list[Message]:
    """Let a machine wait for what it waits for; everything that it says then."""
    node.tick(node.next_deadline)
    return drain(node).messages


def propose(node: RaftStateMachine, text: str = "x=1") -> list[Message]:
    """Hand a leader a command; everything that it says then."""
    node.add_entry(Command(text.encode()))
    return drain(node).messages


def candidate(**about: Any) -> RaftStateMachine:
    """S1 in a real campaign, its requests sent and its own vote durable."""
    node = machine(**about)
    node.campaign(node.now, force=True)
    drain(node)
    assert node.role is Role.CANDIDATE
    return node


def leader(*, quiet: bool = True, **about: Any) -> RaftStateMachine:
    """S1 elected by its peers, in the term after `term`; unless told, its first words are gone.

    Its log is `terms` and then the empty entry of its term; nobody has answered yet.
    """
    node = candidate(**about)
    for voter in node.configuration.all_voters:
        if node.role is Role.CANDIDATE and voter != node.node_id:
            node.advance(vote(voter, node.term, to=node.node_id), node.now)
    assert node.role is Role.LEADER
    if quiet:
        drain(node)
    return node


def accepted_by_all(node: RaftStateMachine) -> RaftStateMachine:
    """Let every follower acknowledge the whole log of this leader."""
    for peer in node.configuration.members:
        if peer != node.node_id:
            tell(node, accepted(peer, node.term, node.log.last_index))
    return node


def known(node: RaftStateMachine, peer: str) -> FollowerProgress:
    """What this leader knows of `peer`."""
    return node.role_data.tracker.progress[peer]


def in_flight(node: RaftStateMachine, peer: str) -> int:
    """How many messages with entries this leader thinks are on their way to `peer`."""
    return len(node.role_data.tracker.progress[peer].in_flight)


# Letters


def vote_request(
    sender: str,
    term: int,
    last: tuple[int, int] = (0, 0),
    to: str = "S1",
    is_prevote: bool = False,
    force: bool = False,
) -> RequestVote:
    """`sender`, whose log ends with (index, term) `last`, asks for a vote."""
    return RequestVote(
        term=term,
        sender=sender,
        receiver=to,
        last_log_index=last[0],
        last_log_term=last[1],
        is_prevote=is_prevote,
        force=force,
    )


def vote(
    sender: str, term: int, granted: bool = True, to: str = "S1", is_prevote: bool = False
) -> RequestVoteReply:
    """`sender` grants a vote, or refuses it."""
    return RequestVoteReply(
        term=term, sender=sender, receiver=to, vote_granted=granted, is_prevote=is_prevote
    )


def append(
    sender: str,
    term: int,
    prev: tuple[int, int] = (0, 0),
    terms: Sequence[int] = (),
    commit: int = 0,
    to: str = "S1",
) -> AppendEntries:
    """`sender`, as leader of `term`, sends entries of `terms` to follow (index, term) `prev`."""
    return append_of(sender, term, prev, *entries(*terms, start=prev[0] + 1), commit=commit, to=to)


def append_of(
    sender: str, term: int, prev: tuple[int, int], *held: LogEntry, commit: int = 0, to: str = "S1"
) -> AppendEntries:
    """`sender`, as leader of `term`, sends these very entries to follow (index, term) `prev`."""
    return AppendEntries(
        term=term,
        sender=sender,
        receiver=to,
        prev_log_index=prev[0],
        prev_log_term=prev[1],
        entries=held,
        leader_commit=commit,
    )


def accepted(
    sender: str, term: int, index: int, commit: int = 0, to: str = "S1"
) -> AppendEntriesReply:
    """`sender` agrees up to `index`."""
    return AppendEntriesReply(
        term=term, sender=sender, receiver=to, commit_index=commit, result=Accepted(index)
    )


def rejected(
    sender: str,
    term: int,
    at: int,
    last: int,
    hint: tuple[int, int] = (0, 0),
    commit: int = 0,
    to: str = "S1",
) -> AppendEntriesReply:
    """`sender`, whose log ends at `last`, does not agree at `at`, but perhaps at `hint`."""
    return AppendEntriesReply(
        term=term,
        sender=sender,
        receiver=to,
        commit_index=commit,
        result=Rejected(
            non_matching_index=at, last_index=last, hint_index=hint[0], hint_term=hint[1]
        ),
    )


def install(sender: str, term: int, held: Snapshot, to: str = "S1") -> InstallSnapshot:
    """`sender`, as leader of `term`, sends its snapshot."""
    return InstallSnapshot(term=term, sender=sender, receiver=to, snapshot=held)


def installed(
    sender: str, term: int, index: int, success: bool = True, to: str = "S1"
) -> InstallSnapshotReply:
    """`sender` has taken a snapshot up to `index`, or refuses it."""
    return InstallSnapshotReply(
        term=term, sender=sender, receiver=to, last_index=index, success=success
    )


def timeout_now(sender: str, term: int, to: str = "S1") -> TimeoutNow:
    """`sender`, as leader of `term`, tells a follower to campaign at once."""
    return TimeoutNow(term=term, sender=sender, receiver=to)


# Several machines


class Disk:
    """What a host has written for its machine: all that a restart finds."""

    def __init__(self, node: RaftStateMachine) -> None:
        self.term, self.vote = node.term, node.voted_for
        self.entries: dict[int, LogEntry] = {each.index: each for each in node.log}
        self.snapshot: Snapshot | None = node.log.snapshot

    def write(self, output: Output) -> None:
        """Do as step 1 of `Output` says, and in that order."""
        if output.term is not None:
            self.term, self.vote = output.term, output.voted_for
        if output.snapshot is not None:
            self.snapshot = output.snapshot
        if output.truncate_from is not None:
            self._keep(lambda index: index < output.truncate_from)
        for each in output.log_entries:
            assert each.index not in self.entries, f"{each} was written and never cut"
            self.entries[each.index] = each
        if output.first_index is not None:
            self._keep(lambda index: index >= output.first_index)

    def _keep(self, stays: Callable[[int], bool]) -> None:
        self.entries = {index: each for index, each in self.entries.items() if stays(index)}

    @property
    def log(self) -> list[LogEntry]:
        """The entries that a restart finds, in order."""
        return [self.entries[index] for index in sorted(self.entries)]


class World:
    """A few machines, one clock, and a network on which nothing happens by itself.

    `logs` gives the terms along each node's log; everyone is in `term`, or in the last
    term of its log if that is later. Every machine's own invariants are checked after
    every call. What is applied is a list of entries; a snapshot holds that list as bytes.

    Writes take no time, but under `Options.async_persistence` those of the nodes in `slow`
    wait for `persist`.
    """

    def __init__(
        self,
        nodes: int = 3,
        *,
        logs: Sequence[Sequence[int]] = (),
        term: int = 0,
        options: Options = FIGURE_2,
        rules: Rules | None = None,
        seed: int = 1,
    ) -> None:
        self.now = 0.0
        self.flying: list[Message] = []
        self.applied: dict[str, list[LogEntry]] = {}
        self.machines: dict[str, RaftStateMachine] = {}
        self.disks: dict[str, Disk] = {}
        self.alarms: list[str] = []
        self.loaded = 0
        self.slow: set[str] = set()
        self.writes: dict[str, list[Output]] = {}
        self._invariants: dict[str, LocalInvariants] = {}
        self._about = {"nodes": nodes, "options": options, "rules": rules, "seed": seed}
        for place, node in enumerate(names(nodes)):
            terms = logs[place] if place < len(logs) else ()
            self._start(node, machine(node, terms=terms, term=max(term, *terms, 0), **self._about))

    def _start(self, node: str, started: RaftStateMachine) -> None:
        self.machines[node] = started
        self.disks[node] = Disk(started)
        self.writes[node] = []
        self.applied[node] = []
        self._load(node, started.log.snapshot)
        self._invariants[node] = LocalInvariants(started)

    def __getitem__(self, node: str) -> RaftStateMachine:
        return self.machines[node]

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: object, *_: object) -> None:
        if kind is None:
            assert not self.flying, f"nobody expected {self.flying[0]}"

    # What happens to a node

    def pump(self, node: str) -> None:
        """Write, send and apply what a machine asks for, until it asks for nothing."""
        machine = self.machines[node]
        self._invariants[node].check()
        while (output := machine.poll()) != NOTHING:
            self._invariants[node].check(output)
            self.flying += output.messages_at_once
            self._load(node, output.snapshot)
            self.applied[node] += output.committed
            self.alarms += output.alarms
            self.writes[node].append(output)
            if node not in self.slow:
                self._write(node)

    def persist(self, node: str) -> None:
        """Let the oldest write of a slow disk be done."""
        self._write(node)
        self.pump(node)

    def _write(self, node: str) -> None:
        output = self.writes[node].pop(0)
        self.disks[node].write(output)
        self.flying += output.messages
        if self[node]._options.async_persistence:
            self[node].persisted(output)
            self._invariants[node].persisted(output)

    def _load(self, node: str, held: Snapshot | None) -> None:
        if held is not None and held.index > len(self.applied[node]):
            self.applied[node] = msgspec.json.decode(held.data, type=list[LogEntry])
            self.loaded += 1

    def compact(self, node: str, up_to: int | None = None) -> None:
        """Let a snapshot stand for what a node has applied, up to an index or all of it."""
        applied = self.applied[node][:up_to]
        self[node].compact(len(applied), msgspec.json.encode(applied))
        self.pump(node)

    def wait(self, ms: float) -> None:
        """Let time pass; no timer is looked at."""
        self.now += ms

    def tick(self, node: str) -> None:
        """Let time pass until this node waits no longer."""
        self.now = max(self.now, self[node].next_deadline)
        self[node].tick(self.now)
        self.pump(node)

    def timeout(self, node: str, force: bool = False) -> None:
        """Let a node's election timer run out now."""
        self[node].campaign(self.now, force)
        self.pump(node)

    def propose(self, node: str, text: str = "x=1") -> int:
        """Hand a leader a command; where it stands in the log."""
        index = self[node].add_entry(Command(text.encode()))
        self.pump(node)
        return index

    def crash(self, node: str) -> None:
        """Memory is lost, and what is on its way to the node or to its disk."""
        self.machines.pop(node)
        self.writes[node] = []
        self.flying = [each for each in self.flying if each.receiver != node]

    def restart(self, node: str) -> None:
        """Start a crashed node from what it had written."""
        disk = self.disks[node]
        self._start(
            node,
            machine(
                node,
                held=RaftLog(disk.log, disk.snapshot),
                term=disk.term,
                vote=disk.vote,
                now=self.now,
                **self._about,
            ),
        )

    # What happens to a message

    def take(self, kind: type, sender: str, receiver: str, **fields: Any) -> Any:
        """Take the first such message off the network; fail if there is none."""
        for place, message in enumerate(self.flying):
            if (
                isinstance(message, kind)
                and (message.sender, message.receiver) == (sender, receiver)
                and all(getattr(message, name) == value for name, value in fields.items())
            ):
                return self.flying.pop(place)
        there = "\n".join(str(each) for each in self.flying) or "nothing"
        wanted = f"{kind.__name__} from {sender} to {receiver} {fields or ''}"
        raise AssertionError(f"no {wanted} is on its way; there is\n{there}")

    def hand(self, message: Message) -> None:
        """Give a message to the node it is for."""
        self[message.receiver].advance(message, self.now)
        self.pump(message.receiver)

    def deliver(self, kind: type, sender: str, receiver: str, **fields: Any) -> Any:
        """Let one message arrive; returns it, so that it can arrive once more."""
        message = self.take(kind, sender, receiver, **fields)
        self.hand(message)
        return message

    def lose(self, kind: type, sender: str, receiver: str, **fields: Any) -> Any:
        """Let one message never arrive; returns it, so that it can arrive after all."""
        return self.take(kind, sender, receiver, **fields)

    def lose_all(self) -> list[Message]:
        """Lose whatever is on its way."""
        lost, self.flying = self.flying, []
        return lost

    def settle(self, *among: str) -> int:
        """Deliver everything, first sent first, until it is quiet; how many messages that took.

        With `among`, only what these nodes say to each other; the rest is lost.
        """
        count = 0
        while self.flying:
            message = self.flying.pop(0)
            ends = {message.sender, message.receiver}
            if ends <= set(among or self.machines):
                self.hand(message)
                count += 1
                assert count < 10_000, "they never stop talking"
        return count

    def elect(self, node: str, *among: str) -> None:
        """Let a node campaign and everybody answer, until it is quiet."""
        self.timeout(node, force=True)
        self.settle(*among)
        assert self[node].role is Role.LEADER, f"{node} was not elected"

    def heartbeat(self, node: str, *among: str) -> None:
        """Let a leader speak, and everybody answer, until it is quiet."""
        self.tick(node)
        self.settle(*among)

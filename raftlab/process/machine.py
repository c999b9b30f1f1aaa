"""A node whose machine is a process: what it has said so far, as the simulator needs it."""

import copy
import random
from collections.abc import Hashable
from typing import Any, Protocol, Self, get_args

from msgspec import UNSET

from raftlab.process.faults import FaultKind, MachineFault
from raftlab.process.pace import Pace
from raftlab.process.tape import Place
from raftlab.process.wire import (
    PROTOCOL,
    Ability,
    AddEntry,
    AppendEntriesLine,
    Arrives,
    Campaign,
    CompactLine,
    EntryLine,
    ForgetLine,
    InstallSnapshotLine,
    ProgressLine,
    ReadLine,
    Reply,
    Saved,
    Start,
    TickLine,
    Told,
    TransferLine,
    decoded,
    encoded,
    entry_line,
    message_line,
    payload_line,
    snapshot_line,
    snapshot_of,
    text_of,
)
from raftlab.raft.log import Command, LogEntry, Payload, RaftLog, Snapshot
from raftlab.raft.messages import AppendEntries, InstallSnapshot, Message
from raftlab.raft.node import NodeCore
from raftlab.raft.options import MOST, Options
from raftlab.raft.output import Note, Output, ReadReady
from raftlab.raft.progress import FollowerProgress, Tracker
from raftlab.raft.roles import Candidate, Follower, Leader, Role
from raftlab.raft.rules import Rules
from raftlab.raft.vocabulary import (
    Configuration,
    Index,
    Millis,
    Misuse,
    NodeId,
    NotLeader,
    NotNow,
    Term,
    shown,
)
from raftlab.raft.votes import Votes
from raftlab.sim.run.tape import Fault

NEVER: Millis = float("inf")
NUMBERS = (
    *("term", "last_log_index", "last_log_term", "prev_log_index", "prev_log_term"),
    *("leader_commit", "commit_index", "last_index", "index"),
)
"""The fields of messages that count something, and so are not negative."""

ABILITIES = frozenset(get_args(Ability))
ROLES = {role.value: role for role in Role}
ASKED = (AddEntry, Campaign, TransferLine, ForgetLine, CompactLine, ReadLine)
"""What may be refused."""

NOT_LEADER = "not_leader"
SILENT = Reply()
BESIDE_A_REFUSAL = ("refused", "notes", "votes", "progress", "election_deadline")
"""What a refusal may tell of: why, and for pictures."""

CHANGING = (
    *("_messages", "_notes", "_alarms", "_messages_at_once", "_reads", "_failed_reads"),
    *("_writing", "_role_changes", "role_data", "_pace"),
)
"""The parts that a copy has its own of, besides the log."""

OnDisk = tuple[Term, NodeId | None, Index, Term]
"""What a disk holds: term, vote, last index, last term."""


class Source(Protocol):
    """Where what a machine says comes from: a tape, and a process behind it."""

    root: Place

    def known(self, before: Place, line: bytes) -> Place | None:
        """The place to which a line leads, if that is known without asking."""

    def ask(self, machine: "ProcessMachine", line: bytes) -> Place:
        """The place to which a line leads that is not on the tape."""

    def moved(self, before: Place, after: Place) -> None:
        """The machine at a place has gone on, by something new that it said."""

    def give_up(self, *places: Place) -> None:
        """The machine at one of these places has said what it cannot say."""

    def heard(self, node: NodeId) -> list[str | Fault] | None:
        """Where a machine that is started now notes what it says, if anybody wants it."""

    def entry_of(self, line: EntryLine) -> LogEntry:
        """An entry from a line: of equal ones the same."""


class ProcessMachine(NodeCore):
    """The state of a node as its process has told it, and the lines that go there and back.

    It decides nothing. What must be written it says as the process does, so its term, vote and log
    can never contradict the disk; what the process believes besides is what it said last.
    A copy is a place on the tape: it costs no process until it is asked something new.
    """

    __slots__ = (
        "__weakref__",
        "_failed_reads",
        "_leader",
        "_machines",
        "_messages_at_once",
        "_new_snapshot",
        "_offers",
        "_pace",
        "_reads",
        "_wake_at",
        "_writing",
        "place",
        "words",
    )

    def __init__(
        self,
        node_id: NodeId,
        *,
        machines: "Source",
        configuration: Configuration,
        term: Term = 0,
        voted_for: NodeId | None = None,
        log: RaftLog | None = None,
        commit_index: Index = 0,
        now: Millis = 0.0,
        rng: random.Random | None = None,
        options: Options | None = None,
        rules: Rules | None = None,
    ) -> None:
        if rules is not None and type(rules) is not Rules:
            raise Misuse(
                f"{node_id} is a process, which has rules of its own: give rules to a machine in"
                " Python"
            )
        super().__init__(
            node_id,
            configuration=configuration,
            term=term,
            voted_for=voted_for,
            log=log,
            commit_index=commit_index,
            now=now,
            rng=random.Random(0),
            options=options,
        )
        self._machines = machines
        self._leader: NodeId | None = None
        self._wake_at: Millis = NEVER
        self._offers: frozenset[str] = frozenset()
        self._messages_at_once: list[Message] = []
        self._reads: list[ReadReady] = []
        self._failed_reads: list[int] = []
        self._new_snapshot: Snapshot | None = None
        self._writing: list[OnDisk] = []
        self._pace = Pace(self._options)
        self._polling_confirms = not self._options.async_persistence
        self.place = machines.root
        self.words = machines.heard(node_id)
        held = self.log
        reply = self._ask(
            Start(
                node=node_id,
                now=now,
                protocol=PROTOCOL,
                seed=(rng or random.Random(node_id)).getrandbits(53),
                configuration=configuration,
                term=term,
                voted_for=voted_for,
                log=tuple(map(entry_line, held)),
                snapshot=snapshot_line(held.snapshot) if held.snapshot else None,
                options=self._options,
            )
        )
        self._offers = frozenset(reply.offers)

    # What it is told

    def advance(self, message: Message, now: Millis) -> None:
        """A message has arrived at `now` (ms). Raises: MachineFault."""
        self.now = now
        self._ask(Arrives(node=self.node_id, now=now, message=message_line(message)))

    def tick(self, now: Millis) -> None:
        """The time has come that it waited for. Raises: MachineFault."""
        self.now = now
        self._ask(TickLine(node=self.node_id, now=now))
        if self._wake_at <= now:
            raise self._fault(
                f"it was woken at {now:g} ms and wants to be woken at {self._wake_at:g} ms:"
                " wake_at must move on"
            )

    def add_entry(self, payload: Payload) -> Index:
        """Append an entry as leader. Raises: NotLeader; NotNow; MachineFault."""
        line = AddEntry(node=self.node_id, now=self._now, payload=payload_line(payload))
        reply = self._ask(line)
        if reply.index is None:
            raise self._fault(
                "it answers add_entry with neither an index nor a refusal", "wrong shape"
            )
        last = self.log.last_entry
        if last is None or last.index != reply.index or not is_entry_of(last, payload):
            raise self._fault(
                f"it says that the new entry has index {reply.index}, and its log ends with"
                f" {f'another one at {last.index}' if last else 'nothing'}"
            )
        return reply.index

    def _campaign(self, now: Millis, *, force: bool = False) -> None:
        self.now = now
        self._ask(Campaign(node=self.node_id, now=now, force=force))

    def _transfer_leadership(self, to: NodeId | None = None) -> None:
        self._ask(TransferLine(node=self.node_id, now=self._now, to=to))

    def _forget_leader(self) -> None:
        self._ask(ForgetLine(node=self.node_id, now=self._now))

    def _compact(self, up_to: Index, data: bytes = b"") -> None:
        line = CompactLine(node=self.node_id, now=self._now, up_to=up_to, data=text_of(data))
        self._ask(line)

    def _read(self, now: Millis, read_id: int) -> int:
        self.now = now
        self._ask(ReadLine(node=self.node_id, now=now, read_id=read_id))
        return read_id

    def _persisted(self, output: Output) -> None:
        if output.must_be_written:
            self._say_saved()

    def __getattr__(self, name: str) -> Any:
        """What this machine has offered when it was started; what it has not, it has not."""
        if name in ABILITIES and name in self._offers:
            return super().__getattribute__(f"_{name}")
        raise AttributeError(f"this process has not offered {name}")

    def _count_previous_output(self) -> None:
        self._unconfirmed = False
        self._say_saved()

    def _say_saved(self) -> None:
        term, voted_for, last_index, last_term = self._writing.pop(0)
        self._ask(
            Saved(
                node=self.node_id,
                now=self._now,
                term=term,
                voted_for=voted_for,
                last_index=last_index,
                last_term=last_term,
            )
        )

    def _ask(self, line: Told) -> Reply:
        """What it says to a line: from the tape, or else from the process. Raises: MachineFault."""
        data = encoded(line)
        before = self.place
        place = self._machines.known(before, data)
        is_new = place is None
        if place is None:
            place = self._machines.ask(self, data)
        try:
            place.check()
            reply = decoded(place.said)
            if reply.refused is not None:
                self._refuse(line, reply)  # which changes nothing: the place stays
            self.place = place
            if is_new:
                self._machines.moved(before, place)
            self._pace.check(line, reply, len(self.configuration.members))
            self._take(reply)
        except MachineFault:
            self._note_said(place)
            self.place = place
            self._machines.give_up(before, place)
            raise
        self._note_said(place)
        return reply

    def _note_said(self, place: Place) -> None:
        """Note what it said, if a run is told with it."""
        if self.words is not None:
            self.words.append(place.word)

    def _refuse(self, line: Told, reply: Reply) -> None:
        """Raises: NotNow; MachineFault, if this cannot be refused or says more than that."""
        refusal = reply.refused
        assert refusal is not None
        if isinstance(line, Start):
            raise MachineFault("other protocol", f"it refuses to start: {refusal.reason}")
        if not isinstance(line, ASKED):
            raise MachineFault("wrong shape", "it refuses what is no question, but has happened")
        if done := self._done_beside(reply):
            raise self._fault(
                "it refuses what it was asked, and does something all the same: it says"
                f" {', '.join(done)}"
            )
        if refusal.reason == NOT_LEADER:
            raise NotLeader.of(self.node_id, self.role.value, self.term, refusal.leader)
        raise NotNow(f"{self.node_id} refuses: {refusal.reason}")

    def _done_beside(self, reply: Reply) -> list[str]:
        """The fields of a refusal that say more than what the node believed already."""
        wake_at = None if self._wake_at == NEVER else self._wake_at
        known = {
            "term": self.term,
            "voted_for": self.voted_for,
            "role": self.role.value,
            "commit_index": self.commit_index,
            "leader": self._leader,
            "wake_at": wake_at,
        }
        said = [name for name in reply.__struct_fields__ if name not in BESIDE_A_REFUSAL]
        return [
            name
            for name in said
            if getattr(reply, name) not in (getattr(SILENT, name), known.get(name, UNSET))
        ]

    # What it says

    def _take(self, reply: Reply) -> None:
        """Let the node stand where the reply says. Raises: MachineFault, if it cannot be so."""
        if reply.term is not UNSET or reply.voted_for is not UNSET:
            self._take_hard_state(reply)
        if reply.truncate_from is not None or reply.log_entries or reply.snapshot is not None:
            self._take_log(reply)
        if reply.commit_index is not None:
            if reply.commit_index > self.log.last_index:
                raise self._fault(
                    f"it calls entries up to {reply.commit_index} committed, and its log ends at"
                    f" {self.log.last_index}"
                )
            self.commit_index = reply.commit_index
        self._take_beliefs(reply)
        if reply.messages:
            self._messages += [self._message_of(each) for each in reply.messages]
        if reply.notes:
            self._notes += [
                Note("note", "{}", (each,))
                if isinstance(each, str)
                else Note(each.rule, "{}", (each.text,))
                for each in reply.notes
            ]
        if reply.reads or reply.failed_reads or reply.messages_at_once or reply.alarms:
            self._has_more = True
            self._reads += reply.reads
            self._failed_reads += reply.failed_reads
            self._messages_at_once += map(self._message_of, reply.messages_at_once)
            for each in reply.alarms:
                self._alarm(each)

    def _take_hard_state(self, reply: Reply) -> None:
        term = self.term if reply.term is UNSET else reply.term
        if term != self.term:
            self._leader, voted_for = None, None
        else:
            voted_for = self.voted_for
        if reply.voted_for is not UNSET:
            voted_for = reply.voted_for
        if (term, voted_for) != (self.term, self.voted_for):
            self.term, self.voted_for = term, voted_for
            self._hard_state_changed = True

    def _take_log(self, reply: Reply) -> None:
        log = self.log
        try:
            if reply.truncate_from is not None:
                self._truncate(reply.truncate_from)
            if reply.snapshot is not None:
                self._take_snapshot(reply)
        except Misuse as error:
            raise self._fault(f"what it does to its log cannot be: {error}") from None
        if reply.log_entries:
            entries = tuple(map(self._machines.entry_of, reply.log_entries))
            for place, entry in enumerate(entries, start=log.last_index + 1):
                if entry.index != place:
                    raise self._fault(
                        f"it writes entry {entry.index} where entry {place} belongs"
                        f" (its log ended at {log.last_index})"
                    )
            log.append_as_follower(entries)
        if log.configuration_index:
            self.configuration = log.configuration_at(log.last_index) or self._first_configuration
        else:
            self.configuration = self._first_configuration

    def _take_snapshot(self, reply: Reply) -> None:
        """A snapshot stands for the head of the log, or for all of it. Raises: Misuse."""
        assert reply.snapshot is not None
        log, snapshot = self.log, snapshot_of(reply.snapshot)
        snapshot.configuration.check()
        first = snapshot.index + 1 if reply.first_index is None else reply.first_index
        if log.term_for_index(snapshot.index) == snapshot.term:
            log.compact(snapshot, max(snapshot.index + 1 - first, 0))
        else:
            after = snapshot.index + 1
            earlier = self._truncate_from
            self._truncate_from = after if earlier is None else min(earlier, after)
            log.restore(snapshot)
        self._new_snapshot, self._has_more = snapshot, True
        self.commit_index = max(self.commit_index, snapshot.index)
        self._committed_out = max(self._committed_out, snapshot.index)

    def _take_beliefs(self, reply: Reply) -> None:
        """Its role, its leader, its timers, and what it counts."""
        if reply.leader is not UNSET:
            self._leader = reply.leader
        role = self.role if reply.role is None else ROLES[reply.role]
        if role is not self.role:
            self.role, self.role_data = role, Follower()
        if reply.wake_at is not UNSET:
            self._wake_at = NEVER if reply.wake_at is None else reply.wake_at
            self.election_deadline = reply.wake_at  # type: ignore[assignment]
        if reply.election_deadline is not UNSET:
            self.election_deadline = reply.election_deadline  # type: ignore[assignment]
        if role is Role.CANDIDATE and reply.votes is not None:
            votes = Votes(self.configuration)
            for node, granted in reply.votes.items():
                votes.register_vote(node, granted)
            self.role_data = Candidate(votes)
        elif role is Role.LEADER and reply.progress is not None:
            self.role_data = Leader(self._tracker(reply.progress), self._wake_at)
        elif role is Role.LEADER and type(self.role_data) is Leader:
            self.role_data = Leader(self.role_data.tracker, self._wake_at)

    def _tracker(self, told: "dict[NodeId, ProgressLine]") -> Tracker:
        tracker = Tracker(self.configuration, self.log.last_index + 1, self._now)
        tracker.progress[self.node_id] = FollowerProgress(
            self.node_id, self.log.last_index + 1, self._now
        )
        tracker.progress[self.node_id].match_index = self.log.last_index
        for node, line in told.items():
            if (progress := tracker.progress.get(node)) is not None:
                progress.next_index, progress.match_index = line.next_index, line.match_index
                progress.state = line.state
        return tracker

    def _message_of(self, line: Any) -> Message:
        """A message that it sends. Raises: MachineFault, if no node can send it."""
        if line.sender != self.node_id:
            raise self._fault(f"it sends a message in the name of {shown(line.sender)}")
        for name in NUMBERS:
            if not 0 <= getattr(line, name, 0) <= MOST:
                raise MachineFault(
                    "wrong shape", f"{name} of a message is {shown(getattr(line, name))}"
                )
        if type(line) is AppendEntriesLine:
            return AppendEntries(
                term=line.term,
                sender=line.sender,
                receiver=line.receiver,
                prev_log_index=line.prev_log_index,
                prev_log_term=line.prev_log_term,
                entries=tuple(map(self._machines.entry_of, line.entries)),
                leader_commit=line.leader_commit,
                read_round=line.read_round,
            )
        if type(line) is InstallSnapshotLine:
            return InstallSnapshot(
                term=line.term,
                sender=line.sender,
                receiver=line.receiver,
                snapshot=snapshot_of(line.snapshot),
            )
        message: Message = line
        return message

    def _fault(self, text: str, kind: FaultKind = "contradiction") -> MachineFault:
        self._machines.give_up(self.place)
        return MachineFault(kind, text)

    # What the simulator asks

    @property
    def leader(self) -> NodeId | None:
        """Who leads, as far as this node has said; itself, if it leads."""
        return self.node_id if self.role is Role.LEADER else self._leader

    @property
    def next_deadline(self) -> Millis:
        """When it wants to be told the time (ms)."""
        return self._wake_at

    def _restart_election_timer(self) -> None:
        self.election_deadline = None  # type: ignore[assignment]

    def _before_output(self) -> dict[str, Any]:
        more: dict[str, Any] = {}
        if self._new_snapshot is not None:
            more |= {"snapshot": self._new_snapshot, "first_index": self.log.first_index}
            self._new_snapshot = None
        for name in ("reads", "failed_reads", "messages_at_once"):
            if waiting := getattr(self, f"_{name}"):
                more[name] = tuple(waiting)
                waiting.clear()
        return more

    def _take_output(self, entries: tuple[LogEntry, ...], more: dict[str, Any] | None) -> Output:
        output = super()._take_output(entries, more)
        if output.must_be_written:
            log = self.log
            self._writing.append((self.term, self.voted_for, log.last_index, log.last_term))
            self._unconfirmed = self._polling_confirms
        return output

    # Copies

    def copy(self) -> Self:
        """Another machine at the same place of the same tape."""
        return self._copy(self.log.copy(), self._machines)

    def __deepcopy__(self, known: dict[int, Any]) -> Self:
        log, machines = known.get(id(self.log)), copy.deepcopy(self._machines, known)
        twin = self._copy(log or self.log.copy(), machines)
        known[id(self)] = twin
        return twin

    def _copy(self, log: RaftLog, machines: "Source") -> Self:
        twin = copy.copy(self)
        parts = {name: getattr(self, name).copy() for name in CHANGING}
        for name, part in {**parts, "log": log, "_machines": machines, "words": None}.items():
            setattr(twin, name, part)
        return twin

    def fingerprint(self) -> tuple[Hashable, ...]:
        """A process does not tell all that it holds: two are equal at the same place of a tape."""
        return (self.node_id, id(self.place))


def is_entry_of(entry: LogEntry, payload: Payload) -> bool:
    """Whether an entry holds what was asked for; a new configuration may be reached by others."""
    return type(payload) is not Command or entry.payload == payload

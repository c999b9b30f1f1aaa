"""A node whose machine is a process: what it is told, and what that leads to."""

import copy
import random
from collections.abc import Hashable
from typing import Any, Self, get_args

from raftlab.process.as_said import NEVER, NodeAsSaid
from raftlab.process.checks import check_names, said_beside_refusal
from raftlab.process.faults import FaultKind, MachineFault
from raftlab.process.forms import entry_line, message_line, payload_line, snapshot_line, text_of
from raftlab.process.pace import Pace
from raftlab.process.source import Source
from raftlab.process.tape import Place
from raftlab.process.wire import (
    PROTOCOL,
    Ability,
    AddEntry,
    Arrives,
    Campaign,
    CompactLine,
    ForgetLine,
    ReadLine,
    Reply,
    Saved,
    Start,
    TickLine,
    Told,
    TransferLine,
    decoded,
    encoded,
)
from raftlab.raft.log import Command, LogEntry, Payload, RaftLog
from raftlab.raft.messages import Message
from raftlab.raft.options import Options
from raftlab.raft.output import Output
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
)

ABILITIES = frozenset(get_args(Ability))
ASKED = (AddEntry, Campaign, TransferLine, ForgetLine, CompactLine, ReadLine)
"""What may be refused."""

NOT_LEADER = "not_leader"
ONLY_LEADERS = {ReadLine: "answer a read", TransferLine: "hand leadership over"}
"""What it is that only leaders do, in words; of the others it is to accept entries."""

CHANGING = (
    *("_messages", "_notes", "_alarms", "_messages_at_once", "_reads", "_failed_reads"),
    *("_reads_asked", "_writing", "_role_changes", "role_data", "_pace"),
)
"""The parts that a copy has its own of, besides the log."""


class ProcessMachine(NodeAsSaid):
    """A node whose machine is a process: the lines that go there and back.

    A copy is a place on the tape: it costs no process until it is asked something new.
    """

    __slots__ = ("__weakref__", "_offers", "_pace", "place", "words")

    def __init__(
        self,
        node_id: NodeId,
        *,
        machines: Source,
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
                f"{node_id} is a process, which has rules of its own, and cannot play by"
                f" {type(rules).__name__}: leave the rules out, or give them to a machine in Python"
            )
        super().__init__(
            node_id,
            machines=machines,
            configuration=configuration,
            term=term,
            voted_for=voted_for,
            log=log,
            commit_index=commit_index,
            now=now,
            options=options,
        )
        self._offers: frozenset[str] = frozenset()
        self._pace = Pace(self._options)
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

    def do_without(self, abilities: frozenset[str]) -> None:
        """Be as a machine that has not offered these."""
        self._offers -= abilities

    # What it is told

    def advance(self, message: Message, now: Millis) -> None:
        """A message has arrived at `now` (ms). Raises: MachineFault."""
        self.now = now
        self._hear_message(message)
        self._ask(Arrives(node=self.node_id, now=now, message=message_line(message)))

    def tick(self, now: Millis) -> None:
        """The time has come that it waited for. Raises: MachineFault."""
        self.now = now
        self._ask(TickLine(node=self.node_id, now=now))
        if self.next_deadline <= now:
            raise self._fault(
                f"it was woken at {now:g} ms and wants to be woken at {self.next_deadline:g} ms:"
                " wake_at must move on"
            )

    def add_entry(self, payload: Payload) -> Index:
        """Append an entry as leader. Raises: NotLeader; NotNow; MachineFault."""
        if type(payload) is Configuration:
            self._hear_of(*payload.members)
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
        self._hear_of(*([to] if to else ()))
        self._ask(TransferLine(node=self.node_id, now=self._now, to=to))

    def _forget_leader(self) -> None:
        self._ask(ForgetLine(node=self.node_id, now=self._now))

    def _compact(self, up_to: Index, data: bytes = b"") -> None:
        line = CompactLine(node=self.node_id, now=self._now, up_to=up_to, data=text_of(data))
        self._ask(line)

    def _read(self, now: Millis, read_id: int) -> int:
        self.now = now
        self._reads_asked.add(read_id)
        try:
            self._ask(ReadLine(node=self.node_id, now=now, read_id=read_id))
        except NotNow:
            self._reads_asked.discard(read_id)
            raise
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
            place = self._machines.ask(before, data, self)
        try:
            place.check()
            reply = decoded(place.said)
            if reply.refused is not None:
                self._refuse(line, reply)  # which changes nothing: the place stays
            self.place = place
            if is_new:
                self._machines.moved(before, place)
            self._pace.check(line, reply, self.configuration)
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
        believed = {
            "term": self.term,
            "voted_for": self.voted_for,
            "role": self.role.value,
            "commit_index": self.commit_index,
            "leader": self._leader,
            "wake_at": None if self.next_deadline == NEVER else self.next_deadline,
        }
        if done := said_beside_refusal(reply, believed):
            raise self._fault(
                "it refuses what it was asked, and does something all the same: it says"
                f" {', '.join(done)}"
            )
        check_names(Reply(leader=refusal.leader), self.heard_of)
        if refusal.reason == NOT_LEADER:
            what = ONLY_LEADERS.get(type(line), "accept entries")
            raise NotLeader.of(self.node_id, self.role.value, self.term, refusal.leader, what)
        raise NotNow(f"{self.node_id} refuses: {refusal.reason}")

    def _fault(self, text: str, kind: FaultKind = "contradiction") -> MachineFault:
        self._machines.give_up(self.place)
        return MachineFault(kind, text)

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

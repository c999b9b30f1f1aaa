"""One node of a cluster: a machine, and the host around it that keeps its contract."""

import random
from collections.abc import Callable, Sequence
from typing import Protocol

from raftlab.raft.log import Command, LogEntry, Payload, RaftLog
from raftlab.raft.messages import Message
from raftlab.raft.options import Options
from raftlab.raft.output import Output
from raftlab.raft.roles import Role
from raftlab.raft.rules import Rules
from raftlab.raft.vocabulary import Configuration, Index, Millis, NodeId, Term
from raftlab.sim.disk import Disk
from raftlab.sim.key_value import KeyValue
from raftlab.sim.settings import Disks

NEVER: Millis = float("inf")


class Machine(Protocol):
    """What can take a place in a cluster: the shipped machine, or a learner's own.

    The attributes are what the invariants and the pictures read.
    """

    term: Term
    voted_for: NodeId | None
    role: Role
    log: RaftLog
    commit_index: Index

    @property
    def next_deadline(self) -> Millis:
        """When the next `tick` can matter (ms)."""

    def advance(self, message: Message, now: Millis) -> None:
        """A message has arrived."""

    def tick(self, now: Millis) -> None:
        """Time has passed."""

    def poll(self) -> Output:
        """Everything the host must now do."""

    def add_entry(self, payload: Payload) -> Index:
        """Append an entry as leader."""


MachineFactory = Callable[..., Machine]
"""Called as RaftStateMachine's constructor is, to start a node and to restart it."""


class Seen:
    """What the invariants saw of a node when they last looked. See `invariants.py`.

    While a change of the log is checked, `kept` is how many of `entries`, from the
    first, are still there, and `new` is what follows them now.
    """

    __slots__ = ("commit_index", "entries", "kept", "last_entry", "leads", "new", "term")

    def __init__(self) -> None:
        self.term: Term = 0
        self.leads = False
        self.commit_index: Index = 0
        self.entries: list[LogEntry] = []
        self.kept = 0
        self.new: tuple[LogEntry, ...] = ()
        self.last_entry: LogEntry | None = None


class Write:
    """A write on its way to a host's disk."""

    __slots__ = ("host", "output")

    def __init__(self, host: "Host", output: Output) -> None:
        self.host = host
        self.output = output

    def is_next(self) -> bool:
        """Whether this write is still wanted, and the oldest one: a crash forgets writes."""
        writes = self.host.disk.writes
        return self.host.alive and bool(writes) and writes[0] is self.output


class Host:
    """One node: its machine while it is up, its disk always, its application, its timer.

    `inbox` holds what arrived while the node was paused, `held` what it had written and
    not yet sent. `timer_at` is the earliest moment for which a wake-up is scheduled, and
    `turn` the order of the nodes whose timers run out at one moment.
    """

    __slots__ = (
        "alive",
        "application",
        "applied_index",
        "configuration",
        "disk",
        "factory",
        "held",
        "inbox",
        "machine",
        "node",
        "options",
        "paused",
        "rng",
        "rules",
        "seen",
        "timer_at",
        "turn",
    )

    def __init__(
        self,
        node: NodeId,
        configuration: Configuration,
        factory: MachineFactory,
        rng: random.Random,
        options: Options,
        rules: Rules,
        disks: Disks,
        turn: int = 0,
    ) -> None:
        self.node = node
        self.configuration = configuration
        self.factory = factory
        self.rng = rng
        self.options = options
        self.rules = rules
        self.turn = turn
        self.disk = Disk(disks)
        self.paused = False
        self.start(0.0)

    def start(self, now: Millis) -> None:
        """Start, or restart, from what the disk holds. Everything else begins anew."""
        self.machine: Machine = self.factory(
            self.node,
            configuration=self.configuration,
            term=self.disk.known_term,
            voted_for=self.disk.voted_for,
            log=self.disk.load_log(),
            commit_index=0,
            now=now,
            rng=self.rng,
            options=self.options,
            rules=self.rules,
        )
        self.alive = True
        self.application = KeyValue()
        self.applied_index: Index = 0
        self.inbox: list[Message] = []
        self.held: list[Output] = []
        self.timer_at: Millis = NEVER
        self.seen = Seen()

    def begin_with(self, term: Term, terms: Sequence[Term]) -> None:
        """Begin a run in `term`, with a log whose entries have the given `terms`.

        Entries of equal index and term hold equal commands, as Log Matching asks.
        """
        self.disk.term = term
        self.disk.log = [past_entry(index, each) for index, each in enumerate(terms, start=1)]
        self.start(0.0)

    def stop(self) -> None:
        """Crash: memory, application and unfinished writes are gone."""
        self.alive = False
        self.paused = False
        self.inbox = []
        self.held = []
        self.timer_at = NEVER
        self.disk.crash(self.rng)

    def apply(self, entries: tuple[LogEntry, ...]) -> None:
        """Hand committed entries to the application, in order."""
        for entry in entries:
            self.application.apply(entry)
        self.applied_index = entries[-1].index


def past_entry(index: Index, term: Term) -> LogEntry:
    """An entry as it stands in a log that a run begins with: `a=1` for (1, 1), `b=4` for (2, 4)."""
    letter = "abcdefghijklmnopqrstuvwxyz"[(index - 1) % 26]
    round_number = (index - 1) // 26
    key = f"{letter}{round_number}" if round_number else letter
    return LogEntry(term, index, Command(f"{key}={term}".encode()))

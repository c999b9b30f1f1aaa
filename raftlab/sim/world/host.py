"""One node of a cluster: a machine, and the host around it that keeps its contract."""

import random
from collections.abc import Callable, Sequence
from typing import Protocol

from raftlab.raft.log import LogEntry, Payload, RaftLog, Snapshot
from raftlab.raft.messages import Message
from raftlab.raft.options import Options
from raftlab.raft.output import Output
from raftlab.raft.roles import Role
from raftlab.raft.rules import Rules
from raftlab.raft.vocabulary import Configuration, Index, Millis, Misuse, NodeId, NotNow, Term
from raftlab.sim.world.application import KeyValue
from raftlab.sim.world.disk import Disk
from raftlab.sim.world.past import past_entry
from raftlab.sim.world.settings import Disks

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

    # What not every machine has: campaign, transfer_leadership, forget_leader, compact,
    # read, persisted. Without one of them, the verb that needs it is refused.


MachineFactory = Callable[..., Machine]
"""Called as RaftStateMachine's constructor is, to start a node and to restart it."""


class Seen:
    """What the invariants saw of a node when they last looked. See `watch/properties.py`.

    `entries` are those of the log, from `first_index`: a list that only grows, as the disk's is;
    what is cut makes another one. While a change of the log is checked,
    `kept` is how many of them, from the first, are still there, `new` is what follows
    them now, and `term_before_new` the term before that (None: a snapshot stands for it).
    `newest` is the last entry, of these and of the new ones, that holds a configuration.
    """

    __slots__ = (
        "commit_index",
        "configuration",
        "configuration_index",
        "entries",
        "first_index",
        "kept",
        "last_entry",
        "leads",
        "new",
        "newest",
        "term",
        "term_before_new",
        "voted_for",
    )

    def __init__(self) -> None:
        self.term: Term = 0
        self.voted_for: NodeId | None = None
        self.term_before_new: Term | None = 0
        self.leads = False
        self.commit_index: Index = 0
        self.configuration: Configuration | None = None
        self.configuration_index: Index = 0
        self.first_index: Index = 1
        self.entries: list[LogEntry] = []
        self.kept = 0
        self.new: tuple[LogEntry, ...] = ()
        self.newest: LogEntry | None = None
        self.last_entry: LogEntry | None = None


class Clock:
    """A clock that runs `rate` times as fast as time: at `since` (ms) it showed `showed`.

    It never goes back behind `latest`, not even by a rounding error.
    """

    __slots__ = ("latest", "rate", "showed", "since")

    def __init__(self, rate: float, since: Millis, showed: Millis) -> None:
        self.rate = rate
        self.since = since
        self.showed = self.latest = showed

    def at(self, time: Millis) -> Millis:
        """What it shows at `time` (ms of virtual time)."""
        return max(self.latest, self.showed + (time - self.since) * self.rate)

    def when(self, shown: Millis) -> Millis:
        """When it shows `shown` (ms of virtual time)."""
        return self.since + (shown - self.showed) / self.rate


class Reading:
    """A read that a client asked of `node`: of `key`, at `since` (ms).

    `value` is the answer once it `is_done`; None stands for a key that has no value. If
    `has_failed`, the node has lost its leader, or crashed: ask again. `floor` is how many
    entries were committed when it was asked: what the answer must show at least.
    """

    __slots__ = ("_value", "floor", "has_failed", "index", "is_done", "key", "node", "since")

    def __init__(self, node: NodeId, key: str, since: Millis) -> None:
        self.node = node
        self.key = key
        self.since = since
        self.floor: Index = 0
        self.index: Index | None = None
        self.is_done = False
        self.has_failed = False
        self._value: str | None = None

    def answer(self, value: str | None, index: Index) -> None:
        """The answer, and how far the node had applied its log."""
        self._value, self.index, self.is_done = value, index, True

    @property
    def value(self) -> str | None:
        """The answer. Raises: NotNow, as long as there is none."""
        if not self.is_done:
            why = "has failed; ask again" if self.has_failed else "is not answered yet; run on"
            raise NotNow(f"the read of {self.key} at {self.node} {why}")
        return self._value

    def __repr__(self) -> str:
        state = "failed" if self.has_failed else "waiting"
        if self.is_done:
            state = f"{self._value!r}, from entries 1 to {self.index}"
        return f"<read of {self.key} at {self.node}: {state}>"


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

    def is_pending(self) -> bool:
        """Whether this write is still wanted, as the oldest one or later."""
        return self.host.alive and any(each is self.output for each in self.host.disk.writes)


class Host:
    """One node: its machine while it is up, its disk always, its application, its timer.

    `inbox` holds what arrived while the node was paused, `held` what it had written and
    not yet sent. `timer_at` is the earliest moment for which a wake-up is scheduled, and
    `turn` the order of the nodes whose timers run out at one moment. `clock` is None while
    the node's clock has always been true. `readings` are the reads that its machine knows;
    `reads_asked` counts those of all its lives.
    `configuration` is the one that the cluster began with.
    """

    __slots__ = (
        "alive",
        "application",
        "applied_index",
        "clock",
        "configuration",
        "disk",
        "factory",
        "held",
        "inbox",
        "machine",
        "node",
        "options",
        "paused",
        "readings",
        "reads_asked",
        "rng",
        "rules",
        "seen",
        "timer_at",
        "turn",
        "write_ms",
        "written_at",
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
        now: Millis = 0.0,
    ) -> None:
        self.node = node
        self.configuration = configuration
        self.factory = factory
        self.rng = rng
        self.options = options
        self.rules = rules
        self.turn = turn
        self.disk = Disk(disks)
        self.write_ms = disks.write_ms
        self.clock: Clock | None = None
        self.paused = False
        self.reads_asked = 0
        self.start(now)

    def now(self, time: Millis) -> Millis:
        """What this node's clock shows at `time` (ms of virtual time)."""
        return time if self.clock is None else self.clock.at(time)

    def start(self, time: Millis) -> None:
        """Start, or restart, from what the disk holds. Everything else is lost."""
        self.machine: Machine = self.factory(
            self.node,
            configuration=self.configuration,
            term=self.disk.known_term,
            voted_for=self.disk.voted_for,
            log=self._log_on_disk(),
            commit_index=0,
            now=self.now(time),
            rng=self.rng,
            options=self.options,
            rules=self.rules,
        )
        self.alive = True
        snapshot = self.disk.snapshot
        self.application = KeyValue.decode(snapshot.data) if snapshot else KeyValue()
        self.applied_index: Index = snapshot.index if snapshot else 0
        self.readings: dict[int, Reading] = {}
        self.written_at: Millis = time
        self.inbox: list[Message] = []
        self.held: list[Output] = []
        self.timer_at: Millis = NEVER
        self.seen = Seen()

    def _log_on_disk(self) -> RaftLog:
        try:
            return self.disk.load_log()
        except Misuse as error:
            raise Misuse(f"{self.node} cannot start from its disk: {error}") from error

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
        for reading in self.readings.values():
            reading.has_failed = True
        self.readings = {}
        self.disk.crash(self.rng)

    def apply(self, entries: tuple[LogEntry, ...]) -> None:
        """Hand committed entries to the application, in order."""
        for entry in entries:
            self.application.apply(entry)
        self.applied_index = entries[-1].index

    def load(self, snapshot: Snapshot) -> None:
        """Replace what the application holds by a snapshot that is ahead of it. Paper: 7."""
        self.application = KeyValue.decode(snapshot.data)
        self.applied_index = snapshot.index

    def application_at(self, index: Index) -> KeyValue:
        """The application as it was when `index` was applied, from the log that is still held."""
        if index == self.applied_index:
            return self.application
        log = self.machine.log
        snapshot = log.snapshot
        application = KeyValue.decode(snapshot.data) if snapshot else KeyValue()
        for entry in log.entries(snapshot.index + 1 if snapshot else 1, index + 1):
            application.apply(entry)
        return application

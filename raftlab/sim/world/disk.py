"""What survives a crash: one disk per node, and the writes that have not reached it yet."""

import random

from raftlab.raft.log import LogEntry, RaftLog, Snapshot
from raftlab.raft.output import Output
from raftlab.raft.vocabulary import Index, NodeId, Term
from raftlab.sim.world.settings import Disks


class Disk:
    """One node's disk. `term`, `voted_for` and `log` are what a restart finds.

    `is_lost` from a `wipe` until something is written again. `writes` are the outputs
    whose writing has begun and not ended, oldest first. They end in that order, or never,
    if the node crashes before. `log` is a list that only grows: a cut makes another one.
    """

    __slots__ = ("is_lost", "log", "settings", "snapshot", "term", "voted_for", "writes")

    def __init__(self, settings: Disks) -> None:
        self.settings = settings
        self.is_lost = False
        self.term: Term = 0
        self.voted_for: NodeId | None = None
        self.log: list[LogEntry] = []
        self.snapshot: Snapshot | None = None
        self.writes: list[Output] = []

    @property
    def last_index(self) -> Index:
        """The index of the last entry on the disk, of the snapshot if there is none, or 0."""
        if self.log:
            return self.log[-1].index
        return self.snapshot.index if self.snapshot else 0

    @property
    def known_term(self) -> Term:
        """The term that a restart finds: the one saved; without that, the log's last."""
        if self.log:
            return max(self.term, self.log[-1].term)
        return max(self.term, self.snapshot.term) if self.snapshot else self.term

    def holds(self, index: Index, term: Term) -> bool:
        """Whether the disk has an entry of `term` at `index`; index 0 is always there.

        What a snapshot stands for was committed, and so is the same everywhere.
        """
        snapshot = self.snapshot
        if index == 0 or (snapshot is not None and index < snapshot.index):
            return True
        if snapshot is not None and index == snapshot.index:
            return term == snapshot.term
        place = index - self.log[0].index if self.log else -1
        return 0 <= place < len(self.log) and self.log[place].term == term

    def begin(self, output: Output) -> None:
        """Start to write what `output` asks for."""
        self.writes.append(output)

    def finish(self) -> Output:
        """The oldest write is safe now; returns the output it belongs to."""
        output = self.writes.pop(0)
        self._store(output, output.log_entries)
        return output

    def crash(self, rng: random.Random) -> None:
        """Lose every write under way; of a torn one, a part may have got through."""
        if self.settings.torn and self.writes:
            output = self.writes[0]
            self._store(output, output.log_entries[: rng.randint(0, len(output.log_entries))])
        self.writes.clear()

    def wipe(self) -> None:
        """Lose everything."""
        self.term, self.voted_for = 0, None
        self.log, self.snapshot = [], None
        self.writes.clear()
        self.is_lost = True

    def load_log(self) -> RaftLog:
        """The log as a restarting node finds it."""
        return RaftLog(self.log, self.snapshot)

    def _store(self, output: Output, entries: tuple[LogEntry, ...]) -> None:
        keeps, self.is_lost = self.settings.keeps, False
        if output.term is not None:
            if "term" in keeps:
                self.term = output.term
            if "voted_for" in keeps:
                self.voted_for = output.voted_for
        if "log" not in keeps:
            return
        if output.snapshot is not None:
            self.snapshot = output.snapshot
        if output.truncate_from is not None:
            self._cut(output.truncate_from)
        if output.first_index is not None and self.log:
            self.log = self.log[max(output.first_index - self.log[0].index, 0) :]
        if entries:
            if self.log and entries[0].index <= self.log[-1].index:
                self._cut(entries[0].index)
            self.log.extend(entries)
        if self.snapshot is not None and self.log and self.last_index < self.snapshot.index:
            self.log = []  # a torn write: all that is left is in the snapshot

    def _cut(self, index: Index) -> None:
        if self.log:
            self.log = self.log[: max(index - self.log[0].index, 0)]

"""The replicated log: 1-based, contiguous, compactable.

The log knows how entries lie and what agrees with what. Whether an entry is accepted,
where a conflict is cut and what is committed are decisions, and stand in `rules.py`.
"""

from bisect import bisect_right
from collections.abc import Iterable, Iterator
from typing import TypeAlias

import msgspec

from raftlab.raft.vocabulary import Configuration, Index, Misuse, Term


class Command(msgspec.Struct, frozen=True, gc=False, tag="command"):
    """Something for the application; the protocol never looks inside. Paper: 5.3."""

    data: bytes


class Empty(msgspec.Struct, frozen=True, gc=False, tag="empty"):
    """The entry with nothing in it, which a leader appends when its term begins. Paper: 8."""


Payload: TypeAlias = Command | Configuration | Empty


class LogEntry(msgspec.Struct, frozen=True, gc=False):
    """One entry: its payload, the term of the leader that created it, and its place.

    Paper: 5.3 and Figure 6.
    """

    term: Term
    index: Index
    payload: Payload

    @property
    def size(self) -> int:
        """How many bytes of command it carries, at least 1; other entries count as none."""
        payload = self.payload
        return len(payload.data) or 1 if type(payload) is Command else 0


class Snapshot(msgspec.Struct, frozen=True, gc=False):
    """All that the log said up to and including `index`, and the configuration there.

    Paper: 7 and Figure 12.
    """

    index: Index
    term: Term
    configuration: Configuration
    data: bytes = b""


class RaftLog:
    """The log of one node in memory.

    `snapshot` stands for everything up to its index; `entries` follow without a hole.
    `stable_index` is the last entry handed out to be written: what lies above it has
    not been given to the disk yet. `first_index` is the index of the first entry held, one
    past the last index if there is none. `last_entry` is the last one held, or None, and
    `last_index` its index, that of the snapshot if there is none, or 0.
    `configuration_index` is the index of the newest configuration, of the snapshot if no
    entry after it holds one, or 0.

    Raises: Misuse, if the entries leave a hole, go back in term, or do not meet the
    snapshot.
    """

    __slots__ = (
        "_configurations",
        "_entries",
        "_term_before",
        "configuration_index",
        "first_index",
        "last_entry",
        "last_index",
        "snapshot",
        "stable_index",
    )

    def __init__(self, entries: Iterable[LogEntry] = (), snapshot: Snapshot | None = None) -> None:
        self._entries = list(entries)
        self.snapshot = snapshot
        self.first_index: Index = self._entries[0].index if self._entries else self._base + 1
        self._note_end()
        self._term_before: Term | None = None
        if self.first_index == 1:
            self._term_before = 0
        elif self.snapshot is not None and self.first_index == self._base + 1:
            self._term_before = self.snapshot.term
        self._check()
        self.stable_index: Index = self.last_index
        self._configurations: list[Index] = []
        self.configuration_index: Index = 0
        self._find_configurations()

    def _check(self) -> None:
        if self.first_index > self._base + 1 or self.first_index < 1:
            raise Misuse(
                f"the log starts at {self.first_index} and leaves a hole after {self._base}"
            )
        if self.last_index < self._base:
            raise Misuse(f"the log ends at {self.last_index}, before its snapshot ({self._base})")
        term = 0
        if self.snapshot is not None:
            if self.term_for_index(self._base) != self.snapshot.term:
                raise Misuse(f"entry {self._base} is not the one that the snapshot ends with")
            term = self.snapshot.term if self.first_index > self._base else 0
        for place, entry in enumerate(self._entries, start=self.first_index):
            if entry.index != place:
                raise Misuse(f"entry {entry.index} stands where entry {place} belongs")
            if entry.term < term:
                raise Misuse(f"entry {place} goes back from term {term} to {entry.term}")
            term = entry.term

    def _find_configurations(self) -> None:
        """Note where the entries after the snapshot that hold a configuration are."""
        self._configurations = [
            entry.index
            for entry in self._entries
            if type(entry.payload) is Configuration and entry.index > self._base
        ]
        self._note_configuration()

    def _note_end(self) -> None:
        self.last_entry = self._entries[-1] if self._entries else None
        self.last_index: Index = self.first_index + len(self._entries) - 1

    def _note_configuration(self) -> None:
        held = self._configurations
        self.configuration_index = held[-1] if held else self._base

    @property
    def _base(self) -> Index:
        return self.snapshot.index if self.snapshot else 0

    def __len__(self) -> int:
        """How many entries are held (the snapshot not counted)."""
        return len(self._entries)

    def __iter__(self) -> Iterator[LogEntry]:
        return iter(self._entries)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, RaftLog):
            return NotImplemented
        return self._entries == other._entries and self.snapshot == other.snapshot

    __hash__ = None  # type: ignore[assignment]  # a log changes

    def __getitem__(self, index: Index) -> LogEntry:
        """The entry at `index`, counted from 1.

        Raises: IndexError, if it was compacted away or was never there.
        """
        place = index - self.first_index
        if index < 1 or place < 0 or place >= len(self._entries):
            raise IndexError(f"no entry {index}: the log holds {self._span()}")
        return self._entries[place]

    def _span(self) -> str:
        return f"{self.first_index} to {self.last_index}" if self._entries else "no entries"

    def __repr__(self) -> str:
        terms = " ".join(f"{entry.index}:t{entry.term}" for entry in self._entries[-8:])
        more = "… " if len(self._entries) > 8 else ""
        return f"<RaftLog {more}{terms or 'empty'}>"

    def _repr_mimebundle_(self, **_: object) -> dict[str, str]:
        from raftlab.view import scene_log

        return scene_log(self)._repr_mimebundle_()

    # What is in it

    @property
    def last_term(self) -> Term:
        """The term of the last entry, of the snapshot if there is none, or 0."""
        if self._entries:
            return self._entries[-1].term
        return self.snapshot.term if self.snapshot else 0

    @property
    def next_index(self) -> Index:
        """The index that the next entry will get."""
        return self.last_index + 1

    def term_for_index(self, index: Index) -> Term | None:
        """The term of the entry at `index`; 0 just before entry 1; None where it is not known.

        The term of the entry just before the first one held is remembered while this lives,
        so that all that is held can be sent.
        """
        place = index - self.first_index
        if place >= 0:
            return self._entries[place].term if place < len(self._entries) else None
        return self._term_before if place == -1 else None

    def match_term(self, index: Index, term: Term) -> bool:
        """Whether this log agrees with one that has an entry of `term` at `index`.

        Every log agrees before its first entry, and below a snapshot everything is
        committed and so agrees, whatever is asked. Paper: Figure 2, AppendEntries, rule 2.
        """
        if index == 0:
            return term == 0
        if self.snapshot is not None and 0 < index < self.snapshot.index:
            return True
        return self.term_for_index(index) == term

    def is_up_to_date(self, last_index: Index, last_term: Term) -> bool:
        """Whether a log that ends with (`last_index`, `last_term`) is at least as new as this.

        The later last term wins; with equal last terms, the longer log. Paper: 5.4.1.
        """
        if last_term != self.last_term:
            return last_term > self.last_term
        return last_index >= self.last_index

    def configuration_at(self, index: Index) -> Configuration | None:
        """The newest configuration at or before `index`; None if neither entry nor snapshot says.

        `index` is not below the snapshot's. Paper: 6, "the latest configuration in its log".
        """
        for held in reversed(self._configurations):
            if held <= index:
                payload = self[held].payload
                assert isinstance(payload, Configuration)
                return payload
        return self.snapshot.configuration if self.snapshot else None

    def entries(self, start: Index, stop: Index) -> tuple[LogEntry, ...]:
        """The entries from `start` up to but not including `stop`, as far as they are held."""
        first = self.first_index
        if start == self.last_index == stop - 1 and self.last_entry is not None:
            return (self.last_entry,)  # what is nearly always asked for
        if start < first:
            start = first
        if stop < first:
            stop = first
        return tuple(self._entries[start - first : stop - first])

    def growing(self) -> list[LogEntry]:
        """The list of entries, to be read: it may become longer, and what is in it stays there.

        Whatever is cut off or compacted makes another list.
        """
        return self._entries

    def last_index_of_term_at_most(self, index: Index, term: Term) -> Index:
        """The largest place up to `index` whose entry has at most `term`.

        Terms never go back along a log, so this is one binary search. It may be the
        place just before the first entry held. Thesis: 4.2.1; paper: 5.3, last part.
        """
        stop = min(index, self.last_index) - self.first_index + 1
        if stop <= 0:
            return max(min(index, self.first_index - 1), 0)
        found = bisect_right(self._entries, term, 0, stop, key=lambda entry: entry.term)
        return self.first_index + found - 1

    # How it changes

    def append_as_leader(self, term: Term, payload: Payload) -> LogEntry:
        """Append one entry of the leader's own term at the end. Paper: 5.3.

        Raises: Misuse, if `term` is lower than the last entry's.
        """
        if term < self.last_term:
            raise Misuse(f"an entry of term {term} cannot follow one of term {self.last_term}")
        self.last_index += 1
        entry = self.last_entry = LogEntry(term, self.last_index, payload)
        self._entries.append(entry)
        if type(payload) is Configuration:
            self._configurations.append(self.last_index)
            self.configuration_index = self.last_index
        return entry

    def append_as_follower(self, entries: Iterable[LogEntry]) -> None:
        """Append those of `entries` that lie beyond the end; what is already here is skipped.

        A conflict must have been cut away before (`truncate_uncommitted`).
        Paper: Figure 2, AppendEntries, rule 4.

        Raises: Misuse, if an entry would leave a hole.
        """
        for entry in entries:
            if entry.index <= self.last_index:
                continue
            if entry.index > self.last_index + 1:
                raise Misuse(f"entry {entry.index} would leave a hole after {self.last_index}")
            self._entries.append(entry)
            self.last_entry, self.last_index = entry, entry.index
            if type(entry.payload) is Configuration:
                self._configurations.append(entry.index)
                self.configuration_index = entry.index

    def truncate_uncommitted(self, index: Index) -> None:
        """Cut the entry at `index` and everything after it. Paper: Figure 2, rule 3.

        What was cut is no longer stable: entries that replace it are handed out anew.

        Raises: Misuse, if `index` lies in the snapshot.
        """
        if index <= self._base:
            raise Misuse(f"entry {index} is in the snapshot up to {self._base}")
        self._entries = self._entries[: max(index - self.first_index, 0)]
        self._note_end()
        self.stable_index = min(self.stable_index, self.last_index)
        if self.configuration_index > self.last_index:
            while self._configurations and self._configurations[-1] > self.last_index:
                self._configurations.pop()
            self._note_configuration()

    def compact(self, snapshot: Snapshot, trailing: int = 0) -> None:
        """Let `snapshot` stand for everything up to its index, but keep the last `trailing` of it.

        Kept entries can still be sent to a follower that is a little behind. Paper: 7.

        Raises: Misuse, if it is no newer than the snapshot held, or lies past the end.
        """
        if not self._base < snapshot.index <= self.last_index:
            raise Misuse(
                f"a snapshot up to {snapshot.index} cannot stand for a log from {self._base + 1}"
                f" to {self.last_index}"
            )
        first = max(self.first_index, snapshot.index + 1 - trailing)
        ends_here = first == snapshot.index + 1
        self._term_before = snapshot.term if ends_here else self.term_for_index(first - 1)
        self._entries = self._entries[first - self.first_index :]
        self.first_index = first
        self._note_end()
        self.snapshot = snapshot
        self._configurations = [each for each in self._configurations if each > snapshot.index]
        self._note_configuration()

    def restore(self, snapshot: Snapshot) -> None:
        """Begin anew after `snapshot`, with no entries. Paper: 7, Figure 13, rules 7 and 8."""
        self._entries = []
        self.snapshot = snapshot
        self._term_before = snapshot.term
        self.first_index = snapshot.index + 1
        self._note_end()
        self.stable_index = self.last_index
        self._configurations = []
        self._note_configuration()

    def copy(self) -> "RaftLog":
        """An independent log with the same entries (which are shared: they never change)."""
        twin = RaftLog.__new__(RaftLog)
        twin._entries = self._entries.copy()
        twin.first_index = self.first_index
        twin._term_before = self._term_before
        twin.last_entry = self.last_entry
        twin.last_index = self.last_index
        twin.snapshot = self.snapshot
        twin.stable_index = self.stable_index
        twin._configurations = self._configurations.copy()
        twin.configuration_index = self.configuration_index
        return twin

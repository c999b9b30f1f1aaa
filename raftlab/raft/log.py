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
    not been given to the disk yet. `last_index` is the index of the last entry, of the
    snapshot if there is none, or 0.

    Raises: Misuse, if the entries leave a hole, go back in term, or do not meet the
    snapshot.
    """

    __slots__ = ("_entries", "_first_index", "last_index", "snapshot", "stable_index")

    def __init__(self, entries: Iterable[LogEntry] = (), snapshot: Snapshot | None = None) -> None:
        self._entries = list(entries)
        self.snapshot = snapshot
        self._first_index: Index = self._entries[0].index if self._entries else self._base + 1
        self.last_index: Index = self._first_index + len(self._entries) - 1
        self._check()
        self.stable_index: Index = self.last_index

    def _check(self) -> None:
        if self._first_index > self._base + 1 or self._first_index < 1:
            raise Misuse(
                f"the log starts at {self._first_index} and leaves a hole after {self._base}"
            )
        if self.last_index < self._base:
            raise Misuse(f"the log ends at {self.last_index}, before its snapshot ({self._base})")
        term = 0
        if self.snapshot is not None:
            if self.term_for_index(self._base) != self.snapshot.term:
                raise Misuse(f"entry {self._base} is not the one that the snapshot ends with")
            term = self.snapshot.term if self._first_index > self._base else 0
        for place, entry in enumerate(self._entries, start=self._first_index):
            if entry.index != place:
                raise Misuse(f"entry {entry.index} stands where entry {place} belongs")
            if entry.term < term:
                raise Misuse(f"entry {place} goes back from term {term} to {entry.term}")
            term = entry.term

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
        place = index - self._first_index
        if index < 1 or place < 0 or place >= len(self._entries):
            raise IndexError(f"no entry {index}: the log holds {self._span()}")
        return self._entries[place]

    def _span(self) -> str:
        return f"{self._first_index} to {self.last_index}" if self._entries else "no entries"

    def __repr__(self) -> str:
        terms = " ".join(f"{entry.index}:t{entry.term}" for entry in self._entries[-8:])
        more = "… " if len(self._entries) > 8 else ""
        return f"<RaftLog {more}{terms or 'empty'}>"

    # What is in it

    @property
    def first_index(self) -> Index:
        """The index of the first entry held; one past the last index if there is none."""
        return self._first_index

    @property
    def last_term(self) -> Term:
        """The term of the last entry, of the snapshot if there is none, or 0."""
        if self._entries:
            return self._entries[-1].term
        return self.snapshot.term if self.snapshot else 0

    @property
    def last_entry(self) -> LogEntry | None:
        """The last entry held, or None."""
        return self._entries[-1] if self._entries else None

    @property
    def next_index(self) -> Index:
        """The index that the next entry will get."""
        return self.last_index + 1

    def term_for_index(self, index: Index) -> Term | None:
        """The term of the entry at `index`; 0 just before entry 1; None where it is not known."""
        place = index - self._first_index
        if 0 <= place < len(self._entries):
            return self._entries[place].term
        if self.snapshot is not None and index == self.snapshot.index:
            return self.snapshot.term
        return 0 if index == 0 and self._first_index == 1 else None

    def match_term(self, index: Index, term: Term) -> bool:
        """Whether this log holds an entry of `term` at `index`.

        Every log agrees before its first entry, and below a snapshot everything is
        committed and so agrees too. Paper: Figure 2, AppendEntries, rule 2.
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

    def entries(self, start: Index, stop: Index) -> tuple[LogEntry, ...]:
        """The entries from `start` up to but not including `stop`, as far as they are held."""
        first = self._first_index
        if start < first:
            start = first
        return tuple(self._entries[start - first : max(stop - first, 0)])

    def last_index_of_term_at_most(self, index: Index, term: Term) -> Index:
        """The largest place up to `index` whose entry has at most `term`.

        Terms never go back along a log, so this is one binary search. It may be the
        place just before the first entry held. Thesis: 4.2.1; paper: 5.3, last part.
        """
        stop = min(index, self.last_index) - self._first_index + 1
        if stop <= 0:
            return max(min(index, self._first_index - 1), 0)
        found = bisect_right(self._entries, term, 0, stop, key=lambda entry: entry.term)
        return self._first_index + found - 1

    # How it changes

    def append_as_leader(self, term: Term, payload: Payload) -> LogEntry:
        """Append one entry of the leader's own term at the end. Paper: 5.3.

        Raises: Misuse, if `term` is lower than the last entry's.
        """
        if term < self.last_term:
            raise Misuse(f"an entry of term {term} cannot follow one of term {self.last_term}")
        self.last_index += 1
        entry = LogEntry(term, self.last_index, payload)
        self._entries.append(entry)
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
            self.last_index = entry.index

    def truncate_uncommitted(self, index: Index) -> None:
        """Cut the entry at `index` and everything after it. Paper: Figure 2, rule 3.

        What was cut is no longer stable: entries that replace it are handed out anew.

        Raises: Misuse, if `index` lies in the snapshot.
        """
        if index <= self._base:
            raise Misuse(f"entry {index} is in the snapshot up to {self._base}")
        del self._entries[max(index - self._first_index, 0) :]
        self.last_index = self._first_index + len(self._entries) - 1
        self.stable_index = min(self.stable_index, self.last_index)

    def copy(self) -> "RaftLog":
        """An independent log with the same entries (which are shared: they never change)."""
        twin = RaftLog.__new__(RaftLog)
        twin._entries = self._entries.copy()
        twin._first_index = self._first_index
        twin.last_index = self.last_index
        twin.snapshot = self.snapshot
        twin.stable_index = self.stable_index
        return twin

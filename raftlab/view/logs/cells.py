"""The cells of a log: one column an index, with its term, its payload and its border."""

from collections.abc import Iterator
from functools import lru_cache

import msgspec

from raftlab.raft.log import LogEntry
from raftlab.raft.vocabulary import Configuration, Index, Term
from raftlab.sim.frames.frame import NodeFrame
from raftlab.view import style
from raftlab.view.configurations import configuration_labels, configuration_text
from raftlab.view.logs.columns import (
    last_index,
    shown_entries,
    snapshot_index,
    snapshot_of,
    snapshot_unwritten,
    unwritten,
)
from raftlab.view.marks import Box, Ink, Mark, Path, Text
from raftlab.view.members import configuration_entry
from raftlab.view.shapes import snapshot_shape
from raftlab.view.words import clean, payload_text, snapshot_text

GAP = 3.0
"""Between two cells, in units: room for the divider and the commit bar."""

_CORNER = 7.0
_MORE = 10.0
"""How much more room a row has below it for the snapshots of its memory and its disk."""


class Grid(msgspec.Struct, frozen=True):
    """Where rows and columns lie. `left` is where the column of the first index begins.

    `taller` are the rows that have snapshots below their memory or their disk.
    """

    columns: range
    left: float
    top: float
    cell: float
    high: float
    pitch: float
    detailed: bool
    taller: tuple[int, ...] = ()

    def x(self, index: Index) -> float:
        """The left edge of a column; of one before the first, the first one's."""
        before = index - self.columns.start
        return self.left + self.cell * before if before > 0 else self.left

    @property
    def wide(self) -> float:
        """How wide a cell is."""
        return self.cell - GAP

    def right(self, index: Index) -> float:
        """The right edge of the cell in a column."""
        return self.x(index) + self.wide

    def y(self, row: int) -> float:
        """The upper edge of a row's cells."""
        return self.top + self.pitch * row + _MORE * sum(each < row for each in self.taller)


def cell_marks(
    node: NodeFrame,
    grid: Grid,
    y: float,
    *,
    commit: Index | None,
    before: NodeFrame | None = None,
) -> Iterator[Mark]:
    """The shown part of one log, with its snapshot, dividers, and rings around what is new.

    `commit` is its commit index, or None if nothing is known of it: then no border is
    that of a committed entry and none that of an uncommitted one. The configuration in
    force has a filled corner.
    """
    yield from _missing_head(node, grid, y)
    missing = unwritten(node, grid.columns)
    entries = shown_entries(node, grid.columns)
    new = {entry.index for entry in entries if before and before.entry(entry.index) != entry}
    if not node.alive:
        new = set()
    cells = [_cell(node, entry, grid, y, commit, entry.index in missing) for entry in entries]
    yield from cells
    term = None
    for entry in entries:
        if term is not None and entry.term != term:
            yield _divider(node, entry.index, grid, y)
        term = entry.term
    yield from _rings(node, sorted(new), grid, y)
    yield from _also_in_snapshot(node, entries, grid, y)
    if configuration_entry(node) in grid.columns:
        yield _corner(node, grid, y)
    for entry, cell in zip(entries, cells, strict=True):
        yield from _words(entry, cell, grid.detailed, entry.index in new)


def _cell(
    node: NodeFrame, entry: LogEntry, grid: Grid, y: float, commit: Index | None, missing: bool
) -> Box:
    ink = _cell_ink(entry.term, None if commit is None else entry.index <= commit, missing)
    name = f"entry-{node.node}-{entry.index}"
    data: dict[str, str | int | float] = {
        "node": node.node,
        "index": entry.index,
        "term": entry.term,
    }
    x, wide, title = grid.x(entry.index), grid.cell - GAP, ""
    if type(entry.payload) is Configuration:
        members = clean(configuration_text(entry.payload), 400)
        title = f"entry {entry.index} of term {entry.term}: {members}"
    return Box(name, x, y, wide, grid.high, ink, 0.0, "entry", data, title)


@lru_cache(maxsize=256)
def _cell_ink(term: Term, committed: bool | None, missing: bool) -> Ink:
    width = style.COMMITTED_WIDTH if committed else style.UNCOMMITTED_WIDTH
    dash = style.UNCOMMITTED_DASH if committed is False else ()
    return Ink(style.term_tint(term), style.INK, width, dash, hatch=missing)


def _words(entry: LogEntry, cell: Box, detailed: bool, new: bool) -> list[Mark]:
    x, y = cell.x + cell.w / 2, cell.y
    size, black, term = style.SMALL, "#000000", str(entry.term)
    words: list[Mark] = [
        Text(f"{cell.id}-term", x, y + 11.5, term, size, black, mono=True, bold=new)
    ]
    if detailed:
        payload = style.fit_text(_payload_words(entry), cell.w - 4, size, bold=new)
        words.append(Text(f"{cell.id}-text", x, y + 24.5, payload, size, black, bold=new))
    return words


def _payload_words(entry: LogEntry) -> str:
    """What stands below the term: of a configuration, only what kind it is.

    Who belongs to it is in the tooltip, in the text, and above the ring.
    """
    if isinstance(entry.payload, Configuration):
        return configuration_labels(entry.payload)[-1]
    return payload_text(entry.payload, 12)


def _corner(node: NodeFrame, grid: Grid, y: float) -> Mark:
    """The filled upper right corner of the configuration that is in force."""
    index = configuration_entry(node)
    x, title = grid.right(index), f"{node.node}: the configuration in force"
    corner, side = Ink(style.INK), min(_CORNER, grid.high / 2)
    points = (x - side, y), (x, y), (x, y + side)
    name = f"in-force-{node.node}"
    return Path(name, points, corner, closed=True, role="in-force", title=title)


def _divider(node: NodeFrame, index: Index, grid: Grid, y: float) -> Mark:
    x = grid.x(index) - GAP / 2
    ink = Ink(None, style.INK, style.DIVIDER_WIDTH)
    name = f"divider-{node.node}-{index}"
    return Path(name, ((x, y - 1), (x, y + grid.high + 1)), ink, role="divider")


def _rings(node: NodeFrame, new: list[Index], grid: Grid, y: float) -> Iterator[Mark]:
    """A ring around each stretch of new entries."""
    ink = Ink(None, style.INK, style.CHANGED_WIDTH)
    starts = [index for index in new if index - 1 not in new]
    ends = [index for index in new if index + 1 not in new]
    for start, end in zip(starts, ends, strict=True):
        x, right = grid.x(start) - 4, grid.right(end) + 4
        name = f"changed-{node.node}-{start}"
        yield Box(name, x, y - 4, right - x, grid.high + 8, ink, 4.0, "changed")


def _missing_head(node: NodeFrame, grid: Grid, y: float) -> Iterator[Mark]:
    """What the snapshot stands for; and an ellipsis if the log begins left of the columns."""
    head, first = snapshot_index(node), grid.columns.start
    middle = y + grid.high / 2 + 4
    end = last_index(node)
    if first > 1 and end and head < first:
        x = grid.left - 10
        yield Text(f"more-{node.node}", x, middle, "…", color=style.QUIET, role="more")
    if end < first:
        words = f"ends at {end}" if end else "empty"
        name, size = f"end-{node.node}", style.SMALL
        yield Text(name, grid.left, middle, words, size, style.QUIET, "start", role="end")
    if head < first:
        return
    x, snapshot = grid.x(first), snapshot_of(node)
    wide = grid.right(min(head, grid.columns.stop - 1)) - x
    hatch = snapshot_unwritten(node)
    name = f"snapshot-{node.node}"
    title = f"snapshot up to {snapshot_text(snapshot)}" if snapshot else ""
    yield from snapshot_shape(name, x, y, wide, grid.high, style.COMMITTED_WIDTH, hatch, title)
    end = snapshot.index if snapshot else head
    term = f", term {snapshot.term}" if snapshot else ""
    fits = (f"snapshot to {end}{term}", f"to {end}{term}", f"to {end}", f"{end}")
    words = next((w for w in fits if style.text_width(w, style.SMALL) < wide - 8), fits[-1])
    here = y + grid.high / 2 + 3.5
    if style.text_width(words, style.SMALL) <= wide - 2:  # the tooltip tells it anyway
        yield Text(f"{name}-text", x + wide / 2, here, words, style.SMALL, halo=hatch)


def _also_in_snapshot(
    node: NodeFrame, entries: tuple[LogEntry, ...], grid: Grid, y: float
) -> Iterator[Mark]:
    """A bracket over the kept entries that the snapshot stands for as well."""
    snapshot = snapshot_of(node)
    kept = [entry.index for entry in entries if snapshot and entry.index <= snapshot.index]
    if not snapshot or not kept:
        return
    left, right, over, down = grid.x(kept[0]), grid.right(kept[-1]), y - 6, y - 2.5
    if snapshot_index(node) >= grid.columns.start:
        left -= GAP  # it goes on from the block of what is no longer kept
    points = (left, over), (right, over), (right, down)
    title = f"{node.node}: also in the snapshot to {snapshot.index}"
    ink = Ink(None, style.INK, 1.6)
    yield Path(f"kept-{node.node}", points, ink, role="kept", title=title)

"""The cells of a log: one column an index, with its term, its payload and its border."""

from collections.abc import Iterator

import msgspec

from raftlab.raft.log import LogEntry
from raftlab.raft.vocabulary import Index
from raftlab.sim.frame import NodeFrame
from raftlab.view import style
from raftlab.view.columns import (
    last_index,
    shown_entries,
    snapshot_index,
    snapshot_of,
    unwritten,
)
from raftlab.view.marks import Box, Ink, Mark, Path, Text
from raftlab.view.words import payload_text

GAP = 3.0
"""Between two cells, in units: room for the divider and the commit bar."""


class Grid(msgspec.Struct, frozen=True):
    """Where rows and columns lie. `left` is where the column of the first index begins."""

    columns: range
    left: float
    top: float
    cell: float
    high: float
    pitch: float
    detailed: bool

    def x(self, index: Index) -> float:
        """The left edge of a column; of one before the first, the first one's."""
        return self.left + self.cell * max(index - self.columns.start, 0)

    def y(self, row: int) -> float:
        """The upper edge of a row's cells."""
        return self.top + self.pitch * row


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
    that of a committed entry and none that of an uncommitted one.
    """
    yield from _missing_head(node, grid, y)
    missing = unwritten(node, grid.columns)
    entries = shown_entries(node, grid.columns)
    new = {entry.index for entry in entries if before and before.entry(entry.index) != entry}
    if not node.alive:
        new = set()
    for entry in entries:
        committed = None if commit is None else entry.index <= commit
        yield _cell(node, entry, grid, y, committed, entry.index in missing)
    term = None
    for entry in entries:
        if term is not None and entry.term != term:
            yield _divider(node, entry.index, grid, y)
        term = entry.term
    yield from _rings(node, sorted(new), grid, y)
    for entry in entries:
        yield from _words(node, entry, grid, y, entry.index in new, entry.index in missing)


def _cell(
    node: NodeFrame, entry: LogEntry, grid: Grid, y: float, committed: bool | None, missing: bool
) -> Mark:
    width = style.COMMITTED_WIDTH if committed else style.UNCOMMITTED_WIDTH
    dash = style.UNCOMMITTED_DASH if committed is False else ()
    ink = Ink(style.term_tint(entry.term), style.INK, width, dash, hatch=missing)
    name = f"entry-{node.node}-{entry.index}"
    data: dict[str, str | int | float] = {
        "node": node.node,
        "index": entry.index,
        "term": entry.term,
    }
    return Box(name, grid.x(entry.index), y, grid.cell - GAP, grid.high, ink, 0.0, "entry", data)


def _words(
    node: NodeFrame, entry: LogEntry, grid: Grid, y: float, new: bool, missing: bool
) -> Iterator[Mark]:
    x, name = grid.x(entry.index) + (grid.cell - GAP) / 2, f"entry-{node.node}-{entry.index}"
    size, black = style.SMALL, "#000000"
    yield Text(f"{name}-term", x, y + 11.5, str(entry.term), size, black, mono=True, bold=new)
    if grid.detailed:
        words = style.fit_text(payload_text(entry.payload, 12), grid.cell - GAP - 4, size, bold=new)
        yield Text(f"{name}-text", x, y + 24.5, words, size, black, bold=new)


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
        x, right = grid.x(start) - 4, grid.x(end) + grid.cell - GAP + 4
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
    wide = grid.x(head) + grid.cell - GAP - x
    ink = Ink(style.PAPER, style.INK, style.COMMITTED_WIDTH)
    name = f"snapshot-{node.node}"
    yield Box(name, x, y, wide, grid.high, ink, grid.high / 2, "snapshot")
    term = f", term {snapshot.term}" if snapshot and snapshot.index == head else ""
    fits = (f"snapshot to {head}{term}", f"to {head}", f"{head}")
    words = next((w for w in fits if style.text_width(w, style.SMALL) < wide - 8), fits[-1])
    yield Text(f"{name}-text", x + wide / 2, y + grid.high / 2 + 3.5, words, style.SMALL)

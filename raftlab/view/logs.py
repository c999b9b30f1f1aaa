"""The logs side by side: one row a node, one column an index, memory beside disk."""

from collections.abc import Iterator

from raftlab.raft.log import RaftLog
from raftlab.sim.frame import DiskFrame, Frame, NodeFrame, ProgressFrame
from raftlab.view import style
from raftlab.view.cells import GAP, Grid, cell_marks
from raftlab.view.changes import changed_fields
from raftlab.view.columns import (
    MOST_COLUMNS,
    columns_of,
    disk_end,
    frame_of_log,
    last_index,
    progress_of,
    shown_entries,
    vote_unwritten,
)
from raftlab.view.describe import describe_log, describe_logs
from raftlab.view.glyphs import cross, node_shape
from raftlab.view.marks import Box, Disc, Ink, Mark, Path, Scene, Text, words_last
from raftlab.view.words import clean, payload_text, role_text

FEWEST_COLUMNS = 8
NARROW, WIDE = 38.0, 50.0
"""The least and the greatest width of a column with payloads."""
MOST_DETAILED = 11
"""With more nodes than this, rows are low and show terms only."""

LEGEND = (
    "bar: commit index · dot: match index · triangle: next index · "
    "dashed: not committed · hatched: not on disk yet · arrow: being written"
)
SHORT_LEGEND = "bar: commit index · dashed: not committed · hatched: not on disk yet"


NAME_X, MEMORY_X, DISK_X = 20.0, 68.0, 158.0
BOX_WIDTH = 70.0


def _grid(frame: Frame, last: int | None) -> Grid:
    shown = columns_of(frame, last)
    fewest = min(FEWEST_COLUMNS, last or FEWEST_COLUMNS)
    columns = range(shown.start, max(shown.stop, shown.start + fewest))
    if len(frame.nodes) <= MOST_DETAILED:
        return Grid(columns, 248.0, 34.0, _cell_width(frame, shown), 30.0, 50.0, True)
    return Grid(columns, 116.0, 30.0, 24.0, 16.0, 23.0, False)


def _cell_width(frame: Frame, columns: range) -> float:
    """As wide as the widest payload, within limits that keep a log on the page."""
    words = {
        payload_text(entry.payload, 12)
        for node in frame.nodes
        for entry in shown_entries(node, columns)
    }
    widest = max((style.text_width(each, style.SMALL, bold=True) for each in words), default=0.0)
    return min(max(round(widest + GAP + 4), NARROW), WIDE)


def scene_logs(frame: Frame, previous: Frame | None = None, last: int | None = None) -> Scene:
    """The logs at one moment; entries that are new since `previous` are ringed and bold.

    `last` is how many columns to show at most (14). Ids: "entry-S1-5" a cell,
    "commit-S1", "match-S1", "next-S1" the marks of a row.
    """
    grid = _grid(frame, last)
    changes = changed_fields(frame, previous)
    before = {node.node: node for node in previous.nodes} if previous else {}
    known = progress_of(frame)
    marks: list[Mark] = list(_header(grid))
    for row, node in enumerate(frame.nodes):
        y = grid.y(row)
        marks += _who(node, grid, y, changes[node.node], before.get(node.node))
        commit = node.commit_index if node.alive else 0
        marks += cell_marks(node, grid, y, commit=commit, before=before.get(node.node))
        marks += _indexes(node, known.get(node.node), grid, y)
    wide = grid.left + grid.cell * len(grid.columns) + 12
    bottom = grid.y(len(frame.nodes))
    legend = LEGEND if grid.detailed else SHORT_LEGEND
    at = 10.0
    marks.append(Text("legend", at, bottom + 4, legend, style.SMALL, style.QUIET, "start"))
    wide = max(wide, at + style.text_width(legend, style.SMALL) + 10)
    description = describe_logs(frame, previous, last)
    return Scene(wide, bottom + 14, words_last(marks), "Raft logs", description)


def _header(grid: Grid) -> Iterator[Mark]:
    y = grid.top - 12
    if grid.detailed:
        for words, x in (("memory", MEMORY_X), ("disk", DISK_X)):
            middle = x + BOX_WIDTH / 2
            yield Text(f"head-{words}", middle, y, words, 10.0, style.QUIET, role="head")
    for index in grid.columns:
        x = grid.x(index) + (grid.cell - GAP) / 2
        words, size = str(index), style.SMALL
        yield Text(f"index-{index}", x, y, words, size, style.QUIET, mono=True, role="index")


# The left side of a row: who it is, and what its memory and its disk say


def _who(
    node: NodeFrame, grid: Grid, y: float, changes: frozenset[str], before: NodeFrame | None
) -> Iterator[Mark]:
    role = node.role if node.alive else None
    r, middle = (11.0 if grid.detailed else 6.5), y + grid.high / 2
    data: dict[str, str | int | float] = {"node": node.node, "role": role_text(node)}
    title = f"{node.node}: {role_text(node)}"
    yield node_shape(f"row-{node.node}", NAME_X, middle, r, role, data=data, title=title)
    if not node.alive:
        yield from cross(f"row-{node.node}-down", NAME_X, middle, r * 0.45, style.QUIET, 1.8)
    bold = bool(changes)
    name = style.fit_text(clean(node.node), 30.0, style.SIZE, bold=bold)
    x = NAME_X + r + 6
    yield Text(f"row-{node.node}-name", x, middle + 4, name, anchor="start", bold=bold, role="name")
    if grid.detailed:
        yield from _memory(node, y, grid.high, changes)
        yield from _disk(node, y, grid.high, before.disk if before else node.disk)
    else:
        term = f"t{node.term if node.alive else node.disk.term}"
        bold = "term" in changes
        yield Text(
            f"row-{node.node}-term", 80, middle + 3.5, term, style.SMALL, style.QUIET, bold=bold
        )


def _memory(node: NodeFrame, y: float, high: float, changes: frozenset[str]) -> Iterator[Mark]:
    name = f"memory-{node.node}"
    if not node.alive:
        ink = Ink(style.PAPER, style.QUIET, 1.0, style.UNCOMMITTED_DASH)
        yield Box(name, MEMORY_X, y, BOX_WIDTH, high, ink, 6.0, "memory")
        x = MEMORY_X + BOX_WIDTH / 2
        yield Text(f"{name}-1", x, y + high / 2 + 3.5, "lost", style.SMALL, style.QUIET)
        return
    waiting = vote_unwritten(node)
    ink = Ink(style.PAPER, style.QUIET, 1.0, hatch=waiting)
    yield Box(name, MEMORY_X, y, BOX_WIDTH, high, ink, 6.0, "memory")
    first = _term_and_vote(node.term, node.voted_for)
    second = f"commit {node.commit_index}"
    bold = bool({"term", "voted_for"} & changes), "commit_index" in changes
    yield from _two_lines(name, MEMORY_X, y, (first, second), bold, waiting)


def _disk(node: NodeFrame, y: float, high: float, before: DiskFrame) -> Iterator[Mark]:
    disk, name = node.disk, f"disk-{node.node}"
    yield Box(name, DISK_X, y, BOX_WIDTH, high, Ink(style.PAPER, style.QUIET, 1.6), 0.0, "disk")
    end = disk_end(disk)
    lines = _term_and_vote(disk.term, disk.voted_for), f"log {end}"
    if disk.writing:
        middle = y + high / 2
        points = ((MEMORY_X + BOX_WIDTH + 2, middle), (DISK_X - 2, middle))
        title = "a write is under way"
        ink = Ink(None, style.INK, 1.4)
        yield Path(f"writing-{node.node}", points, ink, head="filled", role="writing", title=title)
    renewed = (disk.term, disk.voted_for) != (before.term, before.voted_for)
    longer = (disk.log, disk.snapshot) != (before.log, before.snapshot)
    yield from _two_lines(name, DISK_X, y, lines, (renewed, longer), False)


def _term_and_vote(term: int, voted_for: str | None) -> str:
    return f"term {term} · {clean(voted_for) if voted_for else '–'}"


def _two_lines(
    name: str, x: float, y: float, lines: tuple[str, str], bold: tuple[bool, bool], halo: bool
) -> Iterator[Mark]:
    for line, (words, heavy) in enumerate(zip(lines, bold, strict=True)):
        words = style.fit_text(words, BOX_WIDTH - 6, style.SMALL, bold=heavy)
        here = y + 12 + 12.5 * line
        middle = x + BOX_WIDTH / 2
        yield Text(f"{name}-{line + 1}", middle, here, words, style.SMALL, bold=heavy, halo=halo)


# The indexes of a row: commit, match, next


def _indexes(node: NodeFrame, known: ProgressFrame | None, grid: Grid, y: float) -> Iterator[Mark]:
    if node.alive and last_index(node) and node.commit_index >= grid.columns.start - 1:
        x = grid.x(node.commit_index + 1) - GAP / 2
        ink = Ink(None, style.INK, style.COMMIT_WIDTH)
        reach = 5.0 if grid.detailed else 2.0
        low, half = y + grid.high + reach, reach / 2
        points = (
            *((x - half, y - reach), (x + half, y - reach), (x, y - reach)),
            *((x, low), (x - half, low), (x + half, low)),
        )
        data: dict[str, str | int | float] = {"index": node.commit_index}
        title = f"{node.node}: commit index {node.commit_index}"
        yield Path(f"commit-{node.node}", points, ink, role="commit", data=data, title=title)
    if known is None or not grid.detailed:
        return
    below, half = y + grid.high + 8, (grid.cell - GAP) / 2
    if known.match_index >= grid.columns.start or known.match_index == 0:
        x = grid.x(known.match_index) + half if known.match_index else grid.left - 14
        title = f"match index of {node.node}: {known.match_index}"
        ink, data = Ink(style.INK), {"index": known.match_index}
        yield Disc(f"match-{node.node}", x, below, 3.2, ink, "match", data, title)
    if known.next_index >= grid.columns.start:
        x = grid.x(known.next_index) + half
        corners = ((x - 4.2, below + 3.4), (x, below - 3.6), (x + 4.2, below + 3.4))
        title = f"next index of {node.node}: {known.next_index}"
        ink, data = Ink(style.INK), {"index": known.next_index}
        name = f"next-{node.node}"
        yield Path(name, corners, ink, closed=True, role="next", data=data, title=title)


# One log by itself


def scene_log(log: RaftLog, last: int | None = None) -> Scene:
    """One log in memory: indexes, terms and payloads; entries not yet handed out are hatched."""
    node = frame_of_log(log)
    columns = range(max(log.last_index - (last or MOST_COLUMNS), 0) + 1, log.last_index + 1)
    grid = Grid(columns, 24.0, 28.0, 37.0, 30.0, 50.0, True)
    marks: list[Mark] = [mark for mark in _header(grid) if mark.role == "index"]
    marks += cell_marks(node, grid, grid.top, commit=None)
    if not columns:
        marks.append(Text("empty", 24, grid.top + 4, "the log is empty", anchor="start"))
    wide = grid.left + grid.cell * max(len(columns), 4) + 12
    return Scene(wide, grid.top + grid.high + 10, tuple(marks), "Raft log", describe_log(log, last))

"""The logs side by side: one row a node, one column an index, memory beside disk."""

from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from math import floor

from raftlab.raft.log import RaftLog
from raftlab.raft.vocabulary import Configuration, NodeId
from raftlab.sim.frames.frame import Frame, NodeFrame
from raftlab.view import style
from raftlab.view.changes import changed_fields
from raftlab.view.checked import checked
from raftlab.view.cluster.legend import is_plain
from raftlab.view.cluster.waiting_work import reads_are_asked
from raftlab.view.logs.cells import GAP, Grid, cell_marks
from raftlab.view.logs.columns import (
    MOST_COLUMNS,
    columns_of,
    entries_of,
    frame_of_log,
    progress_of,
    shown_entries,
)
from raftlab.view.logs.description import describe_log, describe_logs
from raftlab.view.logs.rows import BOX_WIDTH, DISK_X, MEMORY_X, index_marks, who_marks
from raftlab.view.marks import Mark, Text, words_last
from raftlab.view.members import Standing, standings
from raftlab.view.scene import Scene
from raftlab.view.words import payload_text

FEWEST_COLUMNS = 8
NARROW, WIDE = 38.0, 50.0
"""The least and the greatest width of a column with payloads."""
LOW = 24.0
"""The least width of a column in low rows, which show terms only."""
_MARGIN = 12.0
"""Right of the last column."""
_LOWER = 8.0
"""How far the legend moves down where words stand below the rows."""
MOST_DETAILED = 11
"""With more nodes than this, rows are low and show terms only."""

LEGEND = (
    "bar: commit index · dot: match index · triangle: next index · "
    "dashed: not committed · hatched: not on disk yet · arrow: being written"
)
DOWN_LEGEND = "of a node that is down all is dashed: its disk does not tell what is committed"
SHORT_LEGEND = "bar: commit index · dashed: not committed · hatched: not on disk yet"


def _grid(frame: Frame, last: int | None) -> Grid:
    """The columns that were asked for, or else as many as a page has room for."""
    grid = _grid_of(frame, last)
    most = floor((style.PAGE / style.GROWTH - grid.left - _MARGIN) / grid.cell)
    return grid if last is not None or len(grid.columns) <= most else _grid_of(frame, most)


def _grid_of(frame: Frame, last: int | None) -> Grid:
    shown = columns_of(frame, last)
    fewest = min(FEWEST_COLUMNS, last or FEWEST_COLUMNS)
    columns = range(shown.start, max(shown.stop, shown.start + fewest))
    if len(frame.nodes) > MOST_DETAILED:
        cell = max(LOW, _number_width(frame, columns))
        return Grid(columns, 116.0, 30.0, cell, 16.0, 23.0, False)
    cell = max(_cell_width(frame, shown), _number_width(frame, columns))
    held = [row for row, node in enumerate(frame.nodes) if _has_snapshot(node)]
    return Grid(columns, 248.0, 34.0, cell, 30.0, 50.0, True, tuple(held))


def _has_snapshot(node: NodeFrame) -> bool:
    """Whether its memory or its disk holds one."""
    return node.disk.snapshot is not None or (node.alive and node.snapshot is not None)


def _cell_width(frame: Frame, columns: range) -> float:
    """As wide as the widest payload, within limits that keep a log on the page."""
    words = {
        payload_text(entry.payload, 12)
        for node in frame.nodes
        for entry in shown_entries(node, columns)
        if not isinstance(entry.payload, Configuration)
    }
    widest = max((style.text_width(each, style.SMALL, bold=True) for each in words), default=0.0)
    return min(max(round(widest + GAP + 4), NARROW), WIDE)


def _number_width(frame: Frame, columns: range) -> float:
    """As wide as the longest index or term takes."""
    terms = (e.term for node in frame.nodes for e in shown_entries(node, columns))
    longest = max(columns.stop - 1, *terms, 0)
    return round(style.text_width(str(longest), style.SMALL, mono=True) + GAP + 2)


@checked
def scene_logs(frame: Frame, previous: Frame | None = None, last: int | None = None) -> Scene:
    """The logs at one moment; entries that are new since `previous` are ringed and bold.

    `last` is how many columns to show at most; if None, 14, or as many as a page has room for.
    The text has the older ones, too. Ids: "entry-S1-5" a cell,
    "commit-S1", "applied-S1" (where it is another index), "match-S1", "next-S1" the marks of a row.
    """
    grid = _grid(frame, last)
    changes = changed_fields(frame, previous)
    before = {node.node: node for node in previous.nodes} if previous else {}
    known = progress_of(frame)
    standing, asked = standings(frame), reads_are_asked(frame)
    right = max(grid.x(grid.columns.stop) + _MARGIN, _wide([LEGEND]))
    marks: list[Mark] = list(_header(grid))
    for row, node in enumerate(frame.nodes):
        y, was = grid.y(row), before.get(node.node)
        marks += who_marks(node, grid, y, changes[node.node], was, standing[node.node])
        commit = node.commit_index if node.alive else 0
        marks += cell_marks(node, grid, y, commit=commit, before=was)
        marks += index_marks(node, known.get(node.node), grid, y, right - 10, asked=asked)
    words_below = grid.detailed and {"standing", "sending"} & {mark.role for mark in marks}
    bottom = grid.y(len(frame.nodes)) + (_LOWER if words_below else 0.0)
    legends = [LEGEND if grid.detailed else SHORT_LEGEND, *_more_legend(frame, marks, standing)]
    for line, legend in enumerate(legends):
        name, y = f"legend-{line}" if line else "legend", bottom + 4 + 13 * line
        marks.append(Text(name, 10.0, y, legend, style.SMALL, style.QUIET, "start"))
    wide = grid.x(grid.columns.stop) + _MARGIN
    wide = max(wide, _wide(legends))
    text = partial(describe_logs, frame, previous, last)
    height = bottom + 14 + 13 * (len(legends) - 1)
    return Scene(wide, height, words_last(marks), "Raft logs", text)


def _wide(legends: Sequence[str]) -> float:
    return max(20 + style.text_width(legend, style.SMALL) for legend in legends)


def _more_legend(frame: Frame, marks: list[Mark], standing: Mapping[NodeId, Standing]) -> list[str]:
    """What the rarer marks mean, of those that are there; no line if there are none."""
    roles = {mark.role for mark in marks}
    said = ["dotted bar: last applied"] if "applied" in roles else []
    said += ["filled corner: configuration in force"] if "in-force" in roles else []
    said += ["bracket: kept, and in the snapshot too"] if "kept" in roles else []
    said += ["hollow: no vote"] if any(not each.votes for each in standing.values()) else []
    lines = [" · ".join(said)] if said else []
    if not is_plain(frame) and any(entries_of(node) for node in frame.nodes if not node.alive):
        lines.append(DOWN_LEGEND)
    return lines


def _header(grid: Grid) -> Iterator[Mark]:
    y = grid.top - 12
    if grid.detailed:
        for words, x in (("memory", MEMORY_X), ("disk", DISK_X)):
            middle = x + BOX_WIDTH / 2
            yield Text(f"head-{words}", middle, y, words, 10.0, style.QUIET, role="head")
    for index in grid.columns:
        x = grid.x(index) + grid.wide / 2
        words, size = str(index), style.SMALL
        yield Text(f"index-{index}", x, y, words, size, style.QUIET, mono=True, role="index")


# One log by itself


@checked
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
    text = describe_log(log, last)  # now: a log may grow
    return Scene(wide, grid.top + grid.high + 10, tuple(marks), "Raft log", text)

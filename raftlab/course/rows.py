"""Some logs, one below the other, each with a name: the picture of most questions and checks."""

from collections.abc import Mapping

import msgspec

from raftlab.course.situations import entries_of
from raftlab.raft.log import LogEntry, RaftLog
from raftlab.view import Scene, style
from raftlab.view.logs.cells import Grid, cell_marks
from raftlab.view.logs.columns import frame_of_log
from raftlab.view.marks import Mark, Text
from raftlab.view.words import payload_text, table

CELL, HIGH, PITCH, TOP = 37.0, 30.0, 38.0, 44.0


def scene_rows(logs: Mapping[str, str], title: str = "Logs") -> Scene:
    """The logs that words like "1 1 4" stand for: indexes, terms and commands, and names.

    "_" at the beginning of a row leaves a place empty: "_ _ 4" is entry 3 alone.
    """
    rows = {name: _placed(words) for name, words in logs.items()}
    columns = range(1, _end(rows) + 1)
    left = 26.0 + max(style.text_width(name) for name in rows)
    grid = Grid(columns, left, TOP, CELL, HIGH, PITCH, True)
    marks: list[Mark] = [Text("title", 10, 18, title, anchor="start", role="headline")]
    for index in columns:
        x = grid.x(index) + CELL / 2 - 1.5
        marks.append(
            Text(f"index-{index}", x, TOP - 8, str(index), 9, style.QUIET, mono=True, role="index")
        )
    for row, (name, entries) in enumerate(rows.items()):
        y = grid.y(row)
        marks.append(Text(f"name-{row}", 10, y + 19, name, anchor="start", role="name"))
        marks += [_renamed(mark, row) for mark in _cells(entries, grid, y)]
    width = max(left + CELL * max(len(columns), 3) + 10, style.text_width(title) + 20)
    return Scene(width, grid.y(len(rows)) + 2, tuple(marks), title, describe_rows(logs, title))


def scene_labelled_rows(logs: Mapping[str, str], labels: Mapping[str, str], title: str) -> Scene:
    """The same, with the label of a log, if it has one, behind its name."""
    return scene_rows({f"{name} {labels.get(name, '')}": logs[name] for name in logs}, title)


def describe_rows(logs: Mapping[str, str], title: str = "Logs") -> str:
    """The same as text: one row a log, one column an index, an entry as term:command."""
    rows = {name: _placed(words) for name, words in logs.items()}
    cells = [
        [name, *[""] * (entries[0].index - 1 if entries else 0), *map(_cell_text, entries)]
        for name, entries in rows.items()
    ]
    numbers = [str(index) for index in range(1, _end(rows) + 1)]
    return f"{title}\n\n{table(['', *numbers], cells)}"


def _placed(words: str) -> tuple[LogEntry, ...]:
    terms = words.split()
    gap = sum(word == "_" for word in terms)
    return entries_of(" ".join(terms[gap:]), gap + 1)


def _end(rows: Mapping[str, tuple[LogEntry, ...]]) -> int:
    return max((entries[-1].index for entries in rows.values() if entries), default=0)


def _cell_text(entry: LogEntry) -> str:
    return f"{entry.term}:{payload_text(entry.payload)}"


def _cells(entries: tuple[LogEntry, ...], grid: Grid, y: float) -> list[Mark]:
    node = msgspec.structs.replace(frame_of_log(RaftLog()), log=entries)
    disk = msgspec.structs.replace(node.disk, log=entries)
    node = msgspec.structs.replace(node, disk=disk)
    marks = cell_marks(node, grid, y, commit=None)
    return [
        mark
        for mark in marks
        if getattr(mark, "role", "") != "snapshot" and "snapshot" not in mark.id
    ]


def _renamed(mark: Mark, row: int) -> Mark:
    return msgspec.structs.replace(mark, id=f"row{row}-{mark.id}")

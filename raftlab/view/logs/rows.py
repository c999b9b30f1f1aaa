"""A row of the logs beside its entries: who it is, memory and disk, and the indexes below."""

from collections.abc import Iterator, Sequence

from raftlab.raft.log import Snapshot
from raftlab.raft.vocabulary import Index
from raftlab.sim.frames.frame import DiskFrame, NodeFrame, ProgressFrame
from raftlab.view import style
from raftlab.view.changes import same
from raftlab.view.cluster.waiting_work import is_wiped, sending_words
from raftlab.view.logs.cells import GAP, Grid
from raftlab.view.logs.columns import (
    applied_differs,
    disk_end,
    last_index,
    snapshot_unwritten,
    vote_unwritten,
)
from raftlab.view.marks import Box, Disc, Ink, Mark, Path, Text
from raftlab.view.members import Standing
from raftlab.view.shapes import cross, node_shape, snapshot_shape
from raftlab.view.words import clean, role_text, snapshot_text

NAME_X, MEMORY_X, DISK_X = 20.0, 68.0, 158.0
BOX_WIDTH = 70.0


def who_marks(
    node: NodeFrame,
    grid: Grid,
    y: float,
    changes: frozenset[str],
    before: NodeFrame | None,
    standing: Standing,
) -> Iterator[Mark]:
    """The left side of a row: who it is, and what its memory and its disk say."""
    role = node.role if node.alive else None
    r, middle = (11.0 if grid.detailed else 6.5), y + grid.high / 2
    data: dict[str, str | int | float] = {"node": node.node, "role": role_text(node)}
    title = f"{node.node}: {role_text(node)}{f', {standing.word}' if standing.word else ''}"
    yield node_shape(
        f"row-{node.node}", NAME_X, middle, r, role, data=data, title=title, standing=standing
    )
    if not node.alive:
        yield from cross(f"row-{node.node}-down", NAME_X, middle, r * 0.45, style.QUIET, 1.8)
    bold = bool(changes)
    name = style.fit_text(clean(node.node), 30.0, style.SIZE, bold=bold)
    x = NAME_X + r + 6
    yield Text(f"row-{node.node}-name", x, middle + 4, name, anchor="start", bold=bold, role="name")
    if grid.detailed:
        if standing.label:
            yield _standing(f"row-{node.node}-standing", standing.label, y + grid.high + 11)
        yield from _memory(node, y, grid.high, changes)
        yield from _disk(node, y, grid.high, before.disk if before else node.disk)
        yield from _snapshots(node, y + grid.high + 3)
    else:
        term = f"t{node.term if node.alive else node.disk.term}"
        bold = "term" in changes
        yield Text(
            f"row-{node.node}-term", 80, middle + 3.5, term, style.SMALL, style.QUIET, bold=bold
        )


def _standing(name: str, words: str, y: float) -> Mark:
    """What it is in the cluster, below its name and clear of the snapshot of its memory."""
    x = min(6.0, MEMORY_X - 3 - style.text_width(words, style.SMALL))
    return Text(name, x, y, words, style.SMALL, anchor="start", role="standing")


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
    if is_wiped(node):
        middle = DISK_X + BOX_WIDTH / 2
        yield Text(f"{name}-1", middle, y + high / 2 + 3.5, "empty", style.SMALL, style.QUIET)
        return
    end = disk_end(disk)
    lines = _term_and_vote(disk.term, disk.voted_for), f"log {end}"
    if disk.writing:
        middle = y + high / 2
        points = ((MEMORY_X + BOX_WIDTH + 2, middle), (DISK_X - 2, middle))
        title = "a write is under way"
        ink = Ink(None, style.INK, 1.4)
        yield Path(f"writing-{node.node}", points, ink, head="filled", role="writing", title=title)
    renewed = (disk.term, disk.voted_for) != (before.term, before.voted_for)
    longer = disk.snapshot != before.snapshot or not same(disk.log, before.log)
    yield from _two_lines(name, DISK_X, y, lines, (renewed, longer), False)


def _term_and_vote(term: int, voted_for: str | None) -> str:
    return f"term {term} · {clean(voted_for) if voted_for else '–'}"


def _two_lines(
    name: str, x: float, y: float, lines: tuple[str, str], bold: tuple[bool, bool], halo: bool
) -> Iterator[Mark]:
    for line, (words, heavy) in enumerate(zip(lines, bold, strict=True)):
        words, heavy = in_box(words, BOX_WIDTH - 6, style.SMALL, heavy)
        here = y + 12 + 12.5 * line
        middle = x + BOX_WIDTH / 2
        yield Text(f"{name}-{line + 1}", middle, here, words, style.SMALL, bold=heavy, halo=halo)


def in_box(words: str, room: float, size: float, bold: bool) -> tuple[str, bool]:
    """Words of a memory or a disk that fit, and whether they are bold; no number is cut.

    A change is told in bold only where there is room for it.
    """
    short = words.replace("term ", "t").replace("commit ", "c")
    for each, heavy in ((words, bold), (words, False), (short, bold), (short, False)):
        if style.text_width(each, size, bold=heavy) <= room:
            return each, heavy
    return style.fit_text(short, room, size), False


# Snapshots, below what holds them


def _snapshots(node: NodeFrame, y: float) -> Iterator[Mark]:
    """A label in the shape of a snapshot below memory and disk, if they hold one."""
    if node.alive and node.snapshot:
        hatch = snapshot_unwritten(node)
        yield from _snapshot(f"memory-{node.node}-snapshot", MEMORY_X, y, node.snapshot, hatch)
    if node.disk.snapshot:
        yield from _snapshot(f"disk-{node.node}-snapshot", DISK_X, y, node.disk.snapshot, False)


def _snapshot(name: str, x: float, y: float, snapshot: Snapshot, hatch: bool) -> Iterator[Mark]:
    title = f"snapshot up to {snapshot_text(snapshot)}"
    yield from snapshot_shape(name, x, y, BOX_WIDTH, 13.0, 1.0, hatch, title)
    end, term = f"to {snapshot.index}", snapshot.term
    fits = (f"{end}, term {term}", f"{end}, t{term}", end)
    words = next((w for w in fits if style.text_width(w, style.SMALL) < BOX_WIDTH - 8), fits[-1])
    middle = x + BOX_WIDTH / 2
    yield Text(f"{name}-text", middle, y + 9.7, words, style.SMALL, halo=hatch)


# The indexes of a row: commit, match, next


def index_marks(
    node: NodeFrame,
    known: ProgressFrame | None,
    grid: Grid,
    y: float,
    right: float,
    *,
    asked: bool,
) -> Iterator[Mark]:
    """The commit index of a row, and what the leader knows of it, in words up to `right`.

    `asked`: a read waits for a round to be answered.
    """
    if node.alive and last_index(node) and node.commit_index >= grid.columns.start - 1:
        yield _commit_bar(node, grid, y)
    if applied_differs(node) and node.applied_index >= grid.columns.start - 1:
        yield _applied_bar(node, grid, y)
    if known is not None and grid.detailed:
        yield from _progress(node, known, grid, y)
        yield from _sending(node, sending_words(known, asked), known, grid, y, right)


def _commit_bar(node: NodeFrame, grid: Grid, y: float) -> Mark:
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
    return Path(f"commit-{node.node}", points, ink, role="commit", data=data, title=title)


def _applied_bar(node: NodeFrame, grid: Grid, y: float) -> Mark:
    """A thin broken line after the last applied entry, where that is not the commit index."""
    x = grid.x(node.applied_index + 1) - GAP / 2
    reach = 9.0 if grid.detailed else 3.0  # farther than the commit bar: it lies between borders
    points = (x, y - reach), (x, y + grid.high + reach)
    data: dict[str, str | int | float] = {"index": node.applied_index}
    title = f"{node.node}: last applied {node.applied_index}"
    ink = Ink(None, style.INK, 2.6, (2.5, 2.5))
    return Path(f"applied-{node.node}", points, ink, role="applied", data=data, title=title)


def _progress(node: NodeFrame, known: ProgressFrame, grid: Grid, y: float) -> Iterator[Mark]:
    below = y + grid.high + 8
    if known.match_index >= grid.columns.start or known.match_index == 0:
        x = _match_x(known, grid)
        title = f"match index of {node.node}: {known.match_index}"
        ink, data = Ink(style.INK), {"index": known.match_index}
        yield Disc(f"match-{node.node}", x, below, 3.2, ink, "match", data, title)
    if known.next_index >= grid.columns.start:
        x = _middle(known.next_index, grid)
        corners = ((x - 4.2, below + 3.4), (x, below - 3.6), (x + 4.2, below + 3.4))
        title = f"next index of {node.node}: {known.next_index}"
        ink, data = Ink(style.INK), {"index": known.next_index}
        name = f"next-{node.node}"
        yield Path(name, corners, ink, closed=True, role="next", data=data, title=title)


def _sending(
    node: NodeFrame,
    fits: Sequence[str],
    known: ProgressFrame,
    grid: Grid,
    y: float,
    right: float,
) -> Iterator[Mark]:
    """The longest words that have room below its row, between the marks of its indexes.

    Behind the last of them if that is possible, or else between them, or before the first.
    """
    if not fits[-1]:
        return
    bar = grid.x(node.commit_index + 1) - GAP / 2
    marks = [bar, _match_x(known, grid), _middle(known.next_index, grid)]
    taken = sorted({x for x in marks if grid.left <= x <= right})
    ends = zip([grid.left - 8, *taken], [*taken, right + 10], strict=True)
    gaps = [(start + 10, end - 10) for start, end in ends][::-1]
    wide = {words: style.text_width(words, style.SMALL) for words in fits}
    found = ((words, gap) for words in fits for gap in gaps if _room(gap) >= wide[words])
    words, gap = next(found, (fits[-1], max(gaps, key=_room)))
    words, here = style.fit_text(words, _room(gap), style.SMALL), y + grid.high + 11.2
    name = f"sending-{node.node}"
    yield Text(name, gap[0], here, words, style.SMALL, anchor="start", role="sending")


def _room(gap: tuple[float, float]) -> float:
    return gap[1] - gap[0]


def _match_x(known: ProgressFrame, grid: Grid) -> float:
    return _middle(known.match_index, grid) if known.match_index else grid.left - 14


def _middle(index: Index, grid: Grid) -> float:
    return grid.x(index) + grid.wide / 2

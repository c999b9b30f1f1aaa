"""The logs in words: a line for each node, a column for each index, an entry as term:payload."""

from raftlab.raft.log import RaftLog
from raftlab.raft.vocabulary import NodeId
from raftlab.sim.frames.frame import DiskFrame, Frame, NodeFrame, ProgressFrame
from raftlab.view.changes import changed_fields, changed_words
from raftlab.view.checked import checked
from raftlab.view.cluster.waiting_work import is_wiped, progress_words, reads_are_asked
from raftlab.view.configurations import configuration_text, group_text
from raftlab.view.logs.columns import (
    MOST_COLUMNS,
    applied_differs,
    columns_of,
    disk_end,
    frame_of_log,
    last_index,
    progress_of,
    shown_entries,
    snapshot_index,
    snapshot_unwritten,
    unwritten,
    vote_unwritten,
)
from raftlab.view.members import configuration_lines, configuration_source
from raftlab.view.words import headline, payload_text, snapshot_text, table, table_without_empty


@checked
def describe_logs(frame: Frame, previous: Frame | None = None, last: int | None = None) -> str:
    """Every log in memory, what is committed, what the leader knows, and what the disks hold.

    An entry is its term and its payload; "*" marks one that is not on disk yet, and "*"
    after the term, that the term or the vote is not. What is applied is told where it is not
    the commit index. Of a long log the last columns are
    shown, as in the picture: at most `last` of them. A node that is down stands with what
    its disk holds.
    """
    columns = columns_of(frame, last)
    changes = changed_fields(frame, previous)
    known, asked = progress_of(frame), reads_are_asked(frame)
    changing = bool(configuration_lines(frame))
    header = ["node", "term", "commit", "applied", "match", "next", "progress", "config", "disk"]
    header += ["", *map(str, columns), "changed"]
    rows = [
        [
            node.node,
            f"{node.term}{'*' * vote_unwritten(node)}" if node.alive else "down",
            str(node.commit_index) if node.alive else "",
            str(node.applied_index) if applied_differs(node) else "",
            *_progress(known.get(node.node), asked),
            configuration_source(node) if changing and node.alive else "",
            "empty" if is_wiped(node) else _disk(node.disk),
            "…" if 0 < columns.start - 1 <= last_index(node) else "",
            *_cells(node, columns),
            changed_words(changes[node.node]),
        ]
        for node in frame.nodes
    ]
    parts = [headline(frame), "", table_without_empty(header, rows, keep=3, right=(2, 3, 4, 5))]
    if any(cell.endswith("*") for row in rows for cell in row):
        parts.append("* in memory, not on disk yet")
    return "\n".join([*parts, *_snapshots(frame)])


def _progress(known: ProgressFrame | None, asked: bool) -> list[str]:
    if known is None:
        return ["", "", ""]
    return [str(known.match_index), str(known.next_index), progress_words(known, asked)]


def _snapshots(frame: Frame) -> list[str]:
    """Each snapshot: how far it reaches, who belonged to the cluster there, and who holds it."""
    holders: dict[str, dict[str, list[NodeId]]] = {}
    for node in frame.nodes:
        held = (
            ("in memory", node.snapshot if node.alive else None),
            ("on disk", node.disk.snapshot),
        )
        for place, snapshot in held:
            if snapshot:
                places = holders.setdefault(f"snapshot to {snapshot_text(snapshot)}", {})
                places.setdefault(place, []).append(node.node)
    return [
        f"{said}; {'; '.join(f'{place}: {group_text(at)}' for place, at in places.items())}"
        for said, places in holders.items()
    ]


def _disk(disk: DiskFrame) -> str:
    parts = [f"term {disk.term}", f"vote {disk.voted_for or '-'}", f"log {disk_end(disk)}"]
    if disk.snapshot:
        parts.append(f"snapshot {disk.snapshot.index}")
    if disk.writing:
        parts.append("writing")
    return ", ".join(parts)


def _cells(node: NodeFrame, columns: range) -> list[str]:
    shown = {entry.index: entry for entry in shown_entries(node, columns)}
    missing = unwritten(node, columns)
    head, star = snapshot_index(node), "*" * snapshot_unwritten(node)
    cells = []
    for index in columns:
        entry = shown.get(index)
        if entry:
            cells.append(f"{entry.term}:{payload_text(entry.payload)}{'*' * (index in missing)}")
        else:
            cells.append(f"snap{star}" if index <= head else "")
    return cells


@checked
def describe_log(log: RaftLog, last: int | None = None) -> str:
    """One log: an entry's index, term and payload; of a long one the `last` entries (14)."""
    node = frame_of_log(log)
    if not log.last_index:
        return "An empty log."
    columns = range(max(log.last_index - (last or MOST_COLUMNS), 0) + 1, log.last_index + 1)
    held = "1 entry" if len(log) == 1 else f"{len(log)} entries"
    sentence = f"A log of {held} that ends at {log.last_index} of term {log.last_term}"
    if log.snapshot:
        kept = node.log and node.log[0].index <= log.snapshot.index
        sentence += f", {'with' if kept else 'after'} a snapshot to {log.snapshot.index}"
        sentence += f" of term {log.snapshot.term}"
        sentence += f", and from {node.log[0].index} kept all the same" if kept else ""
    cells = _cells(node, columns)
    parts = [f"{sentence}.", "", table([str(index) for index in columns], [cells])]
    if any(cell.endswith("*") for cell in cells):
        parts.append("* not given to the disk yet")
    if log.snapshot:
        members = configuration_text(log.snapshot.configuration)
        parts.append(f"the snapshot's configuration: {members}")
    return "\n".join(parts)

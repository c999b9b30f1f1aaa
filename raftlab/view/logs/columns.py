"""Which entries a view of the logs shows, and what is known of each: for picture and text."""

from collections.abc import Mapping, Sequence

from raftlab.raft.log import LogEntry, RaftLog, Snapshot
from raftlab.raft.roles import Role
from raftlab.raft.vocabulary import Configuration, Index, NodeId
from raftlab.sim.frames.frame import DiskFrame, Frame, NodeFrame, ProgressFrame

MOST_COLUMNS = 14
"""How many columns a long log shows."""

MOST_GONE = 4
"""How many columns are spent on what every log has compacted away."""


def columns_of(frame: Frame, last: int | None = None) -> range:
    """The indexes to show: at most the `last` ones (14), with room for the next entry to send.

    Of what no node has any more but in its snapshot, only the last few.
    """
    width = MOST_COLUMNS if last is None else max(last, 1)
    end = max((last_index(node) for node in frame.nodes), default=0)
    known = progress_of(frame).values()
    stop = max(end, *(min(each.next_index, end + 1) for each in known)) if known else end
    gone = min((snapshot_index(node) for node in frame.nodes), default=0)
    return range(max(stop - width, gone - MOST_GONE, 0) + 1, stop + 1)


def entries_of(node: NodeFrame) -> Sequence[LogEntry]:
    """The entries in memory; of a node that is down, those on its disk."""
    return node.log if node.alive else node.disk.log


def snapshot_of(node: NodeFrame) -> Snapshot | None:
    """The snapshot in memory; of a node that is down, the one on its disk."""
    return node.snapshot if node.alive else node.disk.snapshot


def snapshot_index(node: NodeFrame) -> Index:
    """The last index that stands in the snapshot and not in the log; 0 without one."""
    snapshot, entries = snapshot_of(node), entries_of(node)
    if entries:
        return entries[0].index - 1
    return snapshot.index if snapshot else 0


def last_index(node: NodeFrame) -> Index:
    """Where the shown log ends; 0 if it is empty."""
    return _end(entries_of(node), snapshot_of(node))


def disk_end(disk: DiskFrame) -> Index:
    """Where the log on disk ends; 0 if there is none."""
    return _end(disk.log, disk.snapshot)


def _end(entries: Sequence[LogEntry], snapshot: Snapshot | None) -> Index:
    if entries:
        return entries[-1].index
    return snapshot.index if snapshot else 0


def shown_entries(node: NodeFrame, columns: range) -> tuple[LogEntry, ...]:
    """Those entries that lie in `columns`."""
    return _within(columns, entries_of(node))


def _within(columns: range, entries: Sequence[LogEntry]) -> tuple[LogEntry, ...]:
    if not entries or not columns:
        return ()
    first = entries[0].index
    start, stop = columns.start - first, columns.stop - first
    if stop <= 0:
        return ()
    return tuple(entries[start:stop] if start > 0 else entries[:stop])


def unwritten(node: NodeFrame, columns: range) -> frozenset[Index]:
    """The indexes of shown entries that are in memory and not on disk yet."""
    if not node.alive:
        return frozenset()
    shown, stored = _within(columns, node.log), _within(columns, node.disk.log)
    if shown == stored:
        return frozenset()
    held = {entry.index: entry for entry in stored}
    safe = node.disk.snapshot.index if node.disk.snapshot else 0
    return frozenset(
        entry.index for entry in shown if entry.index > safe and held.get(entry.index) != entry
    )


def snapshot_unwritten(node: NodeFrame) -> bool:
    """Whether the snapshot in memory is not on disk yet."""
    return node.alive and node.snapshot is not None and node.snapshot != node.disk.snapshot


def vote_unwritten(node: NodeFrame) -> bool:
    """Whether the term or the vote in memory is not on disk yet."""
    disk = node.disk
    return node.alive and (node.term, node.voted_for) != (disk.term, disk.voted_for)


def applied_differs(node: NodeFrame) -> bool:
    """Whether a living node has not applied just what it knows to be committed."""
    return node.alive and node.applied_index != node.commit_index


def progress_of(frame: Frame) -> Mapping[NodeId, ProgressFrame]:
    """What the living leader of the highest term knows of each other member."""
    leader = frame.leader
    if leader is None:
        return {}
    return {each.node: each for each in leader.progress if each.node != leader.node}


def frame_of_log(log: RaftLog) -> NodeFrame:
    """A node without a name that has nothing but `log`; what was handed out is on its disk."""
    entries = tuple(log)
    stable = entries[: max(log.stable_index - log.first_index + 1, 0)]
    term = log.last_term
    return NodeFrame(
        node="log",
        alive=True,
        paused=False,
        role=Role.FOLLOWER,
        term=term,
        voted_for=None,
        leader=None,
        log=entries,
        snapshot=log.snapshot,
        commit_index=0,
        applied_index=0,
        configuration=Configuration(("log",)),
        disk=DiskFrame(term, None, stable, log.snapshot, False),
    )

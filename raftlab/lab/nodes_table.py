"""The nodes as a table: a row a node, with its memory, its disk, and what changed.

What a cluster of Figure 2 does not have is told only where there is something to say.
"""

from html import escape

from raftlab.raft.roles import Role
from raftlab.sim.frames.frame import Frame, NodeFrame, ReadFrame
from raftlab.view.changes import changed_fields, changed_words
from raftlab.view.cluster.waiting_work import clock_text
from raftlab.view.members import Standing, configuration_lines, standings
from raftlab.view.words import clean, ms, payload_text, role_text

COLUMNS = ("node", "role", "term", "vote", "log", "commit", "timer", "disk", "changed", "values")

MOST_VALUES = 4
"""How many values of the application a row of the table shows."""

MOST_READS = 3
"""How many reads a row tells one by one."""


def nodes_table(frame: Frame, previous: Frame | None) -> str:
    """Every node in a row: its memory, its disk, its timer, and what the last step changed.

    Below stand the configurations, and what nodes have not finished, if there is such a thing.
    """
    changes, standing = changed_fields(frame, previous), standings(frame)
    head = "".join(f"<th scope=col>{name}</th>" for name in COLUMNS)
    rows = "".join(
        _row(node, frame.at, standing[node.node], changes[node.node]) for node in frame.nodes
    )
    also = [f"{clean(node.node)}: {said}" for node in frame.nodes if (said := also_text(node))]
    lines = "".join(f"<p>{escape(line)}</p>" for line in (*configuration_lines(frame), *also))
    return (
        '<div class="raftlab-scroll"><table class="raftlab-nodes"><thead>'
        f"<tr>{head}</tr></thead><tbody>{rows}</tbody></table>{lines}</div>"
    )


def _row(node: NodeFrame, at: float, standing: Standing, changes: frozenset[str]) -> str:
    cells = [
        (role_cell(node, standing), {"role", "configuration"}),
        (str(node.term) if node.alive else "lost", {"term"}),
        ((node.voted_for or "–") if node.alive else "lost", {"voted_for"}),
        (log_text(node) if node.alive else "lost", {"log", "snapshot"}),
        (str(node.commit_index) if node.alive else "lost", {"commit_index"}),
        (timer_text(node, at), set()),
        (disk_text(node), {"disk"}),
        (changed_words(changes), set()),
        (values_text(node), {"commit_index"}),
    ]
    tags = "".join(
        f'<td class="{"raftlab-new" if changes & fields else ""}">{escape(text)}</td>'
        for text, fields in cells
    )
    return f"<tr><th scope=row>{escape(node.node)}</th>{tags}</tr>"


def role_cell(node: NodeFrame, standing: Standing) -> str:
    """Its role, what it is in the cluster unless that is a matter of course, and if it pauses."""
    paused = "paused" if node.alive and node.paused else ""
    said = (role_text(node), standing.label, standing.own_label, paused)
    return ", ".join(filter(None, said))


def log_text(node: NodeFrame) -> str:
    """The end of a log in memory: how long it is, and its last entry as term and payload."""
    if not node.last_index:
        return "empty"
    snapshot = f"snapshot to {node.snapshot.index}" if node.snapshot else ""
    if not node.log:
        return snapshot
    last = node.log[-1]
    said = f"{node.last_index}, last {last.term}:{payload_text(last.payload, 12)}"
    return f"{said}, {snapshot}" if snapshot else said


def disk_text(node: NodeFrame) -> str:
    """What a crash would leave."""
    disk = node.disk
    end = disk.log[-1].index if disk.log else disk.snapshot.index if disk.snapshot else 0
    writing = ", writing" if disk.writing else ""
    return f"term {disk.term}, vote {disk.voted_for or '–'}, log {end}{writing}"


def timer_text(node: NodeFrame, at: float) -> str:
    """When the node will speak up by itself."""
    if not node.alive:
        return "–"
    leads = node.role is Role.LEADER
    deadline = node.heartbeat_deadline if leads else node.election_deadline
    if deadline is None:
        return "–"
    return f"{'heartbeat' if leads else 'election'} in {ms(max(deadline - at, 0.0))}"


def values_text(node: NodeFrame) -> str:
    """What the application holds."""
    if not node.alive:
        return "lost"
    pairs = [f"{clean(key, 12)}={clean(value, 12)}" for key, value in node.values.items()]
    more = f" and {len(pairs) - MOST_VALUES} more" if len(pairs) > MOST_VALUES else ""
    return (" ".join(pairs[-MOST_VALUES:]) + more) or "–"


def also_text(node: NodeFrame) -> str:
    """What it has not finished, and how its clock runs; empty if all is as usual."""
    if not node.alive:
        return ""
    said = [read_text(read, node) for read in node.reads[:MOST_READS]]
    if len(node.reads) > MOST_READS:
        said.append(f"{len(node.reads) - MOST_READS} more reads")
    if node.transfer:
        told = f" ({clean(node.transfer.sent)} is told)" if node.transfer.sent else ""
        said.append(f"hands over to {clean(node.transfer.to or 'the best')}{told}")
    if clock_text(node):
        said.append(f"clock {clock_text(node)}")
    return ", ".join(said)


def read_text(read: ReadFrame, node: NodeFrame) -> str:
    """A read that `node` has not answered, and what for it waits, in few words."""
    if read.index is not None:
        waits = f"entry {read.index}"
    else:
        waits = "a majority" if node.role is Role.LEADER else "its leader"
    return f"read of {clean(read.key, 12)} waits for {waits}"

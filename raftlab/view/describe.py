"""The text twins: what a picture tells, as stable text.

The first line is a sentence, then comes a small table. This is what a screen reader
gets, what transcripts compare, and what can be pasted in a letter. Times have one
decimal, timers none; no line ends in a space.
"""

from collections.abc import Iterable

from raftlab.raft.log import RaftLog
from raftlab.raft.roles import Role
from raftlab.raft.vocabulary import Millis, NodeId
from raftlab.sim.frames.frame import DiskFrame, Frame, NodeFrame, ProgressFrame
from raftlab.view.changes import changed_fields, changed_words
from raftlab.view.checked import checked
from raftlab.view.columns import (
    MOST_COLUMNS,
    applied_differs,
    columns_of,
    disk_end,
    frame_of_log,
    is_wiped,
    last_index,
    progress_of,
    shown_entries,
    snapshot_index,
    snapshot_unwritten,
    unwritten,
    vote_unwritten,
)
from raftlab.view.configurations import configuration_text, group_text
from raftlab.view.members import (
    Standing,
    configuration_lines,
    configuration_source,
    standings,
)
from raftlab.view.partitions import cut_links
from raftlab.view.pending import (
    clock_text,
    progress_words,
    reads_are_asked,
    waiting_text,
    write_text,
)
from raftlab.view.words import (
    clean,
    flight_text,
    headline,
    kind_text,
    message_text,
    ms,
    names,
    payload_text,
    role_text,
    snapshot_text,
    table,
    violation_text,
)

__all__ = [
    "clean",
    "describe_cluster",
    "describe_frame",
    "describe_log",
    "describe_logs",
    "flight_text",
    "headline",
    "kind_text",
    "message_text",
    "ms",
    "names",
    "payload_text",
    "role_text",
    "table",
    "violation_text",
]


@checked
def describe_frame(frame: Frame, previous: Frame | None = None) -> str:
    """The cluster, then its logs."""
    return both(describe_cluster(frame, previous), describe_logs(frame, previous))


def both(cluster: str, logs: str) -> str:
    """Two descriptions of one frame as one: the first sentence is said once."""
    return f"{cluster}\n{logs.partition(chr(10))[2]}"


# The cluster


@checked
def describe_cluster(frame: Frame, previous: Frame | None = None) -> str:
    """Who is what and in which term, votes and timers, and what is on its way to whom.

    With `previous`, a last column says what changed since then. A node that is down
    stands with the term and the vote that its disk holds.
    """
    changes, standing = changed_fields(frame, previous), standings(frame)
    header = ["node", "role", "term", "vote", "member", "timer", "clock", "disk write"]
    header += ["campaign", "changed"]
    rows = [
        [*_node_row(node, frame.at, standing[node.node]), changed_words(changes[node.node])]
        for node in frame.nodes
    ]
    parts = [headline(frame), "", _without_empty(header, rows, keep=4, right=(2,))]
    said = [violation_text(frame.violation)] if frame.violation else []
    parts[1:1] = said + configuration_lines(frame)
    for block in waiting_text(frame):
        parts += ["", block]
    flights = _flights(frame)
    if flights:
        parts += ["", flights]
    lost = frame.event.lost if frame.event else None
    if lost is not None:
        way = f"{lost.sender} → {lost.receiver}"
        parts += ["", f"lost: {way} {kind_text(lost)}: {message_text(lost)}"]
    cuts = [f"{one} {'↔' if both else '→'} {other}" for one, other, both in cut_links(frame)]
    if cuts:
        parts += ["", f"cut: {', '.join(cuts)}"]
    return "\n".join(parts)


def _without_empty(
    header: list[str], rows: list[list[str]], keep: int, right: Iterable[int] = ()
) -> str:
    """A table without those columns, from number `keep` on, that say nothing."""
    shown = [place for place in range(len(header)) if place < keep or any(r[place] for r in rows)]
    flush = [shown.index(place) for place in right if place in shown]
    return table([header[p] for p in shown], [[r[p] for p in shown] for r in rows], right=flush)


def _node_row(node: NodeFrame, at: Millis, standing: Standing) -> list[str]:
    role = role_text(node) + (", paused" if node.paused and node.alive else "")
    role += ", disk empty" if is_wiped(node) else ""
    held = node if node.alive else node.disk
    who = [node.node, role, str(held.term), held.voted_for or "-"]
    member = f"{standing.word} (its log: {standing.own})" if standing.own else standing.word
    return [*who, member, _timer(node, at), clock_text(node), write_text(node), _votes(node)]


def _timer(node: NodeFrame, at: Millis) -> str:
    if not node.alive:
        return ""
    if node.role is Role.LEADER:
        if node.heartbeat_deadline is None:
            return ""
        return f"heartbeat in {max(node.heartbeat_deadline - at, 0.0):.0f} ms"
    if node.election_deadline is None:
        return ""
    left = f"{max(node.election_deadline - at, 0.0):.0f}"
    return f"{left} of {node.election_timeout:.0f} ms" if node.election_timeout else f"{left} ms"


def _votes(node: NodeFrame) -> str:
    if node.votes is None or not node.alive or node.role is not Role.CANDIDATE:
        return ""
    configuration, answers = node.votes.configuration, node.votes.answers
    voters, parts = configuration.all_voters, []
    for name, group in (("old", configuration.old_voters), ("new", configuration.voters)):
        if group:
            whose = f" of the {name} group" if configuration.is_joint else ""
            granted = sum(answers.get(voter, False) for voter in group)
            parts.append(f"{granted} of {len(group)} votes{whose}")
    for word, answer in (("granted", True), ("refused", False), ("silent", None)):
        found = [voter for voter in voters if answers.get(voter) is answer]
        if found:
            parts.append(f"{word} {' '.join(found)}")
    return ", ".join(parts)


def _flights(frame: Frame) -> str:
    if not frame.in_flight:
        return ""
    rows = []
    for flight in sorted(frame.in_flight, key=lambda each: each.number):
        message = flight.message
        copies = f" ×{flight.copies}" if flight.copies > 1 else ""
        rows.append(
            [
                f"#{flight.number}{copies}",
                f"{message.sender} → {message.receiver}",
                kind_text(message),
                ms(max(flight.arrives_at - frame.at, 0.0)),
                message_text(message),
            ]
        )
    return table(["in flight", "way", "kind", "arrives in", "says"], rows, right=(3,))


# The logs


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
    parts = [headline(frame), "", _without_empty(header, rows, keep=3, right=(2, 3, 4, 5))]
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
        parts.append("* not handed out to be written yet")
    if log.snapshot:
        members = configuration_text(log.snapshot.configuration)
        parts.append(f"the snapshot's configuration: {members}")
    return "\n".join(parts)

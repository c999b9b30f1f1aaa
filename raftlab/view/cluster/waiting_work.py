"""What a node has not finished: reads it has not answered, leadership it hands over; its clock."""

from collections.abc import Sequence
from itertools import groupby
from math import isfinite

from raftlab.raft.progress import ProgressState
from raftlab.raft.roles import Role
from raftlab.raft.vocabulary import Millis
from raftlab.sim.frames.frame import Frame, NodeFrame, ProgressFrame, ReadFrame, TransferFrame
from raftlab.view import style
from raftlab.view.cluster.ring import LABEL_ROOM, LABEL_SIZE
from raftlab.view.words import clean, ms, table

MOST_READS = 3
"""How many reads of a node may stand beside it."""

_SNAPSHOT = "snapshot on its way"


def write_text(node: NodeFrame) -> str:
    """How long its disk takes for a write, "200 ms"; "" if it is as set or the node is down."""
    return f"{node.write_ms:g} ms" if node.alive and node.write_ms is not None else ""


def clock_text(node: NodeFrame) -> str:
    """How fast its clock runs, "×1.5"; "" if it is true or the node is down."""
    return f"×{node.clock_rate:g}" if node.alive and node.clock_rate != 1 else ""


def is_wiped(node: NodeFrame) -> bool:
    """Whether a node that is down has nothing on its disk."""
    disk = node.disk
    return not (node.alive or disk.term or disk.voted_for or disk.log or disk.snapshot)


def is_troubled(node: NodeFrame) -> bool:
    """Whether it has more than an election and a log: a snapshot, a read, a slow disk …"""
    waits = bool(node.reads) or node.transfer is not None
    held = node.snapshot or node.disk.snapshot
    return waits or held is not None or bool(clock_text(node) or write_text(node))


# Beside a node, where every word counts


def read_words(node: NodeFrame) -> list[str]:
    """Its reads: "read x: waits", and below those that wait for the same thing, for what."""
    if not node.alive:
        return []
    shown = node.reads if len(node.reads) <= MOST_READS else node.reads[: MOST_READS - 1]
    more = len(node.reads) - len(shown)
    lines: list[str] = []
    for why, reads in groupby(shown, lambda read: _awaits(read, node)):
        lines += [line for read in reads for line in _read_lines(read.key)]
        lines.append(why)
    return [*lines, *([f"{more} more reads"] if more else [])]


def _read_lines(key: str) -> list[str]:
    """That a read waits: in one line, or in two if its key is long."""
    whole = f"read {clean(key)}: waits"
    if _fits(whole):
        return [whole]
    return [f"read {_name_beside(key, 'read :')}:", "waits"]


def _awaits(read: ReadFrame, node: NodeFrame) -> str:
    """What a read waits for: that its log is applied so far, or who says how far that is."""
    if read.index is not None:
        return _first_fitting(
            [f"{log} to {read.index}" for log in ("for its log", "for log", "log")]
        )
    return "for a majority" if node.role is Role.LEADER else "for its leader"


def _first_fitting(words: Sequence[str]) -> str:
    return next(filter(_fits, words), words[-1])


def _fits(words: str) -> bool:
    return style.text_width(words, LABEL_SIZE, bold=True) <= LABEL_ROOM - 4


def transfer_words(node: NodeFrame, at: Millis) -> list[str]:
    """To whom it hands over, whom it has told, and for how long it tries, a line each."""
    transfer = node.transfer
    if not node.alive or transfer is None:
        return []
    return ["hands over", *_successor(transfer), _time_left(transfer, at) or "no time limit"]


def _successor(transfer: TransferFrame) -> list[str]:
    """Whom it hands over to, on a line of its own: of a long name, the end is cut off."""
    to, sent = transfer.to, transfer.sent
    if to is None:
        return [f"told {_name_beside(sent, 'told ')}"] if sent else []
    told = ", told" if sent else ""
    return [f"to {_name_beside(to, f'to {told}')}{told}"]


def _name_beside(name: str, words: str) -> str:
    """A name or a key, cut so that the `words` around it keep their room, even in bold."""
    room = LABEL_ROOM - 4 - style.text_width(words, LABEL_SIZE, bold=True)
    return style.fit_text(clean(name), room, LABEL_SIZE, bold=True)


def _time_left(transfer: TransferFrame, at: Millis) -> str:
    """How long it goes on trying; "" for a leader that is removed, and waits for a successor."""
    if not isfinite(transfer.deadline):
        return ""
    return f"{max(transfer.deadline - at, 0.0):.0f} ms left"


def progress_words(known: ProgressFrame, asked: bool) -> str:
    """What a leader knows of a member besides its indexes; "" of an ordinary follower.

    `asked`: a read waits for members to answer a round, so it says which they have answered.
    """
    said = [_SNAPSHOT] if known.state is ProgressState.SNAPSHOT else []
    if known.is_learner:
        said.append(_learner_words(known))
    if asked:
        acked = f"answered read round {known.acked_round}"
        said.append(acked if known.acked_round else "no read round answered")
    return ", ".join(said)


def sending_words(known: ProgressFrame, asked: bool) -> list[str]:
    """The same below a row of the logs, from the longest to the shortest.

    A learner that needs a snapshot has not caught up.
    """
    words = progress_words(known, asked)
    if known.state is ProgressState.SNAPSHOT:
        return [words, _SNAPSHOT]
    return [words, _learner_words(known)] if known.is_learner else [words]


def _learner_words(known: ProgressFrame) -> str:
    return "caught up" if known.caught_up else "not caught up"


def reads_are_asked(frame: Frame) -> bool:
    """Whether the leader has a read for which it must make sure that it still leads."""
    leader = frame.leader
    return leader is not None and any(read.index is None for read in leader.reads)


# In full


def waiting_text(frame: Frame) -> list[str]:
    """The blocks of a description about reads and transfers; none if there is neither."""
    alive = [node for node in frame.nodes if node.alive]
    rows = [
        [clean(read.key), node.node, ms(read.since), _waits_for(read, node)]
        for node in alive
        for read in node.reads
    ]
    blocks = [table(["read of", "at", "since", "waits for"], rows, right=(2,))] if rows else []
    said = [_transfer_text(node, node.transfer, frame.at) for node in alive if node.transfer]
    return [*blocks, "\n".join(said)] if said else blocks


def _waits_for(read: ReadFrame, node: NodeFrame) -> str:
    if read.index is not None:
        return f"entry {read.index} to be applied (so far: {node.applied_index})"
    if node.role is Role.LEADER:
        return "proof that it still leads"
    return "the read index of its leader"


def _transfer_text(node: NodeFrame, transfer: TransferFrame, at: Millis) -> str:
    to = clean(transfer.to) if transfer.to else "any that has caught up"
    said = f"transfer: {node.node} hands over to {to}"
    if transfer.sent:
        said += f", {clean(transfer.sent)} is told to campaign"
    return f"{said}, {_time_left(transfer, at) or 'without a time limit'}"

"""The state machines side by side: how far each node has applied its log, and what came of it.

The same commands in the same order give the same values on every node: where two nodes have
applied equally much and hold different values, picture and text say so. Paper: 2, replicated
state machines; 5.3, lastApplied; Figure 3, State Machine Safety.
"""

from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from itertools import combinations

from raftlab.raft.vocabulary import NodeId, how_many
from raftlab.sim.frames.frame import Frame, NodeFrame
from raftlab.view import style
from raftlab.view.checked import checked
from raftlab.view.marks import Box, Ink, Mark, Text
from raftlab.view.members import standings
from raftlab.view.scene import Scene
from raftlab.view.shapes import cross, node_shape
from raftlab.view.words import clean, headline, names, role_text, table

MOST_KEYS = 8
"""How many keys are shown, the ones that came last."""

MOST_DIFFERENCES = 3
"""How many differences are told one by one."""

NO_VALUES = "No node holds a value yet."
DOWN = "down"

_LEFT, _TOP = 10.0, 34.0
_NAME_X, _APPLIED_X, _CELLS_X = 20.0, 68.0, 176.0
_HIGH, _PITCH = 22.0, 32.0
_NARROW, _GAP = 38.0, 4.0
_WIDE = (style.PAGE - _CELLS_X - _LEFT) / MOST_KEYS


@checked
def scene_state_machines(frame: Frame, previous: Frame | None = None) -> Scene:
    """Every node's last applied entry and its values; what is new since `previous` is ringed.

    Ids: "value-S1-x" a value, "applied-S1" how far a node is.
    """
    keys, before = keys_of(frame), _by_name(previous)
    cell, standing = _cell_width(frame, keys), standings(frame)
    marks: list[Mark] = list(_header(keys, cell))
    for row, node in enumerate(frame.nodes):
        y, middle = _TOP + _PITCH * row, _TOP + _PITCH * row + _HIGH / 2
        role = node.role if node.alive else None
        title = f"{node.node}: {role_text(node)}"
        shape = f"row-{node.node}"
        marks.append(
            node_shape(shape, _NAME_X, middle, 9.0, role, title=title, standing=standing[node.node])
        )
        if not node.alive:
            marks += cross(f"{shape}-down", _NAME_X, middle, 4.0, style.QUIET, 1.8)
        name = style.fit_text(clean(node.node), 32.0)
        marks.append(Text(f"{shape}-name", _NAME_X + 15, middle + 4, name, anchor="start"))
        marks += _row(node, before.get(node.node), keys, cell, y)
    y = _TOP + _PITCH * len(frame.nodes) + 10
    for line, words in enumerate(_remarks(frame, keys)):
        marks.append(Text(f"remark-{line}", _LEFT, y + 14 * line, words, anchor="start"))
    wide = [style.text_width(mark.text, mark.size) for mark in marks if isinstance(mark, Text)]
    width = max(_CELLS_X + cell * max(len(keys), 3) + _LEFT, 2 * _LEFT + max(wide))
    height = y + 14 * len(_remarks(frame, keys)) - 6
    text = partial(describe_state_machines, frame, previous)
    return Scene(width, height, tuple(marks), "Raft state machines", text)


@checked
def describe_state_machines(frame: Frame, previous: Frame | None = None) -> str:
    """How far each node has applied its log, and its values; "-" where it has none for a key.

    With `previous`, a last column says what a node has applied or changed since then.
    """
    keys, before = keys_of(frame), _by_name(previous)
    rows = []
    for node in frame.nodes:
        values = _values(node)
        told = [clean(str(values[key]), 12) if key in values else "-" for key in keys]
        row = [node.node, DOWN]
        if node.alive:
            row = [node.node, str(node.applied_index), str(node.commit_index), *told]
            row.append(_changed(node, before.get(node.node)))
        rows.append(row)
    header = ["node", "applied", "commit", *(clean(key, 12) for key in keys)]
    header += ["changed"] if any(row[len(header) :] > [""] for row in rows) else []
    text = table(header, [row[: len(header)] for row in rows], right=(1, 2))
    return "\n".join([headline(frame), "", text, *_remarks(frame, keys)])


# What is shown


def keys_of(frame: Frame) -> list[str]:
    """The keys to show: as they first appeared on the node that is farthest, then any others."""
    farthest_first = sorted(frame.nodes, key=lambda node: -node.applied_index)
    keys = dict.fromkeys(key for node in farthest_first for key in _values(node))
    return list(keys)[-MOST_KEYS:]


def differences(frame: Frame) -> list[tuple[NodeId, NodeId, str]]:
    """Two nodes that have applied equally much, and a key on whose value they do not agree."""
    alive = [node for node in frame.nodes if node.alive]
    found = []
    for one, other in combinations(alive, 2):
        mine, its = _values(one), _values(other)
        if one.applied_index == other.applied_index and mine != its:
            key = next(key for key in {**mine, **its} if mine.get(key) != its.get(key))
            found.append((one.node, other.node, key))
    return found


def _values(node: NodeFrame) -> Mapping[str, str]:
    return node.values if node.alive else {}


def _by_name(frame: Frame | None) -> dict[NodeId, NodeFrame]:
    return {node.node: node for node in frame.nodes} if frame else {}


def _changed(node: NodeFrame, before: NodeFrame | None) -> str:
    if before is None or not (node.alive and before.alive):
        return ""
    words = ["applied"] if node.applied_index != before.applied_index else []
    return ", ".join([*words, *(clean(key, 12) for key in _new_keys(node, before))])


def _new_keys(node: NodeFrame, before: NodeFrame | None) -> list[str]:
    """The keys whose value is another one than it was, or is gone."""
    if before is None or not before.alive:
        return []
    mine, its = _values(node), _values(before)
    return [key for key in {**its, **mine} if mine.get(key) != its.get(key)]


def _remarks(frame: Frame, keys: Sequence[str]) -> list[str]:
    if not keys:
        return [NO_VALUES]
    hidden = len({key for node in frame.nodes for key in _values(node)}) - len(keys)
    lines = [f"{how_many(hidden, 'more key')} not shown."] if hidden else []
    behind = [
        node.node for node in frame.nodes if node.alive and node.applied_index < node.commit_index
    ]
    if behind:
        have = "has" if len(behind) == 1 else "have"
        lines.append(f"{names(behind)} {have} not applied all that is known to be committed.")
    found = differences(frame)
    for one, other, key in found[:MOST_DIFFERENCES]:
        lines.append(f"{one} and {other} have applied equally much, and differ in {clean(key)}.")
    if len(found) > MOST_DIFFERENCES:
        lines.append(f"So do {len(found) - MOST_DIFFERENCES} more pairs.")
    return lines


# As marks


def _cell_width(frame: Frame, keys: Sequence[str]) -> float:
    words = [clean(str(each), 12) for node in frame.nodes for each in _values(node).values()]
    widest = max((style.text_width(each, bold=True) for each in [*words, *keys]), default=0.0)
    return min(max(round(widest) + 12.0, _NARROW), _WIDE)


def _header(keys: Sequence[str], cell: float) -> Iterator[Mark]:
    y = _TOP - 10
    yield Text("head-applied", _APPLIED_X, y, "last applied", color=style.QUIET, anchor="start")
    for column, key in enumerate(keys):
        x = _CELLS_X + cell * column + (cell - _GAP) / 2
        words = style.fit_text(clean(key), cell - _GAP)
        yield Text(f"key-{key}", x, y, words, color=style.QUIET, role="key")


def _row(
    node: NodeFrame, before: NodeFrame | None, keys: Sequence[str], cell: float, y: float
) -> Iterator[Mark]:
    base, name = y + _HIGH / 2 + 4, f"applied-{node.node}"
    if not node.alive:
        yield Text(name, _APPLIED_X, base, "lost", color=style.QUIET, anchor="start")
        return
    words = str(node.applied_index)
    if node.applied_index != node.commit_index:
        words += f" of commit {node.commit_index}"
    moved = before is not None and before.applied_index != node.applied_index
    words = style.fit_text(words, _CELLS_X - _APPLIED_X - 6, bold=moved)
    yield Text(name, _APPLIED_X, base, words, anchor="start", bold=moved, role="applied")
    new, values = _new_keys(node, before), _values(node)
    for column, key in enumerate(keys):
        yield from _cell(node, key, values.get(key), key in new, cell, column, y)


def _cell(
    node: NodeFrame, key: str, value: str | None, new: bool, cell: float, column: int, y: float
) -> Iterator[Mark]:
    x, wide, name = _CELLS_X + cell * column, cell - _GAP, f"value-{node.node}-{key}"
    if new:
        ring = Ink(None, style.INK, style.CHANGED_WIDTH)
        yield Box(f"changed-{node.node}-{key}", x - 3, y - 3, wide + 6, _HIGH + 6, ring, 4.0)
    if value is None:
        yield Text(name, x + wide / 2, y + _HIGH / 2 + 4, "–", color=style.QUIET, role="value")
        return
    title = f"{node.node}: {clean(key)} = {clean(str(value), 200)}"
    ink = Ink(style.PAPER, style.INK, style.UNCOMMITTED_WIDTH)
    yield Box(f"box-{node.node}-{key}", x, y, wide, _HIGH, ink, 0.0, "value-box", {}, title)
    words = style.fit_text(clean(str(value), 12), wide - 6, bold=new)
    yield Text(name, x + wide / 2, y + _HIGH / 2 + 4, words, bold=new, role="value")

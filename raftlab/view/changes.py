"""What changed from one frame to the next, as far as pictures mark it."""

from collections.abc import Mapping
from typing import Any

from msgspec.structs import replace

from raftlab.raft.vocabulary import NodeId
from raftlab.sim.frames.frame import DiskFrame, Frame, NodeFrame

_FIELDS = (
    "role",
    "term",
    "voted_for",
    "votes",
    "log",
    "commit_index",
    "snapshot",
    "configuration",
    "reads",
    "transfer",
    "clock_rate",
    "write_ms",
)


def changed_fields(frame: Frame, previous: Frame | None) -> Mapping[NodeId, frozenset[str]]:
    """For each node, what is not as it was: field names of `NodeFrame`.

    "alive" comes with "role"; timers, what a leader knows, and what follows from the rest
    do not count. A node that was not there before has no changes.
    """
    if previous is None:
        return {node.node: frozenset() for node in frame.nodes}
    before = {node.node: node for node in previous.nodes}
    return {node.node: _changes(node, before.get(node.node)) for node in frame.nodes}


def _changes(node: NodeFrame, before: NodeFrame | None) -> frozenset[str]:
    if before is None or before is node:
        return frozenset()
    found = set()
    if (node.alive, node.paused) != (before.alive, before.paused):
        found |= {"role", "alive"}
    if node.alive and before.alive:
        found |= {name for name in _FIELDS if not same(getattr(node, name), getattr(before, name))}
    if not _same_disk(node.disk, before.disk):
        found.add("disk")
    return frozenset(found)


def same(one: Any, other: Any) -> bool:
    """Whether two values are equal; two logs are walked through only if they end alike."""
    if one is other:
        return True
    if isinstance(one, tuple) and (len(one) != len(other) or one[-1:] != other[-1:]):
        return False
    return bool(one == other)


def _same_disk(one: DiskFrame, other: DiskFrame) -> bool:
    return same(one.log, other.log) and replace(one, log=()) == replace(other, log=())


def changed_words(changes: frozenset[str]) -> str:
    """The changes as a reader would list them: "role, term, vote"."""
    if not changes:
        return ""
    words = {
        "voted_for": "vote",
        "commit_index": "commit",
        "clock_rate": "clock",
        "write_ms": "disk write",
    }
    return ", ".join(words.get(name, name) for name in (*_FIELDS, "disk") if name in changes)

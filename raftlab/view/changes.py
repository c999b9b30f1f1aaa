"""What changed from one frame to the next, as far as pictures mark it."""

from collections.abc import Mapping

from raftlab.raft.vocabulary import NodeId
from raftlab.sim.frames.frame import Frame, NodeFrame

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
        found |= {name for name in _FIELDS if getattr(node, name) != getattr(before, name)}
    if node.disk != before.disk:
        found.add("disk")
    return frozenset(found)


def changed_words(changes: frozenset[str]) -> str:
    """The changes as a reader would list them: "role, term, vote"."""
    words = {
        "voted_for": "vote",
        "commit_index": "commit",
        "clock_rate": "clock",
        "write_ms": "disk write",
    }
    return ", ".join(words.get(name, name) for name in (*_FIELDS, "disk") if name in changes)

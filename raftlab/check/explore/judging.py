"""What a search knows of a node's state and of the past, and what must hold of them.

Paper: Figure 3. Thesis: 6.4 for reads.
"""

from typing import NamedTuple

from raftlab.raft.log import LogEntry
from raftlab.raft.vocabulary import Index, Millis, NodeId, Term
from raftlab.sim.host import Host, Reading
from raftlab.sim.invariants import LEADER_APPEND_ONLY, READS_ARE_CURRENT


class Local(NamedTuple):
    """One state of one node. `leads` is the term that it leads, or 0; `entries` its log."""

    host: Host
    now: Millis
    leads: Term
    term: Term
    last_index: Index
    entries: tuple[LogEntry, ...]
    first: Index


class Past(NamedTuple):
    """What a run has shown: term -> leader, and index -> entry with the term of its commit."""

    leaders: tuple[tuple[Term, NodeId], ...]
    committed: tuple[tuple[LogEntry, Term], ...]


def rewritten(before: Local, after: Local) -> tuple[str, str] | None:
    """Whether a leader changed what stood in its log. Paper: Figure 3, Leader Append-Only."""
    if not before.leads or before.leads != after.leads or before.entries is after.entries:
        return None
    kept = [each for each in before.entries if each.index >= after.first]
    if after.entries[: len(kept)] == tuple(kept):
        return None
    node = before.host.node
    return (LEADER_APPEND_ONLY.name, f"{node} changed its log while it led term {after.leads}")


def stale(answered: list[Reading]) -> tuple[str, str] | None:
    """Whether a read showed less than was committed when it was asked. Thesis: 6.4."""
    for each in answered:
        if each.index is not None and each.index < each.floor:
            text = (
                f"{each.node} answered a read of {each.key} from entries 1 to {each.index}, and"
                f" {each.floor} were committed when it was asked"
            )
            return (READS_ARE_CURRENT.name, text)
    return None


def holds(local: Local, entry: LogEntry) -> bool:
    """Whether a log holds an entry, or a snapshot that stands for it."""
    place = entry.index - local.first
    if place < 0:
        return True
    return place < len(local.entries) and local.entries[place] == entry


def match(one: Local, other: Local) -> bool:
    """Whether two logs agree before every entry whose term they share. Paper: Figure 3."""
    first = max(one.first, other.first)
    mine = one.entries[first - one.first :]
    theirs = other.entries[first - other.first :]
    agreed = True
    for a, b in zip(mine, theirs, strict=False):
        if a.term == b.term and not (agreed and a == b):
            return False
        agreed = agreed and a == b
    return True

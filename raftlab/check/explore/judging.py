"""What a search knows of a node's state and of the past, and what must hold of them.

Paper: Figure 3. Thesis: 6.4 for reads.
"""

from collections.abc import Mapping
from typing import Any, NamedTuple

from raftlab.raft.log import LogEntry, RaftLog
from raftlab.raft.quorum import majority
from raftlab.raft.roles import Role
from raftlab.raft.vocabulary import Index, Millis, Misuse, NodeId, Term
from raftlab.sim.cluster import Cluster
from raftlab.sim.host import Host, Reading
from raftlab.sim.invariants import (
    APPLIED_IN_ORDER,
    COMMIT_FOLLOWS_QUORUM,
    FIGURE_3,
    LEADER_APPEND_ONLY,
    READS_ARE_CURRENT,
    configuration_of,
)

JUDGED = (*FIGURE_3, COMMIT_FOLLOWS_QUORUM, APPLIED_IN_ORDER, READS_ARE_CURRENT)
"""The properties that a search looks for in every state."""


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


def local_of(host: Host, now: Millis) -> Local:
    """What the search needs to know of a node's state."""
    machine: Any = host.machine
    if not host.alive:
        return Local(host, now, 0, host.disk.known_term, host.disk.last_index, (), 1)
    log = machine.log
    entries, first = entries_of(log)
    leads = machine.term if machine.role is Role.LEADER else 0
    return Local(host, now, leads, machine.term, log.last_index, entries, first)


def entries_of(log: Any) -> tuple[tuple[LogEntry, ...], Index]:
    """The entries of a log, and the index of the first."""
    entries = tuple(log)
    first = log.first_index if isinstance(log, RaftLog) else entries[0].index if entries else 1
    return entries, first


def past_of(cluster: Cluster) -> Past:
    """What a run has shown until now.

    Raises: Misuse, if nobody has watched what was committed.
    """
    history = cluster.history
    if history is not None:
        committed = tuple((each.entry, each.term) for each in history.committed)
        return Past(tuple(sorted(history.leaders.items())), committed)
    living = [host for host in cluster.hosts.values() if host.alive]
    if any(host.machine.commit_index for host in living):
        raise Misuse("nobody has watched what this run committed: begin it with watched=True")
    leaders = [host for host in living if host.machine.role is Role.LEADER]
    return Past(tuple(sorted((each.machine.term, each.node) for each in leaders)), ())


def rewritten(before: Local, after: Local) -> tuple[str, str] | None:
    """Whether a leader changed what stood in its log. Paper: Figure 3, Leader Append-Only."""
    if not before.leads or before.leads != after.leads or before.entries is after.entries:
        return None
    kept = [each for each in before.entries if each.index >= after.first]
    if after.entries[: len(kept)] == tuple(kept):
        return None
    node = before.host.node
    return (LEADER_APPEND_ONLY.name, f"{node} changed its log while it led term {after.leads}")


def out_of_order(
    before: Local, after: Local, committed: tuple[LogEntry, ...], restarts: bool
) -> tuple[str, str] | None:
    """Whether entries were applied twice, or left out. Paper: 5.3, Figure 3."""
    if not committed or restarts:
        return None
    last = committed[-1].index
    indexes = [each.index for each in committed]
    due = before.host.applied_index + 1
    has_begun_anew = after.first > due  # from a snapshot
    if indexes == list(range(due, last + 1)) or (has_begun_anew and indexes[0] >= after.first):
        return None
    text = f"{before.host.node} applied entry {indexes[0]} where {due} was due"
    return (APPLIED_IN_ORDER.name, text)


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


def not_on_a_majority(
    entry: LogEntry, leader: Local, everyone: Mapping[NodeId, Local]
) -> str | None:
    """What is wrong if a leader committed what too few disks hold. Paper: 5.3; 6 while joint."""
    for voters in configuration_of(leader.host).voter_sets:
        there = [everyone[each].host.disk for each in voters if each in everyone]
        holders = sum(disk.holds(entry.index, entry.term) for disk in there)
        if holders < majority(len(voters)):
            return (
                f"{leader.host.node} committed entry {entry.index} of term {entry.term}, which"
                f" {holders} of {len(voters)} voters hold"
            )
    return None

"""How a search judges a step: by the watch of every cluster, and with a past that is a value.

The watch (`raftlab.sim.watch.watcher`) looks at a node that moves and at what was seen before.
Here the node moves alone; so what a property must know of other nodes is asked in the state
itself (`states.py`), by the same functions.

A past keeps what can make a difference, so that states are not told apart by more: the term
that a node has told is on its disk, and so is its vote, and what anybody holds need not be
remembered.
"""

from collections.abc import Iterable
from typing import Any, NamedTuple

from raftlab.raft.log import LogEntry, RaftLog, Snapshot
from raftlab.raft.messages import Message, RequestVoteReply
from raftlab.raft.roles import Role
from raftlab.raft.vocabulary import Configuration, Index, Millis, Misuse, NodeId, Term
from raftlab.sim.cluster import Cluster
from raftlab.sim.watch.properties import (
    COMMIT_FOLLOWS_QUORUM,
    LATER_LEADERS,
    LOG_MATCHING,
    MATCH_IS_TRUE,
    PROPERTIES,
    Broken,
    Committed,
    History,
    Property,
    configuration_of,
    newest_held,
    newest_in,
)
from raftlab.sim.watch.watcher import Checks, Watcher
from raftlab.sim.world.host import Host, Seen

JUDGED = PROPERTIES
"""The properties that a search looks for after every event: all that a cluster watches."""

OF_OTHERS = (LOG_MATCHING, COMMIT_FOLLOWS_QUORUM, LATER_LEADERS, MATCH_IS_TRUE)
"""Those that must know of other nodes than the one that moves."""


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
    """What a run has shown, as far as it can still make a difference.

    `leaders`: term -> leader. `committed`: index -> entry, and the term of its commit. `votes`
    and `claims` are what nodes have said: for whom in a term, and which term, where their disks
    do not say so (what a disk says counts as said). `snapshots`: index -> the first that ended
    there, as the watch keeps it. `lost`: entries that no log holds any more and that were not
    committed, with the term before each.
    """

    leaders: tuple[tuple[Term, NodeId], ...]
    committed: tuple[tuple[LogEntry, Term], ...]
    votes: tuple[tuple[NodeId, tuple[Term, NodeId]], ...] = ()
    claims: tuple[tuple[NodeId, Term], ...] = ()
    snapshots: tuple[tuple[Index, Snapshot], ...] = ()
    lost: tuple[tuple[LogEntry, Term], ...] = ()

    @property
    def is_odd(self) -> bool:
        """Whether a node has said what its disk does not know: then every step is about that."""
        return bool(self.votes or self.claims)


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


def seen_of(host: Host) -> Seen:
    """What the watch has seen of a living node, once it has looked at it as it is now."""
    machine, log, seen = host.machine, host.machine.log, Seen()
    seen.term, seen.leads = machine.term, machine.role is Role.LEADER
    seen.voted_for = machine.voted_for
    seen.commit_index = machine.commit_index
    seen.first_index, seen.entries, seen.last_entry = log.first_index, list(log), log.last_entry
    seen.newest = newest_in(seen.entries)
    seen.configuration, seen.configuration_index = configuration_of(host), newest_held(host)[0]
    return seen


# The watch of a search


class Memory(History):
    """The history of a run that has shown a given past. `is_asked`: whether that mattered."""

    __slots__ = ("is_asked",)

    def __init__(self, past: Past, hosts: dict[NodeId, Host]) -> None:
        self.is_asked = False
        super().__init__(hosts)
        self.leaders = dict(past.leaders)
        self.latest_term = max(self.leaders, default=0)
        self.committed = [
            Committed(entry, self.leaders.get(term, "somebody"), term)
            for entry, term in past.committed
        ]
        self.configurations = [
            (entry.index, entry.payload)
            for entry, _ in past.committed
            if isinstance(entry.payload, Configuration)
        ]
        self.votes = {(node, term): candidate for node, (term, candidate) in past.votes}
        self.claims = dict(past.claims)
        self.snapshots = dict(past.snapshots)
        self.is_asked = False

    def __getattribute__(self, name: str) -> Any:
        if name in DEPENDS_ON_THE_PAST:
            self.is_asked = True
        return super().__getattribute__(name)


DEPENDS_ON_THE_PAST = frozenset(History.__slots__) - {"hosts", "claims", "votes", "created"}
"""What makes the verdict on a step depend on the past; in one that is odd, every step does."""


class OldVoteError(Exception):
    """A node votes in a term that it has left: what it voted then must be remembered."""


class Judge(Watcher):
    """The watch over a node alone; `left` is what it leaves to who knows the others."""

    __slots__ = ("left", "remembers")

    history: Memory

    lets_pass = False  # a search goes by which properties were asked, and of what

    def __init__(self, past: Past, remembers: bool) -> None:
        self.history = Memory(past, {})
        self.broken = None
        self.left: set[Property] = set()
        self.remembers = remembers

    def says(self, host: Host, messages: tuple[Message, ...]) -> None:
        """`host` sends messages. Raises: OldVoteError."""
        for each in messages:
            votes = type(each) is RequestVoteReply and each.vote_granted
            if votes and each.term < host.disk.term and not self.remembers:
                raise OldVoteError
        super().says(host, messages)

    def _check(self, checks: Checks, host: Host) -> None:
        super()._check(self._mine(checks), host)

    def _check_about(self, checks: Checks, host: Host, what: object) -> None:
        super()._check_about(self._mine(checks), host, what)

    def _mine(self, checks: Checks) -> Checks:
        self.left.update(its for _, its in checks if its in OF_OTHERS)
        return tuple(each for each in checks if each[1] not in OF_OTHERS)


def name_and_text(fallen: tuple[Property, Broken] | None) -> tuple[str, str] | None:
    """The name of a property that fell, and what happened."""
    return None if fallen is None else (fallen[0].name, fallen[1].text)


# Pasts


def past_of(cluster: Cluster, remembers: bool) -> Past:
    """What a run has shown until now.

    Raises: Misuse, if nobody has watched what was committed.
    """
    history, hosts = cluster.history, cluster.hosts.values()
    living = [host for host in hosts if host.alive]
    if history is None:
        if any(host.machine.commit_index for host in living):
            raise Misuse("nobody has watched what this run committed: begin it with watched=True")
        leaders = [host for host in living if host.machine.role is Role.LEADER]
        return Past(tuple(sorted((each.machine.term, each.node) for each in leaders)), ())
    past = after(history, Past((), ()), hosts, remembers)
    held = {entry for host in living for entry in host.machine.log}
    lost = tuple(made for made in history.created.values() if made[0] not in held)
    return past._replace(lost=without_committed(lost, past))


def after(history: History, past: Past, moved: Iterable[Host], remembers: bool) -> Past:
    """The past once these nodes have moved, and all of it is in `history`.

    `remembers`: also votes in terms that their nodes have left.
    """
    disks = {host.node: host.disk for host in moved}
    votes, claims = [], []
    for (node, term), candidate in history.votes.items():
        disk = disks.get(node)
        is_on_disk = disk is not None and (term, candidate) == (disk.term, disk.voted_for)
        is_over = disk is not None and term < disk.term and not remembers
        if not (is_on_disk or is_over):
            votes.append((node, (term, candidate)))
    for node, term in history.claims.items():
        if node not in disks or term > disks[node].term:
            claims.append((node, term))
    return Past(
        tuple(sorted(history.leaders.items())),
        tuple([(each.entry, each.term) for each in history.committed]),
        tuple(sorted(votes)),
        tuple(sorted(claims)),
        tuple(sorted(history.snapshots.items(), key=lambda each: each[0])),
        past.lost,
    )


def without_committed(lost: Iterable[tuple[LogEntry, Term]], past: Past) -> tuple[Any, ...]:
    """Of lost entries those that are not remembered as committed, in order."""
    committed = {entry for entry, _ in past.committed}
    mine = {(each.index, each.term): (each, before) for each, before in lost}
    return tuple(mine[place] for place in sorted(mine) if mine[place][0] not in committed)


# Logs


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


def with_terms_before(local: Local) -> dict[LogEntry, Term | None]:
    """The entries of a log, each with the term of the one before; None where that is hidden."""
    before: Term | None = 0 if local.first == 1 else None
    known: dict[LogEntry, Term | None] = {}
    for entry in local.entries:
        known[entry] = before
        before = entry.term
    return known


def contradicts(local: Local, new: Iterable[LogEntry], past: Past) -> str | None:
    """What is wrong if entries are not what stood, or was committed, at their place and term."""
    known = {(entry.index, entry.term): (entry, before) for entry, before in past.lost}
    before = 0
    for entry, _ in past.committed:
        known[entry.index, entry.term] = (entry, before)
        before = entry.term
    mine = with_terms_before(local)
    for entry in new:
        once, term = known.get((entry.index, entry.term), (entry, mine[entry]))
        if once != entry or (mine[entry] is not None and term != mine[entry]):
            what = f"entry {entry.index} of term {entry.term}"
            return f"{local.host.node} holds another {what} than there was before"
    return None

"""What must hold at every moment of every run, checked after every step.

The paper's Figure 3 gives five properties; the others are the book-keeping on which
their proofs stand. Each is one named function, which looks at the one node that just
moved (`host`) and at what was seen before (`history`), and returns a sentence if the
property no longer holds. History variables live here and never in the servers: no
server could know them (Ongaro's raft.tla keeps them apart in the same way).
"""

from collections.abc import Callable, Sequence
from typing import TypeAlias

import msgspec
from msgspec.structs import replace

from raftlab.raft.log import LogEntry, RaftLog, Snapshot
from raftlab.raft.messages import (
    Accepted,
    AppendEntriesReply,
    InstallSnapshotReply,
    Message,
    RequestVote,
    RequestVoteReply,
)
from raftlab.raft.quorum import majority
from raftlab.raft.roles import Leader, Role
from raftlab.raft.rules import Rules
from raftlab.raft.vocabulary import Configuration, Index, NodeId, Term
from raftlab.sim.world.host import Host, Reading


class Broken(msgspec.Struct, frozen=True):
    """How a property was found broken: a sentence, the nodes, and the log index if any."""

    text: str
    nodes: tuple[NodeId, ...]
    index: Index | None = None


class Committed(msgspec.Struct, frozen=True, gc=False):
    """An entry that some node called committed, that node, and its term at that moment."""

    entry: LogEntry
    node: NodeId
    term: Term


class History:
    """What a run has shown so far.

    `leaders`: term -> its leader; `latest_term` is the highest of these terms.
    `created`: (index, term) -> the entry and the term of the entry before it. `committed`
    starts at index 1. `claims`: node -> the highest term it has told anybody.
    `votes`: (node, term) -> the candidate for whom it has told somebody that it votes.
    `snapshots`: index -> the first snapshot that ended there, with a digest in place of its
    data: all that is compared, and short. `configurations`: those that were committed, each
    with its index.
    """

    __slots__ = (
        "claims",
        "committed",
        "configurations",
        "created",
        "hosts",
        "latest_term",
        "leaders",
        "snapshots",
        "votes",
    )

    def __init__(self, hosts: dict[NodeId, Host]) -> None:
        self.hosts = hosts
        self.leaders: dict[Term, NodeId] = {}
        self.latest_term: Term = 0
        self.created: dict[tuple[Index, Term], tuple[LogEntry, Term]] = {}
        self.committed: list[Committed] = []
        self.claims: dict[NodeId, Term] = {}
        self.votes: dict[tuple[NodeId, Term], NodeId] = {}
        self.snapshots: dict[Index, Snapshot] = {}
        self.configurations: list[tuple[Index, Configuration]] = []

    def parts(self) -> tuple[object, ...]:
        """The containers that only grow with the run."""
        return (
            *(self.leaders, self.created, self.committed),
            *(self.votes, self.snapshots, self.configurations),
        )


VOTING = (RequestVote, RequestVoteReply)


# What a log holds: its entries and its snapshot say so, not its answers, which may be wrong


def entry_at(log: RaftLog, index: Index) -> LogEntry | None:
    """The entry at `index`, or None."""
    last = log.last_entry
    if last is not None and last.index == index:
        return last
    held = log.entries(index, index + 1)
    return held[0] if held else None


def term_at(log: RaftLog, index: Index) -> Term | None:
    """The term of what stands at `index`: 0 before entry 1, None where nothing is known of it."""
    entry = entry_at(log, index)
    if entry is not None:
        return entry.term
    snapshot = log.snapshot
    if snapshot is not None and snapshot.index == index:
        return snapshot.term
    return None if index else 0


def newest_in(entries: Sequence[LogEntry]) -> LogEntry | None:
    """The last of these entries that holds a configuration, or None."""
    for entry in reversed(entries):
        if type(entry.payload) is Configuration:
            return entry
    return None


def newest_held(host: Host) -> tuple[Index, Configuration]:
    """The newest configuration in a node's log, and its index; 0: that it began with."""
    snapshot, newest = host.machine.log.snapshot, host.seen.newest
    if snapshot is not None and (newest is None or newest.index <= snapshot.index):
        return snapshot.index, snapshot.configuration
    if newest is not None and type(newest.payload) is Configuration:
        return newest.index, newest.payload
    return 0, host.configuration


def has_committed(log: RaftLog, entry: LogEntry) -> bool:
    """Whether a log holds a committed entry, or a snapshot that stands for it."""
    snapshot = log.snapshot
    if snapshot is not None and entry.index < snapshot.index:
        return True
    return term_at(log, entry.index) == entry.term


Check: TypeAlias = Callable[[History, Host], Broken | None]


# Figure 3


def election_safety(history: History, host: Host) -> Broken | None:
    """At most one leader can be elected in a given term."""
    machine = host.machine
    if machine.role is not Role.LEADER:
        return None
    other = history.leaders.setdefault(machine.term, host.node)
    history.latest_term = max(history.latest_term, machine.term)
    if other == host.node:
        return None
    text = f"{other} and {host.node} both lead term {machine.term}"
    return Broken(text, (other, host.node))


def leader_append_only(history: History, host: Host) -> Broken | None:
    """A leader never overwrites or deletes entries in its log; it only appends."""
    machine, seen = host.machine, host.seen
    if not (seen.leads and machine.role is Role.LEADER and machine.term == seen.term):
        return None
    if seen.kept == len(seen.entries):
        return None
    index = seen.entries[seen.kept].index
    return Broken(
        f"{host.node} leads term {machine.term} and changed its own entry {index}",
        (host.node,),
        index,
    )


def log_matching(history: History, host: Host) -> Broken | None:
    """If two logs have an entry with the same index and term, they agree up to there."""
    before = host.seen.term_before_new
    for entry in host.seen.new:
        key = (entry.index, entry.term)
        if before is None:  # what was before it is in a snapshot
            before = history.created.get(key, (entry, entry.term))[1]
        known, known_before = history.created.setdefault(key, (entry, before))
        if (known is not entry and known != entry) or known_before != before:
            return _unequal(history, host, entry, known)
        before = entry.term
    return None


def _unequal(history: History, host: Host, entry: LogEntry, known: LogEntry) -> Broken:
    index = entry.index
    others = tuple(
        each.node
        for each in history.hosts.values()
        if each is not host and known in each.machine.log.entries(index, index + 1)
    )
    text = f"entry {index} of term {entry.term} is not the same everywhere"
    if known == entry:
        text = f"what lies before entry {index} of term {entry.term} is not the same"
    return Broken(text, (host.node, *others), index)


def leader_completeness(history: History, host: Host) -> Broken | None:
    """A committed entry is in the log of every leader of a later term."""
    machine = host.machine
    if machine.role is not Role.LEADER or not history.committed:
        return None
    for index in range(len(history.committed), 0, -1):
        committed = history.committed[index - 1]
        if committed.term >= machine.term:
            continue
        if has_committed(machine.log, committed.entry):
            return None
        text = (
            f"{host.node} leads term {machine.term} without entry {index} of term"
            f" {committed.entry.term}, which {committed.node} committed in term {committed.term}"
        )
        return Broken(text, (host.node, committed.node), index)
    return None


def later_leaders_complete(history: History, host: Host) -> Broken | None:
    """A committed entry is in the log of every leader of a later term, even one elected before."""
    if history.latest_term <= host.machine.term:
        return None
    for other in history.hosts.values():
        later = other.alive and other.machine.term > host.machine.term
        if later and other.machine.role is Role.LEADER:
            broken = leader_completeness(history, other)
            if broken is not None:
                return broken
    return None


def state_machine_safety(history: History, host: Host) -> Broken | None:
    """No two nodes ever take different entries for committed at the same index."""
    machine, committed = host.machine, history.committed
    if machine.commit_index > machine.log.last_index:
        text = f"{host.node} committed up to {machine.commit_index}"
        text = f"{text} but its log ends at {machine.log.last_index}"
        return Broken(text, (host.node,), machine.commit_index)
    for entry in machine.log.entries(host.seen.commit_index + 1, machine.commit_index + 1):
        if entry.index > len(committed):
            committed.append(Committed(entry, host.node, machine.term))
            if type(entry.payload) is Configuration:
                history.configurations.append((entry.index, entry.payload))
            continue
        known = committed[entry.index - 1]
        if known.entry is not entry and known.entry != entry:
            text = f"{known.node} committed entry {entry.index} of term {known.entry.term}"
            text = f"{text}, and {host.node} another one of term {entry.term}"
            return Broken(text, (known.node, host.node), entry.index)
    return None


# Book-keeping


def commit_follows_quorum(history: History, host: Host) -> Broken | None:
    """What a leader commits is on the disks of a majority of each voter set."""
    machine, seen = host.machine, host.seen
    if not led(host) or machine.commit_index <= seen.commit_index:
        return None
    now, before = configuration_of(host), seen.configuration
    broken = _not_on_a_majority(history, host, now, machine.commit_index)
    if broken is not None or before is None or seen.configuration_index <= seen.commit_index:
        return broken  # what was committed before was looked at then, and may be compacted by now
    if before.is_joint and not now.is_joint:
        return _not_on_a_majority(history, host, before, seen.configuration_index)
    return None


def led(host: Host) -> bool:
    """Whether a node leads, or did so in this term until this very step."""
    machine, seen = host.machine, host.seen
    return machine.role is Role.LEADER or (seen.leads and machine.term == seen.term)


def configuration_of(host: Host) -> Configuration:
    """The configuration that a node uses; for a machine that has none, the first one."""
    return getattr(host.machine, "configuration", host.configuration)


def _not_on_a_majority(
    history: History, host: Host, configuration: Configuration, index: Index
) -> Broken | None:
    term = term_at(host.machine.log, index)
    hosts = history.hosts
    for voters in configuration.voter_sets:
        holders: list[NodeId] = []
        needed = majority(len(voters))
        for voter in voters:
            if term is not None and voter in hosts and hosts[voter].disk.holds(index, term):
                holders.append(voter)
                if len(holders) == needed:
                    break
        else:
            text = (
                f"{host.node} committed entry {index} of term {term}, which is on"
                f" {len(holders)} of {len(voters)} disks"
            )
            return Broken(text, (host.node, *holders), index)
    return None


def commit_follows_leader(history: History, host: Host) -> Broken | None:
    """A follower takes for committed only what a leader has committed before."""
    machine = host.machine
    if led(host) or machine.commit_index <= len(history.committed):
        return None
    text = f"{host.node} committed entry {machine.commit_index}, which no leader has committed"
    return Broken(text, (host.node,), machine.commit_index)


def committed_stays(history: History, host: Host) -> Broken | None:
    """A commit index never goes back, and a committed entry never leaves a log."""
    machine, seen = host.machine, host.seen
    if machine.commit_index < seen.commit_index:
        steps = f"from {seen.commit_index} to {machine.commit_index}"
        text = f"{host.node} took its commit index back {steps}"
        return Broken(text, (host.node,), machine.commit_index)
    log, kept = machine.log, machine.log.last_index
    if log.last_entry is not seen.last_entry:
        kept = log.first_index + seen.kept - 1
    if kept < seen.commit_index:
        text = f"{host.node} lost entry {kept + 1}, which it had committed"
        return Broken(text, (host.node,), kept + 1)
    return None


def terms_rise(history: History, host: Host) -> Broken | None:
    """A node's term never falls, not even below what it said before a crash."""
    machine = host.machine
    least = max(host.seen.term, history.claims.get(host.node, 0))
    if machine.term >= least:
        return None
    return Broken(f"{host.node} went back from term {least} to {machine.term}", (host.node,))


def log_terms_rise(history: History, host: Host) -> Broken | None:
    """Along a log indexes have no hole and terms never fall, and none is above the node's."""
    seen, log = host.seen, host.machine.log
    before = seen.term_before_new or 0
    for index, entry in enumerate(seen.new, start=log.first_index + seen.kept):
        if entry.index != index or entry.term < before:
            text = f"{host.node} holds an entry ({entry.index}, term {entry.term}) at {index}"
            return Broken(f"{text}, after one of term {before}", (host.node,), index)
        before = entry.term
    if before > host.machine.term:
        text = f"{host.node} holds an entry of term {before} in term {host.machine.term}"
        return Broken(text, (host.node,), log.last_index)
    return None


def one_change_at_a_time(history: History, host: Host) -> Broken | None:
    """No log ever holds two configurations that are not committed."""
    log, committed, newest = host.machine.log, host.machine.commit_index, host.seen.newest
    if newest is None or newest.index <= committed:
        return None
    committed = max(len(history.committed), committed)
    pending = [
        entry.index
        for entry in log.entries(committed + 1, log.last_index + 1)
        if isinstance(entry.payload, Configuration)
    ]
    if len(pending) < 2:
        return None
    text = f"{host.node} holds uncommitted configurations at {pending[0]} and {pending[1]}"
    return Broken(text, (host.node,), pending[1])


def newest_configuration(history: History, host: Host) -> Broken | None:
    """A server uses the newest configuration in its log, committed or not."""
    if overrides_configuration(host.rules) or not hasattr(host.machine, "configuration"):
        return None
    index, newest = newest_held(host)
    if configuration_of(host) == newest:
        return None
    where = f"at {index}, the newest in its log" if index else "that it began with"
    return Broken(f"{host.node} does not use the configuration {where}", (host.node,), index)


def overrides_configuration(rules: Rules) -> bool:
    """Whether rules say themselves which configuration is in force."""
    return type(rules).configuration_in_force is not Rules.configuration_in_force


def match_is_true(history: History, host: Host, reply: Message) -> Broken | None:
    """A leader believes of a follower only what is on its disk, and match stays below next."""
    data = getattr(host.machine, "role_data", None)
    progress = data.tracker.progress.get(reply.sender) if isinstance(data, Leader) else None
    if progress is None:
        return None
    log, index = host.machine.log, progress.match_index
    nodes = (host.node, progress.node)
    if not index < progress.next_index <= log.last_index + 1:
        text = (
            f"{host.node} has match index {index} and next index {progress.next_index} for"
            f" {progress.node}, and its log ends at {log.last_index}"
        )
        return Broken(text, nodes, index)
    disk, term = history.hosts[reply.sender].disk, _agreed_term(history, log, index)
    if disk.term > host.machine.term or term is None or disk.holds(index, term):
        return None
    text = f"{host.node} believes that {progress.node} holds entry {index} of term {term}"
    return Broken(f"{text}, and it does not", nodes, index)


def _agreed_term(history: History, log: RaftLog, index: Index) -> Term | None:
    """The term of what a leader believes that others hold; what a snapshot hides is committed."""
    snapshot = log.snapshot
    if snapshot is not None and index < snapshot.index and 0 < index <= len(history.committed):
        return history.committed[index - 1].entry.term
    return term_at(log, index)


# What may be said


def one_vote_per_term(history: History, host: Host, message: Message) -> Broken | None:
    """In one term a node gives its vote to one candidate, crashes or not."""
    if isinstance(message, RequestVoteReply):
        if message.is_prevote or not message.vote_granted:
            return None
        candidate = message.receiver
    elif isinstance(message, RequestVote) and not message.is_prevote:
        candidate = host.node
    else:
        return None
    first = history.votes.setdefault((host.node, message.term), candidate)
    if first == candidate:
        return None
    text = f"{host.node} voted for {first} and for {candidate} in term {message.term}"
    return Broken(text, (host.node, first, candidate))


def vote_stays(history: History, host: Host) -> Broken | None:
    """A vote that is given is not taken back, and not given anew, in the same term."""
    machine, before = host.machine, host.seen.voted_for
    if before is None or machine.voted_for == before or machine.term != host.seen.term:
        return None
    now = f"for {machine.voted_for}" if machine.voted_for else "for nobody"
    text = f"{host.node} had voted for {before}, and now has {now}, in term {machine.term}"
    return Broken(text, (host.node, before))


def durable_before_said(history: History, host: Host, message: Message) -> Broken | None:
    """What a message claims of its sender (term, vote, entries) is on the sender's disk."""
    disk, node = host.disk, host.node
    if message.term > disk.term and not is_question(message):
        text = f"{node} spoke in term {message.term} before it was on its disk"
        return Broken(text, (node,))
    if message.term < disk.term:
        return None  # said before a later term was met, and kept back until that was on disk
    if type(message) is AppendEntriesReply:
        index = message.result.last_new_index if type(message.result) is Accepted else 0
        held = term_at(host.machine.log, index) if host.machine.term == disk.term else None
        if index > disk.last_index or (held is not None and not disk.holds(index, held)):
            text = f"{node} acknowledged entry {index} before it was on its disk"
            return Broken(text, (node,), index)
    elif type(message) is InstallSnapshotReply:
        if message.success and message.last_index > disk.last_index:
            text = f"{node} acknowledged a snapshot before it was on its disk"
            return Broken(text, (node,), message.last_index)
    elif type(message) is RequestVoteReply:
        granted = message.vote_granted and not message.is_prevote
        if granted and disk.voted_for != message.receiver:
            return Broken(f"{node} granted a vote before it was on its disk", (node,))
    return None


def applied_in_order(history: History, host: Host, entries: tuple[LogEntry, ...]) -> Broken | None:
    """Committed entries are applied once, in order, and the same ones by every node."""
    committed, expected = history.committed, host.applied_index + 1
    for entry in entries:
        if entry.index != expected:
            return Broken(
                f"{host.node} applied entry {entry.index} where {expected} was due",
                (host.node,),
                expected,
            )
        if expected > host.machine.commit_index or expected > len(committed):
            text = f"{host.node} applied entry {expected} before it was committed"
            return Broken(text, (host.node,), expected)
        known = committed[expected - 1].entry
        if known is not entry and known != entry:
            text = f"{host.node} applied another entry {expected} than was committed"
            return Broken(text, (host.node,), expected)
        expected += 1
    return None


def snapshots_are_true(history: History, host: Host, snapshot: Snapshot) -> Broken | None:
    """A snapshot says what the committed entries say that it stands for: the same everywhere."""
    from hashlib import sha256  # slow to load, so only for a run with snapshots

    index = snapshot.index
    if index <= len(history.committed):
        term = history.committed[index - 1].entry.term
        if term != snapshot.term:
            text = f"{host.node} has a snapshot that ends with entry {index} of term"
            text = f"{text} {snapshot.term}; what was committed there is of term {term}"
            return Broken(text, (host.node,), index)
    else:
        text = f"{host.node} has a snapshot up to entry {index}, which is not committed"
        return Broken(text, (host.node,), index)
    digest = replace(snapshot, data=sha256(snapshot.data).digest())
    if history.snapshots.setdefault(index, digest) != digest:
        text = f"{host.node} has another snapshot up to entry {index} than the others"
        return Broken(text, (host.node,), index)
    if snapshot.configuration != _committed_configuration(history, host, index):
        text = f"{host.node} has a snapshot up to entry {index} with a configuration"
        return Broken(f"{text} that is not the one there", (host.node,), index)
    return None


def _committed_configuration(history: History, host: Host, index: Index) -> Configuration:
    for committed_at, configuration in reversed(history.configurations):
        if committed_at <= index:
            return configuration
    return host.configuration


def reads_are_current(history: History, host: Host, reading: Reading) -> Broken | None:
    """A read shows every entry that was committed when it was asked."""
    if host.applied_index >= reading.floor:
        return None
    text = (
        f"{host.node} answered a read of {reading.key} from entries 1 to {host.applied_index},"
        f" and {reading.floor} were committed when it was asked"
    )
    return Broken(text, (host.node,), reading.floor)


class Property(msgspec.Struct, frozen=True):
    """A named property: what it says, where it is stated, and the function that checks it."""

    name: str
    paper: str
    check: Callable[..., Broken | None]

    @property
    def statement(self) -> str:
        """The property in one sentence."""
        return (self.check.__doc__ or "").strip()


ELECTION_SAFETY = Property("Election Safety", "5.2, Figure 3", election_safety)
LEADER_APPEND_ONLY = Property("Leader Append-Only", "5.3, Figure 3", leader_append_only)
LOG_MATCHING = Property("Log Matching", "5.3, Figure 3", log_matching)
LEADER_COMPLETENESS = Property("Leader Completeness", "5.4, Figure 3", leader_completeness)
LATER_LEADERS = Property("Leader Completeness", "5.4, Figure 3", later_leaders_complete)
STATE_MACHINE_SAFETY = Property("State Machine Safety", "5.4.3, Figure 3", state_machine_safety)
COMMIT_FOLLOWS_QUORUM = Property("Commit Follows Quorum", "5.3, Figure 2", commit_follows_quorum)
COMMIT_FOLLOWS_LEADER = Property("Commit Follows Leader", "5.3, Figure 2", commit_follows_leader)
COMMITTED_STAYS = Property("Committed Stays", "5.4, Figure 2", committed_stays)
TERMS_RISE = Property("Terms Rise", "5.1", terms_rise)
LOG_TERMS_RISE = Property("Log Terms Rise", "5.3", log_terms_rise)
MATCH_IS_TRUE = Property("Match Is True", "5.3, Figure 2", match_is_true)
ONE_VOTE_PER_TERM = Property("One Vote Per Term", "5.2, Figure 2", one_vote_per_term)
VOTE_STAYS = Property("One Vote Per Term", "5.2, Figure 2", vote_stays)
DURABLE_BEFORE_SAID = Property(
    "Durable Before Said", "Figure 2, persistent state", durable_before_said
)
APPLIED_IN_ORDER = Property("Applied In Order", "5.3, Figure 2", applied_in_order)
ONE_CHANGE_AT_A_TIME = Property("One Change At A Time", "6; thesis 4.1", one_change_at_a_time)
NEWEST_CONFIGURATION = Property("Newest Configuration", "6", newest_configuration)
SNAPSHOTS_ARE_TRUE = Property("Snapshots Are True", "7, Figure 12", snapshots_are_true)
READS_ARE_CURRENT = Property("Reads Are Current", "8; thesis 6.4", reads_are_current)

FIGURE_3 = (
    ELECTION_SAFETY,
    LEADER_APPEND_ONLY,
    LOG_MATCHING,
    LEADER_COMPLETENESS,
    STATE_MACHINE_SAFETY,
)
"""The five properties of the paper's Figure 3."""

PROPERTIES = (
    *FIGURE_3,
    COMMIT_FOLLOWS_QUORUM,
    COMMIT_FOLLOWS_LEADER,
    COMMITTED_STAYS,
    TERMS_RISE,
    LOG_TERMS_RISE,
    MATCH_IS_TRUE,
    ONE_VOTE_PER_TERM,
    DURABLE_BEFORE_SAID,
    APPLIED_IN_ORDER,
    ONE_CHANGE_AT_A_TIME,
    NEWEST_CONFIGURATION,
    SNAPSHOTS_ARE_TRUE,
    READS_ARE_CURRENT,
)
"""Every property that every cluster watches."""


def is_question(message: Message) -> bool:
    """Whether a message is about a term that its sender need not be in: a pre-vote."""
    return isinstance(message, VOTING) and message.is_prevote

"""Looking at every step: which property can have fallen, and for whom.

What the properties say stands in `properties.py`; here stands when each is asked.
"""

from collections.abc import Callable
from typing import ClassVar, TypeAlias

from raftlab.raft.log import LogEntry, Snapshot
from raftlab.raft.messages import Accepted, AppendEntries, AppendEntriesReply, Message
from raftlab.raft.roles import LEADER, Leader
from raftlab.raft.vocabulary import Configuration, Index, NodeId, Term
from raftlab.sim.watch.properties import (
    APPLIED_IN_ORDER,
    COMMIT_FOLLOWS_LEADER,
    COMMIT_FOLLOWS_QUORUM,
    COMMITTED_STAYS,
    DURABLE_BEFORE_SAID,
    ELECTION_SAFETY,
    LATER_LEADERS,
    LEADER_APPEND_ONLY,
    LEADER_COMPLETENESS,
    LOG_MATCHING,
    LOG_TERMS_RISE,
    MATCH_IS_TRUE,
    NEWEST_CONFIGURATION,
    ONE_CHANGE_AT_A_TIME,
    ONE_VOTE_PER_TERM,
    READS_ARE_CURRENT,
    SNAPSHOTS_ARE_TRUE,
    STATE_MACHINE_SAFETY,
    TERMS_RISE,
    VOTE_STAYS,
    VOTING,
    Broken,
    History,
    Property,
    configuration_of,
    entry_at,
    is_question,
    newest_held,
    newest_in,
    term_at,
)
from raftlab.sim.world.host import Host, Reading
from raftlab.sim.world.violation import ViolationFrame

Checks: TypeAlias = tuple[tuple[Callable[..., Broken | None], Property], ...]


def checks(*properties: Property) -> Checks:
    """What is called at one occasion, and which property each call is about."""
    return tuple((each.check, each) for each in properties)


WHEN_ROLE_CHANGES = checks(TERMS_RISE, ELECTION_SAFETY, LEADER_COMPLETENESS)
WHEN_LOG_CHANGES = checks(
    LEADER_APPEND_ONLY,
    LOG_TERMS_RISE,
    LOG_MATCHING,
    COMMITTED_STAYS,
    ONE_CHANGE_AT_A_TIME,
    NEWEST_CONFIGURATION,
)
WHEN_HEAD_MOVES = checks(NEWEST_CONFIGURATION)
WHEN_VOTE_CHANGES = checks(VOTE_STAYS)
WHEN_COMMIT_MOVES = checks(
    COMMITTED_STAYS,
    COMMIT_FOLLOWS_LEADER,
    STATE_MACHINE_SAFETY,
    COMMIT_FOLLOWS_QUORUM,
    LATER_LEADERS,
)
WHEN_REPLIED = checks(MATCH_IS_TRUE)
WHEN_SAYING = checks(DURABLE_BEFORE_SAID)
WHEN_VOTING = checks(ONE_VOTE_PER_TERM, DURABLE_BEFORE_SAID)
WHEN_APPLYING = checks(APPLIED_IN_ORDER)
WHEN_COMPACTED = checks(SNAPSHOTS_ARE_TRUE)
WHEN_READ = checks(READS_ARE_CURRENT)
WHEN_RESTARTED = checks(TERMS_RISE)


def agreeing_prefix(host: Host) -> int:
    """How many of the entries seen last time are still there, from the first."""
    log, seen = host.machine.log, host.seen.entries
    before_first = log.first_index - 1
    count = min(len(seen), log.last_index - before_first)
    while count:
        entry = log[before_first + count]
        if entry is seen[count - 1] or entry == seen[count - 1]:
            return count
        count -= 1
    return 0


def term_before_new(host: Host) -> Term | None:
    """The term of the entry before the new ones; None if a snapshot stands for it."""
    seen = host.seen
    if seen.kept:
        return seen.entries[seen.kept - 1].term
    log = host.machine.log
    return term_at(log, log.first_index - 1)


def head_moved(host: Host) -> None:
    """A snapshot has taken the place of the first entries: they are no longer looked at.

    If it contradicts the entry that stood at its end, what follows is looked at again.
    """
    seen, first = host.seen, host.machine.log.first_index
    if first > seen.first_index and not contradicted(host):
        seen.entries = seen.entries[first - seen.first_index :]
    else:
        seen.entries, seen.newest = [], None
    seen.first_index = first
    seen.last_entry = seen.entries[-1] if seen.entries else None


def contradicted(host: Host) -> bool:
    """Whether the snapshot ends with another entry than the one that was seen there."""
    seen, snapshot = host.seen, host.machine.log.snapshot
    if snapshot is None:
        return False
    place = snapshot.index - seen.first_index
    return 0 <= place < len(seen.entries) and seen.entries[place].term != snapshot.term


# What is plainly in order. Each of these answers for all properties of one occasion, and is
# True only if none of them can have fallen; whatever is doubtful is left to them.


def grew_in_order(history: History, host: Host, in_force: Configuration) -> bool:
    """Whether a log was only added to, and nothing of WHEN_LOG_CHANGES can have fallen.

    `in_force` is the newest configuration in the log.
    """
    machine, seen = host.machine, host.seen
    entries, index = seen.entries, seen.first_index + seen.kept
    if seen.kept < len(entries) or not entries:
        return False  # cut, or begun
    if not index > seen.commit_index <= machine.commit_index:
        return False  # what was committed may not have stayed
    if seen.newest is not None and seen.newest.index > machine.commit_index:
        return False  # a change is under way, and there may be another
    if getattr(machine, "configuration", None) is not in_force:
        return False
    created, before = history.created, entries[-1].term
    for entry in seen.new:
        term = entry.term
        if entry.index != index or term < before:
            return False
        known = created.get((index, term))
        if known is None:
            created[index, term] = (entry, before)
        elif known[0] is not entry or known[1] != before:
            return False
        before = term
        index += 1
    return before <= machine.term


def follows_in_order(history: History, host: Host, kept_up_to: Index) -> bool:
    """Whether a follower calls committed what others did: nothing of WHEN_COMMIT_MOVES can fall.

    `kept_up_to` is the last index of what its log held before and still holds.
    """
    machine, seen, committed = host.machine, host.seen, history.committed
    index, count = machine.commit_index, len(committed)
    if machine.role is LEADER or seen.leads or history.latest_term > machine.term:
        return False  # what a leader commits is looked for on the disks
    if not kept_up_to >= seen.commit_index <= index <= count or index > machine.log.last_index:
        return False
    for entry in machine.log.entries(seen.commit_index + 1, index + 1):
        place = entry.index - 1
        if place >= count or committed[place].entry is not entry:
            return False
    return True


def believes_in_order(history: History, host: Host, reply: Message) -> bool:
    """Whether the last entry that a leader believes a follower to hold is the one on its disk."""
    data = getattr(host.machine, "role_data", None)
    progress = data.tracker.progress.get(reply.sender) if type(data) is Leader else None
    if progress is None:
        return False
    log, index, disk = host.machine.log, progress.match_index, history.hosts[reply.sender].disk
    held = disk.log
    if not held or log.snapshot is not None or disk.snapshot is not None:
        return False
    place = index - held[0].index
    if not 0 <= place < len(held) or held[place] is not entry_at(log, index):
        return False
    return index < progress.next_index <= log.last_index + 1


def acknowledges_in_order(host: Host, reply: AppendEntriesReply) -> bool:
    """Whether a follower acknowledges its last entry, which is the last one on its disk."""
    disk, result, last = host.disk, reply.result, host.machine.log.last_entry
    held = disk.log
    if last is None or not held or held[-1] is not last or disk.snapshot is not None:
        return False
    if type(result) is not Accepted or reply.term != disk.term:
        return False
    return result.last_new_index == last.index == held[0].index + len(held) - 1


class Watcher:
    """Looks at the node that just moved, and stops the run when a property is broken.

    Only what can have changed is checked: roles when the role or the term moved, the
    log from where it changed, the commit index when it moved. So watching costs the
    same however long the logs are. What is plainly in order passes at one look, if
    `lets_pass`; all else is put to the properties, one by one.
    """

    __slots__ = ("broken", "history")

    lets_pass: ClassVar[bool] = True

    def __init__(self, hosts: dict[NodeId, Host]) -> None:
        self.history = History(hosts)
        self.broken: tuple[Property, Broken] | None = None

    def violation(self, frame: int) -> ViolationFrame:
        """The property that was found broken, in the step to `frame`."""
        assert self.broken is not None
        its_property, broken = self.broken
        return ViolationFrame(
            its_property.name, broken.text, its_property.paper, frame, broken.nodes, broken.index
        )

    def parts(self) -> tuple[object, ...]:
        """The containers that only grow with the run."""
        return self.history.parts()

    def moved(self, host: Host) -> None:
        """`host` has taken a step."""
        machine, seen = host.machine, host.seen
        leads = machine.role is LEADER
        if machine.term != seen.term or leads is not seen.leads:
            self._check(WHEN_ROLE_CHANGES, host)
        if machine.voted_for != seen.voted_for:
            self._check(WHEN_VOTE_CHANGES, host)
            seen.voted_for = machine.voted_for
        log = machine.log
        head = log.first_index != seen.first_index
        if head:
            head_moved(host)
        last_entry = log.last_entry
        changed = last_entry is not seen.last_entry
        if changed:
            held, last = seen.entries, log.last_index
            tail = log.entries(seen.first_index + len(held) - 1, last + 1) if held else ()
            if tail and tail[0] is held[-1]:  # all that was seen is there, and more has come
                seen.kept, seen.new = len(held), tail[1:]
            else:
                seen.kept = agreeing_prefix(host)
                seen.new = log.entries(seen.first_index + seen.kept, last + 1)
            newest = seen.newest
            if newest is not None and newest.index >= seen.first_index + seen.kept:
                seen.newest = newest_in(seen.entries[: seen.kept])  # it was cut away
            for entry in seen.new:
                if type(entry.payload) is Configuration:
                    seen.newest = entry
        if head:
            self._check(WHEN_HEAD_MOVES, host)
        if changed:
            index, in_force = newest_held(host)
            if not (self.lets_pass and grew_in_order(self.history, host, in_force)):
                seen.term_before_new = term_before_new(host)
                self._check(WHEN_LOG_CHANGES, host)
        if machine.commit_index != seen.commit_index:
            kept_up_to = seen.first_index + seen.kept - 1 if changed else log.last_index
            if not (self.lets_pass and follows_in_order(self.history, host, kept_up_to)):
                self._check(WHEN_COMMIT_MOVES, host)
            seen.commit_index = machine.commit_index
        if changed:
            if seen.kept < len(seen.entries):
                seen.entries = seen.entries[: seen.kept]
            seen.entries.extend(seen.new)
            seen.last_entry = last_entry
            if index != seen.configuration_index or seen.configuration is None:
                seen.configuration = configuration_of(host)
                seen.configuration_index = index
        seen.term, seen.leads = machine.term, leads

    def restarted(self, host: Host) -> None:
        """`host` has started again from its disk."""
        host.seen.entries = list(host.machine.log)
        host.seen.newest = newest_in(host.seen.entries)
        host.seen.first_index = host.machine.log.first_index
        host.seen.last_entry = host.machine.log.last_entry
        host.seen.voted_for = host.machine.voted_for
        self._check(WHEN_RESTARTED, host)
        self.moved(host)

    def replied(self, host: Host, reply: Message) -> None:
        """`host` has handled a reply of a follower."""
        if not (self.lets_pass and believes_in_order(self.history, host, reply)):
            self._check_about(WHEN_REPLIED, host, reply)

    def says(self, host: Host, messages: tuple[Message, ...]) -> None:
        """`host` sends messages."""
        saved, claims = host.disk.term, self.history.claims
        claimed = claims.get(host.node, 0)
        for message in messages:
            if type(message) is AppendEntries:
                if message.term > saved:
                    self._check_about(WHEN_SAYING, host, message)
            elif type(message) is AppendEntriesReply:
                if not (self.lets_pass and acknowledges_in_order(host, message)):
                    self._check_about(WHEN_SAYING, host, message)
            else:
                checks = WHEN_VOTING if type(message) in VOTING else WHEN_SAYING
                self._check_about(checks, host, message)
            if message.term > claimed and not is_question(message):
                claims[host.node] = claimed = message.term

    def wiped(self, host: Host) -> None:
        """`host` has lost its disk: what it said before is no promise of its own any more."""
        self.history.claims.pop(host.node, None)

    def keeps_snapshot(self, host: Host, snapshot: Snapshot) -> None:
        """`host` has written a snapshot."""
        self._check_about(WHEN_COMPACTED, host, snapshot)

    def asks(self, reading: Reading) -> None:
        """A client asks for a read: from now on it must show all that is committed."""
        reading.floor = len(self.history.committed)

    def answers(self, host: Host, reading: Reading) -> None:
        """`host` has answered a read."""
        self._check_about(WHEN_READ, host, reading)

    def applies(self, host: Host, entries: tuple[LogEntry, ...]) -> None:
        """`host` hands committed entries to its application."""
        self._check_about(WHEN_APPLYING, host, entries)

    def _check(self, checks: Checks, host: Host) -> None:
        history = self.history
        for check, its_property in checks:
            broken = check(history, host)
            if broken is not None and self.broken is None:
                self.broken = (its_property, broken)

    def _check_about(self, checks: Checks, host: Host, what: object) -> None:
        history = self.history
        for check, its_property in checks:
            broken = check(history, host, what)
            if broken is not None and self.broken is None:
                self.broken = (its_property, broken)

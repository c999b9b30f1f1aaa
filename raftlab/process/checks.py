"""What no node can mean: it contradicts what the same node says beside it, or has said before.

What is wrong as Raft is not looked for here: the watched properties find that.
"""

from collections.abc import Iterable, Mapping

from msgspec import UNSET
from msgspec.structs import fields

from raftlab.process.faults import MachineFault
from raftlab.process.wire import ProgressLine, Reply
from raftlab.raft.log import LogEntry, Snapshot
from raftlab.raft.messages import (
    Accepted,
    AppendEntries,
    AppendEntriesReply,
    InstallSnapshot,
    Message,
    Rejected,
)
from raftlab.raft.options import MOST
from raftlab.raft.vocabulary import Configuration, Index, Misuse, NodeId, Term, shown

NUMBERS = {
    kind: tuple(each.name for each in fields(kind) if each.type is int)
    for kind in (*Message.__args__, Accepted, Rejected)
}
"""The fields of messages that count something, and so are not negative."""

SILENT = Reply()
BESIDE_A_REFUSAL = ("refused", "notes", "votes", "progress", "election_deadline")
"""What a refusal may tell of: why, and for pictures."""


def contradiction(text: str) -> MachineFault:
    """A fault of a machine that denies what it has said."""
    return MachineFault("contradiction", text)


def check_names(reply: Reply, heard_of: frozenset[NodeId]) -> None:
    """Nodes that it believes something of it has heard of. Raises: MachineFault."""
    if type(reply.leader) is str and reply.leader not in heard_of:
        raise _stranger(reply.leader, "leader")
    if type(reply.voted_for) is str and reply.voted_for not in heard_of:
        raise _stranger(reply.voted_for, "voted_for")
    for field, names in (("votes", reply.votes), ("progress", reply.progress)):
        if names and not heard_of >= names.keys():
            raise _stranger(next(name for name in names if name not in heard_of), field)


def _stranger(name: NodeId, field: str) -> MachineFault:
    return contradiction(f"it names {quoted(name)} in {field}, and has heard of no such node")


def check_configuration(
    configuration: Configuration, where: str, heard_of: frozenset[NodeId]
) -> None:
    """Raises: MachineFault, for one that no cluster can have, or that names a stranger."""
    try:
        configuration.check()
    except Misuse as error:
        raise contradiction(f"what {where} holds cannot be: {error}") from None
    if strangers := [name for name in configuration.members if name not in heard_of]:
        raise _stranger(strangers[0], f"the configuration of {where}")


def check_entries(
    entries: Iterable[LogEntry], after: Index, term: Term, does: str, heard_of: frozenset[NodeId]
) -> None:
    """Entries follow one another from `after` on, and none is of a later term than `term`.

    `does` is what is done with them. Raises: MachineFault.
    """
    for place, entry in enumerate(entries, start=after + 1):
        if entry.index != place:
            before = f"before it is entry {place - 1}" if place > 1 else "the first of a log"
            raise contradiction(
                f"it {does} entry {entry.index} where entry {place} belongs ({before})"
            )
        if entry.term > term:
            of = f"and is in term {term}" if does == "writes" else f"in a message of term {term}"
            raise contradiction(f"it {does} entry {place} of term {entry.term}, {of}")
        if type(entry.payload) is Configuration:
            check_configuration(entry.payload, f"entry {place}", heard_of)


def check_snapshot(
    snapshot: Snapshot,
    first: Index | None,
    kept_from: Index,
    base: Index,
    term: Term,
    heard_of: frozenset[NodeId],
) -> None:
    """A snapshot that it takes: newer than the one up to `base`, of no later term than `term`.

    `first` is the first entry that it keeps; those from `kept_from` on it can keep.
    Raises: MachineFault.
    """
    if snapshot.index <= base:
        raise contradiction(f"it takes a snapshot up to {snapshot.index}, and has one up to {base}")
    if snapshot.term > term:
        raise contradiction(f"it takes a snapshot of term {snapshot.term}, and is in term {term}")
    check_configuration(snapshot.configuration, "its snapshot", heard_of)
    if first is not None and not kept_from <= first <= snapshot.index + 1:
        raise contradiction(
            f"it takes a snapshot up to {snapshot.index}, and the first entry that it keeps is"
            f" {first}: that can be {kept_from} to {snapshot.index + 1}"
        )


def check_progress(progress: dict[NodeId, ProgressLine], last_index: Index) -> None:
    """What a leader knows of others does not go beyond its own log. Raises: MachineFault."""
    for node, each in progress.items():
        if each.next_index > last_index + 1:
            raise contradiction(
                f"next_index of {quoted(node)} is {each.next_index}, and its log ends at"
                f" {last_index}"
            )
        if each.match_index >= each.next_index:
            raise contradiction(
                f"{quoted(node)} is to get entry {each.next_index} next, and has it: match_index is"
                f" {each.match_index}"
            )


def check_message(
    message: Message, node: NodeId, heard_of: frozenset[NodeId], commit_index: Index
) -> None:
    """What it sends, it can send. Raises: MachineFault."""
    if message.sender != node:
        raise contradiction(f"it sends a message in the name of {quoted(message.sender)}")
    if message.receiver == node:
        raise contradiction("it sends a message to itself")
    if message.receiver not in heard_of:
        raise contradiction(
            f"it sends a message to {quoted(message.receiver)}, and has heard of no such node"
        )
    check_numbers(message)
    if type(message) is AppendEntries:
        if message.leader_commit > commit_index:
            raise contradiction(
                f"it tells {quoted(message.receiver)} that entries up to {message.leader_commit}"
                f" are committed, and calls those up to {commit_index} so"
            )
        if message.entries:
            check_entries(message.entries, message.prev_log_index, message.term, "sends", heard_of)
    elif type(message) is AppendEntriesReply:
        check_numbers(message.result)
    elif type(message) is InstallSnapshot:
        check_configuration(message.snapshot.configuration, "the snapshot that it sends", heard_of)


def check_numbers(message: Message | Accepted | Rejected) -> None:
    """Raises: MachineFault, for a number that counts nothing."""
    for name in NUMBERS[type(message)]:
        if not 0 <= getattr(message, name) <= MOST:
            what = shown(getattr(message, name))
            raise MachineFault("wrong shape", f"{name} of a message is {what}")


def check_reads(reply: Reply, asked: set[int], commit_index: Index) -> None:
    """Reads are answered once, of those that were asked: they are taken out of `asked`.

    Raises: MachineFault.
    """
    for number in (*(each.read_id for each in reply.reads), *reply.failed_reads):
        if number not in asked:
            raise contradiction(
                f"it answers read {shown(number)}, which nobody has asked, or which it has answered"
            )
        asked.remove(number)
    for each in reply.reads:
        if each.index > commit_index:
            raise contradiction(
                f"it answers read {each.read_id} at entry {shown(each.index)}, and calls entries up"
                f" to {commit_index} committed"
            )


def said_beside_refusal(reply: Reply, believed: Mapping[str, object]) -> list[str]:
    """The fields of a refusal that say more than what the node `believed` already."""
    return [
        name
        for name in reply.__struct_fields__
        if name not in BESIDE_A_REFUSAL
        and getattr(reply, name) not in (getattr(SILENT, name), believed.get(name, UNSET))
    ]


def quoted(name: NodeId) -> str:
    """A name, for a sentence: as it is, if it is one."""
    return name if name.isalnum() else shown(name)

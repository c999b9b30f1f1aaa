"""Steps of a run as sentences, for the lab, for events and for transcripts."""

from collections.abc import Sequence
from typing import TypeAlias, assert_never

from raftlab.raft.log import Command, LogEntry
from raftlab.raft.messages import (
    Accepted,
    AppendEntries,
    AppendEntriesReply,
    InstallSnapshot,
    InstallSnapshotReply,
    Message,
    ReadIndex,
    ReadIndexReply,
    RequestVote,
    RequestVoteReply,
    TimeoutNow,
)
from raftlab.raft.output import Note
from raftlab.raft.thesis.membership import describe
from raftlab.raft.vocabulary import Configuration, NodeId
from raftlab.sim.world.actions import (
    Action,
    Calm,
    Compact,
    Crash,
    Cut,
    Delay,
    Deliver,
    Drop,
    Duplicate,
    ForgetLeader,
    Heal,
    Join,
    Partition,
    Pause,
    Propose,
    Read,
    Reconfigure,
    Restart,
    Resume,
    SetClockRate,
    SlowDisk,
    Tick,
    Timeout,
    TransferLeadership,
    Wait,
    Wipe,
    Written,
)

Notes = Sequence[tuple[NodeId, Note]]


def sentence(action: Action, message: Message | None, notes: Notes) -> str:
    """What happened, and what the nodes decided because of it."""
    first = happening(action, message)
    decided = "; ".join(f"{node} {note}" for node, note in notes)
    if isinstance(action, Tick) and decided:
        return f"{decided}."
    return f"{first}: {decided}." if decided else f"{first}."


def happening(action: Action, message: Message | None) -> str:
    """What happened, without what came of it."""
    match action:
        case Deliver(receiver=receiver, sender=sender):
            return f"{receiver} receives {message_text(message)} from {sender}"
        case Drop(receiver=receiver, sender=sender):
            return f"{message_text(message)} from {sender} to {receiver} is lost"
        case Duplicate(receiver=receiver, sender=sender):
            return f"{message_text(message)} from {sender} to {receiver} is doubled"
        case Delay(receiver=receiver, sender=sender, arrives_at=arrives_at):
            held = f"from {sender} to {receiver} is held up until {arrives_at:.1f} ms"
            return f"{message_text(message)} {held}"
        case Tick(node=node):
            return f"{node} looks at its clock"
        case Written(node=node):
            return f"{node}'s disk has written"
        case Timeout(node=node, force=force):
            return f"{node}'s election timer is made to run out" + (" (by force)" if force else "")
        case Propose(node=node, data=data):
            return f"a client hands {clip(data.decode('utf-8', 'replace'))} to {node}"
        case Crash(node=node):
            return f"{node} crashes"
        case Restart(node=node):
            return f"{node} restarts from its disk"
        case Pause(node=node):
            return f"{node} stands still"
        case Resume(node=node):
            return f"{node} goes on"
        case Partition(groups=groups):
            sides = " | ".join(" ".join(group) for group in groups)
            return f"the network falls apart: {sides}"
        case Cut(sender=sender, receiver=receiver):
            return f"the link from {sender} to {receiver} is cut"
        case Heal():
            return "the network is whole again"
        case Calm():
            return "the network loses, doubles and reorders nothing from now on"
        case Wait():
            return "time passes"
        case _:
            return of_the_whole_protocol(action)


Later: TypeAlias = (
    Join
    | Reconfigure
    | TransferLeadership
    | ForgetLeader
    | Compact
    | Read
    | Wipe
    | SetClockRate
    | SlowDisk
)


def of_the_whole_protocol(action: Later) -> str:
    """What happened, for the verbs that go beyond Figure 2."""
    match action:
        case Join(node=node):
            return f"a new server {node} starts"
        case Reconfigure(node=node):
            wanted = Configuration(action.voters, (), action.learners)
            return f"an operator asks {node} for the configuration {configuration_text(wanted)}"
        case TransferLeadership(node=node, to=to):
            return f"{node} is asked to hand its leadership over to {to or 'another node'}"
        case ForgetLeader(node=node):
            return f"{node} is told that its leader is gone"
        case Compact(node=node, up_to=up_to):
            return f"{node} compacts its log up to entry {up_to}"
        case Read(node=node, key=key):
            return f"a client asks {node} for {clip(key)}"
        case Wipe(node=node):
            return f"{node}'s disk is lost"
        case SetClockRate(node=node, rate=rate):
            return f"{node}'s clock runs {rate:g} times as fast from now on"
        case SlowDisk(node=node, write_ms=write_ms):
            return f"{node}'s disk takes {write_ms:g} ms for a write from now on"
        case _:
            assert_never(action)


def nodes_of(action: Action, notes: Notes) -> tuple[NodeId, ...]:
    """The nodes that a step concerns, each once: where it happened first."""
    match action:
        case Deliver(receiver=node):
            first: tuple[NodeId, ...] = (node,)
        case Drop() | Duplicate() | Delay() | Cut() | Partition() | Heal() | Calm() | Wait():
            first = ()
        case _:
            first = (action.node,)
    return tuple(dict.fromkeys((*first, *(node for node, _ in notes))))


def message_text(message: Message | None) -> str:
    """A message in a few words, with the numbers that matter."""
    match message:
        case None:
            return "a message"
        case RequestVote(is_prevote=True):
            return f"a pre-vote request for term {message.term}"
        case RequestVote():
            return f"RequestVote for term {message.term}"
        case RequestVoteReply():
            kind = "pre-vote" if message.is_prevote else "vote"
            return f"a granted {kind}" if message.vote_granted else f"a refused {kind}"
        case AppendEntries(entries=()):
            return f"a heartbeat of term {message.term}"
        case AppendEntries(entries=entries):
            return f"AppendEntries with {entries_text(entries)}"
        case AppendEntriesReply(result=Accepted(last_new_index=index)):
            return f"an acknowledgement up to entry {index}"
        case AppendEntriesReply():
            return "a rejection"
        case InstallSnapshot(snapshot=snapshot):
            return f"a snapshot up to entry {snapshot.index}"
        case InstallSnapshotReply(success=True, last_index=index):
            return f"an acknowledgement of the snapshot up to entry {index}"
        case InstallSnapshotReply():
            return "a refused snapshot"
        case TimeoutNow():
            return "TimeoutNow"
        case ReadIndex():
            return "a question for a read"
        case ReadIndexReply(index=index):
            return f"an answer for a read: up to entry {index}"
        case _:
            assert_never(message)


def entries_text(entries: Sequence[LogEntry]) -> str:
    """One entry with what is in it, or which entries."""
    if len(entries) == 1:
        entry = entries[0]
        return f"entry {entry.index} of term {entry.term} ({payload_text(entry)})"
    return f"entries {entries[0].index} to {entries[-1].index}"


def payload_text(entry: LogEntry) -> str:
    """What is in an entry, as text: the command, "empty", or the configuration's voters."""
    payload = entry.payload
    if isinstance(payload, Command):
        return clip(payload.data.decode("utf-8", "replace"))
    if isinstance(payload, Configuration):
        return configuration_text(payload)
    return "empty"


def configuration_text(configuration: Configuration) -> str:
    """Who belongs to the cluster: "S1 S2 S3", "joint S1 S2 → S2 S3", learners last."""
    return describe(configuration)


def clip(text: str, most: int = 40) -> str:
    """`text` on one line, cut after `most` characters."""
    line = " ".join(text.split())
    return line if len(line) <= most else line[: most - 1] + "…"

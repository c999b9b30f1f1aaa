"""What a line holds: the messages, entries and outputs of `raftlab.raft`, as JSON.

The bytes of commands and of snapshots are told as text, where they are UTF-8, and as
`{"base64": …}` otherwise; all else is as its class has it.
"""

from typing import Annotated, Literal, TypeAlias

import msgspec
from msgspec import UNSET, UnsetType

from raftlab.process.faults import NOT_UTF8, MachineFault, shown_line
from raftlab.raft.log import Empty
from raftlab.raft.messages import (
    AppendEntriesReply,
    InstallSnapshotReply,
    ReadIndex,
    ReadIndexReply,
    RequestVote,
    RequestVoteReply,
    TimeoutNow,
)
from raftlab.raft.options import MOST, Options
from raftlab.raft.output import ReadReady
from raftlab.raft.progress import ProgressState
from raftlab.raft.vocabulary import Configuration, Index, Millis, NodeId, Term

PROTOCOL = 1

Count = Annotated[int, msgspec.Meta(ge=0, le=MOST)]
Positive = Annotated[int, msgspec.Meta(ge=1, le=MOST)]

Ability: TypeAlias = Literal[
    "campaign", "transfer_leadership", "forget_leader", "compact", "read", "persisted"
]
"""What not every machine can do, and those that can offer when they are started."""


class Base64(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Bytes that are no UTF-8."""

    base64: str


Text: TypeAlias = str | Base64


class CommandLine(msgspec.Struct, frozen=True, tag="command", forbid_unknown_fields=True):
    """A command in a line: `{"type": "command", "data": "x=1"}`."""

    data: Text


class EntryLine(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An entry of a log in a line."""

    term: Count
    index: Positive
    payload: CommandLine | Configuration | Empty


class SnapshotLine(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A snapshot in a line. `data` is the application, as the host has given it."""

    index: Positive
    term: Count
    configuration: Configuration
    data: Text = ""


class AppendEntriesLine(msgspec.Struct, frozen=True, tag="AppendEntries", kw_only=True):
    """`AppendEntries` in a line: its entries hold text."""

    term: Term
    sender: NodeId
    receiver: NodeId
    prev_log_index: Index
    prev_log_term: Term
    entries: tuple[EntryLine, ...]
    leader_commit: Index
    read_round: int = 0


class InstallSnapshotLine(msgspec.Struct, frozen=True, tag="InstallSnapshot", kw_only=True):
    """`InstallSnapshot` in a line: its snapshot holds text."""

    term: Term
    sender: NodeId
    receiver: NodeId
    snapshot: SnapshotLine


MessageLine: TypeAlias = (
    RequestVote
    | RequestVoteReply
    | AppendEntriesLine
    | AppendEntriesReply
    | InstallSnapshotLine
    | InstallSnapshotReply
    | TimeoutNow
    | ReadIndex
    | ReadIndexReply
)


# What a machine is told


class Told(msgspec.Struct, frozen=True, kw_only=True, tag_field="do", gc=False):
    """What a machine is told in one line: what to `do`, which `node` it is, and the time there.

    `now` is in ms of virtual time.
    """

    node: NodeId
    now: Millis


class Start(Told, frozen=True, kw_only=True, tag="start"):
    """Start a node, or restart it, from what its disk holds; whatever it was before is lost.

    `configuration` is the one that the cluster began with. All chance hangs on `seed`.
    """

    protocol: int
    seed: int
    configuration: Configuration
    term: Term
    voted_for: NodeId | None
    log: tuple[EntryLine, ...]
    snapshot: SnapshotLine | None
    options: Options


class Arrives(Told, frozen=True, kw_only=True, tag="message"):
    """A message has arrived."""

    message: MessageLine


class TickLine(Told, frozen=True, kw_only=True, tag="tick"):
    """The time has come for which the node wanted to be woken."""


class Saved(Told, frozen=True, kw_only=True, tag="saved"):
    """A write has ended: what the disk holds now. With an empty log, index and term are 0."""

    term: Term
    voted_for: NodeId | None
    last_index: Index
    last_term: Term


class AddEntry(Told, frozen=True, kw_only=True, tag="add_entry"):
    """A client asks for an entry: answered with its `index`, or `refused`."""

    payload: CommandLine | Configuration | Empty


class Campaign(Told, frozen=True, kw_only=True, tag="campaign"):
    """Stand for election now; with `force` as if the leader itself had asked for it."""

    force: bool


class TransferLine(Told, frozen=True, kw_only=True, tag="transfer_leadership"):
    """Hand over leadership `to` another node; null: to whoever is best."""

    to: NodeId | None


class ForgetLine(Told, frozen=True, kw_only=True, tag="forget_leader"):
    """Forget who leads."""


class CompactLine(Told, frozen=True, kw_only=True, tag="compact"):
    """Let a snapshot stand for the log up to an index; `data` is the application there."""

    up_to: Index
    data: Text


class ReadLine(Told, frozen=True, kw_only=True, tag="read"):
    """A client asks for a read, which is named by its number in the answer."""

    read_id: int


Line: TypeAlias = (
    Start
    | Arrives
    | TickLine
    | Saved
    | AddEntry
    | Campaign
    | TransferLine
    | ForgetLine
    | CompactLine
    | ReadLine
)


# What a machine says


class Refusal(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Why not: "not_leader", and who leads, if that is known; or a sentence."""

    reason: str
    leader: NodeId | None = None


class ProgressLine(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a leader knows of a member."""

    next_index: Positive
    match_index: Count = 0
    state: ProgressState = ProgressState.PROBE


class NoteLine(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Why a machine did what it did: by which rule, and in words."""

    rule: str
    text: str


class Reply(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a machine says in one line. What is absent is nothing, or unchanged: `{}` is allowed.

    1. What must be written before the messages leave: `term` and `voted_for` together,
       `truncate_from`, `log_entries`, `snapshot` with `first_index`.
    2. What leaves then: `messages`, `reads`, `failed_reads` (`messages_at_once` do not wait).
    3. What the node believes: `role`, `commit_index`, `leader`, and when it wants to be told the
       time: `wake_at` (ms; null is never).
    4. For whoever looks: `votes`, `progress`, `election_deadline`, `notes`, `alarms`.

    `index` or `refused` answer what was asked; `offers` belongs to the start.
    """

    term: Count | UnsetType = UNSET
    voted_for: NodeId | UnsetType | None = UNSET
    truncate_from: Positive | None = None
    log_entries: tuple[EntryLine, ...] = ()
    snapshot: SnapshotLine | None = None
    first_index: Positive | None = None
    messages: tuple[MessageLine, ...] = ()
    messages_at_once: tuple[MessageLine, ...] = ()
    reads: tuple[ReadReady, ...] = ()
    failed_reads: tuple[int, ...] = ()
    role: Literal["follower", "candidate", "leader"] | None = None
    commit_index: Count | None = None
    leader: NodeId | UnsetType | None = UNSET
    wake_at: Millis | UnsetType | None = UNSET
    votes: dict[NodeId, bool] | None = None
    progress: dict[NodeId, ProgressLine] | None = None
    election_deadline: Millis | UnsetType | None = UNSET
    notes: tuple[NoteLine | str, ...] = ()
    alarms: tuple[str, ...] = ()
    index: Positive | None = None
    refused: Refusal | None = None
    offers: tuple[Ability, ...] = ()


_ENCODE = msgspec.json.Encoder().encode
_DECODE = msgspec.json.Decoder(Reply).decode


def encoded(line: Told) -> bytes:
    """What a machine is told, as the bytes of a line without its end."""
    return _ENCODE(line)


def decoded(said: bytes) -> Reply:
    """What a machine said. Raises: MachineFault, if that is no JSON, or of another shape."""
    try:
        return _DECODE(said)
    except msgspec.ValidationError as error:
        raise MachineFault("wrong shape", f"it said what it cannot say: {error}") from None
    except UnicodeDecodeError:
        raise MachineFault("not UTF-8", NOT_UTF8.format(shown_line(said))) from None
    except (msgspec.DecodeError, RecursionError) as error:
        raise MachineFault(
            "not JSON",
            f"it said {shown_line(said)}, which is no JSON: {error} (was it printed to be looked"
            " at? Print to the standard error output)",
        ) from None

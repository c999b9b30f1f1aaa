"""Everything that can happen in a run, as data. A run is a setup and a list of these.

Every action carries `at`, the virtual time in ms. A message is named by its link and its
number on that link (`sender`, `receiver`, `nth`, from 1), so that editing one part of a
run does not rename the messages of another.
"""

from typing import TypeAlias, get_args

import msgspec

from raftlab.raft.vocabulary import Index, Millis, Misuse, NodeId, shortened, shown


class Deliver(msgspec.Struct, frozen=True, gc=False, tag="deliver", array_like=True):
    """A message arrives."""

    at: Millis
    sender: NodeId
    receiver: NodeId
    nth: int


class Drop(msgspec.Struct, frozen=True, gc=False, tag="drop", array_like=True):
    """A message is lost."""

    at: Millis
    sender: NodeId
    receiver: NodeId
    nth: int


class Duplicate(msgspec.Struct, frozen=True, gc=False, tag="duplicate", array_like=True):
    """A second copy of a message sets out; it arrives at `arrives_at` (ms)."""

    at: Millis
    sender: NodeId
    receiver: NodeId
    nth: int
    arrives_at: Millis


class Delay(msgspec.Struct, frozen=True, gc=False, tag="delay", array_like=True):
    """A message is held up: it now arrives at `arrives_at` (ms)."""

    at: Millis
    sender: NodeId
    receiver: NodeId
    nth: int
    arrives_at: Millis


class Tick(msgspec.Struct, frozen=True, gc=False, tag="tick", array_like=True):
    """A node's clock reaches a moment that it waited for."""

    at: Millis
    node: NodeId


class Written(msgspec.Struct, frozen=True, gc=False, tag="written", array_like=True):
    """A node's oldest unfinished write is safe on its disk."""

    at: Millis
    node: NodeId


class Timeout(msgspec.Struct, frozen=True, gc=False, tag="timeout", array_like=True):
    """A node's election timer runs out now. `force`: as if its leader had sent it."""

    at: Millis
    node: NodeId
    force: bool = False


class Propose(msgspec.Struct, frozen=True, gc=False, tag="propose", array_like=True):
    """A client hands a command to a node."""

    at: Millis
    node: NodeId
    data: bytes


class Crash(msgspec.Struct, frozen=True, gc=False, tag="crash", array_like=True):
    """A node stops and forgets all that is not on its disk."""

    at: Millis
    node: NodeId


class Restart(msgspec.Struct, frozen=True, gc=False, tag="restart", array_like=True):
    """A crashed node starts again from its disk."""

    at: Millis
    node: NodeId


class Pause(msgspec.Struct, frozen=True, gc=False, tag="pause", array_like=True):
    """A node stands still; what reaches it waits."""

    at: Millis
    node: NodeId


class Resume(msgspec.Struct, frozen=True, gc=False, tag="resume", array_like=True):
    """A paused node goes on, and handles what has waited."""

    at: Millis
    node: NodeId


class Partition(msgspec.Struct, frozen=True, gc=False, tag="partition", array_like=True):
    """The network falls apart: nothing passes from one group to another."""

    at: Millis
    groups: tuple[tuple[NodeId, ...], ...]


class Cut(msgspec.Struct, frozen=True, gc=False, tag="cut", array_like=True):
    """One directed link carries nothing any more."""

    at: Millis
    sender: NodeId
    receiver: NodeId


class Heal(msgspec.Struct, frozen=True, gc=False, tag="heal", array_like=True):
    """Every link carries messages again."""

    at: Millis


class Calm(msgspec.Struct, frozen=True, gc=False, tag="calm", array_like=True):
    """From now on the network loses, doubles and reorders nothing. Cut links stay cut."""

    at: Millis


class Join(msgspec.Struct, frozen=True, gc=False, tag="join", array_like=True):
    """A new server starts, with an empty disk; it is no member of the cluster yet."""

    at: Millis
    node: NodeId


class Reconfigure(msgspec.Struct, frozen=True, gc=False, tag="reconfigure", array_like=True):
    """A node is asked to change who belongs to the cluster."""

    at: Millis
    node: NodeId
    voters: tuple[NodeId, ...]
    learners: tuple[NodeId, ...] = ()


class TransferLeadership(msgspec.Struct, frozen=True, gc=False, tag="transfer", array_like=True):
    """A node is asked to hand its leadership over: to `to`, or to whoever can take it."""

    at: Millis
    node: NodeId
    to: NodeId | None = None


class ForgetLeader(msgspec.Struct, frozen=True, gc=False, tag="forget", array_like=True):
    """A follower is told that its leader is gone."""

    at: Millis
    node: NodeId


class Compact(msgspec.Struct, frozen=True, gc=False, tag="compact", array_like=True):
    """A node lets a snapshot stand for its log up to an index."""

    at: Millis
    node: NodeId
    up_to: Index


class Read(msgspec.Struct, frozen=True, gc=False, tag="read", array_like=True):
    """A client asks a node for a value."""

    at: Millis
    node: NodeId
    key: str


class Wipe(msgspec.Struct, frozen=True, gc=False, tag="wipe", array_like=True):
    """The disk of a crashed node is lost, with all that was on it."""

    at: Millis
    node: NodeId


class SetClockRate(msgspec.Struct, frozen=True, gc=False, tag="clock", array_like=True):
    """From now on a node's clock runs `rate` times as fast as it should."""

    at: Millis
    node: NodeId
    rate: float


class SlowDisk(msgspec.Struct, frozen=True, gc=False, tag="disk", array_like=True):
    """From now on every write of a node takes `write_ms`."""

    at: Millis
    node: NodeId
    write_ms: Millis


class Wait(msgspec.Struct, frozen=True, gc=False, tag="wait", array_like=True):
    """Time passes and nothing happens."""

    at: Millis


Action: TypeAlias = (
    Deliver
    | Drop
    | Duplicate
    | Delay
    | Tick
    | Written
    | Timeout
    | Propose
    | Crash
    | Restart
    | Pause
    | Resume
    | Partition
    | Cut
    | Heal
    | Calm
    | Join
    | Reconfigure
    | TransferLeadership
    | ForgetLeader
    | Compact
    | Read
    | Wipe
    | SetClockRate
    | SlowDisk
    | Wait
)

_KINDS = get_args(Action)
_ENCODER = msgspec.msgpack.Encoder()
_DECODER = msgspec.msgpack.Decoder(Action)


def checked(action: Action) -> Action:
    """An action whose fields are what they should be, as a file would give it back.

    A whole number becomes a float where one stands: a run is the same before and after it was
    kept. Raises: Misuse, for what is no action, and for fields of another kind.
    """
    if not isinstance(action, _KINDS):
        raise Misuse(f"what is played are actions of raftlab.sim.world, not {shown(action)}")
    try:
        same: Action = _DECODER.decode(_ENCODER.encode(action))
    except (msgspec.MsgspecError, TypeError, ValueError, OverflowError, RecursionError) as error:
        kind = type(action).__name__
        raise Misuse(f"{kind} has a field of another kind: {shortened(str(error))}") from None
    return same

"""When two states of a node are one: what is compared of it, and what of time matters."""

import random
from collections.abc import Hashable
from enum import Enum
from types import FunctionType, MethodType
from typing import Any, NamedTuple, cast

import msgspec

from raftlab.raft.figure2 import Figure2
from raftlab.raft.machine import RaftStateMachine
from raftlab.raft.node import NodeCore
from raftlab.raft.progress import FollowerProgress, ProgressState
from raftlab.raft.roles import Leader
from raftlab.raft.rules import Rules
from raftlab.raft.vocabulary import Millis, Misuse
from raftlab.sim.world.host import Host


class Timing(NamedTuple):
    """What of time makes a difference: any of it, and who of a leader's members answered last."""

    matters: bool = False
    order_matters: bool = False


def fingerprint(host: Host, timing: Timing) -> Hashable:
    """Equal for two states of a node from which the same can follow.

    A machine without a method `fingerprint` is compared by all its attributes but those
    that are a float (a time) or a source of randomness; one of a subclass of the shipped
    machine also by what it holds beside it.
    """
    machine: Any = host.machine
    if not host.alive:
        mine: Hashable = None
    elif hasattr(machine, "fingerprint"):
        more: Hashable = None
        if isinstance(machine, RaftStateMachine):
            more = (asked_at(machine), ages(machine, timing) if timing.matters else None)
        if is_subclassed(machine):
            more = (more, frozen(added(machine)))
        mine = (machine.fingerprint(), more)
    else:
        mine = frozen(machine)
    disk = host.disk
    kept = (disk.term, disk.voted_for, tuple(disk.log), disk.snapshot)
    reads = tuple((number, each.key, each.floor) for number, each in host.readings.items())
    told = (host.applied_index, host.application.encode(), host.reads_asked, reads)
    return (mine, kept, told)


def asked_at(machine: RaftStateMachine) -> Hashable:
    """When the reads that wait were asked: an answer repeats it, and another one is not theirs."""
    asked = tuple((number, at) for number, (at, _) in machine._asked_reads.items())
    if isinstance(machine.role_data, Leader):
        reads = machine._reads
        return (asked, reads.asking, reads.waiting)
    return asked


def ages(machine: RaftStateMachine, timing: Timing) -> Hashable:
    """How long ago what the protocol remembers happened (ms), up to where it stops to matter."""
    now, options = machine.now, machine._options
    shortest, beat = options.election_timeout[0], options.heartbeat_interval
    contact = min(now - machine._last_leader_contact, shortest)
    asked = tuple(min(now - at, beat) for at, _ in machine._asked_reads.values())
    repeated = min(now - machine._repeated_at, beat) if asked else None
    leader = machine.role_data
    if not isinstance(leader, Leader):
        return (contact, asked, repeated)
    members = leader.tracker.progress.values()
    heard: Hashable = None
    if counts_who_answers(machine):
        since = tuple(min(now - each.last_reply_at, shortest) for each in members)
        heard = (since, max(machine._quorum_deadline - now, 0.0))
    if timing.order_matters:
        times = sorted({each.last_reply_at for each in members})
        heard = (heard, tuple((each.node, times.index(each.last_reply_at)) for each in members))
    learning = bool(machine.configuration.learners)
    longest = options.election_timeout[1]
    waiting = tuple(
        (each.node, *waits(each, now, longest if learning else 0.0)) for each in members
    )
    transfer = machine._transfer
    handing = None
    if transfer is not None:
        handing = (max(transfer.deadline - now, 0.0), max(transfer.resend_at - now, 0.0))
    return (contact, asked, repeated, heard, waiting, handing)


def waits(progress: FollowerProgress, now: Millis, longest: Millis) -> tuple[Hashable, ...]:
    """How long until a snapshot counts as lost, and since when a learner catches up (ms)."""
    retry = None
    if progress.state is ProgressState.SNAPSHOT:
        retry = max(progress.retry_at - now, 0.0)
    return (retry, min(now - progress.round_since, longest))


def counts_who_answers(machine: RaftStateMachine) -> bool:
    """Whether a leader may step down because nobody answers."""
    return machine._options.check_quorum or overrides(machine._rules, "keeps_leading")


def overrides(rules: Rules, name: str) -> bool:
    """Whether rules decide this in another way than the paper."""
    return getattr(type(rules), name) is not getattr(Rules, name)


def frozen(thing: Any) -> Hashable:
    """What a learner's object holds, as something that can be compared and hashed.

    Raises: Misuse, for what is too deep to be a machine's state.
    """
    try:
        return _frozen(thing)
    except RecursionError:
        raise Misuse(
            f"{type(thing).__name__} refers to itself: give it a method fingerprint()"
        ) from None


def _frozen(thing: Any) -> Hashable:
    if isinstance(thing, float | random.Random):
        return None
    if thing is None or isinstance(thing, str | int | bytes | Enum | type | FunctionType):
        return cast(Hashable, thing)
    if isinstance(thing, MethodType):
        return thing.__qualname__
    if isinstance(thing, dict):
        return tuple((_frozen(key), _frozen(value)) for key, value in thing.items())
    if isinstance(thing, set | frozenset):
        return frozenset(map(_frozen, thing))
    if isinstance(thing, list | tuple):
        return tuple(map(_frozen, thing))
    if hasattr(thing, "fingerprint"):
        told: Hashable = thing.fingerprint()
        return told
    return _fields(thing)


def _fields(thing: Any) -> Hashable:
    """The kind of an object, and what its attributes hold."""
    kind = type(thing)
    slots = (name for each in kind.__mro__ for name in getattr(each, "__slots__", ()))
    fields = thing.__struct_fields__ if isinstance(thing, msgspec.Struct) else ()
    names = sorted({*slots, *fields, *getattr(thing, "__dict__", ())} - {"__dict__", "__weakref__"})
    held = [(name, getattr(thing, name)) for name in names if hasattr(thing, name)]
    if not held and not isinstance(thing, Rules):
        return (kind.__name__, repr(thing))
    return (kind.__name__, tuple((name, _frozen(value)) for name, value in held))


SHIPPED = (RaftStateMachine, Figure2)


def is_subclassed(machine: object) -> bool:
    """Whether it is a shipped machine with something of a reader's own."""
    return isinstance(machine, NodeCore) and type(machine) not in SHIPPED


def added(machine: NodeCore) -> dict[str, Any]:
    """What an object of a subclass holds beside what the shipped machine has."""
    held = dict(getattr(machine, "__dict__", {}))
    for kind in type(machine).__mro__:
        if kind in SHIPPED:
            break
        slots = kind.__dict__.get("__slots__", ())
        for name in (slots,) if isinstance(slots, str) else slots:
            if hasattr(machine, name) and name != "__dict__":
                held[name] = getattr(machine, name)
    return held

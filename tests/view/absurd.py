"""Frames beyond what anybody would make, and yet legal: for tests that a picture holds."""

from random import Random

from raftlab.raft.log import Command, Empty, LogEntry, Snapshot
from raftlab.raft.roles import Role
from raftlab.raft.vocabulary import Configuration
from raftlab.sim.frames.frame import DiskFrame, Frame, InFlight, NodeFrame
from raftlab.sim.world.violation import ViolationFrame
from tests.view.builders import (
    accepted,
    append,
    heartbeat,
    node,
    nodes_named,
    progress,
    rejected,
    request_vote,
    vote,
)

SIZES = (1, 2, 3, 4, 5, 7, 8, 11, 12, 25, 51)
TERMS = (1, 2, 3, 9, 10, 100, 99_999)
LENGTHS = (0, 1, 3, 9, 14, 15, 100, 1000)
PAYLOADS = (b"x=1", b"W" * 20, b"a rather long command = 1", b"k=99999", b"")
ROLES = ("follower", "follower", "follower", "candidate", "leader")
MAKERS = (heartbeat, append, accepted, rejected, request_vote, vote)


def absurd_names(size: int, style: int) -> tuple[str, ...]:
    """Names as usual, of twenty wide letters, of twenty common ones, or of one letter."""
    if style == 0:
        return nodes_named(size)
    stem = {1: "W" * 18, 2: "server in Zurich #", 3: ""}[style]
    return tuple(f"{stem}{place:02}" for place in range(1, size + 1))


def absurd_frame(seed: int) -> Frame:
    """A frame in which everything is large, long or much."""
    any_of = Random(seed)
    names = absurd_names(any_of.choice(SIZES), any_of.randrange(4))
    configuration = _configuration(any_of, names)
    nodes = tuple(_node(any_of, name, names, configuration) for name in names)
    flights = []
    for number in range(any_of.randrange(20) if len(names) > 1 else 0):
        sender, receiver = any_of.sample(names, 2)
        message = any_of.choice(MAKERS)(sender, receiver)
        copies = any_of.choice((1, 1, 3))
        arrives = any_of.uniform(100.0, 115.0)
        flights.append(
            InFlight(10_000 + number, message, any_of.uniform(85.0, 100.0), arrives, copies)
        )
    groups = (names[:1], names[1:]) if len(names) > 1 and any_of.random() < 0.3 else ()
    cuts = tuple((one, two) for g in groups for one in g for two in names if two not in g)
    broken = ViolationFrame(
        "Election Safety", f"{names[0]} and {names[-1]} lead", "Figure 3; 5.2", 7
    )
    return Frame(
        number=99_999,
        at=100.0,
        nodes=nodes,
        in_flight=tuple(flights),
        groups=groups,
        cuts=tuple(sorted(cuts)),
        event=None,
        violation=broken if any_of.random() < 0.2 else None,
    )


def _configuration(any_of: Random, names: tuple[str, ...]) -> Configuration:
    if len(names) < 3 or any_of.random() < 0.6:
        return Configuration(names)
    if any_of.random() < 0.5:
        return Configuration(names[:-1], learners=names[-1:])
    return Configuration(names[:-1], old_voters=names[1:])


def _log(any_of: Random) -> tuple[LogEntry, ...]:
    length, first = any_of.choice(LENGTHS), any_of.choice((1, 1, 1, 9_990))
    terms = sorted(any_of.choice(TERMS) for _ in range(length))
    return tuple(
        LogEntry(term, first + place, any_of.choice((Empty(), Command(any_of.choice(PAYLOADS)))))
        for place, term in enumerate(terms)
    )


def _node(
    any_of: Random, name: str, names: tuple[str, ...], configuration: Configuration
) -> NodeFrame:
    log, role = _log(any_of), any_of.choice(ROLES)
    first = log[0].index if log else 1
    last = log[-1].index if log else 0
    snapshot = Snapshot(first - 1, 1, configuration) if first > 1 else None
    term, chosen = any_of.choice(TERMS), any_of.choice(names)
    commit = any_of.randint(first - 1, max(last, first - 1))
    known = [progress(each, commit, max(last, commit) + 1, any_of.randrange(9)) for each in names]
    alive = any_of.random() < 0.85
    return node(
        name,
        role=role if alive else Role.FOLLOWER.value,
        term=term,
        alive=alive,
        paused=alive and any_of.random() < 0.2,
        voted_for=any_of.choice((None, chosen)),
        leader=any_of.choice((None, chosen)),
        log=log,
        snapshot=snapshot,
        commit=commit,
        configuration=configuration,
        disk=DiskFrame(term, chosen, log[: len(log) // 2], snapshot, any_of.random() < 0.2),
        deadline=any_of.choice((None, 130.0, 250.0)),
        heartbeat=120.0 if role == "leader" else None,
        votes={each: any_of.random() < 0.5 for each in any_of.sample(names, len(names) // 2)}
        if role == "candidate" and alive
        else None,
        progress=known if role == "leader" else (),
        values=any_of.choice(((), (("key", "W" * 30), ("x", "1")))),
    )

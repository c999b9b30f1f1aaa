"""Frames made by hand, for tests of views.

make_frame(5)                                      five quiet followers in term 1
make_frame(S1=node("S1", role="leader", term=3))   S1 leads; the others are followers
make_frame(5, S2=node("S2", alive=False), in_flight=[flying(17, heartbeat("S1", "S3"))])
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from raftlab.raft.log import Command, Empty, LogEntry, Snapshot
from raftlab.raft.messages import (
    Accepted,
    AppendEntries,
    AppendEntriesReply,
    Message,
    Rejected,
    RequestVote,
    RequestVoteReply,
)
from raftlab.raft.progress import ProgressState
from raftlab.raft.roles import Role
from raftlab.raft.vocabulary import Configuration
from raftlab.sim.frames.frame import (
    DiskFrame,
    Event,
    Frame,
    InFlight,
    NodeFrame,
    ProgressFrame,
    VotesFrame,
)
from raftlab.sim.world.violation import ViolationFrame

FIVE = ("S1", "S2", "S3", "S4", "S5")


def nodes_named(size: int) -> tuple[str, ...]:
    """S1 to S<size>."""
    return tuple(f"S{place}" for place in range(1, size + 1))


def make_log(*words: str, first: int = 1) -> tuple[LogEntry, ...]:
    """Entries from "term:payload": `make_log("1:", "1:x=1", "3:cfg")`; "" is the empty entry."""
    entries = []
    for index, word in enumerate(words, start=first):
        term, _, text = word.partition(":")
        payload = {"": Empty(), "cfg": Configuration(FIVE)}.get(text) or Command(text.encode())
        entries.append(LogEntry(int(term), index, payload))
    return tuple(entries)


def entry_of(term: int, index: int, configuration: Configuration) -> LogEntry:
    """The entry of a configuration."""
    return LogEntry(term, index, configuration)


def node(
    name: str,
    *,
    role: str = "follower",
    term: int = 1,
    alive: bool = True,
    paused: bool = False,
    voted_for: str | None = None,
    leader: str | None = None,
    log: Sequence[LogEntry] = (),
    snapshot: Snapshot | None = None,
    commit: int = 0,
    voters: Sequence[str] = FIVE,
    disk: DiskFrame | None = None,
    writing: bool = False,
    deadline: float | None = None,
    timeout: float | None = 200.0,
    heartbeat: float | None = None,
    votes: Mapping[str, bool] | None = None,
    prevote: bool = False,
    progress: Iterable[ProgressFrame] = (),
    configuration: Configuration | None = None,
    **more: Any,
) -> NodeFrame:
    """One node; its disk holds what its memory holds unless `disk` says otherwise.

    It goes by `configuration`, or the newest one in `log`, or plain `voters`. `more` are
    fields of `NodeFrame` as they are.
    """
    log = tuple(log)
    held = [entry for entry in log if isinstance(entry.payload, Configuration)]
    if configuration is None and held and held[-1].payload != Configuration(FIVE):
        configuration = held[-1].payload
        more = {"configuration_index": held[-1].index} | more
    configuration = configuration or Configuration(tuple(voters))
    return NodeFrame(
        node=name,
        alive=alive,
        paused=paused,
        role=Role(role),
        term=term,
        voted_for=voted_for,
        leader=leader,
        log=log,
        snapshot=snapshot,
        commit_index=commit,
        applied_index=commit,
        configuration=configuration,
        disk=disk or DiskFrame(term, voted_for, log, snapshot, writing),
        election_deadline=deadline,
        election_timeout=timeout,
        heartbeat_deadline=heartbeat,
        votes=None if votes is None else VotesFrame(term, prevote, configuration, dict(votes)),
        progress=tuple(progress),
        **more,
    )


def progress(
    name: str, match: int, next_index: int, in_flight: int = 0, **more: Any
) -> ProgressFrame:
    """What a leader knows of `name`; `more` are fields of `ProgressFrame` as they are."""
    state = more.pop("state", ProgressState.PIPELINE if match else ProgressState.PROBE)
    return ProgressFrame(name, match, next_index, 0, state, in_flight, False, **more)


def make_frame(
    size: int = 5,
    *,
    at: float = 100.0,
    number: int = 1,
    in_flight: Iterable[InFlight] = (),
    groups: Sequence[Sequence[str]] = (),
    cuts: Iterable[tuple[str, str]] = (),
    lost: Message | None = None,
    text: str = "",
    violation: ViolationFrame | None = None,
    **given: NodeFrame,
) -> Frame:
    """A frame of `size` nodes; name those that are not quiet followers: `S1=node("S1", …)`.

    `cuts` are added to the links that a partition into `groups` cuts anyway.
    """
    names = nodes_named(size)
    quiet = {
        name: node(name, voters=names, deadline=at + 60 + 23 * (place % 5))
        for place, name in enumerate(names)
    }
    event = Event(number, at, text, (), lost) if text or lost else None
    severed = {
        (sender, receiver)
        for group in groups
        for sender in group
        for receiver in names
        if receiver not in group
    }
    return Frame(
        number=number,
        at=at,
        nodes=tuple((quiet | given).values()),
        in_flight=tuple(in_flight),
        groups=tuple(tuple(group) for group in groups),
        cuts=tuple(sorted(severed | set(cuts))),
        event=event,
        violation=violation,
    )


def flying(
    number: int, message: Message, sent: float = 95.0, arrives: float = 105.0, copies: int = 1
) -> InFlight:
    """A message on its way; at 100 ms it is half-way unless told otherwise."""
    return InFlight(number, message, sent, arrives, copies)


def request_vote(sender: str, receiver: str, term: int = 2, prevote: bool = False) -> RequestVote:
    """A candidate with an empty log asks."""
    return RequestVote(
        term=term,
        sender=sender,
        receiver=receiver,
        last_log_index=0,
        last_log_term=0,
        is_prevote=prevote,
    )


def vote(sender: str, receiver: str, term: int = 2, granted: bool = True) -> RequestVoteReply:
    """A voter answers."""
    return RequestVoteReply(term=term, sender=sender, receiver=receiver, vote_granted=granted)


def heartbeat(sender: str, receiver: str, term: int = 2, commit: int = 0) -> AppendEntries:
    """An AppendEntries without entries."""
    return AppendEntries(
        term=term,
        sender=sender,
        receiver=receiver,
        prev_log_index=0,
        prev_log_term=0,
        entries=(),
        leader_commit=commit,
    )


def append(
    sender: str, receiver: str, *words: str, after: int = 0, term: int = 2, commit: int = 0
) -> AppendEntries:
    """An AppendEntries with entries from words: `append("S1", "S2", "2:x=1", after=3)`."""
    entries = make_log(*words, first=after + 1)
    return AppendEntries(
        term=term,
        sender=sender,
        receiver=receiver,
        prev_log_index=after,
        prev_log_term=term if after else 0,
        entries=entries,
        leader_commit=commit,
    )


def accepted(sender: str, receiver: str, index: int = 1, term: int = 2) -> AppendEntriesReply:
    """A follower agrees up to `index`."""
    return AppendEntriesReply(
        term=term, sender=sender, receiver=receiver, commit_index=0, result=Accepted(index)
    )


def rejected(sender: str, receiver: str, index: int = 1, term: int = 2) -> AppendEntriesReply:
    """A follower has something else at `index`."""
    return AppendEntriesReply(
        term=term,
        sender=sender,
        receiver=receiver,
        commit_index=0,
        result=Rejected(
            non_matching_index=index, last_index=index - 1, hint_index=index - 1, hint_term=1
        ),
    )

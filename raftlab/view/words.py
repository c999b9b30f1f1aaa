"""How things are said: times, tables, payloads, messages, and the first line of a description."""

from collections.abc import Iterable, Sequence
from itertools import zip_longest

from raftlab.raft.log import Command, Empty, Payload, Snapshot
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
from raftlab.raft.roles import Role
from raftlab.raft.vocabulary import Millis, NodeId
from raftlab.sim.frames.frame import Frame, InFlight, NodeFrame
from raftlab.sim.world.violation import ViolationFrame
from raftlab.view.configurations import configuration_labels, configuration_text

MAX_PAYLOAD = 24
"""How many letters of a payload are shown at most."""

MAX_CONFIGURATION = 80
"""The same of a configuration, in runs of nodes: cut, it would be told nowhere in full."""


def ms(time: Millis) -> str:
    """A time with one decimal and its unit: "163.4 ms"."""
    return f"{time:.1f} ms"


def table(
    header: Sequence[str], rows: Iterable[Sequence[str]], *, right: Iterable[int] = ()
) -> str:
    """Columns under their headers, two spaces apart; those numbered in `right` flush right.

    Columns are numbered from 0. A row may be shorter than the header. No line ends in a
    space.
    """
    lines = [header, *rows]
    widths = [max(map(len, column)) for column in zip_longest(*lines, fillvalue="")]
    pad = [str.ljust] * len(widths)
    for column in right:
        pad[column] = str.rjust
    return "\n".join(
        [
            "  ".join([p(c, w) for p, c, w in zip(pad, line, widths, strict=False)]).rstrip()
            for line in lines
        ]
    )


def table_without_empty(
    header: Sequence[str], rows: Sequence[Sequence[str]], keep: int, right: Iterable[int] = ()
) -> str:
    """A table without those columns, from number `keep` on, that say nothing."""
    shown = [place for place in range(len(header)) if place < keep or any(r[place] for r in rows)]
    flush = [shown.index(place) for place in right if place in shown]
    return table([header[p] for p in shown], [[r[p] for p in shown] for r in rows], right=flush)


def names(nodes: Sequence[NodeId]) -> str:
    """A list as it is said: "S1", "S1 and S2", "S1, S2 and S3"."""
    if len(nodes) < 2:
        return "".join(nodes)
    return f"{', '.join(nodes[:-1])} and {nodes[-1]}"


def clean(text: str, limit: int = MAX_PAYLOAD) -> str:
    """`text` on one line, printable, with at most `limit` letters (the last is then "…")."""
    if not text.isprintable():
        text = "".join(letter if letter.isprintable() else "\ufffd" for letter in text)
    return text if len(text) <= limit else text[: limit - 1] + "…"


def payload_text(payload: Payload, limit: int | None = None) -> str:
    """What an entry holds, in a word: `x=1`, "·" for the empty entry, "cfg S1-5" for members."""
    if isinstance(payload, Command):
        most = limit or MAX_PAYLOAD
        return clean(payload.data[: 4 * most].decode("utf-8", "replace"), most) or '""'
    if isinstance(payload, Empty):
        return "·"
    return clean(configuration_labels(payload)[0], limit or MAX_CONFIGURATION)


def role_text(node: NodeFrame) -> str:
    """The role in a word; "down" for a node that is, "pre-candidate" before a campaign."""
    if not node.alive:
        return "down"
    if node.role is Role.CANDIDATE and node.votes and node.votes.is_prevote:
        return "pre-candidate"
    return node.role.value


def kind_text(message: Message) -> str:
    """What kind of message it is, as the paper would say it."""
    match message:
        case RequestVote(is_prevote=True):
            return "pre-vote"
        case RequestVoteReply(is_prevote=True):
            return "pre-vote reply"
        case RequestVoteReply():
            return "RequestVote reply"
        case AppendEntries(entries=()):
            return "heartbeat for a read" if message.read_round else "heartbeat"
        case AppendEntriesReply():
            return "AppendEntries reply"
        case InstallSnapshotReply():
            return "InstallSnapshot reply"
        case ReadIndexReply():
            return "ReadIndex reply"
        case _:
            return type(message).__name__


def message_text(message: Message) -> str:
    """What a message says, without its sender, receiver and kind."""
    match message:
        case RequestVote():
            last = f"log ends at {message.last_log_index}"
            end = f"{last} of term {message.last_log_term}" if message.last_log_index else last
            return f"term {message.term}, {end}{', forced' if message.force else ''}"
        case RequestVoteReply():
            return f"term {message.term}, {'granted' if message.vote_granted else 'refused'}"
        case AppendEntries():
            return _append_text(message)
        case AppendEntriesReply():
            said = f"term {message.term}, {_result_text(message)}, commit {message.commit_index}"
            return said + _round_text(message.read_round)
        case InstallSnapshot():
            return f"term {message.term}, snapshot up to {snapshot_text(message.snapshot)}"
        case InstallSnapshotReply():
            taken = "taken" if message.success else "refused"
            return f"term {message.term}, {taken} up to {message.last_index}"
        case TimeoutNow():
            return f"term {message.term}"
        case ReadIndex():
            return f"term {message.term}, {_read_text(message)}"
        case ReadIndexReply():
            served = f"to be served once {message.index} is applied"
            return f"term {message.term}, {_read_text(message)}, {served}"


def flight_text(flight: InFlight, at: Millis) -> str:
    """A message in flight in one line: its number, from, to, kind, content and arrival."""
    message = flight.message
    copies = f" ×{flight.copies}" if flight.copies > 1 else ""
    left = f"arrives in {ms(max(flight.arrives_at - at, 0.0))}"
    way = f"{message.sender} → {message.receiver}"
    says = f"{kind_text(message)}: {message_text(message)}"
    return f"#{flight.number}{copies} {way} {says}; {left}"


def _append_text(message: AppendEntries) -> str:
    parts = [f"term {message.term}"]
    if message.entries:
        held = " ".join(f"{each.term}:{payload_text(each.payload)}" for each in message.entries[:4])
        more = " …" if message.entries[4:] else ""
        first, last = message.entries[0].index, message.entries[-1].index
        span = f"entry {first}" if first == last else f"entries {first} to {last}"
        parts.append(f"{span} ({held}{more})")
    before = message.prev_log_index
    parts.append(f"after {before}" + (f" of term {message.prev_log_term}" if before else ""))
    return ", ".join([*parts, f"commit {message.leader_commit}"]) + _round_text(message.read_round)


def _round_text(read_round: int) -> str:
    return f", read round {read_round}" if read_round else ""


def _read_text(message: ReadIndex | ReadIndexReply) -> str:
    return f"read {message.read_id} asked at {ms(message.asked_at)}"


def snapshot_text(snapshot: Snapshot) -> str:
    """How far a snapshot reaches, and who belonged to the cluster there."""
    members = clean(configuration_text(snapshot.configuration), 200)
    return f"{snapshot.index} of term {snapshot.term}, {members}"


def _result_text(message: AppendEntriesReply) -> str:
    if isinstance(message.result, Accepted):
        return f"accepted up to {message.result.last_new_index}"
    result = message.result
    hint = f"hint {result.hint_index} of term {result.hint_term}"
    return f"rejected at {result.non_matching_index}, log ends at {result.last_index}, {hint}"


def violation_text(violation: ViolationFrame) -> str:
    """Which property no longer holds, how, and where the paper states it."""
    return f"{violation.name} is violated: {violation.text} ({violation.paper})"


# The first line of every description


def headline(frame: Frame) -> str:
    """When it is, who leads, who campaigns, and who is down, in one sentence."""
    return f"{ms(frame.at)}: {'; '.join(_news(frame))}."


def _news(frame: Frame) -> list[str]:
    alive = [node for node in frame.nodes if node.alive]
    leaders = sorted(
        (node for node in alive if node.role is Role.LEADER), key=lambda node: -node.term
    )
    news = [f"{leader.node} leads term {leader.term}" for leader in leaders] or ["nobody leads"]
    campaigns: dict[tuple[str, str, int], list[NodeId]] = {}
    for node in alive:
        if node.role is Role.CANDIDATE:
            asks = role_text(node) == "pre-candidate"
            one, many = (
                ("asks for pre-votes", "ask for pre-votes") if asks else ("campaigns", "campaign")
            )
            campaigns.setdefault((one, many, node.term), []).append(node.node)
    for (one, many, term), nodes in campaigns.items():
        news.append(f"{names(nodes)} {one if len(nodes) == 1 else many} in term {term}")
    news += _are([node.node for node in frame.nodes if not node.alive], "down")
    news += _are([node.node for node in alive if node.paused], "paused")
    if frame.groups:
        news.append(f"partition {' | '.join(' '.join(group) for group in frame.groups)}")
    return news


def _are(nodes: list[NodeId], what: str) -> list[str]:
    if not nodes:
        return []
    if len(nodes) > 5:
        return [f"{len(nodes)} nodes are {what}"]
    return [f"{names(nodes)} {'is' if len(nodes) == 1 else 'are'} {what}"]

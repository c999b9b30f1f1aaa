"""Questions about next indexes: where a leader tries next, and how many tries it takes."""

import random

import msgspec

from raftlab.course.in_words import terms_of
from raftlab.course.predict.asking import CREDIT
from raftlab.course.predict.leading import (
    OneStepBack,
    OneStepBackSendsAll,
    SendsAll,
    WithoutNoOp,
    leader_with,
    repair,
)
from raftlab.course.predict.logs import diverged
from raftlab.course.question import Question, template
from raftlab.course.rows import scene_rows
from raftlab.course.situations import log_of
from raftlab.raft.log import LogEntry
from raftlab.raft.machine import RaftStateMachine
from raftlab.raft.messages import Accepted, AppendEntries, AppendEntriesReply, Rejected
from raftlab.raft.roles import Leader
from raftlab.raft.rules import Rules
from raftlab.raft.vocabulary import Configuration, Index, Misuse, Term
from raftlab.sim.cluster import Cluster
from raftlab.sim.world.settings import Network
from raftlab.sim.world.violation import Violation
from raftlab.view import Scene

PAIR = ("leader", "follower")
MOST_WRONG = 100
MOST_DRAWN = 6
BESIDE = "The logs of a new leader and of a follower"
REFUSALS = frozenset(["accepts_append", "next_index_after"])
"""What speaks where a follower refuses, and where its leader goes back."""
STEADY = Network(latency=(5.0, 5.0))


class Sent(msgspec.Struct, frozen=True):
    """What S2 was sent until it had the new entry: messages, entries, those it held, refusals."""

    messages: int
    entries: int
    held: tuple[Index, ...]
    refusals: tuple[str, ...]


def exchanges(
    leader: str, follower: str, rules: Rules
) -> list[tuple[AppendEntries, AppendEntriesReply]]:
    """What a new leader with these rules and a follower say until their logs are equal."""
    term: Term = max([0, *terms_of(leader), *terms_of(follower)]) + 1
    boss = leader_with(leader, term, PAIR, rules)
    log = log_of(follower)
    other = RaftStateMachine("follower", configuration=Configuration(PAIR), term=term, log=log)
    boss._broadcast_heartbeat()
    return repair(boss, other)


def _asked(
    leader: str, follower: str, said: list[tuple[AppendEntries, AppendEntriesReply]]
) -> Scene:
    """Both logs, and below them the entry that each of the first messages asks about."""
    rows = {"leader": leader, "follower": follower}
    for number, (request, reply) in enumerate(said[:MOST_DRAWN], start=1):
        index, term = request.prev_log_index, request.prev_log_term
        answer = "accepted" if isinstance(reply.result, Accepted) else "rejected"
        rows[f"{number}. {answer}"] = f"{'_ ' * (index - 1)}{term}" if index else ""
    return scene_rows(rows, "The entry that each message asks about")


def _told(said: list[tuple[AppendEntries, AppendEntriesReply]]) -> list[str]:
    lines = []
    for number, (request, reply) in enumerate(said, start=1):
        prev, term = request.prev_log_index, request.prev_log_term
        asked = f"after entry {prev} of term {term}" if prev else "from the first entry on"
        count = len(request.entries)
        carried = "1 entry" if count == 1 else f"{count or 'no'} entries"
        result = reply.result
        up_to = f" up to entry {result.last_new_index}" if isinstance(result, Accepted) else ""
        lines.append(f"message {number}: {carried} {asked}: {_answered(result)}{up_to}")
    return lines


def _told_of_places(said: list[tuple[AppendEntries, AppendEntriesReply]]) -> list[str]:
    """The same where what messages carry is beside the point: a no-op, perhaps."""
    lines = []
    for number, (request, reply) in enumerate(said, start=1):
        prev, term = request.prev_log_index, request.prev_log_term
        asked = f"asks about entry {prev} of term {term}" if prev else "begins with entry 1"
        lines.append(f"message {number} {asked}: {_answered(reply.result)}")
    return lines


def _answered(result: Accepted | Rejected) -> str:
    if isinstance(result, Accepted):
        return "accepted"
    if result.hint_index:
        return f"rejected, hint: entry {result.hint_index} of term {result.hint_term}"
    return "rejected, hint: nothing"


def _agreed(said: list[tuple[AppendEntries, AppendEntriesReply]], hints: bool) -> str:
    """How many messages that makes, and the rule."""
    prev = said[-1][0].prev_log_index
    place = f"after entry {prev}" if prev else "from the first entry on"
    way = "each hint skips at least a term" if hints else "each refusal is one step"
    count = f"{len(said)} message{'s' * (len(said) != 1)}"
    return f"{count}: {way}, until the logs agree {place}, and all that follows is sent (5.3)"


@template
def next_index_after(
    leader: str | None = None, follower: str = "", *, hints: bool = True, seed: int = 0
) -> Question:
    """A follower rejects a new leader's first message: which next_index does it try then?

    `hints=False`: the leader steps back by one, as in the paper's Figure 2.
    """
    if leader is None:
        leader, follower = diverged(random.Random(f"raftlab next {seed}"))
    said = exchanges(leader, follower, WithoutNoOp() if hints else OneStepBack())
    first = said[min(len(said), 2) - 1][0]
    rule = "after a rejection the leader goes back, with a hint to where the logs may agree (5.3)"
    how = "with the follower's hint" if hints else "one step back at a time, without hints"
    return Question(
        f"A new leader begins with next_index {said[0][0].prev_log_index + 1} for this follower,"
        f" and looks for the place where their logs agree {how}. Which next_index does it try"
        " after the first answer?",
        (),
        first.prev_log_index + 1,
        [*_told_of_places(said[:2]), rule],
        scenes=(scene_rows({"leader": leader, "follower": follower}, BESIDE),),
        then=(_asked(leader, follower, said[:2]),),
    )


@template
def messages_to_repair(
    leader: str | None = None, follower: str = "", *, hints: bool = True, seed: int = 0
) -> Question:
    """How many AppendEntries does it take until the follower's log equals the leader's?

    Counted as in the paper's Figure 2, where each carries all that follows: without probes.
    """
    if leader is None:
        leader, follower = diverged(random.Random(f"raftlab repair {seed}"))
    said = exchanges(leader, follower, SendsAll() if hints else OneStepBackSendsAll())
    told = _told(said)
    how = "uses the follower's hints" if hints else "steps back by one after each rejection"
    return Question(
        f"A new leader with this log begins at the end of its log and {how}. Suppose that"
        " each message carries all entries from next_index on. How many AppendEntries does it"
        " send to this follower until their logs are equal?",
        (),
        len(said),
        [*(told if len(told) <= 12 else [*told[:5], "…", *told[-2:]]), _agreed(said, hints)],
        scenes=(scene_rows({"leader": leader, "follower": follower}, BESIDE),),
        then=(_asked(leader, follower, said),),
    )


@template
def corrupt_next_index(wrong: Index | None = None, *, seed: int = 0) -> Question:
    """A leader's next_index for a follower is corrupted: what comes of it?

    `wrong` is the corrupt value, from 1 to 100: too small (the right one is 5), or past the end
    of the log. With a seed the logs are of another length, too.

    Raises: Misuse, for any other.
    """
    held = 4
    if wrong is None:
        rng = random.Random(f"raftlab corrupt {seed}")
        held = rng.choice((3, 4, 5, 6))
        wrong = rng.choice((rng.randint(1, held), held + rng.choice((2, 3, 4, 6, 15))))
    if type(wrong) is not int or not 1 <= wrong <= MOST_WRONG:
        raise Misuse(f"a next_index to ask about is a whole number from 1 to {MOST_WRONG}")
    truth, why = _after_corruption(wrong, held, seed)
    beyond = (
        f" S1's own log ends with entry {held + 1}: it asks S2 about that one."
        if wrong > held + 2
        else ""
    )
    return Question(
        f"S1 leads; every server holds entries 1 to {held}, and S1 is about to send entry"
        f" {held + 1}. An error sets its next_index for S2 to {wrong}.{beyond} What comes of it?",
        {
            "again": "S2 is sent entries that it holds already, then the new one",
            "refused": "S2 refuses a message, S1 goes back, and then S2 gets the new entry",
            "stuck": "S2 never gets the new entry",
            "unsafe": "a property breaks: a committed entry may be lost",
            "nothing": "nothing changes: S2 is sent the new entry at once",
        },
        truth,
        (*why, "next_index is a guess, and the consistency check finds the truth (5.3)"),
        credit=CREDIT,
    )


def _after_corruption(wrong: Index, held: Index, seed: int) -> tuple[str, list[str]]:
    """What came of it, and why, with the numbers."""
    usual, _ = _catch_up(None, held, seed)
    sent, broken = _catch_up(wrong, held, seed)
    if broken:
        return "unsafe", [broken]
    if sent is None or usual is None:
        return "stuck", ["the follower never catches up"]
    instead = "as usual" if sent == usual else f"not {_amount(usual)}"
    told = f"every property holds; S2 is sent {_amount(sent)}, {instead}"
    if sent.refusals:
        outside = f"next_index {wrong} is past its log: S1 asks after its last entry, {held + 1}"
        first = [outside] if wrong > held + 2 else []
        return "refused", [*first, *sent.refusals, told]
    if sent.held:
        low, high = sent.held[0], sent.held[-1]
        which = f"entry {low}" if low == high else f"entries {low} to {high}"
        asked = f"S2 has entry {low - 1}" if low > 1 else "nothing stands before entry 1"
        return "again", [
            f"{asked}, so S2 accepts; it cuts nothing, since nothing contradicts its log",
            f"S2 holds {which} already: nothing is lost, only time",
            told,
        ]
    return "nothing", [f"next_index {wrong} is the right one", told]


def _amount(sent: Sent) -> str:
    messages, entries = sent.messages, sent.entries
    carried = "1 entry" if entries == 1 else f"{entries} entries"
    return f"{messages} message{'s' * (messages != 1)} with {carried}"


def _catch_up(wrong: Index | None, held: Index, seed: int) -> tuple[Sent | None, str]:
    """What it takes to bring S2 up to date after a corruption, and what broke."""
    cluster = Cluster(3, seed=seed, network=STEADY)
    try:
        cluster.elect("S1")
        for value in range(held - 1):
            cluster.propose(f"x={value}")
        cluster.run(225)  # between two heartbeats
        machine = cluster.hosts["S1"].machine
        assert isinstance(machine, RaftStateMachine) and isinstance(machine.role_data, Leader)
        if wrong is not None:
            progress = machine.role_data.tracker.progress["S2"]
            progress.next_index = wrong
            progress.become_probe()
        sent = _send_one(cluster)
        cluster.run(200)
    except Violation as violation:
        return None, f"{violation.frame.name}: {violation.frame.text}"
    return sent, ""


def _send_one(cluster: Cluster) -> Sent | None:
    """Propose one more entry; what goes to S2 until it has it."""
    index, end = cluster.propose("x=9"), cluster.now + 2000
    sent: dict[int, tuple[LogEntry, ...]] = {}
    refusals: list[str] = []
    while cluster.hosts["S2"].machine.log.last_index < index:
        if cluster.now >= end:
            return None
        for flight in cluster.in_flight():
            message = flight.message
            if isinstance(message, AppendEntries) and message.receiver == "S2":
                sent[flight.number] = message.entries
        event = cluster.step()
        if event.involves(REFUSALS):
            refusals.append(event.text.removesuffix("."))
    entries = [entry.index for message in sent.values() for entry in message]
    known = tuple(sorted({each for each in entries if each < index}))
    return Sent(len(sent), len(entries), known, tuple(refusals))

"""Questions about logs: which can be, which fit, and what an append makes of one."""

import random
from collections.abc import Mapping, Sequence

from raftlab.course.predict.asking import CREDIT, hand_over
from raftlab.course.question import Question, template
from raftlab.course.rows import scene_labelled_rows, scene_rows
from raftlab.course.situations import FIGURE_7, entries_of, log_of, random_logs, terms_of, words_of
from raftlab.raft.log import Empty, LogEntry, RaftLog
from raftlab.raft.machine import RaftStateMachine
from raftlab.raft.messages import Accepted, AppendEntries, AppendEntriesReply
from raftlab.raft.vocabulary import Configuration, Index, Misuse, Term
from raftlab.sim.cluster import Cluster

EMPTY = "empty"
STEPS = "The follower's log before and after the message"
BESIDE = "The leader's log, and those of its followers"
PAIR = Configuration(("leader", "follower"))


def follower_with(log: RaftLog, term: Term) -> RaftStateMachine:
    """A follower that holds `log`, in `term`."""
    return RaftStateMachine("follower", configuration=PAIR, term=max(term, log.last_term), log=log)


def append_to(
    log: RaftLog, prev_log_index: Index, prev_log_term: Term, entries: Sequence[LogEntry]
) -> tuple[bool, RaftLog, str]:
    """Hand one AppendEntries to a follower: whether it accepts, its log after it, and why."""
    term = max([log.last_term, prev_log_term, *(entry.term for entry in entries)])
    machine = follower_with(log.copy(), term)
    held = log.term_for_index(prev_log_index)
    request = AppendEntries(
        term=machine.term,
        sender="leader",
        receiver="follower",
        prev_log_index=prev_log_index,
        prev_log_term=prev_log_term,
        entries=tuple(entries),
        leader_commit=0,
    )
    output = hand_over(machine, request)
    reply = output.messages[-1]
    assert isinstance(reply, AppendEntriesReply)
    if not isinstance(reply.result, Accepted):
        has = f"it has term {held} there" if held is not None else "its log ends before"
        wanted = f"it needs entry {prev_log_index} of term {prev_log_term}"
        return False, machine.log, f"rejects: {wanted}, and {has}"
    cut = [str(note) for note in output.debug_log if note.rule == "conflict_index"]
    why = cut[0] if cut else "cuts nothing: nothing contradicts its log"
    return True, machine.log, f"accepts up to entry {reply.result.last_new_index}; {why}"


@template
def append_result(
    log: str | None = None,
    prev: tuple[Index, Term] | None = None,
    entries: str = "",
    *,
    seed: int = 0,
) -> Question:
    """What is a follower's log after an AppendEntries?

        predict.append_result(log="1 1 2", prev=(2, 1), entries="3 3")

    `prev` is (prev_log_index, prev_log_term); logs and entries are written as terms. The
    wrong choices are what follows from the usual mistakes.
    """
    if log is None or prev is None:
        log, prev, entries = _random_append(seed)
    held, new = log_of(log), entries_of(entries, prev[0] + 1)
    _, after, why = append_to(held, *prev, new)
    truth = words_of(after) or EMPTY
    outcomes = [truth, words_of(held) or EMPTY, *_wrong_outcomes(held, prev[0], new)]
    distinct = sorted(dict.fromkeys(outcomes))
    random.Random(f"raftlab choices {log} {prev} {entries}").shuffle(distinct)
    choices = dict(zip("abcdefgh", distinct, strict=False))
    key = next(letter for letter, words in choices.items() if words == truth)
    sent_at = "_ " * prev[0] + entries
    sent = f"entries of terms {entries}" if entries else "no entries (a heartbeat)"
    return Question(
        f"A follower's log has entries of terms {words_of(held) or EMPTY}. AppendEntries arrives"
        f" with prevLogIndex {prev[0]}, prevLogTerm {prev[1]} and {sent}."
        " What are the terms in its log afterwards?",
        choices,
        key,
        (f"the follower {why}", f"its log then: {truth}"),
        then=(scene_rows({"before": log, "message": sent_at, "after": words_of(after)}, STEPS),),
    )


def _wrong_outcomes(log: RaftLog, prev: Index, entries: Sequence[LogEntry]) -> list[str]:
    """What the log would be with the usual mistakes: cut always, or never, or only append."""
    held, new = [str(entry.term) for entry in log], [str(entry.term) for entry in entries]
    always_cut = held[:prev] + new
    return [" ".join(terms) or EMPTY for terms in (always_cut, held + new, held[:prev])]


def _random_append(seed: int) -> tuple[str, tuple[Index, Term], str]:
    rng = random.Random(f"raftlab append {seed}")
    leader = [1] * rng.randint(1, 3) + [2] * rng.randint(1, 2) + [4] * rng.randint(1, 3)
    same = rng.randint(1, len(leader))
    follower = leader[:same]
    if rng.random() < 0.6 and same < len(leader):
        follower = [*follower, *[max(3, follower[-1])] * rng.randint(1, 3)]
    prev = rng.randint(max(0, same - 2), min(same + 1, len(leader) - 1))
    stop = rng.randint(prev, len(leader))
    words = " ".join(map(str, follower))
    return words, (prev, leader[prev - 1] if prev else 0), " ".join(map(str, leader[prev:stop]))


def diverged(rng: random.Random) -> tuple[str, str]:
    """The logs of a leader and of a follower that has missed some terms and had others."""
    shared = sorted(rng.choices([1, 2], k=rng.randint(2, 4)))
    leader = shared + sorted(rng.choices([4, 6], k=rng.randint(1, 5)))
    follower = shared + sorted(rng.choices([3, 5], k=rng.randint(1, 5)))
    return " ".join(map(str, leader)), " ".join(map(str, follower))


def _random_followers(rng: random.Random) -> dict[str, str]:
    logs = random_logs(rng, ("leader", "a", "b", "c", "d"))
    best = max(logs, key=lambda node: (log_of(logs[node]).last_term, len(logs[node])))
    logs["leader"], logs[best] = logs[best], logs["leader"]
    return logs


@template
def legal_log(logs: Mapping[str, str] | None = None, *, seed: int = 0) -> Question:
    """Which of these logs, each taken alone, can be on a server of a correct cluster?

        predict.legal_log({"a": "1 1 2 3", "b": "1 3 2", "c": "1 1 _ 2"})

    "_" stands for an entry that is missing.
    """
    shown = dict(logs) if logs is not None else _random_logs(seed)
    legal, reasons = [], []
    for name, words in shown.items():
        problem = _problem_of(words)
        if problem is None:
            legal.append(name)
            reasons.append(f"{name} can be: no hole, and terms never go back")
        else:
            reasons.append(f"{name} cannot: {problem}")
    return Question(
        "Each line is the log of one server, as the terms of its entries; _ is a missing entry."
        " Which of them, taken alone, can be in a correct cluster?",
        shown,
        legal,
        reasons,
        several=True,
        credit=CREDIT,
    )


@template
def possible_logs(
    leader: str | None = None,
    followers: Mapping[str, str] | None = None,
    *,
    seed: int = 0,
) -> Question:
    """Which followers' logs can stand beside this leader's in a correct cluster?

    Each is put into a cluster with the leader, which does not start with logs that break
    Log Matching or that cannot be.
    """
    if leader is None or followers is None:
        leader, followers = _random_neighbours(random.Random(f"raftlab neighbours {seed}"))
    possible, reasons, told = [], [], {}
    for name, words in followers.items():
        try:
            Cluster(PAIR.voters, logs={"leader": terms_of(leader), "follower": terms_of(words)})
        except Misuse as problem:
            reasons.append(f"{name} cannot be: {problem}")
            told[name] = "cannot be"
        else:
            possible.append(name)
            told[name] = "can be"
            reasons.append(f"{name} can be: where index and term are equal, so is all before")
    return Question(
        "Which of these followers' logs can stand beside the leader's, as Log Matching has it?",
        list(followers),
        possible,
        reasons,
        several=True,
        scenes=(scene_rows({"leader": leader, **followers}, BESIDE),),
        then=(scene_labelled_rows({"leader": leader, **followers}, told, BESIDE),),
        credit=CREDIT,
    )


def _random_neighbours(rng: random.Random) -> tuple[str, dict[str, str]]:
    """A leader's log, and four beside it: of each kind, possible or not, at least one."""
    leader = sorted(rng.choices([1, 3, 5, 6], k=rng.randint(6, 8)))
    kinds = ["parts", "differs", *rng.choices(["parts", "differs"], k=2)]
    rng.shuffle(kinds)
    found = {}
    for name, kind in zip("abcd", kinds, strict=True):
        kept = rng.randint(2, len(leader) - 1)
        parted = [*leader[:kept], *[max(4, leader[kept - 1])] * rng.randint(0, 2), 7]
        log = parted if kind == "parts" else _different_before(rng, leader)
        found[name] = " ".join(map(str, log))
    return " ".join(map(str, leader)), found


def _different_before(rng: random.Random, leader: list[Term]) -> list[Term]:
    """The leader's log with another term at one place before its last entry."""
    ways = [
        (place, term)
        for place in range(len(leader) - 1)
        for term in range(max([1, *leader[:place]]), leader[place + 1] + 1)
        if term != leader[place]
    ]
    place, term = rng.choice(ways)
    return [*leader[:place], term, *leader[place + 1 :]]


def _problem_of(words: str) -> str | None:
    """What `RaftLog` says against this log, or None."""
    entries = [
        LogEntry(int(word), index, Empty())
        for index, word in enumerate(words.split(), start=1)
        if word != "_"
    ]
    try:
        RaftLog(entries)
    except Misuse as problem:
        return str(problem)
    return None


def _random_logs(seed: int) -> dict[str, str]:
    """Four logs, of which at least one can be and at least one cannot."""
    rng = random.Random(f"raftlab legal {seed}")
    kinds = ["fine", rng.choice(["back", "hole"]), *rng.choices(["fine", "back", "hole"], k=2)]
    rng.shuffle(kinds)
    found = {}
    for name, kind in zip("abcd", kinds, strict=True):
        words = [str(term) for term in sorted(rng.choices(range(1, 6), k=rng.randint(3, 6)))]
        if kind == "back":
            words.insert(rng.randrange(1, len(words)), str(int(words[-1]) + 1))
        if kind == "hole":
            words[rng.randrange(len(words) - 1)] = "_"
        found[name] = " ".join(words)
    return found


@template
def possible_followers(
    leader: str | None = None,
    followers: Mapping[str, str] | None = None,
    prev_log_index: Index | None = None,
    *,
    seed: int | None = None,
) -> Question:
    """Which followers accept the AppendEntries that follows `prev_log_index` of the leader's log?

    Without arguments: Figure 7, and the leader's first message of term 8.
    """
    if leader is None or followers is None:
        rng = random.Random(f"raftlab followers {seed}")
        logs = FIGURE_7 if seed is None else _random_followers(rng)
        leader = logs["leader"]
        followers = {name: log for name, log in logs.items() if name != "leader"}
        if prev_log_index is None and seed is not None:
            prev_log_index = rng.randint(1, len(leader.split()))
    its = log_of(leader)
    prev = its.last_index if prev_log_index is None else prev_log_index
    prev_term = its.term_for_index(prev) or 0
    accepting, reasons, told, then = [], [], {}, {"leader": leader}
    for name, words in followers.items():
        accepted, after, why = append_to(
            log_of(words), prev, prev_term, its.entries(prev + 1, prev + 2)
        )
        reasons.append(f"{name} {why}")
        then[name], told[name] = words_of(after), "accepts" if accepted else "rejects"
        if accepted:
            accepting.append(name)
    return Question(
        f"The leader asks every follower whether it has entry {prev} of term {prev_term}"
        " (prevLogIndex, prevLogTerm). Which accept?",
        list(followers),
        accepting,
        reasons,
        several=True,
        scenes=(scene_rows({"leader": leader, **followers}, BESIDE),),
        then=(scene_labelled_rows(then, told, f"{BESIDE}, afterwards"),),
    )

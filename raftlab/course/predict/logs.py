"""Questions about logs: which can be, and which can stand beside another."""

import random
from collections.abc import Mapping

from raftlab.course.in_words import terms_of
from raftlab.course.predict.asking import CREDIT
from raftlab.course.question import Question, template
from raftlab.course.rows import scene_labelled_rows, scene_rows
from raftlab.raft.log import Empty, LogEntry, RaftLog
from raftlab.raft.vocabulary import Configuration, Misuse, Term
from raftlab.sim.cluster import Cluster

BESIDE = "The leader's log, and those of its followers"
PAIR = Configuration(("leader", "follower"))


def diverged(rng: random.Random) -> tuple[str, str]:
    """The logs of a leader and of a follower that has missed some terms and had others."""
    shared = sorted(rng.choices([1, 2], k=rng.randint(2, 4)))
    leader = shared + sorted(rng.choices([4, 6, 8], k=rng.randint(1, 6)))
    follower = shared + sorted(rng.choices([3, 5, 7], k=rng.randint(0, 6)))
    return " ".join(map(str, leader)), " ".join(map(str, follower))


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
        [*reasons, "leaders append in order, each in its own term, and terms only rise (5.1, 5.3)"],
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
            reasons.append(
                f"{name} can be: where index and term are the leader's, so is all before"
            )
    return Question(
        "Which of these followers' logs can stand beside the leader's, as Log Matching has it?",
        list(followers),
        possible,
        [*reasons, "entries of the same index and term are equal, and so is all before them (5.3)"],
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

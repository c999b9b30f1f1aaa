"""Exercises 1.1 and 1.2: what a follower asks of an AppendEntries, and what it cuts."""

from collections.abc import Sequence
from itertools import product
from typing import Any

from raftlab.course.exercises.cases import BEFORE, Case, rising, words
from raftlab.course.exercises.mistakes import Mistake
from raftlab.course.exercises.running import RulesExercise
from raftlab.course.exercises.statement import Statement
from raftlab.course.rows import scene_rows
from raftlab.course.situations import entries_of, log_of, words_of
from raftlab.raft.log import LogEntry, RaftLog
from raftlab.raft.rules import Rules
from raftlab.raft.vocabulary import Index
from raftlab.view import Scene

TERMS = (1, 2, 3)
LONG = 12
"""How many entries the longer logs have."""


def accepts_cases() -> list[Case]:
    """Every log of up to three entries, asked about every place up to one past its end."""
    return [
        Case(log_of(words(terms)), index, term)
        for length in range(4)
        for terms in rising(length, TERMS)
        for index in range(length + 2)
        for term in ((1, 2, 3) if index else (0,))
    ]


def append_cases() -> list[Case]:
    """Every log of up to three entries with every message of up to two that it accepts.

    And longer ones, which part from the log at each of their entries.
    """
    few = [
        Case(log_of(words(terms)), prev, entries_of(words(new), prev + 1))
        for length, count in sorted(product(range(4), range(3)), key=sum)
        for terms in rising(length, TERMS)
        for prev in range(length + 1)
        for new in rising(count, [each for each in TERMS if each >= max([1, *terms[:prev]])])
    ]
    return few + [parting(LONG, same, prev) for prev in (0, 2) for same in range(LONG - prev)]


def parting(length: int, same: int, prev: Index = 0) -> Case:
    """A log of `length` entries, and as many behind `prev`, of which the first `same` are equal."""
    new = [1] * same + [2] * (length - prev - same)
    return Case(log_of(words([1] * length)), prev, entries_of(words(new), prev + 1))


def draw_cut(case: Case, conflict: Any) -> Sequence[Scene]:
    """The message, the follower's log, and the log once it is cut there and the rest appended."""
    log, prev, entries = case.arguments
    rows = sent(log, prev, entries)
    if conflict is not BEFORE:
        after: RaftLog = log.copy()
        if type(conflict) is int and 1 <= conflict <= log.last_index:
            after.truncate_uncommitted(conflict)
        if after.last_index >= prev:
            after.append_as_follower(entries)
        rows["log after"] = words_of(after)
    return (scene_rows(rows, AFTER),)


AFTER = "The new entries in their places, and the follower's log"


def sent(log: RaftLog, prev: Index, entries: Sequence[LogEntry]) -> dict[str, str]:
    """What was sent, in its places, and the log before."""
    gap = ["_"] * prev
    return {"sent": words([*gap, *(each.term for each in entries)]), "log before": words_of(log)}


def draw_log(case: Case, _: Any) -> Sequence[Scene]:
    """The entry that is asked about, in its place, and the follower's log."""
    log, index, term = case.arguments
    asked = words(["_"] * (index - 1) + [term] if index else [])
    return (scene_rows({"asked": asked, "log": words_of(log)}, "What is asked, and the log"),)


def cut_after_message(
    log: RaftLog, prev_log_index: Index, entries: Sequence[LogEntry]
) -> Index | None:
    """The right index; without a conflict, what lies behind the message."""
    end = prev_log_index + len(entries)
    behind = end + 1 if log.last_index > end else None
    return Rules().conflict_index(log, prev_log_index, entries) or behind


LOG = "RaftLog: the follower's log; log.last_index is the index of its last entry (0 if empty), and"
TERM_AT = (
    "log.term_for_index(i) the term of entry i: 0 for i = 0, before the first entry, and None"
    " beyond the end"
)
PREV_INDEX = "int: the index of the entry just before the new ones; 0 if they begin the log"
PREV_TERM = "int: that entry's term, in the leader's log"
ENTRIES = "tuple of LogEntry: the new entries, in order; each has index and term. May be empty"

EXERCISES = (
    RulesExercise(
        "1.1",
        "The consistency check",
        1,
        "accepts_append",
        Statement(
            "Write accepts_append: may a follower with this log take entries that follow entry"
            " prev_log_index of term prev_log_term? Only if it holds that very entry.",
            {
                "log": f"{LOG} {TERM_AT}",
                "prev_log_index": PREV_INDEX,
                "prev_log_term": f"{PREV_TERM}; 0 if prev_log_index is 0",
            },
            "bool: True, if the entries fit.",
            "without it a follower would put entries on top of something else, and two logs that"
            " look alike would differ inside.",
            (
                "What does the log hold at prev_log_index? Compare it with what the leader has"
                " there.",
                "log.term_for_index answers in each of the three cases: nothing before entry 1, an"
                " entry, and nothing beyond the end.",
            ),
        ),
        cases=accepts_cases,
        example=Case(log_of("1 1 2"), 2, 1),
        telling=Case(log_of("1 1 2"), 3, 3),
        paper="Figure 2, AppendEntries, rule 2; 5.3",
        picture=draw_log,
        shipped=(RaftLog.match_term, Rules.may_read, Rules.is_still_there, Rules.keeps_tail),
        mistakes=(
            Mistake("this asks for an entry, and not for its term", "any-entry-fits"),
            Mistake("this accepts everything", "any-entry-fits", lambda *_: True),
            Mistake(
                "this takes an entry of a later term, too: only that very entry will do",
                answers=lambda log, index, term: (log.term_for_index(index) or 0) >= term,
            ),
            Mistake("this never lets the first entry in", "no-first-entry"),
            Mistake(
                "this asks for the end of the follower's log, which may be longer",
                answers=lambda log, index, term: (log.last_index, log.last_term) == (index, term),
            ),
        ),
    ),
    RulesExercise(
        "1.2",
        "Cut only what conflicts",
        2,
        "conflict_index",
        Statement(
            "Write conflict_index: where does the follower's log contradict the new entries? Two"
            " entries conflict if they have the same index and different terms. The log holds the"
            " entry before the new ones already.",
            {
                "log": f"{LOG} {TERM_AT}",
                "prev_log_index": PREV_INDEX,
                "entries": ENTRIES,
            },
            "int or None: the index of the first entry of the log that conflicts; None, if nothing"
            " does. The machine cuts the log there.",
            "cut too little, and logs stay different; cut too much, and what the follower has"
            " acknowledged is gone.",
            (
                "Go through the entries in order. Where the log has nothing, there is no conflict.",
                "log.term_for_index(entry.index) is None beyond the end; else compare it with"
                " entry.term.",
            ),
        ),
        cases=append_cases,
        example=Case(log_of("1 1 2 2"), 2, entries_of("2 3", 3)),
        telling=Case(log_of("1 1 2 2 2"), 2, entries_of("2", 3)),
        paper="Figure 2, AppendEntries, rule 3; 5.3",
        picture=draw_cut,
        mistakes=(
            Mistake("this cuts off whatever follows prev_log_index", "truncate-always"),
            Mistake("this never cuts", "never-truncates"),
            Mistake(
                "this cuts off what lies behind the message: a late, shorter one then removes"
                " entries",
                "truncate-always",
                cut_after_message,
            ),
            Mistake(
                "this looks at the first new entry only",
                answers=lambda log, prev, entries: Rules().conflict_index(log, prev, entries[:1]),
            ),
            Mistake(
                "this looks at the first few new entries only",
                answers=lambda log, prev, entries: Rules().conflict_index(log, prev, entries[:8]),
            ),
        ),
    ),
)

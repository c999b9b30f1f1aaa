"""Exercise 1.3: the whole of AppendEntries."""

from collections.abc import Callable, Sequence
from itertools import product
from typing import Any, TypeAlias

from raftlab.course.exercises import guard
from raftlab.course.exercises.append import (
    AFTER,
    ENTRIES,
    LOG,
    LONG,
    PREV_INDEX,
    PREV_TERM,
    TERM_AT,
    TERMS,
    parting,
    sent,
)
from raftlab.course.exercises.cases import Case, rising, words
from raftlab.course.exercises.mistakes import Mistake
from raftlab.course.exercises.running import MachineExercise
from raftlab.course.exercises.statement import Statement
from raftlab.course.predict.appends import append_to
from raftlab.course.rows import scene_rows
from raftlab.course.situations import entries_of, log_of
from raftlab.raft.log import LogEntry, RaftLog
from raftlab.raft.machine import RaftStateMachine
from raftlab.raft.messages import Accepted, AppendEntries
from raftlab.raft.rules import Rules
from raftlab.raft.vocabulary import Index, Term
from raftlab.view import Scene


def whole_cases() -> list[Case]:
    """Every log of up to three entries and every message of up to two, accepted or not.

    And longer ones, which part from the log at each of their entries.
    """
    few = [
        Case(log_of(words(terms)), prev, before, entries_of(words(new), prev + 1))
        for length, count in sorted(product(range(4), range(3)), key=sum)
        for terms in rising(length, (1, 2))
        for prev in range(length + 2)
        for before in ((1, 2) if prev else (0,))
        for new in rising(count, [each for each in TERMS if each >= max(before, 1)])
    ]
    long = [parting(LONG, same).arguments for same in range(LONG)]
    return few + [Case(log, prev, 0, entries) for log, prev, entries in long]


def append_entries(
    log: RaftLog, prev_log_index: Index, prev_log_term: Term, entries: Sequence[LogEntry]
) -> Index | None:
    """What the shipped machine answers; the log is then as that machine's is."""
    accepted, after, _ = append_to(log, prev_log_index, prev_log_term, entries)
    if not accepted:
        return None
    log.truncate_uncommitted(log.first_index)
    log.append_as_follower(after)
    return prev_log_index + len(entries)


class AppendExercise(MachineExercise):
    """The whole of AppendEntries: the answer and the log after it are looked at."""

    changes = True

    def observe(self, function: Callable[..., Any], arguments: tuple[Any, ...]) -> Any:
        """What the function returns, and the log as it then is."""
        return guard.call(function, *arguments), tuple(arguments[0])


class AppendsEntries(RaftStateMachine):
    """The shipped machine, with a learner's function in the place of its append handling."""

    __slots__ = ()
    append_entries: Callable[..., Any]

    def _on_append_entries(self, request: AppendEntries) -> None:
        """The learner's function checks, cuts and appends; the rest is as always."""
        if not self._accept_leader(request.sender):
            return
        log, prev = self.log, request.prev_log_index
        verified = guard.call(
            type(self).append_entries, log, prev, request.prev_log_term, request.entries
        )
        if verified is None:
            rejected = self._rules.rejection(log, prev, request.prev_log_term)
            self._reply_append(request, rejected)
            return
        if type(verified) is not int:
            raise guard.LearnerError(
                f"it returns {guard.described(verified, 40)}, and not an index or None"
            )
        self._on_log_change()
        index = self._rules.follower_commit_index(
            request.leader_commit, verified, log, self.commit_index
        )
        self._advance_commit(index, "follower_commit_index")
        self._reply_append(request, Accepted(verified))


def say_append(outcome: tuple[Any, tuple[LogEntry, ...]]) -> str:
    """An outcome in words."""
    answer, entries = outcome
    log = words([entry.term for entry in entries]) or "empty"
    return f"{guard.described(answer, 40)}, and the log is then {log}"


Accepts: TypeAlias = Callable[[RaftLog, Index, Term], bool]


Cuts: TypeAlias = Callable[[RaftLog, Index, Sequence[LogEntry]], Index | None]


Verifies: TypeAlias = Callable[[RaftLog, Index, Sequence[LogEntry]], Index]


SHIPPED = Rules()


def appending(
    accepts: Accepts = SHIPPED.accepts_append,
    conflict: Cuts = SHIPPED.conflict_index,
    verified: Verifies = lambda log, prev, entries: prev + len(entries),
) -> Callable[..., Index | None]:
    """The whole of AppendEntries with one of its three decisions made otherwise."""

    def append(
        log: RaftLog, prev_log_index: Index, prev_log_term: Term, entries: Sequence[LogEntry]
    ) -> Index | None:
        if not accepts(log, prev_log_index, prev_log_term):
            return None
        found = conflict(log, prev_log_index, entries)
        if found is not None and found <= log.last_index:
            log.truncate_uncommitted(found)
        log.append_as_follower(entries)
        return verified(log, prev_log_index, entries)

    return append


def heartbeats_refused(
    log: RaftLog, prev_log_index: Index, prev_log_term: Term, entries: Sequence[LogEntry]
) -> Index | None:
    """As it should be, but for messages without entries, which are not answered."""
    if not entries:
        return None
    return appending()(log, prev_log_index, prev_log_term, entries)


def draw_append(case: Case, outcome: Any) -> Sequence[Scene]:
    """The message, the follower's log, and the log afterwards."""
    log, prev, _, entries = case.arguments
    rows = sent(log, prev, entries)
    if isinstance(outcome, tuple):
        rows["log after"] = words([entry.term for entry in outcome[1]])
    return (scene_rows(rows, AFTER),)


EXERCISES = (
    AppendExercise(
        "1.3",
        "The whole of AppendEntries",
        3,
        "append_entries",
        Statement(
            "Write append_entries, which does to the follower's log what the message asks: check,"
            " cut what conflicts, append what is missing. Your answers to 1.1 and 1.2 may help:"
            " Checked().accepts_append(...), CutsConflicts().conflict_index(...). If the entries do"
            " not fit, it changes nothing.",
            {
                "log": f"{LOG} {TERM_AT}; log.truncate_uncommitted(i) cuts it from entry i on;"
                " log.append_as_follower(entries) appends, and skips entries that are there",
                "prev_log_index": PREV_INDEX,
                "prev_log_term": PREV_TERM,
                "entries": ENTRIES,
            },
            "int or None: up to which index the log is now known to equal the leader's; None, if"
            " the entries do not fit. The log is changed in place.",
            "what a follower acknowledges, the leader counts as a copy.",
            (
                "Three steps in this order: accepts_append, conflict_index, append. How far is"
                " known? Not to the end of the log: think of a log that is longer than the"
                " message.",
                "A message vouches for what it carries, and for nothing behind that. What is the"
                " index of the last entry that it carries? And of what it asks about, if it carries"
                " none?",
            ),
        ),
        paper="Figure 2, AppendEntries; 5.3; Figure 7",
        reference=append_entries,
        cases=whole_cases,
        example=Case(log_of("1 1 2"), 2, 1, entries_of("3 3", 3)),
        telling=Case(log_of("1 1 2 2 2"), 2, 1, entries_of("2", 3)),
        picture=draw_append,
        says=say_append,
        machine=AppendsEntries,
        shipped=(RaftStateMachine._on_append_entries,),
        mistakes=(
            Mistake(
                "this acknowledges the end of the log, and not of what was sent",
                "acks-its-last",
                appending(verified=lambda log, prev, entries: log.last_index),
            ),
            Mistake(
                "a heartbeat acknowledges the end of the log here, and it asks about one entry",
                "acks-its-last",
                appending(
                    verified=lambda log, prev, entries: (
                        prev + len(entries) if entries else log.last_index
                    )
                ),
            ),
            Mistake(
                "this cuts whatever follows, conflict or not",
                "truncate-always",
                appending(conflict=lambda log, prev, entries: prev + 1),
            ),
            Mistake(
                "this does not compare the term before the new entries",
                "any-entry-fits",
                appending(accepts=lambda log, prev, term: prev <= log.last_index),
            ),
            Mistake("this never cuts", "never-truncates", appending(conflict=lambda *_: None)),
            Mistake(
                "a heartbeat is special here: a message without entries is checked and answered"
                " like any other",
                answers=heartbeats_refused,
            ),
        ),
    ),
)

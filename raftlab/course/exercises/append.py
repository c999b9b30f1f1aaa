"""Exercises of notebook 01: the log rules of AppendEntries."""

from collections.abc import Callable, Sequence
from itertools import product
from typing import Any

from raftlab.course.exercises import guard
from raftlab.course.exercises.cases import Case, rising, words
from raftlab.course.exercises.running import MachineExercise, RulesExercise
from raftlab.course.predict.appends import append_to
from raftlab.course.rows import scene_rows
from raftlab.course.situations import entries_of, log_of, words_of
from raftlab.raft.log import LogEntry, RaftLog
from raftlab.raft.machine import RaftStateMachine
from raftlab.raft.messages import Accepted, AppendEntries
from raftlab.raft.vocabulary import Index, Term
from raftlab.view import Scene

TERMS = (1, 2, 3)


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
    """Every log of up to three entries with every message of up to two that it accepts."""
    return [
        Case(log_of(words(terms)), prev, entries_of(words(new), prev + 1))
        for length, count in sorted(product(range(4), range(3)), key=sum)
        for terms in rising(length, TERMS)
        for prev in range(length + 1)
        for new in rising(count, [each for each in TERMS if each >= max([1, *terms[:prev]])])
    ]


def whole_cases() -> list[Case]:
    """Every log of up to three entries and every message of up to two, accepted or not."""
    return [
        Case(log_of(words(terms)), prev, before, entries_of(words(new), prev + 1))
        for length, count in sorted(product(range(4), range(3)), key=sum)
        for terms in rising(length, (1, 2))
        for prev in range(length + 2)
        for before in ((1, 2) if prev else (0,))
        for new in rising(count, [each for each in TERMS if each >= max(before, 1)])
    ]


def append_entries(
    log: RaftLog, prev_log_index: Index, prev_log_term: Term, entries: Sequence[LogEntry]
) -> tuple[Index | None, tuple[LogEntry, ...]]:
    """What the shipped machine answers, and the log that it has then."""
    accepted, after, _ = append_to(log, prev_log_index, prev_log_term, entries)
    return (prev_log_index + len(entries) if accepted else None), tuple(after)


class AppendExercise(MachineExercise):
    """The whole of AppendEntries: the answer and the log after it are looked at."""

    changes = True

    def observe(self, function: Callable[..., Any], arguments: tuple[Any, ...]) -> Any:
        """What the function returns, and the log as it then is."""
        return guard.call(function, *arguments), tuple(arguments[0])


class AppendsEntries(RaftStateMachine):
    """The shipped machine, with a learner's function in the place of its append handling."""

    __slots__ = ()
    decide: Callable[..., Any]

    def _on_append_entries(self, request: AppendEntries) -> None:
        """The learner's function checks, cuts and appends; the rest is as always."""
        if not self._accept_leader(request.sender):
            return
        log, prev = self.log, request.prev_log_index
        verified = guard.call(type(self).decide, log, prev, request.prev_log_term, request.entries)
        if verified is None:
            rejected = self._rules.rejection(log, prev, request.prev_log_term)
            self._reply_append(request, rejected)
            return
        if type(verified) is not int:
            raise guard.LearnerError(
                f"it returns {guard.described(verified, 40)}, and not an index or None"
            )
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


def draw_cut(case: Case, conflict: Any) -> Sequence[Scene]:
    """The message, the follower's log, and the log once it is cut there and the rest appended."""
    log, prev, entries = case.arguments
    after: RaftLog = log.copy()
    if type(conflict) is int and 1 <= conflict <= log.last_index:
        after.truncate_uncommitted(conflict)
    if after.last_index >= prev:
        after.append_as_follower(entries)
    return (scene_rows(_sent(log, prev, entries) | {"log after": words_of(after)}, AFTER),)


def draw_append(case: Case, outcome: Any) -> Sequence[Scene]:
    """The message, the follower's log, and the log afterwards."""
    log, prev, _, entries = case.arguments
    rows = _sent(log, prev, entries)
    if outcome is not None:
        rows["log after"] = words([entry.term for entry in outcome[1]])
    return (scene_rows(rows, AFTER),)


AFTER = "The new entries in their places, and the follower's log"


def _sent(log: RaftLog, prev: Index, entries: Sequence[LogEntry]) -> dict[str, str]:
    gap = ["_"] * prev
    return {"sent": words([*gap, *(each.term for each in entries)]), "log before": words_of(log)}


def draw_log(case: Case, _: Any) -> Sequence[Scene]:
    """The entry that is asked about, in its place, and the follower's log."""
    log, index, term = case.arguments
    asked = words(["_"] * (index - 1) + [term] if index else [])
    return (scene_rows({"asked": asked, "log": words_of(log)}, "What is asked, and the log"),)


EXERCISES = (
    RulesExercise(
        "1.1",
        "The consistency check",
        1,
        "accepts_append",
        "Write accepts_append(log, prev_log_index, prev_log_term): whether a follower with this"
        " log may accept entries that follow entry prev_log_index of term prev_log_term.",
        accepts_cases,
        Case(log_of("1 1 2"), 3, 3),
        "Figure 2, AppendEntries, rule 2; 5.3",
        draw_log,
    ),
    RulesExercise(
        "1.2",
        "Cut only what conflicts",
        2,
        "conflict_index",
        "Write conflict_index(log, prev_log_index, entries): the index of the first entry in the"
        " follower's log that contradicts the leader's entries, or None. The log holds the entry"
        " before them already.",
        append_cases,
        Case(log_of("1 1 2 2 2"), 2, entries_of("2", 3)),
        "Figure 2, AppendEntries, rule 3; 5.3",
        draw_cut,
    ),
    AppendExercise(
        "1.3",
        "The whole of AppendEntries",
        3,
        "append_entries",
        "Write append_entries(log, prev_log_index, prev_log_term, entries), which changes the"
        " follower's log as the message asks, and returns up to which index the log is now known to"
        " equal the leader's; or None, and changes nothing, if the entries do not fit. Use"
        " log.match_term, log.term_for_index, log.truncate_uncommitted(index) and"
        " log.append_as_follower(entries), which skips entries that are there already.",
        "Figure 2, AppendEntries; 5.3; Figure 7",
        append_entries,
        whole_cases,
        Case(log_of("1 1 2 2 2"), 2, 1, entries_of("2", 3)),
        draw_append,
        say_append,
        machine=AppendsEntries,
    ),
)

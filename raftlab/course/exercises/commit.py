"""Exercises of notebook 07: when an entry is safe."""

from collections.abc import Sequence
from itertools import product
from typing import Any

from raftlab.course.exercises import guard
from raftlab.course.exercises.cases import Case, rising, words
from raftlab.course.exercises.running import RulesExercise
from raftlab.course.rows import scene_rows
from raftlab.course.situations import FIVE, log_of, words_of
from raftlab.raft.log import RaftLog
from raftlab.raft.vocabulary import Configuration
from raftlab.view import Scene

REACHED = "Who holds what, and how far the answer goes"


def match_cases() -> list[Case]:
    """Clusters of one to five, how far each server is in every combination."""
    cases = []
    for size in range(1, 6):
        voters = tuple(f"S{place}" for place in range(1, size + 1))
        for reached in product(range(4 if size < 5 else 3), repeat=size):
            match = dict(zip(voters, reached, strict=True))
            cases.append(Case(match, Configuration(voters)))
    return cases


def follower_cases() -> list[Case]:
    """Every order of the leader's commit index, what is verified, and the own commit index."""
    return [
        Case(leader_commit, verified, log_of(words([1] * 4)), commit)
        for commit in range(4)
        for leader_commit in range(6)
        for verified in range(5)
    ]


def leader_cases() -> list[Case]:
    """Logs of up to four entries, every index a majority may hold, terms and commit indexes."""
    return [
        Case(matched, log_of(words(terms)), term, commit)
        for length in range(5)
        for terms in rising(length, (1, 2, 3))
        for term in (2, 3)
        if term >= max([0, *terms])
        for matched in range(length + 1)
        for commit in range(length + 1)
    ]


def draw_match(case: Case, got: Any) -> Sequence[Scene]:
    """What each server holds, and how far the answer goes."""
    match, _ = case.arguments
    rows = {voter: words([1] * index) for voter, index in match.items()}
    return (scene_rows(rows | _answer(got, log_of(words([1] * 9))), REACHED),)


def draw_follower(case: Case, got: Any) -> Sequence[Scene]:
    """The follower's log, the part of it that is verified, and how far the answer goes."""
    _, verified, log, _ = case.arguments
    known = words([entry.term for entry in log.entries(1, verified + 1)])
    rows = {"log": words_of(log), "verified": known}
    return (scene_rows(rows | _answer(got, log), REACHED),)


def draw_leader(case: Case, got: Any) -> Sequence[Scene]:
    """The leader's log, the part that a majority holds, and how far the answer goes."""
    matched, log, _, _ = case.arguments
    held = words([entry.term for entry in log.entries(1, matched + 1)])
    rows = {"leader's log": words_of(log), "on a majority": held}
    return (scene_rows(rows | _answer(got, log), REACHED),)


def _answer(got: Any, log: RaftLog) -> dict[str, str]:
    if type(got) is not int or got < 0:
        return {}
    return {
        f"the answer, {guard.described(got)}": words(
            [entry.term for entry in log.entries(1, got + 1)]
        )
    }


EXERCISES = (
    RulesExercise(
        "7.1",
        "What a majority holds",
        1,
        "majority_match_index",
        "Write majority_match_index(match_indexes, configuration): the largest index that a"
        " majority of configuration.voters holds. match_indexes maps each voter, the leader"
        " included, to how far it agrees with the leader.",
        match_cases,
        Case({"S1": 5, "S2": 2, "S3": 5, "S4": 1, "S5": 3}, Configuration(FIVE)),
        "Figure 2, Leaders, last rule; 5.3",
        draw_match,
    ),
    RulesExercise(
        "7.2",
        "What a follower may commit",
        2,
        "follower_commit_index",
        "Write follower_commit_index(leader_commit, verified, log, commit_index): the follower's"
        " commit index after a message it accepted. Up to `verified` its log is known to equal"
        " the leader's; what lies beyond may be anything. It never goes back.",
        follower_cases,
        Case(5, 2, log_of("1 1 1 1"), 1),
        "Figure 2, AppendEntries, rule 5; 5.3",
        draw_follower,
    ),
    RulesExercise(
        "7.3",
        "The current-term rule",
        3,
        "leader_commit_index",
        "Write leader_commit_index(matched, log, term, commit_index): the commit index of a leader"
        " of `term` with this log, once a majority holds everything up to `matched`. Figure 8 says"
        " why copies alone do not do.",
        leader_cases,
        Case(3, log_of("1 1 2 4"), 4, 1),
        "Figure 2, Leaders, last rule; 5.4.2 and Figure 8",
        draw_leader,
    ),
)

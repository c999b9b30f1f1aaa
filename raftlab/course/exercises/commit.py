"""Exercises of notebook 07: when an entry is safe."""

from collections.abc import Mapping, Sequence
from itertools import product
from typing import Any

from raftlab.course.exercises import guard
from raftlab.course.exercises.cases import Case, rising, words
from raftlab.course.exercises.mistakes import Mistake
from raftlab.course.exercises.running import RulesExercise
from raftlab.course.exercises.statement import Statement
from raftlab.course.rows import scene_rows
from raftlab.course.situations import FIVE, log_of, words_of
from raftlab.raft.log import RaftLog
from raftlab.raft.quorum import is_quorum, majority_index, quorum_index
from raftlab.raft.rules import Rules
from raftlab.raft.vocabulary import Configuration, Index, NodeId
from raftlab.raft.votes import ElectionTracker, Votes
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
    leader_commit, verified, log, commit = case.arguments
    known = words([entry.term for entry in log.entries(1, verified + 1)])
    rows = {"log": words_of(log), "verified": known}
    title = f"leader_commit is {leader_commit}, commit_index {commit}; how far does the answer go?"
    return (scene_rows(rows | _answer(got, log), title),)


def draw_leader(case: Case, got: Any) -> Sequence[Scene]:
    """The leader's log, the part that a majority holds, and how far the answer goes."""
    matched, log, term, commit = case.arguments
    held = words([entry.term for entry in log.entries(1, matched + 1)])
    rows = {"leader's log": words_of(log), "on a majority": held}
    title = f"term is {term}, commit_index {commit}; how far does the answer go?"
    return (scene_rows(rows | _answer(got, log), title),)


def _answer(got: Any, log: RaftLog) -> dict[str, str]:
    if type(got) is not int or got < 0:
        return {}
    return {
        f"the answer, {guard.described(got)}": words(
            [entry.term for entry in log.entries(1, got + 1)]
        )
    }


def joint_cases() -> list[Case]:
    """Three servers that become three others: a majority of each is needed."""
    joint = Configuration(("S4", "S5", "S6"), old_voters=("S1", "S2", "S3"))
    ahead = {"S1": 5, "S2": 5, "S3": 5, "S4": 5, "S5": 1, "S6": 1}
    behind = {"S1": 1, "S2": 1, "S3": 5, "S4": 5, "S5": 5, "S6": 5}
    return [Case(ahead, joint), Case(behind, joint)]


def half_holds(match_indexes: Mapping[NodeId, Index], configuration: Configuration) -> Index:
    """What half of the servers hold."""
    return sorted(match_indexes.values())[len(match_indexes) // 2]


EXERCISES = (
    RulesExercise(
        "7.1",
        "What a majority holds",
        2,
        "majority_match_index",
        Statement(
            "Write majority_match_index: the largest index that more than half of the servers"
            " hold.",
            {
                "match_indexes": "dict: from each server's name, the leader's too, to an int: up"
                " to there its log is known to equal the leader's",
                "configuration": "Configuration: configuration.voters are the names of the servers"
                " that count",
            },
            "int: that index; 0, if no majority holds any entry.",
            "one place too far, and a minority decides what is committed.",
            (
                "Sort the numbers, not the names: match_indexes[voter] for each voter. Which place"
                " in the sorted list have at least three of five reached? And with four servers?",
                "In ascending order a majority has reached the third of five and the second of four"
                " and of three. How does that go on, counted from 0?",
            ),
        ),
        cases=match_cases,
        example=Case({"S1": 4, "S2": 1, "S3": 2}, Configuration(FIVE[:3])),
        telling=Case({"S1": 5, "S2": 2, "S3": 5, "S4": 1, "S5": 3}, Configuration(FIVE)),
        paper="Figure 2, Leaders, last rule; 5.3",
        picture=draw_match,
        shipped=(
            quorum_index,
            majority_index,
            is_quorum,
            Rules.still_led_at,
            Votes.tally_vote,
            ElectionTracker.tally_vote,
        ),
        beyond=(
            "It holds for a fixed set of servers; while the set changes (notebook 16, to come),"
            " two majorities are needed.",
            joint_cases,
        ),
        mistakes=(
            Mistake("one copy is enough here", "best-copy-commits"),
            Mistake(
                "one copy is enough here",
                "best-copy-commits",
                lambda match_indexes, configuration: max(match_indexes.values()),
            ),
            Mistake("half of the copies are enough here", "half-commits"),
            Mistake("half of the copies are enough here", "half-commits", half_holds),
            Mistake(
                "this waits for every server: one that is down stops them all",
                answers=lambda match_indexes, configuration: min(match_indexes.values()),
            ),
            Mistake(
                "this takes an average, which may be an index that one server alone holds",
                answers=lambda match_indexes, configuration: (
                    sum(match_indexes.values()) // len(match_indexes)
                ),
            ),
        ),
    ),
    RulesExercise(
        "7.2",
        "What a follower may commit",
        1,
        "follower_commit_index",
        Statement(
            "Write follower_commit_index: the commit index of a follower after a message that it"
            " has accepted. Up to `verified` its log is known to equal the leader's; what lies"
            " beyond may be anything. A commit index never goes back.",
            {
                "leader_commit": "int: the leader's commit index, as the message says",
                "verified": "int: up to there the follower's log is known to equal the leader's",
                "log": "RaftLog: the follower's log",
                "commit_index": "int: its commit index so far",
            },
            "int: its commit index now.",
            "what is committed is applied, and cannot be taken back.",
            (
                "Two upper limits, one lower limit.",
                "What the leader has committed bounds it from above, and so does what is verified."
                " Which of min and max belongs to an upper limit? And what never falls?",
            ),
        ),
        cases=follower_cases,
        example=Case(3, 4, log_of("1 1 1 1"), 1),
        telling=Case(5, 2, log_of("1 1 1 1"), 1),
        paper="Figure 2, AppendEntries, rule 5; 5.3",
        picture=draw_follower,
        mistakes=(
            Mistake(
                "this commits up to the end of its own log, which the leader may be about to"
                " replace",
                "commit-past-verified",
            ),
            Mistake(
                "this sets the commit index to the leader's, whatever it holds itself",
                "commit-past-verified",
                lambda leader_commit, verified, log, commit_index: leader_commit,
            ),
            Mistake(
                "this sets the commit index to the leader's, whatever it holds itself",
                "commit-past-verified",
                lambda leader_commit, verified, log, commit_index: max(leader_commit, commit_index),
            ),
            Mistake("this commits whatever it holds", "commits-on-receipt"),
            Mistake(
                "this commits whatever it holds",
                "commits-on-receipt",
                lambda leader_commit, verified, log, commit_index: max(verified, commit_index),
            ),
            Mistake(
                "this lets the commit index go back",
                "commit-goes-back",
                lambda leader_commit, verified, log, commit_index: min(leader_commit, verified),
            ),
            Mistake(
                "this lets the commit index go back",
                "commit-goes-back",
                lambda leader_commit, verified, log, commit_index: min(
                    max(leader_commit, commit_index), verified
                ),
            ),
            Mistake(
                "this is Figure 2 to the letter, and lets the commit index go back: what is"
                " verified may end before it",
                "commit-goes-back",
                lambda leader_commit, verified, log, commit_index: (
                    min(leader_commit, verified) if leader_commit > commit_index else commit_index
                ),
            ),
            Mistake(
                "this never commits anything",
                answers=lambda leader_commit, verified, log, commit_index: commit_index,
            ),
        ),
    ),
    RulesExercise(
        "7.3",
        "The current-term rule",
        2,
        "leader_commit_index",
        Statement(
            "Write leader_commit_index: the commit index of a leader, once a majority holds"
            " everything up to `matched`. It commits only entries of its own term by counting; the"
            " earlier ones come with them (Figure 8).",
            {
                "matched": "int: up to there a majority holds the leader's log",
                "log": "RaftLog: the leader's log; log.term_for_index(i) is the term of entry i",
                "term": "int: the leader's term",
                "commit_index": "int: its commit index so far",
            },
            "int: its commit index now; it never goes back.",
            "an entry of an earlier term may be on a majority, and be overwritten all the same;"
            " real systems were shipped without this rule.",
            (
                "Of which term is entry `matched`? Terms never fall along a log.",
                "Draw the log with its terms and mark `matched`. If the entry there is of the"
                " leader's own term, what of those before it? If it is of an earlier one?",
            ),
        ),
        cases=leader_cases,
        example=Case(3, log_of("1 1 4"), 4, 1),
        telling=Case(3, log_of("1 1 2 4"), 4, 1),
        paper="Figure 2, Leaders, last rule; 5.4.2 and Figure 8",
        picture=draw_leader,
        mistakes=(
            Mistake("this commits entries of an earlier term by counting copies", "figure-8"),
            Mistake(
                "this commits entries of an earlier term by counting copies",
                "figure-8",
                lambda matched, log, term, commit_index: max(matched, commit_index),
            ),
            Mistake(
                "this looks at the last entry, which no majority may hold yet, and not at the one"
                " that was counted",
                "figure-8",
                lambda matched, log, term, commit_index: (
                    max(matched, commit_index) if log.last_term == term else commit_index
                ),
            ),
            Mistake("this commits what no majority holds", "commit-jumps"),
            Mistake(
                "this commits what no majority holds",
                "commit-jumps",
                lambda matched, log, term, commit_index: (
                    log.last_index if log.last_term == term else commit_index
                ),
            ),
            Mistake(
                "this lets the commit index go back",
                answers=lambda matched, log, term, commit_index: (
                    matched if log.term_for_index(matched) == term else commit_index
                ),
            ),
            Mistake(
                "this never commits anything",
                answers=lambda matched, log, term, commit_index: commit_index,
            ),
            Mistake("the last entry never commits", "last-entry-waits"),
        ),
    ),
)

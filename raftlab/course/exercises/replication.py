"""Exercises 6.1 and 6.2: what a leader learns from answers."""

from collections.abc import Callable, Sequence
from itertools import product
from typing import Any

from raftlab.course.exercises.cases import Case, said, words
from raftlab.course.exercises.mistakes import Mistake
from raftlab.course.exercises.running import RulesExercise
from raftlab.course.exercises.statement import Statement
from raftlab.course.facts import scene_facts
from raftlab.course.rows import scene_rows
from raftlab.course.situations import log_of, progress_of, words_of
from raftlab.raft.messages import Rejected
from raftlab.raft.progress import FollowerProgress, ProgressState
from raftlab.raft.rules import Rules
from raftlab.view import Scene

PAIR = ("leader", "follower")


def match_cases() -> list[Case]:
    """Logs of one to five entries, every reply about them, and messages sent since."""
    return [
        Case(log_of(words([1] * length)), last_new, following)
        for length in range(1, 6)
        for last_new in range(length + 1)
        for following in range(last_new + 1, length + 2)
    ]


def stray_cases() -> list[Case]:
    """Rejections of every age, to a leader that probes and to one that pipelines."""
    return [
        Case(
            Rejected(
                non_matching_index=asked, last_index=last, hint_index=min(asked, last), hint_term=1
            ),
            progress_of(match, following, state),
        )
        for state in ("probe", "pipeline")
        for match in range(3)
        for following in range(match + 1, match + 4)
        for asked, last in product(range(1, 6), range(5))
    ]


def without_case(number: int) -> Callable[[Rejected, FollowerProgress], bool]:
    """The rule without the first, the second or the third of its three cases (0 to 2)."""

    def is_stray(rejected: Rejected, progress: FollowerProgress) -> bool:
        cases = [
            rejected.non_matching_index <= progress.match_index,
            rejected.last_index < progress.match_index,
            progress.state is ProgressState.PROBE
            and rejected.non_matching_index != progress.next_index - 1,
        ]
        return any(cases[:number] + cases[number + 1 :])

    return is_stray


def draw_match(case: Case, got: Any) -> Sequence[Scene]:
    """The leader's log, how far it has sent it, and what was acknowledged."""
    log, last_new, following = case.arguments
    rows = {
        "leader": words_of(log),
        "sent so far": words([each.term for each in log.entries(1, following)]),
        "acknowledged": words([each.term for each in log.entries(1, last_new + 1)]),
    }
    if type(got) is int and 0 <= got <= log.last_index:
        rows["known to match"] = words([each.term for each in log.entries(1, got + 1)])
    return (scene_rows(rows, "What was sent, and what one answer says"),)


def draw_stray(case: Case, got: Any) -> Sequence[Scene]:
    """What the leader knows, and what the rejection says."""
    rejected, progress = case.arguments
    facts = {
        "known to match up to": str(progress.match_index),
        "next to send": f"{progress.next_index} ({progress.state.value})",
        "refused: what follows": str(rejected.non_matching_index),
        "its log ended with": str(rejected.last_index),
        OLD: said(got),
    }
    return (scene_facts(facts, "A refusal reaches the leader", OLD),)


OLD = "an old refusal"
REJECTED = (
    "Rejected: what the follower answered. rejected.non_matching_index is the index just before"
    " the entries that it refused, rejected.last_index that of its last entry then"
)
PROGRESS = (
    "FollowerProgress: what the leader knows of this follower. progress.match_index: up to there"
    " the two logs are known to be equal; progress.next_index: what it sends next"
)
MAKES_ONE = "progress_of(match_index, next_index, state) makes one"

EXERCISES = (
    RulesExercise(
        "6.1",
        "What an answer proves",
        1,
        "match_index_after",
        Statement(
            "Write match_index_after: a follower has accepted what it was sent up to"
            " last_new_index, and says so. Since then the leader has sent more. Up to where does"
            " the leader know that the two logs are equal?",
            {
                "log": "RaftLog: the leader's log",
                "last_new_index": "int: the last index that the answer vouches for",
                "next_index": "int: what the leader sends next; all before it is under way or"
                " there",
            },
            "int: the new match index.",
            "what the leader believes to be copied, it commits.",
            (
                "One of the two numbers is a guess.",
                "A message that is still under way may be lost.",
            ),
        ),
        cases=match_cases,
        example=Case(log_of("1 1 1"), 3, 4),
        telling=Case(log_of("1 1 1 1 1"), 2, 6),
        paper="Figure 2, Leaders, third rule; 5.3",
        picture=draw_match,
        mistakes=(
            Mistake("this takes what was sent for received: match = next - 1", "sent-is-received"),
            Mistake(
                "this takes the whole log of the leader for received",
                "sent-is-received",
                lambda log, last_new_index, next_index: log.last_index,
            ),
            Mistake(
                "this is one too far: last_new_index is the last that is there",
                "sent-is-received",
                lambda log, last_new_index, next_index: last_new_index + 1,
            ),
            Mistake(
                "this is one too few: last_new_index itself is there",
                answers=lambda log, last_new_index, next_index: max(last_new_index - 1, 0),
            ),
        ),
    ),
    RulesExercise(
        "6.2",
        "An old refusal",
        2,
        "is_stray_rejection",
        Statement(
            "Write is_stray_rejection: is this refusal older than what the leader knows by now? It"
            " is in three cases: it denies what is known to match; the follower's log ended before"
            " that, and what matches is never cut; or the leader probes, one message at a time, and"
            " asked about another entry than the one before progress.next_index.",
            {
                "rejected": REJECTED,
                "progress": f"{PROGRESS}; progress.state.value is 'probe' while it sends one"
                f" message at a time, or 'pipeline'. {MAKES_ONE}",
            },
            "bool: True, if the refusal is to be ignored.",
            "messages overtake each other; a refusal that is believed too late sends the leader"
            " back for nothing.",
            (
                "Take the three cases one by one; each is one comparison.",
                "Two of them deny what the leader knows to be there: compare with match_index. In"
                " the third, a probe waits for one answer: to which question, as an index?",
            ),
        ),
        cases=stray_cases,
        example=Case(
            Rejected(non_matching_index=3, last_index=2, hint_index=2, hint_term=1),
            progress_of(2, 4, "probe"),
        ),
        telling=Case(
            Rejected(non_matching_index=3, last_index=2, hint_index=2, hint_term=1),
            progress_of(4, 6, "pipeline"),
        ),
        paper="5.3; 5.5",
        picture=draw_stray,
        mistakes=(
            Mistake("every refusal is taken for an old one", "every-rejection-stray"),
            Mistake("every refusal is believed, however late", answers=lambda *_: False),
            Mistake(
                "a refusal that denies what is known to match is believed",
                answers=without_case(0),
            ),
            Mistake(
                "a refusal of a log that was shorter then is believed", answers=without_case(1)
            ),
            Mistake("while it probes, any refusal is believed", answers=without_case(2)),
            Mistake(
                "only the first case is looked at",
                answers=lambda rejected, progress: (
                    rejected.non_matching_index <= progress.match_index
                ),
            ),
            Mistake(
                "while many messages are under way, each may be refused: this expects one",
                answers=lambda rejected, progress: (
                    Rules().is_stray_rejection(rejected, progress)
                    or rejected.non_matching_index != progress.next_index - 1
                ),
            ),
        ),
    ),
)

"""Exercises of notebook 06: what a leader learns from answers."""

from collections.abc import Callable, Sequence
from itertools import product
from typing import Any, NamedTuple

from raftlab.course.exercises import guard
from raftlab.course.exercises.base import CHANGES_ITS_INPUT, Result
from raftlab.course.exercises.cases import Case, rising, words
from raftlab.course.exercises.running import RulesExercise
from raftlab.course.predict.leading import WithoutNoOp, leader_with, repair
from raftlab.course.rows import scene_rows
from raftlab.course.situations import log_of, progress_of, words_of
from raftlab.raft.log import RaftLog
from raftlab.raft.machine import RaftStateMachine
from raftlab.raft.messages import Rejected
from raftlab.raft.progress import FollowerProgress
from raftlab.raft.rules import Rules
from raftlab.raft.vocabulary import Configuration, Index
from raftlab.view import Scene

PAIR = ("leader", "follower")


class Repair(NamedTuple):
    """Two logs, what it may take to make them equal, and the mistake of who needs more."""

    leader: str
    follower: str
    messages: int
    entries: int
    logs: str
    mistake: str


REPAIRS = (
    Repair(
        "1 " * 201, "1", 12, 400,
        "a follower that holds the first of 201 entries has all of them",
        "it steps back over what is not there: after rejected.hint_index nothing can agree",
    ),
    Repair(
        "1 1 " + "4 " * 40 + "6", "1 1 " + "2 " * 20 + "3 " * 30, 8, 82,
        "two logs that part after entry 2, for 41 and 50 entries, are equal",
        "of its own log only what has rejected.hint_term or an earlier term can agree",
    ),
    Repair(
        "1 " * 500, "1 " * 499, 16, 10,
        "a follower that lacks the last of 500 entries has it",
        "it sends again what is there: up to rejected.hint_index the two may agree",
    ),
)  # fmt: skip
"""A follower that was away for long, one that followed others, and one that was away just now."""


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


def hint_cases() -> list[Case]:
    """Pairs of logs that a leader and a follower may have, the leader asking at its end."""
    refused = [
        (words(mine), words(its))
        for size in range(1, 8)
        for length in range(1, min(size, 5))
        for mine in rising(length, (1, 3))
        for its in rising(min(size - length, 4), (1, 2))
    ]
    matching = [  # the leader knows more by now than the hint says
        Case(
            Rejected(non_matching_index=5, last_index=4, hint_index=hint, hint_term=min(hint, 1)),
            log_of("1 1 1 1 2 2"),
            progress_of(match, 6),
        )
        for match in range(1, 4)
        for hint in range(match)
    ]
    return [_hint_case(*pair) for pair in refused if _refuses(*pair)] + matching


def _refuses(leader: str, follower: str) -> bool:
    """Whether this follower refuses what follows this leader's last entry."""
    mine = log_of(leader)
    return not Rules().accepts_append(log_of(follower), mine.last_index, mine.last_term)


def _hint_case(leader: str, follower: str) -> Case:
    """What the shipped rules of a follower answer to a leader that asks about its last entry."""
    mine, its = log_of(leader), log_of(follower)
    rejected = Rules().rejection(its, mine.last_index, mine.last_term)
    return Case(rejected, mine, progress_of(0, mine.last_index + 1))


class HintExercise(RulesExercise):
    """Many answers to a rejection are safe; few are quick. Both are looked at."""

    def _try(self, function: Callable[..., Any], case: Case) -> Result | None:
        rejected, _, progress = case.arguments
        top = rejected.non_matching_index
        want = (
            f"a whole number from {progress.match_index + 1} to {top}: earlier than what was asked"
        )
        given = case.fresh()
        try:
            got = guard.call(function, *given)
        except guard.LearnerError as problem:
            return self._failed(case, want, str(problem), None)
        if not all(map(guard.unchanged, case.arguments, given)):
            return self._failed(case, want, CHANGES_ITS_INPUT, None)
        if type(got) is int and progress.match_index + 1 <= got <= max(top, 1):
            return None
        return self._failed(case, want, f"it answers {guard.described(got, 40)}", None)

    def in_clusters(self, answer: Any) -> tuple[int, Result | None]:
        """First how quickly logs are made equal, and with how little; then whole clusters."""
        for each in REPAIRS:
            slow = self._slow(answer, each)
            if slow is not None:
                return 0, slow
        return super().in_clusters(answer)

    def _slow(self, answer: Any, wanted: Repair) -> Result | None:
        equal, messages, entries = self._repaired(answer, wanted)
        if equal and messages <= wanted.messages and entries <= wanted.entries:
            return None
        limit = f"{wanted.messages} messages"
        took = f"{messages} messages" if equal else "the logs never agree"
        if equal and messages <= wanted.messages:
            limit, took = f"{wanted.entries} entries sent", f"{entries} entries sent"
        lines = [
            f"Exercise {self.number}: not yet. Safe, but slow",
            f"  expected:  at most {limit} until {wanted.logs}",
            f"  your code: {took}",
            f"  mistake:   {wanted.mistake}",
            f"  read:      {self.paper}",
        ]
        said = f"{lines[0]}: at most {limit} are right here; yours: {took}."
        return Result(False, 0, self.points, "\n".join(lines), sentence=said)

    def _repaired(self, answer: Any, wanted: Repair) -> tuple[bool, int, int]:
        """Whether the logs are equal in the end, and the messages and the entries until then."""
        learner = self.rules_with(answer)

        class Hinted(WithoutNoOp):
            def next_index_after(
                self, rejected: Rejected, log: RaftLog, progress: FollowerProgress
            ) -> Index:
                return int(learner.next_index_after(rejected, log, progress))

        term = 8
        leader = leader_with(wanted.leader, term, PAIR, Hinted())
        log = log_of(wanted.follower)
        follower = RaftStateMachine(
            "follower", configuration=Configuration(PAIR), term=term, log=log
        )
        leader._broadcast_heartbeat()
        said = repair(leader, follower)
        entries = sum(len(request.entries) for request, _ in said)
        return follower.log == leader.log, len(said), entries


def draw_hint(case: Case, got: Any) -> Sequence[Scene]:
    """The leader's log, and what of it the next message would ask about."""
    log: RaftLog = case.arguments[1]
    rows = {"leader": words_of(log)}
    if type(got) is int and 1 <= got <= log.last_index + 1:
        rows["held before the next try"] = words([each.term for each in log.entries(1, got)])
    return (scene_rows(rows, "The leader's log, and where it tries next"),)


EXERCISES = (
    RulesExercise(
        "6.1",
        "What an answer proves",
        1,
        "match_index_after",
        "Write match_index_after(log, last_new_index, next_index). An accepting reply says that the"
        " follower agrees up to last_new_index; since that message was sent, the leader may have"
        " sent more, so that next_index is further on. Up to where does it know that they agree?",
        match_cases,
        Case(log_of("1 1 1 1 1"), 2, 6),
        "Figure 2, Leaders, third rule; 5.3",
    ),
    RulesExercise(
        "6.2",
        "An old refusal",
        2,
        "is_stray_rejection",
        "Write is_stray_rejection(rejected, progress): whether a rejection is older than what the"
        " leader knows by now, and says nothing. It is, if it denies what is known to match"
        " (progress.match_index); if its log ended before that (rejected.last_index); and, while"
        " the leader probes (progress.state is ProgressState.PROBE) one message at a time, if it is"
        " not about the entry before progress.next_index.",
        stray_cases,
        Case(
            Rejected(non_matching_index=3, last_index=2, hint_index=2, hint_term=1),
            progress_of(4, 6, "pipeline"),
        ),
        "5.3; 5.5",
    ),
    HintExercise(
        "6.3",
        "Back in few steps",
        3,
        "next_index_after",
        "Write next_index_after(rejected, log, progress): where the leader tries next. The follower"
        " has nothing, or something else, at rejected.non_matching_index; the last entry it holds"
        " that could agree is rejected.hint_index, of term rejected.hint_term. Few messages shall"
        " do, and what is there already is not sent again. Never go back below"
        " progress.match_index + 1. log.last_index_of_term_at_most(index, term) helps.",
        hint_cases,
        _hint_case("1 1 4 4 4 6", "1 1 2 2 3"),
        "5.3, last part",
        draw_hint,
    ),
)

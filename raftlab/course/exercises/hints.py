"""Exercise 6.3: how far a leader steps back after a refusal."""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from raftlab.course.exercises import guard
from raftlab.course.exercises.base import CHANGES_ITS_INPUT
from raftlab.course.exercises.cases import Case, rising, words
from raftlab.course.exercises.mistakes import Mistake
from raftlab.course.exercises.replication import MAKES_ONE, PAIR, PROGRESS, REJECTED
from raftlab.course.exercises.result import Result
from raftlab.course.exercises.running import RulesExercise
from raftlab.course.exercises.statement import Statement
from raftlab.course.exercises.verdict import Failure
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
    Repair(
        "1 " * 100 + "3", "1 " + "2 " * 99, 12, 202,
        "two logs that part after entry 1, for 100 and 99 entries, are equal",
        "it tries what is beyond rejected.hint_index: there nothing can agree",
    ),
)  # fmt: skip
"""Followers: away for long, with others for long, away just now, and with others at its end."""


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

    repairs: Sequence[Repair] = REPAIRS

    def failure(self, function: Callable[..., Any], case: Case) -> Failure | None:
        """What is wrong with one answer, or None; how quick it is, is not asked here."""
        rejected, _, progress = case.arguments
        top = rejected.non_matching_index
        low = progress.match_index + 1
        span = f"a whole number from {low} to {top}" if low < top else str(low)
        want = f"{span}: earlier than what was asked"
        given = case.fresh()
        try:
            got = guard.call(function, *given)
        except guard.LearnerError as problem:
            return Failure(case, want, str(problem), is_error=True)
        if not all(map(guard.unchanged, case.arguments, given)):
            return Failure(case, want, CHANGES_ITS_INPUT, is_error=True)
        if type(got) is int and low <= got <= max(top, 1):
            return None
        return Failure(case, want, f"it answers {guard.described(got, 40)}", got=got)

    def in_clusters(self, answer: Any) -> tuple[int, Result | None]:
        """First how quickly logs are made equal, and with how little; then whole clusters."""
        for each in self.repairs:
            slow = self.slow(answer, each)
            if slow is not None:
                return 0, slow
        return super().in_clusters(answer)

    def slow(self, answer: Any, wanted: Repair) -> Result | None:
        """What is wrong with how quickly two logs are made equal, or None."""
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
        said = f"{said} The mistake: {wanted.mistake}."
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
    rejected = case.arguments[0]
    rows = {"leader": words_of(log)}
    if rejected.hint_index:
        rows["follower's hint"] = words(["_"] * (rejected.hint_index - 1) + [rejected.hint_term])
    if type(got) is int and 1 <= got <= log.last_index + 1:
        rows["held before the next try"] = words([each.term for each in log.entries(1, got)])
    return (scene_rows(rows, "The leader's log, and where it tries next"),)


EXERCISES = (
    HintExercise(
        "6.3",
        "Back in few steps",
        3,
        "next_index_after",
        Statement(
            "Write next_index_after: where does the leader try next, once a follower has refused?"
            " The follower names its last entry that could agree. A few messages must be enough"
            " until the logs are equal, and what the follower holds already is not sent again.",
            {
                "rejected": f"{REJECTED}; rejected.hint_index and rejected.hint_term are those of"
                " its last entry that could agree: after it nothing can",
                "log": "RaftLog: the leader's log; log.last_index_of_term_at_most(index, term) is"
                " the last place, up to index, whose term is not above term",
                "progress": f"{PROGRESS}. {MAKES_ONE}",
            },
            "int: the next index to send, at least progress.match_index + 1, at most"
            " rejected.non_matching_index.",
            "going back one entry a message takes a thousand messages for a follower that missed a"
            " thousand entries.",
            (
                "Of the leader's own log, too, nothing can agree that has a later term than"
                " hint_term.",
                "log.last_index_of_term_at_most finds the place in the leader's log. Where the"
                " logs differ is above it; what is known to match is not. From the last entry"
                " that may agree to the next one to send it is one step.",
            ),
        ),
        cases=hint_cases,
        example=_hint_case("1 1 1 1", "1 1"),
        telling=_hint_case("1 1 4 4 4 6", "1 1 2 2 3"),
        paper="5.3, last part",
        picture=draw_hint,
        mistakes=(
            Mistake("the next index never goes back", "next-never-goes-back"),
            Mistake(
                "this tries the end of its own log again",
                "next-never-goes-back",
                lambda rejected, log, progress: log.last_index + 1,
            ),
            Mistake(
                "this sends the entry that may agree once more, and from nothing it sends entry 0",
                answers=lambda rejected, log, progress: rejected.hint_index,
            ),
            Mistake(
                "this goes back below what is known to match",
                answers=lambda *_: 1,
            ),
        ),
    ),
)

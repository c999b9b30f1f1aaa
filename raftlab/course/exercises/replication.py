"""Exercises of notebook 06: what a leader learns from answers."""

from collections.abc import Callable, Sequence
from itertools import product
from typing import Any, NamedTuple

from raftlab.course.exercises import guard
from raftlab.course.exercises.base import CHANGES_ITS_INPUT, Failure
from raftlab.course.exercises.cases import Case, rising, said, words
from raftlab.course.exercises.mistakes import Mistake
from raftlab.course.exercises.result import Result
from raftlab.course.exercises.running import RulesExercise
from raftlab.course.exercises.statement import Statement
from raftlab.course.facts import scene_facts
from raftlab.course.predict.leading import WithoutNoOp, leader_with, repair
from raftlab.course.rows import scene_rows
from raftlab.course.situations import log_of, progress_of, words_of
from raftlab.raft.log import RaftLog
from raftlab.raft.machine import RaftStateMachine
from raftlab.raft.messages import Rejected
from raftlab.raft.progress import FollowerProgress, ProgressState
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
        want = (
            f"a whole number from {progress.match_index + 1} to {top}: earlier than what was asked"
        )
        given = case.fresh()
        try:
            got = guard.call(function, *given)
        except guard.LearnerError as problem:
            return Failure(case, want, str(problem), is_error=True)
        if not all(map(guard.unchanged, case.arguments, given)):
            return Failure(case, want, CHANGES_ITS_INPUT, is_error=True)
        if type(got) is int and progress.match_index + 1 <= got <= max(top, 1):
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
            " what is known to match; or the leader probes, one message at a time, and asked about"
            " another entry than the one before progress.next_index.",
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
    HintExercise(
        "6.3",
        "Back in few steps",
        3,
        "next_index_after",
        Statement(
            "Write next_index_after: where does the leader try next, once a follower has refused?"
            " The follower names its last entry that could agree. A few messages have to do until"
            " the logs are equal, and what the follower holds already is not sent again.",
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

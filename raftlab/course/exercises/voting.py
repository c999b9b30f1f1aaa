"""Exercises of notebook 03: whom a server votes for, and what it must save."""

from collections.abc import Callable, Sequence
from itertools import product
from typing import Any

from raftlab.course.exercises import guard
from raftlab.course.exercises.cases import Case, rising, words
from raftlab.course.exercises.running import MachineExercise, RulesExercise
from raftlab.course.predict.asking import THREE
from raftlab.course.rows import scene_rows
from raftlab.course.situations import log_of, words_of
from raftlab.raft.log import RaftLog
from raftlab.raft.machine import RaftStateMachine
from raftlab.raft.messages import Message, RequestVote, RequestVoteReply
from raftlab.raft.options import Options
from raftlab.raft.roles import Cause
from raftlab.raft.vocabulary import Index, Millis, NodeId, Term
from raftlab.view import Scene

TERMS = (1, 2, 3)


def ends() -> list[tuple[int, ...]]:
    """Every log of up to three entries of three terms, as terms; shortest first."""
    return [terms for length in range(4) for terms in rising(length, TERMS)]


def vote_request(term: Term, last_log_index: Index = 0, last_log_term: Term = 0) -> RequestVote:
    """S2 asks S1 for its vote, with a log that ends so."""
    return RequestVote(
        term=term,
        sender="S2",
        receiver="S1",
        last_log_index=last_log_index,
        last_log_term=last_log_term,
    )


def log_cases() -> list[Case]:
    """Every pair of a voter's log and a candidate's."""
    return [
        Case(
            vote_request(4, len(its), max([0, *its])),
            log_of(words(mine)),
        )
        for its, mine in sorted(product(ends(), repeat=2), key=lambda pair: sum(map(len, pair)))
    ]


def vote_cases() -> list[Case]:
    """A voter that has voted or not, and knows the leader of its term or not."""
    return [
        Case(
            vote_request(term),
            term,
            voted_for,
            leader,
        )
        for term in (1, 2)
        for voted_for, leader in (
            (None, None), ("S2", None), ("S3", None), ("S1", None), ("S2", "S2"), ("S3", "S3"),
        )
    ]  # fmt: skip


def answer_cases() -> list[Case]:
    """Voters in terms 1 and 2, with and without a vote, asked for terms 1 to 3."""
    return [
        Case(
            term,
            voted_for,
            log_of(words(mine)),
            vote_request(asked, index, last),
        )
        for mine in ((), (1,), (1, 1))
        for index, last in ((0, 0), (1, 1), (2, 1))
        for term, asked in product((1, 2), (1, 2, 3))
        for voted_for in (None, "S2", "S3")
    ]


def answer_vote(
    term: Term, voted_for: NodeId | None, log: RaftLog, request: RequestVote
) -> tuple[bool, Term, NodeId | None]:
    """What the shipped machine answers, and the term and the vote that it has then."""
    machine = RaftStateMachine(
        "S1",
        configuration=THREE,
        term=term,
        voted_for=voted_for,
        log=log,
        options=Options.figure_2(),
    )
    machine.advance(request, 0.0)
    (reply,) = machine.poll().messages
    assert isinstance(reply, RequestVoteReply)
    return reply.vote_granted, machine.term, machine.voted_for


class AnswersVotes(RaftStateMachine):
    """The shipped machine, with a learner's function in the place of its vote handling."""

    __slots__ = ()
    decide: Callable[..., Any]

    def advance(self, message: Message, now: Millis) -> None:
        """A vote request goes to the learner's function, everything else where it always goes."""
        if not isinstance(message, RequestVote):
            super().advance(message, now)
            return
        granted, term, voted_for = checked_answer(
            guard.call(type(self).decide, self.term, self.voted_for, self.log.copy(), message)
        )
        self.now = now
        if term > self.term:
            self._step_down(term)
        elif term < self.term:
            self.term, self._hard_state_changed = term, True
        if voted_for != self.voted_for:
            self.voted_for, self._hard_state_changed = voted_for, True
        if granted:
            self._reset_election_timeout()
        self._send(
            RequestVoteReply(
                term=self.term,
                sender=self.node_id,
                receiver=message.sender,
                vote_granted=granted,
                is_prevote=False,
            )
        )

    def _step_down(self, term: Term) -> None:
        self._set_term(term)
        self._become_follower(None, Cause.HIGHER_TERM)


def checked_answer(answer: object) -> tuple[bool, Term, NodeId | None]:
    """A learner's answer, if it has the right form. Raises: LearnerError."""
    match answer:
        case (bool() as granted, int() as term, None | str() as voted_for):
            return granted, term, voted_for
    raise guard.LearnerError(
        f"it returns {guard.described(answer)}, and not (vote_granted, term, voted_for)"
    )


def draw_logs(case: Case, _: Any) -> Sequence[Scene]:
    """The voter's log, and one that ends as the candidate's does."""
    request, log = case.arguments
    end = request.last_log_index
    before = [min(request.last_log_term, 1)] * (end - 1)
    its = words([*before, request.last_log_term] if end else [])
    return (scene_rows({"candidate": its, "voter": words_of(log)}, "The ends of two logs"),)


EXERCISES = (
    RulesExercise(
        "3.1",
        "At least as up to date",
        1,
        "candidate_is_up_to_date",
        "Write candidate_is_up_to_date(request, log): whether a log that ends with entry"
        " request.last_log_index of term request.last_log_term is at least as up to date as the"
        " voter's `log` (log.last_index, log.last_term).",
        log_cases,
        Case(
            vote_request(4, 3, 1),
            log_of("1 2"),
        ),
        "Figure 2, RequestVote, rule 2; 5.4.1",
        draw_logs,
    ),
    RulesExercise(
        "3.2",
        "One vote per term",
        2,
        "has_vote_left",
        "Write has_vote_left(request, term, voted_for, leader): whether a voter in `term`, which"
        " has voted for `voted_for` (or nobody: None) and follows `leader` (or knows none), can"
        " still give this term's vote to request.sender. Think of the request that arrives twice.",
        vote_cases,
        Case(
            vote_request(1),
            1,
            "S2",
            None,
        ),
        "Figure 2, RequestVote, rule 2; 5.2",
    ),
    MachineExercise(
        "3.3",
        "The whole answer, and what must be saved",
        3,
        "answer_vote",
        "Write answer_vote(term, voted_for, log, request), which returns (vote_granted, term,"
        " voted_for): the answer, and the term and the vote that must be on the disk before it"
        " leaves. Use log.is_up_to_date(index, term). Plain Figure 2: no pre-vote.",
        "Figure 2, All servers and RequestVote; 5.1, 5.2, 5.4.1",
        answer_vote,
        answer_cases,
        Case(
            1,
            "S3",
            log_of("1"),
            vote_request(2),
        ),
        machine=AnswersVotes,
    ),
)

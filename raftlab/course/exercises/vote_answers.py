"""Exercise 3.3: the whole answer to a request for a vote, and what must be saved."""

from collections.abc import Callable, Sequence
from itertools import product
from typing import Any

from raftlab.course.exercises import guard
from raftlab.course.exercises.cases import Case, said, words
from raftlab.course.exercises.mistakes import Mistake
from raftlab.course.exercises.running import MachineExercise
from raftlab.course.exercises.statement import Statement
from raftlab.course.exercises.voting import REQUEST, vote_request
from raftlab.course.facts import scene_facts
from raftlab.course.predict.asking import THREE
from raftlab.course.situations import log_of, words_of
from raftlab.raft.log import RaftLog
from raftlab.raft.machine import RaftStateMachine
from raftlab.raft.messages import Message, RequestVote, RequestVoteReply
from raftlab.raft.options import Options
from raftlab.raft.roles import Cause
from raftlab.raft.vocabulary import Millis, NodeId, Term
from raftlab.view import Scene


def answer_cases() -> list[Case]:
    """Voters in terms 1 and 2, with and without a vote, asked for terms 1 to 3."""
    return [
        Case(
            term,
            voted_for,
            log_of(words(mine)),
            vote_request(asked, index, last),
        )
        for mine in ((), (1,), (1, 1), (2,), (1, 2))
        for index, last in ((0, 0), (1, 1), (2, 1), (1, 2), (2, 2))
        for term, asked in product((1, 2), (1, 2, 3))
        if term >= max([0, *mine]) and asked >= last
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
    answer_vote: Callable[..., Any]

    def advance(self, message: Message, now: Millis) -> None:
        """A vote request goes to the learner's function, everything else where it always goes.

        A pre-vote is everything else: it is no vote, and comes in notebook 11.
        """
        if not isinstance(message, RequestVote) or message.is_prevote:
            super().advance(message, now)
            return
        granted, term, voted_for = checked_answer(
            guard.call(type(self).answer_vote, self.term, self.voted_for, self.log.copy(), message)
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


ANSWER = "answer, term, vote"


def draw_answer(case: Case, got: Any) -> Sequence[Scene]:
    """The request, and what the voter has on its disk before and after."""
    term, voted_for, log, request = case.arguments
    end = f"entry {request.last_log_index} of term {request.last_log_term}"
    facts = {
        "asks for a vote": f"{request.sender}, in term {request.term}",
        "its log ends with": end if request.last_log_index else "nothing: it is empty",
        "the voter's log": words_of(log) or "empty",
        "on disk": f"term {term}, voted for {voted_for or 'nobody'}",
        ANSWER: said(got),
    }
    return (scene_facts(facts, "A vote is asked for", ANSWER),)


def answering(
    change: Callable[[tuple[bool, Term, NodeId | None], Term, NodeId | None], Any],
) -> Callable[..., Any]:
    """The right answer, changed; `change` is told it, and the term and the vote from before."""

    def answer(term: Term, voted_for: NodeId | None, log: RaftLog, request: RequestVote) -> Any:
        return change(answer_vote(term, voted_for, log, request), term, voted_for)

    return answer


def old_vote_stays(
    term: Term, voted_for: NodeId | None, log: RaftLog, request: RequestVote
) -> tuple[bool, Term, NodeId | None]:
    """The vote of the last term is taken for one of the new term."""
    if request.term <= term:
        return answer_vote(term, voted_for, log, request)
    fits = log.is_up_to_date(request.last_log_index, request.last_log_term)
    granted = fits and voted_for in (None, request.sender)
    return granted, request.term, request.sender if granted else voted_for


def never_again(
    term: Term, voted_for: NodeId | None, log: RaftLog, request: RequestVote
) -> tuple[bool, Term, NodeId | None]:
    """The vote of a server that does not repeat an answer."""
    if request.term == term and voted_for is not None:
        return False, term, voted_for
    return answer_vote(term, voted_for, log, request)


def any_log_will_do(
    term: Term, voted_for: NodeId | None, log: RaftLog, request: RequestVote
) -> tuple[bool, Term, NodeId | None]:
    """The vote of a server that does not look at logs."""
    return answer_vote(term, voted_for, RaftLog(), request)


def old_terms_too(
    term: Term, voted_for: NodeId | None, log: RaftLog, request: RequestVote
) -> tuple[bool, Term, NodeId | None]:
    """The vote of a server that listens to requests of earlier terms."""
    if request.term >= term:
        return answer_vote(term, voted_for, log, request)
    fits = log.is_up_to_date(request.last_log_index, request.last_log_term)
    granted = fits and voted_for in (None, request.sender)
    return granted, term, request.sender if granted else voted_for


def comparing(key: Callable[[int, int], Any]) -> Callable[..., Any]:
    """The answer of a server that compares the ends of two logs by `key` of index and term."""

    def answer(term: Term, voted_for: NodeId | None, log: RaftLog, request: RequestVote) -> Any:
        if key(request.last_log_index, request.last_log_term) >= key(log.last_index, log.last_term):
            return any_log_will_do(term, voted_for, log, request)
        return False, max(term, request.term), voted_for if request.term <= term else None

    return answer


EXERCISES = (
    MachineExercise(
        "3.3",
        "The whole answer, and what must be saved",
        3,
        "answer_vote",
        Statement(
            "Write answer_vote, all that a voter does with a request: look at the terms, at the"
            " vote and at the log, and answer. What it then has as its term and its vote must be on"
            " the disk before the answer leaves. No pre-vote here.",
            {
                "term": "int: the voter's term",
                "voted_for": "str or None: whom it has voted for in that term; None for nobody",
                "log": "RaftLog: its log; log.is_up_to_date(index, term) says whether a log that"
                " ends with such an entry is at least as up to date",
                "request": REQUEST,
            },
            "tuple (vote_granted, term, voted_for): bool, int, str or None. The answer, then the"
            " term and the vote that are to be saved.",
            "many wrong Rafts are wrong in the order of these few lines.",
            (
                "First the term. An earlier one changes nothing; a later one is adopted, and brings"
                " a new vote, even if the vote is then refused.",
                "Then two questions: is the vote free, or this candidate's already? And is its log"
                " up to date enough? A refusal leaves the vote where it is; the term that goes back"
                " is the newer one, also then.",
            ),
        ),
        paper="Figure 2, All servers and RequestVote; 5.1, 5.2, 5.4.1",
        reference=answer_vote,
        cases=answer_cases,
        example=Case(1, None, log_of("1"), vote_request(1, 1, 1)),
        telling=Case(1, "S3", log_of("1"), vote_request(2)),
        picture=draw_answer,
        machine=AnswersVotes,
        shipped=(RaftStateMachine._on_request_vote,),
        mistakes=(
            Mistake("the vote of the last term is not given back", "votes-once", old_vote_stays),
            Mistake(
                "the vote is given, and not saved: after a crash it is given again",
                "vote-not-saved",
                answering(lambda right, term, vote: (right[0], right[1], None)),
            ),
            Mistake(
                "the new term is not saved: after a crash the server is back in the old one",
                "term-not-saved",
                answering(lambda right, term, vote: (right[0], term, right[2])),
            ),
            Mistake("the logs are not compared", "any-log-elects", any_log_will_do),
            Mistake(
                "the longer log wins here",
                "longest-log-elects",
                comparing(lambda index, term: index),
            ),
            Mistake(
                "the lengths are compared first, and the longer log wins",
                "longest-log-elects",
                comparing(lambda index, term: (index, term)),
            ),
            Mistake(
                "the lengths are forgotten: of two logs that end in one term the shorter may win",
                "last-term-elects",
                comparing(lambda index, term: term),
            ),
            Mistake(
                "who has voted never votes again, even for the same candidate: a lost answer loses"
                " the vote",
                answers=never_again,
            ),
            Mistake(
                "a server that refuses does not adopt the later term",
                "term-never-rises",
                answering(lambda right, term, vote: right if right[0] else (False, term, vote)),
            ),
            Mistake(
                "a vote of an earlier term is kept where the new one is refused",
                answers=answering(
                    lambda right, term, vote: right if right[0] else (*right[:2], vote)
                ),
            ),
            Mistake("requests of an earlier term are granted", "old-terms-obeyed", old_terms_too),
        ),
    ),
)

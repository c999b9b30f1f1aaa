"""Exercises 3.1 and 3.2: whom a server votes for."""

from collections.abc import Sequence
from itertools import product
from typing import Any

from msgspec import structs

from raftlab.course.exercises.cases import Case, rising, said, words
from raftlab.course.exercises.mistakes import Mistake
from raftlab.course.exercises.running import RulesExercise
from raftlab.course.exercises.statement import Statement
from raftlab.course.facts import scene_facts
from raftlab.course.rows import scene_rows
from raftlab.course.situations import log_of, words_of
from raftlab.raft.log import RaftLog
from raftlab.raft.messages import RequestVote
from raftlab.raft.vocabulary import Index, Term
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


def prevote_cases() -> list[Case]:
    """A voter that has voted, and is asked whether it would vote in the next term."""
    asks = structs.replace(vote_request(2), is_prevote=True)
    return [Case(asks, 1, voted_for, None) for voted_for in (None, "S2", "S3")]


def draw_logs(case: Case, _: Any) -> Sequence[Scene]:
    """The voter's log, and one that ends as the candidate's does."""
    request, log = case.arguments
    end = request.last_log_index
    before = [min(request.last_log_term, 1)] * (end - 1)
    its = words([*before, request.last_log_term] if end else [])
    return (scene_rows({"candidate": its, "voter": words_of(log)}, "The ends of two logs"),)


def draw_vote(case: Case, got: Any) -> Sequence[Scene]:
    """What the voter knows, and who asks."""
    request, term, voted_for, leader = case.arguments
    facts = {
        "asks for a vote": f"{request.sender}, in term {request.term}",
        "the voter's term": str(term),
        "voted in it for": voted_for or "nobody",
        "leader it knows": leader or "none",
        LEFT: said(got),
    }
    return (scene_facts(facts, "A vote is asked for", LEFT),)


LEFT = "has a vote left for it"
REQUEST = (
    "RequestVote: the candidate's request. request.sender is its name, request.term its term;"
    " request.last_log_index and request.last_log_term are those of its last entry (0 and 0 if"
    " its log is empty)"
)
VOTERS_LOG = (
    "RaftLog: the voter's own log; log.last_index and log.last_term are those of its last entry"
    " (0 and 0 if it is empty)"
)

EXERCISES = (
    RulesExercise(
        "3.1",
        "At least as up to date",
        1,
        "candidate_is_up_to_date",
        Statement(
            "Write candidate_is_up_to_date: is the candidate's log at least as up to date as the"
            " voter's? The later last term wins; if the last terms are equal, the longer log. Equal"
            " logs will do.",
            {"request": REQUEST, "log": VOTERS_LOG},
            "bool: True, if the voter may vote for this candidate as far as logs go.",
            "a candidate without a committed entry must not win; at least one voter of every"
            " majority holds that entry, and says no here.",
            (
                "Which is more up to date, a long log that ends in term 1, or a short one that ends"
                " in term 2?",
                "Python compares pairs from left to right: (2, 1) > (1, 9).",
            ),
        ),
        cases=log_cases,
        example=Case(vote_request(4, 2, 2), log_of("1 2 2")),
        telling=Case(vote_request(4, 3, 1), log_of("1 2")),
        paper="Figure 2, RequestVote, rule 2; 5.4.1",
        picture=draw_logs,
        shipped=(RaftLog.is_up_to_date,),
        mistakes=(
            Mistake("this lets the longer log win", "longest-log-elects"),
            Mistake(
                "this compares the lengths first, and lets the longer log win",
                "longest-log-elects",
                lambda request, log: (
                    (request.last_log_index, request.last_log_term)
                    >= (log.last_index, log.last_term)
                ),
            ),
            Mistake(
                "this lets a longer log win, too, whatever term it ends in",
                "longest-log-elects",
                lambda request, log: (
                    request.last_log_term > log.last_term
                    or request.last_log_index >= log.last_index
                ),
            ),
            Mistake(
                "this forgets the lengths: of two logs that end in one term the shorter may win",
                "last-term-elects",
            ),
            Mistake(
                "this does not compare the logs (request.term is above all that is in them)",
                "any-log-elects",
            ),
            Mistake(
                "this refuses a log that is equal to its own: with equal logs nobody can win",
                answers=lambda request, log: (
                    (request.last_log_term, request.last_log_index)
                    > (log.last_term, log.last_index)
                ),
            ),
            Mistake(
                "this wants both, a later term and a longer log: often nobody has both",
                answers=lambda request, log: (
                    request.last_log_term >= log.last_term
                    and request.last_log_index >= log.last_index
                ),
            ),
        ),
    ),
    RulesExercise(
        "3.2",
        "One vote per term",
        1,
        "has_vote_left",
        Statement(
            "Write has_vote_left: can this voter still give its vote of this term to the candidate?"
            " The request may arrive twice, and the first answer may have been lost: then the"
            " answer is the same again. If a leader of this term is known and no vote was given,"
            " either answer is safe, and either is accepted; ours refuses.",
            {
                "request": "RequestVote: request.sender is the candidate's name",
                "term": "int: the voter's term, which is the request's too",
                "voted_for": "str or None: whom it has voted for in this term; None for nobody",
                "leader": "str or None: the leader of this term, if it knows one",
            },
            "bool: True, if the candidate may have the vote.",
            "without this rule two candidates can win the same term.",
            (
                "There are two cases in which the answer is yes.",
                "Whoever has the vote keeps it. If nobody has it and no leader of this term is"
                " known, it is free.",
            ),
        ),
        cases=vote_cases,
        example=Case(vote_request(1), 1, "S3", None),
        telling=Case(vote_request(1), 1, "S2", None),
        paper="Figure 2, RequestVote, rule 2; 5.2",
        picture=draw_vote,
        beyond=("It holds without pre-vote, which comes in notebook 11 (to come).", prevote_cases),
        mistakes=(
            Mistake("this votes for whoever asks", "votes-again"),
            Mistake(
                "this refuses the candidate that it has voted for: a lost answer loses the vote",
                answers=lambda request, term, voted_for, leader: voted_for is None,
            ),
            Mistake(
                "this refuses the candidate that it has voted for: a lost answer loses the vote",
                answers=lambda request, term, voted_for, leader: (
                    voted_for is None and leader is None
                ),
            ),
            Mistake(
                "this votes for nobody new: no candidate gets a second vote",
                answers=lambda request, term, voted_for, leader: voted_for == request.sender,
            ),
            Mistake(
                "this forgets its vote while it knows no leader",
                "votes-again",
                lambda request, term, voted_for, leader: leader is None,
            ),
            Mistake(
                "this forgets its vote while it knows no leader",
                "votes-again",
                lambda request, term, voted_for, leader: (
                    leader is None or voted_for == request.sender
                ),
            ),
        ),
    ),
)

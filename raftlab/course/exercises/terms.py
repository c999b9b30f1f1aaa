"""Exercises of notebook 02: terms, and the election timer."""

from collections.abc import Sequence
from itertools import product
from typing import Any

from raftlab.course.exercises.cases import Case, said
from raftlab.course.exercises.mistakes import Mistake
from raftlab.course.exercises.running import RulesExercise
from raftlab.course.exercises.statement import Statement
from raftlab.course.facts import scene_facts
from raftlab.raft.rules import Rules
from raftlab.view import Scene


def draw_terms(case: Case, got: Any) -> Sequence[Scene]:
    """The two terms, and whether the node moves."""
    message, own = case.arguments
    facts = {"term in the message": str(message), "its own term": str(own), ADOPTS: said(got)}
    return (scene_facts(facts, "A message reaches a server", ADOPTS),)


def draw_timer(case: Case, got: Any) -> Sequence[Scene]:
    """The two facts, and whether the timer is reset."""
    granted, heard = case.arguments
    facts = {"it has granted a vote": str(granted), "it heard its leader": str(heard)}
    return (scene_facts(facts | {RESETS: said(got)}, "What has just happened", RESETS),)


ADOPTS, RESETS = "adopts the message's term", "resets its timer"

EXERCISES = (
    RulesExercise(
        "2.1",
        "Terms are a clock",
        1,
        "is_newer_term",
        Statement(
            "Write is_newer_term: does a message of this term make a server adopt the term, and"
            " become a follower?",
            {
                "message_term": "int: the term that the message carries",
                "term": "int: the server's own term",
            },
            "bool: True, if the server moves to the message's term.",
            "it is the first thing that every server decides about every message.",
            (
                "There are three cases: lower, equal, higher. Only one of them moves the server.",
                "Terms never go down.",
            ),
        ),
        cases=lambda: [Case(message, term) for message, term in product(range(6), repeat=2)],
        example=Case(3, 4),
        telling=Case(5, 4),
        paper="Figure 2, All servers, second rule; 5.1",
        shipped=(Rules.is_stale_term, Rules.may_serve_read),
        picture=draw_terms,
        mistakes=(
            Mistake("this lets a server go back in term", "term-falls"),
            Mistake("this never adopts a term", "term-never-rises"),
            Mistake(
                "this makes a server step down in its own term: a leader, too",
                answers=lambda message_term, term: message_term >= term,
            ),
            Mistake(
                "this adopts the next term only: who missed two terms never catches up",
                answers=lambda message_term, term: message_term == term + 1,
            ),
        ),
    ),
    RulesExercise(
        "2.3",
        "What resets the timer",
        1,
        "resets_election_timer",
        Statement(
            "Write resets_election_timer: does a server wait for a whole election timeout again?"
            " The machine asks after every request for a vote, and whenever the server hears the"
            " leader of its own term.",
            {
                "granted_vote": "bool: it has just granted its vote",
                "heard_leader": "bool: it has just heard the leader of its own term",
            },
            "bool: True, if the timer starts afresh.",
            "reset too seldom, healthy leaders are deposed; reset too often, nobody ever stands for"
            " election.",
            (
                "A request that is refused is no reason to wait: whoever asked may never win.",
                "Two things reset the timer. One of them is enough.",
            ),
        ),
        cases=lambda: [Case(*both) for both in product((False, True), repeat=2)],
        example=Case(True, False),
        telling=Case(False, False),
        paper="Figure 2, Followers, second rule; 5.2",
        picture=draw_timer,
        mistakes=(
            Mistake("this lets any request reset the timer", "anything-resets-timer"),
            Mistake("this does not hear the leader", "deaf-timer"),
            Mistake("this never resets the timer", "deaf-timer", lambda *_: False),
            Mistake(
                "this stands against the candidate that it has just voted for",
                answers=lambda granted_vote, heard_leader: heard_leader,
            ),
            Mistake(
                "this asks for both at once, which hardly ever happens",
                "deaf-timer",
                lambda granted_vote, heard_leader: granted_vote and heard_leader,
            ),
        ),
    ),
)

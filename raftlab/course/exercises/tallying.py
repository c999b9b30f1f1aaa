"""Exercises of notebook 04: majorities, the tally, and whose answers count."""

from collections.abc import Callable, Sequence
from itertools import product
from typing import Any

from raftlab.course.exercises.base import Exercise
from raftlab.course.exercises.cases import BEFORE, Case, said
from raftlab.course.exercises.mistakes import Mistake
from raftlab.course.exercises.running import RulesExercise
from raftlab.course.exercises.statement import Statement
from raftlab.course.facts import scene_facts
from raftlab.course.situations import votes_of
from raftlab.raft.quorum import is_quorum, majority, majority_index, quorum_index
from raftlab.raft.rules import Rules
from raftlab.raft.vocabulary import Configuration
from raftlab.raft.votes import ElectionResult, ElectionTracker, Votes
from raftlab.sim.world.arguments import MOST_NODES
from raftlab.view import Scene, scene_tally


def tally_cases() -> list[Case]:
    """Clusters of one to seven with every number of votes and refusals."""
    cases = []
    for size in range(1, 8):
        voters = tuple(f"S{place}" for place in range(1, size + 1))
        for answered in range(size + 1):
            for granted in range(answered + 1):
                said = {v: place < granted for place, v in enumerate(voters[:answered])}
                cases.append(Case(votes_of(said, of=voters)))
    return cases


def joint_cases() -> list[Case]:
    """Three servers that become three others: a majority of each is needed."""
    joint = Configuration(("S4", "S5", "S6"), old_voters=("S1", "S2", "S3"))
    cases = []
    for those in (("S1", "S2", "S3", "S4"), ("S1", "S2", "S4", "S5")):
        votes = Votes(joint)
        for voter in those:
            votes.register_vote(voter, True)
        cases.append(Case(votes))
    return cases


def draw_votes(case: Case, got: Any) -> Sequence[Scene]:
    """The votes, and the majority line; while there is no answer, the votes alone."""
    votes: Votes = case.arguments[0]
    if got is not BEFORE:
        return (scene_tally(votes.answers, Configuration(votes.voters)),)
    word = {True: "granted", False: "refused", None: "silent"}
    facts = {voter: word[votes.answers.get(voter)] for voter in votes.voters}
    return (scene_facts(facts | {"the election": "?"}, "Who has answered what", "the election"),)


def draw_servers(case: Case, got: Any) -> Sequence[Scene]:
    """The servers, and how many are more than half."""
    (size,) = case.arguments
    servers = " ".join(f"S{place}" for place in range(1, size + 1))
    return (scene_facts({"servers": servers, MORE: said(got)}, "A cluster", MORE),)


def draw_terms(case: Case, got: Any) -> Sequence[Scene]:
    """The term of the answer, and that of the question."""
    reply, asked = case.arguments
    facts = {"the answer is of term": str(reply), "it asks in term": str(asked)}
    return (scene_facts(facts | {COUNTS: said(got)}, "A candidate gets an answer", COUNTS),)


def won_if(won: Callable[[int, int, int], bool]) -> Callable[[Votes], ElectionResult]:
    """A tally that calls an election won by the numbers of votes, answers and voters."""

    def tally(votes: Votes) -> ElectionResult:
        granted = sum(votes.answers.values())
        if won(granted, len(votes.answers), len(votes.voters)):
            return ElectionResult.WON
        result = votes.tally_vote()
        return ElectionResult.UNKNOWN if result is ElectionResult.WON else result

    return tally


def most_of_the_answers(votes: Votes) -> ElectionResult:
    """Won with more votes than refusals, and else open."""
    won = 2 * sum(votes.answers.values()) > len(votes.answers)
    return ElectionResult.WON if won else ElectionResult.UNKNOWN


def never_lost(votes: Votes) -> ElectionResult:
    """A tally that waits for ever."""
    result = votes.tally_vote()
    return ElectionResult.UNKNOWN if result is ElectionResult.LOST else result


def lost_at_last(votes: Votes) -> ElectionResult:
    """A tally that waits for every answer before it gives up."""
    return votes.tally_vote() if len(votes.answers) == len(votes.voters) else never_lost(votes)


def lost_if_not_won(votes: Votes) -> ElectionResult:
    """A tally that does not wait."""
    result = votes.tally_vote()
    return ElectionResult.LOST if result is ElectionResult.UNKNOWN else result


def lost_by_refusals(votes: Votes) -> ElectionResult:
    """A tally that wants a majority of refusals, too."""
    result = never_lost(votes)
    refused = len(votes.answers) - sum(votes.answers.values())
    return ElectionResult.LOST if refused >= majority(len(votes.voters)) else result


MORE, COUNTS = "more than half", "the answer counts"

EXERCISES = (
    Exercise(
        "4.1",
        "A majority",
        1,
        "majority",
        Statement(
            "Write majority: how many of these servers are more than half?",
            {"size": "int: how many servers there are, 1 or more"},
            "int: the smallest number that is more than half of size.",
            "half is not enough: two halves of a cluster need not meet, two majorities always do.",
            (
                "Half of 4 is 2, and more than that is 3. What of 5?",
                "Integer division: 5 // 2 is 2, and 4 // 2 is 2.",
            ),
        ),
        paper="5.2",
        reference=majority,
        shipped=(majority_index, quorum_index, is_quorum),
        cases=lambda: [Case(size) for size in range(1, MOST_NODES + 1)],
        example=Case(5),
        telling=Case(4),
        picture=draw_servers,
        is_corner=lambda case: case.arguments[0] < 3,
        mistakes=(
            Mistake("half is taken for a majority", "half-elects", lambda size: (size + 1) // 2),
            Mistake("half is taken for a majority", "half-elects", lambda size: size // 2),
            Mistake("two thirds are more than is needed", answers=lambda size: 2 * size // 3 + 1),
        ),
    ),
    RulesExercise(
        "4.2",
        "Three answers",
        2,
        "tally_vote",
        Statement(
            "Write tally_vote: is the election won, lost, or still open? It is won with the votes"
            " of more than half of all voters, and lost once the silent ones cannot bring a"
            " majority any more. (from raftlab.raft.votes import ElectionResult)",
            {
                "votes": "Votes: votes.voters are the names of all voters; votes.answers is a dict"
                " from those that have answered, the candidate among them, to True (granted) or"
                " False (refused)",
            },
            "ElectionResult: ElectionResult.WON, ElectionResult.LOST or ElectionResult.UNKNOWN.",
            "whoever calls it won too early may make a second leader of one term; whoever never"
            " calls it lost waits until its timer runs out.",
            (
                "Count the granted and the silent. The majority is one of votes.voters, and not of"
                " votes.answers.",
                "Won, if the granted are a majority. Unknown, if the granted and the silent"
                " together would be one. Else lost.",
            ),
        ),
        cases=tally_cases,
        example=Case(votes_of({"S1": True, "S2": True}, of=("S1", "S2", "S3"))),
        telling=Case(votes_of({"S1": True, "S2": False}, of=("S1", "S2", "S3", "S4"))),
        paper="Figure 2, Candidates, second rule; 5.2",
        picture=draw_votes,
        says=str,
        shipped=(Votes.tally_vote, ElectionTracker.tally_vote, is_quorum, majority_index),
        beyond=(
            "It holds for a fixed set of servers; while the set changes (notebook 16, to come),"
            " two majorities are needed.",
            joint_cases,
        ),
        mistakes=(
            Mistake(
                "half of the votes win",
                "half-elects",
                won_if(lambda yes, said, of: 2 * yes >= of),
            ),
            Mistake(
                "refusals count as votes",
                "refusals-elect",
                won_if(lambda yes, said, of: 2 * said > of),
            ),
            Mistake(
                "a majority of those that have answered is taken for a majority of all",
                "half-elects",
                won_if(lambda yes, said, of: 2 * yes > said),
            ),
            Mistake(
                "a majority of those that have answered is taken for a majority of all",
                "half-elects",
                most_of_the_answers,
            ),
            Mistake("an election needs every vote", "needs-all-votes"),
            Mistake(
                "an election needs every vote",
                "needs-all-votes",
                won_if(lambda yes, said, of: yes == of),
            ),
            Mistake(
                "this waits for every answer: a server that is down never gives one",
                answers=lambda votes: (
                    votes.tally_vote()
                    if len(votes.answers) == len(votes.voters)
                    else ElectionResult.UNKNOWN
                ),
            ),
            Mistake("this never gives an election up", answers=never_lost),
            Mistake(
                "this gives up only when everybody has answered: a server that is down never does",
                answers=lost_at_last,
            ),
            Mistake("this gives an election up while it is open", answers=lost_if_not_won),
            Mistake(
                "this waits for a majority of refusals: with an even number, half is enough to"
                " lose",
                answers=lost_by_refusals,
            ),
        ),
    ),
    RulesExercise(
        "4.3",
        "Answers about the present",
        1,
        "is_about_the_present",
        Statement(
            "Write is_about_the_present: is this answer one to the question that is being asked"
            " now? A candidate counts an answer, and a leader notes it, only then. (Answers of"
            " later terms are dealt with before.)",
            {
                "reply_term": "int: the term in the answer",
                "asked_term": "int: the term in which this server asks now",
            },
            "bool: True, if the answer counts.",
            "a vote of an earlier term, counted in this one, makes a second leader.",
            (
                "The voter may have voted for somebody else in the meantime.",
                "In which case do the two terms fit?",
            ),
        ),
        cases=lambda: [Case(*both) for both in product(range(1, 5), repeat=2)],
        example=Case(3, 3),
        telling=Case(1, 2),
        paper="5.1; Figure 2, Candidates",
        shipped=(Rules.may_take_over,),
        picture=draw_terms,
        mistakes=(
            Mistake("this counts the votes of earlier terms", "old-votes"),
            Mistake(
                "this counts the votes of earlier terms",
                "old-votes",
                lambda reply_term, asked_term: reply_term <= asked_term,
            ),
            Mistake(
                "this counts the votes of the last term, too",
                "old-votes",
                lambda reply_term, asked_term: reply_term in (asked_term, asked_term - 1),
            ),
            Mistake(
                "this counts answers of later terms, which the machine has dealt with before",
                answers=lambda reply_term, asked_term: reply_term >= asked_term,
            ),
            Mistake("this counts no answer at all", answers=lambda *_: False),
        ),
    ),
)

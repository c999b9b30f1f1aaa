"""Exercises of notebook 04: majorities and the tally."""

from collections.abc import Sequence
from typing import Any

from raftlab.course.exercises.base import Exercise
from raftlab.course.exercises.cases import Case
from raftlab.course.exercises.running import RulesExercise
from raftlab.course.situations import votes_of
from raftlab.raft.quorum import majority
from raftlab.raft.vocabulary import Configuration
from raftlab.raft.votes import Votes
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


def draw_votes(case: Case, _: Any) -> Sequence[Scene]:
    """The votes, and the majority line."""
    votes: Votes = case.arguments[0]
    return (scene_tally(votes.answers, Configuration(votes.voters)),)


EXERCISES = (
    Exercise(
        "4.1",
        "A majority",
        1,
        "majority",
        "Write majority(size): how many of `size` servers are more than half.",
        "5.2",
        majority,
        lambda: [Case(size) for size in range(1, MOST_NODES + 1)],
        Case(4),
    ),
    RulesExercise(
        "4.2",
        "Three answers",
        2,
        "tally_vote",
        "Write tally_vote(votes): ElectionResult.WON, LOST or UNKNOWN. votes.voters are all"
        " voters; votes.answers maps those that have answered to True (granted) or False."
        " An election is lost once the silent ones cannot bring a majority any more.",
        tally_cases,
        Case(votes_of({"S1": True, "S2": False}, of=("S1", "S2", "S3", "S4"))),
        "Figure 2, Candidates, second rule; 5.2",
        draw_votes,
        says=str,
    ),
)

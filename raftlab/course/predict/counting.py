"""Questions about majorities."""

import random

from raftlab.course.question import Question, template
from raftlab.raft.quorum import majority
from raftlab.raft.vocabulary import Configuration, Misuse
from raftlab.raft.votes import Votes
from raftlab.view import scene_tally


@template
def majority_size(servers: int | None = None, *, seed: int = 0) -> Question:
    """How many of so many servers make a majority?

    Raises: Misuse, for a number of servers that no cluster has.
    """
    if servers is None:
        servers = random.Random(f"raftlab majority {seed}").randint(2, 12)
    if type(servers) is not int or servers < 1:
        raise Misuse("the number of servers is a whole number, at least 1")
    needed = majority(servers)
    voters = tuple(f"S{place}" for place in range(1, servers + 1))
    return Question(
        f"How many of {servers} servers make a majority?",
        (),
        needed,
        f"more than half of {servers} is {needed}; so up to {servers - needed} may fail, and two"
        " majorities always share a server (5.2)",
        then=lambda: [scene_tally(dict.fromkeys(voters[:needed], True), Configuration(voters))],
    )


@template
def tally(granted: int | None = None, refused: int = 0, of: int = 5, *, seed: int = 0) -> Question:
    """With so many votes granted and refused among `of` voters: won, lost or still open?

    The candidate's own vote is among those granted.
    """
    if granted is None:
        rng = random.Random(f"raftlab tally {seed}")
        of = rng.choice([3, 4, 5, 6, 7, 9])
        granted = rng.randint(1, majority(of))
        refused = rng.randint(0, of - granted)
    if any(type(each) is not int for each in (granted, refused, of)):
        raise Misuse("votes, refusals and voters are whole numbers")
    silent = of - granted - refused
    if min(granted, refused, silent) < 0:
        raise Misuse(f"{granted} votes and {refused} refusals are too many for {of} voters")
    voters = tuple(f"S{place}" for place in range(1, of + 1))
    votes = Votes(Configuration(voters))
    for place, voter in enumerate(voters[: granted + refused]):
        votes.register_vote(voter, place < granted)
    said = f"{granted} vote{'s' * (granted != 1)}"
    return Question(
        f"A candidate in a cluster of {of} has {said}, its own among them; refused: {refused},"
        f" silent: {silent}. What does the tally say?",
        {"won": "it leads", "lost": "it gives up", "unknown": "it waits for more answers"},
        votes.tally_vote().value,
        f"{majority(of)} of {of} are needed; it has {granted} and can still get {silent} more,"
        f" {granted + silent} in all (5.2)",
        then=lambda: [scene_tally(votes.answers, Configuration(voters))],
    )

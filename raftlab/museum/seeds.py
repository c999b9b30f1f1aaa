"""How many random runs it takes until an exhibit shows, and which checker sees it.

A run that only raises, or in which a machine reports something impossible, is no find: the
next seed is tried. What finds an exhibit looks at it from outside.
"""

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace
from typing import Any

import msgspec

from raftlab.check.campaign.complaints import complaint
from raftlab.check.campaign.faults import REPAIRS, Verbs
from raftlab.check.campaign.random_run import FAULTS_MS, heal_and_converge, inject_faults
from raftlab.check.campaign.random_start import start
from raftlab.check.campaign.run_state import MessageStorm, RandomRun
from raftlab.check.history.client_history import history_of
from raftlab.check.linearizability import check
from raftlab.museum.exhibit import STOCK, Exhibit
from raftlab.raft.vocabulary import Millis
from raftlab.sim.cluster import Cluster
from raftlab.sim.world.violation import Violation

INVARIANTS = "invariants"
HEALING = "healing"
ANSWERS = "answers"
LINEARIZABILITY = "linearizability"
SEARCH = "search"

CHECKERS: Mapping[str, str] = {
    INVARIANTS: "a property that is watched after every step of a random run",
    HEALING: "the end of a random run: all faults are over, or all but one, and it must go on",
    ANSWERS: "the end of a random run: what was shown and executed must be what was committed",
    LINEARIZABILITY: "the history of what clients asked and saw",
    SEARCH: "every run of a small cluster, one after another",
}
"""What can catch an exhibit, and what that looks at."""

HISTORY_BUDGET = 200_000

NAMED_FAULTS_MS: Millis = 3000.0

RAISED = "raised"
ALARMS = "alarms"
NOT_A_FIND = (RAISED, ALARMS)


class Find(msgspec.Struct, frozen=True):
    """A random run in which an exhibit showed: which one in the order it was, and who saw what."""

    seed: int
    runs: int
    checker: str
    said: str


def first_failure(exhibit: Exhibit, start: int, limit: int) -> Find | None:
    """The first of the seeds from `start` on that shows the mistake; None if `limit` do not."""
    for seed in range(start, start + limit):
        checker, said = failure(exhibit, seed)
        if checker and checker not in NOT_A_FIND:
            return Find(seed, seed - start + 1, checker, said)
    return None


def stock_failure(exhibit: Exhibit, limit: int) -> int | None:
    """The first seed of a campaign with nothing but the mistake that shows it, below `limit`."""
    stock = replace(exhibit, tuning=STOCK)
    find = first_failure(stock, 0, limit)
    return None if find is None else find.seed


def failure(exhibit: Exhibit, seed: int) -> tuple[str, str]:
    """Who finds fault with the random run of `seed`, and what it says; twice "" if nobody does.

    Where an exhibit asks for a check after the healing, that takes the place of an operator's
    tasks.
    """
    afterwards = exhibit.tuning.afterwards
    try:
        run = random_start(exhibit, seed)
        inject_chosen_faults(exhibit, run)
        heal_and_converge(run)
        wrong = complaint(run, operator=afterwards is None)
        said = afterwards(run) if afterwards and wrong is None else None
    except MessageStorm as storm:
        return HEALING, str(storm)
    except Violation as violation:
        return INVARIANTS, violation.frame.name
    except Exception as error:
        return RAISED, f"{type(error).__name__}: {error}"
    if wrong is not None:
        return wrong.kind, wrong.text
    return (HEALING, said) if said else ("", "")


def inject_chosen_faults(exhibit: Exhibit, run: RandomRun) -> None:
    """The faults that the tuning names, for as long as they were chosen for; or stock ones.

    Raises: Violation, when a property is broken; and whatever a machine raises.
    """
    verbs = verbs_of(exhibit)
    inject_faults(run, FAULTS_MS if verbs is None else NAMED_FAULTS_MS, verbs)


def random_start(exhibit: Exhibit, seed: int, **changes: Any) -> RandomRun:
    """The random run of `seed` before anything has happened, with the exhibit's mistake in it."""
    return start(seed, **{**exhibit.tuning.given, **exhibit.wrong, **changes})


def verbs_of(exhibit: Exhibit) -> Verbs | None:
    """The faults that the tuning names, with all that mends; None for those of chance."""
    verbs = exhibit.tuning.verbs
    return REPAIRS + [(verb, 6) for verb in verbs] if verbs else None


def is_seen_by_clients(exhibit: Exhibit, seed: int) -> bool:
    """Whether clients see that something is wrong, where nobody watches the properties.

    Looked at are the exhibit's own run and the random run of `seed`.
    """
    own = exhibit.cluster(watched=False)
    chance = random_start(exhibit, seed, watched=False)
    with suppress(Exception):  # what a machine raises stops a run, and says nothing to clients
        exhibit.run(own)
    with suppress(Exception):
        inject_chosen_faults(exhibit, chance)
    return any(is_impossible(cluster) for cluster in (own, chance.cluster))


def is_impossible(cluster: Cluster) -> bool:
    """Whether no order of what its clients asked explains what they were told."""
    with suppress(Exception):  # a run that was stopped cannot be played again
        return check(history_of(cluster), budget=HISTORY_BUDGET).is_linearizable is False
    return False

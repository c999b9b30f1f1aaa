"""The machines that a learner's tests meet: correct ones, and thirty that make a mistake."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from typing import Any, TypeAlias

from raftlab.grading.own_tests.otherwise import (
    does_all_otherwise,
    in_another_order,
    speaks_otherwise,
    takes_other_steps,
)
from raftlab.museum import Exhibit, exhibit
from raftlab.raft.options import Options
from raftlab.raft.vocabulary import NodeId
from raftlab.sim.cluster import Cluster

Start: TypeAlias = Callable[..., Cluster]
"""What a scenario is given: `start(5)` is a new cluster of five with the machine under test.

`start(3, logs={"S1": [1, 1], …})` begins with these logs, as `Cluster` does."""

FIGURE_2 = "Figure 2"
PLAIN = Options.figure_2()
CORRECT: Mapping[str, Callable[[int], Mapping[str, Any]]] = {
    FIGURE_2: lambda _: {"options": PLAIN},
    "Figure 2, one entry in a message": lambda _: {
        "options": Options.figure_2(max_entries_per_append=1)
    },
    "Figure 2, slow to write": lambda _: {"options": Options.figure_2(async_persistence=True)},
    "pre-vote and check-quorum": lambda _: {"options": Options()},
    "Figure 2, messages leave in another order": lambda seed: in_another_order(seed, PLAIN),
    "Figure 2, a leader says otherwise what is committed": lambda seed: speaks_otherwise(
        seed, PLAIN
    ),
    "Figure 2, other numbers of entries, other hints": lambda seed: takes_other_steps(seed, PLAIN),
    "pre-vote, and all of this": lambda seed: does_all_otherwise(seed, Options()),
}
"""By a name, what makes clusters of a correct Raft of a seed: every test must pass with each."""

MISTAKES: tuple[str, ...] = (
    "refusals-elect",
    "half-elects",
    "old-votes",
    "doubled-vote",
    "votes-again",
    "any-log-elects",
    "longest-log-elects",
    "last-term-elects",
    "term-never-rises",
    "term-falls",
    "vote-not-saved",
    "term-not-saved",
    "log-not-saved",
    "truncate-always",
    "never-truncates",
    "any-entry-fits",
    "sent-is-received",
    "no-means-yes",
    "leader-truncates",
    "followers-append",
    "figure-8",
    "half-commits",
    "best-copy-commits",
    "commit-goes-back",
    "commit-before-check",
    "commit-jumps",
    "votes-once",
    "needs-all-votes",
    "no-heartbeats",
    "next-never-goes-back",
)
"""The exhibits of the museum that tests are to find: of what notebooks 01 to 07 teach."""


def correct(name: str, seed: int) -> Start:
    """Starts clusters of the correct machine of that name."""
    return partial(_start, Cluster, CORRECT[name](seed), seed)


def mistaken(name: str, seed: int) -> Start:
    """Starts clusters in which every machine makes the mistake of that name."""
    return partial(_start, partial(_with_mistake, exhibit(name)), {}, seed)


def _start(
    make: Callable[..., Cluster],
    given: Mapping[str, Any],
    seed: int,
    nodes: int = 3,
    logs: Mapping[NodeId, Any] | None = None,
    **more: Any,
) -> Cluster:
    return make(nodes, seed=seed, watched=False, logs=logs, **given, **more)


def _with_mistake(which: Exhibit, nodes: int, **given: Any) -> Cluster:
    return replace(which, nodes=nodes).cluster(**given)

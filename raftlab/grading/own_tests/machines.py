"""The machines that a learner's tests meet: correct ones, and thirty that make a mistake."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from typing import Any, TypeAlias

from raftlab.museum import Exhibit, exhibit
from raftlab.raft.options import Options
from raftlab.raft.vocabulary import NodeId
from raftlab.sim.cluster import Cluster

Start: TypeAlias = Callable[..., Cluster]
"""What a scenario is given: `start(5)` is a new cluster of five with the machine under test.

`start(3, logs={"S1": [1, 1], …})` begins with these logs, as `Cluster` does."""

FIGURE_2 = "Figure 2"
CORRECT: Mapping[str, Options] = {
    FIGURE_2: Options.figure_2(),
    "Figure 2, one entry in a message": Options.figure_2(max_entries_per_append=1),
    "Figure 2, slow to write": Options.figure_2(async_persistence=True),
    "pre-vote and check-quorum": Options(),
}
"""Options with which the shipped machine is a correct Raft: every test must pass with each."""

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
    """Starts clusters of a correct machine, with the options of that name."""
    return partial(_start, Cluster, {"options": CORRECT[name]}, seed)


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

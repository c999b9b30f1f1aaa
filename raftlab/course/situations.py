"""Logs, counts and clusters from a few words, for questions, checks and pictures.

What needs no cluster is in `in_words`, and is here, too: the notebooks import all from one place.
"""

import random
from collections.abc import Callable, Mapping, Sequence
from textwrap import fill
from typing import Any

from raftlab.course.in_words import (
    FIGURE_7,
    Cause,
    Configuration,
    Options,
    Rejected,
    RequestVote,
    Role,
    entries_of,
    log_of,
    progress_of,
    terms_of,
    votes_of,
    words_of,
)
from raftlab.raft.quorum import majority
from raftlab.raft.vocabulary import Misuse, NodeId, Term
from raftlab.sim.cluster import Cluster
from raftlab.sim.frames.frame import Frame
from raftlab.sim.world.violation import Violation

__all__ = [
    "FIGURE_7",
    "Cause",
    "Cluster",
    "Configuration",
    "Options",
    "Rejected",
    "RequestVote",
    "Role",
    "broken_by",
    "cluster_of",
    "entries_of",
    "frame_of",
    "log_of",
    "progress_of",
    "votes_of",
    "words_of",
]

FIVE = ("S1", "S2", "S3", "S4", "S5")


def cluster_of(logs: Mapping[NodeId, str], **settings: Any) -> Cluster:
    """A cluster whose nodes start with these logs; `settings` are those of `Cluster`.

        cluster = cluster_of({"S1": "1 1 4", "S2": "1 1", "S3": "1 1 2 2"})
        cluster.elect("S1")

    Every node starts in the highest term of all; nobody leads yet.
    """
    past = {node: terms_of(words) for node, words in logs.items()}
    return Cluster(tuple(logs), logs=past, **settings)


def frame_of(seed: int, ms: float, crash: Sequence[NodeId] = (), cut: str = "") -> Frame:
    """Five nodes after `ms` of virtual time with a command, some crashed or cut off.

    `cut` names one side of a partition ("S1 S2") that falls apart half way.
    """
    cluster = Cluster(5, seed=seed, options=Options.figure_2()).run(ms / 2)
    if cluster.leader:
        cluster.propose("x=1")
    for node in crash:
        cluster.crash(node)
    if cut:
        cluster.partition(cut)
    return cluster.run(ms / 2).frame()


# Made by chance


def random_logs(
    rng: random.Random, nodes: Sequence[NodeId], last_term: Term = 4
) -> dict[NodeId, str]:
    """Logs that a correct cluster can come to, with divergence in them.

    Term after term a node that a majority may elect appends a few entries, and some of
    the others get some of them.
    """
    logs: dict[NodeId, list[Term]] = {node: [] for node in nodes}
    for term in range(1, last_term + 1):
        leader = rng.choice([node for node in nodes if _electable(logs, node)])
        logs[leader] += [term] * rng.choice([0, 1, 1, 2, 2, 3])
        followers = [node for node in nodes if node != leader]
        for node in rng.sample(followers, rng.randint(0, len(followers))):
            agreed = _agreement(logs[leader], logs[node])
            kept = rng.randint(agreed, len(logs[leader]))
            if kept > agreed:
                logs[node] = logs[leader][:kept]
    return {node: " ".join(map(str, log)) for node, log in logs.items()}


def _electable(logs: Mapping[NodeId, list[Term]], node: NodeId) -> bool:
    mine = logs[node]
    behind = [log for log in logs.values() if (mine[-1:], len(mine)) >= (log[-1:], len(log))]
    return len(behind) >= majority(len(logs))


def _agreement(one: list[Term], other: list[Term]) -> int:
    """How many entries, from the first, two logs share."""
    agreed = 0
    for mine, its in zip(one, other, strict=False):
        if mine != its:
            break
        agreed += 1
    return agreed


# What a story breaks

WIDTH = 78
"""Letters in a line of what is broken, so that no page breaks it once more."""


def broken_by(story: Callable[[Cluster], object], cluster: Cluster) -> str:
    """Let `story` happen to `cluster`: what it breaks, at which frame and how; or "nothing".

        print("CutsAlways breaks", broken_by(late_copy, cluster))

    The cluster stands where the story ended. Raises: Misuse, if the cluster is not watched.
    """
    if cluster.history is None:
        raise Misuse("nobody would see what breaks: make the cluster with watched=True")
    try:
        story(cluster)
    except Violation as violation:
        return fill(str(violation), WIDTH)
    return "nothing"

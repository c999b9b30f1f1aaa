"""Logs, counts and clusters from a few words, for questions, checks and pictures.

A log is written as the terms of its entries, first to last: "1 1 4". Two entries with the
same index and term hold the same command, as Log Matching asks.
"""

import random
from collections.abc import Callable, Mapping, Sequence
from textwrap import fill
from typing import Any

from raftlab.raft.log import LogEntry, RaftLog
from raftlab.raft.messages import Rejected, RequestVote
from raftlab.raft.options import Options
from raftlab.raft.progress import FollowerProgress, ProgressState
from raftlab.raft.quorum import majority
from raftlab.raft.roles import Cause, Role
from raftlab.raft.vocabulary import Configuration, Index, Misuse, NodeId, Term, shown
from raftlab.raft.votes import Votes
from raftlab.sim.cluster import Cluster
from raftlab.sim.frames.frame import Frame
from raftlab.sim.world.host import past_entry
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

FIGURE_7 = {
    "leader": "1 1 1 4 4 5 5 6 6 6",
    "a": "1 1 1 4 4 5 5 6 6",
    "b": "1 1 1 4",
    "c": "1 1 1 4 4 5 5 6 6 6 6",
    "d": "1 1 1 4 4 5 5 6 6 6 7 7",
    "e": "1 1 1 4 4 4 4",
    "f": "1 1 1 2 2 2 3 3 3 3 3",
}
"""The seven logs of the paper's Figure 7: a leader of term 8 and six followers."""


def terms_of(words: str) -> list[Term]:
    """The terms that "1 1 4" lists. Raises: Misuse, for anything that is not a term."""
    for word in words.split():
        if not word.isdigit():
            raise Misuse(f'{shown(word)} is not a term: write a log as its terms, like "1 1 4"')
    return [int(word) for word in words.split()]


def entries_of(words: str, first: Index = 1) -> tuple[LogEntry, ...]:
    """The entries that "4 4" stands for, from index `first` on."""
    return tuple(past_entry(index, term) for index, term in enumerate(terms_of(words), first))


def log_of(words: str) -> RaftLog:
    """The log that "1 1 4" stands for. Raises: Misuse, for a log that cannot be."""
    return RaftLog(entries_of(words))


def words_of(log: RaftLog) -> str:
    """The terms of a log's entries, first to last: "1 1 4"; "" if there are none."""
    return " ".join(str(entry.term) for entry in log)


def cluster_of(logs: Mapping[NodeId, str], **settings: Any) -> Cluster:
    """A cluster whose nodes start with these logs; `settings` are those of `Cluster`.

        cluster = cluster_of({"S1": "1 1 4", "S2": "1 1", "S3": "1 1 2 2"})
        cluster.elect("S1")

    Every node starts in the highest term of all; nobody leads yet.
    """
    past = {node: terms_of(words) for node, words in logs.items()}
    return Cluster(tuple(logs), logs=past, **settings)


def votes_of(answers: Mapping[NodeId, bool], of: Sequence[NodeId]) -> Votes:
    """The count of one campaign among the voters `of`, with these answers so far."""
    votes = Votes(Configuration(tuple(of)))
    for voter, granted in answers.items():
        votes.register_vote(voter, granted)
    return votes


def progress_of(match_index: Index, next_index: Index, state: str = "probe") -> FollowerProgress:
    """What a leader knows of a follower "S2". `state`: "probe", "pipeline" or "snapshot"."""
    progress = FollowerProgress("S2", next_index, 0.0)
    progress.match_index = match_index
    progress.state = ProgressState(state)
    return progress


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

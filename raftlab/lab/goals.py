"""What a reader can jump to: the next election, commit or violation."""

from collections.abc import Callable, Mapping
from typing import TypeAlias

import msgspec

from raftlab.raft.roles import Role
from raftlab.sim.cluster import Cluster
from raftlab.sim.frames.frame import Frame

Condition: TypeAlias = Callable[[Cluster], bool]


class Goal(msgspec.Struct, frozen=True):
    """Something to jump to. `from_here(cluster)` is a condition for later moments.

    If it does not come, `missed` says so, and `advice(frame)` says what would bring it about.
    """

    missed: str
    from_here: Callable[[Cluster], Condition]
    advice: Callable[[Frame], str]


def next_election(start: Cluster) -> Condition:
    """A leader that did not lead that term at the start."""
    known = {(node, _term(start, node)) for node in start.nodes if _leads(start, node)}

    def elected(cluster: Cluster) -> bool:
        leader = cluster.leader
        return leader is not None and (leader, _term(cluster, leader)) not in known

    return elected


def next_commit(start: Cluster) -> Condition:
    """A commit index above the highest there was."""
    known = start.commit_index
    return lambda cluster: cluster.commit_index > known


def next_violation(start: Cluster) -> Condition:
    """A property that no longer holds; the run stops there by itself."""
    return lambda cluster: cluster.violation is not None


def for_an_election(frame: Frame) -> str:
    """What brings about an election."""
    leader = frame.leader
    if leader is None:
        return "No candidate can reach a majority: restart servers, or heal the network."
    return f"{leader.node} leads, and its heartbeats keep it there: crash or isolate it first."


def for_a_commit(frame: Frame) -> str:
    """What brings about a commit."""
    leader = frame.leader
    if leader is None:
        return "Nobody leads: go to the next election first."
    if leader.commit_index < leader.last_index:
        return f"{leader.node} reaches no majority: restart servers, or heal the network."
    return "Nothing waits to be committed: propose a command first."


def for_a_violation(frame: Frame) -> str:
    """What brings about a violation, perhaps."""
    return "Make trouble first (crash, cut, delay), or break a rule: Cluster(…, rules=…)."


GOALS: Mapping[str, Goal] = {
    "election": Goal("Nobody was elected", next_election, for_an_election),
    "commit": Goal("Nothing more was committed", next_commit, for_a_commit),
    "violation": Goal("Every watched property held", next_violation, for_a_violation),
}


def _leads(cluster: Cluster, node: str) -> bool:
    host = cluster.hosts[node]
    return host.alive and host.machine.role is Role.LEADER


def _term(cluster: Cluster, node: str) -> int:
    return cluster.hosts[node].machine.term

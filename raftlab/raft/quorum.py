"""Majorities, simple and joint: who has won, and what most have reached.

Paper: 5.2 and 5.3 (a majority), 6 (two majorities while the configuration is joint).
"""

from collections.abc import Collection, Mapping, Sequence
from itertools import repeat
from typing import TypeVar

from raftlab.raft.vocabulary import Configuration, Index, NodeId


def majority(size: int) -> int:
    """How many of `size` voters make a majority: more than half. Two majorities always meet."""
    return size // 2 + 1


Mark = TypeVar("Mark", int, float)
"""An index, or a moment: whatever only grows."""


def majority_index(reached: Sequence[Mark]) -> Mark:
    """The largest index (or the latest moment) that a majority has reached.

    `reached` says how far each voter is, in any order, and is not empty.
    """
    return sorted(reached)[(len(reached) - 1) // 2]


def quorum_index(reached: Mapping[NodeId, Index], configuration: Configuration) -> Index:
    """The largest index reached by a majority of each voter set. Nodes not heard of count as 0."""
    if not configuration.old_voters:
        return majority_index(list(map(reached.get, configuration.voters, repeat(0))))
    return min(
        majority_index([reached.get(voter, 0) for voter in voters])
        for voters in configuration.voter_sets
    )


def is_quorum(nodes: Collection[NodeId], configuration: Configuration) -> bool:
    """Whether `nodes` hold a majority of each voter set."""
    return all(
        sum(voter in nodes for voter in voters) >= majority(len(voters))
        for voters in configuration.voter_sets
    )

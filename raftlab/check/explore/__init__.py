"""Exhaustive search of small scopes, over the real machine: every order of every event.

`exploration` is what one calls; `scope` says how far to look; `world` what can follow a
state; `bench` lets the real machine take one step; `likeness` and `symmetry` say which states are
one; `starting` what a search can begin with; `judging` what must hold;
`search` goes breadth first; `telling` turns a path into a recording.
"""

from raftlab.check.explore.exploration import Exploration, Goal, View, explore
from raftlab.check.explore.scope import Scope

__all__ = ["Exploration", "Goal", "Scope", "View", "explore"]

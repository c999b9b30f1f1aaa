"""Exhaustive search of small scopes, over the real machine: every order of every event.

`exploration` is what one calls; `scope` says how far to look, and `goal` for what; `states` what
can follow a state; `single_step` lets the real machine take one step; `state_equivalence`,
`symmetry` and `name_sensitivity` say which states are one; `start_state` what a search can begin
with; `judge` what must hold; `breadth_first` goes through them; `state_graph` keeps
them for a picture; `to_recording` turns a path into a recording.
"""

from raftlab.check.explore.exploration import Exploration, explore
from raftlab.check.explore.goal import Goal, View
from raftlab.check.explore.scope import Scope

__all__ = ["Exploration", "Goal", "Scope", "View", "explore"]

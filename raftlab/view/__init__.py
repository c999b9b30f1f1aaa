"""Frames as pictures and as text.

`scene_x(frame)` decides a picture, `describe_x(frame)` says the same in words, and
`show_x(frame)` is what a notebook shows: the one as SVG with the other as its text. For
matplotlib, `raftlab.view.plot` has `plot_x(frame, ax)`; what is imported here needs no
library but msgspec until a graph is drawn, and then networkx.
"""

from raftlab.view.cluster import cluster_graph, scene_cluster
from raftlab.view.commit import (
    describe_commit,
    describe_commit_decision,
    scene_commit,
    scene_commit_decision,
)
from raftlab.view.describe import describe_cluster, describe_frame, describe_log, describe_logs
from raftlab.view.logs import scene_log, scene_logs
from raftlab.view.marks import Scene
from raftlab.view.pictures import Picture, beside, mimebundle, stack
from raftlab.view.quorums import describe_quorums, quorum_graph, scene_quorums
from raftlab.view.roles import describe_roles, roles_graph, scene_roles
from raftlab.view.showing import (
    scene_frame,
    show,
    show_cluster,
    show_commit,
    show_commit_decision,
    show_log,
    show_logs,
    show_quorums,
    show_roles,
    show_state_machines,
    show_tally,
    show_timeline,
    show_votes,
)
from raftlab.view.state_machines import describe_state_machines, scene_state_machines
from raftlab.view.svg import to_svg
from raftlab.view.timeline import describe_timeline, scene_timeline
from raftlab.view.votes import describe_tally, describe_votes, scene_tally, scene_votes

__all__ = [
    "Picture",
    "Scene",
    "beside",
    "cluster_graph",
    "describe_cluster",
    "describe_commit",
    "describe_commit_decision",
    "describe_frame",
    "describe_log",
    "describe_logs",
    "describe_quorums",
    "describe_roles",
    "describe_state_machines",
    "describe_tally",
    "describe_timeline",
    "describe_votes",
    "mimebundle",
    "quorum_graph",
    "roles_graph",
    "scene_cluster",
    "scene_commit",
    "scene_commit_decision",
    "scene_frame",
    "scene_log",
    "scene_logs",
    "scene_quorums",
    "scene_roles",
    "scene_state_machines",
    "scene_tally",
    "scene_timeline",
    "scene_votes",
    "show",
    "show_cluster",
    "show_commit",
    "show_commit_decision",
    "show_log",
    "show_logs",
    "show_quorums",
    "show_roles",
    "show_state_machines",
    "show_tally",
    "show_timeline",
    "show_votes",
    "stack",
    "to_svg",
]

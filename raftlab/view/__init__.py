"""Frames as pictures and as text.

`scene_x(frame)` is a picture: in a notebook it shows itself as SVG, elsewhere it prints as its
text twin. It has `.description` (that text), `.svg`, `.plot(ax)` for matplotlib and
`.save(path)`; `beside` and `stack` put several together. `describe_x` gives a text without a
picture, and `x_graph` a networkx graph for those who ask: pictures of clusters, logs and
runs need no library but msgspec.

`raftlab.view.timeline.histories` draws what clients saw, `raftlab.view.state_space` what a
search has found, `raftlab.view.charts` statistics.
"""

from raftlab.view.cluster.cluster import Graph, cluster_graph, reach_graph, scene_cluster
from raftlab.view.decisions.commit import scene_commit, scene_commit_decision
from raftlab.view.decisions.quorums import describe_quorums, quorum_graph, scene_quorums
from raftlab.view.decisions.roles import roles_graph, scene_roles
from raftlab.view.decisions.votes import scene_tally, scene_votes
from raftlab.view.logs.logs import scene_log, scene_logs
from raftlab.view.logs.state_machines import describe_state_machines, scene_state_machines
from raftlab.view.overview.overview import describe_frame, scene_frame
from raftlab.view.scene import Scene, beside, stack
from raftlab.view.timeline.timeline import scene_timeline

__all__ = [
    "Graph",
    "Scene",
    "beside",
    "cluster_graph",
    "describe_frame",
    "describe_quorums",
    "describe_state_machines",
    "quorum_graph",
    "reach_graph",
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
    "stack",
]

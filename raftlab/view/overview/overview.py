"""A whole frame at a glance: the cluster over its logs, as a picture and as text."""

from msgspec.structs import replace

from raftlab.sim.frames.frame import Frame
from raftlab.view.checked import checked
from raftlab.view.cluster.cluster import scene_cluster
from raftlab.view.cluster.description import describe_cluster
from raftlab.view.logs.description import describe_logs
from raftlab.view.logs.logs import scene_logs
from raftlab.view.marks import Mark, Text
from raftlab.view.scene import Scene, stack

_ABOVE = frozenset(("headline", "violation", "configuration", "network"))


@checked
def scene_frame(frame: Frame, previous: Frame | None = None) -> Scene:
    """The cluster over its logs; what changed since `previous` is marked.

    Ids begin with "cluster-" and "logs-".
    """
    cluster, logs = scene_cluster(frame, previous), scene_logs(frame, previous)
    scene = stack(cluster, logs, names=("cluster", "logs"))
    marks = tuple([_at_left(mark) if mark.role in _ABOVE else mark for mark in scene.marks])

    def text() -> str:
        return _both(cluster.description, logs.description)

    return Scene(scene.width, scene.height, marks, "Raft cluster and logs", text)


@checked
def describe_frame(frame: Frame, previous: Frame | None = None) -> str:
    """The cluster, then its logs."""
    return _both(describe_cluster(frame, previous), describe_logs(frame, previous))


def _both(cluster: str, logs: str) -> str:
    """Two descriptions of one frame as one: the first sentence is said once."""
    return f"{cluster}\n{logs.partition(chr(10))[2]}"


def _at_left(mark: Mark) -> Mark:
    return replace(mark, x=10.0) if isinstance(mark, Text) else mark

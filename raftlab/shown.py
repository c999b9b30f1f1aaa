"""How a cluster, a frame, a trace and a log show themselves in a notebook and in print.

The protocol and the simulator know nothing of pictures; this module, beside the public
face, gives their classes `_repr_mimebundle_` (text and deterministic SVG), and gives
`Cluster` and `Recording` their `lab()`. Everything above the simulator is imported at the
first look.
"""

from collections.abc import Callable
from typing import Any

from raftlab.raft.log import RaftLog
from raftlab.sim.cluster import Cluster
from raftlab.sim.frames.frame import Frame, Trace
from raftlab.sim.run.recording import Recording

Bundle = dict[str, str]


def wire() -> None:
    """Give the classes their pictures. Called once, when `raftlab` is imported."""
    _give(Frame, "_repr_mimebundle_", _frame_bundle)
    _give(Cluster, "_repr_mimebundle_", _cluster_bundle)
    _give(Trace, "_repr_mimebundle_", _trace_bundle)
    _give(RaftLog, "_repr_mimebundle_", _log_bundle)
    _give(Frame, "__str__", _frame_text)
    _give(Cluster, "__str__", _cluster_text)
    _give(Cluster, "lab", _lab)
    _give(Recording, "lab", _recording_lab)


def _give(kind: type, name: str, function: Callable[..., Any]) -> None:
    setattr(kind, name, function)


def _frame_bundle(frame: Frame, **_: Any) -> Bundle:
    from raftlab.view import show

    return show(frame)._repr_mimebundle_()


def _frame_text(frame: Frame) -> str:
    from raftlab.view import describe_frame

    return describe_frame(frame)


def _cluster_text(cluster: Cluster) -> str:
    return _frame_text(cluster.frame())


def _cluster_bundle(cluster: Cluster, **_: Any) -> Bundle:
    return _frame_bundle(cluster.frame())


def _trace_bundle(trace: Trace, **_: Any) -> Bundle:
    from raftlab.view import show_timeline

    return show_timeline(trace)._repr_mimebundle_()


def _log_bundle(log: RaftLog, **_: Any) -> Bundle:
    from raftlab.view import show_log

    return show_log(log)._repr_mimebundle_()


def _lab(cluster: Cluster, **options: Any) -> Any:
    """A live lab on this cluster: see it, step it, break it. `options`: see `raftlab.lab.Lab`."""
    from raftlab.lab import Lab

    return Lab(cluster, **options)


def _recording_lab(recording: Recording, **options: Any) -> Any:
    """A lab on this run, at its end or at `frame=`. `options`: see `raftlab.lab.Lab`."""
    from raftlab.lab import Lab

    return Lab(recording, **options)

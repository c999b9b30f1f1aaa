"""Pictures of frames, traces and logs in one word each: `show(frame)`, `show_votes(frame)` …"""

from collections.abc import Mapping, Sequence

import msgspec

from raftlab.raft.log import RaftLog
from raftlab.raft.roles import Cause, Role
from raftlab.raft.vocabulary import Configuration, Index, Millis, NodeId, Term
from raftlab.sim.frames.frame import Frame, Trace
from raftlab.view.checked import checked
from raftlab.view.cluster import scene_cluster
from raftlab.view.commit import scene_commit, scene_commit_decision
from raftlab.view.describe import both
from raftlab.view.logs import scene_log, scene_logs
from raftlab.view.marks import Mark, Scene, Text
from raftlab.view.pictures import Picture, stack
from raftlab.view.quorums import scene_quorums
from raftlab.view.roles import scene_roles
from raftlab.view.state_machines import scene_state_machines
from raftlab.view.timeline import scene_timeline
from raftlab.view.votes import scene_tally, scene_votes
from raftlab.view.window import Only


@checked
def show_cluster(frame: Frame, previous: Frame | None = None) -> Picture:
    """The cluster at one moment; what changed since `previous` is marked."""
    return Picture(scene_cluster(frame, previous))


@checked
def show_logs(frame: Frame, previous: Frame | None = None, last: int | None = None) -> Picture:
    """The logs at one moment, of long ones the `last` columns (14)."""
    return Picture(scene_logs(frame, previous, last))


@checked
def show_log(log: RaftLog, last: int | None = None) -> Picture:
    """One log by itself, of a long one the `last` columns (14)."""
    return Picture(scene_log(log, last))


@checked
def show(frame: Frame, previous: Frame | None = None) -> Picture:
    """The cluster over its logs."""
    return Picture(scene_frame(frame, previous))


_ABOVE = ("headline", "violation", "configuration")


@checked
def scene_frame(frame: Frame, previous: Frame | None = None) -> Scene:
    """The cluster over its logs, as one scene; ids begin with "cluster-" and "logs-"."""
    cluster, logs = scene_cluster(frame, previous), scene_logs(frame, previous)
    scene = stack(cluster, logs, names=("cluster", "logs"))
    description = both(cluster.description, logs.description)
    marks = tuple(_at_left(mark) if mark.role in _ABOVE else mark for mark in scene.marks)
    return Scene(scene.width, scene.height, marks, "Raft cluster and logs", description)


def _at_left(mark: Mark) -> Mark:
    return msgspec.structs.replace(mark, x=10.0) if isinstance(mark, Text) else mark


@checked
def show_votes(
    frame: Frame, candidate: NodeId | None = None, previous: Frame | None = None
) -> Picture:
    """The votes of one campaign; see `scene_votes`."""
    return Picture(scene_votes(frame, candidate, previous))


@checked
def show_commit(
    frame: Frame, leader: NodeId | None = None, previous: Frame | None = None
) -> Picture:
    """How a leader decides what is committed; see `scene_commit`."""
    return Picture(scene_commit(frame, leader, previous))


@checked
def show_state_machines(frame: Frame, previous: Frame | None = None) -> Picture:
    """What each node has applied, and the values that came of it; see `scene_state_machines`."""
    return Picture(scene_state_machines(frame, previous))


@checked
def show_timeline(
    trace: Trace, start: Millis | None = None, end: Millis | None = None, only: Only = "all"
) -> Picture:
    """A stretch of a run as a space-time diagram; see `scene_timeline`."""
    return Picture(scene_timeline(trace, start, end, only))


@checked
def show_roles(highlight: tuple[Role, Cause] | None = None) -> Picture:
    """The roles and what changes them, as the code has it; see `scene_roles`."""
    return Picture(scene_roles(highlight))


@checked
def show_tally(
    answers: Mapping[NodeId, bool],
    configuration: Configuration,
    *,
    candidate: NodeId = "",
    term: Term | None = None,
    is_prevote: bool = False,
) -> Picture:
    """The votes of a campaign from plain data; see `scene_tally`."""
    scene = scene_tally(
        answers, configuration, candidate=candidate, term=term, is_prevote=is_prevote
    )
    return Picture(scene)


@checked
def show_commit_decision(
    match_indexes: Mapping[NodeId, Index],
    log: RaftLog,
    term: Term,
    commit_index: Index,
    configuration: Configuration,
) -> Picture:
    """What a leader may commit, from plain data; see `scene_commit_decision`."""
    return Picture(scene_commit_decision(match_indexes, log, term, commit_index, configuration))


@checked
def show_quorums(voters: Sequence[NodeId], size: int | None = None) -> Picture:
    """Groups of voters and where they meet; see `scene_quorums`."""
    return Picture(scene_quorums(voters, size))

"""The exercise of notebook 00: reading a frame."""

from collections.abc import Sequence
from typing import Any

from raftlab.course.exercises.base import Exercise
from raftlab.course.exercises.cases import Case
from raftlab.course.situations import frame_of
from raftlab.raft.vocabulary import NodeId
from raftlab.sim.frames.frame import Frame
from raftlab.view import Scene, scene_cluster


class FrameCase(Case):
    """A case whose only argument is a frame, made from a few numbers."""

    __slots__ = ("made_by",)

    def __init__(self, made_by: str, frame: Frame) -> None:
        super().__init__(frame)
        self.made_by = made_by

    @property
    def code(self) -> str:
        """How the frame is made."""
        return self.made_by


def frame_cases() -> list[Case]:
    """Clusters before their first election, with a leader, without, and with two."""
    made = [(seed, ms) for ms in (0.0, 100.0, 400.0, 700.0) for seed in (1, 2, 3)]
    cases: list[Case] = [FrameCase(f"frame_of({s}, {ms:g})", frame_of(s, ms)) for s, ms in made]
    for seed in (1, 2, 3, 4):
        leader = frame_of(seed, 400).leader
        if leader is None:
            continue
        cut = f"frame_of({seed}, 700, cut={leader.node!r})"
        cases.append(FrameCase(cut, frame_of(seed, 700, cut=leader.node)))
    for cut in ("S1", "S3"):  # somebody is in a later term than the leader
        cases.append(FrameCase(f"frame_of(1, 700, cut={cut!r})", frame_of(1, 700, cut=cut)))
    return cases


def leader_of(frame: Frame) -> NodeId | None:
    """The name of the leader of the highest term, or None."""
    return frame.leader.node if frame.leader else None


def draw(case: Case, _: Any) -> Sequence[Scene]:
    """The cluster in the frame."""
    return (scene_cluster(case.arguments[0]),)


EXERCISES = (
    Exercise(
        "0.1",
        "Who leads?",
        1,
        "leader_of",
        "Write leader_of(frame): the name of the leader, or None if nobody leads. frame.nodes are"
        " the nodes; each has node, alive, role and term. If two nodes lead, the one in the"
        " higher term is meant: the other has not heard of it yet.",
        "5.1; Figure 4",
        leader_of,
        frame_cases,
        FrameCase("frame_of(1, 700, cut='S2')", frame_of(1, 700, cut="S2")),
        draw,
    ),
)

"""Frames on their way into a box: of each, the nodes that differ from the frame before it."""

from collections.abc import Iterable, Sequence
from typing import TypeAlias

from msgspec.structs import force_setattr, replace

from raftlab.sim.frames.frame import Frame, NodeFrame

Change: TypeAlias = tuple[Frame, tuple[NodeFrame | None, ...]]
"""A frame without its nodes, and these: None is a node as it was before."""


def changes_of(frames: Sequence[Frame], before: Frame | None) -> list[Change]:
    """Frames of one run as changes; `before` is the frame before the first of them, if any."""
    known = (before.nodes if before else (), *(each.nodes for each in frames))
    return [
        (
            replace(frame, nodes=()),
            tuple(
                None if place < len(were) and node is were[place] else node
                for place, node in enumerate(frame.nodes)
            ),
        )
        for frame, were in zip(frames, known, strict=False)
    ]


def add_frames(changes: Iterable[Change], frames: list[Frame]) -> None:
    """Add the frames that these changes tell to those before them."""
    for frame, nodes in changes:
        were = frames[-1].nodes if frames else ()
        whole = tuple([node or were[place] for place, node in enumerate(nodes)])
        force_setattr(frame, "nodes", whole)  # nobody has seen it yet
        frames.append(frame)

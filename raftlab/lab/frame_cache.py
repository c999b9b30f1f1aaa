"""The frames of one run: made when somebody looks, and the last few hundred remembered.

A frame that is no longer remembered is made again by playing the run up to it, so a lab
may run for as long as it likes without growing.
"""

from collections import OrderedDict
from collections.abc import Callable
from typing import TypeVar

import msgspec

from raftlab.raft.vocabulary import REFUSALS, Misuse
from raftlab.sim.cluster import Cluster
from raftlab.sim.frames.frame import Event, Frame, NodeFrame
from raftlab.sim.run.play import check_frame
from raftlab.sim.world.engine import Moment

REMEMBERED = 256
"""How many frames are kept."""

WINDOW = 48
"""How many frames before the wanted one are kept when a run is played again."""

FAR = 2048
"""What is further ahead is reached from one of the run's own checkpoints."""


T = TypeVar("T")


class FrameCache:
    """The frames of the run of `cluster`, by number; the cluster may go on meanwhile."""

    def __init__(self, cluster: Cluster) -> None:
        self.cluster = cluster
        self._frames: OrderedDict[int, Frame] = OrderedDict()
        self._player: Cluster | None = None

    def frame(self, number: int) -> Frame:
        """The frame after `number` actions.

        Raises: Misuse, if the run has no such frame, or does not play again as it went.
        """
        known = self._frames.get(number)
        if known is not None:
            self._frames.move_to_end(number)
            return known
        if number == self.cluster.number:
            return self._keep(self.cluster.frame())
        self._replayed_to(number)
        return self._frames[number]

    def events(self, number: int, last: int) -> tuple[Event, ...]:
        """The last steps up to frame `number` in words, oldest first; at most `last`."""
        if number == self.cluster.number:
            return self.cluster.events(last)
        first = max(number - last, 0) + 1
        frames = [self.frame(each) for each in range(number, first - 1, -1)]
        return tuple(frame.event for frame in reversed(frames) if frame.event is not None)

    def find(self, start: int, condition: Callable[[Cluster], bool]) -> int | None:
        """The first frame after `start` at which `condition` holds of the cluster, or None."""
        player = self._replayed_to(start)
        while player.number < self.cluster.number:
            self._advance(player)
            if condition(player):
                self._keep(player.frame())
                return player.number
        return None

    def ask(self, number: int, question: Callable[[Cluster], T]) -> T:
        """What `question` answers of the cluster as it was at frame `number`."""
        live = number == self.cluster.number
        return question(self.cluster if live else self._replayed_to(number))

    def forget(self) -> None:
        """Forget every frame: somebody has laid hands on the machines."""
        self._frames.clear()
        self._player = None

    def _replayed_to(self, number: int) -> Cluster:
        """A second cluster, as this run was at frame `number`; frames on the way are kept."""
        check_frame(number, self.cluster.number)
        player = self._player
        if player is None or not number - FAR <= player.number <= number:
            player = self._player = self.cluster.at(number - WINDOW if number > FAR else 0)
        while player.number < number:
            if player.number >= number - WINDOW and player.number not in self._frames:
                self._keep(player.frame())
            self._advance(player)
        self._keep(player.frame())
        return player

    def _advance(self, player: Cluster) -> None:
        number = player.number
        self._player = None  # an interrupt may leave it in the middle of a step
        try:
            player.engine.apply_quietly(self.cluster.actions[number])
        except REFUSALS as refusal:
            raise Misuse(
                f"This run does not play again as it went: at frame {number + 1}, {refusal}."
                " Does a machine in it use the time, or randomness of its own?"
            ) from refusal
        if self._remembered(player.number) not in (None, player.engine.recent[-1]):
            raise Misuse(
                f"This run does not play again as it went: frame {number + 1} comes out otherwise."
                " Does a machine in it use the time, chance, a counter, or the order of a set?"
            )
        self._player = player

    def _remembered(self, number: int) -> Moment | None:
        """The step to a frame as the cluster remembers it; None if it was too long ago."""
        recent = self.cluster.engine.recent
        place = number - recent[0][0] if recent else -1
        return recent[place] if 0 <= place < len(recent) else None

    def _keep(self, frame: Frame) -> Frame:
        neighbour = self._frames.get(frame.number - 1) or self._latest()
        if neighbour is not None:
            frame = sharing(frame, neighbour)
        self._frames[frame.number] = frame
        self._frames.move_to_end(frame.number)
        while len(self._frames) > REMEMBERED:
            self._frames.popitem(last=False)
        return frame

    def _latest(self) -> Frame | None:
        return self._frames[next(reversed(self._frames))] if self._frames else None


def sharing(frame: Frame, other: Frame) -> Frame:
    """The same frame, holding no second copy of a node or a log that `other` holds already."""
    others = {node.node: node for node in other.nodes}
    nodes = tuple(_shared(node, others.get(node.node)) for node in frame.nodes)
    return msgspec.structs.replace(frame, nodes=nodes)


def _shared(node: NodeFrame, other: NodeFrame | None) -> NodeFrame:
    if other is None:  # it has joined in between
        return node
    if node == other:
        return other
    disk = node.disk
    if disk == other.disk:
        disk = other.disk
    elif disk.log == other.disk.log:
        disk = msgspec.structs.replace(disk, log=other.disk.log)
    log = other.log if node.log == other.log else node.log
    return msgspec.structs.replace(node, disk=disk, log=log)

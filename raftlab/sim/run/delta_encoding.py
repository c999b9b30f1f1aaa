"""A run told as what somebody did, and how often what was due simply happened in between.

Most actions of a run are those that the engine would have chosen anyway. Counting them
instead of naming them makes a run short enough to paste.
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import TypeAlias

from msgspec.structs import replace

from raftlab.raft.vocabulary import Millis, Misuse
from raftlab.sim.run.digest import Comparison, Known, digest_of, marked_frames
from raftlab.sim.run.play import play
from raftlab.sim.world.action import Action
from raftlab.sim.world.call import exact_difference
from raftlab.sim.world.engine import Engine

Segment: TypeAlias = int | Action
"""So many scheduled steps, or one action that was not the next scheduled one.

The action's `at` is how long after the last step it happened (ms), mostly 0. Where no
difference leads to the exact moment, it is that moment, and negative.
"""


def segments(
    cluster: Engine, actions: Sequence[Action], known: Known, noted: dict[int, bytes]
) -> Iterator[Segment]:
    """The run in segments, played on a `cluster` that stands at its start.

    `noted` are filled with the checksums of its marked frames and of its end.
    Raises: Misuse, if the run does not play again as it went, as far as that is `known`.
    """
    steps, wanted = 0, {*marked_frames(len(actions)), len(actions)}
    played = play(cluster, actions, known)
    for action in actions:
        if cluster.scheduled() == action:
            steps += 1
        else:
            if steps:
                yield steps
            steps = 0
            yield replace(action, at=_since(cluster.now, action.at))
        next(played)
        if cluster.number in wanted:
            noted[cluster.number] = digest_of(cluster)
    if steps:
        yield steps


def coming(cluster: Engine, told: Iterable[Segment], known: Known) -> Iterator[Action]:
    """The actions that segments stand for, each as soon as the one before has happened.

    Raises: Misuse, where nothing is due that should be.
    """
    for segment in told:
        if not isinstance(segment, int):
            at = -segment.at if segment.at < 0 else cluster.now + segment.at
            yield replace(segment, at=at)
            continue
        for _ in range(segment):
            action = cluster.scheduled()
            if action is None:
                nothing = Misuse(
                    f"nothing is due at frame {cluster.number}, and something should be"
                )
                Comparison(known).stopped(cluster, nothing)
                raise nothing
            yield action


def _since(now: Millis, at: Millis) -> Millis:
    ms = exact_difference(now, at)
    return -at if ms is None else ms

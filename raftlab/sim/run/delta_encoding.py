"""A run told as what somebody did, and how often what was due simply happened in between.

Most actions of a run are those that the engine would have chosen anyway. Counting them
instead of naming them makes a run short enough to paste.
"""

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, TypeAlias

from msgspec.structs import replace

from raftlab.raft.vocabulary import REFUSALS, Millis, Misuse
from raftlab.sim.run.digest import Comparison, digest_of, marked
from raftlab.sim.world.actions import Action

if TYPE_CHECKING:
    from raftlab.sim.cluster import Cluster
    from raftlab.sim.run.recording import Recording

Segment: TypeAlias = int | Action
"""So many scheduled steps, or one action that was not the next scheduled one.

The action's `at` is how long after the last step it happened (ms), mostly 0. Where no
difference leads to the exact moment, it is that moment, and negative.
"""


def segments(recording: "Recording", noted: dict[int, bytes]) -> Iterator[Segment]:
    """The run in segments; `played` makes the same run of them.

    `noted` are filled with the checksums of its marked frames and of its end.
    Raises: Misuse, if the run does not play again as it went.
    """
    cluster, steps = recording.start(), 0
    wanted = {*marked(len(recording)), len(recording)}
    played = recording.steps(cluster)
    for action in recording.actions:
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


def played(cluster: "Cluster", told: Iterable[Segment], comparison: Comparison) -> "Cluster":
    """Carry out segments on a cluster that stands at the beginning of their run.

    Raises: Misuse, where nothing is due that should be, an action cannot happen, or the run
    plays otherwise than is known.
    """
    comparison.look(cluster)
    for action in _coming(cluster, told, comparison):
        try:
            cluster.apply_quietly(action)
        except REFUSALS as refusal:
            comparison.stopped(cluster, refusal)
            raise
        if cluster.number in comparison.known:
            comparison.look(cluster)
    return cluster


def _coming(
    cluster: "Cluster", told: Iterable[Segment], comparison: Comparison
) -> Iterator[Action]:
    """The actions of segments, each as soon as the one before has happened."""
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
                comparison.stopped(cluster, nothing)
                raise nothing
            yield action


def _since(now: Millis, at: Millis) -> Millis:
    ms = exact_difference(now, at)
    return -at if ms is None else ms


def exact_difference(start: Millis, end: Millis) -> Millis | None:
    """The shortest number of ms that leads from `start` to exactly `end`, or None."""
    exact = end - start
    for digits in (0, 1, 3, 6, 9):
        short = round(exact, digits)
        if short >= 0 and start + short == end:
            return int(short) if short == int(short) else short
    return exact if exact >= 0 and start + exact == end else None

"""What is simpler: fewer steps, actions that need less explaining, and less time."""

from collections.abc import Iterable, Sequence
from typing import TypeAlias

from msgspec.structs import replace

from raftlab.check.shrink.steps import Step
from raftlab.raft.vocabulary import Millis, NodeId
from raftlab.sim.world.action import Action
from raftlab.sim.world.actions import Join, SlowDisk, Tick, Timeout, Written

GAP_MS: Millis = 10.0
Cost: TypeAlias = tuple[int, int, int]


def without_long_gaps(steps: Iterable[Step]) -> list[Step]:
    """The same steps, with no more than GAP_MS from one to the next."""
    moved, now, before = [], 0.0, 0.0
    for step in steps:
        at = step.action.at
        now += min(at - before, GAP_MS)
        before = at
        moved.append(Step(replace(step.action, at=now), step.message))
    return moved


def cost(steps: Sequence[Step]) -> Cost:
    """What is to be made small: how many steps, how plain they are, how long they take.

    Time counts in whole gaps, so that nobody hunts for fractions of a millisecond.
    """
    last = steps[-1].action.at if steps else 0.0
    return len(steps), sum(difficulty(step.action) for step in steps), int(last // GAP_MS)


def difficulty(action: Action) -> int:
    """How much a reader must know to understand an action."""
    if isinstance(action, Timeout):
        return 0 if action.force else 1
    return 2 if isinstance(action, Tick) else 0


def simpler_actions(action: Action) -> tuple[Action, ...]:
    """Other actions that may do the same and are easier to understand, the plainest first."""
    if isinstance(action, Tick):
        plain = Timeout(action.at, action.node)
        return (replace(plain, force=True), plain)
    if isinstance(action, Timeout) and not action.force:
        return (replace(action, force=True),)
    return ()


def with_fast_disks(steps: Iterable[Step], nodes: Sequence[NodeId]) -> list[Step]:
    """The same steps, without the writes of some nodes: these take no time from the start on."""
    joins = {step.action.node for step in steps if isinstance(step.action, Join)}
    fast = [Step(SlowDisk(0.0, node, 0.0)) for node in nodes if node not in joins]
    for step in steps:
        action = step.action
        if not (isinstance(action, Written | SlowDisk) and action.node in nodes):
            fast.append(step)
        if isinstance(action, Join) and action.node in nodes:
            fast.append(Step(SlowDisk(action.at, action.node, 0.0)))
    return fast

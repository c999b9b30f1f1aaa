"""The shortest faults after which healing does not help: a run in which no property ever falls."""

import random
from collections.abc import Callable

from raftlab.check.campaign.after_healing import disturbance, failed_task
from raftlab.check.campaign.random_run import heal_and_converge
from raftlab.check.campaign.run_state import MessageStorm, RandomRun
from raftlab.check.campaign.trial import Conditions, replayed
from raftlab.check.shrink.minimize import Progress, shrink
from raftlab.check.shrink.steps import NonDeterminism
from raftlab.raft.vocabulary import Misuse
from raftlab.sim.cluster import Cluster
from raftlab.sim.run.recording import Recording
from raftlab.sim.world.actions import Wipe

BUDGET = 250  # each try waits for a recovery that may not come: a tenth of a second


def shrink_stuck(seed: int, conditions: Conditions, progress: Progress | None = None) -> Recording:
    """The faults of a seed's run, as few as can be so that it still does not recover.

    It fails where the cluster does not settle, and where it does, and somebody is disturbed or
    not served in the quiet. Where only what clients saw before was wrong, the whole run is given.
    Raises: NonDeterminism; whatever its machine raises when it is made; ShrinkInterrupted.
    """
    run = replayed(seed, conditions, heal=False)
    faulty, operates = run.cluster.recording, run.changes_members

    def gets_nowhere(cluster: Cluster) -> bool:
        return not is_at_peace(cluster, seed, operates)

    try:
        return shrink(faulty, gets_nowhere, BUDGET, progress)
    except NonDeterminism:
        raise
    except Misuse:
        return replayed(seed, conditions).cluster.recording


def settles(cluster: Cluster, seed: int) -> bool:
    """Whether it recovers; so does a run that stops, for it does not only get nowhere."""
    return _recovers(lambda: heal_and_converge(from_here(cluster, seed)))


def is_at_peace(cluster: Cluster, seed: int, operates: bool) -> bool:
    """Whether it recovers, nobody is disturbed then, and an operator is served."""
    run = from_here(cluster, seed)
    run.changes_members = operates
    return _recovers(
        lambda: heal_and_converge(run) and disturbance(run) is None and failed_task(run) is None
    )


def _recovers(heal: Callable[[], bool]) -> bool:
    try:
        return heal()
    except MessageStorm:
        return False
    except Exception:  # a broken property, or whatever a machine raises
        return True


def from_here(cluster: Cluster, seed: int) -> RandomRun:
    """A random run that has come so far, with its healing before it."""
    wiped = {action.node for action in cluster.actions if isinstance(action, Wipe)}
    return RandomRun(seed, cluster, random.Random(f"peace {seed}"), wiped=wiped)

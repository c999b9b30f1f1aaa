"""The shortest trouble after which peace does not help: a run in which no property ever falls."""

import random

from raftlab.check.playing import Unsteady
from raftlab.check.random_runs import settle
from raftlab.check.random_verbs import RandomRun
from raftlab.check.shrink import shrink
from raftlab.check.trial import Conditions, replayed
from raftlab.raft.vocabulary import Misuse
from raftlab.sim.actions import Wipe
from raftlab.sim.cluster import Cluster
from raftlab.sim.recording import Recording

BUDGET = 250  # each try waits for a peace that may not come: a tenth of a second


def shrink_stuck(seed: int, conditions: Conditions) -> Recording:
    """The trouble of a seed's run, as short as it can be made so that peace still fails.

    Where the cluster settles, and only clients can tell that something was wrong, the whole
    run is given. Raises: Unsteady; whatever its machine raises when it is made.
    """
    troubled = replayed(seed, conditions, peace=False).cluster.recording

    def gets_nowhere(cluster: Cluster) -> bool:
        return not settles(cluster, seed)

    try:
        return shrink(troubled, gets_nowhere, BUDGET)
    except Unsteady:
        raise
    except Misuse:
        return replayed(seed, conditions).cluster.recording


def settles(cluster: Cluster, seed: int) -> bool:
    """Whether peace helps; so does a run that stops, for it does not only get nowhere."""
    wiped = {action.node for action in cluster.actions if isinstance(action, Wipe)}
    run = RandomRun(seed, cluster, random.Random(f"peace {seed}"), wiped=wiped)
    try:
        return settle(run)
    except Exception:  # a broken property, or whatever a machine raises
        return True

"""Any moment of a long run, without playing all of it again.

While a run is played, copies of the cluster are kept at even distances; a moment is reached
from the last copy before it.
"""

import copy
import pickle
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from raftlab.raft.log import RaftLog
from raftlab.raft.machine import RaftStateMachine
from raftlab.raft.vocabulary import Misuse, shown
from raftlab.sim.world.action import Action

if TYPE_CHECKING:
    from raftlab.sim.cluster import Cluster

SPACING = 2048
"""How many actions lie between two copies at first."""

MOST_KEPT = 64
"""How many copies are kept; for a longer run their distance doubles."""


class Moments:
    """The moments of one run, which `start` begins and `actions` continue.

    Later calls may bring more actions; those that were there before stay the same.
    """

    def __init__(self, start: Callable[[], "Cluster"]) -> None:
        self._start = start
        self._spacing = SPACING
        self._kept: dict[int, Cluster] = {}

    def at(self, number: int, actions: Sequence[Action]) -> "Cluster":
        """A cluster of its own, after the first `number` of `actions`.

        It shows a violation, if the last of them led to one, and does not raise it.
        Raises: Misuse, if there are not so many, or if the run does not play again as it went.
        """
        if not (isinstance(number, int) and 0 <= number <= len(actions)):
            raise Misuse(f"this run has frames 0 to {len(actions)}, and no frame {shown(number)}")
        before = number - number % self._spacing
        while before and before not in self._kept:
            before -= self._spacing
        cluster = copied(self._kept[before]) if before else self._start()
        while cluster.number < number:
            cluster.apply_quietly(actions[cluster.number])
            if cluster.number % self._spacing == 0 and cluster.number not in self._kept:
                self._keep(cluster)
        return cluster

    def _keep(self, cluster: "Cluster") -> None:
        if can_be_copied(cluster):
            self._kept[cluster.number] = copied(cluster)
            self._thin_out()

    def _thin_out(self) -> None:
        while len(self._kept) > MOST_KEPT:
            self._spacing *= 2
            self._kept = {
                number: each for number, each in self._kept.items() if number % self._spacing == 0
            }


def can_be_copied(cluster: "Cluster") -> bool:
    """Whether a copy shares nothing with the original: with a learner's machine it might.

    A function in a field, say, that was made with `self` in it, would still move the
    original; what can be pickled holds no such thing, and no file, no lock, no generator.
    """
    machines = [host.machine for host in cluster.hosts.values()]
    if all(type(machine) is RaftStateMachine for machine in machines):
        return True
    try:
        pickle.dumps(machines)
    except Exception:  # whatever the machine's parts raise
        return False
    return True


def copied(cluster: "Cluster") -> "Cluster":
    """An independent cluster in the same state: what happens to one does not touch the other.

    Rules are shared, and so are entries, messages and snapshots: they never change.
    """
    cluster.forget_what_is_over()
    known: dict[int, Any] = {id(cluster.__dict__.get("_moments")): None}

    def keep(original: object, twin: object) -> None:
        known[id(original)] = twin

    keep(cluster.actions, cluster.actions.copy())
    keep(cluster.recent, cluster.recent.copy())
    for host in cluster.hosts.values():
        keep(host.rules, host.rules)
        keep(host.rng, copy.copy(host.rng))
        keep(host.disk.log, host.disk.log.copy())
        keep(host.seen.entries, host.seen.entries.copy())
        keep(host.seen.new, host.seen.new)
        log = getattr(host.machine, "log", None)
        if isinstance(log, RaftLog):
            keep(log, log.copy())
    for original in cluster.shared_parts():
        keep(original, copy.copy(original))
    return copy.deepcopy(cluster, known)

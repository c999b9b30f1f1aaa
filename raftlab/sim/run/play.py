"""Playing a run: the one loop in which recorded actions happen again, and checkpoints of it.

Replays, branches, attempts, twin runs, shared texts and any moment of a long run are all made
by `play`. While a run is played, copies of the cluster are kept at even distances: any moment
is reached from the last copy before it.
"""

import copy
import pickle
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, Generic, Literal, TypeVar

from msgspec.structs import replace

from raftlab.raft.log import RaftLog
from raftlab.raft.machine import RaftStateMachine
from raftlab.raft.vocabulary import Misuse, shown
from raftlab.sim.run.digest import Comparison, Known
from raftlab.sim.world.action import Action
from raftlab.sim.world.engine import Engine

Player = TypeVar("Player", bound=Engine)

SPACING = 2048
"""How many actions lie between two copies at first."""

MOST_KEPT = 64
"""How many copies are kept; for a longer run their distance doubles."""


def play(
    cluster: Engine,
    actions: Iterable[Action],
    known: Known | None = None,
    on_refusal: Literal["raise", "skip"] = "raise",
    quietly: bool = True,
) -> Iterator[Action]:
    """Let `actions` happen, one after the other; each is given out once it has happened.

    What stops the run is kept, or raised unless `quietly`. Where checksums of its frames are
    `known`, no other run is played in its place. On a refusal it raises; or it leaves the action
    out: then what would happen in the past happens now, and it ends where the run stops.

    Raises: Misuse, for what cannot happen, and if the run plays otherwise than it went.
    """
    comparison, skips = Comparison(known or {}), on_refusal == "skip"
    happen = cluster.apply_quietly if quietly else cluster.carry_out
    comparison.look(cluster)
    for action in actions:
        if skips and cluster.stopped is not None:
            return
        if skips and action.at < cluster.now:
            action = replace(action, at=cluster.now)
        try:
            happen(action)
        except Exception as error:
            if skips and cluster.stopped is None and isinstance(error, Misuse):
                continue
            comparison.stopped(cluster, error)
            raise
        if cluster.number in comparison.known:
            comparison.look(cluster)
        yield action


class Checkpoints(Generic[Player]):
    """Any moment of one run, which `start` begins and `actions` continue.

    Later calls may bring more actions; those that were there before stay the same.
    """

    def __init__(self, start: Callable[[], Player]) -> None:
        self._start = start
        self._spacing = SPACING
        self._kept: dict[int, Player] = {}

    def at(self, number: int, actions: Sequence[Action]) -> Player:
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
        for _ in play(cluster, actions[cluster.number : number]):
            if cluster.number % self._spacing == 0 and cluster.number not in self._kept:
                self._keep(cluster)
        return cluster

    def _keep(self, cluster: Player) -> None:
        if can_be_copied(cluster):
            self._kept[cluster.number] = copied(cluster)
            self._thin_out()

    def _thin_out(self) -> None:
        while len(self._kept) > MOST_KEPT:
            self._spacing *= 2
            self._kept = {
                number: each for number, each in self._kept.items() if number % self._spacing == 0
            }


def can_be_copied(cluster: Engine) -> bool:
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


def copied(cluster: Player) -> Player:
    """An independent cluster in the same state: what happens to one does not touch the other.

    Rules are shared, and so are entries, messages and snapshots: they never change.
    """
    cluster.forget_what_is_over()
    known: dict[int, Any] = {id(cluster.__dict__.get("_checkpoints")): None}

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

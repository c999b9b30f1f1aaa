"""Playing a run: the one loop in which recorded actions happen again, and checkpoints of it.

Replays, branches, attempts, twin runs, shared texts and any moment of a long run are all made
by `play`. While a run is played, copies of the cluster are kept at even distances: any moment
is reached from the last copy before it.
"""

import copy
import random
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import islice
from typing import Any, Literal, TypeVar

from msgspec.structs import replace

from raftlab.raft.log import RaftLog
from raftlab.raft.machine import RaftStateMachine
from raftlab.raft.options import is_whole
from raftlab.raft.vocabulary import REFUSALS, Misuse, shown
from raftlab.sim.run.digest import Comparison, Known
from raftlab.sim.run.tape import from_memory
from raftlab.sim.world.action import Action
from raftlab.sim.world.application import application_copy
from raftlab.sim.world.engine import Engine

Thing = TypeVar("Thing")

SPACING = 4096
"""How many actions lie between two copies at first."""

MOST_KEPT = 64
"""How many copies are kept; for a longer run their distance doubles."""


def play(
    engine: Engine,
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
    happen = from_memory(engine, engine.apply_quietly if quietly else engine.advance)
    comparison.look(engine)
    for action in actions:
        if skips and engine.stopped is not None:
            return
        if skips and action.at < engine.now:
            action = replace(action, at=engine.now)
        try:
            happen(action)
        except Exception as error:
            if skips and engine.stopped is None and isinstance(error, REFUSALS):
                continue
            comparison.stopped(engine, error)
            raise
        if engine.number in comparison.known:
            comparison.look(engine)
        yield action


def check_frame(number: Any, last: int) -> None:
    """Raises: Misuse, if a run whose last frame is `last` has no frame `number`."""
    if not (is_whole(number) and 0 <= number <= last):
        raise Misuse(f"this run has frames 0 to {last}, and no frame {shown(number)}")


class Checkpoints:
    """Any moment of one run, which `start` begins and `actions` continue.

    Later calls may bring more actions; those that were there before stay the same.
    """

    def __init__(self, start: Callable[[], Engine]) -> None:
        self._start = start
        self._spacing = SPACING
        self._every = 1
        self._kept: dict[int, Engine] = {}

    def follow(self, engine: Engine) -> None:
        """Keep copies of the run while it goes on in `engine`.

        A copy of many nodes costs by their links: of them fewer are made.
        """
        self._every = max(1, len(engine.hosts) ** 2 // 100)
        engine.checkpoint_at = engine.number + self._spacing * self._every
        engine.checkpoint = self._keep

    def at(self, number: int, actions: Sequence[Action]) -> Engine:
        """An engine of its own, after the first `number` of `actions`.

        It shows a violation, if the last of them led to one, and does not raise it.
        Raises: Misuse, if there are not so many, or if the run does not play again as it went.
        """
        check_frame(number, len(actions))
        before = max((each for each in self._kept if each <= number), default=0)
        engine = copied(self._kept[before]) if before else self._start()
        engine.actions = list(actions[:before])
        for _ in play(engine, actions[engine.number : number]):
            if engine.number % self._spacing == 0:
                self._keep(engine)
        return engine

    def _keep(self, engine: Engine) -> int:
        """Keep a copy, if there can be one; the number of actions at which the next is due."""
        number = engine.number
        if number not in self._kept and can_be_copied(engine):
            self._kept[number] = copied(engine, to_keep=True)
            while len(self._kept) > MOST_KEPT:
                self._spacing *= 2
                self._kept = {
                    each: kept for each, kept in self._kept.items() if each % self._spacing == 0
                }
        apart = self._spacing * self._every
        return number + apart - number % apart


def can_be_copied(engine: Engine) -> bool:
    """Whether a copy shares nothing with the original: with a learner's machine it might.

    A function in a field, say, that was made with `self` in it, would still move the
    original; what can be pickled holds no such thing, and no file, no lock, no generator. A machine
    that says how it is copied (`__deepcopy__`) is believed.
    """
    machines = [
        machine
        for machine in (host.machine for host in engine.hosts.values())
        if type(machine) is not RaftStateMachine and not hasattr(machine, "__deepcopy__")
    ]
    if not machines:
        return True
    import pickle  # slow to load, so only for a machine of somebody's own

    try:
        pickle.dumps(machines)
    except Exception:  # whatever the machine's parts raise
        return False
    return True


class Grown:
    """A list or a dictionary as it is now: it is copied when somebody needs a copy.

    Until then `whole` may become longer, and what is in it stays there.
    """

    __slots__ = ("length", "whole")

    def __init__(self, whole: list[Any] | dict[Any, Any]) -> None:
        self.whole = whole
        self.length = len(whole)

    def copy(self) -> list[Any] | dict[Any, Any]:
        """What was in it, as a list or a dictionary of its own."""
        if isinstance(self.whole, dict):
            return dict(islice(self.whole.items(), self.length))
        return self.whole[: self.length]

    __copy__ = copy


def copied(engine: Engine, to_keep: bool = False) -> Engine:
    """An independent engine in the same state: what happens to one does not touch the other.

    Rules are shared, and so are entries, messages and snapshots: they never change. One that is
    made `to_keep` shares what only grows, so it costs the same however long the run; it is there
    to be copied in its turn. It holds no actions: they are kept elsewhere.
    """
    engine.forget_what_is_over()
    twins: dict[int, Any] = {}  # `deepcopy` takes these, and copies nothing that is among them
    grown: Callable[[Any], Any] = Grown if to_keep else copy.copy

    def take(twin: object, of: object) -> None:
        twins[id(of)] = twin

    take([] if to_keep else engine.actions.copy(), of=engine.actions)
    take(engine.recent.copy(), of=engine.recent)
    for shared in never_changing(engine):
        take(shared, of=shared)
    for original in engine.growing_parts():
        take(grown(original), of=original)
    for link in engine.world.network.links():
        take(shallow(link, rng=rng_copied(link.rng)), of=link)
    for flight in engine.in_flight():
        take(replace(flight, link=twins[id(flight.link)]), of=flight)
    for host in engine.hosts.values():
        disk, seen, machine, rng = host.disk, host.seen, host.machine, host.rng
        take(shallow(disk, log=grown(disk.log), writes=disk.writes.copy()), of=disk)
        take(shallow(seen, entries=grown(seen.entries)), of=seen)
        take(application_copy(host.application), of=host.application)
        take(rng_copied(rng), of=rng)
        if type(machine) is RaftStateMachine:
            its_rng = twins[id(rng)] if machine._rng is rng else copy.copy(machine._rng)
            its_log = log_kept(machine.log) if to_keep else machine.log.copy()
            take(machine._copy_with(its_rng, its_log), of=machine)
        elif isinstance(log := getattr(machine, "log", None), RaftLog):
            take(log.copy(), of=log)
    twin: Engine = copy.deepcopy(engine, twins)
    twin.keep_no_checkpoints()
    return twin


def shallow(thing: Thing, **parts: Any) -> Thing:
    """Another one with the same parts, but for these: the rest never changes. It has slots."""
    twin = slots_copy(thing)
    for name, part in parts.items():
        setattr(twin, name, part)
    return twin


def slots_copy(thing: Thing) -> Thing:
    """A shallow copy of an object that has slots, as `copy.copy` makes it, and sooner."""
    twin = thing.__class__.__new__(thing.__class__)
    for name in thing.__slots__:  # type: ignore[attr-defined]
        setattr(twin, name, getattr(thing, name))
    return twin


def never_changing(engine: Engine) -> Iterator[object]:
    """What a copy need not look into."""
    world = engine.world
    yield from (engine.checkpoint, world.newcomers, world.setup)
    yield from (reading for reading in world.readings if reading.is_done or reading.has_failed)
    for host in engine.hosts.values():
        yield from (host.rules, host.options, *host.inbox, *host.held, *host.disk.writes)


def log_kept(log: RaftLog) -> RaftLog:
    """A copy that shares its entries: it is copied in its turn as if it had none of its own."""
    bare = copy.copy(log)
    bare._entries = []
    twin = bare.copy()
    twin._entries = Grown(log._entries)  # type: ignore[assignment]
    return twin


def rng_copied(rng: random.Random) -> random.Random:
    """A random source that goes on as `rng` does: sooner than `copy.copy`, as it is seeded once."""
    twin = random.Random.__new__(random.Random, 0)  # type: ignore[call-arg]
    twin.setstate(rng.getstate())
    return twin

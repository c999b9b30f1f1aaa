"""What makes a cluster run: one heap, one counter, one seed. That is all of determinism.

Everything that happens is an action (`actions.py`), whether the network did it or a
reader, and is carried out in one place, `advance`; so what was recorded can be played
again. A `Cluster` has an engine, and the verbs that people use.
"""

from collections import deque
from collections.abc import Callable, Mapping
from heapq import heapify, heappop, heappush
from typing import Any, TypeAlias

from raftlab.raft.messages import Message
from raftlab.raft.output import Note
from raftlab.raft.rules import Rules
from raftlab.raft.vocabulary import REFUSALS, Millis, Misuse, NodeId, NotNow
from raftlab.sim.world.action import Action
from raftlab.sim.world.actions import Deliver, Drop, Tick, Written, checked
from raftlab.sim.world.handlers import HANDLERS
from raftlab.sim.world.host import NEVER, Host, MachineFactory, Write
from raftlab.sim.world.interrupts import HeldBack
from raftlab.sim.world.network import Flight
from raftlab.sim.world.settings import Setup
from raftlab.sim.world.violation import Violation, ViolationFrame, Watching
from raftlab.sim.world.world import Due, Watch, World

Moment: TypeAlias = tuple[int, Action, Message | None, tuple[tuple[NodeId, Note], ...]]
"""A step as it is remembered: its frame, the action, its message if any, and the notes."""

REMEMBERED_EVENTS = 1000
MOST_AT_ONCE = 250_000

IN_A_STEP = "it is in the middle of a step"
INTERRUPTED = "it was interrupted in the middle of a step"


class Engine:
    """Lets things happen in a world, one action after the other.

    `actions` are all that have happened, `recent` the last of them with what came of them, and
    `violation` the property that was broken, if one was. `heed_interrupt` is an interrupt that
    waits for the end of the step. At action number `checkpoint_at` it calls `checkpoint`, which
    says when to call it next.
    Raises: what its machines raise when they are made.
    """

    # Slots: a copy turns fields without them into a dictionary, which is slower for good.
    __slots__ = (
        "__dict__",
        "_at_once",
        "_is_half_done",
        "_stopped",
        "actions",
        "checkpoint",
        "checkpoint_at",
        "heed_interrupt",
        "recent",
        "violation",
        "world",
    )

    def __init__(
        self,
        setup: Setup,
        rules: Mapping[NodeId, Rules],
        factory: MachineFactory,
        watch: Watch | None = None,
        newcomers: Callable[[NodeId], Rules] = lambda _: Rules(),
    ) -> None:
        self.actions: list[Action] = []
        self.recent: deque[Moment] = deque(maxlen=REMEMBERED_EVENTS)
        self.violation: ViolationFrame | None = None
        self.heed_interrupt: Callable[[], object] | None = None
        self._stopped: str | None = None
        self._is_half_done = False
        self._at_once = 0
        self.keep_no_checkpoints()
        try:
            self.world = World(setup, rules, factory, watch, newcomers)
        except SystemExit as error:
            raise RuntimeError("a machine raised SystemExit when it was made") from error

    def keep_no_checkpoints(self) -> None:
        """Call nobody on the way, as at first."""
        self.checkpoint_at: float = NEVER
        self.checkpoint: Callable[[Engine], float] = lambda _: NEVER

    # Looking

    @property
    def now(self) -> Millis:
        """The virtual time (ms)."""
        return self.world.now

    @property
    def hosts(self) -> dict[NodeId, Host]:
        """The nodes by name, with their machines, disks and applications."""
        return self.world.hosts

    @property
    def number(self) -> int:
        """How many actions have happened: the number of the current frame."""
        return len(self.actions)

    @property
    def stopped(self) -> str | None:
        """Why the run stands still, in words; None while it can go on."""
        return self._stopped

    @property
    def is_mid_step(self) -> bool:
        """Whether a step was begun and not ended: what it shows then is no frame of its run."""
        return self._stopped is IN_A_STEP or self._is_half_done

    def in_flight(self) -> tuple[Flight, ...]:
        """The messages on their way, in the order in which they were sent."""
        return tuple(self.world.network.flights.values())

    def growing_parts(self) -> tuple[Any, ...]:
        """The containers that only grow, and whose parts never change: a copy can share them."""
        watcher = self.world.watcher
        return () if watcher is None else watcher.parts()

    # Carrying out

    def apply(self, action: Action) -> None:
        """Carry out one action: the one way in which anything happens.

        Raises: NotNow, if it cannot happen now, or in the middle of another step; Misuse, if it
        never can; Violation, if it breaks a property; and whatever a machine raises while it
        handles the action.
        Then the run stands still. The verbs hold an interrupt back until the action is done;
        this does not: an interrupt in the middle of it stops the run.
        """
        self.advance(checked(action))

    def apply_quietly(self, action: Action) -> None:
        """Carry out one action; what stops the run with it is kept and not raised."""
        before = self._stopped
        try:
            self.advance(action)
        except Exception:
            if self._stopped is before:
                raise

    def act(self, action: Action) -> None:
        """Carry out one action for a reader: an interrupt waits until it is done."""
        with HeldBack(self):
            self.advance(action)

    def advance(self, action: Action | None, until: Millis = NEVER) -> bool:
        """Carry out `action`, or the next one that is due by `until`; False, if none is.

        Until the step is over the run is marked as being in it: so whatever ends the step
        early, and whoever asks for another one meanwhile, finds that mark.
        """
        if self._stopped is not None:
            raise NotNow(self._why_not())
        world = self.world
        before = world.now
        try:
            self._stopped = IN_A_STEP
            world.moving = world.message = None
            world.notes = ()
            if action is None:
                action = self._next_action(until)
                if action is None:
                    self._stopped = None
                    return False
                if action.at > before:
                    self._at_once = 1
                elif self._at_once < MOST_AT_ONCE:
                    self._at_once += 1
                else:
                    raise Misuse(no_end(before))
                heappop(world.heap)
            elif type(action) not in HANDLERS:
                raise Misuse("what is applied is an action of raftlab.sim.world.actions")
            elif not before <= action.at < NEVER:
                raise Misuse(f"time went back from {before} to {action.at} ms")
            world.now = action.at
            HANDLERS[type(action)](world, action)
            self.actions.append(action)
            number = len(self.actions)
            self.recent.append((number, action, world.message, world.notes))
            watcher = world.watcher
            if watcher is None or watcher.broken is None:
                self._stopped = None
            else:
                self._stop(watcher)
        except BaseException as error:
            self._give_up(action, before, error)
            if isinstance(error, SystemExit):
                raise RuntimeError(self._stopped) from error
            raise
        if self.violation is not None:
            raise Violation(self.violation)
        if number >= self.checkpoint_at:
            self.checkpoint_at = self.checkpoint(self)
        if self.heed_interrupt is not None:
            heed, self.heed_interrupt = self.heed_interrupt, None
            heed()
        return True

    def _why_not(self) -> str:
        number = self.number
        if self._stopped is IN_A_STEP:
            return (
                "This cluster is in the middle of a step: no rule, no machine and no other"
                f" thread can move it now. If none does, go back with cluster.at({number})."
            )
        if self._stopped is INTERRUPTED:
            return (
                "The run was interrupted in the middle of a step:"
                f" go back with cluster.at({number})."
            )
        return (
            f"The run stopped at frame {number}, where {self._stopped}."
            f" Look at it, or go back: cluster.at({number - 1})."
        )

    def _give_up(self, action: Action | None, before: Millis, error: BaseException) -> None:
        """Undo what was refused; stand still where a machine failed, so that it can be seen.

        A refusal comes before anything is changed. What failed otherwise, with no machine at
        work, has changed nobody knows what; and so has an interrupt.
        """
        if isinstance(error, KeyboardInterrupt):
            self._is_half_done = True
            self._stopped = INTERRUPTED
        elif action is None:  # while the next one was looked for, which changes nothing
            self._stopped = None
        elif self.world.moving is not None:
            self.actions.append(action)
            world = self.world
            self.recent.append((len(self.actions), action, world.message, world.notes))
            self._stopped = f"{world.moving}'s machine raised {type(error).__name__}: {error}"
        elif isinstance(error, REFUSALS):
            self.world.now = before
            self._stopped = None
        else:
            self._is_half_done = True
            self._stopped = f"a step failed with {type(error).__name__}: {error}"

    def _stop(self, watcher: Watching) -> None:
        """A property fell in this step, and is told before the step is over."""
        self.violation = watcher.violation(self.number)
        self._stopped = f"{self.violation.name} was broken"

    # What is due

    def scheduled(self, until: Millis = NEVER) -> Action | None:
        """What will happen next, by `until` (ms), if nobody does anything; None, if nothing will.

        Raises: NotNow, in the middle of a step.
        """
        if self.is_mid_step:
            raise NotNow(self._why_not())
        return None if self._stopped is not None else self._next_action(until)

    def _next_action(self, until: Millis) -> Action | None:
        """The next thing that is due by `until`; it stays on the heap, as its first.

        What is over is dropped on the way. Whenever this ends early, nothing is lost.
        """
        world = self.world
        heap, now = world.heap, world.now
        while heap:
            time, _, thing = heap[0]
            if time > until:
                return None
            at = time if time > now else now  # what was passed over is due at once
            if type(thing) is Flight:
                if thing.ends_at == time:
                    sender, receiver, nth = thing.key
                    if thing.lost or thing.link.cut or not world.hosts[receiver].alive:
                        return Drop(at, sender, receiver, nth)
                    return Deliver(at, sender, receiver, nth)
            elif type(thing) is Host:
                if time == thing.timer_at and self._timer_is_due(thing, time):
                    return Tick(at, thing.node)
            elif type(thing) is Write and thing.is_next():
                return Written(at, thing.host.node)
            heappop(heap)
        return None

    def forget_what_is_over(self) -> None:
        """Drop from the heap what will not happen any more: a run that is replayed leaves it."""
        heap = [due for due in self.world.heap if self._is_due(due)]
        heapify(heap)
        self.world.heap = heap

    def _is_due(self, due: Due) -> bool:
        time, _, thing = due
        if type(thing) is Flight:
            return thing.ends_at == time
        if type(thing) is Host:
            return time == thing.timer_at
        return type(thing) is Write and thing.is_pending()

    def _timer_is_due(self, host: Host, time: Millis) -> bool:
        """Timers are lazy: one that was put off is found too early, and set again.

        That is judged by the time for which it was set, even if it is later now: so what is
        overdue comes in the order in which it was due, whoever has looked meanwhile.
        """
        if not host.alive or host.paused:
            host.timer_at = NEVER
            return False
        due = host.machine.next_deadline
        if host.clock is not None:
            due = host.clock.when(due)
        if due <= time:
            return True
        if due < NEVER:
            heappush(self.world.heap, (due, host.turn, host))
        host.timer_at = due
        return False


def no_end(now: Millis) -> str:
    """That too many things have happened at one moment."""
    return (
        f"{MOST_AT_ONCE} things have happened at {now} ms, and no end is in sight:"
        " the nodes answer one another and no time passes. Give the network a latency."
    )

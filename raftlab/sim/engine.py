"""What makes a cluster run: one heap, one counter, one seed. That is all of determinism.

Everything that happens is an action (`actions.py`), whether the network did it or a
reader, and is carried out in one place, `apply`; so what was recorded can be played
again. `cluster.py` gives this engine the verbs that people use.
"""

from collections.abc import Iterator
from heapq import heapify, heappop, heappush

from raftlab.raft.vocabulary import Millis, Misuse, NodeId
from raftlab.sim.actions import (
    Action,
    Deliver,
    Drop,
    Tick,
    Written,
)
from raftlab.sim.carrying import CARRY_OUT, Carrying
from raftlab.sim.contract import MOST_AT_ONCE, Due
from raftlab.sim.frame import ViolationFrame
from raftlab.sim.host import NEVER, Host, Write
from raftlab.sim.invariants import History, Violation
from raftlab.sim.network import Flight


class Engine(Carrying):
    """Lets things happen, one action after the other."""

    # Looking

    @property
    def number(self) -> int:
        """How many actions have happened: the number of the current frame."""
        return len(self.actions)

    @property
    def stopped(self) -> str | None:
        """Why the run stands still, in words; None while it can go on."""
        return self._stopped

    @property
    def history(self) -> History | None:
        """What the run has shown so far, for reading; None if it is not watched."""
        return None if self._watch is None else self._watch.history

    @property
    def messages_sent(self) -> int:
        """How many messages have been sent so far, copies and lost ones included."""
        return self._wires.sent

    @property
    def cuts(self) -> tuple[tuple[NodeId, NodeId], ...]:
        """The directed links that carry nothing."""
        return self._wires.cuts

    def in_flight(self) -> tuple[Flight, ...]:
        """The messages on their way, in the order in which they were sent."""
        return tuple(self._flights.values())

    def shared_parts(self) -> Iterator[object]:
        """What a copy of this cluster need not look into: it grows, and its parts never change."""
        yield from (link.rng for link in self._wires.links())
        if self._watch is not None:
            yield from self._watch.history.parts()

    # Carrying out

    def apply(self, action: Action) -> None:
        """Carry out one action: the one way in which anything happens.

        Raises: Misuse, if it cannot happen now; Violation, if it breaks a property; and
        whatever a machine raises while it handles the action. Then the run stands still.
        """
        if self._stopped is not None:
            raise Misuse(
                f"The run stopped at frame {self.number}, where {self._stopped}."
                f" Look at it, or go back: cluster.at({self.number - 1})."
            )
        if not self.now <= action.at:
            raise Misuse(f"time went back from {self.now} to {action.at} ms")
        carry_out = CARRY_OUT[type(action)]
        self._message = self._moving = None
        self._notes = ()
        before = self.now
        self.now = action.at
        try:
            carry_out(self, action)
        except Exception as error:
            self._give_up(action, before, error)
            raise
        self.actions.append(action)
        self.recent.append((len(self.actions), action, self._message, self._notes))
        if self._watch is not None and self._watch.broken is not None:
            self._stop()

    def apply_quietly(self, action: Action) -> None:
        """Carry out one action; what stops the run with it is kept and not raised."""
        before = self._stopped
        try:
            self.apply(action)
        except Exception:
            if self._stopped is before:
                raise

    def _give_up(self, action: Action, before: Millis, error: Exception) -> None:
        """Undo what was refused; stand still where a machine failed, so that it can be seen."""
        if self._moving is None:
            self.now = before
            return
        self.actions.append(action)
        self.recent.append((len(self.actions), action, self._message, self._notes))
        self._stopped = f"{self._moving}'s machine raised {type(error).__name__}: {error}"

    def _stop(self) -> None:
        assert self._watch is not None and self._watch.broken is not None
        broken_property, broken = self._watch.broken
        self._stopped = f"{broken_property.name} was broken"
        self.violation = ViolationFrame(
            broken_property.name,
            broken.text,
            broken_property.paper,
            self.number,
            broken.nodes,
            broken.index,
        )
        raise Violation(self.violation)

    # What is due

    def _step(self, until: Millis) -> bool:
        """Carry out the next scheduled action, if it is due by `until`."""
        action = self._next_action(until)
        if action is None:
            return False
        self.apply(action)
        return True

    def scheduled(self) -> Action | None:
        """What will happen next if nobody does anything; None, if nothing will."""
        if self._stopped is not None:
            return None
        at_once, action = self._at_once, self._next_action(NEVER)
        if action is not None:
            assert self._chosen is not None
            self._at_once = at_once
            heappush(self._heap, self._chosen)
            if type(self._chosen[2]) is Host:
                self._chosen[2].timer_at = self._chosen[0]
        return action

    def _next_action(self, until: Millis) -> Action | None:
        heap, flights = self._heap, self._flights
        while heap and heap[0][0] <= until:
            time, _, thing = self._chosen = heappop(heap)
            if time > self.now:
                at, self._at_once = time, 0
            else:  # what was passed over is due at once
                at = self._no_time_passes((time, _, thing))
            if type(thing) is Flight:
                if thing.ends_at == time and flights.get(thing.key) is thing:
                    sender, receiver, nth = thing.key
                    if thing.lost or thing.link.cut or not self.hosts[receiver].alive:
                        return Drop(at, sender, receiver, nth)
                    return Deliver(at, sender, receiver, nth)
            elif type(thing) is Host:
                if time == thing.timer_at and self._timer_is_due(thing, time):
                    return Tick(at, thing.node)
            elif type(thing) is Write and thing.is_next():
                return Written(at, thing.host.node)
        return None

    def forget_what_is_over(self) -> None:
        """Drop from the heap what will not happen any more: a run that is replayed leaves it."""
        self._heap = [due for due in self._heap if self._is_due(due)]
        heapify(self._heap)

    def _is_due(self, due: Due) -> bool:
        time, _, thing = due
        if type(thing) is Flight:
            return thing.ends_at == time and self._flights.get(thing.key) is thing
        if type(thing) is Host:
            return time == thing.timer_at
        return type(thing) is Write and thing.is_pending()

    def _no_time_passes(self, due: Due) -> Millis:
        """Now, again; but not for ever."""
        self._at_once += 1
        if self._at_once > MOST_AT_ONCE:
            heappush(self._heap, due)
            raise Misuse(
                f"{MOST_AT_ONCE} things have happened at {self.now} ms, and no end is in sight:"
                " the nodes answer one another and no time passes. Give the network a latency."
            )
        return self.now

    def _timer_is_due(self, host: Host, time: Millis) -> bool:
        """Timers are lazy: one that was put off is found too early, and set again.

        That is judged by the time for which it was set, even if it is later now: so what is
        overdue comes in the order in which it was due, whoever has looked meanwhile.
        """
        host.timer_at = NEVER
        if not host.alive or host.paused:
            return False
        due = host.machine.next_deadline
        if (due if host.clock is None else host.clock.when(due)) <= time:
            return True
        self._arm(host)
        return False

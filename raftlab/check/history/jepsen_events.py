"""Histories as Jepsen's clients tell them: events, paired to operations."""

from collections.abc import Sequence
from math import inf, nextafter
from typing import Annotated, Any, Literal, TypeAlias

import msgspec

from raftlab.check.history.operations import READS, Operation, Outcome
from raftlab.raft.vocabulary import Millis, Misuse, shown

NEMESIS = "nemesis"
"""The process that breaks things in Jepsen: what it does is no operation."""

TRANSACTION = "txn"
MOST_TIME = 2.0**63

Key: TypeAlias = int | str


class Event(msgspec.Struct, frozen=True):
    """Something that one client said at one moment, as Jepsen writes it down."""

    process: int | str
    type: Literal["invoke", "ok", "fail", "info"]
    f: str
    value: Any = None
    key: Key | None = None
    time: Annotated[float, msgspec.Meta(ge=-MOST_TIME, le=MOST_TIME)] | None = None


Told: TypeAlias = tuple[str, Event]
"""An event, and where it stands in its file, as in "line 3"."""


def event_of(fields: Any) -> Event:
    """An event from the fields of its line; keywords may have kept their colons.

    Raises: msgspec.ValidationError.
    """
    if isinstance(fields, dict):
        fields = {str(name).removeprefix(":"): value for name, value in fields.items()}
        for name in ("process", "type", "f"):
            if isinstance(fields.get(name), str):
                fields[name] = fields[name].removeprefix(":")
    return msgspec.convert(fields, Event)


def operations_in(events: Sequence[Told], ms_per_unit: float, cas_sees: bool) -> list[Operation]:
    """One operation for each invocation, in the order of invocation.

    The order of the events is that in which they stand; times are for the picture.
    Raises: Misuse, with the place of what makes no sense.
    """
    events = _of_clients(events)
    keyed = _are_keyed(events)
    moments = _moments([event for _, event in events], ms_per_unit)
    asked: dict[int | str, int] = {}
    told: dict[int, int] = {}
    for here, (where, event) in enumerate(events):
        before = asked.get(event.process)
        if event.type == "invoke":
            if before is not None:
                at = events[before][0]
                raise _wrong(where, event, f"asks again, and has no answer to {at}")
            asked[event.process] = here
            told[here] = here
        elif before is None:
            raise _wrong(where, event, f"is told {event.type!r} without having asked")
        else:
            told[asked.pop(event.process)] = here
    joining = _Joining(cas_sees, keyed)
    return [
        joining.operation(events[start], moments[start], None, None)
        if start == end
        else joining.operation(events[start], moments[start], events[end], moments[end])
        for start, end in told.items()
    ]


def _wrong(where: str, event: Event, what: str) -> Misuse:
    return Misuse(f"{where}: process {shown(event.process)} {what}")


def _of_clients(events: Sequence[Told]) -> list[Told]:
    """Without what the nemesis tells; so does whoever is no number, and was not asked anything."""
    busy: set[int | str] = set()
    found = []
    for where, event in events:
        process = event.process
        if process == NEMESIS or (
            event.type == "info" and isinstance(process, str) and process not in busy
        ):
            continue
        if event.f == TRANSACTION:
            raise _wrong(
                where, event, "asks for a transaction ('txn'): only operations on one object,"
                " such as read, write, cas and append, can be judged here",
            )  # fmt: skip
        (busy.add if event.type == "invoke" else busy.discard)(process)
        found.append((where, event))
    return found


# Order and time


def _moments(events: Sequence[Event], ms_per_unit: float) -> list[Millis]:
    """When each event happened, in ms: each a little later than the one before, at least.

    Without times, or if they are all the same, the place of the event stands for its time.
    """
    times = [event.time for event in events]
    if None in times or len(set(times)) < 2:
        return [float(place) for place in range(1, len(events) + 1)]
    now, moments = -inf, []
    for time in times:
        now = max((time or 0.0) * ms_per_unit, nextafter(now, inf))
        moments.append(now)
    return moments


# Values with keys


def _are_keyed(events: Sequence[Told]) -> bool:
    """Whether the values are pairs of a key and a value, as jepsen.independent writes them.

    A read that asks for [key, nothing] says so; without a read, all others together do.
    Raises: Misuse, if some are, and some are not.
    """
    asked = [each for each in events if each[1].type == "invoke"]
    keyed = [each for each in asked if _is_keyed(each[1])]
    if len(keyed) == len(asked):
        return bool(asked)
    reads = [each for each in keyed if each[1].f in READS]
    if not reads:
        return False
    where, odd = next(each for each in asked if not _is_keyed(each[1]))
    raise Misuse(
        f"{where}: the value {shown(odd.value)} is not [key, value], as that of {reads[0][0]} is"
    )


def _is_keyed(event: Event) -> bool:
    match event.value:
        case [int() | str() as key, value] if event.key is None and not isinstance(key, bool):
            if event.f in READS:
                return value is None
            return event.f != "cas" or (isinstance(value, list) and len(value) == 2)
    return False


class _Joining:
    """Makes operations of what clients asked and what they were told."""

    def __init__(self, cas_sees: bool, keyed: bool) -> None:
        self.cas_sees = cas_sees
        self.keyed = keyed
        self.names: dict[str, Key] = {}

    def operation(
        self, asked: Told, start: Millis, told: Told | None, end: Millis | None
    ) -> Operation:
        """The operation that begins with one event and ends with the other, if there is one."""
        at, question = asked
        where, answer = (at, None) if told is None else told
        key, value = self._parts(at, question)
        if answer is not None and (answer.f, answer.key) != (question.f, question.key):
            raise _wrong(where, answer, f"asked in {at} for something else")
        outcome, result = self._outcome(where, question, answer)
        try:
            return Operation(
                client=str(question.process),
                call=question.f,
                key=None if key is None else self._named(key),
                argument=None if question.f in READS else value,
                result=result,
                start=start,
                end=end,
                outcome=outcome,
            )
        except Misuse as error:
            raise Misuse(f"{where}: {error}") from None

    def _named(self, key: Key) -> str:
        """A key as text. Raises: Misuse, if another one has the same."""
        if self.names.setdefault(str(key), key) != key:
            raise Misuse(f"{shown(key)} is a key as a number and as text: give one another name")
        return str(key)

    def _parts(self, where: str, event: Event) -> tuple[Key | None, Any]:
        """The key and the value of an event. Raises: Misuse."""
        if not self.keyed:
            return event.key, event.value
        if not (isinstance(event.value, list) and len(event.value) == 2):
            raise Misuse(f"{where}: the value {shown(event.value)} is not [key, value]")
        return event.value[0], event.value[1]

    def _outcome(self, where: str, asked: Event, told: Event | None) -> tuple[Outcome, Any]:
        if told is None or told.type == "info":
            return Outcome.UNKNOWN, None
        if told.type == "fail":
            saw = self.cas_sees and asked.f == "cas"
            return (Outcome.ACKNOWLEDGED, False) if saw else (Outcome.FAILED, None)
        if told.value is None and asked.f not in READS:
            return Outcome.ACKNOWLEDGED, None
        key, value = self._parts(where, told)
        mine, argument = self._parts(where, asked)
        if key != mine:
            raise _wrong(where, told, f"is told of the key {shown(key)}, and asked for another")
        if asked.f in READS or value != argument:
            return Outcome.ACKNOWLEDGED, value
        return Outcome.ACKNOWLEDGED, None

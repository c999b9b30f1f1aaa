"""Histories in files: one JSON object a line, an operation or an event of one."""

import pathlib
from collections.abc import Iterator
from typing import Annotated, Any, Literal

import msgspec

from raftlab.check.history import Operation, Outcome, frozen
from raftlab.raft.vocabulary import Millis, Misuse

NEMESIS = "nemesis"
"""The process that breaks things in Jepsen: what it does is no operation."""


class Event(msgspec.Struct, frozen=True):
    """Something that one client said at one moment, as Jepsen writes it down."""

    process: int | str
    type: Literal["invoke", "ok", "fail", "info"]
    f: str
    value: Any = None
    key: int | str | None = None
    time: Annotated[float, msgspec.Meta(ge=-1e300, le=1e300)] | None = None


class _Kind(msgspec.Struct):
    """Enough of a line to see whether it is an event."""

    type: Any = None


def read_lines(path: pathlib.Path, ms_per_unit: float, cas_sees: bool) -> list[Operation]:
    """The operations in a file, in the order in which they began. Raises: Misuse."""
    lines = [
        (number, line)
        for number, line in enumerate(path.read_bytes().split(b"\n"), start=1)
        if line.strip()
    ]
    if lines and _is_event(lines[0][1]):
        return _Pairing(path, ms_per_unit, cas_sees).all(lines)
    return [_operation(path, number, line, ms_per_unit) for number, line in lines]


def _is_event(line: bytes) -> bool:
    try:
        return msgspec.json.decode(line, type=_Kind).type is not None
    except (msgspec.DecodeError, UnicodeDecodeError):
        return False


def _decoded(path: pathlib.Path, number: int, line: bytes, kind: type) -> Any:
    try:
        return msgspec.json.decode(line, type=kind)
    except (ValueError, RecursionError) as error:
        reason = str(error) or "nested too deeply"
        raise Misuse(f"{path}, line {number}: {reason[0].lower()}{reason[1:]}") from None


def _operation(path: pathlib.Path, number: int, line: bytes, ms_per_unit: float) -> Operation:
    operation: Operation = _decoded(path, number, line, Operation)
    if ms_per_unit == 1.0:
        return operation
    end = None if operation.end is None else operation.end * ms_per_unit
    return msgspec.structs.replace(operation, start=operation.start * ms_per_unit, end=end)


class _Pairing:
    """Brings together what a client asked and what it was told."""

    def __init__(self, path: pathlib.Path, ms_per_unit: float, cas_sees: bool) -> None:
        self.path = path
        self.ms_per_unit = ms_per_unit
        self.cas_sees = cas_sees
        self.asked: dict[int | str, tuple[int, Event]] = {}

    def all(self, lines: list[tuple[int, bytes]]) -> list[Operation]:
        """One operation for each invocation, in the order of invocation."""
        found = sorted(self._pairs(lines), key=lambda each: each[0])
        return [operation for _, operation in found]

    def _pairs(self, lines: list[tuple[int, bytes]]) -> Iterator[tuple[int, Operation]]:
        for number, line in lines:
            event: Event = _decoded(self.path, number, line, Event)
            if event.process == NEMESIS:
                continue
            if event.type == "invoke":
                self._ask(number, event)
            elif event.process not in self.asked:
                raise self._wrong(number, event, f"is told {event.type!r} without having asked")
            else:
                asked_at, asked = self.asked.pop(event.process)
                yield asked_at, self._joined(asked_at, asked, number, event)
        for asked_at, asked in self.asked.values():
            yield asked_at, self._joined(asked_at, asked, asked_at, None)

    def _ask(self, number: int, event: Event) -> None:
        if event.process in self.asked:
            before, _ = self.asked[event.process]
            raise self._wrong(number, event, f"asks again, and has no answer to line {before}")
        self.asked[event.process] = (number, event)

    def _wrong(self, number: int, event: Event, what: str) -> Misuse:
        return Misuse(f"{self.path}, line {number}: process {event.process} {what}")

    def _time(self, number: int, event: Event) -> Millis:
        return number if event.time is None else event.time * self.ms_per_unit

    def _joined(self, asked_at: int, asked: Event, number: int, told: Event | None) -> Operation:
        if told is not None and (told.f, told.key) != (asked.f, asked.key):
            raise self._wrong(number, told, f"asked in line {asked_at} for something else")
        argument = None if asked.f in ("read", "get") else frozen(asked.value)
        outcome, result = self._outcome(asked, told)
        try:
            return Operation(
                client=str(asked.process),
                call=asked.f,
                key=None if asked.key is None else str(asked.key),
                argument=argument,
                result=result,
                start=self._time(asked_at, asked),
                end=None if told is None else self._time(number, told),
                outcome=outcome,
            )
        except Misuse as error:
            raise Misuse(f"{self.path}, line {number}: {error}") from None

    def _outcome(self, asked: Event, told: Event | None) -> tuple[Outcome, Any]:
        if told is None or told.type == "info":
            return Outcome.UNKNOWN, None
        if told.type == "fail":
            saw = self.cas_sees and asked.f == "cas"
            return (Outcome.ACKNOWLEDGED, False) if saw else (Outcome.FAILED, None)
        if asked.f in ("read", "get") or told.value != asked.value:
            return Outcome.ACKNOWLEDGED, frozen(told.value)
        return Outcome.ACKNOWLEDGED, None

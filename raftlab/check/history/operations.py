"""What clients asked, when, and what they were told: the input of every check.

A history says nothing about how a system works inside. It can come from a simulated
cluster (`client_history.py`), from a file, or be written down by hand.
Source: Herlihy and Wing 1990, section 2.
"""

from enum import Enum
from typing import Any

import msgspec

from raftlab.raft.vocabulary import Millis, Misuse, shortened, shown

READS = ("read", "get")
"""The calls that change nothing."""

MOST_MS = 2**63
"""No time is further from 0 than that: whatever is counted, it is what 64 bits hold."""

MOST_DEPTH = 50
"""How deep lists may lie in one another."""

MOST_BITS = 10_000
"""How large whole numbers may be; Python writes out hardly more."""


class Outcome(Enum):
    """What a client knows of an operation in the end.

    ACKNOWLEDGED: it was answered, so it took effect between its start and its end.
    FAILED: it certainly had no effect. UNKNOWN: it was never answered; it may take
    effect at any time after its start, or never.
    """

    ACKNOWLEDGED = "acknowledged"
    FAILED = "failed"
    UNKNOWN = "unknown"


class Operation(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One thing that a client asked for.

    `call` is what was asked ("read", "write", …) of `key`, with `argument`; `result` is
    the answer. `start` and `end` are in ms. The end of an unknown operation is when the
    client stopped waiting, or None; the check does not use it. A command that was sent
    several times under one number is one operation, from the first time to the answer.

        Operation("c1", "write", "x", 1, start=0, end=10)
        Operation("c2", "read", "x", result=1, start=5, end=12)
        Operation("c3", "cas", "x", (1, 2), start=20, outcome=Outcome.UNKNOWN)

    `outcome` may be given by its name ("failed"). Operations of one client may overlap:
    nothing is concluded from who asked, and each is judged by its own start and end.

    Raises: Misuse, for a time that is none, an end before the start, an acknowledged
    operation without an end, an outcome that is none, or a key, an argument or a result
    that is no plain value.
    """

    client: str
    call: str
    key: str | None = None
    argument: Any = None
    result: Any = None
    start: int | Millis = msgspec.field(default=0.0)
    end: int | Millis | None = None
    outcome: Outcome = Outcome.ACKNOWLEDGED

    def __post_init__(self) -> None:
        self._check_names()
        if type(self.outcome) is not Outcome:
            msgspec.structs.force_setattr(self, "outcome", self._outcome_named())
        self._check_times()
        for name in ("argument", "result"):
            value = getattr(self, name)
            if type(value) in (int, float, list, tuple):
                value = self._frozen(name, value)
                msgspec.structs.force_setattr(self, name, value)
            try:
                hash(value)
            except TypeError:
                raise self._no_plain_value(name, value) from None

    def _check_names(self) -> None:
        for name, example in (("client", "c1"), ("call", "read")):
            value = getattr(self, name)
            if not isinstance(value, str):
                raise Misuse(
                    f"the {name} of an operation is text, like '{example}', not {shown(value)}"
                )
        if not isinstance(self.key, str | None):
            raise Misuse(
                f"{self._name} is on the key {shown(self.key)}: clients, calls and keys are text"
            )

    def _frozen(self, name: str, value: Any) -> Any:
        try:
            return frozen(value)
        except ValueError as error:
            raise Misuse(f"the {name} of {self._name} {error}") from None

    def _no_plain_value(self, name: str, value: object) -> Misuse:
        return Misuse(
            f"the {name} of {self._name} is no plain value, but {shown(value)}: numbers, text,"
            " None and lists of them can be compared"
        )

    def _outcome_named(self) -> Outcome:
        try:
            return Outcome(self.outcome if isinstance(self.outcome, str) else None)
        except ValueError:
            *others, last = (repr(each.value) for each in Outcome)
            raise Misuse(
                f"{self._name} has the outcome {shown(self.outcome)}: say {', '.join(others)}"
                f" or {last}, or an Outcome"
            ) from None

    def _check_times(self) -> None:
        if not is_time(self.start):
            raise Misuse(
                f"{self._name} starts at {shown(self.start)}: a time is a number of ms, from"
                " -2**63 to 2**63"
            )
        if self.end is None:
            if self.outcome is Outcome.ACKNOWLEDGED:
                raise Misuse(f"{self._name} was acknowledged, so it has an end: say when")
        elif not (is_time(self.end) and self.start <= self.end):
            raise Misuse(
                f"{self._name} starts at {self.start} and ends at {shortened(str(self.end))}"
                " ms: an end is a number of ms, and not before the start"
            )

    @property
    def is_unknown(self) -> bool:
        """Whether nobody knows if it took effect. Its result says nothing then."""
        return self.outcome is Outcome.UNKNOWN

    @property
    def _name(self) -> str:
        return f"the {shortened(self.call, 40)} of {shortened(self.client, 40)}"

    def __str__(self) -> str:
        said = operation_text(self)
        client = shortened(self.client, 40)
        if self.outcome is Outcome.ACKNOWLEDGED:
            return f"{client}: {said}, {self.start:.1f} to {self.end:.1f} ms"
        return f"{client}: {said}, from {self.start:.1f} ms, {self.outcome.value}"


def is_time(value: object) -> bool:
    """Whether `value` is a number of ms: no text, not infinite, not "not a number"."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    return abs(value) <= MOST_MS


def operation_text(operation: Operation, told: str | None = None) -> str:
    """What was asked and answered, in short: `read x → 1`, `write x 2`, `cas x 1 2 → refused`.

    `told` is the answer in other words, if `value_text` would not tell it from another.
    """
    words = [shortened(operation.call, 40)]
    if operation.key is not None:
        words.append(shortened(operation.key, 40))
    if operation.argument is not None:
        argument = operation.argument
        parts = argument if operation.call == "cas" and type(argument) is tuple else (argument,)
        words += [shortened(value_text(part)) for part in parts]
    asked = " ".join(words)
    if operation.is_unknown:
        return f"{asked} → ?"
    if operation.call == "cas" and operation.result is False:
        return f"{asked} → refused"
    if operation.outcome is Outcome.ACKNOWLEDGED and answer_matters(operation):
        said = value_text(operation.result) if told is None else told
        return f"{asked} → {shortened(said)}"
    return asked


def answer_matters(operation: Operation) -> bool:
    """Whether the answer says more than that the operation was carried out."""
    if operation.call in ("read", "get"):
        return True
    if operation.call == "write":
        return operation.result not in (None, operation.argument)
    return operation.result is not None and operation.result is not True


def value_text(value: object) -> str:
    """A value as it is said: text without quotes, lists in brackets, None as "nothing"."""
    if value is None:
        return "nothing"
    if isinstance(value, tuple):
        return f"[{' '.join(value_text(each) for each in value)}]"
    return str(value) if value != "" else '""'


def exact_text(value: object) -> str:
    """A value as it is said where 1 and "1" must not look the same: text in quotes."""
    if isinstance(value, tuple):
        return f"[{' '.join(exact_text(each) for each in value)}]"
    return f'"{value}"' if isinstance(value, str) else value_text(value)


def with_article(name: str) -> str:
    """`a Register`, `an AppendList`."""
    return f"{'an' if name[:1].lower() in tuple('aeiou') else 'a'} {name}"


def frozen(value: Any, depth: int = 0) -> Any:
    """Lists as tuples, all the way down: what can be compared and remembered.

    Raises: ValueError, for what is too deep, too large, or not equal to itself.
    """
    if type(value) is list or type(value) is tuple:
        if depth == MOST_DEPTH:
            raise ValueError(f"is too deep: lists lie in one another {MOST_DEPTH} deep at most")
        return tuple([frozen(each, depth + 1) for each in value])
    if type(value) is int and value.bit_length() > MOST_BITS:
        raise ValueError(f"has too many digits: a number has {MOST_BITS:,} bits at most")
    if value != value:
        raise ValueError("is not a number, so it is equal to nothing: give a number, or text")
    return value

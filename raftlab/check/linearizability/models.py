"""What the answers should have been: objects as one client after the other would see them.

A model says what an operation does to a state, and whether its answer fits. That is all
that a check needs to know of a system. Source: Herlihy and Wing 1990, section 2.2
(sequential specifications).
"""

from collections.abc import Callable, Hashable
from enum import Enum
from typing import Any, ClassVar, Protocol, TypeAlias

from raftlab.check.history import Operation
from raftlab.check.history.operations import READS, with_article
from raftlab.raft.vocabulary import Misuse, shown
from raftlab.sim.world.application import MOST_DIGITS, is_whole

State: TypeAlias = Any
"""A state of a model: anything that can be hashed and compared."""


class Saw(Enum):
    """What an operation must have seen to take effect, if that is no whole text or tuple.

    NOTHING: it can take effect in every state. PART: it depends on the state in another way.
    """

    NOTHING = "nothing"
    PART = "part"


class Leaves(Enum):
    """What an operation leaves, if that is not one and the same value.

    MORE: what was there, with the same thing behind it in every state, or nothing.
    ANYTHING: that cannot be said.
    """

    MORE = "more"
    ANYTHING = "anything"


class Model(Protocol):
    """What a reader writes for an object of their own.

        class Counter:
            initial = 0

            def step(self, state, operation):
                if operation.call == "add":
                    return True, state + operation.argument
                return operation.is_unknown or operation.result == state, state

    `step` gives whether the operation can take effect in `state` with the result that it
    had, and the state after it. It is asked once for all operations that are alike, so it
    looks at the key, the call, the argument, the result and the outcome alone, never at
    the client or the times. Of an unknown operation the result says nothing.

    A model whose operations on different keys have nothing to do with each other says so
    with a method `key_of(operation)`: each key is then checked by itself, which is faster
    by far. Source: Herlihy and Wing 1990, section 3.1 (locality).

    A method `changes(operation)` is another help that a model may give: where it says
    False, it promises that the operation leaves every state as it is.

    Where the state is a text or a tuple that grows at its end, two methods together let the
    answers guide the search: `saw(operation)`, the text or the tuple that the state must be,
    or must be a beginning of, for the operation to take effect, or a `Saw`; and
    `leaves(operation)`, the state after it, whatever it was before, or a `Leaves`. What they
    say is believed: if it is wrong, so is the verdict.
    """

    @property
    def initial(self) -> State:
        """The state before the first operation (of each key)."""

    def step(self, state: State, operation: Operation) -> tuple[bool, State]:
        """Whether `operation` can take effect in `state`, and the state after it."""
        ...


def key_of(model: Model, operation: Operation) -> Hashable:
    """To which object `operation` belongs, as the model says; None if there is but one."""
    divide: Callable[[Operation], Hashable] | None = getattr(model, "key_of", None)
    return None if divide is None else divide(operation)


def can_change(model: Model, operation: Operation) -> bool:
    """Whether `operation` may change a state, as the model says; if it says nothing, yes."""
    changes: Callable[[Operation], bool] | None = getattr(model, "changes", None)
    return True if changes is None else changes(operation)


def saw_of(model: Model, operation: Operation) -> State | Saw:
    """What `operation` must have seen, as the model says, which says so."""
    saw: Callable[[Operation], State | Saw] = model.saw  # type: ignore[attr-defined]
    return saw(operation)


def leaves_of(model: Model, operation: Operation) -> State | Leaves:
    """What `operation` leaves, as the model says, which says so."""
    leaves: Callable[[Operation], State | Leaves] = model.leaves  # type: ignore[attr-defined]
    return leaves(operation)


class _Keyed:
    """What the shipped models share: one object a key, and calls by name."""

    calls: ClassVar[tuple[str, ...]] = ()

    def __init__(self, initial: State = None) -> None:
        self.initial: State = initial

    def key_of(self, operation: Operation) -> str | None:
        """Each key is an object of its own."""
        return operation.key

    def changes(self, operation: Operation) -> bool:
        """A read changes nothing, and a cas that was refused does not either."""
        refused = operation.call == "cas" and operation.result is False
        return not (operation.call in READS or (refused and not operation.is_unknown))

    def _no_such_call(self, operation: Operation) -> Misuse:
        *others, last = self.calls
        return Misuse(
            f"{with_article(type(self).__name__)} has no call {shown(operation.call)}"
            f" ({operation}): it has {', '.join(others)} and {last}"
        )

    def __repr__(self) -> str:
        return f"{type(self).__name__}()"


class Register(_Keyed):
    """A value that is read, written, and compared and set: "read", "write", "cas".

    The argument of a cas is the pair of the value that is expected and the new one; its
    result is False if the value was another one, and True or None if it took effect.
    Anything else that looks like a no or a yes (0, "false") is refused, not guessed at.
    `initial` is the value before the first write.
    """

    calls: ClassVar[tuple[str, ...]] = ("read", "write", "cas")

    def same(self, one: State, other: State) -> bool:
        """Whether two values are one and the same."""
        return bool(one == other)

    def kept(self, value: State) -> State:
        """A value that was written, as it is kept."""
        return value

    def step(self, state: State, operation: Operation) -> tuple[bool, State]:
        """Whether `operation` can take effect in `state`, and the state after it."""
        match operation.call:
            case "read" | "get":
                return operation.is_unknown or self.same(state, operation.result), state
            case "write" | "put":
                return True, self.kept(operation.argument)
            case "cas":
                expected, new = pair(operation)
                is_there = self.same(state, expected)
                return (is_there, self.kept(new)) if is_taken(operation) else (not is_there, state)
        raise self._no_such_call(operation)


class KeyValue(Register):
    """The simulated application, key by key: a register's calls, "add", "append", "delete".

    An add is what `x+=1` does to a text that stands for a whole number (no value counts
    as 0), and gives the new value; an append puts text behind a text; a delete gives the
    value that was there, or "". A result of None says nothing, except of a read and a cas.

    The application keeps text, so a whole number and its text are one value: what was
    written as 1 may be read as "1". True and False are no numbers.
    """

    calls = ("read", "write", "cas", "add", "append", "delete")

    def __init__(self, initial: State = None) -> None:
        super().__init__(as_text(initial))

    def same(self, one: State, other: State) -> bool:
        """Whether two values are one and the same; a whole number is the same as its text."""
        return bool(as_text(one) == as_text(other))

    def kept(self, value: State) -> State:
        """A value that was written, as it is kept: whole numbers as text."""
        return as_text(value)

    def step(self, state: State, operation: Operation) -> tuple[bool, State]:
        """Whether `operation` can take effect in `state`, and the state after it."""
        match operation.call:
            case "add":
                held = "0" if state is None else str(as_text(state))
                more = str(as_text(operation.argument))
                if not is_whole(held) or not is_whole(more):
                    key = operation.key
                    return self._fits(operation, f"{key} does not hold a whole number"), state
                value = str(int(held) + int(more))
                return self._fits(operation, value), value
            case "append":
                value = f"{'' if state is None else state}{operation.argument}"
                return self._fits(operation, value), value
            case "delete":
                return self._fits(operation, "" if state is None else state), None
        return super().step(state, operation)

    def saw(self, operation: Operation) -> State | Saw:
        """The text that a client was told, or that a cas expected."""
        match operation.call:
            case "write" | "put":
                return Saw.NOTHING
            case "cas" if self.changes(operation):
                return _text_seen(pair(operation)[0])
            case "read" | "get" if not operation.is_unknown:
                return _text_seen(operation.result)
            case "append" | "delete" if not operation.is_unknown and operation.result is not None:
                return _text_seen(operation.result)
            case "read" | "get" | "append" | "delete":
                return Saw.NOTHING
        return Saw.PART

    def leaves(self, operation: Operation) -> State | Leaves:
        """The value that was written; more of the text after an append or a read."""
        match operation.call:
            case "write" | "put":
                return self.kept(operation.argument)
            case "cas" if self.changes(operation):
                return self.kept(pair(operation)[1])
            case "delete":
                return None
            case "read" | "get" | "append" | "cas":
                return Leaves.MORE
        return Leaves.ANYTHING

    def _fits(self, operation: Operation, value: State) -> bool:
        """Whether the client was told `value`, or was told nothing."""
        told = operation.result
        return operation.is_unknown or told is None or self.same(told, value)


class AppendList(_Keyed):
    """A list that only grows: "append" puts a value at its end, "read" gives it whole."""

    calls = ("append", "read")

    def __init__(self, initial: tuple[Any, ...] = ()) -> None:
        super().__init__(tuple(initial))

    def step(self, state: State, operation: Operation) -> tuple[bool, State]:
        """Whether `operation` can take effect in `state`, and the state after it."""
        match operation.call:
            case "append":
                return True, (*state, operation.argument)
            case "read" | "get":
                seen = () if operation.result is None else operation.result
                return operation.is_unknown or state == seen, state
        raise self._no_such_call(operation)

    def saw(self, operation: Operation) -> State | Saw:
        """The list that a read saw."""
        if operation.call not in READS or operation.is_unknown:
            return Saw.NOTHING
        seen = () if operation.result is None else operation.result
        return seen if isinstance(seen, tuple) else Saw.PART

    def leaves(self, operation: Operation) -> State | Leaves:
        """More, always."""
        return Leaves.MORE


def _text_seen(value: State) -> State | Saw:
    """What was seen, if it is text; no value is a beginning of every text."""
    text = "" if value is None else as_text(value)
    return text if isinstance(text, str) else Saw.PART


def as_text(value: State) -> State:
    """A whole number as its text, as a command would say it; anything else as it is."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return value
    if value != value // 1 or abs(value) >= 10**MOST_DIGITS:
        return value
    return str(int(value))


def is_taken(operation: Operation) -> bool:
    """Whether a cas took effect, if it did anything; unknown ones count as taken.

    Raises: Misuse, for an answer that is neither yes nor no.
    """
    result = operation.result
    if operation.is_unknown or result is None or result is True:
        return True
    if result is False:
        return False
    raise Misuse(
        f"a cas gives True or None if it took effect, and False if it was refused, not"
        f" {shown(result)} ({operation})"
    )


def pair(operation: Operation) -> tuple[State, State]:
    """What a cas expects, and what it sets. Raises: Misuse."""
    argument = operation.argument
    if not (isinstance(argument, tuple) and len(argument) == 2):
        raise Misuse(f"a cas takes a pair, the value expected and the new one ({operation})")
    return argument[0], argument[1]

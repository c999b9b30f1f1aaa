"""A model as a table: what each kind of operation does in each state, asked only once."""

from collections.abc import Sequence

from raftlab.check.history import Operation
from raftlab.check.linearizability.models import Model, State, can_change
from raftlab.raft.vocabulary import Misuse, shown

REFUSED = -1
"""In the place of a state: the operation cannot take effect there."""


def types_in(value: object) -> type | tuple[type, ...]:
    """What tells values apart that Python calls equal, as 1 and True, and (1,) and (True,)."""
    return tuple(map(type, value)) if isinstance(value, tuple) else type(value)


class Steps:
    """The states that came up, and what each kind of operation does in them, as numbers.

    Operations of one kind are those that a model cannot tell apart: the same key, call,
    argument and result (1 is not True here), and equally (un)known. `rows[state][kind]`
    is the state after it, or REFUSED; what is not there yet is found by `learn`. State 0
    is the initial one.
    `changes[kind]` is False if the model promises that no state is changed; `samples[kind]`
    is an operation of the kind.
    """

    __slots__ = ("_kinds", "_model", "_numbers", "changes", "rows", "samples", "states")

    def __init__(self, model: Model) -> None:
        self._model = model
        self._kinds: dict[tuple[object, ...], int] = {}
        self.samples: list[Operation] = []
        self._numbers: dict[State, int] = {}
        self.changes: list[bool] = []
        self.states: list[State] = []
        self.rows: list[dict[int, int]] = []
        self._number(model.initial)

    def kinds(self, operations: Sequence[Operation]) -> list[int]:
        """The kind of each operation."""
        known, samples, found = self._kinds, self.samples, []
        for operation in operations:
            unknown = operation.is_unknown
            result = None if unknown else operation.result
            argument = operation.argument
            alike = (
                *(operation.call, argument, result, unknown, operation.key),
                *(types_in(argument), types_in(result)),
            )
            kind = known.get(alike)
            if kind is None:
                kind = known[alike] = len(samples)
                samples.append(operation)
                self.changes.append(can_change(self._model, operation))
            found.append(kind)
        return found

    def learn(self, state: int, kind: int) -> int:
        """Ask the model for the state after `kind` in `state`, or REFUSED."""
        allowed, after = self._model.step(self.states[state], self.samples[kind])
        number = self._number(after) if allowed else REFUSED
        self.rows[state][kind] = number
        return number

    def look(self, state: int, kind: int) -> int:
        """The state after `kind` in `state`, or REFUSED."""
        known = self.rows[state].get(kind)
        return self.learn(state, kind) if known is None else known

    def _number(self, state: State) -> int:
        try:
            number = self._numbers.get(state)
        except TypeError:
            raise Misuse(
                f"a model's states can be hashed, and {shown(state)} cannot: tuples and frozen"
                " sets can, lists and dictionaries cannot"
            ) from None
        if number is None:
            number = self._numbers[state] = len(self.states)
            self.states.append(state)
            self.rows.append({})
        return number

"""What clients asked, when, and what they were told, in one value: the input of every check.

A history may come from a cluster (`client_history.py`), from a file, or be written down by hand.
"""

import pathlib
from collections.abc import Iterable, Iterator, Sequence
from typing import overload

import msgspec

from raftlab.check.history.history_files import read_file
from raftlab.check.history.operations import Operation, Outcome, is_time
from raftlab.raft.vocabulary import Misuse, how_many, shown


class History(Sequence[Operation]):
    """The operations of a run, in the order in which they were written down.

    Of two operations, one comes before the other only if it ended before the other
    started. One that ends at the very moment at which another starts is concurrent with
    it: clocks that tick in ms cannot say more. Two operations of one client may overlap,
    and are then concurrent like any others.
    Raises: Misuse, if something in it is no Operation.
    """

    __slots__ = ("_operations",)

    def __init__(self, operations: Iterable[Operation] = ()) -> None:
        if not isinstance(operations, Iterable):
            raise Misuse(
                f"a history is made of operations, and {shown(operations)} is none: give a list"
                " of them, or history_of(cluster)"
            )
        self._operations = tuple(operations)
        for operation in self._operations:
            if not isinstance(operation, Operation):
                raise Misuse(f"a history is made of operations, and {shown(operation)} is none")

    @overload
    def __getitem__(self, place: int) -> Operation: ...
    @overload
    def __getitem__(self, place: slice) -> "History": ...

    def __getitem__(self, place: int | slice) -> "Operation | History":
        if isinstance(place, slice):
            return History(self._operations[place])
        return self._operations[place]

    def __len__(self) -> int:
        """How many operations."""
        return len(self._operations)

    def __iter__(self) -> Iterator[Operation]:
        """The operations, in the order in which they were written down."""
        return iter(self._operations)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, History):
            return NotImplemented
        return self._operations == other._operations

    def __hash__(self) -> int:
        return hash(self._operations)

    def __repr__(self) -> str:
        counts = dict.fromkeys(Outcome, 0)
        for operation in self._operations:
            counts[operation.outcome] += 1
        told = ", ".join(f"{count} {each.value}" for each, count in counts.items() if count)
        return f"<History of {how_many(len(self), 'operation')}{': ' if told else ''}{told}>"

    @property
    def clients(self) -> tuple[str, ...]:
        """Who asked, in the order of first appearance."""
        return tuple(dict.fromkeys(operation.client for operation in self._operations))

    @classmethod
    def load(
        cls, path: str | pathlib.Path, *, ms_per_unit: float = 1.0, cas_sees: bool = False
    ) -> "History":
        """The history in a file of JSON: an operation or an event a line, or all in one array.

        An operation is an object with the fields of `Operation`. An event is what a client
        of Jepsen writes: `{"process": 0, "type": "invoke", "f": "write", "value": 3, "time":
        17}`, and later the same process again with type "ok", "fail" or "info" (nobody knows).

        * The order of events is that in which they stand, whatever their times are. Times are
          for the picture: one that is not later than the one before is taken to be a little
          later, and without `time`, or if all are the same, the place stands for it.
        * Of operations, the times decide, and not the order in which they stand.
        * An event may have a `key`. Where every value is a pair [key, value], as
          jepsen.independent and Maelstrom's lin-kv write it, the key is taken from there.
        * With `cas_sees`, a cas that fails is one that saw another value; without, it is one
          that had no effect, and nothing more is concluded from it.

        Times are multiplied by `ms_per_unit` (1e-6 for nanoseconds).

        Raises: Misuse, with the file, the place in it and the reason; OSError, if there is no
        such file.
        """
        if not isinstance(cas_sees, bool):
            raise Misuse(f"cas_sees is True or False, not {shown(cas_sees)}")
        if not is_time(ms_per_unit) or ms_per_unit <= 0:
            raise Misuse(
                f"ms_per_unit is how many ms a unit of the file is, like 1e-6, not"
                f" {shown(ms_per_unit)}"
            )
        return cls(read_file(_path(path), ms_per_unit, cas_sees))

    def save(self, path: str | pathlib.Path) -> None:
        """Write the history to a file, one operation a line; `load` gives an equal one.

        Raises: Misuse, for an operation with a value that JSON does not have; OSError.
        """
        lines = [_line(operation) for operation in self._operations]
        _path(path).write_bytes(b"".join(line + b"\n" for line in lines))


def _path(path: object) -> pathlib.Path:
    """A file's path. Raises: Misuse."""
    if not isinstance(path, str | pathlib.Path):
        raise Misuse(f"a history is in a file, named like 'history.jsonl', not {shown(path)}")
    return pathlib.Path(path)


def _line(operation: Operation) -> bytes:
    """An operation as JSON. Raises: Misuse, if it would not be read as the same."""
    try:
        line = msgspec.json.encode(operation)
        is_kept = msgspec.json.decode(line, type=Operation) == operation
    except (TypeError, ValueError, OverflowError):
        line, is_kept = b"", False
    if not is_kept:
        raise Misuse(f"JSON has no such values as those of this operation: {operation}")
    return line

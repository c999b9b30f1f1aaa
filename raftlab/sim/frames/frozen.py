"""A dictionary and a log that nobody can change: what a frame holds stays as it was."""

from collections.abc import Iterator, Sequence
from itertools import islice
from typing import Any, NoReturn, TypeVar, cast, overload

from raftlab.raft.log import LogEntry

Key = TypeVar("Key")
Value = TypeVar("Value")


class FrozenDict(dict[Key, Value]):
    """A dictionary that refuses every change, and can be hashed. Raises: TypeError."""

    __slots__ = ()

    def _refuse(self, *_: Any, **__: Any) -> NoReturn:
        raise TypeError("a frame is a picture of the past: it cannot be changed")

    __setitem__ = __delitem__ = __ior__ = _refuse
    clear = pop = popitem = setdefault = update = cast(Any, _refuse)

    def __hash__(self) -> int:  # type: ignore[override]
        return hash(frozenset(self.items()))

    def __reduce__(self) -> tuple[type, tuple[dict[Key, Value]]]:
        return FrozenDict, (dict(self),)


class FrozenLog(Sequence[LogEntry]):
    """The entries of a log as they are now, however many they are: none is copied.

    `growing` is a list that only becomes longer. It is equal to a tuple of the same entries, and
    is one where it is copied or pickled (and for msgspec, with `enc_hook=tuple`).
    """

    __slots__ = ("_growing", "_length")

    def __init__(self, growing: list[LogEntry]) -> None:
        self._growing = growing
        self._length = len(growing)

    def __len__(self) -> int:
        """How many entries."""
        return self._length

    @overload
    def __getitem__(self, place: int) -> LogEntry: ...
    @overload
    def __getitem__(self, place: slice) -> tuple[LogEntry, ...]: ...

    def __getitem__(self, place: int | slice) -> LogEntry | tuple[LogEntry, ...]:
        if isinstance(place, slice):
            start, stop, step = place.indices(self._length)
            if step == 1:
                return tuple(self._growing[start : max(start, stop)])
            return tuple([self._growing[each] for each in range(start, stop, step)])
        return self._growing[place if 0 <= place < self._length else range(self._length)[place]]

    def __iter__(self) -> Iterator[LogEntry]:
        """The entries, first to last."""
        return islice(self._growing, self._length)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, FrozenLog | tuple):
            return NotImplemented
        if isinstance(other, FrozenLog) and other._growing is self._growing:
            return other._length == self._length
        ends_alike = len(other) == self._length and self[-1:] == other[-1:]
        return ends_alike and tuple(self) == tuple(other)

    def __hash__(self) -> int:
        return hash(tuple(self))

    def __repr__(self) -> str:
        return repr(tuple(self))

    def __reduce__(self) -> tuple[type, tuple[tuple[LogEntry, ...]]]:
        return tuple, (tuple(self),)

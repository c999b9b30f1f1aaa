"""The replicated application: a small key-value store that obeys committed commands.

Commands are text, so that a reader sees them in the log: `x=1` sets, `x+=1` adds to a
whole number, `del x` removes. Anything else is a command that changes nothing.
"""

import re
from collections.abc import Mapping

from raftlab.raft.log import Command, LogEntry

SET = re.compile(r"\s*(\w+)\s*=(.*)", re.DOTALL)
ADD = re.compile(r"\s*(\w+)\s*\+=\s*(-?\d{1,1000})\s*")
DELETE = re.compile(r"\s*del\s+(\w+)\s*")
WHOLE = re.compile(r"-?\d{1,1000}")  # more digits are text: nobody counts that far


class KeyValue:
    """The values that one node has built by applying committed commands in order.

    The same commands in the same order give the same values on every node: that is all
    that Raft is for. Paper: 2, replicated state machines.
    """

    __slots__ = ("_values",)

    def __init__(self) -> None:
        self._values: dict[str, str] = {}

    @property
    def values(self) -> Mapping[str, str]:
        """A copy of all values, in the order in which the keys first appeared."""
        return dict(self._values)

    def apply(self, entry: LogEntry) -> None:
        """Obey one committed entry. Entries of the protocol itself change nothing here."""
        if isinstance(entry.payload, Command):
            self._obey(entry.payload.data.decode("utf-8", "replace"))

    def _obey(self, text: str) -> None:
        if "+=" in text and (found := ADD.fullmatch(text)):
            key, amount = found.groups()
            held = self._values.get(key, "0")
            if WHOLE.fullmatch(held):
                self._values[key] = str(int(held) + int(amount))
        elif found := SET.fullmatch(text):
            self._values[found[1]] = found[2].strip()
        elif found := DELETE.fullmatch(text):
            self._values.pop(found[1], None)

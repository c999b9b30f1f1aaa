"""The replicated application: a small key-value store that obeys committed commands.

Commands are text, so that a reader sees them in the log: `x=1` sets, `x+=1` adds to a
whole number, `del x` removes. `open c1` and `close c1` begin and end a client's session,
and `c1#3 x+=1` is command 3 of it, executed once however often it stands in the log.
Anything else is a command that changes nothing.
"""

import copy
import re
from collections.abc import Mapping
from functools import lru_cache, partial
from typing import Annotated, ClassVar, Self

import msgspec

from raftlab.raft.log import Command, LogEntry
from raftlab.raft.vocabulary import Index, Misuse, shown
from raftlab.sim.world.client_sessions import Session, Sessions

WORD = re.compile(r"\w+")
DELETE = re.compile(r"\s*del\s+(\w+)\s*")
OPEN_OR_CLOSE = re.compile(r"\s*(open|close)\s+(\w+)\s*")
NUMBERED = re.compile(r"\s*(\w+)#([1-9][0-9]{0,17})\s+(.*)", re.DOTALL)

MOST_DIGITS = 1000  # a number of more digits is text: nobody counts that far

SESSIONS = 16
"""How many client sessions are kept if nobody says otherwise."""

UNKNOWN = "not a command"


class Saved(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """All that an application knows, as it stands in a snapshot. Paper: 7. Thesis: 6.3."""

    values: dict[str, str]
    sessions: dict[str, Session]
    most_sessions: Annotated[int, msgspec.Meta(ge=1, le=2**63 - 1)]


class KeyValue:
    """The values that one node has built by applying committed commands in order.

    The same commands in the same order give the same values on every node: that is all
    that Raft is for. At most `sessions` client sessions are kept (all nodes must say the
    same number); opening one more ends the one that was used longest ago in the log.

    Paper: 2, replicated state machines; 8, client interaction. Thesis: 6.3.
    Raises: Misuse, if `sessions` is not a whole number from 1.
    """

    __slots__ = ("_sessions", "_values")

    table: ClassVar[type[Sessions]] = Sessions
    """The table of sessions; a variant of the application can have another one."""

    def __init__(self, sessions: int = SESSIONS) -> None:
        if not (isinstance(sessions, int) and 1 <= sessions < 2**63):
            raise Misuse(
                f"sessions is how many are kept, a whole number from 1, not {shown(sessions)}"
            )
        self._values: dict[str, str] = {}
        self._sessions = self.table(sessions)

    @property
    def values(self) -> Mapping[str, str]:
        """A copy of all values, in the order in which the keys first appeared."""
        return dict(self._values)

    @property
    def sessions(self) -> Mapping[str, int]:
        """The last serial of each open session, 0 before the first, in order of opening."""
        return {client: session.serial for client, session in self._sessions.items()}

    def result_of(self, client: str) -> str | None:
        """What the last command of `client` gave; None if it has no open session."""
        session = self._sessions.get(client)
        return session.result if session else None

    def get(self, key: str) -> str | None:
        """The value of `key`, or None if it has none."""
        return self._values.get(key)

    def apply(self, entry: LogEntry) -> str:
        """Obey one committed entry, and say what came of it; never raises.

        A set and an addition give the new value, a removal the value that was removed or
        "" if there was none, a repeated command what it gave the first time, a refusal a
        sentence. Entries of the protocol itself change nothing here and give "".
        """
        payload = entry.payload
        if isinstance(payload, Command):
            text = payload.data.decode("utf-8", "replace")
            said = self._obey(text)
            return self._obey_client(text, entry.index) if said is None else said
        return ""

    def copy(self) -> Self:
        """An independent application that knows the same."""
        return self._holding(self._values.copy(), self._sessions, self._sessions.most)

    def encode(self) -> bytes:
        """Values and sessions as JSON, for a snapshot.

        Nodes that applied the same entries give equal bytes, whether or not some of them
        came to them through a snapshot. The order of keys belongs to the state.

        Paper: 7. Thesis: 6.3, sessions are in the snapshot.
        """
        saved = Saved(self._values, dict(self._sessions), self._sessions.most)
        return msgspec.json.encode(saved)

    @classmethod
    def decode(cls, data: bytes) -> Self:
        """The application that gave `data` with `encode`; b"" gives an empty one.

        How many sessions are kept is part of `data`.
        Raises: Misuse, if `data` is anything else.
        """
        if not data:
            return cls()
        try:
            saved = msgspec.json.decode(data, type=Saved)
        except ValueError as error:
            raise Misuse(f"a snapshot of {len(data)} bytes is no KeyValue: {error}") from error
        there, most = len(saved.sessions), saved.most_sessions
        if there > most:
            raise Misuse(f"a snapshot holds {there} sessions, and may hold no more than {most}")
        return cls._holding(saved.values, saved.sessions, most)

    @classmethod
    def _holding(cls, values: dict[str, str], sessions: Mapping[str, Session], most: int) -> Self:
        application = cls(most)
        application._values = values
        application._sessions = cls.table(most, sessions)
        return application

    def _obey(self, text: str) -> str | None:
        if "+=" in text:
            key, amount = parts(text, "+=")
            if key and is_whole(amount):
                return self._add(key, amount)
        if "=" in text:
            key, value = parts(text, "=")
            if key:
                self._values[key] = value
                return value
        if found := DELETE.fullmatch(text):
            return self._values.pop(found[1], "")
        return None

    def _add(self, key: str, amount: str) -> str:
        held = self._values.get(key, "0")
        if not is_whole(held):
            return f"{key} does not hold a whole number"
        self._values[key] = value = str(int(held) + int(amount))
        return value

    def _obey_client(self, text: str, index: Index) -> str:
        if found := NUMBERED.fullmatch(text):
            client, serial, command = found.groups()
            execute = partial(self._execute, command)
            return self._sessions.once(client, int(serial), index, execute)
        if found := OPEN_OR_CLOSE.fullmatch(text):
            verb, client = found.groups()
            if verb == "open":
                return self._sessions.open(client, index)
            return self._sessions.close(client)
        return UNKNOWN

    def _execute(self, command: str) -> str:
        said = self._obey(command)
        return UNKNOWN if said is None else said


def application_copy(application: KeyValue) -> KeyValue:
    """An independent copy: its own way, or a deep copy of what a learner wrote."""
    if type(application) is KeyValue:
        return application.copy()
    return copy.deepcopy(application)


@lru_cache(maxsize=256)  # what one node obeys, the others obey soon after
def parts(text: str, mark: str) -> tuple[str, str]:
    """The key before the first `mark`, "" if it can be none, and what stands after."""
    before, _, after = text.partition(mark)
    key = before.strip()
    return key if is_word(key) else "", after.strip()


def is_word(text: str) -> bool:
    """Whether `text` can be a key: letters, digits and _ of any alphabet."""
    return text.isalnum() or bool(WORD.fullmatch(text))


def is_whole(text: str) -> bool:
    """Whether `text` is a whole number that can be added to."""
    digits = text.removeprefix("-")
    return digits.isdecimal() and len(digits) <= MOST_DIGITS

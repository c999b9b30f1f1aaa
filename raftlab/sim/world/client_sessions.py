"""Client sessions: what the application remembers, so that a retry is not executed twice.

A client numbers its commands. The table holds, for each open session, the number of the
last command and its result; it is part of the replicated state, and so of snapshots.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Annotated

import msgspec

from raftlab.raft.vocabulary import Index

Count = Annotated[int, msgspec.Meta(ge=0, le=2**63 - 1)]


class Session(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What is remembered of one client.

    `serial` is the number of its last command, 0 before the first; `result` is what that
    command gave; `used` is the log index at which the session was last used.

    Paper: 8, "the latest serial number processed for each client, along with the
    associated response". Thesis: 6.3.
    """

    serial: Count
    result: str
    used: Count


class Sessions(Mapping[str, Session]):
    """The open sessions by client, at most `most` of them, in the order of their opening.

    Everything here follows from the log alone, so that all nodes agree on what is
    remembered and on what has expired. What a command gives is returned as text.
    Paper: 8. Thesis: 6.3.
    """

    __slots__ = ("_open", "most")

    def __init__(self, most: int, sessions: Mapping[str, Session] | None = None) -> None:
        self.most = most
        self._open: dict[str, Session] = dict(sessions or {})

    def __len__(self) -> int:
        """How many sessions are open."""
        return len(self._open)

    def __iter__(self) -> Iterator[str]:
        """The clients whose session is open, in the order of opening."""
        return iter(self._open)

    def __getitem__(self, client: str) -> Session:
        """The open session of `client`. Raises: KeyError, if it has none."""
        return self._open[client]

    def open(self, client: str, index: Index) -> str:
        """Open a session for `client`, or begin it again; another one may have to expire.

        Beginning again forgets which commands were answered: a client that still waits
        for an answer must not ask for it. Thesis: 6.3, RegisterClient.
        """
        self._open.pop(client, None)
        said = f"session {client} is open"
        if len(self._open) >= self.most:
            expired = self.expiring()
            del self._open[expired]
            said += f"; session {expired} has expired"
        self._open[client] = Session(0, "", index)
        return said

    def close(self, client: str) -> str:
        """End the session of `client`."""
        if self._open.pop(client, None) is None:
            return missing(client)
        return f"session {client} is closed"

    def once(self, client: str, serial: int, index: Index, execute: Callable[[], str]) -> str:
        """The result of command `serial` of `client`, which is executed only if it is new.

        The last command gives the result it gave before. Without a session it cannot be
        known whether a command is new, so it is refused: a client must not take that for
        "not executed". A refusal does not count as a use of the session.

        Paper: 8. Thesis: 6.3, ClientRequest (Figure 6.1).
        """
        session = self._open.get(client)
        if session is None:
            return missing(client)
        if serial < session.serial:
            return f"{client}#{serial} is an answered command: {client} is at {session.serial}"
        result = session.result if serial == session.serial else execute()
        self._open[client] = Session(serial, result, index)
        return result

    def expiring(self) -> str:
        """The client whose session ends when one too many is opened: it was used longest ago.

        Age is counted in log indexes, which are the same on all nodes; clocks are not.
        Thesis: 6.3, expiry by least recent use.
        """
        return min(self._open, key=lambda client: self._open[client].used)


def missing(client: str) -> str:
    """The refusal of a command whose session is not open. Thesis: 6.3, SESSION_EXPIRED."""
    return f"no session {client}: it was never opened, or has expired"

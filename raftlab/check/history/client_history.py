"""What the clients of a simulated cluster saw, as a history.

A run is a value, and so is what its clients saw of it: the recording is played again,
and every command, retry, read and answer in it is noted with its time.
"""

from math import inf, nextafter
from typing import Any, cast

from raftlab.check.history.history import History
from raftlab.check.history.operations import Operation, Outcome
from raftlab.raft.log import Command, LogEntry
from raftlab.raft.vocabulary import Index, Millis, Term
from raftlab.sim.cluster import Cluster
from raftlab.sim.run.recording import Recording, recording_of_run
from raftlab.sim.world.action import Action
from raftlab.sim.world.actions import Propose, Read
from raftlab.sim.world.application import (
    DELETE,
    NUMBERED,
    OPEN_OR_CLOSE,
    KeyValue,
    is_whole,
    is_word,
    parts,
)
from raftlab.sim.world.host import Reading
from raftlab.sim.world.past import past_entry


def history_of(run: Cluster | Recording) -> History:
    """What the clients of `run` asked and were told, for `check`; times in ms of virtual time.

    * A numbered command of a client with a session is one operation, from the first time
      it was sent until a living node had executed it, however often it was sent. If the
      client's session was opened or closed in between, it is another operation; only the
      one whose entry was executed is answered.
    * A command without a number (`cluster.propose`) is an operation of the client "at S1"
      if S1 was asked; it is answered when a living node has applied its entry.
    * A read (`cluster.read`) is an operation of the client "at S1" too. One that failed
      or still waits had no effect, and is left out.
    * What is not answered is unknown, as is what stood in the logs before the run began.
    * A run is a sequence of actions, also at one instant: what was asked in a later action
      than that of an answer comes after it. If both have the same time, what was asked is
      given the next number after it (`math.nextafter`), some 1e-13 ms later; no two things
      change places by that. What is asked and answered in one action is concurrent.

    Raises: Misuse, if `run` is neither a cluster nor a recording.
    Paper: 8 ("linearizable semantics"). Thesis: 6.3, 6.4.
    """
    recording = recording_of_run(run)
    listener = _Listener(recording.start())
    for action in recording.actions:
        listener.hear(action)
    return listener.history()


class _Asked:
    """A command on its way: what it is, since when, and what came of it."""

    __slots__ = ("answered", "client", "command", "result", "serial", "since")

    def __init__(self, client: str, serial: int, command: str, since: Millis) -> None:
        self.client = client
        self.serial = serial
        self.command = command
        self.since = since
        self.answered: Millis | None = None
        self.result: str | None = None

    def operation(self) -> Operation | None:
        """As it stands in a history; None for a command that can change nothing."""
        said = call_of(self.command)
        if said is None:
            return None
        outcome = Outcome.UNKNOWN if self.answered is None else Outcome.ACKNOWLEDGED
        call, key, argument = said
        return Operation(
            self.client, call, key, argument, self.result, self.since, self.answered, outcome
        )


class _Hearing:
    """An application that tells what each entry did, and is otherwise the one it was."""

    def __init__(self, application: KeyValue, done: "list[tuple[LogEntry, str]]") -> None:
        self._application = application
        self._done = done

    def __getattr__(self, name: str) -> Any:
        return getattr(self._application, name)

    def apply(self, entry: LogEntry) -> str:
        """Obey an entry, and note it unless it is a numbered command that is not executed."""
        is_new = self._is_new(entry)
        told = self._application.apply(entry)
        if is_new:
            self._done.append((entry, told))
        return told

    def _is_new(self, entry: LogEntry) -> bool:
        numbered = NUMBERED.fullmatch(text_of(entry))
        if numbered is None:
            return True
        last = self._application.sessions.get(numbered[1])
        return last is not None and last < int(numbered[2])


def text_of(entry: LogEntry) -> str:
    """The command in an entry; "" if there is none."""
    payload = entry.payload
    return payload.data.decode("utf-8", "replace") if isinstance(payload, Command) else ""


class _Clock:
    """Times at which what was asked in a later action than an answer comes after it."""

    __slots__ = ("_answered", "_now")

    def __init__(self) -> None:
        self._now: Millis = 0.0
        self._answered: Millis = -inf

    def asked(self, now: Millis) -> Millis:
        """The time of what is asked; all answers so far belong to earlier actions."""
        self._now = max(self._now, now)
        if self._answered >= self._now:
            self._now = nextafter(self._answered, inf)
        return self._now

    def answered(self, now: Millis) -> Millis:
        """The time of what is answered."""
        self._now = self._answered = max(self._now, now)
        return self._now


class _Listener:
    """Plays a run again and listens to what its clients ask and hear."""

    def __init__(self, cluster: Cluster) -> None:
        self.cluster = cluster
        self.clock = _Clock()
        self.asked: list[_Asked | Reading] = []
        self.since: dict[int, Millis] = {}
        self.done_at: dict[int, Millis] = {}
        self.reading: list[Reading] = []
        self.numbered: dict[tuple[str, int, int], _Asked] = {}
        self.openings: dict[str, int] = {}
        self.entries: dict[tuple[Index, Term, str], _Asked] = {}
        self.done: list[tuple[LogEntry, str]] = []
        for index, term in self._past():
            command = text_of(past_entry(index, term))
            self.asked.append(_Asked("before", 0, command, 0.0))
        self._listen()

    def _past(self) -> list[tuple[Index, Term]]:
        logs = self.cluster.setup.logs
        return sorted({each for _, terms in logs for each in enumerate(terms, start=1)})

    def hear(self, action: Action) -> None:
        """Let one action happen, and note what it tells the clients."""
        self.cluster.engine.apply_quietly(action)
        if isinstance(action, Read):
            reading = self.cluster.engine.world.readings[-1]
            self.since[id(reading)] = self.clock.asked(reading.since)
            self.asked.append(reading)
            self.reading.append(reading)
        if isinstance(action, Propose):
            self._propose(action)
        self._listen()

    def _propose(self, action: Propose) -> None:
        text = action.data.decode("utf-8", "replace")
        if found := OPEN_OR_CLOSE.fullmatch(text):
            self.openings[found[2]] = self.openings.get(found[2], 0) + 1
            return
        log = self.cluster.hosts[action.node].machine.log
        asked = self._operation(action, text)
        self.entries.setdefault((log.last_index, log.last_term, text), asked)

    def _operation(self, action: Propose, text: str) -> _Asked:
        """The operation that a command belongs to: a new one, unless it is sent again.

        A session that is begun again forgets its numbers: they may be used once more.
        """
        numbered = NUMBERED.fullmatch(text)
        if numbered is None:
            asked = _Asked(f"at {action.node}", 0, text, self.clock.asked(action.at))
        else:
            client, serial, command = numbered[1], int(numbered[2]), numbered[3]
            here = client, self.openings.get(client, 0), serial
            before = self.numbered.get(here)
            if before is not None and before.command == command:
                return before
            asked = _Asked(client, serial, command, self.clock.asked(action.at))
            self.numbered[here] = asked
        self.asked.append(asked)
        return asked

    def _listen(self) -> None:
        """Note what has been answered by now."""
        for reading in self.reading:
            if reading.is_done:
                self.done_at[id(reading)] = self.clock.answered(self.cluster.now)
        self.reading = [r for r in self.reading if not (r.is_done or r.has_failed)]
        for entry, told in self.done:
            self._answer(entry, told)
        self.done.clear()
        for host in self.cluster.hosts.values():
            if not isinstance(host.application, _Hearing):  # it began anew
                host.application = cast(KeyValue, _Hearing(host.application, self.done))

    def _answer(self, entry: LogEntry, told: str) -> None:
        asked = self.entries.get((entry.index, entry.term, text_of(entry)))
        if asked is not None and asked.answered is None:
            asked.answered = self.clock.answered(self.cluster.now)
            asked.result = told if asked.serial else None

    def history(self) -> History:
        """All that was asked, in the order in which it was."""
        found = []
        for asked in self.asked:
            operation = asked.operation() if isinstance(asked, _Asked) else self._read(asked)
            if operation is not None:
                found.append(operation)
        return History(found)

    def _read(self, reading: Reading) -> Operation | None:
        end = self.done_at.get(id(reading))
        if end is None:
            return None
        who = f"at {reading.node}"
        since = self.since[id(reading)]
        return Operation(who, "read", reading.key, None, reading.value, since, end)


def call_of(command: str) -> tuple[str, str, str | None] | None:
    """The call, the key and the argument of a command's text; None if it changes nothing."""
    if "+=" in command:
        key, amount = parts(command, "+=")
        if is_word(key) and is_whole(amount):
            return "add", key, amount
    if "=" in command:
        key, value = parts(command, "=")
        if is_word(key):
            return "write", key, value
    if found := DELETE.fullmatch(command):
        return "delete", found[1], None
    return None

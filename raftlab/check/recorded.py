"""What the clients of a simulated cluster saw, as a history.

A run is a value, and so is what its clients saw of it: the recording is played again,
and every command, retry, read and answer in it is noted with its time.
"""

from raftlab.check.history import History, Operation, Outcome
from raftlab.raft.log import Command
from raftlab.raft.vocabulary import Index, Millis, NodeId, Term
from raftlab.sim.actions import Action, Propose, Read
from raftlab.sim.cluster import Cluster
from raftlab.sim.host import Host, Reading, past_entry
from raftlab.sim.key_value import DELETE, NUMBERED, OPEN_OR_CLOSE, is_whole, is_word, parts
from raftlab.sim.recording import Recording


def history_of(run: Cluster | Recording) -> History:
    """What the clients of `run` asked and were told, for `check`; times in ms of virtual time.

    * A numbered command of a client with a session is one operation, from the first time
      it was sent until a living node had executed it, however often it was sent.
    * A command without a number (`cluster.propose`) is an operation of the client "at S1"
      if S1 was asked; it is answered when a living node has applied its entry.
    * A read (`cluster.read`) is an operation of the client "at S1" too. One that failed
      or still waits had no effect, and is left out.
    * What is not answered is unknown, as is what stood in the logs before the run began.

    Paper: 8 ("linearizable semantics"). Thesis: 6.3, 6.4.
    """
    recording = run.recording if isinstance(run, Cluster) else run
    listener = _Listener(recording.start())
    for action in recording.actions:
        listener.hear(action)
    return listener.history()


class _Asked:
    """A command on its way: what it is, since when, and at what entries it may stand."""

    __slots__ = ("answered", "client", "command", "entries", "result", "serial", "since")

    def __init__(self, client: str, serial: int, command: str, since: Millis) -> None:
        self.client = client
        self.serial = serial
        self.command = command
        self.since = since
        self.entries: set[tuple[Index, Term]] = set()
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


class _Listener:
    """Plays a run again and listens to what its clients ask and hear."""

    def __init__(self, cluster: Cluster) -> None:
        self.cluster = cluster
        self.asked: list[_Asked | Reading] = []
        self.done_at: dict[int, Millis] = {}
        self.waiting: list[_Asked] = []
        self.reading: list[Reading] = []
        self.numbered: dict[tuple[str, int, int], _Asked] = {}
        self.begun_anew: dict[str, int] = {}
        self.applied: dict[NodeId, Index] = {}
        for index, term in self._past():
            entry = past_entry(index, term).payload
            assert isinstance(entry, Command)
            self.asked.append(_Asked("before", 0, entry.data.decode(), 0.0))

    def _past(self) -> list[tuple[Index, Term]]:
        logs = self.cluster.setup.logs
        return sorted({each for _, terms in logs for each in enumerate(terms, start=1)})

    def hear(self, action: Action) -> None:
        """Let one action happen, and note what it tells the clients."""
        self.cluster.apply_quietly(action)
        if isinstance(action, Read):
            self.asked.append(self.cluster._asked[-1])
            self.reading.append(self.cluster._asked[-1])
        if isinstance(action, Propose):
            self._propose(action)
        self._listen()

    def _propose(self, action: Propose) -> None:
        text = action.data.decode("utf-8", "replace")
        if found := OPEN_OR_CLOSE.fullmatch(text):
            self._open_or_close(found[2])
            return
        if numbered := NUMBERED.fullmatch(text):
            client, serial, command = numbered[1], int(numbered[2]), numbered[3]
            session = self.begun_anew.get(client, 0)
            before = self.numbered.get((client, session, serial))
            if before is not None and before.command == command:
                return  # a retry
            asked = _Asked(client, serial, command, action.at)
            self.numbered[client, session, serial] = asked
        else:
            asked = _Asked(f"at {action.node}", 0, text, action.at)
            log = self.cluster.hosts[action.node].machine.log
            asked.entries.add((log.last_index, log.last_term))
        self.asked.append(asked)
        self.waiting.append(asked)

    def _open_or_close(self, client: str) -> None:
        """A session that is begun again forgets its numbers: they may be used once more."""
        if any(client == known for known, _, _ in self.numbered):
            self.begun_anew[client] = self.begun_anew.get(client, 0) + 1

    def _listen(self) -> None:
        """Note what has been answered by now."""
        if self.reading:
            for reading in self.reading:
                if reading.is_done:
                    self.done_at[id(reading)] = self.cluster.now
            self.reading = [r for r in self.reading if not (r.is_done or r.has_failed)]
        if not self.waiting:
            return
        for host in self.cluster.hosts.values():
            if host.alive and host.applied_index != self.applied.get(host.node):
                self.applied[host.node] = host.applied_index
                for asked in self.waiting:
                    if asked.answered is None:
                        self._answer(asked, host)
        self.waiting = [asked for asked in self.waiting if asked.answered is None]

    def _answer(self, asked: _Asked, host: Host) -> None:
        if asked.serial:
            if asked.client in self.begun_anew:
                return  # whose number it is cannot be told
            if host.application.sessions.get(asked.client) == asked.serial:
                asked.result = host.application.result_of(asked.client)
                asked.answered = self.cluster.now
            return
        log = host.machine.log
        for index, term in asked.entries:
            if index <= host.applied_index and log.term_for_index(index) == term:
                asked.answered = self.cluster.now

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
        return Operation(who, "read", reading.key, None, reading.value, reading.since, end)


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

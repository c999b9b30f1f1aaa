"""Clients that number their commands, so that a retry is executed once. Paper: 8. Thesis: 6.3."""

from raftlab.raft.vocabulary import Index, Misuse, NodeId, NotNow, shown
from raftlab.sim.commands.client_commands import ClientCommands


class Client:
    """A client of a cluster, with a session of its own in the replicated application.

        client = cluster.client("c1")
        cluster.run(100)
        client.send("x+=1")
        cluster.run(100)
        client.answer                    # -> "1"
        client.retry()                   # no answer came? the same number again: still 1

    `serial` is the number of its last command, 0 before the first. A client has one command
    under way at a time. Everything it does stands in the log, as text: `open c1`, `c1#1 x+=1`.
    """

    __slots__ = ("_cluster", "_command", "_index", "name", "serial")

    def __init__(self, cluster: ClientCommands, name: str) -> None:
        self._cluster = cluster
        self.name = name
        self.serial = 0
        self._command = f"open {name}"
        self._index: Index = 0

    def send(self, command: str, to: NodeId | None = None) -> Index:
        """Hand a new command to the leader, or to `to`; returns its index in the log.

        Raises: NotNow, while the last command is not answered; Misuse, if the session has expired;
        what `Cluster.propose` raises. The number is then not used up.
        """
        if self.has_expired:
            raise Misuse(f"the session of {self.name} has expired: begin one under another name")
        if self.answer is None:
            raise NotNow(f"{shown(self._command)} is not answered yet: run on, or retry it")
        numbered = f"{self.name}#{self.serial + 1} {command}"
        index = self._cluster.propose(numbered, to)
        self.serial += 1
        self._command, self._index = numbered, index
        return index

    def retry(self, to: NodeId | None = None) -> Index:
        """Hand over the last command again, under its old number: the client saw no answer."""
        self._index = self._cluster.propose(self._command, to)
        return self._index

    @property
    def answer(self) -> str | None:
        """What the last command gave, as soon as a living node has executed it; else None."""
        for host in self._cluster.hosts.values():
            if host.alive and host.application.sessions.get(self.name) == self.serial:
                return host.application.result_of(self.name)
        return None

    @property
    def has_expired(self) -> bool:
        """Whether its session was ended by too many others: its commands are refused."""
        hosts = [host for host in self._cluster.hosts.values() if host.alive]
        return any(
            host.applied_index >= self._index and self.name not in host.application.sessions
            for host in hosts
        )

    def __repr__(self) -> str:
        return f"<Client {self.name}: {self._command!r}, answer {self.answer!r}>"


def checked_name(name: str) -> str:
    """A client's name: letters, digits and _. Raises: Misuse, for anything else."""
    if not (isinstance(name, str) and name.replace("_", "a").isalnum()):
        raise Misuse(f"a client's name is made of letters, digits and _, not {shown(name)}")
    return name

"""`Process`: a command whose processes are machines."""

import shlex
from collections.abc import Sequence
from functools import lru_cache
from typing import Any

from raftlab.process.limits import LONGEST_LINE, MEMORY_MB, PATIENCE_S
from raftlab.process.machine import ProcessMachine
from raftlab.process.pool import Pool, files_of
from raftlab.process.run_machines import Machines
from raftlab.process.tape import place_with
from raftlab.raft.options import is_count, is_number
from raftlab.raft.vocabulary import Misuse, NodeId, shown
from raftlab.sim.run.tape import Memory, Said


class Process:
    """Machines in a process of their own, in any language, for `machine=` of a cluster.

        Cluster(3, machine=rl.Process("node my_raft.js"))

    `command` is a program and its arguments, as one text or as a list; no shell reads it. Each
    node has a process for itself, or all have one (`shared`). A process says one line for each line
    that it is told, as `docs/machine-protocol.md` says, within `patience_s` seconds, in at most
    `longest_line` bytes, and holds at most `memory_mb` megabytes, where the system tells (Linux):
    what does not keep to that is a `MachineFault`.

    A run keeps what its machines said: it is played again without them. So it is with what is
    shared and saved; `load` takes `machine=` to go on from there.

    Raises: Misuse, for what is no command.
    """

    def __init__(
        self,
        command: str | Sequence[str],
        *,
        shared: bool = False,
        patience_s: float = PATIENCE_S,
        longest_line: int = LONGEST_LINE,
        memory_mb: int = MEMORY_MB,
    ) -> None:
        self.command = words_of(command)
        if not isinstance(shared, bool):
            raise Misuse(f"shared is True or False, not {shown(shared)}")
        if not (is_number(patience_s) and 0 < patience_s <= 3600):
            raise Misuse(f"patience_s is a time of up to 3,600 s, not {shown(patience_s)}")
        for name, value in (("longest_line", longest_line), ("memory_mb", memory_mb)):
            if not is_count(value, 1):
                raise Misuse(f"{name} is a whole number from 1, not {shown(value)}")
        self._given: dict[str, Any] = {
            "shared": shared,
            "patience_s": patience_s,
            "longest_line": longest_line,
            "memory_mb": memory_mb,
        }
        self.pool = Pool(self.command, **self._given)

    @property
    def text(self) -> str:
        """The command as somebody would type it."""
        return shlex.join(self.command)

    def files(self) -> list[bytes]:
        """What stands in the files that the command names: another text, another machine."""
        return [path.read_bytes() for path in files_of(self.command)]

    def __repr__(self) -> str:
        return f"Process({self.text!r})"

    def __reduce__(self) -> tuple[Any, ...]:
        return sent, (self.command, tuple(self._given.items()))

    def for_a_run(self) -> "Machines":
        """What makes the machines of a run, with an empty tape."""
        return Machines(self.text, self)

    @classmethod
    def that_said(cls, text: str, said: Said, process: "Process | Machines | None") -> "Machines":
        """What stands for the processes of a run by what they `said`; with `process`, it goes on.

        Without it nothing is started.
        """
        behind = process.process if isinstance(process, Machines) else process
        made = Machines(text if behind is None else behind.text, behind)
        made.remember(said)
        return made

    @classmethod
    def that_remembers(cls, text: str, memory: Memory) -> "Machines":
        """What stands for the processes of runs by their whole tape. Raises: Misuse."""
        made = Machines(text, None)
        made.root = place_with(memory)
        return made

    def __call__(self, node_id: NodeId, **given: Any) -> ProcessMachine:
        """A machine, started from what its disk holds. Raises: CannotStart."""
        return self.for_a_run()(node_id, **given)

    def afresh(self) -> "Machines":
        """The same with processes that nobody has asked yet, and an empty tape."""
        return Process(self.command, **self._given).for_a_run()

    def end(self) -> None:
        """End the processes that live. They are started again when they are needed."""
        self.pool.end()


@lru_cache(maxsize=8)
def sent(command: tuple[str, ...], given: tuple[tuple[str, Any], ...]) -> Process:
    """One that was sent here: the same each time, so that what lives goes on from task to task."""
    return Process(command, **dict(given))


def words_of(command: object) -> tuple[str, ...]:
    """A command as a program and its arguments. Raises: Misuse."""
    if isinstance(command, str):
        try:
            words = tuple(shlex.split(command))
        except ValueError as error:
            raise Misuse(f"{shown(command)} is no command: {error}") from None
    elif isinstance(command, Sequence) and all(isinstance(each, str) for each in command):
        words = tuple(command)
    else:
        raise Misuse(f'a command is like "node my_raft.js", not {shown(command)}')
    if not words or not words[0].strip() or any("\0" in word for word in words):
        raise Misuse(f'a command is like "node my_raft.js", not {shown(command)}')
    return words

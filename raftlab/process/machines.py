"""What makes machines of a process: the process itself, and the tape of one family of runs."""

import copy
import shlex
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

from raftlab.process.again import AskedAgain, asked_again
from raftlab.process.faults import CannotStart, MachineFault, kind_named
from raftlab.process.forms import entry_of
from raftlab.process.limits import LONGEST_LINE, MEMORY_MB, PATIENCE_S
from raftlab.process.machine import ProcessMachine
from raftlab.process.pool import Pool, files_of
from raftlab.process.source import Asking
from raftlab.process.tape import Place, memory_after, place_with
from raftlab.process.wire import EntryLine
from raftlab.raft.log import LogEntry
from raftlab.raft.options import is_count, is_number
from raftlab.raft.vocabulary import Misuse, NodeId, NotNow, shown
from raftlab.sim.run.tape import Fault, Memory, Said
from raftlab.sim.world.action import Action
from raftlab.sim.world.arguments import machine_of

if TYPE_CHECKING:
    from raftlab.sim.run.recording import Recording


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
        return _process, (self.command, self._given)

    def for_a_run(self) -> "Machines":
        """What makes the machines of a run, with an empty tape."""
        return Machines(self.text, self)

    @classmethod
    def that_said(cls, text: str, said: Said, process: "Process | Machines | None") -> "Machines":
        """What stands for the processes of a run by what they `said`; with `process`, it goes on.

        Without it nothing is started.
        """
        if isinstance(process, Machines):
            process = process.process
        made = Machines(text if process is None else process.text, process)
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
        return _process(self.command, self._given).for_a_run()

    def end(self) -> None:
        """End the processes that live. They are started again when they are needed."""
        self.pool.end()


def _process(command: tuple[str, ...], given: dict[str, Any]) -> Process:
    return Process(command, **given)


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


class Machines:
    """What makes the machines of one run; with all that is made of that, it shares a tape.

    `process` may be None: then only what is on the tape can happen. `root` is where every machine
    is started; `started` are the nodes whose words are noted, in the order of their starts.
    Where a fault came first and an answer later, the fault counts for the runs that ended with it.
    """

    def __init__(self, text: str, process: Process | None) -> None:
        self.text = text
        self.process = process
        self.root = Place()
        self._entries: dict[EntryLine, LogEntry] = {}
        self._noted: Said | None = None
        self.started: list[NodeId] = []
        self._starts: deque[list[str | Fault]] = deque()
        self._coming: dict[Place, Iterator[str | Fault]] = {}
        self.asked_anew: set[tuple[Place, bytes]] = set()
        self._is_played = False

    @property
    def machine_name(self) -> str:
        """What a setup calls them."""
        return f"{Process.__module__}:{Process.__qualname__} {self.text}"

    def __repr__(self) -> str:
        return f"Process({self.text!r})"

    def for_a_run(self) -> "Machines":
        """Those of another run, with the same tape."""
        twin = copy.copy(self)
        vars(twin).update(asked_anew=self.asked_anew.copy())
        return twin

    def __deepcopy__(self, known: dict[int, Any]) -> "Machines":
        known[id(self)] = twin = self.for_a_run()
        return twin

    def __call__(self, node_id: NodeId, **given: Any) -> ProcessMachine:
        """A machine, started from what its disk holds. Raises: CannotStart."""
        try:
            return ProcessMachine(node_id, machines=self, **given)
        except MachineFault as fault:
            raise CannotStart(fault.kind, f"{node_id} cannot start: {fault.text}") from fault

    # What goes along with a run

    def noting(self) -> "Machines":
        """Another one with the same memory, whose machines' words are noted for `said`."""
        twin = self.for_a_run()
        vars(twin).update(_noted=[], started=[])
        return twin

    @property
    def said(self) -> Said:
        """What its machines said since it is `noting`, one list for each start."""
        return self._noted or []

    def memory(self) -> Memory:
        """All that its machines said, in this run and in those that left it."""
        return memory_after(self.root, self.asked_anew)

    def remembers_as(self, other: object) -> bool:
        """Whether another one has the same memory: what one keeps stands for both."""
        return (
            isinstance(other, Machines)
            and self.root is other.root
            and self.asked_anew == other.asked_anew
        )

    def heard(self, node: NodeId) -> list[str | Fault] | None:
        """Where a machine that is started now notes what it says; None, if nobody wants it."""
        if self._noted is None:
            return None
        self._noted.append([])
        self.started.append(node)
        return self._noted[-1]

    def remember(self, said: Said) -> None:
        """What is asked next was answered so: the first course of a run that was opened."""
        self._starts.clear()
        self._starts.extend(said)

    def read_out(self) -> None:
        """That course is over: what was said in it is on the tape."""
        self.remember([])
        self._coming.clear()

    def _remembered(self, before: Place, line: bytes) -> Place | None:
        """What was said to a line, as a run that is opened tells it; None, if it does not."""
        if before is self.root:
            coming = iter(self._starts.popleft() if self._starts else ())
        else:
            coming = self._coming.pop(before, iter(()))
        if (word := next(coming, None)) is None:
            return None
        if isinstance(word, str):
            place = before.add(line, word.encode())
            self._coming[place] = coming
            return place
        kind, text = word
        return before.add_fault(line, MachineFault(kind_named(kind), text))

    def ask_again(self, recording: "Recording", machine: Any = None) -> AskedAgain:
        """Ask the process anew, or `machine`, all that it was asked in a run. Raises: Misuse."""
        process = self.process if machine is None else machine_of(machine)
        if not isinstance(process, Process):
            raise Misuse(
                "this run has what its machine said, and no machine: say which process is to be"
                " asked, as ask_again(rl.Process(…))"
            )
        asked = process.afresh()
        try:
            return asked_again(recording, self.noting(), asked.noting())
        finally:
            asked.end()

    # Asking

    def from_memory(self, happen: Callable[[Action], Any]) -> Callable[[Action], Any]:
        """The same as `happen`, of a run that is played: a fault that came in it comes again."""

        def happen_again(action: Action) -> Any:
            self._is_played = True
            try:
                return happen(action)
            finally:
                self._is_played = False

        return happen_again

    def known(self, before: Place, line: bytes) -> Place | None:
        """The place to which a line leads, if that is on the tape.

        Where no answer came, whoever goes on asks again: the cause may be gone.
        """
        place, fault = before.after(line), before.fault_after(line)
        if fault is None or (before, line) in self.asked_anew:
            return place
        if self._is_played or self.process is None:
            return fault
        self.asked_anew.add((before, line))
        return place

    def ask(self, machine: Asking, line: bytes) -> Place:
        """The place to which a line leads that is not on the tape: the process is asked.

        Raises: NotNow, if there is none.
        """
        before = machine.place
        if (known := self._remembered(before, line)) is not None:
            return known
        if self.process is None:
            raise NotNow(
                f"Nobody knows what {self.text} says now: this run has what it said, and no more."
                " Hand the machine over to go on, as machine=rl.Process(…)."
            )
        pool = self.process.pool
        try:
            said = pool.ask(before, line, machine.node_id, machine)
        except MachineFault as fault:
            self.asked_anew.discard((before, line))
            return before.add_fault(line, fault)
        return before.add(line, said)

    def moved(self, before: Place, after: Place) -> None:
        """The machine at the place `before` has gone on, by something new that it said."""
        if self.process is not None:
            self.process.pool.moved(before, after)

    def end(self) -> None:
        """End the processes that live."""
        if self.process is not None:
            self.process.end()

    def give_up(self, *places: Place) -> None:
        """The machine at one of these places has said what it cannot say: end its process."""
        if self.process is not None:
            for place in places:
                self.process.pool.end_at(place)

    def entry_of(self, line: EntryLine) -> LogEntry:
        """An entry from a line; of equal ones there is one, so that it is soon compared."""
        entry = self._entries.get(line)
        if entry is None:
            entry = self._entries[line] = entry_of(line)
        return entry

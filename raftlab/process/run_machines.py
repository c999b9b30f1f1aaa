"""What makes the machines of one run: a tape of what they said, and perhaps a process behind it."""

import copy
from collections import deque
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, Protocol

from raftlab.process.again import AskedAgain, asked_again
from raftlab.process.faults import CannotStart, MachineFault, kind_named
from raftlab.process.forms import entry_of
from raftlab.process.machine import ProcessMachine
from raftlab.process.pool import Pool
from raftlab.process.tape import Place, memory_after
from raftlab.process.wire import EntryLine
from raftlab.raft.log import LogEntry
from raftlab.raft.node import NodeCore
from raftlab.raft.vocabulary import Misuse, NodeId, NotNow
from raftlab.sim.run.tape import Fault, Memory, Said
from raftlab.sim.world.action import Action
from raftlab.sim.world.arguments import machine_of

if TYPE_CHECKING:
    from raftlab.sim.run.recording import Recording

NAME = "raftlab.process.machines:Process"
"""The class that a run is said to be made with: it stands in texts and files."""


class Command(Protocol):
    """A command, and the processes of it that live."""

    pool: Pool

    @property
    def text(self) -> str:
        """The command as somebody would type it."""

    def end(self) -> None:
        """End the processes that live."""


class Machines:
    """What makes the machines of one run; with all that is made of that, it shares a tape.

    `root` is the tape: the place where every machine is started. What a machine is asked it is
    asked here (`ask`); the answer comes from the run that is being opened, as long as that is read
    onto the tape (from `remember` to `read_out`), and else from the `process`, which may be None:
    then only what is on the tape can happen. One that is `noting` also notes what its machines
    said; `started` are their nodes, in the order of their starts.
    Where a fault came first and an answer later, the fault counts for the runs that ended with it.
    """

    def __init__(self, text: str, process: Command | None) -> None:
        self.text = text
        self.process = process
        self.root = Place()
        self._entries: dict[EntryLine, LogEntry] = {}
        self._noted: Said | None = None
        self.started: list[NodeId] = []
        # What the run that is being opened tells: of each start, and after each place on the tape.
        self._starts: deque[list[str | Fault]] = deque()
        self._coming: dict[Place, Iterator[str | Fault]] = {}
        self.asked_anew: set[tuple[Place, bytes]] = set()
        self._is_played = False

    @property
    def machine_name(self) -> str:
        """What a setup calls them."""
        return f"{NAME} {self.text}"

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
        begin: Callable[[], Machines] | None = getattr(process, "afresh", None)
        if begin is None:
            raise Misuse(
                "this run has what its machine said, and no machine: say which process is to be"
                " asked, as ask_again(rl.Process(…))"
            )
        asked = begin()
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

    def ask(self, before: Place, line: bytes, machine: NodeCore) -> Place:
        """The place to which a line leads that is not on the tape: the process is asked.

        Raises: NotNow, if there is none.
        """
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

"""Processes of a submitted program, each in a box, within bounds that no right program reaches."""

from pathlib import Path
from typing import Any

from raftlab.grading.box import Boxes, boxed
from raftlab.grading.folder import write_for_program
from raftlab.grading.waited import Waited
from raftlab.process.child import Child
from raftlab.process.faults import MachineFault
from raftlab.process.machine import ABILITIES, ProcessMachine
from raftlab.process.machines import Process
from raftlab.process.pool import Pool, version_of
from raftlab.process.run_machines import Machines
from raftlab.process.tape import Place
from raftlab.raft.vocabulary import NodeId

FILE = "machine.py"
TEXT = f"python3 {FILE}"
"""What a shared run calls the machine: nothing of the grader's own files."""
PATIENCE_S = 5.0
MOST_LINES = 20_000
"""How many lines a run may have: one in which time stands still would have no end."""
LONGEST_LINE = 1 << 20
MOST_BYTES = 16 << 20
"""How many bytes a run's processes may say in all: all of it is kept."""
MEMORY_MB = 512
ENDLESS = f"a run does not come to an end: {MOST_LINES:,} lines, and time hardly passes"
TOO_MUCH = f"it says more than {MOST_BYTES:,} bytes in a run"
TOO_LONG = "all in all its answers take too long"


class BoxedPool(Pool):
    """Processes, and a bound on what they are asked in a run, and on the time of all runs."""

    lines = 0
    said = 0
    is_fresh = False
    """Whether a process is never told to start a second time."""

    def __init__(self, *given: Any, waited: Waited, **named: Any) -> None:
        super().__init__(*given, **named)
        self._waited = waited

    def ask(self, place: Place, line: bytes, node: NodeId, holder: object) -> bytes:
        """As `Pool.ask`. Raises: MachineFault."""
        self.lines += 1
        if self.lines > MOST_LINES:
            raise MachineFault("storm", ENDLESS)
        if self._waited.is_over:
            raise MachineFault("hung", TOO_LONG)
        with self._waited.counted():
            answer = super().ask(place, line, node, holder)
        self.said += len(answer)
        if self.said > MOST_BYTES:
            raise MachineFault("storm", TOO_MUCH)
        return answer

    def _free(self, node: NodeId) -> Child:
        if not self.is_fresh:
            return super()._free(node)
        for standing in list(self._standing.values()):
            its = standing.holder()
            if its is None or its.place is not standing.place:
                self._end(standing.child)
        return self._started(version_of(self._command))


class AskedMachines(Machines):
    """The machines of a run that are asked for some of their `abilities`: the others they lack."""

    def __init__(self, process: Process, abilities: frozenset[str]) -> None:
        super().__init__(TEXT, process)
        self._spared = ABILITIES - abilities

    def __call__(self, node_id: NodeId, **given: Any) -> ProcessMachine:
        """A machine, started from what its disk holds. Raises: CannotStart."""
        made = super().__call__(node_id, **given)
        made.do_without(self._spared)
        return made


class BoxedProcess(Process):
    """The machine of a submission. Its program and what limits it are written into `folder`.

    `waited` is what bounds it, and all other boxes of the same program. Of what it offers, it is
    asked for these `abilities` alone: what else has been begun in it costs it nothing.
    """

    def __init__(
        self,
        source: str,
        boxes: Boxes,
        folder: Path,
        waited: Waited,
        abilities: frozenset[str] = ABILITIES,
    ) -> None:
        folder.mkdir()
        (folder / FILE).write_text(source, encoding="utf-8", errors="backslashreplace")
        write_for_program(folder)
        words = ["-m", "raftlab.grading.child.program", boxes.kind, str(folder / FILE)]
        super().__init__(
            boxed(boxes.kind, (str(folder),), words),
            patience_s=PATIENCE_S,
            longest_line=LONGEST_LINE,
            memory_mb=MEMORY_MB,
        )
        self._waited = waited
        self._abilities = abilities
        self.pool = self.bounded = self._pool()

    def _pool(self) -> BoxedPool:
        return BoxedPool(self.command, waited=self._waited, **self._given)

    @property
    def text(self) -> str:
        """What a run calls the machine."""
        return TEXT

    def __reduce__(self) -> tuple[Any, ...]:
        raise TypeError("a boxed machine is asked where it was made")

    def another_run(self) -> None:
        """Another run begins: its lines, and what it says, are counted anew."""
        self.bounded.lines = self.bounded.said = 0

    def for_a_run(self) -> Machines:
        """What makes the machines of a run, with an empty tape."""
        return AskedMachines(self, self._abilities)

    def afresh(self) -> Machines:
        """The same, where every start has a process of its own: only its disk is what it knows."""
        twin = Process(self.command, **self._given)
        twin.pool = pool = self._pool()
        pool.is_fresh = True
        return AskedMachines(twin, self._abilities)

"""All runs of a lab as one text, and back: for a page that is closed, reloaded, or has crashed.

The runs are not played to be kept, as they are to be shared: it is done after every click.
"""

from base64 import b64decode, b64encode
from typing import TYPE_CHECKING, Any
from zlib import compress, decompress
from zlib import error as ZlibError

import msgspec

from raftlab.lab.branch import Branch, End
from raftlab.raft.vocabulary import Misuse
from raftlab.sim.resolve import machines_that_remember, recording_of
from raftlab.sim.run.digest import Known
from raftlab.sim.run.recording import Recording
from raftlab.sim.run.tape import Memory, TapedMachines, is_taped
from raftlab.sim.world.action import Action
from raftlab.sim.world.actions import any_kind
from raftlab.sim.world.host import MachineFactory
from raftlab.sim.world.settings import Setup

if TYPE_CHECKING:
    from raftlab.lab.lab import Lab


class SavedRun(msgspec.Struct, array_like=True, frozen=True):
    """A run, as `Recording.encode` tells it and zlib shortens it, and where it began and ended."""

    run: bytes
    known: Known
    parent: int | None
    start: int
    begun_as: str
    end: End
    tape: int | None = None


class SavedLab(msgspec.Struct, array_like=True):
    """Every run of a lab, which of them (from 1) is looked at, at which frame, and how.

    `tapes` have what machines said that are processes: a run names its own by its place.
    """

    runs: list[SavedRun]
    chosen: int
    frame: int
    full: bool
    speed: float
    tapes: list[bytes] = []


class EncodedRun(msgspec.Struct):
    """What `Recording.encode` tells."""

    setup: Setup
    actions: msgspec.Raw


class RunSaver:
    """Tells all runs of a lab as a text; one that has not changed is not told anew."""

    def __init__(self, lab: "Lab") -> None:
        self._lab = lab
        self._runs: dict[int, SavedRun] = {}
        self._machines: list[TapedMachines] = []
        self._tapes: list[bytes] = []

    def kept(self) -> str:
        """What `saved_lab_in` takes."""
        session, controls = self._lab.session, self._lab.controls
        before = list(self._runs.values())
        runs = [self._run(branch) for branch in session.branches]
        if runs != before:
            self._tapes = [_packed(each.memory()) for each in self._machines]
        told = SavedLab(
            runs,
            session.branch.number,
            session.position,
            controls.full_mode.value,
            controls.speed.value,
            self._tapes,
        )
        return b64encode(msgspec.msgpack.encode(told)).decode()

    def _run(self, branch: Branch) -> SavedRun:
        known = self._runs.get(branch.number)
        if known is None or known.end != branch.end:
            run = branch.recording
            told = compress(run.encode(), 1)
            began = branch.parent, branch.start, branch.begun_as
            known = SavedRun(told, run.known, *began, branch.end, self._tape(run))
            self._runs[branch.number] = known
        return known

    def _tape(self, run: Recording) -> int | None:
        """The place of the tape of a run; None, if its machines keep none."""
        machine = run.machine
        if not is_taped(machine):
            return None
        for place, each in enumerate(self._machines):
            if machine.remembers_as(each):
                return place
        self._machines.append(machine)
        return len(self._machines) - 1


def _packed(memory: Memory) -> bytes:
    return compress(msgspec.msgpack.encode(memory), 1)


def saved_lab_in(text: str) -> SavedLab:
    """What a text of `RunSaver.kept` says. Raises: Misuse, for any other text."""
    try:
        saved = msgspec.msgpack.decode(b64decode(text, validate=True), type=SavedLab)
    except (ValueError, msgspec.MsgspecError) as error:
        raise Misuse(f"What was kept cannot be read: {error}.") from None
    if not 1 <= saved.chosen <= len(saved.runs):
        raise Misuse(f"What was kept has no run {saved.chosen}.")
    if not {each.tape for each in saved.runs} <= {None, *range(len(saved.tapes))}:
        raise Misuse("What was kept has not all that its machines said.")
    return saved


def branches_of(kept: SavedLab) -> list[Branch]:
    """The runs that were kept; none is played yet. Raises: Misuse, where one cannot be read."""
    tapes = Tapes(kept.tapes)
    return [
        Branch.of(
            number, recording_in(each, tapes), each.parent, each.start, each.begun_as, each.end
        )
        for number, each in enumerate(kept.runs, start=1)
    ]


class Tapes:
    """What stands for the machines of the runs that were kept: one for all runs of a tape."""

    def __init__(self, packed: list[bytes]) -> None:
        self._packed = packed
        self._made: dict[int, MachineFactory] = {}

    def machines(self, setup: Setup, place: int) -> MachineFactory:
        """Those of the tape at a place, which a setup names. Raises: Misuse."""
        if place not in self._made:
            memory = msgspec.msgpack.decode(decompress(self._packed[place]), type=Memory)
            self._made[place] = machines_that_remember(setup.machine, memory)
        return self._made[place]


def recording_in(saved: SavedRun, tapes: Tapes) -> Recording:
    """The run as a value. Raises: Misuse, where it cannot be read."""
    try:
        told = msgspec.json.decode(decompress(saved.run), type=EncodedRun)
        kind: Any = any_kind()  # of the actions that there are now
        actions: list[Action] = msgspec.json.decode(told.actions, type=list[kind])
        machine = None if saved.tape is None else tapes.machines(told.setup, saved.tape)
        recording = recording_of(told.setup, tuple(actions), machine=machine)
        return recording.knowing(saved.known)
    except (ZlibError, msgspec.MsgspecError) as error:
        raise Misuse(f"What was kept of a run cannot be read: {error}.") from None

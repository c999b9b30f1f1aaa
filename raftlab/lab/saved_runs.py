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
from raftlab.sim.resolve import recording_of
from raftlab.sim.run.digest import Known
from raftlab.sim.run.recording import Recording
from raftlab.sim.world.action import Action
from raftlab.sim.world.actions import any_kind
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


class SavedLab(msgspec.Struct, array_like=True):
    """Every run of a lab, which of them (from 1) is looked at, at which frame, and how."""

    runs: list[SavedRun]
    chosen: int
    frame: int
    full: bool
    speed: float


class EncodedRun(msgspec.Struct):
    """What `Recording.encode` tells."""

    setup: Setup
    actions: msgspec.Raw


class RunSaver:
    """Tells all runs of a lab as a text; one that has not changed is not told anew."""

    def __init__(self, lab: "Lab") -> None:
        self._lab = lab
        self._runs: dict[int, SavedRun] = {}

    def kept(self) -> str:
        """What `saved_lab_in` takes."""
        session, controls = self._lab.session, self._lab.controls
        told = SavedLab(
            [self._run(branch) for branch in session.branches],
            session.branch.number,
            session.position,
            controls.full_mode.value,
            controls.speed.value,
        )
        return b64encode(msgspec.msgpack.encode(told)).decode()

    def _run(self, branch: Branch) -> SavedRun:
        known = self._runs.get(branch.number)
        if known is None or known.end != branch.end:
            run = branch.recording
            told = compress(run.encode(), 1)
            began = branch.parent, branch.start, branch.begun_as
            known = SavedRun(told, run.known, *began, branch.end)
            self._runs[branch.number] = known
        return known


def saved_lab_in(text: str) -> SavedLab:
    """What a text of `RunSaver.kept` says. Raises: Misuse, for any other text."""
    try:
        saved = msgspec.msgpack.decode(b64decode(text, validate=True), type=SavedLab)
    except (ValueError, msgspec.MsgspecError) as error:
        raise Misuse(f"What was kept cannot be read: {error}.") from None
    if not 1 <= saved.chosen <= len(saved.runs):
        raise Misuse(f"What was kept has no run {saved.chosen}.")
    return saved


def branches_of(kept: SavedLab) -> list[Branch]:
    """The runs that were kept; none is played yet. Raises: Misuse, where one cannot be read."""
    return [
        Branch.of(number, recording_in(each), each.parent, each.start, each.begun_as, each.end)
        for number, each in enumerate(kept.runs, start=1)
    ]


def recording_in(saved: SavedRun) -> Recording:
    """The run as a value. Raises: Misuse, where it cannot be read."""
    try:
        told = msgspec.json.decode(decompress(saved.run), type=EncodedRun)
        kind: Any = any_kind()  # of the actions that there are now
        actions: list[Action] = msgspec.json.decode(told.actions, type=list[kind])
        return recording_of(told.setup, tuple(actions)).knowing(saved.known)
    except (ZlibError, msgspec.MsgspecError) as error:
        raise Misuse(f"What was kept of a run cannot be read: {error}.") from None

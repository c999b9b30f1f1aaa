"""Opening a run that somebody shared or saved."""

from os import PathLike
from os.path import exists
from pathlib import Path

from raftlab.raft.vocabulary import Misuse
from raftlab.sim import saving, sharing
from raftlab.sim.given import RulesGiven
from raftlab.sim.host import MachineFactory
from raftlab.sim.recording import Recording

LONGEST_NAME = 255


def load(
    source: str | PathLike[str], rules: RulesGiven = None, machine: MachineFactory | None = None
) -> Recording:
    """The run in a file of `Recording.save`, or behind a text of `Recording.share`.

        raftlab.load("raftlab.1.eNpr...").replay()

    `rules` and `machine` are the classes that the run was made with, where they are not
    raftlab's own. Raises: Misuse, saying what is wrong and where; OSError, if there is no file.
    """
    if not isinstance(source, str | PathLike):
        raise Misuse(f"a run is opened from a file's name or from a shared text, not {source!r}")
    if isinstance(source, str) and not exists(source):
        if sharing.is_shared(source):
            return sharing.opened(source, rules, machine)
        if len(source) > LONGEST_NAME or not source.isprintable():
            raise Misuse(
                f"{source[:20]!r}… is the name of no file, and no shared run: one begins with"
                f' "{sharing.MARK}.{sharing.VERSION}."'
            )
    return saving.load(Path(source), rules, machine)

"""Opening a run that somebody shared or saved."""

import re
from os import PathLike
from os.path import exists
from pathlib import Path

from raftlab.raft.vocabulary import Misuse, shown
from raftlab.sim.arguments import RulesGiven
from raftlab.sim.run import files, share
from raftlab.sim.run.recording import Recording
from raftlab.sim.world.host import MachineFactory

LONGEST_NAME = 255
MISTYPED = re.compile(r"[^/\\]{0,12}[.,:]\d+[.,:][\w-]{20,}|[\w.,:-]{80,}", re.ASCII)
"""What nobody calls a file: the beginning of a shared text, with a slip, and what follows it."""


def load(
    source: str | PathLike[str],
    rules: RulesGiven = None,
    machine: MachineFactory | None = None,
    *,
    most_steps: int = share.USUAL_STEPS,
) -> Recording:
    """The run in a file of `Recording.save`, or behind a text of `Recording.share`.

        raftlab.load("raftlab.1.eNpr...").replay()

    `rules` and `machine` are the classes that the run was made with, where they are not
    raftlab's own. A text is played when it is opened; one that stands for more than `most_steps`
    is refused, with their number, so that you can ask for them.

    Raises: Misuse, saying what is wrong and where, and, for a run that comes out differently
    here, from which frame on; OSError, if there is no file. What was made by a raftlab that
    kept no digests opens, and its `digest` is None.
    """
    if not isinstance(source, str | PathLike):
        raise Misuse(
            f"a run is opened from a file's name or from a shared text, not {shown(source)}"
        )
    if isinstance(source, str) and not exists(source):
        if share.is_shared(source):
            return share.opened(source, rules, machine, most_steps)
        if not _may_be_a_name(source):
            begin = f"{source[:20]!r}…" if len(source) > 20 else repr(source)
            raise Misuse(
                f"{begin} is the name of no file, and no shared run: one begins with"
                f' "{share.MARK}.{share.VERSION}."'
            )
    return files.load(Path(source), rules, machine)


def _may_be_a_name(source: str) -> bool:
    """Whether a text in which no run is, and which is no file here, can be meant as a file's."""
    if not source.strip() or not source.isprintable() or len(source) > LONGEST_NAME:
        return False
    return MISTYPED.fullmatch(source.strip()) is None

"""Opening a run that somebody shared or saved."""

import re
from os import PathLike
from os.path import exists
from pathlib import Path

from raftlab.raft.vocabulary import Misuse, shortened, shown
from raftlab.sim.resolve import ClassNeeded, recording_of
from raftlab.sim.run import files, share
from raftlab.sim.run.delta_encoding import coming
from raftlab.sim.run.digest import RunDiffers, unpacked
from raftlab.sim.run.play import play
from raftlab.sim.run.recording import Recording
from raftlab.sim.run.tape import read_out
from raftlab.sim.world.arguments import RulesGiven
from raftlab.sim.world.host import MachineFactory

LONGEST_NAME = 255
CANNOT_BE_PLAYED = "this run cannot be played here: "
MISTYPED = re.compile(r"[^/\\]{0,12}[.,:]\d+[.,:][\w-]{20,}|[\w.,:-]{80,}", re.ASCII)
"""What nobody calls a file: the beginning of a shared text, with a slip, and what follows it."""


def load(
    source: str | PathLike[str],
    rules: RulesGiven = None,
    machine: MachineFactory | None = None,
    *,
    most_steps: int = share.USUAL_STEPS,
) -> Recording:
    """The run in a file of `Recording.save`, or behind what `Recording.share` or `link` gave.

        raftlab.load("raftlab.1.eNpr...").replay()

    Any other text is the name of a file; `load_shared` takes none for that.

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
        if share.is_shared(share.text_in(source)):
            return opened(share.text_in(source), rules, machine, most_steps)
        if not _may_be_a_name(source):
            begin = f"{source[:20]!r}…" if len(source) > 20 else repr(source)
            raise Misuse(
                f"{begin} is the name of no file, and no shared run: one begins with"
                f' "{share.PREFIX}.{share.VERSION}."'
            )
    setup, actions, known, said = files.load(Path(source))
    try:
        recording = recording_of(setup, actions, rules, machine, said).knowing(known)
        return played_once(recording) if said else recording
    except ClassNeeded as needed:
        raise needed.at(f"{source}, line 1: ") from None
    except Misuse as error:
        raise Misuse(f"{source}, line 1: {error}") from None


def load_shared(
    text: str,
    rules: RulesGiven = None,
    machine: MachineFactory | None = None,
    *,
    most_steps: int = share.USUAL_STEPS,
) -> Recording:
    """The run behind a text of `Recording.share`, or a link with one; no file is looked for.

    For texts from elsewhere. The arguments are those of `load`.

    Raises: Misuse, saying what is wrong with the text.
    """
    if not isinstance(text, str):
        raise Misuse(f"a shared run is a text, not {shown(text)}")
    return opened(share.text_in(text.strip()), rules, machine, most_steps)


def opened(
    text: str,
    rules: RulesGiven = None,
    machine: MachineFactory | None = None,
    most_steps: int = share.USUAL_STEPS,
) -> Recording:
    """The run that a shared text stands for.

    `rules` and `machine` are needed where the run used classes that are not raftlab's own. A text
    that stands for more than `most_steps` is not played. If the text has no digest, neither has
    the recording.
    Raises: Misuse, saying what is wrong with the text, which classes are missing, or that the
    run comes out differently here, and from which frame on.
    """
    setup, told = share.decoded(text, most_steps)
    known = unpacked(
        told.digest, sum(each if isinstance(each, int) else 1 for each in told.segments)
    )
    try:
        cluster = recording_of(setup, (), rules, machine, told.said).start()
        for _ in play(cluster.engine, coming(cluster.engine, told.segments, known), known):
            pass
        read_out(cluster.engine)
        recording = cluster.recording
    except RunDiffers as error:
        raise Misuse(f"this run comes out differently here: {error}") from error
    except ClassNeeded as needed:
        raise needed.at(CANNOT_BE_PLAYED) from None
    except Misuse as error:
        raise Misuse(f"{CANNOT_BE_PLAYED}{error}") from None
    except Exception as error:  # of actions that no verb makes, or of the reader's own classes
        what = f"{type(error).__name__}: {shortened(str(error))}"
        raise Misuse(f"{CANNOT_BE_PLAYED}{what}") from error
    if share.crc_of(recording.actions) != told.crc:
        raise Misuse(
            "this run comes out differently here: it was made by another version of raftlab,"
            " or with other rules"
        )
    return recording.knowing(known)


def played_once(recording: Recording) -> Recording:
    """The same, once what its machines said is in their memory. Raises: Misuse."""
    cluster = recording.start()
    for _ in recording.steps(cluster):
        pass
    read_out(cluster.engine)
    return recording


def _may_be_a_name(source: str) -> bool:
    """Whether a text in which no run is, and which is no file here, can be meant as a file's."""
    if not source.strip() or not source.isprintable() or len(source) > LONGEST_NAME:
        return False
    return "://" not in source and MISTYPED.fullmatch(source.strip()) is None

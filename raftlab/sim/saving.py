"""Runs in files: JSON lines, a header first, then one action a line, then a checksum."""

import os
import stat
import zlib
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import msgspec

from raftlab.raft.vocabulary import Misuse
from raftlab.sim.actions import Action
from raftlab.sim.given import RulesGiven
from raftlab.sim.host import MachineFactory
from raftlab.sim.resolving import recording_of
from raftlab.sim.settings import Setup

if TYPE_CHECKING:
    from raftlab.sim.recording import Recording

VERSION = 1


class Kind(msgspec.Struct):
    """What the first line of any file of ours says: `{"raftlab": "recording", "version": 1}`."""

    raftlab: str
    version: int


class Header(msgspec.Struct):
    """The first line of a recording."""

    raftlab: str
    version: int
    actions: int
    setup: Setup


class Footer(msgspec.Struct):
    """The last line of a recording: a checksum of the lines before it."""

    crc32: int


def save(recording: "Recording", path: Path) -> None:
    """Write a recording to `path`: a whole new file, or the old one. Raises: OSError."""
    header = Header("recording", VERSION, len(recording), recording.setup)
    lines = [msgspec.json.encode(line) for line in (header, *recording.actions)]
    lines.append(msgspec.json.encode(Footer(crc_of(lines))))
    write_whole(path, b"".join(line + b"\n" for line in lines))


def crc_of(lines: list[bytes]) -> int:
    """The checksum of lines, however they end: a mail or an editor may change that."""
    return zlib.crc32(b"\n".join(lines))


def write_whole(path: Path, data: bytes) -> None:
    """Replace a file at once, or not at all: written beside it, then renamed. Raises: OSError.

    A new file may be read by whom a new file may be read by here; an old one's permissions
    stay, and where a link leads to it, the link stays, too.
    """
    path = Path(os.path.realpath(path))
    if path.is_dir():
        raise IsADirectoryError(f"{path} is a directory, and no file")
    with TemporaryDirectory(dir=path.parent, prefix=".raftlab.") as near:
        new = Path(near) / "new"
        with new.open("wb") as file:
            if path.exists():
                os.chmod(new, stat.S_IMODE(path.stat().st_mode))
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        os.replace(new, path)


def load(
    path: Path, rules: RulesGiven = None, machine: MachineFactory | None = None
) -> "Recording":
    """The recording in a file of `save`.

    Raises: Misuse, naming the line and what is wrong there; OSError, if there is no such file.
    """
    lines = path.read_bytes().splitlines()
    kind = _line(path, lines, 0, Kind)
    if kind.raftlab != "recording":
        raise Misuse(f"{path} holds a {kind.raftlab[:40]!r} of raftlab, and no recording")
    if kind.version != VERSION:
        raise Misuse(f"{path} is of version {kind.version}; this raftlab reads version {VERSION}")
    header = _line(path, lines, 0, Header)
    if len(lines) != header.actions + 2:
        raise Misuse(
            f"{path} was cut short or added to: it should have {header.actions + 2} lines, and has"
            f" {len(lines)}"
        )
    actions = tuple(_line(path, lines, number, Action) for number in range(1, header.actions + 1))
    if _line(path, lines, len(lines) - 1, Footer).crc32 != crc_of(lines[:-1]):
        raise Misuse(f"{path} was altered: its checksum, in line {len(lines)}, does not fit")
    try:
        return recording_of(header.setup, actions, rules, machine)
    except Misuse as error:
        raise Misuse(f"{path}, line 1: {error}") from None


def _line(path: Path, lines: list[bytes], number: int, kind: Any) -> Any:
    if not lines:
        raise Misuse(f"{path} is empty")
    try:
        return msgspec.json.decode(lines[number], type=kind)
    except (ValueError, RecursionError) as error:  # of msgspec, or of the setup's own checks
        foreign = " This is no file of raftlab." if kind is Kind else ""
        raise Misuse(f"{path}, line {number + 1}: {error}.{foreign}") from None

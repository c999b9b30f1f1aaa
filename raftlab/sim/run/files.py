"""Runs in files: JSON lines, a header first, then one action a line, then a checksum."""

import os
import stat
import zlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

import msgspec

from raftlab.raft.vocabulary import Misuse, shown
from raftlab.sim.run.digest import Known, digest_of, marked_frames, packed, unpacked
from raftlab.sim.run.play import play
from raftlab.sim.run.tape import Fault, Said
from raftlab.sim.world.action import Action
from raftlab.sim.world.actions import any_kind
from raftlab.sim.world.engine import Engine
from raftlab.sim.world.settings import Setup

VERSION = 1


class Kind(msgspec.Struct):
    """What the first line of any file of ours says: `{"raftlab": "recording", "version": 1}`."""

    raftlab: str
    version: int


class Header(msgspec.Struct, omit_defaults=True):
    """The first line of a recording. `digest` is that of `digest.packed`; old files have none.

    After the actions come so many lines of what `machines` in processes said.
    """

    raftlab: str
    version: int
    actions: int
    setup: Setup
    digest: bytes = b""
    machines: int = 0


class Tape(msgspec.Struct):
    """What one machine in a process said, line by line, from its start on."""

    said: list[str | Fault]


class Footer(msgspec.Struct):
    """The last line of a recording: a checksum of the lines before it."""

    crc32: int


KINDS = {kind: msgspec.json.Decoder(kind) for kind in (Kind, Header, Tape, Footer)}


def save(
    setup: Setup,
    actions: Sequence[Action],
    known: Known,
    start: Callable[[], Engine],
    path: Path,
    said: Callable[[], Said] = list,
) -> None:
    """Write a run to `path`: a whole new file, or the old one. Raises: OSError.

    It is played once, for its digest; a run that does not play again is saved all the same, with
    what is `known` of it, so that whoever opens it finds that out. After that, `said` is what its
    machines said, where they are processes.
    """
    digest = packed(_noted(actions, known, start), len(actions))
    tapes = list(map(Tape, said()))
    header = Header("recording", VERSION, len(actions), setup, digest, len(tapes))
    lines = [msgspec.json.encode(line) for line in (header, *actions, *tapes)]
    lines.append(msgspec.json.encode(Footer(crc_of_lines(lines))))
    write_whole(path, b"".join(line + b"\n" for line in lines))


def _noted(actions: Sequence[Action], known: Known, start: Callable[[], Engine]) -> Known:
    """The checksums of the run's marked frames; if it does not play again, what is known of it."""
    try:
        cluster = start()
        noted = {0: digest_of(cluster)}
        for _ in play(cluster, actions, known):
            if cluster.number in marked_frames(len(actions)) or cluster.number == len(actions):
                noted[cluster.number] = digest_of(cluster)
    except Exception:  # of what cannot happen, or of the reader's own classes
        return known
    return noted


def crc_of_lines(lines: list[bytes]) -> int:
    """The checksum of lines, however they end: a mail or an editor may change that."""
    return zlib.crc32(b"\n".join(lines))


def write_whole(path: Path, data: bytes) -> None:
    """Replace a file at once, or not at all: written beside it, then renamed. Raises: OSError.

    A new file may be read by whom a new file may be read by here; an old one's permissions
    stay, and where a link leads to it, the link stays, too.
    """
    from tempfile import TemporaryDirectory  # slow to load, so only when something is written

    path = Path(os.path.realpath(path))
    if path.is_dir():
        raise IsADirectoryError(f"{path} is a directory, and no file")
    with errors_naming(path), TemporaryDirectory(dir=path.parent, prefix=".raftlab.") as near:
        new = Path(near) / "new"
        with new.open("wb") as file:
            if path.exists():
                os.chmod(new, stat.S_IMODE(path.stat().st_mode))
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        os.replace(new, path)


@contextmanager
def errors_naming(path: Path) -> Iterator[None]:
    """Let an error of the system name the file that was to be written: out of disk, say."""
    try:
        yield
    except OSError as error:
        raise OSError(error.errno, error.strerror or str(error), str(path)) from error


def load(path: Path) -> tuple[Setup, tuple[Action, ...], Known, Said]:
    """What a file of `save` holds: setup, actions, checksums of its frames, what machines said.

    Raises: Misuse, naming the line and what is wrong there; OSError, if there is no such file.
    """
    lines = path.read_bytes().splitlines()
    kind = _line(path, lines, 0, Kind)
    if kind.raftlab != "recording":
        raise Misuse(f"{path} holds a {shown(kind.raftlab)} of raftlab, and no recording")
    if kind.version != VERSION:
        raise Misuse(f"{path} is of version {kind.version}; this raftlab reads version {VERSION}")
    header = _line(path, lines, 0, Header)
    wanted = header.actions + header.machines + 2
    if len(lines) != wanted:
        raise Misuse(
            f"{path} was cut short or added to: it should have {wanted} lines, and has {len(lines)}"
        )
    last = header.actions + 1
    actions = _actions(path, lines[:last])
    said = [_line(path, lines, place, Tape).said for place in range(last, len(lines) - 1)]
    if _line(path, lines, len(lines) - 1, Footer).crc32 != crc_of_lines(lines[:-1]):
        raise Misuse(f"{path} was altered: its checksum, in line {len(lines)}, does not fit")
    return header.setup, actions, unpacked(header.digest, header.actions), said


def _actions(path: Path, lines: list[bytes]) -> tuple[Action, ...]:
    """What all lines but the first say."""
    decode, actions = _decoder(any_kind()).decode, list[Action]()
    try:
        for line in lines[1:]:
            actions.append(decode(line))
    except (ValueError, RecursionError) as error:
        raise Misuse(f"{path}, line {len(actions) + 2}: {error}.") from None
    return tuple(actions)


@cache
def _decoder(kind: Any) -> "msgspec.json.Decoder[Action]":
    return msgspec.json.Decoder(kind)


def _line(path: Path, lines: list[bytes], number: int, kind: Any) -> Any:
    if not lines:
        raise Misuse(f"{path} is empty")
    try:
        return KINDS[kind].decode(lines[number])
    except (ValueError, RecursionError) as error:  # of msgspec, or of the setup's own checks
        foreign = " This is no file of raftlab." if kind is Kind else ""
        raise Misuse(f"{path}, line {number + 1}: {error}.{foreign}") from None

"""A campaign's file: what it is about, then one line of JSON for every seed that is done.

A campaign that was interrupted goes on from it. A line is written at once or not at all; what
a power cut tore off at the end is run again.
"""

import os
import zlib
from collections.abc import Iterable, Mapping
from importlib.metadata import PackageNotFoundError, version
from inspect import getsource
from pathlib import Path
from typing import Any

import msgspec

from raftlab.check.campaign.trial import Conditions, SeedResult
from raftlab.raft.vocabulary import Misuse, shown
from raftlab.sim.run.files import naming
from raftlab.sim.world.arguments import full_name

PACKAGE = Path(__file__).parents[2]
DECIDING = ("raft/**/*.py", "sim/**/*.py", "check/campaign/*.py")
"""The files that decide what a seed comes to."""


class Heading(msgspec.Struct, frozen=True):
    """What decides the results besides the seeds: the code, and what was given."""

    campaign: str
    code: str
    rules: str
    machine: str
    given: str


def heading_of(conditions: Conditions) -> Heading:
    """The first line of a campaign's file. Classes are told apart by their source, too."""
    rules = conditions.rules
    each = rules if isinstance(rules, Mapping) else {"": rules}
    return Heading(
        campaign=f"raftlab {_version()}",
        code=_checksum(path.read_bytes() for path in _deciding_files()),
        rules=", ".join(f"{node} {_described(its)}".strip() for node, its in each.items()),
        machine=_described(conditions.machine),
        given=repr(dict(sorted(conditions.given.items()))),
    )


def _version() -> str:
    try:
        return version("raftlab")
    except PackageNotFoundError:
        return "not installed"


def _deciding_files() -> list[Path]:
    return sorted(path for pattern in DECIDING for path in PACKAGE.glob(pattern))


def _checksum(parts: Iterable[bytes]) -> str:
    total = 0
    for part in parts:
        total = zlib.crc32(part, total)
    return f"{total:08x}"


def _described(thing: object) -> str:
    """The name of rules or a machine, with a checksum of the source if there is any."""
    if thing is None:
        return "as shipped"
    kind: Any = thing if isinstance(thing, type) or hasattr(thing, "__name__") else type(thing)
    sources = []
    for each in getattr(kind, "__mro__", (kind,)):
        try:
            sources.append(getsource(each).encode())
        except (OSError, TypeError):  # built in, or typed by hand
            continue
    return f"{full_name(thing)} {_checksum(sources)}"


class CheckpointFile:
    """The file of one campaign: what it `holds` already, by seed, and a way to add to it.

    Raises: Misuse, if the file is of another campaign or is no such file; OSError.
    """

    def __init__(self, path: str | os.PathLike[str], conditions: Conditions) -> None:
        if not isinstance(path, str | os.PathLike):
            raise Misuse(
                f"a campaign is kept in a file, named like 'campaign.jsonl', not {shown(path)}"
            )
        self.path = Path(path)
        if self.path.is_dir():
            raise Misuse(f"{self.path} is a directory: name a file that keeps the campaign")
        self.holds: dict[int, SeedResult] = {}
        heading = heading_of(conditions)
        whole = self._cut_torn_line()
        if whole:
            self._read(whole, heading)
        self._file = os.open(self.path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o666)
        if not whole:
            self._append([msgspec.json.encode(heading)])

    def _cut_torn_line(self) -> list[bytes]:
        """The complete lines of the file; what follows the last of them is removed."""
        if not self.path.exists():
            return []
        data = self.path.read_bytes()
        end = data.rfind(b"\n") + 1
        lines = data[:end].splitlines()
        if data and not (lines or data.startswith(b'{"campaign"'[: len(data)])):
            raise Misuse(f"{self.path} is no file of a campaign.")
        if lines:
            self._heading(lines[0])
        if end < len(data):
            os.truncate(self.path, end)
        return lines

    def _heading(self, line: bytes) -> Heading:
        try:
            return msgspec.json.decode(line, type=Heading)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise Misuse(f"{self.path} is no file of a campaign.") from error

    def _read(self, lines: list[bytes], expected: Heading) -> None:
        found = self._heading(lines[0])
        differs = [name for name in Heading.__struct_fields__ if _differ(name, found, expected)]
        if differs:
            raise Misuse(
                f"{self.path} is of another campaign: its {' and '.join(differs)} are not the"
                " same. Name another file, or remove this one."
            )
        for number, line in enumerate(lines[1:], start=2):
            try:
                result = msgspec.json.decode(line, type=SeedResult)
            except (msgspec.DecodeError, UnicodeDecodeError) as error:
                raise Misuse(f"line {number} of {self.path} is no result: {error}") from error
            self.holds[result.seed] = result

    def add(self, results: Iterable[SeedResult]) -> None:
        """Write results that have just come."""
        lines = []
        for result in results:
            self.holds[result.seed] = result
            lines.append(msgspec.json.encode(result))
        self._append(lines)

    def _append(self, lines: list[bytes]) -> None:
        """One write for all of them, so that nothing comes between."""
        if lines:
            with naming(self.path):
                os.write(self._file, b"".join(line + b"\n" for line in lines))

    def close(self) -> None:
        """Let go of the file."""
        os.close(self._file)


def _differ(name: str, found: Heading, expected: Heading) -> bool:
    mine: str = getattr(found, name)
    theirs: str = getattr(expected, name)
    return mine != theirs

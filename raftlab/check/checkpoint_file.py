"""A file that keeps the results of long work: a heading, then one line of JSON for each of them.

Work that was interrupted goes on from it. A line is written at once or not at all; what a power
cut tore off at the end is done again.
"""

import os
import zlib
from collections.abc import Iterable
from pathlib import Path
from typing import Generic, TypeVar

import msgspec

from raftlab.raft.vocabulary import Misuse, shown
from raftlab.sim.run.files import errors_naming

PACKAGE = Path(__file__).parents[1]

Result = TypeVar("Result", bound=msgspec.Struct)


def code_checksum(*patterns: str) -> str:
    """A checksum of the package's files that fit a pattern, by path and content."""
    paths = {path for pattern in patterns for path in PACKAGE.glob(pattern)}
    return checksum(
        part
        for path in sorted(paths)
        for part in (path.relative_to(PACKAGE).as_posix().encode(), path.read_bytes())
    )


def checksum(parts: Iterable[bytes]) -> str:
    """The CRC-32 of some texts, one after the other."""
    total = 0
    for part in parts:
        total = zlib.crc32(part, total)
    return f"{total:08x}"


class CheckpointFile(Generic[Result]):
    """The file of one piece of work: the `results` that it holds already, and a way to `add`.

    `heading` says what the results depend on, and `work` what it is, in a word: "campaign". A file
    with another heading is refused; with `anew` its results are left out, and it is begun again.

    Raises: Misuse, if the file is of other work or is no such file; OSError.
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        heading: msgspec.Struct,
        kind: type[Result],
        work: str,
        *,
        anew: bool = False,
    ) -> None:
        if not isinstance(path, str | os.PathLike):
            raise Misuse(
                f"a {work} is kept in a file, named like '{work}.jsonl', not {shown(path)}"
            )
        self.path = Path(path)
        if self.path.is_dir():
            raise Misuse(f"{self.path} is a directory: name a file that keeps the {work}")
        self._heading = heading
        self._work = work
        self.results: list[Result] = []
        lines = self._complete_lines()
        differs = self._differs(lines[0]) if lines else []
        if differs and anew:
            os.truncate(self.path, 0)
            lines = []
        elif differs:
            raise Misuse(
                f"{self.path} is of another {work}: its {' and '.join(differs)} are not the"
                " same. Name another file, or remove this one."
            )
        for number, line in enumerate(lines[1:], start=2):
            try:
                self.results.append(msgspec.json.decode(line, type=kind))
            except (msgspec.DecodeError, UnicodeDecodeError) as error:
                raise Misuse(f"line {number} of {self.path} is no result: {error}") from error
        self._file = os.open(self.path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o666)
        if not lines:
            self._append([heading])

    def _complete_lines(self) -> list[bytes]:
        """The complete lines of the file; what follows the last of them is removed."""
        if not self.path.exists():
            return []
        data = self.path.read_bytes()
        end = data.rfind(b"\n") + 1
        begins = f'{{"{self._heading.__struct_fields__[0]}"'.encode()
        lines = data[:end].splitlines()
        if lines:
            self._found(lines[0])
        elif data and not data.startswith(begins[: len(data)]):
            raise self._foreign()
        if end < len(data):
            os.truncate(self.path, end)
        return lines

    def _found(self, line: bytes) -> msgspec.Struct:
        try:
            return msgspec.json.decode(line, type=type(self._heading))
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise self._foreign() from error

    def _foreign(self) -> Misuse:
        return Misuse(
            f"{self.path} is no file of a {self._work}: name another one, or remove this one."
        )

    def _differs(self, line: bytes) -> list[str]:
        """The names of what is not the same in the heading of the file."""
        found = self._found(line)
        return [
            name
            for name in found.__struct_fields__
            if getattr(found, name) != getattr(self._heading, name)
        ]

    def add(self, results: Iterable[Result]) -> None:
        """Write results that have just come."""
        new = list(results)
        self.results += new
        self._append(new)

    def _append(self, lines: Iterable[msgspec.Struct]) -> None:
        """One write for all of them, so that nothing comes between."""
        data = b"".join(msgspec.json.encode(line) + b"\n" for line in lines)
        with errors_naming(self.path):
            os.write(self._file, data)

    def close(self) -> None:
        """Let go of the file."""
        os.close(self._file)

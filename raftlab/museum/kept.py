"""Rows of the kill table that were measured before, kept in a file while the rest is measured.

Measuring all takes hours. A row stands for what this very code did: the file begins with a
digest of the package's source, and one that was made by another source is begun anew.
"""

from collections.abc import Mapping
from hashlib import sha256
from pathlib import Path

import msgspec

from raftlab.museum.table import Row


class KeptRows:
    """The rows in `path`, by name; `add` writes one more, so that an interrupt loses only one."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._source = source_digest()
        self.rows: Mapping[str, Row] = self._read()
        path.write_text(f"{self._source}\n", encoding="utf-8")
        for row in self.rows.values():
            self.add(row)

    def add(self, row: Row) -> None:
        """Keep a row that has just been measured."""
        with self._path.open("ab") as file:
            file.write(msgspec.json.encode(row) + b"\n")

    def _read(self) -> dict[str, Row]:
        if not self._path.exists():
            return {}
        source, *lines = self._path.read_text(encoding="utf-8").split("\n")
        if source != self._source:
            return {}
        whole = lines[:-1]  # after the last line end stands nothing, or half of a row
        rows = [msgspec.json.decode(line, type=Row) for line in whole]
        return {row.name: row for row in rows}


def source_digest() -> str:
    """A digest of every Python file of the package, by path and content."""
    root = Path(__file__).parents[1]
    digest = sha256()
    for path in sorted(root.rglob("*.py")):
        digest.update(f"{path.relative_to(root).as_posix()}\0".encode() + path.read_bytes())
    return digest.hexdigest()

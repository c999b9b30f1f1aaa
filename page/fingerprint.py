"""What tells whether a page was built from the sources that are here now."""

import hashlib
from collections.abc import Iterator
from pathlib import Path

HERE = Path(__file__).parent
PACKAGE = HERE.parent / "raftlab"
NAME = "built_from.txt"
"""The file of a built page that keeps it."""


def sources() -> Iterator[Path]:
    """Every file that the page is made from."""
    yield from sorted(path for path in PACKAGE.rglob("*") if "__pycache__" not in path.parts)
    yield from sorted(HERE.glob("*.*"))
    yield from sorted(path for part in ("src", "licences") for path in (HERE / part).iterdir())


def fingerprint() -> str:
    """Equal for equal sources."""
    found = hashlib.sha256()
    for path in filter(Path.is_file, sources()):
        name = path.relative_to(HERE.parent).as_posix()
        found.update(f"{name}\n".encode() + path.read_bytes())
    return found.hexdigest()

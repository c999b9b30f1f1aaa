"""`python -m raftlab.museum`: print the kill table, and write it where `--write` says.

`--quick` measures little: one start, at most 200 runs. Names choose exhibits. With `--keep` a
run that was interrupted is gone on with.
"""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

import msgspec

from raftlab.check.checkpoint_file import CheckpointFile, code_checksum
from raftlab.museum import EXHIBITS, Exhibit
from raftlab.museum.page import catalogue
from raftlab.museum.searched import states_searched
from raftlab.museum.table import Row, kill_table
from raftlab.raft.vocabulary import Misuse


class Heading(msgspec.Struct, frozen=True):
    """The heading of the file that `--keep` names: a checksum of the code that was measured."""

    museum: str


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, print, write. Fails if a mistake was not caught."""
    parser = argparse.ArgumentParser(prog="raftlab.museum", description=__doc__)
    parser.add_argument("names", nargs="*", help="exhibits to measure; all, if none is named")
    parser.add_argument("--quick", action="store_true", help="one start, at most 200 runs")
    parser.add_argument("--write", type=Path, help="the page to write")
    parser.add_argument("--keep", type=Path, help="rows that this code has measured, for all")
    given = parser.parse_args(arguments)
    if given.keep and given.quick:
        parser.error("--keep is for rows that were measured in full: leave --quick out")
    chosen: Sequence[Exhibit | str] = given.names or EXHIBITS
    try:
        kept = kept_rows(given.keep) if given.keep else None
    except Misuse as refusal:
        parser.error(str(refusal))

    def progress(row: Row) -> None:
        tell(row)
        if kept:
            kept.add([row])

    table = kill_table(
        chosen,
        given.quick,
        progress,
        None if given.quick else states_searched,
        {row.name: row for row in kept.results} if kept else {},
    )
    if kept:
        kept.close()
    print(table)
    if given.write:
        given.write.parent.mkdir(parents=True, exist_ok=True)
        given.write.write_text(catalogue(table))
    return 1 if table.survivors else 0


def kept_rows(path: Path) -> CheckpointFile[Row]:
    """The rows that were measured before an interrupt, by this very code: others are left out."""
    heading = Heading(code_checksum("**/*.py"))
    return CheckpointFile(path, heading, Row, "kill table", anew=True)


def tell(row: Row) -> None:
    """Say on the side how far it has come."""
    print(f"{row.name}: {', '.join(row.killed_by) or 'nothing'}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())

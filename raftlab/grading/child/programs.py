"""The program out of a submission: as text, which is run in another box and nowhere else."""

import re
from collections.abc import Sequence
from typing import NamedTuple

from raftlab.grading.child.answers import Cell

CLASS = re.compile(r"^class Raft\b", re.MULTILINE)
WRITES = re.compile(r"\A(?:pass  #%|%%)writefile[^\n]*\n")
"""The line that lets a notebook write a cell into a file; as it was read, it is a remark."""


class Program(NamedTuple):
    """A program, or None, and what there is to tell."""

    source: str | None
    told: tuple[str, ...] = ()


def program_in(cells: Sequence[Cell], milestone: str, file: str = "") -> Program:
    """The program of a milestone ("M4").

    It is the cell that is tagged so (`exercise:M4`, or "# %% exercise:M4" in a Python file). Where
    none is, it is the whole of a Python `file` that has no exercises in it; in a notebook, the last
    cell with a `class Raft` or that is written into a file, or the only one that there is. A cell
    that is tagged for another milestone is no answer to this one: what is given there has it.
    """
    tagged = [each for each in cells if milestone in each.numbers or _is_tagged(each, milestone)]
    if file and not any(each.numbers or _is_tagged(each) for each in cells):
        return Program(file, tuple(f"{milestone}: {each.error}" for each in cells if each.error))
    free = [each for each in cells if not each.numbers and not _is_tagged(each)]
    found = tagged or [each for each in free if _is_program(each)]
    if not found and len(cells) == 1:
        found = free
    if not found:
        return Program(None, (f"{milestone}: no cell has a program: it is missing",))
    chosen = found[-1]
    told = [f"{milestone}: {each.error}" for each in found if each.error]
    if len(found) > 1:
        told.append(
            f"{milestone}: there are {len(found)} programs; the last one counts, in {chosen.where}"
        )
    return Program(WRITES.sub("", chosen.source), tuple(told))


def _is_tagged(cell: Cell, what: str = "") -> bool:
    return f"exercise:{what}" in cell.source.lstrip().partition("\n")[0]


def _is_program(cell: Cell) -> bool:
    return bool(CLASS.search(cell.source) or WRITES.match(cell.source))

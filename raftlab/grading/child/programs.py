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


def program_in(cells: Sequence[Cell], milestone: str) -> Program:
    """The program of a milestone ("M4").

    It is the cell that is tagged so (`exercise:M4`, or "# %% exercise:M4" in a Python file); where
    none is, the last one with a `class Raft`, or the only one that there is.
    """
    tag = f"exercise:{milestone}"
    tagged = [
        each
        for each in cells
        if milestone in each.numbers or tag in each.source.lstrip().partition("\n")[0]
    ]
    found = tagged or [each for each in cells if CLASS.search(each.source)]
    if not found and len(cells) == 1:
        found = list(cells)
    if not found:
        return Program(None, (f"{milestone}: no cell has a program: it is missing",))
    chosen = found[-1]
    told = [f"{milestone}: {each.error}" for each in found if each.error]
    if len(found) > 1:
        told.append(
            f"{milestone}: there are {len(found)} programs; the last one counts, in {chosen.where}"
        )
    return Program(WRITES.sub("", chosen.source), tuple(told))

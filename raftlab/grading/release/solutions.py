"""The solutions of the exercises, out of the full notebooks, with the imports that they need."""

import ast
from pathlib import Path
from typing import NamedTuple

from raftlab.course.notebooks import read
from raftlab.course.student import without_solution
from raftlab.raft.vocabulary import Misuse

FULL = Path("notebooks", "full")


class Solution(NamedTuple):
    """One cell with a solution, and, line by line, what it imports."""

    source: str
    imports: tuple[str, ...]

    @property
    def stub(self) -> str:
        """The same without the answer."""
        return without_solution(self.source)


def full_notebooks() -> Path:
    """Where the full notebooks are. Raises: Misuse, where there are none."""
    for folder in (Path.cwd(), Path(__file__).resolve().parents[3]):
        if (folder / FULL).is_dir():
            return folder / FULL
    raise Misuse(
        f"there is no {FULL} here: assignments are released from the repository, which has the"
        " solutions; go to a clone of it"
    )


def solution_of(number: str) -> Solution:
    """The solution of an exercise ("3.1"). Raises: Misuse, if no full notebook has it."""
    (path,) = full_notebooks().glob(f"{int(number.split('.')[0]):02}_*.ipynb")
    cells = [cell for cell in read(path).cells if cell.cell_type == "code"]
    for place, cell in enumerate(cells):
        if f"### BEGIN SOLUTION {number}\n" in cell.source:
            above = [line for each in cells[:place] for line in _imports(each.source)]
            return Solution(cell.source, _needed(cell.source, above))
    raise Misuse(f"{path.name} has no solution of exercise {number}")


def _imports(source: str) -> list[tuple[str, str]]:
    """Names that a cell imports at its top, each with the line that does."""
    try:
        body = ast.parse(source).body
    except SyntaxError:  # a magic
        return []
    found = []
    for node in body:
        if isinstance(node, ast.Import | ast.ImportFrom):
            for each in node.names:
                alone = (
                    ast.ImportFrom(node.module, [each], node.level)
                    if isinstance(node, ast.ImportFrom)
                    else ast.Import([each])
                )
                found.append((each.asname or each.name, ast.unparse(alone)))
    return found


def _needed(source: str, imports: list[tuple[str, str]]) -> tuple[str, ...]:
    used = {node.id for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Name)}
    return tuple(dict.fromkeys(line for name, line in imports if name in used))

"""The word with which a submission's questions were asked: `sheet("autumn", student)`, read."""

import ast
from collections.abc import Sequence

from raftlab.grading.child.answers import Cell

SHEET = "sheet()"
"""What is asked for, among the values of a submission, to get the word."""


def word_in(cells: Sequence[Cell]) -> str | None:
    """The class's word in the last call of `sheet`, where it is written out."""
    words = [
        node.args[0].value
        for cell in cells
        if cell.tree
        for node in ast.walk(cell.tree)
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Name)
        and node.func.id == "sheet"
        and node.args
        and isinstance(node.args[0], ast.Constant)
    ]
    found = words[-1] if words else None
    return found if isinstance(found, str) else None

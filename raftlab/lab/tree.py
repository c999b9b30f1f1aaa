"""The runs of a session as a tree in words: a line a run, indented below the one it left."""

from collections.abc import Sequence

from raftlab.lab.branch import Branch
from raftlab.view.words import ms

DEEPEST = 8
"""A run further down is drawn at this depth, so that its line can still be read."""


def tree(branches: Sequence[Branch], current: int) -> tuple[tuple[str, int], ...]:
    """Every run as one line and its number; runs stand below the one they left.

    The one looked at, number `current`, has an arrowhead before it.
    """
    children: dict[int | None, list[Branch]] = {}
    for branch in branches:
        children.setdefault(branch.parent, []).append(branch)
    lines: list[tuple[str, int]] = []
    waiting = [(branch, 0, "", "") for branch in reversed(children.get(None, []))]
    while waiting:
        branch, depth, own, below = waiting.pop()
        mark = "▶" if branch.number == current else " "
        lines.append((f"{mark} {own}{line_of(branch)}", branch.number))
        left = children.get(branch.number, [])
        for place, child in enumerate(reversed(left)):
            bar, under = ("├─ ", "│  ") if place else ("└─ ", "   ")
            if depth >= DEEPEST:
                bar, under = "", ""
            waiting.append((child, depth + 1, below + bar, below + under))
    return tuple(lines)


def line_of(branch: Branch) -> str:
    """A run in one line: where it began, where it has come to, and what was broken there."""
    end = branch.end
    trouble = f"  ✕ {end.trouble}" if end.trouble else ""
    return f"{branch.label}, to frame {end.number:,} at {ms(end.at)}{trouble}"

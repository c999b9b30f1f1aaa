"""The answers in a submission, as source: out of a notebook, `my_raft.py`, or other Python.

Nothing is run here. An answer is what defines the asked name, with what that needs: imports,
helpers, earlier answers. All else in the file stays where it is. A cell, or a section, that is
no Python costs itself and nothing else.
"""

import ast
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple

from raftlab.course.exercises.base import Exercise
from raftlab.course.exercises.running import RulesExercise
from raftlab.course.my_raft import SECTION
from raftlab.raft.vocabulary import Misuse, shown

LARGEST = 10_000_000
"""How many bytes of a submission are read."""
CALLS = re.compile(r"""exercise\(\s*["'](\d+\.\d+)["']\s*\)\s*\.check\(""")
TAG = re.compile(r"exercise:(\d+\.\d+|M\d)")
MAGIC = re.compile(r"^(?P<indent>\s*)(?:[%!?]|[\w.]+\?{1,2}\s*$)")
PERCENT = re.compile(r"^# %%.*$", re.MULTILINE)


class Cell(NamedTuple):
    """A piece of a submission: where it stands, its source, and the exercises that it names."""

    where: str
    source: str
    numbers: frozenset[str] = frozenset()
    tree: ast.Module | None = None
    error: str = ""


class Source(NamedTuple):
    """An answer: parts of source, each with where it stands, and what to take of them.

    `name` is a function, or a method of the class `holder`.
    """

    parts: tuple[tuple[str, str], ...]
    name: str
    holder: str = ""


class Found(NamedTuple):
    """What a submission has for an exercise: an answer or None, and what there is to tell."""

    source: Source | None
    told: tuple[str, ...] = ()


def cells_of(path: Path) -> list[Cell]:
    """The pieces of a submission. Raises: Misuse, if the file is none."""
    if path.stat().st_size > LARGEST:
        raise Misuse(f"{path.name} has more than {LARGEST:,} bytes: it is no submission")
    try:
        text = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError:
        raise Misuse(f"{path.name} is not text: hand in a notebook or a Python file") from None
    pieces = _notebook(text, path.name) if path.suffix == ".ipynb" else _sections(text)
    return [_parsed(each) for each in pieces]


def _notebook(text: str, name: str) -> list[Cell]:
    try:
        whole = json.loads(text)
        cells = [each for each in whole["cells"] if each["cell_type"] == "code"]
        return [
            _cell(f"cell {place}", _joined(each["source"]), each.get("metadata"))
            for place, each in enumerate(cells, 1)
        ]
    except (ValueError, KeyError, TypeError, RecursionError, AttributeError):
        raise Misuse(f"{name} is no notebook that can be read") from None


def _joined(source: Any) -> str:
    return source if isinstance(source, str) else "".join(source)


def _cell(where: str, source: str, metadata: Any = None) -> Cell:
    numbers = set(CALLS.findall(source))
    if isinstance(metadata, dict):
        own = metadata.get("raftlab")
        if isinstance(own, dict) and isinstance(own.get("exercise"), str):
            numbers.add(own["exercise"])
        tags = metadata.get("tags")
        for tag in tags if isinstance(tags, list) else ():
            numbers |= set(TAG.findall(str(tag)))
    return Cell(where, source, frozenset(numbers))


def _sections(text: str) -> list[Cell]:
    """The sections of `my_raft.py`, and what stands between them; of other files, the cells."""
    found: list[Cell] = []
    end = 0
    for each in SECTION.finditer(text):
        found += _plain(text, end, each.start())
        number = each["number"]
        source = "\n" * text.count("\n", 0, each.start()) + each[0]
        found.append(Cell(f"section {number}", source, frozenset({number})))
        end = each.end()
    return found + _plain(text, end, len(text))


def _plain(text: str, start: int, stop: int) -> list[Cell]:
    edges = [start, *(m.start() for m in PERCENT.finditer(text, start, stop)), stop]
    found = []
    for begin, end in pairwise(edges):
        if text[begin:end].strip():
            line = text.count("\n", 0, begin)
            found.append(_cell(f"from line {line + 1}", "\n" * line + text[begin:end]))
    return found


def _parsed(cell: Cell) -> Cell:
    """The cell with its tree, or with the sentence that says why it has none."""
    source = "\n".join(
        MAGIC.sub(r"\g<indent>pass  #", line) if MAGIC.match(line) else line
        for line in cell.source.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    )
    try:
        tree = ast.parse(source)
        compile(tree, cell.where, "exec", dont_inherit=True)
    except SyntaxError as error:
        line = f" in its line {error.lineno}" if error.lineno else ""
        return cell._replace(error=f"{cell.where} is no Python{line}: {error.msg}")
    except (ValueError, RecursionError, MemoryError):
        return cell._replace(error=f"{cell.where} is no Python that can be read")
    return cell._replace(source=source, tree=tree)


def find(exercise: Exercise, cells: Sequence[Cell]) -> Found:
    """The answer to an exercise in a submission, and what there is to tell of it."""
    number, name = exercise.number, exercise.name
    is_rule = isinstance(exercise, RulesExercise)
    tagged = [each for each in cells if number in each.numbers]
    broken = [each.error for each in tagged if each.error]
    everywhere = [
        (place, holder)
        for place, each in enumerate(cells)
        if each.tree
        for holder in _holders(each.tree, name, is_rule)
    ]
    defined = [(place, holder) for place, holder in everywhere if cells[place] in tagged]
    if not tagged or not (defined or broken):
        defined = everywhere
    if not defined:
        if broken:
            return Found(None, (f"Exercise {number}: {broken[-1]}",))
        others = _others(tagged, is_rule)
        if others:
            kind = "a class with a method" if is_rule else "a function"
            return Found(
                None,
                (
                    f"Exercise {number}: {tagged[-1].where} has {others}, and not {kind} {name}:"
                    " was it renamed?",
                ),
            )
        return Found(None, (f"Exercise {number}: no cell has {name}: it is missing",))
    place, holder = defined[-1]
    told = [f"Exercise {number}: {each}" for each in broken]
    if len(defined) > 1:
        told.append(
            f"Exercise {number}: {name} is there {len(defined)} times; the last one counts, in"
            f" {cells[place].where}"
        )
    parts = _needed(cells, place, holder or name)
    return Found(Source(parts, name, holder), tuple(told))


def defined(name: str, cells: Sequence[Cell]) -> tuple[tuple[str, str], ...] | None:
    """The last definition of a name in a submission, with what that needs; None without one."""
    places = [
        place
        for place, cell in enumerate(cells)
        if cell.tree and any(name in _bound(node) for node in cell.tree.body)
    ]
    return _needed(cells, places[-1], name) if places else None


def _holders(tree: ast.Module, name: str, is_rule: bool) -> list[str]:
    """The classes that define a method of this name; "" for a function that has the name."""
    if not is_rule:
        return [""] if any(name in _bound(node) for node in tree.body) else []
    return [
        node.name
        for node in tree.body
        if isinstance(node, ast.ClassDef) and any(name in _bound(each) for each in node.body)
    ]


def _others(cells: Iterable[Cell], is_rule: bool) -> str:
    kinds = (ast.ClassDef, ast.FunctionDef) if is_rule else (ast.FunctionDef,)
    names = []
    for each in cells:
        for node in each.tree.body if each.tree else ():
            if isinstance(node, ast.ClassDef) and is_rule:
                inner = [f"{node.name}.{m.name}" for m in node.body if isinstance(m, kinds)]
                names += inner or [node.name]
            elif isinstance(node, kinds):
                names.append(node.name)
    return ", ".join(shown(each).strip("'\"") for each in names[:4])


def _bound(node: ast.stmt) -> tuple[str, ...]:
    """The names that a statement defines."""
    match node:
        case ast.FunctionDef(name=name) | ast.ClassDef(name=name):
            return (name,)
        case ast.Assign(targets=targets):
            return tuple(each.id for each in targets if isinstance(each, ast.Name))
        case ast.AnnAssign(target=ast.Name(id=name)) if node.value:
            return (name,)
        case ast.Import(names=names) | ast.ImportFrom(names=names):
            return tuple((each.asname or each.name).split(".")[0] for each in names)
    return ()


def _needed(cells: Sequence[Cell], place: int, name: str) -> tuple[tuple[str, str], ...]:
    """The statements that an answer stands on, and itself, in the order of the submission."""
    every = [
        (at, node)
        for at, cell in enumerate(cells)
        for node in (cell.tree.body if cell.tree else ())
        if _bound(node)
    ]
    homes: dict[str, list[int]] = {}
    for number, (_, node) in enumerate(every):
        for each in _bound(node):
            homes.setdefault(each, []).append(number)
    own = [number for number in homes[name] if every[number][0] == place][-1]
    taken: set[int] = set()
    waiting = [own]
    while waiting:
        number = waiting.pop()
        if number in taken:
            continue
        taken.add(number)
        for read in _read(every[number][1]):
            there = homes.get(read, ())
            above = [each for each in there if each < number]
            waiting += above[-1:] or [each for each in there if each > number][-1:]
    parts = []
    for at, cell in enumerate(cells):
        nodes = [every[number][1] for number in sorted(taken) if every[number][0] == at]
        if nodes:
            parts.append((cell.where, _lines(cell.source, nodes)))
    return tuple(parts)


def _read(node: ast.stmt) -> list[str]:
    """The names that a statement reads, each once, in their order."""
    loaded = (each for each in ast.walk(node) if isinstance(each, ast.Name))
    names = (each.id for each in loaded if isinstance(each.ctx, ast.Load))
    return list(dict.fromkeys(names))


def _lines(source: str, nodes: Iterable[ast.stmt]) -> str:
    """The statements alone, each in its own lines, so that line numbers stay."""
    lines = source.split("\n")
    kept: Mapping[int, str] = {
        line: lines[line - 1]
        for node in nodes
        for line in range(_first(node), (node.end_lineno or node.lineno) + 1)
    }
    return "\n".join(kept.get(line, "") for line in range(1, len(lines) + 1)) + "\n"


def _first(node: ast.stmt) -> int:
    decorators: list[ast.expr] = getattr(node, "decorator_list", [])
    return min([node.lineno, *(each.lineno for each in decorators)])

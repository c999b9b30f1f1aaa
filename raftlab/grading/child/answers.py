"""The answers in a submission, as source: out of a notebook, `my_raft.py`, or other Python.

Nothing is run here. An answer is what defines the asked name, with what that needs: imports,
helpers, earlier answers. All else in the file stays where it is. A cell, or a section, that is
no Python costs itself and nothing else. Strangers' text can be made to take any time and memory
to be parsed, so this too happens in the box.
"""

import ast
import json
import re
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cache
from itertools import pairwise
from symtable import SymbolTable, symtable
from typing import Any, NamedTuple

from raftlab.raft.vocabulary import shown

MOST_CODE = 500_000
"""How many characters of code a submission may have: a long one has a tenth of it."""
MOST_SENTENCES = 5
"""How many cells that are no Python are told of an exercise."""
CALLS = re.compile(r"""exercise\(\s*["'](\d+\.\d+)["']\s*\)\s*\.check\(""")
TAG = re.compile(r"exercise:(\d+\.\d+|M\d)")
DEEPEST = 3
LARGEST_NUMBER = 1 << 60
MAGIC = re.compile(r"^(?P<indent>\s*)(?:[%!?]|[\w.]+\?{1,2}\s*$)")
PERCENT = re.compile(r"^# %%.*$", re.MULTILINE)


class Wanted(NamedTuple):
    """What is looked for: the function of an exercise, or the method of a class of `Rules`."""

    number: str
    name: str
    is_rule: bool


class Cell(NamedTuple):
    """A piece of a submission: where it stands, its source, and the exercises that it names.

    In its file there are `above` lines before it.
    """

    where: str
    source: str
    numbers: frozenset[str] = frozenset()
    above: int = 0
    tree: ast.Module | None = None
    error: str = ""


class Found(NamedTuple):
    """What a submission has for an exercise, and what there is to tell.

    An answer is `parts` of source, each with where it stands, and a function, or a method of the
    class `holder`, that is to be taken of them; without parts there is none.
    """

    parts: tuple[tuple[str, str], ...] = ()
    holder: str = ""
    told: tuple[str, ...] = ()


class Unreadable(Exception):
    """A submission that cannot be read; the message goes on after its name."""


def cells_of(text: str, is_notebook: bool, section: re.Pattern[str]) -> list[Cell]:
    """The pieces of a submission. Raises: Unreadable."""
    pieces = _notebook(text) if is_notebook else _sections(text, section)
    if sum(len(each.source) for each in pieces) > MOST_CODE:
        raise Unreadable(f"has more than {MOST_CODE:,} characters of code: hand in less")
    return [_parsed(each) for each in pieces]


def _notebook(text: str) -> list[Cell]:
    try:
        whole = json.loads(text)
        cells = [each for each in whole["cells"] if each["cell_type"] == "code"]
        return [
            _cell(f"cell {place}", _joined(each["source"]), each.get("metadata"))
            for place, each in enumerate(cells, 1)
        ]
    except (ValueError, KeyError, TypeError, RecursionError, AttributeError):
        raise Unreadable("is no notebook that can be read") from None


def _joined(source: Any) -> str:
    return source if isinstance(source, str) else "".join(source)


def _cell(where: str, source: str, metadata: Any = None, above: int = 0) -> Cell:
    numbers = set(CALLS.findall(source))
    if isinstance(metadata, dict):
        own = metadata.get("raftlab")
        if isinstance(own, dict) and isinstance(own.get("exercise"), str):
            numbers.add(own["exercise"])
        tags = metadata.get("tags")
        for tag in tags if isinstance(tags, list) else ():
            numbers |= set(TAG.findall(str(tag)))
    return Cell(where, source, frozenset(numbers), above)


def _sections(text: str, section: re.Pattern[str]) -> list[Cell]:
    """The sections of `my_raft.py`, and what stands between them; of other files, the cells."""
    found: list[Cell] = []
    end = line = 0
    for each in section.finditer(text):
        found += _plain(text, end, each.start(), line)
        line += text.count("\n", end, each.start())
        found.append(Cell(f"section {each['number']}", each[0], frozenset({each["number"]}), line))
        line += each[0].count("\n")
        end = each.end()
    return found + _plain(text, end, len(text), line)


def _plain(text: str, start: int, stop: int, line: int) -> list[Cell]:
    edges = [start, *(m.start() for m in PERCENT.finditer(text, start, stop)), stop]
    found = []
    for begin, end in pairwise(edges):
        source = text[begin:end]
        if source.strip():
            found.append(_cell(f"from line {line + 1}", source, above=line))
        line += source.count("\n")
    return found


def _parsed(cell: Cell) -> Cell:
    """The cell with its tree, or with the sentence that says why it has none.

    What only a notebook understands, a line that begins with % say, is read as a remark.
    """
    source = cell.source.replace("\r\n", "\n").replace("\r", "\n")
    remarks = "\n".join(
        MAGIC.sub(r"\g<indent>pass  #", line) if MAGIC.match(line) else line
        for line in source.split("\n")
    )
    error = ""
    for text in dict.fromkeys((source, remarks)):
        try:
            return cell._replace(source=text, tree=ast.parse(text))
        except SyntaxError as problem:
            line = f" in its line {problem.lineno + cell.above}" if problem.lineno else ""
            error = f"{cell.where} is no Python{line}: {problem.msg}"
        except (ValueError, RecursionError, MemoryError):
            error = f"{cell.where} is no Python that can be read"
    return cell._replace(source=remarks, error=error)


def find(wanted: Wanted, cells: Sequence[Cell]) -> Found:
    """The answer to an exercise in a submission, and what there is to tell of it."""
    number, name, is_rule = wanted
    tagged = [each for each in cells if number in each.numbers]
    broken = _few([each.error for each in tagged if each.error])
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
            return Found(told=(f"Exercise {number}: {broken[-1]}",))
        others = _others(tagged, is_rule)
        if others:
            kind = "a class with a method" if is_rule else "a function"
            return Found(
                told=(
                    f"Exercise {number}: {tagged[-1].where} has {others}, and not {kind} {name}:"
                    " was it renamed?",
                )
            )
        return Found(told=(f"Exercise {number}: no cell has {name}: it is missing",))
    place, holder = defined[-1]
    told = [f"Exercise {number}: {each}" for each in broken]
    if len(defined) > 1:
        told.append(
            f"Exercise {number}: {name} is there {len(defined)} times; the last one counts, in"
            f" {cells[place].where}"
        )
    parts = _needed(cells, place, holder or name)
    return Found(parts, holder, tuple(told))


def defined(name: str, cells: Sequence[Cell]) -> tuple[tuple[str, str], ...]:
    """The last definition of a name in a submission, with what that needs; () without one."""
    places = [
        place
        for place, cell in enumerate(cells)
        if cell.tree and any(name in _names(node).sets for node in cell.tree.body)
    ]
    return _needed(cells, places[-1], name) if places else ()


def value(name: str, cells: Sequence[Cell]) -> Any:
    """What the last statement that sets this name sets it to, if it is written out; else None."""
    found = None
    for cell in cells:
        for node in cell.tree.body if cell.tree else ():
            if isinstance(node, ast.Assign) and name in _names(node).sets:
                try:
                    found = ast.literal_eval(node.value)
                except (ValueError, TypeError, MemoryError, RecursionError):
                    found = None
    return plain(found)


def plain(found: Any, depth: int = DEEPEST) -> Any:
    """A value as JSON has it; of what it cannot hold, the kind alone."""
    if found is None or isinstance(found, bool | str):
        return found
    if isinstance(found, int) and abs(found) < LARGEST_NUMBER:
        return found
    if isinstance(found, list | tuple) and depth:
        return [plain(each, depth - 1) for each in found]
    if isinstance(found, dict) and depth:
        return {str(key): plain(each, depth - 1) for key, each in found.items()}
    return {type(found).__name__: "…"}


def _few(sentences: Sequence[str]) -> list[str]:
    """The last of them, and how many others there are."""
    others = len(sentences) - MOST_SENTENCES
    more = [f"{others:,} more cells are no Python"] if others > 0 else []
    return more + list(sentences[-MOST_SENTENCES:])


def _holders(tree: ast.Module, name: str, is_rule: bool) -> list[str]:
    """The classes that define a method of this name; "" for a function that has the name."""
    if not is_rule:
        return [""] if any(name in _names(node).sets for node in tree.body) else []
    return [
        node.name
        for node in tree.body
        if isinstance(node, ast.ClassDef) and any(name in _names(each).sets for each in node.body)
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


class Names(NamedTuple):
    """The names of its module that a statement sets, and those that it reads, in their order."""

    sets: tuple[str, ...] = ()
    reads: tuple[str, ...] = ()


@cache
def _names(node: ast.stmt) -> Names:
    """What a statement has to do with its module; what is local to a function is no part of it.

    Who changes a value in its place, as `found[1] = 2` and `found += 1` do, sets and reads it.
    """
    try:
        table = symtable(ast.unparse(node), "", "exec")
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return Names()
    own = table.get_symbols()
    changed = [each.id for each in _changed(node)]
    sets = [each.get_name() for each in own if each.is_assigned() or each.is_imported()]
    reads = [each.get_name() for each in own if each.is_referenced()]
    return Names(
        tuple(dict.fromkeys([*sets, *changed])),
        tuple(dict.fromkeys([*reads, *changed, *_globals(table)])),
    )


def _changed(node: ast.stmt) -> Iterator[ast.Name]:
    """The names at the roots of what a statement changes in its place."""
    targets: list[ast.expr]
    match node:
        case ast.AugAssign(target=target):
            targets = [target]
        case ast.Assign(targets=several):
            targets = [each for each in several if not isinstance(each, ast.Name)]
        case _:
            return
    for each in targets:
        while isinstance(each, ast.Subscript | ast.Attribute):
            each = each.value
        if isinstance(each, ast.Name):
            yield each


def _globals(table: SymbolTable) -> Iterator[str]:
    """The names of the module that the functions and classes of a statement read."""
    for inner in table.get_children():
        yield from (each.get_name() for each in inner.get_symbols() if each.is_global())
        yield from _globals(inner)


def _needed(cells: Sequence[Cell], place: int, name: str) -> tuple[tuple[str, str], ...]:
    """The statements that an answer stands on, and itself, in the order of the submission."""
    every = [
        (at, node)
        for at, cell in enumerate(cells)
        for node in (cell.tree.body if cell.tree else ())
        if _names(node).sets or _is_for_all(node)
    ]
    homes: dict[str, list[int]] = {}
    for number, (_, node) in enumerate(every):
        for each in _names(node).sets:
            homes.setdefault(each, []).append(number)
    own = [number for number in homes[name] if every[number][0] == place][-1]
    taken: set[int] = set()
    waiting = [own, *(number for number, (_, node) in enumerate(every) if _is_for_all(node))]
    while waiting:
        number = waiting.pop()
        if number in taken:
            continue
        taken.add(number)
        for read in _names(every[number][1]).reads:
            there = homes.get(read, ())
            above = bisect_left(there, number)
            below = there[-1:] if there and there[-1] > number else []
            waiting += there[above - 1 : above] if above else below
    parts = []
    for at, cell in enumerate(cells):
        nodes = [every[number][1] for number in sorted(taken) if every[number][0] == at]
        if nodes:
            parts.append((cell.where, "\n" * cell.above + _lines(cell.source, nodes)))
    return tuple(parts)


def _is_for_all(node: ast.stmt) -> bool:
    """Whether any other statement may stand on it, and no name tells: `import *`, `__future__`."""
    if not isinstance(node, ast.ImportFrom):
        return False
    return node.module == "__future__" or any(each.name == "*" for each in node.names)


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

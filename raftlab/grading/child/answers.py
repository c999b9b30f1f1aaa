"""The answers in a submission, as source: out of a notebook, `my_raft.py`, or other Python.

Nothing is run here. An answer is what was given to the last check of its exercise, or else what has
the asked name last: as its own cell has made it, with all that stands above that check, or at all,
and what else is set below. A cell, or a
section, that is no Python costs itself and nothing else. Strangers' text can be made to take any
time and memory to be parsed, so this too happens in the box.
"""

import ast
import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cache
from itertools import pairwise
from symtable import symtable
from typing import Any, NamedTuple, TypeAlias

from raftlab.grading.child.given import given_to_check, is_set, may_have
from raftlab.grading.child.running import KEPT
from raftlab.raft.vocabulary import shown

MOST_CODE = 500_000
"""How many characters of code a submission may have: a long one has a tenth of it."""
MOST_SENTENCES = 5
"""How many cells that are no Python are told of an exercise."""
CALLS = re.compile(r"""exercise\(\s*["'](\d+\.\d+)["']\s*\)\s*\.check\(""")
TAG = re.compile(r"exercise:(\d+\.\d+|M\d)")
MAGIC = re.compile(r"^(?P<indent>\s*)(?:[%!?]|[\w.]+\?{1,2}\s*$)")
ASSIGNED = re.compile(r"^(?P<sets>\s*[\w, ]+=)\s*[!%]")
TIMED = re.compile(r"^(?P<indent>\s*)%time\s+(?=\S)")
BY_NAME = re.compile(r"\b(?:exec|globals|locals|vars)\(|import +\*")
"""What sets names that no statement shows."""
PERCENT = re.compile(r"^# %%.*$", re.MULTILINE)

Parts: TypeAlias = tuple[tuple[str, str], ...]
"""Parts of source, each with where it stands."""


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

    parts: Parts = ()
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
        sheets = [whole] if "cells" in whole else whole["worksheets"]  # as before 2015
        cells = [each for sheet in sheets for each in sheet["cells"] if each["cell_type"] == "code"]
        return [
            _cell(f"cell {place}", _joined(_source(each)), each.get("metadata"))
            for place, each in enumerate(cells, 1)
        ]
    except (ValueError, KeyError, TypeError, RecursionError, AttributeError):
        raise Unreadable("is no notebook that can be read") from None


def _source(cell: Any) -> Any:
    return cell["source"] if "source" in cell else cell["input"]


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
    remarks = "\n".join(map(_as_python, source.split("\n")))
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


def _as_python(line: str) -> str:
    """A line of a notebook: what a magic or a system's command gives, is None; `%time` runs it."""
    if (timed := TIMED.match(line)) is not None:
        return timed["indent"] + line[timed.end() :]
    if (assigned := ASSIGNED.match(line)) is not None:
        return f"{assigned['sets']} None  #{line[assigned.end() :]}"
    return MAGIC.sub(r"\g<indent>pass  #", line) if MAGIC.match(line) else line


def find(wanted: Wanted, cells: Sequence[Cell]) -> Found:
    """The answer to an exercise in a submission, and what there is to tell of it.

    What is given to the exercise's last check counts; where nothing is, the last that has its name.
    """
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
    chosen = None if broken and not defined else _checked(wanted, cells, everywhere)
    if not tagged or not (defined or broken):
        defined = everywhere
    if not (defined or chosen):
        return Found(told=(f"Exercise {number}: {_missing(wanted, tagged, broken)}",))
    place, holder = chosen or defined[-1]
    told = [f"Exercise {number}: {each}" for each in broken]
    if len(defined) > 1:
        which = f"{holder}, which is checked last," if holder and chosen else "the last one"
        told.append(
            f"Exercise {number}: {name} is there {len(defined)} times; {which} counts, in"
            f" {cells[place].where}"
        )
    if is_rule and not chosen:
        place, holder = _heir(cells, place, holder)
    parts = _run_until(cells, number, place, holder or name, holder if is_rule else name)
    return Found(parts, holder if is_rule else "", tuple(told))


def _checked(
    wanted: Wanted, cells: Sequence[Cell], everywhere: Sequence[tuple[int, str]]
) -> tuple[int, str] | None:
    """What is given to the exercise's last check, with the place where it is set; or None."""
    number, name, is_rule = wanted
    trees = [(each.tree, each.numbers == {number}) for each in cells]
    last, given = given_to_check(number, trees)
    setting = [at for at, each in enumerate(cells) if is_set(given, _body(each), _sets)]
    if given and not setting and any(BY_NAME.search(each.source) for each in cells):
        return last, given
    if not setting or given == name:
        return None
    if is_rule:
        nodes = [node for each in cells for node in _body(each)]
        if not may_have(given, (holder for _, holder in everywhere), nodes, _sets):
            return None
        setting = [at for at, holder in everywhere if holder == given] or setting
    return max([at for at in setting if at <= last] or setting), given


def _missing(wanted: Wanted, tagged: Sequence[Cell], broken: Sequence[str]) -> str:
    """Why there is no answer."""
    if broken:
        return broken[-1]
    others = _others(tagged, wanted.is_rule)
    if not others:
        return f"no cell has {wanted.name}: it is missing"
    kind = "a class with a method" if wanted.is_rule else "a function"
    return f"{tagged[-1].where} has {others}, and not {kind} {wanted.name}: was it renamed?"


def defined(name: str, cells: Sequence[Cell]) -> Parts:
    """All that is run for a name that a submission defines: the whole of it; () without one.

    No statement need show how a name gets its value: it is asked for once all of it has been run.
    """
    mentions = re.compile(rf"\b{re.escape(name)}\b")
    if not any(mentions.search(each.source) for each in cells if each.tree):
        return ()
    return _parts(cells)


def _few(sentences: Sequence[str]) -> list[str]:
    """The last of them, and how many others there are."""
    others = len(sentences) - MOST_SENTENCES
    more = [f"{others:,} more cells are no Python"] if others > 0 else []
    return more + list(sentences[-MOST_SENTENCES:])


def _holders(tree: ast.Module, name: str, is_rule: bool) -> list[str]:
    """The classes that get a method of this name; "" for a function that has the name."""
    if not is_rule:
        return [""] if any(name in _sets(node) for node in tree.body) else []
    return [holder for node in tree.body for holder in _given_to(node, name)]


def _given_to(node: ast.stmt, name: str) -> Iterator[str]:
    """The class that gets a method of this name by a statement: within it, or from outside."""
    match node:
        case ast.ClassDef(name=holder, body=body) if any(name in _sets(each) for each in body):
            yield holder
        case ast.Assign(targets=targets):
            for each in targets:
                if isinstance(each, ast.Attribute) and each.attr == name:
                    yield from [each.value.id] if isinstance(each.value, ast.Name) else []
        case ast.Expr(ast.Call(ast.Name("setattr"), [ast.Name(holder), ast.Constant(value), _])):
            yield from [holder] if value == name else []


def _heir(cells: Sequence[Cell], place: int, holder: str) -> tuple[int, str]:
    """The class that a class without bases was written for, and the place of its cell; or itself.

    `class Mine(Votes, Rules)` has the methods of `Votes`, which is no `Rules` by itself.
    """
    classes = [
        (at, node)
        for at, cell in enumerate(cells)
        for node in _body(cell)
        if isinstance(node, ast.ClassDef)
    ]
    if any(at == place and node.name == holder and node.bases for at, node in classes):
        return place, holder
    heirs = [
        (at, node.name)
        for at, node in classes
        if at >= place and holder in (each.id for each in node.bases if isinstance(each, ast.Name))
    ]
    return heirs[-1] if heirs else (place, holder)


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


@cache
def _sets(node: ast.stmt) -> frozenset[str]:
    """The names of its module that a statement gives a value."""
    try:
        own = symtable(ast.unparse(node), "", "exec").get_symbols()
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return frozenset()
    return frozenset(each.get_name() for each in own if each.is_assigned() or each.is_imported())


def _run_until(cells: Sequence[Cell], number: str, place: int, kept: str, name: str) -> Parts:
    """What is run for an answer that sets `kept` in the cell at `place`, and is asked as `name`.

    It is all down to the moment. As notebooks need not be run in order, what is set nowhere above
    that moment may stand below it. The answer is what its own cell has made of its name: later
    cells may have another answer of the same name.
    """
    named = [at for at, each in enumerate(cells) if number in each.numbers and at >= place]
    end = named[-1] + 1 if named else len(cells)
    return (
        *_parts(cells[: place + 1]),
        (KEPT, f"{KEPT} = {kept}"),
        *_parts(cells[place + 1 : end]),
        *_parts(_set_below(cells, end)),
        (KEPT, f"{name} = {KEPT}"),
    )


def _set_below(cells: Sequence[Cell], end: int) -> Iterator[Cell]:
    """The cells from `end` on, with no other statements than those that set new names."""
    below = [(each, [(node, _sets(node)) for node in _body(each)]) for each in cells[end:]]
    above = {name for cell in cells[:end] if below for node in _body(cell) for name in _sets(node)}
    for cell, nodes in below:
        if new := [node for node, sets in nodes if sets and not sets & above]:
            yield cell._replace(source=_lines(cell.source, new))


def _body(cell: Cell) -> Sequence[ast.stmt]:
    return cell.tree.body if cell.tree else ()


def _parts(cells: Iterable[Cell]) -> Parts:
    """What is run of these cells; those of one file are one part, with the numbers of its lines."""
    parts: list[tuple[str, list[str]]] = []
    line = 0
    for cell in filter(_body, cells):
        if not (parts and cell.above):
            parts.append((cell.where, []))
            line = 0
        parts[-1][1].append("\n" * (cell.above - line) + cell.source)
        line = cell.above + cell.source.count("\n")
    return tuple((where, "".join(sources)) for where, sources in parts)


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

"""What a submission sets a name to, where that is written out: read, and not run.

answers = {"votes": "S2"}       answers: dict = {}            answers = dict(votes="S2")
answers["tally"] = 3            answers.update(tally=3)       answers |= {"tally": 3}
"""

import ast
from collections.abc import Iterator, Sequence
from typing import Any

from raftlab.grading.child.answers import Cell

DEEPEST = 3
LARGEST_NUMBER = 1 << 60
UNWRITTEN = {"not written out": "…"}
"""What stands for a value that only Python could find."""
OWN_NAMES = (
    *(ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Lambda),
    *(ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp),
)
Store = tuple[ast.expr, ast.expr | None]
"""What is given a value, and the value; None, where no expression is it."""


def value(name: str, cells: Sequence[Cell]) -> Any:
    """What a name is set to in the end, as JSON has it; None, if nothing sets it.

    What is computed, all of it or an item of a dictionary, is UNWRITTEN.
    """
    found: Any = None
    for node in (node for cell in cells if cell.tree for node in cell.tree.body):
        for target, given in _stores(node):
            if _is(target, name):
                found = _literal(given)
            elif isinstance(target, ast.Subscript) and _is(target.value, name):
                is_read = isinstance(_literal(target.slice), str | int)
                found = (
                    UNWRITTEN
                    if not is_read
                    else _merged(found, _literal(ast.Dict([target.slice], [given or target])))
                )
            elif isinstance(target, ast.Attribute) and _is(target.value, name):
                found = _merged(found, _literal(given))
    return plain(found)


def _stores(node: ast.stmt) -> Iterator[Store]:
    """What a statement gives a value; what stands within another statement is not written out."""
    match node:
        case ast.Assign(targets=targets, value=given):
            for target in targets:
                yield from _pairs(target, given)
        case ast.AnnAssign(target=target, value=ast.expr() as given):
            yield target, given
        case ast.AugAssign(target=ast.Name() as target, op=ast.BitOr(), value=given):
            yield ast.Attribute(target, "update"), given
        case ast.Expr(ast.Call(ast.Attribute(_, "update") as target, given, named)):
            yield target, ast.Call(ast.Name("dict"), given, named)
        case ast.Expr(ast.Call(ast.Attribute(of, "setdefault"), [key, given])):
            yield ast.Subscript(of, key), given
        case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef():
            return  # its names are its own
        case _:
            for each in _in_its_scope(node):
                if isinstance(each, ast.Name | ast.Subscript) and isinstance(each.ctx, ast.Store):
                    yield each, None


def _in_its_scope(node: ast.AST) -> Iterator[ast.AST]:
    """What is in a statement, without what has names of its own."""
    todo = [node]
    while todo:
        each = todo.pop()
        if not isinstance(each, OWN_NAMES):
            yield each
            todo += ast.iter_child_nodes(each)


def _pairs(target: ast.expr, given: ast.expr) -> Iterator[Store]:
    match target, given:
        case (
            (ast.Tuple(elts=targets) | ast.List(elts=targets)),
            (ast.Tuple(elts=values) | ast.List(elts=values)),
        ) if len(targets) == len(values):
            yield from zip(targets, values, strict=True)
        case _:
            yield target, given


def _is(node: ast.expr, name: str) -> bool:
    return isinstance(node, ast.Name) and node.id == name


def _literal(node: ast.expr | None) -> Any:
    """What an expression says by itself; of a dictionary, each item by itself."""
    match node:
        case ast.Dict(keys=keys, values=values) if None not in keys:
            items = [(_literal(key), each) for key, each in zip(keys, values, strict=True)]
            return {key: _literal(each) for key, each in items if isinstance(key, str | int)}
        case ast.Call(ast.Name("dict"), [], named) if all(each.arg for each in named):
            return {str(each.arg): _literal(each.value) for each in named}
        case ast.Call(ast.Name("dict"), [given], named):
            return _merged(_literal(given), _literal(ast.Call(ast.Name("dict"), [], named)))
    try:
        return UNWRITTEN if node is None else ast.literal_eval(node)
    except (ValueError, TypeError, MemoryError, RecursionError):
        return UNWRITTEN


def _merged(found: Any, more: Any) -> Any:
    """A dictionary with the items of another, or of pairs."""
    try:
        return {**(dict(found) if found else {}), **dict(more)}
    except (ValueError, TypeError):
        return UNWRITTEN


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

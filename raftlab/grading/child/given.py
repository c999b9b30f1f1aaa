"""What a submission gives to the check of an exercise: that is what it says is its answer."""

import ast
from collections.abc import Callable, Iterable, Iterator, Sequence

WITHOUT = ("Rules", "object")
"""Classes that have no method of a student's."""
Sets = Callable[[ast.stmt], frozenset[str]]
"""Says which names of its module a statement gives a value."""


def given_to_check(number: str, cells: Iterable[tuple[ast.Module | None, bool]]) -> tuple[int, str]:
    """The name that is given to the last check of an exercise, and the place of the cell; or ""."""
    found = (0, "")
    for place, (tree, is_of_it_alone) in enumerate(cells):
        calls = sorted(_checks(tree, number, is_of_it_alone)) if tree else []
        if calls:
            found = (place, calls[-1][-1])
    return found


def _checks(tree: ast.Module, number: str, any_check: bool) -> Iterator[tuple[int, int, str]]:
    """Where something is checked that has a name, and the name."""
    for node in ast.walk(tree):
        match node:
            case ast.Call(ast.Attribute(of, "check"), [ast.Name(name), *_]):
                asked = _exercise(of)
                if asked == number or (asked is None and any_check):
                    yield node.lineno, node.col_offset, name


def _exercise(node: ast.expr) -> object:
    """The number that `exercise("4.2")` says; None for anything else."""
    match node:
        case ast.Call(ast.Name("exercise"), [ast.Constant(number)]):
            return number
    return None


def is_set(name: str, nodes: Iterable[ast.stmt], sets: Sets) -> bool:
    """Whether one of these statements gives the name a value."""
    return any(name in sets(node) for node in nodes)


def may_have(name: str, holders: Iterable[str], nodes: Sequence[ast.stmt], sets: Sets) -> bool:
    """Whether what has this name may have the method that the classes `holders` are given.

    A class that is written out, and whose bases are, has it or has it not; of any other value, one
    that `type` makes or that is imported, only Python can say.
    """
    setting: dict[str, list[ast.stmt]] = {}
    for node in nodes:
        for each in sets(node):
            setting.setdefault(each, []).append(node)
    known, todo, held = set[str](WITHOUT), [name], set(holders)
    while todo:
        each = todo.pop()
        if each in held:
            return True
        if each in known:
            continue
        known.add(each)
        own = setting.get(each, [])
        classes = [node for node in own if isinstance(node, ast.ClassDef)]
        bases = [base for node in classes for base in node.bases]
        names = [base.id for base in bases if isinstance(base, ast.Name)]
        others = [base for base in bases if getattr(base, "attr", "") != "Rules"]
        if len(classes) < len(own) or not own or len(others) > len(names):
            return True
        if any(node.decorator_list or node.keywords for node in classes):
            return True
        todo += names
    return False

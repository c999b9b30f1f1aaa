"""A learner's function or class as code that stands alone: with its imports and its helpers."""

import ast
import builtins
import inspect
import linecache
import symtable
import sys
import textwrap
from collections.abc import Collection, Iterator, Mapping
from contextlib import suppress
from types import FunctionType, ModuleType
from typing import Any

LITERALS = (bool, int, float, str, bytes, tuple, list, dict, set, type(None))


class NotWritten(Exception):
    """An answer cannot be written down; the message says why."""


def standing_alone(thing: Any, above: Mapping[str, str] = {}) -> str:
    """The source of `thing` with what it needs above it.

    `above` has what is defined already, name by name, as `definitions_in` has it: that is left
    out, but for what is called like a builtin: it hides the builtin from its own section alone.
    Raises: NotWritten, if a source or a value that it needs cannot be told.
    """
    if not isinstance(thing, type | FunctionType):
        thing = type(thing)
    own = {thing.__name__, *dir(builtins)}
    parts = _Parts({name: code for name, code in above.items() if name not in own})
    parts.add(thing)
    imports = sorted(parts.imports)
    helpers = "\n\n\n".join(parts.code)
    return "\n".join(imports) + ("\n\n\n" if imports else "") + helpers


def definitions_in(code: str) -> dict[str, str]:
    """What a source defines, name by name, in a form that layout and comments do not change.

    Raises: SyntaxError.
    """
    return {name: ast.dump(node) for node in ast.parse(code).body for name in bound(node)}


def bound(node: ast.stmt) -> tuple[str, ...]:
    """The names that a statement defines, if it is a function, a class or `name = ...`."""
    match node:
        case ast.FunctionDef() | ast.ClassDef():
            return (node.name,)
        case ast.Assign():
            return tuple(each.id for each in node.targets if isinstance(each, ast.Name))
    return ()


class _Parts:
    """The imports and the definitions that have been found so far."""

    def __init__(self, above: Mapping[str, str]) -> None:
        self.above = above
        self.known: set[str] = set()
        self.imports: set[str] = set()
        self.code: list[str] = []
        self.written: set[str] = set()

    def add(self, thing: Any) -> None:
        """A function or a class: what it needs first, then itself."""
        source = _source(thing)
        self.known.add(thing.__name__)
        before = self.known.copy(), self.imports.copy()
        names, values = _names(source), _values(thing)
        for base in getattr(thing, "__bases__", ()):
            if base.__name__ == thing.__name__ and base.__name__ in names:
                self._need(base.__name__, base)
        for name in names:
            if name in values and name not in self.known:
                self._need(name, values[name])
        if not self._write(source, names):
            self.known, self.imports = before

    def _need(self, name: str, value: Any) -> None:
        self.known.add(name)
        home = getattr(value, "__module__", None)
        if isinstance(value, ModuleType):
            self.imports.add(_as(f"import {value.__name__}", value.__name__, name))
        elif _is_importable(value, home):
            real = value.__name__
            self.imports.add(_as(f"from {home} import {real}", real, name))
        elif isinstance(value, type | FunctionType):
            self.add(value)
            if value.__name__ not in (name, "<lambda>"):
                self._write(f"{name} = {value.__name__}", [value.__name__])
        elif isinstance(value, LITERALS) and _is_read_again(_literal(value), value):
            self._write(f"{name} = {_literal(value)}")
        else:
            raise NotWritten(f"it uses {name}, which cannot be written down")

    def _write(self, code: str, needs: Collection[str] = ()) -> bool:
        """Write a definition, unless it stands above already, with all that it needs."""
        defined = definitions_in(code)
        if defined.items() <= self.above.items() and self.written.isdisjoint(needs):
            return False
        self.code.append(code)
        self.written.update(defined)
        return True


def _as(statement: str, real: str, name: str) -> str:
    return statement if real == name else f"{statement} as {name}"


def _is_importable(value: Any, home: str | None) -> bool:
    if not home or home == "__main__" or home not in sys.modules:
        return False
    return getattr(sys.modules[home], getattr(value, "__name__", ""), None) is value


def _source(thing: Any) -> str:
    """The lines of a function or a class; of a class that stands in a notebook, too."""
    first = next(_functions(thing), None)
    if isinstance(thing, type) and first is not None:
        lines = linecache.getlines(first.__code__.co_filename)
        for node in ast.walk(_tree("".join(lines))):
            if isinstance(node, ast.ClassDef) and node.name == thing.__name__:
                start = min([node.lineno, *(each.lineno for each in node.decorator_list)])
                assert node.end_lineno
                if start <= first.__code__.co_firstlineno <= node.end_lineno:
                    return textwrap.dedent("".join(lines[start - 1 : node.end_lineno])).strip("\n")
    if isinstance(thing, FunctionType):
        with suppress(OSError):
            return textwrap.dedent(inspect.getsource(thing)).strip("\n")
    raise NotWritten(f"the source of {thing.__name__} is not known")


def _tree(source: str) -> ast.Module:
    try:
        return ast.parse(source)
    except SyntaxError:
        raise NotWritten("its source cannot be read by itself") from None


def _names(source: str) -> list[str]:
    """The global names that a source reads, each once, in their order."""
    tree = _tree(source)
    if not all(map(_is_definition, tree.body)):
        raise NotWritten("it has no name of its own: write it with def or class")
    read = _read_globally(symtable.symtable(source, "answer", "exec"))
    return list(
        dict.fromkeys(
            node.id
            for node in ast.walk(tree)
            if isinstance(node, ast.Name)
            and isinstance(node.ctx, ast.Load)
            and node.id in read
            and not (node.id.startswith("__") and node.id.endswith("__"))
        )
    )


def _read_globally(scope: symtable.SymbolTable) -> set[str]:
    """The names that are read as global ones in a scope, or in one inside it."""
    names = {
        each.get_name()
        for each in scope.get_symbols()
        if each.is_referenced() and (each.is_global() or scope.get_type() == "module")
    }
    return names.union(*map(_read_globally, scope.get_children()))


def _is_definition(node: ast.stmt) -> bool:
    if isinstance(node, ast.Assign):
        return isinstance(node.value, ast.Lambda)
    return isinstance(node, ast.FunctionDef | ast.ClassDef)


def _values(thing: Any) -> dict[str, Any]:
    """The global names and those of enclosing functions that a function or a class can see."""
    values: dict[str, Any] = {}
    for function in _functions(thing):
        values |= function.__globals__
        closed = inspect.getclosurevars(function).nonlocals
        values |= {name: value for name, value in closed.items() if name != "__class__"}
    if isinstance(thing, type):
        home = sys.modules.get(thing.__module__)
        values = {**vars(home), **values} if home else values
        values |= {base.__name__: base for base in thing.__bases__ if base.__name__ not in values}
    return values


def _functions(thing: Any) -> Iterator[FunctionType]:
    if isinstance(thing, FunctionType):
        yield thing
        return
    for each in vars(thing).values():
        inner = getattr(each, "__func__", None) or getattr(each, "fget", None) or each
        if isinstance(inner, FunctionType):
            yield inner


def _literal(value: Any) -> str:
    """A value as it is written in Python; sets in an order that does not change."""
    if type(value) is dict:
        pairs = (f"{_literal(key)}: {_literal(each)}" for key, each in value.items())
        return f"{{{', '.join(pairs)}}}"
    if type(value) is list:
        return f"[{', '.join(map(_literal, value))}]"
    if type(value) is tuple:
        return f"({', '.join(map(_literal, value))}{',' if len(value) == 1 else ''})"
    if type(value) is set and value:
        return f"{{{', '.join(sorted(map(_literal, value)))}}}"
    return repr(value)


def _is_read_again(text: str, value: Any) -> bool:
    try:
        return bool(ast.literal_eval(text) == value)
    except (ValueError, SyntaxError):
        return False

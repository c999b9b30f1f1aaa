"""Reading the package's own source in a notebook: shown, never typed again."""

import inspect
import textwrap
from collections.abc import Callable
from pathlib import Path
from typing import Any

PACKAGE = Path(__file__).parents[1]


class Source:
    """The source of one thing, under a line that says where it stands."""

    __slots__ = ("code", "name", "path")

    def __init__(self, name: str, path: str, code: str) -> None:
        self.name = name
        self.path = path
        self.code = code

    def __repr__(self) -> str:
        lines = self.code.count("\n") + 1
        return f"# {self.path}: {self.name}, {lines} line{'s' * (lines != 1)}\n\n{self.code}"


def show_source(thing: Callable[..., Any] | type | Any) -> Source:
    """The source of a function, a method, a class or a module of the package.

        show_source(Rules.conflict_index)

    Raises: TypeError, for what has no source of its own.
    """
    thing = getattr(thing, "fget", None) or thing
    if not (inspect.isroutine(thing) or inspect.isclass(thing) or inspect.ismodule(thing)):
        thing = type(thing)
    path = Path(inspect.getsourcefile(thing) or "")
    where = (
        f"raftlab/{path.relative_to(PACKAGE)}" if path.is_relative_to(PACKAGE) else "this notebook"
    )
    code = textwrap.dedent(inspect.getsource(thing)).rstrip()
    name: str = getattr(thing, "__qualname__", None) or thing.__name__
    return Source(name, where, code)

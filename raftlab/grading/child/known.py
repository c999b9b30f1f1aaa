"""What can be imported where no file may be looked at: it is found before that is so.

To ask of a file when it was written, or for its number on the disk, is to ask for a clock and for
a coin. So the kernel refuses that in a box, and lists no folder there; Python looks for modules
in this way, and finds them here instead.
"""

import os
import struct
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from importlib.machinery import (
    EXTENSION_SUFFIXES,
    BuiltinImporter,
    ExtensionFileLoader,
    FrozenImporter,
    ModuleSpec,
    SourceFileLoader,
)
from importlib.util import cache_from_source, spec_from_file_location
from types import ModuleType
from typing import Any, NamedTuple

NOT_FOUND = (
    *("test", "tests", "idlelib", "lib2to3", "tkinter", "turtledemo", "ensurepip"),
    "ctypes",
)
"""Packages of Python's own library that nobody needs in a box, and the one that reads memory."""
FOR_TERMINALS = ("_curses", "_tkinter", "readline", "ossaudio", "nis", "_dbm")
TO_MEMORY = ("_ctypes", "_test", "xx", "_xx")
"""How the names of those extensions begin that nobody needs there either."""
HEAD = struct.Struct("<8xII")
"""How a compiled form begins: after 8 bytes, the date and the size of its source."""


class Seen(NamedTuple):
    """A module: its file, and whether it is a package. Dates are not kept: they are a clock."""

    file: str
    is_package: bool = False


class Loader(SourceFileLoader):
    """Loads a source by its compiled form, where there is one: nobody changes it meanwhile."""

    def path_stats(self, path: Any) -> Mapping[str, Any]:
        """What the compiled form says of its source."""
        head = bytes(HEAD.size)
        with suppress(OSError), open(cache_from_source(path), "rb") as compiled:
            head = compiled.read(HEAD.size)
        return dict(zip(("mtime", "size"), HEAD.unpack(head), strict=True))


class Known:
    """Finds the modules that were seen, and asks the system for nothing."""

    def __init__(self, modules: Mapping[str, Seen]) -> None:
        self.modules = modules

    def find_spec(
        self, name: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """Where a module is, or None."""
        seen = self.modules.get(name)
        if seen is None:
            return None
        is_source = seen.file.endswith(".py")
        loader = (Loader if is_source else ExtensionFileLoader)(name, seen.file)
        within = [os.path.dirname(seen.file)] if seen.is_package else None
        return spec_from_file_location(
            name, seen.file, loader=loader, submodule_search_locations=within
        )


def seen(folders: Iterable[str]) -> dict[str, Seen]:
    """The modules that are in these folders now; the first folder counts most."""
    return {name: each for folder in [*folders][::-1] for name, each in _seen(folder, "")}


def find_only(modules: Mapping[str, Sequence[Any]]) -> Known:
    """From now on, modules are found that were seen, and no others."""
    known = Known({name: Seen(*each) for name, each in modules.items()})
    sys.meta_path[:] = [BuiltinImporter, FrozenImporter, known]
    return known


def load_libraries(known: Known) -> None:
    """Load those of Python's own extensions: a library that is loaded is not looked at again."""
    import ctypes  # noqa: PLC0415  # later it is not there any more

    for seen in known.modules.values():
        if not seen.file.endswith(".py"):
            with suppress(OSError):  # what it needs is not there: then it cannot be imported
                ctypes.CDLL(seen.file)


def _seen(folder: str, before: str) -> Iterator[tuple[str, Seen]]:
    """The modules in a folder, and in the packages in it, by their names."""
    try:
        entries = sorted(os.scandir(folder), key=lambda each: each.name)
    except OSError:  # no folder, or a closed one
        return
    for each in entries:
        name, dot, suffix = each.name.partition(".")
        if suffix == "py":
            is_package = name == "__init__"
            full = before.rstrip(".") if is_package else before + name
            yield full, Seen(each.path, is_package)
        elif dot + suffix in EXTENSION_SUFFIXES:
            if not name.startswith((*FOR_TERMINALS, *TO_MEMORY)):
                yield before + name, Seen(each.path)
        elif not dot and name.isidentifier() and name not in NOT_FOUND and each.is_dir():
            yield from _seen(each.path, f"{before}{name}.")

"""What can be imported where no file may be looked at: it is found before that is so.

To ask of a file when it was written, or for its number on the disk, is to ask for a clock and for
a coin. So the kernel refuses that in a box, and lists no folder there; Python looks for modules
in this way, and finds them here instead.
"""

import ctypes
import os
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
from importlib.util import spec_from_file_location
from types import ModuleType
from typing import Any, NamedTuple

NOT_FOUND = ("test", "tests", "idlelib", "lib2to3", "tkinter", "turtledemo", "ensurepip")
"""Packages of Python's own library that nobody needs in a box."""
FOR_TERMINALS = ("_curses", "_tkinter", "readline", "_test", "xx", "_xx", "ossaudio", "nis", "_dbm")
"""How the names of those extensions begin that nobody needs there either."""


class Seen(NamedTuple):
    """A module: its file, whether it is a package, and what its compiled form is compared with."""

    file: str
    is_package: bool = False
    mtime: float = 0.0
    size: int = 0


class Loader(SourceFileLoader):
    """Loads a source that was seen; whether its compiled form is as new is known."""

    def __init__(self, name: str, seen: Seen) -> None:
        super().__init__(name, seen.file)
        self._stats = {"mtime": seen.mtime, "size": seen.size}

    def path_stats(self, _: Any) -> Mapping[str, Any]:
        """What was seen of the source."""
        return self._stats


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
        loader = Loader(name, seen) if is_source else ExtensionFileLoader(name, seen.file)
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
    for name, seen in known.modules.items():
        if not seen.file.endswith(".py") and not name.startswith(FOR_TERMINALS):
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
            stats = each.stat()
            is_package = name == "__init__"
            full = before.rstrip(".") if is_package else before + name
            yield full, Seen(each.path, is_package, stats.st_mtime, stats.st_size)
        elif dot + suffix in EXTENSION_SUFFIXES:
            yield before + name, Seen(each.path)
        elif not dot and name.isidentifier() and name not in NOT_FOUND and each.is_dir():
            yield from _seen(each.path, f"{before}{name}.")

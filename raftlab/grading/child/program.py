"""The boxed process of a whole machine: it limits itself, then becomes the submitted program.

What the program raises is told by its kind and its line on the standard error output, and no more.
"""

import builtins
import contextlib
import marshal
import os
import sys
from collections.abc import Iterator, Sequence
from importlib import import_module
from runpy import run_path
from types import TracebackType
from typing import Any

from raftlab.grading.child import harmless, known, lock, sameness, unseen

NOT_BEFORE = ("antigravity", "this", "__main__", "site")
"""Modules that do something when they are imported."""
SEEN = "seen"
"""The file in which is written what can be imported, beside the program: to look takes long."""
NO_THREAD = "can't start new thread"
NOT_PERMITTED = 1
"""EPERM."""
ERRNO = vars(OSError)["errno"]
ONLY_ITS_TREE = 0x400
"""PyCF_ONLY_AST."""


def main(box: str, file: str, paths: Sequence[str]) -> None:
    """Become the program in `file`. `paths` are what may be read, where no mount says so."""
    says = os.dup(2)
    nowhere = os.open(os.devnull, os.O_RDWR)
    os.dup2(nowhere, 2)
    sys.argv = [file]
    if box != "no box":
        lock.limit()
        lock.stop_clocks()
        harmless.begin()
        clock = sameness.begin_without_dates(0)
        import_known(file)
        if "datetime" in sys.modules:
            sameness.stop_dates(clock)
        harmless.after_imports()
    if box == "landlock":
        lock.read_only(paths)
    if box != "no box":
        lock.refuse_calls()
    try:
        run_path(file, run_name="__main__")
    except SystemExit:
        pass
    except BaseException as error:  # whatever a program raises is its own
        line = error.lineno if isinstance(error, SyntaxError) else None
        place = line or last_line(error.__traceback__, file)
        with contextlib.suppress(OSError):
            os.write(says, f"{name_of(error)} in line {place}\n".encode())
        os._exit(1)


def last_line(where: TracebackType | None, file: str) -> int:
    """The last line of a file that a traceback goes through; 0 for none."""
    line = 0
    while where is not None:
        if where.tb_frame.f_code.co_filename == file:
            line = where.tb_lineno
        where = where.tb_next
    return line


def import_known(file: str) -> None:
    """Import what the program imports of Python's own library: later no file is looked at.

    What else is there is found as well (`known`), but for libraries that are not in Python.
    """
    with open(os.path.join(os.path.dirname(file), SEEN), "rb") as seen:
        found = known.find_only(marshal.load(seen))
    unseen.find()
    with contextlib.suppress(Exception):  # it is no Python: whoever runs it says so
        with open(file, "rb") as source:
            tree = compile(source.read(), file, "exec", ONLY_ITS_TREE)
        for name in dict.fromkeys(imported(tree)):
            if name in found.modules and name.partition(".")[0] not in NOT_BEFORE:
                with contextlib.suppress(ImportError):
                    import_module(name)


def imported(node: Any) -> Iterator[str]:
    """The modules that a program may import, wherever it does so. (To import `ast` takes long.)"""
    kind = type(node).__name__
    if kind == "Import":
        yield from (each.name for each in node.names)
    elif kind == "ImportFrom" and node.module and not node.level:
        yield node.module
        yield from (f"{node.module}.{each.name}" for each in node.names)
    for field in getattr(node, "_fields", ()):
        inner = getattr(node, field)
        for each in inner if isinstance(inner, list) else (inner,):
            yield from imported(each)


def name_of(error: BaseException) -> str:
    """What kind of error it is; what a program calls its own ones is not told."""
    name = type(error).__name__
    said = name if getattr(builtins, name, None) is type(error) else "an error"
    if type(error) is RuntimeError and error.args == (NO_THREAD,):
        return f"{said} (a box refuses threads)"
    if isinstance(error, OSError) and ERRNO.__get__(error) == NOT_PERMITTED:
        return f"{said} (a box refuses this)"
    return said


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], sys.argv[3:])

"""What `my_raft.py` defines: all its names, and those of each section."""

import ast
import builtins
import linecache
import sys
from collections.abc import Mapping
from itertools import groupby
from pathlib import Path
from traceback import extract_tb
from types import ModuleType
from typing import Any, TypeAlias

from raftlab.course import my_raft
from raftlab.course.own_code import bound
from raftlab.raft.vocabulary import Misuse

MODULE = "my_raft"
Names: TypeAlias = Mapping[str, Any]


def names_in(path: Path) -> tuple[Names, Mapping[str, Names]]:
    """`my_raft.py` as it is now: its names, and those that each section defines.

    A section sees what stands above it, and keeps its own meaning of a name that another one
    has, too. What is only defined below it, it finds when it is called, as in any file. A name
    of a builtin that a section defines is its own alone. Raises: Misuse.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, RuntimeError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise Misuse(f"{my_raft.NAME} cannot be read: {reason}") from None
    module = ModuleType(MODULE)
    module.__file__ = str(path)
    linecache.checkcache(str(path))
    numbers = my_raft.numbers_by_line(text)
    names = vars(module)
    sections: dict[str, Names] = {}
    spaces = [names]
    try:
        whole = ast.parse(text, str(path))
        for number, nodes in groupby(whole.body, lambda node: numbers.get(node.lineno, "")):
            part = ast.Module([*nodes], [])
            names = {**names}
            exec(compile(part, str(path), "exec"), names)
            spaces.append(names)
            if number:
                own = [name for node in part.body for name in bound(node)]
                sections[number] = {name: names[name] for name in own}
                hidden = {name for name in own if hasattr(builtins, name)}
                names = {name: each for name, each in names.items() if name not in hidden}
    except SyntaxError as error:
        raise Misuse(f"{my_raft.NAME}, line {error.lineno}, cannot be read: {error.msg}") from None
    except (Exception, SystemExit) as error:
        calls = extract_tb(error.__traceback__)
        lines = [call.lineno for call in calls if call.filename == str(path)]
        where = f", line {lines[-1]}," if lines else ""
        raise Misuse(
            f"{my_raft.NAME}{where} cannot be run: {type(error).__name__}: {error}. Mend that line,"
            " or check the exercise again whose section it is in"
        ) from error
    for space in spaces:
        space.update({**names, **space})
    sys.modules[MODULE] = module
    return names, sections

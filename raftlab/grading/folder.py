"""What a boxed process sees of raftlab: the words of `raftlab/raft`, without what is asked for.

There is one folder for each exercise. It holds no machine, no course, no museum and no notebook;
what the exercise asks for, and what it calls ready-made, raises in it.
"""

import ast
import inspect
import marshal
import os
import shutil
import sys
import sysconfig
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import msgspec

from raftlab.course import in_words, situations
from raftlab.course.exercises import guard
from raftlab.course.exercises.base import Exercise
from raftlab.grading.child import known, program
from raftlab.raft.rules import Rules

PACKAGE = Path(__file__).parents[1]
CHILD = Path(__file__).parent / "child"
WORDS = (
    "__init__", "vocabulary", "log", "messages", "quorum", "votes", "progress", "roles",
    "options", "rules",
)  # fmt: skip
"""The modules of `raftlab/raft` that an answer may import."""
EMPTIED: Mapping[str, Sequence[tuple[str, str]]] = {"2.2": (("roles", "ROLE_AFTER"),)}
"""Tables that are an answer, by exercise: the module, and the name."""
GONE = "the package's own {} is not there where answers are graded: write it out"

INIT = '''"""raftlab where answers are graded: its words, and no answers."""

from raftlab.raft.log import Command, Empty, LogEntry, RaftLog, Snapshot
from raftlab.raft.messages import *
from raftlab.raft.options import Options
from raftlab.raft.progress import FollowerProgress, ProgressState
from raftlab.raft.roles import Cause, Role
from raftlab.raft.rules import Rules
from raftlab.raft.vocabulary import Configuration, Misuse, NotLeader, NotNow
from raftlab.raft.votes import ElectionResult, Votes

'''
WITH_FRAMES = "\nfrom raftlab.sim.frames.frame import Frame, NodeFrame, Trace\n"

GONE_NAMES = """

def __getattr__(name: str) -> type:
    if name in {names!r}:
        from raftlab.grading.child.unseen import gone
        return gone(f"{{__name__}}.{{name}}")
    raise AttributeError(f"module {{__name__!r}} has no attribute {{name!r}}")
"""
"""What may be imported beside what is there, and not used: one line often imports both."""


def write_library(to: Path) -> None:
    """The one library that raftlab's words need."""
    found = Path(str(msgspec.__file__)).parent
    shutil.copytree(found, to / "msgspec", ignore=shutil.ignore_patterns("__pycache__"))


def write_folder(exercise: Exercise | None, to: Path) -> None:
    """The folder of an exercise, as `to`; without one, that of the process that runs no answer."""
    asked = asked_of(exercise) if exercise else []
    emptied = EMPTIED.get(exercise.number, ()) if exercise else ()
    raft = to / "raftlab" / "raft"
    raft.mkdir(parents=True)
    (to / "raftlab" / "__init__.py").write_text(_top(INIT), encoding="utf-8")
    for name in WORDS:
        source = (PACKAGE / "raft" / f"{name}.py").read_text(encoding="utf-8")
        functions = [of for module, of in asked if module == f"raftlab.raft.{name}"]
        tables = [table for module, table in emptied if module == name]
        (raft / f"{name}.py").write_text(stripped(source, functions, tables), encoding="utf-8")
    _copy_for_all(to)


def write_for_tests(to: Path) -> None:
    """The folder of a learner's own tests, as `to`: words, frames, and no machine."""
    raft = to / "raftlab" / "raft"
    raft.mkdir(parents=True)
    (to / "raftlab" / "__init__.py").write_text(_top(INIT + WITH_FRAMES), encoding="utf-8")
    for name in WORDS:
        shutil.copyfile(PACKAGE / "raft" / f"{name}.py", raft / f"{name}.py")
    frames, world = "sim/frames", "sim/world"
    _copy_for_all(to)
    _copy([PACKAGE / frames / f"{name}.py" for name in ("frame", "frozen")], to)
    for name, source in FRAMES_NEED.items():
        (to / "raftlab" / world / f"{name}.py").write_text(source, encoding="utf-8")


def _copy_for_all(to: Path) -> None:
    """What serves an answer, and what of situations and pictures is there for it."""
    past = PACKAGE / "sim" / "world" / "past.py"
    _copy([*CHILD.glob("*.py"), Path(guard.__file__), past], to)
    words = Path(in_words.__file__).read_text(encoding="utf-8")
    words += GONE_NAMES.format(names=situations.__all__)
    (to / "raftlab" / "course" / "situations.py").write_text(words, encoding="utf-8")
    _write_view(to)


def _top(source: str) -> str:
    """The package itself with these words, and with the other names that notebooks import."""
    names = [*sys.modules["raftlab"].__all__, "scenarios"]
    return source + GONE_NAMES.format(names=names)


def write_for_program(to: Path) -> None:
    """What limits a submitted program, and nothing else of raftlab, in the folder `to`."""
    _copy([CHILD / f"{name}.py" for name in FOR_PROGRAMS], to)
    (to / program.SEEN).write_bytes(_seen())


@cache
def _seen() -> bytes:
    """What a program can import: Python's own library, as this Python has it."""
    library = sysconfig.get_path("stdlib")
    folders = (library, sysconfig.get_path("platstdlib"), os.path.join(library, "lib-dynload"))
    found = {name: tuple(each) for name, each in known.seen(map(os.path.realpath, folders)).items()}
    return marshal.dumps(found)


FOR_PROGRAMS = ("calls", "harmless", "known", "lock", "program", "sameness", "unseen")


FRAMES_NEED: Mapping[str, str] = {
    "settings": "from typing import Any\n\nNetwork = Any\n",
    "violation": "from typing import Any\n\nViolationFrame = Any\n",
}
"""What frames have from modules that know how a cluster works."""


def _copy(files: Iterable[Path], to: Path) -> None:
    """Copy modules of this package, and make packages of the folders that they lie in."""
    for file in sorted(files):
        copy = to / "raftlab" / file.relative_to(PACKAGE)
        for folder in copy.parents:
            if folder.is_relative_to(to / "raftlab") and not (folder / "__init__.py").exists():
                folder.mkdir(parents=True, exist_ok=True)
                (folder / "__init__.py").touch()
        shutil.copyfile(file, copy)


def _write_view(to: Path) -> None:
    """What shows itself in a notebook shows itself in a box as text."""
    (to / "raftlab" / "view").mkdir()
    text = "from raftlab.grading.child.unseen import *\n"
    (to / "raftlab" / "view" / "__init__.py").write_text(text, encoding="utf-8")


def asked_of(exercise: Exercise) -> list[tuple[str, str]]:
    """What an exercise asks for, and what is it ready-made: each by its module and its name."""
    functions: list[Callable[..., Any]] = list(map(inspect.unwrap, exercise.shipped))
    found = [(each.__module__, each.__qualname__) for each in functions]
    if hasattr(Rules, exercise.name):
        found.append((Rules.__module__, f"{Rules.__name__}.{exercise.name}"))
    return found


def stripped(source: str, functions: Sequence[str], tables: Sequence[str] = ()) -> str:
    """A module in which these functions raise, and these tables are empty.

    A function is named as Python does: "Rules.accepts_append". Of its text nothing is left but
    its first line.
    """
    tree = ast.parse(source)
    for scope, node in _definitions(tree):
        if f"{scope}{node.name}" in functions:
            node.body = ast.parse(f"raise NotImplementedError({GONE.format(node.name)!r})").body
    for each in tree.body:
        if isinstance(each, ast.AnnAssign) and ast.unparse(each.target) in tables:
            each.value = ast.Dict([], [])
    return ast.unparse(tree)


def _definitions(tree: ast.Module) -> list[tuple[str, ast.FunctionDef]]:
    found = [("", each) for each in tree.body if isinstance(each, ast.FunctionDef)]
    for kind in tree.body:
        if isinstance(kind, ast.ClassDef):
            inner = [each for each in kind.body if isinstance(each, ast.FunctionDef)]
            found += [(f"{kind.name}.", each) for each in inner]
    return found

"""Modules that lie beside a submission: `import mycode` finds them, and runs them as an answer is.

They come as parts of its source that have the name of a file; nothing of one is run before.
"""

import sys
from collections.abc import Sequence
from importlib.abc import Loader
from importlib.machinery import ModuleSpec
from types import ModuleType

from raftlab.course.exercises import guard

SUFFIX = ".py"
PUTS = "__import__({home!r}, fromlist=['put']).put({name!r}, {source!r})"


class Beside(Loader):
    """Finds a module of a student's, and loads it."""

    def __init__(self, name: str, source: str) -> None:
        self.name, self.source = name, source

    def find_spec(
        self, name: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """Where the module is, if it is this one."""
        return ModuleSpec(name, self) if name == self.name else None

    def create_module(self, spec: ModuleSpec) -> None:
        """It is a module like any other."""

    def exec_module(self, module: ModuleType) -> None:
        """Run it, with the budget of a call of an answer. Raises: LearnerError, Unwritten."""
        guard.call(self._run, module)

    def _run(self, module: ModuleType) -> None:
        code = compile(self.source, self.name + SUFFIX, "exec", dont_inherit=True)
        exec(code, vars(module))


def put(name: str, source: str) -> None:
    """From now on there is such a module; it comes first, as in the folder of a notebook."""
    sys.meta_path.insert(0, Beside(name, source))


def putting(file: str, source: str) -> str:
    """The line of Python that does so for a file."""
    return PUTS.format(home=__name__, name=file.removesuffix(SUFFIX), source=source)

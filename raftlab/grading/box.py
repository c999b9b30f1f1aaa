"""The box in which a submission's code runs: bubblewrap, else Landlock, else none is there.

In either box the process limits itself before it reads the submission (`child/lock.py`): time of
the processor, memory, size and number of files; no process, no signal, no network. bubblewrap
gives it a file system of its own besides, Landlock lets it read no other files than those.
"""

import os
import platform
import shutil
import sys
import sysconfig
from collections.abc import Callable, Mapping, Sequence
from functools import cache, partial
from pathlib import Path
from subprocess import DEVNULL, TimeoutExpired, run
from typing import Literal, TypeAlias

from raftlab.course.exercises.base import Exercise
from raftlab.grading.child import calls, lock
from raftlab.grading.folder import write_folder, write_for_tests, write_library
from raftlab.grading.forks import Forked, Forks
from raftlab.grading.own_folder import OwnFolder
from raftlab.raft.vocabulary import Misuse

Kind: TypeAlias = Literal["bubblewrap", "landlock", "no box"]

SHARED = ("/lib", "/lib64", "/usr/lib", "/usr/lib64", "/usr/local/lib", "/etc/ld.so.cache")
"""Where shared libraries are."""
INSTALLED = ("site-packages", "dist-packages")
"""Folders of installed packages, which a box has not: raftlab may be among them."""
DEVICES = ("/dev/null",)
NEEDED = (
    "a submission's code needs a box, and this system has none: install bubblewrap (apt-get"
    " install bubblewrap), or use a Linux with Landlock (5.13 or later). --unsafe grades without"
    " one: such code can then do all that you can"
)


@cache
def best_kind() -> Kind | None:
    """The safest box that works here; None, if there is none."""
    if platform.machine() not in calls.MACHINES or not sys.platform.startswith("linux"):
        return None
    if _works("bubblewrap"):
        return "bubblewrap"
    return "landlock" if lock.landlock_version() and _works("landlock") else None


def kind_for(unsafe: bool = False) -> Kind:
    """What to use. Raises: Misuse, if there is no box and `unsafe` is not asked for."""
    kind = best_kind()
    if kind is None and not unsafe:
        raise Misuse(NEEDED)
    return kind or "no box"


class Boxes:
    """Boxed processes that serve answers, one folder for each exercise; they end with `close`."""

    def __init__(self, kind: Kind) -> None:
        self.kind = kind
        self._folder = OwnFolder()
        self.path = Path(os.path.realpath(self._folder.name))
        (self.path / "lib").mkdir()
        write_library(self.path / "lib")
        self._forks: dict[str, Forks] = {}

    def start(self, exercise: Exercise, round: int) -> Forked:
        """A process that serves an answer to `exercise`. Raises: Misuse, if the box fails."""
        return self._of(exercise.number, partial(write_folder, exercise)).start(round)

    def reader(self) -> Forked:
        """A process that looks for answers in a submission. Raises: Misuse, if the box fails."""
        return self._of("reader", partial(write_folder, None), "reader").start()

    def tester(self) -> Forked:
        """A process that runs a learner's own tests. Raises: Misuse, if the box fails."""
        return self._of("tests", write_for_tests, "tests").start()

    def without_place(self, text: bytes) -> bytes:
        """What was said, without the name that the folder of the boxes has this time."""
        return text.replace(os.fsencode(self.path), b"/box")

    def close(self) -> None:
        """End the processes, and remove the folders."""
        for each in self._forks.values():
            each.close()
        self._folder.cleanup()

    def _of(self, name: str, write: Callable[[Path], None], module: str = "serve") -> Forks:
        if name not in self._forks:
            folder = self.path / name
            write(folder)
            own = (str(folder), str(self.path / "lib"))
            words = ["-m", f"raftlab.grading.child.{module}", self.kind]
            self._forks[name] = Forks(boxed(self.kind, own, words), self.kind != "bubblewrap")
        return self._forks[name]


def boxed(kind: Kind, own: Sequence[str], words: Sequence[str]) -> list[str]:
    """A Python in a box that imports from the folders `own`, and carries out `words`.

    In bubblewrap these folders have the same names each time, in `words` too.
    """
    python = [os.path.realpath(sys.executable), "-s", "-S", "-B", "-P"]
    if kind == "bubblewrap":
        inside = {each: f"/box-{place}" for place, each in enumerate(own)}
        for path, name in inside.items():
            words = [word.replace(path, name) for word in words]
        settings = _settings(_environment([*inside.values()]))
        return [str(shutil.which("bwrap")), *_mounts(inside), *settings, *python, *words]
    told = [f"{name}={value}" for name, value in _environment(own).items()]
    seen = readable(own) if kind == "landlock" else []
    return [str(shutil.which("env")), "-i", *told, *python, *words, *seen]


def _environment(own: Sequence[str]) -> dict[str, str]:
    return {"PYTHONHASHSEED": "0", "PYTHONPATH": ":".join(own), "PYTHONUTF8": "1"}


def _settings(environment: dict[str, str]) -> list[str]:
    found = ["--unshare-all", "--die-with-parent", "--new-session", "--cap-drop", "ALL"]
    found += ["--hostname", "box", "--clearenv"]
    for name, value in environment.items():
        found += ["--setenv", name, value]
    return [*found, "--remount-ro", "/", "--chdir", "/"]


def _mounts(own: Mapping[str, str]) -> list[str]:
    found = []
    for each in _roots():
        found += ["--ro-bind", each, each]
    for each in _installed():
        found += ["--tmpfs", each, "--remount-ro", each]
    for path, name in own.items():
        found += ["--ro-bind", path, name]
    for each in DEVICES:
        found += ["--dev-bind", each, each]
    return found


def readable(own: Sequence[str]) -> list[str]:
    """All that a process may read under Landlock: never a folder that holds installed packages."""
    hidden = _installed()
    found: list[str] = []

    def carve(path: str) -> None:
        if path in hidden:
            return
        if not any(each.startswith(f"{path}/") for each in hidden):
            found.append(path)
        else:
            for name in sorted(os.listdir(path)):
                carve(os.path.join(path, name))

    for each in _roots():
        carve(each)
    return list(dict.fromkeys([*(p for p in found if os.path.exists(p)), *own, *DEVICES]))


@cache
def _roots() -> tuple[str, ...]:
    """Python itself, and shared libraries; no root lies in another."""
    python = os.path.realpath(sys.executable)
    library = os.path.realpath(sysconfig.get_path("stdlib"))
    beside = os.path.dirname(library)
    known = [*SHARED, beside, python]
    there = [each for each in dict.fromkeys(known) if os.path.exists(each)]
    return tuple(each for each in there if not any(each.startswith(f"{other}/") for other in there))


@cache
def _installed() -> frozenset[str]:
    """The folders of installed packages beneath the roots, by their real names."""
    found: set[str] = set()
    for root in filter(os.path.isdir, _roots()):
        for folder, inner, _ in os.walk(root):
            hidden = [each for each in inner if each in INSTALLED]
            found |= {os.path.realpath(os.path.join(folder, each)) for each in hidden}
            inner[:] = [each for each in inner if each not in hidden]
    return frozenset(found)


def _works(kind: Kind) -> bool:
    """Whether a Python starts in this box."""
    if kind == "bubblewrap" and shutil.which("bwrap") is None:
        return False
    words = "import os, sys; from raftlab.grading.child import lock; lock.limit();"
    words += " lock.stop_clocks(); lock.read_only(sys.argv[1:]) if sys.argv[1:] else None;"
    words += " lock.refuse_calls(); lock.unload(); [each for each in range(99)]; os._exit(0)"
    with OwnFolder() as folder:
        child = Path(folder, "raftlab", "grading", "child")
        child.mkdir(parents=True)
        for each in (lock, calls):
            shutil.copy(str(each.__file__), child)
        command = boxed(kind, (os.path.realpath(folder),), ["-c", words])
        try:
            done = run(command, stdin=DEVNULL, capture_output=True, timeout=60)
        except (OSError, TimeoutExpired):
            return False
    return done.returncode == 0

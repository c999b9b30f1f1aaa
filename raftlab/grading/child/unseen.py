"""What shows things, where nobody looks: an answer that shows something loses nothing by it.

In a box there is no picture and no notebook. Their names are there, and do nothing; a frame is
told in a few lines of text. What `raftlab.view` has in a box is here, too. A
program's box has nothing of raftlab, so what this module needs of it is imported late.
"""

import builtins
import sys
from collections.abc import Callable, Iterator
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Any

SHOW = ("IPython", "anywidget", "ipywidgets", "matplotlib")
"""Packages that only show what there is: whatever is in them is there, and does nothing."""


class Nothing:
    """It takes every call, has every attribute, and is empty."""

    def __init__(self, *_: Any, **__: Any) -> None:
        pass

    def __getattr__(self, name: str) -> "Nothing":
        if name.startswith("__"):
            raise AttributeError(name)
        return self

    def __call__(self, *_: Any, **__: Any) -> "Nothing":
        """Nothing."""
        return self

    def __enter__(self) -> "Nothing":
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def __getitem__(self, _: object) -> "Nothing":
        return self

    def __iter__(self) -> Iterator["Nothing"]:
        return iter((self, self))  # a figure and its axes, say

    def __bool__(self) -> bool:
        return False


class Showing(ModuleType):
    """A module that only shows things."""

    def __getattr__(self, name: str) -> Nothing:
        if name.startswith("__"):
            raise AttributeError(name)
        return Nothing()


class _Finder:
    def find_spec(self, name: str, *_: Any) -> ModuleSpec | None:
        shows = name.partition(".")[0] in SHOW
        loader: Any = self
        return ModuleSpec(name, loader, is_package=True) if shows else None

    def create_module(self, spec: ModuleSpec) -> ModuleType:
        return Showing(spec.name)

    def exec_module(self, _: ModuleType) -> None:
        pass


def find() -> None:
    """Let what only shows things be there from now on, and do nothing."""
    sys.meta_path.append(_Finder())
    setattr(builtins, "display", lambda *_, **__: None)  # noqa: B010
    setattr(builtins, "get_ipython", Nothing)  # noqa: B010


def gone(name: str) -> type:
    """What stands for a name (raftlab.Cluster) that is not there: named it can be, and not used."""

    def __init__(self: Any, *_: Any, **__: Any) -> None:
        from raftlab.raft.vocabulary import Misuse

        raise Misuse(f"{name} is not there where answers are graded")

    return type(name.rpartition(".")[2], (), {"__init__": __init__})


# What `raftlab.view` is in a box


def describe_frame(frame: Any) -> str:
    """A cluster in a few lines: the moment, then each server."""
    lines = [f"{frame.at:.1f} ms, term {frame.term}:"]
    for each in frame.nodes:
        role = each.role.value if each.alive else "down"
        log = " ".join(str(entry.term) for entry in each.log)
        lines.append(
            f"{each.node}  {role}  term {each.term}  vote {each.voted_for or '-'}"
            f"  commit {each.commit_index}  log {log or '-'}"
        )
    return "\n".join(lines)


class Scene:
    """What a picture is in a box: text."""

    def __init__(self, text: str) -> None:
        self.text = text

    def _repr_mimebundle_(self, **_: object) -> dict[str, str]:
        return {"text/plain": self.text}


def scene_frame(frame: Any, *_: Any, **__: Any) -> Scene:
    """A cluster."""
    return Scene(describe_frame(frame))


def scene_of(shown: Any, *_: Any, **__: Any) -> Scene:
    """A log, or a run."""
    return Scene(repr(shown))


scene_log: Callable[..., Scene] = scene_of
scene_timeline: Callable[..., Scene] = scene_of


def reach_graph(_: Any) -> Any:
    """The graph of a frame is one of networkx. Raises: Misuse."""
    from raftlab.raft.vocabulary import Misuse

    raise Misuse("a frame has no graph() where tests are graded: look at its groups and its cuts")

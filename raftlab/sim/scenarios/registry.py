"""The list of named situations, and how a function becomes one of them."""

from collections.abc import Callable, Mapping
from functools import wraps
from inspect import getdoc
from typing import Any, ParamSpec

import msgspec

from raftlab.raft.vocabulary import Misuse, shown
from raftlab.sim.cluster import Cluster
from raftlab.sim.fixtures import played_by
from raftlab.sim.world.host import MachineFactory

Given = ParamSpec("Given")

BEFORE_AFTER = ("before", "after")
"""The panels of a situation in which a protection is missing."""


class Scenario(msgspec.Struct, frozen=True):
    """A named situation: calling it gives a live cluster that stands in it.

    * `title`: what it shows, in one sentence. `source`: where it comes from.
    * `panels`: the names of its pictures, one of which `function` takes first; may be none.
    * `breaks`: panel (or "") to the name of the property that is broken there: the
      cluster has stopped, and has `violation` set. A scenario that breaks nothing anywhere
      `is_sound`: its cluster can go on safely for ever.
    """

    name: str
    title: str
    source: str
    function: Callable[..., Cluster]
    panels: tuple[str, ...] = ()
    breaks: Mapping[str, str] = {}

    @property
    def is_sound(self) -> bool:
        """Whether no protection is missing that Raft needs to be safe."""
        return not self.breaks

    def __repr__(self) -> str:
        panels = f" ({', '.join(self.panels)})" if self.panels else ""
        return f"<Scenario {self.name}{panels}: {self.title}>"

    def __call__(self, *given: Any, machine: MachineFactory | None = None, **named: Any) -> Cluster:
        """The cluster, as `function` builds it: with a panel, if there are any, and `seed=`.

        With another `machine` its nodes are of that kind, a learner's own for instance.
        Raises: Misuse, where the situation needs what that machine cannot do.
        """
        if machine is None:
            return self.function(*given, **named)
        with played_by(machine):
            return self.function(*given, **named)


REGISTERED: dict[str, list[Scenario]] = {}
"""Every named situation, by the module that it stands in."""


def named_situation(
    panels: tuple[str, ...] = (), breaks: Mapping[str, str] | None = None
) -> Callable[[Callable[Given, Cluster]], Callable[Given, Cluster]]:
    """Enter a function in `REGISTERED`; the first and the last words of its docstring describe it.

    Its first paragraph is the title, and its last paragraph the source. It refuses a panel that
    is not one of `panels`.
    """

    def enter(function: Callable[Given, Cluster]) -> Callable[Given, Cluster]:
        name = getattr(function, "__name__", "")
        said = [" ".join(part.split()) for part in (getdoc(function) or name).split("\n\n")]
        made = _with_checked_panel(function, panels) if panels else function
        entered = Scenario(name, said[0], said[-1], made, panels, breaks or {})
        REGISTERED.setdefault(function.__module__, []).append(entered)
        return made

    return enter


def _with_checked_panel(
    function: Callable[Given, Cluster], panels: tuple[str, ...]
) -> Callable[Given, Cluster]:
    @wraps(function)
    def checked(*given: Given.args, **named: Given.kwargs) -> Cluster:
        panel = given[0] if given else named.get("panel", panels[0])
        if panel not in panels:
            raise Misuse(f"There is no panel {shown(panel)}; the panels are {', '.join(panels)}.")
        return function(*given, **named)

    return checked

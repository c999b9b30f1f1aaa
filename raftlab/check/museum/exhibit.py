"""One exhibit: a real mistake as one override, its source, and the run that shows it."""

from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from raftlab.raft.options import Options
from raftlab.raft.rules import Rules
from raftlab.sim.cluster import Cluster
from raftlab.sim.run.recording import Recording
from raftlab.sim.watch.properties import (
    Property,
)
from raftlab.sim.world.violation import Violation

PLAIN = Options.figure_2()


@dataclass(frozen=True, kw_only=True)
class Exhibit:
    """One mistake, and how it shows.

        exhibit("figure-8").cluster()               # a cluster that makes the mistake
        exhibit("figure-8").recording()             # the run that it leads to
        exhibit("figure-8").recording().attempt()   # the cluster at its end, quietly

    `wrong` is the mistake, as the one argument of `Cluster` that makes it; `given` are the
    others, which are the same without it. `run` drives the cluster. It ends in a
    `Violation` of `breaks`; where no property of one run is broken (`breaks` is None), it
    answers False, and True without the mistake. To `replay` a recording that breaks a property
    raises that `Violation` once more; to `attempt` it does not. `is_safety` says whether
    something wrong is done, rather than nothing at all. `campaign` are arguments of random
    runs in which the mistake can show, in place of those that chance would choose; beside those
    of `Cluster`,
    `verbs` names the troubles (functions of `random_verbs`, more often if named twice), and
    `afterwards` one fault or task that the healed cluster must stand (`aftermath`).

    In `source`, H, E, S, M and F numbers are rows of the catalogue of real bugs that the
    museum was furnished from; the numbers after them are the projects' own. "After" stands
    before a bug that is only akin.
    """

    name: str
    title: str
    source: str
    story: str
    wrong: Mapping[str, Any]
    run: Callable[[Cluster], object]
    breaks: Property | None = None
    is_safety: bool = False
    nodes: int = 3
    given: Mapping[str, Any] = field(default_factory=dict)
    campaign: Mapping[str, Any] = field(default_factory=dict)

    def cluster(self, wrong: bool = True, seed: int = 1, **changes: Any) -> Cluster:
        """The cluster in which it is shown, or the same one without the mistake."""
        given = {"options": PLAIN, **self.given, **(self.wrong if wrong else {}), **changes}
        return Cluster(self.nodes, seed=seed, **given)

    def recording(self, wrong: bool = True, seed: int = 1) -> Recording:
        """The run that breaks the property, or that goes nowhere; or the same one done right."""
        cluster = self.cluster(wrong, seed)
        with suppress(Violation):
            self.run(cluster)
        return cluster.recording

    @property
    def mistake(self) -> str:
        """The mistake in one sentence: what the override says of itself."""
        (thing,) = self.wrong.values()
        kind = thing if isinstance(thing, type) else type(thing)
        if issubclass(kind, Rules) or isinstance(thing, type):
            return (kind.__doc__ or "").strip()
        return f"{self.title[0].upper()}{self.title[1:]}."

    @property
    def shows_in(self) -> str:
        """The run in one sentence."""
        return (self.run.__doc__ or "").strip()

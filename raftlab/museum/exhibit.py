"""One exhibit: a real mistake as one override, its source, and the run that shows it."""

from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from inspect import getdoc, isfunction
from typing import Any, TypeAlias, TypeVar

import msgspec

from raftlab.check.campaign.faults import Verb
from raftlab.check.campaign.run_state import RandomRun
from raftlab.raft.machine import RaftStateMachine
from raftlab.raft.options import Options
from raftlab.raft.rules import Rules
from raftlab.raft.vocabulary import Misuse
from raftlab.sim.cluster import Cluster
from raftlab.sim.fixtures import PLAIN
from raftlab.sim.run.recording import Recording
from raftlab.sim.watch.properties import Property
from raftlab.sim.world.host import MachineFactory
from raftlab.sim.world.settings import Disks, Network
from raftlab.sim.world.violation import Violation

PostHealCheck: TypeAlias = Callable[[RandomRun], str | None]
"""One fault or task that a healed cluster must stand; what is wrong then, or None."""

Kind = TypeVar("Kind", bound=type)


class Tuning(msgspec.Struct, frozen=True, kw_only=True):
    """Random runs in which a mistake can show, in place of those that chance would choose.

    `verbs` are the troubles (more often if named twice; () for those of chance), `afterwards`
    is what the healed cluster must stand. The others are arguments of `Cluster`; where one is
    None, chance chooses.
    """

    verbs: tuple[Verb, ...] = ()
    afterwards: PostHealCheck | None = None
    nodes: int | None = None
    options: Options | None = None
    network: Network | None = None
    disks: Disks | None = None
    machine: MachineFactory | None = None

    @property
    def given(self) -> dict[str, Any]:
        """The arguments of `Cluster` that are not left to chance."""
        names = ("nodes", "options", "network", "disks", "machine")
        return {name: getattr(self, name) for name in names if getattr(self, name) is not None}


STOCK = Tuning()
"""All as chance has it."""


@dataclass(frozen=True, kw_only=True)
class Exhibit:
    """One mistake, and how it shows.

        exhibit("figure-8").cluster()               # a cluster that makes the mistake
        exhibit("figure-8").recording()             # the run that it leads to
        exhibit("figure-8").recording().attempt()   # the cluster at its end, quietly

    `wrong` is the mistake, as the one argument of `Cluster` that makes it, and `mistake` says
    it in a sentence; `given` are the other arguments, which are the same without it. `run`
    drives the cluster. It ends in a `Violation` of `breaks`; where no property of one run is
    broken (`breaks` is None), it answers False, and True without the mistake. To `replay` a
    recording that breaks a property raises that `Violation` once more; to `attempt` it does
    not. `is_safety` says whether something wrong is done, rather than nothing at all. `tuning`
    makes random runs fit it.

    In `source`, H, E, S, M and F numbers are rows of the catalogue of real bugs that the
    museum was furnished from; the numbers after them are the projects' own. "After" stands
    before a bug that is only akin.
    """

    name: str
    title: str
    story: str
    source: str
    wrong: Mapping[str, Any]
    run: Callable[[Cluster], object]
    mistake: str = ""
    breaks: Property | None = None
    is_safety: bool = False
    nodes: int = 3
    given: Mapping[str, Any] = field(default_factory=dict)
    tuning: Tuning = STOCK

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
    def shows_in(self) -> str:
        """The run in one sentence."""
        return sentence_of(self.run)


REGISTERED: dict[str, list[Exhibit]] = {}
"""The exhibits of each module, in the order in which they stand there."""


def exhibited(
    name: str,
    run: Callable[[Cluster], object],
    *,
    breaks: Property | None = None,
    is_safety: bool = False,
    nodes: int = 3,
    tuning: Tuning = STOCK,
    **given: Any,
) -> Callable[[Kind], Kind]:
    """Make an exhibit of a class: of rules, of a machine, or with one argument of `Cluster`.

        @exhibited("half-elects", two_pairs, breaks=ELECTION_SAFETY, nodes=4)
        class HalfIsEnough(Rules):
            '''Half of the votes win.

            Two votes of four are taken for a majority. …

            Source: hashicorp/raft 163a55f.
            '''

            def tally_vote(self, votes: Votes) -> ElectionResult:
                '''Half of the votes win.'''
                …

    The docstring has the title, the story and the source, a paragraph each; that of the method
    says what it gets wrong. The rest is as in `Exhibit`; what breaks a property `is_safety`.

    Raises: Misuse, for another docstring.
    """

    def register(kind: Kind) -> Kind:
        title, story, source = parts_of(kind)
        exhibit = Exhibit(
            name=name,
            title=title[0].lower() + title[1:].removesuffix("."),
            story=story,
            source=source.removeprefix("Source: ").removesuffix("."),
            wrong=wrong_of(kind),
            run=run,
            mistake=next(map(sentence_of, overrides_of(kind)), title),
            breaks=breaks,
            is_safety=is_safety or breaks is not None,
            nodes=nodes,
            given=given,
            tuning=tuning,
        )
        REGISTERED.setdefault(kind.__module__, []).append(exhibit)
        return kind

    return register


def parts_of(kind: type) -> list[str]:
    """The three paragraphs of an exhibit's docstring. Raises: Misuse, if there are not three."""
    parts = [" ".join(part.split()) for part in (getdoc(kind) or "").split("\n\n")]
    if len(parts) != 3 or not parts[2].startswith("Source: "):
        raise Misuse(
            f"the docstring of {kind.__qualname__} has not three paragraphs: give it a title, a"
            ' story, and a line that begins with "Source: "'
        )
    return parts


def wrong_of(kind: type) -> dict[str, Any]:
    """The one argument of `Cluster` that makes the mistake."""
    if issubclass(kind, Rules):
        return {"rules": kind()}
    if issubclass(kind, RaftStateMachine):
        return {"machine": kind}
    return {name: value for name, value in vars(kind).items() if not name.startswith("_")}


def overrides_of(kind: type) -> list[Callable[..., object]]:
    """The methods of a class and of those above it, its own first."""
    return [each for base in kind.__mro__ for each in vars(base).values() if isfunction(each)]


def sentence_of(function: Callable[..., object]) -> str:
    """What a function says of itself, on one line."""
    return " ".join((function.__doc__ or "").split())

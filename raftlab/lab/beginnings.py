"""What a lab can begin with, without any widget: a new cluster, or a named situation."""

from collections.abc import Callable
from typing import NamedTuple

from msgspec.structs import replace

from raftlab.raft.options import PROTECTIONS, Options
from raftlab.raft.vocabulary import Misuse, how_many
from raftlab.sim.cluster import Cluster
from raftlab.sim.scenarios import SCENARIOS, scenario
from raftlab.sim.world.arguments import seed_of

SIZES = (1, 2, 3, 4, 5, 6, 7, 9, 11, 15, 21, 31, 51)
"""How many nodes a new cluster can have."""

USUAL_SIZE = 5


class Beginning(NamedTuple):
    """A cluster to begin with: where it comes from, in a few words and in a sentence."""

    origin: str
    summary: str
    make: Callable[[], Cluster]


class Situation(NamedTuple):
    """A named situation, and which of its panels, if it has any."""

    name: str
    panel: str


SITUATIONS = tuple(
    (f"{name.replace('_', ' ')}{f' ({panel})' if panel else ''}", Situation(name, panel))
    for name, each in SCENARIOS.items()
    for panel in each.panels or ("",)
)
"""Every situation with its label, topic by topic."""


def new_cluster(size: int, seed: int, *protected: bool) -> Beginning:
    """A new cluster, with those of `PROTECTIONS` for which `protected` holds, in their order."""
    on = dict(zip(PROTECTIONS, protected, strict=True))
    options = replace(Options(), **on)
    named = [name.replace("_", "-") for name in PROTECTIONS if on[name]]
    what = ", ".join(named) or "Figure 2"
    if all(protected):
        what = "all protections"
    count = how_many(size, "node")
    return Beginning(
        f"{count}, seed {seed}",
        f"A new cluster: {count}, seed {seed}, {what}.",
        lambda: Cluster(size, seed=seed, options=options),
    )


def situation(which: Situation) -> Beginning:
    """A named situation, with its sentence. Raises: Misuse, if there is none of that name."""
    found = scenario(which.name)
    given = (which.panel,) if which.panel else ()
    return Beginning(which.name, sentence(which), lambda: found(*given))


def sentence(which: Situation) -> str:
    """What a situation shows."""
    return f"{scenario(which.name).title.rstrip('.')}."


def seed_in(words: str) -> int:
    """A seed as it was typed. Raises: Misuse, if it is none."""
    try:
        seed = int(words.strip())
    except ValueError:
        raise Misuse(f"A seed is a whole number, for instance 7, not {words[:40]!r}.") from None
    return seed_of(seed)

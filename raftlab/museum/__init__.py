"""The museum: real mistakes of real Raft systems, each one override, with the run it leads to.

    from raftlab.museum import EXHIBITS, exhibit

    exhibit("figure-8").story
    exhibit("figure-8").recording()

`table` measures what finds each of them.
"""

from difflib import get_close_matches
from types import ModuleType

from raftlab.museum import (
    commitment,
    elections,
    leases,
    membership,
    persistence,
    reads,
    replication,
    sessions,
    snapshots,
    stuck_changes,
    stuck_elections,
    stuck_reads,
    stuck_replication,
)
from raftlab.museum.exhibit import REGISTERED, Exhibit
from raftlab.raft.vocabulary import Misuse, shown

__all__ = ["EXHIBITS", "Exhibit", "exhibit"]

HALLS: tuple[ModuleType, ...] = (
    elections,
    persistence,
    replication,
    commitment,
    snapshots,
    sessions,
    membership,
    reads,
    leases,
    stuck_elections,
    stuck_replication,
    stuck_changes,
    stuck_reads,
)
"""The modules with exhibits: first those that do something wrong, then those that get nowhere."""

EXHIBITS: tuple[Exhibit, ...] = tuple(each for hall in HALLS for each in REGISTERED[hall.__name__])
"""Every exhibit: hall by hall, and in a hall as they stand there."""


def exhibit(name: str) -> Exhibit:
    """The exhibit of that name. Raises: Misuse, for an unknown one, with those that are near."""
    names = [each.name for each in EXHIBITS]
    if name in names:
        return EXHIBITS[names.index(name)]
    near = get_close_matches(str(name), names, n=4, cutoff=0.4)
    hint = f"did you mean {' or '.join(map(repr, near))}?" if near else "see EXHIBITS"
    raise Misuse(f"The museum has no exhibit {shown(name)}: {hint}")

"""Which exhibits an exhaustive search meets, and in how small a scope.

searched(exhibit("any-log-elects"))      # an Exploration, or None where no scope is known
"""

from collections.abc import Mapping

from raftlab.check.explore import Exploration, Scope, explore
from raftlab.museum.exhibit import Exhibit
from raftlab.sim.world.actions import Compact, Read

MEMORY_MB = 1_000.0

_READING = Scope(terms=2, entries=2, in_flight=5, actions=(Read(0.0, "", "x"),))
_USUAL = Scope(terms=2, entries=2, in_flight=4)
_ELECTION = Scope(terms=1, entries=1, in_flight=6)
_OVERWRITTEN = Scope(terms=2, entries=2, in_flight=4, restarts=1, heartbeats=1)

SCOPES: Mapping[str, Scope] = {
    "refusals-elect": _USUAL,
    "half-elects": _ELECTION,
    "old-votes": Scope(terms=3, entries=1, in_flight=5),
    "votes-again": _ELECTION,
    "any-log-elects": _USUAL,
    "last-term-elects": _USUAL,
    "term-never-rises": _OVERWRITTEN,
    "term-falls": _USUAL,
    "vote-not-saved": _OVERWRITTEN,
    "term-not-saved": _OVERWRITTEN,
    "log-not-saved": Scope(terms=2, entries=1, in_flight=4, restarts=1),
    "rewritten-not-saved": Scope(terms=3, entries=2, in_flight=4, restarts=1),
    "truncate-always": _OVERWRITTEN,
    "never-truncates": _OVERWRITTEN,
    "truncates-committed": _OVERWRITTEN,
    "sent-is-received": _USUAL,
    "leader-truncates": _USUAL,
    "index-for-term": _USUAL,
    "commit-past-verified": _USUAL,
    "best-copy-commits": _USUAL,
    "skips-entries": _USUAL,
    "commit-before-check": _OVERWRITTEN,
    "compacts-uncommitted": Scope(terms=2, entries=2, in_flight=4, actions=(Compact(0.0, "", 1),)),
    "commit-jumps": Scope(terms=2, entries=3, in_flight=4, duplicates=1),
    "deposed-leader-reads": _READING,
}
"""Exhibit -> a scope in which a search finds it in seconds."""


def searched(exhibit: Exhibit) -> Exploration | None:
    """The search that meets an exhibit's mistake; None, where no scope is known that would.

    None of these mistakes looks at names.
    """
    scope = SCOPES.get(exhibit.name)
    if scope is None:
        return None
    return explore(exhibit.cluster(), scope, symmetry=True, memory_mb=MEMORY_MB)


def states_searched(exhibit: Exhibit) -> int | None:
    """After how many states a search meets the mistake, as the kill table asks; None if not."""
    found = searched(exhibit)
    return None if found is None or found.violation is None else found.states

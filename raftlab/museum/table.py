"""The kill table: which checker catches each exhibit, how soon, and in how short a run.

    print(kill_table(quick=True))

or `make museum`, which prints it and writes `docs/museum.md`.
"""

from collections.abc import Callable, Iterable, Mapping
from statistics import median
from types import MappingProxyType

import msgspec
from msgspec.structs import replace

from raftlab.check.campaign.shrink_stuck import settles
from raftlab.check.shrink import shrink
from raftlab.museum import EXHIBITS, exhibit
from raftlab.museum.exhibit import Exhibit
from raftlab.museum.seeds import (
    CHECKERS,
    INVARIANTS,
    LINEARIZABILITY,
    SEARCH,
    Find,
    first_failure,
    is_seen_by_clients,
    stock_failure,
)
from raftlab.sim.cluster import Cluster

STARTS = (0, 10_000, 20_000, 30_000, 40_000)
MOST_SEEDS = 1000
QUICK_SEEDS = 200
STOCK_SEEDS = 1800
SHRINK_BUDGET = 1500
QUICK_BUDGET = 200
STUCK_BUDGET = 60  # each try waits for a peace that may not come

Searched = Callable[[Exhibit], int | None]
"""An exhaustive search: after how many states it meets the mistake, or None."""


class Row(msgspec.Struct, frozen=True):
    """What was measured of one exhibit.

    `killed_by` are the checkers that caught it, `said` what they said first, `runs` how many
    random runs it took from each start (None: not within the limit), `events` the length of
    the shortest run known, and `searched` after how many states an exhaustive search met it.
    `stock` is the first seed of a stock campaign, with nothing but the mistake, that shows it.
    """

    name: str
    title: str
    is_safety: bool
    breaks: str | None
    killed_by: tuple[str, ...]
    said: tuple[str, ...]
    runs: tuple[int | None, ...]
    events: int | None = None
    searched: int | None = None
    stock: int | None = None

    @property
    def is_killed(self) -> bool:
        """Whether any checker caught it."""
        return bool(self.killed_by)

    @property
    def seeds(self) -> float | None:
        """The median number of random runs; None if most starts needed more than the limit."""
        found = median(float("inf") if each is None else each for each in self.runs)
        return None if found == float("inf") else found


class KillTable(msgspec.Struct, frozen=True):
    """All rows, and how far random runs went: at most `limit` from each of `starts`.

    Stock campaigns went from seed 0 up to, and not including, `stock_limit`.
    """

    rows: tuple[Row, ...]
    starts: tuple[int, ...]
    limit: int
    stock_limit: int = 0

    def __getitem__(self, name: str) -> Row:
        """The row of an exhibit. Raises: KeyError, if there is none."""
        for row in self.rows:
            if row.name == name:
                return row
        raise KeyError(name)

    @property
    def survivors(self) -> tuple[Row, ...]:
        """The exhibits that nothing caught."""
        return tuple(row for row in self.rows if not row.is_killed)

    def encode(self) -> bytes:
        """The table as JSON; equal tables give equal bytes."""
        return msgspec.json.encode(self)

    def __str__(self) -> str:
        cells = [HEADER, *map(self._cells, self.rows)]
        widths = [max(len(row[place]) for row in cells) for place in range(len(HEADER))]
        lines = ["  ".join(map(str.ljust, row, widths)).rstrip() for row in cells]
        return "\n".join([self.summary, "", lines[0], "-" * len(lines[0]), *lines[1:]])

    def as_markdown(self) -> str:
        """The same table in Markdown, as it stands in `docs/museum.md`."""
        rows = [HEADER, tuple("---" for _ in HEADER), *map(self._cells, self.rows)]
        return "\n".join(f"| {' | '.join(row)} |" for row in rows)

    @property
    def summary(self) -> str:
        """How many were caught, in a sentence."""
        safety = [row for row in self.rows if row.is_safety]
        stuck = [row for row in self.rows if not row.is_safety]
        found = sum(row.stock is not None for row in self.rows)
        stock = (
            f" {found} of {len(self.rows)} are found by a stock campaign of"
            f" {self.stock_limit:,} seeds."
        )
        return (
            f"{sum(row.is_killed for row in safety)} of {len(safety)} mistakes that do something"
            f" wrong are caught, and {sum(row.is_killed for row in stuck)} of {len(stuck)} that"
            f" get nowhere; at most {self.limit} random runs from"
            f" {'one start' if len(self.starts) == 1 else f'each of {len(self.starts)} starts'}."
        ) + (stock if self.stock_limit else "")

    def _cells(self, row: Row) -> tuple[str, ...]:
        seeds = f"> {self.limit}" if row.seeds is None else f"{row.seeds:g}"
        kind = row.breaks or ("what clients see" if row.is_safety else "liveness")
        caught = ", ".join(row.killed_by) or "nothing"
        events, searched, stock = or_dash(row.events), or_dash(row.searched), or_dash(row.stock)
        if row.stock is None and self.stock_limit:
            stock = f"≥ {self.stock_limit}"
        return (row.name, kind, caught, seeds, stock, events, searched)


HEADER = (
    "exhibit",
    "breaks",
    "caught by",
    "runs (median)",
    "stock seed",
    "shortest run",
    "states searched",
)


def or_dash(number: int | None) -> str:
    """A count, or a dash where nothing was measured."""
    return "–" if number is None else str(number)


def kill_table(
    exhibits: Iterable[Exhibit | str] = EXHIBITS,
    quick: bool = False,
    progress: Callable[[Row], None] | None = None,
    searched: Searched | None = None,
    known: Mapping[str, Row] = MappingProxyType({}),
) -> KillTable:
    """Measure each exhibit; `progress` hears of every row as soon as it is there.

    `quick` tries one start and at most 200 runs, and shrinks only a little: what CI has time
    for. Otherwise five starts, at most 1,000 runs from each, and the median counts. `searched`
    is an exhaustive search to try as well. A stock campaign is tried unless `quick`. Rows in
    `known`, by the exhibit's name, are taken as they are.
    """
    starts, limit = (STARTS[:1], QUICK_SEEDS) if quick else (STARTS, MOST_SEEDS)
    stock_limit = 0 if quick else STOCK_SEEDS
    rows = []
    for each in map(named, exhibits):
        if each.name in known:
            rows.append(known[each.name])
            continue
        row = measure(each, starts, limit, QUICK_BUDGET if quick else SHRINK_BUDGET)
        if stock_limit:
            row = replace(row, stock=stock_failure(each, stock_limit))
        if searched is not None:
            row = with_search(row, searched(each))
        if progress is not None:
            progress(row)
        rows.append(row)
    return KillTable(tuple(rows), starts, limit, stock_limit)


def named(which: Exhibit | str) -> Exhibit:
    """An exhibit, or the one of that name. Raises: Misuse."""
    return exhibit(which) if isinstance(which, str) else which


def measure(each: Exhibit, starts: tuple[int, ...], limit: int, budget: int) -> Row:
    """One row: random runs from every start, what clients saw of the first find, the shortest."""
    finds = [first_failure(each, start, limit) for start in starts]
    found = [find for find in finds if find is not None]
    caught = {find.checker for find in found}
    if found and each.is_safety and is_seen_by_clients(each, found[0].seed):
        caught.add(LINEARIZABILITY)
    return Row(
        each.name,
        each.title,
        each.is_safety,
        each.breaks.name if each.breaks else None,
        tuple(checker for checker in CHECKERS if checker in caught),
        tuple(dict.fromkeys(message_of(find) for find in found)),
        tuple(find.runs if find else None for find in finds),
        shortest(each, budget),
    )


def message_of(find: Find) -> str:
    """What was said of a random run, without the seed's own numbers and names."""
    return find.said if find.checker == INVARIANTS else find.checker


def shortest(which: Exhibit, budget: int) -> int | None:
    """How many events the shortest run has that breaks the exhibit's property.

    For one that gets nowhere: after how many events peace does not come any more, where that
    can be told and `budget` is not a quick one. None, if that cannot be told.
    """
    recording = which.recording()
    if which.breaks is not None:
        return len(shrink(recording, which.breaks, budget))
    if budget < SHRINK_BUDGET or not gets_nowhere(recording.attempt()):
        return None
    return len(shrink(recording, gets_nowhere, STUCK_BUDGET))


def gets_nowhere(cluster: Cluster) -> bool:
    """Whether a cluster does not recover when all troubles end."""
    return not settles(cluster, 0)


def with_search(row: Row, searched: int | None) -> Row:
    """The row, with what an exhaustive search has found."""
    if searched is None:
        return row
    caught = {*row.killed_by, SEARCH}
    killed_by = tuple(each for each in CHECKERS if each in caught)
    return replace(row, searched=searched, killed_by=killed_by)

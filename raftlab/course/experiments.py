"""Experiments that need many runs: how long a cluster is without a leader (the paper's Figure 16).

    times = election_times((150, 300))             # a thousand elections
    show_election_times({"150-300 ms": times})     # the figure, with its table as text

The worst case of the paper's section 9.3, in virtual time. At 0 ms the last heartbeat of
the leader, S1, reaches all followers at once, so that their timers start together; S1
crashes at a random moment of the next heartbeat interval, which is half the shortest
election timeout. Every node's log has another length, so that of the four that are left
only S2 and S3 can win.
"""

import random
from collections.abc import Mapping, Sequence
from functools import cache, lru_cache
from math import inf, isfinite
from statistics import median
from typing import TYPE_CHECKING, TypeAlias

from raftlab.raft.figure2 import Figure2
from raftlab.raft.options import Options
from raftlab.raft.roles import Role
from raftlab.raft.vocabulary import Millis, Misuse
from raftlab.sim.cluster import Cluster
from raftlab.sim.world.settings import Network
from raftlab.view.words import table

if TYPE_CHECKING:
    from raftlab.view.charts import Chart

Range: TypeAlias = tuple[Millis, Millis]

LATENCY: Range = (1.0, 9.0)
"""One way, ms. With 1 ms for each write, asking all and hearing from all takes 15 ms: the
paper's "broadcast time of roughly 15 ms"."""

LIMIT_MS: Millis = 1000.0
"""How long an election may take; after that we stop looking."""

TOP: tuple[Range, ...] = tuple((150, high) for high in (150, 151, 155, 175, 200, 300))
"""The election timeouts (min, max) of the paper's upper panel: more and more randomness."""

BOTTOM: tuple[Range, ...] = ((12, 24), (25, 50), (50, 100), (100, 200), (150, 300))
"""The election timeouts (min, max) of the paper's lower panel: shorter and shorter."""

LOGS = {"S1": [1] * 5, "S2": [1] * 4, "S3": [1] * 3, "S4": [1] * 2, "S5": [1]}
ELIGIBLE = ("S2", "S3")
"""Whose logs three of the five nodes, themselves among them, find up to date once S1 is down."""

POINTS = 100
"""How many steps a line of the figure has at most."""


def crashed_leader(
    election_timeout: Range, seed: int = 0, latency: Range = LATENCY, watched: bool = True
) -> Cluster:
    """Five nodes whose leader, S1, has crashed just now; what follows is one election.

    Their machines are those of Figure 2 alone. Nobody has noticed yet. `now` is the time since
    the leader's last heartbeat (ms). Paper: 9.3.
    """
    cluster = Cluster(
        5,
        seed=seed,
        machine=Figure2,
        options=_options(*election_timeout),
        network=_network(*latency),
        logs=LOGS,
        watched=watched,
    )
    interval = election_timeout[0] / 2
    cluster.run(interval * random.Random(f"raftlab crash {seed}").random())
    cluster.crash("S1")
    return cluster


@cache
def _options(low: Millis, high: Millis) -> Options:
    return Options.figure_2(election_timeout=(low, high), heartbeat_interval=low / 2)


@cache
def _network(low: Millis, high: Millis) -> Network:
    return Network(latency=(low, high))


def time_to_leader(cluster: Cluster, limit_ms: Millis = LIMIT_MS) -> Millis:
    """Run until somebody leads: how long that took (ms), or `inf` if not within `limit_ms`."""
    start = cluster.now
    first, second = (cluster.hosts[node].machine for node in ELIGIBLE)
    leads = Role.LEADER
    elected = cluster.run_until(lambda _: first.role is leads or second.role is leads, limit_ms)
    return cluster.now - start if elected else inf


@lru_cache(maxsize=64)
def election_times(
    election_timeout: Range,
    trials: int = 1000,
    *,
    latency: Range = LATENCY,
    limit_ms: Millis = LIMIT_MS,
) -> tuple[Millis, ...]:
    """How long `trials` clusters were without a leader (ms), in the order of their seeds.

    The time for seed 7 is that of `crashed_leader(election_timeout, 7)`. Asked the same
    thing again, it remembers. Paper: 9.3.

    Raises: Misuse, for fewer trials than one.
    """
    if trials < 1:
        raise Misuse(f"an experiment needs at least one trial, not {trials}")
    return tuple(
        time_to_leader(crashed_leader(election_timeout, seed, latency, watched=False), limit_ms)
        for seed in range(trials)
    )


def figure_16(panel: Sequence[Range], trials: int = 1000) -> dict[str, tuple[Millis, ...]]:
    """The times of one panel of the paper's Figure 16, by name ("150-300 ms").

    Where the timeouts differ by no more than the fastest message takes, nobody is heard in time
    and votes split again and again: there a tenth of the trials is enough, as in the paper.
    """
    return {
        f"{low:g}-{high:g} ms": election_times(
            (low, high), trials if high - low > LATENCY[0] else trials // 10
        )
        for low, high in panel
    }


def describe_election_times(samples: Mapping[str, Sequence[Millis]]) -> str:
    """The times as a table: how many never had a leader, the median, and how long the worst were.

    Whole ms; "-" where there was no leader by then.
    """
    rows = []
    for name, times in samples.items():
        ordered = sorted(times)
        late = sum(not isfinite(time) for time in times)
        worst_of_100 = ordered[(len(ordered) * 99 - 1) // 100]
        figures = (ordered[0], median(ordered), worst_of_100, ordered[-1])
        rows.append([name, str(len(times)), str(late), *map(_whole, figures)])
    header = ["timeout", "elections", "no leader", "shortest", "median", "99 of 100", "longest"]
    title = "Time from the leader's crash to a new leader (ms)."
    return f"{title}\n\n{table(header, rows, right=range(1, 7))}"


def show_election_times(samples: Mapping[str, Sequence[Millis]]) -> "Chart":
    """The share of elections that were over after so many ms; its text twin is the table.

    Where fewer than one in a hundred ended there is no line, only the count. Paper: Figure 16.

    Raises: ValueError, if there is no line at all.
    """
    from raftlab.view.charts import Chart, loose_axes, plot_election_times
    from raftlab.view.plot import own_settings

    elected = {name: sum(map(isfinite, times)) for name, times in samples.items()}
    drawn = [name for name, times in samples.items() if 100 * elected[name] >= len(times)]
    curves = {name.removesuffix(" ms"): thinned(samples[name]) for name in drawn}
    axes = plot_election_times(curves, loose_axes())  # short names stand clear of other curves
    few = [
        f"{name}: a leader in {elected[name]} of {len(samples[name])}"
        for name in samples
        if name not in drawn
    ]
    with own_settings():
        axes.text(
            0.98, 0.02, "\n".join(few), transform=axes.transAxes, ha="right", va="bottom", size=10
        )
    return Chart(axes, describe_election_times(samples))


def thinned(times: Sequence[Millis]) -> list[Millis]:
    """At most `POINTS` of the times, evenly by rank, the longest among them: the same line."""
    ordered = sorted(times)
    if len(ordered) <= POINTS:
        return ordered
    return [ordered[(place * len(ordered) - 1) // POINTS] for place in range(1, POINTS + 1)]


def _whole(time: Millis) -> str:
    return f"{time:.0f}" if isfinite(time) else "-"

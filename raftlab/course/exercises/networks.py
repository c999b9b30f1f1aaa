"""Clusters in networks of one speed, with election timeouts that somebody has chosen for it."""

from statistics import median
from typing import Any

from raftlab.course.exercises import guard
from raftlab.raft.options import Options
from raftlab.raft.vocabulary import Millis, Misuse, Term
from raftlab.sim.cluster import Cluster
from raftlab.sim.world.settings import Network

CRASHES = 20
"""How many leaders crash, each in a cluster of its own."""
AT_ONCE = 15
"""How many of these elections have to succeed at the first try."""
PATIENCE = 60
"""For how many times the longest one-way time a cluster may be without a leader, by the median."""


def problem_with(timeouts: Any, one_way: Millis) -> str | None:
    """What goes wrong in a network of this speed with these timeouts, or None."""
    match timeouts:
        case (int() | float() as low, int() | float() as high) if 0 < low < high < 1e9:
            pass
        case (int() | float() as low, int() | float() as high) if low >= high:
            return f"it answers {guard.described(timeouts, 40)}, and low has to be less than high"
        case _:
            return f"it answers {guard.described(timeouts, 40)}, and not (low, high)"
    try:
        options = Options.figure_2(election_timeout=(low, high), heartbeat_interval=low / 2)
    except Misuse as problem:
        return f"it answers {guard.described(timeouts, 40)}: {problem}"
    told = f"it answers ({low:g}, {high:g})"
    waits, at_once = [], 0
    for seed in range(CRASHES):
        cluster = _led(options, one_way, seed)
        if cluster is None:
            return f"{told}: no leader within {PATIENCE * one_way:g} ms after the start"
        term = _highest_term(cluster)
        cluster.run(10 * low)
        if _highest_term(cluster) != term:
            return f"{told}: a leader that works is deposed; its heartbeats come too late"
        waited = _without_leader(cluster, one_way)
        waits.append(waited)
        at_once += _highest_term(cluster) == term + 1
    if median(waits) > PATIENCE * one_way:
        longest = f"{PATIENCE * one_way:g} ms"
        return f"{told}: after a crash there is mostly no leader for more than {longest}"
    if at_once < AT_ONCE:
        return f"{told}: of {CRASHES} elections {CRASHES - at_once} had to be repeated"
    return None


def _led(options: Options, one_way: Millis, seed: int) -> Cluster | None:
    network = Network(latency=(one_way / 3, one_way))
    cluster = Cluster(5, seed=seed, options=options, network=network, watched=False)
    limit = max(PATIENCE * one_way, 3 * options.election_timeout[1])
    return cluster if cluster.run_until(lambda each: each.leader is not None, limit) else None


def _without_leader(cluster: Cluster, one_way: Millis) -> Millis:
    """How long it takes to find a new leader after the present one has crashed (ms)."""
    before, start = cluster.leader, cluster.now
    assert before is not None
    cluster.crash(before)
    cluster.run_until(lambda each: each.leader is not None, 4 * PATIENCE * one_way)
    return cluster.now - start


def _highest_term(cluster: Cluster) -> Term:
    return max(host.machine.term for host in cluster.hosts.values())

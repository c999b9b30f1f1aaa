"""What several exhibits have in common: conditions, random runs, and the runs themselves."""

from collections.abc import Callable

from raftlab.check.campaign.faults import crash, crash_leader, cut, isolate, partition, timeout
from raftlab.museum.exhibit import Tuning
from raftlab.raft.messages import InstallSnapshot
from raftlab.raft.options import Options
from raftlab.raft.votes import ElectionResult
from raftlab.sim.cluster import Cluster
from raftlab.sim.fixtures import PLAIN, commit, is_a, settle, until_sent, with_entry
from raftlab.sim.world.settings import Network

SMALL = Tuning(
    nodes=3, options=PLAIN, verbs=(isolate, partition, timeout, crash, crash_leader, cut)
)
"""Random runs of a small cluster that knows Figure 2 alone, where leaders come and go."""

CALM = Tuning(
    nodes=3,
    options=Options(),
    network=Network(),
    verbs=(isolate, partition, timeout, crash, cut),
)
"""Random runs of a small cluster with all protections, whose members stay the same."""

NO_COPIES = Tuning(network=Network(loss=0.1, reordering=0.3))
"""A bad network, which doubles nothing: what answers each answer would fill it."""

FAST = Network(latency=(1.0, 2.0))
ALL = Options(catch_up_first=False)
LEASES = Options(lease_reads=True, check_quorum=False)
ONE_BY_ONE = Options.figure_2(single_server_changes=True)


def won_if(won: bool) -> ElectionResult:
    """Won, or still open."""
    return ElectionResult.WON if won else ElectionResult.UNKNOWN


def commit_and_answer(cluster: Cluster, command: str) -> None:
    """Let the newest leader commit a command, and its client know."""
    commit(cluster, command)
    cluster.run(5)


def first_election(cluster: Cluster) -> None:
    """S1 asks for votes."""
    settle(cluster, "S1", 200)


def entry_3_is_late(cluster: Cluster, ask: Callable[[], object]) -> None:
    """Entry 2 is acknowledged while entry 3, which S1 is asked for, is still on its way."""
    settle(cluster, "S1", 200)
    cluster.propose("x=1")
    cluster.run(2)
    ask()
    for node in ("S2", "S3"):
        cluster.delay(until_sent(cluster, "S1", node, with_entry(3)), 30)
    cluster.run(200)


def one_command(cluster: Cluster) -> None:
    """One election, one command."""
    settle(cluster, "S1", 200)
    cluster.propose("x=1")
    cluster.run(200)


def stale_tail(cluster: Cluster) -> None:
    """S3 led, and has two entries that nobody else has; S1 leads now, and S3 is cut off."""
    settle(cluster, "S3", 200)
    cluster.isolate("S3")
    cluster.propose("stale=1", to="S3")
    cluster.propose("stale=2", to="S3")
    cluster.run(20)
    settle(cluster, "S1", 100)


def stale_tail_meets_leader(cluster: Cluster) -> None:
    """S3 comes back, with entries that nobody else has."""
    stale_tail(cluster)
    cluster.propose("x=1", to="S1")
    cluster.run(100)
    cluster.heal()
    cluster.run(300)


def left_behind_a_snapshot(cluster: Cluster) -> int:
    """S3 missed what S1 has compacted; the number of the snapshot that S1 sends it."""
    settle(cluster, "S1", 200)
    cluster.isolate("S3")
    cluster.propose("x=1")
    cluster.run(100)
    cluster.compact("S1")
    cluster.heal()
    return until_sent(cluster, "S1", "S3", is_a(InstallSnapshot))

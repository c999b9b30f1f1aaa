"""Section 5.6: timing and availability."""

import pytest

from raftlab.raft.options import Options
from raftlab.raft.roles import Role
from raftlab.sim.cluster import Cluster
from raftlab.sim.world.settings import Disks, Network

MANY_SEEDS = range(6)


@pytest.mark.parametrize("seed", MANY_SEEDS)
@pytest.mark.parametrize(
    "network",
    [
        Network(latency=(200.0, 900.0)),
        Network(latency=(0.0, 400.0), loss=0.2, duplication=0.2, reordering=0.5),
        Network(latency=(0.0, 0.0)),
    ],
    ids=["slower than a timeout", "wild", "instant"],
)
def test_safety_does_not_depend_on_timing(seed, network):
    """Paper: 5.6. However fast or slow things are, no property that is watched breaks."""
    cluster = Cluster(5, seed=seed, network=network, options=Options.figure_2())
    for number in range(12):
        cluster.run(250)
        if cluster.leader is not None:
            cluster.propose(f"x={number}")
    assert cluster.violation is None
    assert cluster.engine.world.alarms == []


def test_with_broadcasts_much_shorter_than_timeouts_there_is_a_steady_leader():
    """Paper: 5.6. The first inequality holds, and the leader stays."""
    for seed in MANY_SEEDS:
        cluster = Cluster(5, seed=seed, network=Network(latency=(0.5, 5.0)))
        first = cluster.elect()
        term = cluster.hosts[first].machine.term
        cluster.run(5_000)
        assert (cluster.leader, cluster.hosts[first].machine.term) == (first, term)


def test_with_broadcasts_longer_than_timeouts_there_is_none():
    """Paper: 5.6. The first inequality fails: one campaign after the other, and no progress."""
    slow = Network(latency=(400.0, 500.0))
    for seed in MANY_SEEDS:
        cluster = Cluster(5, seed=seed, network=slow, options=Options.figure_2())
        cluster.run(5_000)
        assert max(host.machine.term for host in cluster.hosts.values()) > 5
        assert cluster.commit_index == 0


def test_slow_disks_are_part_of_the_broadcast_time():
    """Paper: 5.6. An answer waits for a write."""
    quick, slow = (
        Cluster(3, seed=1, disks=Disks(write_ms=ms), network=Network(latency=(1.0, 1.0)))
        for ms in (0.5, 40.0)
    )
    took = []
    for cluster in (quick, slow):
        cluster.elect()
        cluster.run(300)
        index, start = cluster.propose("x=1"), cluster.now
        assert cluster.run_until(lambda each, index=index: each.commit_index >= index)
        took.append(cluster.now - start)
    assert took[0] == pytest.approx(2 * 1.0 + 2 * 0.5)
    assert took[1] == pytest.approx(2 * 1.0 + 2 * 40.0)


def test_while_nobody_leads_nothing_is_committed_and_it_lasts_about_a_timeout():
    """Paper: 5.6. So much unavailability for each crash of a leader."""
    for seed in MANY_SEEDS:
        cluster = Cluster(5, seed=seed, options=Options.figure_2())
        cluster.elect()
        cluster.run(500)
        crashed, committed = cluster.now, cluster.commit_index
        cluster.crash(cluster.leader)
        assert cluster.run_until(lambda each: each.leader is not None)
        assert cluster.commit_index == committed
        assert 0 < cluster.now - crashed < 3 * 300
        assert cluster.hosts[cluster.leader].machine.role is Role.LEADER


def time_with_a_leader(between_crashes: float) -> float:
    """The share of 20 seconds in which a majority follows a leader, which crashes so often."""
    cluster = Cluster(5, seed=1, options=Options.figure_2())
    served = 0
    crash_at, down = between_crashes, []
    for _ in range(400):
        cluster.run(50)
        leader = cluster.leader
        following = [host for host in cluster.hosts.values() if host.alive and leader]
        served += sum(cluster.machine(host.node).leader == leader for host in following) >= 3
        if cluster.now >= crash_at:
            crash_at += between_crashes
            if down:
                cluster.restart(down.pop())
            if leader is not None:
                cluster.crash(leader)
                down.append(leader)
    return served / 400


def test_with_timeouts_much_shorter_than_the_time_between_failures_there_is_steady_progress():
    """Paper: 5.6. The second inequality: each crash costs about one election timeout."""
    assert time_with_a_leader(5_000) > 0.9
    assert time_with_a_leader(300) < 0.6

"""Clocks that run too fast or too slow, disks that are slow, writes that overlap."""

import pytest
from msgspec.structs import replace

from raftlab import Cluster, Disks, Misuse, Network, Options, Role, Violation
from raftlab.museum.leases import slow_clock
from raftlab.museum.persistence import slow_leader
from raftlab.museum.runs import FAST, LEASES
from raftlab.sim.world.host import Clock

WRITES_LATER = Options(async_persistence=True)


# Clocks


def test_a_fast_clock_campaigns_early_and_a_slow_one_late():
    def first_campaign(rate: float) -> float:
        cluster = Cluster(1, seed=1)
        cluster.set_clock_rate("S1", rate)
        cluster.run_until(lambda each: each.leader == "S1")
        return cluster.now - 1.0  # the write of its vote

    true = first_campaign(1.0)
    assert first_campaign(2.0) == pytest.approx(true / 2)
    assert first_campaign(0.5) == pytest.approx(true * 2)


def test_a_clock_goes_on_from_where_it_was():
    clock = Clock(2.0, 100.0, 40.0)
    assert (clock.at(100.0), clock.at(110.0)) == (40.0, 60.0)
    assert clock.when(60.0) == 110.0


def test_a_clock_never_goes_back():
    clock = Clock(0.3, 0.0, 0.0)
    clock.latest = 5.0
    assert clock.at(1.0) == 5.0


@pytest.mark.parametrize("seed", range(5))
def test_a_cluster_works_with_clocks_of_any_rate(seed):
    """Timers and messages fall on one moment (every latency is 10 ms): rounding must not hurt."""
    cluster = Cluster(3, seed=seed, network=Network(latency=(10.0, 10.0)))
    for node, rate in zip(cluster.nodes, (0.7, 1.1, 1.3), strict=True):
        cluster.set_clock_rate(node, rate)
    cluster.elect()
    cluster.propose("x=1")
    cluster.run(5000)
    assert {host.application.get("x") for host in cluster.hosts.values()} == {"1"}


def test_a_crash_does_not_set_a_clock_right():
    cluster = Cluster(1, seed=1)
    cluster.set_clock_rate("S1", 2.0)
    cluster.run(100)
    cluster.crash("S1")
    cluster.run(100)
    cluster.restart("S1")
    assert cluster.machine("S1").now == pytest.approx(400.0)
    assert cluster.frame()["S1"].clock_rate == 2.0


@pytest.mark.parametrize("rate", [0, -1, 1000, float("nan"), "fast"])
def test_a_rate_that_no_clock_has_is_refused(rate):
    with pytest.raises(Misuse, match="a clock runs"):
        Cluster(1).set_clock_rate("S1", rate)


def test_leases_hold_as_long_as_clocks_keep_to_the_bound():
    cluster = Cluster(3, seed=1, network=FAST, options=replace(LEASES, clock_drift_bound=2.0))
    slow_clock(cluster)
    assert cluster.violation is None


def test_leases_show_the_past_when_clocks_do_not():
    """Thesis 6.4.1: this is what leases count on."""
    cluster = Cluster(3, seed=1, network=FAST, options=replace(LEASES, clock_drift_bound=1.1))
    with pytest.raises(Violation, match="Reads Are Current"):
        slow_clock(cluster)


# Disks


def test_a_slow_disk_holds_up_what_its_node_says():
    cluster = Cluster(3, seed=1)
    cluster.elect("S1")
    cluster.run(200)
    cluster.slow_disk("S2", 90)
    cluster.slow_disk("S3", 90)
    cluster.propose("x=1")
    cluster.run(90)
    assert cluster.commit_index == 1
    cluster.run(60)
    assert cluster.commit_index == 2


def test_a_majority_commits_while_the_leader_writes():
    """Thesis: 10.2.1."""
    cluster = Cluster(3, seed=1, options=WRITES_LATER)
    cluster.elect("S1")
    cluster.run(200)
    cluster.slow_disk("S1", 200)
    cluster.propose("x=1")
    assert cluster.run_until(lambda each: each.commit_index == 2, 100)
    assert not cluster.hosts["S1"].disk.holds(2, 1)


def test_a_leader_that_writes_is_not_counted():
    cluster = Cluster(3, seed=1, options=WRITES_LATER)
    slow_leader(cluster)
    assert cluster.commit_index == 1
    cluster.run(200)
    assert cluster.commit_index == 2


def test_many_writes_are_under_way_and_end_in_order():
    cluster = Cluster(1, seed=1, options=WRITES_LATER, disks=Disks(write_ms=10.0))
    cluster.elect()
    cluster.run(50)
    for value in range(5):
        cluster.propose(f"x={value}")
    assert len(cluster.hosts["S1"].disk.writes) >= 5
    ends = []
    while cluster.hosts["S1"].disk.writes:
        cluster.step()
        ends.append(cluster.hosts["S1"].disk.last_index)
    assert ends == sorted(ends)
    assert cluster.hosts["S1"].application.get("x") == "4"


def test_what_comes_when_a_write_ends_does_not_overtake_it():
    """Everything takes 10 ms, messages and writes: they fall on one moment."""
    cluster = Cluster(
        3, seed=1, options=WRITES_LATER, disks=Disks(10.0), network=Network(latency=(10.0, 10.0))
    )
    cluster.elect("S1")
    for value in range(30):
        cluster.propose(f"x={value}")
        cluster.run(10)
    cluster.run(500)
    assert {host.application.get("x") for host in cluster.hosts.values()} == {"29"}
    assert [len(host.disk.writes) for host in cluster.hosts.values()] == [0, 0, 0]


def test_what_was_written_while_a_node_stood_still_counts_before_what_has_waited():
    """S1 leads alone and stands still; its write ends, and S2, removed, asks it for a vote."""
    options = Options.figure_2(single_server_changes=True, async_persistence=True)
    cluster = Cluster(2, seed=1, options=options)
    cluster.elect("S1")
    cluster.run(100)
    cluster.isolate("S2")
    cluster.remove("S2")
    cluster.run(20)
    cluster.slow_disk("S1", 30)
    index = cluster.propose("x=1")
    cluster.pause("S1")
    cluster.heal()
    cluster.timeout("S2")
    cluster.run(100)
    cluster.resume("S1")
    assert cluster.machine("S1").commit_index == index
    assert cluster.machine("S1").role is Role.FOLLOWER

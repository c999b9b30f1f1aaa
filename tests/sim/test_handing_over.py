"""Handing leadership over in a whole cluster, and disks that nobody waits for."""

import pytest

from raftlab import Cluster, Disks, Network, Options, Violation
from raftlab.raft.vocabulary import Configuration

STEADY = Network(latency=(5.0, 5.0))


@pytest.mark.parametrize("seed", range(4))
def test_leadership_goes_to_a_node_that_lives(seed):
    cluster = Cluster(3, seed=seed)
    leader = cluster.elect()
    cluster.run(200)
    dead, living = (node for node in cluster.nodes if node != leader)
    cluster.crash(dead)
    cluster.run(60)
    cluster.transfer()
    cluster.run(300)
    assert cluster.leader == living


def test_leadership_goes_where_it_was_asked_to_although_members_have_just_changed():
    cluster = Cluster(4, seed=1)
    cluster.elect()
    cluster.propose("a=1")
    cluster.run(200)
    cluster.remove("S4")
    asked = cluster.now
    cluster.transfer("S1")
    cluster.run_until(lambda each: each.leader not in (None, "S2"))
    assert (cluster.leader, round(cluster.now - asked)) == ("S1", 59)
    cluster.run(600)
    assert cluster.leader == "S1"
    assert cluster.configuration == Configuration(("S1", "S2", "S3"))


def changed(cluster: Cluster, what: str, others: list[str]) -> None:
    """Ask for another configuration, in which the first of the others keeps its vote."""
    if what == "remove":
        cluster.remove(others[-1])
    elif what == "demote":
        cluster.reconfigure([cluster.leader, *others[:-1]], learners=others[-1:])
    elif what == "leave":
        cluster.remove(cluster.leader)
    else:
        cluster.add_node("S9")
        cluster.reconfigure([cluster.leader, *others[:-1], "S9"])


@pytest.mark.parametrize("what", ["remove", "demote", "leave", "replace"])
def test_a_transfer_soon_after_a_change_of_members_takes_one_try(what):
    """Within 20 ms, when the joint configuration is in most logs and not yet left."""
    missed = []
    for seed in range(200):
        cluster = Cluster(4 + seed % 2, seed=seed, options=Options(catch_up_first=False))
        leader = cluster.elect()
        cluster.run(60)
        others = [each for each in cluster.nodes if each != leader]
        changed(cluster, what, others)
        cluster.run(seed % 21)
        cluster.transfer(others[0])
        if not cluster.run_until(lambda each, to=others[0]: each.leader == to, limit_ms=130):
            missed.append(seed)
    assert missed == []


def test_a_server_outside_the_cluster_forgets_a_leader_that_it_no_longer_hears():
    cluster = Cluster(3, seed=2)
    leader = cluster.elect()
    cluster.add_learner("S4")
    cluster.run(300)
    assert cluster.machine("S4").leader == leader
    reading = cluster.read("x", of="S4")
    cluster.isolate("S4")
    cluster.run(1000)
    assert cluster.machine("S4").leader is None
    assert reading.has_failed


@pytest.mark.parametrize("later", [False, True])
def test_a_node_that_does_not_wait_for_its_disk_says_what_is_not_there(later):
    options, disks = Options(async_persistence=later), Disks(write_ms=20.0, waits=False)
    cluster = Cluster(1, seed=1, options=options, disks=disks, watched=False)
    cluster.elect()
    cluster.run(100)
    cluster.propose("x=1")
    host = cluster.hosts["S1"]
    assert host.machine.commit_index == host.machine.log.last_index == host.disk.last_index + 1
    cluster.run(30)
    assert host.disk.last_index == host.machine.log.last_index


@pytest.mark.parametrize("later", [False, True])
def test_such_a_node_is_found_out(later):
    options, disks = Options(async_persistence=later), Disks(write_ms=20.0, waits=False)
    cluster = Cluster(3, seed=1, options=options, disks=disks, network=STEADY)
    with pytest.raises(Violation, match="before it was on its disk"):
        cluster.elect()


def test_a_leader_with_a_slow_disk_commits_with_the_others_if_it_may_send_while_it_writes():
    times = {}
    for later in (False, True):
        options = Options(async_persistence=later)
        cluster = Cluster(3, seed=3, options=options, disks=Disks(write_ms=2.0), network=STEADY)
        leader = cluster.elect()
        cluster.run(100)
        cluster.slow_disk(leader, 40.0)
        asked, index = cluster.now, cluster.propose("x=1")
        cluster.run_until(lambda each, index=index: each.commit_index >= index)
        times[later] = round(cluster.now - asked)
    assert times == {False: 52, True: 12}

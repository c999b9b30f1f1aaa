"""Logs are cut short, and nothing is lost: snapshots taken, sent and loaded. Paper: 7."""

from typing import Any

import pytest

from raftlab import Cluster, Configuration, Disks, Misuse, NotNow, Options, RaftLog
from raftlab.raft.messages import AppendEntries, InstallSnapshot
from raftlab.sim.world.application import KeyValue


def led_by_s1(**given: Any) -> Cluster:
    """S1 leads three, and entries 2 to 6 count `x` up to 5."""
    cluster = Cluster(3, **{"seed": 3, **given})
    cluster.elect("S1")
    for _ in range(5):
        cluster.propose("x+=1")
    cluster.run(300)
    return cluster


def x(cluster: Cluster, *nodes: str) -> list[str | None]:
    return [cluster.hosts[node].application.get("x") for node in nodes or cluster.nodes]


def log(cluster: Cluster, node: str) -> RaftLog:
    return cluster.machine(node).log


def behind(cluster: Cluster) -> None:
    """S3 misses two commands, and S1 compacts what S3 lacks."""
    cluster.isolate("S3")
    cluster.propose("x+=1")
    cluster.propose("x+=1")
    cluster.run(100)
    cluster.compact("S1")
    cluster.heal()


# Taking them


def test_a_snapshot_stands_for_what_was_applied():
    cluster = led_by_s1()
    cluster.compact("S2")
    cluster.run(20)
    snapshot = log(cluster, "S2").snapshot
    assert (snapshot.index, snapshot.term, len(log(cluster, "S2"))) == (6, 1, 0)
    assert KeyValue.decode(snapshot.data).values == {"x": "5"}
    assert cluster.hosts["S2"].disk.snapshot == snapshot
    assert cluster.hosts["S2"].disk.log == []


def test_a_snapshot_may_stand_for_less_than_was_applied():
    cluster = led_by_s1()
    cluster.compact("S2", 3)
    snapshot = log(cluster, "S2").snapshot
    assert (snapshot.index, log(cluster, "S2").first_index) == (3, 4)
    assert KeyValue.decode(snapshot.data).values == {"x": "2"}


@pytest.mark.parametrize(
    ("up_to", "kind"),
    [(7, NotNow), (100, NotNow), (0, NotNow), (-1, Misuse), (True, Misuse), ("2", Misuse)],
)
def test_what_was_not_applied_cannot_be_compacted(up_to, kind):
    cluster = led_by_s1()
    with pytest.raises(kind):
        cluster.compact("S2", up_to)
    assert log(cluster, "S2").snapshot is None


def test_what_is_in_the_snapshot_cannot_be_compacted_again():
    cluster = led_by_s1()
    cluster.compact("S2", 4)
    with pytest.raises(NotNow, match="its snapshot stands for what is up to 4"):
        cluster.compact("S2", 3)


def test_nodes_compact_by_themselves_after_so_many_entries():
    cluster = led_by_s1(disks=Disks(snapshot_every=4))
    assert all(log(cluster, node).snapshot.index >= 4 for node in cluster.nodes)
    assert x(cluster) == ["5", "5", "5"]


def test_some_entries_below_the_snapshot_can_be_kept():
    cluster = led_by_s1(options=Options(trailing_entries=2))
    cluster.compact("S1")
    cluster.run(20)
    assert log(cluster, "S1").first_index == 5
    assert [entry.index for entry in cluster.hosts["S1"].disk.log] == [5, 6]


# Starting from them


def test_a_node_starts_from_its_snapshot_and_what_follows():
    cluster = led_by_s1()
    cluster.compact("S2", 4)
    cluster.run(20)
    cluster.crash("S2")
    cluster.restart("S2")
    assert x(cluster, "S2") == ["3"]
    cluster.run(200)
    assert x(cluster, "S2") == ["5"]


def test_a_snapshot_that_was_not_written_is_lost_and_nothing_else():
    cluster = led_by_s1()
    cluster.slow_disk("S2", 100)
    cluster.compact("S2")
    cluster.run(50)
    cluster.crash("S2")
    cluster.restart("S2")
    assert log(cluster, "S2").snapshot is None
    cluster.run(300)
    assert x(cluster, "S2") == ["5"]


def test_a_cluster_that_starts_from_snapshots_alone_goes_on():
    cluster = led_by_s1()
    for node in cluster.nodes:
        cluster.compact(node)
    cluster.run(20)
    for node in cluster.nodes:
        cluster.crash(node)
        cluster.restart(node)
    cluster.elect()
    cluster.propose("x+=1")
    cluster.run(300)
    assert x(cluster) == ["6", "6", "6"]


# Sending them


def test_a_follower_gets_what_was_compacted_as_a_snapshot():
    cluster = led_by_s1()
    behind(cluster)
    cluster.run(500)
    assert x(cluster) == ["7", "7", "7"]
    assert log(cluster, "S3").snapshot == log(cluster, "S1").snapshot


def test_a_follower_a_little_behind_needs_no_snapshot_if_entries_were_kept():
    cluster = led_by_s1(options=Options(trailing_entries=10))
    behind(cluster)
    cluster.run(500)
    assert x(cluster) == ["7", "7", "7"]
    assert log(cluster, "S3").snapshot is None


def test_a_new_server_begins_with_a_snapshot():
    cluster = led_by_s1()
    cluster.compact("S1")
    cluster.add_learner("S4")
    cluster.run(500)
    assert x(cluster, "S4") == ["5"]
    assert log(cluster, "S4").snapshot.index == 6
    assert cluster.machine("S4").configuration == Configuration(("S1", "S2", "S3"), (), ("S4",))


def test_a_snapshot_carries_the_configuration_that_holds_at_its_end():
    cluster = led_by_s1()
    cluster.add_learner("S4")
    cluster.run(300)
    cluster.compact("S1")
    cluster.add_learner("S5")
    assert log(cluster, "S1").snapshot.configuration.learners == ("S4",)
    assert cluster.machine("S1").configuration.learners == ("S4", "S5")


def test_a_snapshot_does_not_undo_what_is_newer():
    cluster = led_by_s1()
    behind(cluster)
    cluster.run_until(lambda each: is_on_its_way(each, InstallSnapshot), 500)
    (flight,) = [each for each in cluster.in_flight() if type(each.message) is InstallSnapshot]
    cluster.duplicate(flight.number)
    copy = cluster.in_flight()[-1].number
    cluster.delay(copy, 400)
    cluster.run(200)
    cluster.propose("x+=1")
    cluster.run(600)
    assert x(cluster) == ["8", "8", "8"]


def is_on_its_way(cluster: Cluster, kind: type) -> bool:
    return any(type(each.message) is kind for each in cluster.in_flight())


def test_the_leader_is_heard_while_a_snapshot_is_on_its_way():
    cluster = led_by_s1()
    behind(cluster)
    cluster.run_until(lambda each: is_on_its_way(each, InstallSnapshot), 500)
    (flight,) = [each for each in cluster.in_flight() if type(each.message) is InstallSnapshot]
    cluster.delay(flight.number, 450)
    cluster.run_until(lambda each: is_on_its_way(each, AppendEntries), 100)
    cluster.run(1000)
    assert cluster.machine("S1").term == cluster.machine("S3").term == 1
    assert x(cluster) == ["7", "7", "7"]

"""Servers come and go, leaders hand over, and the cluster goes on. Paper: 6. Thesis: 3.10, 4."""

from typing import Any

import pytest

from raftlab import Cluster, Configuration, NotNow, Options, Role, Violation

ONE_BY_ONE = Options(single_server_changes=True)


def led_by_s1(nodes: int = 3, **given: Any) -> Cluster:
    """S1 leads, and everybody knows that its first entry is committed."""
    cluster = Cluster(nodes, seed=2, **given)
    cluster.elect("S1")
    cluster.run(200)
    return cluster


def committed(cluster: Cluster) -> Configuration:
    """The configuration of the leader, which must be committed."""
    machine = cluster.machine(cluster.leader)
    assert machine.log.configuration_index <= machine.commit_index
    return machine.configuration


def values(cluster: Cluster, *nodes: str) -> set[str | None]:
    return {cluster.hosts[node].application.get("x") for node in nodes}


# Joining


def test_a_new_server_belongs_to_nothing_until_it_is_added():
    cluster = led_by_s1()
    cluster.add_node("S4")
    cluster.run(2000)
    assert cluster.machine("S4").term == 0
    assert cluster.machine("S4").role is Role.FOLLOWER
    assert committed(cluster) == Configuration(("S1", "S2", "S3"))


def test_a_learner_receives_the_log_and_does_not_count():
    cluster = led_by_s1()
    cluster.propose("x=1")
    cluster.add_learner("S4")
    cluster.run(300)
    assert values(cluster, "S4") == {"1"}
    cluster.partition("S1 S4", "S2 S3")
    index = cluster.propose("x=2", to="S1")
    cluster.run(100)
    assert cluster.machine("S1").commit_index < index


def test_a_learner_that_has_caught_up_becomes_a_voter():
    cluster = led_by_s1()
    cluster.add_learner("S4")
    cluster.run(300)
    cluster.promote("S4")
    cluster.run(300)
    assert committed(cluster) == Configuration(("S1", "S2", "S3", "S4"))
    cluster.crash("S2")
    cluster.propose("x=1")
    cluster.run(300)
    assert values(cluster, "S1", "S3", "S4") == {"1"}


def test_a_learner_that_lacks_entries_does_not_become_a_voter():
    cluster = led_by_s1()
    cluster.add_learner("S4")
    cluster.isolate("S4")
    cluster.run(300)
    with pytest.raises(NotNow, match="S4 has not caught up yet"):
        cluster.promote("S4")


def test_whoever_is_no_learner_does_not_become_a_voter_at_once():
    cluster = led_by_s1()
    cluster.add_node("S4")
    with pytest.raises(NotNow, match="add it as a learner first"):
        cluster.reconfigure("S1 S2 S3 S4")


def test_a_promoted_learner_votes_although_it_does_not_know_yet():
    """E4: etcd#10998."""
    cluster = led_by_s1(2, options=ONE_BY_ONE)
    cluster.add_learner("S3")
    cluster.run(300)
    cluster.isolate("S3")
    cluster.promote("S3")
    cluster.run(50)
    cluster.crash("S1")
    cluster.heal()
    assert cluster.machine("S3").configuration.learners == ("S3",)
    assert cluster.run_until(lambda each: each.leader == "S2", 3000)


# Leaving


def test_a_removed_follower_hears_nothing_more_and_disturbs_nobody():
    cluster = led_by_s1(4)
    cluster.remove("S4")
    cluster.run(300)
    before = cluster.machine("S1").term
    cluster.propose("x=1")
    cluster.run(3000)
    assert values(cluster, "S1", "S2", "S3") == {"1"}
    assert values(cluster, "S4") == {None}
    assert (cluster.leader, cluster.machine("S1").term) == ("S1", before)


def test_a_removed_leader_commits_that_and_hands_over():
    cluster = led_by_s1()
    index = cluster.remove("S1")
    assert cluster.run_until(lambda each: each.leader in ("S2", "S3"), 200)
    assert cluster.machine("S1").commit_index > index
    cluster.run(300)
    assert committed(cluster) == Configuration(("S2", "S3"))
    cluster.run(3000)
    assert cluster.machine("S1").role is Role.FOLLOWER


def test_a_removed_leader_goes_even_if_it_was_handing_over_in_vain():
    cluster = led_by_s1(5)
    cluster.isolate("S2")
    cluster.remove("S1")
    cluster.transfer("S2")
    assert cluster.run_until(lambda each: each.leader in ("S3", "S4", "S5"), 2000)


def test_the_last_but_one_can_go():
    cluster = led_by_s1(2)
    cluster.remove("S1")
    assert cluster.run_until(lambda each: each.leader == "S2", 2000)
    cluster.crash("S1")
    cluster.propose("x=1")
    cluster.run(200)
    assert values(cluster, "S2") == {"1"}


def test_the_last_one_cannot_go():
    cluster = led_by_s1(1)
    with pytest.raises(NotNow, match="at least one voter"):
        cluster.remove("S1")


def test_a_removed_server_can_come_back():
    cluster = led_by_s1()
    cluster.remove("S3")
    cluster.run(300)
    cluster.propose("x=1")
    cluster.add_learner("S3")
    cluster.run(1000)
    cluster.promote("S3")
    cluster.run(300)
    assert committed(cluster) == Configuration(("S1", "S2", "S3"))
    assert values(cluster, "S3") == {"1"}


def test_a_server_that_lost_its_disk_comes_back_under_a_new_name():
    cluster = led_by_s1()
    cluster.propose("x=1")
    cluster.wipe("S3")
    cluster.remove("S3")
    cluster.run(300)
    cluster.add_learner("S4")
    cluster.run(300)
    cluster.promote("S4")
    cluster.run(300)
    assert committed(cluster) == Configuration(("S1", "S2", "S4"))
    assert values(cluster, "S4") == {"1"}


def test_raft_does_not_survive_a_server_that_forgets_and_keeps_its_name():
    """H22: RethinkDB#5289."""
    cluster = led_by_s1()
    cluster.isolate("S3")
    cluster.propose("x=1")
    cluster.run(100)
    cluster.wipe("S2")
    cluster.restart("S2")
    cluster.partition("S1", "S2 S3")
    with pytest.raises(Violation, match="Leader Completeness"):
        cluster.elect("S3")


# Joint configurations


def test_all_voters_can_be_replaced_at_once():
    cluster = led_by_s1(options=Options(catch_up_first=False))
    for node in ("S4", "S5", "S6"):
        cluster.add_node(node)
    cluster.propose("x=1")
    cluster.reconfigure("S4 S5 S6")
    assert cluster.run_until(lambda each: each.leader in ("S4", "S5", "S6"), 3000)
    cluster.run(300)
    assert committed(cluster) == Configuration(("S4", "S5", "S6"))
    for node in ("S1", "S2", "S3"):
        cluster.crash(node)
    cluster.propose("x+=1")
    cluster.run(300)
    assert values(cluster, "S4", "S5", "S6") == {"2"}


def test_a_new_leader_leaves_the_joint_configuration_that_it_inherits():
    """E8: etcd#12136."""
    cluster = led_by_s1(4)
    cluster.reconfigure("S1 S2 S3")
    cluster.run_until(lambda each: each.hosts["S2"].disk.last_index == 2, 100)
    cluster.run_until(lambda each: each.hosts["S3"].disk.last_index == 2, 100)
    cluster.crash("S1")
    assert cluster.machine("S2").configuration.is_joint
    cluster.elect()
    cluster.run(300)
    assert committed(cluster) == Configuration(("S1", "S2", "S3"))


def test_a_change_that_nobody_else_has_is_undone():
    """Paper 6, "the latest configuration in its log": the log goes back, and it goes with it."""
    cluster = led_by_s1(options=ONE_BY_ONE)
    cluster.isolate("S1")
    cluster.remove("S3")
    assert cluster.machine("S1").configuration == Configuration(("S1", "S2"))
    cluster.run_until(lambda each: each.leader in ("S2", "S3"), 2000)
    cluster.heal()
    cluster.run(500)
    assert cluster.machine("S1").configuration == Configuration(("S1", "S2", "S3"))


def test_a_second_change_waits_for_the_first():
    cluster = led_by_s1(4)
    cluster.isolate("S1")
    cluster.remove("S4")
    with pytest.raises(NotNow, match="is not through"):
        cluster.remove("S3")


def test_one_by_one_a_new_leader_waits_for_its_first_commit():
    """H1: Ongaro on raft-dev, 2015-07-10."""
    cluster = led_by_s1(options=ONE_BY_ONE)
    cluster.elect("S2")
    with pytest.raises(NotNow, match="no entry of its own term 2 yet"):
        cluster.remove("S3")
    cluster.run(100)
    cluster.remove("S3")


# Handing over


def test_leadership_goes_where_it_is_told_to():
    cluster = led_by_s1()
    cluster.transfer("S3")
    assert cluster.run_until(lambda each: each.leader == "S3", 100)


def test_leadership_goes_to_whoever_has_everything():
    cluster = led_by_s1()
    cluster.isolate("S2")
    cluster.propose("x=1")
    cluster.run(100)
    cluster.transfer()
    assert cluster.run_until(lambda each: each.leader == "S3", 100)


def test_a_leader_that_hands_over_in_vain_goes_on():
    cluster = led_by_s1()
    cluster.isolate("S3")
    cluster.transfer("S3")
    with pytest.raises(NotNow, match="handing leadership over to S3"):
        cluster.propose("x=1")
    cluster.run(400)
    cluster.propose("x=1")
    cluster.run(200)
    assert values(cluster, "S1", "S2") == {"1"}
    assert cluster.machine("S1").term == 1


def test_a_successor_does_not_need_the_word_to_reach_it_at_the_first_try():
    cluster = led_by_s1()
    cluster.transfer("S3")
    (flight,) = [
        each for each in cluster.in_flight() if type(each.message).__name__ == "TimeoutNow"
    ]
    cluster.drop(flight.number)
    assert cluster.run_until(lambda each: each.leader == "S3", 200)

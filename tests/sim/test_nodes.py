"""Crashing, restarting, pausing, resuming and timing out, with work under way."""

from typing import Any

import pytest

from raftlab import Cluster, Disks, Misuse, Network, Options, Role
from raftlab.sim.world.actions import Deliver, Drop, Tick, Written
from tests.sim.looking import standing
from tests.sim.toy_machine import ToyMachine


def led(**given: Any) -> Cluster:
    """S1 leads three nodes that have heard it."""
    cluster = Cluster(3, seed=1, **given)
    cluster.elect("S1")
    cluster.run(200)
    return cluster


def flights_to(cluster: Cluster, node: str) -> list[int]:
    return [each.number for each in cluster.in_flight() if each.message.receiver == node]


def happened(cluster: Cluster, kind: type, node: str, since: int = 0) -> int:
    """How many actions of a kind a node saw after a frame."""
    return sum(
        isinstance(action, kind)
        and node in (getattr(action, "node", None), getattr(action, "receiver", None))
        for action in cluster.actions[since:]
    )


# Crash and restart


def test_a_crash_forgets_everything_but_the_disk():
    cluster = led()
    cluster.propose("x=1")
    cluster.run(200)
    before = cluster.frame()["S2"]
    assert (before.commit_index, before.values) == (2, {"x": "1"})
    cluster.crash("S2")
    cluster.restart("S2")
    after = cluster.frame()["S2"]
    assert (after.term, after.voted_for, after.log) == (before.term, before.voted_for, before.log)
    assert (after.role, after.leader) == (Role.FOLLOWER, None)
    assert (after.commit_index, after.applied_index, after.values) == (0, 0, {})


def test_a_restarted_node_applies_everything_again_in_order():
    cluster = led()
    for n in range(5):
        cluster.propose(f"x+={n}")
    cluster.run(200)
    cluster.crash("S3")
    cluster.propose("x+=100")
    cluster.run(200)
    cluster.restart("S3")
    cluster.run(200)
    assert [each.values for each in cluster.frame().nodes] == [{"x": "110"}] * 3


def test_a_crash_in_the_middle_of_a_write_loses_it():
    cluster = led(disks=Disks(write_ms=20.0))
    cluster.propose("x=1")
    cluster.run(10)
    assert cluster.frame()["S1"].disk.writing
    assert cluster.frame()["S1"].last_index == 2
    cluster.crash("S1")
    disk = cluster.frame()["S1"].disk
    assert (len(disk.log), disk.writing) == (1, False)
    cluster.restart("S1")
    assert cluster.frame()["S1"].last_index == 1


def test_a_write_that_a_crash_lost_does_not_end_after_the_restart():
    cluster = led(disks=Disks(write_ms=20.0))
    cluster.propose("x=1")
    cluster.run(10)
    cluster.crash("S1")
    cluster.restart("S1")
    since = cluster.number
    cluster.run(50)
    assert happened(cluster, Written, "S1", since) == 0


def test_nothing_that_was_being_written_has_been_said():
    """The leader had not sent the entry either: nobody will ever know of it."""
    cluster = led(disks=Disks(write_ms=20.0))
    cluster.propose("x=lost")
    cluster.run(15)
    cluster.crash("S1")
    cluster.elect()
    cluster.restart("S1")
    cluster.run(1000)
    assert all("x" not in each.values for each in cluster.frame().nodes)


def test_a_candidate_that_crashes_before_its_vote_is_written_may_vote_for_another_one():
    cluster = Cluster(3, seed=1, options=Options.figure_2(), disks=Disks(write_ms=20.0))
    cluster.timeout("S1")
    cluster.run(10)
    cluster.crash("S1")
    cluster.restart("S1")
    assert (cluster.machine("S1").term, cluster.machine("S1").voted_for) == (0, None)
    cluster.elect("S2")
    assert cluster.machine("S2").term == 1
    cluster.run(200)
    assert cluster.machine("S1").voted_for in ("S2", None)


def test_what_reaches_a_node_that_is_down_is_lost():
    cluster = led()
    cluster.propose("x=1")
    cluster.run(2)
    numbers = flights_to(cluster, "S2")
    assert numbers
    cluster.crash("S2")
    assert flights_to(cluster, "S2") == numbers
    cluster.run(40)
    assert happened(cluster, Drop, "S2") >= len(numbers)
    assert cluster.events(1000)[-1]
    assert [each.lost for each in cluster.events(1000) if each.lost]


def test_a_message_may_reach_a_node_that_was_down_when_it_set_out():
    cluster = led()
    cluster.crash("S2")
    cluster.propose("x=1")
    cluster.run(2)
    cluster.restart("S2")
    since = cluster.number
    cluster.run(20)
    assert happened(cluster, Deliver, "S2", since) > 0


def test_a_node_that_is_down_has_no_timer():
    cluster = led()
    for node in ("S1", "S2", "S3"):
        cluster.crash(node)
    since = cluster.number
    cluster.run(2000)
    assert not any(isinstance(action, Tick) for action in cluster.actions[since:])


def test_a_restarted_node_waits_a_whole_timeout():
    cluster = led()
    cluster.isolate("S3")
    cluster.run(140)
    cluster.crash("S3")
    cluster.restart("S3")
    assert cluster.frame()["S3"].election_deadline >= cluster.now + 150
    assert cluster.run_until(lambda each: each.machine("S3").role is Role.CANDIDATE, 301)


def test_a_cluster_that_crashed_as_a_whole_goes_on_where_it_was():
    cluster = led()
    cluster.propose("x=1")
    cluster.run(200)
    for node in cluster.nodes:
        cluster.crash(node)
    cluster.run(5000)
    for node in cluster.nodes:
        cluster.restart(node)
    cluster.elect()
    cluster.run(300)
    assert [each.values for each in cluster.frame().nodes] == [{"x": "1"}] * 3
    assert cluster.frame().term == 2


def test_crashing_and_restarting_at_one_moment_a_hundred_times_does_no_harm():
    cluster = led()
    for _ in range(100):
        cluster.crash("S2")
        cluster.restart("S2")
    cluster.propose("x=1")
    cluster.run(500)
    assert [each.values for each in cluster.frame().nodes] == [{"x": "1"}] * 3
    assert standing(cluster.recording.replay()) == standing(cluster)


# Pause and resume


def test_what_reaches_a_paused_node_waits_and_is_handled_in_order():
    cluster = led()
    cluster.pause("S2")
    for n in range(3):
        cluster.propose(f"x={n}")
        cluster.run(30)
    paused = cluster.frame()["S2"]
    assert paused.paused and paused.alive
    assert paused.last_index == 1
    cluster.resume("S2")
    assert cluster.frame()["S2"].last_index == 4
    assert not cluster.frame()["S2"].paused
    cluster.run(100)
    assert cluster.frame()["S2"].values == {"x": "2"}


def test_a_paused_node_says_nothing():
    cluster = led()
    cluster.pause("S2")
    cluster.run(100)
    sent = cluster.engine.world.network.sent
    cluster.pause("S1")
    cluster.pause("S3")
    cluster.run(1000)
    assert cluster.engine.world.network.sent == sent


def test_a_paused_node_has_no_timer_and_the_others_choose_a_new_leader():
    cluster = led()
    cluster.pause("S1")
    since = cluster.number
    assert cluster.run_until(lambda each: each.leader != "S1", 1000)
    assert happened(cluster, Tick, "S1", since) == 0
    cluster.run(100)
    assert cluster.machine("S1").role is Role.LEADER
    cluster.resume("S1")
    assert cluster.machine("S1").role is Role.FOLLOWER


def test_a_node_that_is_resumed_after_its_deadline_campaigns():
    """It hears nothing meanwhile, so nothing but its timer can wake it."""
    cluster = led()
    cluster.isolate("S3")
    cluster.run(20)
    cluster.pause("S3")
    cluster.run(1000)
    cluster.resume("S3")
    assert cluster.machine("S3").role is Role.FOLLOWER
    assert cluster.run_until(lambda each: each.machine("S3").role is Role.CANDIDATE, 1)
    assert standing(cluster.recording.replay()) == standing(cluster)


def test_a_node_that_is_resumed_before_its_deadline_waits_for_it():
    cluster = led()
    cluster.isolate("S3")
    deadline = cluster.machine("S3").election_deadline
    cluster.pause("S3")
    cluster.run(50)
    cluster.resume("S3")
    assert cluster.run_until(lambda each: each.machine("S3").role is Role.CANDIDATE, 400)
    assert cluster.now == deadline


def test_a_node_that_is_paused_and_resumed_over_and_over_keeps_its_deadline():
    cluster = led()
    cluster.isolate("S3")
    deadline = cluster.machine("S3").election_deadline
    while cluster.machine("S3").role is not Role.CANDIDATE:
        cluster.pause("S3")
        cluster.resume("S3")
        cluster.step()
    assert cluster.now == deadline


def test_a_write_ends_while_a_node_is_paused_and_its_messages_wait():
    cluster = led(disks=Disks(write_ms=20.0))
    cluster.propose("x=1")
    cluster.pause("S1")
    cluster.run(100)
    node = cluster.frame()["S1"]
    assert (len(node.disk.log), node.disk.writing) == (2, False)
    assert all(len(cluster.frame()[other].log) == 1 for other in ("S2", "S3"))
    assert node.commit_index == 1
    cluster.resume("S1")
    assert len(cluster.in_flight()) >= 2
    cluster.run(200)
    assert [each.values for each in cluster.frame().nodes] == [{"x": "1"}] * 3


def test_a_node_can_be_resumed_in_the_middle_of_its_write():
    cluster = led(disks=Disks(write_ms=50.0))
    cluster.propose("x=1")
    cluster.pause("S1")
    cluster.run(10)
    cluster.resume("S1")
    assert cluster.frame()["S1"].disk.writing
    cluster.run(300)
    assert [each.values for each in cluster.frame().nodes] == [{"x": "1"}] * 3


def test_a_paused_node_that_crashes_loses_what_waited():
    cluster = led(disks=Disks(write_ms=20.0))
    cluster.pause("S2")
    cluster.propose("x=1")
    cluster.run(100)
    cluster.crash("S2")
    cluster.restart("S2")
    node = cluster.frame()["S2"]
    assert not node.paused
    assert node.last_index == 1
    cluster.run(300)
    assert cluster.frame()["S2"].values == {"x": "1"}


def test_a_paused_node_that_crashes_loses_its_write():
    cluster = led(disks=Disks(write_ms=20.0))
    cluster.propose("x=1")
    cluster.pause("S1")
    cluster.crash("S1")
    cluster.run(100)
    assert len(cluster.frame()["S1"].disk.log) == 1


def test_disks_that_do_not_wait_have_said_everything_before_a_pause():
    cluster = Cluster(3, seed=1, disks=Disks(write_ms=20.0, waits=False), watched=False)
    cluster.elect("S1")
    cluster.run(200)
    cluster.propose("x=1")
    cluster.pause("S1")
    sent = cluster.engine.world.network.sent
    cluster.run(100)
    cluster.resume("S1")
    assert cluster.run(500).engine.world.network.sent > sent
    assert [each.values for each in cluster.frame().nodes] == [{"x": "1"}] * 3


# Timers


def test_a_timer_that_runs_out_starts_a_pre_vote_or_a_campaign():
    asked = Cluster(3, seed=1)
    asked.timeout("S2")
    assert (asked.machine("S2").role, asked.machine("S2").term) == (Role.CANDIDATE, 0)
    plain = Cluster(3, seed=1, options=Options.figure_2())
    plain.timeout("S2")
    assert (plain.machine("S2").role, plain.machine("S2").term) == (Role.CANDIDATE, 1)


def test_a_candidate_may_time_out_again():
    cluster = Cluster(3, seed=1, options=Options.figure_2())
    for term in (1, 2, 3):
        cluster.timeout("S2")
        assert cluster.machine("S2").term == term


def test_everybody_may_time_out_at_one_moment():
    cluster = Cluster(5, seed=1, options=Options.figure_2())
    for node in cluster.nodes:
        cluster.timeout(node)
    cluster.run(60)
    assert cluster.leader is None
    assert cluster.elect() in cluster.nodes


def test_a_timeout_while_the_vote_is_being_written_counts():
    cluster = Cluster(3, seed=1, options=Options.figure_2(), disks=Disks(write_ms=30.0))
    cluster.timeout("S1")
    cluster.timeout("S1")
    cluster.run(31)
    assert cluster.frame()["S1"].disk.term == 1
    cluster.run(30)
    assert cluster.frame()["S1"].disk.term == 2


# Disks


@pytest.mark.parametrize("write_ms", [0.0, 0.001, 40.0])
def test_what_is_written_is_durable_after_write_ms(write_ms):
    cluster = Cluster(1, seed=1, disks=Disks(write_ms=write_ms))
    cluster.elect()
    cluster.run(100)
    cluster.propose("x=1")
    assert (len(cluster.frame()["S1"].disk.log) == 2) == (write_ms == 0)
    cluster.run(write_ms)
    assert len(cluster.frame()["S1"].disk.log) == 2
    assert cluster.commit_index == 2


def test_a_torn_write_leaves_a_part_of_its_entries_or_none_or_all():
    left = set()
    for seed in range(60):
        cluster = Cluster(1, seed=seed, disks=Disks(write_ms=20.0, torn=True))
        cluster.elect()
        cluster.run(100)
        cluster.propose("a=1")
        cluster.run(5)
        for key in "bcd":  # these wait until the first write has ended, and go together
            cluster.propose(f"{key}=1")
        cluster.run(20)
        cluster.crash("S1")
        log = cluster.frame()["S1"].disk.log
        assert [entry.index for entry in log] == list(range(1, len(log) + 1))
        left.add(len(log))
    assert left == {2, 3, 4, 5}


def test_a_torn_write_never_leaves_what_has_no_term():
    for seed in range(60):
        cluster = Cluster(3, seed=seed, disks=Disks(write_ms=30.0, torn=True))
        cluster.elect("S1")
        cluster.run(20)
        cluster.crash("S1")
        cluster.restart("S1")
        cluster.elect()


@pytest.mark.parametrize(
    ("keeps", "left"),
    [
        (("term", "voted_for", "log"), (1, "S1", 2)),
        (("voted_for", "log"), (1, "S1", 2)),  # the term of the last entry is known at least
        (("term", "log"), (1, None, 2)),
        (("term", "voted_for"), (1, "S1", 0)),
        (("log",), (1, None, 2)),
        (("term",), (1, None, 0)),
        ((), (0, None, 0)),
    ],
)
def test_a_restart_finds_what_the_disk_keeps(keeps, left):
    cluster = Cluster(3, seed=1, disks=Disks(keeps=keeps), watched=False)
    cluster.elect("S1")
    cluster.propose("x=1")
    cluster.run(200)
    cluster.crash("S1")
    cluster.restart("S1")
    node = cluster.frame()["S1"]
    assert (node.term, node.voted_for, node.last_index) == left


def test_disks_that_do_not_wait_let_messages_leave_first():
    def asked(waits: bool) -> Cluster:
        disks = Disks(write_ms=100.0, waits=waits)
        cluster = Cluster(3, seed=1, options=Options.figure_2(), disks=disks, watched=False)
        cluster.timeout("S1")
        return cluster

    for waits, messages in ((True, 0), (False, 2)):
        cluster = asked(waits)
        node = cluster.frame()["S1"]
        assert (node.term, node.disk.term, node.disk.writing) == (1, 0, True)
        assert len(cluster.in_flight()) == messages


def test_writes_end_in_the_order_in_which_they_began():
    cluster = Cluster(1, seed=1, disks=Disks(write_ms=100.0, waits=False), watched=False)
    cluster.elect()
    for n in range(5):
        cluster.propose(f"x={n}")
        cluster.run(10)
    lengths = []
    for _ in range(40):
        cluster.run(5)
        lengths.append(len(cluster.frame()["S1"].disk.log))
    assert lengths == sorted(lengths)
    assert lengths[-1] == 6


def test_slow_disks_make_a_cluster_slow_and_not_wrong():
    """A write takes longer than an election timeout: nobody can lead for long, or at all."""
    cluster = Cluster(3, seed=1, disks=Disks(write_ms=400.0), network=Network(latency=(1.0, 2.0)))
    cluster.run(20_000)
    assert not cluster.engine.world.alarms
    assert cluster.frame().term > 1


# A leader that is mistaken


@pytest.mark.parametrize("options", [Options(), Options.figure_2()], ids=["complete", "figure 2"])
@pytest.mark.parametrize("wrong", [-1, 0, 1, 6, 7, 100])
def test_a_leader_whose_next_index_is_corrupted_leads_on_and_repairs(options, wrong):
    """Paper: 5.3. Two past the log, it once said nothing more to S2, and S2 deposed it."""
    cluster = Cluster(3, seed=0, options=options)
    cluster.elect("S1")
    for value in range(3):
        cluster.propose(f"x={value}")
    cluster.run(200)
    term = cluster.machine("S1").term
    progress = cluster.machine("S1").role_data.tracker.progress["S2"]
    progress.next_index = wrong
    progress.become_probe()
    cluster.propose("x=9")
    cluster.run(2 * options.heartbeat_interval)
    assert cluster.machine("S2").log == cluster.machine("S1").log
    cluster.run(3000)
    assert (cluster.leader, cluster.machine("S1").term) == ("S1", term)


def test_a_machine_that_fails_while_it_is_resumed_has_failed_and_was_not_refused():
    """It has no `persisted`, and something to confirm: the run stands still, and can be seen."""
    options = Options.figure_2(async_persistence=True)
    cluster = Cluster(3, machine=ToyMachine, options=options, disks=Disks(write_ms=5.0))
    assert cluster.run_until(lambda each: any(host.disk.writes for host in each.hosts.values()))
    (node,) = [name for name, host in cluster.hosts.items() if host.disk.writes]
    cluster.pause(node)
    for other in set(cluster.nodes) - {node}:
        cluster.crash(other)
    cluster.run(20)
    number = cluster.number
    with pytest.raises(Misuse, match="no method persisted"):
        cluster.resume(node)
    assert cluster.number == number + 1
    assert cluster.stopped is not None and node in cluster.stopped
    assert cluster.at(number).hosts[node].paused

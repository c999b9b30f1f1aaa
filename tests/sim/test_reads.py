"""A read shows all that was committed when it was asked, wherever it is asked. Thesis: 6.4."""

from typing import Any

import pytest

from raftlab import Cluster, Disks, Misuse, NotLeader, NotNow, Options
from raftlab.raft.messages import AppendEntries, AppendEntriesReply, ReadIndex, ReadIndexReply
from tests.sim.looking import frame_bytes

LEASES = Options(lease_reads=True)


def led_by_s1(**given: Any) -> Cluster:
    """S1 leads three, and everybody has x=1."""
    cluster = Cluster(3, **{"seed": 5, **given})
    cluster.elect("S1")
    cluster.propose("x=1")
    cluster.run(300)
    return cluster


def sent(cluster: Cluster, ms: float) -> int:
    """How many messages are sent in the next `ms`."""
    before = cluster.engine.world.network.sent
    cluster.run(ms)
    return cluster.engine.world.network.sent - before


@pytest.mark.parametrize("node", ["S1", "S2", "S3"])
@pytest.mark.parametrize("options", [Options(), LEASES, Options(async_persistence=True)])
def test_every_node_answers(node, options):
    cluster = led_by_s1(options=options)
    assert cluster.get("x", of=node) == "1"
    assert cluster.get("y", of=node) is None


def test_a_read_is_answered_when_a_majority_has_answered():
    cluster = led_by_s1()
    reading = cluster.read("x")
    assert not reading.is_done
    with pytest.raises(NotNow, match="not answered yet"):
        reading.value  # noqa: B018
    cluster.run(50)
    assert (reading.value, reading.index) == ("1", 2)


def test_a_read_puts_nothing_into_the_log():
    cluster = led_by_s1()
    cluster.get("x")
    assert cluster.machine("S1").log.last_index == 2


def test_a_read_shows_what_was_committed_while_it_waited():
    cluster = led_by_s1()
    cluster.propose("x=2")
    cluster.run_until(lambda each: each.commit_index == 3, 100)
    assert [cluster.get("x", of=node) for node in cluster.nodes] == ["2", "2", "2"]


def test_a_leader_that_hears_nobody_does_not_answer():
    cluster = led_by_s1(options=Options(check_quorum=False))
    cluster.isolate("S1")
    reading = cluster.read("x", of="S1")
    cluster.run(2000)
    assert not reading.is_done


def test_a_read_fails_when_its_leader_steps_down():
    cluster = led_by_s1()
    cluster.isolate("S1")
    reading = cluster.read("x", of="S1")
    cluster.run(1000)
    assert reading.has_failed
    with pytest.raises(NotNow, match="ask again"):
        reading.value  # noqa: B018


def test_a_read_fails_when_its_node_crashes():
    cluster = led_by_s1()
    reading = cluster.read("x", of="S2")
    cluster.crash("S2")
    assert reading.has_failed


def test_a_node_that_knows_no_leader_is_not_asked():
    cluster = Cluster(3, seed=5)
    with pytest.raises(NotLeader, match="cannot answer a read; it knows no leader"):
        cluster.read("x", of="S2")


def test_a_new_leader_answers_once_it_has_committed():
    cluster = led_by_s1()
    cluster.elect("S2")
    reading = cluster.read("x", of="S2")
    cluster.run(200)
    assert (reading.value, reading.index) == ("1", 3)


def test_a_read_at_a_learner_is_answered():
    cluster = led_by_s1()
    cluster.add_learner("S4")
    cluster.run(300)
    assert cluster.get("x", of="S4") == "1"


def test_a_server_that_is_no_member_gets_no_answer():
    cluster = led_by_s1(options=Options(check_quorum=False))
    cluster.isolate("S3")
    cluster.remove("S3")
    cluster.run(100)
    cluster.heal()
    reading = cluster.read("x", of="S3")
    cluster.run(1000)
    assert not reading.is_done


def test_a_read_is_answered_while_the_members_change():
    cluster = led_by_s1()
    cluster.remove("S3")
    reading = cluster.read("x")
    cluster.run(200)
    assert reading.value == "1"


# Leases


def test_with_a_lease_a_leader_answers_at_once():
    cluster = led_by_s1(options=LEASES)
    reading = cluster.read("x")
    assert reading.value == "1"
    assert sent(cluster, 0) == 0


def test_a_lease_ends_without_news():
    cluster = led_by_s1(options=Options(lease_reads=True, check_quorum=False))
    cluster.isolate("S1")
    assert cluster.read("x", of="S1").is_done
    cluster.run(150 / 1.1)
    assert not cluster.read("x", of="S1").is_done


def test_a_lease_is_judged_at_the_moment_of_the_read():
    """The leader has heard nothing since its last heartbeat: the lease runs out between two."""
    options = Options(lease_reads=True, check_quorum=False, heartbeat_interval=140.0)
    cluster = led_by_s1(options=options)
    cluster.run_until(lambda each: each.machine("S1").role_data.heartbeat_deadline - each.now > 139)
    cluster.run(40)
    assert cluster.read("x", of="S1").is_done
    cluster.isolate("S1")
    cluster.run(99)
    assert not cluster.read("x", of="S1").is_done


def test_a_leader_that_hands_over_asks():
    cluster = led_by_s1(options=LEASES)
    cluster.isolate("S3")
    cluster.transfer("S3")
    reading = cluster.read("x")
    assert not reading.is_done
    cluster.run(50)
    assert reading.value == "1"


def test_with_leases_nobody_is_told_to_forget_its_leader():
    cluster = led_by_s1(options=LEASES)
    with pytest.raises(Misuse, match="lease_reads counts on it"):
        cluster.forget_leader("S2")


def deliver(cluster: Cluster, kind: type, to: str) -> None:
    """Whatever of a kind is under way to a node arrives now."""
    for flight in cluster.in_flight():
        if type(flight.message) is kind and flight.message.receiver == to:
            cluster.deliver(flight.number)


def test_the_answer_to_a_read_of_an_earlier_life_serves_no_later_one():
    """Crash and restart take no time here: only the number tells the two reads apart."""
    cluster = Cluster(3, seed=5, disks=Disks(write_ms=0))
    cluster.elect("S1")
    cluster.propose("x=1")
    cluster.run(300)
    first = cluster.read("x", of="S2")
    deliver(cluster, ReadIndex, "S1")
    deliver(cluster, AppendEntries, "S3")
    deliver(cluster, AppendEntriesReply, "S1")
    answers = [
        each.number for each in cluster.in_flight() if isinstance(each.message, ReadIndexReply)
    ]
    assert len(answers) == 1
    cluster.crash("S2")
    cluster.restart("S2")
    heartbeat = next(
        each.number
        for each in cluster.in_flight()
        if isinstance(each.message, AppendEntries) and each.message.receiver == "S2"
    )
    cluster.propose("x=2")
    deliver(cluster, AppendEntries, "S3")
    deliver(cluster, AppendEntriesReply, "S1")
    assert cluster.commit_index == 3
    cluster.deliver(heartbeat)
    second = cluster.read("x", of="S2")
    assert (first.has_failed, first.since) == (True, second.since)
    cluster.deliver(answers[0])
    assert not second.is_done
    cluster.run(300)
    assert (second.value, second.index) == ("2", 3)


@pytest.mark.parametrize("key", ["", " ", 5, None, "\ud800"])
def test_a_key_is_text_that_can_be_written_down(key):
    with pytest.raises(Misuse, match="a key is text"):
        led_by_s1().read(key)


def test_a_refused_read_leaves_no_trace():
    """A replay knows nothing of it, and names the reads after it alike."""
    cluster = Cluster(3, seed=1)
    with pytest.raises(NotLeader):
        cluster.read("x", "S2")
    cluster.elect("S1")
    cluster.run(100)
    cluster.read("x", "S2")
    assert frame_bytes(cluster.recording.replay().frame()) == frame_bytes(cluster.frame())

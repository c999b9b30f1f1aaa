"""What clients of a simulated cluster saw, as a history that can be checked."""

from itertools import pairwise

import pytest

from raftlab import Cluster, Disks, Misuse, Network, Options
from raftlab.check.history import History, Operation, Outcome
from raftlab.check.history.client_history import call_of, history_of
from raftlab.check.history.operations import operation_text
from raftlab.check.linearizability import check
from raftlab.sim.scenarios.clients import lease_under_clock_drift


def led(nodes: int = 3, **settings) -> Cluster:
    cluster = Cluster(nodes, seed=4, **settings)
    cluster.elect("S1")
    return cluster.run(100)


def said(history: History) -> list[str]:
    return [f"{each.client}: {operation_text(each)}" for each in history]


def test_a_command_is_one_operation_from_the_first_try_to_the_answer():
    cluster = led()
    client = cluster.client("c1")
    cluster.run(100)
    sent = cluster.now
    client.send("x+=5")
    cluster.run(2)
    client.retry()
    cluster.run_until(lambda _: client.answer is not None)
    answered = cluster.now
    cluster.run(300)
    client.retry()
    cluster.run(300)
    assert list(history_of(cluster)) == [
        Operation("c1", "add", "x", "5", "5", start=sent, end=answered)
    ]


def test_a_retry_at_the_next_leader_is_still_one_operation():
    cluster = led()
    client = cluster.client("c1")
    cluster.run(100)
    client.send("x+=1")
    cluster.crash("S1")
    cluster.elect()
    client.retry()
    cluster.run(500)
    cluster.read("x")
    cluster.run(100)
    history = history_of(cluster)
    assert said(history) == ["c1: add x 1 → 1", f"at {cluster.leader}: read x → 1"]
    assert check(history).is_linearizable


def test_what_was_never_answered_is_unknown():
    cluster = led()
    client = cluster.client("c1")
    cluster.run(100)
    cluster.isolate("S1")
    at = cluster.now
    client.send("x=1", to="S1")
    cluster.propose("y=2", "S1")
    cluster.run(50)
    assert list(history_of(cluster)) == [
        Operation("c1", "write", "x", "1", start=at, outcome=Outcome.UNKNOWN),
        Operation("at S1", "write", "y", "2", start=at, outcome=Outcome.UNKNOWN),
    ]


def test_a_command_without_a_number_is_answered_when_its_entry_is_applied():
    cluster = led()
    at, index = cluster.now, cluster.propose("x=1")
    cluster.run_until(lambda each: each.hosts["S1"].applied_index >= index)
    applied = cluster.now
    cluster.run(100)
    assert list(history_of(cluster)) == [
        Operation("at S1", "write", "x", "1", start=at, end=applied)
    ]


def test_an_entry_whose_place_another_took_is_not_taken_for_it():
    cluster = led()
    cluster.isolate("S1")
    cluster.propose("x=1", "S1")
    cluster.run(1000)
    cluster.elect("S2")
    cluster.propose("x=2", "S2")
    cluster.run(200)
    cluster.heal()
    cluster.run(500)
    history = history_of(cluster)
    assert [each.outcome for each in history] == [Outcome.UNKNOWN, Outcome.ACKNOWLEDGED]


def test_a_read_that_failed_or_waits_is_left_out():
    cluster = led()
    cluster.propose("x=1")
    cluster.run(100)
    asked = cluster.now
    done = cluster.read("x")
    cluster.run_until(lambda _: done.is_done)
    answered = cluster.now
    failed = cluster.read("x", "S2")
    cluster.crash("S2")
    cluster.read("x")
    assert failed.has_failed
    assert list(history_of(cluster))[1:] == [
        Operation("at S1", "read", "x", None, "1", start=asked, end=answered)
    ]


def test_sessions_and_nonsense_are_no_operations():
    cluster = led()
    cluster.client("c1")
    cluster.run(100)
    for command in ("hello", "open c2", "close c2", "x+=one", "x y=1"):
        cluster.propose(command)
        cluster.run(50)
    assert said(history_of(cluster)) == []


def test_the_words_of_commands_become_calls():
    assert call_of("x=1") == ("write", "x", "1")
    assert call_of(" x += 1") == ("add", "x", "1")
    assert call_of("del x") == ("delete", "x", None)
    assert call_of("x+=one") is None
    assert call_of("hello") is None


def test_a_session_that_is_begun_again_uses_its_numbers_again():
    cluster = led()
    first = cluster.client("c1")
    cluster.run(100)
    first.send("x+=1")
    cluster.run(100)
    again = cluster.client("c1")
    cluster.run(100)
    again.send("x+=1")
    cluster.run(100)
    cluster.read("x")
    cluster.run(100)
    history = history_of(cluster)
    assert said(history) == ["c1: add x 1 → 1", "c1: add x 1 → 2", "at S1: read x → 2"]
    assert check(history).is_linearizable


def test_a_write_of_a_session_that_was_begun_again_must_not_be_lost():
    cluster = led(watched=False)
    for command in ("open c", "c#1 y=1", "open c", "c#1 x=1"):
        cluster.propose(command)
        cluster.run(100)
    for node in ("S1", "S2", "S3"):
        cluster.crash(node)
        cluster.wipe(node)
        cluster.restart(node)
    cluster.elect("S1")
    cluster.run(100)
    cluster.read("x")
    cluster.run(100)
    history = history_of(cluster)
    assert said(history) == ["c: write y 1", "c: write x 1", "at S1: read x → nothing"]
    verdict = check(history)
    assert (verdict.is_linearizable, verdict.key) == (False, "x")


def test_a_number_that_is_used_twice_answers_only_what_was_executed():
    cluster = led()
    for command in ("open c", "c#1 y=1", "c#1 x=1"):
        cluster.propose(command)
        cluster.run(100)
    cluster.read("x")
    cluster.run(100)
    history = history_of(cluster)
    assert said(history) == ["c: write y 1", "c: write x 1 → ?", "at S1: read x → nothing"]
    assert check(history).is_linearizable


def test_an_opening_that_was_lost_does_not_make_a_command_count_twice():
    cluster = led()
    cluster.propose("open c")
    cluster.run(100)
    cluster.propose("c#1 x+=1")
    cluster.run(100)
    cluster.isolate("S1")
    cluster.propose("open c", "S1")
    cluster.run(1000)
    cluster.elect("S2")
    cluster.propose("c#1 x+=1", "S2")
    cluster.run(200)
    cluster.read("x", "S2")
    cluster.run(200)
    history = history_of(cluster)
    assert said(history) == ["c: add x 1 → 1", "c: add x 1 → ?", "at S2: read x → 1"]
    assert check(history).is_linearizable


def test_logs_that_are_compacted_at_once_keep_their_answers():
    cluster = led(disks=Disks(snapshot_every=1))
    client = cluster.client("c1")
    cluster.run(100)
    client.send("x+=1")
    cluster.propose("y=1")
    cluster.run(100)
    assert all(each.outcome is Outcome.ACKNOWLEDGED for each in history_of(cluster))
    assert len(history_of(cluster)) == 2


@pytest.mark.parametrize("wrong", [5, None, "run", History()])
def test_a_run_that_is_none_is_refused(wrong):
    with pytest.raises(
        Misuse, match="a run is a recording, or a cluster in which it happened, not"
    ):
        history_of(wrong)


# One action after the other, at one instant


def test_a_read_at_the_moment_of_a_commit_comes_after_it():
    history = history_of(lease_under_clock_drift("after"))
    assert history[-1].start > history[-2].end
    assert history[-1].start - history[-2].end < 1e-9
    assert check(history).is_linearizable is False


def test_what_is_asked_before_an_answer_at_one_instant_is_concurrent_with_it():
    cluster = led()
    index = cluster.propose("x=1")
    first = cluster.read("x")
    cluster.run_until(lambda each: each.hosts["S1"].applied_index >= index)
    cluster.run(100)
    write, read = history_of(cluster)
    assert first.is_done
    assert write.start == read.start


def test_commands_one_after_the_other_at_one_instant_keep_their_order():
    cluster = led(1, disks=Disks(write_ms=0.0))
    for command in ("x=1", "x+=1", "x=3"):
        index = cluster.propose(command)
        cluster.run_until(lambda each, i=index: each.hosts["S1"].applied_index >= i)
    done = cluster.read("x")
    cluster.run(100)
    history = history_of(cluster)
    assert done.value == "3"
    assert all(one.end < other.start for one, other in pairwise(history))
    assert check(history).is_linearizable


@pytest.mark.parametrize("seed", range(4))
def test_reads_at_the_moment_of_every_answer_are_linearizable(seed):
    cluster = Cluster(3, seed=seed, options=Options(lease_reads=seed % 2 == 0))
    cluster.elect("S1")
    cluster.run(100)
    for number in range(12):
        index = cluster.propose(f"x={number}")
        node = f"S{number % 3 + 1}"
        cluster.run_until(lambda each, i=index, n=node: each.hosts[n].applied_index >= i)
        cluster.read("x", "S1")
        cluster.propose("x+=1")
        cluster.read("x", node)
    cluster.run(500)
    history = history_of(cluster)
    assert len(history) == 48
    assert check(history).is_linearizable, check(history).explanation


def test_what_stood_in_the_logs_before_the_run_may_take_effect_in_it():
    cluster = Cluster(3, seed=1, logs={"S1": [1, 1], "S2": [1]})
    cluster.elect("S1")
    cluster.propose("z=1")
    cluster.run(200)
    cluster.read("b")
    cluster.run(100)
    history = history_of(cluster)
    assert said(history)[:2] == ["before: write a 1 → ?", "before: write b 1 → ?"]
    assert said(history)[3:] == ["at S1: read b → 1"]
    assert check(history).is_linearizable


def test_a_recording_gives_the_same_history_as_its_cluster():
    cluster = stormy(3)
    assert history_of(cluster) == history_of(cluster.recording)
    assert cluster.number == len(cluster.recording)


def stormy(seed: int) -> Cluster:
    """Three clients and many reads in bad weather, with crashes and partitions."""
    network = Network(latency=(2.0, 20.0), loss=0.1, duplication=0.1, reordering=0.2)
    cluster = Cluster(5, seed=seed, network=network, disks=Disks(write_ms=2.0))
    cluster.elect()
    clients = [cluster.client(f"c{number}") for number in range(3)]
    cluster.run(300)
    for number in range(40):
        client = clients[number % 3]
        if cluster.leader is not None:
            if client.answer is None:
                client.retry()
            elif not client.has_expired:
                client.send((f"x={number}", "x+=1", f"y={number}", "del x")[number * 7 % 4])
            cluster.read("x y"[number % 2 * 2], f"S{number % 5 + 1}") if reads(
                cluster, number
            ) else None
        if number % 9 == 4:
            cluster.isolate(cluster.leader or "S1")
        elif number % 9 == 7:
            cluster.heal()
        cluster.run(120)
    cluster.heal()
    cluster.run(1000)
    return cluster


def reads(cluster: Cluster, number: int) -> bool:
    """Whether the node that is asked knows a leader."""
    return getattr(cluster.machine(f"S{number % 5 + 1}"), "leader", None) is not None


def test_the_shipped_machine_is_linearizable_in_bad_weather():
    for seed in range(4):
        history = history_of(stormy(seed))
        assert sum(each.call == "read" for each in history) >= 5
        assert sum(each.call != "read" for each in history) >= 5
        assert check(history).is_linearizable, check(history).explanation


def test_a_lease_with_a_bad_clock_is_found_out_by_its_clients():
    options = Options(lease_reads=True, check_quorum=False)
    cluster = led(options=options, watched=False)
    cluster.propose("x=1")
    cluster.run(100)
    cluster.set_clock_rate("S1", 0.1)
    cluster.partition("S1", "S2 S3")
    cluster.run(300)
    other = next(node for node in ("S2", "S3") if cluster.leader == node)
    cluster.propose("x=2", other)
    cluster.run(60)
    stale = cluster.read("x", of="S1")
    assert stale.value == "1"
    verdict = check(history_of(cluster))
    assert verdict.is_linearizable is False
    assert verdict.culprit.client == "at S1"
    assert verdict.explanation.startswith("Not linearizable: at S1's “read x → 1”")

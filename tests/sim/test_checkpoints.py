"""Going back in a long run: every moment is as a plain replay has it, and a world of its own."""

import threading
from contextlib import suppress
from itertools import chain

import msgspec
import pytest

from raftlab import (
    Cluster,
    Disks,
    Misuse,
    Network,
    NotNow,
    Options,
    RaftStateMachine,
    Rules,
    Violation,
)
from raftlab.check.campaign.random_run import inject_faults
from raftlab.check.campaign.random_start import start
from raftlab.sim.commands.base import with_engine
from raftlab.sim.run import play as playing
from raftlab.sim.run.play import Checkpoints, can_be_copied
from raftlab.sim.run.play import copied as copied_engine
from raftlab.sim.world.application import KeyValue
from raftlab.sim.world.engine import Engine
from tests.sim.looking import drive, faulty_cluster, standing
from tests.sim.test_mutants import UNSAFE
from tests.sim.toy_machine import ToyMachine


def copied(cluster: Cluster) -> Cluster:
    """An independent cluster in the same state."""
    twin = with_engine(cluster, copied_engine(cluster.engine))
    twin._follow()
    return twin


@pytest.fixture(autouse=True)
def copies_are_made_often(monkeypatch):
    monkeypatch.setattr(playing, "SPACING", 8)
    monkeypatch.setattr(playing, "MOST_KEPT", 12)


def asked_and_waiting() -> Cluster:
    """Reads wait for an answer that cannot come, on both sides of a cut."""
    cluster = Cluster(5, seed=3)
    leader = cluster.elect()
    cluster.propose("x=1")
    cluster.run(100)
    cluster.isolate(leader)
    cluster.read("x", leader)
    cluster.read("y", leader)
    return cluster.run(30)


def handing_over() -> Cluster:
    cluster = Cluster(3, seed=2)
    cluster.elect("S1")
    cluster.propose("x=1")
    cluster.run(60)
    cluster.transfer("S3")
    return cluster.run(7)


def compacting() -> Cluster:
    cluster = Cluster(3, seed=5, disks=Disks(snapshot_every=3, write_ms=4.0, torn=True))
    cluster.elect("S1")
    cluster.crash("S3")
    for place in range(20):
        cluster.propose(f"k{place}={place}")
        cluster.run(15)
    cluster.restart("S3")
    return cluster.run(35)


def with_odd_clocks() -> Cluster:
    cluster = Cluster(3, seed=6)
    cluster.set_clock_rate("S1", 1.7)
    cluster.set_clock_rate("S2", 0.4)
    cluster.run(400)
    cluster.set_clock_rate("S2", 1.0)
    return cluster.run(100)


def writing_late() -> Cluster:
    options = Options(async_persistence=True)
    cluster = Cluster(3, seed=4, options=options, disks=Disks(write_ms=9.0, torn=True))
    leader = cluster.elect()
    for place in range(12):
        cluster.propose(f"k{place}={place}")
        cluster.run(5)
    cluster.pause(leader)
    return cluster.run(12)


def violated() -> Cluster:
    mutant = UNSAFE[0]
    cluster = mutant.cluster()
    with pytest.raises(Violation):
        mutant.run(cluster)
    return cluster


def toy() -> Cluster:
    cluster = Cluster(3, seed=1, machine=ToyMachine, options=Options.figure_2())
    cluster.elect()
    cluster.propose("x=1")
    cluster.run(100)
    cluster.crash(cluster.elect())
    return cluster.run(300)


RUNS = (
    asked_and_waiting,
    handing_over,
    compacting,
    with_odd_clocks,
    writing_late,
    violated,
    toy,
)


def played_to(cluster: Cluster, number: int) -> Cluster:
    """The moment, by the long way."""
    twin = cluster.recording.start()
    for action in cluster.actions[:number]:
        twin.engine.apply_quietly(action)
    return twin


def go_on(cluster: Cluster) -> tuple[object, ...]:
    """What becomes of a cluster, if it can go on."""
    if cluster.stopped is None:
        for node in cluster.nodes:
            if cluster.hosts[node].alive and cluster.hosts[node].paused:
                cluster.resume(node)
        with suppress(Violation):
            cluster.run(400)
    return standing(cluster)


@pytest.mark.parametrize("run", RUNS)
def test_every_moment_is_as_a_plain_replay_has_it(run):
    cluster = run()
    twin = cluster.recording.start()
    shown = [standing(twin)]
    for action in cluster.actions:
        twin.engine.apply_quietly(action)
        shown.append(standing(twin))
    for number in (*range(cluster.number + 1), *range(cluster.number, -1, -3)):
        assert standing(cluster.at(number)) == shown[number]


@pytest.mark.parametrize("run", RUNS)
def test_what_comes_after_a_moment_comes_after_its_copy(run):
    cluster = run()
    cluster.at(cluster.number)
    for number in range(0, cluster.number + 1, 11):
        assert go_on(cluster.at(number)) == go_on(played_to(cluster, number))


@pytest.mark.parametrize("run", RUNS)
def test_a_copy_and_its_original_go_their_own_ways(run):
    for number in (run().number // 3, run().number):
        original = played_to(run(), number)
        before = standing(original)
        alone = go_on(played_to(run(), number))
        copy = copied(original)
        assert standing(copy) == before
        assert go_on(copy) == alone
        assert standing(original) == before
        other = copied(original)
        assert go_on(original) == alone
        assert standing(other) == before
        assert go_on(other) == alone


@pytest.mark.parametrize("seed", range(12))
def test_the_moments_of_a_random_run_are_those_of_its_replay(seed):
    run = start(seed)
    inject_faults(run, 800.0)
    cluster = run.cluster
    cluster.at(cluster.number)
    for number in sorted({run.rng.randint(0, cluster.number) for _ in range(6)}):
        twin = played_to(cluster, number)
        moment = cluster.at(number)
        assert standing(moment) == standing(twin)
        for action in cluster.actions[number:]:
            moment.engine.apply_quietly(action)
        assert standing(moment) == standing(cluster)


def test_all_verbs_can_be_gone_back_over():
    cluster = drive(faulty_cluster())
    cluster.at(cluster.number)
    for number in range(0, cluster.number + 1, 97):
        assert standing(cluster.at(number)) == standing(played_to(cluster, number))


def test_a_copied_cluster_holds_its_own_reads():
    cluster = asked_and_waiting()
    copy = copied(cluster)
    for node in copy.nodes:
        if copy.hosts[node].alive:
            copy.crash(node)
    assert any(host.readings for host in cluster.hosts.values())
    assert not any(host.readings for host in copy.hosts.values())


def test_a_moment_before_a_violation_can_go_on_and_the_last_cannot():
    cluster = violated()
    end = cluster.at(cluster.number)
    assert end.violation == cluster.violation
    assert end.stopped == cluster.stopped
    with pytest.raises(NotNow, match="The run stopped"):
        end.run(1)
    before = cluster.at(cluster.number - 1)
    assert before.violation is None
    with pytest.raises(Violation):
        before.apply(cluster.actions[-1])


@pytest.mark.parametrize("number", [-1, 10_000, 1.5, "3", None])
def test_there_is_no_moment_that_did_not_happen(number):
    with pytest.raises(Misuse, match="this run has frames 0 to"):
        handing_over().at(number)


def test_a_run_may_grow_between_two_looks():
    cluster = handing_over()
    early = standing(cluster.at(20))
    for _ in range(5):
        cluster.run(40)
        assert standing(cluster.at(cluster.number)) == standing(cluster)
        assert standing(cluster.at(20)) == early


def test_a_moment_is_made_anew_each_time():
    cluster = handing_over()
    one, other = cluster.at(24), cluster.at(24)
    one.crash("S1")
    one.run(200)
    assert standing(other) == standing(cluster.at(24)) == standing(played_to(cluster, 24))


def test_few_copies_are_kept_however_long_the_run():
    cluster = Cluster(3, seed=1)
    cluster.run(3000)
    reached = Checkpoints(lambda: cluster.recording.start().engine)
    reached.at(cluster.number, cluster.actions)
    assert cluster.number > 8 * 12
    assert 6 <= len(reached._kept) <= 12
    assert all(number % reached._spacing == 0 for number in reached._kept)


def test_after_the_first_time_a_moment_is_played_from_near_by(monkeypatch):
    cluster = Cluster(3, seed=1)
    cluster.run(3000)
    cluster.at(cluster.number)
    played = []
    quietly = Engine.apply_quietly

    def counted(self, action):
        played.append(action)
        quietly(self, action)

    monkeypatch.setattr(Engine, "apply_quietly", counted)
    for number in range(0, cluster.number, 53):
        played.clear()
        cluster.at(number)
        assert len(played) < 8 * 64


def test_a_copy_that_is_kept_costs_the_same_however_long_the_run():
    cluster = Cluster(3, seed=1)
    cluster.elect()
    for place in range(40):
        cluster.propose(f"k{place}={place}")
        cluster.run(30)
    live, kept = cluster.engine, copied_engine(cluster.engine, to_keep=True)
    logs = [(host.machine.log._entries, host.disk.log, host.seen.entries) for host in hosts(live)]
    held = [(host.machine.log._entries, host.disk.log, host.seen.entries) for host in hosts(kept)]
    for whole, part in zip(chain(*logs), chain(*held), strict=True):
        assert (part.whole, part.length) == (whole, len(whole))
        assert part.whole is whole
    for whole, part in zip(live.growing_parts(), kept.growing_parts(), strict=True):
        assert part.whole is whole


def hosts(engine: Engine):
    return engine.hosts.values()


def test_what_is_cut_later_is_still_in_a_copy_that_is_kept():
    cluster = Cluster(3, seed=1)
    leader = cluster.elect()
    cluster.propose("x=1")
    cluster.run(100)
    cluster.isolate(leader)
    for place in range(5):
        cluster.propose(f"lost={place}", to=leader)
    cluster.run(30)
    kept, shown = copied_engine(cluster.engine, to_keep=True), cluster.frame().nodes
    cluster.run(1000)
    cluster.heal()
    cluster.run(1000)
    cluster.compact(leader)
    log = cluster.machine(leader).log
    assert log.snapshot is not None and len(log) == 0
    again = with_engine(cluster, copied_engine(kept))
    assert again.frame().nodes == shown
    assert len(again.machine(leader).log) == 7
    again.run(2000)
    again.heal()
    again.run(1000)
    assert again.violation is None


# Machines and rules of learners


class Tied(RaftStateMachine):
    """It keeps a function that would move the original if a copy called it."""

    def __init__(self, *given, **named):
        super().__init__(*given, **named)
        self.on_tick = lambda now: RaftStateMachine.tick(self, now)

    def tick(self, now):
        self.on_tick(now)


class Locked(RaftStateMachine):
    """It keeps what cannot be copied."""

    def __init__(self, *given, **named):
        super().__init__(*given, **named)
        self.lock = threading.Lock()


class Stepwise(RaftStateMachine):
    """It keeps methods of its own, by what they are for."""

    def __init__(self, *given, **named):
        super().__init__(*given, **named)
        self.does = {"tick": super().tick}

    def tick(self, now):
        self.does["tick"](now)


@pytest.mark.parametrize("machine", [Tied, Locked, Stepwise])
def test_a_machine_that_hides_itself_can_be_gone_back_over_too(machine):
    cluster = Cluster(3, seed=1, machine=machine)
    cluster.run(300)
    now = standing(cluster)
    cluster.at(cluster.number)
    for number in range(0, cluster.number, 7):
        moment = cluster.at(number)
        assert standing(moment) == standing(played_to(cluster, number))
        assert go_on(moment) == go_on(played_to(cluster, number))
    assert standing(cluster) == now


def test_only_what_shares_nothing_is_copied():
    assert can_be_copied(Cluster(3).engine)
    assert can_be_copied(Cluster(3, machine=ToyMachine).engine)
    assert not can_be_copied(Cluster(3, machine=Tied).engine)
    assert not can_be_copied(Cluster(3, machine=Locked).engine)


class CountsEntries(KeyValue):
    """An application that knows more than its values, and is not told how to copy that."""

    def __init__(self, sessions: int = 16):
        super().__init__(sessions)
        self.count = 0

    def apply(self, entry):
        self.count += 1
        return super().apply(entry)

    def encode(self):
        return msgspec.json.encode(self.count)


class OnlyApplies:
    """An application with what the contract asks for, and no `copy`."""

    def __init__(self):
        self.count = 0

    def apply(self, entry):
        self.count += 1
        return ""

    def encode(self):
        return msgspec.json.encode(self.count)


@pytest.mark.parametrize("kind", [CountsEntries, OnlyApplies])
def test_an_application_of_a_learners_own_goes_along_whole(kind):
    cluster = Cluster(3, seed=1)
    for host in cluster.hosts.values():
        host.application = kind()
    cluster.elect()
    shown = {}
    for place in range(20):
        cluster.propose(f"x={place}")
        cluster.run(30)
        shown[cluster.number] = [host.application.encode() for host in hosts(cluster.engine)]
    assert cluster.at(cluster.number).number == cluster.number
    for number in (each for each in shown if each >= min(cluster._checkpoints._kept)):
        moment = cluster.at(number)
        assert [host.application.encode() for host in hosts(moment.engine)] == shown[number]


class Mine(Rules):
    """Rules under another name."""


@pytest.mark.parametrize("rules", [Mine, Mine(), {"S1": Mine}, {"S1": Mine(), "S2": Rules()}])
def test_rules_go_along_with_a_copy(rules):
    cluster = Cluster(3, seed=1, rules=rules)
    cluster.run(300)
    copy = copied(cluster)
    for node in cluster.nodes:
        assert copy.hosts[node].rules is cluster.hosts[node].rules
        assert copy.hosts[node].machine is not cluster.hosts[node].machine
    assert go_on(copy) == go_on(cluster)
    assert copy.recording == cluster.recording


def test_a_newcomer_to_a_copy_gets_the_rules_of_all():
    cluster = Cluster(3, seed=1, rules=Mine)
    cluster.elect()
    copy = copied(cluster)
    copy.add_node("S4")
    assert type(copy.hosts["S4"].rules) is Mine
    assert cluster.nodes == ("S1", "S2", "S3")


def test_a_copy_of_a_troubled_network_throws_the_same_dice():
    network = Network(loss=0.2, duplication=0.2, reordering=0.3)
    cluster = Cluster(3, seed=9, network=network)
    cluster.run(250)
    copy = copied(copied(cluster))
    assert go_on(copy) == go_on(cluster)

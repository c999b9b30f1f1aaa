"""A learner's own machine takes a place in a cluster, is drawn as a frame, and is watched."""

import random
from typing import Any

import pytest
from msgspec import structs

from raftlab import (
    Cluster,
    Command,
    Disks,
    Misuse,
    Network,
    NotLeader,
    NotNow,
    Options,
    Role,
    Violation,
)
from raftlab.check.campaign.complaints import complaint
from raftlab.check.campaign.faults import (
    REPAIRS,
    Verbs,
    crash,
    cut,
    delay_long,
    isolate,
    partition,
    pause,
    timeout,
)
from raftlab.check.campaign.random_run import heal_and_converge, inject_faults
from raftlab.check.campaign.random_start import start
from raftlab.raft.machine import RaftStateMachine
from tests.sim.looking import drive, frame_bytes, standing
from tests.sim.toy_machine import CommitsAtOnce, ForgetsToWrite, ToyMachine, VotesForAll

EVERYDAY_FAULTS: Verbs = [
    (verb, 3) for verb in (crash, pause, timeout, partition, isolate, cut, delay_long)
]


class Bare:
    """The least that a place in a cluster asks for: it never does anything."""

    def __init__(self, node_id, *, log, term, voted_for, **unused):
        self.node_id, self.term, self.voted_for, self.log = node_id, term, voted_for, log
        self.role, self.commit_index, self.next_deadline = Role.FOLLOWER, 0, float("inf")

    def advance(self, message, now):
        pass

    def tick(self, now):
        pass

    def poll(self):
        from raftlab.raft.output import Output

        return Output()

    def add_entry(self, payload):
        raise NotImplementedError("add_entry")


def toys(nodes: int = 5, **given: Any) -> Cluster:
    return Cluster(nodes, machine=ToyMachine, **{"seed": 1, **given})


@pytest.mark.parametrize("nodes", [1, 2, 3, 5])
def test_a_learners_machine_elects_and_commits(nodes):
    cluster = toys(nodes)
    leader = cluster.elect()
    cluster.propose("x=1")
    cluster.run(300)
    assert cluster.leader == leader
    assert [each.values for each in cluster.frame().nodes] == [{"x": "1"}] * nodes


def test_a_learners_machine_is_drawn_as_a_frame():
    cluster = toys(3)
    cluster.elect("S2")
    cluster.propose("x=1")
    cluster.run(300)
    frame = cluster.frame()
    leader, follower = frame["S2"], frame["S3"]
    assert (leader.role, leader.leader, leader.term) == (Role.LEADER, "S2", 1)
    assert (follower.role, follower.leader, follower.voted_for) == (Role.FOLLOWER, "S2", "S2")
    assert leader.log == follower.log == follower.disk.log
    assert (leader.commit_index, follower.commit_index, follower.applied_index) == (2, 2, 2)
    assert leader.progress == ()
    assert follower.votes is None
    assert frame_bytes(frame)
    assert all(frame.properties.values())
    drawn = frame._repr_mimebundle_()
    assert "S2 leads term 1." in drawn["text/plain"]
    assert drawn["image/svg+xml"].startswith("<svg")


@pytest.mark.parametrize("watched", [True, False])
def test_a_learners_machine_may_give_messages_that_can_be_read_once(watched):
    class Generous(ToyMachine):
        def poll(self):
            output = super().poll()
            return structs.replace(output, messages=iter(output.messages))

    cluster = Cluster(3, seed=1, machine=Generous, watched=watched)
    assert cluster.elect("S1") == "S1"
    assert cluster.engine.world.network.sent > 0


def test_a_learners_machine_tells_who_leads():
    cluster = toys(3)
    cluster.elect("S1")
    cluster.run(200)
    with pytest.raises(NotLeader) as refused:
        cluster.propose("x=1", to="S3")
    assert refused.value.leader == "S1"


def test_a_learners_machine_survives_faults_and_is_recorded():
    network = Network(latency=(2.0, 20.0), loss=0.1, duplication=0.1, reordering=0.2)
    cluster = drive(toys(5, network=network, disks=Disks(write_ms=3.0, torn=True)))
    assert cluster.commit_index > 3
    assert standing(cluster.recording.replay()) == standing(cluster)


@pytest.mark.parametrize("seed", range(20))
def test_a_learners_machine_keeps_every_property_in_random_runs(seed):
    disks = Disks(write_ms=8.0, torn=True)
    run = start(seed, machine=ToyMachine, options=Options.figure_2(), disks=disks)
    inject_faults(run, only=REPAIRS + EVERYDAY_FAULTS)
    assert heal_and_converge(run), run
    assert complaint(run) is None, run


def test_a_learners_machine_shares_a_cluster_with_the_shipped_one():
    def either(node_id, **given):
        kind = ToyMachine if node_id in ("S1", "S4") else RaftStateMachine
        return kind(node_id, **given)

    cluster = Cluster(5, seed=1, machine=either, options=Options.figure_2())
    for leader in ("S1", "S2", "S4", "S5"):
        cluster.elect(leader)
        cluster.propose(f"x={leader}")
        cluster.run(300)
        assert [each.values for each in cluster.frame().nodes] == [{"x": leader}] * 5
    assert standing(cluster.recording.replay()) == standing(cluster)


@pytest.mark.parametrize(
    ("machine", "name"),
    [
        (VotesForAll, "One Vote Per Term"),
        (ForgetsToWrite, "Durable Before Said"),
        (CommitsAtOnce, "Commit Follows Quorum"),
    ],
)
def test_a_learners_mistake_is_caught(machine, name):
    cluster = Cluster(3, seed=1, machine=machine)
    with pytest.raises(Violation) as caught:
        cluster.timeout("S1")
        cluster.timeout("S2")
        cluster.elect()
        cluster.propose("x=1")
        cluster.run(500)
    assert caught.value.frame.name == name


def test_a_machine_that_does_nothing_at_all_has_a_place_too():
    cluster = Cluster(3, seed=1, machine=Bare)
    cluster.run(100)
    assert cluster.now == 100
    assert [each.role for each in cluster.frame().nodes] == [Role.FOLLOWER] * 3
    with pytest.raises(Misuse) as refused:
        cluster.timeout("S1")
    assert str(refused.value) == "the machine of S1 has no method campaign"
    with pytest.raises(Misuse):
        cluster.elect("S1")
    with pytest.raises(NotNow, match="Nothing is going to happen"):
        cluster.step()
    cluster.crash("S1")
    cluster.restart("S1")
    assert cluster.machine("S1").node_id == "S1"


def test_a_machine_that_does_nothing_does_not_disturb_the_others():
    def one_is_idle(node_id, **given):
        return (Bare if node_id == "S3" else RaftStateMachine)(node_id, **given)

    cluster = Cluster(3, seed=1, machine=one_is_idle)
    cluster.elect("S1")
    index = cluster.propose("x=1")
    cluster.run(300)
    assert cluster.commit_index == index
    assert cluster.frame()["S3"].log == ()


def test_a_toy_is_used_by_hand_as_the_shipped_machine_is():
    from raftlab import Configuration

    machine = ToyMachine(
        "S1",
        configuration=Configuration(("S1",)),
        rng=random.Random(1),
        options=Options(),
    )
    machine.tick(machine.next_deadline)
    assert machine.poll().term == 1
    assert machine.poll().committed[0].index == 1
    assert machine.add_entry(Command(b"x=1")) == 2

"""In the quiet nobody is disturbed, and an operator and clients are served."""

import random
from typing import Any

import pytest

from raftlab import Configuration, NotLeader, NotNow, Options, RaftStateMachine
from raftlab.check.campaign import after_healing
from raftlab.check.campaign.after_healing import (
    TASKS,
    disagreement,
    disturbance,
    disturbers,
    failed_task,
    grows,
    hands_over,
    outlives_leader,
    serves,
    shrinks,
)
from raftlab.check.campaign.complaints import complaint
from raftlab.check.campaign.faults import stand_for_election_if_possible
from raftlab.check.campaign.random_run import heal_and_converge
from raftlab.check.campaign.random_start import start
from raftlab.check.campaign.run_state import RandomRun
from raftlab.check.campaign.trial import checked, try_seed
from raftlab.raft.roles import Role
from tests.check.wild_bugs import (
    AsksFirst,
    CandidatesHearNoPreVote,
    DropsEarlyReads,
    NeverGivesUp,
    OnlyEntriesPromote,
)
from tests.sim.toy_machine import ToyMachine


def settled(nodes: int = 3, seed: int = 1, **given: Any) -> RandomRun:
    """A run in which nothing has gone wrong so far."""
    run = start(seed, nodes, **{"options": Options(), **given})
    assert heal_and_converge(run)
    return run


@pytest.mark.parametrize("task", TASKS, ids=lambda task: task.__name__)
@pytest.mark.parametrize("options", [Options(), Options.figure_2()], ids=["all", "figure 2"])
@pytest.mark.parametrize("nodes", [1, 2, 3, 5])
def test_the_shipped_machine_does_what_an_operator_asks(task, options, nodes):
    for seed in range(4):
        run = settled(nodes, seed, options=options)
        assert task(run, random.Random(seed)) is None
        assert serves(run)


def test_each_task_changes_what_it_says():
    run = settled()
    assert grows(run, random.Random(1)) is None
    assert run.cluster.configuration.voters == ("S1", "S2", "S3", "S4")
    assert shrinks(run, random.Random(1)) is None
    assert len(run.cluster.configuration.voters) == 3
    leader = run.cluster.leader
    assert hands_over(run, random.Random(1)) is None
    assert run.cluster.leader != leader
    leader, term = run.cluster.leader, run.cluster.frame().term
    assert outlives_leader(run, random.Random(1)) is None
    assert run.cluster.frame().term > term


@pytest.mark.parametrize(
    ("task", "bug", "said"),
    [
        (grows, OnlyEntriesPromote, "S4 was not promoted"),
        (hands_over, AsksFirst, "did not hand over to"),
        (outlives_leader, CandidatesHearNoPreVote, "nobody led after"),
    ],
    ids=lambda each: getattr(each, "__name__", ""),
)
def test_who_is_not_served_says_so(task, bug, said):
    found = [task(settled(3, seed, machine=bug), random.Random(seed)) for seed in range(6)]
    assert any(each is not None and said in each for each in found)


def test_what_an_operator_asks_for_hangs_on_the_seed_alone(monkeypatch):
    asked = []

    def noting(run: RandomRun, rng: random.Random) -> None:
        asked.append(rng.random())

    monkeypatch.setattr(after_healing, "TASKS", (noting, noting))
    for draws in (0, 5):
        run = settled(seed=7)
        for _ in range(draws):
            run.rng.random()
        assert failed_task(run) is None
    assert asked[:2] == asked[2:]


def test_a_machine_that_changes_no_members_is_only_asked_to_outlive_its_leader():
    run = settled(machine=ToyMachine, seed=2)
    assert failed_task(run) is None
    assert len(run.cluster.nodes) == 3


def test_a_transfer_that_is_never_given_up_is_found():
    run = start(1, 3, options=Options(), machine=NeverGivesUp)
    cluster = run.cluster
    cluster.elect("S1")
    cluster.run(200)
    cluster.cut("S1", "S2")
    cluster.transfer("S2")
    cluster.run(1000)
    heal_and_converge(run)
    assert complaint(run).text.startswith("no new command on every member")


def test_a_read_that_nobody_answers_or_refuses_is_found():
    run = start(1, 3, options=Options(), machine=DropsEarlyReads)
    cluster = run.cluster
    cluster.elect("S1")
    run.readings.append(cluster.read("x", "S1"))
    assert heal_and_converge(run)
    assert disturbance(run).startswith("<read of x at S1: waiting> since ")
    right = start(1, 3, options=Options())
    right.cluster.elect("S1")
    right.readings.append(right.cluster.read("x", "S1"))
    assert heal_and_converge(right)
    assert disturbance(right) is None


class Redirects(RaftStateMachine):
    """Only its leader answers reads, as only it accepts entries."""

    def read(self, now=None, read_id=None):
        if self.role is not Role.LEADER:
            raise NotLeader.of(self.node_id, self.role.value, self.term, self.leader, "read")
        return super().read(now, read_id)


class NeverReads(RaftStateMachine):
    """It offers reads, and has a reason against each."""

    def read(self, now=None, read_id=None):
        raise NotNow(f"{self.node_id} is busy")


class KnowsNobody(RaftStateMachine):
    """In place of an answer it names no leader, though there is one."""

    def read(self, now=None, read_id=None):
        raise NotLeader.of(self.node_id, self.role.value, self.term, None, "read")


def test_who_sends_a_read_to_the_leader_has_served_it():
    run = settled(machine=Redirects)
    assert disturbance(run) is None
    assert try_seed(1, checked(None, Redirects, {})).verdict == "ok"


@pytest.mark.parametrize(
    ("machine", "said"),
    [(NeverReads, "S1 is busy (in all quiet)"), (KnowsNobody, "knows no leader")],
)
def test_a_read_that_nobody_takes_in_all_quiet_is_found(machine, said):
    assert said in disturbance(settled(machine=machine))
    result = try_seed(1, checked(None, machine, {}))
    assert (result.verdict, "in all quiet" in result.text) == ("stuck", True)


def test_a_stuck_run_says_how_members_disagree_about_members():
    run = settled()
    assert disagreement(run) == ""
    run.cluster.machine("S3").configuration = Configuration(("S1", "S3"))
    assert disagreement(run) == (
        ", and members differ: for S1 S2 they are S1 S2 S3; for S3 they are S1 S3"
    )
    run.settled_after = None
    assert complaint(run).text.endswith("of peace" + disagreement(run))


def test_a_removed_server_with_a_change_that_only_it_holds_does_not_count_as_a_member():
    """It was cut off with that change, and nobody sends it anything any more."""
    conditions = checked(None, None, {})
    assert try_seed(71142, conditions).verdict == "ok"


def test_what_a_slow_disk_holds_back_at_the_peace_is_waited_for():
    """A removed server's answer to an old heartbeat, with a higher term: the leader steps down."""
    assert try_seed(90054, checked(None, None, {})).verdict == "ok"


def test_it_is_not_quiet_while_a_write_from_before_the_peace_is_under_way():
    run = start(1, 3, options=Options(async_persistence=True))
    cluster = run.cluster
    cluster.elect("S1")
    cluster.isolate("S3")
    cluster.remove("S3")
    cluster.run(100)
    cluster.slow_disk("S3", 400)
    stand_for_election_if_possible(run, "S3")
    assert heal_and_converge(run)
    assert run.settled_after > 400
    assert disturbance(run) is None


@pytest.mark.parametrize("seed", [310264, 310406, 310586])
def test_a_server_that_is_just_being_removed_is_not_switched_off_in_the_midst_of_it(seed):
    """The others may still need it to commit the change; nothing keeps it from disrupting after."""
    conditions = checked(None, None, {"options": Options.figure_2()})
    assert try_seed(seed, conditions).verdict == "ok"


def test_a_server_that_waits_to_be_added_is_not_switched_off():
    run = settled(options=Options(pre_vote=False, leader_stickiness=False))
    run.cluster.add_node("S4")
    assert disturbers(run) == disturbers(run, settled=True) == []
    assert grows(run, random.Random(1)) is None

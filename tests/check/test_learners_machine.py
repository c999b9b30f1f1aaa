"""Recordings, search, histories, campaigns and shrinking, on machines that a learner wrote.

`ToyMachine` is correct; three first tries are not. None of them has rules, a copy or a
fingerprint of its own: only what a place in a cluster asks for.
"""

import re

import pytest
from msgspec.structs import replace

import raftlab
from raftlab import Cluster, Command, Configuration, Disks, Options, RaftStateMachine, twin
from raftlab.check.campaign import campaign
from raftlab.check.explore import Exploration, Scope, explore
from raftlab.check.history.client_history import history_of
from raftlab.check.linearizability import check
from raftlab.check.shrink import shrink
from tests.sim.toy_machine import CommitsAtOnce, ForgetsToWrite, ToyMachine, VotesForAll

WRONG = [VotesForAll, ForgetsToWrite, CommitsAtOnce]
SMALL = Scope(terms=2, entries=1, restarts=1, in_flight=6)


def searched(machine: type, scope: Scope = SMALL) -> Exploration:
    given = {"options": Options.figure_2(), "disks": Disks(write_ms=0)}
    return explore(Cluster(3, machine=machine, **given), scope, symmetry=True)


def session(machine: type = ToyMachine) -> Cluster:
    """A short session: two leaders, two commands, a crash."""
    cluster = Cluster(3, seed=4, machine=machine)
    cluster.elect()
    cluster.propose("x=1")
    cluster.run(100)
    cluster.crash(cluster.leader)
    cluster.elect()
    cluster.propose("x=2")
    return cluster.run(200)


def test_a_run_of_a_learners_machine_is_a_value_like_any_other(tmp_path):
    cluster = session()
    recording = cluster.recording
    assert recording.replay().frame() == cluster.frame()
    assert raftlab.load(recording.share(), machine=ToyMachine) == recording
    recording.save(tmp_path / "run.jsonl")
    assert raftlab.load(tmp_path / "run.jsonl", machine=ToyMachine) == recording
    assert recording.branch(20).frame() == cluster.at(20).frame()


def test_whoever_opens_it_is_asked_for_the_machine():
    with pytest.raises(raftlab.Misuse, match=r"'ToyMachine' of .*hand the class over, as machine="):
        raftlab.load(session().recording.share())


def test_rules_that_the_machine_does_not_ask_make_no_difference():
    other = type("Other", (raftlab.Rules,), {"quorum": None})
    assert twin(session().recording, raftlab.Rules, other).parts_at is None


@pytest.mark.parametrize("name", ["split_vote", "lost_vote", "late_append", "figure_7", "figure_8"])
def test_situations_can_be_staged_with_it(name):
    situation = raftlab.scenarios.scenario(name)
    cluster = situation(machine=ToyMachine)
    machines = {type(cluster.machine(node)) for node in cluster.nodes if cluster.hosts[node].alive}
    assert (machines, cluster.violation) == ({ToyMachine}, None)
    usual = situation()
    assert ToyMachine not in {type(host.machine) for host in usual.hosts.values()}


def test_a_situation_says_what_the_machine_lacks():
    with pytest.raises(raftlab.Misuse, match="the machine of S1 has no method compact"):
        raftlab.scenarios.scenario("figure_13")(machine=ToyMachine)


class SaysOneByOne(ToyMachine):
    """What it says can be gone through once only."""

    def poll(self):
        output = super().poll()
        said = output.messages
        return replace(output, messages=(each for each in said)) if said else output


def test_what_is_said_one_by_one_is_said_in_a_run_and_in_a_search():
    assert session(SaysOneByOne).frame() == session().frame()
    scope = Scope(terms=1, entries=1, in_flight=3)
    assert searched(SaysOneByOne, scope).states == searched(ToyMachine, scope).states


def test_a_search_finds_nothing_in_the_correct_one():
    found = searched(ToyMachine, Scope(terms=2, entries=2, in_flight=3))
    assert (found.violation, found.is_complete) == (None, True)
    assert found.states > 1000


@pytest.mark.parametrize("machine", WRONG)
def test_a_search_finds_what_is_wrong_and_the_shortest_run_to_it(machine):
    found = searched(machine)
    assert found.violation is not None
    assert found.recording is not None
    assert found.events is not None
    assert found.events < 12
    with pytest.raises(raftlab.Violation):
        found.recording.replay()
    opened = raftlab.load(found.recording.share(), machine=machine)
    assert opened == found.recording


def test_its_clients_see_a_linearizable_history():
    cluster = Cluster(3, seed=4, machine=ToyMachine)
    cluster.elect()
    for number in range(6):
        cluster.propose(f"x={number}")
        cluster.run(40)
    verdict = check(history_of(cluster))
    assert verdict.is_linearizable is True
    assert len(verdict.prefix) == 6


def test_a_campaign_finds_nothing_in_the_correct_one():
    result = campaign(30, machine=ToyMachine)
    assert result.counts == {"ok": 30}


@pytest.mark.parametrize("machine", WRONG)
def test_a_campaign_fails_and_its_failure_is_shrunk(machine):
    result = campaign(10, machine=machine)
    assert result.failures
    first = min(result.failures, key=lambda each: each.events)
    run = result.recording(first.seed)
    short = shrink(run)
    assert 0 < len(short) < 40
    assert len(short) <= len(run)
    with pytest.raises(raftlab.Violation) as fallen:
        short.replay()
    assert fallen.value.frame.name == first.broke


class MakesUpALearner(RaftStateMachine):
    """Whatever a client asks for, it takes S9 in, which there is not."""

    __slots__ = ()

    def add_entry(self, payload):
        if isinstance(payload, Command):
            payload = Configuration(self.configuration.voters, (), ("S9",))
        return super().add_entry(payload)


MADE_UP = r"S\d's machine names 'S9' as a member, and there is no such server: a machine made it up"


def test_a_campaign_says_that_a_server_was_made_up():
    found = campaign(range(12), machine=MakesUpALearner, progress=False)
    raised = [each.text for each in found.results if each.verdict == "raised"]
    assert len(raised) > 5
    assert all(re.match(MADE_UP, text) for text in raised)


CHANGES = [lambda each: each.add_learner("S4"), lambda each: each.remove("S3")]


@pytest.mark.parametrize("ask", CHANGES)
def test_whoever_changes_the_members_learns_that_one_was_made_up(ask):
    cluster = Cluster(3, seed=1, machine=MakesUpALearner)
    cluster.elect("S1")
    cluster.propose("x=1")
    cluster.run(500)
    with pytest.raises(raftlab.Misuse, match=MADE_UP):
        ask(cluster)


def test_whoever_asks_for_a_server_that_there_is_not_has_made_it_up():
    cluster = Cluster(3, seed=1)
    cluster.elect("S1")
    cluster.run(500)
    with pytest.raises(
        raftlab.Misuse, match=r"^There is no node 'S9'; this cluster has S1, S2, S3"
    ):
        cluster.reconfigure("S1 S2 S9")

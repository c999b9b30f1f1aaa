"""200 random runs of 3 to 10 servers keep every property, and recover when the faults end.

Every run is one whole number. A number that fails is added to `seeds.txt`, whose runs come
first from then on; a campaign (`raftlab/check/campaign/`) tries more of them.
"""

from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from raftlab import PROPERTIES, Configuration, Options, Violation
from raftlab.check.campaign.complaints import Complaint, complaint
from raftlab.check.campaign.faults import CLIENTS
from raftlab.check.campaign.random_run import (
    PATIENCE_MS,
    heal_and_converge,
    inject_faults,
)
from raftlab.check.campaign.random_start import start
from raftlab.raft.node import NodeCore
from raftlab.raft.output import Output
from raftlab.sim.world.action import KINDS
from raftlab.sim.world.actions import Compact, SetNetwork
from raftlab.sim.world.application import KeyValue
from raftlab.sim.world.client_sessions import Session, Sessions, missing
from tests.sim.looking import standing
from tests.sim.test_mutants import STUCK, UNSAFE
from tests.sim.whole_run import random_run

SEEDS = Path(__file__).with_name("seeds.txt")
FAILED_ONCE = [int(line) for line in SEEDS.read_text().split("\n") if line.strip().isdigit()]
RUNS = 200


@pytest.mark.parametrize("seed", dict.fromkeys([*FAILED_ONCE, *range(RUNS)]))
def test_a_random_run_keeps_every_property_and_recovers(seed):
    try:
        run = random_run(seed)
    except AssertionError:
        if seed not in FAILED_ONCE:
            with suppress(OSError), SEEDS.open("a") as seeds:
                seeds.write(f"{seed}\n")
        raise
    assert run.settled_after <= PATIENCE_MS
    assert run.cluster.violation is None
    assert run.cluster.frame().properties == {each.name: True for each in PROPERTIES}


def test_a_new_leader_may_leave_a_joint_configuration_that_it_has_compacted():
    """It was committed under the leader before, and is not looked for on disks again."""
    run = random_run(310123, options=Options.figure_2())
    compacted = [each for each in run.cluster.actions if isinstance(each, Compact)]
    assert compacted and run.cluster.violation is None


@pytest.mark.parametrize("seed", range(40))
def test_a_machine_notes_every_deadline_that_moves(seed, monkeypatch):
    """Reads, leases and changes of members included: hosts never wait too long."""
    polled = NodeCore.poll

    def poll(machine: NodeCore) -> Output:
        output = polled(machine)
        assert machine.next_deadline == machine._earliest_deadline()
        return output

    monkeypatch.setattr(NodeCore, "poll", poll)
    random_run(seed)


def test_random_runs_are_not_all_alike():
    """They lose, double, reorder, tear, crash and partition, and commit in spite of it."""
    runs = [random_run(seed) for seed in range(40)]
    networks = [run.cluster.setup.network for run in runs]
    assert any(each.loss for each in networks)
    assert any(each.duplication for each in networks)
    assert any(each.reordering for each in networks)
    assert any(not (each.loss or each.duplication or each.reordering) for each in networks)
    assert any(run.cluster.setup.disks.torn for run in runs)
    options = [run.cluster.setup.options for run in runs]
    for name in ("async_persistence", "catch_up_first", "lease_reads", "pre_vote"):
        assert {getattr(each, name) for each in options} == {True, False}
    kinds = {type(action) for run in runs for action in run.cluster.actions}
    assert kinds == set(KINDS) - {SetNetwork}


def test_random_runs_in_which_the_network_changes_are_sound_and_recover():
    """Nothing arrives for a while, or after ten seconds, or twice; then all is as at first."""
    runs = [random_run(seed, change_network=True) for seed in range(60)]
    changes = [
        action.network
        for run in runs
        for action in run.cluster.actions
        if isinstance(action, SetNetwork)
    ]
    assert any(each.loss == 1 for each in changes)
    assert any(each.duplication == 1 for each in changes)
    assert {each.latency[0] for each in changes} >= {0.0, 10_000.0}
    for run in runs:
        assert run.settled_after <= PATIENCE_MS
        assert (
            run.cluster.engine.world.network_between().latency == run.cluster.setup.network.latency
        )
        assert run.cluster.frame().links == ()


def test_random_runs_get_somewhere():
    """They commit, change members, hand over, compact, and answer reads and retries."""
    runs = [random_run(seed) for seed in range(40)]
    committed = [entry.payload for run in runs for entry in run.committed]
    assert len(committed) > 2000
    assert sum(isinstance(each, Configuration) and each.is_joint for each in committed) > 20
    assert sum(reading.is_done for run in runs for reading in run.readings) > 100
    assert sum(len(run.cluster.history.snapshots) for run in runs) > 100
    assert sum(run.serials.get(client, 0) > 2 for run in runs for client in CLIENTS) > 10
    assert any(run.wiped for run in runs)
    assert {3, 5, 7, 10} <= {len(run.cluster.nodes) for run in runs}
    assert max(run.cluster.frame().term for run in runs) > 10


def test_a_random_run_is_the_same_every_time():
    for seed in (3, 14, 15):
        one, other = random_run(seed), random_run(seed)
        assert one.cluster.recording == other.cluster.recording
        assert standing(one.cluster) == standing(other.cluster.recording.replay())


@pytest.mark.parametrize("nodes", [1, 2, 9])
@pytest.mark.parametrize("seed", range(6))
def test_clusters_of_other_sizes_keep_every_property_and_recover(nodes, seed):
    run = start(seed, nodes)
    inject_faults(run)
    assert heal_and_converge(run), run
    assert complaint(run) is None, run


# Mistakes that random runs find by themselves, and how many runs that takes at most.
FOUND = {
    "refusals count as votes": 10,
    "pre-votes count as votes": 20,
    "a vote is given twice": 10,
    "logs are not compared": 10,
    "only the last terms of logs are compared": 20,
    "lower terms are adopted": 10,
    "every message cuts the log": 10,
    "conflicts are not cut": 10,
    "committed entries are cut": 10,
    "what was sent counts as received": 10,
    "a rejection counts as an acknowledgement": 10,
    "one copy commits": 10,
    "committed entries are skipped": 10,
    "a configuration waits for its commit": 10,
    "a second change does not wait": 20,
    "the joint configuration is left too early": 20,
    "all voters together commit": 20,
    "learners are counted": 20,
    "a removed leader counts itself": 20,
    "a snapshot is acknowledged and not taken": 20,
    "what is not committed is compacted": 10,
    "a snapshot loses the old voters": 20,
    "a snapshot loses the sessions": 40,
    "acknowledgements do not wait for the disk": 10,
    "a leader counts what it is writing": 40,
    "a deposed leader answers reads": 20,
    "a new leader answers reads too soon": 50,
    "a follower answers before it has caught up": 60,
}


@pytest.mark.parametrize("name", FOUND)
def test_random_runs_find_a_mutant_by_themselves(name):
    (mutant,) = [each for each in UNSAFE if each.title == name]
    for seed in range(FOUND[name]):
        run = start(seed, **mutant.wrong)
        try:
            inject_faults(run)
        except Violation:
            return
    pytest.fail(f"no random run of {FOUND[name]} broke anything")


# What they find when peace does not come, or a client looks at what came of its commands.
COMPLAINTS = {
    "the joint configuration is never left": 5,
    "a removed leader goes on": 5,
    "a lost snapshot is not sent again": 20,
}


@pytest.mark.parametrize("name", COMPLAINTS)
def test_random_runs_find_what_only_gets_nowhere(name):
    (mutant,) = [each for each in STUCK if each.title == name]
    assert any(complaint_of(seed, **mutant.wrong) for seed in range(COMPLAINTS[name]))


class ExecutesAgain(Sessions):
    """H25: a command that is sent again is executed again."""

    def once(self, client, serial, index, execute):
        if client not in self:
            return missing(client)
        self._open[client] = Session(serial, execute(), index)
        return self._open[client].result


def test_random_runs_find_a_retry_that_is_executed_twice(monkeypatch):
    monkeypatch.setattr(KeyValue, "table", ExecutesAgain)
    said = [complaint_of(seed) for seed in range(20)]
    found = [each for each in said if each and each.text.endswith("were executed")]
    assert found
    assert {each.kind for each in found} == {"answers"}


def complaint_of(seed: int, **wrong: Any) -> Complaint | None:
    run = start(seed, **wrong)
    inject_faults(run)
    heal_and_converge(run)
    return complaint(run)

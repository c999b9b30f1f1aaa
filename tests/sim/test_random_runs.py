"""200 random runs of five nodes keep every property, and recover when the faults end.

Every run is one whole number. A number that fails is added to `seeds.txt`, whose runs come
first from then on; `python -m tests.sim.random_runs 2000` tries more of them.
"""

from contextlib import suppress
from pathlib import Path

import pytest

from raftlab import PROPERTIES, Violation
from tests.sim.looking import standing
from tests.sim.mutants import UNSAFE
from tests.sim.random_runs import PATIENCE_MS, random_run, settle, start, trouble

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


def test_random_runs_are_not_all_alike():
    """They lose, double, reorder, tear, crash and partition, and commit in spite of it."""
    runs = [random_run(seed) for seed in range(40)]
    networks = [run.cluster.setup.network for run in runs]
    assert any(each.loss for each in networks)
    assert any(each.duplication for each in networks)
    assert any(each.reordering for each in networks)
    assert any(not (each.loss or each.duplication or each.reordering) for each in networks)
    assert any(run.cluster.setup.disks.torn for run in runs)
    assert len({run.cluster.setup.options for run in runs}) > 3
    kinds = {type(action).__name__ for run in runs for action in run.cluster.actions}
    assert kinds == {
        "Calm",
        "Crash",
        "Cut",
        "Delay",
        "Deliver",
        "Drop",
        "Duplicate",
        "Heal",
        "Partition",
        "Pause",
        "Propose",
        "Restart",
        "Resume",
        "Tick",
        "Timeout",
        "Wait",
        "Written",
    }
    assert sum(len(run.acknowledged) for run in runs) > 1000
    assert max(run.cluster.frame().term for run in runs) > 10


def test_a_random_run_is_the_same_every_time():
    for seed in (3, 14, 15):
        one, other = random_run(seed), random_run(seed)
        assert one.cluster.recording == other.cluster.recording
        assert standing(one.cluster) == standing(other.cluster.recording.replay())


@pytest.mark.parametrize("nodes", [1, 2, 3, 4, 7])
@pytest.mark.parametrize("seed", range(6))
def test_clusters_of_other_sizes_keep_every_property_and_recover(nodes, seed):
    run = start(seed, nodes)
    trouble(run)
    assert settle(run), run


# Mistakes that random runs find by themselves, and how many runs that takes at most.
FOUND = {
    "refusals count as votes": 10,
    "pre-votes count as votes": 40,
    "a vote is given twice": 10,
    "logs are not compared": 10,
    "only the last terms of logs are compared": 20,
    "lower terms are adopted": 10,
    "every message cuts the log": 10,
    "conflicts are not cut": 20,
    "committed entries are cut": 10,
    "what was sent counts as received": 10,
    "a rejection counts as an acknowledgement": 10,
    "one copy commits": 10,
    "committed entries are skipped": 10,
}


@pytest.mark.parametrize("name", FOUND)
def test_random_runs_find_a_mutant_by_themselves(name):
    (mutant,) = [each for each in UNSAFE if each.name == name]
    for seed in range(FOUND[name]):
        run = start(seed, **mutant.wrong)
        try:
            trouble(run)
        except Violation:
            return
    pytest.fail(f"no random run of {FOUND[name]} broke anything")

"""One seed, one run: live, replayed, in another process, and after going back in time."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from raftlab import Cluster, Disks, Network, Options
from raftlab.check.campaign.random_run import inject_faults
from raftlab.check.campaign.random_start import start
from raftlab.sim.world.actions import (
    Crash,
    Cut,
    Deliver,
    Drop,
    Duplicate,
    Partition,
    Pause,
    Restart,
)
from tests.sim.looking import (
    digest,
    digest_of_faulty_run,
    drive,
    faulty_cluster,
    frame_bytes,
    standing,
)

ROOT = Path(__file__).parents[2]

# Stages on which many things are due at one moment, and the order of equals shows.
CROWDED = [
    {"network": Network(latency=(25.0, 25.0)), "disks": Disks(write_ms=0.0)},
    {"network": Network(latency=(25.0, 25.0)), "disks": Disks(write_ms=25.0)},
    {"network": Network(latency=(0.0, 0.0)), "disks": Disks(write_ms=0.0)},
    {
        "network": Network(latency=(10.0, 10.0)),
        "options": Options.figure_2(election_timeout=(200.0, 200.0)),
    },
    {"disks": Disks(write_ms=40.0, waits=False), "watched": False},
]


@pytest.fixture(scope="module")
def faulty() -> Cluster:
    return drive(faulty_cluster())


def test_the_faulty_run_has_faults_of_every_kind(faulty):
    kinds = {type(action) for action in faulty.actions}
    assert kinds >= {Crash, Cut, Deliver, Drop, Duplicate, Partition, Pause, Restart}
    assert faulty.commit_index > 5
    assert max(host.machine.term for host in faulty.hosts.values() if host.alive) > 2


def test_the_same_seed_gives_the_same_frames_again():
    assert digest_of_faulty_run() == digest_of_faulty_run()


def test_another_seed_gives_another_run(faulty):
    other = drive(faulty_cluster(seed=8))
    assert frame_bytes(other.frame()) != frame_bytes(faulty.frame())


def test_frames_played_again_are_the_live_ones_byte_for_byte(faulty):
    assert digest(faulty.recording.frames()) == digest_of_faulty_run()


def test_a_replay_ends_where_the_run_ended(faulty):
    assert standing(faulty.recording.replay()) == standing(faulty)


@pytest.mark.parametrize("hash_seed", ["0", "1", "4242"])
def test_another_process_and_another_hash_seed_give_the_same_frames(hash_seed):
    program = "from tests.sim.looking import digest_of_faulty_run as run; print(run())"
    there = subprocess.run(
        [sys.executable, "-c", program],
        cwd=ROOT,
        env={**os.environ, "PYTHONHASHSEED": hash_seed},
        capture_output=True,
        text=True,
        check=True,
    )
    assert there.stdout.strip() == digest_of_faulty_run()


def test_looking_changes_nothing(faulty):
    unseen = drive(faulty_cluster())
    seen = faulty_cluster()
    drive(seen, lambda cluster: (cluster.frame(), cluster.events(5), repr(cluster)))
    assert unseen.actions == seen.actions == faulty.actions


def test_watching_changes_nothing(faulty):
    setup = faulty.setup
    blind = drive(
        Cluster(5, seed=7, network=setup.network, disks=setup.disks, watched=False),
    )
    assert blind.actions == faulty.actions


def assert_every_past_has_the_same_future(cluster: Cluster, every: int) -> None:
    for number in range(0, cluster.number, every):
        again = cluster.at(number)
        assert again.number == number
        while again.number < cluster.number:
            again.step()
        assert again.actions == cluster.actions, f"after going back to frame {number}"


@pytest.mark.parametrize("given", CROWDED)
def test_going_on_from_a_past_frame_leads_to_the_same_future(given):
    cluster = Cluster(5, seed=3, **given)
    for _ in range(400):
        cluster.step()
    assert_every_past_has_the_same_future(cluster, every=7)


class Enough(Exception):
    """The run has come as far as was asked."""


def live_up_to(number: int) -> Cluster:
    """The faulty run as it happens, stopped at a frame."""

    def look(cluster: Cluster) -> None:
        if cluster.number == number:
            raise Enough

    cluster = faulty_cluster()
    with pytest.raises(Enough):
        drive(cluster, look)
    return cluster


@pytest.mark.parametrize("number", range(50, 800, 93))
def test_going_on_after_faults_leads_to_the_same_future(faulty, number):
    live, again = live_up_to(number), faulty.at(number)
    assert standing(again) == standing(live)
    for _ in range(200):
        again.step()
        live.step()
    assert standing(again) == standing(live)


@pytest.mark.parametrize("seed", range(6))
def test_a_run_that_was_stepped_and_one_that_was_replayed_have_one_future(seed):
    live = start(seed)
    inject_faults(live, 1200)
    again = live.cluster.recording.replay()
    assert standing(again) == standing(live.cluster)
    live.cluster.run(1500)
    again.run(1500)
    assert again.actions == live.cluster.actions
    assert standing(again) == standing(live.cluster)


def test_a_frame_does_not_change_when_the_cluster_goes_on():
    cluster = Cluster(3, seed=1)
    cluster.elect()
    frame = cluster.frame()
    before = frame_bytes(frame)
    cluster.propose("x=1")
    cluster.run(500)
    assert frame_bytes(frame) == before


def test_what_happens_on_one_link_does_not_depend_on_another():
    """S5 is cut off from everybody, once by cutting and once because it is down."""

    def deliveries(cluster: Cluster) -> list[tuple[float, str, str, int]]:
        cluster.run(1000)
        return [
            (action.at, action.sender, action.receiver, action.nth)
            for action in cluster.actions
            if isinstance(action, Deliver)
        ]

    cut, down = Cluster(5, seed=2), Cluster(5, seed=2)
    cut.isolate("S5")
    cut.pause("S5")
    down.crash("S5")
    assert deliveries(cut) == deliveries(down)


def test_a_question_that_was_refused_leaves_no_other_time_behind():
    """A lease is judged by this moment, not by the last one that a machine was told.

    In this run a leader answers by its lease when a write ends, and had refused something.
    """
    run = start(8)
    inject_faults(run, 10_000.0)
    replayed = run.cluster.recording.replay()
    flights = [each.key for each in run.cluster.in_flight()]
    assert [each.key for each in replayed.in_flight()] == flights != []
    assert replayed.events(1000) == run.cluster.events(1000)

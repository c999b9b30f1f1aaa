"""The checkers at work on machines in processes: shrinking, histories, more cores, Dask."""

import pytest

import raftlab as rl
from raftlab.check.campaign import campaign
from raftlab.check.history.client_history import history_of
from raftlab.check.linearizability import check
from raftlab.check.shrink import shrink
from raftlab.process import MachineFault
from raftlab.process.samples import sample
from tests.check.test_campaign_dask import scheduler, two_workers  # noqa: F401
from tests.process.mistakes import BROKEN, PYTHON

SEEDS = 3
FOUND_WITHIN = 12


@pytest.fixture
def votes_twice(program, tmp_path):
    """The sample with a mistake in it."""
    written, wrong = PYTHON["votes twice"]
    file = tmp_path / "raft.py"
    file.write_text(sample("python").read_text(encoding="utf-8").replace(written, wrong))
    return program("python", file)


def test_a_failing_run_is_made_shorter_and_falls_without_the_program(votes_twice):
    result = campaign(FOUND_WITHIN, machine=votes_twice, nodes=5)
    found = next(each for each in result.failures if each.broke in BROKEN["votes twice"])
    whole = result.recording(found.seed)
    short = shrink(whole, budget=100)
    assert len(short) < len(whole) / 2
    text = short.share()
    votes_twice.end()
    opened = rl.load(text)
    with pytest.raises(rl.Violation) as fallen:
        opened.replay()
    assert fallen.value.frame.name == found.broke
    assert not votes_twice.pool.pids


def test_what_clients_saw_is_judged(process):
    """Numbered commands, and reads, while the leader crashes."""
    cluster = rl.Cluster(3, seed=3, machine=process("shipped"))
    first = cluster.elect()
    cluster.propose("open ann")
    cluster.propose("ann#1 x+=1")
    cluster.run(200)
    first_read = cluster.read("x")
    cluster.run(200)
    assert first_read.value == "1"
    cluster.propose("x=5")
    cluster.crash(first)
    cluster.elect()
    cluster.propose("ann#1 x+=1")
    cluster.run(500)
    cluster.propose("ann#2 x+=1")
    second_read = cluster.read("x")
    cluster.run(500)
    assert second_read.is_done
    history = history_of(cluster)
    assert len(history) >= 5
    assert check(history).is_linearizable
    opened = rl.load(cluster.recording.share())
    assert history_of(opened) == history


def test_a_server_that_is_not_there_is_told_in_a_sentence(process):
    result = campaign(1, machine=process("wrong", "makes up a server"), nodes=3)
    said = (
        "machine raised MachineFault: it names S9 in the configuration of entry 1, and has heard"
        " of no such node (contradiction)"
    )
    assert [each.verdict for each in result.failures] == ["raised"]
    assert said in result.failures[0].text
    with pytest.raises(MachineFault, match="it names S9"):
        rl.load(result.recording(0).share()).replay()
    assert said in str(rl.load(result.recording(0).share()).attempt().stopped)


def test_more_cores_find_the_same(votes_twice):
    on_two = campaign(SEEDS, machine=votes_twice, cores=2)
    alone = campaign(SEEDS, machine=votes_twice)
    assert on_two == alone
    assert on_two.report() == alone.report()


def test_workers_of_dask_find_the_same(votes_twice, scheduler, tmp_path):  # noqa: F811
    with two_workers(scheduler, tmp_path) as (client, _):
        on_dask = campaign(SEEDS, machine=votes_twice, scheduler=client)
    assert on_dask == campaign(SEEDS, machine=votes_twice)

"""A campaign on a Dask cluster: a real scheduler, and workers that are killed half way."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from distributed import Client

from raftlab import Misuse, NotNow, RaftStateMachine
from raftlab.check.campaign import campaign, executors
from tests.sim.test_mutants import UNSAFE

ROOT = Path(__file__).parents[2]
SEEDS = 60
PATIENCE_S = 120.0


@contextmanager
def started(*command: str) -> Iterator[subprocess.Popen]:
    """A process of Dask's, and its end."""
    environment = {
        **os.environ,
        "PYTHONPATH": str(ROOT),
        "DASK_DISTRIBUTED__ADMIN__TICK__LIMIT": "60s",
    }
    process = subprocess.Popen(
        [sys.executable, "-m", *command],
        cwd=ROOT,
        env=environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        yield process
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def address_in(file: Path, scheduler: subprocess.Popen) -> str:
    import json

    deadline = time.monotonic() + PATIENCE_S
    while time.monotonic() < deadline and scheduler.poll() is None:
        try:
            return json.loads(file.read_text())["address"]
        except (OSError, ValueError):
            time.sleep(0.05)
    raise RuntimeError("the scheduler did not start")


@pytest.fixture(scope="module")
def scheduler(tmp_path_factory) -> Iterator[str]:
    file = tmp_path_factory.mktemp("dask") / "scheduler.json"
    options = ["--host", "127.0.0.1", "--port", "0", "--no-dashboard", "--no-jupyter"]
    module = "distributed.cli.dask_scheduler"
    with started(module, *options, "--scheduler-file", str(file)) as process:
        yield address_in(file, process)


@contextmanager
def worker(scheduler: str, name: str, folder: Path) -> Iterator[subprocess.Popen]:
    options = ["--nthreads", "1", "--no-dashboard", "--host", "127.0.0.1", "--name", name]
    module = "distributed.cli.dask_worker"
    with started(module, scheduler, *options, "--no-nanny", "--local-directory", str(folder)) as it:
        yield it


@contextmanager
def two_workers(scheduler: str, folder: Path) -> Iterator[tuple[Client, list[subprocess.Popen]]]:
    with (
        worker(scheduler, "one", folder) as one,
        worker(scheduler, "two", folder) as two,
        Client(scheduler, set_as_default=False) as client,
    ):
        client.wait_for_workers(2, timeout=PATIENCE_S)
        yield client, [one, two]


def kill_when(client: Client, victim: subprocess.Popen, executor, done: int):
    """The same executor; when so many seeds are done, one of its workers is killed."""

    def run(trial, seeds, scheduler):
        count = 0
        for results in executor(trial, seeds, scheduler):
            count += len(results)
            if count >= done and victim.poll() is None:
                assert count < len(seeds)
                os.killpg(victim.pid, signal.SIGKILL)
                victim.wait()
            yield results

    return run


def test_a_worker_is_killed_half_way_and_the_results_are_those_of_one_core(
    scheduler, tmp_path, monkeypatch
):
    with two_workers(scheduler, tmp_path) as (client, workers):
        executor = kill_when(client, workers[1], executors.dask_workers, SEEDS // 3)
        monkeypatch.setattr(executors, "dask_workers", executor)
        on_dask = campaign(SEEDS, scheduler=scheduler)
        assert workers[1].poll() == -signal.SIGKILL
        assert len(client.scheduler_info()["workers"]) == 1
    assert on_dask == campaign(SEEDS)


def test_a_client_serves_as_well_and_failures_are_the_same(scheduler, tmp_path):
    (mutant,) = [each for each in UNSAFE if each.title == "a vote is given twice"]
    with two_workers(scheduler, tmp_path) as (client, _):
        on_dask = campaign(6, scheduler=client, **mutant.wrong)
        assert client.status == "running"
    alone = campaign(6, **mutant.wrong)
    assert on_dask == alone
    assert on_dask.failures
    assert on_dask.report() == alone.report()


def test_nobody_at_the_address_is_said(monkeypatch):
    monkeypatch.setattr(executors, "ANSWERS_WITHIN_S", 0.5)
    with pytest.raises(NotNow, match="No Dask scheduler answers at"):
        campaign(1, scheduler="tcp://127.0.0.1:9")


@pytest.mark.parametrize(
    "address", ["nope", "", "tcp://", "127.0.0.1", "http://127.0.0.1:80", "x" * 5000]
)
def test_what_is_no_address_is_refused_before_anybody_is_asked(address):
    with pytest.raises(Misuse, match="is no address of a Dask scheduler: write it like") as caught:
        campaign(1, scheduler=address)
    assert len(str(caught.value)) < 300


def test_a_command_line_with_a_wrong_address_is_refused_in_one_line():
    line = [sys.executable, "-m", "raftlab", "campaign", "--seeds", "1", "--scheduler", "nope"]
    ran = subprocess.run(line, cwd=ROOT, capture_output=True, text=True, check=False)
    assert (ran.returncode, ran.stdout, ran.stderr.count("\n")) == (2, "", 1)
    assert "'nope' is no address" in ran.stderr


def test_a_scheduler_without_workers_is_said_and_not_waited_for_for_ever(
    scheduler, monkeypatch, capsys
):
    monkeypatch.setattr(executors, "WORKS_WITHIN_S", 0.5)
    with pytest.raises(NotNow, match=f"has no workers: start one with `dask worker {scheduler}`"):
        campaign(1, scheduler=scheduler)
    assert f"The Dask scheduler at {scheduler} has no workers; waiting 0.5 s" in (
        capsys.readouterr().err
    )


def test_a_scheduler_that_dies_half_way_is_said_in_one_line(tmp_path):
    """What a file keeps is not lost: the same command goes on from there."""
    file, kept = tmp_path / "scheduler.json", tmp_path / "night.jsonl"
    options = ["--host", "127.0.0.1", "--port", "0", "--no-dashboard", "--no-jupyter"]
    module = "distributed.cli.dask_scheduler"
    with started(module, *options, "--scheduler-file", str(file)) as process:
        address = address_in(file, process)
        with worker(address, "one", tmp_path):
            line = [sys.executable, "-m", "raftlab", "campaign", "--seeds", "5000"]
            line += ["--scheduler", address, "--resume", str(kept)]
            quick = {**os.environ, "DASK_DISTRIBUTED__COMM__TIMEOUTS__CONNECT": "2s"}
            with subprocess.Popen(
                line, cwd=ROOT, env=quick, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
            ) as ran:
                wait_until(lambda: kept.exists() and kept.read_bytes().count(b"\n") > 1)
                os.killpg(process.pid, signal.SIGKILL)
                out, err = ran.communicate(timeout=PATIENCE_S)
    assert (ran.returncode, out) == (2, "")
    assert "does not answer any more" in err
    told = [line for line in err.splitlines() if "has no workers; waiting" not in line]
    assert len(told) == 1


def wait_until(happened: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not happened():
        assert time.monotonic() < deadline
        time.sleep(0.05)


class Dies(RaftStateMachine):
    """It takes its whole process with it."""

    def __init__(self, node_id, **given):
        os.kill(os.getpid(), signal.SIGKILL)


def test_a_seed_that_kills_its_workers_is_reported(scheduler, tmp_path):
    """Nannies start the workers again; the scheduler gives up, and so the seed is known."""
    options = ["--nthreads", "1", "--no-dashboard", "--host", "127.0.0.1", "--nworkers", "1"]
    module = "distributed.cli.dask_worker"
    with started(module, scheduler, *options, "--local-directory", str(tmp_path)):
        result = campaign([5], scheduler=scheduler, machine=Dies)
    assert [each.verdict for each in result.results] == ["killed"]

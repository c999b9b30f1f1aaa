"""No process is left, whatever ends ours."""

import os
import re
import shutil
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

import pytest

import raftlab as rl
from raftlab.process.child import Child, ended
from tests.process.conftest import HERE, group_is_there, is_there


def gone(pids):
    """Whether all processes have gone: those that another one ends need a moment."""
    return wait_until(lambda: not any(is_there(pid) or group_is_there(pid) for pid in pids))


def wait_until(done):
    """Whether it comes true."""
    for _ in range(400):
        if done():
            return True
        time.sleep(0.05)
    return False


def test_processes_end_with_what_made_them():
    machine = rl.Process([sys.executable, str(HERE / "misbehaves.py"), "ignores signals"])
    cluster = rl.Cluster(3, machine=machine)
    pids = machine.pool.pids
    assert len(pids) == 3
    del cluster, machine
    assert not any(is_there(pid) or group_is_there(pid) for pid in pids)


PROGRAM = """
import sys, time
import raftlab as rl
machine = rl.Process([sys.executable, {file!r}, "ignores signals"])
cluster = rl.Cluster(3, machine=machine)
print(*machine.pool.pids, flush=True)
{then}
"""


@pytest.mark.parametrize(
    ("then", "sent"),
    [
        ("", None),
        ("sys.exit(3)", None),
        ("import os; os._exit(0)", None),
        ("time.sleep(600)", signal.SIGINT),
        ("time.sleep(600)", signal.SIGTERM),
        ("time.sleep(600)", signal.SIGKILL),
        ("cluster.run(10_000_000)", signal.SIGINT),
    ],
)
def test_no_process_is_left_however_ours_ends(then, sent):
    source = PROGRAM.format(file=str(HERE / "misbehaves.py"), then=then)
    with subprocess.Popen(
        [sys.executable, "-c", source], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    ) as ours:
        pids = [int(pid) for pid in ours.stdout.readline().split()]
        assert len(pids) == 3
        if sent is not None:
            ours.send_signal(sent)
    assert gone(pids)


CAMPAIGN = """
import sys
import raftlab as rl
from raftlab.check.campaign import campaign

if __name__ == "__main__":
    machine = rl.Process([sys.executable, sys.argv[1], sys.argv[2]])
    campaign(100_000, cores=2, machine=machine, progress=False)
"""


@pytest.mark.parametrize("sent", [signal.SIGTERM, signal.SIGKILL])
def test_the_workers_of_a_campaign_and_their_machines_end_with_it(tmp_path, sent):
    (tmp_path / "long.py").write_text(CAMPAIGN)
    (tmp_path / "started").mkdir()
    words = [sys.executable, str(tmp_path / "long.py"), str(HERE / "tells_its_number.py")]
    with subprocess.Popen(
        [*words, str(tmp_path / "started")], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    ) as ours:
        try:
            workers = set()
            for _ in range(1200):
                told = [each.name.split("-") for each in (tmp_path / "started").iterdir()]
                workers = {int(worker) for worker, _ in told} - {ours.pid}
                if len(workers) == 2:
                    break
                time.sleep(0.05)
            ours.send_signal(sent)
            ours.wait(60)
        finally:
            ours.kill()
    assert len(workers) == 2
    assert gone(workers)
    started = [each.name.split("-") for each in (tmp_path / "started").iterdir()]
    assert gone(int(machine) for _, machine in started)


def test_a_fork_of_ours_ends_nothing_of_ours():
    child = Child(["cat"])
    if (pid := os.fork()) == 0:
        child.end()
        os._exit(0)
    os.waitpid(pid, 0)
    assert child.ask(b"still there") == b"still there"
    child.end()


class Immortal:
    """A process that goes on, whatever is done to it."""

    pid = 123456
    stdin = stdout = stderr = None

    def poll(self):
        return None

    def wait(self, timeout=None):
        assert timeout is not None, "this would wait for ever"
        raise subprocess.TimeoutExpired("immortal", timeout)


def test_a_process_that_may_not_be_ended_is_told_and_not_waited_for(monkeypatch):
    def not_permitted(group, sent):
        raise PermissionError

    monkeypatch.setattr(os, "killpg", not_permitted)
    with pytest.warns(RuntimeWarning, match="process 123456 cannot be ended, and may go on"):
        ended(Immortal(), os.getpid())


def test_a_process_that_may_not_be_killed_ends_when_nobody_speaks_to_it(monkeypatch):
    child = Child(["cat"])
    monkeypatch.setattr(os, "killpg", lambda group, sent: None)
    child.end()
    assert not is_there(child.pid)


LEAVES = """
import subprocess, sys
subprocess.Popen(
    [sys.executable, "-c", "import os, time; print(os.getpid(), flush=True); time.sleep(600)"],
    start_new_session=True,
    stdout=open({file!r}, "w"),
)
for line in sys.stdin:
    while not open({file!r}).read().strip():
        pass
    print("{{}}", flush=True)
"""
PAGE = (HERE.parents[1] / "docs" / "machine-protocol.md").read_text(encoding="utf-8")
BEFORE = re.findall(r"`(bwrap .*?) node my_raft.js`", PAGE)[0].split()


def why_no_namespace():
    """Why a program cannot be given processes of its own here; empty, if it can."""
    if shutil.which(BEFORE[0]) is None:
        return "there is no bubblewrap here: `bwrap --version` tells"
    ran = subprocess.run([*BEFORE, "true"], capture_output=True, text=True)
    return f"bubblewrap makes no namespace here: {ran.stderr}" if ran.returncode else ""


NO_NAMESPACE = why_no_namespace()


def running(file):
    """The processes that have a file open."""
    found = []
    for each in Path("/proc").glob("[0-9]*/fd/*"):
        with suppress(OSError):
            if each.resolve() == file:
                found.append(int(each.parts[2]))
    return found


@pytest.mark.skipif(bool(NO_NAMESPACE), reason=NO_NAMESPACE)
@pytest.mark.parametrize("before", [[], BEFORE], ids=["alone", "as the page says"])
def test_what_leaves_the_group_ends_in_a_namespace_of_processes(tmp_path, before):
    file = tmp_path / "left.txt"
    child = Child([*before, sys.executable, "-c", LEAVES.format(file=str(file))])
    assert child.ask(b"{}") == b"{}"
    assert running(file)
    child.end()
    if before:
        assert wait_until(lambda: not running(file))
    else:  # this is what the page warns of
        (left,) = running(file)
        os.kill(left, signal.SIGKILL)

"""A lab of machines in processes is kept with what they said, and opens without them."""

from base64 import b64decode, b64encode

import msgspec
import pytest

import raftlab as rl
from raftlab.lab import Lab
from raftlab.lab.front_end import PAGE
from raftlab.lab.links import LOST, opened
from raftlab.lab.saved_runs import RunSaver, saved_lab_in
from raftlab.process import MachineFault

AT = PAGE._replace(base="https://lab.example/")


@pytest.fixture
def lab(process):
    """A lab in which S1 was crashed, and which went back and on in another way."""
    cluster = rl.Cluster(3, seed=3, machine=process("shipped"))
    cluster.elect()
    cluster.propose("x=1")
    cluster.run(100)
    lab = Lab(cluster, front_end=AT)
    lab.go_to(10)
    lab.crash_button.click()
    for _ in range(5):
        lab.step_button.click()
    assert len(lab.session.branches) == 2
    return lab


def again(lab):
    kept = RunSaver(lab).kept()
    lab.session.branches[0].recording.machine.end()
    return opened("", AT, kept)


def test_every_run_is_there_again_without_the_program(lab):
    second = again(lab)
    assert not second.trouble
    assert second.branches == lab.branches
    assert second.frame == lab.frame
    for branch, before in zip(second.session.branches, lab.session.branches, strict=True):
        assert branch.recording == before.recording
        assert branch.recording.machine.process is None
    second.branch.value = 1
    second.go_to(12)
    second.go_to(0)
    assert not second.trouble


def test_what_one_run_has_seen_another_knows_after_all(lab):
    """Run 2 left run 1 at frame 10; going on there as run 1 did asks nobody."""
    second = again(lab)
    second.branch.value = 1
    cluster = second.session.branches[0].recording.branch(10)
    cluster.step()
    assert cluster.frame() == lab.session.branches[0].recording.branch(11).frame()
    with pytest.raises(rl.NotNow, match="Hand the machine over"):
        cluster.run(10_000)


def test_what_is_kept_again_is_the_same(lab):
    kept = RunSaver(lab).kept()
    first, second = saved_lab_in(kept), saved_lab_in(RunSaver(opened("", AT, kept)).kept())
    assert len(first.tapes) == 1
    assert [each.tape for each in first.runs] == [0, 0]
    assert [each.run for each in first.runs] == [each.run for each in second.runs]


def test_a_tape_is_told_anew_when_it_has_grown_and_only_then(lab, monkeypatch):
    keeper = RunSaver(lab)
    kept = keeper.kept()
    machines = lab.session.branches[0].recording.machine
    monkeypatch.setattr(type(machines), "memory", None)
    assert keeper.kept() == kept
    monkeypatch.undo()
    lab.cluster.run(500)
    assert saved_lab_in(keeper.kept()).tapes != saved_lab_in(kept).tapes


def test_a_run_that_ended_in_a_fault_is_there_again(process):
    cluster = rl.Cluster(3, seed=3, machine=process("misbehaves", "exits"))
    with pytest.raises(MachineFault):
        cluster.run(1000)
    lab = Lab(cluster, front_end=AT)
    second = again(lab)
    assert not second.trouble
    assert second.cluster.stopped == cluster.stopped
    assert second.frame == lab.frame


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda saved: saved.tapes.clear(), "not all that its machines said"),
        (lambda saved: saved.tapes.__setitem__(0, b"x"), "cannot be read"),
    ],
)
def test_a_torn_tape_is_told(lab, change, said):
    saved = saved_lab_in(RunSaver(lab).kept())
    change(saved)
    text = b64encode(msgspec.msgpack.encode(saved)).decode()
    second = opened("", AT, text)
    assert second.trouble.startswith(LOST)
    assert said in second.trouble


def test_what_was_kept_before_there_were_tapes_opens():
    lab = Lab(rl.Cluster(3, seed=1), front_end=AT)
    parts = msgspec.msgpack.decode(b64decode(RunSaver(lab).kept()))
    old = [[run[:-1] for run in parts[0]], *parts[1:-1]]
    second = opened("", AT, b64encode(msgspec.msgpack.encode(old)).decode())
    assert not second.trouble
    assert second.frame == lab.frame

"""An action is told in three places: its class, its handler and the verb that makes it.

Here a toy is told so, and all that looks at actions knows it: replay, files, texts, sentences,
traces, pictures, code, editing and shrinking. What knows it is the registry alone.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

import raftlab
from raftlab import Cluster, Misuse, NotNow, Role
from raftlab.check.campaign.random_run import inject_faults
from raftlab.check.campaign.random_start import start
from raftlab.check.campaign.run_state import RandomRun
from raftlab.check.shrink import shrink
from raftlab.sim.run.recording import Recording
from raftlab.sim.world.action import KINDS, ToNode, registered
from raftlab.sim.world.actions import Crash, Restart
from raftlab.sim.world.handlers import HANDLERS, handles
from raftlab.sim.world.world import World
from raftlab.view import scene_timeline
from tests.sim.looking import standing


class Reboot(ToNode, frozen=True, tag="reboot"):
    """A node stops and starts again at once."""

    phrase = "{self.node} reboots after {self.why}"
    mark = verb = "reboot"

    why: str


def carry_out(world: World, action: Reboot) -> None:
    for kind in (Crash, Restart):
        HANDLERS[kind](world, kind(action.at, action.node))


def reboot(cluster: Cluster, node: str, why: str) -> None:
    cluster._act(Reboot(cluster.now, node, why))


@contextmanager
def known(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The toy in its three places, for a while."""
    registered(Reboot)
    handles(Reboot)(carry_out)
    monkeypatch.setattr(Cluster, "reboot", reboot, raising=False)
    try:
        yield
    finally:
        del KINDS[Reboot], HANDLERS[Reboot]


@pytest.fixture
def toy(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    with known(monkeypatch):
        yield


def rebooted() -> Cluster:
    cluster: Any = Cluster(3, seed=1)
    cluster.elect("S1")
    cluster.propose("x=1")
    cluster.run(50)
    cluster.reboot("S1", "a power cut")
    cluster.run(300)
    return cluster


@pytest.mark.usefixtures("toy")
def test_a_toy_action_happens_and_is_refused_like_any_other():
    cluster: Any = Cluster(3, seed=1)
    cluster.elect("S1")
    cluster.reboot("S1", "a power cut")
    assert cluster.machine("S1").role is Role.FOLLOWER
    cluster.crash("S1")
    before = standing(cluster)
    with pytest.raises(NotNow, match="S1 is down"):
        cluster.reboot("S1", "a power cut")
    with pytest.raises(Misuse, match="Reboot has a field of another kind"):
        cluster.apply(Reboot(cluster.now, "S1", 7))
    assert standing(cluster) == before


@pytest.mark.usefixtures("toy")
def test_a_toy_action_is_recorded_replayed_saved_and_shared(tmp_path):
    cluster = rebooted()
    recording = cluster.recording
    assert kinds(recording).count(Reboot) == 1
    recording.save(tmp_path / "run")
    text = recording.share()
    for again in (recording, raftlab.load(tmp_path / "run"), raftlab.load(text)):
        assert again == recording
        assert standing(again.replay()) == standing(cluster)


@pytest.mark.usefixtures("toy")
def test_a_toy_action_is_told_in_words_in_a_trace_and_in_a_picture():
    cluster = rebooted()
    place = kinds(cluster.recording).index(Reboot)
    event = cluster.at(place + 1).events(1)[0]
    assert event.text.startswith("S1 reboots after a power cut")
    assert event.nodes[0] == "S1"
    trace = cluster.trace()
    (mark,) = [each for each in trace.marks if each.kind == "reboot"]
    assert (mark.at, mark.node) == (cluster.actions[place].at, "S1")
    assert mark.text == "S1 reboots after a power cut"
    assert "S1 reboots after a power cut" in scene_timeline(trace).description
    assert "reboot" in scene_timeline(trace).svg


@pytest.mark.usefixtures("toy")
def test_a_toy_action_is_told_as_code(monkeypatch):
    recording = rebooted().recording
    code = recording.as_code()
    assert 'cluster.reboot("S1", "a power cut")' in code
    assert executed(code).recording == recording
    monkeypatch.setattr(Reboot, "verb", None)
    code = recording.as_code()
    assert f"from {__name__} import Reboot\n" in code
    assert executed(code).recording == recording


@pytest.mark.usefixtures("toy")
def test_a_toy_action_is_edited_like_any_other():
    recording = rebooted().recording
    place = kinds(recording).index(Reboot)
    assert Reboot not in kinds(recording.without(place))
    assert kinds(recording.insert(0, Reboot(0.0, "S2", "a whim")))[0] is Reboot


@pytest.mark.usefixtures("toy")
def test_a_toy_action_is_done_at_random_and_shrunk_like_any_other():
    run = start(1)
    inject_faults(run, 2000, only=[(reboot_any, 1)])
    recording = run.cluster.recording
    assert kinds(recording).count(Reboot) > 1
    shrunk = shrink(recording, lambda cluster: Reboot in kinds(cluster.recording))
    assert kinds(shrunk) == [Reboot]


def reboot_any(run: RandomRun) -> None:
    """Any node reboots, if it is up."""
    cluster: Any = run.cluster
    cluster.reboot(run.any_node(), "a fault")


def test_where_nobody_knows_a_toy_action_it_is_refused(monkeypatch):
    with known(monkeypatch):
        recording = rebooted().recording
        text = recording.share()
    with pytest.raises(Misuse, match="Invalid value 'reboot'"):
        raftlab.load(text)
    with pytest.raises(Misuse):
        recording.replay()
    with pytest.raises(Misuse, match="what is played are actions"):
        Cluster(3).apply(Reboot(0.0, "S1", "a whim"))


def executed(code: str) -> Cluster:
    made: dict[str, Cluster] = {}
    exec(code, made)
    return made["cluster"]


def kinds(recording: Recording) -> list[type]:
    return [type(each) for each in recording.actions]

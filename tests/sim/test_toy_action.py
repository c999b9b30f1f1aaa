"""An action is told in three places: its class, its handler and the verb that makes it.

Here a toy is told so, and all that looks at actions knows it: replay, files, texts, sentences,
traces, pictures, code, editing and shrinking. What knows it is the registry alone.
"""

from collections.abc import Iterator

import pytest

import raftlab
from raftlab import Cluster, Misuse, Role, shrink
from raftlab.sim.run.recording import Recording
from raftlab.sim.world.action import KINDS, ToNode, registered
from raftlab.sim.world.actions import Restart
from raftlab.sim.world.engine import Engine
from raftlab.sim.world.handlers import HANDLERS, handles
from raftlab.view import describe_timeline, scene_timeline
from raftlab.view.svg import svg
from tests.sim.looking import standing


class Reboot(ToNode, frozen=True, tag="reboot"):
    """A node stops and starts again at once."""

    phrase = "{self.node} reboots after {self.why}"
    mark = verb = "reboot"

    why: str


def carry_out(engine: Engine, action: Reboot) -> None:
    engine._living(action.node).stop()
    engine._do_restart(Restart(action.at, action.node))


def reboot(cluster: Cluster, node: str, why: str) -> None:
    cluster._act(Reboot(cluster.now, node, why))


@pytest.fixture
def toy(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The toy in its three places, for one test."""
    registered(Reboot)
    handles(Reboot)(carry_out)
    monkeypatch.setattr(Cluster, "reboot", reboot, raising=False)
    yield
    del KINDS[Reboot], HANDLERS[Reboot]


def rebooted() -> Cluster:
    cluster = Cluster(3, seed=1)
    cluster.elect("S1")
    cluster.propose("x=1")
    cluster.run(50)
    cluster.reboot("S1", "a power cut")
    cluster.run(300)
    return cluster


@pytest.mark.usefixtures("toy")
def test_a_toy_action_happens_and_is_refused_like_any_other():
    cluster = Cluster(3, seed=1)
    cluster.elect("S1")
    cluster.reboot("S1", "a power cut")
    assert cluster.machine("S1").role is Role.FOLLOWER
    cluster.crash("S1")
    before = standing(cluster)
    with pytest.raises(Misuse, match="S1 is down"):
        cluster.reboot("S1", "a power cut")
    with pytest.raises(Misuse, match="Reboot has a field of another kind"):
        cluster.apply(Reboot(cluster.now, "S1", 7))
    assert standing(cluster) == before


@pytest.mark.usefixtures("toy")
def test_a_toy_action_is_recorded_replayed_saved_and_shared(tmp_path):
    cluster = rebooted()
    recording = cluster.recording
    assert sum(type(each) is Reboot for each in recording.actions) == 1
    recording.save(tmp_path / "run")
    text = recording.share()
    for again in (recording, raftlab.load(tmp_path / "run"), raftlab.load(text)):
        assert again == recording
        assert standing(again.replay()) == standing(cluster)


@pytest.mark.usefixtures("toy")
def test_a_toy_action_is_told_in_words_in_a_trace_and_in_a_picture():
    cluster = rebooted()
    place = [type(each) for each in cluster.actions].index(Reboot)
    event = cluster.at(place + 1).events(1)[0]
    assert event.text.startswith("S1 reboots after a power cut")
    assert event.nodes[0] == "S1"
    trace = cluster.trace()
    (mark,) = [each for each in trace.marks if each.kind == "reboot"]
    assert (mark.at, mark.node) == (cluster.actions[place].at, "S1")
    assert mark.text == "S1 reboots after a power cut"
    assert "S1 reboots after a power cut" in describe_timeline(trace)
    assert "reboot" in svg(scene_timeline(trace))


@pytest.mark.usefixtures("toy")
def test_a_toy_action_is_told_as_code():
    recording = rebooted().recording
    code = recording.as_code()
    assert 'cluster.reboot("S1", "a power cut")' in code
    made: dict[str, Cluster] = {}
    exec(code, made)
    assert made["cluster"].recording == recording


@pytest.mark.usefixtures("toy")
def test_a_toy_action_is_edited_and_shrunk_like_any_other():
    recording = rebooted().recording
    place = [type(each) for each in recording.actions].index(Reboot)
    assert Reboot not in map(type, recording.without(place).actions)
    assert type(recording.insert(0, Reboot(0.0, "S2", "a whim")).actions[0]) is Reboot
    shrunk = shrink(recording, reboots_a_leader)
    assert sum(type(each) is Reboot for each in shrunk.actions) == 1
    assert len(shrunk) < len(recording)


def reboots_a_leader(cluster: Cluster) -> bool:
    """Whether a node reboots that leads."""
    for place, action in enumerate(cluster.actions):
        if isinstance(action, Reboot):
            return cluster.at(place).machine(action.node).role is Role.LEADER
    return False


def text_of_a_toy(monkeypatch: pytest.MonkeyPatch) -> tuple[Recording, str]:
    registered(Reboot)
    HANDLERS[Reboot] = carry_out
    monkeypatch.setattr(Cluster, "reboot", reboot, raising=False)
    try:
        recording = rebooted().recording
        return recording, recording.share()
    finally:
        del KINDS[Reboot], HANDLERS[Reboot]


def test_where_nobody_knows_a_toy_action_it_is_refused(monkeypatch):
    recording, text = text_of_a_toy(monkeypatch)
    with pytest.raises(Misuse, match="Invalid value 'reboot'"):
        raftlab.load(text)
    with pytest.raises(Misuse):
        recording.replay()
    cluster = Cluster(3)
    with pytest.raises(Misuse):
        cluster.apply(Reboot(0.0, "S1", "a whim"))
    assert cluster.stopped is None

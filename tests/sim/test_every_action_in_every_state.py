"""Every action, tried on a node in every state: it happens, or it is refused and changes nothing.

What cannot happen is refused by the engine, and so for everybody: for the verbs, for what is
tried at random, for a search, for shrinking, and for runs that are opened or edited.
"""

from collections.abc import Callable

import pytest

from raftlab import Cluster, Disks, Misuse, Network, NotNow, load
from raftlab.check.campaign import campaign
from raftlab.raft.options import Options
from raftlab.raft.vocabulary import REFUSALS
from raftlab.sim.world import actions as acts
from raftlab.sim.world.action import KINDS, Action
from raftlab.sim.world.host import NEVER
from tests.sim.looking import standing

NODE = "S3"


def led() -> Cluster:
    """S1 leads; S3 has applied something, and a message is on its way to it and from it."""
    cluster = Cluster(4, seed=1, disks=Disks(write_ms=1.0))
    cluster.elect("S1")
    cluster.propose("x=1")
    cluster.run(100)
    while not {("S1", NODE), (NODE, "S1")} <= {each.key[:2] for each in cluster.in_flight()}:
        cluster.run(1)
        if not cluster.in_flight():
            cluster.propose("y=2")
    return cluster


def with_the_node(verb: Callable[[Cluster], object]) -> Callable[[], Cluster]:
    def made() -> Cluster:
        cluster = led()
        verb(cluster)
        return cluster

    return made


def writing(cluster: Cluster) -> None:
    cluster.propose("z=3")
    cluster.run_until(lambda each: bool(each.hosts[NODE].disk.writes))


def removed(cluster: Cluster) -> None:
    cluster.remove(NODE)
    cluster.run(200)


def learner(cluster: Cluster) -> None:
    removed(cluster)
    cluster.add_learner(NODE)
    cluster.run(20)


def led_by_it(cluster: Cluster) -> None:
    cluster.elect(NODE)


STATES: dict[str, Callable[[], Cluster]] = {
    "up": led,
    "down": with_the_node(lambda cluster: cluster.crash(NODE)),
    "without a disk": with_the_node(lambda cluster: cluster.wipe(NODE)),
    "paused": with_the_node(lambda cluster: cluster.pause(NODE)),
    "paused while it writes": with_the_node(lambda c: (writing(c), c.pause(NODE))),
    "paused while it leads": with_the_node(lambda c: (led_by_it(c), c.pause(NODE))),
    "removed": with_the_node(removed),
    "learner": with_the_node(learner),
    "writing": with_the_node(writing),
    "leading": with_the_node(led_by_it),
}


def first(cluster: Cluster, sender: str, receiver: str) -> tuple[str, str, int]:
    """The first message on a link, or one that is not there."""
    keys = [each.key for each in cluster.in_flight() if each.key[:2] == (sender, receiver)]
    return keys[0] if keys else (sender, receiver, 999)


ACTIONS: dict[type[Action], Callable[[Cluster], Action]] = {
    acts.Deliver: lambda c: acts.Deliver(c.now, *first(c, "S1", NODE)),
    acts.Drop: lambda c: acts.Drop(c.now, *first(c, "S1", NODE)),
    acts.Duplicate: lambda c: acts.Duplicate(c.now, *first(c, "S1", NODE), c.now + 1),
    acts.Delay: lambda c: acts.Delay(c.now, *first(c, NODE, "S1"), c.now + 90),
    acts.Tick: lambda c: acts.Tick(c.now + 1000, NODE),
    acts.Written: lambda c: acts.Written(c.now, NODE),
    acts.Timeout: lambda c: acts.Timeout(c.now, NODE, True),
    acts.Propose: lambda c: acts.Propose(c.now, NODE, b"z=3"),
    acts.Crash: lambda c: acts.Crash(c.now, NODE),
    acts.Restart: lambda c: acts.Restart(c.now, NODE),
    acts.Pause: lambda c: acts.Pause(c.now, NODE),
    acts.Resume: lambda c: acts.Resume(c.now, NODE),
    acts.Partition: lambda c: acts.Partition(c.now, ((NODE,), ("S1", "S2", "S4"))),
    acts.Cut: lambda c: acts.Cut(c.now, "S1", NODE),
    acts.Heal: lambda c: acts.Heal(c.now),
    acts.Calm: lambda c: acts.Calm(c.now),
    acts.SetNetwork: lambda c: acts.SetNetwork(c.now, Network((90.0, 99.0), 0.5), "S1", NODE),
    acts.Join: lambda c: acts.Join(c.now, NODE),
    acts.Reconfigure: lambda c: acts.Reconfigure(c.now, NODE, ("S1", "S2", NODE)),
    acts.TransferLeadership: lambda c: acts.TransferLeadership(c.now, NODE, "S2"),
    acts.ForgetLeader: lambda c: acts.ForgetLeader(c.now, NODE),
    acts.Compact: lambda c: acts.Compact(c.now, NODE, 1),
    acts.Read: lambda c: acts.Read(c.now, NODE, "x"),
    acts.Wipe: lambda c: acts.Wipe(c.now, NODE),
    acts.SetClockRate: lambda c: acts.SetClockRate(c.now, NODE, 2.0),
    acts.SlowDisk: lambda c: acts.SlowDisk(c.now, NODE, 9.0),
    acts.Wait: lambda c: acts.Wait(c.now + 1),
}

REFUSED: dict[str, set[type[Action]]] = {
    "up": {
        *(acts.Restart, acts.Resume, acts.Join, acts.Wipe, acts.Written),
        *(acts.Propose, acts.Reconfigure, acts.TransferLeadership),  # it does not lead
    },
    "down": {
        *(acts.Tick, acts.Written, acts.Timeout, acts.Propose, acts.Crash, acts.Pause),
        *(acts.Resume, acts.Join, acts.Reconfigure, acts.TransferLeadership),
        *(acts.ForgetLeader, acts.Compact, acts.Read),
    },
    "paused": {
        *(acts.Tick, acts.Written, acts.Timeout, acts.Propose, acts.Restart, acts.Pause, acts.Join),
        *(acts.Reconfigure, acts.TransferLeadership, acts.ForgetLeader, acts.Compact, acts.Read),
        acts.Wipe,
    },
}
NOTHING_ARRIVES: set[type[Action]] = {acts.Deliver, acts.Drop, acts.Duplicate}
NOTHING_LEAVES: set[type[Action]] = {acts.Delay}
UP: set[type[Action]] = {acts.Restart, acts.Resume, acts.Join, acts.Wipe}
FOLLOWS: set[type[Action]] = {acts.Propose, acts.Reconfigure, acts.TransferLeadership}
REFUSED["removed"] = UP | FOLLOWS | NOTHING_ARRIVES | NOTHING_LEAVES | {acts.Written}
REFUSED["learner"] = UP | FOLLOWS | NOTHING_ARRIVES | {acts.Written}
REFUSED["writing"] = UP | FOLLOWS | NOTHING_ARRIVES
REFUSED["leading"] = UP | NOTHING_LEAVES | {acts.Timeout, acts.ForgetLeader}
REFUSED["without a disk"] = REFUSED["down"] | {acts.Wipe}
REFUSED["paused while it writes"] = REFUSED["paused"] - {acts.Written} | NOTHING_ARRIVES
REFUSED["paused while it leads"] = REFUSED["paused"] - {acts.Written} | NOTHING_LEAVES


def test_every_action_is_tried():
    odd = {kind.__name__ for kind in set(ACTIONS) ^ set(KINDS)}
    assert not odd, f"add to ACTIONS how it is made, and to REFUSED where it cannot be: {odd}"


@pytest.mark.parametrize("state", STATES)
@pytest.mark.parametrize("kind", ACTIONS, ids=lambda kind: kind.__name__)
def test_an_action_happens_or_is_refused_and_changes_nothing(state, kind):
    cluster = STATES[state]()
    action = ACTIONS[kind](cluster)
    before, memory, on_disk = standing(cluster), fingerprint(cluster), disk_of(cluster)
    try:
        cluster.apply(action)
    except REFUSALS as refusal:
        assert str(refusal)
        assert standing(cluster) == before
        assert cluster.stopped is None
        assert kind in REFUSED[state]
        return
    assert kind not in REFUSED[state]
    if state.startswith("paused") and kind not in (acts.Resume, acts.Crash):
        assert fingerprint(cluster) == memory
    if state in ("down", "without a disk") and kind not in (acts.Restart, acts.Wipe):
        assert disk_of(cluster) == on_disk
    assert standing(cluster.recording.replay()) == standing(cluster)
    if not cluster.hosts[NODE].disk.is_lost:  # else its leader is right to be wrong about it
        cluster.run(300)
        assert standing(cluster.recording.replay()) == standing(cluster)


def fingerprint(cluster: Cluster) -> object:
    host = cluster.hosts[NODE]
    return cluster.machine(NODE).fingerprint() if host.alive else None


def disk_of(cluster: Cluster) -> object:
    return cluster.frame()[NODE].disk


NONSENSE = [
    lambda c: acts.Partition(c.now, (("S1", "S2", "S3", "S4"),)),
    lambda c: acts.Partition(c.now, (("S1", "S2", "S3"), ("S3", "S4"))),
    lambda c: acts.Partition(c.now, (("S1", "S2"), ("S9", "S3"))),
    lambda c: acts.Cut(c.now, "S1", "S9"),
    lambda c: acts.Cut(c.now, "S1", "S1"),
    lambda c: acts.SetNetwork(c.now, Network(), "S1"),
    lambda c: acts.SetNetwork(c.now, Network(), None, "S1"),
    lambda c: acts.SetNetwork(c.now, Network(), "S1", "S1"),
    lambda c: acts.SetNetwork(c.now, Network(), "S1", "S9"),
    lambda c: acts.SetNetwork(c.now, None),
    lambda c: acts.SetNetwork(c.now, {"loss": 2.0}),
    lambda c: acts.Join(c.now, " "),
    lambda c: acts.SetClockRate(c.now, "S1", 0.0),
    lambda c: acts.SetClockRate(c.now, "S1", -1.0),
    lambda c: acts.SetClockRate(c.now, "S1", float("nan")),
    lambda c: acts.SlowDisk(c.now, "S1", -1.0),
    lambda c: acts.SlowDisk(c.now, "S1", NEVER),
    lambda c: acts.Delay(c.now, *first(c, "S1", NODE), c.now - 1),
    lambda c: acts.Delay(c.now, *first(c, "S1", NODE), float("nan")),
    lambda c: acts.Duplicate(c.now, *first(c, "S1", NODE), NEVER),
    lambda c: acts.Wait(NEVER),
    lambda c: acts.Wait(float("nan")),
    lambda c: acts.Wait(c.now - 1),
    lambda c: acts.Reconfigure(c.now, "S1", ()),
    lambda c: acts.Compact(c.now, "S1", -1),
    lambda c: acts.Join(c.now, ["S9"]),
    lambda c: acts.Join(c.now, "S1"),
    lambda c: acts.Join(c.now, "S" * 65),
    lambda c: acts.Crash(c.now, ["S1"]),
    lambda c: acts.Crash("x", "S1"),
    lambda c: acts.Crash(10**400, "S1"),
    lambda c: acts.Partition(c.now, None),
    lambda c: acts.Deliver(c.now, [], "S2", 1),
    lambda c: acts.Compact(c.now, "S1", "x"),
    lambda c: acts.Compact(c.now, "S1", True),
    lambda c: acts.Reconfigure(c.now, "S1", ("S1", "S2"), None),
    lambda c: acts.Wait(None),
    lambda c: acts.Propose(c.now, "S1", "x=2"),
    lambda c: acts.Read(c.now, "S1", []),
    lambda c: acts.Read(c.now, "S1", "\ud800"),
    lambda c: acts.Timeout(c.now, NODE, "no"),
    lambda c: "S1 crashes",
]
TOO_EARLY = [
    lambda c: acts.Compact(c.now, "S1", 99),
    lambda c: acts.TransferLeadership(c.now, "S1", "S9"),
]
KINDS_OF = [(Misuse, each) for each in NONSENSE] + [(NotNow, each) for each in TOO_EARLY]


@pytest.mark.parametrize(("kind", "nonsense"), KINDS_OF)
def test_an_action_that_cannot_be_is_refused_and_changes_nothing(kind, nonsense):
    cluster = led()
    before = standing(cluster)
    with pytest.raises(kind):
        cluster.apply(nonsense(cluster))
    assert standing(cluster) == before
    assert cluster.stopped is None
    assert standing(cluster.run(50).recording.replay()) == standing(cluster)


@pytest.mark.parametrize(
    "action",
    [
        lambda c: acts.Wait(int(c.now) + 5),
        lambda c: acts.Crash(int(c.now) + 5, "S1"),
        lambda c: acts.SetClockRate(c.now, NODE, 2),
        lambda c: acts.SlowDisk(c.now, NODE, 5),
        lambda c: acts.SetNetwork(c.now, Network((1, 2), 1)),
        lambda c: acts.Partition(c.now, [["S1"], ["S2", "S3", "S4"]]),
    ],
)
def test_numbers_and_lists_become_what_a_file_gives_back(action):
    cluster = led()
    cluster.apply(action(cluster))
    again = load(cluster.recording.share())
    assert again == cluster.recording
    assert hash(again) == hash(cluster.recording)
    assert standing(again.replay()) == standing(cluster)


def test_the_shipped_machine_is_not_accused_of_what_its_host_did():
    found = campaign([598], options=Options.figure_2(), nodes=5)
    assert [each.verdict for each in found.results] == ["ok"]

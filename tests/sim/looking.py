"""Looking at runs: frames as bytes, digests of whole runs, one faulty run for all to share."""

import hashlib
from collections.abc import Callable, Iterable
from functools import partial

import msgspec

from raftlab import Cluster, Disks, Frame, Network
from raftlab.raft.vocabulary import REFUSALS


def frame_bytes(frame: Frame) -> bytes:
    """A frame, to the last bit."""
    return msgspec.json.encode(frame, enc_hook=tuple)


def standing(cluster: Cluster) -> tuple[bytes, int, float]:
    """All that a reader can see of a cluster: what a refused verb must leave alone."""
    return frame_bytes(cluster.frame()), cluster.number, cluster.now


def digest(frames: Iterable[Frame]) -> str:
    """One short text for a whole run: equal only if every frame is equal byte for byte."""
    total = hashlib.sha256()
    for frame in frames:
        total.update(frame_bytes(frame))
    return total.hexdigest()


def faulty_cluster(seed: int = 7) -> Cluster:
    """Five nodes in bad weather, with disks that tear."""
    network = Network(latency=(2.0, 20.0), loss=0.1, duplication=0.1, reordering=0.2)
    return Cluster(5, seed=seed, network=network, disks=Disks(write_ms=3.0, torn=True))


def drive(cluster: Cluster, look: Callable[[Cluster], None] = lambda cluster: None) -> Cluster:
    """Let everything that can happen happen, one action after the other; `look` after each."""

    def steps(count: int) -> None:
        for _ in range(count):
            cluster.step()
            look(cluster)

    def act(verb: Callable[..., object], *arguments: object) -> None:
        before = cluster.number
        try:
            verb(*arguments)
        except REFUSALS:
            assert cluster.number == before
            return
        assert cluster.number == before + 1
        look(cluster)

    def leader() -> str:
        return cluster.leader or "S1"

    steps(60)
    for place in range(12):
        act(cluster.propose, f"x={place}")
        act(cluster.propose, f"y+={place}")
        steps(15)
        act(cluster.crash, f"S{place % 5 + 1}")
        steps(15)
        act(cluster.cut, f"S{place % 5 + 1}", f"S{place % 3 + 3}", False)
        act(cluster.pause, f"S{(place + 2) % 5 + 1}")
        steps(10)
        for flight in cluster.in_flight()[:4]:
            verbs = (cluster.deliver, cluster.drop, cluster.duplicate, cluster.delay)
            act(verbs[flight.number % 4], flight.number)
        act(cluster.timeout, f"S{(place + 4) % 5 + 1}")
        act(cluster.partition, [leader()])
        steps(20)
        act(cluster.restart, f"S{place % 5 + 1}")
        act(cluster.resume, f"S{(place + 2) % 5 + 1}")
        act(cluster.heal)
        steps(20)
    act(cluster.calm)
    steps(100)
    the_whole_protocol(cluster, act, steps)
    return cluster


def the_whole_protocol(
    cluster: Cluster, act: Callable[..., None], steps: Callable[[int], None]
) -> None:
    """The verbs that go beyond Figure 2."""
    act(cluster.set_clock_rate, "S4", 1.05)
    act(cluster.slow_disk, "S5", 12.0)
    act(partial(cluster.set_network, latency=(1, 30), duplication=0.2))
    act(partial(cluster.set_network, "S1", "S2", both_ways=False, loss=0.3))
    act(cluster.add_node, "S6")
    for node in cluster.nodes:
        act(cluster.compact, node)
    act(cluster.add_learner, "S6")
    steps(80)
    act(cluster.read, "x")
    act(cluster.read, "y", "S6")
    act(cluster.promote, "S6")
    steps(80)
    act(cluster.transfer)
    steps(40)
    act(cluster.forget_leader, "S2")
    act(cluster.remove, "S6")
    steps(80)
    act(cluster.crash, "S6")
    act(cluster.wipe, "S6")
    steps(40)


def digest_of_faulty_run() -> str:
    """The digest of the faulty run as it happens, frame by frame."""
    cluster = faulty_cluster()
    frames = [cluster.frame()]
    drive(cluster, lambda cluster: frames.append(cluster.frame()))
    return digest(frames)

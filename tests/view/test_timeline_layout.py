"""Of any timeline: no two words lie on each other, none leaves it, and all marks are explained.

The runs are made up, far beyond what a cluster does: terms of five digits, names of twenty
letters, much at one moment.
"""

from itertools import pairwise
from random import Random

import pytest

from raftlab import Cluster, Network
from raftlab.raft.messages import InstallSnapshot, ReadIndex, TimeoutNow
from raftlab.raft.roles import Role
from raftlab.sim.frames.frame import MessageSpan, RoleSpan, Trace, TraceMark
from raftlab.view.scene import Scene
from raftlab.view.timeline.event_marks import KINDS
from raftlab.view.timeline.timeline import scene_timeline
from tests.view.boxes import collisions, outside, texts
from tests.view.builders import (
    accepted,
    append,
    heartbeat,
    rejected,
    request_vote,
    vote,
)
from tests.view.samples import SNAPSHOT

OUTPUT = 900.0
"""How wide JupyterLab shows a picture beside its file list at 1366x768, in px: 934 and some."""

SMALLEST = 11.0

ROLES = (*Role, None)
TERMS = (0, 1, 2, 3, 4, 10, 99_999)
WORDS = ("x=1", "1", "99999", "a rather long command = 1", "W" * 20, "", None)


def install(sender: str, receiver: str) -> InstallSnapshot:
    return InstallSnapshot(term=3, sender=sender, receiver=receiver, snapshot=SNAPSHOT)


def read(sender: str, receiver: str) -> ReadIndex:
    return ReadIndex(term=3, sender=sender, receiver=receiver, read_id=1, asked_at=0.0)


def hurry(sender: str, receiver: str) -> TimeoutNow:
    return TimeoutNow(term=3, sender=sender, receiver=receiver)


def prevote(sender: str, receiver: str) -> object:
    return request_vote(sender, receiver, prevote=True)


MAKERS = (heartbeat, append, accepted, rejected, request_vote, prevote, vote, install, read, hurry)


def life(any_of: Random, name: str, end: float) -> list[RoleSpan]:
    """What one node was, from a moment on."""
    cuts = {any_of.uniform(0.0, end) for _ in range(any_of.randrange(6))}
    edges = sorted({0.0, end, *cuts})
    return [
        RoleSpan(name, any_of.choice(ROLES), any_of.choice(TERMS), since, until)
        for since, until in pairwise(edges)
    ]


def random_trace(seed: int) -> Trace:
    """A run that never was."""
    any_of = Random(seed)
    size = any_of.choice([1, 2, 3, 5, 7, 8, 11, 12, 51])
    stem = any_of.choice(["S", "W" * 18, "a server in Zürich "])
    names = tuple(f"{stem}{place}" for place in range(1, size + 1))
    end = any_of.choice([0.3, 100.0, 3000.0, 1e9])
    moments = [end * share / 40 for share in range(41)]
    spans = [span for name in names for span in life(any_of, name, end)]
    messages = []
    for _ in range(any_of.randrange(80) if size > 1 else 0):
        sender, receiver = any_of.sample(names[:7], 2)
        sent = any_of.choice(moments)
        ended = any_of.choice([None, any_of.uniform(sent, end)])
        message = any_of.choice(MAKERS)(sender, receiver)
        delivered = ended is not None and any_of.random() < 0.7
        messages.append(MessageSpan(message, sent, ended, delivered))
    marks = []
    for _ in range(any_of.randrange(25)):
        node, kind = any_of.choice(names), any_of.choice([*KINDS])
        marks.append(TraceMark(any_of.choice(moments), node, kind, kind, any_of.choice(WORDS)))
    for _ in range(any_of.randrange(5)):
        kind = any_of.choice(["partition", "heal"])
        sides = " | ".join(names[:4]) if kind == "partition" else None
        marks.append(TraceMark(any_of.choice(moments), None, kind, f"the network: {kind}", sides))
    messages.sort(key=lambda each: each.sent_at)
    marks.sort(key=lambda each: each.at)
    return Trace(names, 0.0, end, tuple(spans), tuple(messages), tuple(marks))


def explained(scene: Scene) -> set[str]:
    """The keys of a legend."""
    words = texts(scene, "legend")
    return {each.id.removeprefix("legend-").removesuffix("-word") for each in words}


def used(scene: Scene) -> set[str]:
    """The keys of what is drawn, by what the marks say of themselves."""
    found = set()
    for mark in scene.marks:
        match mark.role.split():
            case ["life", role]:
                found.add(role)
            case ["mark", kind]:
                found.add(kind)
            case ["message", fate]:
                kind = str(mark.data["kind"])
                found |= {"reply"} if kind.endswith("reply") else {kind.replace(" ", "-")}
                found |= {fate} - {"arrived"}
            case ["paused" | "fold" as word]:
                found.add(word)
            case ["band" | "divider" | "term" | "tint"]:
                found.add("term")
            case [other]:
                assert other in {"headline", "name", "axis", "tick", "legend", "cross", "mark"}
    return found


def check_layout(scene: Scene) -> None:
    """Everything that holds of any timeline."""
    ids = [each.id for each in scene.marks]
    assert len(ids) == len(set(ids))
    words = texts(scene)
    assert collisions(words) == []
    assert outside(scene) == []
    assert min(each.size for each in words) * min(1.0, OUTPUT / scene.width) >= SMALLEST
    assert explained(scene) == used(scene)
    assert len({each.text for each in texts(scene, "legend")}) == len(explained(scene))


@pytest.mark.parametrize("seed", range(60))
def test_any_timeline_can_be_read(seed):
    check_layout(scene_timeline(random_trace(seed)))


@pytest.mark.parametrize("only", ["all", "votes", "appends"])
@pytest.mark.parametrize("seed", range(100, 120))
def test_any_part_of_one_can_be_read(seed, only):
    trace, any_of = random_trace(seed), Random(seed)
    start = trace.end * any_of.random() * 0.9
    end = start + (trace.end - start) * any_of.uniform(0.001, 1.0)
    check_layout(scene_timeline(trace, start, end, only))


@pytest.mark.parametrize("seed", range(6))
def test_a_timeline_of_a_real_run_can_be_read(seed):
    cluster = Cluster(3 + 2 * (seed % 3), seed=seed, network=Network(loss=0.02))
    cluster.elect()
    leader = cluster.leader
    for each in range(12):
        if cluster.leader is not None:
            cluster.propose(f"key{each}=value{each}")
        cluster.run(13.0)
    cluster.crash(leader)
    cluster.run(600.0)
    cluster.restart(leader)
    cluster.partition("S1 S2", "S3")
    cluster.run(300.0)
    cluster.heal()
    cluster.run(200.0)
    trace = cluster.trace()
    check_layout(scene_timeline(trace))
    for start in range(0, int(trace.end) - 150, 150):
        check_layout(scene_timeline(trace, float(start), start + 150.0))

"""Frames of a cluster that changes its members, compacts its log, serves reads, hands over."""

from typing import Any

from msgspec.structs import replace

from raftlab.raft.log import LogEntry, Snapshot
from raftlab.raft.messages import (
    InstallSnapshot,
    InstallSnapshotReply,
    ReadIndex,
    ReadIndexReply,
    TimeoutNow,
)
from raftlab.raft.progress import ProgressState
from raftlab.raft.vocabulary import Configuration
from raftlab.sim.frames.frame import DiskFrame, Frame, NodeFrame, ReadFrame, TransferFrame
from tests.view.builders import (
    accepted,
    entry_of,
    flying,
    heartbeat,
    make_frame,
    make_log,
    node,
    nodes_named,
    progress,
)

THREE = Configuration(("S1", "S2", "S3"))
JOINT = Configuration(("S3", "S4", "S5"), old_voters=("S1", "S2", "S3"), learners=("S6",))
AFTER = JOINT.without_old()
LEARNING = Configuration(("S1", "S2", "S3"), learners=("S4",))
START = make_log("1:", "1:x=1", "2:", "2:y=2")
CHANGE = (*START, entry_of(2, 5, JOINT))
CHANGED = (*CHANGE, entry_of(2, 6, AFTER))


def leading(name: str = "S1", term: int = 2, **more: Any) -> NodeFrame:
    """A leader with a heartbeat ahead."""
    return node(name, role="leader", term=term, voted_for=name, heartbeat=130.0, **more)


def following(name: str, log: tuple[LogEntry, ...], **more: Any) -> NodeFrame:
    """A quiet follower of S1 in term 2, that goes by THREE until its log says otherwise."""
    given = {"term": 2, "log": log, "deadline": 190.0, "voters": THREE.voters}
    return node(name, **given | more)


def joint(**given: Any) -> Frame:
    """Six nodes half-way from S1 S2 S3 to S3 S4 S5; S6 learns; S5 has not heard of it yet."""
    known = [progress("S1", 5, 6), progress("S2", 5, 6), progress("S3", 5, 6)]
    known += [progress("S4", 4, 6), progress("S5", 0, 1)]
    known += [progress("S6", 2, 6, is_learner=True)]
    nodes = {
        "S1": leading(log=CHANGE, commit=4, progress=known),
        "S2": following("S2", CHANGE, voted_for="S1", commit=4),
        "S3": following("S3", CHANGE, voted_for="S1", commit=4),
        "S4": following("S4", START, commit=4),
        "S5": following("S5", ()),
        "S6": following("S6", START[:2], commit=2),
    }
    return make_frame(6, **nodes | given)


def learning() -> Frame:
    """Four nodes of which S4 only learns; it has everything."""
    log = (*START, entry_of(2, 5, LEARNING))
    known = [progress(f"S{n}", 5, 6, is_learner=n == 4, caught_up=n == 4) for n in (1, 2, 3, 4)]
    nodes = {name: following(name, log, commit=5) for name in ("S2", "S3", "S4")}
    return make_frame(4, S1=leading(log=log, commit=5, progress=known), **nodes)


def removed() -> Frame:
    """S3 leads S3 S4 S5; S1 knows that it is out, S2 does not and campaigns; S6 learns."""
    known = [progress(f"S{n}", 6, 7) for n in (3, 4, 5)] + [progress("S6", 6, 7, is_learner=True)]
    nodes = {
        "S1": following("S1", CHANGED, commit=6, leader="S3"),
        "S2": node(
            "S2", role="candidate", term=5, log=START, commit=4, voters=THREE.voters,
            voted_for="S2", votes={"S2": True}, deadline=190.0,
        ),
        "S3": leading("S3", log=CHANGED, commit=6, progress=known),
        **{name: following(name, CHANGED, commit=6) for name in ("S4", "S5")},
        "S6": node("S6", alive=False, term=2, log=CHANGED),
    }  # fmt: skip
    return make_frame(6, **nodes)


def joint_campaign() -> Frame:
    """S3 campaigns while the cluster is joint: the old group has granted, the new one not yet."""
    answers = {"S3": True, "S1": True, "S4": False}
    candidate = node(
        "S3", role="candidate", term=3, voted_for="S3", votes=answers, log=CHANGE, deadline=190.0
    )
    return joint(S3=candidate, S1=following("S1", CHANGE, term=3, voted_for="S3", commit=4))


LATE = Snapshot(12, 3, Configuration(nodes_named(5)))
TAIL = make_log("3:x=12", "3:y=13", "4:", "4:z=15", first=12)


def compacted() -> Frame:
    """All have a snapshot: S2 kept entries, S3 lacks it on disk, S4 gets one, S5 is down."""
    sending = {"state": ProgressState.SNAPSHOT}
    known = [progress(f"S{n}", 15, 16) for n in (1, 2, 3)] + [progress("S4", 3, 13, **sending)]
    kept = make_log("2:a=9", "2:b=10", "3:", "3:x=12", "3:y=13", "4:", "4:z=15", first=9)
    tail, four = TAIL[1:], {"term": 4, "commit": 15, "snapshot": LATE}
    nodes = {
        "S1": leading(term=4, log=tail, commit=15, snapshot=LATE, progress=known),
        "S2": node("S2", log=kept, deadline=190.0, **four),
        "S3": node(
            "S3", log=tail, deadline=190.0, disk=DiskFrame(4, "S1", tail, None, True), **four
        ),
        "S4": node("S4", term=4, log=make_log("1:", "1:x=1", "2:"), commit=3, deadline=190.0),
        "S5": node("S5", term=4, alive=False, snapshot=LATE),
    }
    flights = [
        flying(7, InstallSnapshot(term=4, sender="S1", receiver="S4", snapshot=LATE)),
        flying(
            8, InstallSnapshotReply(term=4, sender="S3", receiver="S1", last_index=12, success=True)
        ),
        flying(
            9,
            InstallSnapshotReply(term=4, sender="S2", receiver="S1", last_index=12, success=False),
        ),
    ]
    return make_frame(5, in_flight=flights, **nodes)


def all_compacted() -> Frame:
    """Nobody has any of the first hundred entries; S3 has nothing else."""
    snapshot = Snapshot(100, 12, THREE)
    tail = make_log("12:x=1", "13:", first=101)
    nodes = {
        "S1": leading(term=13, log=tail, commit=102, snapshot=snapshot),
        "S2": following("S2", tail, term=13, snapshot=snapshot, commit=101),
        "S3": following("S3", (), term=13, snapshot=snapshot, commit=100),
    }
    return make_frame(3, **nodes)


def serving() -> Frame:
    """S1 serves reads and hands over; S2 asks for a read index; S3's clock is fast, S4's slow."""
    log = make_log("2:", "2:x=1", "2:y=2")
    known = [progress(f"S{n}", 3, 4, acked_round=n - 1) for n in (1, 2, 3, 4, 5)]
    reads = (ReadFrame("x", 91.5, 3), ReadFrame("y", 96.0, None))
    nodes = {
        "S1": leading(
            log=log, commit=3, progress=known, reads=reads,
            transfer=TransferFrame("S3", "S3", 250.0),
        ),
        "S2": following("S2", log, commit=2, reads=(ReadFrame("x", 92.0, None),)),
        "S3": following("S3", log, commit=3, voted_for="S1", clock_rate=1.25),
        "S4": following("S4", log, commit=3, voted_for="S1", clock_rate=0.8),
        "S5": following("S5", log, commit=3, reads=(ReadFrame("name", 92.0, 3),), paused=True),
    }  # fmt: skip
    nodes = {name: _of_five(each) for name, each in nodes.items()}
    flights = [
        flying(1, ReadIndex(term=2, sender="S2", receiver="S1", read_id=4, asked_at=92.0)),
        flying(
            2, ReadIndexReply(term=2, sender="S1", receiver="S5", read_id=3, asked_at=92.0, index=3)
        ),
        flying(3, TimeoutNow(term=2, sender="S1", receiver="S3"), 92.0, 104.0),
        flying(4, round_asked("S1", "S4", 7), 93.0, 108.0),
        flying(5, round_answered("S5", "S1", 7), 93.0, 109.0),
    ]
    return make_frame(5, in_flight=flights, **nodes)


def _of_five(each: NodeFrame) -> NodeFrame:
    return replace(each, configuration=Configuration(nodes_named(5)))


def round_asked(sender: str, receiver: str, number: int) -> object:
    """A heartbeat that carries a round of reads."""
    return replace(heartbeat(sender, receiver, 2, 3), read_round=number)


def round_answered(sender: str, receiver: str, number: int) -> object:
    """The answer to it."""
    return replace(accepted(sender, receiver, 3), read_round=number)


def changing_crowd(size: int = 51) -> Frame:
    """A great cluster that gives up its last voters, of which the very last will only learn."""
    names = nodes_named(size)
    target = Configuration(names[:-2], old_voters=names[:-1], learners=names[-1:])
    log = (*START, entry_of(2, 5, target))
    nodes = {name: following(name, log, commit=4) for name in names}
    nodes["S2"] = following("S2", log, commit=4, paused=True)
    nodes["S1"] = leading(log=log, commit=4)
    return make_frame(size, **nodes)


CHANGING: dict[str, Frame] = {
    "learner": learning(),
    "joint": joint(),
    "joint campaign": joint_campaign(),
    "removed": removed(),
    "compacted": compacted(),
    "all compacted": all_compacted(),
    "serving": serving(),
    **{f"changing crowd of {size}": changing_crowd(size) for size in (7, 11, 12, 51)},
}

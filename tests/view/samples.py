"""Frames by name that show everything the pictures can say."""

from raftlab.raft.log import Snapshot
from raftlab.raft.vocabulary import Configuration
from raftlab.sim.frames.frame import DiskFrame, Frame, NodeFrame
from raftlab.sim.world.violation import ViolationFrame
from tests.view.builders import (
    FIVE,
    accepted,
    append,
    flying,
    heartbeat,
    make_frame,
    make_log,
    node,
    nodes_named,
    progress,
    rejected,
    request_vote,
    vote,
)

LOG = make_log("1:", "1:x=1", "1:y=2", "2:", "3:", "3:x=3", "3:name=long")
SNAPSHOT = Snapshot(4, 2, Configuration(FIVE))


def led_by_s1() -> dict[str, NodeFrame]:
    """S1 leads term 3; S3 lags, S4 is down, S5 is paused, S2 and S5 have much to write."""
    known = [
        progress("S1", 7, 8),
        progress("S2", 6, 8),
        progress("S3", 3, 4),
        progress("S4", 0, 8),
        progress("S5", 7, 8),
    ]
    return {
        "S1": node(
            "S1",
            role="leader",
            term=3,
            voted_for="S1",
            log=LOG,
            commit=6,
            heartbeat=130.0,
            progress=known,
        ),
        "S2": node(
            "S2",
            term=3,
            voted_for="S1",
            log=LOG,
            commit=5,
            deadline=220.0,
            disk=DiskFrame(3, "S1", LOG[:6], None, True),
        ),
        "S3": node("S3", term=3, log=LOG[:3], commit=3, deadline=270.0),
        "S4": node("S4", term=2, alive=False, log=LOG[:4], voted_for="S2"),
        "S5": node(
            "S5",
            term=3,
            voted_for="S1",
            log=LOG,
            commit=5,
            deadline=180.0,
            paused=True,
            disk=DiskFrame(2, None, LOG[:5], None, False),
        ),
    }


def campaigning() -> dict[str, NodeFrame]:
    """S1 and S3 campaign in term 4, S5 only asks for pre-votes."""
    return {
        "S1": node(
            "S1",
            role="candidate",
            term=4,
            voted_for="S1",
            deadline=230.0,
            votes={"S1": True, "S2": True, "S4": False},
        ),
        "S2": node("S2", term=4, voted_for="S1", deadline=250.0),
        "S3": node(
            "S3", role="candidate", term=4, voted_for="S3", votes={"S3": True}, deadline=270.0
        ),
        "S4": node("S4", term=4, voted_for="S3", deadline=290.0),
        "S5": node(
            "S5", role="candidate", prevote=True, term=5, votes={"S5": True}, deadline=190.0
        ),
    }


VIOLATION = ViolationFrame("Election Safety", "S1 and S2 lead term 3", "Figure 3; 5.2", 7)

MESSAGES = [
    flying(11, heartbeat("S1", "S2", 3, 6)),
    flying(12, append("S1", "S3", "2:", "3:", "3:x=3", after=3, term=3), 97, 111),
    flying(13, accepted("S5", "S1", 7, 3), 93, 101),
    flying(14, heartbeat("S1", "S5", 3, 6), 99, 109, copies=2),
    flying(15, rejected("S3", "S1", 5, 3), 92, 106),
]

REQUESTS = [
    flying(1, request_vote("S1", "S5", 4)),
    flying(2, request_vote("S1", "S3", 4), 98, 104),
    flying(3, request_vote("S3", "S1", 4), 98, 109),
    flying(4, vote("S4", "S1", 4, False), 92, 101),
    flying(5, vote("S2", "S1", 4), 90, 101),
    flying(6, request_vote("S5", "S4", 5, True), 94, 104),
]


def crowd(size: int) -> Frame:
    """`size` nodes, led by the last but one in term 12; every role occurs; all links are busy."""
    names = nodes_named(size)
    leader = names[-2] if size > 1 else names[0]
    nodes = {
        name: node(
            name,
            term=12,
            voted_for=leader,
            log=LOG[: 4 + place % 4],
            commit=4,
            voters=names,
            deadline=150.0 + place,
        )
        for place, name in enumerate(names)
    }
    nodes[leader] = node(
        leader,
        role="leader",
        term=12,
        voted_for=leader,
        log=LOG,
        commit=5,
        heartbeat=140.0,
        voters=names,
        progress=[progress(name, 4, 5) for name in names],
    )
    if size > 2:
        nodes["S1"] = node(
            "S1", role="candidate", term=13, voted_for="S1", votes={"S1": True}, voters=names
        )
    if size > 4:
        nodes["S3"] = node("S3", alive=False, term=12, log=LOG[:3])
        nodes["S5"] = node("S5", paused=True, term=12, log=LOG[:3], voters=names)
    beats = [heartbeat(leader, name, 12) for name in names if name != leader]
    flights = [
        flying(100 + place, beat, 95 - place % 5, 105 + place % 3)
        for place, beat in enumerate(beats)
    ]
    return make_frame(size, in_flight=flights, **nodes)


SAMPLES: dict[str, Frame] = {
    "quiet": make_frame(5),
    "leader": make_frame(5, in_flight=MESSAGES, **led_by_s1()),
    "campaign": make_frame(
        5, in_flight=REQUESTS, lost=request_vote("S3", "S2", 4), text="lost", **campaigning()
    ),
    "partition": make_frame(5, groups=[("S1", "S2"), ("S3", "S4", "S5")], **led_by_s1()),
    "patchwork": make_frame(5, groups=[("S1", "S3"), ("S2", "S4"), ("S5",)]),
    "cuts": make_frame(5, cuts=[("S1", "S2"), ("S2", "S1"), ("S1", "S3")], **led_by_s1()),
    "snapshot": make_frame(
        5, **led_by_s1() | {"S2": node("S2", term=3, log=LOG[4:], snapshot=SNAPSHOT, commit=5)}
    ),
    "long": make_frame(
        3, S1=node("S1", term=3, log=make_log(*(f"{1 + i // 9}:k{i}={i}" for i in range(27))))
    ),
    "violation": make_frame(5, violation=VIOLATION, **campaigning()),
    **{f"crowd of {size}": crowd(size) for size in (1, 2, 3, 4, 7, 11, 12, 25, 51)},
}

"""Any verbs, in any order, with any arguments: what is not refused with a sentence is carried out.

What Hypothesis finds is printed as a list of verbs that can be typed again.
"""

import math
from contextlib import suppress

from hypothesis import given
from hypothesis import strategies as st

from raftlab import Cluster, Disks, Network, Options
from raftlab.raft.vocabulary import REFUSALS
from tests.sim.looking import standing

NODES = ("S1", "S2", "S3")
ABSURD = [
    None,
    True,
    -1,
    0,
    1.5,
    math.nan,
    math.inf,
    "",
    "S9",
    b"S1",
    (),
    ("S1",),
    ["S1"],
    {},
    object,
]

nodes = st.sampled_from(NODES)
numbers = st.integers(0, 60)
times = st.sampled_from([0.0, 0.5, 1.0, 7.0, 40.0, 200.0])
anything = st.sampled_from(ABSURD)
sides = st.lists(nodes, max_size=3)


weather = st.fixed_dictionaries(
    {},
    optional={
        "latency": st.sampled_from([(0.0, 0.0), (0.0, 10_000.0), (10_000.0, 10_000.0), (5, 15)]),
        "loss": st.sampled_from([0.0, 0.3, 1.0]),
        "duplication": st.sampled_from([0.0, 0.3, 1.0]),
        "reordering": st.sampled_from([0.0, 0.3, 1.0]),
    },
)


def call(verb: str, *arguments: st.SearchStrategy) -> st.SearchStrategy:
    return st.tuples(st.just(verb), st.tuples(*arguments))


SENSIBLE = st.one_of(
    call("run", times),
    call("step"),
    call("propose", st.sampled_from(["x=1", "x+=1", "del x", "", b"\xff"])),
    call("propose", st.just("y=1"), nodes),
    call("crash", nodes),
    call("restart", nodes),
    call("pause", nodes),
    call("resume", nodes),
    call("timeout", nodes),
    call("partition", sides),
    call("partition", sides, sides),
    call("isolate", nodes),
    call("cut", nodes, nodes, st.booleans()),
    call("heal"),
    call("calm"),
    st.tuples(st.just("set_network"), st.tuples(), weather),
    st.tuples(st.just("set_network"), st.tuples(nodes, nodes, st.booleans()), weather),
    call("deliver", numbers),
    call("drop", numbers),
    call("duplicate", numbers),
    call("delay", numbers, times),
)

VERBS = (
    "run",
    "propose",
    "crash",
    "restart",
    "pause",
    "resume",
    "timeout",
    "partition",
    "isolate",
    "deliver",
    "drop",
    "duplicate",
    "delay",
)
SENSELESS = st.one_of(
    st.tuples(st.sampled_from(VERBS), st.tuples(anything)),
    call("cut", anything, nodes),
    call("cut", nodes, anything),
    call("delay", numbers, st.sampled_from([None, -1, math.nan, math.inf, "", ()])),
    call("propose", st.just("x=1"), anything),
    call("run_until", st.just(lambda cluster: False), st.sampled_from([-1, math.nan, math.inf])),
)

SETTINGS = st.sampled_from(
    [
        {},
        {"options": Options.figure_2(), "disks": Disks(write_ms=0.0)},
        {"disks": Disks(write_ms=30.0, torn=True), "network": Network(latency=(0.0, 0.0))},
        {
            "network": Network(latency=(10.0, 10.0), loss=0.2, duplication=0.2, reordering=0.2),
            "disks": Disks(write_ms=10.0),
        },
    ]
)


@given(SETTINGS, st.integers(0, 3), st.lists(SENSIBLE, max_size=60))
def test_any_verbs_in_any_order_keep_every_property_and_can_be_played_again(setting, seed, verbs):
    cluster = Cluster(3, seed=seed, **setting)
    cluster.run(250)
    for name, arguments, *named in verbs:
        before = standing(cluster)
        try:
            getattr(cluster, name)(*arguments, **dict(*named))
        except REFUSALS as refused:
            assert len(str(refused)) > 10
            assert standing(cluster) == before, (name, arguments)
    again = cluster.recording.replay()
    assert standing(again) == standing(cluster)
    for each in (cluster, again):
        each.run(300)
    assert standing(again) == standing(cluster)
    assert not cluster.engine.world.alarms


@given(st.lists(SENSIBLE | SENSELESS, max_size=30))
def test_no_argument_is_so_absurd_that_it_does_harm(verbs):
    cluster = Cluster(3, seed=1)
    cluster.run(250)
    for name, arguments, *named in verbs:
        before = standing(cluster)
        try:
            getattr(cluster, name)(*arguments, **dict(*named))
        except REFUSALS:
            assert standing(cluster) == before, (name, arguments)
    with suppress(*REFUSALS):
        cluster.step()
    assert math.isfinite(cluster.now)
    assert standing(cluster.recording.replay()) == standing(cluster)

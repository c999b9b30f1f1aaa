"""What is absurd is refused by name, in a sentence, wherever it is given; what is accepted is kept.

Values that no program should pass are tried on every public constructor and verb. Each is refused
with a Misuse that repeats little of it, or it is accepted, and then the run can be saved, shared
and opened again.
"""

import math
import tracemalloc
from collections.abc import Callable
from functools import partial
from typing import Any

import msgspec
import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

import raftlab
from raftlab import Cluster, Disks, Misuse, Network, Options, RaftLog, RaftStateMachine, Rules, view
from raftlab.check.explore import explore
from raftlab.raft.vocabulary import REFUSALS, Configuration, listed, shown
from raftlab.sim.world.actions import Crash
from raftlab.sim.world.settings import Setup
from tests.sim.toy_machine import ToyMachine

MOST_REPEATED = 200


class Awkward:
    """Cannot even say what it is."""

    def __repr__(self) -> str:
        raise RuntimeError("no words")


ABSURD: list[Any] = [
    None,
    True,
    False,
    -1,
    0,
    5,
    2**64,
    -(2**63) - 1,
    2**70,
    10**400,
    -(10**5000),
    0.0,
    1e-9,
    1e-300,
    1e308,
    -0.5,
    math.nan,
    math.inf,
    -math.inf,
    "",
    "false",
    "no",
    "5",
    "x" * 10_000,
    "\ud800",
    b"",
    b"\x00" * 5_000,
    [],
    [1] * 5_000,
    ["S1", 5],
    (),
    (1,),
    (1.0, 2.0, 3.0),
    ("log", "log"),
    (10**400, 10**400),
    (math.nan, math.nan),
    {},
    {"S1": 5},
    {5: [1]},
    {"S1": [10**400]},
    {1, 2},
    range(10**9),
    object(),
    Awkward(),
    int,
    lambda: None,
    Options,
    Rules(),
    1 + 2j,
]
absurd = st.one_of(
    st.sampled_from(ABSURD),
    st.integers(),
    st.floats(),
    st.text(max_size=80),
    st.binary(max_size=80),
    st.tuples(st.sampled_from(ABSURD), st.sampled_from(ABSURD)),
    st.lists(st.sampled_from(ABSURD), max_size=3),
)


def refused(call: Callable[[], object], value: object) -> bool:
    """Whether the value was refused, as it should be: with a sentence of bounded length."""
    try:
        call()
    except REFUSALS as misuse:
        said = str(misuse)
        usual = 320  # of our own words
        assert len(said) <= usual + MOST_REPEATED, said
        assert "\n" not in said
        return True
    return False


# Settings


def fields(kind: type[msgspec.Struct]) -> list[tuple[type[msgspec.Struct], str]]:
    return [(kind, each.name) for each in msgspec.structs.fields(kind)]


FIELDS = [*fields(Options), *fields(Network), *fields(Disks)]


@settings(max_examples=400)
@given(st.sampled_from(FIELDS), absurd)
def test_a_setting_is_refused_or_the_run_can_be_kept(field, value):
    kind, name = field
    made: list[Any] = []
    for make in (
        lambda: kind(**{name: value}),
        lambda: msgspec.structs.replace(kind(), **{name: value}),
    ):
        if not refused(lambda make=make: made.append(make()), value):
            assert getattr(made[-1], name) == value
    if made:
        assert len(made) == 2
        kept(Cluster(3, **{kind.__name__.lower(): made[0]}))


def kept(cluster: Cluster) -> None:
    """What was accepted is saved, shared, and opened again."""
    cluster.run(10)
    opened = raftlab.load(cluster.recording.share())
    assert opened == cluster.recording
    assert opened.digest == cluster.recording.digest
    decoded = msgspec.json.decode(cluster.recording.encode())
    assert msgspec.convert(decoded["setup"], Setup) == cluster.setup


@settings(max_examples=400)
@given(
    st.sampled_from(
        ["nodes", "seed", "options", "network", "disks", "rules", "machine", "watched", "logs"]
    ),
    absurd,
)
def test_what_a_cluster_is_made_of_is_refused_or_the_run_can_be_kept(name, value):
    made: list[Cluster] = []
    if not refused(lambda: made.append(Cluster(**{"nodes": 2, name: value})), value):
        kept(made[0])


@settings(max_examples=200)
@given(st.sampled_from([each.name for each in msgspec.structs.fields(Setup)]), absurd)
def test_a_setup_is_checked_when_a_part_of_it_is_replaced(name, value):
    setup = Cluster(2, seed=1).setup
    made: list[Setup] = []
    if not refused(lambda: made.append(msgspec.structs.replace(setup, **{name: value})), value):
        assert msgspec.json.decode(msgspec.json.encode(made[0]), type=Setup) == made[0]


def delayed(ms: Any) -> None:
    cluster = Cluster(3, seed=1)
    cluster.elect()
    while not cluster.in_flight():
        cluster.step()
    cluster.delay(cluster.in_flight()[0].number, ms)


SWITCHES = [
    (kind, each.name)
    for kind in (Options, Disks)
    for each in msgspec.structs.fields(kind)
    if isinstance(each.default, bool)
]


@pytest.mark.parametrize(("kind", "name"), SWITCHES)
@pytest.mark.parametrize("value", ["false", "no", 0, 1, None])
def test_a_switch_is_true_or_false_and_nothing_that_counts_as_either(kind, name, value):
    said = f"{name} is True or False, not {value!r}"
    with pytest.raises(Misuse) as made:
        kind(**{name: value})
    with pytest.raises(Misuse) as replaced:
        msgspec.structs.replace(kind(), **{name: value})
    assert str(made.value) == str(replaced.value) == said


@pytest.mark.parametrize(
    ("make", "sentence"),
    [
        (lambda: Cluster(2, watched="no"), "watched is True or False, not 'no'"),
        (lambda: Cluster(2, seed=True), "a seed is a whole number, not True"),
        (lambda: Cluster(2, seed=2**64), "a seed has at most 64 bits, and 18446744073709551616"),
        (lambda: Cluster(2, seed=-(2**63) - 1), "a seed has at most 64 bits"),
        (lambda: Cluster(2, machine=5), "a machine is a class like RaftStateMachine, not 5"),
        (lambda: Cluster(2, machine=int), "a machine is a class like RaftStateMachine, not <cl"),
        (lambda: Cluster(2, rules=memoryview), "the rules of S1 are no subclass of Rules"),
        (lambda: Options(max_in_flight=True), "max_in_flight must be at least 1, and a whole"),
        (lambda: Options(heartbeat_interval=1e-9), "heartbeat_interval must be positive, 0.1 to"),
        (lambda: Options(heartbeat_interval=10**400), "heartbeat_interval must be positive"),
        (lambda: Options(election_timeout=(True, True)), "election_timeout must be"),
        (lambda: Network(latency=(0.0, 1e-300)), "the longest latency is 0, or 0.001 to"),
        (lambda: Disks(keeps=("log",) * 9), "keeps is a tuple of"),
        (lambda: Disks(snapshot_every=True), "snapshot_every is 0 or more entries, not True"),
        (lambda: Cluster(2).run(2**70), "at most 10,000,000 ms pass at once, and not"),
        (lambda: Cluster(2).run(1e15), "at most 10,000,000 ms pass at once"),
        (lambda: Cluster(2).run_until(lambda _: False, 1e15), "at most 10,000,000 ms pass"),
        (lambda: Cluster(2).run(10**400), "at most 10,000,000 ms pass at once, and not 1000"),
        (lambda: delayed(10**400), "a delay is some time above 0 ms, not 1000"),
        (lambda: delayed(True), "a delay is some time above 0 ms, not True"),
        (lambda: Cluster(2).slow_disk("S1", 1e300), "a write takes 0 ms or more, not 1e+300"),
        (lambda: Cluster(2).run(True), "time only goes forward, and step by step: True"),
        (lambda: Cluster(2).run_until(5), "a condition is a function of the cluster, not 5"),
        (lambda: Cluster(2).events(None), "the last steps are a whole number, not None"),
        (lambda: Cluster(["x" * 65]), "a node's name has at most 64 characters, and 'xxx"),
        (lambda: explore(2, goal=True), "a goal is a function of a View, like a lambda, not True"),
        (
            lambda: view.scene_frame(5),
            "scene_frame takes a frame, like cluster.frame() as `frame`, not 5",
        ),
        (lambda: raftlab.load("raftlab.1.x", most_steps=None), "this text"),
    ],
)
def test_what_is_absurd_is_refused_in_a_sentence(make, sentence):
    with pytest.raises(Misuse) as refusal:
        make()
    assert str(refusal.value).startswith(sentence)


@pytest.mark.parametrize("seed", [-(2**63), 2**63, 2**64 - 1])
def test_a_seed_of_64_bits_is_kept(seed):
    kept(Cluster(2, seed=seed))


# Verbs

VERBS: dict[str, Callable[[Cluster, Any], object]] = {
    **{
        name: lambda c, x, name=name: getattr(c, name)(x)
        for name in (
            "crash", "restart", "pause", "resume", "timeout", "forget_leader", "wipe", "isolate",
            "deliver", "drop", "duplicate", "delay", "propose", "read", "transfer", "compact",
            "add_node", "add_learner", "promote", "remove", "reconfigure", "run", "run_until",
            "elect", "get", "client", "machine", "at", "events", "trace", "partition",
        )
    },
    "cut": lambda c, x: c.cut("S1", x),
    "cut from": lambda c, x: c.cut(x, "S1"),
    "delay by": lambda c, x: c.delay(c.in_flight()[0].number, x),
    "set_clock_rate": lambda c, x: c.set_clock_rate("S1", x),
    "slow_disk": lambda c, x: c.slow_disk("S1", x),
    "loss": lambda c, x: c.set_network(loss=x),
    "latency": lambda c, x: c.set_network(latency=x),
    "longest latency": lambda c, x: c.set_network("S1", "S2", latency=(0.0, x)),
    "a link": lambda c, x: c.set_network("S1", x, duplication=1),
    "another link": lambda c, x: c.set_network(x, "S1", reordering=0.5),
    "network_between": lambda c, x: c.engine.world.network_between("S1", x),
    "compact up to": lambda c, x: c.compact("S1", x),
    "propose to": lambda c, x: c.propose("x=1", x),
    "read of": lambda c, x: c.read("x", x),
    "learners": lambda c, x: c.reconfigure("S1 S2", x),
    "trace to": lambda c, x: c.trace(0.0, x),
    "run_until limit": lambda c, x: c.run_until(lambda _: True, x),
    "upto": lambda c, x: c.recording.upto(x),
    "insert": lambda c, x: c.recording.insert(0, x),
    "insert at": lambda c, x: c.recording.insert(x, Crash(0.0, "S1")),
    "move": lambda c, x: c.recording.move(x, 0),
    "without": lambda c, x: c.recording.without(x),
    "branch": lambda c, x: c.recording.branch(x),
    "attempt": lambda c, x: c.recording.attempt(x),
    "replay with": lambda c, x: c.recording.replay(machine=x),
    "replay under": lambda c, x: c.recording.replay(rules=x),
    "twin": lambda c, x: raftlab.twin(x, None, None),
    "load": lambda c, x: raftlab.load(x) if not isinstance(x, str) else None,
}  # fmt: skip


@pytest.fixture(scope="module")
def begun() -> Cluster:
    cluster = Cluster(3, seed=1)
    cluster.elect()
    while not cluster.in_flight():
        cluster.step()
    return cluster


@settings(max_examples=600)
@given(name=st.sampled_from(sorted(VERBS)), value=absurd)
@example(name="learners", value=({},))
def test_a_verb_is_refused_or_the_run_can_be_kept(begun, name, value):
    assume(not (callable(value) and name in ("run_until", "replay with")))
    cluster = begun.at(begun.number)
    if not refused(lambda: VERBS[name](cluster, value), value):
        assert raftlab.load(cluster.recording.share()) == cluster.recording


@pytest.mark.parametrize(
    "verb",
    [
        lambda c, x: c.partition(x),
        lambda c, x: c.reconfigure(x),
        lambda c, x: c.reconfigure("S1 S2", x),
        lambda c, x: c.recording.attempt(x),
        lambda c, x: c.recording.of(x),
    ],
)
def test_what_has_no_end_in_sight_is_not_read_to_its_end(begun, verb):
    tracemalloc.start()
    try:
        with pytest.raises(Misuse):
            verb(begun.at(begun.number), range(10**9))
        assert tracemalloc.get_traced_memory()[1] < 5_000_000
    finally:
        tracemalloc.stop()


# Pictures

FRAME = Cluster(3, seed=1).frame()
VIEWS = [name for name in view.__all__ if name[0].islower() and name not in ("beside", "stack")]


@pytest.mark.parametrize("name", VIEWS)
@pytest.mark.parametrize("value", [5, None, "S1", Cluster(1), 10**400], ids=str)
def test_a_picture_is_made_of_what_it_names_and_of_nothing_else(name, value):
    if value is None and name == "scene_roles":
        return  # nothing is highlighted
    function = getattr(view, name)
    others = (Configuration(("S1",)),) if name.endswith("_tally") else ()
    if name.endswith("commit_decision"):
        others = (RaftLog(), 1, 0, Configuration(("S1",)))
    assert refused(lambda: function(value, *others), value)


@pytest.mark.parametrize("name", ["beside", "stack"])
def test_scenes_are_put_together_and_nothing_else(name):
    for value in (5, None, FRAME, "scene"):
        assert refused(lambda value=value: getattr(view, name)(value), value)


@pytest.mark.parametrize("given", [{"previous": 5}, {"previous": "S1"}, {"last": 1.5}])
def test_the_other_arguments_of_a_picture_are_looked_at_too(given):
    assert refused(lambda: view.scene_logs(FRAME, **given), given)


# What messages repeat


@pytest.mark.parametrize("value", ABSURD, ids=lambda value: type(value).__name__)
def test_whatever_was_given_can_be_shown_in_short(value):
    assert len(shown(value)) <= MOST_REPEATED
    assert shown(value) == shown(value)
    assert " at 0x" not in shown(value)


def test_what_is_short_is_shown_as_it_was_typed():
    for value in ("no", 5, [2, 1], (5.0, 1.0), {"S1": [1]}, None, b"x", 1.5):
        assert shown(value) == repr(value)
    assert shown({3, 1, 2}) == "{1, 2, 3}"


def test_many_names_are_a_few_and_a_number():
    assert listed(["S1", "S2"]) == "S1, S2"
    assert listed([f"node{number}" for number in range(51)]).endswith(", … (51)")
    assert len(listed(["x" * 64] * 51)) <= MOST_REPEATED


def test_a_cluster_of_long_names_is_not_repeated_whole():
    cluster = Cluster([f"{number:064}" for number in range(51)])
    with pytest.raises(Misuse) as refusal:
        cluster.crash("S1")
    assert len(str(refusal.value)) < 320


def test_a_learners_machine_and_the_shipped_one_are_machines():
    for machine in (ToyMachine, RaftStateMachine, partial(ToyMachine)):
        assert Cluster(2, machine=machine).run(10).number >= 0

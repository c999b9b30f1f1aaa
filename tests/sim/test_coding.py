"""A run as code: executed, it gives the same run, and it reads as somebody typed it."""

from textwrap import dedent
from typing import Any

import pytest

from raftlab import Cluster, Disks, Misuse, Network, Options, Recording, Rules, Violation
from raftlab.check.campaign.random_run import inject_faults
from raftlab.check.campaign.random_start import start
from raftlab.raft.vocabulary import REFUSALS
from raftlab.sim.world.actions import (
    Crash,
    Cut,
    Deliver,
    Join,
    Partition,
    Propose,
    Tick,
    Timeout,
    Wait,
    Wipe,
)
from tests.sim.looking import drive, faulty_cluster, standing
from tests.sim.test_mutants import UNSAFE
from tests.sim.toy_machine import ToyMachine


def executed(recording: Recording, **given: Any) -> Cluster:
    """The cluster that the code of a run leaves behind."""
    names = dict(given)
    try:
        exec(recording.as_code(), names)
    except Violation:
        assert recording.as_code().splitlines()[-1].startswith("# Here the run stops: ")
    cluster = names["cluster"]
    assert isinstance(cluster, Cluster)
    return cluster


def typed(text: str) -> Cluster:
    """What somebody typed, executed."""
    names: dict[str, Any] = {}
    exec("from raftlab import Cluster\n" + text, names)
    cluster = names["cluster"]
    assert isinstance(cluster, Cluster)
    return cluster


# Equal runs


@pytest.mark.parametrize("seed", range(40))
def test_the_code_of_a_random_run_makes_the_same_run(seed):
    run = start(seed)
    inject_faults(run, 900.0)
    again = executed(run.cluster.recording)
    assert again.recording == run.cluster.recording
    assert standing(again) == standing(run.cluster.recording.replay())


def test_the_code_of_a_run_of_every_verb_makes_the_same_run():
    cluster = drive(faulty_cluster())
    again = executed(cluster.recording)
    assert again.recording == cluster.recording
    assert standing(again) == standing(cluster)


@pytest.mark.parametrize("number", range(0, 60, 7))
def test_the_code_of_a_part_of_a_run_makes_that_part(number):
    recording = drive(faulty_cluster()).recording
    part = recording.of(recording.actions[: number * 11])
    assert executed(part).recording == part


def own_classes(recording: Recording) -> dict[str, Any]:
    """The rules and the machine of a run, under the names that its code uses."""
    each: list[Any] = [type(host.rules) for host in recording.start().hosts.values()]
    return {kind.__name__: kind for kind in (*each, recording._factory)}


@pytest.mark.parametrize("mutant", UNSAFE, ids=lambda mutant: mutant.name)
def test_the_code_of_a_run_that_breaks_a_property_breaks_it_again(mutant):
    cluster = mutant.cluster()
    with pytest.raises(Violation):
        mutant.run(cluster)
    code = cluster.recording.as_code()
    assert code.splitlines()[-1] == f"# Here the run stops: {mutant.breaks.name} was broken."
    code = "\n".join(line for line in code.splitlines() if not line.startswith("from tests"))
    names = own_classes(cluster.recording)
    with pytest.raises(Violation) as broken:
        exec(code, names)
    assert broken.value.frame == cluster.violation
    assert names["cluster"].violation == cluster.violation
    assert names["cluster"].recording == cluster.recording


def test_a_recording_that_does_not_play_has_no_code():
    with pytest.raises(Misuse):
        Cluster(3).recording.of([Deliver(0.0, "S1", "S2", 1)]).as_code()


# As it was typed

SESSIONS = [
    """\
    cluster = Cluster(5, seed=7)
    cluster.elect()
    cluster.propose("x=1")
    cluster.run(100)
    cluster.crash("S2")
    cluster.elect()
    cluster.propose("y=2")
    cluster.run(50)
    """,
    """\
    cluster = Cluster(3)
    cluster.run(1000)
    cluster.run(0.5)
    cluster.run(1000)
    """,
    """\
    cluster = Cluster(3, seed=1)
    cluster.elect("S1")
    cluster.propose("x=1")
    cluster.run(100)
    cluster.elect("S3")
    cluster.get("x")
    cluster.read("x")
    cluster.run(100)
    cluster.read("x", of="S2")
    cluster.get("x", of="S1")
    cluster.heal()
    for _ in range(12):
        cluster.step()
    """,
    """\
    cluster = Cluster(5, seed=2)
    cluster.elect("S1")
    cluster.isolate("S1")
    cluster.run(20)
    cluster.elect("S2")
    cluster.propose("x=1", to="S1")
    cluster.partition("S1 S2", "S3 S4")
    cluster.run(60)
    cluster.heal()
    cluster.cut("S1", "S2")
    cluster.cut("S3", "S2", both_ways=False)
    cluster.run(200)
    cluster.calm()
    cluster.run(30)
    cluster.set_network(latency=(1, 2.5), loss=0.25)
    cluster.set_network("S1", "S2", latency=(80, 120))
    cluster.set_network("S3", "S2", duplication=1, both_ways=False)
    cluster.run(200)
    cluster.set_network(loss=0)
    cluster.set_network(loss=0)
    """,
    """\
    cluster = Cluster(3, seed=3)
    cluster.elect("S1")
    cluster.run(100)
    cluster.add_learner("S4")
    cluster.run(200)
    cluster.promote("S4")
    cluster.run(200)
    cluster.remove("S3")
    cluster.run(200)
    cluster.wipe("S3")
    cluster.wipe("S2")
    cluster.transfer("S4")
    cluster.run(200)
    cluster.add_node("S5")
    cluster.run(10)
    cluster.reconfigure("S1 S4", "S3 S5")
    cluster.run(300)
    """,
    """\
    cluster = Cluster(3, seed=4)
    cluster.timeout("S2")
    cluster.duplicate(1)
    cluster.drop(2)
    cluster.deliver(1)
    cluster.delay(3)
    cluster.delay(3, 12.5)
    cluster.run(300)
    cluster.pause("S1")
    cluster.run(30)
    cluster.resume("S1")
    cluster.set_clock_rate("S3", 1.5)
    cluster.set_clock_rate("S3", 2)
    cluster.slow_disk("S1", 30)
    cluster.run(300)
    cluster.forget_leader("S1")
    cluster.transfer()
    cluster.compact("S3")
    cluster.run(100)
    """,
]


@pytest.mark.parametrize("session", SESSIONS)
def test_code_reads_as_it_was_typed(session):
    text = dedent(session)
    cluster = typed(text)
    code = cluster.recording.as_code()
    assert code == f"from raftlab import Cluster\n\n{text}"
    assert executed(cluster.recording).recording == cluster.recording


def test_what_was_typed_with_names_is_told_by_what_they_stood_for():
    cluster = Cluster(3, seed=1)
    client = cluster.client("ann", to=cluster.elect("S1"))
    cluster.run(100)
    client.send("x+=1")
    for place in range(2):
        cluster.propose(f"y={place}")
    cluster.run_until(lambda cluster: cluster.commit_index == 4)
    cluster.crash("S1")
    lines = cluster.recording.as_code().splitlines()
    assert lines[3:8] == [
        'cluster.elect("S1")',
        'cluster.propose("open ann")',
        "cluster.run(100)",
        'cluster.propose("ann#1 x+=1")',
        'cluster.propose("y=0")',
    ]
    assert lines[-1] == 'cluster.crash("S1")'
    assert executed(cluster.recording).recording == cluster.recording


@pytest.mark.parametrize(
    ("command", "told"),
    [
        ("x=1", '"x=1"'),
        ('x="', '"x=\\""'),
        ("x='", '"x=\'"'),
        ("x=\n\t\0", '"x=\\n\\t\\u0000"'),
        ("x=ä→\u2028\x7f", '"x=ä→\u2028\x7f"'),
        ("", '""'),
        ("apply(Nothing(", '"apply(Nothing("'),
        ("\\", '"\\\\"'),
        (b"\xff\x00", "b'\\xff\\x00'"),
        ("{cluster}", '"{cluster}"'),
    ],
)
def test_commands_are_told_as_they_are(command, told):
    cluster = Cluster(1)
    cluster.elect()
    cluster.propose(command)
    code = cluster.recording.as_code()
    assert code.endswith(f"\ncluster.propose({told})\n")
    assert code.startswith("from raftlab import Cluster\n\n")
    assert executed(cluster.recording).recording == cluster.recording


def test_names_with_blanks_and_quotes_are_told_one_by_one():
    cluster = Cluster(["a b", 'c"', "d", "ä\u2028b"], seed=1)
    cluster.elect("a b")
    cluster.partition(["a b", "d"])
    cluster.run(20)
    cluster.isolate('c"')
    cluster.crash("ä\u2028b")
    code = cluster.recording.as_code()
    assert 'cluster = Cluster(["a b", "c\\"", "d", "ä\u2028b"], seed=1)' in code
    assert 'cluster.partition(["a b", "d"])' in code
    assert executed(cluster.recording).recording == cluster.recording


@pytest.mark.parametrize(
    ("cluster", "line"),
    [
        (Cluster(1), "Cluster(1)"),
        (Cluster(["S1", "S2"], seed=-4), "Cluster(2, seed=-4)"),
        (Cluster(["S2", "S1"]), 'Cluster(["S2", "S1"])'),
        (
            Cluster(3, options=Options(pre_vote=False)),
            "Cluster(3, options=Options(pre_vote=False))",
        ),
        (
            Cluster(3, network=Network(latency=(1, 2.5), loss=0.1)),
            "Cluster(3, network=Network(latency=(1, 2.5), loss=0.1))",
        ),
        (Cluster(3, disks=Disks(keeps=("log",))), 'Cluster(3, disks=Disks(keeps=("log",)))'),
        (Cluster(3, watched=False), "Cluster(3, watched=False)"),
        (Cluster(2, logs={"S1": [1, 4]}), 'Cluster(2, logs={"S1": [1, 4], "S2": []})'),
    ],
)
def test_a_cluster_is_told_where_it_is_not_as_usual(cluster, line):
    code = cluster.recording.as_code()
    assert code.endswith(f"\n\ncluster = {line}\n")
    assert executed(cluster.recording).recording == cluster.recording
    cluster.run(200)
    assert executed(cluster.recording).recording == cluster.recording


class Mine(Rules):
    """Rules of a learner."""


class Outer:
    class Inner(Rules):
        """Rules within another class."""


@pytest.mark.parametrize(
    ("rules", "line"),
    [
        (Mine, "rules=Mine"),
        (Mine(), "rules=Mine"),
        ({"S1": Mine}, 'rules={"S1": Mine}'),
        ({"S1": Mine, "S2": Mine}, "rules=Mine"),
    ],
)
def test_rules_of_a_learner_are_imported(rules, line):
    cluster = Cluster(2, rules=rules)
    cluster.elect()
    code = cluster.recording.as_code()
    assert "from tests.sim.test_coding import Mine\n" in code
    assert f"cluster = Cluster(2, {line})\n" in code
    assert executed(cluster.recording).recording == cluster.recording


def test_a_machine_of_a_learner_is_imported():
    cluster = Cluster(3, machine=ToyMachine, options=Options.figure_2())
    cluster.elect()
    assert "from tests.sim.toy_machine import ToyMachine\n" in cluster.recording.as_code()
    assert executed(cluster.recording).recording == cluster.recording


def test_what_cannot_be_imported_is_to_be_defined_before():
    cluster = Cluster(3, rules=Outer.Inner)
    cluster.elect()
    code = cluster.recording.as_code()
    assert "# Inner is of your own making: define it before\n" in code
    assert executed(cluster.recording, Inner=Outer.Inner).recording == cluster.recording


def test_a_machine_without_a_name_gets_one():
    make = lambda *given, **named: ToyMachine(*given, **named)  # noqa: E731
    cluster = Cluster(3, machine=make, options=Options.figure_2())
    cluster.elect()
    code = cluster.recording.as_code()
    assert "# your_own is of your own making: define it before\n" in code
    assert "machine=your_own)\n" in code
    assert executed(cluster.recording, your_own=make).recording == cluster.recording


# What no verb does


def test_what_no_verb_does_is_applied():
    cluster = Cluster(3, seed=1)
    cluster.elect("S1")
    for action in (
        Wait(cluster.now),
        Tick(cluster.now, "S2"),
        Cut(cluster.now, "S2", "S3"),
        Wait(cluster.now + 500),
        Propose(cluster.now + 501, "S1", b"x=1"),
        Crash(cluster.now + 502, "S1"),
        Wipe(cluster.now + 503, "S1"),
        Join(cluster.now + 504, "S4"),
        Partition(cluster.now + 505, (("S1", "S2"), (), ("S3", "S4"))),
        Timeout(cluster.now + 506, "S2", True),
        Timeout(cluster.now + 506, "S3", True),
    ):
        try:
            cluster.apply(action)
        except REFUSALS:
            continue
    cluster.run(50)
    code = cluster.recording.as_code()
    assert "cluster.apply(Wait(at=" in code
    assert "cluster.apply(Tick(at=" in code
    assert "cluster.apply(Partition(at=" in code
    first = next(
        line for line in code.splitlines() if line.startswith("from raftlab.sim.world.actions")
    )
    assert "Partition, " in first
    assert executed(cluster.recording).recording == cluster.recording


def test_an_edited_run_has_code_too():
    recording = drive(faulty_cluster()).recording
    for number in range(5, 300, 37):
        edited = recording.without(number, number + 9)
        assert executed(edited).recording == edited


def test_a_machine_that_fails_fails_again():
    class Failing(ToyMachine):
        def tick(self, now):
            raise ZeroDivisionError("by\nzero")

    cluster = Cluster(3, machine=Failing, options=Options.figure_2())
    with pytest.raises(ZeroDivisionError):
        cluster.run(1000)
    code = cluster.recording.as_code()
    assert code.endswith("machine raised ZeroDivisionError: by zero.\n")
    names: dict[str, Any] = {"Failing": Failing}
    with pytest.raises(ZeroDivisionError):
        exec(code, names)
    assert names["cluster"].recording == cluster.recording

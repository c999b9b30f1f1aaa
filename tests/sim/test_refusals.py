"""What cannot be done is refused with a sentence that says what to do, and changes nothing."""

import math
from collections.abc import Callable

import pytest

from raftlab import Cluster, Disks, Misuse, Network, NotLeader, NotNow, Rules
from raftlab.sim.frames.frame import Event
from raftlab.sim.world.actions import (
    Crash,
    Deliver,
    Drop,
    Partition,
    Propose,
    Timeout,
    Wait,
    Written,
)
from tests.sim.looking import standing


def led() -> Cluster:
    """S2 leads three nodes, and two messages are on their way."""
    cluster = Cluster(3, seed=1)
    cluster.elect("S2")
    cluster.run(100)
    while not cluster.in_flight():
        cluster.step()
    return cluster


def leaderless() -> Cluster:
    return Cluster(3, seed=1)


def with_s3_down() -> Cluster:
    cluster = led()
    cluster.crash("S3")
    return cluster


def with_s3_paused() -> Cluster:
    cluster = led()
    cluster.pause("S3")
    return cluster


def with_leader_paused() -> Cluster:
    cluster = led()
    cluster.pause("S2")
    return cluster


def all_down() -> Cluster:
    cluster = led()
    for node in cluster.nodes:
        cluster.crash(node)
    while cluster.in_flight():
        cluster.step()
    return cluster


def with_s3_wiped() -> Cluster:
    cluster = led()
    cluster.wipe("S3")
    return cluster


def with_s3_back_without_its_disk() -> Cluster:
    """It runs, and has written nothing yet: nobody speaks to it."""
    cluster = with_s3_wiped()
    cluster.isolate("S3")
    cluster.restart("S3")
    return cluster


def alone() -> Cluster:
    return Cluster(1)


def message(cluster: Cluster) -> int:
    """The number of a message on its way to S3."""
    return next(each.number for each in cluster.in_flight() if each.message.receiver == "S3")


def delivered_twice(cluster: Cluster) -> None:
    number = message(cluster)
    cluster.deliver(number)
    cluster.deliver(number)


NO_TIME = "time only goes forward, and step by step: {} ms cannot pass"
NOBODY = "There is no node {}; this cluster has S1, S2, S3."
NO_SIDES = "A partition needs two sides: name some of the nodes, not all or none."

SENTENCES: list[tuple[Callable[[], Cluster], Callable[[Cluster], object], str]] = [
    # nodes that are not there
    (led, lambda c: c.crash("S9"), NOBODY.format("'S9'")),
    (led, lambda c: c.crash(None), NOBODY.format("None")),
    (led, lambda c: c.crash(["S1"]), NOBODY.format("['S1']")),
    (led, lambda c: c.restart("s1"), NOBODY.format("'s1'")),
    (led, lambda c: c.pause(""), NOBODY.format("''")),
    (led, lambda c: c.resume("S1 "), NOBODY.format("'S1 '")),
    (led, lambda c: c.timeout(1), NOBODY.format("1")),
    (led, lambda c: c.isolate("S4"), NOBODY.format("'S4'")),
    (led, lambda c: c.cut("S1", "S4"), NOBODY.format("'S4'")),
    (led, lambda c: c.cut("S4", "S1"), NOBODY.format("'S4'")),
    (led, lambda c: c.partition("S1 S4"), NOBODY.format("'S4'")),
    (led, lambda c: c.elect("S4"), NOBODY.format("'S4'")),
    (led, lambda c: c.propose("x=1", to="S4"), NOBODY.format("'S4'")),
    (led, lambda c: c.machine("S4"), NOBODY.format("'S4'")),
    # nodes that are down, running, paused or not
    (
        with_s3_down,
        lambda c: c.crash("S3"),
        "S3 is down; restart it first: cluster.restart('S3').",
    ),
    (
        with_s3_down,
        lambda c: c.pause("S3"),
        "S3 is down; restart it first: cluster.restart('S3').",
    ),
    (
        with_s3_down,
        lambda c: c.resume("S3"),
        "S3 is down; restart it first: cluster.restart('S3').",
    ),
    (
        with_s3_down,
        lambda c: c.timeout("S3"),
        "S3 is down; restart it first: cluster.restart('S3').",
    ),
    (
        with_s3_down,
        lambda c: c.elect("S3"),
        "S3 is down; restart it first: cluster.restart('S3').",
    ),
    (
        with_s3_down,
        lambda c: c.machine("S3"),
        "S3 is down; restart it first: cluster.restart('S3').",
    ),
    (
        with_s3_down,
        lambda c: c.propose("x=1", to="S3"),
        "S3 is down; restart it first: cluster.restart('S3').",
    ),
    (
        with_s3_down,
        lambda c: c.deliver(message(c)),
        "S3 is down; restart it first: cluster.restart('S3').",
    ),
    (led, lambda c: c.restart("S3"), "S3 is running; crash it before you restart it."),
    (with_s3_paused, lambda c: c.restart("S3"), "S3 is running; crash it before you restart it."),
    (
        with_s3_paused,
        lambda c: c.pause("S3"),
        "S3 is paused already; resume it with cluster.resume('S3').",
    ),
    (led, lambda c: c.resume("S3"), "S3 is not paused."),
    (
        with_s3_paused,
        lambda c: c.timeout("S3"),
        "S3 is paused, and so is its timer: resume it first.",
    ),
    (
        with_s3_paused,
        lambda c: c.elect("S3"),
        "S3 is paused and cannot campaign: resume it first.",
    ),
    (
        led,
        lambda c: c.timeout("S2"),
        "S2 leads and waits for no leader: choose another node.",
    ),
    # disks
    (led, lambda c: c.wipe("S4"), NOBODY.format("'S4'")),
    (with_s3_wiped, lambda c: c.wipe("S3"), "The disk of S3 is lost already."),
    (with_s3_back_without_its_disk, lambda c: c.wipe("S3"), "The disk of S3 is lost already."),
    # commands
    (
        leaderless,
        lambda c: c.propose("x=1"),
        "No node leads, so nobody can take a command. Run until one does: cluster.elect().",
    ),
    (
        led,
        lambda c: c.propose("x=1", to="S3"),
        "S3 is a follower in term 1 and cannot accept entries; its leader is S2.",
    ),
    (
        leaderless,
        lambda c: c.propose("x=1", to="S3"),
        "S3 is a follower in term 0 and cannot accept entries; it knows no leader.",
    ),
    (
        with_leader_paused,
        lambda c: c.propose("x=1"),
        "S2 is paused and takes no commands: resume it first.",
    ),
    (led, lambda c: c.propose(7), 'a command is text or bytes, like "x=1", not 7'),
    (led, lambda c: c.propose(None), 'a command is text or bytes, like "x=1", not None'),
    (led, lambda c: c.propose(["x=1"]), "a command is text or bytes, like \"x=1\", not ['x=1']"),
    (
        led,
        lambda c: c.propose("x=\ud800"),
        "a command must be writable as UTF-8: 'utf-8' codec can't encode character '\\ud800' in"
        " position 2: surrogates not allowed",
    ),
    # the network
    (led, lambda c: c.partition(), NO_SIDES),
    (led, lambda c: c.partition([]), NO_SIDES),
    (led, lambda c: c.partition("S1 S2 S3"), NO_SIDES),
    (
        led,
        lambda c: c.partition("S1 S2", "S2 S3"),
        "A node can be on one side only; one is named twice.",
    ),
    (
        led,
        lambda c: c.partition(["S1", "S1"]),
        "A node can be on one side only; one is named twice.",
    ),
    (led, lambda c: c.partition(1), 'a side is named by its nodes, like "S1 S2", not by 1'),
    (alone, lambda c: c.isolate("S1"), "S1 is alone already."),
    (alone, lambda c: c.partition("S1"), NO_SIDES),
    (led, lambda c: c.cut("S1", "S1"), "S1 has no link to itself."),
    # messages
    (led, lambda c: c.deliver(0), "No message 0 is on its way; in flight: 13, 14."),
    (led, lambda c: c.drop(-1), "No message -1 is on its way; in flight: 13, 14."),
    (led, lambda c: c.duplicate("13"), "No message '13' is on its way; in flight: 13, 14."),
    (led, lambda c: c.delay(99), "No message 99 is on its way; in flight: 13, 14."),
    (all_down, lambda c: c.drop(17), "No message 17 is on its way; in flight: none."),
    (led, lambda c: c.delay(13, 0), "a delay is some time above 0 ms, not 0"),
    (led, lambda c: c.delay(13, -5), "a delay is some time above 0 ms, not -5"),
    (led, lambda c: c.delay(13, math.nan), "a delay is some time above 0 ms, not nan"),
    (led, lambda c: c.delay(13, math.inf), "a delay is some time above 0 ms, not inf"),
    # time
    (led, lambda c: c.run(-1), NO_TIME.format(-1)),
    (led, lambda c: c.run(math.nan), NO_TIME.format("nan")),
    (led, lambda c: c.run(math.inf), NO_TIME.format("inf")),
    (led, lambda c: c.run_until(lambda _: False, -1), NO_TIME.format(-1)),
    (led, lambda c: c.run_until(lambda _: False, math.nan), NO_TIME.format("nan")),
    (led, lambda c: c.run_until(lambda _: False, math.inf), NO_TIME.format("inf")),
    (
        all_down,
        lambda c: c.step(),
        "Nothing is going to happen: no message is on its way and no node waits for anything."
        " Restart or resume a node.",
    ),
    # going back
    (led, lambda c: c.at(-1), "this run has frames 0 to 21, and no frame -1"),
    (led, lambda c: c.at(22), "this run has frames 0 to 21, and no frame 22"),
    # actions by hand
    (
        led,
        lambda c: c.apply(Deliver(c.now, "S1", "S3", 9)),
        "message 9 from S1 to S3 is not on its way",
    ),
    (
        led,
        lambda c: c.apply(Drop(c.now, "S1", "S9", 1)),
        "message 1 from S1 to S9 is not on its way",
    ),
    (led, lambda c: c.apply(Written(c.now, "S3")), "S3 is not writing anything"),
    (led, lambda c: c.apply(Crash(c.now, "S9")), NOBODY.format("'S9'")),
    (
        led,
        lambda c: c.apply(Timeout(c.now, "S2")),
        "S2 leads and waits for no leader: choose another node.",
    ),
    (
        led,
        lambda c: c.apply(Propose(c.now, "S3", b"x=1")),
        "S3 is a follower in term 1 and cannot accept entries; its leader is S2.",
    ),
    (
        led,
        lambda c: c.apply(Partition(c.now, (("S1",), ("S2",)))),
        "a partition puts each of S1, S2, S3 on one side",
    ),
]


NEVER_RIGHT = (
    *("There is no node", "a command ", "A partition needs", "A node can be on one side", "a side"),
    *("S1 has no link to itself", "a delay is", "time only goes forward", "this run has frames"),
    *("No message 0", "No message -1", "No message '13'", "a partition puts each"),
)
"""How the sentences begin that are about names, types and values; all others are about now."""


def kind_of(sentence: str) -> type[Exception]:
    return Misuse if sentence.startswith(NEVER_RIGHT) else NotNow


@pytest.mark.parametrize(("stage", "verb", "sentence"), SENTENCES)
def test_what_cannot_be_done_is_refused_and_changes_nothing(stage, verb, sentence):
    cluster = stage()
    before = standing(cluster)
    with pytest.raises(kind_of(sentence)) as refused:
        verb(cluster)
    assert str(refused.value) == sentence
    assert standing(cluster) == before


@pytest.mark.parametrize(("stage", "verb", "sentence"), SENTENCES)
def test_a_refusal_leaves_the_future_as_it_was(stage, verb, sentence):
    refused, asked_nothing = stage(), stage()
    with pytest.raises(kind_of(sentence)):
        verb(refused)
    for cluster in (refused, asked_nothing):
        cluster.run(500)
    assert standing(refused) == standing(asked_nothing)
    assert refused.recording == asked_nothing.recording


def test_a_follower_that_refuses_a_command_names_the_leader():
    with pytest.raises(NotLeader) as refused:
        led().propose("x=1", to="S3")
    assert refused.value.leader == "S2"


def test_a_message_can_be_handled_once_only():
    cluster = led()
    number = message(cluster)
    cluster.deliver(number)
    for verb in (cluster.deliver, cluster.drop, cluster.duplicate, cluster.delay):
        with pytest.raises(NotNow, match=f"No message {number} is on its way"):
            verb(number)


@pytest.mark.parametrize("at", [99.0, -1.0, math.nan])
def test_no_action_takes_time_back(at):
    cluster = led()
    before = standing(cluster)
    with pytest.raises(Misuse, match="time went back"):
        cluster.apply(Wait(at))
    assert standing(cluster) == before


def test_an_action_that_nobody_knows_changes_nothing():
    cluster = led()
    before = standing(cluster)
    with pytest.raises(Misuse, match="actions of raftlab"):
        cluster.apply(Event(1, cluster.now, "S1 crashes."))
    assert standing(cluster) == before


NO_CLUSTER = [
    (lambda: Cluster(0), "a cluster has 1 to 51 nodes, not 0"),
    (lambda: Cluster(-3), "a cluster has 1 to 51 nodes, not -3"),
    (lambda: Cluster(52), "a cluster has 1 to 51 nodes, not 52"),
    (lambda: Cluster(10**15), f"a cluster has 1 to 51 nodes, not {10**15}"),
    (lambda: Cluster([]), "a cluster has 1 to 51 nodes, not 0"),
    (
        lambda: Cluster(True),
        "a cluster is made of a number of nodes or of their names, not of True",
    ),
    (lambda: Cluster(5.0), "a cluster is made of a number of nodes or of their names, not of 5.0"),
    (
        lambda: Cluster("S1"),
        "a cluster is made of a number of nodes or of their names, not of 'S1'",
    ),
    (
        lambda: Cluster({"S1"}),
        "a cluster is made of a number of nodes or of their names, not of {'S1'}",
    ),
    (
        lambda: Cluster(["S1", "\ud800"]),
        "a node's name is text, not empty, without blanks around it",
    ),
    (lambda: Cluster(1).trace("S1"), "start is a time in ms, not 'S1'"),
    (lambda: Cluster(1).trace(0, [5]), "end is a time in ms, not [5]"),
    (lambda: Cluster(1).trace(float("nan")), "start is a time in ms, not nan"),
    (lambda: Cluster(["S1", "S1"]), "a configuration names a node twice: S1, S1"),
    (lambda: Cluster(["S1", ""]), "a node's name is text, not empty, without blanks around it"),
    (lambda: Cluster(["S1 "]), "a node's name is text, not empty, without blanks around it"),
    (lambda: Cluster([1, 1]), "a node's name is text, not empty, without blanks around it"),
    (lambda: Cluster([["S1"]]), "a node's name is text, not empty, without blanks around it"),
    (lambda: Cluster(b"abc"), "a node's name is text, not empty, without blanks around it"),
    (lambda: Cluster(3, seed=None), "a seed is a whole number, not None"),
    (lambda: Cluster(3, seed=1.5), "a seed is a whole number, not 1.5"),
    (
        lambda: Cluster(3, rules={"S9": Rules()}),
        "rules are given for 'S9'; the nodes are S1, S2, S3",
    ),
    (lambda: Cluster(1, rules="mine"), "the rules of S1 are no subclass of Rules: 'mine'"),
    (lambda: Cluster(3, logs={"S9": [1]}), "there is no node 'S9' to give a log to"),
    (lambda: Cluster(3, logs=[1, 2]), 'logs are given like {"S1": [1, 1, 4]}, not [1, 2]'),
    (
        lambda: Cluster(3, logs={"S1": [2, 1]}),
        "a log is a list of terms from 1, which never fall, and S1's is [2, 1]",
    ),
    (
        lambda: Cluster(3, logs={"S1": [0]}),
        "a log is a list of terms from 1, which never fall, and S1's is [0]",
    ),
    (
        lambda: Cluster(3, logs={"S1": "12"}),
        "a log is a list of terms from 1, which never fall, and S1's is '12'",
    ),
    (
        lambda: Cluster(3, logs={"S1": [1, 2], "S2": [2, 2]}),
        "S1 and S2 both have an entry 2 of term 2, and differ before it: Log Matching does not"
        " allow that",
    ),
    (
        lambda: Network(latency=(5.0, 1.0)),
        "latency must be (min, max) with 0 <= min <= max, not (5.0, 1.0)",
    ),
    (
        lambda: Network(latency=(-1.0, 1.0)),
        "latency must be (min, max) with 0 <= min <= max, not (-1.0, 1.0)",
    ),
    (
        lambda: Network(latency=(1.0, math.inf)),
        "latency must be (min, max) with 0 <= min <= max, not (1.0, inf)",
    ),
    (
        lambda: Network(latency=(math.nan, 1.0)),
        "latency must be (min, max) with 0 <= min <= max, not (nan, 1.0)",
    ),
    (lambda: Network(latency=5.0), "latency must be (min, max) with 0 <= min <= max, not 5.0"),
    (lambda: Network(loss=1.1), "loss is a chance between 0 and 1, not 1.1"),
    (lambda: Network(duplication=-0.1), "duplication is a chance between 0 and 1, not -0.1"),
    (lambda: Network(reordering=math.nan), "reordering is a chance between 0 and 1, not nan"),
    (lambda: Network(loss="much"), "loss is a chance between 0 and 1, not 'much'"),
    (lambda: Disks(write_ms=-1), "write_ms is a time of 0 ms or more, not -1"),
    (lambda: Disks(write_ms=math.nan), "write_ms is a time of 0 ms or more, not nan"),
    (lambda: Disks(write_ms=math.inf), "write_ms is a time of 0 ms or more, not inf"),
    (
        lambda: Disks(keeps=("vote",)),
        'keeps is a tuple of "term", "voted_for" and "log", not (\'vote\',)',
    ),
    (lambda: Disks(keeps="log"), 'keeps is a tuple of "term", "voted_for" and "log", not \'log\''),
]


@pytest.mark.parametrize(("make", "sentence"), NO_CLUSTER)
def test_what_cannot_be_a_cluster_is_refused(make, sentence):
    with pytest.raises(Misuse) as refused:
        make()
    assert str(refused.value) == sentence

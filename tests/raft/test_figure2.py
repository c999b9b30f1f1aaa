"""Figure 2 as a machine of its own: it runs, and the whole machine set to it does the same."""

import random
import re
from typing import Any

import pytest
from msgspec.structs import replace

import raftlab
from raftlab import Cluster, Frame, Misuse, Network, NotLeader, NotNow, Options
from raftlab.raft.figure2 import Figure2
from raftlab.raft.log import Command
from raftlab.raft.machine import RaftStateMachine
from raftlab.raft.messages import InstallSnapshot, ReadIndex, TimeoutNow
from raftlab.raft.node import NodeCore
from raftlab.raft.output import NOTHING
from raftlab.raft.roles import Role
from raftlab.raft.thesis.persistence import AsynchronousPersistence
from raftlab.raft.vocabulary import Configuration
from raftlab.sim.world.actions import Tick
from tests.raft.world import append, names, snapshot

STAIRS = [each for each in AsynchronousPersistence.__mro__ if issubclass(each, Figure2)]


def one(node: str = "S1") -> Figure2:
    """A follower of three."""
    return Figure2(node, configuration=Configuration(names(3)))


# Every stair runs


@pytest.mark.parametrize("stair", STAIRS, ids=lambda each: each.__name__)
@pytest.mark.parametrize("options", [Options.figure_2(), Options()], ids=["plain", "complete"])
def test_every_stair_elects_replicates_commits_and_restarts(stair, options):
    cluster = Cluster(3, seed=4, machine=stair, options=options)
    first = cluster.elect()
    cluster.propose("x=1")
    cluster.run(200)
    cluster.crash(first)
    cluster.run(1_500)
    assert cluster.leader not in (None, first)
    cluster.propose("x=2")
    cluster.run(300)
    cluster.restart(first)
    cluster.run(500)
    values = [host.application.get("x") for host in cluster.hosts.values()]
    assert values == ["2", "2", "2"]


def test_a_recording_names_it_and_a_text_brings_it_back():
    cluster = Cluster(3, seed=4, machine=Figure2, options=Options.figure_2())
    cluster.elect()
    cluster.propose("x=1")
    cluster.run(200)
    assert cluster.recording.setup.machine == "raftlab.raft.figure2:Figure2"
    again = raftlab.load(cluster.recording.share())
    assert again.replay().frame() == cluster.frame()


# It and the whole machine do the same


def run(machine: type, seed: int) -> tuple[Cluster, list[object]]:
    """Elections, commands, crashes, restarts, cuts and loss, drawn by `seed`; what was to be seen.

    A verb that is refused by one and not by the other makes the runs differ.
    """
    rng = random.Random(f"figure 2, {seed}")
    network = Network(loss=rng.choice([0.0, 0.1]), duplication=rng.choice([0.0, 0.1]))
    options = Options.figure_2(max_entries_per_append=rng.choice([1, 64]), max_in_flight=2)
    nodes = rng.choice([1, 3, 3, 5])
    cluster = Cluster(nodes, seed=seed, machine=machine, options=options, network=network)
    seen: list[object] = []
    for number in range(25):
        what, node = rng.randrange(8), rng.choice(cluster.nodes)
        verbs = [cluster.timeout, cluster.crash, cluster.restart, cluster.isolate]
        try:
            if what < len(verbs):
                verbs[what](node)
            elif what == len(verbs):
                cluster.heal()
            else:
                cluster.propose(f"x={number}")
        except NotNow as refused:
            seen.append(str(refused))
        cluster.run(rng.choice([5, 40, 200]))
        seen.append(pictured(cluster.frame()))
    return cluster, seen


def pictured(frame: Frame) -> object:
    """All that a frame shows, but how many actions led to it."""
    return replace(frame, number=0, event=None)


def test_the_whole_machine_set_to_figure_2_does_what_figure_2_does():
    """Beside the ticks at which it asks whether it still hears a majority, and goes on anyway."""
    committed = elected = 0
    for seed in range(60):
        (mine, seen), (whole, also) = run(Figure2, seed), run(RaftStateMachine, seed)
        assert seen == also, seed
        done = set(mine.recording.actions)
        more = [each for each in whole.recording.actions if each not in done]
        assert all(isinstance(each, Tick) for each in more), seed
        kept = [each for each in whole.recording.actions if each in done]
        assert kept == list(mine.recording.actions), seed
        committed += mine.commit_index
        elected += max(host.disk.term for host in mine.hosts.values())
    assert committed > 300 and elected > 200, "these runs show little"


@pytest.mark.parametrize("seed", range(8))
def test_a_run_of_either_is_a_run_of_the_other(seed):
    for machine, other in ((Figure2, RaftStateMachine), (RaftStateMachine, Figure2)):
        cluster, _ = run(machine, seed)
        assert cluster.recording.replay(machine=other).frame() == cluster.frame()


# What it leaves out


def test_what_it_does_not_know_it_does_not_mind():
    node = one()
    ends = {"term": 0, "sender": "S2", "receiver": "S1"}
    for message in (
        TimeoutNow(**ends),
        ReadIndex(**ends, read_id=1, asked_at=0.0),
        InstallSnapshot(**ends, snapshot=snapshot(3, 1)),
    ):
        before = node.fingerprint()
        node.advance(message, 0.0)
        assert (node.fingerprint(), node.poll()) == (before, NOTHING)


def test_a_later_term_is_a_later_term_in_whatever_message():
    node = one()
    node.advance(TimeoutNow(term=3, sender="S2", receiver="S1"), 0.0)
    assert (node.term, node.role) == (3, Role.FOLLOWER)


def test_it_takes_commands_as_a_leader_and_no_configuration():
    node = one()
    with pytest.raises(NotLeader):
        node.add_entry(Command(b"x"))
    with pytest.raises(Misuse, match="is not a payload"):
        node.add_entry(Configuration(names(5)))


def test_it_has_none_of_what_came_later():
    later = {"read", "transfer_leadership", "compact", "persisted", "forget_leader"}
    assert not later & set(dir(Figure2))
    assert later <= set(dir(RaftStateMachine))


# The table and the public list


def test_an_override_in_a_subclass_is_what_a_message_finds():
    class Deaf(RaftStateMachine):
        def _on_append_entries(self, request):
            self._note("deaf", "hears nothing")

    kinds: tuple[Any, ...] = (Deaf, type("Deafer", (Deaf,), {}))
    for kind in kinds:
        assert kind._handlers[TimeoutNow] is RaftStateMachine._handlers[TimeoutNow]
        node = kind("S1", configuration=Configuration(names(3)), term=1)
        node.advance(append("S2", 1), 0.0)
        assert [str(each) for each in node.poll().debug_log] == ["hears nothing"]


@pytest.mark.parametrize("kind", [NodeCore, *STAIRS, RaftStateMachine], ids=lambda e: e.__name__)
def test_what_a_host_must_not_call_has_an_underscore(kind):
    shown = [name for name in dir(kind) if not name.startswith("_")]
    assert len(shown) <= 25
    assert all(getattr(kind, name).__doc__ for name in shown if callable(getattr(kind, name)))


def test_the_public_list_is_told_in_the_class():
    """Its docstring names each of them."""
    node = RaftStateMachine("S1", configuration=Configuration(names(3)))
    shown = {name for name in dir(node) if not name.startswith("_")}
    assert len(shown) == 25
    assert shown <= set(re.findall(r"`(\w+)`", RaftStateMachine.__doc__))

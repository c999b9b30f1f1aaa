"""A short text cannot stand for endless work: every number in it that means work has a bound."""

import errno
import os
import re
import tracemalloc
import zlib
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

import raftlab
import raftlab.view
from raftlab import Cluster, Disks, Misuse
from raftlab.__main__ import main
from raftlab.check.campaign import campaign
from raftlab.lab import Session
from raftlab.sim.load import opened
from raftlab.sim.run.cost import work_of
from raftlab.sim.run.share import USUAL_STEPS, crc_of
from raftlab.sim.world.actions import (
    Compact,
    Crash,
    Cut,
    Heal,
    Join,
    Partition,
    Propose,
    Reconfigure,
    Restart,
    Timeout,
    Wipe,
)
from raftlab.sim.world.arguments import logs_for, node_names
from raftlab.sim.world.engine import Engine
from raftlab.sim.world.settings import Setup
from tests.sim.looking import drive, faulty_cluster
from tests.sim.test_sharing import told


@pytest.fixture
def nothing_is_played(monkeypatch):
    def played(*_: object) -> None:
        raise AssertionError("a step of a text that should have been refused")

    monkeypatch.setattr(Engine, "apply_quietly", played)
    monkeypatch.setattr(Engine, "scheduled", played)


LONG = "x" * 65
MANY = node_names(51)
HALVES = Partition(0.0, (MANY[:25], MANY[25:]))
LARGE = Propose(0.0, "S1", b"x=" + b"y" * 999_998)  # 1 + 15,625 steps
EVERY = {"snapshot_every": 1, "write_ms": 0.0}


@pytest.mark.usefixtures("nothing_is_played")
@pytest.mark.parametrize(
    ("text", "why"),
    [
        (told([5_000], nodes=["x" * 1_000_000, "S2"]), "at most 64 characters"),
        (told([Join(0.0, LONG)]), "at most 64 characters"),
        (told([Crash(0.0, LONG)]), "at most 64 characters"),
        (told([Cut(0.0, "S1", LONG)]), "at most 64 characters"),
        (told([Reconfigure(0.0, "S1", ("S1",), (LONG,))]), "at most 64 characters"),
        (told([Partition(0.0, (("S1",), ("S2", LONG)))]), "at most 64 characters"),
        (told([Join(0.0, f"S{number}") for number in range(4, 60)]), "1 to 51 nodes, not 59"),
        (told([USUAL_STEPS + 1]), "stands for 200,001 steps, and more than 200,000"),
        (told([1] * 200_001), "stands for 200,001 steps, and more than 200,000"),
        (told([199_999, Propose(0.0, "S1", b"x" * 128)]), "stands for 200,002 steps"),
        (told([], logs=[["S1", [1] * 200_001]]), "stands for 200,001 steps"),
        (told([], logs=[["S1", [1] * 250_001]]), "at most 250,000 entries, and not 250,001"),
        (told([], logs=[["S1", [1]], ["S1", [1]]]), "logs of a setup are pairs"),
        (told([], logs=[["S1", [2**63]]]), "a log is a list of terms"),
        (told([], rules=[["S1", "raftlab.raft.rules:Rules"]] * 50_000), "rules of a setup are"),
        (told([], disks={"keeps": ["log"] * 100_000}), "keeps is a tuple of"),
        (told([], options={"heartbeat_interval": 1e-9}), "heartbeat_interval must be positive"),
        (told([], options={"max_in_flight": 2**63}), "max_in_flight must be at least 1"),
        (told([], network={"latency": [0.0, 1e-300]}), "the longest latency is 0, or 0.001"),
        (told([], seed=2**64 - 1, nodes=52), "1 to 51 nodes, not 52"),
        (told([HALVES] * 10_000, nodes=51), "stands for 210,000 steps"),
        (told([Heal(0.0)] * 10_000, nodes=51), "stands for 210,000 steps"),
        (told([Timeout(0.0, "S1")] * 10_000, nodes=51), "stands for 210,000 steps"),
        (told([LARGE, *[Propose(0.0, "S1", b"z")] * 1_600], nodes=1, disks=EVERY), "212,660 steps"),
        (told([LARGE, *[Propose(0.0, "S1", b"z")] * 540], disks=EVERY), "214,286 steps"),
        (told([LARGE, *[Compact(0.0, "S1", 1)] * 2_000]), "stands for 261,797 steps"),
        (told([LARGE, *[Restart(0.0, "S1")] * 2_000]), "stands for 261,797 steps"),
        (told([Restart(0.0, "S1")] * 2_000, logs=[["S1", [1] * 10_000]]), "324,500 steps"),
        (told([Wipe(0.0, "S1")] * 2_000, logs=[["S1", [1] * 10_000]]), "324,500 steps"),
        (told([10**18]), "stands for more than 5,000,000 steps"),
    ],
)
def test_what_would_be_endless_is_refused_before_anything_is_played(text, why):
    with pytest.raises(Misuse, match=why) as refusal:
        raftlab.load(text)
    assert len(str(refusal.value)) < 400


def test_a_name_of_64_characters_is_a_name():
    cluster = Cluster(["x" * 64, "S2"]).run(400)
    assert raftlab.load(cluster.recording.share()) == cluster.recording


def test_as_many_steps_as_are_asked_for_are_played(capsys):
    recording = Cluster(3, seed=1).run(2_000).recording
    text, steps = recording.share(), len(recording)
    said = rf"stands for {steps} steps, and more than {steps - 1} are played only if they are asked"
    with pytest.raises(Misuse, match=said):
        raftlab.load(text, most_steps=steps - 1)
    assert raftlab.load(text, most_steps=steps) == recording
    assert main(["replay", text, "--most-steps", str(steps - 1)]) == 2
    assert f"asked for, with --most-steps {steps}" in capsys.readouterr().err
    assert main(["replay", text, "--most-steps", str(steps)]) == 0


@pytest.mark.parametrize("most", [None, -1, True, 1.5, 10**400, "many"])
def test_most_steps_is_a_number_of_steps(most):
    text = Cluster(1).recording.share()
    with pytest.raises(Misuse, match="most_steps is a number of steps, not"):
        raftlab.load(text, most_steps=most)


def test_the_lab_says_how_to_ask_for_them():
    session = Session(Cluster(3))
    with pytest.raises(Misuse) as refusal:
        session.open(told([300_000]))
    assert str(refusal.value) == (
        "This text stands for 300,000 steps: to play so many, use"
        " raftlab.load(text, most_steps=300000).lab() in a cell."
    )
    assert len(session.branches) == 1


# Cost


def test_what_is_written_anew_is_held_once():
    """So a value that is often replaced costs a step and its own length, and no more."""
    writes = [Propose(0.0, "S1", b"x=%063d" % number) for number in range(1_000)]
    assert work_of(Setup(node_names(3), 1, disks=Disks(snapshot_every=1)), writes) == 2_023


def test_the_actions_of_few_nodes_are_as_many_steps():
    acts = [Partition(0.0, (("S1",), ("S2", "S3"))), Heal(0.0), Propose(0.0, "S1", b"x=1"), 7]
    assert work_of(Setup(node_names(3), 1), acts) == 10


def test_a_run_keeps_no_snapshot_that_its_disk_has_replaced():
    large = Propose(0.0, "S1", b"x=" + b"y" * 100_000)
    acts = [Timeout(0.0, "S1"), large, *[Propose(0.0, "S1", b"z=1")] * 300]
    text = told(acts, nodes=1, disks=EVERY)
    tracemalloc.start()
    with pytest.raises(Misuse, match="comes out differently"):  # this text has no true checksum
        opened(text)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 3_000_000  # all of them take 46 MB


def test_the_logs_of_the_past_cost_as_much_as_they_are_long():
    logs = {"S1": [1] * 10_000, "S2": [1] * 10_000}
    tracemalloc.start()
    logs_for(("S1", "S2"), logs)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 20_000_000  # a copy of every prefix takes 800 MB


terms = st.lists(st.integers(1, 4), max_size=5).map(sorted)


@given(st.dictionaries(st.sampled_from(["S1", "S2", "S3"]), terms))
def test_the_same_logs_are_refused_as_if_every_prefix_were_compared(logs):
    names = ("S1", "S2", "S3")
    expected = clash(logs)
    if expected is None:
        logs_for(names, logs)
        return
    with pytest.raises(Misuse) as refusal:
        logs_for(names, logs)
    assert str(refusal.value) == expected


def clash(logs: dict[str, list[int]]) -> str | None:
    """The first entry that two logs have in common after unequal prefixes, in words."""
    owners: dict[tuple[int, ...], str] = {}
    ends: dict[tuple[int, int], tuple[int, ...]] = {}
    for node, each in logs.items():
        for index, term in enumerate(each, start=1):
            prefix = tuple(each[:index])
            owners.setdefault(prefix, node)
            other = ends.setdefault((index, term), prefix)
            if other != prefix:
                return (
                    f"{owners[other]} and {node} both have an entry {index} of term {term}, and"
                    " differ before it: Log Matching does not allow that"
                )
    return None


def test_a_checksum_is_fed_action_by_action_and_is_that_of_all_of_them():
    for cluster in (Cluster(1), Cluster(3).run(300), drive(faulty_cluster())):
        whole = msgspec.json.encode(cluster.recording.actions)
        assert crc_of(cluster.recording.actions) == zlib.crc32(whole)


def test_a_file_is_read_with_the_decoders_that_are_there(tmp_path, monkeypatch):
    recording = Cluster(3, seed=1).run(500).recording
    recording.save(tmp_path / "run")
    assert raftlab.load(tmp_path / "run") == recording

    def made(*_: object, **__: Any) -> None:
        raise AssertionError("a decoder is made for a line")

    monkeypatch.setattr(msgspec.json, "decode", made)
    monkeypatch.setattr(msgspec.json, "Decoder", made)
    assert raftlab.load(tmp_path / "run") == recording


# Interrupted


@pytest.mark.parametrize("number", [1, 17, 60])
def test_an_interrupt_while_a_text_is_opened_leaves_everything_as_it_was(number, monkeypatch):
    text = Cluster(3, seed=1).run(600).recording.share()
    session = Session(Cluster(3, seed=2).run(100))
    before = (session.position, session.number, session.branches, session.frame)
    happen, steps = Engine.apply_quietly, []

    def interrupted(cluster: Cluster, action: Any) -> None:
        steps.append(action)
        if len(steps) == number:
            raise KeyboardInterrupt
        happen(cluster, action)

    monkeypatch.setattr(Engine, "apply_quietly", interrupted)
    with pytest.raises(KeyboardInterrupt):
        session.open(text)
    assert (session.position, session.number, session.branches, session.frame) == before
    monkeypatch.undo()
    session.open(text)
    assert len(session.branches) == 2


def test_an_interrupt_while_a_run_is_saved_leaves_the_old_file(tmp_path, monkeypatch):
    cluster = Cluster(3, seed=1).run(100)
    cluster.recording.save(tmp_path / "run")
    before = (tmp_path / "run").read_bytes()

    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(Engine, "apply_quietly", interrupted)
    with pytest.raises(KeyboardInterrupt):
        cluster.run(100).recording.save(tmp_path / "run")
    assert (tmp_path / "run").read_bytes() == before
    assert os.listdir(tmp_path) == ["run"]


# Out of disk


def full(*_: object, **__: Any) -> None:
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def test_out_of_disk_the_file_is_named(tmp_path, monkeypatch, capsys):
    path = tmp_path / "run.jsonl"
    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match=re.escape(str(path))) as error:
        Cluster(3).recording.save(path)
    assert (error.value.errno, error.value.filename) == (errno.ENOSPC, str(path))
    assert main(["run", "3", "--ms", "10", "--save", str(path)]) == 2
    assert f"{path.name}" in capsys.readouterr().err
    assert os.listdir(tmp_path) == []


def test_out_of_disk_a_campaign_and_a_picture_name_their_files(tmp_path, monkeypatch):
    path = tmp_path / "campaign.jsonl"
    monkeypatch.setattr(os, "write", full)
    with pytest.raises(OSError, match=re.escape(str(path))):
        campaign(1, cores=1, resume=path)
    monkeypatch.setattr(Path, "write_text", full)
    with pytest.raises(OSError, match=r"picture\.svg"):
        raftlab.view.scene_frame(Cluster(3).frame()).save(tmp_path / "picture.svg")


def test_disks_hold_each_thing_once():
    assert Disks(keeps=("log", "term")).keeps == ("log", "term")
    for twice in (("log", "log"), ("term", "log", "term")):
        with pytest.raises(Misuse, match="keeps is a tuple of"):
            Disks(keeps=twice)

"""A run in a file: opened as it was saved, replaced whole or not at all, refused with a reason."""

import os
import stat
from pathlib import Path

import msgspec
import pytest

import raftlab
from raftlab import Cluster, Disks, Misuse, Network, Options, Rules
from raftlab.check.campaign.random_run import inject_faults
from raftlab.check.campaign.random_start import start
from tests.sim.looking import drive, faulty_cluster, standing
from tests.sim.toy_machine import ToyMachine


@pytest.fixture
def cluster() -> Cluster:
    cluster = Cluster(3, seed=1)
    cluster.elect()
    cluster.propose("x=1")
    return cluster.run(40)


@pytest.fixture
def path(tmp_path: Path, cluster: Cluster) -> Path:
    path = tmp_path / "run.jsonl"
    cluster.recording.save(path)
    return path


def lines_of(path: Path) -> list[bytes]:
    return path.read_bytes().splitlines(keepends=True)


# There and back


@pytest.mark.parametrize("seed", range(8))
def test_a_random_run_is_opened_as_it_was_saved(seed, tmp_path):
    run = start(seed)
    inject_faults(run, 900.0)
    recording = run.cluster.recording
    recording.save(tmp_path / "run")
    opened = raftlab.load(tmp_path / "run")
    assert opened == recording
    assert opened.encode() == recording.encode()
    assert standing(opened.replay()) == standing(run.cluster)


def test_a_run_of_every_verb_is_opened_as_it_was_saved(tmp_path):
    recording = drive(faulty_cluster()).recording
    recording.save(str(tmp_path / "run"))
    assert raftlab.load(str(tmp_path / "run")).encode() == recording.encode()


@pytest.mark.parametrize(
    "cluster",
    [
        Cluster(1),
        Cluster(["a b", "ä", 'S"1', "a\u2028b"], seed=-3),
        Cluster(3, options=Options.figure_2(), network=Network(loss=0.1)),
        Cluster(3, disks=Disks(torn=True), watched=False, logs={"S1": [1, 1, 4], "S2": [1]}),
    ],
)
def test_every_beginning_is_opened_as_it_was_saved(cluster, tmp_path):
    cluster.recording.save(tmp_path / "run")
    assert raftlab.load(tmp_path / "run") == cluster.recording


def test_commands_of_any_bytes_are_opened_as_they_were_saved(cluster, tmp_path):
    for command in (b"", b"\n\r\x00\xff", "x=ä\u2028\n", '"\\'):
        cluster.propose(command)
    cluster.recording.save(tmp_path / "run")
    assert raftlab.load(tmp_path / "run") == cluster.recording


def test_a_file_has_a_header_a_line_for_each_action_and_a_checksum(path, cluster):
    lines = [msgspec.json.decode(line) for line in lines_of(path)]
    assert lines[0]["raftlab"] == "recording"
    assert lines[0]["version"] == 1
    assert lines[0]["actions"] == cluster.number == len(lines) - 2
    assert [line[0] for line in lines[1:-1]].count("propose") == 1
    assert list(lines[-1]) == ["crc32"]


def test_equal_runs_give_equal_files(path, cluster, tmp_path):
    cluster.recording.replay().recording.save(tmp_path / "other")
    assert (tmp_path / "other").read_bytes() == path.read_bytes()


@pytest.mark.parametrize("end", [b"\r\n", b"\r"])
def test_lines_may_end_in_another_way(path, cluster, end):
    path.write_bytes(path.read_bytes().replace(b"\n", end))
    assert raftlab.load(path) == cluster.recording


def test_the_last_line_may_lack_its_end(path, cluster):
    path.write_bytes(path.read_bytes().rstrip())
    assert raftlab.load(path) == cluster.recording


class Mine(Rules):
    """Rules of a learner."""


def test_classes_of_a_learner_are_handed_over(tmp_path):
    cluster = Cluster(3, rules=Mine, machine=ToyMachine, options=Options.figure_2())
    cluster.run(400)
    path = tmp_path / "run"
    cluster.recording.save(path)
    opened = raftlab.load(path, rules=Mine, machine=ToyMachine)
    assert opened == cluster.recording
    assert standing(opened.replay()) == standing(cluster)
    with pytest.raises(Misuse, match=r"line 1: .*hand the class over, as machine="):
        raftlab.load(path, rules=Mine)
    with pytest.raises(Misuse, match=r"line 1: .*hand the class over, as rules="):
        raftlab.load(path, machine=ToyMachine)


# What is wrong with a file


def test_a_file_that_was_cut_short_is_refused_wherever_it_was_cut(path):
    lines = lines_of(path)
    for count in range(1, len(lines)):
        path.write_bytes(b"".join(lines[:count]))
        with pytest.raises(Misuse, match=f"should have {len(lines)} lines, and has {count}$"):
            raftlab.load(path)


def test_a_file_that_was_cut_in_a_line_is_refused_and_the_line_is_named(path):
    lines = lines_of(path)
    for count in (1, len(lines)):
        path.write_bytes(b"".join(lines[:count])[:-6])
        with pytest.raises(Misuse, match=rf"run.jsonl, line {count}: Input data was truncated"):
            raftlab.load(path)


def test_a_line_too_many_or_exchanged_lines_are_noticed(path):
    lines = lines_of(path)
    for place in range(len(lines)):
        path.write_bytes(b"".join([*lines[: place + 1], *lines[place:]]))
        with pytest.raises(Misuse, match="was cut short or added to"):
            raftlab.load(path)
    for place in range(1, len(lines) - 2):
        path.write_bytes(
            b"".join([*lines[:place], lines[place + 1], lines[place], *lines[place + 2 :]])
        )
        with pytest.raises(Misuse, match="was altered: its checksum, in line"):
            raftlab.load(path)


def test_no_altered_byte_goes_unnoticed(path):
    data = path.read_bytes()
    for place in range(0, len(data) - 1, 3):
        bit = 0x80 if place % 2 else 0x01
        path.write_bytes(data[:place] + bytes([data[place] ^ bit]) + data[place + 1 :])
        with pytest.raises(Misuse, match=r"run\.jsonl"):
            raftlab.load(path)


@pytest.mark.parametrize(
    ("line", "text", "why"),
    [
        (1, b"{", "line 1: Input data was truncated.*no file of raftlab"),
        (1, b'{"raftlab": 1}', r"line 1: Expected `str`, got `int` - at `\$.raftlab`"),
        (
            1,
            b'{"raftlab": "museum", "version": 1}',
            "holds a 'museum' of raftlab, and no recording",
        ),
        (
            1,
            b'{"raftlab": "recording", "version": 2}',
            "is of version 2; this raftlab reads version 1",
        ),
        (1, b'{"raftlab": "recording", "version": 1}', "line 1: Object missing required field"),
        (4, b"", "line 4: Input data was truncated"),
        (4, b'["explode",1.0]', "line 4: Invalid value 'explode'"),
        (4, b'["crash",null,"S1"]', "line 4: Expected `float`, got `null`"),
        (4, b'["crash"]', "line 4: Expected `array` of at least length"),
        (4, b"\xff\xfe", "line 4: JSON is malformed"),
        (4, b"[" * 100_000, "line 4: "),
        (5, b'["crash",1.0,"S1"]', "was altered"),
    ],
)
def test_the_line_is_named_and_what_is_wrong_with_it(path, line, text, why):
    lines = lines_of(path)
    lines[line - 1] = text + b"\n"
    path.write_bytes(b"".join(lines))
    with pytest.raises(Misuse, match=why):
        raftlab.load(path)


def test_another_beginning_is_noticed(path):
    path.write_bytes(path.read_bytes().replace(b'"seed":1,', b'"seed":2,'))
    with pytest.raises(Misuse, match="was altered"):
        raftlab.load(path)


def test_a_beginning_that_cannot_be_is_refused(path):
    path.write_bytes(path.read_bytes().replace(b'"loss":0.0', b'"loss":9.0'))
    with pytest.raises(Misuse, match="line 1: loss is a chance between 0 and 1"):
        raftlab.load(path)


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"", "is empty"),
        (b"\n\n", "line 1: Input data was truncated"),
        (b"x = 1\n", "line 1: JSON is malformed.*This is no file of raftlab"),
        (b"[]", "This is no file of raftlab"),
        (b'{"cells": [], "nbformat": 4}', "missing required field `raftlab`"),
        (bytes(range(256)), "This is no file of raftlab"),
        (b"\x89PNG\r\n\x1a\n\x00\x00", "This is no file of raftlab"),
        (b'{"x":' + b"[" * 100_000, "This is no file of raftlab"),
        ("{}".encode("utf-16"), "This is no file of raftlab"),
    ],
)
def test_a_foreign_file_is_refused(tmp_path, data, why):
    (tmp_path / "foreign").write_bytes(data)
    with pytest.raises(Misuse, match=why):
        raftlab.load(tmp_path / "foreign")


def test_a_file_that_cannot_be_read_is_an_error_of_the_system(tmp_path):
    with pytest.raises(FileNotFoundError, match="no-such-run"):
        raftlab.load(tmp_path / "no-such-run")
    with pytest.raises(FileNotFoundError, match="no-such-run"):
        raftlab.load("no-such-run")
    with pytest.raises(IsADirectoryError):
        raftlab.load(tmp_path)


# Whole or not at all


def test_a_file_is_replaced(path, cluster):
    cluster.run(100)
    cluster.recording.save(path)
    assert raftlab.load(path) == cluster.recording
    assert os.listdir(path.parent) == ["run.jsonl"]


@pytest.mark.parametrize("step", ["fsync", "replace"])
@pytest.mark.parametrize("error", [OSError("no space left"), KeyboardInterrupt()])
def test_a_writing_that_fails_leaves_the_old_file(path, cluster, monkeypatch, step, error):
    def fail(*_):
        raise error

    before = path.read_bytes()
    monkeypatch.setattr(os, step, fail)
    with pytest.raises(type(error)):
        cluster.run(100).recording.save(path)
    assert path.read_bytes() == before
    assert os.listdir(path.parent) == ["run.jsonl"]


def test_nothing_is_written_where_there_is_no_place_for_it(tmp_path, cluster):
    with pytest.raises(FileNotFoundError):
        cluster.recording.save(tmp_path / "no" / "such" / "place")
    with pytest.raises(IsADirectoryError):
        cluster.recording.save(tmp_path)
    (tmp_path / "file").write_text("")
    with pytest.raises(OSError, match="file"):
        cluster.recording.save(tmp_path / "file" / "run")
    assert os.listdir(tmp_path) == ["file"]


def test_a_name_may_be_as_long_as_names_may_be(tmp_path, cluster):
    path = tmp_path / ("r" * 250)
    cluster.recording.save(path)
    assert raftlab.load(path) == cluster.recording


def test_a_run_that_cannot_be_written_leaves_the_old_file(path, cluster):
    before = path.read_bytes()
    impossible = cluster.recording.of((object(),))
    with pytest.raises(TypeError):
        impossible.save(path)
    assert path.read_bytes() == before


@pytest.mark.parametrize("umask", [0o022, 0o077, 0o002])
def test_a_new_file_may_be_read_by_whom_any_new_file_may_be_read(tmp_path, cluster, umask):
    before = os.umask(umask)
    try:
        cluster.recording.save(tmp_path / "run")
        (tmp_path / "any").write_text("")
    finally:
        os.umask(before)
    modes = [stat.S_IMODE((tmp_path / name).stat().st_mode) for name in ("run", "any")]
    assert modes == [0o666 & ~umask] * 2


def test_a_file_that_is_replaced_keeps_its_permissions(path, cluster):
    path.chmod(0o640)
    cluster.recording.save(path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o640


def test_a_link_to_a_file_stays_a_link(path, cluster, tmp_path):
    link = tmp_path / "latest"
    link.symlink_to("run.jsonl")
    cluster.run(100)
    cluster.recording.save(link)
    assert link.is_symlink()
    assert raftlab.load(path) == cluster.recording

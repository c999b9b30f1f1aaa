"""A run is played again as it went, or not at all: whatever its rules are made of."""

import os
import random
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest

import raftlab
from raftlab import Cluster, Misuse, Options, Rules, twin
from raftlab.__main__ import main
from raftlab.check.campaign.random_run import inject_faults
from raftlab.check.campaign.random_start import start
from raftlab.lab import Session
from raftlab.raft.log import Command
from raftlab.sim.run.digest import MOST_MARKS, digest_of, marked_frames, packed, unpacked
from raftlab.sim.run.recording import NO_DIGEST, Recording
from tests.sim.looking import drive, faulty_cluster

OLDER = Path(__file__).parent / "data" / "runs"
OTHERWISE = r"from frame [\d,]+ on.*this run plays otherwise than it went"


class Chance(Rules):
    """Whether something is committed now or with the next message is left to chance."""

    def leader_commit_index(self, matched, log, term, commit_index):
        right = super().leader_commit_index(matched, log, term, commit_index)
        return commit_index if random.random() < 0.5 else right


class Counter(Rules):
    """Commits at some calls only, counted over all runs of this process."""

    calls = 0

    def leader_commit_index(self, matched, log, term, commit_index):
        Counter.calls += 1
        right = super().leader_commit_index(matched, log, term, commit_index)
        return commit_index if Counter.calls // 3 % 3 == 1 else right


class Edited(Rules):
    """Is edited between two runs, as in a notebook: `slow` says which of the two it is."""

    slow = False

    def leader_commit_index(self, matched, log, term, commit_index):
        if Edited.slow and matched > 3:
            return commit_index
        return super().leader_commit_index(matched, log, term, commit_index)


@pytest.fixture(autouse=True)
def not_yet_edited(monkeypatch):
    random.seed(1)  # chance, and yet the same chance in every run of the tests
    monkeypatch.setattr(Edited, "slow", False)
    monkeypatch.setattr(Counter, "calls", 0)


def run_of(rules: type[Rules], commands: int = 6) -> Cluster:
    """Some commands, one after the other."""
    cluster = Cluster(3, seed=1, rules=rules)
    cluster.elect()
    for number in range(commands):
        cluster.propose(f"x={number}")
        cluster.run(60)
    return cluster


# Another run in its place


@pytest.mark.parametrize("rules", [Chance, Counter])
def test_a_run_that_does_not_play_again_is_not_shared(rules):
    with pytest.raises(Misuse, match=OTHERWISE):
        run_of(rules).recording.share()


PLAYED: list[Callable[[Recording], object]] = [
    lambda run: run.replay(),
    lambda run: run.branch(len(run)),
    lambda run: list(run.frames()),
    lambda run: run.trace(),
    lambda run: run.as_code(),
    lambda run: run.share(),
    lambda run: twin(run, None, Rules),
    lambda run: twin(run, Rules, None),
    lambda run: run.lab(),
]


@pytest.mark.parametrize("play", PLAYED)
@pytest.mark.parametrize("rules", [Chance, Counter, Edited])
def test_no_other_run_is_played_in_its_place(rules, play):
    recording = run_of(rules).recording
    Edited.slow = True
    with pytest.raises(Misuse, match=OTHERWISE):
        play(recording)


@pytest.mark.parametrize("play", PLAYED)
def test_a_run_that_plays_as_it_went_is_played(play):
    play(run_of(Edited).recording)


def test_what_still_can_happen_can_be_tried_and_is_another_recording():
    recording = run_of(Edited).recording
    Edited.slow = True
    tried = recording.attempt().recording
    assert tried.actions == recording.actions
    assert tried.digest != recording.digest
    assert recording.replay(rules=Rules).recording.digest == recording.digest


def test_a_moment_of_a_run_that_comes_out_otherwise_is_refused_at_the_frame_where_it_does():
    cluster = run_of(Edited)
    before = [cluster.at(number) for number in range(cluster.number + 1)]
    Edited.slow = True
    again = Cluster(3, seed=1, rules=Edited)
    parts = next(
        number
        for number, action in enumerate(cluster.actions, start=1)
        if (again.apply(action) or again.engine.recent[-1]) != before[number].engine.recent[-1]
    )
    cluster._follow()
    assert cluster.at(parts - 1).number == parts - 1
    with pytest.raises(Misuse, match=f"^from frame {parts:,} on this run plays otherwise"):
        cluster.at(parts)


def test_the_last_moment_is_compared_with_where_the_cluster_stands():
    cluster = run_of(Rules)
    assert cluster.at(cluster.number).number == cluster.number
    cluster.hosts["S1"].application.apply(msgspec.structs.replace(cluster.machine("S1").log[2]))
    cluster.machine("S2").voted_for = "S3"
    with pytest.raises(Misuse, match=OTHERWISE):
        cluster.at(cluster.number)


def test_the_lab_refuses_to_look_back_at_another_run():
    session = Session(run_of(Edited))
    Edited.slow = True
    with pytest.raises(Misuse, match="does not play again as it went: frame"):
        session.go_to(session.number - 1)


def test_an_action_that_is_refused_names_its_frame():
    class Silent(Rules):
        """Is edited so that nobody campaigns."""

    cluster = run_of(Silent)
    edited: Any = Silent
    edited.should_grant_vote = lambda *_: False
    edited.has_vote_left = lambda *_: False
    with pytest.raises(Misuse, match=r"from frame \d+ on this run plays otherwise than it went \("):
        cluster.recording.replay()


# Through texts and files


def test_a_text_says_from_which_frame_on_it_comes_out_otherwise():
    cluster = run_of(Edited, commands=12)
    text, frames = (
        cluster.recording.share(),
        [digest_of(each.engine) for each in clusters_of(cluster)],
    )
    assert raftlab.load(text, rules=Edited).digest == cluster.recording.digest
    Edited.slow = True
    others = [digest_of(each.engine) for each in clusters_of(cluster)]
    last = max(each for each in marked_frames(cluster.number) if frames[each] == others[each])
    first = min(each for each in marked_frames(cluster.number) if each > last)
    said = f"from frame {first} on, or from one after {last}, this run plays otherwise"
    with pytest.raises(Misuse, match=f"this run comes out differently here: {said}"):
        raftlab.load(text, rules=Edited)


def clusters_of(cluster: Cluster) -> Any:
    """The run of a cluster again, whatever comes of it now, a frame at a time."""
    again = cluster.recording.start()
    yield again
    for action in cluster.actions:
        again.engine.apply_quietly(action)
        yield again


def test_a_file_says_so_when_it_is_played(tmp_path):
    cluster = run_of(Edited)
    cluster.recording.save(tmp_path / "run")
    opened = raftlab.load(tmp_path / "run", rules=Edited)
    assert opened.digest == cluster.recording.digest
    assert len(opened.known) == len(marked_frames(len(opened))) + 1
    opened.replay()
    Edited.slow = True
    with pytest.raises(Misuse, match=OTHERWISE):
        opened.replay()
    with pytest.raises(Misuse, match=OTHERWISE):
        opened.branch(len(opened) - 1)  # its marks tell it before the end


@pytest.mark.parametrize("rules", [Chance, Counter])
def test_a_run_that_does_not_play_again_is_kept_and_whoever_opens_it_finds_out(rules, tmp_path):
    recording = run_of(rules).recording
    recording.save(tmp_path / "run")
    opened = raftlab.load(tmp_path / "run", rules=rules)
    assert opened.digest == recording.digest
    with pytest.raises(Misuse, match=OTHERWISE):
        opened.replay()


@pytest.mark.parametrize("seed", range(12))
def test_random_runs_come_back_with_their_digest(seed, tmp_path):
    run = start(seed)
    inject_faults(run, 700.0)
    recording = run.cluster.recording
    recording.save(tmp_path / "run")
    for opened in (raftlab.load(recording.share()), raftlab.load(tmp_path / "run")):
        assert opened.digest == recording.digest
        assert opened.branch(len(opened)).recording.digest == recording.digest


def test_a_session_typed_by_hand_stays_short():
    cluster = Cluster(5, seed=7)
    cluster.elect()
    cluster.propose("x=1")
    cluster.run(100)
    cluster.crash("S2")
    cluster.elect()
    cluster.propose("y=2")
    older = len("".join((OLDER / "hand_session.share").read_text().split()))
    assert len(cluster.run(50).recording.share()) <= older + 14


@pytest.mark.parametrize("length", [0, 1, 31, 109, 1_000, 100_000, 5_000_000])
def test_a_digest_is_a_few_letters_however_long_a_run_is(length):
    known = {each: bytes([each % 256] * 4) for each in (*marked_frames(length), length)}
    data = packed(known, length)
    assert len(marked_frames(length)) <= MOST_MARKS
    assert len(data) <= 1 + MOST_MARKS + 4  # 28 letters of a text
    back = unpacked(data, length)
    assert list(back) == list(known)
    assert all(known[number].startswith(each) for number, each in back.items())


@pytest.mark.parametrize("data", [b"", b"\x01", b"\x02abcd", b"\x01" * 300])
def test_a_digest_of_another_version_is_none(data):
    assert 109 not in unpacked(data, 109) or len(unpacked(data, 109)) == 1


# Where none is known


def test_a_text_without_a_digest_opens_and_says_that_it_has_none(capsys):
    text = (OLDER / "hand_session.share").read_text()
    opened = raftlab.load(text)
    assert opened.digest is None
    assert repr(opened) == "<Recording of 5 nodes, seed 7: 109 actions, 566.5 ms, no digest>"
    session = Session(Cluster(3))
    session.open(text)
    assert NO_DIGEST in session.note
    session.open(opened.share())
    assert NO_DIGEST not in session.note
    assert main(["replay", "".join(text.split())]) == 0
    assert NO_DIGEST in capsys.readouterr().out
    assert main(["replay", opened.share()]) == 0
    assert NO_DIGEST not in capsys.readouterr().out


def test_a_file_without_a_digest_opens_and_has_none():
    assert raftlab.load(OLDER / "hand_session.saved").digest is None


def test_actions_that_nobody_has_tried_have_no_digest():
    recording = run_of(Rules).recording
    assert recording.digest is not None
    assert recording.of(recording.actions).digest is None
    assert recording.upto(len(recording) - 1).digest is None
    assert recording.upto(len(recording)).digest == recording.digest
    assert recording.without(len(recording) - 1).digest is not None


# What it covers


def other_command(cluster: Cluster, log: Any) -> None:
    entry = log[2]
    log[2] = msgspec.structs.replace(entry, payload=Command(b"x=9"))


def lost_message(cluster: Cluster) -> None:
    cluster.engine.world.network.flights.popitem()


def other_message(cluster: Cluster) -> None:
    flight = next(iter(cluster.engine.world.network.flights.values()))
    flight.message = msgspec.structs.replace(flight.message, term=flight.message.term + 1)


def slower(cluster: Cluster) -> None:
    next(iter(cluster.engine.world.network.flights.values())).ends_at += 0.5


CHANGES: dict[str, Callable[[Cluster], object]] = {
    "term": lambda c: setattr(c.machine("S1"), "term", 9),
    "vote": lambda c: setattr(c.machine("S1"), "voted_for", "S3"),
    "commit index": lambda c: setattr(c.machine("S1"), "commit_index", 1),
    "command in memory": lambda c: other_command(c, c.machine("S1").log._entries),
    "command on disk": lambda c: other_command(c, c.hosts["S1"].disk.log),
    "term on disk": lambda c: setattr(c.hosts["S1"].disk, "term", 9),
    "vote on disk": lambda c: setattr(c.hosts["S1"].disk, "voted_for", "S3"),
    "timer": lambda c: setattr(c.machine("S1"), "next_deadline", 12_345.0),
    "applied value": lambda c: c.hosts["S1"].application._values.update(x="9"),
    "applied index": lambda c: setattr(c.hosts["S1"], "applied_index", 1),
    "crash": lambda c: setattr(c.hosts["S1"], "alive", False),
    "pause": lambda c: setattr(c.hosts["S1"], "paused", True),
    "time": lambda c: setattr(c.engine.world, "now", c.now + 1),
    "cut": lambda c: c.engine.world.network.cut("S1", "S2"),
    "message lost": lost_message,
    "message changed": other_message,
    "message slower": slower,
    "what a leader believes": lambda c: setattr(
        c.machine(c.leader or "").role_data.tracker.progress["S1"],
        "match_index",
        1,
    ),
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_a_digest_covers_what_machines_hold_and_what_is_on_its_way(change):
    cluster = run_of(Rules)
    while not cluster.in_flight():
        cluster.step()
    before = digest_of(cluster.engine)
    assert before == digest_of(cluster.engine) == digest_of(cluster.at(cluster.number).engine)
    change(cluster)
    assert digest_of(cluster.engine) != before


def test_logs_are_read_whole_however_long_they_are():
    def of(terms: list[int]) -> bytes:
        return digest_of(Cluster(3, logs={"S1": terms, "S3": terms[:-1]}).engine)

    long = [1] * 700 + [2] * 700
    assert of(long) == of(long)
    assert len({of(long[:place] + [3] * (1400 - place)) for place in (701, 900, 1300, 1399)}) == 4


# In other processes

SCRIPT = """
import sys
import raftlab as rl
from tests.sim.test_digest import drive, faulty_cluster, run_of
first = next(iter({str(number) for number in range(1000)}))

class OfASet(rl.Rules):
    def leader_commit_index(self, matched, log, term, commit_index):
        later = int(first) % 2 == matched % 2
        right = super().leader_commit_index(matched, log, term, commit_index)
        return commit_index if later and matched < 6 else right

match sys.argv[1:]:
    case ["digest"]:
        print(drive(faulty_cluster()).recording.digest)
    case ["make"]:
        print(int(first) % 2, run_of(OfASet).recording.share())
    case ["open", text]:
        try:
            print("opened", rl.load(text, rules=OfASet).digest)
        except rl.Misuse as refusal:
            print("refused", refusal)
"""


def python(hash_seed: int, *arguments: str) -> str:
    """What the script prints in a process with this order of sets."""
    ended = subprocess.run(
        [sys.executable, "-c", SCRIPT, *arguments],
        env={**os.environ, "PYTHONHASHSEED": str(hash_seed)},
        cwd=Path(__file__).parents[2],
        capture_output=True,
        text=True,
        check=True,
    )
    return ended.stdout.strip()


def test_a_digest_is_the_same_in_every_process_and_under_every_hash_seed():
    here = drive(faulty_cluster()).recording.digest
    assert {python(1, "digest"), python(2, "digest")} == {here}


def test_rules_that_go_by_the_order_of_a_set_are_found_out_in_another_process():
    made = {seed: python(seed, "make").split() for seed in range(1, 7)}
    one = next(seed for seed in made if made[seed][0] == "0")
    other = next(seed for seed in made if made[seed][0] == "1")
    assert python(one, "open", made[one][1]).startswith("opened")
    said = python(other, "open", made[one][1])
    assert said.startswith("refused this run comes out differently here: from frame")
    assert "plays otherwise than it went; its rules may" in said


def test_figure_2_and_a_machine_that_fails_are_no_exception():
    class Failing(Rules):
        """Divides by zero when somebody is elected."""

        def majority_match_index(self, match_indexes, configuration):
            raise ZeroDivisionError("a mistake of the learner's")

    cluster = Cluster(3, seed=1, rules=Failing, options=Options.figure_2())
    with pytest.raises(ZeroDivisionError):
        cluster.run(2000)
    recording = cluster.recording
    assert recording.branch(len(recording)).recording.digest == recording.digest
    with pytest.raises(ZeroDivisionError):
        recording.replay()
    assert raftlab.load(recording.share(), rules=Failing).digest == recording.digest

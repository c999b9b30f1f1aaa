"""A campaign finds what is wrong, says the same whoever ran it, and can be interrupted."""

import os
import random
import signal
import subprocess
import sys
from functools import partial
from pathlib import Path

import msgspec
import pytest

from raftlab import Disks, Misuse, Options, RaftStateMachine, Rules, Violation, load
from raftlab.check import members
from raftlab.check.campaign import CampaignResult, after_healing, campaign, executors, faults
from raftlab.check.campaign.heading import DECIDING, heading_of
from raftlab.check.campaign.random_start import ABILITIES, abilities, start
from raftlab.check.campaign.shrink_stuck import is_at_peace, settles
from raftlab.check.campaign.trial import (
    VERDICTS,
    Conditions,
    SeedResult,
    replayed,
    try_seed,
    try_seeds,
)
from raftlab.check.checkpoint_file import PACKAGE, CheckpointFile
from raftlab.museum import exhibit
from raftlab.museum.seeds import stock_failure
from raftlab.raft import machine
from raftlab.sim import cluster
from tests.check.wild_bugs import AsksFirst
from tests.sim.test_mutants import STUCK, UNSAFE
from tests.sim.toy_machine import ToyMachine

SEEDS = 12


def wrong(title: str) -> dict:
    """The one argument of a cluster that makes a known mistake."""
    (mutant,) = [each for each in (*UNSAFE, *STUCK) if each.title == title]
    return dict(mutant.wrong)


@pytest.fixture(scope="module")
def twelve() -> CampaignResult:
    return campaign(SEEDS)


@pytest.fixture(scope="module")
def two_votes() -> CampaignResult:
    return campaign(4, **wrong("a vote is given twice"))


class Stumbles(RaftStateMachine):
    """It raises where it should append, and names an object by its address."""

    def add_entry(self, payload):
        if self.log.last_index > 5:
            raise ZeroDivisionError(f"three of {object()}")
        return super().add_entry(payload)


class Dies(RaftStateMachine):
    """It takes its whole process with it, where a seed chose seven nodes."""

    def __init__(self, node_id, **given):
        super().__init__(node_id, **given)
        if len(given["configuration"].voters) == 7:
            os.kill(os.getpid(), signal.SIGKILL)


class NeverStarts(RaftStateMachine):
    def __init__(self, node_id, **given):
        raise OSError("no more")


# Verdicts


def test_correct_rules_survive_every_seed(twelve):
    assert twelve.counts == {"ok": SEEDS}
    assert twelve.failures == ()
    assert [each.seed for each in twelve.results] == list(range(SEEDS))
    assert all(each.events > 100 and 0 < each.settled_after < 9000 for each in twelve.results)
    assert str(twelve) == twelve.report()
    assert str(twelve).startswith(f"{SEEDS} seeds: {SEEDS} ok. ")
    assert repr(twelve).startswith(f"<CampaignResult of {SEEDS} seeds: {SEEDS} ok. ")


def test_a_broken_property_is_named_with_its_frame(two_votes):
    (first, *_) = two_votes.failures
    assert (first.verdict, first.broke) == ("violation", "One Vote Per Term")
    recording = two_votes.recording(first.seed)
    assert first.frame == first.events == len(recording)
    with pytest.raises(Violation) as caught:
        recording.replay()
    assert (caught.value.frame.frame, caught.value.frame.text) == (first.frame, first.text)


def test_what_peace_does_not_mend_is_found():
    result = campaign(8, **wrong("the joint configuration is never left"))
    stuck = [each for each in result.failures if each.settled_after is None]
    assert {each.verdict for each in stuck} == {"stuck"}
    assert stuck[0].text.startswith("no new command on every member within 9000 ms of peace")
    shrunk = result.shrunk(stuck[0].seed)
    assert len(shrunk) < len(result.recording(stuck[0].seed)) / 10


def test_who_is_not_served_in_the_quiet_is_reported_and_shrunk():
    (only,) = campaign([0], machine=AsksFirst).failures
    assert (only.verdict, only.broke) == ("stuck", "")
    assert "did not hand over to" in only.text and only.text.endswith(", in all quiet")
    assert only.settled_after is not None
    result = campaign([0], machine=AsksFirst)
    assert len(result.shrunk(0)) < len(result.recording(0)) / 10


def test_a_machine_that_raises_is_reported_and_shrunk():
    result = campaign([0], machine=Stumbles)
    (only,) = result.failures
    assert only.verdict == "raised"
    assert "machine raised ZeroDivisionError: three of <object object>" in only.text
    assert "actions are enough" in result.report()


def test_a_machine_that_cannot_even_start_is_reported():
    result = campaign(2, machine=NeverStarts)
    assert [each.text for each in result.failures] == ["OSError: no more"] * 2
    assert "no more" in result.report()


def test_what_is_given_takes_the_place_of_what_a_seed_would_choose():
    disks, options = Disks(write_ms=3.0), Options.figure_2()
    for seed in range(3):
        setup = campaign([seed], disks=disks, options=options, nodes=4).recording(seed).setup
        assert (setup.disks, setup.options, len(setup.nodes)) == (disks, options, 4)


def test_a_learners_machine_with_the_four_methods_is_tried_like_any_other():
    result = campaign(20, machine=ToyMachine)
    assert result.counts == {"ok": 20}


def test_a_machine_is_spared_what_it_cannot_do():
    assert abilities(None, 3) == abilities(Stumbles, 3) == ABILITIES
    assert abilities(ToyMachine, 5) == frozenset()
    run = start(2, machine=ToyMachine)
    assert not run.changes_members
    assert run.cluster.setup.disks.snapshot_every == 0
    assert not run.cluster.setup.options.async_persistence


def test_a_learners_mistake_is_found():
    class VotesForAll(ToyMachine):
        def on_request(self, request):
            self.voted_for = None
            super().on_request(request)

    result = campaign(3, machine=VotesForAll)
    assert "One Vote Per Term" in result.kinds


# The report


def test_the_report_shows_a_short_run_that_opens(two_votes):
    report = two_votes.report()
    assert "One Vote Per Term: " in report
    assert "actions are enough:" in report
    shared = report.split("\n")[-1]
    with pytest.raises(Violation, match="One Vote Per Term"):
        load(shared).replay()
    assert two_votes.report() == report


def interrupts_at(tries):
    """Ctrl-C at one of the tries to make a run shorter; what was told until then is kept."""
    told = []

    def progress(seed, tried, actions):
        told.append((seed, tried, actions))
        if tried == tries:
            signal.raise_signal(signal.SIGINT)

    return progress, told


def test_ctrl_c_while_a_run_is_made_shorter_shows_what_was_found(two_votes):
    progress, told = interrupts_at(30)
    (found,) = two_votes.shortest(progress=progress)
    assert found.interrupted
    assert [tried for _, tried, _ in told] == list(range(31))
    assert len(found.run) == told[-1][2] < found.failure.events
    report = two_votes.report(found=(found,))
    assert "Interrupted: there may be a shorter run.\n" in report
    with pytest.raises(Violation, match="One Vote Per Term"):
        load(report.split("\n")[-1]).replay()


def test_after_ctrl_c_no_more_is_looked_for_and_all_that_is_known_is_told(two_votes):
    one, two = two_votes.results[:2]
    both = CampaignResult(
        (one, msgspec.structs.replace(two, broke="Another")), two_votes.conditions
    )
    progress, told = interrupts_at(0)
    assert [(each.run, each.interrupted) for each in both.shortest(progress=progress)] == [
        (None, True),
        (None, True),
    ]
    assert len(told) == 1
    report = both.report(found=both.shortest(progress=progress))
    assert report.count("Interrupted: there may be a shorter run.") == 2
    assert f"Seed {two.seed}: {two.text}." in report


def test_a_seed_that_did_not_fail_has_nothing_to_shrink(twelve):
    with pytest.raises(Misuse, match="seed 3 did not fail"):
        twelve.shrunk(3)


# Who runs it


def test_two_cores_give_what_one_gives(twelve):
    assert campaign(SEEDS, cores=2) == twelve


def test_the_order_of_the_seeds_does_not_matter(twelve):
    assert campaign(reversed(range(SEEDS))) == twelve


def test_a_machine_that_kills_its_process_is_reported_and_the_others_are_not_lost():
    nodes = {seed: len(start(seed).cluster.nodes) for seed in range(40)}
    deadly = next(seed for seed in nodes if nodes[seed] == 7)
    harmless = [seed for seed in nodes if nodes[seed] < 7][:5]
    seeds = [deadly, *harmless]
    result = campaign(seeds, cores=2, machine=Dies)
    assert [(each.seed, each.verdict) for each in result.failures] == [(deadly, "killed")]
    assert result.counts == {"ok": 5, "killed": 1}
    assert campaign(harmless).results == tuple(each for each in result.results if each.events)
    assert "its process died 3 times" in result.report()


def test_where_no_process_can_start_no_seed_is_blamed():
    ended = subprocess.run(
        [sys.executable, "-"],  # a program without a file cannot be started again
        input="from raftlab.check.campaign import campaign; campaign(2, cores=2)",
        capture_output=True,
        text=True,
        cwd=Path(__file__).parents[2],
    )
    assert "No other process can start here" in ended.stderr


def dies_once(seeds, flag: str, trial):
    """A trial whose process is killed from outside, the first time that it meets seed 5."""
    if 5 in seeds and not Path(flag).exists():
        Path(flag).write_text("")
        os.kill(os.getpid(), signal.SIGKILL)
    return trial(seeds)


def test_a_worker_that_dies_loses_nothing(tmp_path, twelve):
    trial = partial(try_seeds, conditions=Conditions())
    dying = partial(dies_once, flag=str(tmp_path / "died"), trial=trial)
    results = [each for some in executors.processes(dying, range(SEEDS), 2) for each in some]
    assert (tmp_path / "died").exists()
    assert sorted(results, key=lambda each: each.seed) == list(twelve.results)


NOTEBOOK = """
from raftlab import Rules
from raftlab.check.campaign import campaign

class MyRules(Rules):
    pass

if __name__ == "__main__":
    print(campaign(4, cores=2, rules=MyRules).counts)
"""


def test_rules_typed_into_a_notebook_reach_the_other_processes():
    ended = subprocess.run(
        [sys.executable, "-c", NOTEBOOK],
        capture_output=True,
        text=True,
        cwd=Path(__file__).parents[2],
    )
    assert ended.stdout == "{'ok': 4}\n", ended.stderr


# Resuming


def test_an_interrupted_campaign_goes_on(tmp_path, twelve, monkeypatch):
    path = tmp_path / "campaign.jsonl"
    campaign(5, resume=path)
    tried = []

    def noted(seeds, conditions):
        tried.extend(seeds)
        return try_seeds(seeds, conditions)

    monkeypatch.setattr("raftlab.check.campaign.runner.try_seeds", noted)
    assert campaign(SEEDS, resume=path) == twelve
    assert tried == list(range(5, SEEDS))
    assert campaign(SEEDS, resume=path) == twelve
    assert len(tried) == SEEDS - 5
    assert len(path.read_bytes().splitlines()) == 1 + SEEDS


def test_a_torn_last_line_is_run_again(tmp_path, twelve):
    path = tmp_path / "campaign.jsonl"
    campaign(SEEDS, resume=path)
    whole = path.read_bytes()
    path.write_bytes(whole[:-9])
    assert campaign(SEEDS, resume=path) == twelve
    assert path.read_bytes() == whole


def test_a_torn_heading_is_written_again(tmp_path):
    path = tmp_path / "campaign.jsonl"
    campaign(1, resume=path)
    path.write_bytes(path.read_bytes()[:20])
    assert campaign(1, resume=path).counts == {"ok": 1}
    assert len(path.read_bytes().splitlines()) == 2


@pytest.mark.parametrize(
    ("other", "what"),
    [
        ({"rules": Rules}, "rules"),
        ({"machine": ToyMachine}, "machine"),
        ({"nodes": 3}, "given"),
        ({"options": Options.figure_2()}, "given"),
    ],
)
def test_the_file_of_another_campaign_is_refused(tmp_path, other, what):
    path = tmp_path / "campaign.jsonl"
    campaign(1, resume=path)
    with pytest.raises(Misuse, match=f"of another campaign: its {what} are not the same"):
        campaign(1, resume=path, **other)


@pytest.mark.parametrize("content", ["hello", "hello\n", "{}\n", "\x00\n"])
def test_a_file_that_is_no_campaign_is_refused_and_left_alone(tmp_path, content):
    path = tmp_path / "diary.txt"
    path.write_text(content)
    with pytest.raises(Misuse, match="is no file of a campaign"):
        campaign(1, resume=path)
    assert path.read_text() == content


def test_a_broken_line_in_the_middle_is_refused(tmp_path):
    path = tmp_path / "campaign.jsonl"
    campaign(2, resume=path)
    heading, first, second = path.read_text().splitlines()
    path.write_text("\n".join([heading, first[:-5], second, ""]))
    with pytest.raises(Misuse, match="line 2 of"):
        campaign(2, resume=path)


def test_a_checkpoint_file_keeps_every_field(tmp_path):
    path = tmp_path / "campaign.jsonl"
    results = [
        SeedResult(3, "violation", "S1 voted twice", "One Vote Per Term", 61, 61),
        SeedResult(4, "ok", events=9, settled_after=0.1 + 0.2),
    ]
    heading = heading_of(Conditions())
    checkpoint = CheckpointFile(path, heading, SeedResult, "campaign")
    checkpoint.add(results)
    checkpoint.close()
    again = CheckpointFile(path, heading, SeedResult, "campaign")
    again.close()
    assert again.results == results
    assert all(msgspec.json.decode(line) for line in path.read_bytes().splitlines())


# Progress, and what cannot be


def test_progress_is_shown_when_asked_for(capsys):
    campaign(2, progress=True)
    shown = capsys.readouterr().err
    assert shown.endswith("\n")
    assert f"[{'#' * 24}] 2 of 2 seeds: 2 ok; " in shown


def test_nothing_is_shown_where_nobody_looks(capsys):
    campaign(1)
    assert capsys.readouterr() == ("", "")


@pytest.mark.parametrize("seeds", [0, -3, [], ["1"], True, [True], 1.5, None])
def test_a_campaign_needs_seeds(seeds):
    with pytest.raises(Misuse, match="number of seeds"):
        campaign(seeds)


@pytest.mark.parametrize("cores", [0, -1, 1.5, True, "all"])
def test_a_campaign_needs_a_core(cores):
    with pytest.raises(Misuse, match="cores is how many"):
        campaign(1, cores=cores)


def test_what_a_campaign_cannot_be_given_is_refused():
    with pytest.raises(
        Misuse, match="can be given change_members, change_network, disks, network, nodes,"
    ):
        campaign(1, watched=False)


def test_every_verdict_has_words():
    assert next(iter(VERDICTS)) == "ok"
    assert all(VERDICTS.values())


def test_a_campaign_loads_no_dask():
    program = "import sys, raftlab.check.campaign as c; c.campaign(1); print(*sys.modules)"
    loaded = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    ).stdout.split()
    assert not {"dask", "distributed", "cloudpickle"} & set(loaded)


@pytest.mark.parametrize(
    "given",
    [
        {"rules": "x"},
        {"rules": RaftStateMachine},
        {"rules": {"S1": 3}},
        {"rules": {"S9": Rules}},
        {"nodes": -1},
        {"nodes": 0},
        {"nodes": True},
        {"nodes": "S1"},
        {"nodes": ["A", "A"]},
        {"disks": 3},
        {"network": "x"},
        {"options": 5},
        {"machine": 3},
        {"scheduler": 3},
        {"resume": 3},
    ],
    ids=str,
)
def test_the_callers_mistakes_are_no_bugs_of_the_machine(given):
    with pytest.raises(Misuse):
        campaign(3, **given)


def test_a_directory_keeps_no_campaign(tmp_path):
    with pytest.raises(Misuse, match="is a directory"):
        campaign(3, resume=tmp_path)


def test_nodes_may_be_named():
    result = campaign(2, nodes=["A", "B", "C"])
    assert result.counts == {"ok": 2}
    assert result.recording(0).setup.nodes == ("A", "B", "C")


def test_rules_of_a_node_need_a_cluster_that_has_it():
    with pytest.raises(Misuse, match="nodes="):
        campaign(1, rules={"S5": Rules})
    assert campaign(1, rules={"S5": Rules}, nodes=5).counts == {"ok": 1}


class Counts(Rules):
    """Every tenth vote is given twice: the count outlives the run."""

    asked = 0

    def has_vote_left(self, *given, **named):
        Counts.asked += 1
        return Counts.asked % 10 == 0 or super().has_vote_left(*given, **named)


class Dices(Rules):
    """Half of the votes are given twice, by chance."""

    def has_vote_left(self, *given, **named):
        return random.random() < 0.5 or super().has_vote_left(*given, **named)


@pytest.mark.parametrize("rules", [Counts, Dices])
def test_rules_that_do_not_do_the_same_twice_are_told(rules):
    random.seed(1)  # whatever these rules do by chance, the test does it every time
    Counts.asked = 0
    result = campaign(12, rules=rules)
    assert result.failures
    reports = [str(result) for _ in range(5)]
    assert any("do not do the same twice: " in report for report in reports)
    with pytest.raises(Misuse, match="do not do the same twice: "):
        for each in result.failures:
            result.recording(each.seed)
    with pytest.raises(Misuse, match="do not do the same twice: "):
        for each in result.failures:
            result.shrunk(each.seed)


def test_a_report_never_raises(monkeypatch, two_votes):
    def breaks(*_, **__):
        raise ZeroDivisionError("of chance")

    monkeypatch.setattr("raftlab.check.campaign.results.shrink", breaks)
    assert "can be shown: ZeroDivisionError: of chance." in str(two_votes)


# Messages that breed messages


def test_a_run_whose_messages_breed_messages_ends_and_is_stuck():
    result = try_seed(0, Conditions(**exhibit("next-never-goes-back").wrong))
    assert result.verdict == "stuck"
    assert "messages breed messages" in result.text
    assert stock_failure(exhibit("next-never-goes-back"), 1) == 0
    assert replayed(0, Conditions(**exhibit("next-never-goes-back").wrong)).cluster.number > 10_000


def test_a_storm_is_no_peace():
    run = replayed(0, Conditions(**exhibit("next-never-goes-back").wrong))
    assert not settles(run.cluster, 0)
    assert not is_at_peace(run.cluster, 0, True)


@pytest.mark.parametrize("module", [faults, after_healing, members, cluster, machine])
def test_results_are_kept_for_the_code_that_decides_them(module):
    deciding = {path for pattern in DECIDING for path in PACKAGE.glob(pattern)}
    assert Path(module.__file__) in deciding

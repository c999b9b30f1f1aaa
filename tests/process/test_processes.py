"""A machine in a process, at work: runs, copies, memory, edited programs, faults; rules alone."""

import pickle
import random
import re
import sys
from pathlib import Path

import pytest

import raftlab as rl
from raftlab.check.campaign.trial import checked, replayed, try_seed
from raftlab.check.explore import explore
from raftlab.process import MachineFault
from raftlab.process.child import Child
from raftlab.sim.resolve import machines_that_remember, recording_of
from raftlab.sim.run.play import can_be_copied, copied
from tests.process.conftest import HERE


def elected(process, **given):
    cluster = rl.Cluster(3, seed=3, machine=process("shipped", **given))
    cluster.elect()
    cluster.propose("x=1")
    cluster.run(100)
    return cluster


@pytest.mark.parametrize("shared", [False, True])
def test_a_run_goes_on_from_any_frame_and_from_a_text(process, shared):
    cluster = elected(process, shared=shared)
    assert cluster.get("x") == "1"
    machine = cluster.recording._factory.process
    assert len(machine.pool.pids) == (1 if shared else 3)
    middle = cluster.at(20)
    middle.run(1000)
    assert middle.leader
    recording = cluster.recording
    opened = rl.load(recording.share(), machine=machine)
    assert opened == recording
    assert opened.replay().get("x") == "1"
    assert recording.ask_again().is_same


def test_a_text_and_a_file_replay_without_the_machine_and_go_no_further(process, tmp_path):
    cluster = elected(process)
    recording = cluster.recording
    recording.save(tmp_path / "run.jsonl")
    for source in (recording.share(), tmp_path / "run.jsonl"):
        opened = rl.load(source)
        assert opened == recording
        assert opened.digest == recording.digest
        again = opened.replay()
        assert again.frame() == cluster.frame()
        with pytest.raises(rl.NotNow, match="Hand the machine over"):
            again.run(1000)


def test_runs_with_the_same_actions_and_other_words_are_not_equal(process):
    first = rl.Cluster(3, seed=3, machine=process("elects"))
    second = rl.Cluster(3, seed=3, machine=process("elects"))
    assert first.recording == second.recording
    other = rl.load(first.recording.share())
    vars(other._factory)["root"]._place_after.said = b'{"wake_at": 7}'
    assert other != first.recording


def test_a_copy_of_a_cluster_costs_no_process(process):
    cluster = elected(process)
    machine = cluster.recording._factory.process
    before = machine.pool.pids
    assert can_be_copied(cluster.engine)
    for to_keep in (False, True):
        twin = copied(cluster.engine, to_keep)
        assert twin.hosts["S1"].machine.log == cluster.hosts["S1"].machine.log
    assert machine.pool.pids == before


def test_what_is_not_offered_is_refused_by_name(process):
    cluster = rl.Cluster(3, machine=process("elects"))
    leader = cluster.elect()
    with pytest.raises(rl.Misuse, match=f"the machine of {leader} has no method read"):
        cluster.read("x")
    with pytest.raises(rl.Misuse, match="has no method transfer_leadership"):
        cluster.transfer()
    with pytest.raises(rl.NotNow, match="refuses: this machine keeps no log"):
        cluster.propose("x=1")
    assert cluster.stopped is None


def test_a_search_refuses_a_process_by_name(process):
    cluster = rl.Cluster(3, machine=process("elects"), options=rl.Options.figure_2())
    with pytest.raises(rl.Misuse, match=r"elects\.py is a process, which offers neither"):
        explore(cluster)


def test_rules_are_not_for_a_process(process):
    class Mine(rl.Rules):
        pass

    with pytest.raises(rl.Misuse, match="rules of its own, and cannot play by Mine"):
        rl.Cluster(3, machine=process("elects"), rules=Mine)
    with pytest.raises(rl.Misuse, match="cannot play by AppendsNothingItself"):
        rl.scenarios.scenario("figure_8")(machine=process("elects"))


def test_a_seed_of_a_campaign_comes_to_the_same_twice(process):
    conditions = checked(None, process("shipped"), {})
    first = try_seed(1, conditions)
    assert first.verdict == "ok", first.text
    assert try_seed(1, pickle.loads(pickle.dumps(conditions))) == first


class SeededAlike(rl.RaftStateMachine):
    """The machine of `shipped.py` in our process: its chance hangs on the same number."""

    __slots__ = ()

    def __init__(self, node_id, *, rng, **given):
        super().__init__(node_id, rng=random.Random(rng.getrandbits(53)), **given)


@pytest.mark.parametrize("seed", [202, 206, 216, 219, 231])
def test_a_machine_does_the_same_in_a_process_of_its_own(process, seed):
    """Where disks are instant: while one writes, a machine of ours is not asked what it says."""
    given = {"disks": rl.Disks(write_ms=0.0), "change_members": False}
    apart = checked(None, process("shipped", shared=True), given)
    here = checked(None, SeededAlike, given)
    assert replayed(seed, apart).cluster.actions == replayed(seed, here).cluster.actions
    assert try_seed(seed, apart) == try_seed(seed, here)


def test_whoever_hears_its_leader_in_a_new_term_says_so(process):
    """A new term forgets who leads: so it is said again, even if it is the same server."""
    options = rl.Options(election_timeout=(900.0, 1000.0), pre_vote=False, leader_stickiness=False)
    cluster = rl.Cluster(3, seed=3, machine=process("shipped", shared=True), options=options)
    cluster.elect("S1")
    cluster.run(100)
    cluster.isolate("S3")
    cluster.crash("S1")
    cluster.restart("S1")
    cluster.elect("S1")
    cluster.heal()
    assert cluster.run_until(lambda each: each.machine("S3").term == each.machine("S1").term, 500)
    assert cluster.machine("S3").leader == "S1"


def test_a_server_that_a_process_does_not_take_at_once_is_taken_later(process):
    found = try_seed(219, checked(None, process("shipped", shared=True), {}))
    assert (found.verdict, found.text) == ("ok", "")


def test_a_worker_goes_on_with_the_processes_of_its_last_task(request, process):
    machine = process("elects", patience_s=59)
    first = pickle.loads(pickle.dumps(machine))
    request.addfinalizer(first.end)
    assert first is not machine
    rl.Cluster(3, machine=first)
    pids = first.pool.pids
    second = pickle.loads(pickle.dumps(machine))
    rl.Cluster(3, machine=second)
    assert second.pool.pids == pids != ()
    assert pickle.loads(pickle.dumps(process("elects", patience_s=58))) is not first


@pytest.mark.parametrize("command", ["", "  ", '"open', [], ["a\0b"], 7, ["", "x"]])
def test_what_is_no_command_is_misuse(command):
    with pytest.raises(rl.Misuse, match="command"):
        rl.Process(command)


@pytest.mark.parametrize("given", [{"patience_s": 0}, {"memory_mb": 1.5}, {"shared": "yes"}])
def test_limits_are_numbers(given):
    with pytest.raises(rl.Misuse):
        rl.Process("cat", **given)


# Rules alone


def test_a_rule_can_ask_a_program_as_the_page_says(tmp_path, monkeypatch):
    page = (HERE.parents[1] / "docs" / "machine-protocol.md").read_text()
    told = page.partition("## Rules alone")[2]
    code = told.partition("```python\n")[2].partition("```")[0]
    loop = re.search(r"`(for line in sys.stdin: )(.*?; )(print.*?)`", told)
    (tmp_path / "my_terms.py").write_text(
        "import json, sys\n" + "\n    ".join(each.strip("; ") for each in loop.groups()) + "\n"
    )
    monkeypatch.chdir(tmp_path)
    names = {"rl": rl}
    exec(code.replace('"python3"', repr(sys.executable)), names)
    assert rl.Cluster(3, seed=1, rules=names["MyRules"]).elect()
    names["terms"].end()
    with pytest.raises(MachineFault, match="ended before"):
        rl.Cluster(3, seed=1, rules=names["MyRules"]).elect()


def test_a_command_may_begin_with_another_one():
    child = Child(["env", "-i", "cat"])
    assert child.ask(b"[]") == b"[]"
    child.end()
    assert not child.end.alive
    assert Path(f"/proc/{child.pid}").exists() is False


# A program that is edited while we live


def edited(file, before, after):
    text = file.read_text()
    assert text.count(before) == 1
    file.write_text(text.replace(before, after))


@pytest.fixture
def program(tmp_path):
    """A copy of the machine that holds elections, to be edited."""
    file = tmp_path / "mine.py"
    file.write_text((HERE / "elects.py").read_text())
    return file


def notes_of(cluster):
    return {str(note) for *_, notes in cluster.engine.recent for _, note in notes}


@pytest.mark.parametrize("shared", [False, True])
def test_a_program_that_was_edited_is_started_anew(request, program, shared):
    machine = rl.Process([sys.executable, str(program)], shared=shared)
    request.addfinalizer(machine.end)
    cluster = rl.Cluster(3, machine=machine)
    cluster.elect()
    assert "stands for election" in notes_of(cluster)
    old = machine.pool.pids
    del cluster
    edited(program, "stands for election", "has been edited")
    cluster = rl.Cluster(3, machine=machine)
    cluster.elect()
    assert "has been edited" in notes_of(cluster)
    assert not set(old) & set(machine.pool.pids)


def test_what_runs_goes_on_with_the_program_with_which_it_began(request, program):
    machine = rl.Process([sys.executable, str(program)])
    request.addfinalizer(machine.end)
    cluster = rl.Cluster(3, machine=machine)
    edited(program, "stands for election", "has been edited")
    cluster.elect()
    assert "stands for election" in notes_of(cluster)


def test_a_past_that_an_edited_program_denies_is_told_with_the_reason(request, program):
    machine = rl.Process([sys.executable, str(program)])
    request.addfinalizer(machine.end)
    cluster = rl.Cluster(3, machine=machine)
    cluster.elect()
    before = cluster.at(cluster.number)
    edited(program, "stands for election", "has been edited")
    machine.end()
    with pytest.raises(MachineFault, match=r"its program has been edited since"):
        before.run(1000)


def test_a_program_in_a_file_of_its_own_is_compared_too(tmp_path):
    (tmp_path / "mine").write_bytes(b"one")
    machine = rl.Process([str(tmp_path / "mine"), "--verbose"])
    assert machine.files() == [b"one"]


# A fault of the process is no word of the machine


def hung(request, tmp_path):
    """A run that has stopped since the machine hung at its tenth tick; what frees it."""
    stuck = tmp_path / "stuck"
    stuck.touch()
    command = [sys.executable, str(HERE / "waits_for.py"), str(stuck)]
    machine = rl.Process(command, patience_s=1)
    request.addfinalizer(machine.end)
    cluster = rl.Cluster(3, seed=1, machine=machine)
    with pytest.raises(MachineFault) as fault:
        cluster.run(2000)
    assert fault.value.kind == "hung"
    return cluster, stuck.unlink


def test_a_branch_asks_again_what_no_answer_came_to(request, tmp_path):
    cluster, free = hung(request, tmp_path)
    with pytest.raises(MachineFault):
        cluster.at(cluster.number - 1).run(2000)
    free()
    text = cluster.recording.share()
    branch = cluster.at(cluster.number - 1)
    branch.run(2000)
    assert branch.number > cluster.number
    # and both runs are told as they went
    again = cluster.at(cluster.number)
    assert again.stopped == cluster.stopped
    assert cluster.recording.share() == text
    assert rl.load(text).attempt().stopped == cluster.stopped
    assert branch.at(cluster.number).stopped is None
    for run in (cluster, branch):
        kept = machines_that_remember(run.setup.machine, run.recording.machine.memory())
        told = recording_of(run.setup, tuple(run.actions), machine=kept)
        assert told.attempt().stopped == run.stopped
    assert branch.recording.replay().frame() == branch.frame()
    opened = rl.load(branch.recording.share())
    assert opened == branch.recording
    assert opened.replay().frame() == branch.frame()
    other = cluster.recording.branch(cluster.number - 1)
    other.run(500)
    assert other.stopped is None
    assert other.recording.replay().frame() == other.frame()


def test_a_text_goes_on_where_no_answer_had_come(request, tmp_path):
    cluster, free = hung(request, tmp_path)
    text = cluster.recording.share()
    free()
    opened = rl.load(text, machine=cluster.recording._factory.process)
    assert opened.attempt().stopped == cluster.stopped
    branch = opened.branch(len(opened) - 1)
    branch.run(2000)
    assert branch.stopped is None
    assert not opened.ask_again().is_same

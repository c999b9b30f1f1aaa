"""Whatever a machine in a process does wrong: the run stands still, and says whose it was."""

import json
import re
import sys

import pytest

import raftlab as rl
from raftlab.__main__ import main
from raftlab.process import MachineFault
from tests.process.conftest import HERE

OPTIONS = rl.Options(election_timeout=(150.0, 150.0))
AT_A_TICK = [
    ("exits", "died", "ended with exit code 3"),
    ("raises", "died", "its last words were: KeyError: 'no such key' (misbehaves.py, line "),
    ("is killed", "died", "ended by signal 9"),
    ("closes its output", "died", "has closed its standard output"),
    ("sleeps", "hung", "it said nothing within 3 s"),
    ("loops", "hung", "it said nothing within 3 s"),
    ("stops itself", "hung", "it said nothing within 3 s"),
    ("stops half way", "hung", "it said only '{\"term\": ' within 3 s"),
    ("ends half way", "died", "ended with exit code 0"),
    ("leaves a child", "died", "ended with exit code 5"),
    ("one endless line", "flooded", "more than 60,000 bytes in one line, which begins 'xxx"),
    ("too long a line", "flooded", "60,000"),
    ("endless lines", "out of turn", "'{}'"),
    ("two lines", "out of turn", "'{}'"),
    ("prints", "out of turn", "'{}'"),
    ("an empty line", "not JSON", "'', which is no JSON"),
    ("a zero byte", "not JSON", "Print to the standard error output"),
    ("half a JSON", "not JSON", "'{\"term\": 1', which is no JSON"),
    ("deep JSON", "wrong shape", "Expected `object`, got `array`"),
    ("no UTF-8", "not UTF-8", "which is no UTF-8"),
    ("holds memory", "too much memory", "more than 200 MB"),
    ("a list", "wrong shape", "Expected `object`, got `array`"),
    ("a field unknown", "wrong shape", "unknown field `comit_index`"),
    ("text for a number", "wrong shape", "`$.term`"),
    ("a negative term", "wrong shape", "`$.term`"),
    ("a huge term", "wrong shape", "`$.term`"),
    ("a role unknown", "wrong shape", "Invalid enum value 'boss' - at `$.role`"),
    ("a message unknown", "wrong shape", "Invalid value 'RequestVotes'"),
    ("a message without a field", "wrong shape", "missing required field `sender`"),
    ("a message of another", "contradiction", "it sends a message in the name of S9"),
    ("a message with a negative index", "wrong shape", "last_log_index of a message is -1"),
    ("a hole in the log", "contradiction", "entry 3 where entry 1 belongs (the first of a log)"),
    ("an entry twice", "contradiction", "entry 1 where entry 2 belongs (before it is entry 1)"),
    ("a commit beyond the log", "contradiction", "up to 7 committed, and its log ends at 0"),
    ("no base64", "wrong shape", "is no base64"),
    ("an event refused", "wrong shape", "it refuses what is no question"),
    ("a time that is over", "contradiction", "wake_at must move on"),
    ("hardly moves on", "storm", "woken 1,001 times within 50 ms of virtual time"),
]


def stopped_run(process, way, kind):
    patience = 3 if kind == "hung" else 60
    limits = {"patience_s": patience, "longest_line": 60_000, "memory_mb": 200}
    machine = process("misbehaves", way, **limits)
    cluster = rl.Cluster(3, seed=1, machine=machine, options=OPTIONS)
    with pytest.raises(MachineFault) as fault:
        cluster.run(400)
    return machine, cluster, fault.value


@pytest.mark.parametrize(("way", "kind", "said"), AT_A_TICK, ids=[each[0] for each in AT_A_TICK])
def test_the_run_stands_still_and_says_whose_machine_it_was_and_what(process, way, kind, said):
    machine, cluster, fault = stopped_run(process, way, kind)
    assert (fault.kind, said in fault.text) == (kind, True), str(fault)
    assert cluster.stopped == f"S1's machine raised MachineFault: {fault}"
    assert len(machine.pool.pids) == 2
    tick = cluster.actions[-1]
    assert type(tick).__name__ == "Tick"
    assert tick.node == "S1"
    # nothing of ours is lost: it plays again without the machine, up to the same frame
    machine.end()
    again = rl.load(cluster.recording.share()).attempt()
    assert (again.number, again.stopped) == (cluster.number, cluster.stopped)
    assert cluster.at(cluster.number - 1).stopped is None
    assert machine.pool.pids == ()


def test_a_storm_of_messages_comes_to_an_end_and_says_whose_it_is(process):
    machine = process("misbehaves", "begins a storm")
    cluster = rl.Cluster(3, seed=1, machine=machine, options=OPTIONS)
    with pytest.raises(MachineFault, match="its messages breed messages") as fault:
        cluster.run(400)
    assert fault.value.kind == "storm"
    assert re.match(r"S\d's machine raised MachineFault: within 50 ms", cluster.stopped)
    assert cluster.now < 400


@pytest.mark.parametrize(
    ("way", "kind", "said"),
    [
        (
            "dies at its start",
            "died",
            "its process ended with exit code 1; its last words were: cannot find my_config.json",
        ),
        ("other protocol", "other protocol", "it refuses to start: it speaks protocol 7"),
    ],
)
def test_a_machine_that_does_not_start_is_told_when_the_cluster_is_made(process, way, kind, said):
    with pytest.raises(MachineFault) as fault:
        rl.Cluster(3, machine=process("misbehaves", way))
    assert (fault.value.kind, fault.value.text) == (kind, f"S1 cannot start: {said}")


def test_a_greeting_is_said_out_of_turn(process):
    with pytest.raises(MachineFault) as fault:
        rl.Cluster(3, machine=process("misbehaves", "a greeting"))
    assert fault.value.kind in ("out of turn", "not JSON")  # as it comes before the line, or after
    assert "Raft, version 1" in fault.value.text


@pytest.mark.parametrize("command", ["no_such_program_here", "/", "/etc/hostname", "./missing.sh"])
def test_a_program_that_is_not_there_is_named(command):
    with pytest.raises(MachineFault, match=re.escape(f"S1 cannot start: {command} cannot be")):
        rl.Cluster(3, machine=rl.Process(command))


@pytest.mark.parametrize(
    ("way", "kind", "said"),
    [
        ("no index", "wrong shape", "it answers add_entry with neither an index nor a refusal"),
        ("a wrong index", "contradiction", "has index 4, and its log ends with nothing"),
        ("refuses and does", "contradiction", "it refuses what it was asked, and does something"),
    ],
)
def test_what_is_wrong_with_an_answer_is_told(process, way, kind, said):
    cluster = rl.Cluster(3, machine=process("misbehaves", way))
    cluster.elect()
    with pytest.raises(MachineFault) as fault:
        cluster.propose("x=1")
    assert fault.value.kind == kind
    assert said in fault.value.text
    assert "raised MachineFault" in cluster.stopped


def test_a_machine_that_rolls_dice_is_found_out_when_it_is_asked_again(process):
    cluster = rl.Cluster(3, machine=process("misbehaves", "rolls dice"))
    cluster.elect()
    again = cluster.recording.ask_again()
    assert not again.is_same
    assert 0 < again.frame <= cluster.number
    assert again.node in cluster.nodes
    assert again.before != again.now


def test_the_command_line_asks_a_program_again(capsys):
    def raftlab(*words):
        code = main(list(words))
        return code, *capsys.readouterr()

    honest, dice = (f"{sys.executable} {HERE / name}" for name in ("elects.py", "misbehaves.py"))
    machine, other = ["--machine", honest], ["--machine", f"{dice} 'rolls dice'"]
    text = raftlab("run", "3", *machine, "--share")[1].split()[-1]
    code, out, _ = raftlab("replay", text, *machine, "--ask-again")
    assert (code, "The machines said the same again, in all of " in out) == (0, True)
    code, out, _ = raftlab("replay", text, *other, "--ask-again", "--json")
    told = json.loads(out)["asked_again"]
    assert (code, told["same"], told["node"] in ("S1", "S2", "S3")) == (1, False, True)
    assert told["before"] != told["now"]
    code, out, said = raftlab("replay", text, "--ask-again")
    assert (code, out) == (2, "")
    assert "name the program with --machine" in said


def test_a_machine_that_rolls_dice_is_found_out_when_its_past_is_told_to_another_process(process):
    machine = process("misbehaves", "rolls dice")
    cluster = rl.Cluster(3, machine=machine)
    cluster.elect()
    machine.end()
    with pytest.raises(MachineFault) as fault:
        cluster.run(100)
    assert fault.value.kind == "not deterministic"


def test_a_sound_machine_says_the_same_when_it_is_asked_again(process):
    cluster = rl.Cluster(3, machine=process("elects"))
    cluster.elect()
    cluster.run(300)
    assert cluster.recording.ask_again().is_same


def test_what_is_written_to_the_standard_error_output_stops_nothing(process):
    cluster = rl.Cluster(3, machine=process("misbehaves", "says much on stderr"))
    cluster.elect()


def test_wrong_as_raft_is_a_broken_property_and_no_fault(process):
    machine = process("wrong", "commits alone")
    cluster = rl.Cluster(3, machine=machine)
    with pytest.raises(rl.Violation):
        cluster.run(2000)
    assert cluster.violation is not None

"""What cannot begin is refused in one sentence, in Python and on the command line."""

import sys

import pytest

import raftlab as rl
from raftlab.__main__ import main
from raftlab.check.campaign import campaign
from raftlab.process import MachineFault
from tests.process.conftest import HERE

MISSING = "no_such_program_here --fast"
DIES = [sys.executable, str(HERE / "misbehaves.py"), "dies at its start"]
SAID = {
    "missing": (
        MISSING,
        "S1 cannot start: no_such_program_here cannot be started: No such file or directory",
    ),
    "dies": (
        " ".join(f"'{word}'" for word in DIES),
        "S1 cannot start: its process ended with exit code 1; its last words were: cannot find"
        " my_config.json",
    ),
}


@pytest.mark.parametrize("command", ["run", "campaign"])
@pytest.mark.parametrize("way", SAID)
def test_a_program_that_does_not_start_is_one_line_on_the_command_line(capsys, command, way):
    program, said = SAID[way]
    assert main([command, "--machine", program]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err == f"raftlab: {said}\n"


@pytest.mark.parametrize("way", SAID)
def test_a_program_that_does_not_start_is_misuse(way):
    program, said = SAID[way]
    for begin in (lambda it: rl.Cluster(3, machine=it), lambda it: campaign(2, machine=it)):
        with pytest.raises(rl.Misuse) as refusal:
            begin(rl.Process(program))
        assert str(refusal.value) == said
        assert isinstance(refusal.value, MachineFault)


def test_a_program_that_cannot_start_again_stops_the_run(process, tmp_path):
    script = tmp_path / "mine.py"
    script.write_text((HERE / "elects.py").read_text())
    machine = rl.Process([sys.executable, str(script)])
    cluster = rl.Cluster(3, machine=machine)
    cluster.crash("S2")
    machine.end()
    script.write_text("raise SystemExit('gone')")
    with pytest.raises(MachineFault, match=r"S2 cannot start: .* its last words were: gone"):
        cluster.restart("S2")
    assert "S2 cannot start" in cluster.stopped
    machine.end()


@pytest.mark.parametrize("text", ["node my_raft.js", "./my_raft"])
def test_a_command_in_place_of_a_machine_is_answered_with_process(text):
    said = f"a machine in a process is rl.Process({text!r}), and not its command alone"
    with pytest.raises(rl.Misuse) as refusal:
        rl.Cluster(3, machine=text)
    assert str(refusal.value) == said
    recording = rl.Cluster(3).recording
    for use in (
        lambda: rl.load(recording.share(), machine=text),
        lambda: recording.attempt(machine=text),
        lambda: recording.start(machine=text),
        lambda: recording.replay(machine=text),
        lambda: campaign(2, machine=text),
    ):
        with pytest.raises(rl.Misuse) as refusal:
            use()
        assert str(refusal.value).endswith(said)


def test_who_is_asked_again_is_a_process(process):
    cluster = rl.Cluster(3, machine=process("elects"))
    with pytest.raises(rl.Misuse, match=r"rl\.Process\('node x\.js'\)"):
        cluster.recording.ask_again("node x.js")
    with pytest.raises(rl.Misuse, match=r"rl\.Process\('node x\.js'\)"):
        rl.load(cluster.recording.share(), machine="node x.js")


def test_a_process_with_limits_of_its_own_is_named_on_the_command_line(
    capsys, tmp_path, monkeypatch
):
    (tmp_path / "my_process.py").write_text(
        "import sys\nimport raftlab as rl\n"
        f"mine = rl.Process([sys.executable, {str(HERE / 'elects.py')!r}], shared=True)\n"
    )
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    assert main(["run", "3", "--machine", "my_process:mine"]) == 0
    assert "leads term 1" in capsys.readouterr().out
    machine = sys.modules.pop("my_process").mine
    assert len(machine.pool.pids) == 1
    machine.end()
    assert main(["run", "3", "--rules", "my_process:mine"]) == 2
    assert "my_process:mine is not a subclass of raftlab.Rules" in capsys.readouterr().err
    del sys.modules["my_process"]

"""The command line does what it says, and refuses in one line what it cannot do."""

import argparse
import doctest
import json
import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

import raftlab
from raftlab import Cluster, load
from raftlab.__main__ import COMMANDS, carry_out, main, parsers
from raftlab.check.history import History, Operation
from raftlab.commands import arguments, campaign, explore, lab
from raftlab.commands.answers import EXIT_CODES, Exit
from raftlab.museum import EXHIBITS
from raftlab.process.samples import sample
from raftlab.view import describe_state_machines

ROOT = Path(__file__).parents[1]
PAGE = (ROOT / "docs" / "command-line.md").read_text(encoding="utf-8")

MINE = """\
from raftlab import RaftStateMachine, Rules

class Generous(Rules):
    def has_vote_left(self, *asked):
        return True

class Raises(Rules):
    def has_vote_left(self, *asked):
        raise TypeError("no such thing")

class Machine(RaftStateMachine):
    pass

class Holder:
    class Inside(Rules):
        pass

class NoRules:
    pass

value = 3
"""
WRONG = "raftlab.museum.elections:VotesAgain"
FIRST = "run 3 --seed 7 --propose x=1 --ms 100"


@pytest.fixture(autouse=True)
def place(tmp_path, monkeypatch):
    """An empty directory, in which a reader's own rules can be imported afresh."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [path for path in sys.path if path])
    yield tmp_path
    for name, module in list(sys.modules.items()):
        if str(tmp_path) in str(getattr(module, "__file__", None)):
            del sys.modules[name]


@pytest.fixture
def mine(place):
    (place / "mine.py").write_text(MINE)


class Ran:
    """How one command line ended."""

    def __init__(self, code: int, out: str, err: str) -> None:
        self.code, self.out, self.err = code, out, err

    @property
    def document(self) -> dict:
        return json.loads(self.out)


@pytest.fixture
def raftlab_run(capsys):
    """Carries out a command line in this process: `raftlab_run("run 3", "--propose", "x=1")`."""

    def run(line: str, *words: str) -> Ran:
        capsys.readouterr()
        code = main([*shlex.split(line), *map(str, words)])
        out, err = capsys.readouterr()
        assert "Traceback" not in out + err
        return Ran(code, out, err)

    return run


def program(*words: str, **given) -> subprocess.CompletedProcess:
    """The real program, in a process of its own."""
    line = [sys.executable, "-m", "raftlab", *map(str, words)]
    return subprocess.run(line, capture_output=True, text=True, check=False, **given)


def history(place: Path, last: object) -> Path:
    """A file with a write of 1 to x, and then a read that gives `last`."""
    path = place / "history.jsonl"
    History(
        [
            Operation("c1", "write", "x", 1, start=0, end=10),
            Operation("c2", "read", "x", result=last, start=12, end=15),
        ]
    ).save(path)
    return path


# Help


def test_without_arguments_help_is_printed(raftlab_run):
    ran = raftlab_run("")
    assert ran.code == 0
    assert all(each.NAME in ran.out for each in COMMANDS)
    assert EXIT_CODES in ran.out


@pytest.mark.parametrize("command", COMMANDS, ids=lambda each: each.NAME)
def test_the_help_of_a_command_has_an_example_that_can_be_read_and_the_exit_codes(
    command, raftlab_run
):
    ran = raftlab_run(command.NAME, "--help")
    assert ran.code == 0
    assert command.ABOUT in ran.out and command.EXAMPLE in ran.out and EXIT_CODES in ran.out
    whole, _ = parsers()
    lines = [line.removeprefix("raftlab ") for line in map(str.strip, command.EXAMPLE.split("\n"))]
    read = [whole.parse_known_args(shlex.split(line)) for line in lines]
    assert all(not unknown for _, unknown in read)
    assert command.NAME in {given.command for given, _ in read}


def test_every_exit_code_that_help_names_is_one_that_is_used():
    told = {int(code) for code in re.findall(r"^  (\d+) ", EXIT_CODES, re.MULTILINE)}
    assert told == set(Exit) - {Exit.BROKEN_PIPE}
    page = {int(code) for code in re.findall(r"^\| (\d+) \|", PAGE, re.MULTILINE)}
    assert page == set(Exit)


def test_the_version_is_told(raftlab_run):
    assert raftlab_run("--version").out == f"raftlab {raftlab.__version__}\n"


def test_the_program_is_installed_under_its_name():
    scripts = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["scripts"]
    assert scripts == {"raftlab": "raftlab.__main__:main"}


def test_help_loads_no_checker_no_picture_and_no_heavy_library():
    line = "import sys; sys.argv = ['raftlab']; import raftlab.__main__ as m; m.main()"
    loaded = subprocess.run(
        [sys.executable, "-c", f"{line}; print(*sys.modules)"],
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    modules = set(loaded.splitlines()[-1].split())
    assert "raftlab.commands.run" in modules
    late = (
        "raftlab.check",
        "raftlab.view",
        "raftlab.lab",
        "raftlab.course",
        "raftlab.sim.scenarios",
    )
    assert not [name for name in modules if name.startswith(late)]
    assert not modules & {
        "networkx",
        "matplotlib",
        "numpy",
        "distributed",
        "ipywidgets",
        "jupyterlab",
    }


# Run and replay


def test_a_run_shows_where_the_cluster_stands(raftlab_run):
    cluster = Cluster(3, seed=7)
    cluster.elect()
    cluster.propose("x=1")
    cluster.run(100)
    ran = raftlab_run(FIRST)
    values = describe_state_machines(cluster.frame()).partition("\n\n")[2]
    assert "\nS2          2       2  1" in values
    assert (ran.code, ran.out, ran.err) == (0, f"{cluster}\n\n{values}\n", "")


def test_a_run_as_json_says_where_each_node_stands_and_can_be_opened(raftlab_run):
    told = raftlab_run(FIRST, "--json").document
    assert (told["command"], told["exit"], told["leader"], told["violation"]) == (
        "run",
        0,
        "S2",
        None,
    )
    assert [each["commit_index"] for each in told["nodes"]] == [2, 2, 2]
    assert [each["values"] for each in told["nodes"]] == [{"x": "1"}] * 3
    assert len(load(told["share"])) == told["frame"]


def test_settings_reach_the_cluster_of_a_run(raftlab_run):
    ran = raftlab_run(
        "run 4 --seed 3 --ms 10 --loss 0.5 --duplication 0.25 --reordering 0.1 --latency 1-2"
        " --options pre_vote=off max_in_flight=3 election_timeout=100-110 heartbeat-interval=20.5"
        " --disks torn=yes keeps=term,log --json"
    )
    setup = load(ran.document["share"]).setup
    assert (len(setup.nodes), setup.seed) == (4, 3)
    assert setup.network == raftlab.Network((1.0, 2.0), 0.5, 0.25, 0.1)
    assert setup.options == raftlab.Options(
        election_timeout=(100.0, 110.0), heartbeat_interval=20.5, pre_vote=False, max_in_flight=3
    )
    assert setup.disks == raftlab.Disks(torn=True, keeps=("term", "log"))


def test_figure_2_switches_the_protections_off_but_for_those_that_are_named(raftlab_run):
    ran = raftlab_run("run 3 --figure-2 --options check_quorum=true --ms 0 --json")
    assert load(ran.document["share"]).setup.options == raftlab.Options.figure_2(check_quorum=True)


def test_a_saved_run_is_replayed_to_the_same_end(raftlab_run, place):
    first = raftlab_run(FIRST, "--save", place / "first.jsonl")
    again = raftlab_run("replay", place / "first.jsonl")
    assert (again.code, again.out) == (0, first.out)


def test_a_shared_run_is_replayed_to_the_same_end_even_through_a_pipe(raftlab_run, monkeypatch):
    ran = raftlab_run(FIRST, "--share")
    text = ran.out.splitlines()[-1]
    again = raftlab_run("replay", text)
    assert f"{again.out}\n{text}\n" == ran.out
    shown = program("replay", "-", input=f"{text}\n")
    assert (shown.returncode, shown.stdout) == (0, again.out)


def test_a_link_opens_the_run_in_a_page_and_here(raftlab_run, monkeypatch):
    base = "https://example.org/lab/"
    ran = raftlab_run(FIRST, "--share", "--link", base)
    text, _, link = ran.out.splitlines()[-3:]
    assert link == f"{base}#run={text}"
    assert raftlab_run("replay", link).out == raftlab_run("replay", text).out
    assert raftlab_run(FIRST, "--link", base, "--json").document["link"] == link
    monkeypatch.setattr("raftlab.commands.run.PUBLISHED", base)
    assert raftlab_run(FIRST, "--link").out.splitlines()[-1] == link
    refused = raftlab_run(FIRST, "--link", "example.org")
    assert refused.code == 2
    assert "address of a page" in refused.err


def test_a_replay_can_stop_early_tell_its_last_steps_and_be_code(raftlab_run, place):
    raftlab_run(FIRST, "--save", "first.jsonl")
    told = raftlab_run("replay first.jsonl --upto 20 --events 3 --code --json").document
    assert told["frame"] == 20
    assert len(told["events"]) == 3
    names: dict = {}
    exec(told["code"], names)
    assert names["cluster"].recording == load(place / "first.jsonl").upto(20)


def test_a_scenario_is_shown_in_its_panel_and_goes_on(raftlab_run):
    told = raftlab_run("run --scenario figure_8 --panel c --seed 4 --json").document
    cluster = raftlab.scenarios.figure_8("c", seed=4)
    assert (told["frame"], told["at_ms"]) == (cluster.number, cluster.now)
    later = raftlab_run("run --scenario figure_8 --panel c --seed 4 --ms 50 --propose y=2 --json")
    assert later.document["at_ms"] == cluster.now + 50
    assert later.code == 0


def test_every_scenario_is_listed(raftlab_run):
    told = raftlab_run("run --list-scenarios --json").document
    assert [each["name"] for each in told["scenarios"]] == list(raftlab.scenarios.SCENARIOS)
    text = raftlab_run("run --list-scenarios").out
    assert all(each["title"] in text for each in told["scenarios"])


def test_a_broken_property_is_shown_and_is_exit_code_1_in_a_run_and_in_its_replay(raftlab_run):
    ran = raftlab_run("run --scenario figure_8_by_counting --panel after --ms 100 --json")
    assert ran.code == ran.document["exit"] == 1
    assert ran.document["violation"]["name"] == "Leader Completeness"
    again = raftlab_run("replay", ran.document["share"])
    assert again.code == 1
    assert "Leader Completeness is violated" in again.out


def test_a_property_that_falls_on_the_way_is_shown(raftlab_run):
    ran = raftlab_run(f"run 5 --rules {WRONG} --figure-2 --options election_timeout=20-20")
    assert ran.code == 1
    assert "One Vote Per Term is violated" in ran.out


@pytest.mark.usefixtures("mine")
def test_rules_that_raise_are_told_of_and_are_exit_code_1(raftlab_run):
    ran = raftlab_run("run 3 --rules mine:Raises --figure-2")
    assert ran.code == 1
    assert "machine raised TypeError: no such thing" in ran.out
    assert ran.err == ""


@pytest.mark.usefixtures("mine")
def test_a_readers_own_rules_and_machine_are_found_in_the_current_directory(raftlab_run):
    ran = raftlab_run("run 3 --rules mine:Holder.Inside --machine mine:Machine --ms 50 --json")
    assert ran.code == 0
    alone = raftlab_run("replay", ran.document["share"])
    assert alone.code == 2
    assert "name the class with --machine" in alone.err
    both = ("--rules", "mine:Holder.Inside", "--machine", "mine:Machine")
    assert raftlab_run("replay", ran.document["share"], *both).code == 0


@pytest.mark.usefixtures("mine")
def test_a_refusal_names_a_file_as_it_is_called_whatever_that_looks_like(raftlab_run, tmp_path):
    for name in ("most_steps=3", "hand the class over, as rules="):
        (tmp_path / name).write_text("nonsense")
        assert f"{name}, line 1: " in raftlab_run("replay", name).err
    both = ("--rules", "mine:Holder.Inside", "--machine", "mine:Machine")
    raftlab_run("run", "3", *both, "--ms", "50", "--save", "kept")
    said = "kept, line 1: this run was made with 'Machine' of 'mine', which is not raftlab's own"
    assert f"{said}: name the class with --machine\n" in raftlab_run("replay", "kept").err


@pytest.mark.usefixtures("mine")
def test_a_twin_says_where_the_runs_part_and_what_breaks_there(raftlab_run):
    text = raftlab_run("run --scenario late_vote --ms 300 --json").document["share"]
    same = raftlab_run("replay", text, "--twin", "raftlab:Rules")
    assert (same.code, "the runs never part" in same.out) == (0, True)
    wrong = raftlab_run("replay", text, "--twin", "mine:Raises", "--json")
    assert wrong.document["twin"]["parts_at"] is None or wrong.document["twin"]["parts_at"] > 0
    split = raftlab_run("run --scenario dueling_candidates --ms 300 --json").document["share"]
    broken = raftlab_run("replay", split, "--twin", "mine:Generous", "--json")
    assert broken.code == 1
    assert broken.document["violation"] is None
    assert broken.document["twin"]["violation"]["name"] == "One Vote Per Term"


# Explore


def test_a_search_of_all_of_a_scope_that_finds_nothing_is_exit_code_0(raftlab_run):
    ran = raftlab_run("explore 3 --terms 1 --entries 0 --json")
    assert (ran.code, ran.document["verdict"], ran.document["complete"]) == (
        0,
        "nothing found",
        True,
    )
    assert ran.document["share"] is None


def test_a_search_that_a_budget_cuts_off_is_exit_code_3(raftlab_run):
    for budget in ("--states 50", "--memory-mb 0", "--seconds 0"):
        ran = raftlab_run(f"explore 3 {budget} --terms 3 --json")
        assert (ran.code, ran.document["verdict"]) == (3, "budget used up"), budget
        assert ran.document["not_looked_at"]


def test_a_search_shows_the_shortest_run_to_what_it_found_as_text_and_as_code(raftlab_run):
    ran = raftlab_run("explore 3 --code --json --rules", WRONG)
    assert (ran.code, ran.document["verdict"]) == (1, "violation")
    assert ran.document["violation"]["name"] == "One Vote Per Term"
    assert raftlab_run("replay", ran.document["share"]).code == 1
    assert f"import {WRONG.partition(':')[2]}" in ran.document["code"]
    text = raftlab_run("explore 3 --rules", WRONG).out
    assert text.rstrip().endswith(ran.document["share"])


def test_a_search_starts_from_a_run_or_from_a_scenario(raftlab_run):
    wide = "--terms 6 --entries 4 --depth 1 --json"
    text = raftlab_run(FIRST, "--disks", "write_ms=0", "--json").document["share"]
    from_run = raftlab_run("explore", text, *wide.split())
    from_scene = raftlab_run(f"explore --scenario figure_8 --panel c {wide}")
    assert [from_run.code, from_scene.code] == [0, 0]
    assert [from_run.document["depth"], from_scene.document["depth"]] == [1, 1]
    assert from_run.document["states"] > 1 and from_scene.document["states"] > 1


@pytest.mark.parametrize("way", ["--json", "--code"])
def test_an_interrupted_search_tells_what_it_has_seen(place, way):
    (place / "late.py").write_text(
        "import os, signal\nfrom raftlab import Rules\n\nclass Late(Rules):\n    asked = 0\n"
        "    def has_vote_left(self, *asked):\n        Late.asked += 1\n"
        "        if Late.asked == 50:\n            os.kill(os.getpid(), signal.SIGINT)\n"
        "        return super().has_vote_left(*asked)\n"
    )
    ran = program("explore", "3", "--terms", "3", "--rules", "late:Late", way)
    assert (ran.returncode, ran.stderr) == (130, "")
    if way == "--json":
        told = json.loads(ran.stdout)
        assert (told["verdict"], told["exit"], told["complete"]) == ("interrupted", 130, False)
        assert told["states"] > 10
    else:
        assert ran.stdout.startswith("nothing was found so far of what was judged.")
        assert ran.stdout.endswith("Interrupted; this is what was seen so far.\n")


def test_a_search_that_stops_by_itself_at_ctrl_c_counts_as_interrupted(raftlab_run, monkeypatch):
    def interrupt(line, counts):
        os.kill(os.getpid(), signal.SIGINT)

    monkeypatch.setattr(explore._Line, "draw", interrupt)
    before = signal.getsignal(signal.SIGINT)
    ran = raftlab_run("explore 3 --terms 3 --json")
    assert (ran.code, ran.document["verdict"]) == (130, "interrupted")
    assert ran.document["states"] >= 5000
    assert signal.getsignal(signal.SIGINT) is before


def test_a_search_shows_how_far_it_is_where_somebody_can_see_it(raftlab_run, monkeypatch):
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True, raising=False)
    ran = raftlab_run("explore 3 --terms 3 --states 6000 --json")
    assert re.search(r"\d states, depth \d+, .* waiting; .*/s\n", ran.err)
    assert ran.document["states"] >= 6000


def test_a_search_says_now_and_then_how_far_it_is_where_no_line_can_be_drawn(
    raftlab_run, monkeypatch
):
    monkeypatch.setattr(explore, "TOLD_EVERY", 5_000)
    ran = raftlab_run("explore 3 --terms 3 --states 16000 --json")
    lines = ran.err.splitlines()
    assert len(lines) == 3 and all(re.match(r"[\d,]+ states, depth \d+, ", each) for each in lines)


def test_a_search_without_a_budget_has_one(raftlab_run, monkeypatch):
    monkeypatch.setattr(explore, "STATES", 7_000)
    ran = raftlab_run("explore --json")
    assert (ran.code, ran.document["verdict"]) == (3, "budget used up")
    assert 7_000 <= ran.document["states"] < 8_000
    assert "--seconds" in raftlab_run("explore").out
    assert raftlab_run("explore 3 --terms 3 --states 9000 --json").document["states"] >= 9_000


# Campaign


def test_a_campaign_whose_seeds_all_recover_is_exit_code_0(raftlab_run):
    ran = raftlab_run("campaign --seeds 5-7 --json")
    assert (ran.code, ran.document["seeds"], ran.document["counts"]) == (0, 3, {"ok": 3})
    assert ran.document["failures"] == ran.document["shortest"] == []
    assert raftlab_run("campaign --seeds 2").out.startswith("2 seeds: 2 ok.")


def test_a_campaign_with_wrong_rules_shows_the_shortest_run_of_each_failure(raftlab_run):
    ran = raftlab_run("campaign --seeds 3 --json --rules", WRONG)
    assert ran.code == 1
    assert {each["property"] for each in ran.document["failures"]} == {"One Vote Per Term"}
    (shortest,) = ran.document["shortest"]
    assert raftlab_run("replay", shortest["share"]).code == 1
    text = raftlab_run("campaign --seeds 3 --rules", WRONG)
    assert (text.code, shortest["share"] in text.out) == (1, True)


def test_a_campaign_takes_nodes_and_options_in_place_of_a_seeds_choice(raftlab_run, place):
    ran = raftlab_run("campaign --seeds 1 --nodes 3 --options pre_vote=false --resume done.jsonl")
    assert ran.code == 0
    heading = json.loads((place / "done.jsonl").read_text().splitlines()[0])
    assert "pre_vote=False" in heading["given"] and "'nodes': 3" in heading["given"]


@pytest.mark.usefixtures("mine")
def test_the_installed_program_finds_a_readers_rules_on_all_its_cores(place, tmp_path_factory):
    script = tmp_path_factory.mktemp("bin") / "raftlab"
    script.write_text(
        "import sys\nfrom raftlab.__main__ import main\n"
        "if __name__ == '__main__':\n    sys.exit(main())\n"
    )
    words = shlex.split("campaign --seeds 4 --cores 2 --json --rules mine:Holder.Inside")
    line = [sys.executable, script, *words]
    ran = subprocess.run(line, capture_output=True, text=True, check=False)
    assert (ran.returncode, ran.stderr) == (0, "")
    assert json.loads(ran.stdout)["counts"] == {"ok": 4}


def test_an_interrupted_campaign_says_how_to_go_on_and_goes_on(raftlab_run, monkeypatch, place):
    import raftlab.check.campaign.runner as checker
    from raftlab.check.campaign.trial import try_seeds as whole

    def interrupted_at_3(seeds, conditions):
        if 3 in seeds:
            raise KeyboardInterrupt
        return whole(seeds, conditions)

    with monkeypatch.context() as patch:
        patch.setattr(checker, "try_seeds", interrupted_at_3)
        ran = raftlab_run("campaign --seeds 5 --resume done.jsonl")
        assert ran.code == 130
        assert "in done.jsonl: the same command goes on" in ran.out
        assert raftlab_run("campaign --seeds 5 --json").document["interrupted"] is True
        assert len((place / "done.jsonl").read_text().splitlines()) == 1 + 3
    assert raftlab_run("campaign --seeds 5 --resume done.jsonl --json").document["seeds"] == 5


@pytest.mark.parametrize("way", ["--json", ""])
def test_a_campaign_interrupted_while_it_shortens_tells_what_it_knows(
    raftlab_run, monkeypatch, way
):
    def interrupt(line, seed, tried, actions):
        if tried == 40:
            signal.raise_signal(signal.SIGINT)

    monkeypatch.setattr(campaign._Line, "draw", interrupt)
    ran = raftlab_run(f"campaign --seeds 3 {way} --rules", WRONG)
    assert ran.code == 130
    if way:
        (shortest,) = ran.document["shortest"]
        assert (ran.document["seeds"], ran.document["interrupted"]) == (3, True)
        assert raftlab_run("replay", shortest["share"]).code == 1
    else:
        assert "3 seeds: 3 violation." in ran.out
        assert "Interrupted: there may be a shorter run." in ran.out
        assert raftlab_run("replay", ran.out.split()[-1]).code == 1


def test_a_terminal_shows_how_short_a_run_is_by_now(raftlab_run, monkeypatch):
    monkeypatch.setattr("sys.stderr.isatty", lambda: True)
    ran = raftlab_run("campaign --seeds 1 --rules", WRONG)
    assert re.search(r"Making seed 0's run shorter: \d+ actions after 0 tries", ran.err)
    assert ran.err.endswith("\n")
    monkeypatch.setattr("sys.stderr.isatty", lambda: False)
    assert raftlab_run("campaign --seeds 1 --rules", WRONG).err == ""


@pytest.mark.parametrize(("text", "wanted"), [("3", range(3)), ("5-9", range(5, 10))])
def test_seeds_are_a_number_or_a_range_with_both_ends(text, wanted):
    assert campaign.seeds(text) == wanted


def test_all_cores_are_asked_for_by_name():
    assert [arguments.cores("all"), arguments.cores("2")] == [None, 2]


# Histories


def test_a_linearizable_history_is_exit_code_0(raftlab_run, place):
    ran = raftlab_run("check-history", history(place, 1), "--model", "register", "--json")
    assert (ran.code, ran.document["verdict"], ran.document["operations"]) == (0, "linearizable", 2)
    assert ran.document["culprit"] is None


def test_a_history_that_is_not_linearizable_is_exit_code_1_and_its_culprit_is_named(
    raftlab_run, place
):
    ran = raftlab_run("check-history", history(place, 7), "--json")
    assert (ran.code, ran.document["verdict"]) == (1, "not linearizable")
    assert (ran.document["culprit"]["client"], ran.document["culprit"]["result"]) == ("c2", 7)
    assert "cannot be placed" in raftlab_run("check-history", history(place, 7)).out


def test_a_history_too_hard_for_the_budget_is_exit_code_3(raftlab_run, place):
    ran = raftlab_run("check-history", history(place, 1), "--budget", "1", "--json")
    assert (ran.code, ran.document["verdict"]) == (3, "unknown")


def test_the_timeline_of_a_history_is_written_as_a_picture(raftlab_run, place):
    raftlab_run("check-history", history(place, 7), "--svg", place / "h.svg")
    assert (place / "h.svg").read_text(encoding="utf-8").startswith("<svg")


@pytest.mark.parametrize("model", ["key-value", "append-list"])
def test_the_other_models_can_be_named(raftlab_run, place, model):
    put, get = ("append", "get") if model == "key-value" else ("append", "read")
    given = 1 if model == "append-list" else "a"
    told = [1] if model == "append-list" else "a"
    (place / "h.jsonl").write_text(
        json.dumps({"client": "c", "call": put, "key": "x", "argument": given, "end": 1})
        + "\n"
        + json.dumps({"client": "c", "call": get, "key": "x", "result": told, "start": 2, "end": 3})
    )
    ran = raftlab_run("check-history h.jsonl --json --model", model)
    assert (ran.code, ran.document["model"]) == (0, model)


# Museum


def test_the_museum_lists_every_exhibit(raftlab_run):
    listed = raftlab_run("museum --json").document["exhibits"]
    assert [each["name"] for each in listed] == [each.name for each in EXHIBITS]
    text = raftlab_run("museum").out
    assert all(each.title in text for each in EXHIBITS)


def test_an_exhibit_tells_its_story_and_its_run_can_be_opened(raftlab_run):
    told = raftlab_run("museum figure-8 --json").document["exhibits"][0]
    assert told["breaks"] == "Leader Completeness"
    assert raftlab_run("replay", told["share"]).code == 1
    text = " ".join(raftlab_run("museum figure-8 equal-timeouts retry-runs-twice").out.split())
    assert all(told[part] in text for part in ("story", "mistake", "run", "source", "share"))
    assert "the cluster gets nowhere" in text and "what clients are promised" in text


def test_the_kill_table_is_printed_and_a_mistake_that_nothing_catches_is_exit_code_1(
    raftlab_run, monkeypatch
):
    from raftlab.museum import table

    def measure(each, starts, limit, budget):
        caught = ("invariants",) if each.name == "votes-again" else ()
        return table.Row(each.name, each.title, True, None, caught, (), (1,))

    monkeypatch.setattr(table, "measure", measure)
    ran = raftlab_run("museum votes-again --table --quick --json")
    assert (ran.code, ran.document["rows"][0]["killed_by"]) == (0, ["invariants"])
    ran = raftlab_run("museum votes-again figure-8 --table --quick")
    assert (ran.code, "1 of 2 mistakes" in ran.out) == (1, True)


# Lab


FAKE = "import json, os, sys\nprint(json.dumps([os.getcwd(), *sys.argv[1:]]))\nsys.exit(5)\n"
STAYS = "import os, time\nprint(os.getpid(), flush=True)\ntime.sleep(600)\n"


def with_jupyterlab(folder: Path, program: str) -> dict:
    """An environment in which JupyterLab is another program."""
    (folder / "jupyterlab").mkdir()
    (folder / "jupyterlab" / "__init__.py").write_text("")
    (folder / "jupyterlab" / "__main__.py").write_text(program)
    return {**os.environ, "PYTHONPATH": os.pathsep.join([str(folder), str(ROOT)])}


@pytest.fixture
def jupyter(tmp_path_factory) -> dict:
    """An environment in which JupyterLab is a program that prints what it was called with."""
    return with_jupyterlab(tmp_path_factory.mktemp("fake"), FAKE)


def test_the_lab_opens_the_first_notebook_and_gives_the_exit_code_of_jupyterlab(jupyter):
    ran = program("lab", "--port", "8890", "--no-browser", env=jupyter)
    assert (ran.returncode, ran.stderr) == (5, "")
    _, *words = json.loads(ran.stdout)
    assert f"--ServerApp.root_dir={ROOT}" in words
    assert "--LabApp.default_url=/lab/tree/notebooks/00_start_here.ipynb" in words
    assert "--port=8890" in words and "--no-browser" in words
    assert "--ContentsManager.pre_save_hook=raftlab.course.saving.forget_version" in words


@pytest.mark.parametrize("words", [[], ["--machine", "node mine.js"]], ids=["first", "machine"])
def test_a_signal_that_ends_the_lab_ends_jupyterlab(tmp_path_factory, words):
    env = with_jupyterlab(tmp_path_factory.mktemp("stays"), STAYS)
    line = [sys.executable, "-m", "raftlab", "lab", *words]
    with subprocess.Popen(
        line, env=env, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    ) as started:
        serving = int(started.stdout.readline())
        started.terminate()
        assert started.wait(60) == -signal.SIGTERM
        try:
            os.kill(serving, signal.SIGKILL)
            is_left = True
        except ProcessLookupError:
            is_left = False
    assert not is_left


def test_the_lab_opens_a_run_in_a_new_notebook_that_shows_it(jupyter, raftlab_run, place):
    text = raftlab_run("run --scenario figure_8_by_counting --panel after --json").document["share"]
    ran = program("lab", text, env=jupyter)
    assert ran.returncode == 5
    assert "--LabApp.default_url=/lab/tree/raftlab-run.ipynb" in json.loads(ran.stdout)
    written = json.loads((place / "raftlab-run.ipynb").read_text())
    names: dict = {}
    exec("".join(written["cells"][0]["source"]), names)
    assert names["recording"] == load(text)


@pytest.mark.usefixtures("mine")
def test_a_notebook_opens_a_saved_run_with_the_readers_own_rules(raftlab_run, place):
    (place / "runs").mkdir()
    raftlab_run(f"{FIRST} --rules mine:Generous --save runs/first.jsonl")
    written = json.loads(lab.notebook("runs/first.jsonl", "mine:Generous", None))
    names: dict = {}
    exec("".join(written["cells"][0]["source"]), names)
    assert len(names["recording"]) == 33


def test_a_notebook_that_is_there_is_not_overwritten(raftlab_run, place, monkeypatch):
    monkeypatch.setattr(lab, "start", lambda line: 0)
    raftlab_run(FIRST, "--save", "first.jsonl")
    assert raftlab_run("lab first.jsonl").code == 0
    before = (place / "raftlab-run.ipynb").read_bytes()
    ran = raftlab_run("lab first.jsonl")
    assert (ran.code, "--notebook" in ran.err) == (2, True)
    assert (place / "raftlab-run.ipynb").read_bytes() == before
    assert raftlab_run("lab first.jsonl --notebook other.ipynb").code == 0
    assert "first.jsonl" in (place / "other.ipynb").read_text()


def test_a_notebook_is_one_that_jupyter_accepts():
    import nbformat

    nbformat.validate(
        nbformat.reads(lab.notebook("raftlab.1.abc", None, "mine:Machine"), as_version=4)
    )


def test_without_jupyterlab_the_lab_says_what_to_install(raftlab_run, monkeypatch):
    monkeypatch.setattr(lab, "find_spec", lambda name: None)
    ran = raftlab_run("lab")
    assert (ran.code, "pip install 'raftlab[lab]'" in ran.err) == (2, True)


def test_without_the_notebooks_the_lab_says_where_they_are(raftlab_run, monkeypatch):
    monkeypatch.setattr(lab, "FIRST", Path("notebooks", "no_such.ipynb"))
    ran = raftlab_run("lab")
    assert (ran.code, "in the repository" in ran.err) == (2, True)


# Completion


@pytest.mark.skipif(shutil.which("bash") is None, reason="no bash")
@pytest.mark.parametrize(
    ("typed", "offered"),
    [
        ("raftlab rep", "replay"),
        ("raftlab ", " ".join(each.NAME for each in COMMANDS)),
        ("raftlab run --se", "--seed"),
        ("raftlab run 3 --sha", "--share"),
        ("raftlab explore --in", "--in-flight"),
        ("raftlab run --he", "--help"),
        ("raftlab run fi", ""),
    ],
)
def test_bash_completes_commands_and_options(typed, offered):
    (line,) = re.findall(r"```sh\n(.*?)\n```", PAGE)
    assert line == "source <(raftlab completion bash)"
    script = f"""
        raftlab() {{ {shlex.quote(sys.executable)} -m raftlab "$@"; }}
        {line}
        COMP_WORDS=({typed} {'""' if typed.endswith(" ") else ""})
        COMP_CWORD=$((${{#COMP_WORDS[@]}} - 1))
        _raftlab
        echo "${{COMPREPLY[*]}}"
    """
    ran = subprocess.run(["bash", "-c", script], capture_output=True, text=True, check=True)
    assert (ran.stdout.strip(), ran.stderr) == (offered, "")


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_every_command_and_every_option_is_completed_in_every_shell(shell, raftlab_run):
    script = raftlab_run("completion", shell).out
    assert re.search(rf"completion {shell}|with `{shell}`", PAGE)
    for each in COMMANDS:
        usage = raftlab_run(each.NAME, "--help").out
        for option in {"--help", *re.findall(r"^ +(--[\w-]+)", usage, re.MULTILINE)}:
            assert (f"-l {option[2:]}" if shell == "fish" else option) in script
            assert each.NAME in script


# What cannot be done


LONG = "x" * 5000
ABSURD = {
    "rnu": "do you mean 'run'?",
    "zzz": "there are run, replay",
    "completion": "the following arguments are required: SHELL",
    "completion csh": "there is no 'csh'",
    "--bad": "no argument '--bad'",
    "run abc": "'abc' is not a whole number",
    "run 0": "1 to 51 nodes",
    "run -3": "1 to 51 nodes",
    "run 52": "1 to 51 nodes",
    "run 3 4": "no argument '4'",
    f"run {'9' * 5000}": "is not a whole number",
    "run --sede 3": "do you mean '--seed'",
    "run --seed": "expected one argument",
    "run --seed 1.5": "not a whole number",
    "run --ms -1": "not a number from 0",
    "run --ms inf": "not a number from 0",
    "run --ms 1e12": "from 0 to 10,000,000",
    "run --ms soon": "'soon' is not a number",
    "run --loss 2": "a chance between 0 and 1",
    "run --latency 5": "not MIN-MAX",
    "run --latency 9-1": "0 <= min <= max",
    "run --options 5": "write NAME=VALUE, like pre_vote=false",
    "run --options pre_vot=no": "do you mean 'pre_vote'?",
    "run --options zzz=1": "there are election_timeout",
    "run --options pre_vote=maybe": "pre_vote is true or false",
    "run --options max_in_flight=x": "max_in_flight is a whole number",
    "run --options heartbeat_interval=x": "heartbeat_interval is a number",
    "run --options election_timeout=x-y": "election_timeout is MIN-MAX",
    "run --options lease_reads=true leader_stickiness=false": "lease_reads needs leader_stickiness",
    "run --disks keeps=everything": "keeps is a tuple of",
    "run --disks write_m=3": "do you mean 'write_ms'",
    "run --scenario figure_9": "do you mean 'figure_8'",
    "run --scenario zzz": "--list-scenarios",
    "run --scenario figure_8 --panel z": "the panels a, b, c, d, e",
    "run --scenario split_vote --panel z": "has no panels",
    "run --scenario figure_8 --loss 0.5": "leave out --loss",
    "run 3 --scenario figure_8": "leave out nodes",
    "run --panel c": "name it with --scenario",
    "run --save .": "is a directory",
    "run --save no/such/file": "there is no directory",
    "run --rules Rules": "MODULE:CLASS",
    "run --rules mine:": "MODULE:CLASS",
    "run --rules no_such_module:X": "no module 'no_such_module'",
    "run --rules mine:Generos": "do you mean 'Generous'?",
    "run --rules mine:value": "not a subclass of raftlab.Rules",
    "run --rules mine:NoRules": "not a subclass of raftlab.Rules",
    "run --machine mine:NoRules": "not a machine",
    "run --rules broken:X": "broken cannot be imported: NameError",
    "run --rules leaves:X": "leaves cannot be imported: SystemExit",
    "run --rules cut:X": "cut cannot be imported: SyntaxError",
    "run 3 --propose x=1 --loss 1": "No leader within",
    "replay": "the following arguments are required",
    "replay no_such_file": "there is no file 'no_such_file'",
    "replay .": "Is a directory",
    "replay mine.py": "no file of raftlab",
    "replay empty": "is empty",
    "replay bytes": "no file of raftlab",
    f"replay {'x' * 5000}": "the name of no file",
    "replay raftlab.1.abc": "cut short",
    "replay raftlab.9.abc": "version 9",
    "replay -": "what is piped in is no shared run",
    "replay cut.jsonl": "cut short",
    "replay whole.jsonl --upto 999": "no frame 999",
    "replay whole.jsonl --upto -1": "0 or more",
    "replay whole.jsonl --twin mine:NoRules": "not a subclass",
    "replay whole.jsonl --code=3": "ignored explicit argument",
    "explore 0": "1 to 51 nodes",
    "explore 3 --terms 300": "0 to 255",
    "explore 3 --terms -1": "0 or more",
    "explore no_such_file": "there is no file",
    "explore 3 --scenario figure_8": "not from both",
    "explore --panel c": "name it with --scenario",
    "explore --scenario figure_8 --options pre_vote=true": "leave out --options",
    "explore whole.jsonl --options pre_vote=true": "leave out --options",
    "explore 3 --options lease_reads=true leader_stickiness=true": "leases trust clocks",
    "campaign --seeds x": "not a number, or A-B",
    "campaign --seeds 0": "not 1 to",
    "campaign --seeds 9-5": "not 1 to",
    "campaign --seeds 99999999999999": "not 1 to",
    "campaign --cores 0": "1 or more",
    "campaign --cores many": "not a whole number",
    "campaign --resume mine.py --seeds 1": "no file of a campaign",
    "campaign --resume bytes --seeds 1": "no file of a campaign",
    "campaign --resume . --seeds 1": "is a directory",
    "check-history no_such_file": "No such file",
    "check-history .": "Is a directory",
    "check-history mine.py": "line 1",
    "check-history bytes": "line 1",
    f"check-history {'x' * 5000}": "name too long",
    "check-history whole.jsonl": "line 1",
    "check-history empty --model regster": "do you mean 'register'?",
    "check-history empty --budget 0": "1 or more",
    "check-history empty --svg no/such/file": "there is no directory",
    "museum figure8": "do you mean 'figure-8'?",
    "museum zzz": "raftlab museum lists them",
    "museum --quick": "add --table",
    "lab raftlab.1.abc": "cut short",
    "lab no_such_file": "there is no file",
    "lab whole.jsonl --notebook run.txt": "ends in .ipynb",
    "lab whole.jsonl --notebook no/such.ipynb": "there is no directory",
    "lab --notebook x.ipynb": "name the run, too",
    "lab --port x": "not a whole number",
}


@pytest.mark.usefixtures("mine")
@pytest.mark.parametrize("line", ABSURD, ids=lambda line: line[:50])
def test_what_cannot_be_done_is_refused_in_one_line(line, raftlab_run, place, monkeypatch):
    (place / "broken.py").write_text("nothing_of_that_name\n")
    (place / "cut.py").write_text("def f(:\n")
    (place / "leaves.py").write_text("print('bye')\nraise SystemExit(0)\n")
    (place / "empty").write_text("")
    (place / "bytes").write_bytes(bytes(range(255, -1, -1)) * 9)
    raftlab_run(FIRST, "--save", "whole.jsonl")
    (place / "cut.jsonl").write_text("\n".join((place / "whole.jsonl").read_text().split()[:-5]))
    monkeypatch.setattr(lab, "start", lambda line: pytest.fail("JupyterLab was started"))
    monkeypatch.setattr(sys, "stdin", open(os.devnull))  # noqa: SIM115
    ran = raftlab_run(line)
    assert (ran.code, ran.out) == (2, "")
    assert re.fullmatch(r"(bye\n)?raftlab: .*\n", ran.err)
    assert ABSURD[line] in ran.err


def test_what_raftlab_itself_gets_wrong_is_told_in_one_line_or_with_a_traceback_if_asked_for(
    raftlab_run, monkeypatch
):
    def fail(*_):
        raise ZeroDivisionError("deep\ndown")

    monkeypatch.setattr(Cluster, "run", fail)
    ran = raftlab_run("run 3")
    assert ran.code == 2
    assert "unexpected ZeroDivisionError: deep down" in ran.err and ran.err.count("\n") == 1
    monkeypatch.setenv("RAFTLAB_TRACEBACK", "1")
    with pytest.raises(ZeroDivisionError):
        carry_out(["run", "3"])
    with pytest.raises(ZeroDivisionError):
        main(["run", "3"])


def test_nothing_but_json_is_printed_and_nothing_at_all_if_it_cannot_be_done():
    fine = program("run", "3", "--json")
    assert (json.loads(fine.stdout)["exit"], fine.returncode, fine.stderr) == (0, 0, "")
    wrong = program("run", "0", "--json")
    assert (wrong.stdout, wrong.returncode) == ("", 2)


def test_what_a_readers_rules_print_is_not_mixed_with_json(raftlab_run, place):
    (place / "loud.py").write_text(
        "from raftlab import Rules\nprint('here')\n\nclass Loud(Rules):\n"
        "    def has_vote_left(self, *asked):\n        print('asked')\n"
        "        return super().has_vote_left(*asked)\n"
    )
    ran = raftlab_run("run 3 --rules loud:Loud --json")
    assert ran.document["exit"] == 0
    assert "here" in ran.err and "asked" in ran.err


def test_ctrl_c_is_exit_code_130_and_no_traceback(place):
    (place / "late.py").write_text(f"import os, signal\nos.kill(os.getpid(), {signal.SIGINT:d})\n")
    ran = program("run", "3", "--rules", "late:Rules")
    assert (ran.returncode, ran.stdout, ran.stderr) == (130, "", "raftlab: interrupted\n")


@pytest.mark.parametrize("words", [["museum"], ["run", "--help"], []], ids=str)
def test_output_that_nobody_reads_is_no_error(words):
    reading, writing = os.pipe()
    os.close(reading)
    line = [sys.executable, "-m", "raftlab", *words]
    ran = subprocess.run(line, stdout=writing, stderr=subprocess.PIPE, text=True, check=False)
    os.close(writing)
    assert (ran.returncode, ran.stderr) == (141, "")


def test_a_short_output_is_written_at_once_and_its_reader_may_go_after_one_line():
    line = [sys.executable, "-m", "raftlab", "museum"]
    with subprocess.Popen(line, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as ran:
        assert ran.stdout is not None and ran.stderr is not None
        assert ran.stdout.readline()
        ran.stdout.close()
        assert (ran.stderr.read(), ran.wait()) == (b"", 0)


def test_an_output_that_takes_no_arrow_gets_its_number():
    ran = program(*FIRST.split(), env={**os.environ, "PYTHONIOENCODING": "ascii"})
    assert (ran.returncode, ran.stderr) == (0, "")
    assert "S2 \\u2192 S1" in ran.stdout


def test_every_setting_can_be_typed():
    for kind in (raftlab.Options, raftlab.Disks):
        plain = kind()
        typed = []
        for name in kind.__struct_fields__:
            value = getattr(plain, name)
            if isinstance(value, tuple):
                value = ("-" if name == "election_timeout" else ",").join(map(str, value))
            typed.append(f"{name}={value}")
        assert kind(**arguments.settings(kind, typed)) == plain


@pytest.mark.parametrize(
    "line",
    [
        ["run", f"--seed={LONG}"], ["run", LONG], ["run", f"-{LONG}"], [LONG], ["run", f"--{LONG}"],
        ["campaign", "--cores", f"-{'9' * 4000}"], ["replay", "x", f"--code={LONG}"],
        ["run", "--rules", f"os:{LONG}"], ["run", "--rules", f"{LONG}:X"],
        ["campaign", "--scheduler", LONG], ["check-history", "x", "--model", LONG],
        ["check-history", "x", "--ms-per-unit", LONG], ["museum", LONG],
        ["run", "--scenario", LONG],
    ],
    ids=lambda line: " ".join(line)[:40],
)  # fmt: skip
def test_no_message_repeats_all_of_a_long_word(line, raftlab_run):
    ran = raftlab_run("", *line)
    assert (ran.code, ran.out) == (2, "")
    assert len(ran.err) < 700


def test_a_long_word_is_not_repeated_whole():
    with pytest.raises(argparse.ArgumentTypeError, match=r"\.\.\.") as refused:
        arguments.whole()("x" * 1000)
    assert len(str(refused.value)) < 160


# The page for newcomers


def examples() -> list[tuple[str, str]]:
    """Every command line of the page, with what it should print."""
    found = []
    for block in re.findall(r"```console\n(.*?)```", PAGE, re.DOTALL):
        for part in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
            line, _, wanted = part.partition("\n")
            found.append((line, wanted))
    return found


def test_the_examples_of_the_page_print_what_it_says(raftlab_run, place):
    for name, kind in (("mine.py", "python"), ("history.jsonl", "json")):
        (text,) = re.findall(rf"`{name}`[^`]*?```{kind}\n(.*?)```", PAGE, re.DOTALL)
        (place / name).write_text(text)
    (place / "raft.py").write_text(sample("python").read_text(encoding="utf-8"), encoding="utf-8")
    code = None
    for line, wanted in examples():
        if line == "echo $?":
            assert wanted == f"{code}\n"
            continue
        ran = raftlab_run(line.removeprefix("raftlab "))
        code = ran.code
        same = doctest.OutputChecker().check_output(wanted, ran.out + ran.err, doctest.ELLIPSIS)
        assert same, f"$ {line}\n{ran.out}{ran.err}"


def test_the_page_names_every_command_and_every_key_of_its_documents(raftlab_run, place):
    assert all(f"`{each.NAME}`" in PAGE for each in COMMANDS)
    lines = [
        "run 3 --json",
        "run --list-scenarios --json",
        "explore 3 --terms 1 --entries 0 --json",
        "campaign --seeds 1 --json",
        f"check-history {history(place, 1)} --json",
        "museum --json",
    ]
    for line in lines:
        assert all(f"`{key}`" in PAGE for key in raftlab_run(line).document)
    text = raftlab_run("run 3 --json").document["share"]
    assert all(f"`{key}`" in PAGE for key in raftlab_run("replay --json", text).document)

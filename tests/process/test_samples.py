"""The samples are a Raft each; what one gets wrong in them is found, and shown.

Python's run everywhere; JavaScript's where there is Node (tests/process/languages.py).
"""

import pytest

import raftlab as rl
from raftlab.check.campaign import campaign
from raftlab.process.samples import sample, starter
from tests.process.languages import LANGUAGES, NEEDS_NODE
from tests.process.mistakes import BROKEN, JAVASCRIPT, PYTHON

MISTAKES = {"python": PYTHON, "javascript": JAVASCRIPT}
FOUND_WITHIN = 12


@pytest.mark.parametrize("language", ["python", "javascript"])
def test_a_sample_is_short_and_stands_alone(language):
    text = sample(language).read_text(encoding="utf-8")
    assert len(text.splitlines()) < 400
    loaded = [line for line in text.splitlines() if line.startswith(("import ", "from "))]
    assert set(loaded) <= {"import json", "import random", "import sys", "from typing import Any"}
    assert text.count("require(") == (language == "javascript")


@pytest.mark.parametrize(
    ("language", "loop"), [("python", "def answer_lines"), ("javascript", "/** Numbers from 0")]
)
def test_a_starter_has_the_loop_of_the_sample(language, loop):
    def loop_of(file):
        text = file.read_text(encoding="utf-8")
        lines = text[text.index(loop) :].splitlines()
        return [line for line in lines if "offers" not in line]

    assert loop_of(starter(language)) == loop_of(sample(language))
    assert len(loop_of(starter(language))) > 12


@pytest.mark.parametrize("language", LANGUAGES)
def test_with_the_starter_nobody_leads_and_nothing_fails(program, language):
    cluster = rl.Cluster(3, seed=1, machine=program(language, starter(language)))
    cluster.run(2000)
    assert cluster.leader is None
    with pytest.raises(rl.NotNow):
        cluster.propose("x=1", to="S1")
    cluster.crash("S1")
    cluster.restart("S1")
    assert cluster.violation is None


@pytest.mark.parametrize("shared", [False, True])
@pytest.mark.parametrize("nodes", [1, 3, 5])
@pytest.mark.parametrize("language", LANGUAGES)
def test_a_sample_elects_replicates_and_restarts(program, language, nodes, shared):
    machine = program(language, sample(language), shared=shared)
    cluster = rl.Cluster(nodes, seed=1, machine=machine)
    first = cluster.elect()
    cluster.propose("x=1")
    cluster.run(200)
    cluster.crash(first)
    if nodes > 1:
        cluster.elect()
        cluster.propose("x=2")
    cluster.restart(first)
    cluster.run(1500)
    values = {cluster.frame()[node].values["x"] for node in cluster.nodes}
    assert values == {"2" if nodes > 1 else "1"}
    assert cluster.violation is None
    assert cluster.recording.ask_again().is_same


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_campaign_finds_nothing_in_a_sample(program, language):
    assert campaign(4, machine=program(language, sample(language))).counts == {"ok": 4}


@pytest.mark.parametrize("mistake", BROKEN)
@pytest.mark.parametrize("language", LANGUAGES)
def test_a_mistake_is_found_by_a_campaign_and_shown(program, language, mistake, tmp_path):
    right = sample(language).read_text(encoding="utf-8")
    written, wrong = MISTAKES[language][mistake]
    assert right.count(written) == 1
    file = tmp_path / sample(language).name
    file.write_text(right.replace(written, wrong), encoding="utf-8")
    machine = program(language, file)
    result = campaign(FOUND_WITHIN, machine=machine, nodes=5)
    found = [each for each in result.failures if each.broke in BROKEN[mistake]]
    assert found
    text = result.recording(found[0].seed).share()
    machine.end()
    opened = rl.load(text)
    with pytest.raises(rl.Violation) as fallen:
        opened.replay()
    assert fallen.value.frame.name == found[0].broke
    lab = opened.lab()
    assert found[0].broke in str(lab)
    lab.close()


@NEEDS_NODE
def test_what_node_says_of_an_error_is_told(program, tmp_path):
    (tmp_path / "bug.js").write_text("this.votes.add(1);\n")
    with pytest.raises(Exception, match="TypeError: Cannot read properties of undefined"):
        rl.Cluster(3, machine=program("javascript", tmp_path / "bug.js"))

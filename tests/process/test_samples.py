"""The samples are a Raft each; what one gets wrong in them is found, and shown.

Python's run everywhere. JavaScript's are skipped where the program `node` is not found, or is older
than 18: `node --version` tells.
"""

import shutil
import subprocess
import sys

import pytest

import raftlab as rl
from raftlab.check.campaign import campaign
from raftlab.process.samples import sample, starter
from tests.process.mistakes import BROKEN, JAVASCRIPT, PYTHON

MISTAKES = {"python": PYTHON, "javascript": JAVASCRIPT}
FOUND_WITHIN = 12
OLDEST_NODE = 18


def why_no_node():
    """Why programs for Node cannot be run here; empty, if they can."""
    if (node := shutil.which("node")) is None:
        return "there is no program `node` on the PATH"
    version = subprocess.run([node, "--version"], capture_output=True, text=True).stdout.strip()
    if int(version.removeprefix("v").partition(".")[0]) < OLDEST_NODE:
        return f"node is {version}, and the samples are for {OLDEST_NODE} or newer"
    return ""


NO_NODE = why_no_node()
NEEDS_NODE = pytest.mark.skipif(bool(NO_NODE), reason=NO_NODE)
LANGUAGES = ["python", pytest.param("javascript", marks=NEEDS_NODE)]


@pytest.fixture
def process(request):
    """Makes processes of a file; they are ended with the test."""

    def make(language, file, **given):
        program = sys.executable if language == "python" else "node"
        made = rl.Process([program, str(file)], **given)
        request.addfinalizer(made.end)
        return made

    return make


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
        return [line for line in lines if "name" not in line]

    assert loop_of(starter(language)) == loop_of(sample(language))
    assert len(loop_of(starter(language))) > 12


@pytest.mark.parametrize("language", LANGUAGES)
def test_with_the_starter_nobody_leads_and_nothing_fails(process, language):
    cluster = rl.Cluster(3, seed=1, machine=process(language, starter(language)))
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
def test_a_sample_elects_replicates_and_restarts(process, language, nodes, shared):
    machine = process(language, sample(language), shared=shared)
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
def test_a_campaign_finds_nothing_in_a_sample(process, language):
    assert campaign(4, machine=process(language, sample(language))).counts == {"ok": 4}


@pytest.mark.parametrize("mistake", BROKEN)
@pytest.mark.parametrize("language", LANGUAGES)
def test_a_mistake_is_found_by_a_campaign_and_shown(process, language, mistake, tmp_path):
    right = sample(language).read_text(encoding="utf-8")
    written, wrong = MISTAKES[language][mistake]
    assert right.count(written) == 1
    file = tmp_path / sample(language).name
    file.write_text(right.replace(written, wrong), encoding="utf-8")
    machine = process(language, file)
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
def test_what_node_says_of_an_error_is_told(process, tmp_path):
    (tmp_path / "bug.js").write_text("this.votes.add(1);\n")
    with pytest.raises(Exception, match="TypeError: Cannot read properties of undefined"):
        rl.Cluster(3, machine=process("javascript", tmp_path / "bug.js"))

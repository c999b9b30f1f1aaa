"""The small Rafts in Python and JavaScript are right, and their likely mistakes are found."""

import json
import shutil
import sys
from pathlib import Path

import pytest

import raftlab as rl
from raftlab.check.campaign import campaign
from raftlab.process import samples

FOLDER = Path(samples.__file__).parent
NODE = shutil.which("node")
needs_node = pytest.mark.skipif(NODE is None, reason="Node is not installed: no `node` on the path")

SAMPLES = [
    pytest.param(f"{sys.executable} {FOLDER / 'raft.py'}", id="Python"),
    pytest.param(f"{NODE} {FOLDER / 'raft.js'}", id="JavaScript", marks=needs_node),
]

MISTAKES = {
    "votes twice in a term": ("and self.voted_for in (None, candidate)", "", "One Vote Per Term"),
    "votes for a candidate whose log is behind": (
        "and theirs >= (self.last_term, self.last_index)",
        "",
        "Leader Completeness",
    ),
    "cuts what is no conflict": (
        'index <= self.last_index and self.log[index]["term"] != entry["term"]',
        "index <= self.last_index",
        "Match Is True",
    ),
}


@pytest.mark.parametrize("command", SAMPLES)
def test_a_sample_elects_commits_and_survives_its_leader(command):
    cluster = rl.Cluster(3, seed=3, machine=rl.Process(command))
    first = cluster.elect()
    cluster.propose("x=1")
    cluster.run(300)
    cluster.crash(first)
    second = cluster.elect()
    cluster.propose("y=2")
    cluster.restart(first)
    cluster.run(500)
    assert second != first
    assert [dict(each.values) for each in cluster.frame().nodes] == [{"x": "1", "y": "2"}] * 3


@pytest.mark.parametrize("command", SAMPLES)
def test_no_campaign_finds_anything_in_a_sample(command):
    found = campaign(12, machine=rl.Process(command))
    assert found.counts == {"ok": 12}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_campaign_finds_a_likely_mistake(tmp_path, mistake):
    right, wrong, broken = MISTAKES[mistake]
    text = (FOLDER / "raft.py").read_text()
    assert text.count(right) == 1
    (tmp_path / "raft.py").write_text(text.replace(right, wrong))
    found = campaign(6, machine=rl.Process(f"{sys.executable} {tmp_path / 'raft.py'}"))
    assert broken in {each.broke for each in found.failures}


def test_a_sample_is_short_and_stands_on_the_library_alone():
    text = (FOLDER / "raft.py").read_text()
    assert len(text.splitlines()) < 400
    assert len((FOLDER / "raft.js").read_text().splitlines()) < 400
    imported = [
        line.split()[1] for line in text.splitlines() if line.startswith(("import", "from"))
    ]
    assert set(imported) <= set(sys.stdlib_module_names), json.dumps(imported)

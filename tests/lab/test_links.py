"""What the address of the page with the lab asks for, and what is kept for the next time."""

from base64 import b64encode

import msgspec
import pytest

from raftlab import Cluster, Misuse, Options, Rules
from raftlab.lab import Lab, saved_runs
from raftlab.lab.front_end import NOTEBOOK, PAGE
from raftlab.lab.links import LOST, followed, opened, requested_by
from raftlab.lab.saved_runs import RunSaver
from raftlab.sim.load import load_shared
from raftlab.sim.scenarios import SCENARIOS, figure_8

AT = PAGE._replace(base="https://example.org/raftlab/")


def working() -> Cluster:
    cluster = Cluster(3, seed=1)
    cluster.elect()
    cluster.propose("x=1")
    return cluster.run(50)


def test_a_bare_address_is_five_nodes_that_play():
    lab = opened("", AT)
    assert lab.playing
    assert lab.cluster.setup == Cluster(5, seed=7).setup


def test_nodes_and_seed_make_the_cluster_that_python_makes():
    lab = opened("nodes=7&seed=3", AT)
    assert lab.cluster.setup == Cluster(7, seed=3).setup
    assert lab.cluster.setup.options == Options()
    assert lab.playing


@pytest.mark.parametrize("name", list(SCENARIOS))
def test_every_situation_has_an_address(name):
    assert not opened(f"scenario={name}", AT).trouble


def test_a_panel_is_that_panel():
    lab = opened("scenario=figure_8&panel=c", AT)
    assert lab.recording == figure_8("c").recording
    assert not lab.playing


def test_a_run_opens_at_its_end_and_stands_still():
    run = working().recording
    lab = opened(run.link(AT.base).partition("#")[2], AT)
    assert lab.recording == run
    assert not lab.playing


@pytest.mark.parametrize(
    ("fragment", "said"),
    [
        ("run=", "no text yet"),
        ("run=hello", "no shared run"),
        ("run=raftlab.1.AAAA", "checksum"),
        (f"run=raftlab.1.{'A' * 200_000}", "200,000 letters"),
        ("run=a&nodes=3", "asks for"),
        ("flowers", "asks for"),
        ("scenario=", "no situation"),
        ("panel=c", "of a situation"),
        ("scenario=figure_8&panel=z", "has the panels"),
        ("scenario=split_vote&panel=a", "no panels"),
        ("nodes=0", "1 to 51"),
        ("nodes=52", "1 to 51"),
        ("nodes=-3", "how many servers"),
        ("nodes=five", "how many servers"),
        ("nodes=3&seed=x", "seed is a whole number"),
    ],
)
def test_what_cannot_be_opened_is_told_and_there_is_a_fresh_cluster(fragment, said):
    lab = opened(fragment, AT)
    assert said in lab.trouble
    assert not lab.playing
    assert lab.cluster.setup == Cluster(5, seed=7).setup
    before = lab.recording
    followed(lab, fragment)
    assert said in lab.trouble
    assert (lab.recording, len(lab.branches)) == (before, 1)


def test_another_address_opens_another_run_and_the_way_back_leads_to_the_first():
    lab = opened("nodes=3&seed=1", AT)
    lab.step_button.click()
    followed(lab, "scenario=figure_8&panel=c")
    assert len(lab.branches) == 2
    assert lab.session.branch.number == 2
    followed(lab, "nodes=3&seed=1", run=1)
    assert lab.session.branch.number == 1
    assert len(lab.branches) == 2


def test_a_run_that_is_not_there_any_more_is_opened_by_its_address():
    lab = opened("nodes=3&seed=1", AT)
    followed(lab, "nodes=4&seed=2", run=9)
    assert len(lab.cluster.nodes) == 4


def test_a_wish_says_what_it_is():
    assert requested_by("run=raftlab.1.x") == "raftlab.1.x"
    with pytest.raises(Misuse, match="asks for"):
        requested_by("=")


# What is kept


def test_every_run_is_kept_and_the_moment_and_the_size_of_the_lab():
    lab = opened("nodes=3&seed=1", AT)
    for _ in range(5):
        lab.step_button.click()
    lab.full_mode.value = True
    lab.speed.value = 100.0
    followed(lab, "scenario=figure_8&panel=c")
    lab.go_to(4)
    again = opened("anything", AT, RunSaver(lab).kept())
    assert again.branches == lab.branches
    assert [each.label for each in again.session.branches] == [
        each.label for each in lab.session.branches
    ]
    assert again.session.position == 4
    assert again.frame == lab.frame
    assert (again.full_mode.value, again.speed.value) == (True, 100.0)
    assert not again.trouble
    again.branch.value = 1
    assert again.session.number == 5


def test_a_run_that_branched_off_knows_where():
    lab = opened("nodes=3&seed=1", AT)
    for _ in range(3):
        lab.step_button.click()
    lab.go_to(1)
    lab.crash_button.click()
    again = opened("", AT, RunSaver(lab).kept())
    assert again.session.branches[1].origin == "from frame 1 of run 1"


def test_what_goes_on_is_kept_anew_and_nothing_is_played_for_it(monkeypatch):
    lab = Lab(working(), front_end=AT)
    keeper = RunSaver(lab)
    assert keeper.kept() == keeper.kept()
    lab.step_button.click()
    monkeypatch.setattr("raftlab.sim.run.recording.play", None)
    kept = saved_runs.saved_lab_in(keeper.kept())
    assert kept.runs[0].end.number == lab.session.number


@pytest.mark.parametrize("chosen", [-1, 0, 2])
def test_a_run_that_was_not_kept_cannot_be_looked_at(chosen):
    saved = saved_runs.saved_lab_in(RunSaver(Lab(working(), front_end=AT)).kept())
    saved.chosen = chosen
    lab = opened("", AT, b64encode(msgspec.msgpack.encode(saved)).decode())
    assert f"no run {chosen}" in lab.trouble


def test_a_run_that_plays_otherwise_than_it_was_kept_is_told(monkeypatch):
    kept = RunSaver(Lab(working(), front_end=AT)).kept()
    monkeypatch.setattr(Rules, "leader_commit_index", lambda self, *given: 0)
    lab = opened("", AT, kept)
    assert lab.trouble.startswith(LOST)
    assert lab.cluster.setup == Cluster(5, seed=7).setup


@pytest.mark.parametrize("kept", ["hello", "AAAA", "kaA="])
def test_what_was_kept_otherwise_is_told_and_there_is_a_fresh_cluster(kept):
    lab = opened("", AT, kept)
    assert lab.trouble.startswith(LOST)
    assert lab.cluster.setup == Cluster(5, seed=7).setup


# Words


def test_a_page_says_nothing_of_notebooks_kernels_or_cells():
    lab = opened("", AT)
    lab.full_mode.value = True
    lab.details.selected_index = 3
    said = [*PAGE, lab.stage.gone, lab.shared.value, lab.keys.value]
    for word in ("kernel", "cell", "raftlab.load"):
        assert not [words for words in said if word in words]


def test_both_hosts_have_all_words():
    assert [bool(words) for words in NOTEBOOK] == [bool(words) for words in PAGE]
    assert NOTEBOOK.many_steps.format(steps=7) != NOTEBOOK.many_steps


def test_only_a_page_copies_links():
    assert opened("", AT).copy_link.layout.display is None
    assert Lab(Cluster(3)).copy_link.layout.display == "none"


def test_a_link_can_be_pasted_into_any_lab():
    run = working().recording
    lab = Lab(Cluster(3))
    lab.run_text.value = run.link(AT.base)
    lab.open_button.click()
    assert lab.recording == run
    assert load_shared(run.link(AT.base)) == run

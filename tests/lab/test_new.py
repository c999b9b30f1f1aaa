"""What a lab begins with, New…, and the sliders of the network."""

import pytest

import raftlab
from raftlab import Cluster, Misuse, Network, Options
from raftlab.lab import Lab, Session
from raftlab.lab.beginnings import SITUATIONS, SIZES, Situation, new_cluster, seed_in, situation
from raftlab.lab.network_settings import LATENCIES, latency_options, network_at
from raftlab.raft.options import PROTECTIONS
from raftlab.sim.scenarios import SCENARIOS
from raftlab.sim.world.actions import SetNetwork
from tests.lab.clusters import hasty, working
from tests.lab.test_panels import words

ALL, NONE = (True,) * len(PROTECTIONS), (False,) * len(PROTECTIONS)


def pressed(lab: Lab, name: str, **fields: object) -> None:
    """A button is clicked on the page, which reports what its fields hold."""
    content = {"kind": "press", "name": f"{name}_button", "fields": fields}
    lab.stage._handle_custom_msg(content, [])


# Without widgets


@pytest.mark.parametrize("size", SIZES)
def test_a_new_cluster_has_as_many_nodes_as_were_asked_for(size):
    cluster = new_cluster(size, 3, *ALL).make()
    assert (len(cluster.nodes), cluster.setup.seed) == (size, 3)
    assert cluster.setup.options == Options()


def test_a_new_cluster_has_all_protections_none_or_one_by_one():
    assert new_cluster(3, 1, *NONE).make().setup.options == Options.figure_2()
    only = new_cluster(3, 1, False, True, False, False)
    assert only.make().setup.options == Options.figure_2(check_quorum=True)
    assert only.summary == "A new cluster: 3 nodes, seed 1, check-quorum."
    assert new_cluster(1, 1, *NONE).summary == "A new cluster: 1 node, seed 1, Figure 2."
    assert new_cluster(7, 2, *ALL).summary == "A new cluster: 7 nodes, seed 2, all protections."


def test_every_situation_and_every_panel_of_it_can_be_chosen():
    assert {which.name for _, which in SITUATIONS} == set(SCENARIOS)
    labels = [label for label, _ in SITUATIONS]
    assert len(set(labels)) == len(labels)
    assert ("figure 8 (a)", Situation("figure_8", "a")) in SITUATIONS


@pytest.mark.parametrize(("label", "which"), SITUATIONS, ids=lambda each: str(each)[:40])
def test_a_session_begins_with_a_situation_and_its_sentence(label, which):
    session = Session(Cluster(3, seed=1))
    session.begin_situation(which)
    given = (which.panel,) if which.panel else ()
    assert session.frame == raftlab.scenarios.scenario(which.name)(*given).frame()
    title = SCENARIOS[which.name].title
    assert session.note.startswith(title.rstrip("."))
    assert session.branch.label == f"run 2: {which.name}"
    session.choose(1)
    session.choose(2)
    assert session.number == session.position


def test_what_was_looked_at_before_is_kept_and_undo_goes_back_to_it():
    session = Session(working())
    before = session.frame
    session.begin_new(9, 4, *ALL)
    assert (len(session.frame.nodes), session.position) == (9, 0)
    assert session.note.endswith("This is run 2. Run 1 is kept.")
    assert [each.label for each in session.branches] == [
        "run 1: the first",
        "run 2: 9 nodes, seed 4",
    ]
    session.run(500)
    session.undo()
    session.undo()
    assert (session.frame, session.branch.number) == (before, 1)
    session.choose(2)
    assert len(session.frame.nodes) == 9 and session.frame.at == 500


def test_a_run_that_begins_anew_branches_and_is_shared_like_any_other():
    session = Session(working())
    session.begin_new(3, 5, *NONE)
    session.run(800)
    session.go_to(3)
    session.do(lambda cluster: cluster.crash("S1"))
    assert session.branch.origin == "from frame 3 of run 2"
    assert raftlab.load(session.so_far.share()).setup.options == Options.figure_2()


def test_there_is_no_situation_of_another_name():
    with pytest.raises(Misuse, match="There is no scenario 'figure_9'"):
        situation(Situation("figure_9", "")).make()


@pytest.mark.parametrize("typed", ["", "x", "1.5", "٣x"])
def test_what_is_no_seed_is_refused(typed):
    with pytest.raises(Misuse, match="A seed is a whole number, for instance 7"):
        seed_in(typed)
    assert seed_in(" 12 ") == 12


@pytest.mark.parametrize("typed", ["9" * 40, "1" + "0" * 400])
def test_a_seed_that_is_too_large_is_refused_as_that(typed):
    with pytest.raises(Misuse, match="a seed has at most 64 bits"):
        seed_in(typed)


def test_the_settings_of_a_link_are_those_of_the_moment_looked_at():
    session = Session(Cluster(3, seed=1, network=Network(loss=0.25)))
    session.do(lambda cluster: cluster.set_network(latency=(1, 2)))
    session.do(lambda cluster: cluster.set_network("S1", "S2", loss=0.5, both_ways=False))
    assert network_at(session, (None, None)) == Network((1.0, 2.0), loss=0.25)
    assert network_at(session, ("S1", "S2")) == Network((1.0, 2.0), loss=0.5)
    assert network_at(session, ("S2", "S1")) == Network((1.0, 2.0), loss=0.25)
    session.go_to(0)
    assert network_at(session, ("S1", "S2")) == Network(loss=0.25)


def test_latencies_that_are_no_step_of_the_slider_are_added():
    offered = [value for _, value in latency_options(Network(latency=(9.5, 33.0)))]
    assert offered == sorted({*LATENCIES, 9.5, 33.0})


# With widgets


def test_new_is_closed_at_first_and_opens_with_its_button():
    lab = working().lab(full=True)
    assert lab.new_column.layout.display == "none"
    assert lab.settings_row.layout.display == "none"
    lab.new_mode.value = lab.settings_mode.value = True
    assert lab.new_column.layout.display is None
    assert lab.settings_row.layout.display is None
    lab.full_mode.value = False
    assert lab.new_column.layout.display == "none"


def test_begin_makes_the_cluster_that_the_fields_tell():
    lab = Cluster(3, seed=1).lab(full=True)
    lab.figure_2_button.click()
    fields = {"new_size": "7 nodes", "new_seed": "12", "new_check_quorum": True}
    pressed(lab, "new", **fields)
    assert lab.trouble == ""
    assert lab.cluster.setup.nodes == tuple(f"S{n}" for n in range(1, 8))
    assert lab.cluster.setup.seed == 12
    assert lab.cluster.setup.options == Options.figure_2(check_quorum=True)
    assert tuple(lab.node.options) == lab.cluster.nodes
    assert "7 nodes, seed 12" in words(lab.note.value)
    lab.all_protections_button.click()
    lab.new_button.click()
    assert lab.cluster.setup.options == Options()
    lab.undo_button.click()
    lab.undo_button.click()
    assert (len(lab.frame.nodes), lab.branch.value) == (3, 1)


def test_a_seed_that_is_none_is_refused_and_nothing_changes():
    lab = Cluster(3, seed=1).lab(full=True)
    pressed(lab, "new", new_seed="seven")
    assert "A seed is a whole number" in lab.trouble
    assert len(lab.branches) == 1


def test_a_situation_tells_its_sentence_before_it_is_begun():
    lab = Cluster(3, seed=1).lab(full=True)
    lab.situation.value = Situation("figure_8", "c")
    said = SCENARIOS["figure_8"].title.rstrip(".")
    assert said in words(lab.situation_told.value)
    assert len(lab.branches) == 1
    lab.situation_button.click()
    assert said in words(lab.note.value)
    assert lab.frame == raftlab.scenarios.figure_8("c").frame()


def test_a_slider_changes_the_network_of_all_links_or_of_one():
    lab = working().lab(full=True)
    since = lab.cluster.number
    lab.loss.value = 30.0
    lab.latency.value = (50.0, 100.0)
    lab.settings_from.value, lab.settings_to.value = "S1", "S2"
    lab.settings_both_ways.value = False
    lab.duplication.value = 100.0
    assert lab.trouble == ""
    assert [each for each in lab.cluster.actions[since:] if isinstance(each, SetNetwork)] == [
        SetNetwork(lab.cluster.now, Network(loss=0.3)),
        SetNetwork(lab.cluster.now, Network((50.0, 100.0), 0.3)),
        SetNetwork(lab.cluster.now, Network((50.0, 100.0), 0.3, 1.0), "S1", "S2"),
    ]
    assert raftlab.load(lab.recording.share()) == lab.recording


def test_the_sliders_follow_the_moment_and_the_link_and_change_nothing_by_that():
    lab = working().lab(full=True)
    lab.cluster.set_network(latency=(9.5, 33), loss=0.125)
    lab.cluster.set_network("S2", "S3", duplication=0.5)
    lab.step_button.click()
    number = lab.cluster.number
    assert (lab.latency.value, lab.loss.value, lab.duplication.value) == ((9.5, 33.0), 12.5, 0.0)
    lab.settings_from.value, lab.settings_to.value = "S2", "S3"
    assert lab.duplication.value == 50.0
    assert lab.settings_to.layout.display is None
    lab.start_button.click()
    assert (lab.latency.value, lab.loss.value, lab.duplication.value) == ((5.0, 15.0), 0.0, 0.0)
    lab.settings_from.value = "all links"
    assert lab.settings_to.layout.display == "none"
    assert lab.cluster.number == number and len(lab.branches) == 1


def test_a_link_from_a_node_to_itself_cannot_be_chosen():
    lab = working(nodes=3).lab(full=True)
    lab.settings_from.value = "S3"
    assert lab.settings_to.value == "S2"
    lab.settings_to.value = "S3"
    assert lab.settings_to.value == "S2"


def test_a_slider_that_is_moved_does_not_stop_the_playing():
    lab = working().lab(full=True, play=True)
    lab.loss.value = 50.0
    assert lab.playing and lab.stage.motion["playing"]
    assert lab.cluster.frame().network.loss == 0.5


def test_a_slider_that_is_moved_in_the_past_begins_another_run():
    lab = working().lab(full=True)
    lab.go_to(5)
    lab.loss.value = 50.0
    assert (len(lab.branches), lab.cluster.number, lab.cluster.frame().network.loss) == (2, 6, 0.5)


def test_a_slider_that_is_moved_where_the_run_has_stopped_goes_back():
    lab = hasty().lab(full=True)
    lab.violation_button.click()
    assert lab.session.violation
    lab.loss.value = 50.0
    assert "The run stopped" in lab.trouble
    assert lab.loss.value == 0.0
    sliders = (lab.loss, lab.latency, lab.duplication)
    assert all(each.disabled for each in sliders)
    lab.back_button.click()
    assert not any(each.disabled for each in sliders)

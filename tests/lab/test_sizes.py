"""The lab in two sizes, what can be done in it when, and how much of it a page has room for."""

from collections.abc import Callable
from math import hypot

import pytest

from raftlab import Cluster, Options
from raftlab.lab import Lab, Session
from raftlab.lab.control_table import BUTTONS, CONTROLS, REQUIREMENTS, Kind, Size
from raftlab.lab.controls import KEYS_PANEL
from raftlab.lab.fitting import LEAST, Room, fitted_cluster, fitted_logs
from raftlab.lab.selection import middle
from raftlab.lab.widget_factory import ONLY
from raftlab.sim.scenarios import SCENARIOS
from raftlab.view.cluster.ring import ring_of
from raftlab.view.labels import text_box
from raftlab.view.logs.rows import BOX_WIDTH
from raftlab.view.marks import Disc, Path, Text
from tests.lab.clusters import hasty, heard, working

MAIN = {
    *("back_button", "play_button", "step_button", "time_slider", "moment", "newest"),
    "undo_button",
    *("crash_leader_button", "restart_all_button", "command", "propose_button", "full_mode"),
    *("alarm", "banner", "before_button", "note", "branch"),
}


# What fits


@pytest.mark.parametrize("name", ["split_vote", "dueling_candidates", "removed_server"])
def test_the_count_of_votes_comes_no_nearer_to_a_node_though_its_letters_have_grown(name):
    frame = SCENARIOS[name]().frame()
    scene = fitted_cluster(frame, None, 566.0)
    ring = ring_of(tuple(node.node for node in frame.nodes))
    counts = [mark for mark in scene.marks if isinstance(mark, Text) and mark.role == "votes"]
    assert counts
    nodes = [middle(mark) for mark in scene.marks if mark.role == "node"]
    for left, top, right, bottom in map(text_box, counts):
        for x, y, _ in nodes:
            near_x, near_y = min(max(x, left), right), min(max(y, top), bottom)
            assert hypot(near_x - x, near_y - y) > ring.gap


@pytest.mark.parametrize("before", [0, 11, 120], ids="term {}".format)
def test_no_number_in_memory_and_on_disk_is_cut_whatever_has_just_changed(before):
    logs = dict.fromkeys(("S1", "S2", "S3"), [before] if before else [])
    cluster = Cluster(3, seed=7, logs=logs)
    cluster.elect()
    seen = set()
    for number in range(1, cluster.number + 1):
        frame, previous = cluster.at(number).frame(), cluster.at(number - 1).frame()
        for mark in fitted_logs(frame, previous, 926.0, boxes=True).marks:
            if isinstance(mark, Text) and mark.role == "" and mark.id[:4] in ("memo", "disk"):
                assert "…" not in mark.text, mark.text
                left, _, right, _ = text_box(mark)
                assert right - left <= BOX_WIDTH
                seen.add(mark.text)
    assert f"{'t' if before else 'term '}{before + 1} · S2" in seen


# Two sizes


def test_the_simple_lab_has_the_main_controls_and_the_full_one_all_but_one():
    simple = {name for name, each in CONTROLS.items() if each.size is not Size.FULL}
    assert simple == MAIN
    assert {name for name, each in CONTROLS.items() if each.size is Size.SIMPLE} == {
        "restart_all_button"
    }
    lab = Cluster(3).lab()
    for name, each in CONTROLS.items():
        if each.kind is not Kind.KEY:
            classes = getattr(lab, name)._dom_classes
            assert (ONLY[Size.FULL] in classes) is (each.size is Size.FULL)
            assert (ONLY[Size.SIMPLE] in classes) is (each.size is Size.SIMPLE)


def test_a_lab_is_simple_at_first_and_full_with_one_click():
    lab = working().lab()
    assert "raftlab-simple" in lab.widget._dom_classes
    assert lab.full.layout.display == "none"
    assert lab.full_mode.description == "All controls"
    lab.full_mode.value = True
    assert "raftlab-simple" not in lab.widget._dom_classes
    assert lab.full.layout.display is None
    assert lab.full_mode.description == "Main controls"
    assert "raftlab-simple" not in working().lab(full=True).widget._dom_classes


@pytest.mark.parametrize("key", ["m", "?"])
def test_a_key_that_opens_something_shows_all_controls(key):
    lab = working().lab()
    heard(lab, kind="key", key=key)
    assert lab.full_mode.value


def test_the_list_of_keys_that_the_simple_lab_hides_is_shown_by_its_key():
    lab = working().lab(full=True)
    heard(lab, kind="key", key="?")
    lab.full_mode.value = False
    heard(lab, kind="key", key="?")
    assert lab.full_mode.value and lab.details.selected_index == KEYS_PANEL
    assert lab.full.layout.display is None
    heard(lab, kind="key", key="?")
    assert lab.full_mode.value and lab.details.selected_index is None


@pytest.mark.parametrize("mode", ["further_mode", "new_mode"])
def test_the_picture_is_low_as_long_as_many_controls_are_shown(mode):
    lab = working().lab(full=True)
    high = lab.stage.cluster["h"]
    for is_open in (True, False):
        lab.controls.by_name[mode].value = is_open
        assert ("raftlab-crowded" in lab.widget._dom_classes) == is_open
        assert (lab.stage.cluster["h"] < high) == is_open
    lab.controls.by_name[mode].value = True
    lab.full_mode.value = False
    assert "raftlab-crowded" not in lab.widget._dom_classes


def test_the_simple_lab_marks_a_node_once_the_reader_has_chosen_one():
    lab = working().lab()
    assert "chosen-1" not in marks(lab)
    heard(lab, kind="click", id="node-S1")
    assert "chosen-1" in marks(lab)
    assert "chosen-1" in marks(working().lab(full=True))


def marks(lab: Lab) -> set[str]:
    return {row[1] for row in lab.stage.cluster["marks"]}


# By itself


def test_a_lab_plays_when_it_is_shown_and_no_sooner():
    lab = working().lab(play=True)
    end = lab.frame.number
    assert lab.playing
    assert lab.play_button.description == "Stop"
    assert lab.stage.motion["playing"]
    heard(lab, kind="next", seq=lab.stage.seq)
    assert lab.frame.number > end
    assert not working().lab().playing


def test_where_a_reader_wants_no_motion_it_stands_still():
    lab = working().lab(play=True)
    heard(lab, kind="still")
    assert not lab.playing
    assert lab.play_button.description == "Play"


# What cannot be done now


def paused() -> Cluster:
    cluster = working()
    cluster.pause("S1")
    cluster.isolate("S3")
    return cluster


def down() -> Cluster:
    cluster = working()
    cluster.crash("S1")
    cluster.crash("S2")
    return cluster


def dead() -> Cluster:
    cluster = Cluster(3)
    for node in cluster.nodes:
        cluster.crash(node)
    return cluster


def broken() -> Cluster:
    cluster = hasty()
    cluster.lab().violation_button.click()
    return cluster


SITUATIONS: tuple[Callable[[], Cluster], ...] = (
    *(working, paused, down, dead, broken, lambda: Cluster(1), lambda: Cluster(3)),
    lambda: Cluster(3, watched=False, options=Options.figure_2()),
)
HARMLESS = "heal_button"
"""Greyed because it would mend nothing; mending a whole network is a step of a run all the same."""


@pytest.mark.parametrize("place", range(len(SITUATIONS)))
def test_what_is_greyed_is_refused_and_what_is_not_is_done(place):
    lab = Cluster(1).lab(full=True)
    controller = lab.controller
    for name in sorted(set(REQUIREMENTS) - {"play_button"}):  # playing ends by itself
        cluster = SITUATIONS[place]()
        controller.session = controller.renderer.session = Session(cluster)
        controller.redraw()
        before, greyed = cluster.number, name in lab.stage.cannot
        heard(lab, kind="press", name=name, fields={})
        if greyed and name != HARMLESS:
            assert lab.trouble or cluster.number == before, name
        if not greyed:
            assert lab.trouble == "", name


def test_where_a_property_is_broken_that_is_the_reason_whatever_else_is():
    cluster = hasty()
    cluster.isolate("S5")
    lab = cluster.lab(full=True)
    lab.violation_button.click()
    leader = lab.frame.leader
    assert leader is not None
    for node, name in ((leader.node, "timeout_button"), ("S5", "isolate_button")):
        lab.node.value = node
        assert "a property is broken" in lab.stage.cannot[name]


def test_what_is_greyed_has_a_reason_that_is_a_sentence():
    for make in SITUATIONS:
        cannot = make().lab(full=True).stage.cannot
        assert set(cannot) <= set(BUTTONS)
        assert all(each[0].isupper() and each.endswith(".") for each in cannot.values())


def test_what_can_be_done_follows_the_node_chosen_and_the_moment_looked_at():
    lab = down().lab(full=True)
    lab.node.value = "S1"
    assert "crash_button" in lab.stage.cannot
    assert "restart_button" not in lab.stage.cannot
    lab.node.value = "S3"
    assert lab.stage.cannot["restart_button"] == "S3 is running."
    assert lab.stage.cannot["propose_button"].startswith("Nobody leads now")
    lab.propose_to.value = "S1"
    assert "S1 is down" in lab.stage.cannot["propose_button"]
    lab.propose_to.value = "S3"
    assert "S3 does not lead; nobody does." in lab.stage.cannot["propose_button"]
    lab.start_button.click()
    assert "crash_button" not in lab.stage.cannot
    assert lab.stage.cannot["back_button"].startswith("This is frame 0")


# What is read out


def test_each_event_is_read_out_and_while_it_plays_only_who_leads():
    lab = working().lab()
    lab.step_button.click()
    assert lab.stage.heard == lab.cluster.events(1)[0].text
    lab.run_button.click()
    assert lab.stage.heard == "S2 leads term 1."
    lab.play_button.click()
    for _ in range(5):
        heard(lab, kind="next", seq=lab.stage.seq)
        assert lab.stage.heard == "S2 leads term 1."


# Room


def rows(lab: Lab, kind: str) -> list[str]:
    return [row[1] for row in lab.stage.logs["marks"] if row[1].startswith(kind)]


@pytest.mark.parametrize("full", [False, True])
@pytest.mark.parametrize("width", [264, 600, 926, 1300, 1900])
@pytest.mark.parametrize("nodes", [1, 3, 5, 9, 51])
def test_letters_are_never_small_and_pictures_never_shrunk(nodes, width, full):
    lab = working(nodes=nodes).lab(full=full)
    heard(lab, kind="room", width=width, low=False)
    for picture in (lab.stage.cluster, lab.stage.logs):
        sizes = {picture["looks"][row[2]]["z"] for row in picture["marks"] if row[0] == "t"}
        assert min(sizes) >= LEAST
    if nodes <= 5 and width >= 900:
        assert lab.stage.cluster["w"] + 12 + lab.stage.logs["w"] <= width
    if nodes <= 3:
        assert lab.stage.cluster["w"] <= max(width, 264)


@pytest.mark.parametrize("full", [False, True])
@pytest.mark.parametrize("nodes", range(1, 10))
def test_the_pictures_of_up_to_nine_nodes_stand_side_by_side_on_a_laptop(nodes, full):
    lab = working(nodes=nodes).lab(full=full)
    assert lab.stage.cluster["w"] + 12 + lab.stage.logs["w"] <= 926


def height(lab: Lab) -> float:
    """How high the two pictures side by side are."""
    return max(lab.stage.cluster["h"], lab.stage.logs["h"])


def test_a_read_makes_the_stage_no_higher():
    lab = working().lab(full=True)
    lab.run_button.click()
    before = height(lab)
    lab.read_button.click()
    assert any(mark.startswith("key-") for mark in marks(lab))
    assert height(lab) == before


def test_what_does_not_fit_is_left_out_by_size():
    lab = working().lab(full=True)
    heard(lab, kind="room", width=1400, low=False)
    assert rows(lab, "memory-") and rows(lab, "disk-")
    assert len(rows(lab, "index-")) >= 8
    heard(lab, kind="room", width=926, low=False)
    assert not rows(lab, "memory-") and rows(lab, "disk-")
    heard(lab, kind="room", width=300, low=False)
    assert "vote-S3" not in marks(lab)
    assert {"node-S1", "node-S3"} <= marks(lab)
    assert lab.stage.cluster["w"] < 340
    assert not rows(working().lab(), "disk-")


def test_nothing_beside_a_node_is_cut_off_where_it_is_narrow():
    cluster = Cluster(5, seed=7)
    for _ in range(25):
        cluster.step()
        frame = cluster.frame()
        scene = fitted_cluster(frame, None, 370.0)
        assert scene.width <= 370
        for mark in scene.marks:
            if not isinstance(mark, Path):
                assert 0 <= middle(mark)[0] <= scene.width, mark.id
        discs = (mark.id for mark in scene.marks if isinstance(mark, Disc) and mark.role == "vote")
        counted = {name.split("-")[1] for name in discs}
        said = {mark.id.split("-")[1] for mark in scene.marks if mark.role == "votes"}
        assert counted == said  # all of a count, or nothing


def test_a_message_that_arrives_ends_where_its_receiver_is_drawn():
    lab = working().lab()
    heard(lab, kind="room", width=300, low=False)
    while not lab.stage.cluster["gone"]:
        lab.step_button.click()
    wide = lab.stage.cluster["w"]
    ends = [row for row in lab.stage.cluster["gone"] if row[0] == "p"]
    assert ends
    assert all(0 <= x <= wide for row in ends for x in row[3][::2])


@pytest.mark.parametrize("room", [{"width": 0}, {"width": -4}, {"width": 10**9}, {"width": "9"}])
def test_an_absurd_room_is_not_heard(room):
    lab = working().lab()
    heard(lab, kind="room", low=False, **room)
    assert lab.controller.renderer.room == Room(926.0)


def test_a_page_that_tells_its_room_is_answered_also_where_it_is_the_usual_one():
    lab = working().lab()
    for number, (width, low) in enumerate([(926, False), (926, True), (926, True)], 1):
        seq = lab.stage.seq
        heard(lab, kind="room", width=width, low=low)
        assert lab.stage.seq == seq + 1, number

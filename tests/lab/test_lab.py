"""The lab without a browser: every control does what the table says, and nothing is swallowed."""

import asyncio
import gc
import html
import json
import re
import subprocess
import sys
import threading

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import raftlab
from raftlab import Cluster, Misuse
from raftlab.lab import Lab, callbacks
from raftlab.lab.callbacks import choose_message, following
from raftlab.lab.control_table import BUTTONS, CONTROLS, FIELDS, KEYS
from raftlab.lab.frame_cache import REMEMBERED
from raftlab.lab.goals import GOALS
from raftlab.lab.lab import STILL, still_scene
from raftlab.lab.session import END
from raftlab.view.notebook import STYLE, WIDGET
from tests.lab.clusters import Failing, called_by, hasty, heard, outputs_of, working


def press(lab: Lab, key: str) -> None:
    heard(lab, kind="key", key=key)


def marks(lab: Lab) -> set[str]:
    return {row[1] for row in lab.stage.cluster["marks"]}


# Showing itself


def test_a_cluster_has_a_lab():
    cluster = Cluster(3)
    lab = cluster.lab(speed=10)
    assert isinstance(lab, Lab)
    assert lab.cluster is cluster
    assert lab.speed.value == 10


@pytest.mark.parametrize("wrong", [{"cluster": 5}, {"cluster": Cluster(1), "speed": 0}])
def test_a_lab_of_nothing_is_refused(wrong):
    with pytest.raises(Misuse):
        Lab(**wrong)


def test_it_shows_its_picture_and_then_the_widget_that_takes_its_place():
    lab = working().lab()
    picture, view = outputs_of(lab)
    still = still_scene(lab.frame, lab.session.previous)
    assert picture["text/plain"] == repr(lab)
    assert picture["image/svg+xml"] == still.svg
    assert picture["text/html"].startswith('<div class="raftlab-still"><style>')
    assert still._repr_mimebundle_()["text/html"] in picture["text/html"]
    assert view["text/plain"] == ""
    assert view[WIDGET]["model_id"] == lab.widget.model_id


def test_the_picture_that_is_saved_names_no_widget():
    one, other = (outputs_of(working().lab())[0] for _ in range(2))
    assert one == other


def test_its_text_is_the_same_in_every_lab_and_names_no_address():
    first, second = repr(working().lab()), repr(working().lab())
    assert first == second
    assert first.startswith("<Lab of 5 nodes at frame ")
    assert not re.search("0x[0-9a-f]{6}", first)
    lab = working().lab()
    lab.back_button.click()
    assert "in the past>" in repr(lab)


# Every control


def test_step_back_start_and_end():
    lab = working().lab()
    end = lab.frame.number
    lab.step_button.click()
    assert lab.frame.number == end + 1
    lab.back_button.click()
    lab.back_button.click()
    assert lab.frame.number == end - 1
    assert "in the past" in lab.moment.value
    lab.start_button.click()
    assert lab.frame.number == 0
    lab.back_button.click()
    assert "nothing before it" in lab.trouble
    lab.end_button.click()
    assert lab.frame.number == end + 1
    assert lab.trouble == ""


def test_run_lets_time_pass():
    lab = working().lab()
    lab.run_ms.value = 25.0
    at = lab.frame.at
    lab.run_button.click()
    assert lab.frame.at == at + 25.0


def test_jumps():
    lab = Cluster(5, seed=7).lab()
    lab.election_button.click()
    assert lab.cluster.leader
    lab.propose_button.click()
    lab.commit_button.click()
    assert lab.cluster.commit_index == 1
    lab.violation_button.click()
    assert "Every watched property held" in lab.note.value


def test_the_slider_slides():
    lab = working().lab()
    assert lab.time_slider.max == lab.time_slider.value == lab.cluster.number
    lab.time_slider.value = 7
    assert lab.frame.number == 7
    assert "frame <b>7</b>" in lab.moment.value
    assert lab.go_on_button.layout.display != "none"


def test_the_slider_of_a_fresh_cluster_is_in_order():
    lab = Cluster(3).lab()
    assert (lab.time_slider.max, lab.time_slider.value) == (1, 0)
    lab.time_slider.value = 1
    assert lab.time_slider.value == lab.frame.number == 0


def test_what_can_be_done_to_a_node():
    lab = working().lab()
    lab.node.value = "S3"
    for button, alive, paused in (
        (lab.crash_button, False, False),
        (lab.restart_button, True, False),
        (lab.pause_button, True, True),
        (lab.resume_button, True, False),
    ):
        button.click()
        assert lab.trouble == ""
        assert (lab.frame["S3"].alive, lab.frame["S3"].paused) == (alive, paused)
    lab.timeout_button.click()
    assert lab.frame["S3"].role is raftlab.Role.CANDIDATE
    lab.isolate_button.click()
    assert lab.frame.groups == (("S3",), ("S1", "S2", "S4", "S5"))
    lab.heal_button.click()
    assert lab.frame.groups == ()


def test_a_partition_is_drawn_side_by_side():
    lab = working().lab()
    assert lab.partition_row.layout.display == "none"
    lab.partition_mode.value = True
    assert lab.partition_row.layout.display is None
    heard(lab, kind="click", id="node-S1")
    lab.controls.sides["S2"].value = True
    assert lab.controls.sides["S1"].description == "S1: B"
    assert "side-S1" in marks(lab)
    lab.partition_button.click()
    assert lab.frame.groups == (("S1", "S2"), ("S3", "S4", "S5"))
    assert not lab.partition_mode.value
    assert "side-S1" not in marks(lab)


def test_a_partition_with_one_side_is_refused_and_can_be_mended():
    lab = working().lab()
    lab.partition_mode.value = True
    lab.partition_button.click()
    assert "two sides" in lab.trouble
    assert lab.partition_mode.value


def test_a_link_is_cut_in_one_way_or_both():
    lab = working().lab()
    lab.link_mode.value = True
    heard(lab, kind="click", id="node-S1")
    heard(lab, kind="click", id="node-S4")
    assert (lab.link_from.value, lab.link_to.value) == ("S1", "S4")
    lab.both_ways.value = False
    lab.cut_button.click()
    assert lab.frame.cuts == (("S1", "S4"),)
    assert not lab.link_mode.value


def test_commands_are_proposed_and_counted_up():
    lab = working(commands=0).lab()
    lab.command.value = "y=9"
    lab.propose_button.click()
    assert lab.command.value == "y=10"
    heard(lab, kind="press", name="propose_button", fields={"command": "y=10"})
    payloads = [entry.payload for entry in lab.frame.leader.log]
    assert [each.data for each in payloads[1:]] == [b"y=9", b"y=10"]


def test_a_press_brings_along_what_the_fields_hold():
    lab = working().lab(full=True)
    number = lab.messages.options[-1][1]
    fields = {
        "node": "S4",
        "delay_ms": "12.5",
        "messages": lab.messages.options[-1][0],
        "both_ways": False,
        "speed": "100 ms/s",
        "run_ms": "nonsense",
        "propose_to": "nobody",
        "step_button": "no field",
    }
    arrives = {each.number: each.arrives_at for each in lab.frame.in_flight}[number]
    heard(lab, kind="press", name="delay_button", fields=fields)
    assert {each.number: each.arrives_at for each in lab.frame.in_flight}[number] == arrives + 12.5
    assert (lab.node.value, lab.speed.value, lab.both_ways.value) == ("S4", 100.0, False)
    assert (lab.run_ms.value, lab.propose_to.value) == (100.0, "the leader")
    assert "chosen-1" in marks(lab)


def on_another_thread(function, *args, **others) -> None:
    thread = threading.Thread(target=function, args=args, kwargs=others)
    thread.start()
    thread.join()


def test_what_arrives_on_another_thread_waits_for_the_main_one():
    seen = []

    async def cell() -> None:
        lab = working().lab()
        lab.session.cluster.step = lambda: seen.append(threading.get_ident())
        on_another_thread(heard, lab, kind="key", key="ArrowRight")
        on_another_thread(heard, lab, **PRESS)
        assert seen == []
        await asyncio.sleep(0)
        assert seen == [threading.get_ident()] * 2
        on_another_thread(setattr, lab.time_slider, "value", 5)
        assert lab.frame.number != 5
        await asyncio.sleep(0)
        assert lab.frame.number == 5

    asyncio.run(cell())


PRESS = {"kind": "press", "name": "step_button", "fields": {}}


def test_an_interrupt_ends_what_waited_for_the_main_thread_and_not_the_kernel():
    done = []

    def interrupted() -> None:
        done.append("interrupted")
        raise KeyboardInterrupt

    async def kernel() -> None:
        lab = working().lab()
        lab.session.cluster.step = interrupted
        on_another_thread(heard, lab, kind="key", key="ArrowRight")
        await asyncio.sleep(0)
        assert "interrupted" in lab.trouble
        lab.session.cluster.step = lambda: done.append("stepped")
        on_another_thread(heard, lab, kind="key", key="ArrowRight")
        await asyncio.sleep(0)

    asyncio.run(kernel())
    assert done == ["interrupted", "stepped"]


def test_a_follower_names_the_leader():
    lab = working().lab()
    lab.propose_to.value = "S1"
    lab.propose_button.click()
    assert "S1 is a follower" in lab.trouble
    assert "S2" in lab.trouble


@pytest.mark.parametrize(
    "command", ["x", "🦀" * 3, "<b onclick=alert(1)>", "a" * 10_000, "\u0000\u202e", "x=1\ny=2"]
)
def test_absurd_commands_are_commands(command):
    lab = working().lab()
    lab.command.value = command
    lab.propose_button.click()
    assert lab.trouble == ""
    lab.run_button.click()
    assert lab.trouble == ""
    assert "<b onclick" not in lab.events.value
    assert json.dumps(lab.stage.cluster)
    assert len(lab.events.value) < 20_000


@pytest.mark.parametrize("command", ["", "  "])
def test_an_empty_command_is_not_proposed(command):
    lab = working().lab()
    number = lab.cluster.number
    lab.command.value = command
    lab.propose_button.click()
    assert "type one, for instance x=1" in lab.trouble
    assert lab.cluster.number == number


def test_a_command_after_another_is_counted_up():
    assert following("x=9") == "x=10"
    assert following("hello") == "hello"
    assert following("7") == "8"
    assert following("é=9999999999") == "é=10000000000"


def test_a_message_is_chosen_on_the_picture_and_dropped():
    lab = working().lab()
    number = lab.frame.in_flight[-1].number
    heard(lab, kind="click", id=f"msg-{number}")
    assert lab.message == number
    assert "chosen-message" in marks(lab)
    lab.drop_button.click()
    assert all(flight.number != number for flight in lab.frame.in_flight)
    assert lab.message is None
    assert lab.frame.event.lost is not None
    assert [row[1] for row in lab.stage.cluster["gone"] if row[1].startswith("msg-")]


def test_a_message_is_chosen_in_the_list_and_delivered_doubled_and_delayed():
    lab = working().lab()
    number = lab.messages.options[0][1]
    lab.messages.value = number
    lab.delay_ms.value = 30.0
    arrives = {each.number: each.arrives_at for each in lab.frame.in_flight}[number]
    lab.delay_button.click()
    now = {each.number: each.arrives_at for each in lab.frame.in_flight}
    assert now[number] == arrives + 30.0
    assert lab.message == number
    lab.duplicate_button.click()
    assert len(lab.frame.in_flight) == len(now) + 1
    lab.deliver_button.click()
    assert number not in {each.number for each in lab.frame.in_flight}


def test_without_a_message_the_lab_says_how_to_choose_one():
    lab = working().lab()
    lab.deliver_button.click()
    assert "click it in the picture or in the list" in lab.trouble
    assert 'role="alert"' in lab.alarm.value
    choose_message(lab.controller, 10**6)
    assert "No message 1000000" in lab.trouble


def test_every_picture_can_be_shown_at_every_moment():
    lab = Cluster(5, seed=7).lab()
    for picture in lab.picture.options:
        lab.picture.value = picture
        for _ in range(30):
            lab.step_button.click()
            assert lab.trouble == ""
        assert lab.stage.logs["marks"]


# Keys and clicks


def test_keys():
    lab = Cluster(5, seed=7).lab()
    press(lab, "e")
    assert lab.cluster.leader
    press(lab, "n")
    press(lab, "ArrowDown")
    assert lab.node.value == "S2"
    press(lab, "ArrowUp")
    press(lab, "ArrowUp")
    assert lab.node.value == "S5"
    press(lab, "x")
    assert not lab.frame["S5"].alive
    press(lab, "x")
    press(lab, "p")
    assert lab.frame["S5"].paused
    press(lab, "p")
    press(lab, "i")
    press(lab, "h")
    for _ in range(4):
        press(lab, "ArrowRight")
    press(lab, "]")
    assert lab.message == lab.messages.options[0][1]
    press(lab, "[")
    assert lab.message == lab.messages.options[-1][1]
    for key in "dalu":
        press(lab, "]")
        press(lab, key)
        assert lab.trouble == ""
    press(lab, "?")
    assert lab.details.selected_index == 2
    press(lab, "?")
    assert lab.details.selected_index is None
    number = lab.frame.number
    press(lab, "ArrowLeft")
    assert lab.frame.number == number - 1
    press(lab, "g")
    assert len(lab.branches) == 2


def test_what_the_stage_does_not_know_is_ignored():
    lab = working().lab()
    number = lab.stage.seq
    for content in (
        {},
        {"kind": "key", "key": "§"},
        {"kind": "click", "id": "nothing"},
        {"kind": "click", "id": "headline"},
        {"kind": "next", "seq": lab.stage.seq},
        {"kind": "next"},
        {"kind": 5},
    ):
        heard(lab, **content)
    assert lab.stage.seq == number


# Playing


def test_playing_goes_on_as_long_as_the_stage_asks():
    lab = working().lab()
    start = lab.frame.number
    lab.play_button.click()
    assert lab.playing
    assert lab.play_button.description == "Stop"
    for _ in range(5):
        heard(lab, kind="next", seq=lab.stage.seq)
    assert lab.frame.number >= start + 5
    motion = lab.stage.motion
    assert motion["playing"] and motion["steady"] and 100 <= motion["ms"] <= 1200
    lab.play_button.click()
    assert not lab.playing
    number = lab.frame.number
    heard(lab, kind="next", seq=lab.stage.seq)
    assert lab.frame.number == number


def test_two_views_that_ask_get_one_moment():
    lab = working().lab()
    lab.play_button.click()
    seq = lab.stage.seq
    heard(lab, kind="next", seq=seq)
    number = lab.frame.number
    heard(lab, kind="next", seq=seq)
    assert lab.frame.number == number


def test_playing_stops_at_a_violation_which_is_told():
    lab = hasty().lab()
    lab.play_button.click()
    for _ in range(500):
        heard(lab, kind="next", seq=lab.stage.seq)
    assert not lab.playing
    assert not lab.stage.motion["playing"]
    assert "Commit Follows Quorum is broken" in lab.banner.value
    assert "✕" in lab.lights.value
    assert lab.trouble == ""
    lab.before_button.click()
    assert lab.banner.value == ""
    assert "✕" not in lab.lights.value


def test_playing_stops_when_the_reader_does_something_and_when_the_lab_is_closed():
    lab = working().lab()
    lab.play_button.click()
    heard(lab, kind="click", id="node-S1")
    assert not lab.playing
    lab.play_button.click()
    lab.close()
    heard(lab, kind="next", seq=lab.stage.seq)
    assert not lab.playing


def interrupt(*_: object, **__: object) -> None:
    raise KeyboardInterrupt


@pytest.mark.parametrize("during", ["_play_on", "attempt"])
def test_an_interrupt_of_the_kernel_stops_the_playing_and_is_told(during, monkeypatch):
    lab = working().lab()
    lab.play_button.click()
    with monkeypatch.context() as patched:
        patched.setattr(lab.controller, during, interrupt)
        patched.setattr(lab.controller, "interrupted", lambda: None)  # a second one comes there
        with pytest.raises(KeyboardInterrupt):
            heard(lab, kind="next", seq=lab.stage.seq)
        lab.controller.playing = False
    heard(lab, kind="again", seq=lab.stage.seq)
    assert not lab.stage.motion["playing"]
    assert lab.play_button.description == "Play"
    assert lab.trouble.startswith("The kernel was interrupted")


def test_what_is_interrupted_while_it_is_carried_out_leaves_the_lab_standing_still(monkeypatch):
    lab = working().lab()
    with monkeypatch.context() as patched:
        patched.setattr(lab.session, "do", interrupt)
        lab.play_button.click()
        with pytest.raises(KeyboardInterrupt):
            heard(lab, kind="press", name="crash_button", fields={})
    assert not lab.stage.motion["playing"]
    assert lab.play_button.description == "Play"
    assert lab.trouble.startswith("The kernel was interrupted")


def test_a_moment_that_did_not_arrive_is_sent_again():
    lab = working().lab()
    lab.play_button.click()
    lost, number = lab.stage.seq, lab.frame.number
    heard(lab, kind="again", seq=lost)
    assert lab.frame.number > number
    came = lab.stage.seq
    heard(lab, kind="again", seq=lost)
    assert lab.stage.seq == came + 1
    assert lab.stage.motion["playing"]


@pytest.mark.parametrize("full", [False, True])
def test_a_click_on_what_is_chosen_already_stops_the_playing_for_the_page_too(full):
    lab = working().lab(full=full)
    heard(lab, kind="click", id=f"node-{lab.node.value}")
    lab.play_button.click()
    heard(lab, kind="click", id=f"node-{lab.node.value}")
    assert not lab.stage.motion["playing"]
    assert lab.play_button.description == "Play"


def test_playing_the_past_shows_what_was():
    lab = working().lab()
    end = lab.cluster.number
    lab.start_button.click()
    lab.play_button.click()
    for _ in range(10):
        heard(lab, kind="next", seq=lab.stage.seq)
    assert 10 <= lab.frame.number < end
    assert lab.cluster.number == end


# Trouble


def test_an_error_of_the_learners_is_shown_with_its_traceback():
    lab = Cluster(3, seed=1, rules=Failing()).lab()
    lab.election_button.click()
    lab.run_button.click()
    assert lab.trouble == "ZeroDivisionError: a mistake of the learner's"
    assert "<details>" in lab.alarm.value
    assert "verified_index" in lab.alarm.value
    lab.step_button.click()
    assert "ZeroDivisionError" in lab.trouble


def test_an_error_in_drawing_is_shown(monkeypatch):
    lab = working().lab()

    def fails(*_):
        raise RuntimeError("cannot be drawn")

    monkeypatch.setattr("raftlab.lab.renderer.rooms", fails)
    lab.step_button.click()
    assert lab.trouble == "RuntimeError: cannot be drawn"
    monkeypatch.undo()
    lab.step_button.click()
    assert lab.trouble == ""


def test_misuse_is_told_in_its_own_words_without_a_traceback():
    lab = working().lab()
    lab.restart_button.click()
    assert "S1 is running" in lab.trouble
    assert "<details>" not in lab.alarm.value
    lab.crash_button.click()
    assert lab.alarm.value == ""


# Runs


def test_to_act_in_the_past_keeps_every_run():
    cluster = working()
    lab, recording = cluster.lab(), cluster.recording
    lab.go_to(20)
    lab.crash_button.click()
    assert lab.cluster is not cluster
    assert lab.branches[0] == recording == cluster.recording
    assert lab.recording == lab.cluster.recording == lab.branches[1]
    assert lab.branch.value == 2
    assert "run 2" in lab.note.value
    lab.branch.value = 1
    assert lab.cluster is cluster
    assert lab.frame.number == len(recording)


def test_another_lab_or_cell_may_move_the_same_cluster():
    cluster = working()
    one, other = cluster.lab(), cluster.lab()
    one.step_button.click()
    cluster.step()
    other.step_button.click()
    assert other.frame.number == cluster.number
    assert "cluster went on from frame" in other.note.value
    press(one, "r")
    assert one.frame.number == cluster.number


# Size


def frames_in_memory() -> int:
    """How many frames this process holds, those of other tests included."""
    gc.collect()
    return sum(type(each) is raftlab.Frame for each in gc.get_objects())


def test_a_long_run_keeps_a_bounded_number_of_frames_and_sends_small_messages():
    before = frames_in_memory()
    lab = working(commands=300).lab()
    for _ in range(REMEMBERED + 300):
        lab.step_button.click()
    assert lab.frame.number > 2 * REMEMBERED
    assert frames_in_memory() - before < REMEMBERED + 100
    sent = json.dumps([lab.stage.cluster, lab.stage.logs], separators=(",", ":"))
    assert len(sent) < 20_000


def test_what_has_not_changed_is_not_sent():
    lab = working().lab()
    states = []
    lab.stage.send_state = lambda key=None: states.append(set(key or ()))
    lab.step_button.click()
    lab.full_mode.value = True
    lab.node.value = "S4"
    assert states[-1] == {"cluster", "cannot", "motion"}  # S4 has no vote to lose, and may time out
    lab.node.value = "S5"
    assert states[-1] == {"cluster", "cannot", "motion"}
    lab.messages.value = lab.messages.options[0][1]
    lab.messages.value = lab.messages.options[1][1]
    assert states[-1] == {"cluster", "motion"}


@pytest.mark.parametrize("nodes", [1, 2, 51])
def test_small_and_large_clusters(nodes):
    lab = Cluster(nodes, seed=3).lab()
    for press_it in (lab.election_button, lab.propose_button, lab.step_button, lab.crash_button):
        press_it.click()
    assert lab.trouble == ""


def test_importing_raftlab_alone_does_not_load_the_lab():
    program = "import sys, raftlab; print('raftlab.lab' in sys.modules)"
    told = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert told.stdout.strip() == "False"


def test_a_session_needs_no_widgets():
    program = """
import sys, raftlab
from raftlab.lab.session import Session
session = Session(raftlab.Cluster(3))
session.jump("election")
print({"ipywidgets", "anywidget", "traitlets", "IPython"} & set(sys.modules))
"""
    told = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert told.stdout.strip() == "set()", told.stderr


def test_every_button_is_named_for_the_page():
    lab = Cluster(3).lab()
    named = {name for name in dir(lab) if name.endswith("_button")}
    assert named == {name for name in lab.controls.by_name if name.endswith("_button")}
    assert named == set(BUTTONS)
    for name in BUTTONS:
        assert f"raftlab-button-{name}" in getattr(lab, name)._dom_classes


@pytest.mark.parametrize(
    "control",
    [each for each in CONTROLS.values() if each.verb],
    ids=lambda each: each.name or each.key.key,
)
def test_every_verb_of_the_table_is_there_and_every_argument_is_one(control):
    assert callable(called_by(control))
    assert not control.then or callable(getattr(callbacks, control.then))
    for each in control.arguments:
        assert each in FIELDS or each in GOALS or each in (0, 1, -1, END)


def test_enter_and_keys_press_what_there_is():
    assert all(each.enter in BUTTONS for each in CONTROLS.values() if each.enter)
    assert len(KEYS) == sum(each.key is not None for each in CONTROLS.values())
    assert all(each.verb for each in KEYS.values())


def test_a_lab_has_its_controls_and_no_others():
    lab = Cluster(3).lab()
    assert lab.crash_button is lab.controls.crash_button
    assert "crash_button" in dir(lab)
    for thing in (lab, lab.controls):
        with pytest.raises(AttributeError, match="no_such_button"):
            getattr(thing, "no_such_button")  # noqa: B009


@settings(max_examples=25)
@given(st.lists(st.one_of(st.sampled_from(sorted(BUTTONS)), st.integers(-1, 90)), max_size=30))
def test_whatever_is_clicked_nothing_breaks(clicks):
    lab = Cluster(3, seed=2).lab()
    for click in clicks:
        if isinstance(click, str):
            getattr(lab, click).click()
        else:
            lab.go_to(click)
        assert "<details>" not in lab.alarm.value
        assert lab.stage.cluster["desc"].splitlines()[0] in repr(lab)
        assert lab.frame.number == lab.time_slider.value
    lab.close()


def test_a_field_without_a_value_stops_nothing():
    lab = working().lab()
    lab.speed.index = lab.picture.index = None
    number = lab.frame.number
    lab.step_button.click()
    lab.play_button.click()
    heard(lab, kind="next", seq=lab.stage.seq)
    assert lab.trouble == ""
    assert lab.frame.number > number + 1
    heard(lab, kind="press", name="crash_button", fields={"node": None})
    assert lab.node.value == "S1"
    assert lab.trouble == ""


@pytest.mark.parametrize("words", [(), ("enough",)])
def test_a_machine_that_exits_is_an_alarm(words):
    def leave():
        raise SystemExit(*words)

    lab = working().lab()
    lab.do(lambda cluster: leave())
    assert lab.trouble == ": ".join(("SystemExit", *words))
    assert "SystemExit" in lab.alarm.value


def test_a_static_page_shows_the_picture_and_no_error():
    nbconvert = pytest.importorskip("nbconvert")
    nbformat = pytest.importorskip("nbformat")
    lab = working().lab()
    outputs = [nbformat.v4.new_output("display_data", data=data) for data in outputs_of(lab)]
    cell = nbformat.v4.new_code_cell("lab", outputs=outputs)
    notebook = nbformat.v4.new_notebook(cells=[cell])
    page, _ = nbconvert.HTMLExporter().from_notebook_node(notebook)
    assert page.count(f'<img alt="{STILL}') == 1
    assert "widget-view+json" not in page.replace(STYLE, "")


def test_a_refusal_is_shown_as_a_sentence():
    cluster = Cluster(["a", "b", "c"], seed=7)
    lab = cluster.lab(full=True)
    lab.do(lambda cluster: cluster.run(-1))
    assert lab.trouble[0].isupper() and lab.trouble.endswith(".")
    assert lab.trouble in html.unescape(lab.alarm.value)
    lab.do(lambda cluster: cluster.restart("a"))
    assert lab.trouble.startswith("a ") and lab.trouble.endswith(".")
    assert not lab.trouble.endswith("..")

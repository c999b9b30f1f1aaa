"""The lab in a real browser: what a reader clicks, types and drags, and what the page then shows.

Nothing here asserts on time: `expect` waits until the page shows what it should.
"""

import re

import pytest
from playwright.sync_api import expect

from tests.browser.jupyter import LabView

START = """
import raftlab as rl
cluster = rl.Cluster(5, seed=7)
cluster.elect()
for number in range(3):
    cluster.propose(f"x={number}")
    cluster.run(7)
lab = cluster.lab(full=True)
lab
"""

HASTY = """
import raftlab as rl
from raftlab.museum.commitment import CommitsTheBest
lab = rl.Cluster(5, seed=7, rules=CommitsTheBest()).lab(full=True)
lab
"""

MISTAKEN = """
import raftlab as rl

class Mistaken(rl.Rules):
    def verified_index(self, log, prev_log_index, count):
        return 1 / 0

cluster = rl.Cluster(3, seed=1, rules=Mistaken())
cluster.elect()
lab = cluster.lab(full=True)
lab
"""


@pytest.fixture
def lab(run_in_each) -> LabView:
    """A lab with a leader and some commands under way."""
    return run_in_each(START)


def test_a_step_changes_the_picture_and_the_words(lab):
    number = lab.number()
    headline = lab.mark("headline").text_content()
    lab.click("Step")
    lab.at_frame(number + 1)
    expect(lab.newest).to_contain_text(str(number + 1))
    expect(lab.mark("headline")).not_to_have_text(headline)


WATCH = """lab => {
    lab.told = [];
    const words = lab.querySelector(".raftlab-moment").closest(".raftlab-words-moment");
    const time = text => text.match(/[\\d.,]+ ms/)[0];
    new MutationObserver(() => {
        const headline = lab.querySelector('[data-id="headline"]:not(.leaving)');
        lab.told.push([time(words.textContent), time(headline.textContent)]);
    }).observe(lab, {characterData: true, childList: true, subtree: true});
}"""


def test_words_and_picture_tell_the_same_moment_while_the_picture_moves_too(lab):
    lab.root.evaluate(WATCH)
    number = lab.number()
    lab.click("Step")
    lab.at_frame(number + 1)
    lab.stage.focus()
    for _ in range(4):
        lab.page.keyboard.press("ArrowRight")
    lab.at_frame(number + 5)
    lab.click("Play")
    expect(lab.frame).not_to_have_text(re.compile(f"^({number + 5}|{number + 6}|{number + 7})$"))
    lab.click("Stop")
    lab.click("Back")
    told = lab.root.evaluate("lab => lab.told")
    assert len({words for words, _ in told}) > 5
    assert [pair for pair in told if pair[0] != pair[1]] == []


def test_a_crash_shows_a_cross_and_a_restart_takes_it_away(lab):
    lab.root.get_by_label("Node", exact=True).select_option("S3")
    expect(lab.mark("chosen-1")).to_be_attached()
    lab.click("Crash")
    expect(lab.mark("down-S3-a")).to_be_attached()
    expect(lab.newest).to_contain_text("S3 crashes")
    lab.click("Restart")
    expect(lab.mark("down-S3-a")).not_to_be_attached()


def test_a_command_typed_and_entered_is_in_the_leaders_log(lab):
    field = lab.root.get_by_label("Command")
    field.fill("")
    field.press_sequentially("hello=1")
    field.press("Enter")
    expect(lab.newest).to_contain_text("hello=1")
    expect(field).to_have_value("hello=2")
    lab.click("Propose")
    expect(lab.newest).to_contain_text("hello=2")
    field.fill("<b>bold</b>")
    lab.click("Propose")
    expect(lab.newest).to_contain_text("<b>bold</b>")


def test_the_slider_goes_back_in_time(lab):
    end = lab.number()
    handle = lab.slider
    box = handle.bounding_box()
    middle = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    lab.page.mouse.move(*middle)
    lab.page.mouse.down()
    lab.page.mouse.move(middle[0] - 150, middle[1], steps=12)
    lab.page.mouse.up()
    expect(lab.root.locator(".raftlab-past")).to_be_visible()
    assert 0 < lab.number() < end
    handle.press("ArrowLeft")
    lab.click("End")
    lab.at_frame(end)
    expect(lab.root.locator(".raftlab-past")).not_to_be_attached()


def test_to_act_in_the_past_begins_a_new_run(lab):
    lab.click("Back")
    lab.click("Back")
    lab.click("Go on from here")
    expect(lab.root.locator(".raftlab-note")).to_contain_text("this is run 2")
    runs = lab.root.get_by_label("Runs", exact=True)
    expect(runs.locator("option")).to_have_count(2)
    runs.select_option(index=0)
    expect(lab.root.locator(".raftlab-past")).not_to_be_attached()


def test_a_message_is_clicked_and_dropped(lab):
    arrow = lab.root.locator(".raftlab-cluster .message:not(.leaving)").first
    name = arrow.get_attribute("data-id")
    arrow.locator(".hit").click()
    expect(lab.mark("chosen-message")).to_be_attached()
    lab.root.get_by_role("menuitem", name="Drop").click()
    expect(lab.mark(name)).not_to_be_attached()
    expect(lab.mark("lost-cross-a")).to_be_attached()
    expect(lab.newest).to_contain_text("is lost")


def test_a_message_is_chosen_in_the_list_and_delivered(lab):
    messages = lab.root.get_by_label("Messages on their way")
    line = messages.locator("option").last.text_content()
    number = re.match(r"#(\d+)", line)[1]
    messages.select_option(label=line)
    expect(lab.mark("chosen-message")).to_be_attached()
    lab.click("Deliver")
    expect(lab.mark(f"msg-{number}")).not_to_be_attached()
    expect(lab.newest).to_contain_text("receives")


def test_keys_step_back_and_play(lab):
    number = lab.number()
    lab.stage.focus()
    lab.page.keyboard.press("ArrowRight")
    lab.at_frame(number + 1)
    lab.page.keyboard.press("ArrowLeft")
    lab.at_frame(number)
    lab.page.keyboard.press(" ")
    expect(lab.button("Stop")).to_be_visible()
    expect(lab.frame).not_to_have_text(re.compile(f"^({number}|{number + 1}|{number + 2})$"))
    lab.page.keyboard.press(" ")
    expect(lab.button("Play")).to_be_visible()
    lab.page.keyboard.press("?")
    expect(lab.root.locator(".raftlab-keys")).to_be_visible()


def test_the_notebooks_own_keys_stay_out(run_cell):
    lab = run_cell(START)
    cells = lab.page.locator(".jp-Notebook .jp-Cell")
    count = cells.count()
    lab.stage.focus()
    for key in ("x", "d", "d", "a", "b"):
        lab.page.keyboard.press(key)
    expect(cells).to_have_count(count)
    expect(lab.mark("down-S1-a")).to_be_attached()
    lab.button("Heal").focus()
    lab.page.keyboard.press("Enter")
    expect(lab.newest).to_contain_text("whole again")
    expect(cells).to_have_count(count)


def test_every_control_has_a_name_and_is_reached_by_tab(lab):
    unnamed = lab.root.evaluate(
        """lab => [...lab.querySelectorAll("button, input, select, [role=slider]")]
            .filter(each => each.offsetParent && each.tabIndex >= 0)
            .filter(each => !(each.textContent.trim() || each.ariaLabel || each.labels?.length))
            .map(each => each.outerHTML)"""
    )
    assert unnamed == []
    lab.stage.focus()
    lab.page.keyboard.press("Tab")
    expect(lab.root.get_by_label("Speed")).to_be_focused()


def test_a_partition_is_drawn_by_clicking_nodes(lab):
    lab.click("Partition…")
    lab.mark("node-S1").click()
    lab.mark("node-S4").click()
    expect(lab.mark("side-S4")).to_have_text("B")
    lab.click("Cut between A and B")
    expect(lab.newest).to_contain_text("S1 S4 | S2 S3 S5")
    expect(lab.stage.locator(".partition").first).to_be_attached()
    lab.click("Heal")
    expect(lab.stage.locator(".partition:not(.leaving)")).to_have_count(0)


def test_a_node_is_crashed_from_its_menu(lab):
    lab.mark("node-S5").click()
    lab.root.get_by_role("menuitem", name="Crash").click()
    expect(lab.mark("down-S5-a")).to_be_attached()
    lab.mark("node-S5").click()
    expect(lab.root.get_by_role("menuitem", name="Restart")).to_be_focused()
    lab.page.keyboard.press("Escape")
    expect(lab.root.get_by_role("menuitem")).to_have_count(0)
    expect(lab.stage).to_be_focused()


def test_a_refusal_is_told_in_its_own_words(lab):
    lab.click("Restart", greyed=True)
    expect(lab.alarm).to_have_attribute("role", "alert")
    expect(lab.alarm).to_contain_text("S1 is running; crash it before you restart it.")
    lab.click("Step")
    expect(lab.alarm).not_to_be_attached()


def test_an_error_is_told_with_a_way_to_its_traceback(run_cell):
    lab = run_cell(MISTAKEN)
    lab.click("Run")
    expect(lab.alarm).to_contain_text("ZeroDivisionError: division by zero")
    lab.alarm.locator("summary").click()
    expect(lab.alarm.locator("pre")).to_contain_text("verified_index")


def test_a_violation_stops_the_playing_and_is_told(run_in_each, gallery):
    lab = run_in_each(HASTY)
    lab.root.get_by_label("Speed").select_option("250 ms/s")
    lab.click("Play")
    banner = lab.root.locator(".raftlab-banner")
    expect(banner).to_contain_text("Commit Follows Quorum is broken", timeout=20_000)
    expect(lab.button("Play")).to_be_visible()
    expect(lab.root.locator(".raftlab-broken")).to_contain_text("✕")
    lab.root.evaluate("lab => lab.scrollIntoView()")
    lab.page.screenshot(path=gallery / "violation.png")
    lab.click("Look at the frame before")
    expect(banner).not_to_be_visible()


def test_the_text_twin_is_at_hand(lab):
    lab.root.get_by_text("All of it as text").click()
    twin = lab.root.locator(".raftlab-text")
    expect(twin).to_contain_text("S2 leads term 1")
    expect(lab.stage.locator("svg.cluster desc")).to_contain_text("S2 leads term 1")


def test_the_same_lab_shown_twice_stays_in_step(run_cell):
    page = run_cell(
        START + "\nfrom IPython.display import display\ndisplay(lab)\ndisplay(lab)"
    ).page
    expect(page.locator(".raftlab-stage")).to_have_count(2)
    labs = [LabView(page, root) for root in page.locator(".raftlab-lab").all()]
    number = labs[0].number()
    labs[1].click("Step")
    for each in labs:
        each.at_frame(number + 1)
    labs[0].click("Play")
    expect(labs[1].button("Stop")).to_be_visible()
    labs[1].click("Stop")
    expect(labs[0].button("Play")).to_be_visible()
    expect(labs[0].frame).to_have_text(str(labs[1].number()))


def test_who_wants_no_motion_gets_none(host):
    host.page.emulate_media(reduced_motion="reduce")
    lab = host.show(START)
    number = lab.number()
    lab.click("Step")
    lab.at_frame(number + 1)
    lab.click("Play")
    expect(lab.frame).not_to_have_text(re.compile(f"^({number}|{number + 1}|{number + 2})$"))
    lab.click("Stop")


def places(lab: LabView) -> list[dict]:
    """Where the two pictures are."""
    return [lab.root.locator(f".raftlab-{name}").bounding_box() for name in ("cluster", "logs")]


def test_it_stacks_where_it_is_narrow(host, gallery):
    lab = host.show(START)
    cluster, logs = places(lab)
    assert logs["x"] >= cluster["x"] + cluster["width"]
    lab.page.set_viewport_size({"width": 600, "height": 1500})
    host.hide_sides()
    lab.root.evaluate("lab => lab.scrollIntoView()")
    expect(lab.root).to_have_css("width", re.compile(r"^[3-5]\d\d"))
    cluster, logs = places(lab)
    assert logs["y"] >= cluster["y"] + cluster["height"]
    whole = lab.root.bounding_box()
    for box in (cluster, logs):
        assert whole["x"] <= box["x"]
        assert box["x"] + box["width"] <= whole["x"] + whole["width"] + 1
    lab.page.screenshot(path=gallery / "narrow.png")


@pytest.mark.parametrize("sides", ["with-files", "alone"])
def test_picture_slider_and_buttons_are_seen_without_scrolling(host, gallery, sides):
    lab = host.show(START)
    if sides == "alone":
        host.hide_sides()
    lab.root.evaluate("lab => lab.scrollIntoView()")
    for each in (lab.stage, lab.button("Step"), lab.slider, lab.button("Propose")):
        assert lab.in_sight(each)
    lab.click("commit")
    expect(lab.newest).to_contain_text("committed")
    lab.page.screenshot(path=gallery / f"{sides}.png")


def test_it_survives_the_end_of_its_kernel(run_cell):
    lab = run_cell(START)
    page = lab.page
    page.evaluate("() => void jupyterapp.commands.execute('kernelmenu:restart')")
    page.get_by_role("button", name="Confirm Kernel Restart").click()
    page.wait_for_function(
        "() => jupyterapp.shell.currentWidget.sessionContext.session.kernel.status === 'idle'"
    )
    errors: list[object] = []
    page.on("pageerror", lambda error: errors.append(error))
    lab.mark("node-S1").click()
    lab.stage.focus()
    page.keyboard.press("ArrowRight")
    expect(lab.mark("node-S1")).to_be_visible()
    expect(lab.root.locator(".raftlab-gone")).to_contain_text("Run its cell again")
    said = "each => getComputedStyle(each, '::before').content"
    assert "run this cell again" in lab.root.evaluate(said)
    assert lab.button("Step").evaluate(said) == "none"  # no sign of its own at every control
    assert errors == []
    again = run_cell(START)
    number = again.number()
    again.click("Step")
    again.at_frame(number + 1)


INTERRUPTED = """
def next_moment(seq, answer=lab.controller.next_moment, asked=[]):
    asked.append(seq)
    if len(asked) == 3:
        raise KeyboardInterrupt
    answer(seq)

lab.controller.next_moment = next_moment
lab.controller.interrupted = lambda: None
lab
"""
"""The kernel is interrupted before it can say anything, as it takes up the third moment."""


def test_a_lab_whose_kernel_is_interrupted_plays_on(run_cell):
    lab = run_cell(START.rpartition("lab\n")[0] + INTERRUPTED)
    number = lab.number()
    lab.click("Play")
    for _ in range(6):  # more moments than two
        expect(lab.frame).not_to_have_text(str(number), timeout=20_000)
        number = lab.number()
    lab.click("Stop")
    expect(lab.button("Play")).to_be_visible()


def test_the_tab_key_still_comes_to_the_buttons_of_time_when_one_of_them_goes(lab):
    lab.click("Start")
    lab.at_frame(0)
    lab.button("Go on from here").press("Enter")
    expect(lab.button("Go on from here")).to_have_count(0)
    expect(lab.root.locator(".raftlab-transport button[tabindex='0']")).to_be_visible()
    expect(lab.root.locator(".raftlab-transport button[tabindex='0']")).to_have_count(1)


def test_a_picture_that_has_to_be_scrolled_can_be_scrolled_by_keys(host):
    lab = host.show("import raftlab as rl\nrl.Cluster(7, seed=7).lab()")
    host.page.set_viewport_size({"width": 1366, "height": 510})
    pane = lab.root.locator(".raftlab-cluster")
    expect(pane).to_have_attribute("tabindex", "0")
    pane.press("PageDown")
    lab.page.wait_for_function("pane => pane.scrollTop > 0", arg=pane.element_handle())
    host.page.set_viewport_size({"width": 1366, "height": 2000})
    pane.evaluate("pane => (pane.style.maxHeight = 'none')")
    expect(pane).not_to_have_attribute("tabindex", "0")

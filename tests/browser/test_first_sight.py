"""The lab at first sight, by keyboard and by ear: what a newcomer sees, reaches and hears."""

import re
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.hosts import Host
from tests.browser.jupyter import LabView, Notebook

AXE = Path(__file__).parent / "axe" / "axe.min.js"

SIMPLE = """
import raftlab as rl
cluster = rl.Cluster({nodes}, seed=7)
cluster.elect()
for number in range(3):
    cluster.propose(f"x={{number}}")
    cluster.run(7)
lab = cluster.lab({options})
lab
"""
PLAYING = """
import raftlab as rl
cluster = rl.Cluster(5, seed=12)
cluster.run(125)
cluster.lab(play=True)
"""

BROKEN = """
import raftlab as rl
from raftlab.museum import exhibit
exhibit("best-copy-commits").recording().lab()
"""

SMALLEST_LETTERS = """lab => Math.min(
    ...[...lab.querySelectorAll(".raftlab-stage svg text")].map(
        text => parseFloat(getComputedStyle(text).fontSize) * text.getScreenCTM().a),
    ...[...lab.querySelectorAll("button, label, input, select, option, summary, li, p, b, div")]
        .filter(each => each.offsetParent && each.textContent.trim())
        .map(each => parseFloat(getComputedStyle(each).fontSize)),
)"""


def cell(nodes: int = 5, options: str = "") -> str:
    return SIMPLE.format(nodes=nodes, options=options)


def in_sight(lab: LabView, *things: Locator) -> bool:
    """Whether all of it can be seen, once the lab is scrolled to the top."""
    lab.root.evaluate("lab => lab.scrollIntoView()")
    return lab.in_sight(*things)


def settled(lab: LabView) -> LabView:
    """The same lab, once the picture has the size that there is room for."""
    lab.page.wait_for_function(
        """() => {
            const right = each => each.getBoundingClientRect().right;
            const pictures = [...document.querySelectorAll(".raftlab-stage svg")];
            return pictures.every(svg => right(svg) <= right(svg.parentNode) + 1);
        }"""
    )
    return lab


# Sizes


@pytest.mark.parametrize("options", ["", "full=True"], ids=["simple", "full"])
@pytest.mark.parametrize("nodes", [3, 5, 7])
def test_no_letter_is_under_11_px_on_a_laptop_with_the_list_of_files_open(
    run_in_each, gallery, nodes, options
):
    lab = settled(run_in_each(cell(nodes, options)))
    assert lab.page.viewport_size == {"width": 1366, "height": 768}
    assert lab.root.evaluate(SMALLEST_LETTERS) >= 10.99
    lab.root.evaluate("lab => lab.scrollIntoView()")
    lab.page.screenshot(path=gallery / f"first-{nodes}-{options or 'simple'}.png")


@pytest.mark.parametrize("options", ["", "full=True"], ids=["simple", "full"])
def test_no_letter_is_under_11_px_where_logs_are_long(run_in_each, gallery, options):
    longer = cell(5, options).replace("range(3)", "range(30)").replace("x={", "account{number}={")
    lab = settled(run_in_each(longer))
    assert lab.root.evaluate(SMALLEST_LETTERS) >= 10.99
    heads = lab.root.locator(".raftlab-logs .index")
    assert 3 <= heads.count() < 14
    expect(lab.root.locator(".raftlab-logs .more")).to_have_count(5)
    lab.page.screenshot(path=gallery / f"long-{options or 'simple'}.png")


def test_the_simple_lab_is_seen_whole_and_all_controls_are_one_click_away(run_in_each):
    lab = settled(run_in_each(cell()))
    assert in_sight(lab, lab.root)
    visible = lab.root.locator("button:visible")
    assert visible.count() <= 8
    lab.click("All controls")
    for words in ("Start", "End", "election", "Partition…", "Read", "Deliver", "Time out"):
        expect(lab.button(words)).to_be_visible()
    assert in_sight(lab, lab.stage, lab.button("Step"), lab.button("Propose"), lab.button("Read"))
    lab.click("Main controls")
    expect(lab.button("Read")).not_to_be_visible()


def test_the_leader_is_crashed_and_restarted_in_the_simple_lab(run_in_each):
    lab = run_in_each(cell())
    restart = lab.root.locator(".raftlab-button-restart_all_button")
    expect(restart).to_have_attribute("aria-disabled", "true")
    expect(restart).to_have_attribute("title", "No server is down.")
    lab.click("Crash the leader")
    expect(lab.mark("down-S2-a")).to_be_attached()
    expect(lab.root.locator(".raftlab-newest")).to_contain_text("S2 crashes")
    crash = lab.button("Crash the leader")
    expect(crash).to_have_attribute("title", "Nobody leads now.")
    expect(restart).not_to_have_attribute("aria-disabled", "true")
    restart.click()
    expect(lab.mark("down-S2-a")).not_to_be_attached()
    lab.click("Crash the leader", greyed=True)
    expect(lab.alarm).to_contain_text("Nobody leads now: let time pass until somebody does.")


def test_undo_is_a_click(run_in_each):
    lab = run_in_each(cell(options="full=True"))
    number = lab.number()
    expect(lab.button("Undo")).to_have_attribute("aria-disabled", "true")
    lab.click("Crash the leader")
    lab.at_frame(number + 1)
    lab.click("Undo")
    lab.at_frame(number)
    expect(lab.mark("down-S2-a")).not_to_be_attached()


def test_a_jump_that_finds_nothing_says_what_to_do(run_in_each):
    lab = run_in_each(cell(options="full=True"))
    number = lab.number()
    lab.click("election")
    expect(lab.root.locator(".raftlab-note")).to_contain_text("crash or isolate it first")
    lab.at_frame(number)


@pytest.mark.parametrize(
    ("size", "nodes"), [((390, 844), 3), ((683, 384), 3), ((820, 1180), 5)], ids=str
)
def test_picture_and_main_controls_are_on_the_first_screen(host, gallery, size, nodes):
    host.page.set_viewport_size({"width": size[0], "height": size[1]})  # 683 px: 1366 at 200 %
    host.hide_sides()
    lab = settled(host.show(cell(nodes)))
    assert in_sight(lab, lab.stage, lab.button("Play"), lab.button("Step"), lab.slider)
    overflow = lab.stage.evaluate(
        """stage => [...stage.querySelectorAll(".raftlab-cluster, .raftlab-logs")]
            .map(pane => pane.scrollWidth - pane.clientWidth)"""
    )
    assert max(overflow) <= 1 or nodes > 3
    lab.page.screenshot(path=gallery / f"first-{size[0]}.png")


# The first minute


def test_the_first_notebook_shows_a_picture_at_once_and_moves_it_at_one_key(
    desk_page: Page, address: str, scratch: Notebook, gallery
):
    page = desk_page.context.new_page()
    try:
        Notebook(page, address, "notebooks/00_start_here.ipynb")
        page.evaluate("() => jupyterapp.shell.expandLeft()")
        still = page.locator(".jp-OutputArea img").first
        expect(still).to_be_visible()
        assert share_in_sight(still) > 0.4
        page.screenshot(path=gallery / "first-minute-opened.png")
        page.locator(".jp-Notebook .jp-CodeCell .jp-InputArea-editor").first.click()
        page.keyboard.press("Shift+Enter")
        lab = LabView(page, page.locator(".raftlab-lab").first)
        expect(lab.button("Stop")).to_be_visible()
        expect(lab.frame).to_have_text(re.compile(r"[3-9]|\d\d+"))
        assert share_in_sight(lab.button("Stop")) == 1
        assert share_in_sight(lab.mark("node-S1")) == 1
        assert share_in_sight(lab.stage) > 0.5
        page.screenshot(path=gallery / "first-minute-moving.png")
    finally:
        page.close()


def share_in_sight(thing: Locator) -> float:
    """How much of the height of it is seen, without scrolling."""
    panel, box = thing.page.locator(".jp-WindowedPanel-outer").bounding_box(), thing.bounding_box()
    top = max(panel["y"], box["y"])
    bottom = min(panel["y"] + panel["height"], box["y"] + box["height"])
    return max(0.0, bottom - top) / box["height"]


# By itself


def test_it_plays_as_soon_as_it_is_shown(run_cell):
    lab = run_cell(PLAYING)
    number = lab.number()
    expect(lab.button("Stop")).to_be_visible()
    lab.page.wait_for_function(
        "number => Number(document.querySelector('.raftlab-moment b').textContent) > number + 3",
        arg=number,
    )
    lab.click("Stop")
    expect(lab.button("Play")).to_be_visible()


def test_who_wants_no_motion_finds_it_standing_still(run_cell, desk_page: Page):
    desk_page.emulate_media(reduced_motion="reduce")
    lab = run_cell(PLAYING)
    expect(lab.button("Play")).to_be_visible()
    assert lab.number() <= 1


# By keyboard and by ear


def test_the_picture_is_within_three_stops_of_the_tab_key(run_in_each):
    lab = run_in_each(cell(options="full=True"))
    lab.root.evaluate("lab => lab.querySelector('button[tabindex=\"0\"]').focus()")
    expect(lab.button("Play")).to_be_focused()
    lab.page.keyboard.press("Tab")
    expect(lab.slider).to_be_focused()
    lab.page.keyboard.press("Tab")
    expect(lab.stage).to_be_focused()


def test_arrows_move_among_the_buttons_of_time(run_in_each):
    lab = run_in_each(cell(options="full=True"))
    number = lab.number()
    lab.button("Play").focus()
    for words in ("Step", "End", "Undo", "Start", "Back"):
        lab.page.keyboard.press("ArrowRight")
        expect(lab.button(words)).to_be_focused()
    lab.page.keyboard.press("Enter")
    lab.at_frame(number - 1)
    lab.page.keyboard.press("ArrowLeft")
    expect(lab.button("Start")).to_be_focused()


def test_the_end_key_in_the_slider_goes_to_the_end_of_the_run_as_it_is_now(run_in_each):
    lab = run_in_each(cell())
    end = lab.number() + 1
    lab.click("Step")
    lab.at_frame(end)
    lab.slider.press("Home")
    lab.at_frame(0)
    lab.slider.press("End")
    lab.at_frame(end)


def test_events_are_read_out_one_by_one_and_while_playing_only_who_leads(run_in_each):
    lab = run_in_each(cell())
    heard = lab.root.locator("[role=status].raftlab-spoken")
    lab.click("Step")
    line = lab.root.locator(".raftlab-newest")
    expect(heard).not_to_be_empty()
    assert heard.text_content() in line.text_content()
    lab.page.evaluate(
        """() => {
            window.said = [];
            const heard = document.querySelector("[role=status].raftlab-spoken");
            new MutationObserver(() => said.push(heard.textContent))
                .observe(heard, {childList: true, characterData: true, subtree: true});
        }"""
    )
    lab.click("Play")
    number = lab.number()
    lab.page.wait_for_function(
        "number => Number(document.querySelector('.raftlab-moment b').textContent) > number + 8",
        arg=number,
    )
    assert lab.page.evaluate("() => said") == ["S2 leads term 1."]
    lab.click("Stop")


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("state", ["simple", "full", "refusal", "violation"])
def test_axe_finds_nothing_serious(host, gallery, dark, state):
    host.dress(dark=dark)
    lab = IN_STATE[state](host)
    lab.page.wait_for_timeout(500)  # nothing is fading in any more
    lab.page.evaluate(f"{{const module = undefined; const define = undefined; {AXE.read_text()}}}")
    found = lab.page.evaluate(SERIOUS, host.around)
    lab.root.evaluate("lab => lab.scrollIntoView()")
    lab.page.screenshot(path=gallery / f"{'dark' if dark else 'light'}-{state}.png")
    assert found == []


SERIOUS = """async around => (await axe.run(document.querySelector(around))).violations
    .filter(each => around === "html" || ["serious", "critical"].includes(each.impact))
    .map(each => [each.id, each.nodes.map(node => [node.html, node.failureSummary])])"""
"""Of a lab in JupyterLab what is serious; the page is all ours, and nothing is to be found."""


def with_everything_open(host: Host) -> LabView:
    lab = host.show(cell(options="full=True"))
    lab.click("More…")
    lab.click("New…")
    lab.root.get_by_text("Runs and sharing").click()
    lab.click("Python")
    return lab


def with_a_refusal(host: Host) -> LabView:
    lab = host.show(cell(options="full=True"))
    lab.click("Restart", greyed=True)
    expect(lab.alarm).to_be_visible()
    return lab


def with_a_violation(host: Host) -> LabView:
    lab = host.show(BROKEN)
    expect(lab.root.locator(".raftlab-banner")).to_be_visible()
    return lab


IN_STATE = {
    "simple": lambda host: host.show(cell()),
    "full": with_everything_open,
    "refusal": with_a_refusal,
    "violation": with_a_violation,
}


def test_on_a_tablet_a_row_is_a_row_and_a_long_message_can_be_read_to_its_end(host: Host) -> None:
    lab = host.show(SIMPLE.format(nodes=5, options="full=True"))
    host.hide_sides()
    for _ in range(3):  # what stands beside the lab in its host is no part of the tablet
        beside = lab.page.evaluate("innerWidth") - lab.root.bounding_box()["width"]
        lab.page.set_viewport_size({"width": round(780 + beside), "height": 1180})
    assert abs(lab.root.bounding_box()["width"] - 780) < 10
    for first, last in (("Start", "Undo"), ("Run", "New…"), ("Crash", "More…")):
        one, other = lab.tops(lab.button(first), lab.button(last))
        assert abs(one - other) < 6, (first, last)
    messages = lab.root.locator(".raftlab-messages select")
    end = "list => (list.scrollLeft = 9999, list.scrollLeft + list.clientWidth >= list.scrollWidth)"
    assert messages.evaluate(end)


def test_on_a_telephone_what_happened_last_is_read_to_its_end(host: Host) -> None:
    lab = host.show(SIMPLE.format(nodes=5, options=""))
    host.hide_sides()
    for _ in range(3):  # what stands beside the lab in its host is no part of the telephone
        beside = lab.page.evaluate("innerWidth") - lab.root.bounding_box()["width"]
        lab.page.set_viewport_size({"width": round(360 + beside), "height": 844})
    newest = lab.root.locator(".raftlab-newest")
    whole = "each => each.scrollWidth <= each.clientWidth && each.scrollHeight <= each.clientHeight"
    longest = 0
    for _ in range(12):
        lab.click("Step")
        lab.settle()
        longest = max(longest, len(newest.inner_text()))
        assert newest.evaluate(whole), newest.inner_text()
    assert longest > 70

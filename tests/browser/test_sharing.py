"""Runs as a tree and as texts in a real browser: what a reader opens, copies, pastes and clicks.

Nothing here asserts on time: `expect` waits until the page shows what it should.
"""

import re
from hashlib import sha512

import pytest
from playwright.sync_api import Locator, expect

from tests.browser.jupyter import LabView
from tests.browser.test_lab import START

BROKEN = """
import raftlab as rl
from raftlab.museum.commitment import CommitsTheBest

cluster = rl.Cluster(5, seed=7, rules=CommitsTheBest)
try:
    cluster.run(1000)
except rl.Violation:
    pass
lab = cluster.recording.lab(full=True)
lab
"""

TWO = (
    START.rstrip().removesuffix("lab")
    + """
from IPython.display import display
second = rl.Cluster(3, seed=2).lab(full=True)
display(lab, second)
"""
)


@pytest.fixture
def lab(run_in_each) -> LabView:
    """A lab with a leader and some commands under way, and its panel of runs open."""
    return with_runs(run_in_each(START))


def with_runs(lab: LabView) -> LabView:
    """The same lab, with its panel of runs open."""
    lab.root.get_by_text("Runs and sharing").click()
    expect(runs(lab)).to_be_visible()
    return lab


def runs(lab: LabView) -> Locator:
    return lab.root.get_by_label("Runs (choose one to go to its end)")


def shared(lab: LabView) -> Locator:
    return lab.root.get_by_label("The run up to this frame as a text")


def field(lab: LabView) -> Locator:
    return lab.root.get_by_label("Open", exact=True)


def branch_off(lab: LabView, by: int) -> None:
    """Go some frames back, and go on from there."""
    number = lab.number()
    for _ in range(by):
        number -= 1
        lab.click("Back")
        lab.at_frame(number)
    lab.click("Go on from here")
    expect(lab.button("Go on from here")).not_to_be_visible()


def test_the_text_of_the_run_is_seen_and_follows_the_moment_looked_at(lab):
    expect(shared(lab)).to_have_value(re.compile(r"^raftlab\.1\.[\w-]+$"))
    assert shared(lab).evaluate("each => each.readOnly")
    text = shared(lab).input_value()
    lab.click("Back")
    expect(shared(lab)).not_to_have_value(text)
    lab.click("End")
    expect(shared(lab)).to_have_value(text)


def test_the_text_is_copied_with_one_click(lab):
    lab.page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    text = shared(lab).input_value()
    lab.click("Copy")
    expect(lab.root.locator(".raftlab-copied")).to_have_text("Copied.")
    assert lab.page.evaluate("() => navigator.clipboard.readText()") == text
    lab.page.context.clear_permissions()


def test_where_the_clipboard_is_closed_the_text_is_selected_to_be_copied(lab):
    lab.page.evaluate("() => { document.execCommand = () => false; }")
    lab.page.evaluate("() => { navigator.clipboard.writeText = () => Promise.reject(); }")
    lab.click("Copy")
    expect(lab.root.locator(".raftlab-copied")).to_contain_text("Ctrl+C")
    expect(shared(lab)).to_be_focused()
    assert lab.page.evaluate("() => String(getSelection())") == shared(lab).input_value()
    lab.page.evaluate(
        "() => { delete document.execCommand; delete navigator.clipboard.writeText; }"
    )


def test_a_text_from_one_lab_opens_in_another(run_cell):
    page = run_cell(TWO).page
    expect(page.locator(".raftlab-stage")).to_have_count(2)
    first, second = (with_runs(LabView(page, each)) for each in page.locator(".raftlab-lab").all())
    text, end = shared(first).input_value(), first.number()
    field(second).fill(f"  {text[:20]} {text[20:]} ")
    second.click("Open as a new run")
    second.at_frame(end)
    expect(second.mark("node-S5")).to_be_visible()
    expect(shared(second)).to_have_value(text)
    expect(field(second)).to_have_value("")
    expect(runs(second).locator("option")).to_have_count(2)
    expect(runs(second).locator("option").last).to_contain_text("opened")
    runs(second).select_option(index=0)
    second.at_frame(0)
    expect(second.mark("node-S5")).to_have_count(0)


def test_enter_in_the_field_opens_and_what_is_no_run_is_refused(lab, gallery):
    number = lab.number()
    field(lab).fill("<b>nothing</b>")
    field(lab).press("Enter")
    expect(lab.alarm).to_contain_text("That is no shared run")
    expect(field(lab)).to_be_in_viewport()
    expect(lab.alarm).to_be_in_viewport()
    lab.page.screenshot(path=gallery / "runs-refused.png")
    field(lab).fill(shared(lab).input_value()[:-4])
    lab.click("Open as a new run")
    expect(lab.alarm).to_contain_text("altered or cut short")
    lab.at_frame(number)
    expect(runs(lab).locator("option")).to_have_count(1)
    lab.click("Step")
    lab.at_frame(number + 1)
    expect(lab.alarm).not_to_be_attached()


@pytest.mark.parametrize("host", ["page"], indirect=True)  # JupyterLab tells it below the field
@pytest.mark.parametrize("size", [(1366, 768), (390, 844), (683, 384)], ids=str)
def test_what_the_page_refuses_is_in_sight_of_the_field(host, size):
    host.page.set_viewport_size({"width": size[0], "height": size[1]})
    lab = with_runs(host.show(START))
    field(lab).fill("nothing")
    field(lab).press("Enter")
    expect(lab.alarm).to_contain_text("That is no shared run")
    field(lab).scroll_into_view_if_needed()
    expect(lab.alarm).to_be_in_viewport(ratio=1)


def test_a_huge_text_is_refused_and_the_lab_goes_on(lab):
    number = lab.number()
    field(lab).focus()
    lab.page.keyboard.insert_text("raftlab.1." + "x" * 3_000_000)
    assert len(field(lab).input_value()) < 300_000  # it must pass through the connection
    field(lab).press("Enter")
    expect(lab.alarm).to_contain_text("at most 200,000 letters")
    expect(field(lab)).to_have_value("")
    lab.click("Step")
    lab.at_frame(number + 1)


def test_the_tree_is_drawn_and_a_run_in_it_is_gone_to_by_click_and_by_key(lab, gallery):
    end = lab.number()
    branch_off(lab, 4)
    lab.click("Step")
    lab.at_frame(end - 3)
    branch_off(lab, 2)
    told = runs(lab).locator("option")
    expect(told).to_have_count(3)
    expect(told.nth(1)).to_contain_text("└─ run 2: from frame")
    expect(told.nth(2)).to_contain_text("▶")
    runs(lab).evaluate("list => list.scrollIntoView()")
    lab.page.screenshot(path=gallery / "runs.png")
    told.first.click()
    lab.at_frame(end)
    expect(told.first).to_contain_text("▶")
    runs(lab).focus()
    lab.page.keyboard.press("ArrowDown")
    lab.at_frame(end - 3)
    expect(told.nth(1)).to_contain_text("▶")
    expect(runs(lab)).to_be_focused()


def test_the_run_is_shown_as_python(lab):
    lab.click("Python")
    expect(lab.root.locator(".raftlab-code")).to_contain_text('cluster.propose("x=2")')
    lab.click("Python")
    expect(lab.root.locator(".raftlab-code")).not_to_be_visible()


def test_a_recording_of_a_violation_opens_with_its_banner_and_branches_off(run_in_each, gallery):
    lab = with_runs(run_in_each(BROKEN))
    banner = lab.root.locator(".raftlab-banner")
    expect(banner).to_contain_text("Commit Follows Quorum is broken")
    expect(runs(lab).locator("option")).to_contain_text("✕ Commit Follows Quorum")
    end, text = lab.number(), shared(lab).input_value()
    lab.click("Look at the frame before")
    expect(banner).not_to_be_visible()
    lab.click("Crash")
    expect(runs(lab).locator("option")).to_have_count(2)
    field(lab).fill(text)
    lab.click("Open as a new run")
    expect(banner).to_be_visible()
    lab.at_frame(end)
    expect(runs(lab).locator("option")).to_have_count(3)
    lab.page.screenshot(path=gallery / "runs-violation.png")


@pytest.mark.parametrize("width", [1366, 760])
def test_the_panel_stays_in_its_width_and_below_the_picture(host, gallery, width):
    host.page.set_viewport_size({"width": width, "height": 768})
    lab = host.show(START)
    end = lab.number()
    for number in range(1, 7):  # what cannot be packed makes a text long
        lab.root.get_by_label("Command").fill(sha512(bytes(number)).hexdigest())
        lab.click("Propose")
        lab.at_frame(end + number)
    with_runs(lab).click("Python")
    stage, panel = lab.stage.bounding_box(), lab.root.locator(".raftlab-sharing").bounding_box()
    assert panel["y"] > stage["y"] + stage["height"]
    whole = lab.root.bounding_box()
    assert panel["x"] + panel["width"] <= whole["x"] + whole["width"] + 1
    for thing in (shared(lab), field(lab), runs(lab), lab.root.locator(".raftlab-code")):
        box = thing.bounding_box()
        assert box["x"] + box["width"] <= whole["x"] + whole["width"] + 1
    runs(lab).evaluate("list => list.scrollIntoView({block: 'center'})")
    lab.page.screenshot(path=gallery / f"sharing-{width}.png")
    lab.root.evaluate("lab => lab.scrollIntoView()")
    expect(lab.stage).to_be_in_viewport()


def test_every_control_of_the_panel_has_a_name_and_is_reached_by_tab(lab):
    panel = lab.root.locator(".raftlab-sharing")
    unnamed = panel.evaluate(
        """panel => [...panel.querySelectorAll("button, input, select, textarea")]
            .filter(each => !(each.textContent.trim() || each.ariaLabel || each.labels?.length))
            .map(each => each.outerHTML)"""
    )
    assert unnamed == []
    runs(lab).focus()
    links = lab.button("Copy link").all()  # a page has addresses
    copying = (lab.button("Copy"), *links, lab.button("Python"))
    for reached in (shared(lab), *copying, field(lab)):
        lab.page.keyboard.press("Tab")
        expect(reached).to_be_focused()


def test_typing_in_the_field_is_no_key_of_the_lab(lab):
    number = lab.number()
    field(lab).press_sequentially("xgdd?")
    expect(field(lab)).to_have_value("xgdd?")
    expect(shared(lab)).to_be_visible()
    lab.at_frame(number)
    expect(lab.mark("down-S1-a")).not_to_be_attached()

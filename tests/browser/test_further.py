"""The lab beyond Figure 2 in a real browser: leadership, members, reads and trouble.

Nothing here asserts on time: `expect` waits until the page shows what it should.
"""

from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.browser.jupyter import LabView

SETTLED = """
import raftlab as rl
cluster = rl.Cluster({nodes}, seed=7, options=rl.Options(lease_reads={lease}))
cluster.elect()
for number in range(3):
    cluster.propose(f"x={{number}}")
    cluster.run(60)
lab = cluster.lab(full=True)
lab
"""

FIVE = SETTLED.format(nodes=5, lease=False)
LEASE = SETTLED.format(nodes=3, lease=True)

BEHIND = """
import raftlab as rl
cluster = rl.Cluster(3, seed=7)
cluster.elect()
for number in range(6):
    cluster.propose(f"x={number}")
    cluster.run(30)
cluster.compact(cluster.leader)
lab = cluster.lab(full=True)
lab
"""


@pytest.fixture
def opened(host) -> Callable[[str], LabView]:
    """Run a cell that shows a lab, and open the panel in it."""

    def run(source: str) -> LabView:
        host.page.emulate_media(reduced_motion="reduce")
        lab = host.show(source)
        picture = lab.stage.locator("svg.cluster")
        whole = picture.get_attribute("viewBox")
        lab.click("More…")
        expect(picture).not_to_have_attribute("viewBox", whole)  # it is lower beside the panel
        return lab

    return run


@pytest.fixture
def lab(opened) -> LabView:
    """A lab of five nodes, of which S2 leads."""
    return opened(FIVE)


def picture(lab: LabView, path: Path) -> None:
    """A screenshot of the lab, for a human to look at."""
    lab.root.evaluate("lab => lab.scrollIntoView()")
    lab.page.screenshot(path=path)


def choose(lab: LabView, label: str, option: str) -> None:
    lab.root.get_by_label(label, exact=True).select_option(option)


def type_in(lab: LabView, label: str, words: str) -> None:
    """Fill a field, and press Enter in it."""
    field = lab.root.get_by_label(label, exact=True)
    field.fill(words)
    field.press("Enter")


@pytest.mark.parametrize("sides", ["with-files", "alone"])
def test_at_first_sight_it_takes_no_room_and_open_it_is_seen_with_the_picture(host, gallery, sides):
    lab = host.show(FIVE)
    if sides == "alone":
        host.hide_sides()
    panel = lab.root.locator(".raftlab-further")
    expect(panel).not_to_be_visible()
    assert lab.root.locator(".raftlab-transport").bounding_box()["height"] < 40  # one row, as ever
    lab.click("More…")
    expect(panel).to_be_visible()
    lab.root.evaluate("lab => lab.scrollIntoView()")
    for thing in (panel, lab.stage, *panel.locator("button, input, select").all()):
        assert lab.in_sight(thing)
    cut = panel.evaluate(
        """panel => [...panel.querySelectorAll("button, label")]
            .filter(each => each.scrollWidth > each.clientWidth + 1)
            .map(each => each.textContent)"""
    )
    assert cut == []
    lab.page.screenshot(path=gallery / f"more-{sides}.png")
    lab.stage.focus()
    lab.page.keyboard.press("m")
    expect(panel).not_to_be_visible()


STAGE_BELOW_TOP = """lab => lab.querySelector(".raftlab-stage").getBoundingClientRect().top
    - lab.getBoundingClientRect().top"""

BETWEEN_WORD_AND_HANDLE = """lab => {
    const slider = lab.querySelector(".raftlab-transport .widget-hslider"), word = new Range()
    word.selectNodeContents(slider.querySelector(".widget-label"))
    const handle = slider.querySelector(".noUi-handle").getBoundingClientRect()
    return handle.left - word.getBoundingClientRect().right
}"""


@pytest.mark.parametrize("width", [1366, 1150, 1100, 1060, 980, 926, 860, 768, 600, 480, 390])
def test_a_step_into_the_past_leaves_the_picture_where_it_is(host, width):
    lab = host.show(FIVE)
    host.hide_sides()
    lab.page.set_viewport_size({"width": width, "height": 900})
    lab.settle()
    top = lab.root.evaluate(STAGE_BELOW_TOP)
    lab.click("Back")
    expect(lab.button("Go on from here")).to_be_visible()
    assert lab.root.evaluate(STAGE_BELOW_TOP) == pytest.approx(top, abs=1)
    lab.click("Start")
    lab.at_frame(0)
    assert lab.root.evaluate(BETWEEN_WORD_AND_HANDLE) > 1


def test_leadership_is_handed_over_by_a_click(lab, gallery):
    lab.mark("node-S4").click()
    lab.page.keyboard.press("Escape")
    lab.click("Transfer")
    expect(lab.newest).to_contain_text("asked to hand its leadership over to S4")
    expect(lab.mark("transfer-S2")).to_contain_text("hands over")
    picture(lab, gallery / "transfer.png")
    lab.click("Run")
    expect(lab.mark("headline")).to_contain_text("S4 leads term 2")


def test_a_learner_is_added_by_a_click_and_is_in_the_picture_and_the_lists(lab):
    name = lab.root.get_by_label("Name", exact=True)
    expect(name).to_have_value("S6")
    lab.button("Add learner").dblclick()
    expect(lab.mark("node-S6")).to_be_visible()
    expect(lab.mark("standing-S6")).to_have_text("learner")
    expect(name).to_have_value("S7")
    expect(lab.root.get_by_label("Learners", exact=True)).to_have_value("S6")
    expect(lab.mark("node-S7")).to_have_count(0)
    choose(lab, "Node", "S6")
    expect(lab.mark("chosen-1")).to_be_attached()
    lab.slider.press("Home")
    expect(lab.mark("node-S6")).not_to_be_attached()
    expect(lab.root.get_by_label("Node", exact=True).locator("option")).to_have_count(5)
    expect(lab.root.get_by_label("Node", exact=True)).to_have_value("S1")
    lab.click("End")
    expect(lab.mark("node-S6")).to_be_visible()


def test_a_learner_catches_up_through_a_snapshot_and_gets_a_vote(opened, gallery):
    lab = opened(BEHIND)
    type_in(lab, "Name", "S4")
    expect(lab.mark("node-S4")).to_be_visible()
    lab.click("commit")
    picture(lab, gallery / "snapshot.png")
    type_in(lab, "Let pass (ms)", "300")
    lab.click("Run")
    choose(lab, "Node", "S4")
    lab.click("Promote")
    expect(lab.newest).to_contain_text("for the configuration S1 S2 S3 S4")
    picture(lab, gallery / "joint.png")
    lab.click("Run")
    expect(lab.root.get_by_label("Voters", exact=True)).to_have_value("S1 S2 S3 S4")


def test_a_read_is_shown_until_it_is_answered_and_then_its_answer(lab, gallery):
    type_in(lab, "Key", "x")
    reads = lab.root.locator(".raftlab-reads")
    expect(reads).to_contain_text("S2: read of x waits for a majority")
    expect(lab.mark("reads-S2")).to_contain_text("read x")
    picture(lab, gallery / "read.png")
    lab.click("Run")
    expect(reads).to_contain_text("S2 answers the read of x with 2")
    expect(reads).not_to_contain_text("waits")


def test_a_read_that_fails_gets_no_tick(lab):
    """An old leader is cut off with a read; when it hears of a new term, it gives it up."""
    choose(lab, "Node", "S2")
    lab.click("Isolate")
    lab.click("Read")
    lab.click("election")
    lab.click("Heal")
    lab.click("Run")
    failed = lab.root.locator(".raftlab-reads .raftlab-failed")
    expect(failed).to_contain_text("S2 cannot answer the read of x")
    assert "✕" in failed.evaluate("each => getComputedStyle(each, '::before').content")
    expect(lab.root.locator(".raftlab-answered")).to_have_count(0)


def test_what_a_click_did_is_seen_beside_the_panel(lab):
    """Messages and events are below the fold; the newest event is told above the picture."""
    newest, calm = lab.root.locator(".raftlab-newest"), lab.button("Calm")
    lab.root.evaluate("lab => lab.scrollIntoView()")
    before, height = calm.bounding_box(), newest.bounding_box()["height"]
    lab.click("Forget leader")
    expect(newest).to_contain_text("told that its leader is gone")
    lab.click("Set disk")
    expect(newest).to_contain_text("S1's disk")
    lab.click("Read")
    expect(newest).to_contain_text("a client asks S2 for x")
    assert lab.in_sight(newest)
    assert newest.bounding_box()["height"] == height
    after = calm.bounding_box()  # lower by one line, which explains the marks of a read
    assert (after["x"], after["width"]) == (before["x"], before["width"])
    assert 0 <= after["y"] - before["y"] < 20


def test_where_it_is_narrow_a_button_stays_with_its_field(lab):
    lab.page.set_viewport_size({"width": 1024, "height": 900})
    for words, button in (
        ("Disk write (ms)", "Set disk"),
        ("Clock rate", "Set clock"),
        ("Learners", "Reconfigure"),
        ("Name", "Add learner"),
    ):
        field = lab.root.get_by_label(words, exact=True)
        first, second = lab.tops(field, lab.button(button))
        assert abs(first - second) < 6
    snapshot = lab.root.locator(".raftlab-further").get_by_text("Snapshot", exact=True)
    first, second = lab.tops(snapshot, lab.button("Compact"))
    assert abs(first - second) < 10


@pytest.mark.parametrize(
    ("label", "words"),
    [
        ("Clock rate", "0.25"),
        ("Disk write (ms)", "100000"),
        ("Voters", "S1 S2 S3 S4 S5"),
        ("Learners", "S6 S7 S8 S9"),
    ],
)
def test_what_is_typed_is_seen_whole(lab, label, words):
    field = lab.root.get_by_label(label, exact=True)
    field.fill(words)
    assert field.evaluate("field => field.scrollWidth <= field.clientWidth")


def test_a_refusal_moves_no_control_of_the_panel(lab):
    promote = lab.button("Promote")
    before = promote.bounding_box()
    promote.dblclick()
    expect(lab.alarm).to_contain_text("S1 has a vote already")
    type_in(lab, "Clock rate", "1e9")
    expect(lab.alarm).to_contain_text("A clock runs 0.01 to 100 times as fast")
    type_in(lab, "Voters", "S1 S9")
    expect(lab.alarm).to_contain_text("There is no node 'S9'")
    assert promote.bounding_box() == before


def test_a_lease_and_a_slow_clock_break_a_property(opened, gallery):
    lab = opened(LEASE)
    old = lab.mark("headline").text_content().split()[2]
    choose(lab, "Node", old)
    type_in(lab, "Clock rate", "0.1")
    expect(lab.mark(f"clock-{old}")).to_have_text("clock ×0.1")
    lab.click("Isolate")
    lab.click("election")
    said = lab.root.locator(".raftlab-stage svg > desc").first  # the headline may have no room
    expect(said).to_contain_text("leads term 2")
    lab.click("Propose")
    lab.click("commit")
    lab.root.locator(".raftlab-field-read_from select").select_option("the chosen node")
    lab.click("Read")
    banner = lab.root.locator(".raftlab-banner")
    expect(banner).to_contain_text("Reads Are Current is broken")
    expect(lab.root.locator(".raftlab-broken")).to_contain_text("✕")
    picture(lab, gallery / "stale-read.png")
    lab.click("Wipe disk")
    expect(lab.alarm).to_contain_text("The run stopped at frame")
    expect(banner).to_be_visible()

"""New… and the sliders of the network in a real browser.

Nothing here asserts on time: `expect` waits until the page shows what it should.
"""

import pytest
from playwright.sync_api import Locator, expect

import raftlab
from raftlab.sim.world.actions import SetNetwork
from tests.browser.hosts import Host
from tests.browser.jupyter import LabView

THREE = """
import raftlab as rl
cluster = rl.Cluster(3, seed=7)
cluster.elect()
lab = cluster.lab(full=True)
lab
"""


@pytest.fixture
def lab(host: Host) -> LabView:
    """The full lab of three nodes with a leader."""
    host.page.emulate_media(reduced_motion="reduce")
    return host.show(THREE)


def named(lab: LabView, label: str) -> Locator:
    return lab.root.get_by_label(label, exact=True)


def handle(lab: LabView, label: str) -> Locator:
    return lab.root.locator(f'.noUi-handle[aria-label="{label}"]').first


def is_cut_off(panel: Locator) -> list[str]:
    """The words in a panel that have not enough room."""
    return panel.evaluate(
        """panel => [...panel.querySelectorAll("button, label")]
            .filter(each => each.scrollWidth > each.clientWidth + 1)
            .map(each => each.textContent)"""
    )


def test_a_cluster_of_seven_is_begun_from_the_lab(lab, gallery):
    panel = lab.root.locator(".raftlab-beginnings")
    expect(panel).not_to_be_visible()
    lab.click("New…")
    expect(panel).to_be_visible()
    lab.root.evaluate("lab => lab.scrollIntoView()")
    lab.page.screenshot(path=gallery / "new.png")
    assert is_cut_off(panel) == []
    named(lab, "New cluster of").select_option("7 nodes")
    named(lab, "Seed").fill("12")
    lab.click("Figure 2")
    expect(named(lab, "pre vote")).not_to_be_checked()
    named(lab, "check quorum").check()
    lab.click("Begin")
    expect(lab.mark("node-S7")).to_be_visible()
    expect(lab.root.locator(".raftlab-stage [data-id^=node-S]:not(.leaving)")).to_have_count(7)
    note = lab.root.locator(".raftlab-note")
    expect(note).to_contain_text("A new cluster: 7 nodes, seed 12, check-quorum. This is run 2.")
    lab.click("New…")
    lab.root.evaluate("lab => lab.scrollIntoView()")
    lab.page.screenshot(path=gallery / "new-seven.png")


def test_a_situation_is_begun_from_the_lab_with_its_sentence(lab, gallery):
    lab.click("New…")
    named(lab, "Situation").select_option("figure 8 (a)")
    said = raftlab.scenarios.scenario("figure_8").title
    expect(lab.root.locator(".raftlab-beginnings")).to_contain_text(said)
    lab.root.evaluate("lab => lab.scrollIntoView()")
    lab.page.screenshot(path=gallery / "situation.png")
    lab.click("Begin there")
    expect(lab.mark("node-S5")).to_be_visible()
    expect(lab.root.locator(".raftlab-note")).to_contain_text(said)
    lab.click("Undo")
    expect(lab.mark("node-S5")).to_have_count(0)


def test_a_slider_changes_the_network_and_that_is_in_the_shared_text(lab, gallery):
    lab.click("Latency, loss…")
    panel = lab.root.locator(".raftlab-extra:has(.noUi-handle)")
    expect(panel).to_be_visible()
    assert is_cut_off(panel) == []
    handle(lab, "Loss (%)").press("PageUp")
    headline = lab.root.locator(".raftlab-stage [data-id=network-0]")
    expect(headline).to_contain_text("network: latency 5 to 15 ms, loss")
    named(lab, "Settings of").select_option("S1")
    named(lab, "to").last.select_option("S2")
    handle(lab, "Duplication (%)").press("ArrowRight")
    expect(lab.newest).to_contain_text("the link from S2 to S1 changes")
    lab.root.evaluate("lab => lab.scrollIntoView()")
    lab.page.screenshot(path=gallery / "settings.png")
    lab.root.get_by_text("Runs and sharing").click()
    text = lab.root.get_by_label("The run up to this frame as a text")
    expect(text).to_be_visible()
    run = raftlab.load(text.input_value())
    changes = [each for each in run.actions if isinstance(each, SetNetwork)]
    assert [(each.sender, each.receiver) for each in changes] == [
        (None, None),
        ("S1", "S2"),
        ("S2", "S1"),
    ]
    assert 0 < changes[0].network.loss < 1
    assert changes[0].network.loss == changes[2].network.loss
    assert changes[2].network.duplication == 0.01


def test_a_slider_shows_what_is_between_its_steps_and_changes_nothing_by_that(run_in_each):
    settings = "3, seed=7, network=rl.Network(latency=(9.5, 33.0), loss=0.125)"
    lab = run_in_each(THREE.replace("3, seed=7", settings))
    number = lab.number()
    lab.click("Latency, loss…")
    expect(handle(lab, "Latency (ms), at most")).to_be_visible()
    lab.click("Step")
    lab.at_frame(number + 1)
    lab.click("Step")
    lab.at_frame(number + 2)
    expect(lab.root.locator(".raftlab-stage [data-id=network-0]")).to_have_count(0)


def test_the_ends_of_the_latency_are_read_out_in_ms(lab):
    lab.click("Latency, loss…")
    least, most = (handle(lab, f"Latency (ms), at {end}") for end in ("least", "most"))
    expect(least).to_have_attribute("aria-valuetext", "5")
    expect(most).to_have_attribute("aria-valuetext", "15")
    most.press("ArrowRight")
    expect(most).to_have_attribute("aria-valuetext", "20")
    expect(lab.root.locator(".raftlab-stage [data-id=network-0]")).to_contain_text("5 to 20 ms")
    expect(most).to_have_attribute("aria-valuetext", "20")

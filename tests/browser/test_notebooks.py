"""The labs of the course's own notebooks, opened and used as a reader would."""

import re

import pytest
from playwright.sync_api import expect

from tests.browser.jupyter import LabView


@pytest.mark.parametrize("name", ["00_start_here.ipynb", "07_commit.ipynb"])
def test_the_lab_of_a_notebook_is_used(open_notebook, gallery, name):
    lab = open_notebook(name).lab
    if lab.button("All controls").count():
        lab.click("All controls")
    assert_it_steps(lab)
    assert_it_takes_a_command(lab)
    assert_a_message_is_dropped(lab)
    assert_a_node_crashes(lab)
    assert_it_slides(lab)
    assert_keys_work(lab)
    expect(lab.alarm).not_to_be_attached()
    lab.root.evaluate("lab => lab.scrollIntoView()")
    lab.page.screenshot(path=gallery / f"{name.removesuffix('.ipynb')}.png")


def assert_it_steps(lab: LabView) -> None:
    number = lab.number()
    lab.click("Step")
    lab.at_frame(number + 1)
    expect(lab.newest).to_contain_text(str(number + 1))


def assert_it_takes_a_command(lab: LabView) -> None:
    field = lab.root.get_by_label("Command")
    field.fill("tea=1")
    field.press("Enter")
    expect(lab.newest).to_contain_text("tea=1")
    expect(lab.stage.locator(".raftlab-logs text", has_text=re.compile("tea"))).not_to_have_count(0)


def assert_a_message_is_dropped(lab: LabView) -> None:
    arrows = lab.root.locator(".raftlab-cluster .message:not(.leaving)")
    while not arrows.count():
        number = lab.number()
        lab.click("Step")
        lab.at_frame(number + 1)
    name = arrows.first.get_attribute("data-id")
    lab.mark(name).locator(".hit").click()
    lab.root.get_by_role("menuitem", name="Drop").click()
    expect(lab.mark(name)).not_to_be_attached()
    expect(lab.newest).to_contain_text("is lost")


def assert_a_node_crashes(lab: LabView) -> None:
    lab.root.get_by_label("Node", exact=True).select_option("S4")
    lab.click("Crash")
    expect(lab.mark("down-S4-a")).to_be_attached()


def assert_it_slides(lab: LabView) -> None:
    end = lab.number()
    lab.slider.focus()
    lab.slider.press("ArrowLeft")
    lab.at_frame(end - 1)
    expect(lab.mark("down-S4-a")).not_to_be_attached()
    lab.slider.press("ArrowRight")
    lab.at_frame(end)


def assert_keys_work(lab: LabView) -> None:
    number = lab.number()
    lab.stage.focus()
    lab.page.keyboard.press("ArrowRight")
    lab.at_frame(number + 1)
    lab.page.keyboard.press("ArrowLeft")
    lab.at_frame(number)
    lab.page.keyboard.press(" ")
    expect(lab.button("Stop")).to_be_visible()
    lab.page.keyboard.press(" ")
    expect(lab.button("Play")).to_be_visible()

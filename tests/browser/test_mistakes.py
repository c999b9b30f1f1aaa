"""A check that names a known mistake: its run is one click away."""

from playwright.sync_api import Page, expect

from tests.browser.jupyter import LabView, Notebook

WRONG = """
import raftlab as rl
from raftlab.course import exercise
class LongerWins(rl.Rules):
    def candidate_is_up_to_date(self, request, log):
        return request.last_log_index >= log.last_index
exercise("3.1").check(LongerWins)
"""


def test_the_run_of_a_mistake_opens_below_the_check_moves_and_closes_again(
    scratch: Notebook, desk_page: Page
):
    scratch.run(WRONG)
    happen = desk_page.get_by_role("button", name="See it happen")
    expect(happen).to_have_count(1)
    labs = desk_page.locator(".raftlab-lab")
    expect(labs).to_have_count(0)
    happen.click()
    lab = LabView(desk_page, labs.last)
    expect(lab.root.get_by_role("alert")).to_contain_text("Leader Completeness is broken")
    number = lab.number()
    lab.click("Back")
    lab.at_frame(number - 1)
    desk_page.get_by_role("button", name="Close it").click()
    expect(labs).to_have_count(0)
    happen.click()
    expect(LabView(desk_page, labs.last).mark("node-S1")).to_be_visible()
    desk_page.get_by_role("button", name="Close it").click()
    expect(labs).to_have_count(0)

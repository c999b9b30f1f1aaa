"""A lab that starts badly: its picture comes all the same."""

from playwright.sync_api import Browser, expect

from tests.browser.jupyter import LabView, Notebook, write_notebook

CELL = """
import raftlab as rl
cluster = rl.Cluster(3, seed=1)
cluster.elect()
lab = cluster.lab()
lab"""

SLOW = """(() => {
    const timeout = AbortSignal.timeout.bind(AbortSignal);
    window.given = 0;
    AbortSignal.timeout = ms => {
        if (ms !== 2000 || window.given++) return timeout(ms);
        const over = new AbortController();
        queueMicrotask(() => over.abort());
        return over.signal;
    };
})()"""
"""The first widget is given no time to load its code, and then hears nothing for ever."""


def test_a_stage_whose_code_loads_too_late_is_made_anew(browser: Browser, address, desk):
    write_notebook(desk / "starting.ipynb", CELL)
    with browser.new_context() as context:
        context.add_init_script(SLOW)
        page = context.new_page()
        lab: LabView = Notebook(page, address, "starting.ipynb").run_all().lab
        assert page.evaluate("window.given") >= 2, "it was in time"
        number = lab.number()
        lab.click("Step")
        lab.at_frame(number + 1)
        expect(lab.mark("node-S3")).to_have_count(1)
        restart = lab.root.locator(".raftlab-button-restart_all_button")
        expect(restart).to_have_attribute("title", "No server is down.")
        field = lab.root.get_by_label("Command")
        field.fill("tea=1")
        field.press("Enter")
        expect(lab.root).to_contain_text("a client hands tea=1 to S2")

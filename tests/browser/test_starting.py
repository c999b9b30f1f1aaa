"""What starts badly: a lab's picture comes all the same, and a question hears its answer."""

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

QUESTION = "from raftlab.course import predict\npredict.splits(seed=2)"


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


def test_a_question_whose_code_loads_too_late_is_made_anew(browser: Browser, address, desk):
    write_notebook(desk / "asking.ipynb", QUESTION)
    with browser.new_context() as context:
        context.add_init_script(SLOW)
        page = context.new_page()
        Notebook(page, address, "asking.ipynb").run_all()
        page.wait_for_function("window.given >= 2")
        page.locator('.raftlab-question .choice[data-key="S3"]').click()
        verdict = page.locator(".raftlab-question").get_by_role("status")
        expect(verdict).to_have_text("Not so. You said S3; it is S1.")


def test_a_question_that_hears_is_not_made_anew(browser: Browser, address, desk):
    write_notebook(desk / "hearing.ipynb", f"{QUESTION}.answer('S1')\n{QUESTION}")
    with browser.new_context() as context:
        context.add_init_script(SLOW.replace("window.given++", "++window.given"))
        page = context.new_page()
        Notebook(page, address, "hearing.ipynb").run_all()
        expect(page.locator(".raftlab-question .choice").first).to_be_visible()
        page.wait_for_timeout(3000)  # longer than it waits before it takes itself for deaf
        assert page.evaluate("window.given") == 1

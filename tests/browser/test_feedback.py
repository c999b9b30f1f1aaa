"""Pages of feedback in a real browser: narrow and wide, light and dark, whatever a name says."""

from pathlib import Path

import pytest
from playwright.sync_api import Browser

from raftlab.grading.feedback import write_feedback
from tests.grading.marks import hostile, marks, perfect, weak_tests

AXE = Path(__file__).parent / "axe" / "axe.min.js"
BASE = "https://example.org/lab/"
JUDGE = """async () => (await axe.run(document)).violations.map(
    each => [each.id, each.impact, each.nodes.map(node => node.failureSummary)])"""


@pytest.fixture(scope="module")
def pages(tmp_path_factory):
    folder = tmp_path_factory.mktemp("feedback")
    every = [marks(), perfect(), weak_tests(), hostile()]
    return [path for path in write_feedback(every, folder, BASE) if path.suffix == ".html"]


@pytest.mark.parametrize("width", [390, 1366])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_and_no_page_is_wider_than_its_window(
    browser: Browser, pages, width, scheme
):
    context = browser.new_context(
        viewport={"width": width, "height": 768}, color_scheme=scheme, bypass_csp=True
    )
    page = context.new_page()
    for path in pages:
        page.goto(path.as_uri())
        page.evaluate("document.querySelectorAll('details').forEach(each => each.open = true)")
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        page.evaluate(AXE.read_text())
        assert page.evaluate(JUDGE) == []
    context.close()


def test_a_page_runs_nothing_loads_nothing_and_shows_its_pictures(browser: Browser, pages):
    context = browser.new_context()
    page = context.new_page()
    said, asked = [], []
    page.on("console", lambda message: said.append(message.text))
    page.on("dialog", lambda dialog: said.append(dialog.message))
    page.on("request", lambda request: asked.append(request.url))
    for path in pages:
        page.goto(path.as_uri())
        shown = "Array.from(document.images, each => each.naturalWidth)"
        assert all(page.evaluate(shown))
    assert said == []
    assert [url for url in asked if not url.startswith("data:image/")] == [
        path.as_uri() for path in pages
    ]
    context.close()


def test_a_link_to_a_run_opens_what_it_is_folded_in(browser: Browser, pages):
    (path,) = [each for each in pages if each.name == "class.html"]
    context = browser.new_context()
    page = context.new_page()
    page.goto(path.as_uri())
    assert not page.locator("#run-1").is_visible()
    page.locator("a[href='#run-1']").first.click()
    page.locator("#run-1 img").first.wait_for(state="visible")
    context.close()

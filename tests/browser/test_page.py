"""The lab as a page, in a real Chromium: no Jupyter, no kernel, nothing but a folder of files."""

import io
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, redirect_stdout
from hashlib import sha256
from pathlib import Path
from subprocess import DEVNULL, PIPE

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

import raftlab
from raftlab.__main__ import main
from tests.browser.hosts import SCREEN
from tests.browser.jupyter import LabView
from tests.browser.lab_page import BUILT, served
from tests.browser.test_first_sight import AXE

PATIENCE_MS = 60_000
FIRST = 'node-S1"]:not(.leaving)'

Opener = Callable[..., LabView]


@pytest.fixture
def context(browser: Browser) -> Iterator[BrowserContext]:
    """A reader's browser, in which the clipboard may be used."""
    with browser.new_context(viewport=SCREEN) as context:
        context.grant_permissions(["clipboard-read", "clipboard-write"])
        yield context


@pytest.fixture
def page(context, page_address):
    """A tab. What it asks of other machines, or complains of, fails the test."""
    page, told, asked = context.new_page(), [], []
    page.on("console", lambda each: told.append(each))
    page.on("pageerror", lambda each: told.append(each))
    context.on("request", lambda each: asked.append(each))
    yield page
    assert not [each for each in told if getattr(each, "type", "") not in ("log", "info")]
    assert all(each.url.startswith((page_address, "blob:", "data:")) for each in asked)
    assert any(each.url.endswith(".wasm") for each in asked)  # what the worker asks for is seen


@pytest.fixture
def open_page(page: Page, page_address: str) -> Opener:
    """Open the page at an address, and wait for the lab."""

    def opened(fragment: str = "") -> LabView:
        page.goto(page_address + (f"#{fragment}" if fragment else ""))
        return there(page)

    return opened


def there(page: Page) -> LabView:
    """The lab of the page, once it is there and speaks with Python."""
    expect(page.locator(".raftlab-lab:not([inert])")).to_be_visible(timeout=PATIENCE_MS)
    expect(page.locator("#say")).to_have_text(re.compile(r"^\s*$"))
    return LabView(page, page.locator(".raftlab-lab"))


def stopped(lab: LabView) -> LabView:
    """The lab, once it does not play any more."""
    if lab.button("Stop").is_visible():
        lab.click("Stop")
    expect(lab.button("Play")).to_be_visible()
    return lab


def until(page: Page, holds: Callable[[], object]) -> None:
    """Wait until it holds. (What Playwright has for this, the page's security policy forbids.)"""
    for _ in range(200):
        if holds():
            return
        page.wait_for_timeout(50)
    pytest.fail("it never came to hold")


def a_run() -> raftlab.Recording:
    """A leader, a command, and some time."""
    cluster = raftlab.Cluster(3, seed=4)
    cluster.elect()
    cluster.propose("x=1")
    return cluster.run(100).recording


def test_from_opening_it_to_a_crashed_leader_is_one_click(open_page):
    lab = open_page()
    expect(lab.button("All controls")).to_be_visible()  # the simple lab
    expect(lab.mark("headline")).to_contain_text(re.compile(r"S\d leads"), timeout=PATIENCE_MS)
    lab.click("Crash the leader")
    expect(lab.root.locator('[data-id^="down-"]').first).to_be_attached()
    expect(lab.button("Play")).to_be_visible()
    expect(lab.button("Restart")).to_be_enabled()
    lab.click("Restart")


def test_the_folder_and_pythons_own_web_server_are_enough_for_a_crashed_leader(context, tmp_path):
    with pythons_web_server(copied(tmp_path)) as address:
        page = context.new_page()
        page.goto(address)
        lab = there(page)
        expect(lab.button("Stop")).to_be_visible()  # it plays
        expect(lab.mark("headline")).to_contain_text(re.compile(r"S\d leads"), timeout=PATIENCE_MS)
        lab.click("Crash the leader")
        expect(lab.mark("headline")).to_contain_text("is down")


@contextmanager
def pythons_web_server(folder: Path) -> Iterator[str]:
    """`python -m http.server` in a folder, where there is nothing of raftlab; its address."""
    command = [sys.executable, "-I", "-u", "-m", "http.server", "0", "--bind", "127.0.0.1"]
    with subprocess.Popen(command, cwd=folder, stdout=PIPE, stderr=DEVNULL, text=True) as server:
        try:
            (address,) = re.findall(r"http://127[.0-9:]+/", server.stdout.readline())
            yield address
        finally:
            server.terminate()


def test_everything_is_one_click_away(open_page):
    lab = stopped(open_page())
    lab.click("All controls")
    lab.root.get_by_text("Keys", exact=True).click()
    expect(lab.root.locator(".raftlab-keys")).to_be_visible()
    number = lab.number()
    lab.stage.focus()
    lab.page.keyboard.press("ArrowRight")
    lab.at_frame(number + 1)


def test_a_link_opens_a_run(open_page, page_address):
    run = a_run()
    lab = open_page(run.link(page_address).partition("#")[2])
    lab.at_frame(len(run))
    expect(lab.button("Play")).to_be_visible()


@pytest.mark.parametrize(
    ("fragment", "seen"),
    [("scenario=figure_8&panel=c", "node-S5"), ("nodes=7&seed=3", "node-S7")],
)
def test_a_link_opens_a_situation_or_a_cluster(open_page, fragment, seen):
    expect(open_page(fragment).mark(seen)).to_be_visible()


@pytest.mark.parametrize(
    ("fragment", "said"),
    [
        (f"run={a_run().share()[:-5]}", "altered or cut short"),
        (f"run=raftlab.1.{'A' * 300_000}", "200,000 letters"),
        ("run=%3Cimg%20src=x%20onerror=alert(1)%3E", "no shared run"),
        ("flowers=7", "asks for"),
    ],
)
def test_a_damaged_link_is_told_in_a_sentence_and_there_is_a_fresh_cluster(
    open_page, fragment, said
):
    lab = open_page(fragment)
    expect(lab.alarm).to_contain_text(said)
    lab.click("Step")
    lab.at_frame(1)


def test_another_link_opens_another_run_and_back_and_forward_go_between_them(open_page, page):
    lab = open_page("nodes=3&seed=1")
    stopped(lab)
    page.evaluate("location.hash = 'scenario=figure_8&panel=c'")
    expect(lab.mark("node-S5")).to_be_visible()
    page.go_back()
    expect(lab.mark("node-S5")).not_to_be_visible()
    page.go_forward()
    expect(lab.mark("node-S5")).to_be_visible()
    lab.click("All controls")
    lab.root.get_by_text("Runs and sharing", exact=True).click()
    expect(lab.root.locator(".raftlab-runs option")).to_have_count(2)


def test_copy_link_copies_what_opens_the_run(open_page, page, context, page_address):
    run = a_run()
    lab = open_page(f"run={run.share()}")
    lab.click("All controls")
    lab.root.get_by_text("Runs and sharing", exact=True).click()
    lab.click("Copy link")
    expect(lab.root.locator(".raftlab-copied")).to_have_text("Copied.")
    copied = page.evaluate("navigator.clipboard.readText()")
    assert copied == run.link(page_address)
    assert copied == linked_by_the_command_line(page_address)
    lab.click("Copy")
    until(page, lambda: page.evaluate("navigator.clipboard.readText()") == run.share())


def linked_by_the_command_line(base: str) -> str:
    """What `raftlab run` tells of the run `a_run`."""
    told = io.StringIO()
    with redirect_stdout(told):
        main(["run", "3", "--seed", "4", "--propose", "x=1", "--ms", "100", "--link", base])
    return told.getvalue().splitlines()[-1]


def test_a_link_that_is_asked_for_before_python_has_written_it_is_copied_when_it_has(
    open_page, page, page_address
):
    run = a_run()
    lab = open_page(f"run={run.share()}")
    lab.click("All controls")
    page.workers[0].evaluate(BUSY)
    lab.root.get_by_text("Runs and sharing", exact=True).click()
    expect(lab.root.locator(".raftlab-shared textarea")).to_have_count(0)
    lab.click("Copy link")
    expect(lab.root.locator(".raftlab-copied")).to_have_text("Copied.")
    assert page.evaluate("navigator.clipboard.readText()") == run.link(page_address)


BUSY = "void setTimeout(() => { const began = Date.now(); while (Date.now() < began + 2000); })"
"""Lets Python be at work on something else for two seconds."""


def test_a_reload_keeps_what_was_being_done(open_page, page):
    lab = stopped(open_page("nodes=3&seed=1"))
    for _ in range(3):
        lab.click("Step")
    page.evaluate("location.hash = 'scenario=figure_8&panel=c'")
    expect(lab.mark("node-S5")).to_be_visible()
    number, before = lab.number() - 1, kept_by(page)
    lab.click("Back")
    lab.at_frame(number)
    until(page, lambda: kept_by(page) != before)
    page.reload()
    lab = there(page)
    lab.at_frame(number)
    expect(lab.mark("node-S5")).to_be_visible()
    page.go_back()
    expect(lab.mark("node-S5")).not_to_be_visible()


def kept_by(page: Page) -> str:
    """What the page has kept of what was done, as it keeps it."""
    return "".join(page.evaluate("Object.values(sessionStorage)"))


def stepped(lab: LabView, page: Page) -> int:
    """Take a step, and wait until the page has kept it; the number of the frame."""
    number, before = lab.number() + 1, kept_by(page)
    lab.click("Step")
    lab.at_frame(number)
    until(page, lambda: kept_by(page) != before)
    return number


def test_a_worker_that_is_killed_says_so_and_starts_anew(open_page, page):
    lab = stopped(open_page("nodes=3&seed=1"))
    number = stepped(lab, page)
    page.workers[0].evaluate("self.close()")
    expect(page.locator("#say")).to_contain_text("Python stopped")
    expect(page.locator(".raftlab-lab:not([inert])")).to_be_visible(timeout=PATIENCE_MS)
    expect(page.locator("#say")).to_contain_text("had stopped", timeout=PATIENCE_MS)
    lab.at_frame(number)
    lab.click("Step")
    expect(lab.frame).to_have_text(str(number + 1), timeout=PATIENCE_MS)


def test_a_worker_that_hangs_can_be_stopped_and_what_was_done_is_kept(open_page, page):
    lab = stopped(open_page("nodes=3&seed=1"))
    number, before = lab.number() + 1, kept_by(page)
    lab.click("Step")
    until(page, lambda: kept_by(page) != before)
    page.workers[0].evaluate("void setTimeout(() => { while (true) {} })")
    lab.click("Step")
    page.get_by_role("button", name="Stop it and start anew").click(timeout=PATIENCE_MS)
    expect(page.locator("#say")).to_contain_text("had stopped", timeout=PATIENCE_MS)
    lab.at_frame(number)


def test_a_worker_that_is_killed_while_it_starts_says_so(context, page_address):
    page, held = context.new_page(), "navigator.locks.query().then(each => each.held.length)"
    context.route("**/raftlab.zip", lambda route: None)  # it does not come yet
    page.goto(page_address)
    until(page, lambda: page.evaluate(held))
    page.workers[0].evaluate("self.close()")
    expect(page.locator("#say")).to_contain_text("could not start", timeout=PATIENCE_MS)
    context.unroute("**/raftlab.zip")
    page.get_by_role("button", name="Try again").click()
    there(page)


def test_a_part_that_is_missing_is_told_and_tried_again(context, page_address):
    page = context.new_page()
    context.route("**/raftlab.zip", lambda route: route.fulfill(status=404))
    page.goto(page_address)
    expect(page.locator("#say")).to_contain_text("could not start", timeout=PATIENCE_MS)
    context.unroute("**/raftlab.zip")
    page.get_by_role("button", name="Try again").click()
    there(page)


@pytest.mark.parametrize("part", ["page.js", "worker.js", "pyodide/pyodide.asm.wasm"])
def test_whichever_part_does_not_come_the_reader_is_told(context, page_address, part):
    page = context.new_page()
    context.route(f"**/{part}", lambda route: route.abort())
    page.goto(page_address)
    told = re.compile("did not come|could not start")
    expect(page.locator("#say")).to_contain_text(told, timeout=PATIENCE_MS)


@pytest.mark.parametrize(
    "foreign", ["{", '{"kept": 5}', '{"kept": "AAAA"}', '{"kept": "AAAA", "address": ""}']
)
def test_what_another_page_has_put_into_the_storage_ends_in_a_lab(context, page_address, foreign):
    page = context.new_page()
    page.goto(f"{page_address}gallery.html")
    page.evaluate(
        "([name, told]) => (sessionStorage[name] = told)", [f"raftlab {page_address}", foreign]
    )
    page.goto(page_address)
    lab = there(page)
    refused = "could not be taken up again" if "address" in foreign else ""
    expect(lab.alarm if refused else lab.mark("headline")).to_contain_text(refused)


def test_no_word_of_a_notebook_is_in_the_page(open_page, page):
    lab = stopped(open_page())
    lab.click("All controls")
    words = []
    for panel in ("Keys", "Runs and sharing"):
        lab.root.get_by_text(panel, exact=True).click()
        words.append(lab.root.inner_text())
    for word in ("kernel", "cell", "raftlab.load", "notebook"):
        assert word not in " ".join(words)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_in_the_gallery_while_python_starts_and_when_it_cannot(
    context, page_address, scheme
):
    page = context.new_page()
    page.emulate_media(color_scheme=scheme)
    page.goto(f"{page_address}gallery.html")
    assert found_by_axe(page) == []
    page.add_init_script("window.Worker = class { postMessage() {} }")  # it never comes
    page.goto(page_address)
    expect(page.locator("#say")).to_contain_text("Python is starting")
    assert found_by_axe(page) == []
    page.add_init_script("window.Worker = class { constructor() { throw new Error('no'); } }")
    page.reload()
    expect(page.locator("#say")).to_contain_text("could not start")
    assert found_by_axe(page) == []


def found_by_axe(page: Page) -> list:
    """All that axe complains of."""
    page.evaluate(f"{{const module = undefined; const define = undefined; {AXE.read_text()}}}")
    return page.evaluate(
        """async () => (await axe.run(document)).violations
            .map(each => `${each.id}: ${each.nodes.map(n => n.html.slice(0, 120)).join(" | ")}`)"""
    )


@pytest.mark.parametrize("width", [390, 760])
def test_nothing_is_cut_off_where_it_is_narrow(open_page, page, width):
    page.set_viewport_size({"width": width, "height": 768})
    lab = open_page("scenario=figure_8&panel=c")
    lab.click("All controls")
    lab.root.get_by_text("Runs and sharing", exact=True).click()
    lab.click("Python")
    expect(lab.root.locator(".raftlab-code")).to_be_visible()
    until(page, lambda: page.evaluate("document.documentElement.scrollWidth") <= width)
    assert lab.root.locator(".raftlab-code").bounding_box()["width"] < width


def test_a_refusal_is_in_sight_where_it_is_narrow(open_page, page):
    page.set_viewport_size({"width": 390, "height": 768})
    lab = stopped(open_page())
    lab.click("All controls")
    expect(lab.button("Pause")).to_be_visible()
    lab.click("Restart", greyed=True)  # nothing is down
    expect(lab.alarm).to_be_in_viewport(ratio=1)
    page.evaluate("scrollTo(0, 0)")
    expect(lab.alarm).to_be_in_viewport(ratio=1)


def test_the_gallery_opens_situations_and_mistakes(page, page_address):
    page.goto(f"{page_address}gallery.html")
    assert not page.evaluate("[...document.images].filter(each => each.complete && !each.width)")
    page.get_by_role("link", name="figure 8", exact=True).first.click()
    expect(there(page).mark("node-S5")).to_be_visible()
    page.goto(f"{page_address}gallery.html")
    page.locator("h2:has-text('Mistakes') ~ ul a").first.click()
    expect(there(page).root.locator(".raftlab-banner")).to_be_visible()


def test_a_browser_without_webassembly_is_told_so(context, page_address):
    page = context.new_page()
    page.add_init_script("delete globalThis.WebAssembly")
    page.goto(page_address)
    expect(page.locator("#say")).to_contain_text("This browser cannot run the lab")


# Without a network, after a first visit


def without_a_network(page: Page) -> None:
    """Wait until the browser has all of the page."""
    state = "navigator.serviceWorker.getRegistration().then(each => each?.active?.state)"
    until(page, lambda: page.evaluate(state) == "activated")


def copied(tmp_path: Path) -> Path:
    """The page in a folder that a test may change."""
    return Path(shutil.copytree(BUILT, tmp_path / "page"))


def test_after_a_first_visit_no_network_is_needed(context, page_address, tmp_path):
    page = context.new_page()
    with served(copied(tmp_path)) as address:
        page.goto(f"{address}#nodes=3&seed=1")
        stopped(there(page))
        without_a_network(page)
    page.goto("about:blank")  # and the server has gone
    page.goto(f"{address}#scenario=figure_8&panel=c")
    lab = stopped(there(page))
    expect(lab.mark("node-S5")).to_be_visible()
    lab.click("Step")
    page.goto(f"{address}gallery.html")
    page.get_by_role("link", name="first election", exact=True).click()
    there(page)
    page.goto(f"{address}index.html")
    there(page)


def test_a_new_version_is_taken_at_the_next_visit_and_no_visit_mixes_two(
    context, page_address, tmp_path
):
    folder, page = copied(tmp_path), context.new_page()
    with served(folder) as address:
        page.goto(address)
        there(page)
        without_a_network(page)
        publish_as(folder, "another version")
        page.reload()
        stopped(there(page))
        expect(page).to_have_title(re.compile("a laboratory"))
        state = "navigator.serviceWorker.getRegistration().then(each => each.waiting?.state)"
        until(page, lambda: page.evaluate(state) == "installed")
        until(page, lambda: title_at_a_next_visit(page, address) == "another version")
        there(page)
        until(page, lambda: len(page.evaluate("caches.keys()")) == 1)


def title_at_a_next_visit(page: Page, address: str) -> str:
    """Go away, for long enough that the browser notices, and come back."""
    page.goto("about:blank")
    page.wait_for_timeout(500)
    page.goto(address)
    return page.title()


def publish_as(folder: Path, title: str) -> None:
    """Change the page in a folder, as a later build would."""
    first, service = folder / "index.html", folder / "service.js"
    was = first.read_bytes()
    first.write_text(re.sub("<title>.*</title>", f"<title>{title}</title>", was.decode()))
    told = service.read_text().replace(
        sha256(was).hexdigest(), sha256(first.read_bytes()).hexdigest()
    )
    service.write_text(re.sub('VERSION = "', 'VERSION = "2', told))


# Browsers that lack something


def test_without_locks_a_worker_that_is_killed_can_be_started_anew(open_page, page):
    """As at an address without https."""
    page.add_init_script("delete Navigator.prototype.locks")
    lab = stopped(open_page("nodes=3&seed=1"))
    number = stepped(lab, page)
    page.workers[0].evaluate("self.close()")
    lab.click("Step")
    expect(page.locator("#say")).to_contain_text("or has stopped", timeout=PATIENCE_MS)
    page.get_by_role("button", name="Stop it and start anew").click()
    expect(page.locator("#say")).to_contain_text("had stopped", timeout=PATIENCE_MS)
    lab.at_frame(number)


def test_where_a_reader_allows_no_storage_the_lab_is_there_all_the_same(open_page, page):
    page.add_init_script(
        """Object.defineProperty(window, "sessionStorage", {
            get() { throw new DOMException("not allowed", "SecurityError"); },
        })"""
    )
    lab = stopped(open_page("nodes=3&seed=1"))
    number = lab.number()
    lab.click("Step")
    lab.at_frame(number + 1)
    page.reload()
    there(page)


# What is seen at first


def test_what_was_last_seen_is_there_until_python_is(open_page, page):
    stopped(open_page("nodes=3&seed=1"))
    page.add_init_script("window.Worker = class { postMessage() {} }")  # it never comes
    page.reload()
    still = page.locator("#still")
    expect(still.locator('[data-id="node-S3"]')).to_be_visible()
    expect(still.locator('[data-id="node-S4"]')).to_have_count(0)
    expect(page.locator("#say")).to_contain_text("Python is starting")


@pytest.mark.parametrize("size", [(390, 844), (390, 664), (320, 640), (683, 384), (820, 1180)])
def test_servers_and_main_controls_are_on_the_first_screen(open_page, page, size):
    page.set_viewport_size({"width": size[0], "height": size[1]})  # 683 px: 1366 at 200 %
    lab = stopped(open_page("nodes=5&seed=7"))
    expect(page.locator("body")).to_have_attribute("data-unanswered", "0")  # it knows its room
    words = ("Play", "Step", "Crash the leader", "Propose", "All controls")
    for each in (lab.slider, *map(lab.button, words)):
        expect(each).to_be_in_viewport(ratio=0.99)
    below = lab.root.locator(".raftlab-actions").bounding_box()["y"]
    for number in range(1, 6):
        box = lab.mark(f"node-S{number}").bounding_box()
        assert box["y"] + box["height"] <= below
    right = lab.stage.bounding_box()["x"] + lab.stage.bounding_box()["width"]
    scrolled = (
        size[0] < 340
    )  # a picture with letters of 11 px is wider, and is scrolled in its pane
    for each in lab.stage.locator("> div" if scrolled else "svg").all():
        box = each.bounding_box()
        assert box["x"] + box["width"] <= right + 1


def test_it_is_used_by_touch(browser, page_address):
    phone = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True}
    with browser.new_context(**phone) as context:
        page = context.new_page()
        run = a_run()
        page.goto(run.link(page_address))
        lab = there(page)
        lab.mark("node-S3").tap()
        lab.root.get_by_role("menuitem", name="Crash").tap()
        expect(lab.mark("down-S3-a")).to_be_attached()
        lab.root.locator(".raftlab-cluster .message:not(.leaving) .hit").first.tap(force=True)
        lab.root.get_by_role("menuitem", name="Drop").tap()
        expect(lab.root.locator(".raftlab-newest")).to_contain_text("is lost")
        number = lab.number()
        drag(page, lab.slider, -120)
        expect(lab.frame).not_to_have_text(str(number))
        assert lab.number() < number


def drag(page: Page, handle, by: float) -> None:
    """Drag it by so many px with a finger."""
    box = handle.bounding_box()
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    finger = page.context.new_cdp_session(page)
    finger.send("Input.dispatchTouchEvent", touch("touchStart", x, y))
    for step in range(1, 9):
        finger.send("Input.dispatchTouchEvent", touch("touchMove", x + by * step / 8, y))
    finger.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})


def touch(kind: str, x: float, y: float) -> dict:
    """What the browser is told of a finger."""
    return {"type": kind, "touchPoints": [{"x": x, "y": y}]}


SMALLEST = """async () => {
    const sizes = [];
    for (const each of document.images) {
        each.loading = "eager";
        await each.decode();
        const told = await (await fetch(each.currentSrc)).text();
        const letters = [...told.matchAll(/font-size="([\\d.]+)"/g)].map(found => Number(found[1]));
        sizes.push(Math.min(...letters) * each.getBoundingClientRect().width / each.naturalWidth);
    }
    return Math.min(...sizes);
}"""


@pytest.mark.parametrize("width", [1366, 820, 390])
def test_no_letter_of_the_gallery_is_under_11_px(context, page_address, width):
    page = context.new_page()
    page.set_viewport_size({"width": width, "height": 768})
    page.goto(f"{page_address}gallery.html")
    assert page.evaluate(SMALLEST) >= 10.99
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    expect(page.locator(".cards b").first).to_have_text("first election")

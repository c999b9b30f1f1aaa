"""What the page weighs and how soon its lab is there: `make bench`, where the page is built.

Weight is what a first visit fetches, with gzip; times are those of a Chromium that has nothing of
the page yet, on loopback. They are printed and never asserted: look at them on a quiet machine.
"""

import gzip
import os

from playwright.sync_api import sync_playwright

from tests.browser.jupyter import find_chromium
from tests.browser.lab_page import BUILT, MISSING, is_built, served

TIMES = 3
LATER = ("pictures", "gallery", "licences", "built_from")
"""What a first visit does not fetch begins so."""

FRAMES = """() => new Promise(tell => {
    let frames = 0;
    const began = performance.now();
    const next = () => {
        if (performance.now() - began > 2000) return tell(frames / 2);
        frames++;
        requestAnimationFrame(next);
    };
    next();
})"""


def weight() -> int:
    """The bytes of a first visit."""
    paths = [path for path in BUILT.rglob("*") if path.is_file()]
    fetched = [each for each in paths if not each.relative_to(BUILT).as_posix().startswith(LATER)]
    return sum(len(gzip.compress(path.read_bytes())) for path in fetched)


def main() -> None:
    """Print it."""
    chromium = find_chromium()
    if chromium is None or not is_built():
        print(f"The page was not measured: {MISSING if chromium else 'there is no Chromium'}.")
        return
    print(f"The page: {weight() / 1e6:.2f} MB with gzip (at most 9)")
    with served(BUILT) as address, sync_playwright() as play:
        for _ in range(TIMES):
            with play.chromium.launch(executable_path=chromium, args=["--no-sandbox"]) as browser:
                page = browser.new_page(viewport={"width": 1366, "height": 768})
                page.goto(address)
                page.locator("#lab > :not(#still) [data-id='node-S1']").wait_for(timeout=120_000)
                shown = page.evaluate("performance.getEntriesByName('raftlab shown')[0].startTime")
                frames = page.evaluate(FRAMES)
                told = f"first picture {shown / 1000:.1f} s (at most 4), {frames:.0f} frames/s"
                print(f"  {told}, load {os.getloadavg()[0]:.1f}")


if __name__ == "__main__":
    main()

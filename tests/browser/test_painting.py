"""What the browser paints is what the SVG paints, mark for mark."""

import re
from itertools import zip_longest
from math import isclose
from xml.etree import ElementTree

import pytest
from playwright.sync_api import expect

from raftlab.lab import Lab
from raftlab.lab.fitting import Room, fitted_logs, rooms
from raftlab.lab.selection import with_choice
from tests.browser.hosts import lab_of
from tests.browser.jupyter import LabView

SETTING = """
import raftlab as rl
cluster = rl.Cluster(5, seed=7, disks=rl.Disks(write_ms=6))
cluster.elect()
for number in range(4):
    cluster.propose(f"x={number}")
    cluster.run(9)
"""
MOMENTS = {
    "under way": "",
    "fresh": "cluster = rl.Cluster(3)",
    "campaign": "cluster.crash(cluster.leader); cluster.timeout('S4'); cluster.run(9)",
    "refusals": "cluster.timeout('S1'); cluster.run(12)",
    "torn": "cluster.partition('S1 S2', 'S4'); cluster.cut('S3', 'S5', both_ways=False)",
    "paused and doubled": "cluster.pause('S2'); cluster.duplicate(cluster.in_flight()[0].number)",
    "lost": "cluster.drop(cluster.in_flight()[-1].number)",
    "many": "cluster = rl.Cluster(13, seed=1); cluster.elect(); cluster.run(3)",
}
NUMBER = re.compile(r"(-?\d+(?:\.\d+)?)")
DEFAULTS = {
    "text": {"font-size": "11", "fill": "#222222", "text-anchor": "middle"},
    "all": {"stroke-width": "1"},
}
PAINTED = """svg => {
    const marks = [...svg.querySelectorAll("circle, rect, path, text")];
    return marks.filter(m => !m.matches(".paper, .hit")).map(m => [
        m.tagName,
        Object.fromEntries([...m.attributes].map(a => [a.name, a.value])),
        m.tagName === "text" ? m.textContent : "",
    ]);
}"""


@pytest.mark.parametrize("moment", MOMENTS)
def test_the_browser_paints_as_the_svg_does(run_in_each, moment):
    source = f"{SETTING}\n{MOMENTS[moment]}\ncluster.lab(full=True)"
    assert_painted(run_in_each(source), lab_of(source))


def test_it_still_does_after_marks_have_moved(run_in_each):
    source = f"{SETTING}\ncluster.lab(full=True)"
    view, lab = run_in_each(source), lab_of(source)
    buttons = {
        "Step": lab.step_button,
        "Crash": lab.crash_button,
        "election": lab.election_button,
        "Back": lab.back_button,
        "Isolate": lab.isolate_button,
    }
    for words, button in buttons.items():
        view.click(words)
        button.click()
        expect(view.stage.locator("svg.cluster desc")).to_have_text(lab.stage.cluster["desc"])
        assert_painted(view, lab)


def assert_painted(view: LabView, lab: Lab) -> None:
    """The page comes to show what the SVG of its moment shows, in the room that it has there."""
    for patience in (*[0.1] * 50, 0):
        unlike = unlike_marks(view, lab)
        if not unlike:
            break
        view.page.wait_for_timeout(1000 * patience)
    assert unlike == []


def unlike_marks(view: LabView, lab: Lab) -> list:
    """The pairs of marks that differ, painted and meant."""
    frame, previous = lab.session.frame, lab.session.previous
    width = view.stage.evaluate(
        "stage => stage.clientWidth - 2 * parseFloat(getComputedStyle(stage).paddingLeft)"
    )
    cluster, beside = rooms(frame, previous, Room(float(int(width))))
    chosen = with_choice(cluster, lab.node.value, lab.message)
    unlike = []
    for name, scene in (
        ("cluster", chosen),
        ("logs", fitted_logs(frame, previous, beside, boxes=True)),
    ):
        painted = view.stage.locator(f"svg.{name}").evaluate(PAINTED)
        pairs = zip_longest([cleaned(*mark) for mark in painted], expected(scene.svg))
        unlike += [pair for pair in pairs if None in pair or not alike(*pair)]
    return unlike


def expected(svg: str) -> list:
    """The drawn elements of an SVG, first to last."""
    root = ElementTree.fromstring(svg)
    drawn = []
    for each in root.iter():
        tag = each.tag.split("}")[1]
        if tag in ("circle", "rect", "path", "text") and each.get("class") != "paper":
            drawn.append(cleaned(tag, each.attrib, each.text or "" if tag == "text" else ""))
    return drawn


def cleaned(tag: str, attributes: dict, text: str) -> tuple:
    """What is seen of an element: numbers rounded, what is usual left out."""
    usual = DEFAULTS["all"] | (DEFAULTS["text"] if tag == "text" else {})
    unseen = {"class", "style", "data-id"}
    seen = {
        name: value
        for name, value in attributes.items()
        if name not in unseen and not name.startswith("data-") and usual.get(name) != value
    }
    if "stroke" not in seen:
        seen.pop("stroke-width", None)
    return tag, seen, text


def alike(seen: tuple, meant: tuple) -> bool:
    """Whether two elements are the same, but for the last decimals: those are not sent."""
    (tag, attributes, text), (other, wanted, words) = seen, meant
    if (tag, other) == ("path", "circle"):  # a whole turn, which the stage draws as an arc
        ink = {"d", "cx", "cy", "r"}
        return {k: v for k, v in attributes.items() if k not in ink} == {
            k: v for k, v in wanted.items() if k not in ink
        }
    return (tag, text, attributes.keys()) == (other, words, wanted.keys()) and all(
        near(value, wanted[name]) for name, value in attributes.items()
    )


def near(value: str, wanted: str) -> bool:
    """Whether two attributes agree: word for word, or number for number within 2 %."""
    one, other = NUMBER.split(value), NUMBER.split(wanted)
    return len(one) == len(other) and all(
        a == b or (NUMBER.fullmatch(a) and isclose(float(a), float(b), rel_tol=2e-2, abs_tol=0.06))
        for a, b in zip(one, other, strict=True)
    )

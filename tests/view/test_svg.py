import os
import re
import subprocess
import sys
from pathlib import Path as FilePath
from xml.etree import ElementTree

import pytest

from raftlab.view.marks import Arc, Box, Disc, Ink, Path, Text
from raftlab.view.overview.overview import scene_frame
from raftlab.view.scene import Scene
from raftlab.view.svg import escape, number
from tests.view.samples import SAMPLES

SVG = "{http://www.w3.org/2000/svg}"
ROOT = FilePath(__file__).parents[2]


def scene_with(*marks, title="A title", description="A description"):
    return Scene(100.0, 50.0, marks, title, description)


def parsed(scene):
    return ElementTree.fromstring(scene.svg)


@pytest.mark.parametrize("name", SAMPLES)
def test_every_picture_is_well_formed(name):
    root = parsed(scene_frame(SAMPLES[name]))
    assert root.tag == f"{SVG}svg"
    for element in root.iter():
        for key in ("x", "y", "cx", "cy", "r", "width", "height"):
            if element.get(key) is not None:
                assert re.fullmatch(r"-?\d+(\.\d{1,2})?", element.get(key))
        assert "nan" not in element.get("d", "")


def test_a_picture_has_a_title_and_a_description_that_its_label_names():
    root = parsed(scene_with(title="Votes", description="S1 has 2 of 3.\n\nnode  vote"))
    title, description = root.find(f"{SVG}title"), root.find(f"{SVG}desc")
    assert (title.text, description.text) == ("Votes", "S1 has 2 of 3.\n\nnode  vote")
    assert root.get("role") == "img"
    assert root.get("aria-labelledby") == f"{title.get('id')} {description.get('id')}"


def test_two_different_pictures_on_one_page_share_no_id():
    ids = [
        set(re.findall(r' id="([^"]+)"', scene_frame(SAMPLES[name]).svg))
        for name in ("leader", "campaign")
    ]
    assert not ids[0] & ids[1]


def test_a_picture_keeps_its_size_but_shrinks_with_the_page():
    root = parsed(scene_with())
    assert root.get("viewBox") == "0 0 100 50"
    assert (root.get("width"), root.get("height")) == ("100", "50")
    assert "max-width:100%" in root.get("style")


def test_marks_carry_their_id_role_and_data():
    mark = Disc("node-S1", 1, 2, 3, Ink("#000000"), "node", {"term": 4, "who": "S1"}, "S1 leads")
    circle = parsed(scene_with(mark)).find(f"{SVG}circle")
    assert circle.get("data-id") == "node-S1"
    assert circle.get("class") == "node"
    assert (circle.get("data-term"), circle.get("data-who")) == ("4", "S1")
    assert circle.find(f"{SVG}title").text == "S1 leads"


def test_what_people_type_cannot_become_markup():
    bad = '<script>alert("1")</script>&amp;'
    text = Text(bad, 1, 1, bad, role="name", data={"who": bad})
    root = parsed(scene_with(text, title=bad, description=bad))
    assert root.find(f"{SVG}text").text == bad
    assert root.find(f"{SVG}text").get("data-who") == bad
    assert root.find(f"{SVG}title").text == bad
    assert not list(root.iter(f"{SVG}script"))


@pytest.mark.parametrize("letter", ["\0", "\x1b", "\ud800", "\uffff"])
def test_what_xml_cannot_hold_is_replaced(letter):
    assert escape(f"a{letter}b") == "a\ufffdb"
    parsed(scene_with(Text("t", 1, 1, f"a{letter}b")))


def test_numbers_have_at_most_two_decimals():
    assert [number(value) for value in (1.0, 0.125, 1 / 3, -0.001, 250.5)] == [
        "1", "0.12", "0.33", "0", "250.5",
    ]  # fmt: skip


def test_an_arrow_head_is_a_shape_of_its_own_and_not_a_marker():
    ask = Path("m", ((0, 0), (50, 0)), Ink(None, "#004488", 2), head="filled")
    answer = Path("r", ((0, 9), (50, 9)), Ink(None, "#004488", 2, (4, 2)), head="open")
    root = parsed(scene_with(ask, answer))
    heads = [path for path in root.iter(f"{SVG}path") if path.get("class") == "head"]
    assert [head.get("fill") for head in heads] == ["#004488", "none"]
    assert all(head.get("stroke-dasharray") is None for head in heads)
    assert not list(root.iter(f"{SVG}marker"))


def test_a_bent_line_bends_to_its_left():
    bent = Path("m", ((0, 50), (100, 50)), Ink(None, "#000000"), curve=0.2)
    (path,) = parsed(scene_with(bent)).iter(f"{SVG}path")
    assert path.get("d") == "M0 50A72.5 72.5 0 0 1 100 50"


def test_a_full_turn_is_a_circle_and_a_part_of_it_is_not():
    ink = Ink(None, "#000000", 3)
    root = parsed(scene_with(Arc("a", 10, 10, 5, 0, 1, ink), Arc("b", 10, 10, 5, 0.25, 1, ink)))
    assert len(list(root.iter(f"{SVG}circle"))) == 1
    (path,) = root.iter(f"{SVG}path")
    assert path.get("d") == "M15 10A5 5 0 1 1 10 5"


def test_hatching_is_drawn_as_lines_inside_the_box():
    root = parsed(scene_with(Box("b", 10, 10, 30, 20, Ink("#FFFFFF", "#000000", hatch=True))))
    (path,) = root.iter(f"{SVG}path")
    numbers = [float(each) for each in re.findall(r"[\d.]+", path.get("d"))]
    assert all(10 <= x <= 40 for x in numbers[::2])
    assert all(10 <= y <= 30 for y in numbers[1::2])


PRINT_ALL = """
from raftlab.view import scene_frame
from tests.view.samples import SAMPLES
for frame in SAMPLES.values():
    print(scene_frame(frame).svg)
"""


def test_the_same_picture_is_the_same_text_in_every_process():
    printed = {
        subprocess.run(
            [sys.executable, "-c", PRINT_ALL],
            env={**os.environ, "PYTHONHASHSEED": seed, "PYTHONIOENCODING": "utf-8"},
            cwd=ROOT,
            capture_output=True,
            check=True,
        ).stdout
        for seed in ("0", "1", "4711")
    }
    assert len(printed) == 1
    here = "".join(f"{scene_frame(frame).svg}\n" for frame in SAMPLES.values())
    assert printed.pop().decode() == here


def test_a_five_node_picture_stays_small():
    assert len(scene_frame(SAMPLES["leader"]).svg) < 60_000

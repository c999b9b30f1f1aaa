"""What a notebook holds of a picture: words, SVG, and an image that tells the words."""

import re
from html.parser import HTMLParser
from urllib.parse import unquote
from xml.etree import ElementTree

import nbformat
import pytest
from matplotlib import pyplot
from traitlets.config import Config

from raftlab import Cluster
from raftlab.raft.log import RaftLog
from raftlab.view import charts, scene_cluster, scene_frame, scene_state_machines
from raftlab.view.marks import Text
from raftlab.view.notebook import bundle, data_address
from tests.view.samples import LOG, SAMPLES

NS = "{http://www.w3.org/2000/svg}"
SHAPES = {f"{NS}{tag}" for tag in ("circle", "rect", "path", "text")}
SEEN = {"fill", "stroke", "d", "x", "y", "cx", "cy", "r", "width", "height", "font-family"}
PREFIX = "data:image/svg+xml,"


class Images(HTMLParser):
    """The attributes of every `<img>` of a page, in order."""

    def __init__(self, page):
        super().__init__()
        self.found = []
        self.feed(page)

    def handle_starttag(self, tag, attrs):
        if tag == "img":
            self.found.append(dict(attrs))


def image_of(thing):
    (found,) = Images(thing._repr_mimebundle_()["text/html"]).found
    return found


def painted(svg):
    """What an eye sees of it: its shapes with their colours and places, and its letters."""
    return [
        (each.tag, {name: each.get(name) for name in SEEN & set(each.keys())}, each.text)
        if each.tag == f"{NS}text"
        else (each.tag, {name: each.get(name) for name in SEEN & set(each.keys())})
        for each in ElementTree.fromstring(svg).iter()
        if each.tag in SHAPES
    ]


@pytest.fixture
def chart():
    ax = charts.plot_split_votes({"150-155 ms": (80, 200)})
    yield charts.Chart(ax, "Split votes\n\n80 of 200")
    pyplot.close("all")


@pytest.mark.parametrize("name", SAMPLES)
def test_the_image_has_the_text_twin_and_shows_what_the_svg_shows(name):
    scene = scene_frame(SAMPLES[name])
    image = image_of(scene)
    assert image["alt"] == scene.description
    assert image["src"].startswith(PREFIX)
    assert painted(unquote(image["src"].removeprefix(PREFIX))) == painted(scene.svg)


def test_a_chart_has_an_image_too(chart):
    image = image_of(chart)
    assert image["alt"] == chart.description
    shown = unquote(image["src"].removeprefix(PREFIX))
    assert painted(shown) == painted(chart.svg)
    assert "<metadata" not in shown


def test_all_that_shows_a_picture_shows_it_as_an_image():
    cluster = Cluster(3, seed=1)
    cluster.run(300)
    for thing in (cluster, cluster.frame(), cluster.trace(), RaftLog(LOG)):
        assert image_of(thing)["alt"].strip()


def test_equal_pictures_give_equal_html():
    one, other = (scene_frame(SAMPLES["leader"])._repr_mimebundle_() for _ in range(2))
    assert one == other


@pytest.mark.parametrize(
    "words", ['a "quote" & <b>', "it's", "<script>alert(1)</script>", "a\n  b"]
)
def test_any_words_can_be_an_alternative(words):
    html = bundle("<svg/>", words, 0.0)["text/html"]
    (image,) = Images(html).found
    assert image["alt"] == words
    assert html.count("<") == 3


def test_an_address_is_one_word_of_html_and_of_json():
    address = data_address(scene_frame(SAMPLES["leader"]).svg)
    assert not re.search(r'["<>#\\\n&]', address)
    assert address.isascii()


@pytest.mark.parametrize("name", SAMPLES)
def test_the_html_is_smaller_than_the_svg_so_that_no_notebook_doubles(name):
    scene = scene_frame(SAMPLES[name])
    assert len(data_address(scene.svg)) < 0.8 * len(scene.svg)


@pytest.mark.parametrize("name", SAMPLES)
def test_where_there_is_room_no_letter_is_smaller_than_eleven_pixels(name):
    for scene in (scene_cluster(SAMPLES[name]), scene_frame(SAMPLES[name])):
        sizes = [mark.size for mark in scene.marks if isinstance(mark, Text)]
        assert min(sizes) * float(image_of(scene)["width"]) / scene.width >= 11


@pytest.mark.parametrize("name", SAMPLES)
def test_where_there_is_no_room_no_letter_is_smaller_than_eleven_pixels(name):
    frame = SAMPLES[name]
    for scene in (scene_cluster(frame), scene_frame(frame), scene_state_machines(frame)):
        sizes = [mark.size for mark in scene.marks if isinstance(mark, Text)]
        least = least_width(image_of(scene))
        assert 11 <= min(sizes) * least / scene.width < 11.1
        assert least <= float(image_of(scene)["width"])


def test_a_chart_keeps_its_letters_too_but_is_not_made_wider_than_it_is(chart):
    assert least_width(image_of(chart)) == 572  # its smallest are 9 points, and it is 624 wide
    ax = charts.plot_split_votes({"150-155 ms": (80, 200)})
    ax.text(0, 0, "small", fontsize=2)
    assert least_width(image_of(charts.Chart(ax, "Split votes"))) == 624


def least_width(image):
    return int(re.search(r"min-width:(\d+)px", image["style"])[1])


# As pages that nbconvert writes


def page_of(thing, priority=(), **options):
    exporters = pytest.importorskip("nbconvert.exporters")
    output = nbformat.v4.new_output("display_data", data=thing._repr_mimebundle_())
    cell = nbformat.v4.new_code_cell("", outputs=[output])
    config = Config({"NbConvertBase": {"display_data_priority": [*priority]}} if priority else {})
    exporter = exporters.HTMLExporter(config=config, **options)
    return exporter.from_notebook_node(nbformat.v4.new_notebook(cells=[cell]))[0]


@pytest.mark.parametrize("template", ["lab", "classic", "basic"])
def test_an_exported_picture_has_its_alternative(template):
    scene = scene_frame(SAMPLES["leader"])
    (image,) = Images(page_of(scene, template_name=template)).found
    assert image["alt"] == scene.description
    assert image["src"] == data_address(scene.svg)


def test_a_sanitised_page_shows_the_svg_if_html_is_left_out():
    """bleach, which nbconvert cleans HTML with, has no image on its list."""
    scene = scene_frame(SAMPLES["leader"])
    assert not Images(page_of(scene, sanitize_html=True)).found
    page = page_of(scene, ["image/svg+xml", "text/plain"], sanitize_html=True)
    (image,) = Images(page).found
    assert image["src"].startswith("data:image/svg+xml;base64,")

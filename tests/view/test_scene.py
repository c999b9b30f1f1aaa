from functools import partial
from xml.etree import ElementTree

import pytest
from msgspec.structs import replace

import raftlab.view
from raftlab import Misuse
from raftlab.raft.log import RaftLog
from raftlab.view import beside, scene_cluster, scene_frame, scene_log, scene_logs, stack
from raftlab.view.cluster.description import describe_cluster
from raftlab.view.logs.description import describe_log, describe_logs
from raftlab.view.notebook import image
from raftlab.view.overview.overview import describe_frame
from raftlab.view.scene import Scene
from raftlab.view.style import GROWTH
from tests.view.boxes import outside
from tests.view.samples import LOG, SAMPLES

FRAME = SAMPLES["leader"]


def test_a_notebook_gets_text_svg_and_an_image_with_that_text():
    scene = scene_cluster(FRAME)
    shown = scene._repr_mimebundle_()
    html = shown.pop("text/html")
    assert shown == {"text/plain": describe_cluster(FRAME), "image/svg+xml": scene.svg}
    assert html == image(scene.svg, scene.description, scene.width * GROWTH, scene.width * GROWTH)
    assert scene._repr_mimebundle_(include=None, exclude=None) == shown | {"text/html": html}


def test_elsewhere_a_picture_prints_as_its_description():
    assert repr(scene_cluster(FRAME)) == describe_cluster(FRAME)
    assert repr(scene_logs(FRAME)) == describe_logs(FRAME)
    assert str(scene_frame(FRAME)) == describe_frame(FRAME)
    assert repr(scene_log(RaftLog(LOG))) == describe_log(RaftLog(LOG))


def test_the_text_is_made_once_and_only_if_somebody_asks():
    asked = []
    scene = Scene(10.0, 10.0, (), "Nothing", lambda: asked.append(1) or "Nothing at all.")
    assert asked == []
    assert scene.description in scene.svg
    assert repr(scene) == scene.description == "Nothing at all."
    assert asked == [1]


def test_a_scene_that_is_replaced_says_what_the_new_one_says():
    scene = Scene(10.0, 10.0, (), "Nothing", partial(str, "before"))
    assert "before" in scene.svg
    other = replace(scene, text="after")
    assert other.description == "after" and "after" in other.svg and "before" not in other.svg


def test_the_text_of_a_log_is_of_the_log_that_was_drawn():
    log = RaftLog(LOG[:3])
    scene, said = scene_log(log), describe_log(log)
    log.append_as_follower(LOG[3:4])
    assert scene.description == said != describe_log(log)


@pytest.mark.parametrize("suffix", [".svg", ".SVG"])
def test_a_picture_can_be_saved(suffix, tmp_path):
    path = tmp_path / f"cluster{suffix}"
    picture = scene_frame(FRAME)
    picture.save(path)
    assert path.read_text(encoding="utf-8") == picture.svg
    ElementTree.parse(path)


def test_its_text_can_be_saved(tmp_path):
    scene_frame(FRAME).save(str(tmp_path / "cluster.txt"))
    assert (tmp_path / "cluster.txt").read_text(encoding="utf-8") == f"{describe_frame(FRAME)}\n"


@pytest.mark.parametrize(("kind", "first"), [("png", b"\x89PNG\r\n"), ("pdf", b"%PDF-1.")])
def test_it_can_be_saved_for_print_and_equal_scenes_give_equal_files(kind, first, tmp_path):
    pyplot = pytest.importorskip("matplotlib.pyplot")
    one, other = tmp_path / f"one.{kind}", tmp_path / f"other.{kind}"
    before = pyplot.get_fignums()
    scene_cluster(FRAME).save(one)
    with pyplot.rc_context({"savefig.dpi": 20, "figure.facecolor": "red", "font.size": 30}):
        scene_cluster(FRAME).save(other)
    assert one.read_bytes().startswith(first)
    assert one.read_bytes() == other.read_bytes()
    assert pyplot.get_fignums() == before
    if kind == "png":
        high, wide, _ = pyplot.imread(one).shape
        scene = scene_cluster(FRAME)  # two dots a unit
        assert abs(wide - 2 * scene.width) <= 1 and abs(high - 2 * scene.height) <= 1


@pytest.mark.parametrize("name", ["cluster", "cluster.gif", ".svg"])
def test_another_suffix_is_refused_with_those_there_are(name, tmp_path):
    with pytest.raises(Misuse, match=r"saved as \.svg, \.txt, \.png or \.pdf, not as"):
        scene_cluster(FRAME).save(tmp_path / name)
    assert list(tmp_path.iterdir()) == []


def test_the_cluster_stands_over_its_logs_in_one_scene():
    scene = scene_frame(FRAME)
    ids = [mark.id for mark in scene.marks]
    assert {"cluster-node-S1", "cluster-msg-11", "logs-entry-S1-1"} <= set(ids)
    assert len(ids) == len(set(ids))
    assert outside(scene) == []
    low = max(mark.y for mark in scene.marks if mark.id.startswith("cluster-node-S3"))
    assert all(mark.y > low for mark in scene.marks if mark.role == "entry")


def test_scenes_can_be_put_side_by_side_or_one_over_the_other():
    one, two = scene_cluster(FRAME), scene_logs(FRAME)
    row, column = beside(one, two, gap=10), stack(one, two, gap=10)
    assert (row.width, row.height) == (one.width + two.width + 10, max(one.height, two.height))
    assert (column.width, column.height) == (
        max(one.width, two.width),
        one.height + two.height + 10,
    )
    assert outside(row) == outside(column) == []
    assert len({mark.id for mark in row.marks}) == len(one.marks) + len(two.marks)
    assert row.marks[0].id == f"1-{one.marks[0].id}"
    assert row.description == f"{one.description}\n\n{two.description}"
    assert row.title == "Raft cluster; Raft logs"


def test_two_pictures_of_one_kind_share_a_title():
    assert stack(scene_cluster(FRAME), scene_cluster(FRAME)).title == "Raft cluster"


def test_everything_that_is_promised_is_there_and_it_is_not_much():
    for name in raftlab.view.__all__:
        assert hasattr(raftlab.view, name), name
    assert raftlab.view.__all__ == sorted(raftlab.view.__all__)
    assert len(raftlab.view.__all__) <= 25

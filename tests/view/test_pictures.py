from xml.etree import ElementTree

import raftlab.view
from raftlab.raft.log import RaftLog
from raftlab.view.cluster import scene_cluster
from raftlab.view.describe import describe_cluster, describe_frame, describe_log, describe_logs
from raftlab.view.logs import scene_logs
from raftlab.view.pictures import Picture, beside, mimebundle, stack
from raftlab.view.showing import scene_frame, show, show_cluster, show_log, show_logs
from raftlab.view.svg import to_svg
from tests.view.boxes import outside
from tests.view.samples import LOG, SAMPLES

FRAME = SAMPLES["leader"]


def test_a_notebook_gets_text_and_svg():
    scene = scene_cluster(FRAME)
    expected = {"text/plain": describe_cluster(FRAME), "image/svg+xml": to_svg(scene)}
    assert mimebundle(scene) == expected
    assert Picture(scene)._repr_mimebundle_(include=None, exclude=None) == expected


def test_elsewhere_a_picture_prints_as_its_description():
    assert repr(show_cluster(FRAME)) == describe_cluster(FRAME)
    assert repr(show_logs(FRAME)) == describe_logs(FRAME)
    assert repr(show(FRAME)) == describe_frame(FRAME)
    assert repr(show_log(RaftLog(LOG))) == describe_log(RaftLog(LOG))


def test_a_picture_can_be_saved(tmp_path):
    path = tmp_path / "cluster.svg"
    picture = show(FRAME)
    picture.save(path)
    assert path.read_text(encoding="utf-8") == picture.svg
    ElementTree.parse(path)


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


def test_everything_that_is_promised_is_there():
    for name in raftlab.view.__all__:
        assert hasattr(raftlab.view, name), name
    assert raftlab.view.__all__ == sorted(raftlab.view.__all__)

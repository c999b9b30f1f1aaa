"""What each node has applied, and its values: as a picture and as text."""

import msgspec
import pytest

from raftlab import Cluster
from raftlab.view import describe_state_machines, scene_logs
from raftlab.view.logs.description import describe_logs
from raftlab.view.logs.state_machines import MOST_KEYS, NO_VALUES, scene_state_machines
from raftlab.view.style import PAGE
from tests.view.boxes import collisions, outside, texts
from tests.view.builders import make_frame, make_log, node
from tests.view.samples import SAMPLES
from tests.view.test_cluster import has, mark

LOG = make_log("1:", "1:x=1", "1:tea=green", "1:x=2")


def applied(name, index, commit=None, **values):
    commit = index if commit is None else commit
    held = node(name, log=LOG, commit=commit, values=values)
    return msgspec.structs.replace(held, applied_index=index)


FRAME = make_frame(
    3,
    S1=applied("S1", 4, x="2", tea="green"),
    S2=applied("S2", 2, 4, x="1"),
    S3=node("S3", alive=False, log=LOG),
)


@pytest.mark.parametrize("name", [*SAMPLES, "applied"])
def test_the_picture_is_legible(name):
    scene = scene_state_machines((SAMPLES | {"applied": FRAME})[name])
    ids = [each.id for each in scene.marks]
    assert len(ids) == len(set(ids))
    assert outside(scene) == []
    assert collisions(texts(scene)) == []
    assert all(each.size >= 11 and each.text for each in texts(scene))


def test_the_text_has_a_row_a_node_and_a_column_a_key():
    assert describe_state_machines(FRAME).splitlines() == [
        "100.0 ms: nobody leads; S3 is down.",
        "",
        "node  applied  commit  x  tea",
        "S1          4       4  2  green",
        "S2          2       4  1  -",
        "S3       down",
        "S2 has not applied all that is known to be committed.",
    ]


def test_the_picture_says_the_same():
    scene = scene_state_machines(FRAME)
    assert mark(scene, "value-S1-x").text == "2"
    assert mark(scene, "value-S2-tea").text == "–"
    assert mark(scene, "applied-S1").text == "4"
    assert mark(scene, "applied-S2").text == "2 of commit 4"
    assert mark(scene, "applied-S3").text == "lost"
    assert not has(scene, "value-S3-x")
    picture = scene_state_machines(FRAME)
    assert picture.description == describe_state_machines(FRAME)
    assert picture.svg.startswith("<svg")


def test_what_is_new_is_ringed_and_told():
    before = make_frame(3, S1=applied("S1", 3, x="1", tea="green"), S2=applied("S2", 2, 4, x="1"))
    scene = scene_state_machines(FRAME, before)
    assert has(scene, "changed-S1-x") and mark(scene, "value-S1-x").bold
    assert not has(scene, "changed-S1-tea") and not has(scene, "changed-S2-x")
    text = describe_state_machines(FRAME, before)
    assert text.splitlines()[2:4] == [
        "node  applied  commit  x  tea    changed",
        "S1          4       4  2  green  applied, x",
    ]


def test_nodes_that_have_applied_equally_much_and_differ_are_named():
    frame = make_frame(3, S1=applied("S1", 4, x="2"), S2=applied("S2", 4, x="3"))
    said = "S1 and S2 have applied equally much, and differ in x."
    assert said in describe_state_machines(frame)
    assert said in [each.text for each in texts(scene_state_machines(frame))]


def test_of_many_keys_the_last_are_shown_and_the_others_counted():
    values = {f"k{number}": f"{number}{'9' * 20}" for number in range(MOST_KEYS + 3)}
    frame = make_frame(1, S1=applied("S1", 4, **values))
    scene = scene_state_machines(frame)
    assert len(texts(scene, "key")) == MOST_KEYS
    assert has(scene, f"key-k{MOST_KEYS + 2}") and not has(scene, "key-k2")
    assert scene.width <= PAGE, "its letters are all 11 px"
    assert "3 more keys not shown." in describe_state_machines(frame)


def test_without_values_it_says_so():
    assert describe_state_machines(SAMPLES["quiet"]).endswith(NO_VALUES)


def test_it_can_be_plotted():
    assert scene_state_machines(FRAME).plot().figure is not None


def test_of_a_run_it_shows_what_the_nodes_hold():
    cluster = Cluster(3, seed=1)
    cluster.elect()
    cluster.propose("x=1")
    cluster.run(100)
    rows = describe_state_machines(cluster.frame()).splitlines()[2:]
    assert [row.split() for row in rows] == [
        ["node", "applied", "commit", "x"],
        *([f"S{place}", "2", "2", "1"] for place in (1, 2, 3)),
    ]


# In the logs, only where it is not the commit index


def test_the_logs_tell_what_is_applied_only_where_it_differs_from_the_commit_index():
    scene = scene_logs(FRAME)
    assert mark(scene, "applied-S2").data == {"index": 2}
    assert mark(scene, "applied-S2").points[0][0] < mark(scene, "commit-S2").points[2][0]
    assert not has(scene, "applied-S1") and not has(scene, "applied-S3")
    assert any("dotted bar: last applied" in each.text for each in texts(scene))
    header, first, second, third = describe_logs(FRAME).splitlines()[2:6]
    assert header.split()[:4] == ["node", "term", "commit", "applied"]
    assert second.split()[:4] == ["S2", "1", "4", "2"]
    place = header.index("applied")
    assert not first[place : place + 7].strip() and not third[place : place + 7].strip()


@pytest.mark.parametrize("name", SAMPLES)
def test_the_logs_say_nothing_of_it_where_it_is_the_same(name):
    assert "applied" not in describe_logs(SAMPLES[name])
    assert not [each for each in scene_logs(SAMPLES[name]).marks if each.role == "applied"]

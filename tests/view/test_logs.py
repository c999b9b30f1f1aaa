import pytest
from msgspec.structs import replace

from raftlab.raft.log import RaftLog
from raftlab.sim.frames.frame import DiskFrame
from raftlab.view import scene_commit, scene_frame, scene_state_machines, style
from raftlab.view.logs.logs import scene_log, scene_logs
from raftlab.view.marks import Text
from raftlab.view.scene import Scene
from raftlab.view.style import text_width
from tests.view.boxes import collisions, outside, texts
from tests.view.builders import make_frame, make_log, node, progress
from tests.view.samples import LOG, SAMPLES, SNAPSHOT, led_by_s1
from tests.view.test_cluster import has, mark


def entry(scene: Scene, name: str, index: int):
    return mark(scene, f"entry-{name}-{index}")


@pytest.mark.parametrize("name", SAMPLES)
def test_ids_are_unique_nothing_leaves_the_picture_and_letters_can_be_read(name):
    scene = scene_logs(SAMPLES[name])
    ids = [each.id for each in scene.marks]
    assert len(ids) == len(set(ids))
    assert outside(scene) == []
    assert all(each.size >= 9 and each.text for each in texts(scene))


@pytest.mark.parametrize("name", SAMPLES)
def test_words_do_not_run_over_each_other(name):
    assert collisions(texts(scene_logs(SAMPLES[name]))) == []


def test_one_row_a_node_and_one_column_an_index():
    scene = scene_logs(SAMPLES["leader"])
    assert entry(scene, "S1", 3).x == entry(scene, "S5", 3).x == mark_x(scene, 3)
    rows = [entry(scene, f"S{place}", 1).y for place in range(1, 6)]
    assert rows == sorted(rows)


def mark_x(scene, index):
    return mark(scene, f"index-{index}").x - entry(scene, "S1", index).w / 2


def test_a_cell_has_its_terms_tint_its_term_and_its_payload():
    scene = scene_logs(SAMPLES["leader"])
    assert entry(scene, "S1", 1).ink.fill == "#77AADD"
    assert entry(scene, "S1", 5).ink.fill == "#99DDFF"
    assert mark(scene, "entry-S1-5-term").text == "3"
    assert mark(scene, "entry-S1-6-text").text == "x=3"
    assert mark(scene, "entry-S1-1-text").text == "·"


def test_a_configuration_is_shown_in_a_word():
    scene = scene_logs(make_frame(1, S1=node("S1", log=make_log("1:cfg"))))
    assert mark(scene, "entry-S1-1-text").text == "cfg"
    assert "voters S1 S2 S3 S4 S5" in entry(scene, "S1", 1).title


def test_a_long_payload_is_cut_to_its_cell():
    scene = scene_logs(make_frame(1, S1=node("S1", log=make_log("1:a-very-long-payload=1"))))
    words, cell = mark(scene, "entry-S1-1-text"), entry(scene, "S1", 1)
    assert words.text.endswith("…")
    assert text_width(words.text, words.size) <= cell.w


def test_committed_entries_have_a_solid_border_and_others_a_dashed_one():
    scene = scene_logs(SAMPLES["leader"])
    committed, waiting = entry(scene, "S1", 6).ink, entry(scene, "S1", 7).ink
    assert (committed.width, committed.dash) == (2.0, ())
    assert waiting.width == 1.2
    assert waiting.dash


def test_the_commit_bar_stands_behind_the_last_committed_entry():
    scene = scene_logs(SAMPLES["leader"])
    cell = entry(scene, "S2", 5)
    bar = mark(scene, "commit-S2")
    middle = sum(x for x, _ in bar.points) / len(bar.points)
    assert cell.x + cell.w <= middle <= entry(scene, "S2", 6).x
    assert bar.data["index"] == 5


def test_a_crash_forgets_what_was_committed_and_keeps_the_disk():
    scene = scene_logs(SAMPLES["leader"])
    assert not has(scene, "commit-S4")
    assert entry(scene, "S4", 4).ink.dash
    assert mark(scene, "memory-S4-1").text == "lost"
    assert mark(scene, "disk-S4-1").text == "term 2 · S2"


def test_a_divider_stands_where_the_term_changes():
    scene = scene_logs(SAMPLES["leader"])
    assert [each.id for each in scene.marks if each.role == "divider" and "S1" in each.id] == [
        "divider-S1-4",
        "divider-S1-5",
    ]


def test_match_and_next_of_each_follower_stand_under_its_row():
    scene = scene_logs(SAMPLES["leader"])
    cell = entry(scene, "S1", 6)
    dot, triangle = mark(scene, "match-S2"), mark(scene, "next-S2")
    assert dot.x == pytest.approx(cell.x + cell.w / 2)
    assert dot.data["index"] == 6
    assert triangle.data["index"] == 8
    assert min(x for x, _ in triangle.points) > entry(scene, "S1", 7).x
    assert not has(scene, "match-S1")


def test_what_is_not_on_disk_is_hatched():
    scene = scene_logs(SAMPLES["leader"])
    assert [entry(scene, "S2", index).ink.hatch for index in (5, 6, 7)] == [False, False, True]
    assert [entry(scene, "S5", index).ink.hatch for index in (5, 6, 7)] == [False, True, True]
    assert mark(scene, "memory-S5").ink.hatch
    assert not mark(scene, "memory-S2").ink.hatch
    assert has(scene, "writing-S2")
    assert not has(scene, "writing-S5")


def test_an_entry_that_replaces_another_is_not_on_disk_either():
    old, new = make_log("1:a=1", "1:b=1"), make_log("1:a=1", "2:c=1")
    one = node("S1", log=new)

    stale = replace(one, disk=replace(one.disk, log=old))
    scene = scene_logs(make_frame(1, S1=stale))
    assert [entry(scene, "S1", index).ink.hatch for index in (1, 2)] == [False, True]


def test_a_snapshot_takes_the_place_of_the_missing_head():
    scene = scene_logs(SAMPLES["snapshot"])
    box = mark(scene, "snapshot-S2")
    assert mark(scene, "snapshot-S2-text").text == "snapshot to 4, term 2"
    assert box.x == entry(scene, "S1", 1).x
    assert box.x + box.w <= entry(scene, "S2", 5).x
    assert not has(scene, "entry-S2-4")


def test_a_long_log_shows_its_last_columns_behind_an_ellipsis():
    scene = scene_logs(SAMPLES["long"])
    shown = [index for index in range(1, 28) if has(scene, f"entry-S1-{index}")]
    assert shown == list(range(18, 28))  # its commands are long; of shorter ones there are more
    assert "14" in scene.description
    assert mark(scene, "more-S1").text == "…"
    assert mark(scene, "end-S2").text == "empty"


@pytest.mark.parametrize("nodes", [1, 5, 11, 12, 51])
@pytest.mark.parametrize("command", ["1:", "1:x=1", "1:a-long-name=1"])
@pytest.mark.parametrize("first", [1, 10**6])
def test_however_long_the_logs_a_page_has_room_for_their_letters(nodes, command, first):
    log = make_log(*[command] * 40, first=first)
    frame = make_frame(nodes, S1=node("S1", log=log, commit=first + 30))
    scene = scene_logs(frame)
    assert legible_width(scene) <= style.PAGE
    columns = [mark for mark in scene.marks if mark.role == "index"]
    assert 8 <= len(columns) <= 14
    cell = columns[1].x - columns[0].x
    assert len(columns) == 14 or legible_width(scene) + cell * style.GROWTH > style.PAGE


def legible_width(scene):
    """How wide it is in CSS pixels with the smallest of its letters as large as they must be."""
    return scene.width * style.SIZE / min(m.size for m in scene.marks if isinstance(m, Text))


def test_the_reader_may_ask_for_fewer_or_more_columns():
    frame = SAMPLES["long"]
    assert has(scene_logs(frame, last=27), "entry-S1-1")
    narrow = scene_logs(frame, last=4)
    assert [index for index in range(1, 28) if has(narrow, f"entry-S1-{index}")] == [24, 25, 26, 27]


def test_a_log_that_ends_before_the_columns_says_where():
    frame = make_frame(
        2,
        S1=node("S1", log=make_log(*["1:x=1"] * 30), commit=3),
        S2=node("S2", log=make_log("1:x=1"), commit=1),
    )
    scene = scene_logs(frame)
    assert mark(scene, "end-S2").text == "ends at 1"
    assert not has(scene, "commit-S2")
    assert not has(scene, "commit-S1")


def test_new_entries_are_ringed_and_bold():
    before = make_frame(5, **led_by_s1() | {"S3": node("S3", term=3, log=LOG[:2], commit=2)})
    scene = scene_logs(make_frame(5, **led_by_s1()), before)
    assert [each.id for each in scene.marks if each.role == "changed"] == ["changed-S3-3"]
    assert mark(scene, "entry-S3-3-term").bold
    assert not mark(scene, "entry-S3-2-term").bold
    assert mark(scene, "memory-S3-2").bold
    assert mark(scene, "disk-S3-2").bold
    assert not mark(scene, "disk-S3-1").bold


def test_a_crowd_keeps_role_name_term_and_cells():
    scene = scene_logs(SAMPLES["crowd of 51"])
    assert mark(scene, "row-S51-name").text == "S51"
    assert mark(scene, "row-S51-term").text == "t12"
    assert has(scene, "entry-S51-4")
    assert not has(scene, "memory-S51")


def test_progress_of_a_log_that_is_far_behind_is_left_out():
    nodes = {
        "S1": node(
            "S1", role="leader", log=make_log(*["1:x=1"] * 30), progress=[progress("S2", 1, 2)]
        ),
        "S2": node("S2", log=make_log("1:x=1")),
    }
    scene = scene_logs(make_frame(2, **nodes))
    assert not has(scene, "match-S2")
    assert not has(scene, "next-S2")


# One log by itself


def test_one_log_shows_its_entries_without_saying_what_is_committed():
    scene = scene_log(RaftLog(LOG))
    assert mark(scene, "entry-log-7-term").text == "3"
    assert not entry(scene, "log", 1).ink.dash
    assert not has(scene, "commit-log")


def test_one_log_hatches_what_was_not_handed_out():
    log = RaftLog(LOG[:6])
    log.append_as_follower(LOG[6:])
    scene = scene_log(log)
    assert [entry(scene, "log", index).ink.hatch for index in (6, 7)] == [False, True]


def test_an_empty_log_and_a_compacted_one_can_be_shown():
    assert mark(scene_log(RaftLog()), "empty").text == "the log is empty"
    compacted = scene_log(RaftLog(LOG[4:], SNAPSHOT))
    assert mark(compacted, "snapshot-log-text").text == "snapshot to 4, term 2"
    assert has(scene_log(RaftLog((), SNAPSHOT)), "snapshot-log")


class Unwalked(tuple):
    """A long log, of which only parts may be looked at."""

    def _walk(self, *_: object) -> bool:
        raise AssertionError("the whole log was walked through")

    __iter__ = __eq__ = __ne__ = __contains__ = _walk
    __hash__ = None


def test_a_picture_of_long_logs_looks_at_what_it_shows_and_at_no_more():
    log = make_log(*[f"{1 + place // 40}:x={place}" for place in range(100)])
    longer = (*log, *make_log(*["1:"] * 100, "3:y=1")[-1:])
    disk = DiskFrame(3, None, Unwalked(log), None, False)
    held = {"term": 3, "commit": 90, "disk": disk}
    known = [progress(name, 100, 101) for name in ("S1", "S2", "S3")]
    leading = node("S1", role="leader", heartbeat=130.0, progress=known, **held)
    others = {name: node(name, **held) for name in ("S2", "S3")}
    nodes = {"S1": leading, **others}
    frame = make_frame(
        3, **{name: replace(each, log=Unwalked(log)) for name, each in nodes.items()}
    )
    later = [replace(frame["S1"], log=Unwalked(longer)), *frame.nodes[1:]]
    following = replace(frame, nodes=tuple(later))
    for draw in (scene_frame, scene_state_machines):
        assert draw(frame).svg and draw(following, frame).svg
    assert scene_commit(following, None, frame).svg
    assert "log" in scene_logs(following, frame).description

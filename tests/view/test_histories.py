"""Histories and verdicts as pictures and as text."""

import pytest

import raftlab
from raftlab import Misuse
from raftlab.check.history import History, Operation, Outcome
from raftlab.check.history.client_history import history_of
from raftlab.check.linearizability import check
from raftlab.check.linearizability.models import Register
from raftlab.view import style
from raftlab.view.marks import Text
from raftlab.view.timeline.axis import round_times, tick_words
from raftlab.view.timeline.histories import describe_history, scene_history
from raftlab.view.timeline.history_window import spread
from tests.bench_histories import key_value_history, register_history
from tests.view.boxes import box_of, overlap
from tests.view.sound import check_scene, check_text, mark, of_role, words

UNKNOWN, FAILED = Outcome.UNKNOWN, Outcome.FAILED

STORY = History(
    [
        Operation("A", "write", "x", 0, None, 0, 10),
        Operation("B", "write", "x", 1, None, 5, 22),
        Operation("A", "read", "x", None, 1, 14, 24),
        Operation("B", "write", "x", 0, None, 30, 40),
        Operation("C", "read", "x", None, 0, 12, 20),
        Operation("C", "read", "x", None, 1, 44, 52),
        Operation("A", "cas", "x", (1, 4), None, 26, 33, UNKNOWN),
        Operation("A", "cas", "x", (3, 4), None, 36, 43, FAILED),
    ]
)
WRONG = check(STORY, model=Register())
RIGHT = check(STORY[:5], model=Register())


def test_each_operation_is_one_bar_from_question_to_answer():
    scene = scene_history(STORY)
    check_scene(scene)
    bars = of_role(scene, "operation")
    assert sorted(bar.id for bar in bars) == [f"op-{place}" for place in range(8)]
    one, other = mark(scene, "op-0"), mark(scene, "op-5")
    unit = one.w / 10
    assert other.w == pytest.approx(8 * unit)
    assert other.x - one.x == pytest.approx(44 * unit)


def test_clients_have_lines_in_the_order_of_their_names():
    scene = scene_history(STORY)
    names = of_role(scene, "name")
    assert [each.text for each in names] == ["A", "B", "C"]
    assert [each.y for each in names] == sorted(each.y for each in names)
    for client, places in (("A", (0, 2, 6, 7)), ("B", (1, 3)), ("C", (4, 5))):
        (name,) = (each for each in names if each.text == client)
        for place in places:
            bar = mark(scene, f"op-{place}")
            assert bar.data["client"] == client
            assert bar.y < name.y < bar.y + bar.h


def test_a_verdict_of_yes_shows_a_moment_on_each_bar_and_the_order():
    scene = scene_history(RIGHT)
    check_scene(scene)
    order = {}
    for place in range(5):
        bar, dot = mark(scene, f"op-{place}"), mark(scene, f"at-{place}")
        assert bar.x <= dot.x <= bar.x + bar.w
        assert bar.y <= dot.y <= bar.y + bar.h
        order[int(mark(scene, f"order-{place}").text)] = dot.x
    assert sorted(order) == [1, 2, 3, 4, 5]
    assert [order[number] for number in sorted(order)] == sorted(order.values())
    assert not of_role(scene, "culprit")


def test_the_culprit_is_told_by_hatching_edge_and_words():
    scene = scene_history(WRONG)
    check_scene(scene)
    (culprit,) = of_role(scene, "culprit")
    assert culprit.id == "op-5"
    assert culprit.ink.hatch
    others = [each for each in of_role(scene, "operation") if each is not culprit]
    assert all(culprit.ink.width > 2 * each.ink.width for each in others)
    assert not any(each.ink.hatch for each in others)
    says, why = mark(scene, "op-5-says"), mark(scene, "op-5-why")
    assert (says.text, says.bold) == ("read x → 1", True)
    assert (why.text, why.bold) == ("cannot be placed", True)
    assert culprit.x <= why.x <= culprit.x + culprit.w
    assert not [each for each in scene.marks if each.id == "at-5"]


def test_outcomes_differ_by_their_edges_and_not_by_colour_alone():
    scene = scene_history(STORY)
    dashes = {place: mark(scene, f"op-{place}").ink.dash for place in (0, 6, 7)}
    assert len(set(dashes.values())) == 3
    assert dashes[0] == ()
    assert "cas x 3 4: failed" in words(scene)
    assert "cas x 1 4 → ?" in words(scene)
    fills = {each.ink.fill for each in of_role(scene, "operation")}
    assert fills <= {style.FAINT, style.PAPER}


def test_an_unknown_operation_has_an_open_end_and_reaches_to_its_moment():
    late = [
        Operation("A", "write", "x", 1, None, 0, 5, UNKNOWN),
        Operation("A", "read", "x", None, None, 10, 20),
        Operation("A", "read", "x", None, 1, 30, 40),
    ]
    scene = scene_history(check(late, model=Register()))
    check_scene(scene)
    bar, dot = mark(scene, "op-0"), mark(scene, "at-0")
    assert mark(scene, "op-0-open").points[0][0] == pytest.approx(bar.x + bar.w)
    assert dot.x <= bar.x + bar.w
    assert dot.x > mark(scene, "op-1").x
    assert dot.y != mark(scene, "at-1").y


def test_operations_of_one_client_that_overlap_stand_in_lanes_of_their_own():
    both = [
        Operation("A", "write", "x", 1, None, 0, 10),
        Operation("A", "write", "x", 2, None, 5, 15),
    ]
    scene = scene_history(History(both))
    check_scene(scene)
    assert mark(scene, "op-0").y != mark(scene, "op-1").y
    assert [each.text for each in of_role(scene, "name")] == ["A", "A"]


def test_the_text_says_what_the_picture_shows():
    assert describe_history(WRONG) == (
        "Not linearizable: C's “read x → 1” (44.0 to 52.0 ms) cannot be placed. The operations on"
        " x that had ended before 52.0 ms can be put in order, but in every such order the state"
        " at that time is 0, and this operation does not fit.\n"
        "\n"
        "#  from ms  to ms  client  operation\n"
        "1      0.0   10.0  A       write x 0\n"
        "3      5.0   22.0  B       write x 1\n"
        "2     12.0   20.0  C       read x → 0\n"
        "4     14.0   24.0  A       read x → 1\n"
        "      26.0   33.0  A       cas x 1 4 → ?  unknown\n"
        "5     30.0   40.0  B       write x 0\n"
        "      36.0   43.0  A       cas x 3 4      failed\n"
        "      44.0   52.0  C       read x → 1     cannot be placed"
    )
    assert scene_history(WRONG).description == describe_history(WRONG)
    assert repr(scene_history(WRONG)) == describe_history(WRONG)


def test_a_history_without_a_verdict_says_what_it_is():
    text = describe_history(STORY)
    assert text.startswith("8 operations of 3 clients, from 0.0 ms on.\n")
    check_text(text)
    assert not of_role(scene_history(STORY), "moment")


def test_an_empty_history_is_a_sentence():
    scene = scene_history(History())
    check_scene(scene)
    assert scene.description == "An empty history."
    assert describe_history(check([])) == (
        "Linearizable: the history is empty, so there is no answer to explain."
    )
    check_scene(scene_history(check([])))


def test_of_a_long_history_the_end_is_shown_and_the_rest_is_counted():
    long = key_value_history(operations=500)
    scene = scene_history(check(long), last=20)
    check_scene(scene)
    assert sorted(each.data["place"] for each in of_role(scene, "operation")) == [*range(480, 500)]
    assert "20 of 500 operations are shown." in scene.description
    assert "20 of 500 operations are shown." in " ".join(
        each.text for each in of_role(scene, "headline")
    )


def test_of_a_long_history_what_leads_to_the_culprit_is_shown():
    verdict = check(register_history(2, 200, corrupt=True), model=Register())
    assert verdict.is_linearizable is False
    scene = scene_history(verdict)
    check_scene(scene)
    assert len(of_role(scene, "operation")) == 30
    assert len(of_role(scene, "culprit")) == 1
    places = [each.data["place"] for each in of_role(scene, "operation")]
    assert all(verdict.history[p].start <= verdict.culprit.end for p in places)
    assert f"30 of {len(verdict.history)} operations on r are shown." in scene.description


@pytest.mark.parametrize("seed", range(16))
def test_pictures_of_any_history_are_sound(seed):
    verdict = check(
        register_history(seed, 40, 2 + seed % 5, 0.1 * (seed % 4), seed % 2 == 0), model=Register()
    )
    scene = scene_history(verdict)
    check_scene(scene)
    check_text(scene.description)
    bars = [(b.x, b.y, b.x + b.w, b.y + b.h) for b in of_role(scene, "operation")]
    assert not [
        (one, two)
        for place, one in enumerate(bars)
        for two in bars[place + 1 :]
        if overlap(one, two, slack=6.0)
    ]
    for text in of_role(scene, "says") + of_role(scene, "order") + of_role(scene, "why"):
        assert not any(overlap(box_of(text), bar) for bar in bars)


def test_a_verdict_of_unknown_is_drawn_as_far_as_it_came():
    verdict = check(register_history(3), model=Register(), budget=20)
    assert verdict.unknown
    scene = scene_history(verdict)
    check_scene(scene)
    assert scene.description.startswith("Unknown: ")
    assert not of_role(scene, "culprit")


def test_equal_verdicts_give_equal_pictures():
    again = check(STORY, model=Register())
    assert scene_history(again).svg == scene_history(WRONG).svg


def test_strange_names_and_values_are_drawn_as_text():
    odd = History([Operation("<b>\n" * 30, "write", "k" * 90, "<&>\x00" * 40, None, 0, 0)])
    scene = scene_history(odd)
    check_scene(scene)
    assert "\n\n" not in scene.description.partition("\n\n")[2]


def test_moments_lie_in_order_and_within_the_operations():
    placed = [STORY[0], STORY[4], STORY[1], STORY[2], STORY[3]]
    moments = spread(placed, 60.0)
    assert moments == sorted(moments)
    assert len(set(moments)) == 5
    for operation, moment in zip(placed, moments, strict=True):
        assert operation.start < moment < operation.end


@pytest.mark.parametrize(
    ("start", "end", "expected"),
    [(0.0, 10.0, [0.0, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0, 9.0, 10.0]), (3.0, 57.0, [5.0])],
)
def test_the_axis_has_round_times(start, end, expected):
    times = round_times(start, end, 900.0)
    assert times[: len(expected)] == expected
    assert all(start <= each <= end for each in times)


def test_the_last_words_of_a_lane_are_whole_at_the_right_edge():
    """A short read at the very end: its words begin further left than its bar."""
    verdict = check(history_of(raftlab.scenarios.stale_read("after")))
    scene = scene_history(verdict)
    texts = [each.text for each in scene.marks if isinstance(each, Text)]
    assert "read x → 1" in texts


@pytest.mark.parametrize(
    ("first", "length"),
    [
        (0, 5e-324),
        (10**6, 3),
        (1e15, 3),
        (1_764_000_000_000_000_000, 400),
        (2**62, 0),
        (-(2**63), 9),
    ],
)
def test_any_time_can_be_drawn_and_every_mark_has_a_name_of_its_own(first, length):
    story = [
        Operation("a", "write", "x", 1, None, first, first + length),
        Operation("b", "read", "x", None, 2, first + length, first + 2 * length),
    ]
    scene = scene_history(check(story))
    names = [mark.id for mark in scene.marks]
    assert len(names) == len(set(names))
    assert describe_history(check(story))


def test_long_times_on_an_axis_are_counted_from_the_first():
    words = tick_words([1_764_000_000_000.0, 1_764_000_000_200.0, 1_764_000_000_400.0])
    assert words == ["1764000000000", "+200", "+400"]
    assert tick_words([0.0, 12.5]) == ["0", "12.5"]


@pytest.mark.parametrize(("of", "last"), [(5, 30), (None, 30), ([], 30), (History(), "a")])
def test_what_is_no_history_is_not_drawn(of, last):
    with pytest.raises(Misuse, match=r"takes a (History|whole number)"):
        describe_history(of, last)

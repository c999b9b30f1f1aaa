from itertools import combinations, pairwise

import pytest

from raftlab.raft.roles import Role
from raftlab.view import style
from tests.view.builders import heartbeat, request_vote, vote
from tests.view.colors import ciede2000, contrast, distance, lightness, nearest

STATES = [style.FOLLOWER, style.CANDIDATE, style.LEADER, style.CRASHED]


class Palette:
    """The colours on a light page, or on a dark one."""

    def __init__(self, dark: bool) -> None:
        self.dark = dark
        self.fills = [self.of(state.fill) for state in STATES]
        self.tints = [self.of(tint) for tint in style.TERM_TINTS]
        self.paper = self.of(style.PAPER)
        self.entry_label = "#FFFFFF" if dark else "#000000"

    def of(self, color: str) -> str:
        return style.DARK[color] if self.dark else color


@pytest.fixture(params=[False, True], ids=["light", "dark"])
def palette(request):
    return Palette(request.param)


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        ((50.0, 2.6772, -79.7751), (50.0, 0.0, -82.7485), 2.0425),
        ((50.0, -1.0, 2.0), (50.0, 0.0, 0.0), 2.3669),
        ((50.0, 2.5, 0.0), (73.0, 25.0, -18.0), 27.1492),
        ((60.2574, -34.0099, 36.2677), (60.4626, -34.1751, 39.4387), 1.2644),
        ((22.7233, 20.0904, -46.6940), (23.0331, 14.9730, -42.5619), 2.0373),
        ((2.0776, 0.0795, -1.1350), (0.9033, -0.0636, -0.5514), 0.9082),
    ],
)
def test_the_distance_agrees_with_the_published_test_data(one, other, expected):
    assert ciede2000(one, other) == pytest.approx(expected, abs=5e-5)


def test_roles_stay_apart_for_every_kind_of_sight(palette):
    assert nearest(list(combinations(palette.fills, 2))) >= 15.4


def test_roles_stay_apart_when_printed_in_grey(palette):
    ladder = sorted(lightness(fill) for fill in palette.fills)
    assert min(after - before for before, after in pairwise(ladder)) >= 21


def test_consecutive_terms_are_far_apart(palette):
    pairs = list(zip(palette.tints, palette.tints[1:] + palette.tints[:1], strict=True))
    assert nearest(pairs) >= 37


def test_any_two_terms_and_any_term_and_role_can_be_told_apart(palette):
    assert nearest(list(combinations(palette.tints, 2))) >= 12
    assert nearest([(tint, fill) for tint in palette.tints for fill in palette.fills]) >= 11.5


def test_two_tints_that_look_alike_to_someone_would_be_found():
    assert distance("#EE8866", "#CCBB44", "deutan") < distance("#EE8866", "#CCBB44")


def test_labels_can_be_read(palette):
    for state in STATES[:-1]:
        assert contrast(state.label, palette.of(state.fill)) >= 4.5
    for tint in palette.tints:
        assert contrast(palette.entry_label, tint) >= 4.5
    for words in (style.INK, style.QUIET, style.CRASHED.label):
        assert contrast(palette.of(words), palette.paper) >= 4.5


def test_lines_that_matter_stand_out_from_the_paper(palette):
    for color in (style.CANDIDATE.fill, style.LEADER.fill, style.TROUBLE, style.TIMER):
        assert contrast(palette.of(color), palette.paper) >= 3


def test_the_border_of_an_entry_stands_out_from_its_tint_and_from_the_paper(palette):
    for ground in (*palette.tints, palette.paper):
        assert contrast(palette.of(style.INK), ground) >= 3


def test_every_colour_is_another_one_where_the_page_is_dark():
    assert len(set(style.DARK.values())) == len(style.DARK)


def test_every_role_has_its_own_shape():
    shapes = {style.node_style(role).shape for role in Role}
    assert shapes == {"circle", "diamond", "square"}
    assert style.node_style(None).dash


def test_terms_take_the_four_tints_in_turn():
    assert [style.term_tint(term) for term in (1, 2, 3, 4, 5)] == [
        *style.TERM_TINTS,
        style.TERM_TINTS[0],
    ]
    assert style.term_tint(0) == style.PAPER


def test_messages_are_told_apart_by_line_and_not_by_colour_alone():
    asks, answers = request_vote("S1", "S2"), vote("S2", "S1")
    assert style.message_style(asks).dash
    assert not style.message_style(heartbeat("S1", "S2")).dash
    assert style.message_style(asks).head == "filled"
    assert style.message_style(answers).head == "open"
    assert style.message_style(request_vote("S1", "S2", prevote=True)).dash != (
        style.message_style(asks).dash
    )


def test_no_letter_is_smaller_than_nine():
    assert style.SMALL >= 9
    sizes = [value for key, value in style.RC.items() if key.endswith(("size", "labelsize"))]
    assert min(size for size in sizes if isinstance(size, float)) >= 9


def test_the_widths_of_letters_are_those_of_the_font():
    font_manager = pytest.importorskip("matplotlib.font_manager")
    from matplotlib.textpath import TextToPath

    for mono, family in ((False, style.FONT), (True, style.MONO_FONT)):
        font = font_manager.FontProperties(family=family, size=100)
        for text in ("commit 12", "term 3 · S1", "x=1, y=[2]; {z}", "AVWM…→–×"):
            wide, _, _ = TextToPath().get_text_width_height_descent(text, font, False)
            assert style.text_width(text, 100, mono=mono) == pytest.approx(wide, rel=0.05)


def test_text_that_does_not_fit_ends_in_an_ellipsis():
    assert style.fit_text("x=1", 40) == "x=1"
    short = style.fit_text("a very long payload", 40)
    assert short.endswith("…")
    assert style.text_width(short) <= 40
    assert style.fit_text("anything", 0) == "…"

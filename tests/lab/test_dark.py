"""The stage has every colour of a picture for dark pages, too."""

import re

import pytest

from raftlab.lab.stage import STATIC
from raftlab.view import Scene, scene_cluster, scene_logs, style
from raftlab.view.marks import Text
from tests.view.samples import SAMPLES

CSS = (STATIC / "stage.css").read_text(encoding="utf-8")
RULE = re.compile(
    r'\[data-jp-theme-light="false"\] \.raftlab-stage '
    r'\[(fill|stroke)="(#\w{6})"\](?::not\(text\))? \{ (fill|stroke): (#\w{6}); \}'
)
LABELS = {"#000000", "#FFFFFF"}


def colors_of(scene: Scene) -> set[str]:
    found = set()
    for mark in scene.marks:
        if isinstance(mark, Text):
            found |= {mark.color} - LABELS
        else:
            found |= {each for each in (mark.ink.fill, mark.ink.stroke) if each}
    return found


@pytest.mark.parametrize("what", ["fill", "stroke"])
def test_the_style_sheet_has_the_dark_palette(what):
    rules = [rule for rule in RULE.findall(CSS) if rule[0] == what]
    assert {light: dark for _, light, _, dark in rules} == style.DARK
    assert all(name == changed for name, _, changed, _ in rules)


@pytest.mark.parametrize("name", SAMPLES)
def test_every_colour_on_the_stage_is_in_the_dark_palette(name):
    for scene in (scene_cluster(SAMPLES[name]), scene_logs(SAMPLES[name])):
        assert colors_of(scene) <= set(style.DARK)


@pytest.mark.parametrize("name", SAMPLES)
def test_black_words_without_a_role_are_labels_of_entries(name):
    """So the style sheet can find them: on the dark tints they are white."""
    black = [m for m in scene_cluster(SAMPLES[name]).marks if _is_plain_black(m)]
    assert not black


def _is_plain_black(mark: object) -> bool:
    return isinstance(mark, Text) and mark.color == "#000000" and not mark.role

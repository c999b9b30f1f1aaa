"""What every picture must be, whatever it shows."""

from xml.etree import ElementTree

from raftlab.view.marks import Text
from raftlab.view.scene import Scene
from raftlab.view.style import SMALL
from tests.view.boxes import collisions, outside, texts

SVG = "{http://www.w3.org/2000/svg}"


def check_scene(scene: Scene) -> ElementTree.Element:
    """The SVG of a scene, once it is clear that nothing is clipped, doubled, or too small."""
    ids = [mark.id for mark in scene.marks]
    assert sorted(ids) == sorted(set(ids)), "two marks share an id"
    assert outside(scene) == [], "these marks are clipped"
    assert collisions(texts(scene)) == [], "these words lie over each other"
    least = min(mark.size for mark in scene.marks if isinstance(mark, Text))
    assert least >= SMALL, "words are smaller than style.SMALL"
    check_text(scene.description)
    return ElementTree.fromstring(scene.svg)


def check_text(text: str) -> None:
    """A text twin begins with a sentence, and leaves no line ending in a space."""
    first = text.partition("\n")[0]
    assert first.endswith("."), f"a text twin begins with a sentence, not with {first!r}"
    assert all(line == line.rstrip() for line in text.split("\n")), "a line ends in a space"
    assert not text.endswith("\n"), "a text twin ends without a line end"


def words(scene: Scene) -> list[str]:
    """All that is written in a picture, in the order in which it is drawn."""
    return [mark.text for mark in scene.marks if isinstance(mark, Text)]


def of_role(scene: Scene, role: str) -> list:
    """The marks that have `role` among their roles."""
    return [mark for mark in scene.marks if role in mark.role.split()]


def mark(scene: Scene, name: str):
    """The one mark of that id."""
    (found,) = (each for each in scene.marks if each.id == name)
    return found

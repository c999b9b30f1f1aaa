"""Pictures for a notebook: a scene with its SVG and its text twin, and scenes put together."""

import pathlib
from collections.abc import Sequence
from functools import cached_property

import msgspec

from raftlab.raft.vocabulary import Misuse, shown
from raftlab.sim.run.files import naming
from raftlab.view.checked import checked
from raftlab.view.marks import Mark, Path, Scene
from raftlab.view.svg import to_svg

GAP = 12.0
"""Between two scenes that are put together, in units."""


@checked
def mimebundle(scene: Scene) -> dict[str, str]:
    """What a notebook shows of a scene: its description as text, and its SVG."""
    return {"text/plain": scene.description, "image/svg+xml": to_svg(scene)}


class Shown:
    """What shows itself in a notebook as SVG, and prints as its description elsewhere."""

    svg: str
    description: str

    def save(self, path: str | pathlib.Path) -> None:
        """Write the SVG to a file."""
        with naming(pathlib.Path(path)):
            pathlib.Path(path).write_text(self.svg, encoding="utf-8")

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> dict[str, str]:
        return {"text/plain": self.description, "image/svg+xml": self.svg}

    def __repr__(self) -> str:
        return self.description


class Picture(Shown):
    """A scene to look at. `svg` is the picture as text: equal scenes give equal text."""

    def __init__(self, scene: Scene) -> None:
        if not isinstance(scene, Scene):
            raise Misuse(f"a picture is made of a scene, not {shown(scene)}")
        self.scene = scene
        self.description = scene.description

    @cached_property
    def svg(self) -> str:  # type: ignore[override]
        """The picture as SVG."""
        return to_svg(self.scene)


# Putting scenes together


@checked
def stack(*scenes: Scene, names: Sequence[str] = (), gap: float = GAP) -> Scene:
    """Scenes one over the other, each in the middle; see `beside` for ids and descriptions."""
    width = max((scene.width for scene in scenes), default=0.0)
    marks: list[Mark] = []
    y = 0.0
    for scene, name in zip(scenes, _prefixes(scenes, names), strict=True):
        marks += [moved(mark, (width - scene.width) / 2, y, name) for mark in scene.marks]
        y += scene.height + gap
    return _joined(scenes, width, max(y - gap, 0.0), marks)


@checked
def beside(*scenes: Scene, names: Sequence[str] = (), gap: float = GAP) -> Scene:
    """Scenes from left to right, tops aligned.

    Each scene's ids get its name, or "1", "2", … and a hyphen in front, so that no two
    marks share one. Titles and descriptions follow each other.
    """
    marks: list[Mark] = []
    x = 0.0
    for scene, name in zip(scenes, _prefixes(scenes, names), strict=True):
        marks += [moved(mark, x, 0.0, name) for mark in scene.marks]
        x += scene.width + gap
    height = max((scene.height for scene in scenes), default=0.0)
    return _joined(scenes, max(x - gap, 0.0), height, marks)


def _prefixes(scenes: Sequence[Scene], names: Sequence[str]) -> list[str]:
    given = names or [str(place) for place in range(1, len(scenes) + 1)]
    return [f"{name}-" for name in given]


def _joined(scenes: Sequence[Scene], width: float, height: float, marks: list[Mark]) -> Scene:
    title = "; ".join(dict.fromkeys(scene.title for scene in scenes))
    description = "\n\n".join(scene.description for scene in scenes)
    return Scene(width, height, tuple(marks), title, description)


def moved(mark: Mark, dx: float, dy: float, prefix: str = "") -> Mark:
    """The same mark `dx` to the right and `dy` further down, with `prefix` before its id."""
    match mark:
        case Path():
            points = tuple([(x + dx, y + dy) for x, y in mark.points])
            return msgspec.structs.replace(mark, id=prefix + mark.id, points=points)
        case _:
            x, y = mark.x + dx, mark.y + dy
            return msgspec.structs.replace(mark, id=prefix + mark.id, x=x, y=y)

"""A picture: its marks and its text twin in one value, which shows, plots and saves itself."""

import pathlib
from collections.abc import Callable, Sequence
from functools import cached_property
from math import inf
from typing import TYPE_CHECKING

import msgspec
from msgspec.structs import replace

from raftlab.raft.vocabulary import Misuse, shown
from raftlab.sim.run.files import errors_naming
from raftlab.view import style
from raftlab.view.checked import checked
from raftlab.view.marks import Mark, Path, Text
from raftlab.view.notebook import bundle
from raftlab.view.svg import svg_text

if TYPE_CHECKING:
    from raftlab.view.plot import Axes

GAP = 12.0
"""Between two scenes that are put together, in units."""


class Scene(msgspec.Struct, frozen=True, dict=True, eq=False):
    """A picture, decided: its size in units, its marks, a title of a few words, and its text.

    A notebook shows it with its text twin as its alternative; elsewhere it prints as that
    text. `text` is the twin itself, or the function that makes it when
    somebody first asks for the `description`.
    """

    width: float
    height: float
    marks: tuple[Mark, ...]
    title: str
    text: str | Callable[[], str]

    @cached_property
    def description(self) -> str:
        """The picture in words: a sentence, then a small table."""
        return self.text if isinstance(self.text, str) else self.text()

    @cached_property
    def svg(self) -> str:
        """The picture as SVG text: equal scenes give equal bytes, in every process."""
        return svg_text(self.width, self.height, self.marks, self.title, self.description)

    @property
    def least_width(self) -> float:
        """How wide it must be on a page for its letters to be read, in CSS pixels."""
        smallest = min((each.size for each in self.marks if isinstance(each, Text)), default=inf)
        return self.width * style.SIZE / smallest

    @property
    def widest(self) -> float:
        """How wide it is on a page that has the room, in CSS pixels."""
        return self.width * style.GROWTH

    def plot(self, ax: "Axes | None" = None) -> "Axes":
        """Paint it with matplotlib into `ax`, as large as it fits, or into a figure of its own.

        In a figure of its own, which pyplot holds, one unit is one point. Returns: the Axes.
        """
        from raftlab.view import plot

        return plot.paint(self.width, self.height, self.marks, ax)

    def save(self, path: str | pathlib.Path) -> None:
        """Write it to a file, by its suffix: .svg, .txt (the text twin), .png or .pdf.

        Equal scenes give equal bytes. Raises: Misuse, for another suffix; OSError, if the file
        cannot be written.
        """
        file = pathlib.Path(path)
        with errors_naming(file):
            match file.suffix.lower():
                case ".svg":
                    file.write_text(self.svg, encoding="utf-8")
                case ".txt":
                    file.write_text(f"{self.description}\n", encoding="utf-8")
                case ".png" | ".pdf" as kind:
                    from raftlab.view import plot

                    file.write_bytes(plot.printed(self.width, self.height, self.marks, kind[1:]))
                case _:
                    raise Misuse(
                        f"a picture is saved as .svg, .txt, .png or .pdf, not as {shown(file.name)}"
                    )

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> dict[str, str]:
        return bundle(self.svg, self.description, self.least_width, self.widest)

    def __repr__(self) -> str:
        return self.description


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

    def text() -> str:
        return "\n\n".join(scene.description for scene in scenes)

    return Scene(width, height, tuple(marks), title, text)


def moved(mark: Mark, dx: float, dy: float, prefix: str = "") -> Mark:
    """The same mark `dx` to the right and `dy` further down, with `prefix` before its id."""
    if type(mark) is Path:
        points = tuple([(x + dx, y + dy) for x, y in mark.points])
        return replace(mark, id=prefix + mark.id, points=points)
    return replace(mark, id=prefix + mark.id, x=mark.x + dx, y=mark.y + dy)

"""What a course cell shows: a sentence, pictures with their twins, and what is folded below."""

from base64 import b64encode
from collections.abc import Iterable, Sequence
from html import escape

from raftlab.view import Scene


class Panel:
    """Text and pictures for one cell's output.

    In a notebook the `sentence` comes first, then each picture, with its description as
    alternative text, then the whole `text`, folded. Without a sentence the text comes first,
    and nothing is folded. Anywhere else `repr` has all of it as text.
    """

    __slots__ = ("scenes", "sentence", "text")

    def __init__(self, text: str, scenes: Sequence[Scene] = (), sentence: str = "") -> None:
        self.text = text
        self.scenes = tuple(scenes)
        self.sentence = sentence

    def __repr__(self) -> str:
        return "\n\n".join([self.text, *(scene.description for scene in self.scenes)])

    @property
    def html(self) -> str:
        """The same for a browser; it shows without a kernel and without JavaScript."""
        first = self.sentence or self.text
        folded = f"<pre>{escape(self.text)}</pre>" if first != self.text else ""
        return "\n".join(
            [
                f"<p>{lines_html(first.splitlines())}</p>",
                *([pictures_html(self.scenes)] if self.scenes else []),
                *([f"<details><summary>Details</summary>{folded}</details>"] if folded else []),
            ]
        )

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> dict[str, str]:
        return {"text/plain": repr(self), "text/html": self.html}


def lines_html(lines: Iterable[str]) -> str:
    """Lines of text, one below the other."""
    return "<br>".join(escape(line.strip()) for line in lines)


def pictures_html(scenes: Iterable[Scene]) -> str:
    """Pictures, one below the other, each with its description as alternative text."""
    return "\n".join(f"<p>{_picture_html(scene)}</p>" for scene in scenes)


def _picture_html(scene: Scene) -> str:
    source = b64encode(scene.svg.encode()).decode()
    return f'<img alt="{escape(scene.description)}" src="data:image/svg+xml;base64,{source}">'

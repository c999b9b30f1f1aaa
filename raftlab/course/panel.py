"""What a course cell shows: a sentence, pictures with their twins, and what is folded below."""

from collections.abc import Iterable, Sequence
from html import escape

from raftlab.view import Scene

WIDTH = 96
"""Letters in a line of text."""


class Panel:
    """Text and pictures for one cell's output.

    In a notebook the `sentence` comes first, then each picture, with its description as
    alternative text, then the whole `text`, folded, if it says more. Without a sentence the
    text comes first. Anywhere else `repr` has all of it as text.
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
        text = f"<pre>{escape(self.text)}</pre>"
        parts = [f"<p>{escape(self.sentence)}</p>" if self.sentence else text]
        parts += [pictures_html(self.scenes)] if self.scenes else []
        if self.sentence and self.sentence != self.text:
            parts.append(f"<details><summary>Details</summary>{text}</details>")
        return "\n".join(parts)

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> dict[str, str]:
        return {"text/plain": repr(self), "text/html": self.html}


def list_html(lines: Iterable[str]) -> str:
    """Lines of text as the items of a list."""
    return "".join(f"<li>{escape(line)}</li>" for line in lines)


def pictures_html(scenes: Iterable[Scene]) -> str:
    """Pictures, one below the other, each with its description as alternative text."""
    return "\n".join(f"<p>{scene._repr_mimebundle_()['text/html']}</p>" for scene in scenes)

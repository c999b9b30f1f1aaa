"""What a course cell shows: text that is always there, and below it pictures with their twins."""

from collections.abc import Sequence

from raftlab.view import Scene


class Panel:
    """Text and pictures for one cell's output.

    In a notebook the text comes first and each picture below it as SVG, with its
    description as text twin. Anywhere else `repr` has all of it as text.
    """

    __slots__ = ("scenes", "text")

    def __init__(self, text: str, scenes: Sequence[Scene] = ()) -> None:
        self.text = text
        self.scenes = tuple(scenes)

    def __repr__(self) -> str:
        return "\n\n".join([self.text, *(scene.description for scene in self.scenes)])

    def _ipython_display_(self) -> None:
        from IPython.display import display

        display({"text/plain": self.text}, raw=True)  # type: ignore[no-untyped-call]
        for scene in self.scenes:
            display(scene)  # type: ignore[no-untyped-call]

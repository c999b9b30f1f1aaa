"""What a notebook is given of a picture: its words, its SVG, and an HTML image that tells them.

Readers choose one of the three. JupyterLab, Notebook 7 and nbconvert take the HTML: it is
shown before a notebook is trusted, too, and its words reach a screen reader. What prints a
notebook (LaTeX) takes the SVG, a terminal the words.
"""

import re
from collections.abc import Mapping
from html import escape
from math import ceil
from urllib.parse import quote

WIDGET = "application/vnd.jupyter.widget-view+json"

_TAG = re.compile("<[^>]*>")
_UNSEEN = re.compile(r"<(title|desc|metadata)\b[^>]*>.*?</\1>\s*", re.DOTALL)
_UNUSED = re.compile(r' (?:class|role|data-[\w-]+|aria-[\w-]+)="[^"]*"')
_ATTRIBUTE = re.compile(r'="([^"]*)"')
_BETWEEN = re.compile(r">\s*\n\s*<")
_KEPT = " !$'()*+,/:;=?@"

_SCROLLED = "display:block;width:0;min-width:100%;overflow-x:auto"  # cells of tables do not grow

Bundle = dict[str, str]


def bundle(svg: str, description: str, least: float, width: float | None = None) -> Bundle:
    """A picture for every reader of a notebook: the same picture, the same bytes.

    In CSS pixels, `least` is how wide it must be for its letters to be read, and `width` how
    wide it is where there is room; its own width, if None.
    """
    html = image(svg, description, least, width)
    return {"text/plain": description, "image/svg+xml": svg, "text/html": html}


def image(svg: str, description: str, least: float, width: float | None = None) -> str:
    """An `<img>` that holds the SVG and has the description as its alternative text.

    It shrinks with the page to its `least` width; on a page narrower than that it is scrolled.
    """
    wide = "" if width is None else f' width="{ceil(width)}"'
    return (
        f'<span style="{_SCROLLED}"><img alt="{escape(description)}"{wide} '
        f'style="max-width:100%;min-width:{ceil(least)}px;height:auto" '
        f'src="{data_address(svg)}"></span>'
    )


def data_address(svg: str) -> str:
    """The SVG as a data address, without what no image shows: titles, classes, ids of marks.

    Percent-encoded it is a fifth smaller than in base64, and a change of it can be read.
    """
    seen = _TAG.sub(lambda tag: _shorter(tag[0]), _UNSEEN.sub("", svg))
    return f"data:image/svg+xml,{quote(_BETWEEN.sub('><', seen).strip(), safe=_KEPT)}"


def _shorter(tag: str) -> str:
    """A tag with what is seen only, in single quotes, which need no encoding."""
    seen = _UNUSED.sub("", tag)
    return _ATTRIBUTE.sub(lambda value: "='" + value[1].replace("'", "&apos;") + "'", seen)


# A picture that stands for something live

_PICTURE = ".jp-OutputArea-child:has(.raftlab-still)"
_LIVE = "> .jp-OutputArea-output > .jupyter-widgets"
_DEAD = "> .jp-OutputArea-output.lm-Panel"
STYLE = (
    f"<style>{_PICTURE}:has(+ .jp-OutputArea-child {_LIVE}),"
    f"{_PICTURE} + .jp-OutputArea-child:has({_DEAD}):not(:has({_LIVE})){{display:none}}</style>"
)
"""Where the live one is on the page, its picture is not; where no kernel knows it, the reverse."""


def show(data: Mapping[str, object]) -> None:
    """Show these forms of one thing, by their MIME types, as the next output of the cell."""
    from IPython.display import display

    display(dict(data), raw=True)  # type: ignore[no-untyped-call]


def show_live(picture: Bundle, model_id: str) -> None:
    """Show a picture, and after it the widget that takes its place as long as its kernel runs.

    They are two outputs of the cell: so a saved notebook has the picture, and no reader
    without a kernel is told that a widget is missing. `model_id` is that of the widget.
    """
    show(picture | {"text/html": f'<div class="raftlab-still">{STYLE}{picture["text/html"]}</div>'})
    show(widget_view(model_id))


def widget_view(model_id: str) -> dict[str, object]:
    """The forms of a widget that a notebook shows; as text it says nothing."""
    return {
        "text/plain": "",
        WIDGET: {"version_major": 2, "version_minor": 0, "model_id": model_id},
    }

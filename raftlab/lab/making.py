"""How the lab makes a control: buttons, lists, fields, and rows of them."""

from collections.abc import Sequence
from typing import Any

import ipywidgets as widgets

from raftlab.lab import panels
from raftlab.lab.session import MOST_MS


def button(words: str, icon: str, tip: str) -> Any:
    """A button as wide as its words."""
    made = widgets.Button(description=words, icon=icon, tooltip=tip)
    made.layout.width = "auto"
    return made


def toggle(words: str, tip: str = "") -> Any:
    """A button that stays down, as wide as its words."""
    made = widgets.ToggleButton(description=words, tooltip=tip)
    made.layout.width = "auto"
    return made


def dropdown(words: str, options: Sequence[Any], value: Any, width: str) -> Any:
    """A labelled list to choose from."""
    made = widgets.Dropdown(description=words, options=options, value=value)
    made.style.description_width = "initial"
    made.layout.width = width
    return made


def offer(control: Any, options: Sequence[Any], otherwise: Any) -> None:
    """Let a list have these options; what was chosen stays, or else is `otherwise`."""
    options, chosen = tuple(options), control.value
    if tuple(control.options) != options:
        with control.hold_sync():
            control.options = options
            control.value = chosen if chosen in options else otherwise


def number(words: str, value: float, width: str) -> Any:
    """A labelled field for ms."""
    made = widgets.BoundedFloatText(
        value=value, min=0.1, max=MOST_MS, step=1.0, description=words, layout={"width": width}
    )
    made.style.description_width = "initial"
    return made


def text(words: str, value: str, width: str, example: str = "") -> Any:
    """A labelled field for a few words, which are read when a button needs them."""
    made = widgets.Text(
        value=value, description=words, continuous_update=False, placeholder=example
    )
    made.style.description_width = "initial"
    made.layout.width = width
    return made


def label(words: str) -> Any:
    """A name for the controls after it."""
    return widgets.HTML(panels.label(words))


def gap() -> Any:
    """A little room between controls that do not belong together."""
    made = widgets.Box()
    made.add_class("raftlab-gap")
    return made


def row(name: str, *children: Any) -> Any:
    """Controls side by side, which wrap where it is narrow."""
    made = widgets.HBox(children)
    made.add_class("raftlab-row")
    made.add_class(f"raftlab-{name}")
    return made


def together(*children: Any) -> Any:
    """Controls that a row does not part where it wraps: a field with its button."""
    made = widgets.HBox(children)
    made.add_class("raftlab-together")
    return made


def column(name: str, *children: Any) -> Any:
    """Widgets one below the other."""
    made = widgets.VBox(children)
    made.add_class(f"raftlab-{name}")
    return made

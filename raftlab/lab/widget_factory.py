"""Makes the widgets of a lab: of its controls, and rows of them.

A lab has some 160 of them, and to ipywidgets the layout and the style of each are two widgets
more, each announced to the page by itself. So those that look alike share them, and a widget is
made with all that it has to begin with.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import ipywidgets as widgets
import traitlets

from raftlab.lab import panels
from raftlab.lab.control_table import Control, Item, Kind, Size
from raftlab.lab.network_settings import latency_options
from raftlab.lab.notebook_cells import unasked
from raftlab.lab.session import MOST_MS
from raftlab.raft.vocabulary import NodeId
from raftlab.sim.world.settings import Network

ONLY = {Size.FULL: "raftlab-full-only", Size.SIMPLE: "raftlab-simple-only"}
"""What the page does not show in a lab of the other size."""

SHORT_LABELS = (
    *(Kind.SLIDER, Kind.LATENCY, Kind.PERCENT),
    *(Kind.CHOICE, Kind.NUMBER, Kind.TEXT),
)
"""Kinds whose label is as wide as its words, and no wider."""


class Words(widgets.HTML):
    """HTML that sends nothing by itself: the page gets it along with the picture."""

    value = traitlets.Unicode()


class WidgetFactory:
    """Makes the widgets of one lab."""

    def __init__(self) -> None:
        self._layouts: dict[tuple[str | None, str | None], widgets.Layout] = {}
        self._styles: dict[tuple[type, bool], Any] = {}

    @property
    def shared(self) -> list[Any]:
        """The layouts and styles that the others share, also those that none has just now."""
        return [*self._layouts.values(), *self._styles.values()]

    def control(self, control: Control, nodes: Sequence[NodeId]) -> Any:
        """The widget of a control of a cluster with these nodes."""
        kind, made = control.kind, CLASSES[control.kind]
        settings = SETTINGS[kind](control, tuple(nodes)) if kind in SETTINGS else {}
        if kind is not Kind.HTML:
            settings["description"] = control.label
        elif control.every_frame:
            made = Words
        settings |= self._looks(made, control.width, kind in SHORT_LABELS)
        if control.tip:
            settings["tooltip"] = control.tip
        return made(_dom_classes=classes_of(control), **settings)

    def arranged(self, item: Item, made: Mapping[str, Any]) -> Any:
        """The widget of an item of a row; those of controls are in `made`, by their names."""
        match item:
            case Control():
                return made[item.name]
            case "":
                return self._box(widgets.Box, (), "gap", "full-only")
            case str():
                words = panels.label(item)
                return self._made(widgets.HTML, "full-only", value=words)
            case _:
                return self._box(
                    widgets.HBox, tuple(self.arranged(part, made) for part in item), "together"
                )

    def row(self, name: str, *children: Any) -> Any:
        """Controls side by side, which wrap where it is narrow."""
        return self._box(widgets.HBox, children, "row", name)

    def column(self, name: str, *children: Any) -> Any:
        """Widgets one below the other."""
        return self._box(widgets.VBox, children, name)

    def show(self, widget: Any, shown: bool) -> None:
        """Let a widget be on the page, or take no room there."""
        widget.layout = self._layout(widget.layout.width, None if shown else "none")

    def _box(self, made: type, children: tuple[Any, ...], *names: str) -> Any:
        return self._made(made, *names, children=children)

    def _made(self, made: type, *names: str, **settings: Any) -> Any:
        classes = tuple(f"raftlab-{name}" for name in names)
        return made(_dom_classes=classes, **settings, **self._looks(made))

    def _looks(
        self, made: Any, width: str | None = None, short_label: bool = False
    ) -> dict[str, Any]:
        looks: dict[str, Any] = {"layout": self._layout(width)}
        if "style" in made.class_traits():
            looks["style"] = self._style(made.class_traits()["style"].klass, short_label)
        return looks

    def _layout(self, width: str | None = None, display: str | None = None) -> widgets.Layout:
        key = width, display
        if key not in self._layouts:
            with unasked():  # it may be the first of its kind long after the lab was made
                self._layouts[key] = widgets.Layout(width=width, display=display)
        return self._layouts[key]

    def _style(self, made: type, short_label: bool) -> Any:
        key = made, short_label
        if key not in self._styles:
            self._styles[key] = made(**({"description_width": "initial"} if short_label else {}))
        return self._styles[key]


def classes_of(control: Control) -> tuple[str, ...]:
    """Classes by which `stage.js` and `stage.css` know the widget of a control."""
    name, is_pressed = control.name, control.kind is Kind.BUTTON and control.verb
    every = (
        control.css,
        ONLY.get(control.size),
        f"raftlab-button-{name}" if is_pressed else "",
        f"raftlab-words-{name}" if control.every_frame else "",
        f"raftlab-field-{name}" if control.reads else "",
        f"raftlab-enter-{control.enter}" if control.reads and control.enter else "",
    )
    return tuple(filter(None, every))


CLASSES: Mapping[Kind, Any] = {
    Kind.BUTTON: widgets.Button,
    Kind.TOGGLE: widgets.ToggleButton,
    Kind.CHECKBOX: widgets.Checkbox,
    Kind.CHOICE: widgets.Dropdown,
    Kind.LIST: widgets.Select,
    Kind.SLIDER: widgets.IntSlider,
    Kind.LATENCY: widgets.SelectionRangeSlider,
    Kind.PERCENT: widgets.FloatSlider,
    Kind.NUMBER: widgets.BoundedFloatText,
    Kind.TEXT: widgets.Text,
    Kind.HTML: widgets.HTML,
}


def _choice(control: Control, nodes: tuple[NodeId, ...]) -> dict[str, Any]:
    options = control.options_of(nodes)
    return {"options": options, "index": control.start % len(options) if options else None}


SETTINGS: Mapping[Kind, Callable[[Control, tuple[NodeId, ...]], dict[str, Any]]] = {
    Kind.BUTTON: lambda each, _: {"icon": each.icon},
    Kind.CHECKBOX: lambda each, _: {"value": each.value, "indent": False},
    Kind.CHOICE: _choice,
    Kind.LIST: lambda each, _: {"options": each.options, "rows": each.lines},
    Kind.SLIDER: lambda *_: {"min": 0, "max": 1, "readout": False},
    Kind.LATENCY: lambda *_: {"options": latency_options(Network()), "continuous_update": False},
    Kind.PERCENT: lambda *_: {
        "max": 100.0,
        "step": 1.0,
        "readout_format": ".1f",
        "continuous_update": False,
    },
    Kind.NUMBER: lambda each, _: {"value": each.value, "min": 0.1, "max": MOST_MS, "step": 1.0},
    Kind.TEXT: lambda each, _: {
        "value": each.value,
        "continuous_update": False,
        "placeholder": each.example,
    },
}
"""What a widget of some kind is made with, beside what all have."""


def offer(control: Any, options: Sequence[Any], otherwise: Any) -> None:
    """Let a list have these options; what was chosen stays, or else is `otherwise`."""
    options, chosen = tuple(options), control.value
    if tuple(control.options) != options:
        with control.hold_sync():
            control.options = options
            control.value = chosen if chosen in options else otherwise


def belonging(roots: list[widgets.Widget]) -> list[widgets.Widget]:
    """These widgets and all inside them, their layouts and styles too, each once."""
    found: dict[widgets.Widget, None] = {}
    todo = list(roots)
    while todo:
        widget = todo.pop()
        if widget not in found:
            found[widget] = None
            for name in widget.keys:
                held = getattr(widget, name)
                parts = held if isinstance(held, list | tuple) else (held,)
                todo += [part for part in parts if isinstance(part, widgets.Widget)]
    return list(found)

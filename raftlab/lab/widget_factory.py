"""Makes the widget of a control, and rows of them."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import ipywidgets as widgets
import traitlets

from raftlab.lab import panels
from raftlab.lab.control_table import Control, Item, Kind, Size
from raftlab.lab.network_settings import latency_options
from raftlab.lab.session import MOST_MS
from raftlab.raft.vocabulary import NodeId
from raftlab.sim.world.settings import Network

ONLY = {Size.FULL: "raftlab-full-only", Size.SIMPLE: "raftlab-simple-only"}
"""What the page does not show in a lab of the other size."""

SLIDERS = (Kind.SLIDER, Kind.LATENCY, Kind.PERCENT)


class Words(widgets.HTML):
    """HTML that sends nothing by itself: the page gets it along with the picture."""

    value = traitlets.Unicode()


def widget_of(control: Control, nodes: Sequence[NodeId]) -> Any:
    """The widget of a control of a cluster with these nodes."""
    made = MAKERS[control.kind](control, tuple(nodes))
    if control.kind is not Kind.HTML:
        made.layout.width = control.width
    if control.kind in (*SLIDERS, Kind.CHOICE, Kind.NUMBER, Kind.TEXT):
        made.style.description_width = "initial"
    if control.tip:
        made.tooltip = control.tip
    if control.css:
        made.add_class(control.css)
    if control.size in ONLY:
        made.add_class(ONLY[control.size])
    return made


def _choice(control: Control, nodes: tuple[NodeId, ...]) -> Any:
    options = control.options_of(nodes)
    index = control.start % len(options) if options else None
    return widgets.Dropdown(description=control.label, options=options, index=index)


MAKERS: Mapping[Kind, Callable[[Control, tuple[NodeId, ...]], Any]] = {
    Kind.BUTTON: lambda each, _: widgets.Button(
        description=each.label, icon=each.icon, tooltip=each.tip
    ),
    Kind.TOGGLE: lambda each, _: widgets.ToggleButton(description=each.label, tooltip=each.tip),
    Kind.CHECKBOX: lambda each, _: widgets.Checkbox(
        value=each.value, description=each.label, indent=False
    ),
    Kind.CHOICE: _choice,
    Kind.LIST: lambda each, _: widgets.Select(
        description=each.label, options=each.options, rows=each.lines
    ),
    Kind.SLIDER: lambda each, _: widgets.IntSlider(
        description=each.label, min=0, max=1, readout=False
    ),
    Kind.LATENCY: lambda each, _: widgets.SelectionRangeSlider(
        description=each.label, options=latency_options(Network()), continuous_update=False
    ),
    Kind.PERCENT: lambda each, _: widgets.FloatSlider(
        description=each.label,
        max=100.0,
        step=1.0,
        readout_format=".1f",
        continuous_update=False,
    ),
    Kind.NUMBER: lambda each, _: widgets.BoundedFloatText(
        value=each.value, min=0.1, max=MOST_MS, step=1.0, description=each.label
    ),
    Kind.TEXT: lambda each, _: widgets.Text(
        value=each.value, description=each.label, continuous_update=False, placeholder=each.example
    ),
    Kind.HTML: lambda each, _: Words() if each.every_frame else widgets.HTML(),
}


def offer(control: Any, options: Sequence[Any], otherwise: Any) -> None:
    """Let a list have these options; what was chosen stays, or else is `otherwise`."""
    options, chosen = tuple(options), control.value
    if tuple(control.options) != options:
        with control.hold_sync():
            control.options = options
            control.value = chosen if chosen in options else otherwise


def row(name: str, *children: Any) -> Any:
    """Controls side by side, which wrap where it is narrow."""
    return _with_classes(widgets.HBox(children), "row", name)


def together(*children: Any) -> Any:
    """Controls that a row does not part where it wraps: a field with its button."""
    return _with_classes(widgets.HBox(children), "together")


def column(name: str, *children: Any) -> Any:
    """Widgets one below the other."""
    return _with_classes(widgets.VBox(children), name)


def _with_classes(made: Any, *names: str) -> Any:
    for name in names:
        made.add_class(f"raftlab-{name}")
    return made


def arranged(item: Item, made: Mapping[str, Any]) -> Any:
    """The widget of an item of a row; those of controls are in `made`, by their names."""
    match item:
        case Control():
            return made[item.name]
        case "":
            return _with_classes(widgets.Box(), "gap", "full-only")
        case str():
            return _with_classes(widgets.HTML(panels.label(item)), "full-only")
        case _:
            return together(*(arranged(part, made) for part in item))

"""Hears what the controls and the page report, and calls what the table of controls names."""

from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any

from ipywidgets import BoundedFloatText, Dropdown, Select
from traitlets import TraitError

from raftlab.lab import callbacks
from raftlab.lab.control_table import BUTTONS, CONTROLS, FIELDS, KEYS, Control, Kind
from raftlab.lab.controller import Controller
from raftlab.lab.dispatcher import MainThreadDispatcher
from raftlab.lab.fitting import Room
from raftlab.lab.session import Session
from raftlab.sim.cluster import Cluster
from raftlab.view.marks import Text

WIDEST = 20_000
"""No page is wider than this, in px."""


class Listener:
    """Connects the controls and the stage of a lab with its controller, once and for all."""

    def __init__(self, controller: Controller) -> None:
        self.controller, self.controls = controller, controller.controls
        self._dispatcher = MainThreadDispatcher()
        self.controls.on_report = lambda told: self._dispatch(lambda: self._heed(told))
        for name, widget in self.controls.by_name.items():
            self._listen_to(widget, CONTROLS.get(name))
        self.controls.on_side_changed = lambda: self._changed(controller.redraw)
        self.controls.details.observe(
            lambda change: self._changed(
                lambda: callbacks.show_mode(controller, change["new"] is not None)
            ),
            "selected_index",
        )

    def _listen_to(self, widget: Any, control: Control | None) -> None:
        if control is None or not control.verb:
            return
        if control.kind is Kind.BUTTON:
            widget.on_click(lambda _: self._dispatch(lambda: self._press(control)))
        else:
            widget.observe(
                lambda change: self._changed(lambda: self._call(control, change["new"])), "value"
            )

    def _changed(self, function: Callable[[], None]) -> None:
        """A control has another value: that counts, unless it was changed to be up to date."""
        if not self.controller.renderer.is_drawing:
            self._dispatch(function)

    def _dispatch(self, function: Callable[[], None]) -> None:
        """Call it on the main thread; if the kernel is interrupted meanwhile, the lab says so."""

        def call() -> None:
            try:
                function()
            except KeyboardInterrupt:
                self.controller.interrupted()
                raise

        self._dispatcher.call(call)

    def _heed(self, content: Mapping[str, Any]) -> None:
        """What the stage reports: a button, a key, a click, or that it needs the next moment."""
        match content:
            case {"kind": "room", "width": int(width), "low": bool(low)} if 0 < width < WIDEST:
                self.controller.make_room(Room(float(width), low))
            case {"kind": "deaf"}:
                self.controller.renew_stage()
            case {"kind": "still"}:
                self.controller.pause()
            case {"kind": "next", "seq": int(seq)}:
                self.controller.next_moment(seq)
            case {"kind": "again", "seq": int(seq)}:
                self.controller.next_moment_again(seq)
            case {"kind": "press", "name": str(name), "fields": dict(fields)} if name in BUTTONS:
                self._fill_in(fields, name)
                self._press(BUTTONS[name])
            case {"kind": "key", "key": str(key)} if key in KEYS:
                self._press(KEYS[key])
            case {"kind": "click", "id": str(name)}:
                self._clicked(name)

    def _fill_in(self, fields: Mapping[str, Any], pressed: str) -> None:
        """Take what the fields of the page held at the click, in case it came ahead of them."""
        with self.controller.renderer.drawing():
            for name, control in FIELDS.items():
                if name in fields and (control.enter == pressed or not control.refilled):
                    fill(self.controls.by_name[name], fields[name])

    def _clicked(self, name: str) -> None:
        match self.controller.renderer.clickable.get(name):
            case None | Text():
                return
            case mark:
                data = mark.data
        if self.controller.playing:
            self.controller.pause()
        if "number" in data:
            callbacks.choose_message(self.controller, int(data["number"]))
        elif "node" in data:
            callbacks.choose_node(self.controller, str(data["node"]))

    def _press(self, control: Control) -> None:
        """Carry out what a button or a key stands for."""
        if control.kind is Kind.TOGGLE:
            toggle = self.controls.by_name[control.name]
            toggle.value = not toggle.value
            return
        self._call(control, *control.arguments)
        if control.then and not self.controller.trouble:
            getattr(callbacks, control.then)(self.controller)

    def _call(self, control: Control, *arguments: object) -> None:
        """Call the verb of a control."""
        controller = self.controller
        kind, _, verb = control.verb.partition(".")

        def call(thing: Cluster | Session) -> object:
            cluster = thing if isinstance(thing, Cluster) else thing.cluster
            return getattr(thing, verb)(*self.controls.arguments(arguments, cluster.nodes))

        if kind == "cluster":
            controller.do(call)
        elif kind == "session":
            controller.act(lambda: call(controller.session), control.takes_ms)
        else:
            getattr(callbacks, verb)(controller, *arguments)


def fill(control: Any, value: Any) -> None:
    """Give a control what the page says it holds; what it cannot hold leaves it as it is."""
    if value is None and isinstance(control, Dropdown):
        return
    with suppress(TraitError, TypeError, ValueError):
        if isinstance(control, Dropdown | Select):
            control.label = value
        elif isinstance(control, BoundedFloatText):
            control.value = float(str(value))
        else:
            control.value = value

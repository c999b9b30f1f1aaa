"""The lab: a live cluster under a reader's hands. A thin shell around `Session`.

Every control calls one deed; every deed goes through `_try`, which shows what came of
it, a refusal included. So nothing that goes wrong is swallowed, and one click sends one
picture.
"""

import threading
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from ipywidgets import BoundedFloatText, Dropdown, Select
from traitlets import TraitError

from raftlab.lab.cells import CELLS, unasked
from raftlab.lab.controls import FIELDS, ONLY_FOR
from raftlab.lab.display import SLIDE_MS, USUAL_SPEED
from raftlab.lab.further_deeds import FurtherDeeds
from raftlab.lab.keys import BUTTONS, DEEDS
from raftlab.lab.reel import replayed
from raftlab.lab.session import Session
from raftlab.raft.vocabulary import Misuse
from raftlab.sim.cluster import Cluster
from raftlab.sim.frame import Frame
from raftlab.sim.recording import Recording
from raftlab.view import Scene, describe_frame, scene_frame, style
from raftlab.view.marks import Text
from raftlab.view.scene import moved

WIDGET = "application/vnd.jupyter.widget-view+json"
STILL = "This is a picture of a lab. Where notebooks can be run, run its cell to use it."
STILL_HEIGHT = 20.0


class Lab(FurtherDeeds):
    """A cluster to see, step and break.

        lab = cluster.lab()          # shows itself as the last line of a cell
        lab.step_button.click()      # every control has a name

    It is made for a cluster, or for a recording, which it plays. `frame` is the moment to
    begin at, the last one if None; `speed` is how many ms of virtual time a second of
    playing shows. `cluster` is the run
    that goes on (another one than was given, once you acted in the past), `frame` the
    moment looked at, `recording` the run as a value, and `branches` all runs as values.
    Without a kernel, or once it is closed, the lab is the picture of its last moment, and
    says so. Running the cell that shows it again closes it: the new one takes its place.
    """

    def __init__(
        self,
        cluster: Cluster | Recording,
        *,
        frame: int | None = None,
        speed: float = USUAL_SPEED,
    ) -> None:
        if isinstance(cluster, Recording):
            cluster = replayed(cluster)
        if not isinstance(cluster, Cluster):
            raise Misuse(
                f"A lab is made for a cluster or a recording, not for {type(cluster).__name__}."
            )
        if not speed > 0:
            raise Misuse(f"speed is ms of virtual time a second and more than 0, not {speed}")
        with unasked():
            super().__init__(Session(cluster, frame), float(speed), self._hear)
        CELLS.made(self)
        self._connect()
        self._try(lambda: None, 0.0)

    # Looking

    @property
    def frame(self) -> Frame:
        """The moment looked at."""
        return self.session.frame

    @property
    def recording(self) -> Recording:
        """The run looked at, as a value."""
        return self.session.branch.recording

    @property
    def branches(self) -> tuple[Recording, ...]:
        """Every run of this lab as a value, the first one first."""
        return tuple(branch.recording for branch in self.session.branches)

    def __repr__(self) -> str:
        place = "" if self.session.is_live else f" of {self.session.number}, in the past"
        head = f"<Lab of {len(self.frame.nodes)} nodes at frame {self.session.position}{place}>"
        trouble = f"! {self._trouble}\n" if self._trouble else ""
        return f"{head}\n{trouble}{describe_frame(self.session.frame, self.session.previous)}"

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> dict[str, Any]:
        still = still_scene(self.session.frame, self.session.previous)
        bundle: dict[str, Any] = {"text/plain": repr(self), "image/svg+xml": still.svg}
        if not self.closed:
            CELLS.shown(self)
            model = self.widget.model_id
            bundle[WIDGET] = {"version_major": 2, "version_minor": 0, "model_id": model}
        return bundle

    # From the page

    def _connect(self) -> None:
        for name, deed in BUTTONS.items():
            act = getattr(self, deed)
            getattr(self, name).on_click(lambda _, act=act: self._hands.do(act))
        self._watch(self.time_slider, lambda value: self.go_to(value))
        self._watch(self.branch, lambda value: self.choose_run(value))
        self._watch(self.runs, lambda value: self.choose_run(value))
        chosen = (self.node, self.messages, self.picture, self.partition_mode, self.link_mode)
        for control in (*chosen, self.further_mode, self.link_from, self.link_to, self.code_mode):
            self._watch(control, lambda _: self._try(lambda: None, SLIDE_MS))
        self._watch(self.details, lambda _: self._try(lambda: None, 0.0), "selected_index")

    def _hear(self, content: Mapping[str, Any]) -> None:
        self._hands.do(lambda: self._heed(content))

    def _heed(self, content: Mapping[str, Any]) -> None:
        """What the stage reports: a button, a key, a click, or that it needs the next moment."""
        match content:
            case {"kind": "next", "seq": int(seq)}:
                self._next_moment(seq)
            case {"kind": "press", "name": str(name), "fields": dict(fields)} if name in BUTTONS:
                self._fill_in(fields, name)
                getattr(self, BUTTONS[name])()
            case {"kind": "key", "key": str(key)} if key in DEEDS:
                getattr(self, DEEDS[key])()
            case {"kind": "click", "id": str(name)}:
                self._clicked(name)

    def _fill_in(self, fields: Mapping[str, Any], pressed: str) -> None:
        """Take what the fields of the page held at the click, in case it came ahead of them."""
        self._drawing = threading.get_ident()
        try:
            for name in FIELDS:
                if name in fields and ONLY_FOR.get(name, pressed) == pressed:
                    fill(getattr(self, name), fields[name])
        finally:
            self._drawing = None

    def _clicked(self, name: str) -> None:
        match self._clickable.get(name):
            case None | Text():
                return
            case mark:
                data = mark.data
        self.playing = False
        if "number" in data:
            self.choose_message(int(data["number"]))
        elif "node" in data:
            self.choose_node(str(data["node"]))


def still_scene(frame: Frame, previous: Frame | None = None) -> Scene:
    """The picture that stands for a lab where nothing can be clicked, and says so on top."""
    scene = scene_frame(frame, previous)
    words = Text("still", 10.0, 14.0, STILL, style.SIZE, style.QUIET, "start")
    marks = [moved(mark, 0.0, STILL_HEIGHT) for mark in scene.marks]
    width = max(scene.width, style.text_width(STILL) + 20)
    description = f"{STILL}\n\n{scene.description}"
    return Scene(width, scene.height + STILL_HEIGHT, (words, *marks), "Raft lab", description)


def fill(control: Any, value: object) -> None:
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

"""The lab in a notebook: a session, its controls and its stage, and how they show themselves."""

from collections.abc import Callable
from typing import Any

from raftlab.lab.control_table import KEYS, SLIDE_MS, USUAL_SPEED
from raftlab.lab.controller import Controller
from raftlab.lab.controls import Controls
from raftlab.lab.front_end import NOTEBOOK, FrontEnd
from raftlab.lab.listener import Listener
from raftlab.lab.notebook_cells import CELLS, unasked
from raftlab.lab.session import Session
from raftlab.lab.stage import Stage
from raftlab.lab.widget_factory import belonging
from raftlab.raft.vocabulary import Misuse
from raftlab.sim.cluster import Cluster
from raftlab.sim.frames.frame import Frame
from raftlab.sim.run.recording import Recording
from raftlab.view import Scene, describe_frame, scene_frame, style
from raftlab.view.marks import Text
from raftlab.view.notebook import Bundle, show, show_live
from raftlab.view.scene import moved

STILL = "This is a picture of a lab. Where notebooks can be run, run this cell to use it."
STILL_HEIGHT = 20.0


class Lab:
    """A cluster to see, step and break.

        lab = cluster.lab()          # shows itself as the last line of a cell
        lab.step_button.click()      # every control has a name

    It is made for a cluster, or for a recording, which it plays. `frame` is the moment to
    begin at, the last one if None; `speed` is how many ms of virtual time a second of
    playing shows. With `play` it plays as soon as it is seen (where a reader wants no motion, it
    waits for Play). It has the main controls, and one more that shows all others; with `full`
    they are there from the start. `front_end` is where it is shown, if not in a notebook.

    `cluster` is the run that goes on (another one than was given, once you acted in the past),
    `frame` the moment looked at, `recording` the run as a value, and `branches` all runs as values.
    Without a kernel, or once it is closed, the lab is the picture of its last moment, and
    says so. Running the cell that shows it again closes it: the new one takes its place.

    Its parts are `session` (what it knows), `controls` (the widgets, which are attributes of
    the lab, too) and `stage` (the moving picture).
    """

    def __init__(
        self,
        cluster: Cluster | Recording,
        *,
        frame: int | None = None,
        speed: float = USUAL_SPEED,
        play: bool = False,
        full: bool = False,
        front_end: FrontEnd = NOTEBOOK,
    ) -> None:
        if isinstance(cluster, Recording):
            cluster = cluster.branch()
        if not isinstance(cluster, Cluster):
            raise Misuse(
                f"A lab is made for a cluster or a recording, not for {type(cluster).__name__}."
            )
        if not speed > 0:
            raise Misuse(f"speed is ms of virtual time a second and more than 0, not {speed}")
        self.closed = False
        with unasked():
            self.session = Session(cluster, frame, front_end)
            nodes = tuple(node.node for node in self.session.frame.nodes)
            self.controls = Controls(nodes, float(speed), lambda: Stage(KEYS, front_end.gone))
        self.controller = Controller(self.session, self.controls)
        CELLS.made(self)
        self.controls.full_mode.value = full
        self.controls.show(self.controls.copy_link, bool(front_end.base))
        Listener(self.controller)
        self.controller.playing = play
        self.controller.redraw(0.0)

    def __getattr__(self, name: str) -> Any:
        """A control, by its name."""
        if "controls" in self.__dict__ and name in self.controls.by_name:
            return self.controls.by_name[name]
        raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")

    def __dir__(self) -> list[str]:
        return sorted({*super().__dir__(), *self.controls.by_name})

    # Looking

    @property
    def cluster(self) -> Cluster:
        """The run that goes on."""
        return self.session.cluster

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

    @property
    def message(self) -> int | None:
        """The number of the chosen message, if one is chosen."""
        chosen: int | None = self.controls.messages.value
        return chosen

    @property
    def stage(self) -> Stage:
        """The moving picture."""
        return self.controls.stage

    @property
    def playing(self) -> bool:
        """Whether time passes by itself."""
        return self.controller.playing

    @property
    def trouble(self) -> str:
        """What the lab last refused or could not do, in words; empty if all went well."""
        return self.controller.trouble

    def __repr__(self) -> str:
        place = "" if self.session.is_live else f" of {self.session.number}, in the past"
        head = f"<Lab of {len(self.frame.nodes)} nodes at frame {self.session.position}{place}>"
        trouble = f"! {self.trouble}\n" if self.trouble else ""
        return f"{head}\n{trouble}{describe_frame(self.session.frame, self.session.previous)}"

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> Bundle:
        still = still_scene(self.session.frame, self.session.previous)
        return still._repr_mimebundle_() | {"text/plain": repr(self)}

    def _ipython_display_(self) -> None:
        if self.closed:
            show(self._repr_mimebundle_())
        else:
            CELLS.shown(self)
            show_live(self._repr_mimebundle_(), self.controls.widget.model_id)

    # Acting from code: what no control does

    def do(self, verb: Callable[[Cluster], object]) -> None:
        """Do something to the cluster at the moment looked at; in the past, that branches."""
        self.controller.do(verb)

    def go_to(self, number: int) -> None:
        """Look at frame `number`; one beyond the end is the end."""
        self.controller.act(lambda: self.session.go_to(number), SLIDE_MS)

    def close(self) -> None:
        """Stop playing, take the lab off the page, and close every widget that it made."""
        self.controller.playing = False
        self.closed = True
        CELLS.forget(self)
        for each in belonging(self.controls.all_widgets):
            each.close()


def still_scene(frame: Frame, previous: Frame | None = None) -> Scene:
    """The picture that stands for a lab where nothing can be clicked, and says so on top."""
    scene = scene_frame(frame, previous)
    words = Text("still", 10.0, 14.0, STILL, style.SIZE, style.QUIET, "start")
    marks = [moved(mark, 0.0, STILL_HEIGHT) for mark in scene.marks]
    width = max(scene.width, style.text_width(STILL) + 20)
    description = f"{STILL}\n\n{scene.description}"
    return Scene(width, scene.height + STILL_HEIGHT, (words, *marks), "Raft lab", description)

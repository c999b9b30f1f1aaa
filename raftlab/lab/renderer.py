"""Shows what the session says: every control brought up to date, one message to the stage."""

import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

from raftlab.lab import panels
from raftlab.lab.beginnings import sentence
from raftlab.lab.control_table import EVERY_FRAME, PICTURES, REQUIREMENTS, Size
from raftlab.lab.controls import NODES_PANEL, RUNS_PANEL, TEXT_PANEL, Controls
from raftlab.lab.fitting import USUAL_ROOM, fitted, fitted_logs, rooms
from raftlab.lab.network_settings import latency_options, network_at
from raftlab.lab.nodes_table import nodes_table
from raftlab.lab.packing import endings, pack
from raftlab.lab.requirements import Now
from raftlab.lab.selection import with_choice
from raftlab.lab.session import Session
from raftlab.lab.tree import tree
from raftlab.raft.vocabulary import REFUSALS, Millis, NodeId
from raftlab.sim.frames.frame import Frame
from raftlab.sim.world.interrupts import HeldBack
from raftlab.view import Scene, describe_frame, scene_commit, scene_state_machines, scene_votes
from raftlab.view.marks import Mark
from raftlab.view.members import reference

SHOWN_EVENTS = 30
SHOWN_ANSWERS = 3
MOST_STEPS_FOLLOWED = 40
SIMPLE, CROWDED = "raftlab-simple", "raftlab-crowded"
"""Mark a lab that shows the main controls only, and one with so many that its picture is low."""

FIGURES: Mapping[str, Callable[[Frame, Frame | None], Scene]] = {
    PICTURES[1]: lambda frame, previous: scene_votes(frame, None, previous),
    PICTURES[2]: lambda frame, previous: scene_commit(frame, None, previous),
    PICTURES[3]: scene_state_machines,
}


class Renderer:
    """Brings the controls and the stage of a lab up to date with its session.

    `clickable` are the marks of the picture shown, by their ids. `is_drawing` tells whether
    it is this renderer, on this thread, that changes a control, and not the reader. `room` is
    what the stage has of the page. Until the reader `has_chosen` a node, the simple lab marks none.
    """

    def __init__(self, session: Session, controls: Controls) -> None:
        self.session, self.controls = session, controls
        self.clickable: dict[str, Mark] = {}
        self.room = USUAL_ROOM
        self.has_chosen = False
        self._thread: int | None = None  # the one that draws
        self.heed_interrupt: Callable[[], object] | None = None
        self._drawn: Frame | None = None
        self._written: object = None  # which moment of which run stands there as a text

    @property
    def is_mid_step(self) -> bool:
        """Never: to `HeldBack` that means that a second interrupt waits for the picture, too."""
        return False

    @property
    def is_drawing(self) -> bool:
        """Whether this thread is changing controls without the reader."""
        return self._thread == threading.get_ident()

    @contextmanager
    def drawing(self) -> Iterator[None]:
        """Inside, whatever changes a control is not the reader."""
        self._thread = threading.get_ident()
        try:
            yield
        finally:
            self._thread = None

    def draw(self, ms: Millis, steady: bool, playing: bool) -> None:
        """Show the moment looked at, `ms` from now.

        An interrupt waits until all is shown: what it cut short, the page would not get again.
        """
        frame, previous = self.session.frame, self.session.previous
        with HeldBack(self), self.drawing():
            self._draw_controls(frame, playing)
            self._draw_texts(frame, previous, playing)
            self._draw_stage(frame, previous, ms=round(ms), steady=steady, playing=playing)

    # Controls

    def _draw_controls(self, frame: Frame, playing: bool) -> None:
        session, controls = self.session, self.controls
        self._draw_nodes(frame)
        controls.play_button.description = "Stop" if playing else "Play"
        controls.play_button.icon = "pause" if playing else "play"
        self._draw_slider(session.position, max(session.number, 1))
        controls.show(controls.go_on_button, not session.is_live)
        runs = tuple((branch.label, branch.number) for branch in session.branches)
        if controls.branch.options != runs:
            with controls.branch.hold_sync():
                controls.branch.options = runs
        controls.branch.value = session.branch.number
        controls.show(controls.branch, len(runs) > 1)
        controls.show(controls.note_row, bool(len(runs) > 1 or session.note))
        self._draw_messages(frame, controls.messages.value)
        if controls.full_mode.value:
            self._draw_settings(frame)
            self._draw_situation()
        self._draw_modes()

    def _draw_modes(self) -> None:
        """What is shown only while its button is down."""
        controls = self.controls
        full = controls.full_mode.value
        for mode, extra in (
            (controls.partition_mode, controls.partition_row),
            (controls.link_mode, controls.link_row),
            (controls.further_mode, controls.further),
            (controls.settings_mode, controls.settings_row),
            (controls.new_mode, controls.new_column),
        ):
            controls.show(extra, mode.value and full)
        controls.show(controls.full, full)
        controls.full_mode.description = "Main controls" if full else "All controls"
        for node, side in controls.sides.items():
            side.description = f"{node}: {'B' if side.value else 'A'}"
        for name, is_so in ((SIMPLE, not full), (CROWDED, self._is_crowded)):
            (controls.widget.add_class if is_so else controls.widget.remove_class)(name)

    def _draw_nodes(self, frame: Frame) -> None:
        """A server may have joined, or this moment may be one before it did."""
        nodes = tuple(node.node for node in frame.nodes)
        self.controls.name_nodes(nodes)
        known = reference(frame) or frame.nodes[0]
        self.controls.suggest(nodes, known.configuration)

    def _draw_slider(self, position: int, last: int) -> None:
        """One change at a time: in the browser a slider corrects a value beyond its end."""
        slider = self.controls.time_slider
        slider.max = max(slider.max, last)
        slider.value = position
        slider.max = last

    def _draw_settings(self, frame: Frame) -> None:
        """The sliders show how messages are carried at this moment, over the chosen links."""
        controls = self.controls
        sender, receiver = controls.settings_of
        if sender is not None and sender == receiver:
            others = [node.node for node in frame.nodes if node.node != sender]
            controls.settings_to.value = others[-1] if others else sender
        for control in (controls.settings_to, controls.settings_both_ways):
            controls.show(control, sender is not None)
        network = network_at(self.session, controls.settings_of)
        with controls.latency.hold_sync():
            controls.latency.options = latency_options(network)
            controls.latency.value = network.latency
        controls.loss.value = 100 * network.loss
        controls.duplication.value = 100 * network.duplication
        for slider in (controls.latency, controls.loss, controls.duplication):
            slider.disabled = bool(self.session.violation)

    def _draw_situation(self) -> None:
        """What the situation shows that is chosen to begin with."""
        controls = self.controls
        controls.situation_told.value = panels.note(sentence(controls.situation.value))

    def choose_message(self, number: int) -> None:
        """Choose a message that is on its way now, wherever it is in the list."""
        with self.drawing():
            self._draw_messages(self.session.frame, number)

    def _draw_messages(self, frame: Frame, chosen: int | None) -> None:
        messages, full = self.controls.messages, self.controls.full_mode.value
        options = tuple(panels.message_options(frame, chosen, in_words=full))
        there = any(number == chosen for _, number in options)
        with messages.hold_sync():
            messages.description = panels.messages_label(frame)
            if messages.options != options:
                messages.options = options
            messages.value = chosen if there else None

    # Texts

    def _draw_texts(self, frame: Frame, previous: Frame | None, playing: bool) -> None:
        session, controls = self.session, self.controls
        controls.moment.value = panels.moment(frame, session.number, session.is_live)
        controls.note.value = panels.note(session.note)
        controls.banner.value = panels.banner(session.violation)
        controls.show(controls.banner_row, bool(session.violation))
        controls.lights.value = panels.lights(frame, session.cluster.setup.watched)
        events = session.events(SHOWN_EVENTS)
        controls.events.value = panels.events(events)
        controls.newest.value = panels.newest(events[-1] if events else None)
        controls.reads.value = panels.reads(frame, session.answers(SHOWN_ANSWERS))
        opened = controls.details.selected_index if controls.full_mode.value else None
        if opened == NODES_PANEL:
            controls.nodes_table.value = nodes_table(frame, previous)
        if opened == TEXT_PANEL:
            controls.text.value = panels.text_twin(describe_frame(frame, previous))
        if not playing and opened == RUNS_PANEL:
            self._draw_runs()

    def _draw_runs(self) -> None:
        """The tree of runs, and the run so far as a text: to write that plays the run again."""
        session, controls = self.session, self.controls
        number = session.branch.number
        controls.show_runs(tree(session.branches, number), number)
        controls.show(controls.code, controls.code_mode.value)
        wanted = (number, session.position, controls.code_mode.value)
        if self._written == wanted:
            return
        run = session.so_far
        controls.shared.value = panels.shared(*written(run.share), run.setup, session.front_end)
        if controls.code_mode.value:
            controls.code.value = panels.code(*written(run.as_code))
        self._written = wanted

    # The picture

    def _draw_stage(self, frame: Frame, previous: Frame | None, **motion: object) -> None:
        controls, roles = self.controls, self._roles_of_nodes()
        cluster, room = self._rooms(frame, previous)
        node = controls.node.value if controls.full_mode.value or self.has_chosen else None
        scene = with_choice(cluster, node, controls.messages.value, roles)
        beside = self._beside(frame, previous, room)
        self.clickable = {mark.id: mark for mark in (*scene.marks, *beside.marks)}
        self.controls.stage.show(
            pack(scene, self._endings(frame, previous)),
            pack(beside),
            panels.menus(frame, nodes=not roles),
            self._words(),
            self._cannot(),
            self._heard(frame, bool(motion["playing"])),
            room=self.room.width,
            **motion,
        )
        self._drawn = frame

    def _rooms(self, frame: Frame, previous: Frame | None) -> tuple[Scene, float]:
        """The cluster, and how much room (px) it leaves beside itself."""
        crowded = self._is_crowded
        explained = self.controls.full_mode.value and not crowded
        return rooms(frame, previous, self.room, crowded, explained)

    def _words(self) -> Mapping[str, str]:
        """What changes with every moment, of what this lab shows."""
        full, made = self.controls.full_mode.value, self.controls.by_name
        shown = (name for name, each in EVERY_FRAME.items() if full or each.size is not Size.FULL)
        return {name: made[name].value for name in shown}

    @property
    def _is_crowded(self) -> bool:
        """Whether so many controls are shown that the picture is to be less high."""
        controls = self.controls
        opened = controls.further_mode.value or controls.new_mode.value
        return bool(controls.full_mode.value and opened)

    def _heard(self, frame: Frame, playing: bool) -> str:
        """What is read out: the last event; while it plays, only who leads, when that changes."""
        since = self.session.events_since(MOST_STEPS_FOLLOWED)
        if not playing and since is not None and len(since) == 1:
            return since[-1].text
        return panels.headline_without_time(frame)

    def _beside(self, frame: Frame, previous: Frame | None, room: float) -> Scene:
        """What stands beside the cluster, for so much room (px)."""
        full = self.controls.full_mode.value
        chosen = self.controls.picture.value if full else PICTURES[0]
        figure = FIGURES.get(chosen)
        if figure is None:
            return fitted_logs(frame, previous, room, boxes=full)
        return fitted(figure(frame, previous))

    def _cannot(self) -> Mapping[str, str]:
        """Why some controls cannot be used now, by their names."""
        session, controls = self.session, self.controls
        asked = controls.arguments(("propose_to", "read_from"), session.cluster.nodes)
        to, source = (None if each is None else str(each) for each in asked)
        now = Now(session, controls.node.value, controls.messages.value, to, source)
        reasons = {name: why_not(now) for name, why_not in REQUIREMENTS.items()}
        return {name: reason for name, reason in reasons.items() if reason}

    def _roles_of_nodes(self) -> dict[NodeId, str]:
        """What each node is in the partition or the cut that is being drawn, if one is."""
        controls = self.controls
        if controls.partition_mode.value:
            return {node: "B" if side.value else "A" for node, side in controls.sides.items()}
        if controls.link_mode.value:
            return {controls.link_to.value: "to", controls.link_from.value: "from"}
        return {}

    def _endings(self, frame: Frame, previous: Frame | None) -> tuple[Mark, ...]:
        """Where the messages came to that were in the last picture and are in this one no more."""
        if previous is None or previous is not self._drawn:
            return ()
        steps = self.session.events_since(MOST_STEPS_FOLLOWED)
        if steps is None:
            return ()
        lost = [step.lost for step in steps if step.lost is not None]
        return endings(frame, previous, lost, lambda each: self._rooms(each, None)[0])


def written(write: Callable[[], str]) -> tuple[str, str]:
    """What it writes, or else why it cannot."""
    texts: list[str] = []
    trouble, _ = caught(lambda: texts.append(write()))
    return "".join(texts), trouble


def caught(function: Callable[[], object]) -> tuple[str, str]:
    """What went wrong in calling it, as a sentence and, unless it was a refusal, a traceback."""
    try:
        function()
    except REFUSALS as refusal:
        return str(refusal), ""
    except (Exception, SystemExit) as error:  # a machine may call exit()
        return panels.unexpected(error)
    return "", ""

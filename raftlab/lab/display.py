"""Showing what came of a deed: every control brought up to date, one message to the stage."""

import threading
from collections.abc import Callable, Mapping
from typing import Any

from raftlab.lab import panels
from raftlab.lab.chosen import with_choice
from raftlab.lab.controls import NODES_PANEL, PICTURES, RUNS_PANEL, TEXT_PANEL, Controls
from raftlab.lab.hands import Hands
from raftlab.lab.packing import endings, pack
from raftlab.lab.session import Session
from raftlab.lab.stage import Heard
from raftlab.lab.table import nodes_table
from raftlab.lab.tree import tree
from raftlab.raft.vocabulary import REFUSALS, Millis, NodeId
from raftlab.sim.cluster import Cluster
from raftlab.sim.frames.frame import Frame
from raftlab.view import (
    describe_frame,
    scene_cluster,
    scene_commit,
    scene_logs,
    scene_state_machines,
    scene_votes,
)
from raftlab.view.marks import Mark, Scene
from raftlab.view.members import reference

USUAL_SPEED = 25.0
STEP_MS = 300.0
SLIDE_MS = 140.0
SHORTEST_MS, LONGEST_MS = 100.0, 1200.0
"""How long a moment of playing lasts at least and at most; a quiet stretch is cut short."""

SHOWN_EVENTS = 30
SHOWN_ANSWERS = 3
LOG_COLUMNS = 10
MOST_STEPS_FOLLOWED = 40
OPEN = "raftlab-open"
"""Marks a lab whose panel is open, so that its picture leaves room for it."""

FIGURES: Mapping[str, Callable[[Frame, Frame | None], Scene]] = {
    PICTURES[0]: lambda frame, previous: scene_logs(frame, previous, LOG_COLUMNS),
    PICTURES[1]: lambda frame, previous: scene_votes(frame, None, previous),
    PICTURES[2]: lambda frame, previous: scene_commit(frame, None, previous),
    PICTURES[3]: scene_state_machines,
}


class Display(Controls):
    """The controls of a session, and how each shows what the session says."""

    def __init__(self, session: Session, speed: float, hear: Heard) -> None:
        self.session = session
        self.playing = False
        self.closed = False
        self._trouble = ""
        self._drawing: int | None = None  # the thread that draws
        self._hands = Hands()
        self._clickable: dict[str, Mark] = {}
        self._drawn: Frame | None = None
        self._told: object = None  # which moment of which run stands there as a text
        super().__init__(tuple(node.node for node in session.frame.nodes), speed, hear)

    @property
    def cluster(self) -> Cluster:
        """The run that goes on."""
        return self.session.cluster

    @property
    def message(self) -> int | None:
        """The number of the chosen message, if one is chosen."""
        chosen: int | None = self.messages.value
        return chosen

    @property
    def trouble(self) -> str:
        """What the lab last refused or could not do, in words; empty if all went well."""
        return self._trouble

    def _still(self, deed: Callable[[], object], ms: Millis | None = None) -> None:
        """A deed of the reader's; whoever does something stops the playing."""
        self.playing = False
        self._try(deed, self._step_ms() if ms is None else ms)

    def _watch(self, control: Any, deed: Callable[[Any], None], trait: str = "value") -> None:
        def changed(change: Mapping[str, Any]) -> None:
            if self._drawing != threading.get_ident():
                self._hands.do(lambda: deed(change["new"]))

        control.observe(changed, trait)

    def _new_side(self, node: NodeId) -> Any:
        side = super()._new_side(node)
        self._watch(side, lambda _: self._try(lambda: None, SLIDE_MS))
        return side

    def _speed(self) -> float:
        return float(self.speed.value or USUAL_SPEED)

    def _step_ms(self) -> Millis:
        share: float = (USUAL_SPEED / self._speed()) ** 0.5
        return STEP_MS * min(max(share, 0.4), 2.5)

    def _try(
        self,
        deed: Callable[[], object],
        ms: Millis | Callable[[], Millis],
        steady: bool = False,
    ) -> None:
        """Do it, and show what came of it: a new moment, a refusal, or an error."""
        self._trouble, details = caught(deed)
        if self._trouble:
            self.playing = False

        def draw() -> None:
            length = ms() if callable(ms) else ms
            even = steady and not self._trouble
            self._draw(min(max(length, SHORTEST_MS), LONGEST_MS) if even else length, even)

        failed, traceback = caught(draw)
        if failed:
            self.playing = False
            self._trouble, details = failed, traceback
        self.alarm.value = panels.alarm(self._trouble, details)

    def _draw(self, ms: Millis, steady: bool) -> None:
        session = self.session
        frame, previous = session.frame, session.previous
        self._drawing = threading.get_ident()
        try:
            self._draw_controls(frame)
            self._draw_texts(frame, previous)
            self._draw_stage(frame, previous, ms, steady)
        finally:
            self._drawing = None

    def _draw_controls(self, frame: Frame) -> None:
        session = self.session
        self._draw_nodes(frame)
        self.play_button.description = "Stop" if self.playing else "Play"
        self.play_button.icon = "pause" if self.playing else "play"
        self._draw_slider(session.position, max(session.number, 1))
        self.go_on_button.layout.display = "none" if session.is_live else None
        runs = tuple((branch.label, branch.number) for branch in session.branches)
        if self.branch.options != runs:
            with self.branch.hold_sync():
                self.branch.options = runs
        self.branch.value = session.branch.number
        self.branch.layout.display = None if len(runs) > 1 else "none"
        self.note_row.layout.display = None if len(runs) > 1 or session.note else "none"
        self._draw_messages(frame)
        self._draw_modes()

    def _draw_modes(self) -> None:
        """What is shown only while its button is down."""
        for mode, extra in (
            (self.partition_mode, self.partition_row),
            (self.link_mode, self.link_row),
            (self.further_mode, self.further),
        ):
            extra.layout.display = None if mode.value else "none"
        for node, side in self.sides.items():
            side.description = f"{node}: {'B' if side.value else 'A'}"
        if self.further_mode.value:
            self.widget.add_class(OPEN)
        else:
            self.widget.remove_class(OPEN)

    def _draw_nodes(self, frame: Frame) -> None:
        """A server may have joined, or this moment may be one before it did."""
        nodes = tuple(node.node for node in frame.nodes)
        self.name_nodes(nodes)
        known = reference(frame) or frame.nodes[0]
        self.suggest(nodes, known.configuration)

    def _draw_slider(self, position: int, last: int) -> None:
        """One change at a time: in the browser a slider corrects a value beyond its end."""
        self.time_slider.max = max(self.time_slider.max, last)
        self.time_slider.value = position
        self.time_slider.max = last

    def _draw_messages(self, frame: Frame) -> None:
        options, chosen = tuple(panels.message_options(frame)), self.message
        if self.messages.options == options:
            return
        there = any(number == chosen for _, number in options)
        with self.messages.hold_sync():
            self.messages.options = options
            self.messages.value = chosen if there else None

    def _draw_texts(self, frame: Frame, previous: Frame | None) -> None:
        session = self.session
        self.moment.value = panels.moment(frame, session.number, session.is_live)
        self.note.value = panels.note(session.note)
        self.banner.value = panels.banner(session.violation)
        self.banner_row.layout.display = None if session.violation else "none"
        self.lights.value = panels.lights(frame, self.cluster.setup.watched)
        events = session.events(SHOWN_EVENTS)
        self.events.value = panels.events(events)
        if self.further_mode.value:
            self.newest.value = panels.newest(events[-1] if events else None)
            self.reads.value = panels.reads(frame, session.answers(SHOWN_ANSWERS))
        opened = self.details.selected_index
        if not self.playing or opened == NODES_PANEL:
            self.nodes_table.value = nodes_table(frame, previous)
        if not self.playing or opened == TEXT_PANEL:
            self.text.value = panels.text_twin(describe_frame(frame, previous))
        if not self.playing and opened == RUNS_PANEL:
            self._draw_runs()

    def _draw_runs(self) -> None:
        """The tree of runs, and the run so far as a text: to write that plays the run again."""
        session = self.session
        number = session.branch.number
        self.refused.value = panels.refused(self._trouble)
        self.show_runs(tree(session.branches, number), number)
        self.code.layout.display = None if self.code_mode.value else "none"
        told = (number, session.position, self.code_mode.value)
        if self._told == told:
            return
        run = session.so_far
        self.shared.value = panels.shared(*written(run.share), run.setup)
        if self.code_mode.value:
            self.code.value = panels.code(*written(run.as_code))
        self._told = told

    def _draw_stage(self, frame: Frame, previous: Frame | None, ms: Millis, steady: bool) -> None:
        roles = self._roles_of_nodes()
        scene = with_choice(scene_cluster(frame, previous), self.node.value, self.message, roles)
        beside = FIGURES[self.picture.value or PICTURES[0]](frame, previous)
        self._clickable = {mark.id: mark for mark in (*scene.marks, *beside.marks)}
        self.stage.show(
            pack(scene, self._endings(frame, previous)),
            pack(beside),
            panels.menus(frame, nodes=not roles),
            ms=round(ms),
            steady=steady,
            playing=self.playing,
        )
        self._drawn = frame

    def _roles_of_nodes(self) -> dict[NodeId, str]:
        """What each node is in the partition or the cut that is being drawn, if one is."""
        if self.partition_mode.value:
            return {node: "B" if side.value else "A" for node, side in self.sides.items()}
        if self.link_mode.value:
            return {self.link_to.value: "to", self.link_from.value: "from"}
        return {}

    def _endings(self, frame: Frame, previous: Frame | None) -> tuple[Mark, ...]:
        """Where the messages came to that were in the last picture and are in this one no more."""
        if previous is None or previous is not self._drawn:
            return ()
        steps = self.session.events_since(MOST_STEPS_FOLLOWED)
        if steps is None:
            return ()
        return endings(frame, previous, [step.lost for step in steps if step.lost is not None])


def written(write: Callable[[], str]) -> tuple[str, str]:
    """What it writes, or else why it cannot."""
    texts: list[str] = []
    trouble, _ = caught(lambda: texts.append(write()))
    return "".join(texts), trouble


def caught(deed: Callable[[], object]) -> tuple[str, str]:
    """What went wrong in doing it, as a sentence and, unless it was a refusal, a traceback."""
    try:
        deed()
    except REFUSALS as refusal:
        return str(refusal), ""
    except (Exception, SystemExit) as error:  # a machine may call exit()
        return panels.told(error)
    return "", ""

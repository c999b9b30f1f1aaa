"""Every control of the lab, by name, and how they are laid out. What they do is in `lab.py`."""

from collections.abc import Sequence
from typing import Any

import ipywidgets as widgets

from raftlab.lab import panels
from raftlab.lab.further import LEADER, FurtherControls
from raftlab.lab.keys import BUTTONS, DEEDS, ENTERS
from raftlab.lab.making import button, column, dropdown, label, number, offer, row, text, toggle
from raftlab.lab.sharing import SharingControls
from raftlab.lab.stage import Heard, Stage
from raftlab.raft.vocabulary import NodeId

SPEEDS = (1.0, 5.0, 10.0, 25.0, 50.0, 100.0, 250.0, 1000.0)
"""How many ms of virtual time one second of playing shows."""

PICTURES = ("logs", "votes", "commit decision", "state machines")

FIELDS = (
    *("speed", "run_ms", "node", "command", "propose_to", "link_from", "link_to"),
    *("both_ways", "messages", "delay_ms", "transfer_to", "key", "read_from"),
    *("learner_name", "voters", "learners", "clock_rate", "write_ms", "run_text"),
)
"""What a button's deed may depend on; the page reports it together with the click."""

ONLY_FOR = {
    "learner_name": "learner_button",
    "voters": "reconfigure_button",
    "learners": "reconfigure_button",
    "run_text": "open_button",
}
"""Fields that the lab fills in anew: at any other click the page may hold what is outdated."""


NODES_PANEL, TEXT_PANEL, KEYS_PANEL, RUNS_PANEL = range(4)
"""The panels below everything, of which one at most is open."""


class Controls(FurtherControls, SharingControls):
    """The widgets of one lab. `widget` holds them all."""

    def __init__(self, nodes: Sequence[NodeId], speed: float, hear: Heard) -> None:
        self.stage = Stage(DEEDS, hear)
        self._make_time(speed)
        self._make_nodes(nodes)
        self._make_network(nodes)
        self._make_messages()
        self._make_sharing()
        self._make_texts()
        self._make_further()
        self.widget = column("lab", *self._rows())
        for name in BUTTONS:
            getattr(self, name).add_class(f"raftlab-button-{name}")
        for name in FIELDS:
            getattr(self, name).add_class(f"raftlab-field-{name}")
        for name, pressed in ENTERS.items():
            getattr(self, name).add_class(f"raftlab-enter-{pressed}")

    def _make_time(self, speed: float) -> None:
        self.start_button = button("Start", "fast-backward", "To the first frame (Home)")
        self.back_button = button("Back", "step-backward", "One frame back (←)")
        self.play_button = button("Play", "play", "Play or pause (space)")
        self.step_button = button("Step", "step-forward", "The next thing that happens (→)")
        self.end_button = button("End", "fast-forward", "To the last frame (End)")
        self.time_slider = widgets.IntSlider(
            description="Frame", min=0, max=1, readout=False, layout={"width": "auto"}
        )
        self.time_slider.style.description_width = "initial"
        self.moment = widgets.HTML()
        self.go_on_button = button(
            "Go on from here", "code-fork", "Start a new run from this moment (g)"
        )
        speeds = [(f"{each:g} ms/s", each) for each in sorted({*SPEEDS, speed})]
        self.speed = dropdown("Speed", speeds, speed, "146px")
        self.run_ms = number("Let pass (ms)", 100.0, "150px")
        self.run_button = button("Run", "forward", "Let that much virtual time pass")
        self.election_button = button("election", "", "Run to the next election (e)")
        self.commit_button = button("commit", "", "Run to the next commit (c)")
        self.violation_button = button("violation", "", "Run until a property is broken (v)")
        self.branch = dropdown("Runs", [("run 1: the first", 1)], 1, "320px")

    def _make_nodes(self, nodes: Sequence[NodeId]) -> None:
        self.node = dropdown("Node", list(nodes), nodes[0], "110px")
        self.crash_button = button("Crash", "", "Stop it; it forgets what is not on its disk (x)")
        self.restart_button = button("Restart", "", "Start it again from its disk (x)")
        self.pause_button = button("Pause", "", "Let it stand still (p)")
        self.resume_button = button("Resume", "", "Let it go on (p)")
        self.timeout_button = button("Time out", "", "Let its election timer run out now (t)")
        self.isolate_button = button("Isolate", "", "Cut it off from all others (i)")
        self.command = text("Command", "x=1", "170px", "x=1")
        self.propose_to = dropdown("to", [LEADER, *nodes], LEADER, "120px")
        self.propose_button = button("Propose", "", "Hand the command to that node (Enter, n)")

    def _make_network(self, nodes: Sequence[NodeId]) -> None:
        self.partition_mode = toggle("Partition…", "Choose each node's side, then cut between them")
        self.link_mode = toggle("Cut a link…", "Choose a link, then cut it")
        self.heal_button = button("Heal", "", "Mend every link (h)")
        self._nodes: tuple[NodeId, ...] = tuple(nodes)
        self._side_of: dict[NodeId, Any] = {node: self._new_side(node) for node in nodes}
        self.partition_button = button("Cut between A and B", "", "Nothing passes between them")
        self.link_from = dropdown("from", list(nodes), nodes[0], "110px")
        self.link_to = dropdown("to", list(nodes), nodes[-1], "100px")
        self.both_ways = widgets.Checkbox(value=True, description="both ways", indent=False)
        self.both_ways.layout.width = "auto"
        self.cut_button = button("Cut", "", "Let nothing pass on this link")

    def _make_messages(self) -> None:
        self.messages = widgets.Select(
            description="Messages on their way (the next to arrive first)", options=[], rows=7
        )
        self.messages.layout.width = "auto"
        self.messages.add_class("raftlab-messages")
        self.deliver_button = button("Deliver", "", "Let it arrive now (a)")
        self.drop_button = button("Drop", "", "Lose it (d)")
        self.duplicate_button = button("Duplicate", "", "Send a second copy on its way (u)")
        self.delay_ms = number("by (ms)", 50.0, "108px")
        self.delay_button = button("Delay", "", "Hold it up for so long (l)")

    def _make_texts(self) -> None:
        self.alarm, self.banner, self.note = widgets.HTML(), widgets.HTML(), widgets.HTML()
        self.before_button = button("Look at the frame before", "step-backward", "")
        self.lights, self.events = widgets.HTML(), widgets.HTML()
        self.nodes_table, self.text = widgets.HTML(), widgets.HTML()
        self.keys = widgets.HTML(panels.keys_table())
        self.picture = dropdown("Picture", PICTURES, PICTURES[0], "192px")
        self.details = widgets.Accordion(
            children=[self.nodes_table, self.text, self.keys, self.sharing],
            titles=("The nodes as a table", "All of it as text", "Keys", "Runs and sharing"),
            selected_index=None,
        )
        self.note.add_class("raftlab-note")

    def _rows(self) -> list[Any]:
        self._make_rows()
        return [
            row(
                "transport",
                *(self.start_button, self.back_button, self.play_button, self.step_button),
                *(self.end_button, self.time_slider, self.moment, self.go_on_button),
            ),
            row(
                "jumps",
                *(self.speed, self.run_ms, self.run_button, label("Next")),
                *(self.election_button, self.commit_button, self.violation_button),
                *(self.partition_mode, self.link_mode, self.heal_button, self.further_mode),
            ),
            row(
                "acts",
                *(self.node, self.crash_button, self.restart_button, self.pause_button),
                *(self.resume_button, self.timeout_button, self.isolate_button),
                *(self.command, self.propose_to, self.propose_button),
            ),
            self.further,
            self.partition_row,
            self.link_row,
            self.stage,
            self.alarm,
            self.banner_row,
            self.note_row,
            row("state", self.lights, self.picture),
            self._below(),
            self.details,
        ]

    def _make_rows(self) -> None:
        """The rows that come and go."""
        self.note_row = row("state", self.note, self.branch)
        self.banner_row = row("trouble", self.banner, self.before_button)
        self._sides_label = label("Sides (or click the nodes):")
        self.partition_row = row("extra", *self._partition_widgets())
        self.link_row = row(
            "extra",
            label("Link (or click its two nodes):"),
            self.link_from,
            self.link_to,
            self.both_ways,
            self.cut_button,
        )

    def _below(self) -> Any:
        messages = column(
            "panel",
            self.messages,
            row(
                "acts",
                *(self.deliver_button, self.drop_button, self.duplicate_button),
                *(self.delay_button, self.delay_ms),
            ),
        )
        happened = column("panel", label("What happened (newest first)"), self.events)
        return row("below", messages, happened)

    # Following the nodes: a server joins, or the moment looked at is one before it did

    @property
    def sides(self) -> dict[NodeId, Any]:
        """For each node of the moment looked at, the button that says on which side it is."""
        return {node: self._side_of[node] for node in self._nodes}

    def name_nodes(self, nodes: Sequence[NodeId]) -> None:
        """Let every list name these nodes; what was chosen stays, if it is there."""
        if self._nodes == (names := tuple(nodes)):
            return
        self._nodes = names
        for control, otherwise in (
            (self.node, names[0]),
            (self.link_from, names[0]),
            (self.link_to, names[-1]),
        ):
            offer(control, names, otherwise)
        offer(self.propose_to, (LEADER, *names), LEADER)
        for node in names:
            if node not in self._side_of:
                self._side_of[node] = self._new_side(node)
        self.partition_row.children = self._partition_widgets()

    def _new_side(self, node: NodeId) -> Any:
        return toggle(f"{node}: A")

    def _partition_widgets(self) -> tuple[Any, ...]:
        return self._sides_label, *self.sides.values(), self.partition_button

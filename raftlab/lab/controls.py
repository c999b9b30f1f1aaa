"""The widgets of a lab: made from the table of controls, laid out, and following the nodes."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import ipywidgets as widgets

from raftlab.lab import panels
from raftlab.lab.control_table import CONTROLS, FIELDS, ROWS, SPEEDS, Control, Kind
from raftlab.lab.network_settings import ALL_LINKS, Ends
from raftlab.lab.notebook_cells import unasked
from raftlab.lab.parsing import Nodes, listed, names_in, next_name
from raftlab.lab.stage import Stage
from raftlab.lab.widget_factory import WidgetFactory, belonging, offer
from raftlab.raft.vocabulary import Configuration, NodeId

GROUPS = ("time", "node", "network", "client")
"""The rows of what can be done, first to last, by their names in the table."""

MORE = ("leadership", "members", "trouble")
"""The rows that "More…" shows."""

NODES_PANEL, TEXT_PANEL, KEYS_PANEL, RUNS_PANEL = range(4)
"""The panels below everything, of which one at most is open."""

MOST_LINES = 8
"""How many runs are seen without scrolling, at most."""


class Controls:
    """The widgets of one lab, by the names in the table: `controls.crash_button`.

    `widget` holds them all, around the stage, and `groups` the rows of what can be done.
    `full` is what only the full lab shows, below all. `new_column`, `further`, `partition_row`,
    `link_row`, `settings_row`, `banner_row` and `note_row` come and go; `details` are the panels
    below. `on_side_changed` is called when a node is put on the other side of a partition,
    `on_report` with what the `stage` reports, which `make_stage` makes.
    """

    def __init__(
        self, nodes: Sequence[NodeId], speed: float, make_stage: Callable[[], Stage]
    ) -> None:
        self._factory = WidgetFactory()
        self.by_name = {
            name: self._factory.control(each, nodes)
            for name, each in CONTROLS.items()
            if each.kind is not Kind.KEY
        }
        self.on_side_changed: Callable[[], None] = lambda: None
        self.on_report: Callable[[Mapping[str, Any]], None] = lambda _: None
        self._make_stage = make_stage
        self._nodes = tuple(nodes)
        self._side_of = {node: self._side(node) for node in nodes}
        self._suggested: dict[str, str] = {}
        self.speed.options = [(f"{each:g} ms/s", each) for each in sorted({*SPEEDS, speed})]
        self.speed.value = speed
        self.keys.value = panels.keys_table()
        self._lay_out()

    def __getattr__(self, name: str) -> Any:
        try:
            return self.__dict__["by_name"][name]
        except KeyError:
            raise AttributeError(f"{type(self).__name__!r} has no control {name!r}") from None

    # Layout

    def _row(self, name: str) -> list[Any]:
        """What stands in a row of the table."""
        return [self._factory.arranged(item, self.by_name) for item in ROWS[name]]

    def _lay_out(self) -> None:
        made, row, column = self.by_name, self._factory.row, self._factory.column
        self.groups = {name: row(name, *self._row(name)) for name in GROUPS}
        more = (row("group", *self._row(name)) for name in MORE)
        made["further"] = column("further", *more)
        made["partition_row"] = row("extra", *self._row("partition"))
        self._show_sides()
        made["link_row"] = row("extra", *self._row("link"))
        made["settings_row"] = row("extra", *self._row("network settings"))
        beginnings = (row("group", *self._row(name)) for name in ("new cluster", "situation"))
        made["new_column"] = column("beginnings", *beginnings)
        made["banner_row"] = row("trouble", *self._row("banner"))
        made["note_row"] = row("state", *self._row("note"))
        made["details"] = self._panels()
        made["full"] = column(
            "full",
            row("state", *self._row("state")),
            row(
                "below",
                column("panel", *self._row("messages"), row("acts", *self._row("message"))),
                column("panel", *self._row("events")),
            ),
            made["details"],
        )
        self.stage = self._listened_to(self._make_stage())  # last: its code must load within 2 s
        made["widget"] = column(
            "lab",
            row("transport", *self._row("transport")),
            *(*self._row("newest"), self.stage),
            column("actions", *self.groups.values()),
            *(made["new_column"], made["further"], made["partition_row"], made["link_row"]),
            *(made["settings_row"], *self._row("alarm"), made["banner_row"], made["note_row"]),
            made["full"],
        )

    def _listened_to(self, stage: Stage) -> Stage:
        stage.on_msg(lambda _, content, __: self.on_report(content))
        return stage

    def renew_stage(self) -> None:
        """Let a new stage take the place of one that hears nothing.

        It has the picture from the beginning: on a busy machine it may hear nothing either, until
        it is replaced in its turn.
        """
        old = self.stage
        with unasked():
            self.stage = self._listened_to(old.again())
        self.widget.children = [self.stage if e is old else e for e in self.widget.children]
        for each in belonging([old]):
            each.close()

    def _panels(self) -> Any:
        row, column = self._factory.row, self._factory.column
        copy = row("acts", *self._row("copy"))
        passing = column("passing", *self._row("shared"), copy, *self._row("open"))
        runs = row("sharings", *self._row("runs"), passing)
        return widgets.Accordion(
            children=[*self._row("texts"), column("sharing", runs, *self._row("code"))],
            titles=("The nodes as a table", "All of it as text", "Keys", "Runs and sharing"),
            selected_index=None,
        )

    # What they hold

    def arguments(self, names: Sequence[object], nodes: Sequence[NodeId]) -> list[object]:
        """The arguments of a verb: what these controls hold; what names no control, as it is.

        Raises: Misuse, for what cannot be an argument.
        """
        known = Nodes(tuple(nodes), self.node.value)
        return [
            read(self.by_name[name].value, known)
            if isinstance(name, str) and name in FIELDS and (read := FIELDS[name].reads)
            else name
            for name in names
        ]

    @property
    def settings_of(self) -> Ends:
        """The link whose settings the sliders show, or all of them."""
        sender = self.settings_from.value
        return (None, None) if sender == ALL_LINKS else (sender, self.settings_to.value)

    # Following the nodes: a server joins, or the moment looked at is one before it did

    @property
    def sides(self) -> dict[NodeId, Any]:
        """For each node of the moment looked at, the button that says on which side it is."""
        return {node: self._side_of[node] for node in self._nodes}

    @property
    def all_widgets(self) -> list[Any]:
        """Every widget that was made, or one that holds it."""
        return [self.widget, *self._side_of.values(), *self._factory.shared]

    def show(self, widget: Any, shown: bool) -> None:
        """Let a widget be on the page, or take no room there."""
        self._factory.show(widget, shown)

    def name_nodes(self, nodes: Sequence[NodeId]) -> None:
        """Let every list name these nodes; what was chosen stays, if it is there."""
        if self._nodes == (names := tuple(nodes)):
            return
        self._nodes = names
        for name, each in CONTROLS.items():
            if each.of_nodes:
                options = each.options_of(names)
                offer(self.by_name[name], options, options[each.start])
        for node in names:
            if node not in self._side_of:
                self._side_of[node] = self._side(node)
        self._show_sides()

    def _side(self, node: NodeId) -> Any:
        made = self._factory.control(Control(Kind.TOGGLE, node, f"{node}: A"), ())
        made.observe(lambda _: self.on_side_changed(), "value")
        return made

    def _show_sides(self) -> None:
        first, *_, last = self.partition_row.children
        self.partition_row.children = (first, *self.sides.values(), last)

    def suggest(self, nodes: Sequence[NodeId], configuration: Configuration) -> None:
        """Fill in what is likely to be wanted; what the reader has typed stays."""
        if self.learner_name.value in nodes:
            self._suggested["learner_name"] = self.learner_name.value
        self._suggest("learner_name", next_name(nodes), nodes)
        self._suggest("voters", listed(configuration.voters), nodes)
        self._suggest("learners", listed(configuration.learners), nodes)

    def _suggest(self, name: str, words: str, nodes: Sequence[NodeId]) -> None:
        control, suggested = self.by_name[name], self._suggested.get(name, "")
        self._suggested[name] = words
        if names_in(control.value, nodes) == names_in(suggested, nodes):
            control.value = words

    # Following the runs

    def show_runs(self, lines: Sequence[tuple[str, int]], current: int) -> None:
        """List these runs, with the `current` one chosen."""
        self.runs.rows = min(max(len(lines), CONTROLS["runs"].lines), MOST_LINES)
        if self.runs.options != tuple(lines):
            with self.runs.hold_sync():
                self.runs.options = lines
        self.runs.value = current

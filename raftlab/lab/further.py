"""The controls beyond Figure 2: leadership, members, snapshots, reads, and more trouble.

They stand in a panel of their own, closed at first.
"""

from collections.abc import Sequence

import ipywidgets as widgets

from raftlab.lab.making import button, column, dropdown, gap, label, row, text, together, toggle
from raftlab.lab.typed import listed, names_in, next_name
from raftlab.raft.vocabulary import Configuration, NodeId

CHOSEN, BEST = "the chosen node", "the best"
LEADER = "the leader"


class FurtherControls:
    """The controls of the panel. `further` holds them all; `further_mode` opens it."""

    def _make_further(self) -> None:
        self.further_mode = toggle(
            "More…", "Leadership, members, snapshots, reads, disks and clocks (m)"
        )
        self._make_leadership()
        self._make_members()
        self._make_reads()
        self._make_trouble()
        self.further = column("further", *self._further_rows())

    def _make_leadership(self) -> None:
        self.transfer_button = button("Transfer", "", "The leader hands its leadership over (o)")
        self.transfer_to = dropdown("to", (CHOSEN, BEST), CHOSEN, "168px")
        self.forget_button = button(
            "Forget leader", "", "Tell the chosen node that its leader is gone"
        )
        self.compact_button = button(
            "Compact", "", "A snapshot takes the place of the chosen node's applied log"
        )

    def _make_members(self) -> None:
        self.learner_name = text("Name", "", "104px", "S6")
        self.learner_name.tooltip = "The name of the server to add"
        self.learner_button = button(
            "Add learner", "", "Start that server, and send it the log; it has no vote yet"
        )
        self.promote_button = button("Promote", "", "Give the chosen node, a learner, a vote")
        self.remove_button = button("Remove", "", "Take the chosen node out of the cluster")
        self.voters = text("Voters", "", "176px", "S1 S2 S3")
        self.learners = text("Learners", "", "168px", "none")
        self.reconfigure_button = button(
            "Reconfigure", "", "Go to exactly these voters and learners"
        )
        self._offered: dict[str, str] = {}

    def _make_reads(self) -> None:
        self.key = text("Key", "x", "110px", "x")
        self.read_from = dropdown("at", (LEADER, CHOSEN), LEADER, "168px")
        self.read_button = button("Read", "", "Ask for the value of that key (q)")
        self.reads = widgets.HTML()
        self.reads.add_class("raftlab-answers")
        self.newest = widgets.HTML()
        self.newest.add_class("raftlab-answers")

    def _make_trouble(self) -> None:
        self.wipe_button = button("Wipe disk", "", "The chosen node loses everything it has saved")
        self.clock_rate = text("Clock rate", "2", "134px", "1")
        self.clock_button = button(
            "Set clock", "", "The chosen node's clock runs so many times as fast as time; 1 is true"
        )
        self.write_ms = text("Disk write (ms)", "20", "180px", "1")
        self.disk_button = button("Set disk", "", "Every write of the chosen node takes so long")
        self.calm_button = button(
            "Calm", "", "The network loses, doubles and reorders nothing from now on"
        )

    def _further_rows(self) -> tuple[widgets.Widget, ...]:
        return (
            row(
                "group",
                *(label("Leadership"), together(self.transfer_button, self.transfer_to)),
                *(self.forget_button, gap(), together(label("Snapshot"), self.compact_button)),
            ),
            row(
                "group",
                *(label("Members"), together(self.learner_name, self.learner_button)),
                *(self.promote_button, self.remove_button, gap()),
                together(self.voters, self.learners, self.reconfigure_button),
            ),
            row(
                "group",
                *(label("Trouble"), self.wipe_button, gap()),
                *(together(self.clock_rate, self.clock_button), gap()),
                *(together(self.write_ms, self.disk_button), gap(), self.calm_button),
            ),
            row(
                "group",
                *(label("Reads"), together(self.key, self.read_from, self.read_button)),
                self.reads,
            ),
            row("group", label("Newest"), self.newest),
        )

    def suggest(self, nodes: Sequence[NodeId], configuration: Configuration) -> None:
        """Fill in what is likely to be wanted; what the reader has typed stays."""
        if self.learner_name.value in nodes:
            self._offered["learner_name"] = self.learner_name.value
        self._suggest("learner_name", next_name(nodes), nodes)
        self._suggest("voters", listed(configuration.voters), nodes)
        self._suggest("learners", listed(configuration.learners), nodes)

    def _suggest(self, name: str, words: str, nodes: Sequence[NodeId]) -> None:
        control, offered = getattr(self, name), self._offered.get(name, "")
        self._offered[name] = words
        if names_in(control.value, nodes) == names_in(offered, nodes):
            control.value = words

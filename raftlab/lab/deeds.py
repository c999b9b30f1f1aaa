"""What a reader can do: one method a deed, which a control or a key calls."""

import re
from collections.abc import Callable
from typing import Any

from ipywidgets import Widget

from raftlab.lab.controls import KEYS_PANEL
from raftlab.lab.display import SHORTEST_MS, SLIDE_MS, Display
from raftlab.lab.further import LEADER
from raftlab.lab.opening import LONGEST_TEXT
from raftlab.raft.vocabulary import Misuse, NodeId, listed, shown
from raftlab.sim.cluster import Cluster


class Deeds(Display):
    """Everything a reader can do, by name. Each shows at once what came of it."""

    # Time

    def step(self) -> None:
        """The next thing that happens."""
        self._still(self.session.step)

    def back(self) -> None:
        """One frame back."""
        self._still(self.session.back)

    def run(self) -> None:
        """Let as much time pass as the field says."""
        self._still(lambda: self.session.run(float(self.run_ms.value)))

    def go_to(self, number: int) -> None:
        """Look at frame `number`."""
        self._still(lambda: self.session.go_to(number), SLIDE_MS)

    def go_to_start(self) -> None:
        """To the first frame."""
        self.go_to(0)

    def go_to_end(self) -> None:
        """To the last frame, where new things happen."""
        self._still(lambda: self.session.go_to(self.cluster.number), SLIDE_MS)

    def jump_to_election(self) -> None:
        """Run until somebody else is elected."""
        self._still(lambda: self.session.jump("election"))

    def jump_to_commit(self) -> None:
        """Run until something more is committed."""
        self._still(lambda: self.session.jump("commit"))

    def jump_to_violation(self) -> None:
        """Run until a property is broken."""
        self._still(lambda: self.session.jump("violation"))

    def go_on_from_here(self) -> None:
        """Start a new run from the moment looked at."""
        self._still(self.session.go_on_from_here)

    def choose_run(self, number: int) -> None:
        """Go to the end of run `number` (from 1)."""
        self._still(lambda: self.session.choose(number))

    def open_shared(self) -> None:
        """Open the run that the text in the field stands for, as a run of its own."""
        pasted: str = self.run_text.value

        def deed() -> None:
            if len(pasted) > LONGEST_TEXT:
                self.run_text.value = ""  # not to be sent to and fro
            self.session.open(pasted)
            self.run_text.value = ""

        self._still(deed, SLIDE_MS)

    def refresh(self) -> None:
        """Look again: the cluster was changed somewhere else."""
        self._still(self.session.refresh, SLIDE_MS)

    # Playing: the stage asks for each moment shortly before it needs it

    def toggle_play(self) -> None:
        """Play, or pause."""
        if self.playing:
            self.pause_playing()
        else:
            self.play()

    def play(self) -> None:
        """Let time pass at the chosen speed, for as long as somebody watches."""
        self.playing = True
        self._try(lambda: None, 0.0)

    def pause_playing(self) -> None:
        """Stand still."""
        self._still(lambda: None, 0.0)

    def _next_moment(self, seq: int) -> None:
        if not self.playing or seq != self.stage.seq:
            return  # another view of this lab has asked already
        start, speed = self.session.frame.at, self._speed()

        def tick() -> None:
            self.playing = False  # unless all goes well
            self.playing = self.session.tick(speed * SHORTEST_MS / 1000)

        self._try(tick, lambda: (self.session.frame.at - start) / speed * 1000, steady=True)

    # Nodes and network

    def do(self, verb: Callable[[Cluster], object]) -> None:
        """Do something to the cluster at the moment looked at; in the past, that branches."""
        self._still(lambda: self.session.do(verb))

    def crash(self) -> None:
        """Crash the chosen node."""
        self.do(lambda cluster: cluster.crash(self.node.value))

    def restart(self) -> None:
        """Restart the chosen node."""
        self.do(lambda cluster: cluster.restart(self.node.value))

    def pause(self) -> None:
        """Let the chosen node stand still."""
        self.do(lambda cluster: cluster.pause(self.node.value))

    def resume(self) -> None:
        """Let the chosen node go on."""
        self.do(lambda cluster: cluster.resume(self.node.value))

    def crash_or_restart(self) -> None:
        """Crash the chosen node, or restart it if it is down."""
        node = self.node.value
        down = Cluster.restart, Cluster.crash
        self.do(lambda cluster: down[cluster.hosts[node].alive](cluster, node))

    def pause_or_resume(self) -> None:
        """Pause the chosen node, or let it go on if it is paused."""
        node = self.node.value
        standing = Cluster.pause, Cluster.resume
        self.do(lambda cluster: standing[cluster.hosts[node].paused](cluster, node))

    def time_out(self) -> None:
        """Let the chosen node's election timer run out."""
        self.do(lambda cluster: cluster.timeout(self.node.value))

    def isolate(self) -> None:
        """Cut the chosen node off from all others."""
        self.do(lambda cluster: cluster.isolate(self.node.value))

    def heal(self) -> None:
        """Mend every link."""
        self.do(lambda cluster: cluster.heal())

    def partition(self) -> None:
        """Cut between side A and side B."""
        others = [node for node, side in self.sides.items() if side.value]
        self.do(lambda cluster: cluster.partition(others))
        if not self._trouble:
            self.partition_mode.value = False

    def cut(self) -> None:
        """Cut the chosen link."""
        ends = self.link_from.value, self.link_to.value
        self.do(lambda cluster: cluster.cut(*ends, both_ways=self.both_ways.value))
        if not self._trouble:
            self.link_mode.value = False

    def propose(self) -> None:
        """Hand the command in the field to the leader, or to the node it is to go to."""
        command: str = self.command.value
        to = None if self.propose_to.value == LEADER else self.propose_to.value

        def verb(cluster: Cluster) -> None:
            if not command.strip():
                raise Misuse("There is no command yet: type one, for instance x=1.")
            cluster.propose(command, to)
            self.command.value = following(command)

        self.do(verb)

    # Messages

    def deliver(self) -> None:
        """Let the chosen message arrive now."""
        self._with_message(lambda cluster, number: cluster.deliver(number))

    def drop(self) -> None:
        """Lose the chosen message."""
        self._with_message(lambda cluster, number: cluster.drop(number))

    def duplicate(self) -> None:
        """Send a second copy of the chosen message."""
        self._with_message(lambda cluster, number: cluster.duplicate(number))

    def delay(self) -> None:
        """Hold the chosen message up."""
        ms = float(self.delay_ms.value)
        self._with_message(lambda cluster, number: cluster.delay(number, ms))

    def _with_message(self, verb: Callable[[Cluster, int], None]) -> None:
        number = self.message

        def act(cluster: Cluster) -> None:
            if number is None:
                raise Misuse("Choose a message first: click it in the picture or in the list.")
            verb(cluster, number)

        self.do(act)

    # Choosing

    def choose_node(self, node: NodeId) -> None:
        """Choose a node; while sides or a link are being chosen, choose it for that."""
        if node not in self.sides:
            self._refuse(f"There is no node {shown(node)}; choose {listed(self.sides)}.")
        elif self.partition_mode.value:
            self.sides[node].value = not self.sides[node].value
        elif self.link_mode.value:
            self.link_from.value, self.link_to.value = self.link_to.value, node
        else:
            self.node.value = node

    def choose_next_node(self) -> None:
        """Choose the next node in order."""
        self._choose_beside(self.node, list(self.sides), 1)

    def choose_previous_node(self) -> None:
        """Choose the node before in order."""
        self._choose_beside(self.node, list(self.sides), -1)

    def choose_message(self, number: int) -> None:
        """Choose a message in flight by its number."""
        if number in self._message_numbers():
            self.messages.value = number
        else:
            self._refuse(f"No message {number} is on its way.")

    def choose_next_message(self) -> None:
        """Choose the message that arrives next after the chosen one."""
        self._choose_beside(self.messages, self._message_numbers(), 1)

    def choose_previous_message(self) -> None:
        """Choose the message that arrives before the chosen one."""
        self._choose_beside(self.messages, self._message_numbers(), -1)

    def _choose_beside(self, control: Any, values: list[Any], by: int) -> None:
        if values:
            here = values.index(control.value) if control.value in values else -1 if by > 0 else 0
            control.value = values[(here + by) % len(values)]

    def _message_numbers(self) -> list[int]:
        return [number for _, number in self.messages.options]

    def _refuse(self, sentence: str) -> None:
        def refuse() -> None:
            raise Misuse(sentence)

        self._try(refuse, SLIDE_MS)

    def toggle_keys(self) -> None:
        """Show or hide the list of keys."""
        shown = self.details.selected_index == KEYS_PANEL
        self.details.selected_index = None if shown else KEYS_PANEL

    def close(self) -> None:
        """Stop playing, and take the lab off the page."""
        self.playing = False
        for each in (*self._side_of.values(), *vars(self).values()):
            if isinstance(each, Widget):
                each.close()


def following(command: str) -> str:
    """The command to offer next: a number at its end is counted up."""
    found = re.fullmatch(r"(.*?)(?<![0-9])([0-9]{1,99})", command, re.DOTALL)
    return f"{found[1]}{int(found[2]) + 1}" if found else command

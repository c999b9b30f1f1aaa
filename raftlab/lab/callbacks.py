"""What the controls do that is more than one verb of the cluster or of the session.

Each is a function of the lab's controller; the table of controls names them.
"""

import re
from collections.abc import Sequence
from typing import Any, TypeVar

from raftlab.lab.control_table import SLIDE_MS
from raftlab.lab.controller import Controller
from raftlab.lab.controls import KEYS_PANEL
from raftlab.lab.panels import by_arrival
from raftlab.lab.pasted_text import LONGEST_TEXT
from raftlab.raft.options import PROTECTIONS
from raftlab.raft.vocabulary import Millis, NodeId, listed, shown
from raftlab.sim.cluster import Cluster

Value = TypeVar("Value")


def redraw(lab: Controller, *_: object) -> None:
    """Show what was chosen."""
    lab.redraw()


def show_mode(lab: Controller, is_on: bool) -> None:
    """Show what a button opens, or put it away; the full lab has the room for it."""
    if is_on:
        _show_all(lab)
    lab.redraw()


def _show_all(lab: Controller) -> None:
    with lab.renderer.drawing():
        lab.controls.full_mode.value = True


# Time and runs


def play_or_pause(lab: Controller) -> None:
    """Play, or pause."""
    if lab.playing:
        lab.pause()
    else:
        lab.play()


def open_shared(lab: Controller) -> None:
    """Open the run that the text in the field stands for, as a run of its own."""
    field = lab.controls.run_text
    pasted: str = field.value

    def open_it() -> None:
        if len(pasted) > LONGEST_TEXT:
            field.value = ""  # not to be sent to and fro
        lab.session.open(pasted)
        field.value = ""

    lab.act(open_it, SLIDE_MS)


# Nodes and network


def crash_or_restart(lab: Controller) -> None:
    """Crash the chosen node, or restart it if it is down."""
    node = lab.controls.node.value
    lab.do(
        lambda cluster: (Cluster.restart, Cluster.crash)[cluster.hosts[node].alive](cluster, node)
    )


def pause_or_resume(lab: Controller) -> None:
    """Pause the chosen node, or let it go on if it is paused."""
    node = lab.controls.node.value
    lab.do(
        lambda cluster: (Cluster.pause, Cluster.resume)[cluster.hosts[node].paused](cluster, node)
    )


def partition(lab: Controller) -> None:
    """Cut between side A and side B."""
    others = [node for node, side in lab.controls.sides.items() if side.value]
    lab.do(lambda cluster: cluster.partition(others))
    if not lab.trouble:
        lab.controls.partition_mode.value = False


def end_link_mode(lab: Controller) -> None:
    """The link is cut: put away what it was chosen with."""
    lab.controls.link_mode.value = False


def set_latency(lab: Controller, latency: tuple[Millis, Millis]) -> None:
    """Let messages take so long, at least and at most."""
    _set_network(lab, latency=latency)


def set_loss(lab: Controller, percent: float) -> None:
    """Let so many messages of a hundred be lost."""
    _set_network(lab, loss=percent / 100)


def set_duplication(lab: Controller, percent: float) -> None:
    """Let so many messages of a hundred arrive twice."""
    _set_network(lab, duplication=percent / 100)


def _set_network(lab: Controller, **changes: Any) -> None:
    ends, both_ways = lab.controls.settings_of, lab.controls.settings_both_ways.value
    lab.do_while_playing(lambda cluster: cluster.set_network(*ends, both_ways, **changes))


# Beginning anew


def protect(lab: Controller, on: bool) -> None:
    """Tick all protections of the new cluster, or none."""
    for name in PROTECTIONS:
        lab.controls.by_name[f"new_{name}"].value = on


# Clients


def count_up(lab: Controller) -> None:
    """Offer the next command."""
    lab.controls.command.value = following(lab.controls.command.value)


def following(command: str) -> str:
    """The command to offer next: a number at its end is counted up."""
    found = re.fullmatch(r"(.*?)(?<![0-9])([0-9]{1,99})", command, re.DOTALL)
    return f"{found[1]}{int(found[2]) + 1}" if found else command


# Choosing


def choose_node(lab: Controller, node: NodeId) -> None:
    """Choose a node; while sides or a link are being chosen, choose it for that."""
    controls = lab.controls
    if node not in controls.sides:
        lab.refuse(f"There is no node {shown(node)}; choose {listed(controls.sides)}.")
    elif controls.partition_mode.value:
        controls.sides[node].value = not controls.sides[node].value
    elif controls.link_mode.value:
        controls.link_from.value, controls.link_to.value = controls.link_to.value, node
    else:
        _now_chosen(lab)
        controls.node.value = node


def _now_chosen(lab: Controller) -> None:
    """The reader has begun to choose nodes: the simple lab marks the chosen one, too."""
    if not lab.renderer.has_chosen:
        lab.renderer.has_chosen = True
        lab.redraw()


def choose_message(lab: Controller, number: int) -> None:
    """Choose a message in flight by its number."""
    if number not in _message_numbers(lab):
        lab.refuse(f"No message {number} is on its way.")
        return
    lab.renderer.choose_message(number)
    lab.redraw()


def choose_node_beside(lab: Controller, by: int) -> None:
    """Choose the node `by` places further in order."""
    _now_chosen(lab)
    node = lab.controls.node
    node.value = _beside(node.value, list(lab.controls.sides), by)


def choose_message_beside(lab: Controller, by: int) -> None:
    """Choose the message that arrives `by` places after the chosen one."""
    numbers = _message_numbers(lab)
    if numbers:
        choose_message(lab, _beside(lab.controls.messages.value, numbers, by))


def _beside(chosen: Value | None, values: Sequence[Value], by: int) -> Value:
    here = values.index(chosen) if chosen in values else -1 if by > 0 else 0
    return values[(here + by) % len(values)]


def _message_numbers(lab: Controller) -> list[int]:
    return [flight.number for flight in by_arrival(lab.session.frame)]


def show_or_hide_keys(lab: Controller) -> None:
    """Show the list of keys, or hide it if it is seen; the simple lab does not show it."""
    controls = lab.controls
    is_seen = controls.full_mode.value and controls.details.selected_index == KEYS_PANEL
    with lab.renderer.drawing():
        controls.details.selected_index = None if is_seen else KEYS_PANEL
    show_mode(lab, not is_seen)

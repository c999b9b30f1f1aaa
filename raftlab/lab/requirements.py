"""When a control can be used: each function says why it cannot, or "" if it can.

What is done is done at the moment looked at, so these ask its frame. They are asked for every
picture, and say in few words what the verb itself would refuse, or what would change nothing.
"""

from collections.abc import Callable
from typing import TypeAlias

import msgspec

from raftlab.lab.session import Session
from raftlab.raft.roles import Role
from raftlab.raft.vocabulary import NodeId
from raftlab.sim.frames.frame import Frame, NodeFrame


class Now(msgspec.Struct, frozen=True):
    """The moment looked at, and what is chosen in the controls that a verb depends on.

    `proposed_to` and `read_from` are None for whoever leads.
    """

    session: Session
    node: NodeId
    message: int | None
    proposed_to: NodeId | None
    read_from: NodeId | None

    @property
    def frame(self) -> Frame:
        """The moment looked at."""
        return self.session.frame

    @property
    def chosen(self) -> NodeFrame:
        """The chosen node."""
        return self.frame[self.node]


Condition: TypeAlias = Callable[[Now], str]

NO_LEADER = "Nobody leads now: let time pass until somebody does."


# Time


def is_not_at_the_start(now: Now) -> str:
    """There is something before."""
    return "" if now.session.position else "This is frame 0, where the run began."


def is_not_at_the_end(now: Now) -> str:
    """There is something after, that has happened already."""
    return "This is the last frame of this run." if now.session.is_live else ""


def can_go_on(now: Now) -> str:
    """The run has not come to a stop."""
    if now.session.violation:
        return "The run stands still where a property is broken: go back to go on."
    if now.session.is_live and not any(node.alive for node in now.frame.nodes):
        return "Every server is down: restart one."
    return ""


def is_watched(now: Now) -> str:
    """There are properties that can be broken."""
    if not now.session.cluster.setup.watched:
        return "Nothing is watched in this cluster: it was made with watched=False."
    return can_go_on(now)


def has_something_to_undo(now: Now) -> str:
    """Something was done."""
    return "" if now.session.can_undo else "Nothing has been done yet."


def can_act(now: Now) -> str:
    """The run takes actions."""
    if now.session.violation:
        return "The run stands still where a property is broken: go back to act."
    return ""


# A node


def is_up(now: Now) -> str:
    """The chosen node is not down."""
    return can_act(now) or ("" if now.chosen.alive else f"{now.node} is down already.")


def is_down(now: Now) -> str:
    """The chosen node is down."""
    return can_act(now) or (f"{now.node} is running." if now.chosen.alive else "")


def is_running(now: Now) -> str:
    """The chosen node is neither down nor paused."""
    return is_up(now) or (f"{now.node} is paused already." if now.chosen.paused else "")


def is_paused(now: Now) -> str:
    """The chosen node is paused."""
    return is_up(now) or ("" if now.chosen.paused else f"{now.node} is not paused.")


def can_time_out(now: Now) -> str:
    """The chosen node has a timer that runs."""
    if now.chosen.alive and now.chosen.role is Role.LEADER:
        return f"{now.node} leads and waits for no leader: choose another node."
    return is_running(now)


def has_a_leader(now: Now) -> str:
    """Somebody leads."""
    return can_act(now) or ("" if now.frame.leader else "Nobody leads now.")


def has_a_node_down(now: Now) -> str:
    """Some node is down."""
    down = any(not node.alive for node in now.frame.nodes)
    return can_act(now) or ("" if down else "No server is down.")


# The network and its messages


def is_not_alone(now: Now) -> str:
    """The chosen node is not the only one on its side."""
    if len(now.frame.nodes) == 1 or (now.node,) in now.frame.groups:
        return f"{now.node} is alone already."
    return can_act(now)


def is_cut(now: Now) -> str:
    """Some link is cut."""
    cut = now.frame.groups or now.frame.cuts
    return can_act(now) or ("" if cut else "The network is whole.")


def has_chosen_a_message(now: Now) -> str:
    """A message is chosen, and still on its way."""
    chosen = any(flight.number == now.message for flight in now.frame.in_flight)
    return can_act(now) or ("" if chosen else "Choose a message first: click one.")


# A client


def can_propose(now: Now) -> str:
    """There is somebody who takes commands."""
    return can_act(now) or _asked(now, now.proposed_to, leads=True)


def can_read(now: Now) -> str:
    """There is somebody who can be asked."""
    return can_act(now) or _asked(now, now.read_from, leads=False)


def _asked(now: Now, name: NodeId | None, leads: bool) -> str:
    """Why a node, or whoever leads, cannot be asked."""
    node = now.frame[name] if name else now.frame.leader
    if node is None:
        return NO_LEADER
    if not node.alive:
        return f"{node.node} is down: restart it, or ask another."
    if node.paused:
        return f"{node.node} is paused: resume it, or ask another."
    if leads and node.role is not Role.LEADER:
        leader = now.frame.leader
        return f"{node.node} does not lead; {f'{leader.node} does' if leader else 'nobody does'}."
    return ""

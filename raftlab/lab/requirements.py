"""What a control needs to be used: each function says why it has it not, or "" if it has.

What is done is done at the moment looked at, so these ask its frame. They are asked for every
picture, and say in few words what the verb itself would refuse, or what would change nothing.
"""

from collections.abc import Callable
from typing import TypeAlias

import msgspec

from raftlab.lab.session import AT_THE_START, NO_LEADER, NOT_WATCHED, NOTHING_DONE, Session
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


Requirement: TypeAlias = Callable[[Now], str]


# Time


def needs_an_earlier_moment(now: Now) -> str:
    """Why there is nothing before, if so."""
    return "" if now.session.position else AT_THE_START


def needs_a_later_moment(now: Now) -> str:
    """Why nothing comes after that has happened already, if so."""
    return "This is the last frame of this run." if now.session.is_live else ""


def needs_a_next_step(now: Now) -> str:
    """Why time cannot pass, if so."""
    if now.session.violation:
        return "The run stands still where a property is broken: go back to go on."
    if now.session.is_live and not any(node.alive for node in now.frame.nodes):
        return "Every server is down: restart one."
    return ""


def needs_watched_properties(now: Now) -> str:
    """Why no property can be broken from here on, if so."""
    if not now.session.cluster.setup.watched:
        return NOT_WATCHED
    return needs_a_next_step(now)


def needs_something_to_undo(now: Now) -> str:
    """Why nothing can be undone, if so."""
    return "" if now.session.can_undo else NOTHING_DONE


def needs_no_violation(now: Now) -> str:
    """Why the run takes no actions, if it has come to a violation."""
    if now.session.violation:
        return "The run stands still where a property is broken: go back to act."
    return ""


# A node


def needs_node_up(now: Now) -> str:
    """Why the chosen node cannot be taken as one that is up, if so."""
    return needs_no_violation(now) or ("" if now.chosen.alive else f"{now.node} is down already.")


def needs_node_down(now: Now) -> str:
    """Why the chosen node cannot be taken as one that is down, if so."""
    return needs_no_violation(now) or (f"{now.node} is running." if now.chosen.alive else "")


def needs_node_running(now: Now) -> str:
    """Why the chosen node cannot be taken as one that runs, if so."""
    return needs_node_up(now) or (f"{now.node} is paused already." if now.chosen.paused else "")


def needs_node_paused(now: Now) -> str:
    """Why the chosen node cannot be taken as one that is paused, if so."""
    return needs_node_up(now) or ("" if now.chosen.paused else f"{now.node} is not paused.")


def needs_a_timer(now: Now) -> str:
    """Why no timer of the chosen node runs, if so."""
    leads = now.chosen.alive and now.chosen.role is Role.LEADER
    reason = f"{now.node} leads and waits for no leader: choose another node." if leads else ""
    return needs_no_violation(now) or reason or needs_node_running(now)


def needs_a_leader(now: Now) -> str:
    """Why no leader can be asked, if so."""
    return needs_no_violation(now) or ("" if now.frame.leader else "Nobody leads now.")


def needs_some_node_down(now: Now) -> str:
    """Why no node can be restarted, if so."""
    down = any(not node.alive for node in now.frame.nodes)
    return needs_no_violation(now) or ("" if down else "No server is down.")


# The network and its messages


def needs_others_on_its_side(now: Now) -> str:
    """Why the chosen node cannot be cut off, if so."""
    alone = len(now.frame.nodes) == 1 or (now.node,) in now.frame.groups
    return needs_no_violation(now) or (f"{now.node} is alone already." if alone else "")


def needs_a_cut(now: Now) -> str:
    """Why nothing can be healed, if so."""
    cut = now.frame.groups or now.frame.cuts
    return needs_no_violation(now) or ("" if cut else "The network is whole.")


def needs_a_chosen_message(now: Now) -> str:
    """Why there is no chosen message on its way, if so."""
    chosen = any(flight.number == now.message for flight in now.frame.in_flight)
    return needs_no_violation(now) or ("" if chosen else "Choose a message first: click one.")


# A client


def needs_node_proposed_to(now: Now) -> str:
    """Why nobody takes a command, if so."""
    return needs_no_violation(now) or _asked(now, now.proposed_to, leads=True)


def needs_node_read_from(now: Now) -> str:
    """Why nobody can be read from, if so."""
    return needs_no_violation(now) or _asked(now, now.read_from, leads=False)


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

"""The cluster in words: who is what and in which term, and what is on its way to whom."""

from raftlab.raft.roles import Role
from raftlab.raft.vocabulary import Millis
from raftlab.sim.frames.frame import Frame, NodeFrame
from raftlab.view.changes import changed_fields, changed_words
from raftlab.view.checked import checked
from raftlab.view.cluster.network_changes import network_lines
from raftlab.view.cluster.partitions import cut_links
from raftlab.view.cluster.waiting_work import clock_text, is_wiped, waiting_text, write_text
from raftlab.view.members import Standing, configuration_lines, standings
from raftlab.view.words import (
    headline,
    kind_text,
    message_text,
    ms,
    role_text,
    table,
    table_without_empty,
    violation_text,
)


@checked
def describe_cluster(frame: Frame, previous: Frame | None = None) -> str:
    """Who is what and in which term, votes and timers, and what is on its way to whom.

    With `previous`, a last column says what changed since then. A node that is down
    stands with the term and the vote that its disk holds.
    """
    changes, standing = changed_fields(frame, previous), standings(frame)
    header = ["node", "role", "term", "vote", "member", "timer", "clock", "disk write"]
    header += ["campaign", "changed"]
    rows = [
        [*_node_row(node, frame.at, standing[node.node]), changed_words(changes[node.node])]
        for node in frame.nodes
    ]
    parts = [headline(frame), "", table_without_empty(header, rows, keep=4, right=(2,))]
    said = [violation_text(frame.violation)] if frame.violation else []
    parts[1:1] = said + configuration_lines(frame)
    for block in waiting_text(frame):
        parts += ["", block]
    flights = _flights(frame)
    if flights:
        parts += ["", flights]
    lost = frame.event.lost if frame.event else None
    if lost is not None:
        way = f"{lost.sender} → {lost.receiver}"
        parts += ["", f"lost: {way} {kind_text(lost)}: {message_text(lost)}"]
    cuts = [f"{one} {'↔' if both else '→'} {other}" for one, other, both in cut_links(frame)]
    if cuts:
        parts += ["", f"cut: {', '.join(cuts)}"]
    if changed := network_lines(frame):
        parts += ["", *changed]
    return "\n".join(parts)


def _node_row(node: NodeFrame, at: Millis, standing: Standing) -> list[str]:
    role = role_text(node) + (", paused" if node.paused and node.alive else "")
    role += ", disk empty" if is_wiped(node) else ""
    held = node if node.alive else node.disk
    who = [node.node, role, str(held.term), held.voted_for or "-"]
    member = f"{standing.word} (its log: {standing.own})" if standing.own else standing.word
    return [*who, member, _timer(node, at), clock_text(node), write_text(node), _votes(node)]


def _timer(node: NodeFrame, at: Millis) -> str:
    if not node.alive:
        return ""
    if node.role is Role.LEADER:
        if node.heartbeat_deadline is None:
            return ""
        return f"heartbeat in {max(node.heartbeat_deadline - at, 0.0):.0f} ms"
    if node.election_deadline is None:
        return ""
    left = f"{max(node.election_deadline - at, 0.0):.0f}"
    return f"{left} of {node.election_timeout:.0f} ms" if node.election_timeout else f"{left} ms"


def _votes(node: NodeFrame) -> str:
    if node.votes is None or not node.alive or node.role is not Role.CANDIDATE:
        return ""
    configuration, answers = node.votes.configuration, node.votes.answers
    voters, parts = configuration.all_voters, []
    for name, group in (("old", configuration.old_voters), ("new", configuration.voters)):
        if group:
            whose = f" of the {name} group" if configuration.is_joint else ""
            granted = sum(answers.get(voter, False) for voter in group)
            parts.append(f"{granted} of {len(group)} votes{whose}")
    for word, answer in (("granted", True), ("refused", False), ("silent", None)):
        found = [voter for voter in voters if answers.get(voter) is answer]
        if found:
            parts.append(f"{word} {' '.join(found)}")
    return ", ".join(parts)


def _flights(frame: Frame) -> str:
    if not frame.in_flight:
        return ""
    rows = []
    for flight in sorted(frame.in_flight, key=lambda each: each.number):
        message = flight.message
        copies = f" ×{flight.copies}" if flight.copies > 1 else ""
        rows.append(
            [
                f"#{flight.number}{copies}",
                f"{message.sender} → {message.receiver}",
                kind_text(message),
                ms(max(flight.arrives_at - frame.at, 0.0)),
                message_text(message),
            ]
        )
    return table(["in flight", "way", "kind", "arrives in", "says"], rows, right=(3,))

"""Making traces: a run played again, and what a space-time diagram needs noted down."""

from collections.abc import Iterable

from msgspec.structs import replace

from raftlab.raft.messages import Message
from raftlab.raft.roles import Role
from raftlab.raft.vocabulary import Millis, NodeId, Term
from raftlab.sim.frames.frame import MessageSpan, RoleSpan, Trace, TraceMark
from raftlab.sim.world.action import Action
from raftlab.sim.world.actions import Cut, Deliver, Drop
from raftlab.sim.world.engine import Engine
from raftlab.sim.world.host import NEVER


class Tracer:
    """Follows a cluster from action to action."""

    def __init__(self, cluster: Engine) -> None:
        self.cluster = cluster
        self.spans: list[RoleSpan] = []
        self.messages: list[MessageSpan] = []
        self.marks: list[TraceMark] = []
        self._since: dict[NodeId, tuple[Role | None, Term, Millis]] = {
            node: (*self._standing(node), cluster.now) for node in cluster.world.nodes
        }
        self._flying: dict[int, tuple[Message, Millis]] = {}
        self._committed = dict.fromkeys(cluster.world.nodes, 0)
        self._before: Action | None = None
        self.note_sent()

    def follow(self, action: Action) -> None:
        """Carry out one action, and note what it changed."""
        self.cluster.apply_quietly(action)
        self.note_ended(action)
        self.note_sent()
        self.note_marks(action)
        for node in self.cluster.world.nodes:
            self.note_role(node, action.at)
        self._before = action

    def note_sent(self) -> None:
        """Note the messages that have set out."""
        for flight in self.cluster.in_flight():
            self._flying.setdefault(flight.number, (flight.message, flight.sent_at))

    def note_ended(self, action: Action) -> None:
        """Note the messages that have arrived or were lost."""
        if not isinstance(action, Deliver | Drop):
            return
        there = {flight.number for flight in self.cluster.in_flight()}
        delivered = isinstance(action, Deliver)
        for number in [number for number in self._flying if number not in there]:
            message, sent_at = self._flying.pop(number)
            self.messages.append(MessageSpan(message, sent_at, action.at, delivered))

    def note_marks(self, action: Action) -> None:
        """Note what a reader did, and what was committed."""
        if isinstance(action, Cut) and self._before == _other_way(action):
            self.marks[-1] = _both_ways(action)
        elif action.mark is not None:
            node = action.nodes[0] if action.nodes else None
            text, detail = action.happening(), action.detail
            self.marks.append(TraceMark(action.at, node, action.mark, text, detail))
        for node, host in self.cluster.hosts.items():
            index = host.machine.commit_index if host.alive else 0
            if index > self._committed.get(node, 0):
                text = f"committed up to {index}"
                self.marks.append(TraceMark(action.at, node, "commit", text, str(index)))
            self._committed[node] = index

    def note_role(self, node: NodeId, at: Millis) -> None:
        """Close a stretch of a life when role or term changed; a newcomer's begins here."""
        now = self._standing(node)
        role, term, start = self._since.setdefault(node, (*now, at))
        if now != (role, term):
            self.spans.append(RoleSpan(node, role, term, start, at))
            self._since[node] = (*now, at)

    def finish(self, start: Millis, end: Millis) -> Trace:
        """The trace from `start` to `end` (ms), with what began earlier or ends later."""
        for node, (role, term, since) in self._since.items():
            self.spans.append(RoleSpan(node, role, term, since, max(end, since)))
        for message, sent_at in self._flying.values():
            self.messages.append(MessageSpan(message, sent_at, None, False))
        messages = sorted(self.messages, key=lambda each: each.sent_at)
        return Trace(
            nodes=self.cluster.world.nodes,
            start=start,
            end=end,
            spans=tuple(each for each in self.spans if each.end >= start and each.start <= end),
            messages=tuple(each for each in messages if _overlaps(each, start, end)),
            marks=tuple(each for each in self.marks if start <= each.at <= end),
        )

    def _standing(self, node: NodeId) -> tuple[Role | None, Term]:
        host = self.cluster.hosts[node]
        return (host.machine.role, host.machine.term) if host.alive else (None, host.disk.term)


def trace_of(
    cluster: Engine, actions: Iterable[Action], start: Millis, end: Millis | None
) -> Trace:
    """Play `actions` on a fresh `cluster`, and note what happened from `start` to `end` (ms).

    It ends with the last action if that comes earlier.
    """
    tracer = Tracer(cluster)
    until = NEVER if end is None else end
    for action in actions:
        if action.at > until:
            break
        tracer.follow(action)
    else:
        until = min(until, cluster.now)
    return tracer.finish(start, until)


def _other_way(cut: Cut) -> Cut:
    return replace(cut, sender=cut.receiver, receiver=cut.sender)


def _both_ways(cut: Cut) -> TraceMark:
    """One mark for a link that is cut in one direction, and at once in the other."""
    one, other = cut.receiver, cut.sender
    text = f"the link between {one} and {other} is cut both ways"
    return TraceMark(cut.at, None, "partition", text, f"{one} ↔ {other} cut")


def _overlaps(span: MessageSpan, start: Millis, end: Millis) -> bool:
    return span.sent_at <= end and (span.ended_at is None or span.ended_at >= start)

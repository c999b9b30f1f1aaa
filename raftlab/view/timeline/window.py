"""What of a trace a timeline shows, and where: times become x, nodes become y."""

from collections.abc import Iterator, Mapping
from statistics import median
from typing import Literal, TypeAlias

import msgspec

from raftlab.raft.messages import (
    AppendEntries,
    AppendEntriesReply,
    InstallSnapshot,
    InstallSnapshotReply,
    RequestVote,
    RequestVoteReply,
    TimeoutNow,
)
from raftlab.raft.vocabulary import Millis, Misuse, NodeId, shown
from raftlab.sim.frames.frame import MessageSpan, RoleSpan, Trace, TraceMark
from raftlab.view.timeline.axis import WIDTH
from raftlab.view.timeline.folding import Fold, fold
from raftlab.view.words import ms

Only: TypeAlias = Literal["all", "votes", "appends"]

MOST_FULL = 150
"""With more messages than this, those that are drawn are drawn finer."""

LEFT, RIGHT, TOP = 56.0, 34.0, 62.0
"""The margins of a timeline, in units."""

_USUAL_LATENCY = 10.0
_KINDS: Mapping[str, tuple[type, ...]] = {
    "votes": (RequestVote, RequestVoteReply, TimeoutNow),
    "appends": (AppendEntries, AppendEntriesReply, InstallSnapshot, InstallSnapshotReply),
}


class Window(msgspec.Struct, frozen=True):
    """What is shown, and where: times (ms) to x, nodes to y; messages, drawn and in all."""

    trace: Trace
    start: Millis
    end: Millis
    only: str
    rows: Mapping[NodeId, float]
    pitch: float
    messages: tuple[tuple[int, MessageSpan], ...]
    count: int
    folds: tuple[Fold, ...]
    latency: Millis
    lives: Mapping[NodeId, tuple[RoleSpan, ...]]

    @property
    def right(self) -> float:
        """Where the last moment lies."""
        return WIDTH - RIGHT

    @property
    def bottom(self) -> float:
        """Where the axis of time lies."""
        return TOP + self.pitch * max(len(self.rows) - 1, 0) + 44

    @property
    def dense(self) -> bool:
        """Whether messages crowd, and are drawn finer."""
        return len(self.messages) > MOST_FULL

    def x(self, at: Millis) -> float:
        """Where a moment lies, inside the picture or not."""
        share = (at - self.start) / (self.end - self.start)
        return LEFT + (self.right - LEFT) * share

    def clip(self, at: Millis) -> Millis:
        """The nearest moment in sight."""
        return min(max(at, self.start), self.end)


def window_of(trace: Trace, start: Millis | None, end: Millis | None, only: str) -> Window:
    """What a timeline of `trace` from `start` to `end` (ms) shows. Raises: Misuse."""
    start, end = trace.start if start is None else start, trace.end if end is None else end
    if start == end and start == trace.start:
        end = start + 1.0  # a run in which no time has passed
    if end <= start:
        raise Misuse(f"a timeline from {ms(start)} must end later than {ms(end)}")
    if only not in ("all", *_KINDS):
        raise Misuse(f'only={shown(only)} is none of "all", "votes" and "appends"')
    messages = messages_between(trace, start, end, only)
    drawn, folds = fold(trace, messages, start, end)
    pitch = 58.0 if len(trace.nodes) <= 7 else 44.0 if len(trace.nodes) <= 11 else 24.0
    rows = {node: TOP + pitch * place for place, node in enumerate(trace.nodes)}
    took = [
        each.ended_at - each.sent_at for each in trace.messages if each.ended_at and each.delivered
    ]
    latency = (median(took) if took else 0.0) or _USUAL_LATENCY
    shown_ones, count = tuple(drawn), len(messages)
    lives: dict[NodeId, list[RoleSpan]] = {node: [] for node in trace.nodes}
    for span in trace.spans:
        if span.node in lives:
            lives[span.node].append(span)
    by_node = {node: tuple(spans) for node, spans in lives.items()}
    return Window(trace, start, end, only, rows, pitch, shown_ones, count, folds, latency, by_node)


def messages_between(
    trace: Trace, start: Millis, end: Millis, only: str
) -> list[tuple[int, MessageSpan]]:
    """The messages of the wanted kind that were on their way between `start` and `end`."""
    kinds, known = _KINDS.get(only, (object,)), set(trace.nodes)
    return [
        (place, span)
        for place, span in enumerate(trace.messages)
        if isinstance(span.message, kinds)
        and {span.message.sender, span.message.receiver} <= known
        and span.sent_at <= end
        and (span.ended_at is None or span.ended_at >= start)
    ]


def marks_shown(window: Window) -> list[TraceMark]:
    """The moments in sight, of nodes in sight."""
    return [
        mark
        for mark in window.trace.marks
        if window.start <= mark.at <= window.end and (mark.node is None or mark.node in window.rows)
    ]


def changes(window: Window) -> Iterator[RoleSpan]:
    """The stretches of life that begin between start and end.

    That which is the first of its node and begins with the window is no change.
    """
    first = {id(spans[0]) for spans in window.lives.values() if spans}
    for each in window.trace.spans:
        begins = each.start == window.start and id(each) not in first
        if begins or window.start < each.start <= window.end:
            yield each


def stretches(window: Window) -> Iterator[tuple[str, RoleSpan, float, float]]:
    """The stretches of life that are in sight, with a name, and where they begin and end."""
    for place, span in enumerate(window.trace.spans):
        left, right = window.x(window.clip(span.start)), window.x(window.clip(span.end))
        if span.node in window.rows and right > left:
            yield f"{span.node}-{place}", span, left, right


def is_lost(span: MessageSpan) -> bool:
    """Whether a message ended without being delivered."""
    return span.ended_at is not None and not span.delivered

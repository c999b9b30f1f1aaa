"""The messages of a timeline, from life line to life line, and the bands of those folded."""

from collections.abc import Iterator

from raftlab.raft.messages import Message
from raftlab.raft.vocabulary import Millis, NodeId
from raftlab.sim.frames.frame import MessageSpan
from raftlab.view import style
from raftlab.view.labels import Labels
from raftlab.view.marks import Box, Ink, Mark, Path, Text
from raftlab.view.shapes import cross
from raftlab.view.timeline.window import TOP, Window, is_lost
from raftlab.view.words import clean, kind_text, message_text, ms

_HALF_WAY = 0.42
_FADED = 0.4
_FINE = 0.7
_AROUND = 36.0  # how far the words over a band may reach beyond it, in all
FOLD_INK = Ink(style.FAINT, opacity=0.6)
"""A band in which heartbeats are folded."""


def message_told(span: MessageSpan) -> str:
    """To whom, what, and what became of it."""
    message = span.message
    if span.ended_at is None:
        fate = "still on its way"
    else:
        fate = f"{'arrives at' if span.delivered else 'lost at'} {ms(span.ended_at)}"
    return f"→ {clean(message.receiver)} {kind_text(message)}: {message_text(message)}; {fate}"


def message_look(message: Message, window: Window) -> tuple[Ink, str]:
    """The line and the head of a message that arrives: finer in a crowd."""
    look = style.message_style(message)
    fine = window.dense and look == style.HEARTBEAT
    width = look.width * (_FINE if window.dense else 1.0)
    ink = Ink(None, look.color, width, look.dash, opacity=_FADED if fine else 1.0)
    return ink, "none" if fine else look.head


def flying_ink() -> Ink:
    """What a legend shows for any message that is still on its way."""
    return Ink(None, style.INK, 2.0, opacity=_FADED)


def message_marks(place: int, span: MessageSpan, window: Window) -> Iterator[Mark]:
    """The line of one message: whole with a head, half if it was lost, faded if on its way."""
    message, name = span.message, f"msg-{place}"
    until, share = _reach(span, window)
    start, end = _ends(span, until, share, window)
    ink, head = message_look(message, window)
    if span.ended_at is None:
        ink = Ink(None, ink.stroke, ink.width, ink.dash, opacity=_FADED)
    if share < 1 or until > window.end:
        head = "none"
    fate = "lost" if is_lost(span) else "arrived" if span.delivered else "flying"
    data: dict[str, str | int | float] = {
        "from": message.sender, "to": message.receiver, "kind": kind_text(message), "fate": fate,
    }  # fmt: skip
    title = f"{message.sender} {message_told(span)}"
    yield Path(name, (start, end), ink, head=head, role=f"message {fate}", data=data, title=title)


def lost_marks(place: int, span: MessageSpan, window: Window) -> Iterator[Mark]:
    """The cross at the end of a message that was lost, if it is in sight; it lies on all else."""
    until, share = _reach(span, window)
    if is_lost(span) and until <= window.end:
        _, end = _ends(span, until, share, window)
        yield from cross(f"msg-{place}-lost", *end, 3.5, style.TROUBLE, 2.2)


def fold_bands(window: Window) -> Iterator[Mark]:
    """The quiet spans, behind everything."""
    for place, each in enumerate(window.folds):
        left, wide = _across(place, window)
        y, high = TOP - 24, window.bottom - 12 - (TOP - 24)
        title = f"{each.words}, answered, {each.start:.1f} to {ms(each.end)}"
        yield Box(f"fold-{place}", left, y, wide, high, FOLD_INK, 2.0, "fold", title=title)


def fold_words(window: Window, labels: Labels) -> Iterator[Mark]:
    """How many heartbeats each band stands for, above it, where there is room."""
    for place, each in enumerate(window.folds):
        left, wide = _across(place, window)
        number = f"{len(each.heartbeats):,}"
        told = [
            Text(f"fold-{place}-words", left + wide / 2, TOP - 28, word, role="fold")
            for word in (each.words, number)
            if word == number or style.text_width(word) <= wide + _AROUND
        ]
        label = labels.place(told)
        if label is not None:
            yield label


def _across(place: int, window: Window) -> tuple[float, float]:
    """Where a band begins, and how wide it is; never so narrow that nobody sees it."""
    each = window.folds[place]
    left = window.x(each.start)
    return left, max(window.x(each.end) - left, 2.0)


def _reach(span: MessageSpan, window: Window) -> tuple[Millis, float]:
    """Until when a message is drawn, and which share of the way between the two life lines."""
    if span.ended_at is None:
        gone = max(window.end - span.sent_at, 0.0)
        return window.end, min(gone / window.latency, 0.8)
    if span.delivered:
        return span.ended_at, 1.0
    took = max(span.ended_at - span.sent_at, window.latency)
    return span.sent_at + took * _HALF_WAY, _HALF_WAY


def _ends(
    span: MessageSpan, until: Millis, share: float, window: Window
) -> tuple[tuple[float, float], tuple[float, float]]:
    """The line of a message, from edge to edge of the life lines, cut to what is in sight."""
    here, there = window.rows[span.message.sender], window.rows[span.message.receiver]
    down = 1 if there > here else -1
    y1 = here + down * _thickness(span.message.sender, span.sent_at, window) / 2
    y2 = here + (there - here) * share
    if share == 1:
        y2 -= down * (_thickness(span.message.receiver, until, window) / 2 + 1)
    x1, x2 = window.x(span.sent_at), window.x(until)
    left, right = window.x(window.start), window.x(window.end)
    if x2 < left:  # its cross stands before what is in sight
        return (left, y2), (left, y2)
    slope = (y2 - y1) / (x2 - x1) if x2 > x1 else 0.0
    if x1 < left:
        x1, y1 = left, y1 + slope * (left - x1)
    if x2 > right:
        x2, y2 = right, y2 - slope * (x2 - right)
    return (x1, y1), (x2, y2)


def _thickness(node: NodeId, at: Millis, window: Window) -> float:
    """How thick a life line is at one moment."""
    for span in window.lives[node]:
        if span.start <= at <= span.end:
            return style.node_style(span.role).line
    return style.FOLLOWER.line

"""A run as a space-time diagram: one life line a node, time to the right, messages across.

A life line is thin and grey for a follower, of medium width and vermillion for a
candidate, thick and blue for a leader, dotted while the node is down. The tint behind
it is its term, whose number is printed where it begins.
"""

from collections.abc import Iterator
from functools import partial
from math import floor, log10

from raftlab.raft.messages import Message
from raftlab.raft.roles import Role
from raftlab.raft.vocabulary import Millis, NodeId
from raftlab.sim.frames.frame import MessageSpan, Trace
from raftlab.view import style
from raftlab.view.checked import checked
from raftlab.view.marks import Ink, Mark, Path, Text
from raftlab.view.scene import Scene
from raftlab.view.shapes import cross
from raftlab.view.timeline.event_marks import event_marks, sample_marks, sample_word, unnamed
from raftlab.view.timeline.lifelines import life_lines, partitions, term_bands, term_numbers
from raftlab.view.timeline.window import (
    LEFT,
    WIDTH,
    Only,
    Window,
    changes,
    is_lost,
    marks_shown,
    messages_between,
    stretches,
    window_of,
)
from raftlab.view.words import clean, kind_text, message_text, ms, table

_HALF_WAY = 0.42
_FADED = 0.4
_LEGEND_LINE = 18.0


@checked
def scene_timeline(
    trace: Trace, start: Millis | None = None, end: Millis | None = None, only: Only = "all"
) -> Scene:
    """The trace, or its part from `start` to `end` (ms), with messages "all", "votes" or "appends".

    In a crowd, replies to heartbeats are left out, and the first line says how many.
    Ids: "msg-17" the message at place 17 (from 0) of the trace. Raises: Misuse, for
    an end that is not after the start, or another word in `only`.
    """
    window = window_of(trace, start, end, only)
    headline = style.fit_text(_headline(window), WIDTH - 20)
    marks: list[Mark] = [Text("headline", 10, 18, headline, anchor="start", role="headline")]
    marks += term_bands(window)
    marks += partitions(window)
    for place, span in window.messages:
        marks += _message(place, span, window)
    marks += life_lines(window)
    marks += event_marks(window)
    marks += term_numbers(window)
    marks += _axis(window)
    legend, height = _legend(window)
    marks += legend
    text = partial(describe_timeline, trace, start, end, only)
    return Scene(WIDTH, height, tuple(marks), "Timeline of a run", text)


@checked
def describe_timeline(
    trace: Trace, start: Millis | None = None, end: Millis | None = None, only: Only = "all"
) -> str:
    """What happened, in order of time: a sentence, then a row for each event and message.

    Raises: Misuse, as `scene_timeline`.
    """
    window = window_of(trace, start, end, only)
    rows: list[tuple[Millis, int, tuple[str, str]]] = []
    for mark in marks_shown(window):
        rows.append(
            (mark.at, 2 * (mark.kind in ("propose", "commit")), (mark.node or "", mark.text))
        )
    for span in changes(window):
        what = f"a {span.role.value} in term {span.term}" if span.role else "down"
        rows.append((span.start, 1, (span.node, f"is {what}")))
    for _, each in messages_between(trace, window.start, window.end, only):
        rows.append((each.sent_at, 3, (each.message.sender, _message_text(each))))
    rows.sort(key=lambda row: row[:2])
    cells = [(f"{at:.1f}", clean(node), what) for at, _, (node, what) in rows]
    if not cells:
        return f"{_headline(window)}\n\nNothing happened."
    return f"{_headline(window)}\n\n{table(('ms', 'node', 'what'), cells, right=(0,))}"


# In words


def _headline(window: Window) -> str:
    lost = sum(is_lost(span) for _, span in window.messages)
    count = len(window.messages) + window.left_out
    kind = {"votes": " about votes", "appends": " about entries"}.get(window.only, "")
    what = "message" if count == 1 else "messages"
    said = f"{window.start:.1f} to {ms(window.end)}: {count} {what}{kind}, {lost} lost"
    standing = [each for each in window.trace.spans if each.start <= window.end <= each.end]
    leaders = [each for each in standing if each.role is Role.LEADER]
    if leaders:
        each_leads = [f"{leader.node} leads term {leader.term}" for leader in leaders]
        said += f"; {', '.join(each_leads)} at the end"
    if window.left_out:
        said += f" ({window.left_out} replies to heartbeats not drawn)"
    return f"{said}."


def _message_text(span: MessageSpan) -> str:
    message = span.message
    if span.ended_at is None:
        fate = "still on its way"
    else:
        fate = f"{'arrives at' if span.delivered else 'lost at'} {ms(span.ended_at)}"
    return f"→ {clean(message.receiver)} {kind_text(message)}: {message_text(message)}; {fate}"


# Messages


def _message(place: int, span: MessageSpan, window: Window) -> Iterator[Mark]:
    """One message: whole with a head, half with a cross if it was lost, faded if on its way."""
    message = span.message
    look, name = style.message_style(message), f"msg-{place}"
    until, share = _reach(span, window)
    start, end = _ends(span, until, share, window)
    fine = window.dense and look == style.HEARTBEAT
    head = look.head if share == 1 and until <= window.end and not fine else "none"
    opacity = _FADED if fine or span.ended_at is None else 1.0
    ink = Ink(
        None, look.color, look.width * (0.7 if window.dense else 1.0), look.dash, opacity=opacity
    )
    fate = "lost" if is_lost(span) else "arrived" if span.delivered else "flying"
    data: dict[str, str | int | float] = {
        "from": message.sender, "to": message.receiver, "kind": kind_text(message), "fate": fate,
    }  # fmt: skip
    title = f"{message.sender} {_message_text(span)}"
    yield Path(name, (start, end), ink, head=head, role=f"message {fate}", data=data, title=title)
    if fate == "lost" and until <= window.end:
        yield from cross(f"{name}-lost", *end, 3.5, style.TROUBLE, 2.2)


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
    slope = (y2 - y1) / (x2 - x1) if x2 > x1 else 0.0
    if x1 < left:
        x1, y1 = left, y1 + slope * (left - x1)
    if x2 > right:
        x2, y2 = right, y2 - slope * (x2 - right)
    return (x1, y1), (x2, y2)


def _thickness(node: NodeId, at: Millis, window: Window) -> float:
    """How thick a life line is at one moment."""
    for span in window.trace.spans:
        if span.node == node and span.start <= at <= span.end:
            return style.node_style(span.role).line
    return style.FOLLOWER.line


# Axis and legend


def _axis(window: Window) -> Iterator[Mark]:
    y, left, right = window.bottom, window.x(window.start), window.x(window.end)
    ink = Ink(None, style.INK, 1.0)
    yield Path("axis", ((left, y), (right, y)), ink, role="axis")
    for at in _ticks(window):
        x = window.x(at)
        yield Path(f"tick-{at:g}", ((x, y), (x, y + 5)), ink, role="tick")
        yield Text(f"tick-{at:g}-text", x, y + 17, f"{at:g}", style.SMALL, role="tick")
    yield Text("axis-unit", right + 10, y + 4, "ms", style.SMALL, anchor="start", role="axis")


def _ticks(window: Window) -> list[Millis]:
    """Round times, at least 60 units apart."""
    least = 60 * (window.end - window.start) / (window.right - LEFT)
    power = 10.0 ** floor(log10(least))
    step = next(step * power for step in (1, 2, 5, 10) if step * power >= least)
    first = -floor(-window.start / step)
    count = floor(window.end / step) - first + 1
    return [round((first + place) * step, 6) for place in range(count)]


def _legend(window: Window) -> tuple[list[Mark], float]:
    """What the lines mean, of those that are there; and the height of the picture below it."""
    marks: list[Mark] = []
    x, y = LEFT, window.bottom + 40
    for word, ink, head in _samples(window):
        wide = 30 + style.text_width(word, style.SMALL) + 11
        if x + wide > WIDTH:
            x, y = LEFT, y + _LEGEND_LINE
        name = f"legend-{word.replace(' ', '-')}"
        line = ((x, y - 3), (x + 25, y - 3))
        if word == "lost":
            marks += cross(name, x + 18, y - 3, 3.5, style.TROUBLE, 2.2)
        else:
            marks.append(Path(name, line, ink, head=head, role="legend"))
        marks.append(Text(f"{name}-word", x + 30, y, word, 9, style.QUIET, "start", role="legend"))
        x += wide
    for sample in unnamed(window):
        word, name = sample_word(sample), f"legend-{sample.kind}"
        wide = 18 + style.text_width(word, style.SMALL) + 11
        if x + wide > WIDTH:
            x, y = LEFT, y + _LEGEND_LINE
        marks += sample_marks(name, sample, x + 7, y - 3)
        marks.append(Text(f"{name}-word", x + 18, y, word, 9, style.QUIET, "start", role="legend"))
        x += wide
    return marks, y + 12


def _samples(window: Window) -> Iterator[tuple[str, Ink, str]]:
    """Word, line and arrow head of each thing in sight."""
    there = {span.role for _, span, _, _ in stretches(window)}
    for role in (*Role, None):
        if role in there:
            look = style.node_style(role)
            dash, width = ((), look.line) if role else ((1.5, 4.0), 2.0)
            yield role.value if role else "down", Ink(None, look.edge, width, dash), "none"
    seen: dict[str, Message] = {}
    for _, span in window.messages:
        seen.setdefault(kind_text(span.message), span.message)
    for kind in sorted(seen):
        line = style.message_style(seen[kind])
        if line.head == "filled":
            yield kind, Ink(None, line.color, line.width, line.dash), line.head
    if any(style.message_style(message).head == "open" for message in seen.values()):
        yield "reply", Ink(None, style.QUIET, 1.6), "open"
    if any(is_lost(span) for _, span in window.messages):
        yield "lost", Ink(), "none"

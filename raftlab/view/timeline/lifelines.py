"""The life lines of a timeline: roles, terms, and the partitions that run across them all."""

from collections.abc import Iterator

from raftlab.raft.vocabulary import Millis, NodeId, Term
from raftlab.sim.frames.frame import TraceMark
from raftlab.view import style
from raftlab.view.labels import Labels
from raftlab.view.marks import Box, Ink, Mark, Path, Text
from raftlab.view.timeline.axis import WIDTH
from raftlab.view.timeline.window import LEFT, TOP, Window, marks_shown, stretches
from raftlab.view.words import clean, ms

_ABOVE, _BELOW = 15.0, 6.0


def term_bands(window: Window) -> Iterator[Mark]:
    """The tint of the term behind each life line."""
    for stretch, span, left, right in stretches(window):
        if span.role is not None and span.term > 0:
            ink = Ink(style.term_tint(span.term), opacity=0.55)
            name, y = f"band-{stretch}", window.rows[span.node] - _ABOVE
            data: dict[str, str | int | float] = {"node": span.node, "term": span.term}
            yield Box(name, left, y, right - left, _ABOVE + _BELOW, ink, role="band", data=data)


def life_lines(window: Window) -> Iterator[Mark]:
    """A name and a line for each node, in the width and colour of its role."""
    for node, y in window.rows.items():
        word = style.fit_text(clean(node), LEFT - 18, bold=True)
        yield Text(f"name-{node}", 10, y + 4, word, anchor="start", bold=True, role="name")
    for stretch, span, left, right in stretches(window):
        look, y = style.node_style(span.role), window.rows[span.node]
        dash = () if span.role else (1.5, 4.0)
        ink = Ink(None, look.edge, look.line if span.role else 2.0, dash)
        kind = span.role.value if span.role else "down"
        title = f"{span.node}: {kind}, term {span.term}, {span.start:.1f} to {ms(span.end)}"
        name = f"life-{stretch}"
        line = ((left, y), (right, y))
        yield Path(name, line, ink, role=f"life {kind}", title=title)
    yield from _standstills(window)


def _standstills(window: Window) -> Iterator[Mark]:
    """A white core in the life line of a node that is paused."""
    since: dict[NodeId, Millis] = {}
    for mark in window.trace.marks:
        if mark.node is None or mark.node not in window.rows:
            continue
        if mark.kind == "pause":
            since[mark.node] = mark.at
        elif mark.kind in ("resume", "crash") and mark.node in since:
            yield _standstill(mark.node, since.pop(mark.node), mark.at, window)
    for node, at in since.items():
        yield _standstill(node, at, window.end, window)


def _standstill(node: NodeId, start: Millis, end: Millis, window: Window) -> Mark:
    y, ink = window.rows[node], Ink(None, style.PAPER, 1.4)
    ends = (window.x(window.clip(start)), y), (window.x(window.clip(end)), y)
    return Path(f"paused-{node}-{start:.1f}", ends, ink, role="paused")


def term_numbers(window: Window) -> Iterator[Mark]:
    """The number of each term where it begins on a life line, with a divider before it."""
    for node, y in window.rows.items():
        known: Term | None = None
        starts: list[tuple[float, Term]] = []
        for span in window.lives[node]:
            left, right = window.x(window.clip(span.start)), window.x(window.clip(span.end))
            if right <= left:
                continue  # out of sight
            if span.role and span.term != known:
                starts.append((left, span.term))
            known = span.term if span.role else None  # said again after a crash
        for place, (left, term) in enumerate(starts):
            if left > window.x(window.start):
                ends = (left, y - _ABOVE - 1), (left, y + _BELOW + 1)
                ink = Ink(None, style.INK, 2.0)
                yield Path(f"divider-{node}-{place}", ends, ink, role="divider")
            after = starts[place + 1][0] if place + 1 < len(starts) else WIDTH - 4
            yield from _term(f"term-{node}-{place}", term, left, after - left, y)


def _term(name: str, term: Term, left: float, room: float, y: float) -> Iterator[Mark]:
    """The number of a term on its tint, if there is room for it before the next one."""
    for word in (f"term {term}", str(term)):
        wide = style.text_width(word) + 8
        if wide <= room:
            ground = Ink(style.term_tint(term))
            yield Box(f"{name}-ground", left + 1, y - _ABOVE, wide - 1, 11, ground, role="tint")
            yield Text(name, left + 4, y - _BELOW, word, anchor="start", role="term")
            return


# What happens to all


def cluster_event_ink(kind: str) -> Ink:
    """The line of what happens to all: thick for a partition, thin for its end or other weather."""
    if kind in ("heal", "network"):
        return Ink(None, style.QUIET, 1.6, style.CUT_DASH)
    return Ink(None, style.QUIET, style.PARTITION_WIDTH, style.PARTITION_DASH)


def cluster_events(window: Window, labels: Labels) -> Iterator[Mark]:
    """Partitions, their end and changes of the network, across all life lines; words above."""
    for place, mark in enumerate(marks_shown(window)):
        if mark.node is not None:
            continue
        x, name = window.x(mark.at), f"mark-{place}-{mark.kind}"
        ends, text = ((x, TOP - 24), (x, window.bottom - 12)), clean(mark.text, 60)
        yield Path(name, ends, cluster_event_ink(mark.kind), role=f"mark {mark.kind}", title=text)
        label = labels.place(_cluster_event_words(f"{name}-words", mark, x))
        if label is not None:
            yield label


def _cluster_event_words(name: str, mark: TraceMark, x: float) -> Iterator[Text]:
    """The sides of a partition in full, or only its kind; over the line, or beginning there."""
    said = mark.kind if mark.kind == "heal" else clean(mark.detail or mark.text, 60)
    for word in dict.fromkeys((style.fit_text(said, 280), mark.kind)):
        half = style.text_width(word) / 2
        for at in (x, x + half, x - half):
            at = min(max(at, LEFT - 10 + half), WIDTH - 6 - half)
            yield Text(name, at, TOP - 28, word, role="mark")

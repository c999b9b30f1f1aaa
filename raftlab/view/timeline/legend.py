"""What the marks of a timeline mean: all of those that are drawn, and no other."""

from collections.abc import Callable, Iterator, Sequence
from functools import partial

import msgspec

from raftlab.raft.messages import Message
from raftlab.raft.roles import Role
from raftlab.sim.frames.frame import TraceMark
from raftlab.view import style
from raftlab.view.marks import Box, Ink, Mark, Path, Text
from raftlab.view.shapes import cross
from raftlab.view.timeline.axis import WIDTH
from raftlab.view.timeline.event_marks import KINDS, sample_marks
from raftlab.view.timeline.lifelines import cluster_event_ink
from raftlab.view.timeline.messages import FOLD_INK, flying_ink, message_look
from raftlab.view.timeline.window import LEFT, Window, marks_shown, stretches
from raftlab.view.words import kind_text

_LINE, _BETWEEN, _DASHES, _GLYPH = 19.0, 14.0, 26.0, 14.0


class Item(msgspec.Struct, frozen=True):
    """One thing that is explained: its word, how wide its sample is, and what paints that."""

    key: str
    word: str
    wide: float
    paint: Callable[[str, float, float], Sequence[Mark]]


def legend(window: Window, drawn: Sequence[Mark]) -> tuple[list[Mark], float]:
    """The legend for what is `drawn`, in lines below the axis; and the height of the picture."""
    marks: list[Mark] = []
    x, y = LEFT, window.bottom + 42
    roles = {word for each in drawn for word in each.role.split()}
    kinds = {str(each.data["kind"]) for each in drawn if "kind" in each.data}
    for item in _items(window, roles, kinds):
        wide = item.wide + 5 + style.text_width(item.word)
        if x > LEFT and x + wide > WIDTH - 4:
            x, y = LEFT, y + _LINE
        name = f"legend-{item.key}"
        for each in item.paint(name, x, y - 4):
            marks.append(msgspec.structs.replace(each, role="legend"))
        at = x + item.wide + 5
        marks.append(
            Text(f"{name}-word", at, y, item.word, color=style.QUIET, anchor="start", role="legend")
        )
        x += wide + _BETWEEN
    return marks, y + 12


def _items(window: Window, roles: set[str], kinds: set[str]) -> Iterator[Item]:
    """What there is to explain, by the roles of the marks and the kinds of messages drawn."""
    shown = {span.role for _, span, _, _ in stretches(window)}
    for role in (*Role, None):
        if role in shown:
            look = style.node_style(role)
            dash, width = ((), look.line) if role else ((1.5, 4.0), 2.0)
            word = role.value if role else "down"
            yield _line(word, word, Ink(None, look.edge, width, dash))
    if "paused" in roles:
        yield Item("paused", "paused", _DASHES, _hollow)
    if "band" in roles or "term" in roles:
        yield Item("term", "term", _DASHES, _term)
    yield from _messages(window, roles, kinds)
    if "fold" in roles:
        yield Item("fold", "heartbeats that changed nothing", _DASHES, _fold)
    moments = {mark.kind: mark for mark in reversed(marks_shown(window))}
    for kind, word in KINDS.items():
        if kind in moments and moments[kind].node is not None:
            yield Item(kind, word, _GLYPH, partial(_glyph, moments[kind]))
    for kind in sorted(kind for kind, mark in moments.items() if mark.node is None):
        yield Item(kind, kind, _GLYPH, partial(_cluster_event, kind))


def _messages(window: Window, roles: set[str], kinds: set[str]) -> Iterator[Item]:
    """A line for each kind of question; answers have the same, and an open head."""
    seen: dict[str, Message] = {}
    for _, span in window.messages:
        seen.setdefault(kind_text(span.message), span.message)
    asked = {kind for kind in kinds if style.message_style(seen[kind]).head == "filled"}
    for kind in sorted(asked):
        yield _line(kind.replace(" ", "-"), kind, *message_look(seen[kind], window))
    if kinds - asked:
        yield _line("reply", "reply", Ink(None, style.QUIET, 1.6), "open")
    if "lost" in roles:
        yield Item("lost", "lost", _GLYPH, _lost)
    if "flying" in roles:
        yield _line("flying", "on its way", flying_ink())


def _line(key: str, word: str, ink: Ink, head: str = "none") -> Item:
    def paint(name: str, x: float, y: float) -> list[Mark]:
        return [Path(name, ((x, y), (x + _DASHES, y)), ink, head=head)]

    return Item(key, word, _DASHES, paint)


def _hollow(name: str, x: float, y: float) -> list[Mark]:
    ends, look = ((x, y), (x + _DASHES, y)), style.FOLLOWER
    edge, core = Ink(None, look.edge, look.line), Ink(None, style.PAPER, 1.4)
    return [Path(f"{name}-edge", ends, edge), Path(name, ends, core)]


def _term(name: str, x: float, y: float) -> list[Mark]:
    tint = Ink(style.term_tint(1), opacity=0.55)
    divider = Path(name, ((x, y - 7), (x, y + 7)), Ink(None, style.INK, 2.0))
    return [Box(f"{name}-tint", x, y - 6, _DASHES, 12, tint), divider]


def _fold(name: str, x: float, y: float) -> list[Mark]:
    return [Box(name, x, y - 6, _DASHES, 12, FOLD_INK, 2.0)]


def _lost(name: str, x: float, y: float) -> list[Mark]:
    return cross(name, x + 7, y, 3.5, style.TROUBLE, 2.2)


def _glyph(mark: TraceMark, name: str, x: float, y: float) -> list[Mark]:
    return sample_marks(name, mark, x + 7, y)


def _cluster_event(kind: str, name: str, x: float, y: float) -> list[Mark]:
    return [Path(name, ((x + 7, y - 8), (x + 7, y + 8)), cluster_event_ink(kind))]

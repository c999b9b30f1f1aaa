"""What the rare marks around a ring mean: group marks, and lines of messages seldom seen."""

from collections.abc import Iterable, Iterator, Sequence

import msgspec

from raftlab.raft.messages import (
    AppendEntriesReply,
    InstallSnapshot,
    InstallSnapshotReply,
    Message,
    ReadIndex,
    ReadIndexReply,
    TimeoutNow,
)
from raftlab.sim.frames.frame import Frame
from raftlab.view import style
from raftlab.view.cluster.waiting_work import is_troubled
from raftlab.view.marks import Ink, Mark, Path, Text
from raftlab.view.members import Standing, configuration_lines
from raftlab.view.shapes import group_badge
from raftlab.view.words import kind_text

LEGEND_LINE = 15.0
"""From one line of the legend to the next, in units."""

LEGEND_END = 4.0
"""From its last line to the edge of the picture."""

_BETWEEN, _BADGE, _DASHES = 12.0, 4.5, 28.0
_GROUPS = ((("old",), "old group"), (("new",), "new group"), (("old", "new"), "both groups"))
_RARE = (InstallSnapshot, InstallSnapshotReply, TimeoutNow, ReadIndex, ReadIndexReply)


class LegendItem(msgspec.Struct, frozen=True):
    """One thing that the legend explains: groups of voters, or the line of a kind of message."""

    words: str
    groups: tuple[str, ...] = ()
    line: style.LineStyle | None = None

    @property
    def before(self) -> float:
        """How much room the mark takes before its words."""
        return 2 * _BADGE + 5 if self.line is None else _DASHES + 5

    @property
    def wide(self) -> float:
        """How wide mark and words are."""
        return self.before + style.text_width(self.words, style.SMALL)


def legend_items(standing: Iterable[Standing], messages: Iterable[Message]) -> list[LegendItem]:
    """What there is to explain; nothing for a cluster that only elects and replicates."""
    there = {each.groups for each in standing}
    found = [LegendItem(words, groups) for groups, words in _GROUPS if groups in there]
    lines = {rare_kind(each): style.message_style(each) for each in messages}
    return found + [LegendItem(kind, line=lines[kind]) for kind in sorted(lines) if kind]


def rare_kind(message: Message) -> str:
    """What a message is called in the legend; "" for those of every election and every log."""
    if type(message) in _RARE:
        return kind_text(message)
    if style.message_style(message).dash != style.READ_DASH:
        return ""
    return "reply for a read" if isinstance(message, AppendEntriesReply) else kind_text(message)


def is_plain(frame: Frame) -> bool:
    """Whether there is nothing to see but elections, logs, crashes and partitions.

    Such a picture needs no legend, and its numbers stay where they always were.
    """
    return not (
        configuration_lines(frame)
        or any(map(is_troubled, frame.nodes))
        or any(rare_kind(flight.message) for flight in frame.in_flight)
    )


def legend_lines(shown: Sequence[LegendItem], room: float) -> list[list[LegendItem]]:
    """The items in lines of at most `room` units."""
    lines: list[list[LegendItem]] = []
    for item in shown:
        if lines and _wide([*lines[-1], item]) <= room:
            lines[-1].append(item)
        else:
            lines.append([item])
    return lines


def legend_marks(
    lines: Sequence[Sequence[LegendItem]], middle: float, top: float
) -> Iterator[Mark]:
    """The legend in lines around `middle`; the baseline of the first is at `top`."""
    for place, line in enumerate(lines):
        x, y = middle - _wide(line) / 2, top + LEGEND_LINE * place
        for item in line:
            yield from _item(item, x, y)
            x += item.wide + _BETWEEN


def _wide(line: Sequence[LegendItem]) -> float:
    return sum(item.wide for item in line) + _BETWEEN * (len(line) - 1)


def _item(item: LegendItem, x: float, y: float) -> Iterator[Mark]:
    name, here = f"key-{item.words.replace(' ', '-')}", y - 3.2
    if item.line is None:
        yield from group_badge(name, x + _BADGE, here, _BADGE, item.groups)
    else:
        look = item.line
        ends, ink = ((x, here), (x + _DASHES, here)), Ink(None, look.color, look.width, look.dash)
        yield Path(name, ends, ink, head=look.head, role="key")
    at, size = x + item.before, style.SMALL
    yield Text(f"{name}-word", at, y, item.words, size, style.QUIET, "start", role="key")

"""Every colour, shape, line and letter of the pictures, in one table.

One channel has one meaning: role is fill and shape, term is tint and the printed number,
committed is the border, the kind of a message is its line. Colour is never the only cue.
The colours were computed to stay apart in normal, protan, deutan and tritan vision and,
for roles, in greyscale; `tests/view/test_style.py` holds them to it.

Lengths are units of a scene (one CSS pixel at full size); type sizes too.
"""

from collections.abc import Mapping
from functools import lru_cache
from types import MappingProxyType

import msgspec

from raftlab.raft.messages import (
    AppendEntries,
    AppendEntriesReply,
    Message,
    RequestVote,
    RequestVoteReply,
)
from raftlab.raft.roles import Role
from raftlab.raft.vocabulary import Term

INK = "#222222"
"""Text, axes, and the marks of commit, match and next index."""

QUIET = "#555555"
"""Secondary text, the edge of what is down, the border of a partition."""

FAINT = "#D4D4D4"
"""Guide lines and empty tracks: nothing is lost if nobody sees them."""

TIMER = "#888888"
"""What is left of an election timeout."""

PAPER = "#FFFFFF"
"""The ground of every picture."""

TROUBLE = "#BB5566"
"""The cross of a lost message, and nothing else."""


class NodeStyle(msgspec.Struct, frozen=True, gc=False):
    """How a node looks: `fill`, the colour of its `label`, its `edge`, and its `shape`.

    `shape` is "circle", "diamond" or "square". `line` is the width of its life line in a
    timeline and `dash` how that line, and a crashed node's edge, is broken.
    """

    fill: str
    label: str
    edge: str
    shape: str
    line: float
    dash: tuple[float, ...] = ()


FOLLOWER = NodeStyle("#BBBBBB", "#000000", "#BBBBBB", "circle", 3.0)
CANDIDATE = NodeStyle("#D55E00", "#000000", "#D55E00", "diamond", 6.0)
LEADER = NodeStyle("#004488", "#FFFFFF", "#004488", "square", 9.0)
CRASHED = NodeStyle(PAPER, QUIET, QUIET, "circle", 1.5, (3.0, 3.0))

ROLE_STYLES: Mapping[Role, NodeStyle] = MappingProxyType(
    {Role.FOLLOWER: FOLLOWER, Role.CANDIDATE: CANDIDATE, Role.LEADER: LEADER}
)


def node_style(role: Role | None) -> NodeStyle:
    """The look of a node in `role`; None is a node that is down."""
    return CRASHED if role is None else ROLE_STYLES[role]


TERM_TINTS = ("#77AADD", "#EEDD88", "#99DDFF", "#EE8866")
"""The tints of terms 1, 2, 3, 4, and then again; neighbours are far apart."""


def term_tint(term: Term) -> str:
    """The tint of entries of `term`; white for term 0, which has none."""
    return TERM_TINTS[(term - 1) % len(TERM_TINTS)] if term > 0 else PAPER


HATCH = "#777777"
"""The lines over what is not yet on disk."""

DARK: Mapping[str, str] = MappingProxyType(
    {
        PAPER: "#1A1A1A",
        INK: "#E8E8E8",
        QUIET: "#B0B0B0",
        FAINT: "#484848",
        TIMER: "#8C8C8C",
        TROUBLE: "#E8788A",
        HATCH: "#9A9A9A",
        FOLLOWER.fill: "#DDDDDD",
        CANDIDATE.fill: "#F68431",
        LEADER.fill: "#1166DF",
        TERM_TINTS[0]: "#266282",
        TERM_TINTS[1]: "#89730C",
        TERM_TINTS[2]: "#0033CE",
        TERM_TINTS[3]: "#912D07",
    }
)
"""What each colour is where a page is dark: on the lab's stage.

The labels of nodes keep their colours, those of entries are white. Pictures that are stored
stay on paper: no image knows what theme the page has that shows it.
"""


class LineStyle(msgspec.Struct, frozen=True, gc=False):
    """How a message is drawn: line and arrow head ("filled" asks, "open" answers)."""

    color: str
    width: float
    dash: tuple[float, ...]
    head: str


VOTE_DASH = (6.0, 3.5)
PREVOTE_DASH = (2.5, 3.5)
READ_DASH = (7.0, 2.5, 1.5, 2.5)
"""What is about a read: the request for a read index, and what carries a round of reads."""

MESSAGE_STYLES: Mapping[str, LineStyle] = MappingProxyType(
    {
        "RequestVote": LineStyle(CANDIDATE.fill, 2.0, VOTE_DASH, "filled"),
        "RequestVoteReply": LineStyle(CANDIDATE.fill, 2.0, VOTE_DASH, "open"),
        "AppendEntries": LineStyle(LEADER.fill, 2.4, (), "filled"),
        "AppendEntriesReply": LineStyle(LEADER.fill, 1.6, (), "open"),
        "InstallSnapshot": LineStyle(LEADER.fill, 4.5, (), "filled"),
        "InstallSnapshotReply": LineStyle(LEADER.fill, 1.6, (), "open"),
        "TimeoutNow": LineStyle(LEADER.fill, 2.0, (1.5, 3.0), "filled"),
        "ReadIndex": LineStyle(INK, 1.6, READ_DASH, "filled"),
        "ReadIndexReply": LineStyle(INK, 1.6, READ_DASH, "open"),
    }
)

HEARTBEAT = LineStyle(LEADER.fill, 1.0, (), "filled")
READ_HEARTBEAT = LineStyle(LEADER.fill, 1.4, READ_DASH, "filled")
READ_HEARTBEAT_REPLY = LineStyle(LEADER.fill, 1.6, READ_DASH, "open")
PREVOTE = LineStyle(CANDIDATE.fill, 1.6, PREVOTE_DASH, "filled")
PREVOTE_REPLY = LineStyle(CANDIDATE.fill, 1.6, PREVOTE_DASH, "open")


def message_style(message: Message) -> LineStyle:
    """The line of one message: its kind, a heartbeat thinner, a pre-vote with shorter dashes.

    A heartbeat that asks for a round of reads, and an answer to a round, are broken as
    everything about reads is.
    """
    match message:
        case AppendEntries(entries=(), read_round=asked) if asked:
            return READ_HEARTBEAT
        case AppendEntriesReply(read_round=asked) if asked:
            return READ_HEARTBEAT_REPLY
        case AppendEntries(entries=()):
            return HEARTBEAT
        case RequestVote(is_prevote=True):
            return PREVOTE
        case RequestVoteReply(is_prevote=True):
            return PREVOTE_REPLY
        case _:
            return MESSAGE_STYLES[type(message).__name__]


COMMITTED_WIDTH = 2.0
UNCOMMITTED_WIDTH = 1.2
UNCOMMITTED_DASH = (3.0, 2.2)
DIVIDER_WIDTH = 4.5
COMMIT_WIDTH = 4.0
PARTITION_WIDTH = 3.5
PARTITION_DASH = (12.0, 5.0, 2.5, 5.0)
CUT_DASH = (1.5, 3.0)
HATCH_GAP = 6.0
HATCH_WIDTH = 0.8
CHANGED_WIDTH = 1.6

LEARNER_WIDTH = 0.2
"""The edge of a hollow node, a learner, as a share of its radius."""

OUTSIDE_WIDTH = 1.6
"""The edge of a hollow node that is not a member."""

FONT = "DejaVu Sans"
MONO_FONT = "DejaVu Sans Mono"
FONT_FAMILY = "'DejaVu Sans', 'Bitstream Vera Sans', Verdana, Arial, sans-serif"
MONO_FAMILY = "'DejaVu Sans Mono', 'Bitstream Vera Sans Mono', Menlo, Consolas, monospace"
SIZE = 11.0
SMALL = 9.0
"""The smallest letters there are, in units."""

GROWTH = SIZE / SMALL
"""CSS pixels a unit of a picture on a page with room: so the smallest letters are 11 px."""

PAGE = 914.0
"""CSS pixels that a picture has on a page: in JupyterLab on a small laptop, its list of files open.

What would be wider is left out where it can be, or else scrolled.
"""

FIGURE_INCHES = (6.5, 3.5)
"""The size of a matplotlib figure that nobody asked to be larger."""

RC: Mapping[str, object] = MappingProxyType(
    {
        "font.family": "sans-serif",
        "font.sans-serif": [FONT, "Verdana", "Arial"],
        "font.monospace": [MONO_FONT, "monospace"],
        "font.size": SIZE,
        "axes.titlesize": SIZE,
        "axes.labelsize": SIZE,
        "xtick.labelsize": SMALL,
        "ytick.labelsize": SMALL,
        "axes.edgecolor": INK,
        "axes.labelcolor": INK,
        "axes.titlelocation": "left",
        "axes.spines.top": False,
        "axes.spines.right": False,
        "axes.grid": False,
        "xtick.color": INK,
        "ytick.color": INK,
        "text.color": INK,
        "figure.figsize": FIGURE_INCHES,
        "figure.facecolor": PAPER,
        "figure.constrained_layout.use": True,
        "legend.frameon": False,
        "svg.fonttype": "none",
        "svg.hashsalt": "raftlab",
    }
)
"""What `raftlab.view.plot.use_style` gives matplotlib, and what every plot here is drawn with."""

# The advance of each letter from space to ~, in thousandths of the type size.
# fmt: off
_WIDTHS = (
    318, 401, 460, 838, 636, 950, 780, 275, 390, 390, 500, 838, 318, 361, 318, 337,
    636, 636, 636, 636, 636, 636, 636, 636, 636, 636, 337, 337, 838, 838, 838, 531,
    1000, 684, 686, 698, 770, 632, 575, 775, 752, 295, 295, 656, 557, 863, 748, 787,
    603, 787, 695, 635, 611, 732, 684, 989, 685, 611, 685, 390, 337, 390, 838, 500,
    500, 613, 635, 550, 635, 615, 352, 635, 634, 278, 278, 579, 278, 974, 634, 612,
    635, 635, 411, 521, 392, 634, 592, 818, 592, 592, 525, 636, 337, 636, 838,
)
# fmt: on
_BY_LETTER = {chr(32 + place): width for place, width in enumerate(_WIDTHS)} | {
    "·": 318,
    "…": 1000,
    "→": 838,
    "–": 500,
    "×": 838,
    "‹": 400,
    "›": 400,
    "“": 518,
    "”": 518,
}
_BOLD = 1.12
_MONO = 602


@lru_cache(maxsize=4096)
def text_width(text: str, size: float = SIZE, *, bold: bool = False, mono: bool = False) -> float:
    """How wide `text` runs in DejaVu Sans, in units; an unknown letter counts as a wide one."""
    if mono:
        return len(text) * _MONO * size / 1000
    thousandths = sum([_BY_LETTER.get(letter, 1000) for letter in text])
    return thousandths * (_BOLD if bold else 1.0) * size / 1000


def wrap_text(text: str, room: float, size: float = SIZE, *, bold: bool = False) -> list[str]:
    """`text` in lines of at most `room` units, broken between words; a longer word is cut."""
    lines: list[str] = []
    for word in text.split():
        longer = f"{lines[-1]} {word}" if lines else word
        if lines and text_width(longer, size, bold=bold) <= room:
            lines[-1] = longer
        else:
            lines.append(fit_text(word, room, size, bold=bold))
    return lines


def wrap_clauses(text: str, room: float, size: float = SIZE) -> list[str]:
    """`text` in lines of at most `room` units, broken after a semicolon if that is possible.

    A clause that is longer than a line is broken between words.
    """
    lines: list[str] = []
    for clause in text.replace("; ", ";\n").split("\n"):
        longer = f"{lines[-1]} {clause}" if lines else clause
        if lines and text_width(longer, size) <= room:
            lines[-1] = longer
        else:
            lines += wrap_text(clause, room, size)
    return lines


def fit_text(text: str, room: float, size: float = SIZE, *, bold: bool = False) -> str:
    """`text` if it is at most `room` units wide, or else as much of it as fits before an "…"."""
    if text_width(text, size, bold=bold) <= room:
        return text
    kept = text
    while kept and text_width(kept + "…", size, bold=bold) > room:
        kept = kept[:-1]
    return kept + "…"

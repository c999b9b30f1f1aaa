"""The commit decision: how far each voter is, what a majority holds, and what the term says of it.

The match indexes are sorted; the one that a majority has reached stands in the middle of
them. Above lies the leader's log, so that the eye can go up from the majority's index to
the term of the entry there. Paper: Figure 2, Leaders, last rule; 5.4.2 and Figure 8.
"""

from collections.abc import Callable, Iterator, Mapping
from functools import partial

import msgspec

from raftlab.raft.log import RaftLog
from raftlab.raft.roles import Role
from raftlab.raft.vocabulary import Configuration, Index, NodeId, Term
from raftlab.sim.frames.frame import Frame, NodeFrame
from raftlab.view import style
from raftlab.view.checked import checked
from raftlab.view.decisions.commit_decision import (
    Decision,
    Reached,
    all_the_same,
    columns_around,
    commit_moves,
    counted,
    decide,
    decision_headline,
    decision_of,
    describe_decision,
    leader_shown,
    nobody_decides,
    not_counted,
    verdict,
)
from raftlab.view.logs.cells import GAP, Grid, cell_marks
from raftlab.view.logs.columns import frame_of_log
from raftlab.view.marks import Box, Disc, Ink, Mark, Path, Text
from raftlab.view.scene import Scene
from raftlab.view.shapes import cross, node_shape
from raftlab.view.words import clean, ms

_LEFT = 10.0
_LOG_LEFT = 118.0
_CELL = 37.0
_STRIP = 52.0
_ROW, _LOW_ROW = 24.0, 13.0
_MOST_DETAILED = 13
_FEWEST_COLUMNS = 9
_COUNTED = Ink(style.QUIET)
_NOT_COUNTED = Ink(style.FAINT)
_MAJORITY = Ink(None, style.INK, 1.6, (4.0, 3.0))


@checked
def scene_commit(
    frame: Frame, leader: NodeId | None = None, previous: Frame | None = None
) -> Scene:
    """The commit decision at `leader` (by default the living leader of the highest term).

    With `previous`, the old commit index is the one it had there; without, what it has
    now. Where nobody leads, the picture says so. Raises: KeyError, for an unknown node.
    """
    text = partial(describe_commit, frame, leader, previous)
    node = leader_shown(frame, leader)
    if node is None:
        said = nobody_decides(frame, leader)
        words = Text("headline", _LEFT, 18, said, anchor="start", role="headline")
        return Scene(max(style.text_width(said) + 20, 300), 30, (words,), "Commit", text)
    roles = {each.node: each.role if each.alive else None for each in frame.nodes}
    decision = decision_of(node, previous)
    return _scene(decision, node, roles, f"{ms(frame.at)}: {decision_headline(decision)}", text)


@checked
def describe_commit(
    frame: Frame, leader: NodeId | None = None, previous: Frame | None = None
) -> str:
    """What `scene_commit` shows, as text: the decision in a sentence, then each voter's index.

    Raises: KeyError, for an unknown node.
    """
    node = leader_shown(frame, leader)
    if node is None:
        return nobody_decides(frame, leader)
    return f"{ms(frame.at)}: {describe_decision(decision_of(node, previous), node)}"


@checked
def scene_commit_decision(
    match_indexes: Mapping[NodeId, Index],
    log: RaftLog,
    term: Term,
    commit_index: Index,
    configuration: Configuration,
) -> Scene:
    """The commit decision from plain data: how far each voter is, and the leader's own log.

    `term` is the leader's, `commit_index` what it has committed so far.
    """
    holder = frame_of_log(log)
    decision = decide(match_indexes, holder, term, commit_index, configuration)
    text = partial(describe_decision, decision, holder)
    return _scene(decision, holder, {}, decision_headline(decision), text)


# As marks


def _scene(
    decision: Decision,
    holder: NodeFrame,
    roles: Mapping[NodeId, Role | None],
    headline: str,
    text: Callable[[], str],
) -> Scene:
    columns = columns_around(decision, holder)
    grid = Grid(columns, _LOG_LEFT, _STRIP, _CELL, 30.0, 0.0, True)
    width = _LOG_LEFT + _CELL * max(len(columns), _FEWEST_COLUMNS) + 52
    marks: list[Mark] = [Text("headline", _LEFT, 18, headline, anchor="start", role="headline")]
    marks += _strip(decision, holder, grid)
    top = _STRIP + 62.0
    for group in decision.groups:
        marks += _group(group, grid, roles, top)
        top += _height(group)
    silent = not_counted(decision)
    if silent:
        marks.append(Text("uncounted", _LEFT, top + 8, silent, anchor="start", role="uncounted"))
        top += 22
    lines = [verdict(decision), all_the_same(decision)]
    for row, line in enumerate(line for line in lines if line):
        y, bold = top + 12 + 17 * row, not row
        words = Text(f"verdict-{row}", _LEFT, y, line, anchor="start", bold=bold, role="verdict")
        marks.append(words)
        top += 17 * row
    widest = max(style.text_width(line, bold=True) for line in [headline, silent, *lines])
    reach = max(
        _edge(group.index, grid) + style.text_width(counted(group)) / 2 for group in decision.groups
    )
    width = max(width, widest + 2 * _LEFT, reach + _LEFT)
    return Scene(width, top + 24, tuple(marks), "Commit decision", text)


def _strip(decision: Decision, holder: NodeFrame, grid: Grid) -> Iterator[Mark]:
    """The leader's log, with its commit index before and after."""
    for index in grid.columns:
        x = grid.x(index) + (_CELL - GAP) / 2
        yield Text(f"index-{index}", x, _STRIP - 8, str(index), 9, style.QUIET, mono=True)
    whose = f"{clean(decision.leader)}'s log" if decision.leader else "leader's log"
    yield Text("whose", _LEFT, _STRIP + 19, style.fit_text(whose, 90), anchor="start", role="label")
    yield from cell_marks(holder, grid, _STRIP, commit=decision.new)
    low, y = _STRIP + grid.high, _STRIP + grid.high + 14
    old, new = _edge(decision.old, grid), _edge(decision.new, grid)
    said = f"commit {commit_moves(decision)}"
    yield Text("commit-index", _LEFT, y + 4, said, anchor="start", role="label")
    bar = Path(
        "commit", ((new, _STRIP - 5), (new, y + 6)), Ink(None, style.INK, style.COMMIT_WIDTH)
    )
    if decision.new != decision.old:
        thin = Ink(None, style.INK, 1.6)
        yield Path("commit-before", ((old, low + 5), (old, y + 6)), thin, role="commit-before")
        way = Ink(None, style.INK, 1.6)
        yield Path(
            "commit-moves", ((old, y), (new - 3, y)), way, head="filled", role="commit-moves"
        )
    yield msgspec.structs.replace(bar, role="commit", data={"index": decision.new})


def _edge(index: Index, grid: Grid) -> float:
    """Where the bar after entry `index` stands; at the left or right end if it is not shown."""
    inside = min(max(index, grid.columns.start - 1), grid.columns.stop - 1)
    return grid.left + _CELL * (inside - grid.columns.start + 1) - GAP / 2


def _pitch(group: Reached) -> float:
    return _ROW if len(group.voters) <= _MOST_DETAILED else _LOW_ROW


def _height(group: Reached) -> float:
    return 24 + _pitch(group) * len(group.voters) + 34


def _group(
    group: Reached, grid: Grid, roles: Mapping[NodeId, Role | None], top: float
) -> Iterator[Mark]:
    """The bars of one set of voters, ascending, and the line at the majority's index."""
    prefix, pitch = f"{group.name}-" if group.name else "", _pitch(group)
    words = f"{group.name} voters" if group.name else "match index"
    yield Text(f"{prefix}group", _LEFT, top + 8, words, anchor="start", role="label")
    top += 16
    x, bottom = _edge(group.index, grid), top + pitch * len(group.voters) + 6
    high = _STRIP + grid.high + 2 if group.name != "old" else top
    yield Path(f"{prefix}majority", ((x, high), (x, bottom)), _MAJORITY, role="majority")
    for place, (voter, _) in enumerate(group.voters):
        y = top + pitch * (place + 0.5) + 4
        yield from _who(f"{prefix}who-{voter}", voter, y, pitch, roles)
        yield from _bar(f"{prefix}match-{voter}", place, y, group, grid)
    said = counted(group)
    at = max(x, _LEFT + style.text_width(said) / 2)
    yield Text(f"{prefix}counted", at, bottom + 14, said, role="counted")


def _who(
    name: str, voter: NodeId, y: float, pitch: float, roles: Mapping[NodeId, Role | None]
) -> Iterator[Mark]:
    small = pitch < _ROW
    if voter in roles:
        yield node_shape(name, _LEFT + 8, y, 4.5 if small else 8.0, roles[voter], kind="who")
        if roles[voter] is None:
            yield from cross(f"{name}-down", _LEFT + 8, y, 2.2 if small else 3.5, style.QUIET, 1.6)
    size = style.SMALL if small else style.SIZE
    word = style.fit_text(clean(voter), 76, size)
    x = _LEFT + (24 if voter in roles else 0)
    yield Text(f"{name}-name", x, y + size * 0.36, word, size, anchor="start", role="name")


def _bar(name: str, place: int, y: float, group: Reached, grid: Grid) -> Iterator[Mark]:
    """From the log's beginning to the match index, dark if it counts for the majority."""
    small, (voter, index) = _pitch(group) < _ROW, group.voters[place]
    high, size = (7.0, style.SMALL) if small else (12.0, style.SIZE)
    end, left = _edge(index, grid), grid.left - GAP / 2
    ink, role = (_COUNTED, "counts") if index >= group.index else (_NOT_COUNTED, "behind")
    data: dict[str, str | int | float] = {"voter": voter, "match": index}
    if end > left:
        yield Box(name, left, y - high / 2, end - left, high, ink, role=f"match {role}", data=data)
    yield Disc(f"{name}-dot", end, y, 3.0 if small else 4.0, Ink(style.INK), "match-dot")
    text = f"{index} ›" if index >= grid.columns.stop else str(index)
    text = f"‹ {text}" if index < grid.columns.start - 1 else text
    bold = place == (len(group.voters) - 1) // 2  # the majority's index
    at = y + size * 0.36
    yield Text(f"{name}-index", end + 9, at, text, size, anchor="start", bold=bold, halo=True)

"""Why two majorities always share a node: the groups of one size as a graph of who meets whom.

A vertex is a group of voters; an edge joins two groups that share somebody. Between
majorities no edge is ever missing, and that is what elections and commitment stand on.
Paper: 5.2 and 5.4.3. Thesis: 3.6.3.
"""

from collections.abc import Mapping, Sequence
from functools import partial
from itertools import combinations
from math import atan2, comb, hypot, pi
from typing import TYPE_CHECKING, TypeAlias

from raftlab.raft.quorum import majority
from raftlab.raft.vocabulary import Misuse, NodeId, how_many
from raftlab.view import style
from raftlab.view.checked import checked
from raftlab.view.geometry import Point, point_at_angle, point_on
from raftlab.view.marks import Box, Disc, Ink, Mark, Path, Text
from raftlab.view.scene import Scene
from raftlab.view.words import clean, table

if TYPE_CHECKING:
    import networkx as nx

Group: TypeAlias = tuple[NodeId, ...]

MAX_GROUPS = 10
"""As many groups as a picture holds: those of up to five voters."""

_RING = 160.0
_VERTEX = 23.0
_SEAT = 4.2
_GAP = 7.0
_LINE = 18.0
_WIDTH = 520.0
_SHARED_ROOM = 126.0  # what is shared stands in the middle of an edge, of three at most
_MEETS = Ink(stroke=style.QUIET, width=0.9)
_MEETS_TWICE = Ink(stroke=style.QUIET, width=2.6)
_APART = Ink(stroke=style.TROUBLE, width=2.2, dash=(6.0, 4.0))


@checked
def quorum_graph(voters: Sequence[NodeId], size: int | None = None) -> "nx.Graph[Group]":
    """The groups of `size` voters (by default the minimal majorities) and who meets whom.

    An edge carries `shared`, the nodes that both groups have. Vertices and edges are in
    the order of `voters`. Raises: Misuse, for no voters, one named twice, or a size
    that they cannot have.
    """
    import networkx as nx  # takes a tenth of a second, so only when a graph is wanted

    size = _checked_size(voters, size)
    graph: nx.Graph[Group] = nx.Graph()
    graph.add_nodes_from(combinations(voters, size))
    for one, other in combinations(list(graph), 2):
        shared = tuple(voter for voter in one if voter in other)
        if shared:
            graph.add_edge(one, other, shared=shared)
    return graph


@checked
def scene_quorums(voters: Sequence[NodeId], size: int | None = None) -> Scene:
    """The groups of `size` voters, joined where they meet; a pair that does not is dashed.

    Without `size`, the minimal majorities. A vertex shows the voters in a ring, the
    first at twelve o'clock, the members of the group filled. Raises: Misuse, for
    more than five voters (`describe_quorums` counts them) and as `quorum_graph`.
    """
    size = _checked_size(voters, size)
    if comb(len(voters), size) > MAX_GROUPS:
        raise Misuse(
            f"{len(voters)} voters have {comb(len(voters), size)} {_groups(voters, size)}: too many"
            " to draw; draw up to five voters, or let describe_quorums count the groups"
        )
    graph = quorum_graph(voters, size)
    said = _caption(voters, size)
    marks: list[Mark] = [Text("headline", 10, 18, said[0], anchor="start", role="headline")]
    marks += [
        Text(f"caption-{row}", 10, 18 + _LINE * row, line, 11, style.QUIET, "start", role="caption")
        for row, line in enumerate(said[1:], start=1)
    ]
    places, height = _places(list(graph), voters, top=18 + _LINE * len(said))
    marks += _edges(graph, places)
    for group in graph:
        marks += _vertex(group, voters, places[group])
    title = f"Do two {_groups(voters, size)} share a node?"
    return Scene(
        _WIDTH, height, tuple(marks), title, partial(describe_quorums, tuple(voters), size)
    )


@checked
def describe_quorums(voters: Sequence[NodeId], size: int | None = None) -> str:
    """Whether two groups of `size` voters always meet, and what each pair shares, as text.

    Without `size`, the minimal majorities. With more than ten groups, only the counts.
    Raises: Misuse, as `quorum_graph`.
    """
    size = _checked_size(voters, size)
    said = _caption(voters, size)
    if comb(len(voters), size) > MAX_GROUPS:
        return "\n\n".join(said[:2])
    pairs = list(combinations(combinations(voters, size), 2))
    rows = [(_words(one), _words(two), _words(_shared(one, two)) or "-") for one, two in pairs]
    return "\n\n".join([*said[:2], table(("group", "and", "share"), rows)] if rows else said)


def _checked_size(voters: Sequence[NodeId], size: int | None) -> int:
    if not voters:
        raise Misuse("there are no groups of no voters; name at least one voter")
    if len(set(voters)) != len(voters):
        raise Misuse(f"a voter is named twice in {', '.join(voters)}")
    if size is None:
        return majority(len(voters))
    if not 1 <= size <= len(voters):
        raise Misuse(f"{len(voters)} voters have no groups of {size}; choose 1 to {len(voters)}")
    return size


def _words(group: Group) -> str:
    return " ".join(clean(voter) for voter in group)


def _shared(one: Group, other: Group) -> Group:
    return tuple(voter for voter in one if voter in other)


def _groups(voters: Sequence[NodeId], size: int) -> str:
    return "majorities" if size == majority(len(voters)) else f"groups of {size}"


def _caption(voters: Sequence[NodeId], size: int) -> list[str]:
    """What the picture says: the verdict, the count of pairs, and how to read the lines."""
    n, groups = len(voters), comb(len(voters), size)
    pairs, apart = comb(groups, 2), comb(n, size) * comb(n - size, size) // 2
    which, counts = _groups(voters, size), f"{groups:,} groups, {how_many(pairs, 'pair')}"
    if groups == 1:
        return [f"{how_many(n, 'voter')}: the only group of {size} is everybody."]
    if apart:
        return [
            f"Two {which} of {n} voters need not share a node: {size} + {size} ≤ {n}.",
            f"{counts}; {apart:,} share no node.",
            "A dashed line joins two that do not.",
        ]
    said = [f"Two {which} of {n} voters always share a node: {size} + {size} > {n}."]
    said.append(f"{counts}; every pair shares a node.")
    thick = groups > 3 and size > 2
    return [*said, "A thick line: more than one node in common."] if thick else said


def _places(
    groups: Sequence[Group], voters: Sequence[NodeId], top: float
) -> tuple[dict[Group, Point], float]:
    """Where each group stands on a ring below `top`, towards its members; and the height."""
    turns = [_direction(group, voters) for group in groups]
    if len(set(turns)) < len(groups):  # opposite voters pull their group nowhere
        turns = [place / len(groups) for place in range(len(groups))]
    radius = _RING if len(groups) > 1 else 0.0
    raw = [point_at_angle(_WIDTH / 2, 0, radius, turn) for turn in turns]
    down = top + _VERTEX + _LINE - min(y for _, y in raw)
    places = {group: (x, y + down) for group, (x, y) in zip(groups, raw, strict=True)}
    return places, max(y for _, y in places.values()) + _VERTEX + 1.6 * _LINE


def _direction(group: Group, voters: Sequence[NodeId]) -> float:
    """Where the members of `group` are in the middle, in turns from the first voter."""
    corners = [point_at_angle(0, 0, 1, voters.index(member) / len(voters)) for member in group]
    x, y = sum(corner[0] for corner in corners), sum(corner[1] for corner in corners)
    return round(atan2(x, -y) / (2 * pi), 6) if hypot(x, y) > 1e-9 else 0.0


def _edges(graph: "nx.Graph[Group]", places: Mapping[Group, Point]) -> list[Mark]:
    meeting: list[Mark] = []
    apart: list[Mark] = []
    for one, other in combinations(list(graph), 2):
        ends, name = (places[one], places[other]), f"{'-'.join(one)}+{'-'.join(other)}"
        if not graph.has_edge(one, other):
            title = f"{_words(one)} and {_words(other)} share no node"
            apart.append(Path(f"apart-{name}", ends, _APART, role="apart", title=title))
            continue
        shared = graph.edges[one, other]["shared"]
        title = f"{_words(one)} and {_words(other)} share {_words(shared)}"
        ink = _MEETS if len(shared) == 1 else _MEETS_TWICE
        meeting.append(Path(f"meet-{name}", ends, ink, role="meet", title=title))
        if len(graph) <= 3:
            said = style.fit_text(f"share {_words(shared)}", _SHARED_ROOM)
            meeting += _share(name, point_on(*ends, 0, 0.5), said)
    return meeting + apart


def _share(name: str, at: Point, text: str) -> list[Mark]:
    wide = style.text_width(text) + 10
    ground = Box(f"ground-{name}", at[0] - wide / 2, at[1] - 9, wide, 18, Ink(style.PAPER))
    return [ground, Text(f"shared-{name}", at[0], at[1] + 4, text, role="shared")]


def _vertex(group: Group, voters: Sequence[NodeId], at: Point) -> list[Mark]:
    name = "-".join(group)
    disc = Disc(
        f"group-{name}", *at, _VERTEX, Ink(style.PAPER, style.QUIET, 1.2), "group",
        {"group": _words(group)}, _words(group),
    )  # fmt: skip
    marks: list[Mark] = [disc]
    for place, voter in enumerate(voters):
        fill = style.INK if voter in group else style.PAPER
        seat = point_at_angle(*at, _VERTEX - 9, place / len(voters)) if len(voters) > 1 else at
        marks.append(Disc(f"group-{name}-{voter}", *seat, _SEAT, Ink(fill, style.INK), "seat"))
    return [*marks, _name(group, at, _direction(group, voters))]


def _name(group: Group, at: Point, turn: float) -> Text:
    """The names of a group, on the outer side of its vertex."""
    side, rise = at[0] - _WIDTH / 2, 0.25 < turn % 1 < 0.75
    name, text = f"name-{'-'.join(group)}", _words(group)
    if abs(side) > 0.35 * _RING:
        x = at[0] + (_VERTEX + _GAP if side > 0 else -_VERTEX - _GAP)
        anchor = "start" if side > 0 else "end"
        room = _WIDTH - x - 4 if side > 0 else x - 4
        word = style.fit_text(text, room)
        return Text(name, x, at[1] + 4, word, anchor=anchor, role="name")
    y = at[1] + _VERTEX + _GAP + 8 if rise else at[1] - _VERTEX - _GAP
    return Text(name, at[0], y, style.fit_text(text, _WIDTH - 20), role="name")

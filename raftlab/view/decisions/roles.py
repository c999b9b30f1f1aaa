"""The three roles and what changes them: the paper's Figure 4, from the table the machine runs.

A row that is added to the table appears in the picture, in the graph and in the text; a
change that is not in the table cannot happen.
"""

from collections.abc import Iterator, Mapping
from itertools import pairwise
from math import cos, pi, sin
from typing import TYPE_CHECKING, TypeAlias

import msgspec

from raftlab.raft.roles import ROLE_AFTER, Cause, Role
from raftlab.raft.vocabulary import Misuse, shown
from raftlab.view import style
from raftlab.view.checked import checked
from raftlab.view.geometry import Point, point_on
from raftlab.view.marks import Ink, Mark, Path, Text
from raftlab.view.scene import Scene
from raftlab.view.shapes import DIAMOND, SQUARE, node_shape
from raftlab.view.words import table as text_table

if TYPE_CHECKING:
    import networkx as nx

Table: TypeAlias = Mapping[tuple[Role, Cause], Role]

_R = 38.0
_GAP = 5.0
_LINE = 15.0
_LOOP = 34.0
_NEAR_BEND = 0.13
_CORNER = 18.0
_LEAST_PITCH = 232.0
_MARGIN = 14.0
_START = 62.0
_CALM = Ink(None, style.INK, 1.5)
_LOUD = Ink(None, style.INK, 3.6)


@checked
def roles_graph(table: Table = ROLE_AFTER) -> "nx.DiGraph[Role]":
    """The roles as vertices; an edge carries `causes`, all that lead from one to the other."""
    import networkx as nx  # takes a tenth of a second, so only when a graph is wanted

    graph: nx.DiGraph[Role] = nx.DiGraph()
    graph.add_nodes_from(Role)
    for (role, cause), after in table.items():
        causes = graph.get_edge_data(role, after, {"causes": ()})["causes"]
        graph.add_edge(role, after, causes=(*causes, cause))
    return graph


@checked
def scene_roles(highlight: tuple[Role, Cause] | None = None, table: Table = ROLE_AFTER) -> Scene:
    """Figure 4: each role, each change, and its causes; the change in `highlight` stands out.

    Raises: Misuse, if `highlight` is not a row of the table.
    """
    description = describe_roles(highlight, table)
    graph = roles_graph(table)
    plan = _plan(graph)
    headline = description.partition("\n")[0]
    marks: list[Mark] = [Text("headline", 10, 18, headline, anchor="start", role="headline")]
    for role, after in graph.edges:
        causes = _causes(graph, role, after)
        loud = highlight is not None and highlight[0] is role and highlight[1] in causes
        marks.append(_arrow(role, after, plan, loud))
        marks += _labels(role, after, causes, plan, highlight)
    for role in graph:
        marks += _role(role, plan)
    marks += _starts_here(plan)
    width = max(plan.width, style.text_width(headline) + 20)
    return Scene(width, plan.height, tuple(marks), "The roles of a node", description)


@checked
def describe_roles(highlight: tuple[Role, Cause] | None = None, table: Table = ROLE_AFTER) -> str:
    """The table as text; the row in `highlight` is marked.

    Raises: Misuse, if `highlight` is not a row of the table.
    """
    first = f"A node starts as a follower; {len(table)} rows say when its role changes."
    if highlight is not None:
        first = _sentence(highlight, table)
    rows = [
        (role.value, cause.value, after.value, "<-" if (role, cause) == highlight else "")
        for (role, cause), after in table.items()
    ]
    return f"{first}\n\n{text_table(('role', 'what happens', 'next role', ''), rows)}"


def _sentence(highlight: tuple[Role, Cause], table: Table) -> str:
    role, cause = highlight
    if highlight not in table:
        raise Misuse(
            f"a {role.value} has no row for {shown(cause.value)}; choose one of: "
            + ", ".join(repr(each.value) for of, each in table if of is role)
        )
    after = table[highlight]
    verb = "stays a" if after is role else "becomes a"
    return f"{cause.value[0].upper()}{cause.value[1:]}: a {role.value} {verb} {after.value}."


# Where everything goes


class _Plan(msgspec.Struct, frozen=True):
    """Where the roles stand, how high loops reach over them, and how deep long arrows run."""

    places: Mapping[Role, Point]
    loop: float
    depths: Mapping[tuple[Role, Role], float]
    width: float
    height: float


def _plan(graph: "nx.DiGraph[Role]") -> _Plan:
    first, second, third = Role
    pitch = _pitch(graph)
    near = _NEAR_BEND * (pitch - 2 * _R) + 0.5 * _R  # how far a short arrow swings
    above = near + max(_stack(graph, first, second), _stack(graph, second, third))
    below = near + max(_stack(graph, second, first), _stack(graph, third, second))
    loop = max(_LOOP, above + 6 - _R)
    y = 40 + _R + loop + max(_stack(graph, role, role) for role in Role)
    depths, deep = {}, max(below, _R) + 4
    for change in ((third, first), (first, third)):
        if graph.has_edge(*change):
            depths[change] = y + deep + 14
            deep += 14 + _stack(graph, *change) + 4
    left = _MARGIN + max(_R + _START, _widest(graph, first, first) / 2)
    right = _MARGIN + max(_R, _widest(graph, third, third) / 2)
    places = {role: (left + pitch * place, y) for place, role in enumerate(Role)}
    return _Plan(places, loop, depths, left + 2 * pitch + right, y + deep + 12)


def _stack(graph: "nx.DiGraph[Role]", one: Role, other: Role) -> float:
    """How high the words beside an arrow are."""
    return _LINE * len(_causes(graph, one, other))


def _causes(graph: "nx.DiGraph[Role]", one: Role, other: Role) -> tuple[Cause, ...]:
    causes: tuple[Cause, ...] = graph.get_edge_data(one, other, {"causes": ()})["causes"]
    return causes


def _pitch(graph: "nx.DiGraph[Role]") -> float:
    """From one role to the next: so much that no two labels touch."""
    widths = [_LEAST_PITCH]
    for one, other in pairwise(Role):
        between = max(_widest(graph, one, other), _widest(graph, other, one))
        above = (_widest(graph, one, one) + _widest(graph, other, other)) / 2
        widths += [between + 1.3 * _R, above + 18]
    return max(widths)


def _widest(graph: "nx.DiGraph[Role]", one: Role, other: Role) -> float:
    causes = _causes(graph, one, other)
    return max((style.text_width(f"▸ {each.value}", bold=True) for each in causes), default=0.0)


# Arrows and their words


def _is_near(role: Role, after: Role) -> bool:
    """Whether two roles stand side by side."""
    order = list(Role)
    return abs(order.index(after) - order.index(role)) == 1


def _goes_right(role: Role, after: Role) -> bool:
    order = list(Role)
    return order.index(after) > order.index(role)


def _short(role: Role, after: Role, plan: _Plan) -> tuple[Point, Point]:
    """Start and end of the arrow to a neighbour: rightwards above, leftwards below."""
    ahead, up = (1, -1) if _goes_right(role, after) else (-1, 1)
    across, along = ahead * cos(pi / 6), up * sin(pi / 6)
    return _rim(role, plan, across, along), _rim(after, plan, -across, along)


def _long(role: Role, after: Role, plan: _Plan) -> tuple[Point, ...]:
    """Down, along under everything, and up again, with round corners."""
    lean = 0.25 if len(plan.depths) > 1 else 0.0  # so that two long arrows do not touch
    start, end = _rim(role, plan, -lean, 0.97), _rim(after, plan, lean, 0.97)
    low, r = plan.depths[role, after], _CORNER
    ahead = r if end[0] > start[0] else -r
    return (
        start,
        *_corner((start[0], low - r), (start[0], low), (start[0] + ahead, low)),
        *_corner((end[0] - ahead, low), (end[0], low), (end[0], low - r)),
        end,
    )


def _corner(start: Point, bend: Point, end: Point) -> Iterator[Point]:
    """A few points of the round way from `start` to `end` past `bend`."""
    for step in range(7):
        t = step / 6
        a, b, c = (1 - t) ** 2, 2 * t * (1 - t), t * t
        yield (
            a * start[0] + b * bend[0] + c * end[0],
            a * start[1] + b * bend[1] + c * end[1],
        )


def _rim(role: Role, plan: _Plan, dx: float, dy: float) -> Point:
    """The point just outside a role's shape in the direction (dx, dy)."""
    shape = style.node_style(role).shape
    reach = _R
    if shape == "square":
        reach = _R * SQUARE / max(abs(dx), abs(dy))
    elif shape == "diamond":
        reach = _R * DIAMOND / (abs(dx) + abs(dy))
    x, y = plan.places[role]
    return x + dx * (reach + _GAP), y + dy * (reach + _GAP)


def _arrow(role: Role, after: Role, plan: _Plan, loud: bool) -> Path:
    bend = 0.0
    if role is after:
        points = _loop(role, plan)
    elif _is_near(role, after):
        points, bend = _short(role, after, plan), _NEAR_BEND
    else:
        points = _long(role, after, plan)
    name, ink = f"change-{role.value}-{after.value}", _LOUD if loud else _CALM
    title = f"{role.value} to {after.value}"
    return Path(name, points, ink, head="filled", curve=bend, role="change", title=title)


def _loop(role: Role, plan: _Plan) -> tuple[Point, ...]:
    """From a role up and back to itself."""
    (x1, y1), (x2, y2) = (
        _rim(role, plan, side, -cos(pi / 7)) for side in (-sin(pi / 7), sin(pi / 7))
    )
    top = y1 - (plan.loop - 6) * 4 / 3
    steps = [step / 14 for step in range(15)]
    points = [
        (
            _bezier(t, x1, x1 - 14, x2 + 14, x2),
            _bezier(t, y1, top, top, y2),
        )
        for t in steps
    ]
    return (*points[:-2], points[-1])


def _bezier(t: float, a: float, b: float, c: float, d: float) -> float:
    s = 1 - t
    return s * s * s * a + 3 * s * s * t * b + 3 * s * t * t * c + t * t * t * d


def _labels(
    role: Role,
    after: Role,
    causes: tuple[Cause, ...],
    plan: _Plan,
    highlight: tuple[Role, Cause] | None,
) -> Iterator[Mark]:
    """The causes of one change, stacked outside its arrow."""
    up = _goes_right(role, after) and _is_near(role, after)
    if role is after:
        x, y = plan.places[role][0], plan.places[role][1] - _R - plan.loop - 5
        up = True
    elif _is_near(role, after):
        x, y = point_on(*_short(role, after, plan), _NEAR_BEND, 0.5)
        y += -7 if up else 15
    else:
        x, y = plan.places[Role.CANDIDATE][0], plan.depths[role, after] + 15
    for row, cause in enumerate(reversed(causes) if up else causes):
        loud = highlight == (role, cause)
        text = f"▸ {cause.value}" if loud else cause.value
        name = f"cause-{role.value}-{cause.name.lower()}"
        at = y - _LINE * row if up else y + _LINE * row
        yield Text(name, x, at, text, bold=loud, role="cause")


def _role(role: Role, plan: _Plan) -> Iterator[Mark]:
    x, y = plan.places[role]
    look = style.node_style(role)
    yield node_shape(f"role-{role.value}", x, y, _R, role, kind="role", title=role.value)
    name = f"role-{role.value}-name"
    yield Text(name, x, y + 4, role.value, color=look.label, bold=True, role="name")


def _starts_here(plan: _Plan) -> Iterator[Mark]:
    end = _rim(Role.FOLLOWER, plan, -1, 0)
    start = (end[0] - _START + _GAP, end[1])
    yield Path("start", (start, end), _CALM, head="filled", role="start")
    x = (start[0] + end[0]) / 2
    yield Text("start-words", x - 4, start[1] - 20, "starts", role="start")
    yield Text("start-words-2", x - 4, start[1] - 7, "here", role="start")

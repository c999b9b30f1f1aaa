"""Every state of a small scope, in layers by depth, and the events that lead on.

A state is a row of small shapes, one for each node in order, as everywhere: a circle
follows, a diamond campaigns, a square leads, and its term is printed in it. Below stands
how far each has committed.
"""

from collections import Counter
from collections.abc import Iterator
from typing import TYPE_CHECKING

from raftlab.raft.roles import Role
from raftlab.raft.vocabulary import how_many
from raftlab.view import style
from raftlab.view.checked import checked
from raftlab.view.marks import Box, Ink, Mark, Path, Text
from raftlab.view.scene import Scene
from raftlab.view.shapes import node_shape
from raftlab.view.words import table

if TYPE_CHECKING:
    import networkx as nx

MOST = 60
"""How many states are drawn if nobody says otherwise; those that lie deeper are counted."""

_R, _STEP, _PAD = 9.0, 26.0, 7.0
_HIGH, _GAP, _ROW = 42.0, 14.0, 84.0
_LEFT, _TOP = 74.0, 44.0
_FRAME = Ink(style.PAPER, style.INK, 1.0)
_BROKEN = Ink(style.PAPER, style.INK, 3.2, (6.0, 2.5))
_EVENT = Ink(None, "#777777", 0.9)

ROLE_LETTERS = "F follower, C candidate, L leader, X down; then its term / its commit index"


@checked
def scene_state_space(graph: "nx.DiGraph[int]", most: int = MOST) -> Scene:
    """The graph of `Exploration.graph`, from the first state downwards.

    `most` states are drawn, those of the least depth; the text twin says how many there are.
    """
    description = describe_state_space(graph, most)
    headline = description.partition("\n")[0]
    shown = [number for number in graph if number < most]
    layers = layers_of(graph, shown)
    wide = max(_width_of(graph, len(layer)) for layer in layers.values())
    width = max(_LEFT + wide + 16, style.text_width(headline) + 24)
    places = _places(graph, layers, (width + _LEFT) / 2)
    marks: list[Mark] = [Text("headline", 10, 18, headline, anchor="start", role="headline")]
    marks += _events(graph, shown, places)
    for depth in layers:
        y = _TOP + _ROW * depth + _HIGH / 2 + 4
        words = how_many(depth, "event")
        marks.append(Text(f"depth-{depth}", 10, y, words, anchor="start", role="depth"))
    for number in shown:
        marks += _state(graph, number, places[number])
    height = _TOP + _ROW * max(layers) + _HIGH + 14
    return Scene(width, height, tuple(marks), "The states of a search", description)


@checked
def describe_state_space(graph: "nx.DiGraph[int]", most: int = MOST) -> str:
    """How many states and events there are, and a row for each of the first `most` states."""
    depths = Counter(graph.nodes[number]["depth"] for number in graph)
    first = f"{how_many(len(graph), 'state')}, {how_many(graph.size(), 'step')} between them;"
    first += f" the farthest is {how_many(max(depths), 'event')} away."
    if len(graph) > most:
        first += f" The first {most} are shown."
    names = graph.graph["nodes"]
    rows = []
    for number in graph:
        if number < most:
            data = graph.nodes[number]
            next_ones = " ".join(str(each) for each in sorted(graph.successors(number)))
            broken = data["broken"] or ""
            cells = data["label"].split()
            row = (str(number), str(data["depth"]), *cells, str(data["messages"]), next_ones)
            rows.append((*row, broken))
    head = ("state", "events", *names, "on their way", "next", "broken")
    return f"{first}\n{ROLE_LETTERS}.\n\n{table(head, rows)}"


def layers_of(graph: "nx.DiGraph[int]", shown: list[int]) -> dict[int, list[int]]:
    """Depth -> its states, each near those that lead to it."""
    layers: dict[int, list[int]] = {}
    for number in shown:
        layers.setdefault(graph.nodes[number]["depth"], []).append(number)
    order = dict.fromkeys(shown, 0.0)
    for layer in layers.values():
        for number in layer:
            before = [order[each] for each in graph.predecessors(number) if each < number]
            order[number] = sum(before) / len(before) if before else 0.0
        layer.sort(key=lambda number: (order[number], number))
        for place, number in enumerate(layer):
            order[number] = (place + 0.5) / len(layer)
    return layers


def _one_width(graph: "nx.DiGraph[int]") -> float:
    return _STEP * len(graph.graph["nodes"]) + 2 * _PAD


def _width_of(graph: "nx.DiGraph[int]", count: int) -> float:
    return count * (_one_width(graph) + _GAP) - _GAP


def _places(
    graph: "nx.DiGraph[int]", layers: dict[int, list[int]], middle: float
) -> dict[int, tuple[float, float]]:
    """State -> its upper left corner."""
    pitch = _one_width(graph) + _GAP
    places = {}
    for depth, layer in layers.items():
        left = middle - _width_of(graph, len(layer)) / 2
        for place, number in enumerate(layer):
            places[number] = (left + pitch * place, _TOP + _ROW * depth)
    return places


def _events(
    graph: "nx.DiGraph[int]", shown: list[int], places: dict[int, tuple[float, float]]
) -> Iterator[Mark]:
    half = _one_width(graph) / 2
    drawn = set(shown)
    for one, other in graph.edges:
        if one not in drawn or other not in drawn:
            continue
        (x1, y1), (x2, y2) = places[one], places[other]
        down = y2 > y1
        start = (x1 + half, y1 + (_HIGH if down else 0.0))
        end = (x2 + half, y2 - 2 if down else y2 + _HIGH + 2)
        if y1 == y2:  # on one level: from side to side
            right = x2 > x1
            start = (x1 + (2 * half if right else 0.0), y1 + _HIGH / 2)
            end = (x2 + (-2.0 if right else 2 * half + 2), y2 + _HIGH / 2)
        words = "; ".join(graph.edges[one, other]["events"])
        name = f"event-{one}-{other}"
        yield Path(name, (start, end), _EVENT, head="filled", role="event", title=words)


def _state(graph: "nx.DiGraph[int]", number: int, corner: tuple[float, float]) -> Iterator[Mark]:
    data, (x, y) = graph.nodes[number], corner
    ink = _BROKEN if data["broken"] else _FRAME
    title = f"state {number}: {data['label']}"
    if data["broken"]:
        title += f"; {data['broken']} is broken"
    told = {"state": number}
    name = f"state-{number}"
    yield Box(name, x, y, _one_width(graph), _HIGH, ink, 4.0, "state", told, title)
    for place, (role, term, commit_index) in enumerate(data["servers"]):
        at = x + _PAD + _STEP * (place + 0.5)
        yield _server(f"{name}-{place}", at, y + 14, role)
        label = style.node_style(role).label
        yield Text(f"{name}-{place}-term", at, y + 18, str(term), color=label, role="term")
        yield Text(f"{name}-{place}-commit", at, y + 37, f"/{commit_index}", role="commit")


def _server(name: str, x: float, y: float, role: Role | None) -> Mark:
    return node_shape(name, x, y, _R, role, kind="server", title=role.value if role else "down")

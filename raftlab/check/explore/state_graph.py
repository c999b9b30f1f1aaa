"""The states of a small scope as a networkx graph, with every event between them."""

from collections.abc import Callable, Hashable
from typing import TYPE_CHECKING, Any

from raftlab.check.explore.states import State, States
from raftlab.check.explore.to_recording import event_text
from raftlab.raft.roles import Role
from raftlab.raft.vocabulary import Misuse

if TYPE_CHECKING:
    import networkx as nx


def graph_of(world: States, key: Callable[[State], Hashable], limit: int) -> "nx.DiGraph[int]":
    """All states from the first one on, numbered in the order in which they are met.

    Raises: Misuse, if there are more than `limit`.
    """
    import networkx as nx  # takes a tenth of a second, so only when a graph is wanted

    graph: nx.DiGraph[int] = nx.DiGraph(nodes=world.names)
    numbers = {key(world.first): 0}
    graph.add_node(0, **look_of(world, world.first, 0))
    level, depth = [(0, world.first)], 0
    while level and (world.scope.depth is None or depth < world.scope.depth):
        depth, following = depth + 1, []
        for number, state in level:
            other = number
            for after, event in world.following(state):
                name = key(after)
                other = numbers.setdefault(name, len(numbers))
                if other not in graph:
                    if len(graph) >= limit:
                        raise Misuse(f"there are more than {limit} states: take a smaller scope")
                    graph.add_node(other, **look_of(world, after, depth))
                    following.append((other, after))
                add_event(graph, number, other, event_text(world, event))
            if world.broken is not None:
                graph.nodes[other]["broken"], world.broken = world.broken[0], None
        level = following
    return graph


def add_event(graph: "nx.DiGraph[int]", one: int, other: int, words: str) -> None:
    """One more way from one state to another."""
    known: tuple[str, ...] = graph.get_edge_data(one, other, {"events": ()})["events"]
    if words not in known:
        graph.add_edge(one, other, events=(*known, words))


def look_of(world: States, state: State, depth: int) -> dict[str, Any]:
    """What is known of a state: how deep it lies, its nodes, and a short label."""
    servers = tuple(server_of(world, number) for number in state[0])
    label = " ".join(short(*each) for each in servers)
    return {
        "depth": depth,
        "label": label,
        "servers": servers,
        "messages": len(state[1]),
        "broken": None,
    }


def server_of(world: States, number: int) -> tuple[Role | None, int, int]:
    """The role, the term and the commit index of a node in a state; no role, if it is down."""
    known = world.locals[number]
    if not known.host.alive:
        return (None, known.term, 0)
    machine = known.host.machine
    return (machine.role, machine.term, machine.commit_index)


def short(role: Role | None, term: int, commit_index: int) -> str:
    """A node in three signs: "L2/1" leads term 2 and has committed up to entry 1."""
    letter = role.value[0].upper() if role else "X"
    return f"{letter}{term}/{commit_index}"

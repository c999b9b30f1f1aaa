"""The states of a small scope, as a picture and as text."""

import pytest

from raftlab import Misuse
from raftlab.check.explore import Scope, explore
from raftlab.museum import exhibit
from raftlab.view.state_space import describe_state_space, scene_state_space
from tests.view.sound import check_scene, mark, of_role, words

TINY = Scope(terms=1, entries=1, in_flight=3)
ELECTION = Scope(terms=1, entries=1, in_flight=4)


def tiny(nodes: int = 2):
    return explore(nodes, TINY).graph()


def test_the_graph_has_every_state_and_every_event():
    found = explore(3, TINY, symmetry=False)
    graph = found.graph()
    assert len(graph) == found.states
    assert max(graph.nodes[each]["depth"] for each in graph) <= found.depth
    assert graph.nodes[0]["label"] == "F0/0 F0/0 F0/0"
    assert "S1 times out" in {
        words for *_, data in graph.edges(data=True) for words in data["events"]
    }
    with pytest.raises(Misuse, match="more than 10 states"):
        found.graph(limit=10)


def test_making_the_graph_does_not_change_what_was_counted():
    found = explore(2, TINY)
    before = found.not_looked_at, found.states
    found.graph()
    assert (found.not_looked_at, found.states) == before


def test_a_state_where_a_property_falls_is_marked():
    found = explore(exhibit("refusals-elect").cluster(), ELECTION, symmetry=True)
    graph = found.graph()
    broken = {data["broken"] for _, data in graph.nodes(data=True)}
    assert broken == {None, "Election Safety"}
    assert "Election Safety" in describe_state_space(graph, len(graph))


def test_every_state_is_drawn_with_its_servers_terms_and_commit_indexes():
    graph = tiny()
    scene = scene_state_space(graph)
    check_scene(scene)
    assert len(of_role(scene, "state")) == len(graph) == 12
    assert len(of_role(scene, "server")) == 24
    assert len(of_role(scene, "event")) == graph.size() == 12
    assert mark(scene, "state-9-0-commit").text == "/1"
    assert mark(scene, "event-0-1").title == "S1 times out; S2 times out"
    assert scene.svg == scene_state_space(tiny()).svg


def test_no_state_lies_on_another():
    scene = scene_state_space(tiny(3), most=40)
    boxes = of_role(scene, "state")
    assert len({(each.x, each.y) for each in boxes}) == len(boxes) > 20
    for one in boxes:
        beside = [each for each in boxes if each.y == one.y and each.x > one.x]
        assert all(each.x > one.x + one.w for each in beside)


def test_the_text_has_the_same_states_and_says_what_is_left_out():
    graph = tiny(3)
    text = describe_state_space(graph, 5)
    assert text.startswith(f"{len(graph)} states, {graph.size():,} steps between them;")
    assert "The first 5 are shown." in text and len(text.splitlines()) == 9
    assert text.splitlines()[0] in words(scene_state_space(graph, 5))


def test_it_goes_through_matplotlib_too():
    axes = scene_state_space(tiny()).plot()
    assert len(axes.get_children()) > 30

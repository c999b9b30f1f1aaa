from itertools import combinations
from math import comb

import pytest

from raftlab.raft.quorum import majority
from raftlab.view.decisions.quorums import describe_quorums, quorum_graph, scene_quorums
from tests.view.builders import FIVE, nodes_named
from tests.view.sound import check_scene, check_text, of_role, words


@pytest.mark.parametrize("size", range(1, 8))
def test_two_majorities_always_meet(size):
    graph = quorum_graph(nodes_named(size))
    assert len(graph) == comb(size, majority(size))
    assert graph.number_of_edges() == comb(len(graph), 2)
    for one, other, shared in graph.edges(data="shared"):
        assert set(shared) == set(one) & set(other) != set()


def test_two_groups_of_two_of_five_need_not_meet():
    graph = quorum_graph(FIVE, 2)
    apart = [pair for pair in combinations(graph, 2) if not graph.has_edge(*pair)]
    assert len(apart) == 15
    assert all(not set(one) & set(other) for one, other in apart)


@pytest.mark.parametrize("size", [1, 2, 3, 4, 5])
def test_every_majority_is_a_vertex_and_every_pair_a_line(size):
    scene = scene_quorums(nodes_named(size))
    groups = comb(size, majority(size))
    assert len(of_role(scene, "group")) == groups
    assert len(of_role(scene, "meet")) == comb(groups, 2)
    assert of_role(scene, "apart") == []
    check_scene(scene)


def test_pairs_that_do_not_meet_differ_by_more_than_colour():
    scene = scene_quorums(FIVE, 2)
    meet, apart = of_role(scene, "meet"), of_role(scene, "apart")
    assert (len(meet), len(apart)) == (30, 15)
    assert all(line.ink.dash and line.ink.width > 2 for line in apart)
    assert not any(line.ink.dash for line in meet)
    assert {line.ink.stroke for line in apart} != {line.ink.stroke for line in meet}
    assert "A dashed line joins two that do not." in words(scene)


@pytest.mark.parametrize(("size", "group"), [(5, 1), (5, 2), (5, 4), (4, 2), (3, 1), (5, 5)])
def test_groups_of_any_size_find_room(size, group):
    check_scene(scene_quorums(nodes_named(size), group))


def test_members_of_a_group_are_filled_in_its_vertex():
    scene = scene_quorums(FIVE)
    seats = [each for each in of_role(scene, "seat") if each.id.startswith("group-S1-S2-S4-")]
    filled = {seat.id.rpartition("-")[2] for seat in seats if seat.ink.fill != "#FFFFFF"}
    assert filled == {"S1", "S2", "S4"}


def test_the_text_names_what_each_pair_shares():
    text = describe_quorums(("S1", "S2", "S3"))
    assert text.split("\n") == [
        "Two majorities of 3 voters always share a node: 2 + 2 > 3.",
        "",
        "3 groups, 3 pairs; every pair shares a node.",
        "",
        "group  and    share",
        "S1 S2  S1 S3  S1",
        "S1 S2  S2 S3  S2",
        "S1 S3  S2 S3  S3",
    ]
    assert "S1 S2  S3 S4  -" in describe_quorums(FIVE, 2)
    assert describe_quorums(FIVE, 2).startswith(
        "Two groups of 2 of 5 voters need not share a node: 2 + 2 ≤ 5."
    )


def test_many_voters_are_counted_and_not_drawn():
    text = describe_quorums(nodes_named(51))
    assert text.startswith("Two majorities of 51 voters always share a node: 26 + 26 > 51.")
    check_text(text)
    with pytest.raises(ValueError, match="7 voters have 35 majorities: too many to draw"):
        scene_quorums(nodes_named(7))


@pytest.mark.parametrize(
    ("voters", "size", "said"),
    [
        ((), None, "no voters"),
        (("S1", "S1"), None, "named twice"),
        (FIVE, 0, "no groups of 0; choose 1 to 5"),
        (FIVE, 6, "no groups of 6; choose 1 to 5"),
    ],
)
def test_what_makes_no_groups_is_refused_with_a_reason(voters, size, said):
    for function in (quorum_graph, scene_quorums, describe_quorums):
        with pytest.raises(ValueError, match=said):
            function(voters, size)


def test_the_same_voters_give_the_same_picture():
    assert scene_quorums(FIVE).svg == scene_quorums(FIVE).svg


def test_matplotlib_paints_it_into_the_axes_it_is_given():
    from matplotlib.figure import Figure

    ax = Figure().add_subplot()
    assert scene_quorums(FIVE, size=2).plot(ax) is ax
    assert ax.get_xlim() == (0, scene_quorums(FIVE, 2).width)
    assert len(ax.get_children()) > 10

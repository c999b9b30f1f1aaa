import pytest

from raftlab.raft.roles import ROLE_AFTER, Cause, Role
from raftlab.view.decisions.roles import describe_roles, roles_graph, scene_roles
from tests.view.sound import check_scene, mark, of_role

MORE = {
    **ROLE_AFTER,
    (Role.FOLLOWER, Cause.MAJORITY_GRANTED): Role.LEADER,
    (Role.FOLLOWER, Cause.QUORUM_LOST): Role.CANDIDATE,
    (Role.LEADER, Cause.ELECTION_TIMEOUT): Role.CANDIDATE,
    (Role.LEADER, Cause.LEADER_SEEN): Role.LEADER,
}
TWO = dict(list(ROLE_AFTER.items())[:1])


def causes_drawn(scene) -> dict[str, str]:
    """The words of each row, by the id of its mark."""
    return {each.id: each.text for each in of_role(scene, "cause")}


@pytest.mark.parametrize("table", [ROLE_AFTER, MORE, TWO], ids=["figure 4", "more rows", "one row"])
def test_every_row_of_the_table_is_in_picture_graph_and_text(table):
    scene, graph = scene_roles(table=table), roles_graph(table)
    drawn = causes_drawn(scene)
    assert len(drawn) == len(table)
    for (role, cause), after in table.items():
        assert drawn[f"cause-{role.value}-{cause.name.lower()}"] == cause.value
        assert mark(scene, f"change-{role.value}-{after.value}").head == "filled"
        assert cause in graph.edges[role, after]["causes"]
        cells = [line.split("  ") for line in scene.description.split("\n")[3:]]
        rows = [[cell.strip() for cell in line if cell] for line in cells]
        assert [role.value, cause.value, after.value] in rows
    assert len(of_role(scene, "change")) == graph.number_of_edges()
    check_scene(scene)


def test_the_graph_has_the_three_roles_even_where_nothing_leads_to_one():
    assert list(roles_graph(TWO)) == list(Role)


def test_several_causes_of_one_change_are_stacked():
    scene = scene_roles()
    stack = [each for each in of_role(scene, "cause") if each.id.startswith("cause-candidate")]
    down = [each for each in stack if ROLE_AFTER[Role.CANDIDATE, _cause(each.id)] is Role.FOLLOWER]
    assert len({each.x for each in down}) == 1
    assert len({each.y for each in down}) == len(down) == 3


def _cause(name: str) -> Cause:
    return Cause[name.rpartition("-")[2].upper()]


def test_a_node_starts_as_a_follower():
    scene = scene_roles()
    start, end = mark(scene, "start").points
    follower = mark(scene, "role-follower")
    assert start[0] < end[0] < follower.x
    assert end[1] == follower.y


def test_the_three_roles_have_three_shapes():
    shapes = {type(mark(scene_roles(), f"role-{role.value}")) for role in Role}
    assert len(shapes) == 3


@pytest.mark.parametrize("row", list(ROLE_AFTER), ids=lambda row: f"{row[0].name}-{row[1].name}")
def test_a_highlighted_row_stands_out_by_weight_and_by_a_sign(row):
    scene, calm = scene_roles(row), scene_roles()
    role, cause = row
    name = f"cause-{role.value}-{cause.name.lower()}"
    assert mark(scene, name).bold and mark(scene, name).text == f"▸ {cause.value}"
    assert [each.id for each in of_role(scene, "cause") if each.bold] == [name]
    change = f"change-{role.value}-{ROLE_AFTER[row].value}"
    assert mark(scene, change).ink.width > mark(calm, change).ink.width
    assert scene.description.count("<-") == 1
    check_scene(scene)


def test_the_first_line_says_what_the_highlighted_row_does():
    first = describe_roles((Role.CANDIDATE, Cause.MAJORITY_GRANTED)).partition("\n")[0]
    assert first == "Votes from a majority: a candidate becomes a leader."
    stays = describe_roles((Role.FOLLOWER, Cause.HIGHER_TERM)).partition("\n")[0]
    assert stays == "Sees a higher term: a follower stays a follower."


def test_a_row_that_is_not_there_cannot_be_highlighted():
    with pytest.raises(ValueError, match="a leader has no row for 'election timeout'; choose one"):
        scene_roles((Role.LEADER, Cause.ELECTION_TIMEOUT))


def test_the_same_table_gives_the_same_picture():
    assert scene_roles().svg == scene_roles().svg
    assert scene_roles().svg != scene_roles(table=MORE).svg


def test_matplotlib_paints_it_into_the_axes_it_is_given():
    from matplotlib.figure import Figure

    ax = Figure().add_subplot()
    assert scene_roles().plot(ax) is ax
    assert ax.get_xlim() == (0, scene_roles().width)
    assert len(ax.get_children()) > 10

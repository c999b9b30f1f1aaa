import random
from itertools import pairwise, permutations
from math import hypot

import msgspec
import networkx
import pytest

from raftlab.raft.options import Options
from raftlab.sim.cluster import Cluster
from raftlab.sim.world.violation import ViolationFrame
from raftlab.view.cluster.cluster import cluster_graph, scene_cluster
from raftlab.view.cluster.ring import ring_of
from raftlab.view.decisions.quorums import quorum_graph
from raftlab.view.geometry import point_on
from raftlab.view.marks import Arc, Box, Disc, Path, Text
from raftlab.view.scene import Scene
from tests.view.boxes import collisions, outside, texts
from tests.view.builders import (
    accepted,
    append,
    flying,
    heartbeat,
    make_frame,
    node,
    nodes_named,
    rejected,
    request_vote,
    vote,
)
from tests.view.samples import SAMPLES, campaigning, led_by_s1


def mark(scene: Scene, name: str):
    """The one mark of that id."""
    (found,) = (each for each in scene.marks if each.id == name)
    return found


def has(scene: Scene, name: str) -> bool:
    return any(each.id == name for each in scene.marks)


# Where nodes stand


@pytest.mark.parametrize("size", [1, 2, 3, 5, 7, 11, 12, 51])
def test_s1_stands_at_twelve_and_the_others_follow_clockwise(size):
    ring = ring_of(nodes_named(size))
    x, y = ring.places["S1"]
    assert x == pytest.approx(ring.x)
    assert y == pytest.approx(ring.y - ring.radius)
    if size > 2:
        assert ring.places["S2"][0] > ring.x
        assert ring.places[f"S{size}"][0] < ring.x


def test_places_depend_on_the_nodes_and_on_nothing_that_happens():
    quiet, busy = scene_cluster(SAMPLES["quiet"]), scene_cluster(SAMPLES["campaign"])
    assert mark(quiet, "name-S4").x == mark(busy, "name-S4").x
    assert (quiet.width, quiet.height) == (busy.width, busy.height)


@pytest.mark.parametrize("size", [2, 3, 5, 7, 11, 12, 25, 51])
def test_nodes_do_not_touch(size):
    ring = ring_of(nodes_named(size))
    (x1, y1), (x2, y2) = ring.places["S1"], ring.places["S2"]
    assert hypot(x2 - x1, y2 - y1) >= 2 * ring.r + 4


@pytest.mark.parametrize("name", SAMPLES)
def test_every_mark_has_an_id_of_its_own(name):
    ids = [each.id for each in scene_cluster(SAMPLES[name]).marks]
    assert len(ids) == len(set(ids))


@pytest.mark.parametrize("name", SAMPLES)
def test_nothing_leaves_the_picture(name):
    assert outside(scene_cluster(SAMPLES[name])) == []


@pytest.mark.parametrize("name", SAMPLES)
def test_no_letter_is_smaller_than_nine_and_nothing_is_left_empty(name):
    words = texts(scene_cluster(SAMPLES[name]))
    assert all(each.size >= 9 and each.text for each in words)


LABELS = ("headline", "violation", "name", "term", "role", "vote", "votes", "paused", "head")


@pytest.mark.parametrize(
    "name",
    [
        "leader",
        "campaign",
        "violation",
        "partition",
        "cuts",
        *(f"crowd of {n}" for n in (3, 4, 7, 11, 51)),
    ],
)
def test_labels_do_not_run_over_each_other(name):
    assert collisions(texts(scene_cluster(SAMPLES[name]), *LABELS)) == []


def test_numbers_of_messages_stay_clear_of_each_other_and_of_labels():
    for name in ("leader", "crowd of 7"):
        words = texts(scene_cluster(SAMPLES[name]), *LABELS, "number")
        assert collisions(words) == []


def test_a_long_name_or_a_high_term_stays_inside_its_node():
    frame = make_frame(1, S1=node("a-server-with-a-long-name", term=123456, deadline=150.0))
    scene = scene_cluster(frame)
    assert mark(scene, "name-a-server-with-a-long-name").text.endswith("…")
    assert mark(scene, "term-a-server-with-a-long-name").text == "t123456"
    assert outside(scene) == []


# What nodes look like


def test_role_is_shape_and_colour():
    scene = scene_cluster(make_frame(3, S1=node("S1", role="leader"), S2=node("S2", alive=False)))
    leader, down, follower = (mark(scene, f"node-{name}") for name in ("S1", "S2", "S3"))
    assert isinstance(leader, Box)
    assert leader.ink.fill == "#004488"
    assert isinstance(down, Disc)
    assert down.ink.dash
    assert has(scene, "down-S2-a")
    assert isinstance(follower, Disc)
    assert follower.ink.fill == "#BBBBBB"
    candidate = mark(scene_cluster(SAMPLES["campaign"]), "node-S1")
    assert isinstance(candidate, Path)
    assert candidate.ink.fill == "#D55E00"
    assert len(candidate.points) == 4


@pytest.mark.parametrize("size", [5, 11, 51])
def test_the_term_is_always_printed(size):
    scene = scene_cluster(SAMPLES["leader" if size == 5 else f"crowd of {size}"])
    for name in nodes_named(size):
        assert any(digit in mark(scene, f"term-{name}").text for digit in "123")


def test_a_node_that_is_down_shows_the_term_that_its_disk_holds():
    assert mark(scene_cluster(SAMPLES["leader"]), "term-S4").text == "disk: term 2"


def test_a_paused_node_carries_a_pause_mark_and_says_so():
    scene = scene_cluster(SAMPLES["leader"])
    assert has(scene, "pause-S5")
    assert mark(scene, "paused-S5").text == "paused"
    assert not has(scene, "pause-S2")


def test_whom_a_node_voted_for_stands_beside_it():
    scene = scene_cluster(SAMPLES["leader"])
    assert mark(scene, "vote-S2").text == "voted S1"
    assert not has(scene, "vote-S3")


def test_a_candidate_shows_every_answer_of_its_campaign():
    scene = scene_cluster(SAMPLES["campaign"])
    answers = [mark(scene, f"vote-S1-S{voter}").data["answer"] for voter in range(1, 6)]
    assert answers == ["granted", "granted", "silent", "refused", "silent"]
    assert mark(scene, "votes-S1").text == "2 of 5"
    assert mark(scene, "role-S5").text == "pre-candidate"


def test_the_timer_empties_as_time_passes():
    frames = [make_frame(1, at=at, S1=node("S1", deadline=300.0)) for at in (100.0, 200.0, 300.0)]
    arcs = [mark(scene_cluster(frame), "timer-S1") for frame in frames]
    assert all(isinstance(arc, Arc) for arc in arcs)
    assert [arc.end - arc.start for arc in arcs] == [1.0, 0.5, 0.0]


def test_the_leader_shows_its_heartbeat_on_the_scale_of_the_longest_timeout():
    frame = make_frame(2, S1=node("S1", role="leader", heartbeat=150.0), S2=node("S2"))
    arc = mark(scene_cluster(frame), "timer-S1")
    assert arc.end - arc.start == pytest.approx(50 / 200)
    assert arc.ink.stroke == "#004488"


# Messages


def tip(scene: Scene, number: int):
    return mark(scene, f"msg-{number}").points[1]


def test_a_message_moves_from_its_sender_to_its_receiver():
    beat = heartbeat("S1", "S3")
    scenes = [
        scene_cluster(make_frame(5, at=at, in_flight=[flying(7, beat, 90.0, 110.0)]))
        for at in (90.0, 100.0, 110.0)
    ]
    ring = ring_of(nodes_named(5))
    x, y = ring.places["S3"]
    left = [hypot(tip(scene, 7)[0] - x, tip(scene, 7)[1] - y) for scene in scenes]
    assert left == sorted(left, reverse=True)
    assert left[-1] == pytest.approx(ring.gap, abs=3)
    assert mark(scenes[1], "msg-7").data["number"] == 7


def test_a_message_under_way_lies_on_the_line_of_one_that_has_arrived():
    def arrow(at):
        flight = flying(7, heartbeat("S1", "S3"), 90.0, 110.0)
        return mark(scene_cluster(make_frame(5, at=at, in_flight=[flight])), "msg-7")

    whole, part = arrow(110.0), arrow(100.0)
    x, y = part.points[1]
    nearest = min(
        hypot(px - x, py - y)
        for px, py in (point_on(*whole.points, whole.curve, step / 400) for step in range(401))  # type: ignore[call-arg]
    )
    assert nearest < 1


def test_the_two_directions_of_a_link_lie_apart():
    pair = [flying(1, heartbeat("S1", "S3")), flying(2, accepted("S3", "S1"))]
    scene = scene_cluster(make_frame(5, in_flight=pair))
    (x1, y1), (x2, y2) = tip(scene, 1), tip(scene, 2)
    assert hypot(x1 - x2, y1 - y2) > 10


def test_messages_on_one_link_are_fanned_apart():
    flights = [flying(number, heartbeat("S1", "S2")) for number in range(5)]
    scene = scene_cluster(make_frame(3, in_flight=flights))
    tips = [tip(scene, number) for number in range(5)]
    gaps = [hypot(x1 - x2, y1 - y2) for (x1, y1), (x2, y2) in pairwise(tips)]
    assert min(gaps) > 4


@pytest.mark.parametrize("size", [5, 7, 8, 9, 11])
def test_no_line_runs_through_a_node_that_stands_between(size):
    names = nodes_named(size)
    ring = ring_of(names)
    pairs = [(one, other) for one in names for other in names if one != other]
    flights = [flying(place, heartbeat(*pair), 90.0, 100.0) for place, pair in enumerate(pairs)]
    scene = scene_cluster(make_frame(size, in_flight=flights))
    for place, pair in enumerate(pairs):
        line = mark(scene, f"msg-{place}")
        for x, y in (point_on(*line.points, line.curve, step / 20) for step in range(21)):  # type: ignore[call-arg]
            for other in set(names) - set(pair):
                px, py = ring.places[other]
                assert hypot(px - x, py - y) > ring.r * 1.3


def test_kinds_of_message_differ_in_line_and_head():
    flights = [
        flying(1, request_vote("S1", "S2")),
        flying(2, vote("S2", "S1")),
        flying(3, heartbeat("S1", "S3")),
        flying(4, append("S1", "S4", "2:x=1")),
        flying(5, accepted("S4", "S1")),
    ]
    scene = scene_cluster(make_frame(5, in_flight=flights))
    ask, answer, beat, entries, reply = (mark(scene, f"msg-{n}") for n in range(1, 6))
    assert ask.ink.dash
    assert answer.ink.dash
    assert not entries.ink.dash
    assert [each.head for each in (ask, answer, beat, entries, reply)] == [
        "filled", "open", "filled", "filled", "open",
    ]  # fmt: skip
    assert beat.ink.width < entries.ink.width


def test_a_reply_that_says_no_has_a_bar():
    flights = [
        flying(1, vote("S2", "S1", granted=False)),
        flying(2, vote("S3", "S1")),
        flying(3, rejected("S4", "S1", 3)),
        flying(4, accepted("S5", "S1")),
    ]
    scene = scene_cluster(make_frame(5, in_flight=flights))
    assert [has(scene, f"msg-{n}-no") for n in range(1, 5)] == [True, False, True, False]


def test_a_doubled_message_says_so():
    frame = make_frame(3, in_flight=[flying(8, heartbeat("S1", "S2"), copies=2)])
    assert mark(scene_cluster(frame), "number-8").text == "8 ×2"


def test_a_lost_message_stops_half_way_at_a_cross():
    scene = scene_cluster(make_frame(5, lost=request_vote("S1", "S3"), text="lost"))
    ring = ring_of(nodes_named(5))
    (x1, y1), (x2, y2) = ring.places["S1"], ring.places["S3"]
    x, y = mark(scene, "lost").points[1]
    assert hypot(x - (x1 + x2) / 2, y - (y1 + y2) / 2) < 0.12 * hypot(x2 - x1, y2 - y1)
    assert mark(scene, "lost-cross-a").ink.stroke == "#BB5566"
    assert mark(scene, "lost").ink.dash


def test_rose_means_a_lost_message_and_nothing_else():
    for name, frame in SAMPLES.items():
        rose = [
            each.id
            for each in scene_cluster(frame).marks
            if not isinstance(each, Text) and "#BB5566" in (each.ink.stroke, each.ink.fill)
        ]
        assert rose == (["lost-cross-a", "lost-cross-b"] if name == "campaign" else [])


# Broken links


def test_a_partition_draws_its_border_between_the_groups():
    scene = scene_cluster(SAMPLES["partition"])
    borders = [each for each in scene.marks if each.role == "partition"]
    assert len(borders) == 1
    assert borders[0].ink.dash
    assert borders[0].ink.width > 3
    assert not [each for each in scene.marks if each.role == "cut"]


def test_sides_that_are_not_neighbours_are_named():
    letters = texts(scene_cluster(SAMPLES["patchwork"]), "side")
    assert [each.text for each in letters] == ["A", "B", "A", "B", "C"]
    assert not texts(scene_cluster(SAMPLES["partition"]), "side")


def test_a_cut_link_ends_in_a_bar_where_nothing_arrives():
    scene = scene_cluster(SAMPLES["cuts"])
    assert has(scene, "cut-S1-S2-bar")
    assert has(scene, "cut-S1-S2-back")
    assert has(scene, "cut-S1-S3-bar")
    assert not has(scene, "cut-S1-S3-back")
    assert not has(scene, "cut-S2-S1")


# What changed


def test_what_changed_is_ringed_and_bold():
    before = make_frame(5, **led_by_s1())
    after = make_frame(5, **led_by_s1() | {"S3": node("S3", term=4, deadline=270.0)})
    scene = scene_cluster(after, before)
    assert [each.id for each in scene.marks if each.role == "changed"] == ["changed-S3"]
    assert mark(scene, "term-S3").bold
    assert mark(scene, "name-S3").bold
    assert not mark(scene, "term-S2").bold


def test_time_passing_changes_nothing():
    before, after = make_frame(5, at=100.0), make_frame(5, at=110.0)
    assert not [each for each in scene_cluster(after, before).marks if each.role == "changed"]


# The graph


def test_the_graph_has_a_node_a_server_and_an_edge_a_busy_link():
    graph = cluster_graph(SAMPLES["leader"])
    assert list(graph) == ["S1", "S2", "S3", "S4", "S5"]
    assert graph.nodes["S1"]["role"] == "leader"
    assert graph.nodes["S4"]["role"] == "down"
    assert sorted(graph.edges) == [
        ("S1", "S2"),
        ("S1", "S3"),
        ("S1", "S5"),
        ("S3", "S1"),
        ("S5", "S1"),
    ]
    assert [each.number for each in graph.edges["S1", "S2"]["messages"]] == [11]


def test_who_is_not_cut_off_and_runs_is_reached():
    cluster = Cluster(5, seed=7)
    everybody = set(permutations(cluster.nodes, 2))
    assert set(cluster.frame().graph().edges) == everybody
    cluster.crash("S1")
    cluster.pause("S2")
    cluster.cut("S3", "S4", both_ways=False)
    graph = cluster.frame().graph()
    assert list(graph) == list(cluster.nodes)
    left = set(permutations(("S3", "S4", "S5"), 2)) - {("S3", "S4")}
    assert set(graph.edges) == left
    assert graph.nodes["S1"]["role"] == "down"


@pytest.mark.parametrize("seed", range(8))
def test_what_a_node_sends_arrives_exactly_where_the_graph_says(seed):
    """Every link is tried: a candidate asks all for their votes, and those it reaches hear it."""
    rng = random.Random(seed)
    cluster = Cluster(5, seed=seed, options=Options.figure_2())
    cluster.run(30)
    for pair in rng.sample(list(permutations(cluster.nodes, 2)), 6):
        cluster.cut(*pair, both_ways=False)
    cluster.crash(rng.choice(cluster.nodes))
    graph = cluster.frame().graph()
    for candidate in cluster.nodes:
        if graph.nodes[candidate]["alive"]:
            copy = cluster.recording.replay()
            copy.timeout(candidate)
            term = copy.frame().term
            copy.run(20)
            heard = {each.node for each in copy.frame().nodes if each.alive and each.term == term}
            assert heard == {candidate, *graph[candidate]}


def test_majorities_that_can_talk_are_asked_of_the_graph():
    """In a partition one side holds a majority: it alone can elect and commit."""
    cluster = Cluster(5, seed=7)
    cluster.partition("S1 S2", "S3 S4 S5")
    both_ways = cluster.frame().graph().to_undirected(reciprocal=True)
    sides = sorted(map(sorted, networkx.find_cliques(both_ways)))
    assert sides == [["S1", "S2"], ["S3", "S4", "S5"]]
    majorities = quorum_graph(cluster.nodes)
    talking = [group for group in majorities if both_ways.subgraph(group).size() == 3]
    assert talking == [("S3", "S4", "S5")]


def test_a_message_to_a_node_outside_the_cluster_is_left_out_of_the_picture():
    frame = make_frame(
        3,
        in_flight=[flying(1, heartbeat("S1", "S9"))],
        **{name: each for name, each in campaigning().items() if name in ("S1", "S2", "S3")},
    )
    assert not has(scene_cluster(frame), "msg-1")


def test_a_long_violation_is_told_in_full_on_several_lines():
    text = "S1 leads term 3 without entry 2 of term 1, which S2 committed in term 1 " * 2
    broken = ViolationFrame("Leader Completeness", text.strip(), "5.4", 7)
    frame = msgspec.structs.replace(make_frame(3), violation=broken)
    scene = scene_cluster(frame)
    lines = [mark.text for mark in scene.marks if mark.role == "violation"]
    assert len(lines) > 2
    assert text.strip() in " ".join(lines)
    assert scene.height > scene_cluster(make_frame(3)).height

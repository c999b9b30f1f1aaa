"""The experiment behind the paper's Figure 16, in small."""

from math import inf, isfinite
from statistics import fmean

import pytest

from raftlab.course import experiments
from raftlab.course.experiments import (
    crashed_leader,
    describe_election_times,
    election_times,
    figure_16,
    show_election_times,
    thinned,
    time_to_leader,
)
from raftlab.raft.figure2 import Figure2
from raftlab.raft.messages import RequestVoteReply
from raftlab.raft.options import Options
from raftlab.raft.roles import Role
from raftlab.raft.vocabulary import Misuse
from raftlab.sim.cluster import Cluster
from raftlab.sim.world.settings import Network

WIDE = (150.0, 300.0)


def test_the_times_depend_on_nothing_but_the_seeds():
    times = election_times(WIDE, 20)
    election_times.cache_clear()
    assert election_times(WIDE, 20) == times
    assert election_times(WIDE, 5) == times[:5]


def test_the_time_of_a_seed_is_that_of_its_cluster_watched_or_not():
    times = election_times((12, 24), 8)
    for seed, time in enumerate(times):
        assert time_to_leader(crashed_leader((12, 24), seed)) == time


def test_the_machines_are_those_of_figure_2_alone_and_do_what_the_whole_ones_do():
    for seed, span in enumerate(((12, 24), (150, 155), WIDE)):
        cluster = crashed_leader(span, seed)
        assert type(cluster.machine("S2")) is Figure2
        whole = Cluster(
            5,
            seed=seed,
            options=cluster.setup.options,
            network=cluster.setup.network,
            logs=experiments.LOGS,
        )
        whole.run(cluster.now)
        whole.crash("S1")
        assert time_to_leader(cluster) == time_to_leader(whole)
        assert whole.actions == cluster.actions


def test_an_election_begins_when_the_leader_has_just_crashed_and_nobody_has_noticed():
    for seed in range(20):
        cluster = crashed_leader(WIDE, seed)
        frame = cluster.frame()
        assert 0 <= cluster.now < 75, "within the next heartbeat interval, half of 150 ms"
        assert [node.alive for node in frame.nodes] == [False, True, True, True, True]
        assert all(node.role is Role.FOLLOWER for node in frame.nodes)
        lengths = [len(node.log) for node in frame.nodes if node.alive]
        assert len(set(lengths)) == 4, "every log has another length"


def test_only_two_of_the_four_that_are_left_can_win():
    winners = set()
    for seed in range(40):
        cluster = crashed_leader((150, 155), seed)
        time_to_leader(cluster)
        winners.add(cluster.leader)
    assert winners - {None} == {"S2", "S3"}


def test_the_smallest_downtime_is_about_half_the_minimum_election_timeout():
    """Paper: 9.3."""
    times = election_times(WIDE, 200)
    assert min(times) > 75
    assert min(times) < 110


def test_without_randomness_there_is_never_a_leader():
    assert election_times((150, 150), 5, limit_ms=5000) == (inf,) * 5


def test_more_randomness_means_fewer_split_votes():
    late = [
        sum(time > 300 for time in election_times((150, high), 100)) for high in (151, 155, 175)
    ]
    assert late[0] > late[1] > late[2]


def test_the_broadcast_time_is_roughly_15_ms():
    """Paper: 5.6, "to send RPCs in parallel to every server and receive their responses"."""
    spans = []
    for seed in range(200):
        cluster = Cluster(
            5, seed=seed, options=Options.figure_2(), network=Network(latency=experiments.LATENCY)
        )
        cluster.timeout("S1")
        trace = cluster.run(60).trace()
        ends = [
            each.ended_at
            for each in trace.messages
            if isinstance(each.message, RequestVoteReply) and each.ended_at is not None
        ]
        assert len(ends) == 4
        spans.append(max(ends))
    assert 14.5 < fmean(spans) < 16.5


def test_an_experiment_without_trials_is_refused():
    with pytest.raises(Misuse, match="at least one trial"):
        election_times(WIDE, 0)


def test_a_panel_names_its_lines_and_runs_fewer_trials_where_nobody_is_heard_in_time():
    panel = figure_16(((150, 150), (150, 151), (12, 24)), 20)
    assert {name: len(times) for name, times in panel.items()} == {
        "150-150 ms": 2,
        "150-151 ms": 2,
        "12-24 ms": 20,
    }


@pytest.mark.slow
@pytest.mark.parametrize("span", [(150, 155), (12, 24), WIDE])
def test_three_hundred_elections_have_the_shape_of_a_thousand(span):
    """As notebook 05 says of its curves: nowhere is one of them 6 % above the other."""
    few, many = election_times(span, 300), election_times(span)
    for time in {*few, *many}:
        below = [sum(each <= time for each in times) / len(times) for times in (few, many)]
        assert abs(below[0] - below[1]) < 0.06


def test_the_panels_are_the_papers():
    assert experiments.TOP[0] == (150, 150)
    assert experiments.TOP[-1] == experiments.BOTTOM[-1] == (150, 300)


def test_the_table_says_how_many_never_had_a_leader():
    text = describe_election_times({"a": [100.4, 200.0, inf], "b": [inf, inf]})
    assert text.splitlines() == [
        "Time from the leader's crash to a new leader (ms).",
        "",
        "timeout  elections  no leader  shortest  median  99 of 100  longest",
        "a                3          1       100     200          -        -",
        "b                2          2         -       -          -        -",
    ]


def test_a_line_keeps_its_shape_with_fewer_points():
    times = [float(time) for time in range(1000, 0, -1)]
    few = thinned(times)
    assert len(few) == experiments.POINTS
    assert few[-1] == 1000.0
    assert few[49] == 500.0
    assert thinned([3.0, 1.0, 2.0]) == [1.0, 2.0, 3.0]


def test_the_figure_is_the_same_each_time_and_has_a_text_twin():
    samples = {"wide": election_times(WIDE, 50), "none": [inf] * 50}
    one, two = show_election_times(samples), show_election_times(samples)
    assert one.svg == two.svg
    assert "<title>" in one.svg and "none: a leader in 0 of 50" in one.svg
    assert one.description == describe_election_times(samples)
    assert all(map(isfinite, samples["wide"]))

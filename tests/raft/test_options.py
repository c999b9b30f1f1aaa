"""Numbers that cannot work are refused; every switch can be turned alone."""

import math

import pytest

from raftlab.raft.options import Options
from raftlab.raft.vocabulary import Misuse


def test_pre_vote_check_quorum_and_stickiness_are_on_by_default():
    options = Options()
    assert (options.pre_vote, options.check_quorum, options.leader_stickiness) == (True,) * 3


def test_a_heartbeat_is_much_more_frequent_than_an_election():
    assert Options().heartbeat_interval * 3 <= Options().election_timeout[0]


def test_figure_2_alone_has_none_of_what_came_later():
    options = Options.figure_2()
    assert (options.pre_vote, options.check_quorum, options.leader_stickiness) == (False,) * 3
    assert options.election_timeout == Options().election_timeout


def test_figure_2_can_be_changed_in_one_thing():
    options = Options.figure_2(pre_vote=True, heartbeat_interval=10.0)
    assert (options.pre_vote, options.check_quorum, options.heartbeat_interval) == (True, False, 10)


@pytest.mark.parametrize(
    "timeout", [(0, 100), (-5, 100), (200, 100), (math.nan, 100), (100, math.nan)]
)
def test_an_election_timeout_needs_two_positive_bounds_in_order(timeout):
    with pytest.raises(Misuse, match="election_timeout must be"):
        Options(election_timeout=timeout)
    with pytest.raises(Misuse, match="election_timeout must be"):
        Options.figure_2(election_timeout=timeout)


def test_an_election_timeout_may_be_one_value():
    assert Options(election_timeout=(100.0, 100.0)).election_timeout == (100, 100)


@pytest.mark.parametrize("interval", [0, -1, math.nan])
def test_a_heartbeat_interval_is_positive(interval):
    with pytest.raises(Misuse, match="heartbeat_interval must be positive"):
        Options(heartbeat_interval=interval)


@pytest.mark.parametrize("name", ["max_entries_per_append", "max_in_flight"])
def test_sizes_are_at_least_one(name):
    with pytest.raises(Misuse, match="at least 1"):
        Options(**{name: 0})
    assert getattr(Options(**{name: 1}), name) == 1

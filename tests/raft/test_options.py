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


@pytest.mark.parametrize("name", ["heartbeat_interval", "snapshot_timeout", "transfer_timeout"])
@pytest.mark.parametrize("span", [0, -1, math.nan, math.inf, "50"])
def test_a_span_of_time_is_positive_and_ends(name, span):
    with pytest.raises(Misuse, match=f"{name} must be positive"):
        Options(**{name: span})
    with pytest.raises(Misuse, match=f"{name} must be positive"):
        Options.figure_2(**{name: span})


@pytest.mark.parametrize("entries", [-1, 1.5, None])
def test_trailing_entries_are_counted_from_none(entries):
    with pytest.raises(Misuse, match="trailing_entries must be 0 or more"):
        Options(trailing_entries=entries)
    assert Options(trailing_entries=0).trailing_entries == 0


@pytest.mark.parametrize("bound", [0.9, math.nan, math.inf, "1"])
def test_no_clock_is_bounded_by_less_than_its_own_pace(bound):
    with pytest.raises(Misuse, match="clock_drift_bound must be 1 or more"):
        Options(clock_drift_bound=bound)
    assert Options(clock_drift_bound=1).clock_drift_bound == 1


def test_leases_need_followers_that_stick_to_their_leader():
    with pytest.raises(Misuse, match="lease_reads needs leader_stickiness"):
        Options(lease_reads=True, leader_stickiness=False)
    with pytest.raises(Misuse, match="lease_reads needs leader_stickiness"):
        Options.figure_2(lease_reads=True)
    assert Options(lease_reads=True).lease_reads


def test_what_costs_safety_or_changes_the_contract_is_off_unless_asked_for():
    options = Options()
    assert not (options.lease_reads or options.single_server_changes or options.async_persistence)
    assert options.catch_up_first and not Options.figure_2().catch_up_first


@pytest.mark.parametrize(
    "name",
    [
        "max_entries_per_append",
        "max_in_flight",
        "max_bytes_per_append",
        "max_uncommitted_bytes",
    ],
)
def test_sizes_are_at_least_one(name):
    with pytest.raises(Misuse, match="at least 1"):
        Options(**{name: 0})
    assert getattr(Options(**{name: 1}), name) == 1


def test_a_switch_is_on_or_off_and_no_text():
    with pytest.raises(Misuse, match="pre_vote is True or False"):
        Options(pre_vote="off")
